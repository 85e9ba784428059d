#ifndef CERTS_ALGORITHM_H
#define CERTS_ALGORITHM_H
#include "certs/der.h"

/*
 * algorithm.h - AlgorithmIdentifiers (RFC 5280 4.1.1.2) of others: the OID, and what stands behind it.
 * Threads: pure.
 */
struct algorithm {
    struct der oid;
    struct view params; /* everything behind the OID; empty = absent */
};

/* algorithm_read - from the whole SEQUENCE; `what` names it in the message.  fails ERR_PROTO */
int algorithm_read(struct view der, const char *what, struct algorithm *a, struct err *e) MUST;

/* algorithm_plain - are the parameters absent or NULL? */
bool algorithm_plain(const struct algorithm *a);

/* algorithm_refuse - ERR_UNSUPPORTED "<what> <OID> is not supported"; returns -1. */
int algorithm_refuse(const struct algorithm *a, const char *what, struct err *e);
#endif
