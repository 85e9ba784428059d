/* see lease.h */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "agent/agent.h"
#include "agent/base/clock.h"
#include "agent/base/log.h"
#include "agent/base/metrics.h"
#include "agent/requests/job.h"
#include "agent/requests/lease.h"
#include "agent/requests/orphan.h"
#include "agent/requests/sched.h"
#include "certs/mem.h"

enum {
    BATCH = 100,
    TIMEOUT_MS = 30000,
    LOOK_MIN_S = 2,
    LOOK_MAX_S = 300,
    LENGTH_S = 600,
    SHORT_S =
        60, /* what is extended by less has its own end in sight, and says nothing of the others */
    AGAIN_S = 1
};

struct lease {
    struct agent *a;
    int64_t length_s; /* shortest seen */
    struct op *op;    /* the timer or the message under way */
    bool asking;      /* it is the message */
    struct request batch[BATCH];
    size_t count;
};

static void look(void *arg, const struct result *r);

static void look_in(struct lease *l, int64_t s)
{
    l->op = io_timer((uint64_t)s * 1000 + 1, look, l);
}

static void look_later(struct lease *l)
{
    int64_t s = l->length_s / 6;

    look_in(l, s < LOOK_MIN_S ? LOOK_MIN_S : s > LOOK_MAX_S ? LOOK_MAX_S : s);
}

struct lease *lease_open(struct agent *a)
{
    struct lease *l = xcalloc(1, sizeof *l);

    l->a = a;
    l->length_s = LENGTH_S;
    return l;
}

void lease_close(struct lease *l)
{
    if (l == NULL)
        return;
    io_cancel(l->op);
    free(l);
}

static void doubt(void *arg, struct job *j)
{
    const int64_t *now = arg;

    if (j->r.lease_expires_at > *now)
        j->r.lease_expires_at = *now;
}

void lease_doubt(struct lease *l)
{
    int64_t now = clock_now();
    struct err e;

    jobs_each(l->a->jobs, doubt, &now);
    if (store_end_leases(l->a->store, now, &e) != 0)
        log_err(EV_STORE_FAILED, NULL, NULL, &e);
    if (l->asking) /* it looks again when that is answered */
        return;
    io_cancel(l->op);
    look_in(l, LOOK_MIN_S);
}

void lease_seen(struct lease *l, int64_t length_s)
{
    if (length_s > 0 && length_s < l->length_s) {
        l->length_s = length_s;
        if (!l->asking) { /* the timer was set for longer ones */
            io_cancel(l->op);
            l->op = NULL;
        }
    }
    if (l->op == NULL)
        look_later(l);
}

/* ---- the answer ------------------------------------------------------------------------------------------ */

/* How it ends stands in a result, which may be with the cloud already: then its lease is over for that reason.  Only
 * the answer to the result tells; it is posted now, and nobody asks for its lease any more. */
static void post(struct lease *l, struct request *r)
{
    struct err e;

    r->lease_expires_at = 0;
    if (r->state != REQUEST_HELD) {
        r->state = REQUEST_READY;
        r->next_at = clock_now();
    }
    if (store_update(l->a->store, r, "lease lost: what becomes of the result tells", &e) != 0)
        log_err(EV_STORE_FAILED, r->id, NULL, &e);
    sched_kick(l->a->sched);
}

static void lost(struct lease *l, struct request *r, const char *code)
{
    struct err e;

    (void)err_set(
        &r->why, ERR_CONFLICT, "the lease is lost: %s; another connector has the request", code);
    log_err(EV_LEASE_LOST, r->id, "cloud", &r->why);
    log_err(EV_REQUEST_FAILED, r->id, r->ca, &r->why);
    metric_add(METRIC_REQUESTS, r->kind, request_state_name(REQUEST_SUPERSEDED));
    r->state = REQUEST_SUPERSEDED;
    r->ended_at = clock_now();
    r->next_at = 0;
    if (orphan_possible(r) && orphan_record(l->a, r, (struct view){ 0 }, r->why.msg, &e) != 0)
        log_err(EV_STORE_FAILED, r->id, NULL, &e);
    if (store_update(l->a->store, r, "lease lost", &e) != 0
        || store_put_blob(l->a->store, r->id, BLOB_KEY, (struct view){ 0 }, &e) != 0
        || store_put_blob(l->a->store, r->id, BLOB_DATA_KEY, (struct view){ 0 }, &e) != 0)
        log_err(EV_STORE_FAILED, r->id, NULL, &e);
}

static void learn(struct lease *l, int64_t length_s)
{
    length_s = length_s < SHORT_S ? SHORT_S : length_s;
    if (length_s < l->length_s)
        l->length_s = length_s;
}

/* What was asked for may have moved on, or ended, since it was asked: only what it is now counts. */
bool lease_told(
    struct lease *l, const char *id, const char *lease, int64_t expires_at, const char *code)
{
    struct job *j = jobs_find(l->a->jobs, id);
    struct request r;
    struct err e;
    int got = 1;

