/* see control.h.  Which command it is, and the two that change something. */
#include <stdio.h>
#include <string.h>
#include "agent/agent.h"
#include "agent/clock.h"
#include "agent/control.h"
#include "agent/control_identity.h"
#include "agent/control_ra.h"
#include "agent/control_report.h"
#include "agent/control_secret.h"
#include "agent/job.h"
#include "agent/log.h"
#include "agent/orphan.h"
#include "agent/sched.h"
#include "proto/json.h"

enum exit_code exit_code_of(enum err_class cls)
{
    switch (cls) {
    case ERR_NET:
    case ERR_BUSY:
    case ERR_INTERCEPTED:
    case ERR_PROXY:
    case ERR_PROXY_DOWN:
        return EXIT_NETWORK;
    case ERR_AUTH:
    case ERR_FORBIDDEN:
        return EXIT_AUTH;
    case ERR_CONFIG:
        return EXIT_CONFIG;
    case ERR_TRUST:
        return EXIT_TRUST;
    case ERR_STORE:
        return EXIT_STORAGE;
    case ERR_DENIED:
    case ERR_TEMPLATE:
    case ERR_CHALLENGE:
    case ERR_MISMATCH:
        return EXIT_REFUSED_BY_CA;
    case ERR_GONE:
        return EXIT_NOT_FOUND;
    case ERR_CONFLICT:
        return EXIT_CONFLICT;
    case ERR_INPUT:
        return EXIT_USAGE;
    default:
        return EXIT_FAILED;
    }
}

/* ---- changes ------------------------------------------------------------------------------------------------ */

static int find(struct agent *a, const struct json *q, struct request *r, struct err *e)
{
    const char *id = NULL;
    int got;

    if (json_text(q, "id", true, sizeof r->id - 1, &id, e) != 0)
        return -1;
    if ((got = store_get(a->store, id, r, e)) == 0)
        return err_set(e, ERR_GONE, "no request %s in this store", id);
    return got < 0 ? -1 : 0;
}

/* What a command does to a request: the row is changed where it is, in memory or in the store. */
static int change(struct agent *a, struct request *r, void (*how)(struct request *r),
    const char *event, struct err *e)
{
    struct job *j = a->jobs != NULL ? jobs_find(a->jobs, r->id) : NULL;

    if (j != NULL) {
        *r = j->r;
        jobs_drop(j);
    }
    how(r);
    r->state = REQUEST_READY;
    r->next_at = clock_now();
    r->tries = 0;
    if (store_update(a->store, r, event, e) != 0 || store_commit(a->store, e) != 0)
        return -1;
    log_event(EV_OPERATOR, r->id, r->ca, "%s", event);
    if (a->sched != NULL)
        sched_kick(a->sched);
    return 0;
}

static void retry(struct request *r)
{
    if (r->submits > 1)
        r->submits = 1; /* the administrator has looked: the budget of duplicates begins again */
}

/* A cancelled request fails: the cloud is told, and its end is the end of any failed request. */
static void cancel(struct request *r)
{
    r->failed = true;
    (void)err_set(&r->why, ERR_OPERATOR, "cancelled by an administrator of the connector");
    (void)snprintf(r->step, sizeof r->step, "report");
}

static int on_retry(struct agent *a, const struct json *q, struct json_out *o, struct err *e)
{
    struct request r;

    if (find(a, q, &r, e) != 0)
        return -1;
    if (request_is_final(r.state))
        return err_set(e, ERR_CONFLICT,
            "request %s has ended (%s); an ended request never goes back", r.id,
            request_state_name(r.state));
    if (change(a, &r, retry, "retried by an administrator", e) != 0)
        return -1;
    report_request_row(o, NULL, &r);
    return 0;
}

/* The certificate a cancelled request may have had is not forgotten. */
static int cancel_orphan(struct agent *a, const struct request *r, struct err *e)
{
    return r->submits == 0 ? 0
                           : orphan_record(a, r, (struct view){ 0 },
                               "cancelled by an administrator after it was submitted", e);
}

