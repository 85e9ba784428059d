#ifndef AGENT_CLOCK_H
#define AGENT_CLOCK_H
#include <stdint.h>

/*
 * clock.h - the service's own wall clock.
 *
 * It starts at the system's time and advances with the monotonic clock, so that a step of the
 * system's clock neither ends nor delays anything by itself.  clock_check() notices a step and says
 * by how much; the caller moves its schedule along, then both agree again.
 */
int64_t clock_now(void); /* UTC seconds */
void clock_start(void);
int64_t clock_check(void); /* 0, or by how many seconds the system's clock was stepped (over 5) */
#endif
