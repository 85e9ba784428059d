/* see poll.h */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "agent/agent.h"
#include "agent/base/clock.h"
#include "agent/base/crash.h"
#include "agent/base/fs.h"
#include "agent/base/log.h"
#include "agent/requests/job.h"
#include "agent/requests/job_pkcs.h"
#include "agent/requests/lease.h"
#include "agent/requests/poll.h"
#include "agent/requests/sched.h"
#include "certs/mem.h"

enum {
    ANSWER_MS = 30000,
    TOKEN_MS = 60000, /* a new token may come first */
    SPACE_S = 30,
    BLOB_MAX = 1 << 20
};

struct poll {
    struct agent *a;
    struct op *op;               /* the poll under way, or the timer until the next */
    const struct result *answer; /* while it is read */
    bool waiting;                /* op is the timer */
    bool drained;
    unsigned asked; /* how many requests this poll may bring */
    unsigned got, inserted;
    int64_t last_at;
    int64_t failing_since; /* 0: the last poll was answered */
    struct err gave_up;    /* once: why no answer is waited for any more */
    uint64_t due_ms;       /* when op must have come back: its own deadline */
};

struct poll *poll_open(struct agent *a)
{
    struct poll *p = xcalloc(1, sizeof *p);

    p->a = a;
    return p;
}

void poll_close(struct poll *p)
{
    if (p == NULL)
        return;
    io_cancel(p->op);
    free(p);
}

bool poll_drained(const struct poll *p, struct err *why)
{
    if (why != NULL)
        *why = p->gave_up;
    return p->drained;
}

uint64_t poll_late_ms(const struct poll *p)
{
    uint64_t now = io_now_ms();

    return p->op != NULL && now > p->due_ms ? now - p->due_ms : 0;
}

int64_t poll_last_at(const struct poll *p)
{
    return p->last_at;
}

static void on_timer(void *arg, const struct result *r)
{
    struct poll *p = arg;

    (void)r;
    p->op = NULL;
    p->waiting = false;
}

static void pause_s(struct poll *p, int64_t s)
{
    uint64_t ms = (uint64_t)s * 1000 + jitter((uint64_t)s * 100 + 50);

    p->waiting = true;
    p->due_ms = io_now_ms() + ms;
    p->op = io_timer(ms, on_timer, p);
}

/* Not answered, or not asked.  once does not wait for ever: it ends where the next try would come too late. */
static void try_again(struct poll *p, int64_t s, const struct err *why)
{
    if (p->failing_since == 0)
        p->failing_since = clock_now();
    if (p->a->once && clock_now() + s > p->failing_since + p->a->patience_s) {
        p->gave_up = *why;
        p->drained = true;
        return;
    }
    pause_s(p, s);
}

/* ---- what came ----------------------------------------------------------------------------------------- */

static void fill_row(
    struct poll *p, struct request *r, const struct ccp_head *head, const struct ccp_item *item)
{
    struct buf subject = BUF_INIT(4096), der = BUF_INIT(4096);
    struct err e;

    (void)snprintf(r->id, sizeof r->id, "%s", head->id);
    (void)snprintf(r->kind, sizeof r->kind, "%s", head->type_name);
    (void)snprintf(r->step, sizeof r->step, "%s", job_pkcs.steps[0].name);
    (void)snprintf(r->lease, sizeof r->lease, "%s", head->lease);
    r->state = REQUEST_READY;
    r->lease_expires_at = cloud_time(p->answer, head->lease_expires_at);
    r->attempt = head->attempt;
    r->created_at = head->created_at;
    r->expires_at = head->expires_at;
    r->received_at = clock_now();
    r->next_at = head->created_at > 0 && head->created_at < r->received_at ? head->created_at
                                                                           : r->received_at;
    if (item->ca_name != NULL)
        (void)snprintf(r->ca, sizeof r->ca, "%s", item->ca_name);
    if (item->template.name != NULL)
        (void)snprintf(r->template_name, sizeof r->template_name, "%s", item->template.name);
    if (name_write(&item->template.subject, &der, &e) == 0) {
        name_text(buf_view(&der), &subject);
        (void)snprintf(r->subject, sizeof r->subject, "%s", buf_text(&subject));
    }
    if (guid_new(p->a->lib, r->activity, &e) != 0)
        (void)snprintf(r->activity, sizeof r->activity, "%s", r->id);
    buf_free(&subject);
    buf_free(&der);
}

