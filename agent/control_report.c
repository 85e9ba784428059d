/* see control_report.h */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "agent/clock.h"
#include "agent/control_identity.h"
#include "agent/control_report.h"
#include "agent/fs.h"
#include "agent/job.h"
#include "agent/log.h"
#include "agent/poll.h"
#include "agent/sched.h"
#include "agent/scepd.h"

/* ---- status ------------------------------------------------------------------------------------------------ */

static void write_peer(struct json_out *o, const struct peer *p, const char *url, const char *type)
{
    struct peer_state s;

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
    if (s.failing_since != 0) {
        json_put_text(o, "class", err_name(s.why.cls));
        json_put_text(o, "message", s.why.msg);
    }
    json_close(o, '}');
}

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

/* One word for the whole: what an administrator wants to know first. */
static const char *health(const struct agent *a, const struct store_counts *c)
{
    struct peer_state s;

    if (a->jobs == NULL)
        return "stopped";
    peer_state(a->cloud.peer, &s);
    if (s.failing_since != 0 || a->cloud.needs_sign_in)
        return "degraded";
    for (size_t i = 0; i < a->ca_count; i++) {
        peer_state(a->cas[i]->peer, &s);
        if (s.failing_since != 0)
            return "degraded";
    }
    if (a->scepd != NULL && !scepd_serving(a->scepd))
        return "degraded";
    return c->by_state[REQUEST_HELD] > 0 ? "degraded" : "ok";
}

static void write_service(struct agent *a, struct json_out *o)
{
    json_put_int(o, "pid", getpid());
    json_put_int(o, "uptime_s", clock_now() - a->started_at);
    json_put_int(o, "working", (int64_t)jobs_active(a->jobs));
    json_put_time(o, "lastPoll", poll_last_at(a->poll));
    if (a->conf->cloud.url != NULL)
        report_identity_part(a, o);
    json_put_time(o, "nextDue", sched_next_at(a->sched));
    json_open(o, "sinceStart", '{');
    json_put_int(o, "received", (int64_t)a->count.received);
    json_put_int(o, "delivered", (int64_t)a->count.delivered);
    json_put_int(o, "rejected", (int64_t)a->count.rejected);
    json_put_int(o, "resubmitted", (int64_t)a->count.resubmitted);
    json_put_int(o, "commits", (int64_t)a->count.commits);
    json_put_int(o, "logLinesDropped", (int64_t)log_dropped());
    json_close(o, '}');
    json_open(o, "peers", '[');
    if (a->conf->cloud.url != NULL)
        write_peer(o, a->cloud.peer, a->conf->cloud.url, "ccp");
    for (size_t i = 0; i < a->ca_count; i++)
        write_peer(o, a->cas[i]->peer, a->cas[i]->conf->url, a->cas[i]->conf->type);
    json_close(o, ']');
    if (a->scepd != NULL)
        scepd_report(a->scepd, o);
}

int report_status(struct agent *a, const struct json *q, struct json_out *o, struct err *e)
{
    struct store_counts c;
    char path[4096];

    (void)q;
    if (store_counts(a->store, &c, e) != 0)
        return -1;
    json_open(o, NULL, '{');
    json_put_text(o, "version", CERTFERRY_VERSION);
    json_put_text(o, "health", health(a, &c));
    json_put_text(o, "store", a->conf->store.dir);
    json_put_int(o, "storeFree", fs_free_bytes(a->conf->store.dir));
    json_put_text(o, "masterKey",
        vault_place_name(
            vault_place(a->conf->store.dir, a->conf->store.master_key, path, sizeof path)));
    if (a->jobs != NULL)
        write_service(a, o);
    write_counts(o, &c);
    json_close(o, '}');
    return 0;
}

/* ---- requests ---------------------------------------------------------------------------------------------- */

/* Whom it waits for: I5, no hidden waiting. */
static const char *owner(const struct request *r)
{
    bool plugin = strcmp(r->kind, "scep") == 0
                  && (strcmp(r->step, "ask") == 0 || strcmp(r->step, "notify") == 0);

    if (plugin && (r->state == REQUEST_PENDING || r->state == REQUEST_RETRYING))
        return "plugin";
    switch (r->state) {
    case REQUEST_PENDING:
        return "ca";
    case REQUEST_HELD:
        return "administrator";
    case REQUEST_READY:
        return "us";
    case REQUEST_RETRYING:
        return strcmp(r->step, "report") == 0 || strcmp(r->step, "notice") == 0 ? "cloud" : "ca";
    default:
        return "nobody";
    }
}

