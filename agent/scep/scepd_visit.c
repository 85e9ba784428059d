/*
 * see scepd_inner.h.  One PKIOperation: opened by a worker, judged, answered.
 *
 * A visit is owned by what it waits for: the operation under way, or the list of those that wait for a job.  When
 * the client goes away the visit goes, too; a job it has begun does not.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "agent/base/clock.h"
#include "agent/base/crash.h"
#include "agent/base/metrics.h"
#include "agent/scep/scepd_inner.h"
#include "certs/chain.h"
#include "certs/mem.h"
#include "certs/text.h"

enum { CERTS_MAX = 1 << 20, REFUSAL_MOST_MS = 5000, SPREAD_MS = 16 };
#define E_INVALIDARG_NUMBER 0x80070057u

static struct visit **list_of(struct scepd *s, const char *job)
{
    return &s->waiting[text_hash(TEXT_HASH, job) % SCEPD_BUCKETS];
}

static void leave_list(struct visit *v)
{
    struct visit **p = list_of(v->s, v->job);

    while (*p != v)
        p = &(*p)->next;
    *p = v->next;
    v->job[0] = '\0';
}

void visit_free(struct visit *v)
{
    io_cancel(v->op);
    io_cancel(v->patience);
    if (v->job[0] != '\0')
        leave_list(v);
    if (v->x != NULL)
        io_on_gone(v->x, NULL, NULL);
    v->s->visits--;
    buf_free(&v->der);
    buf_free(&v->csr);
    buf_free(&v->answer);
    free(v);
}

/* Who does not wait for the answer is not counted when it is given, so now; else the limit would be for others. */
static void on_gone(void *arg)
{
    struct visit *v = arg;

    if (!v->judged)
        limit_count(v->s->limit, v->remote, clock_now());
    v->x = NULL;
    visit_free(v);
}

/* ---- the answer ------------------------------------------------------------------------------------------- */

static void send(struct visit *v)
{
    const struct http1_answer a = {
        .status = 200, .type = "application/x-pki-message", .body = buf_view(&v->answer)
    };
    struct io_exchange *x = v->x;

    v->x = NULL;
    io_answer(x, &a);
    visit_free(v);
}

static void on_floor(void *arg, const struct result *r)
{
    struct visit *v = arg;

    (void)r;
    v->op = NULL;
    send(v);
}

static void fail(struct visit *v, int status)
{
    struct io_exchange *x = v->x;

    metric_add(METRIC_SCEP, "PKIOperation", "not_now");
    v->x = NULL;
    page_status(x, status);
    visit_free(v);
}

/*
 * What a refusal takes must not say what it is for (SR-07).  All take the floor at least, and a few milliseconds by lot
 * in which a difference of microseconds is lost.  Where the plugin asks somebody, which takes longer, those before it take
 * as long as one of its last refusals, by lot.
 */
static uint64_t least_ms(struct visit *v, uint64_t took)
{
    struct endpoint *p = v->p;
    uint64_t floor = (uint64_t)p->conf->failure_floor_ms + jitter(SPREAD_MS), like;

    if (!v->floor)
        return 0;
    if (v->asked) {
        p->refusal_ms[p->refusals++ % SCEP_TIMES] =
            (uint16_t)(took < REFUSAL_MOST_MS ? took : REFUSAL_MOST_MS);
        return floor;
    }
    if (p->refusals == 0)
        return floor;
    like = p->refusal_ms[jitter(p->refusals < SCEP_TIMES ? p->refusals : SCEP_TIMES)];
    return like > floor ? like : floor;
}

static void on_reply(void *arg, const struct result *r)
{
    struct visit *v = arg;
    struct work_scep_reply *w = (struct work_scep_reply *)r->work;
    uint64_t took = io_now_ms() - v->began_ms, least;

    v->op = NULL;
    if (r->err != NULL) {
        log_err(EV_SCEP_REFUSED, NULL, v->p->conf->name, r->err);
        fail(v, 500);
        return;
    }
    buf_take(&v->answer, &w->message);
    least = least_ms(v, took);
    if (took < least)
        v->op = io_timer(least - took, on_floor, v);
    else
        send(v);
}

