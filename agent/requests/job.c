/*
 * see job.h.  The driver: the only code that moves a job, stores it, retries it or ends it.
 *
 * A job goes round: run() takes a step's verdict and enters the next step; enter() stages the row in
 * the open transaction; jobs_turn() commits for all staged jobs at once and then begins their network
 * steps or forgets the ones that wait.
 */
#include <stdio.h>
#include <stdlib.h>
#include "agent/agent.h"
#include "agent/base/clock.h"
#include "agent/base/crash.h"
#include "agent/base/log.h"
#include "agent/base/metrics.h"
#include "agent/requests/job_ca.h"
#include "agent/requests/job_inner.h"
#include "agent/requests/sched.h"
#include "certs/mem.h"

enum {
    GATHER_MS = 8,    /* how long a commit waits for others to join */
    GATHER_MOST = 64, /* ... unless so many have joined */
    RETRY_BASE_S = 2,
    RETRY_CAP_S = 900,
    RECONCILE_S = 5,
    HOLD_S = 900, /* a held request is tried again so often by itself */
};

/* ---- storing ------------------------------------------------------------------------------------------ */

/* The transaction is gone as a whole: whoever had staged something is loaded again later. */
static void abort_staged(struct jobs *js, const struct err *why)
{
    (void)store_lost(js->a->store);
    log_err(EV_STORE_FAILED, NULL, NULL, why);
    sched_store_failed(js->a->sched);
    if (store_problem(js->a->store) == STORE_CORRUPT) { /* writing on would make it worse */
        js->a->fatal = true;
        io_stop();
    }
    while (js->staged != NULL)
        jobs_drop(js->staged);
}

/* An end that keeps nothing but the result: one statement for all the rest. */
static bool keeps_result_only(const struct job *j)
{
    for (int b = 0; b < BLOB_COUNT; b++)
        if (b != BLOB_RESULT && j->blob[b].len > 0)
            return false;
    return request_is_final(j->r.state) && (j->stored & ~(1u << BLOB_RESULT)) != 0;
}

static int write_blobs(struct job *j, struct err *e)
{
    struct store *st = j->a->store;

    if (keeps_result_only(j)) {
        if (store_keep_result(st, j->r.id, e) != 0)
            return -1;
        j->stored &= 1u << BLOB_RESULT;
    }
    for (int b = 0; b < BLOB_COUNT; b++) {
        uint32_t bit = 1u << b;

        if ((j->dirty & bit) == 0 || (j->blob[b].len == 0 && (j->stored & bit) == 0))
            continue; /* as it is, or not there and not to be there */
        if (store_put_blob(st, j->r.id, (enum blob)b, buf_view(&j->blob[b]), e) != 0)
            return -1;
        j->stored = j->blob[b].len > 0 ? j->stored | bit : j->stored & ~bit;
    }
    j->dirty = 0;
    return 0;
}

static int write_job(struct job *j, const char *event, struct err *e)
{
    struct store *st = j->a->store;
    int rc;

    (void)snprintf(j->r.step, sizeof j->r.step, "%s", j->kind->steps[j->step].name);
    if (j->unsaved)
        rc = store_insert_as(st, &j->r, event, e);
    else
        rc = store_update(st, &j->r, event, e);
    if (rc < 0 || write_blobs(j, e) != 0)
        return -1;
    j->unsaved = false;
    return 0;
}

/* false: the store failed and j is gone */
static bool stage(struct job *j, enum job_staged then, const char *event)
{
    struct jobs *js = j->a->jobs;
    struct err e;

    if (j->staged == STAGED_NO) {
        j->next_staged = js->staged;
        js->staged = j;
        js->staged_count++;
    }
    j->staged = then;
    if (write_job(j, event, &e) == 0)
        return true;
    abort_staged(js, &e);
    return false;
}

/* What it is now is stored, or need not be. */
static void leave(struct job *j)
{
    if (request_is_final(j->r.state))
        metric_add(METRIC_REQUESTS, j->kind->name, request_state_name(j->r.state));
    if (j->kind->parked != NULL)
        j->kind->parked(j);
    jobs_drop(j);
}

