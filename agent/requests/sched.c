/* see sched.h */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "agent/agent.h"
#include "agent/base/clock.h"
#include "agent/base/log.h"
#include "agent/requests/job.h"
#include "agent/requests/sched.h"
#include "certs/mem.h"

enum { STORE_PAUSE_S = 5, STRAY_MAX = 16, NAP_MAX_S = 3600 };

/* A queue: one for each configured CA, and one for what names no CA of ours (it will be refused). */
struct queue {
    const char *ca;
    size_t places, active;
    bool look; /* it may have something due */
};

struct sched {
    struct agent *a;
    struct queue *queues; /* one for each CA, then the strays' */
    size_t count;
    struct op *timer;
    int64_t timer_at;
    uint64_t timer_ms; /* when it must have rung */
    bool settled;      /* the timer is right: nothing was looked for or changed since it was set */
    int64_t paused_until;
};

struct sched *sched_open(struct agent *a)
{
    struct sched *s = xcalloc(1, sizeof *s);

    s->a = a;
    s->count = a->ca_count + 1;
    s->queues = xcalloc(s->count, sizeof *s->queues);
    for (size_t i = 0; i < a->ca_count; i++)
        s->queues[i] = (struct queue){ .ca = a->cas[i]->conf->name,
            .places = (size_t)a->cas[i]->conf->max_in_flight,
            .look = true };
    s->queues[a->ca_count] = (struct queue){ .ca = "", .places = STRAY_MAX, .look = true };
    return s;
}

void sched_close(struct sched *s)
{
    if (s == NULL)
        return;
    io_cancel(s->timer);
    free(s->queues);
    free(s);
}

static struct queue *queue_of(struct sched *s, const char *ca)
{
    for (size_t i = 0; i + 1 < s->count; i++)
        if (strcmp(s->queues[i].ca, ca) == 0)
            return &s->queues[i];
    return &s->queues[s->count - 1];
}

void sched_kick(struct sched *s)
{
    for (size_t i = 0; i < s->count; i++)
        s->queues[i].look = true;
}

void sched_joined(struct sched *s, const char *ca)
{
    queue_of(s, ca)
        ->active++; /* perhaps more than there are places: then nothing is loaded beside it */
}

void sched_left(struct sched *s, const char *ca)
{
    struct queue *q = queue_of(s, ca);

    q->active--;
    q->look = true;
}

void sched_store_failed(struct sched *s)
{
    s->paused_until = clock_now() + STORE_PAUSE_S;
}

bool sched_wants_turn(const struct sched *s)
{
    if (s->a->draining || clock_now() < s->paused_until)
        return false;
    for (size_t i = 0; i < s->count; i++)
        if (s->queues[i].look && s->queues[i].active < s->queues[i].places)
            return true;
    return false;
}

bool sched_idle(const struct sched *s)
{
    return jobs_active(s->a->jobs) == 0 && !sched_wants_turn(s);
}

uint64_t sched_late_ms(const struct sched *s)
{
    uint64_t now = io_now_ms();

    return s->timer != NULL && now > s->timer_ms ? now - s->timer_ms : 0;
}

int64_t sched_next_at(const struct sched *s)
{
    return s->timer != NULL ? s->timer_at : 0;
}

/* ---- filling ------------------------------------------------------------------------------------------ */

struct batch {
    struct jobs *jobs;
    struct request *list;
    size_t count, most;
};

static void on_due(void *arg, const struct request *r)
{
    struct batch *b = arg;

    if (b->count < b->most && jobs_find(b->jobs, r->id) == NULL)
        b->list[b->count++] = *r;
}

static int fill(struct sched *s, struct queue *q, struct err *e)
{
    struct batch b = { .jobs = s->a->jobs, .most = q->places - q->active };
    int rc = -1;

    b.list = xcalloc(b.most, sizeof *b.list);
    /* The query gives those in memory too; so many more rows are enough to see past them. */
    if (store_due(s->a->store, q->ca, clock_now(), b.most + q->active, on_due, &b, e) != 0)
        goto done;
    q->look = b.count == b.most; /* there may be more */
    for (size_t i = 0; i < b.count; i++) {
        q->active++;
        if (jobs_start(s->a->jobs, &b.list[i], e) != 0)
            goto done;
    }
    rc = 0;
done:
    free(b.list);
    return rc;
}

/* Requests whose CA is not configured (any more) are worked on too: to be refused or held. */
struct strays {
    struct sched *s;
    char name[64];
    bool found;
};

static void on_ca(void *arg, const char *name)
{
    struct strays *x = arg;

    if (!x->found && queue_of(x->s, name) == &x->s->queues[x->s->count - 1]) {
        (void)snprintf(x->name, sizeof x->name, "%s", name);
        x->found = true;
    }
}

static int fill_strays(struct sched *s, struct err *e)
{
    struct queue *q = &s->queues[s->count - 1];
    struct strays x = { .s = s };

    q->look = false;
    if (store_cas(s->a->store, on_ca, &x, e) != 0)
        return -1;
    if (!x.found)
        return 0;
    q->ca = x.name;
    if (fill(s, q, e) != 0)
        return -1;
    q->ca = "";
    return 0;
}

static void on_timer(void *arg, const struct result *r)
{
    struct sched *s = arg;

    (void)r;
    s->timer = NULL;
    s->settled = false;
    sched_kick(s);
}

static void set_timer(struct sched *s, int64_t at)
{
    int64_t wait_s = at - clock_now();

    if (s->timer != NULL && s->timer_at == at)
        return;
    io_cancel(s->timer);
    s->timer = NULL;
    s->timer_at = at;
    if (at == 0)
        return;
    wait_s = wait_s < 0 ? 0 : wait_s > NAP_MAX_S ? NAP_MAX_S : wait_s;
    s->timer_ms = io_now_ms() + (uint64_t)wait_s * 1000 + 20;
    s->timer = io_timer((uint64_t)wait_s * 1000 + 20, on_timer, s);
}

void sched_turn(struct sched *s)
{
    struct err e;
    int64_t next;
    bool looked = false;

    if (s->a->draining)
        return;
    if (clock_now() < s->paused_until) {
        set_timer(s, s->paused_until);
        return;
    }
    if (s->timer != NULL && clock_now() >= s->timer_at) /* due, and another's turn came before it */
        sched_kick(s);
    for (size_t i = 0; i < s->count; i++) {
        struct queue *q = &s->queues[i];

        if (!q->look || q->active >= q->places)
            continue;
        looked = true;
        if ((i + 1 < s->count ? fill(s, q, &e) : fill_strays(s, &e)) != 0)
            goto failed;
    }
    if (!looked && s->settled)
        return;
    if (store_next_at(s->a->store, clock_now(), &next, &e) != 0)
        goto failed;
    set_timer(s, next);
    s->settled = true;
    return;
failed:
    log_err(EV_STORE_FAILED, NULL, NULL, &e);
    sched_store_failed(s);
    set_timer(s, s->paused_until);
}
