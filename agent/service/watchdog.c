/* see watchdog.h */
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "agent/agent.h"
#include "agent/base/log.h"
#include "agent/io/io_stall.h"
#include "agent/requests/job.h"
#include "agent/requests/poll.h"
#include "agent/requests/sched.h"
#include "agent/service/notify.h"
#include "agent/service/watchdog.h"
#include "certs/mem.h"

enum { LOOKS_A_PERIOD = 4, TICK_LEAST_MS = 10, TICK_MOST_MS = 15000, STATUS_MAX = 160 };

struct watchdog {
    struct agent *a;
    struct op *tick;
    struct io_stall *stall;
    uint64_t tick_ms, dirty_since_ms; /* dirty_since_ms 0: the store has nothing to commit */
    uint64_t turns, turns_seen;
    const char *said; /* what was stuck when it was last said */
    char status[STATUS_MAX];
};

static _Atomic(const char *) doing = "starting";

void watchdog_in(const char *what)
{
    atomic_store_explicit(&doing, what, memory_order_relaxed);
}

const char *watchdog_stuck(const struct watchdog_look *l, uint64_t patience_ms)
{
    if (!l->turned)
        return "the loop comes round without ending a turn";
    if (l->store > patience_ms)
        return "the store: what was written is not committed";
    if (l->poller > patience_ms)
        return "the poller: what it waits for is long over";
    if (l->scheduler > patience_ms)
        return "the scheduler: requests are due and it does not look";
    if (l->worker > patience_ms)
        return "a worker: it does not come to an end with one thing";
    return NULL;
}

static struct watchdog_look look(const struct watchdog *w)
{
    uint64_t now = io_now_ms();

    return (struct watchdog_look){
        .store = w->dirty_since_ms != 0 ? now - w->dirty_since_ms : 0,
        .poller = poll_late_ms(w->a->poll),
        .scheduler = sched_late_ms(w->a->sched),
        .worker = io_work_longest_ms(),
        .turned = w->turns != w->turns_seen,
    };
}

/* One line for systemctl status, when it has changed. */
static void say_status(struct watchdog *w)
{
    const struct agent *a = w->a;
    char text[STATUS_MAX];

    if (a->ending)
        return;
    (void)snprintf(text, sizeof text,
        "%zu requests worked on; since the start %llu delivered, %llu rejected",
        jobs_active(a->jobs), (unsigned long long)a->count.delivered,
        (unsigned long long)a->count.rejected);
    if (strcmp(text, w->status) == 0)
        return;
    memcpy(w->status, text, sizeof text);
    notify_status("%s", text);
}

static void on_tick(void *arg, const struct result *r)
{
    struct watchdog *w = arg;
    struct watchdog_look l = look(w);
    const char *stuck = watchdog_stuck(&l, w->tick_ms);

    (void)r;
    io_stall_beat(w->stall);
    w->turns_seen = w->turns;
    w->tick = io_timer(w->tick_ms, on_tick, w);
    if (stuck == NULL) {
        notify_alive();
        say_status(w);
    } else if (stuck != w->said) {
        log_event(EV_WATCHDOG, NULL, NULL,
            "%s; unless it gets on, the service manager restarts the service", stuck);
    }
    w->said = stuck;
}

/* On a thread of its own. */
static void on_stall(void *arg, uint64_t silent_ms)
{
    char text[240];

    (void)arg;
    (void)snprintf(text, sizeof text,
        "the loop has stood still for %llu ms, in: %s; unless it gets on, the service manager "
        "restarts the service",
        (unsigned long long)silent_ms, atomic_load_explicit(&doing, memory_order_relaxed));
    log_alarm(EV_WATCHDOG, text);
}

struct watchdog *watchdog_start(struct agent *a)
{
    uint64_t period = notify_watchdog_ms(), tick = period / LOOKS_A_PERIOD;
    struct watchdog *w;

    if (period == 0)
        return NULL;
    w = xcalloc(1, sizeof *w);
    w->a = a;
    w->tick_ms = tick < TICK_LEAST_MS ? TICK_LEAST_MS : tick > TICK_MOST_MS ? TICK_MOST_MS : tick;
    w->turns = 1; /* the first look may come before the first turn ends */
    w->tick = io_timer(0, on_tick, w);
    w->stall = io_stall_start(period / 2, on_stall, w);
    return w;
}

void watchdog_stop(struct watchdog *w)
{
    if (w == NULL)
        return;
    io_stall_stop(w->stall);
    io_cancel(w->tick);
    free(w);
}

void watchdog_turn(struct watchdog *w)
{
    watchdog_in("answers, timers and commands");
    if (w == NULL)
        return;
    w->turns++;
    if (!store_dirty(w->a->store))
        w->dirty_since_ms = 0;
    else if (w->dirty_since_ms == 0)
        w->dirty_since_ms = io_now_ms();
}