    if (j != NULL)
        r = j->r;
    else if ((got = store_get(l->a->store, id, &r, &e)) < 0)
        log_err(EV_STORE_FAILED, id, NULL, &e);
    if (got != 1 || request_is_final(r.state) || strcmp(r.lease, lease) != 0)
        return false;
    if (expires_at == 0 && (r.failed || r.digest[0] != '\0')) {
        if (j == NULL)
            post(l, &r);
        else
            j->r.lease_expires_at = 0; /* it is being posted */
        return false;
    }
    if (expires_at > clock_now())
        learn(l, expires_at - clock_now());
    if (expires_at == 0) {
        if (j != NULL)
            jobs_drop(j);
        lost(l, &r, code != NULL ? code : "refused");
    } else if (j != NULL) {
        j->r.lease_expires_at = expires_at; /* stored with the job's next step */
    } else {
        r.lease_expires_at = expires_at;
        if (store_update(l->a->store, &r, NULL, &e) != 0)
            log_err(EV_STORE_FAILED, id, NULL, &e);
    }
    return true;
}

struct answer {
    struct lease *l;
    const struct result *r;
    size_t told;
};

static void on_lease(void *arg, const char *id, int64_t expires_at, const char *code)
{
    struct answer *a = arg;
    struct lease *l = a->l;

    a->told++;
    for (size_t i = 0; i < l->count; i++)
        if (strcmp(l->batch[i].id, id) == 0)
            (void)lease_told(l, id, l->batch[i].lease, cloud_time(a->r, expires_at), code);
}

int lease_judge(struct agent *a, const struct result *r, ccp_lease_fn *each, void *arg, bool *all,
    struct err *e)
{
    *all = false;
    if (cloud_judge(&a->cloud, r, e) == 0)
        return ccp_leases_parse(r->http->body, each, arg, e);
    *all = e->cls == ERR_CONFLICT;
    return *all ? 0 : -1;
}

static void on_answer(void *arg, const struct result *r)
{
    struct lease *l = arg;
    struct answer a = { .l = l, .r = r };
    bool all;
    struct err e;

    l->op = NULL;
    l->asking = false;
    if (lease_judge(l->a, r, on_lease, &a, &all, &e) != 0)
        log_err(EV_ATTEMPT_FAILED, NULL, "cloud", &e);
    else if (!all)
        log_event(EV_LEASES_EXTENDED, NULL, "cloud", "%zu", l->count);
    for (size_t i = 0; all && i < l->count; i++)
        on_lease(&a, l->batch[i].id, 0, "ConflictError");
    if (l->count == BATCH && a.told >= BATCH) /* more may be behind them, and cannot wait so long */
        look_in(l, AGAIN_S);
    else
        look_later(l);
}

/* ---- the question ------------------------------------------------------------------------------------------ */

static void on_row(void *arg, const struct request *r)
{
    struct lease *l = arg;
    const struct job *j = jobs_find(l->a->jobs, r->id);

    /* A job in memory may know a later end than its row. */
    if (l->count < BATCH && (j == NULL || j->r.lease_expires_at <= r->lease_expires_at))
        l->batch[l->count++] = *r;
}

static bool send(struct lease *l)
{
    struct ccp_lease list[BATCH];
    struct buf body = BUF_INIT(64 << 10);
    char activity[40];
    struct err e;

    for (size_t i = 0; i < l->count; i++)
        list[i] = (struct ccp_lease){ l->batch[i].id, l->batch[i].lease };
    ccp_leases_write(&body, list, l->count);
    if (buf_check(&body, &e) == 0 && guid_new(l->a->lib, activity, &e) == 0)
        l->op = cloud_post(&l->a->cloud, "requests/extend", activity, buf_view(&body), TIMEOUT_MS,
            on_answer, l, &e);
    buf_free(&body);
    if (l->op == NULL)
        log_err(EV_ATTEMPT_FAILED, NULL, "cloud", &e);
    l->asking = l->op != NULL;
    return l->asking;
}

static void look(void *arg, const struct result *r)
{
    struct lease *l = arg;
    struct store_counts c;
    int64_t open = 0;
    struct err e;

    (void)r;
    l->op = NULL;
    l->count = 0;
    if (store_counts(l->a->store, &c, &e) != 0
        || store_leases(l->a->store, clock_now() + l->length_s * 2 / 3, BATCH, on_row, l, &e)
               != 0) {
        log_err(EV_STORE_FAILED, NULL, NULL, &e);
        look_later(l);
        return;
    }
    for (int s = REQUEST_READY; s < REQUEST_DELIVERED; s++)
        open += c.by_state[s];
    if (open == 0)
        return;
    if (l->count == 0 || l->a->draining || peer_wait_s(l->a->cloud.peer) > 0 || !send(l))
        look_later(l);
}