static int on_cancel(struct agent *a, const struct json *q, struct json_out *o, struct err *e)
{
    struct request r;

    if (find(a, q, &r, e) != 0)
        return -1;
    if (request_is_final(r.state) || r.failed)
        return err_set(e, ERR_CONFLICT, "request %s has %s already (%s)", r.id,
            r.failed ? "failed" : "ended", request_state_name(r.state));
    if (r.digest[0] != '\0')
        return err_set(
            e, ERR_CONFLICT, "the result of request %s is made and may have been delivered", r.id);
    if (cancel_orphan(a, &r, e) != 0
        || change(a, &r, cancel, "cancelled by an administrator", e) != 0)
        return -1;
    report_request_row(o, NULL, &r);
    return 0;
}

/* ---- dispatch ------------------------------------------------------------------------------------------------- */

typedef int command_fn(struct agent *a, const struct json *q, struct json_out *o, struct err *e);

static const struct {
    const char *name, *schema;
    command_fn *fn;
} commands[] = {
    { "status", "certferry.status/1", report_status },
    { "requests.list", "certferry.requests/1", report_requests },
    { "requests.show", "certferry.request/1", report_request },
    { "requests.retry", "certferry.request/1", on_retry },
    { "requests.cancel", "certferry.request/1", on_cancel },
    { "orphans.list", "certferry.orphans/1", report_orphans },
    { "ra.show", "certferry.ra/1", report_ra },
    { "ra.renew", "certferry.ra/1", control_renew_ra },
    { "secret.set", "certferry.secret/1", control_set_secret },
    { "keys.rotate", "certferry.keys/1", control_rotate },
    { "identity.show", "certferry.identity/1", report_identity },
    { "identity.keep", "certferry.identity/1", control_keep_identity },
    { "identity.drop", "certferry.identity/1", control_drop_identity },
};

/* What to do, in words of the command line. */
static const char *fix_of(const char *command, enum err_class cls)
{
    if (strcmp(command, "keys.rotate") == 0 && cls == ERR_CONFIG)
        return "give a new credential certferry.master and the old one as certferry.master.old, "
               "then "
               "restart the service; certferry(1), KEYS";
    if (strcmp(command, "keys.rotate") == 0 && cls == ERR_CONFLICT)
        return "wait, then try again";
    if (strncmp(command, "ra.", 3) == 0 && (cls == ERR_GONE || cls == ERR_CONFLICT))
        return "certferry ra show";
    if (strncmp(command, "identity.", 9) == 0)
        return "certferry sign-in";
    switch (cls) {
    case ERR_GONE:
        return "certferry requests list --all";
    case ERR_CONFLICT:
        return "certferry requests show ID";
    case ERR_STORE:
        return "look at the store's folder and its disk; the message has the file";
    default:
        return "certferry help";
    }
}

static void write_error(struct json_out *o, const char *command, const struct err *e)
{
    json_open(o, "error", '{');
    json_put_text(o, "code", err_name(e->cls));
    json_put_int(o, "exit", exit_code_of(e->cls));
    json_put_text(o, "message", e->msg);
    json_put_text(o, "fix", fix_of(command, e->cls));
    json_close(o, '}');
}

void control_answer(void *agent, struct view request, struct buf *reply)
{
    struct err e = { 0 };
    struct view secret = control_cut_secret(&request);
    struct json *q = json_parse(request, 64 << 10, &e);
    struct buf data = BUF_INIT(reply->max - 4096);
    struct json_out o = { .to = reply }, d = { .to = &data };
    const char *name = "", *schema = "certferry.error/1";
    int rc = -1;

    control_take_secret(secret);
    if (q != NULL && json_text(q, "command", true, 64, &name, &e) == 0) {
        rc = err_set(&e, ERR_INPUT, "unknown command \"%s\"", name);
        for (size_t i = 0; i < sizeof commands / sizeof commands[0]; i++)
            if (strcmp(commands[i].name, name) == 0) {
                schema = commands[i].schema;
                rc = commands[i].fn(agent, q, &d, &e);
            }
        if (rc == 0)
            rc = buf_check(&data, &e);
    }
    control_take_secret((struct view){ 0 });
    json_open(&o, NULL, '{');
    json_put_text(&o, "schema", schema);
    json_put_time(&o, "time", clock_now());
    json_put_bool(&o, "ok", rc == 0);
    if (rc == 0)
        json_put_raw(&o, "data", buf_view(&data));
    else
        json_put_null(&o, "data");
    json_open(&o, "warnings", '[');
    json_close(&o, ']');
    if (rc == 0)
        json_put_null(&o, "error");
    else
        write_error(&o, name, &e);
    json_close(&o, '}');
    buf_free(&data);
    json_free(q);
}