/* The certificates of an answer, in the order devices want: the issued one first. */
static void fill_certificates(struct visit *v, struct view chain, struct buf *out)
{
    struct view rest = chain, der, cas = buf_view(&v->p->ra->ca_certs);
    const char *how = v->p->conf->reply_chain;
    struct cert c;
    struct err e;

    if (strcmp(how, "none") == 0) {
        if (chain_next(&rest, &der, &e) == 1)
            buf_add_view(out, der);
        return;
    }
    buf_add_view(out, chain);
    while (strcmp(how, "root") == 0 && chain_next(&cas, &der, &e) == 1)
        if (cert_parse(der, &c, &e) == 0 && cert_self_issued(&c))
            buf_add_view(out, der);
}

void visit_say(struct visit *v, enum scep_status status, enum scep_fail fail, uint32_t hresult,
    struct view certificates)
{
    struct work_scep_reply *w = work_scep_reply_new();

    metric_add(METRIC_SCEP, v->q.type == SCEP_CERT_POLL ? "CertPoll" : "PKIOperation",
        status == SCEP_SUCCESS   ? "success"
        : status == SCEP_PENDING ? "pending"
                                 : "failure");
    if (v->job[0] != '\0')
        leave_list(v);
    io_cancel(v->patience);
    v->patience = NULL;
    w->ra = v->p->ra;
    w->sha1 = v->p->rules.sha1;
    w->ndes = v->p->rules.ndes;
    w->status = status;
    w->fail = fail;
    w->hresult = hresult != 0 ? hresult : E_INVALIDARG_NUMBER; /* what NDES says of most things */
    w->digest = scep_hash(&v->q, v->p->rules.sha1);
    w->cipher = v->cipher;
    (void)snprintf(w->transaction, sizeof w->transaction, "%s", v->q.transaction);
    memcpy(w->nonce, v->q.nonce, sizeof w->nonce);
    w->nonce_len = v->q.nonce_len;
    if (status == SCEP_SUCCESS) {
        buf_add_view(&w->recipient, v->q.signer);
        fill_certificates(v, certificates, &w->certificates);
    }
    v->op = io_work(&w->work, false, on_reply, v);
}

void visit_refuse(struct visit *v, enum scep_fail fail, const struct err *why)
{
    log_err(EV_SCEP_REFUSED, NULL, v->p->conf->name, why);
    limit_count(v->s->limit, v->remote, clock_now());
    v->p->refused++;
    v->floor = true;
    visit_say(v, SCEP_FAILURE, fail, 0, view_of(NULL, 0));
}

/* ---- waiting for a job ----------------------------------------------------------------------------------------- */

/* A job that the store did not take before it was dropped: a poll for it would find nothing. */
static bool is_lost(struct visit *v)
{
    struct request r;
    struct err e;

    return jobs_find(v->s->a->jobs, v->job) == NULL
           && store_get(v->s->a->store, v->job, &r, &e) == 0;
}

static void on_impatient(void *arg, const struct result *r)
{
    struct visit *v = arg;

    (void)r;
    v->patience = NULL;
    if (is_lost(v)) {
        fail(v, 503);
        return;
    }
    v->p->pending++;
    visit_say(v, SCEP_PENDING, SCEP_NO_FAIL, 0, view_of(NULL, 0));
}

void visit_wait(struct visit *v, const char *job)
{
    struct visit **list = list_of(v->s, job);

    (void)snprintf(v->job, sizeof v->job, "%s", job);
    v->next = *list;
    *list = v;
    v->patience = io_timer((uint64_t)v->p->conf->wait * 1000 + 1, on_impatient, v);
}

static void say_refused(struct visit *v, const struct job *j)
{
    enum scep_fail fail;
    uint32_t hresult;

    job_scep_said(j, &fail, &hresult);
    limit_count(v->s->limit, v->remote, clock_now());
    v->p->refused++;
    v->floor = v->asked = true;
    visit_say(v, SCEP_FAILURE, fail, hresult, view_of(NULL, 0));
}

