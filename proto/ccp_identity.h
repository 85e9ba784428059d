#ifndef PROTO_CCP_IDENTITY_H
#define PROTO_CCP_IDENTITY_H
#include "proto/ccp.h"

/*
 * ccp_identity.h - CCP/1: how a connector finds the cloud's services and becomes somebody there.
 * Source: proto/ccp.md 2 and 3.  Threads: pure.
 */
enum { CCP_URL_MAX = 511, CCP_KEYS_MAX = 16, CCP_ISSUERS_MAX = 8, CCP_CERTIFICATE_MAX = 16 << 10 };

/* --- discovery: GET <cloud>/.well-known/ccp, without authentication --- */

/* Without trailing '/'.  "": not named; the URL of the configuration is used then. */
struct ccp_discovery {
    char agents[CCP_URL_MAX + 1];   /* CcpAgentService: agents/... */
    char requests[CCP_URL_MAX + 1]; /* CcpRequestService: requests/..., results/... */
    char scep[CCP_URL_MAX + 1];     /* ScepRequestValidationFEService: scep/... */
    char issuer[CCP_URL_MAX
                + 1]; /* as sent: it is compared octet for octet; "": client certificates only */
};

/* ccp_discovery_url - the which-th (0, 1) URL at which it may be, appended: below the cloud's URL, then at the root
 * of its host.  returns 1, or 0: there are no more.  fails ERR_CONFIG: the URL is none */
int ccp_discovery_url(const char *cloud, unsigned which, struct buf *out, struct err *e) MUST;

/* ccp_discovery_parse - fails ERR_PROTO, ERR_TOO_LARGE, ERR_NOMEM */
int ccp_discovery_parse(struct view body, struct ccp_discovery *out, struct err *e) MUST;

/* --- agents/enroll, agents/renew --- */

struct ccp_agent_key {    /* one that others encrypt to */
    const char *id, *use; /* use: "escrow", "pfxImport" */
    struct view spki;     /* DER */
};
struct ccp_enroll {
    struct view csr;                                 /* DER */
    const char *agent_name, *machine_name, *version; /* all of them, none empty */
    const enum ccp_type *features;                   /* at least one */
    size_t feature_count;
    const struct ccp_agent_key *keys;
    size_t key_count;
};
void ccp_enroll_write(struct buf *out, const struct ccp_enroll *q);
void ccp_renew_write(struct buf *out, struct view csr);

enum ccp_method { CCP_MTLS, CCP_PRIVATE_KEY_JWT };

/* The answer to both. */
struct ccp_identity {
    char agent_id[CCP_ID_LEN + 1]; /* lower case */
    struct buf certificate;        /* DER: ours */
    struct buf chain;              /* DER: its issuers, one behind the other; may be empty */
    size_t chain_count;
    enum ccp_method method;
    char token_url[CCP_URL_MAX + 1], client_id[200], scope[200]; /* CCP_PRIVATE_KEY_JWT; else "" */
    int64_t not_before_at, not_after_at;                         /* of the certificate */
    int64_t poll_after_s;                                        /* -1: not said */
};
/* clang-format off */
#define CCP_IDENTITY_INIT { .certificate = BUF_INIT(CCP_CERTIFICATE_MAX), .chain = BUF_INIT(CCP_ISSUERS_MAX * CCP_CERTIFICATE_MAX) }
/* clang-format on */
void ccp_identity_free(struct ccp_identity *i); /* zeros are fine */

/*
 * ccp_identity_parse - the answer; out is CCP_IDENTITY_INIT.
 *
 * spki   of the key in the request (key_spki): the certificate must be for it
 * agent  who we are already, for renew; NULL: whoever the cloud makes us
 * now    UTC seconds
 * fails  ERR_PROTO        a member is missing or not as described; a certificate that is none
 *        ERR_UNSUPPORTED  another authentication.method
 *        ERR_MISMATCH     a certificate for another key, or another agentId than `agent`
 *        ERR_EXPIRED      the certificate has ended, or begins more than five minutes from now: a wrong clock
 *        ERR_TOO_LARGE, ERR_NOMEM
 */
int ccp_identity_parse(struct view body, struct view spki, const char *agent, int64_t now,
    struct ccp_identity *out, struct err *e) MUST;
#endif
