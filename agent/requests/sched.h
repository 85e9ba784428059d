#ifndef AGENT_SCHED_H
#define AGENT_SCHED_H
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * sched.h - which requests are worked on.
 *
 * The store is the queue: a request is loaded when its next_at has come and its CA has a free place
 * (max_in_flight), soonest first, each CA apart, so that a slow CA holds up nobody else's requests.
 * One timer waits for the soonest next_at of those that are not due.
 */
struct agent;
struct sched;

struct sched *sched_open(struct agent *a);
void sched_close(struct sched *s);

void sched_kick(struct sched *s);                   /* something may be due now */
void sched_joined(struct sched *s, const char *ca); /* a job of this CA has begun by itself */
void sched_left(struct sched *s, const char *ca);   /* a job of this CA has left memory */
void sched_store_failed(struct sched *s);           /* pause: the store does not take anything */
/* sched_turn - fill free places; at the end of each turn, and again while sched_wants_turn. */
void sched_turn(struct sched *s);
bool sched_wants_turn(const struct sched *s);  /* a place became free and something may be due */
bool sched_idle(const struct sched *s);        /* nothing in memory, nothing due */
uint64_t sched_late_ms(const struct sched *s); /* its timer should have rung; 0: it should not */
int64_t sched_next_at(const struct sched *s);  /* when the timer fires; 0 = it does not */
#endif
