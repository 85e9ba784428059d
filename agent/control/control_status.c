/* see control_report.h.  Status: one document from which the screen, the page and monitoring scripts are made. */
#include <stdio.h>
#include <string.h>
#include <unistd.h>
#include "agent/base/clock.h"
#include "agent/base/fs.h"
#include "agent/base/log.h"
#include "agent/base/metrics.h"
#include "agent/control/control_identity.h"
#include "agent/control/control_log.h"
#include "agent/control/control_report.h"
#include "agent/control/metrics_report.h"
#include "agent/requests/job.h"
#include "agent/requests/poll.h"
#include "agent/requests/sched.h"
#include "agent/scep/scepd.h"
#include "agent/service/health.h"
#include "agent/service/reconcile.h"
#include "agent/service/reload.h"

enum { DAY_S = 86400, QUEUE_MAX = 200, OUTCOMES = 20, KEPT_MAX = 16384, UNKNOWN = INT32_MIN };

/* ---- peers -------------------------------------------------------------------------------------------------- */

static void write_peer(struct json_out *o, const struct peer *p, const char *url, const char *type)
{
    struct peer_state s;
    int64_t offset;

    peer_state(p, &s);
    json_open(o, NULL, '{');
    json_put_text(o, "name", s.name);
    json_put_text(o, "type", type);
    json_put_text(o, "url", url);
    json_put_text(o, "state", s.up ? "ok" : s.failing_since != 0 ? "failing" : "not asked yet");
    json_put_time(o, "lastOk", s.last_ok_at);
    json_put_time(o, "failingSince", s.failing_since);
    json_put_time(o, "nextTry", s.next_try_at);
    json_put_int(o, "answers", (int64_t)s.ok);
    json_put_int(o, "failures", (int64_t)s.failed);
    if ((offset = metric_gauge(METRIC_CLOCK, s.name, UNKNOWN)) != UNKNOWN)
        json_put_int(o, "clockOffset_s", offset);
    if (s.failing_since != 0) {
        json_put_text(o, "class", err_name(s.why.cls));
        json_put_text(o, "message", s.why.msg);
    }
    json_close(o, '}');
}

/* ---- requests ------------------------------------------------------------------------------------------------ */

static void write_counts(struct json_out *o, const struct store_counts *c)
{
    json_open(o, "requests", '{');
    for (int s = REQUEST_READY; s < REQUEST_STATE_COUNT; s++)
        json_put_int(o, request_state_name((enum request_state)s), c->by_state[s]);
    json_close(o, '}');
    json_put_int(o, "orphans", c->orphans);
    json_put_int(o, "duplicatesPossible", c->duplicates_possible);
    json_put_time(o, "oldestOpen", c->oldest_open_at);
}

struct queue {
    size_t count;
    struct {
        const char *owner;
        char name[64];
        enum request_state state;
        int64_t count, oldest_at;
    } at[QUEUE_MAX];
};

/* Steps do not matter to who looks at the queue: whom they wait for does. */
static void on_waiting(void *arg, const struct store_waiting *w)
{
    struct queue *q = arg;
    const char *owner = report_waits_for(w->kind, w->state, w->step);
    const char *name = strcmp(owner, "ca") == 0 || strcmp(owner, "plugin") == 0 ? w->ca : "";
    size_t i = 0;

    while (i < q->count
           && (q->at[i].state != w->state || strcmp(q->at[i].owner, owner) != 0
               || strcmp(q->at[i].name, name) != 0))
        i++;
    if (i == QUEUE_MAX)
        return;
    if (i == q->count) {
        q->count++;
        q->at[i].owner = owner;
        q->at[i].state = w->state;
        q->at[i].count = 0;
        q->at[i].oldest_at = w->oldest_at;
        (void)snprintf(q->at[i].name, sizeof q->at[i].name, "%s", name);
    }
    q->at[i].count += w->count;
    if (w->oldest_at < q->at[i].oldest_at)
        q->at[i].oldest_at = w->oldest_at;
}

static int write_queue(struct agent *a, struct json_out *o, struct err *e)
{
    struct queue q = { 0 };

    if (store_waiting(a->store, on_waiting, &q, e) != 0)
        return -1;
    json_open(o, "queue", '[');
    for (size_t i = 0; i < q.count; i++) {
        json_open(o, NULL, '{');
        json_put_text(o, "waitsFor", q.at[i].owner);
        json_put_text(o, "name", q.at[i].name[0] != '\0' ? q.at[i].name : NULL);
        json_put_text(o, "state", request_state_name(q.at[i].state));
        json_put_int(o, "count", q.at[i].count);
        json_put_time(o, "oldest", q.at[i].oldest_at);
        json_close(o, '}');
    }
    json_close(o, ']');
    return 0;
}

static void on_ended(void *arg, const struct request *r)
{
    struct json_out *o = arg;

    json_open(o, NULL, '{');
    json_put_text(o, "id", r->id);
    json_put_text(o, "type", r->kind);
    json_put_text(o, "state", request_state_name(r->state));
    json_put_text(o, "ca", r->ca);
    json_put_time(o, "ended", r->ended_at);
    if (r->why.cls != ERR_NONE)
        json_put_text(o, "reason", r->why.msg);
    json_close(o, '}');
}

static int write_recent(struct agent *a, struct json_out *o, struct err *e)
{
    struct store_recent r;
    int64_t stuck;
    int rc;

    if (store_recent(a->store, clock_now() - DAY_S, &r, e) != 0
        || store_count_stuck(a->store, clock_now(), &stuck, e) != 0)
        return -1;
    json_put_int(o, "stuck", stuck);
    json_open(o, "lastDay", '{');
    for (int s = REQUEST_DELIVERED; s < REQUEST_STATE_COUNT; s++)
        json_put_int(o, request_state_name((enum request_state)s), r.by_state[s]);
    json_put_int(o, "orphans", r.orphans.all - r.orphans.possible);
    json_put_int(o, "duplicatesPossible", r.orphans.possible);
    json_close(o, '}');
    json_open(o, "outcomes", '[');
    rc = store_ended(a->store, OUTCOMES, on_ended, o, e);
    json_close(o, ']');
    return rc;
}

