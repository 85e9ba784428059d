#ifndef AGENT_REQUEST_H
#define AGENT_REQUEST_H
#include "certs/buf.h"
#include "certs/err.h"

/*
 * request.h - one request as the store keeps it: a row, and named blobs.
 *
 * A request always has a state, a reason, and a time at which something happens next; which of us,
 * the CA, the cloud or an administrator it waits for follows from state and step.
 */
enum request_state {
    REQUEST_NONE,
    REQUEST_READY,      /* waits for a free place */
    REQUEST_RETRYING,   /* something failed that may work later; next_at says when */
    REQUEST_PENDING,    /* the CA has it and has not decided */
    REQUEST_HELD,       /* needs an administrator; tried again rarely */
    REQUEST_DELIVERED,  /* final: the cloud has taken a success */
    REQUEST_REJECTED,   /* final: the cloud has taken the reason of a failure */
    REQUEST_SUPERSEDED, /* final: another connector has it */
    REQUEST_CANCELLED,  /* final: an administrator or the cloud ended it */
    REQUEST_STATE_COUNT
};
const char *request_state_name(enum request_state s); /* "retrying"; stored, never renamed */
enum request_state request_state_named(const char *name);
bool request_is_final(enum request_state s);

struct request {
    char id[40]; /* the cloud's request id; of SCEP requests, a hash of endpoint, signer and CSR */
    char kind[24]; /* CCP request type: which job does it */
    char step[16]; /* name of the step to do next */
    enum request_state state;
    char ca[64], template_name[128], subject[200]; /* for lists and people; cleaned */
    char lease[64];                                /* fencing token */
    char activity[40];                             /* GUID of this job, in both sides' logs */
    int64_t lease_expires_at, attempt, created_at, expires_at, received_at, next_at, ended_at;
    int64_t tries;   /* failed attempts since the last step forward */
    int64_t submits; /* times the CA may have seen the CSR */
    int64_t
        noticed; /* that the CA has not decided: 0 not so, 1 the cloud is to be told, 2 it was */
    bool failed; /* what will be reported is `why`, not a certificate */
    char reference[128]; /* the CA's own id for it */
    char serial[64];     /* of the certificate, upper hex */
    char alias[72];      /* another name it is found by: of a SCEP transaction; "" = none */
    char digest[72];     /* SHA-256 of the result, upper hex; once it exists it never changes */
    struct err why;      /* the last failure; cls ERR_NONE = none since the last step forward */
};

/* Blobs of a request, at most 16; the place in this list is what the store keeps: append only.  Secret ones are
 * sealed before they get here. */
#define REQUEST_BLOBS(X)                                                                          \
    X(BLOB_ITEM, "item")         /* what the cloud sent, JSON                                  */ \
    X(BLOB_DATA_KEY, "data_key") /* wrapped under the installation's key                       */ \
    X(BLOB_KEY, "key")           /* PKCS#8, sealed under the data key                          */ \
    X(BLOB_CSR, "csr")           /* DER                                                        */ \
    X(BLOB_CHAIN, "chain")       /* DER certificates, leaf first                               */ \
    X(BLOB_SIGNER, "signer")     /* SCEP: DER certificate that signed the request              */ \
    X(BLOB_NOTES, "notes")       /* SCEP: what the plugin noted about it                       */ \
    X(BLOB_RESULT, "result")     /* the result's JSON, without the lease; posted unchanged     */
enum blob {
#define X(id, name) id,
    REQUEST_BLOBS(X)
#undef X
        BLOB_COUNT
};
const char *blob_name(enum blob b);

/* An issued certificate nobody has got, or one that may exist. */
struct orphan {
    char serial[64]; /* upper hex; "" = it is not known whether one exists */
    char spki[72];   /* SHA-256 of the public key, upper hex */
    char request_id[40], ca[64], subject[200];
    char reason[200];
    int64_t at;
    int64_t settled_at; /* 0, or when an administrator said that it is dealt with ... */
    char settled[200];  /* ... and by whom and how */
};
#endif