static void refuse(struct request *r, const struct err *why)
{
    r->failed = true;
    r->why = *why;
    if (r->why.cls
        == ERR_CONFIG) /* before anything was done this is an answer, not a reason to wait */
        r->why.cls = ERR_INPUT;
    (void)snprintf(r->step, sizeof r->step, "%s", job_pkcs.steps[job_pkcs.report].name);
}

/* Are the bytes that were posted still here, to be posted again?  returns 1, 0, -1 */
static int keeps_result(const struct poll *p, const struct request *r, struct err *e)
{
    struct buf blobs[BLOB_COUNT];
    int rc = 0;

    if (r->digest[0] == '\0')
        return 0;
    for (size_t b = 0; b < BLOB_COUNT; b++)
        blobs[b] = (struct buf)BUF_INIT(BLOB_MAX);
    rc = store_get_blobs(p->a->store, r->id, blobs, e) != 0 ? -1 : blobs[BLOB_RESULT].len > 0;
    for (size_t b = 0; b < BLOB_COUNT; b++)
        buf_free(&blobs[b]);
    return rc;
}

/* It was another connector's, and is lent to us after all: the key it had here is gone, so it begins anew, as if it had
 * never been here.  Under the lease that was lost it stays ended. */
static bool begins_anew(const struct request *r, const struct request *fresh, bool kept)
{
    return r->state == REQUEST_SUPERSEDED && !kept && !r->failed
           && strcmp(r->lease, fresh->lease) != 0;
}

static int begin_anew(struct poll *p, const struct request *fresh, struct view json, struct err *e)
{
    struct store *s = p->a->store;

    if (store_update(s, fresh, "handed out again", e) != 0
        || store_keep_result(s, fresh->id, e) != 0
        || store_put_blob(s, fresh->id, BLOB_RESULT, (struct view){ 0 }, e) != 0
        || store_put_blob(s, fresh->id, BLOB_ITEM, json, e) != 0)
        return -1;
    log_event(EV_REQUEST, fresh->id, fresh->ca,
        "handed out again after another connector had it: begun anew, with a new key");
    return 0;
}

/* The cloud hands out a request we have: a lease that ran out, or an answer of ours that got lost. */
static int known(struct poll *p, const struct request *fresh, struct view json, struct err *e)
{
    struct job *j = jobs_find(p->a->jobs, fresh->id);
    struct request r;
    int kept;

    if (store_get(p->a->store, fresh->id, &r, e) != 1 || (kept = keeps_result(p, &r, e)) < 0)
        return -1;
    if (j == NULL && begins_anew(&r, fresh, kept == 1))
        return begin_anew(p, fresh, json, e);
    if (j != NULL) {
        (void)snprintf(j->r.lease, sizeof j->r.lease, "%s", fresh->lease);
        j->r.lease_expires_at = fresh->lease_expires_at;
        j->r.attempt = fresh->attempt;
        r = j->r;
    }
    (void)snprintf(r.lease, sizeof r.lease, "%s", fresh->lease);
    r.lease_expires_at = fresh->lease_expires_at;
    r.attempt = fresh->attempt;
    if (request_is_final(r.state)) {  /* post the same bytes again under the new lease */
        if (!r.failed && kept == 0) { /* I4: without its result it is no success */
            r.failed = true;
            (void)err_set(&r.why, ERR_CONFLICT,
                "this connector ended the request before (%s) and no longer has its result",
                request_state_name(r.state));
        }
        r.state = REQUEST_READY;
        r.next_at = clock_now();
        (void)snprintf(r.step, sizeof r.step, "%s", job_pkcs.steps[job_pkcs.report].name);
    }
    return store_update(p->a->store, &r, "handed out again", e);
}

static int keep(struct poll *p, const struct request *r, struct view json, struct err *e)
{
    lease_seen(p->a->lease, r->lease_expires_at > 0 ? r->lease_expires_at - r->received_at : 0);
    switch (store_insert(p->a->store, r, json, e)) {
    case 1:
        p->inserted++;
        p->a->count.received++;
        log_event(
            EV_REQUEST, r->id, r->ca, "%s, template %s, %s", r->kind, r->template_name, r->subject);
        return 0;
    case 0:
        return known(p, r, json, e);
    default:
        return -1;
    }
}

