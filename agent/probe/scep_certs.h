#ifndef AGENT_SCEP_CERTS_H
#define AGENT_SCEP_CERTS_H
#include "agent/probe/finding.h"
#include "certs/chain.h"
#include "certs/spki.h"

/*
 * scep_certs.h - the answer to GetCACert from a client's side: which certificate signs, which is encrypted to,
 * which are the CA's.
 *
 * Clients choose by key usage (a certificate without one serves everything); the encryption certificate mistaken
 * for the CA's is the classic among the mistakes.
 */
enum scep_role { /* bits: one certificate may be several */
    SCEP_ROLE_SIGNING = 1 << 0,
    SCEP_ROLE_ENCRYPTION = 1 << 1,
    SCEP_ROLE_CA = 1 << 2,
    SCEP_ROLE_ROOT = 1 << 3,
};

struct scep_certs {
    struct buf der; /* one behind the other; the parts below point into it */
    size_t count;
    struct cert cert[CHAIN_MAX];
    unsigned role[CHAIN_MAX];
    int signing, encryption; /* the ones clients will use; -1: there is none */
    bool ra;                 /* a registration authority's, not the CA alone */
};

/* scep_certs_read - fails ERR_PROTO: no list of certificates */
int scep_certs_read(struct view body, struct scep_certs *c, struct err *e) MUST;
void scep_certs_free(struct scep_certs *c);

void scep_role_text(unsigned role, struct buf *out); /* "RA signing, RA encryption" */

/* scep_certs_issuer - does one of the CA's certificates sign this one?  NULL: none does */
const struct cert *scep_certs_issuer(
    struct lib *l, const struct scep_certs *c, const struct cert *leaf);

/* scep_certs_judge - are they all that devices need, valid, and not about to end?  type: of the body */
void scep_certs_judge(
    struct lib *l, const struct scep_certs *c, const char *type, int64_t now, struct finding *f);
#endif
