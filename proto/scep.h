#ifndef PROTO_SCEP_H
#define PROTO_SCEP_H
#include "certs/signed.h"

/*
 * scep.h - SCEP messages (RFC 8894 3) to structs and back.
 *
 * Fail closed on the type: what scep_type() does not list is SCEP_TYPE_OTHER, whatever it looks like.
 *
 * Threads: scep_request_parse is pure; the writers take any thread's lib.
 */
enum scep_type { /* messageType, decimal text in a PrintableString */
    SCEP_TYPE_NONE,
    SCEP_CERT_REP = 3,
    SCEP_RENEWAL_REQ = 17,
    SCEP_PKCS_REQ = 19,
    SCEP_CERT_POLL = 20,
    SCEP_GET_CERT = 21,
    SCEP_GET_CRL = 22,
    SCEP_TYPE_OTHER = 256, /* anything else: UpdateReq (18) of old drafts, "19 ", "+19", "019" */
};
enum scep_status { SCEP_SUCCESS = 0, SCEP_FAILURE = 2, SCEP_PENDING = 3 };
enum scep_fail {
    SCEP_BAD_ALG = 0,
    SCEP_BAD_MESSAGE_CHECK = 1,
    SCEP_BAD_REQUEST = 2,
    SCEP_BAD_TIME = 3,
    SCEP_BAD_CERT_ID = 4,
    SCEP_NO_FAIL = -1,
};

enum { SCEP_TRANSACTION_MAX = 512, SCEP_NONCE_MAX = 64 };

struct scep_request {
    struct signed_data s;
    bool parsed; /* the SignedData itself was read; else there is nothing to answer but HTTP 400 */
    char transaction[SCEP_TRANSACTION_MAX + 1]; /* printable ASCII; "" = none: HTTP 400 */
    uint8_t nonce[SCEP_NONCE_MAX];              /* senderNonce */
    size_t nonce_len;                           /* 0 = absent, which is tolerated */
    enum scep_type type;
    struct view signer; /* DER certificate that signs the message; empty = none found */
    struct view
        envelope; /* pkcsPKIEnvelope as it was signed: BER, so ber_to_der first; empty = absent */
};

/*
 * scep_request_parse - the outer message, as far as it can be read.
 *
 * der      as ber_to_der wrote it; views point into it
 * succeeds also for SCEP_TYPE_OTHER, and without an envelope: to refuse these is the caller's matter
 * fails    ERR_PROTO, ERR_UNSUPPORTED.  Also on failure *r is filled as far as possible: if r->transaction is not
 *          empty a signed FAILURE can be written with r->nonce (badAlg for ERR_UNSUPPORTED, else badRequest)
 */
int scep_request_parse(struct view der, struct scep_request *r, struct err *e) MUST;

/* scep_hash - what the answer's signature uses: the request's own, SHA-1 only if allowed, else SHA-256. */
enum digest scep_hash(const struct scep_request *r, bool sha1);

struct scep_reply {
    enum scep_status status;
    enum scep_fail fail; /* FAILURE only */
    const char *transaction;
    struct view nonce;    /* the request's senderNonce, copied to recipientNonce; may be empty */
    struct view envelope; /* SUCCESS: EnvelopedData ContentInfo, DER; else empty */
    enum digest digest;
    struct key *key;         /* the RA's signing key */
    struct view certificate; /* and its certificate */
    bool
        ndes; /* NDES compatibility: one 00 byte as content of a FAILURE, and the HRESULT attribute */
    uint32_t hresult; /* with ndes; 0 = left out */
};
/* scep_reply_write - the CertRep, DER, appended.  fails ERR_CRYPTO, ERR_NOMEM */
int scep_reply_write(
    struct lib *l, const struct scep_reply *r, struct buf *out, struct err *e) MUST;

/* A request as a client writes it: certferry scep test, and the service at a CA that speaks SCEP. */
struct scep_ask {
    enum scep_type type;
    const char *transaction;
    struct view nonce;       /* 16 bytes */
    struct view content;     /* PKCS#10, or IssuerAndSubject ..., to be encrypted */
    struct view recipient;   /* the RA's encryption certificate */
    struct key *key;         /* the signer's */
    struct view certificate; /* self-signed, or the one to be renewed */
};
int scep_ask_write(struct lib *l, const struct scep_ask *a, struct buf *out, struct err *e) MUST;

/*
 * scep_answer_parse - the CertRep to a request of ours, before its signature is verified.
 *
 * der          as ber_to_der wrote it; views point into it
 * transaction  the request's, and nonce its senderNonce: both must come back
 * fails        ERR_PROTO, ERR_UNSUPPORTED
 */
struct scep_answer {
    struct signed_data s;
    enum scep_status status;
    enum scep_fail fail;  /* FAILURE only, else SCEP_NO_FAIL */
    uint32_t hresult;     /* FAILURE of an NDES; 0 = none */
    struct view envelope; /* SUCCESS; as it was signed, BER */
};
int scep_answer_parse(struct view der, const char *transaction, struct view nonce,
    struct scep_answer *a, struct err *e) MUST;

/* GetCACaps: keywords with LF between them.  Order counts: certmonger takes the first cipher it meets;
 * SHA-384 is not registered, but strongSwan 5.9 (Debian 12) sees AES and Renewal only if it stands there. */
struct scep_caps {
    bool next_ca, des3, sha1, renewal, ndes;
};
void scep_caps_write(struct buf *out, const struct scep_caps *c);
bool scep_caps_have(
    struct view body, const char *keyword); /* client side, without regard to case */

/* IssuerAndSerialNumber and IssuerAndSubject of GetCert, GetCRL, CertPoll.  fails ERR_PROTO */
int scep_issuer_and(struct view der, struct view *issuer, struct view *second, struct err *e) MUST;
#endif