void report_request_row(struct json_out *o, const char *name, const struct request *r)
{
    json_open(o, name, '{');
    json_put_text(o, "id", r->id);
    json_put_text(o, "type", r->kind);
    json_put_text(o, "state", request_state_name(r->state));
    json_put_text(o, "step", r->step);
    json_put_text(o, "waitsFor", owner(r));
    json_put_text(o, "ca", r->ca);
    json_put_text(o, "template", r->template_name);
    json_put_text(o, "subject", r->subject);
    json_put_time(o, "created", r->created_at);
    json_put_time(o, "received", r->received_at);
    json_put_time(o, "expires", r->expires_at);
    json_put_time(o, "next", r->next_at);
    json_put_time(o, "ended", r->ended_at);
    json_put_int(o, "attempts", r->tries);
    json_put_int(o, "submissions", r->submits);
    json_put_text(o, "caReference", r->reference[0] != '\0' ? r->reference : NULL);
    json_put_text(o, "serialNumber", r->serial[0] != '\0' ? r->serial : NULL);
    json_put_text(o, "activity", r->activity);
    if (r->why.cls != ERR_NONE) {
        json_put_text(o, "class", err_name(r->why.cls));
        json_put_text(o, "reason", r->why.msg);
    }
    json_close(o, '}');
}

static void on_row(void *arg, const struct request *r)
{
    report_request_row(arg, NULL, r);
}

int report_requests(struct agent *a, const struct json *q, struct json_out *o, struct err *e)
{
    const char *name = NULL;
    bool all = false;
    int64_t limit = 1000;
    enum request_state state = REQUEST_NONE;
    int rc;

    if (json_text(q, "state", false, 20, &name, e) != 0 || json_bool(q, "all", false, &all, e) != 0
        || json_int(q, "limit", false, 1, 1000000, &limit, e) != 0)
        return -1;
    if (name != NULL && (state = request_state_named(name)) == REQUEST_NONE)
        return err_set(e, ERR_INPUT,
            "\"%s\" is no state; there are ready, retrying, pending, held, delivered, "
            "rejected, superseded, cancelled",
            name);
    json_open(o, NULL, '{');
    json_open(o, "requests", '[');
    rc = store_list(a->store, state, !all && name == NULL, (size_t)limit, on_row, o, e);
    json_close(o, ']');
    json_close(o, '}');
    return rc;
}

static void on_history(void *arg, int64_t at, const char *event, const char *text)
{
    struct json_out *o = arg;

    json_open(o, NULL, '{');
    json_put_time(o, "time", at);
    json_put_text(o, "event", event);
    json_put_text(o, "text", text[0] != '\0' ? text : NULL);
    json_close(o, '}');
}

int report_request(struct agent *a, const struct json *q, struct json_out *o, struct err *e)
{
    const char *id = NULL;
    struct request r;
    int got;

    if (json_text(q, "id", true, sizeof r.id - 1, &id, e) != 0
        || (got = store_get(a->store, id, &r, e)) < 0)
        return -1;
    if (got == 0)
        return err_set(e, ERR_GONE, "no request %s in this store", id);
    json_open(o, NULL, '{');
    report_request_row(o, "request", &r);
    json_open(o, "history", '[');
    got = store_history(a->store, id, on_history, o, e);
    json_close(o, ']');
    json_close(o, '}');
    return got;
}

/* ---- orphans ----------------------------------------------------------------------------------------------- */

static void on_orphan(void *arg, const struct orphan *orphan)
{
    struct json_out *o = arg;

    json_open(o, NULL, '{');
    json_put_text(o, "serialNumber", orphan->serial[0] != '\0' ? orphan->serial : NULL);
    json_put_text(o, "publicKeySha256", orphan->spki);
    json_put_bool(o, "certain", orphan->serial[0] != '\0');
    json_put_text(o, "request", orphan->request_id);
    json_put_text(o, "ca", orphan->ca);
    json_put_text(o, "subject", orphan->subject);
    json_put_text(o, "reason", orphan->reason);
    json_put_time(o, "time", orphan->at);
    json_close(o, '}');
}

int report_orphans(struct agent *a, const struct json *q, struct json_out *o, struct err *e)
{
    int rc;

    (void)q;
    json_open(o, NULL, '{');
    json_open(o, "orphans", '[');
    rc = store_orphans(a->store, false, on_orphan, o, e);
    json_close(o, ']');
    json_close(o, '}');
    return rc;
}
