#ifndef AGENT_LEASE_H
#define AGENT_LEASE_H
#include <stdbool.h>
#include <stdint.h>
#include "proto/ccp.h"

/*
 * lease.h - keeping what the cloud has lent us.
 *
 * Leases are extended, up to a hundred in one message, once a third of their time is over.  A lease that
 * is lost ends the request here: another connector has it.  What it had been issued becomes an orphan.  Unless its
 * result is made: that is posted, and the cloud's answer to it is the end.  With no open request there is no timer.
 */
struct agent;
struct lease;
struct result;

struct lease *lease_open(struct agent *a);
void lease_close(struct lease *l);
/* lease_doubt - the service begins, or our clock was stepped: what is lent is extended soon, however much of it seems
 * to be left. */
void lease_doubt(struct lease *l);
/* lease_judge - the answer to requests/extend: `each` for every lease in it, or *all: all of them are lost. */
int lease_judge(struct agent *a, const struct result *r, ccp_lease_fn *each, void *arg, bool *all,
    struct err *e) MUST;
/* lease_told - what the cloud says of one lease, by which it was asked; expires_at, by our clock; 0: it is lost, and code
 * says why.  returns false if nothing was ended or extended: it has ended, was lent anew since, or its result is posted */
bool lease_told(
    struct lease *l, const char *id, const char *lease, int64_t expires_at, const char *code);
void lease_seen(struct lease *l, int64_t length_s); /* a lease of this length has begun */
#endif
