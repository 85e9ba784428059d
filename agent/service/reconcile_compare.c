/* see reconcile.h.  Every open request from before, against the cloud: is its lease still ours? */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "agent/agent.h"
#include "agent/base/clock.h"
#include "agent/base/log.h"
#include "agent/requests/job.h"
#include "agent/requests/lease.h"
#include "agent/service/reconcile_inner.h"
#include "certs/mem.h"

enum { BATCH = 100, MOST = 20000, TIMEOUT_MS = 30000, PAUSE_CAP_S = 60 };

static void ask(void *arg, const struct result *r);

static void later(struct reconcile *r, int64_t s)
{
    r->op = io_timer((uint64_t)s * 1000 + 1, ask, r);
}

/* ---- what is open --------------------------------------------------------------------------------------------------- */

static void on_row(void *arg, const struct request *q)
{
    struct reconcile *r = arg;

    if (q->received_at <= r->since && r->count < MOST)
        r->list[r->count++] = *q;
}

/* The original may have submitted what this store remembers as not submitted yet: its outcome is unknown, and the CA is
 * asked before it gets the same CSR.  A job that waits for the commit of its waiting would not know. */
static int doubt(struct reconcile *r, struct request *q, struct err *e)
{
    struct job *j = jobs_find(r->a->jobs, q->id);

    if (q->submits > 0 || (strcmp(q->step, "submit") != 0 && strcmp(q->step, "find") != 0))
        return 0;
    if (j != NULL)
        jobs_drop(j);
    q->submits = 1;
    (void)snprintf(q->step, sizeof q->step, "find");
    return store_update(r->a->store, q, "the store is an old one or a copy: submitted or not?", e);
}

static int gather(struct reconcile *r, struct err *e)
{
    int64_t open = 0;
    struct store_counts c;

    if (store_counts(r->a->store, &c, e) != 0)
        return -1;
    for (int s = REQUEST_READY; s < REQUEST_DELIVERED; s++)
        open += c.by_state[s];
    r->list = xcalloc((size_t)(open < MOST ? open : MOST) + 1, sizeof *r->list);
    r->count = r->at = r->compared = r->gone = 0;
    if (store_list(
            r->a->store, REQUEST_NONE, true, (size_t)(open < MOST ? open : MOST), on_row, r, e)
        != 0)
        return -1;
    for (size_t i = 0; i < r->count; i++)
        if (doubt(r, &r->list[i], e) != 0)
            return -1;
    return 0;
}

/* ---- asking the cloud -------------------------------------------------------------------------------------------------- */

static void on_lease(void *arg, const char *id, int64_t expires_at, const char *code)
{
    struct reconcile *r = arg;

    for (size_t i = r->at - r->batch; i < r->at; i++)
        if (strcmp(r->list[i].id, id) == 0) {
            r->compared++;
            expires_at = cloud_time(r->answer, expires_at);
            r->gone +=
                lease_told(r->a->lease, id, r->list[i].lease, expires_at, code) && expires_at == 0;
        }
}

/* When all in a question would be conflicts the cloud may say that with one number (proto/ccp.md 4.2). */
static void all_gone(struct reconcile *r)
{
    for (size_t i = r->at - r->batch; i < r->at; i++)
        if (r->list[i].lease[0] != '\0')
            on_lease(r, r->list[i].id, 0, "ConflictError");
}

static void on_answer(void *arg, const struct result *res)
{
    struct reconcile *r = arg;
    struct err e;
    bool all;

    r->op = NULL;
    r->answer = res;
    if (lease_judge(r->a, res, on_lease, r, &all, &e) != 0) {
        log_err(EV_ATTEMPT_FAILED, NULL, "cloud", &e);
        r->at -= r->batch; /* the same ones again */
        later(r, back_off_s(r->failures++, 2, PAUSE_CAP_S));
        return;
    }
    if (all)
        all_gone(r);
    r->failures = 0;
    later(r, 0);
}

static int send(struct reconcile *r, struct err *e)
{
    struct ccp_lease leases[BATCH];
    struct buf body = BUF_INIT(64 << 10);
    char activity[40];
    size_t n = 0;

    r->batch = 0;
    while (r->at < r->count && n < BATCH) {
        const struct request *q = &r->list[r->at++];

        r->batch++;
        if (q->lease[0] != '\0')
            leases[n++] = (struct ccp_lease){ q->id, q->lease };
    }
    if (n == 0)
        return 0;
    ccp_leases_write(&body, leases, n);
    if (buf_check(&body, e) == 0 && guid_new(r->a->lib, activity, e) == 0)
        r->op = cloud_post(&r->a->cloud, "requests/extend", activity, buf_view(&body), TIMEOUT_MS,
            on_answer, r, e);
    buf_free(&body);
    if (r->op != NULL)
        return 1;
    r->at -= r->batch;
    return -1;
}

static void ask(void *arg, const struct result *res)
{
    struct reconcile *r = arg;
    struct err e;
    int sent;

    (void)res;
    r->op = NULL;
    if (r->list == NULL && gather(r, &e) != 0) {
        log_err(EV_STORE_FAILED, NULL, NULL, &e);
        reconcile_compare_stop(r);
        later(r, PAUSE_CAP_S);
        return;
    }
    if ((sent = send(r, &e)) < 0) {
        log_err(EV_ATTEMPT_FAILED, NULL, "cloud", &e);
        later(r, back_off_s(r->failures++, 2, PAUSE_CAP_S));
    } else if (sent == 0 && r->at < r->count) {
        later(r, 0);
    } else if (sent == 0) {
        free(r->list);
        r->list = NULL;
        reconcile_compared(r);
    }
}

void reconcile_compare(struct reconcile *r)
{
    reconcile_compare_stop(r);
    later(r, 0);
}

void reconcile_compare_stop(struct reconcile *r)
{
    io_cancel(r->op);
    r->op = NULL;
    free(r->list);
    r->list = NULL;
}
