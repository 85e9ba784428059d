#ifndef AGENT_WATCHDOG_H
#define AGENT_WATCHDOG_H
#include <stdbool.h>
#include <stdint.h>

/*
 * watchdog.h - the service manager hears WATCHDOG=1 only while every part gets on.
 *
 * Four times in the manager's period all parts are looked at: the loop came round, the store has committed or had
 * nothing to commit, the poller and the scheduler are not late for what they said they would do next, and no worker
 * has been at one thing for longer than that.  Then it is fed.  If not, the log says which part is stuck; if it does
 * not get on before the period is over, the manager kills and restarts us, and a restart is a retry.
 *
 * A loop that stands still cannot say so: a thread that does nothing else does, with what the loop was doing.
 * What fails is not stuck: a full disk or a cloud that is away is no reason to be killed.
 */
struct agent;
struct watchdog;

struct watchdog *watchdog_start(struct agent *a); /* NULL: the manager does not ask for it */
void watchdog_stop(struct watchdog *w);           /* NULL is fine */
void watchdog_turn(struct watchdog *w);           /* at the end of a turn; NULL is fine */

/* watchdog_in - what the loop does from now on; a text that lives for ever */
void watchdog_in(const char *what);

/* --- the judgement, for tests --- */
struct
    watchdog_look { /* for how many ms each has been late or dirty; 0: it gets on or has nothing to do */
    uint64_t store, poller, scheduler, worker;
    bool turned;
};
/* watchdog_stuck - what does not get on, as words for the log; NULL: all is well */
const char *watchdog_stuck(const struct watchdog_look *l, uint64_t patience_ms);
#endif