static void on_item(void *arg, const struct ccp_head *head, struct view json, const struct err *bad)
{
    struct poll *p = arg;
    struct ccp_item item = { 0 };
    struct request r = { 0 };
    struct err e;

    p->got++;
    if (head->id[0] == '\0') {
        log_err(EV_REQUEST_MALFORMED, NULL, "cloud", bad);
        p->a->count.malformed++;
        return;
    }
    if (bad != NULL)
        e = *bad;
    if (bad != NULL || ccp_item_parse(json, &item, &e) != 0
        || job_pkcs_policy(p->a, &item, &e) != 0) {
        fill_row(p, &r, head, &item);
        refuse(&r, &e);
        log_err(EV_REQUEST_MALFORMED, r.id, "cloud", &e);
        p->a->count.malformed++;
    } else {
        fill_row(p, &r, head, &item);
    }
    ccp_item_free(&item);
    if (keep(p, &r, json, &e) != 0) {
        log_err(EV_STORE_FAILED, r.id, NULL, &e);
        sched_store_failed(p->a->sched);
    }
}

/* ---- asking --------------------------------------------------------------------------------------------- */

static void on_answer(void *arg, const struct result *r)
{
    struct poll *p = arg;
    struct agent *a = p->a;
    int64_t after_s = -1;
    struct err e;

    p->op = NULL;
    p->got = p->inserted = 0;
    p->answer = r;
    crash_point(1);
    if (cloud_judge(&a->cloud, r, &e) != 0
        || ccp_download_parse(r->http->body, on_item, p, &after_s, &e) != 0) {
        log_err(EV_DOWNLOAD_FAILED, NULL, "cloud", &e);
        try_again(p, back_off_s(2, 2, 60), &e);
        return;
    }
    p->last_at = clock_now();
    p->failing_since = 0;
    p->drained = p->got == 0;
    if (p->got > 0)
        log_event(EV_DOWNLOADED, NULL, "cloud", "%u requests, %u of them new", p->got, p->inserted);
    sched_kick(a->sched);
    if (p->got == 0 && !a->once)
        pause_s(p, after_s >= 0 ? after_s : a->conf->cloud.poll_interval);
}

static bool has_space(struct poll *p, struct err *e)
{
    int64_t free_bytes = fs_free_bytes(p->a->conf->store.dir);

    if (free_bytes < 0 || free_bytes >= p->a->conf->store.min_free_mib << 20)
        return true;
    (void)err_set(e, ERR_STORE,
        "%lld MiB free, store.min_free_mib is %lld: no new requests are taken",
        (long long)(free_bytes >> 20), (long long)p->a->conf->store.min_free_mib);
    log_event(EV_STORE_FULL, NULL, NULL, "%s", e->msg);
    return false;
}

/* How many we could begin soon: twice the places, less what is already here and due. */
static unsigned room(struct poll *p)
{
    int64_t due = 0, most = 0;
    struct err e;

    for (size_t i = 0; i < p->a->ca_count; i++)
        most += p->a->cas[i]->conf->max_in_flight;
    most *= 2;
    if (store_count_due(p->a->store, clock_now(), &due, &e) != 0 || due >= most / 2)
        return 0;
    return (unsigned)(most - due < CCP_REQUESTS_MAX ? most - due : CCP_REQUESTS_MAX);
}

void poll_turn(struct poll *p)
{
    static const enum ccp_type types[] = { CCP_PKCS_ISSUE };
    struct agent *a = p->a;
    struct buf body = BUF_INIT(4096);
    char activity[40];
    struct peer_state cloud;
    unsigned wait_s;
    int64_t blocked_s;
    struct err e;

    if (p->op != NULL || a->ending || (a->once && p->drained))
        return;
    if (a->cloud.io == NULL) {
        p->drained = true;
        return;
    }
    if (!has_space(p, &e)) {
        try_again(p, SPACE_S, &e);
        return;
    }
    if ((p->asked = room(p)) == 0)
        return; /* a job that ends makes room, and a turn */
    if ((blocked_s = peer_wait_s(a->cloud.peer)) > 0) {
        peer_state(a->cloud.peer, &cloud);
        try_again(p, blocked_s, &cloud.why);
        return;
    }
    wait_s = a->once || jobs_active(a->jobs) > 0 ? 0 : (unsigned)a->conf->cloud.wait;
    p->due_ms = io_now_ms() + wait_s * UINT64_C(1000) + ANSWER_MS + TOKEN_MS;
    ccp_download_write(&body, p->asked, types, 1, a->conf->cloud.group, wait_s);
    if (guid_new(a->lib, activity, &e) != 0 || buf_check(&body, &e) != 0
        || (p->op = cloud_post(&a->cloud, "requests/download", activity, buf_view(&body),
                wait_s * 1000 + ANSWER_MS, on_answer, p, &e))
               == NULL) {
        log_err(EV_DOWNLOAD_FAILED, NULL, "cloud", &e);
        peer_failed(a->cloud.peer, &e, -1);
        try_again(p, SPACE_S, &e);
    }
    buf_free(&body);
}
