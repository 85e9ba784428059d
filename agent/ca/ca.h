#ifndef AGENT_CA_H
#define AGENT_CA_H
#include "agent/base/io.h"
#include "agent/conf/conf.h"
#include "agent/io/peer.h"

/*
 * ca.h - an upstream CA: a driver and one instance of it for each `ca` section.
 *
 * A driver describes HTTP requests and judges answers; it never waits, so every driver runs unchanged
 * under the simulator and under a fuzzer.  A request it describes points into the instance and lives
 * until the next call on it.
 */
enum ca_answer {
    CA_ERROR,    /* *e says what; its class decides */
    CA_ISSUED,   /* issue->certificates is set */
    CA_ACCEPTED, /* issue->reference is set: collect at once */
    CA_PENDING,  /* issue->reference is set: collect after wait_s */
    CA_UNKNOWN,  /* find only: the CA has never seen it */
};

struct ca_ask {     /* what is known of one request; borrowed */
    const char *id; /* the cloud's request id, our idempotency key where a CA takes one */
    const char *template_name;
    int64_t validity_s;    /* asked for; 0 = the template's own */
    struct view csr;       /* DER */
    const char *reference; /* the CA's id, "" before it gave one */
};

struct ca_issue {
    char reference[128];
    struct buf certificates; /* as the CA sent them, see chain_read; the caller frees it */
    int64_t wait_s;          /* CA_PENDING: how long the CA wants us to wait; 0 = it did not say */
};

struct ca;

struct ca_driver {
    const char *kind;     /* value of `type` in the configuration */
    bool sets_validity;   /* a request can name a validity */
    bool collect_submits; /* to collect is to send the CSR again: it may issue */

    struct ca *(*open)(const struct conf_ca *conf, struct err *e);
    void (*close)(struct ca *ca); /* NULL ok */

    /* Describe a request.  find is NULL if the CA cannot be asked.  chain without a reference asks for the CA's
     * own certificates. */
    int (*submit)(struct ca *ca, const struct ca_ask *ask, struct http_req *q, struct err *e);
    int (*collect)(struct ca *ca, const struct ca_ask *ask, struct http_req *q, struct err *e);
    int (*find)(struct ca *ca, const struct ca_ask *ask, struct http_req *q, struct err *e);
    int (*chain)(struct ca *ca, const struct ca_ask *ask, struct http_req *q, struct err *e);

    /* Judge the answer to a submit, collect or find. */
    enum ca_answer (*judge)(
        struct ca *ca, const struct http_reply *r, struct ca_issue *issue, struct err *e);
    /* Judge the answer to chain: certificates, as the CA sent them. */
    int (*judge_chain)(struct ca *ca, const struct http_reply *r, struct buf *out, struct err *e);
};

struct ca { /* drivers embed it as first member */
    const struct ca_driver *driver;
    const struct conf_ca *conf; /* borrowed; outlives it */
    struct io_peer *io;
    struct peer *peer;  /* how it has been answering */
    struct buf anchors; /* DER roots and intermediates from the configuration */
    struct buf issuers; /* DER intermediates the CA has sent; not trusted by themselves */
    size_t active;      /* jobs in memory; kept by sched */
};

/* ca_open - the instance for a section: driver, files, connections; s: for credentials kept there, NULL: only files.
 * fails ERR_CONFIG */
struct ca *ca_open(
    const struct conf_ca *conf, struct lib *l, struct secrets *s, struct err *e) MUST;
void ca_close(struct ca *ca);

/* ca_knows_issuer - is the issuer of this DER certificate among anchors and issuers? */
bool ca_knows_issuer(const struct ca *ca, struct view certificate);
/* ca_learn - keep the CA certificates among these (DER, one behind the other), at most a dozen.  They are
 * not trusted for that: every path still has to lead to an anchor. */
int ca_learn(struct ca *ca, struct view certificates, struct err *e) MUST;

/* ca_kinds - "adcs, est": for messages and the manual */
const char *ca_kinds(void);

/* For drivers: the parts every request has. */
void ca_request(
    struct ca *ca, struct http_req *q, const char *method, const char *url, struct view body);

extern const struct ca_driver ca_adcs, ca_est;
#endif