/* ---- moving ------------------------------------------------------------------------------------------- */

/* Steps whose output exists are passed over; that is no progress, so nothing is reset. */
static void skip_done(struct job *j)
{
    while (j->kind->steps[j->step].done != NULL && j->kind->steps[j->step].done(j))
        j->step++;
}

static void park(struct job *j, enum request_state state, int64_t wait_s)
{
    if (!request_is_final(state)) {
        j->step = j->kind->steps[j->step].resume;
        skip_done(j);
    }
    j->r.state = state;
    j->r.next_at = request_is_final(state) ? 0 : clock_now() + wait_s;
    if (request_is_final(state))
        j->r.ended_at = clock_now();
    if (j->unsaved && state == REQUEST_REJECTED) { /* refused at the door: it costs us no write */
        leave(j);
        return;
    }
    (void)stage(j, STAGED_UNLOAD, request_state_name(state));
}

static bool submits(const struct job *j, const struct step *s)
{
    return s->before == job_ca_submit_before
           || (s->before == job_ca_collect_before && j->ca->driver->collect_submits);
}

/* Not now, whoever its CA is: the store may be an old one, or a copy. */
static bool held(const struct job *j)
{
    const struct jobs_rules *rules = j->a->jobs->rules;

    return rules->holds != NULL && rules->holds(j->a, &j->r);
}

/* A network step that cannot begin, through no fault of this request: the peer is known to be away, or
 * we are about to stop.  Decided before the step is recorded as begun. */
static bool must_wait(struct job *j, const struct step *s)
{
    int64_t wait_s;

    if (j->a->draining) {
        park(j, REQUEST_READY, 0);
        return true;
    }
    if (submits(j, s) && held(j)) {
        (void)err_set(&j->r.why, ERR_BUSY,
            "this store may be an old one or a copy: it is compared with the cloud first, see "
            "certferry reconcile");
        park(j, REQUEST_RETRYING, RECONCILE_S + (int64_t)jitter(RECONCILE_S));
        return true;
    }
    if ((wait_s = peer_wait_s(s->peer(j))) == 0)
        return false;
    park(j, REQUEST_RETRYING, wait_s + (int64_t)jitter((uint64_t)wait_s / 4 + 2));
    return true;
}

bool job_expired(struct job *j)
{
    if (j->step >= j->kind->report || j->r.expires_at == 0 || clock_now() <= j->r.expires_at)
        return false;
    (void)err_set(&j->why, ERR_EXPIRED, "the request expired before it was finished");
    return true;
}

enum verdict job_enter(struct job *j)
{
    const struct step *s;

    skip_done(j);
    s = &j->kind->steps[j->step];
    if (job_expired(j))
        return V_FAILED;
    if (s->begin == NULL) { /* the end */
        j->kind->ending(j, NULL);
        park(j, j->r.state, 0);
        return V_WAIT;
    }
    j->began_us = metric_now_us();
    if (s->peer == NULL)
        return s->begin(j); /* local work: what it makes is stored with the next step */
    if (must_wait(j, s))
        return V_WAIT;
    if (s->before != NULL)
        s->before(j);
    j->r.state = REQUEST_READY;
    (void)stage(j, STAGED_BEGIN, s->name);
    return V_WAIT;
}

static enum verdict fail_for_good(struct job *j)
{
    if (j->step == j->kind->report) { /* even the report was refused: nothing more can be said */
        j->kind->ending(j, &j->why);
        park(j, j->r.state, 0);
        return V_WAIT;
    }
    j->r.failed = true;
    j->r.tries = 0;
    if (j->kind->failing != NULL)
        j->kind->failing(j);
    j->step = j->kind->report;
    return job_enter(j);
}

static void count_retry(const struct job *j, const char *peer)
{
    metric_add(METRIC_RETRIES, peer != NULL ? peer : "here", err_name(j->why.cls));
    if (j->why.cls == ERR_INTERCEPTED)
        metric_add(METRIC_INTERCEPTED, NULL, NULL);
}