/* true: v has its answer */
static bool say_parked(struct visit *v, const struct job *j)
{
    switch (j->r.state) {
    case REQUEST_DELIVERED:
        crash_point(21);
        v->p->issued++;
        visit_say(v, SCEP_SUCCESS, SCEP_NO_FAIL, 0, buf_view(&j->blob[BLOB_RESULT]));
        return true;
    case REQUEST_REJECTED:
    case REQUEST_CANCELLED:
    case REQUEST_SUPERSEDED:
        say_refused(v, j);
        return true;
    case REQUEST_PENDING: /* somebody has to decide: no use in waiting */
    case REQUEST_HELD:
        v->p->pending++;
        visit_say(v, SCEP_PENDING, SCEP_NO_FAIL, 0, view_of(NULL, 0));
        return true;
    default:
        if (v->s->stopping) {
            visit_say(v, SCEP_PENDING, SCEP_NO_FAIL, 0, view_of(NULL, 0));
            return true;
        }
        return false; /* it may go well before the visitor's patience ends */
    }
}

void scepd_parked(struct scepd *s, const struct job *j)
{
    struct visit *next;
    bool told = false;

    for (struct visit *v = *list_of(s, j->r.id); v != NULL; v = next) {
        next = v->next;
        if (strcmp(v->job, j->r.id) == 0 && say_parked(v, j))
            told = true;
    }
    if (!told && j->r.state == REQUEST_REJECTED) /* nor does who asks and leaves go uncounted */
        limit_count(s->limit, job_scep_remote(j), clock_now());
}

void scepd_lost(struct scepd *s, const char *job)
{
    struct visit *next;

    for (struct visit *v = *list_of(s, job); v != NULL; v = next) {
        next = v->next;
        if (strcmp(v->job, job) == 0)
            fail(v, 503);
    }
}

bool judge_row(struct visit *v, const struct request *r)
{
    struct buf blobs[BLOB_COUNT];
    struct err e;
    bool said = false;

    for (size_t b = 0; b < BLOB_COUNT; b++)
        blobs[b] = (struct buf)BUF_INIT(CERTS_MAX);
    if (r->state != REQUEST_DELIVERED) {
        v->p->pending++;
        visit_say(v, SCEP_PENDING, SCEP_NO_FAIL, 0, view_of(NULL, 0));
        said = true;
    } else if (store_get_blobs(v->s->a->store, r->id, blobs, &e) == 0
               && blobs[BLOB_RESULT].len > 0) {
        v->p->replayed++;
        visit_say(v, SCEP_SUCCESS, SCEP_NO_FAIL, 0, buf_view(&blobs[BLOB_RESULT]));
        said = true;
    }
    for (size_t b = 0; b < BLOB_COUNT; b++)
        buf_free(&blobs[b]);
    return said;
}

/* ---- the beginning --------------------------------------------------------------------------------------------- */

static void on_opened(void *arg, const struct result *r)
{
    struct visit *v = arg;
    struct work_scep_open *w = (struct work_scep_open *)r->work;

    v->op = NULL;
    v->judged = true;
    if (r->err != NULL) {
        log_err(EV_SCEP_REFUSED, NULL, v->p->conf->name, r->err);
        fail(v, 500);
        return;
    }
    buf_take(&v->der, &w->der); /* what v->q points into moves along */
    buf_take(&v->csr, &w->csr);
    v->q = w->q;
    v->cipher = w->cipher;
    (void)snprintf(v->alias, sizeof v->alias, "%s", w->alias);
    switch (w->opened) {
    case SCEP_UNREADABLE:
        log_err(EV_SCEP_REFUSED, NULL, v->p->conf->name, &w->why);
        limit_count(v->s->limit, v->remote, clock_now());
        v->p->refused++;
        fail(v, 400);
        break;
    case SCEP_REFUSED:
        visit_refuse(v, w->fail, &w->why);
        break;
    case SCEP_OPENED:
        judge(v, w);
        break;
    }
}

void visit_begin(struct scepd *s, struct endpoint *p, struct io_exchange *x, struct view message,
    const char *remote)
{
    struct visit *v = xcalloc(1, sizeof *v);
    struct work_scep_open *w = work_scep_open_new(p->ra, &p->rules, message, clock_now());

    v->s = s;
    v->p = p;
    v->x = x;
    v->began_ms = io_now_ms();
    v->der = (struct buf)BUF_INIT(CERTS_MAX);
    v->csr = (struct buf)BUF_SECRET(CERTS_MAX);
    v->answer = (struct buf)BUF_INIT(CERTS_MAX);
    (void)snprintf(v->remote, sizeof v->remote, "%s", remote);
    s->visits++;
    io_on_gone(x, on_gone, v);
    v->op = io_work(&w->work, false, on_opened, v);
}
