#ifndef AGENT_POLL_H
#define AGENT_POLL_H
#include <stdbool.h>
#include <stdint.h>
#include "certs/err.h"

/*
 * poll.h - taking requests from the cloud.
 *
 * One poll at a time, and only while there are free places: what is not taken stays in the cloud, for
 * this connector later or for another one now.  An idle poll is long: the cloud holds it until there
 * is work.  The cloud's pollAfterSeconds sets the pause after an empty answer, with jitter.
 */
struct agent;
struct poll;

struct poll *poll_open(struct agent *a);
void poll_close(struct poll *p);
void poll_turn(struct poll *p); /* poll if it is time and there is room; end of each turn */
/* poll_drained - once: the last answer was empty; or there was none for as long as is waited, and *why says why (its class
 * is ERR_NONE otherwise).  why may be NULL */
bool poll_drained(const struct poll *p, struct err *why);
int64_t poll_last_at(const struct poll *p);
uint64_t poll_late_ms(const struct poll *p); /* what it waits for is over since; 0: it is not */
#endif
