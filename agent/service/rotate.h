#ifndef AGENT_ROTATE_H
#define AGENT_ROTATE_H
#include "agent/agent.h"

/*
 * rotate.h - another master key: everything that is sealed with it is sealed again.
 *
 * The new key is written first, beside the old one; then each secret is replaced, then all wrapped data keys in one
 * transaction; only when that is durable the new key takes the old one's place, and the old one is overwritten.
 * Wherever that stops, both keys are there and both open (vault.h); the next start or the next rotation finishes it.
 * What neither opens was lost before; it is counted and left as it is.
 *
 * Threads: the loop's; with jobs and workers under way, too: what a worker sealed with the old key is sealed again
 * when the job takes it (job_put).
 */
struct rotated {
    size_t data_keys, secrets; /* sealed again */
    size_t unreadable;
};
/* rotate - a new master key, unless an exchange is pending, and all of the above.
 * fails ERR_CONFIG: the key is a credential; ERR_CONFLICT: the last exchange was minutes ago; ERR_STORE: it is pending, and both keys are in use */
int rotate(struct agent *a, struct rotated *out, struct err *e) MUST;
/* rotate_finish - if one is pending; clears away what one has left. */
int rotate_finish(struct agent *a, struct rotated *out, struct err *e) MUST;
#endif
