/* see control_report.h.  Requests and orphans. */
#include <string.h>
#include "agent/base/clock.h"
#include "agent/control/control_identity.h"
#include "agent/control/control_report.h"
#include "agent/control/metrics_report.h"

enum { METRICS_MAX = 4 << 20 };

/* ---- requests ---------------------------------------------------------------------------------------------- */

/* Whom it waits for: I5, no hidden waiting. */
const char *report_waits_for(const char *kind, enum request_state state, const char *step)
{
    bool plugin =
        strcmp(kind, "scep") == 0 && (strcmp(step, "ask") == 0 || strcmp(step, "notify") == 0);

    if (plugin && (state == REQUEST_PENDING || state == REQUEST_RETRYING))
        return "plugin";
    switch (state) {
    case REQUEST_PENDING:
        return "ca";
    case REQUEST_HELD:
        return "administrator";
    case REQUEST_READY:
        return "us";
    case REQUEST_RETRYING:
        return strcmp(step, "report") == 0 || strcmp(step, "notice") == 0 ? "cloud" : "ca";
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
    json_put_text(o, "waitsFor", report_waits_for(r->kind, r->state, r->step));
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

struct rows {
    struct json_out *o;
    int64_t since; /* only what has come since then */
};

static void on_row(void *arg, const struct request *r)
{
    struct rows *rows = arg;

    if (r->received_at >= rows->since)
        report_request_row(rows->o, NULL, r);
}

int report_requests(struct agent *a, const struct json *q, struct json_out *o, struct err *e)
{
    const char *name = NULL;
    bool all = false, stuck = false;
    struct rows rows = { .o = o };
    int64_t limit = 1000;
    enum request_state state = REQUEST_NONE;
    int rc;

    if (json_text(q, "state", false, 20, &name, e) != 0 || json_bool(q, "all", false, &all, e) != 0
        || json_bool(q, "stuck", false, &stuck, e) != 0
        || json_int(q, "since", false, 0, INT64_MAX, &rows.since, e) != 0
        || json_int(q, "limit", false, 1, 1000000, &limit, e) != 0)
        return -1;
    if (name != NULL && (state = request_state_named(name)) == REQUEST_NONE)
        return err_set(e, ERR_INPUT,
            "\"%s\" is no state; there are ready, retrying, pending, held, delivered, "
            "rejected, superseded, cancelled",
            name);
    json_open(o, NULL, '{');
    json_open(o, "requests", '[');
    if (stuck)
        rc = store_stuck(a->store, clock_now(), (size_t)limit, on_row, &rows, e);
    else
        rc = store_list(a->store, state, !all && name == NULL, (size_t)limit, on_row, &rows, e);
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

struct orphan_rows {
    struct json_out *o;
    const char *request; /* only this one's; NULL = all */
    size_t count;
};

static void on_orphan(void *arg, const struct orphan *orphan)
{
    struct orphan_rows *rows = arg;
    struct json_out *o = rows->o;

    if (rows->request != NULL && strcmp(rows->request, orphan->request_id) != 0)
        return;
    rows->count++;
    json_open(o, NULL, '{');
    json_put_text(o, "serialNumber", orphan->serial[0] != '\0' ? orphan->serial : NULL);
    json_put_text(o, "publicKeySha256", orphan->spki);
    json_put_bool(o, "certain", orphan->serial[0] != '\0');
    json_put_text(o, "request", orphan->request_id);
    json_put_text(o, "ca", orphan->ca);
    json_put_text(o, "subject", orphan->subject);
    json_put_text(o, "reason", orphan->reason);
    json_put_time(o, "time", orphan->at);
    json_put_time(o, "settledAt", orphan->settled_at);
    json_put_text(o, "settled", orphan->settled_at != 0 ? orphan->settled : NULL);
    json_close(o, '}');
}

int report_orphans_of(
    struct agent *a, const char *request, bool settled, struct json_out *o, struct err *e)
{
    struct orphan_rows rows = { .o = o, .request = request };

    json_open(o, NULL, '{');
    json_open(o, "orphans", '[');
    if (store_orphans(a->store, settled, on_orphan, &rows, e) != 0)
        return -1;
    json_close(o, ']');
    json_close(o, '}');
    if (request != NULL && rows.count == 0)
        return err_set(e, ERR_GONE, "no orphan of a request %s", request);
    return 0;
}

int report_orphans(struct agent *a, const struct json *q, struct json_out *o, struct err *e)
{
    const char *request = NULL;
    bool all = false;

    if (json_bool(q, "all", false, &all, e) != 0
        || json_text(q, "request", false, 39, &request, e) != 0)
        return -1;
    return report_orphans_of(a, request, all || request != NULL, o, e);
}

/* ---- metrics ------------------------------------------------------------------------------------------------- */

int report_metrics(struct agent *a, const struct json *q, struct json_out *o, struct err *e)
{
    struct buf text = BUF_INIT(METRICS_MAX);
    int rc = metrics_write(a, &text, e);

    (void)q;
    if (rc == 0) {
        json_open(o, NULL, '{');
        json_put_view(o, "openmetrics", buf_view(&text));
        json_close(o, '}');
    }
    buf_free(&text);
    return rc;
}
