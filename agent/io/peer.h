#ifndef AGENT_PEER_H
#define AGENT_PEER_H
#include "certs/err.h"

/*
 * peer.h - how a peer (the cloud, a CA) has been answering, and a circuit breaker.
 *
 * After PEER_TRIP failures in a row that say nothing about a single request the breaker opens: nothing
 * is sent until a pause has passed, then one probe; its outcome closes the breaker or opens it for
 * longer (2 s doubling to 15 min, full jitter).  So an outage costs the peer a probe now and then,
 * however many requests wait.
 */
enum { PEER_TRIP = 5 };

struct peer;
struct peer *peer_new(const char *name);
void peer_free(struct peer *p);
const char *peer_name(const struct peer *p);

/* peer_wait_s - 0: go ahead (and if the breaker was open, this is the probe); else seconds to wait. */
int64_t peer_wait_s(struct peer *p);
/* peer_unasked - it said go ahead, and then there was nothing to ask: the next one may be the probe. */
void peer_unasked(struct peer *p);

void peer_ok(struct peer *p);
/* peer_failed - why: the class decides whether it counts; retry_after_s from the answer, -1 = none */
void peer_failed(struct peer *p, const struct err *why, int64_t retry_after_s);

struct peer_state {
    const char *name;
    bool up;               /* false: the breaker is open or nothing has worked yet */
    int64_t last_ok_at;    /* 0 = never */
    int64_t failing_since; /* 0 = not failing */
    int64_t next_try_at;   /* 0 = any time */
    uint64_t ok, failed;
    struct err why; /* the last failure */
};
void peer_state(const struct peer *p, struct peer_state *out);

/* back_off_s - full jitter: a random time in 1..min(cap, base * 2^tries), seconds. */
int64_t back_off_s(int64_t tries, int64_t base_s, int64_t cap_s);
/* jitter - a random number in 0..n-1; a seed can be set by tests */
uint64_t jitter(uint64_t n);
void jitter_seed(uint64_t seed);
#endif