static enum verdict failed(struct job *j)
{
    const struct step *s = &j->kind->steps[j->step];
    const char *peer = s->peer != NULL ? peer_name(s->peer(j)) : NULL;

    if (!j->r.failed) /* a failed request keeps the reason it failed for, whatever hinders the report */
        j->r.why = j->why;
    switch (err_action(j->why.cls)) {
    case ERR_DO_FAIL:
    case ERR_DO_NOTHING:
        return fail_for_good(j);
    case ERR_DO_HOLD:
        log_err(j->kind->says.held, j->r.id, peer, &j->why);
        count_retry(j, peer);
        park(j, REQUEST_HELD, HOLD_S + (int64_t)jitter(HOLD_S));
        return V_WAIT;
    case ERR_DO_AGAIN:
        break;
    }
    log_err(j->kind->says.attempt_failed, j->r.id, peer, &j->why);
    count_retry(j, peer);
    if (j->why.cls != ERR_INTERCEPTED) /* that says nothing about this request */
        j->r.tries++;
    park(j, REQUEST_RETRYING, back_off_s(j->r.tries, RETRY_BASE_S, RETRY_CAP_S));
    return V_WAIT;
}

void job_run(struct job *j, enum verdict v)
{
    for (;;) {
        switch (v) {
        case V_WAIT:
            return; /* j may be gone: do not touch it */
        case V_NEXT:
            j->r.tries = 0;
            if (!j->r.failed)
                j->r.why.cls = ERR_NONE;
            j->step++;
            v = job_enter(j);
            break;
        case V_LATER:
            park(j, REQUEST_PENDING, j->wait_s);
            return;
        case V_FAILED:
            v = failed(j);
            break;
        }
    }
}

void job_wake(void *arg, const struct result *r)
{
    struct job *j = arg;

    j->op = NULL; /* first line of every callback */
    metric_time(METRIC_STAGE, metric_now_us() - j->began_us, j->kind->steps[j->step].name, NULL);
    job_run(j, j->kind->steps[j->step].end(j, r));
}

/* ---- the turn ------------------------------------------------------------------------------------------ */

static void begin(struct job *j)
{
    const struct step *s = &j->kind->steps[j->step];

    log_event(j->kind->says.step, j->r.id, j->r.ca, "%s", s->name);
    j->began_us = metric_now_us(); /* without the commit */
    job_run(j, s->begin(j));
}

static void commit(struct jobs *js)
{
    struct job *j = js->staged, *next;
    struct err e;

    io_cancel(js->gather);
    js->gather = NULL;
    if (store_lost(js->a->store))
        (void)err_set(&e, ERR_STORE, "a write of this turn failed; %zu requests go back a step",
            js->staged_count);
    else if (store_commit(js->a->store, &e) == 0)
        e.cls = ERR_NONE;
    if (e.cls != ERR_NONE) {
        abort_staged(js, &e);
        return;
    }
    js->a->count.commits++;
    crash_point(2);
    js->staged = NULL;
    js->staged_count = 0;
    for (struct job *i = j; i != NULL; i = i->next_staged)
        if (i->staged == STAGED_BEGIN)
            i->staged = STAGED_NO;
    for (; j != NULL; j = next) {
        next = j->next_staged;
        if (j->staged == STAGED_UNLOAD) {
            j->staged = STAGED_NO;
            leave(j);
        } else {
            begin(j);
        }
    }
}

static void on_gathered(void *arg, const struct result *r)
{
    struct jobs *js = arg;

    (void)r;
    js->gather = NULL;
    commit(js);
}

void jobs_turn(struct jobs *js)
{
    /* Nobody else can join, or enough have: now.  Else a little later, together. */
    while (store_dirty(js->a->store) || js->staged != NULL) {
        if (js->active > js->staged_count && js->staged_count < GATHER_MOST) {
            if (js->gather == NULL)
                js->gather = io_timer(GATHER_MS, on_gathered, js);
            return;
        }
        commit(js);
    }
}
