#ifndef SCEP_HOSTILE_H
#define SCEP_HOSTILE_H
#include "test/scep/certrep.h"
#include "test/scep/identity.h"
#include "test/scep/pkcs10.h"
#include "test/scep/ra.h"

/*
 * hostile.h - messages that a SCEP service gets from nobody who means well, and what it must do with each.
 *
 * A row is a valid enrolment with something changed: all that a row does not say is as it should be.  "%s" in
 * its texts stands for the common name of the case, which is another one for each.
 */

/* What is required; several bits: any of these. */
enum outcome {
    OK = 1,      /* SUCCESS, and the certificate is as asked for */
    BAD_ALG = 2, /* signed FAILURE with that failInfo */
    BAD_CHECK = 4,
    BAD_REQUEST = 8,
    BAD_TIME = 16,
    BAD_CERT_ID = 32,
    HTTP_400 = 64,
    HTTP_413 = 128,
    HTTP_414 = 256,
    HTTP_431 = 512,
    HTTP_403 = 1024,
    HTTP_404 = 2048,
    HTTP_405 = 4096,
    HTTP_501 = 8192,
    HTTP_505 = 1 << 14,
    HTTP_200 = 1 << 15, /* a plain answer that is no CertRep */
    HTTP_429 = 1 << 16,
    CLOSED = 1 << 17, /* no answer at all */
    PENDING = 1 << 18,
};

enum challenge_kind { FRESH, NONE, WRONG, USED, SOMEBODY_ELSES, OVERDUE };

enum who { /* signs the message */
    SELF,  /* self-signed, with the request's key */
    SELF_EXPIRED,
    SELF_EARLY, /* not valid yet */
    SELF_AKI,   /* with a critical authorityKeyIdentifier, as Windows */
    SELF_KEY_ID,
    SELF_CA,        /* says that it is a CA */
    STRANGER,       /* self-signed, with another key than the request's */
    EC_SIGNER,      /* the request's too */
    WEAK_KEY,       /* RSA-1024, not the request's */
    HOLDER,         /* of the certificate that was issued before */
    HOLDER_FORGED,  /* names our CA as its issuer, signed by itself */
    HOLDER_EXPIRED, /* really of our CA; these three need its key */
    HOLDER_EARLY,
    HOLDER_FOREIGN, /* valid, but not issued here */
    AGENT,          /* the RA's own certificate */
};

enum inside { /* of the envelope */
    REQUEST,
    GARBAGE,
    NOTHING,      /* zero bytes */
    BARE_REQUEST, /* not in an envelope */
    ABSENT,       /* no content at all */
    ISSUER_SUBJECT,
    ISSUER_SERIAL, /* of no certificate */
    OTHER_SERIAL,  /* of another CA */
};

struct bench;
struct row {
    const char *name;
    unsigned want;
    /* the request: members that are set replace what it would be */
    struct pkcs10_plan csr;
    bool renews;              /* to the endpoint where a certificate counts as a challenge */
    const char *key, *csr_md; /* "rsa1024", "SHA1" */
    bool no_san, no_ku, no_eku, no_subject;
    enum challenge_kind challenge;
    enum inside inside;
    /* the envelope */
    struct envelope_plan env;
    bool to_signer; /* encrypted to the RA's signing certificate */
    /* the message */
    struct message_plan msg;
    const char *msg_md;
    enum who who;
    size_t nonce_len;       /* 0: 16 */
    size_t transaction_len; /* a transaction id of so many characters */
    /* or the bytes themselves */
    void (*body)(struct bench *b, struct str *der); /* POSTed */
    void (*raw)(
        struct bench *b, const struct row *r, struct str *request); /* the whole HTTP request */
    const char *text;                                               /* for raw */
    size_t size;
};
extern const struct row rows_message[], rows_type[], rows_envelope[], rows_request[],
    rows_renewal[], rows_http[];
extern const size_t rows_message_count, rows_type_count, rows_envelope_count, rows_request_count,
    rows_renewal_count, rows_http_count;

struct named_key {
    char name[16];
    EVP_PKEY *key;
};

struct bench {
    struct target to, renew_to;
    struct ra ra;
    const char *sandbox;        /* its folder, or NULL */
    const char *challenge_file; /* without a sandbox */
    struct named_key key[16];
    size_t keys;
    X509 *ca; /* of the sandbox, with its key */
    EVP_PKEY *ca_key, *agent_key;
    X509 *held; /* an issued certificate, with its key */
    EVP_PKEY *held_key;
    char held_cn[48];
    struct str used;   /* a challenge that was spent on it */
    char run[16];      /* in every name of this run */
    int64_t submitted; /* to the CA, after the last case */
    unsigned number;   /* of the next case */
    struct str why;    /* of the last verdict */
};

/* One case, made. */
struct made {
    char cn[48];
    struct str transaction, csr, message;
    unsigned char nonce[4096];
    size_t nonce_len;
    bool has_nonce, renews;
    X509 *signer;
    EVP_PKEY *signer_key, *key;
};

bool bench_open(struct bench *b, const char *url, const char *renew_url); /* NULL: the same */
void bench_close(struct bench *b);
EVP_PKEY *bench_key(struct bench *b, const char *name); /* borrowed */
bool bench_challenge(struct bench *b, enum challenge_kind k, const char *cn, struct str *out);
bool bench_submitted(
    struct bench *b, int64_t *out); /* requests the CA ever got; false: cannot say */
void bench_new_cn(struct bench *b, char cn[48]);
/* bench_first - enrol once, as renewals need a certificate. */
bool bench_first(struct bench *b);

bool make_case(struct bench *b, const struct row *r, struct made *m);
void made_free(struct made *m);
/* post_case - send m->message; the outcome as a bit, b->why says what it was; rep may be NULL. */
unsigned post_case(struct bench *b, const struct made *m, struct certrep *rep);
unsigned read_answer(
    struct bench *b, const struct response *a, const struct made *m, struct certrep *rep);
void outcome_text(unsigned bits, struct str *out);

int run_rows(struct bench *b, const char *only);
int run_race(struct bench *b, unsigned clients);
int run_oracle(struct bench *b, unsigned times);
#endif
