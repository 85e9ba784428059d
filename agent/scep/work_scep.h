#ifndef AGENT_WORK_SCEP_H
#define AGENT_WORK_SCEP_H
#include "agent/scep/ra.h"
#include "certs/cms.h"
#include "certs/csr_check.h"
#include "proto/scep.h"

/*
 * work_scep.h - the cryptography of SCEP, for worker threads: open a message, check a certificate, write an
 * answer.  Each work holds what it needs; the RA and the rules it points to never change.
 */
struct scep_rules { /* of an endpoint; made once */
    const char *endpoint;
    struct csr_limits limits;
    unsigned rsa_min_bits, renewal_window;
    bool sha1, des3, renewal, ndes;
};

/* ---- open: from the bytes of a pkiMessage to a request that may be judged -------------------------------- */

enum scep_opened {
    SCEP_OPENED,     /* everything below is there */
    SCEP_UNREADABLE, /* nothing to answer: HTTP 400 */
    SCEP_REFUSED,    /* answer a FAILURE with `fail` */
};

struct work_scep_open {
    struct io_work work; /* first */
    const struct ra *ra;
    const struct scep_rules *rules;
    int64_t now;
    struct buf message; /* in: as it came */

    enum scep_opened opened;
    enum scep_fail fail;
    struct err why;        /* for administrators */
    struct buf der;        /* what the views of `q` point into */
    struct scep_request q; /* outer message */
    struct buf
        csr; /* PKCSReq, RenewalReq: DER as the device sent it; has the challenge in it: secret */
    enum cms_content cipher; /* for the answer */
    bool renewal;            /* the signer's certificate is ours, valid, and fits: proven */
    struct err renewal_why;  /* if not, though it is no first request */
    char id[40];    /* without the number of the attempt: hash of endpoint, signer's key and CSR */
    char alias[72]; /* hash of endpoint, signer's key and transactionID */
    char challenge[72]; /* hash of the challenge, the same at every endpoint; "" = there is none */
    char signer_serial[64]; /* of a renewal: upper hex */
    enum digest hash;       /* of the request's own signature */
    bool ec;                /* its key */
    size_t key_bits;
    char subject[200], template_use; /* cleaned; 's', 'e', 'g': which of the three templates */
};
struct work_scep_open *work_scep_open_new(
    const struct ra *ra, const struct scep_rules *rules, struct view message, int64_t now);

/* ---- check: is what the CA issued what the request asked for? --------------------------------------------- */

struct work_scep_check {
    struct io_work work; /* first */
    const struct scep_rules *rules;
    struct buf csr, chain, issuers, anchors; /* in; chain as the CA sent it */
    int64_t now, validity_max_s;
    bool subject_by_ca;
    struct buf result; /* out: DER certificates, leaf first, then its issuers without a root */
    char serial[64], digest[72]; /* out: upper hex; SHA-256 of the certificate */
};
struct work_scep_check *work_scep_check_new(void);

/* ---- reply: the CertRep ------------------------------------------------------------------------------------- */

struct work_scep_reply {
    struct io_work work; /* first */
    const struct ra *ra;
    bool sha1, ndes;
    enum scep_status status;
    enum scep_fail fail;
    uint32_t hresult;
    enum digest digest;
    enum cms_content cipher;
    char transaction[SCEP_TRANSACTION_MAX + 1];
    uint8_t nonce[SCEP_NONCE_MAX];
    size_t nonce_len;
    struct buf recipient;    /* SUCCESS: the signer's certificate */
    struct buf certificates; /* SUCCESS: what to put in, in this order */
    struct buf message;      /* out: DER */
};
struct work_scep_reply *work_scep_reply_new(void);
#endif