/* ---- the service ----------------------------------------------------------------------------------------------- */

static void on_certificate(void *arg, const char *purpose, const char *name, int64_t not_after_at)
{
    struct json_out *o = arg;

    json_open(o, NULL, '{');
    json_put_text(o, "purpose", purpose);
    json_put_text(o, "name", name);
    json_put_time(o, "notAfter", not_after_at);
    json_put_int(o, "daysLeft", (not_after_at - clock_now()) / DAY_S);
    json_close(o, '}');
}

static int write_certificates(struct agent *a, struct json_out *o, struct err *e)
{
    struct lib *l = a->lib != NULL ? a->lib : lib_new(e);

    if (l == NULL)
        return -1;
    json_open(o, "certificates", '[');
    health_certificates(a, l, on_certificate, o);
    json_close(o, ']');
    if (a->lib == NULL)
        lib_free(l);
    return 0;
}

static void write_peers(struct agent *a, struct json_out *o)
{
    json_open(o, "peers", '[');
    if (a->conf->cloud.url != NULL)
        write_peer(o, a->cloud.peer, a->conf->cloud.url, "ccp");
    for (size_t i = 0; i < a->ca_count; i++)
        write_peer(o, a->cas[i]->peer, a->cas[i]->conf->url, a->cas[i]->conf->type);
    json_close(o, ']');
}

static void write_service(struct agent *a, struct json_out *o)
{
    json_put_int(o, "pid", getpid());
    json_put_int(o, "uptime_s", clock_now() - a->started_at);
    json_put_int(o, "working", (int64_t)jobs_active(a->jobs));
    json_put_time(o, "lastPoll", poll_last_at(a->poll));
    if (a->conf->cloud.url != NULL)
        report_identity_part(a, o);
    if (a->reconcile != NULL)
        reconcile_report(a->reconcile, o);
    json_put_time(o, "nextDue", sched_next_at(a->sched));
    json_open(o, "sinceStart", '{');
    json_put_int(o, "received", (int64_t)a->count.received);
    json_put_int(o, "delivered", (int64_t)a->count.delivered);
    json_put_int(o, "rejected", (int64_t)a->count.rejected);
    json_put_int(o, "resubmitted", (int64_t)a->count.resubmitted);
    json_put_int(o, "commits", (int64_t)a->count.commits);
    json_put_int(o, "logLinesDropped", (int64_t)log_dropped());
    json_close(o, '}');
    control_log_report(a, o);
    reload_report(a, o);
    json_put_bool(o, "reloadRefused", metric_gauge(METRIC_RELOAD, NULL, 1) == 0);
    if (a->metrics != NULL)
        json_put_int(o, "metricsPort", metrics_port(a->metrics));
    write_peers(a, o);
    if (a->scepd != NULL)
        scepd_report(a->scepd, o);
}

void report_keep(struct agent *a)
{
    struct buf b = BUF_INIT(KEPT_MAX - 1);
    struct json_out o = { .to = &b };
    bool alone = !store_dirty(a->store);
    struct err e;

    json_open(&o, NULL, '{');
    json_put_time(&o, "time", clock_now());
    write_peers(a, &o);
    json_close(&o, '}');
    /* Too many CAs for a short text: then none are shown. */
    if (store_meta_put(a->store, "last_seen", b.bad ? "{}" : buf_text(&b), &e) != 0
        || (alone && store_commit(a->store, &e) != 0))
        log_err(EV_STORE_FAILED, NULL, NULL, &e);
    buf_free(&b);
}

static int write_kept(struct agent *a, struct json_out *o, struct err *e)
{
    char text[KEPT_MAX];
    int got = store_meta_get(a->store, "last_seen", text, sizeof text, e);

    if (got == 1)
        json_put_raw(o, "lastSeen", view_text(text));
    return got < 0 ? -1 : 0;
}

int report_status(struct agent *a, const struct json *q, struct json_out *o, struct err *e)
{
    struct store_counts c;
    enum health h;
    int64_t backup_at;
    char path[4096];

    (void)q;
    if (store_counts(a->store, &c, e) != 0)
        return -1;
    json_open(o, NULL, '{');
    json_put_text(o, "version", CERTFERRY_VERSION);
    json_open(o, "causes", '[');
    h = health_look(a, c.by_state[REQUEST_HELD], health_write_cause, o);
    json_close(o, ']');
    json_put_text(o, "health", health_name(h));
    json_put_bool(o, "ready", h == HEALTH_OK || h == HEALTH_DEGRADED);
    json_put_text(o, "store", a->conf->store.dir);
    json_put_int(o, "storeFree", fs_free_bytes(a->conf->store.dir));
    json_put_text(o, "masterKey",
        vault_place_name(
            vault_place(a->conf->store.dir, a->conf->store.master_key, path, sizeof path)));
    if (store_meta_get_int(a->store, "backup_at", &backup_at, e) != 0)
        return -1;
    json_put_time(o, "backupAt", backup_at);
    if (a->jobs != NULL)
        write_service(a, o);
    else if (write_kept(a, o, e) != 0)
        return -1;
    write_counts(o, &c);
    if (write_queue(a, o, e) != 0 || write_recent(a, o, e) != 0 || write_certificates(a, o, e) != 0)
        return -1;
    json_close(o, '}');
    return 0;
}
