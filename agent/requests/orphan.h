#ifndef AGENT_ORPHAN_H
#define AGENT_ORPHAN_H
#include "agent/store/request.h"

/*
 * orphan.h - recording a certificate that exists, or may exist, and reaches nobody.
 *
 * It is known by its serial number once the CA has sent it, and always by the hash of its public key, by
 * which the CA's list can be searched.
 */
struct agent;

/* orphan_possible - may the CA have issued for it, or do so yet?  What pends there may be approved any day. */
static inline bool orphan_possible(const struct request *r)
{
    return r->submits > 0 || r->reference[0] != '\0';
}

/* orphan_record - csr: the request's, or empty: it is taken from the store.  fails ERR_STORE */
int orphan_record(struct agent *a, const struct request *r, struct view csr, const char *reason,
    struct err *e) MUST;
#endif
