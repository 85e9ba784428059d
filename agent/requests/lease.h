#ifndef AGENT_LEASE_H
#define AGENT_LEASE_H
#include <stdbool.h>
#include <stdint.h>

/*
 * lease.h - keeping what the cloud has lent us.
 *
 * Leases are extended, up to a hundred in one message, once a third of their time is over.  A lease that
 * is lost ends the request here: another connector has it.  What it had been issued becomes an orphan.
 * With no open request there is no timer.
 */
struct agent;
struct lease;

struct lease *lease_open(struct agent *a);
void lease_close(struct lease *l);
/* lease_told - what the cloud says of one lease, by which it was asked; expires_at 0: it is lost, and code says why.
 * returns false if nothing was done: it has ended, or was lent anew since */
bool lease_told(
    struct lease *l, const char *id, const char *lease, int64_t expires_at, const char *code);
void lease_seen(struct lease *l, int64_t length_s); /* a lease of this length has begun */
#endif
