/* see control_change.h */
#include "agent/control/control_change.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "agent/base/clock.h"
#include "agent/base/log.h"
#include "agent/control/control_report.h"
#include "agent/requests/audit.h"
#include "agent/requests/job.h"
#include "agent/requests/orphan.h"
#include "agent/requests/sched.h"
#include "certs/mem.h"

enum { ALL_MAX = 10000, HOLD_S = 10 * 365 * 86400 };

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

static int find_open(struct agent *a, const struct json *q, struct request *r, struct err *e)
{
    if (find(a, q, r, e) != 0)
        return -1;
    if (request_is_final(r->state))
        return err_set(e, ERR_CONFLICT,
            "request %s has ended (%s); an ended request never goes back", r->id,
            request_state_name(r->state));
    return 0;
}

/* ---- what is done to a row ---------------------------------------------------------------------------------- */

static void again(struct request *r)
{
    r->state = REQUEST_READY;
    r->next_at = clock_now();
    r->tries = 0;
}

static void retry(struct request *r)
{
    again(r);
    if (r->submits > 1)
        r->submits = 1; /* the administrator has looked: the budget of duplicates begins again */
}

/* A cancelled request fails: the cloud is told, and its end is the end of any failed request. */
static void cancel(struct request *r)
{
    again(r);
    r->failed = true;
    (void)err_set(&r->why, ERR_OPERATOR, "cancelled by an administrator of the connector");
    (void)snprintf(r->step, sizeof r->step, "report");
}

/* It still expires when its time has come: then it is loaded, and ends. */
static void hold(struct request *r)
{
    r->state = REQUEST_HELD;
    r->next_at = r->expires_at != 0 ? r->expires_at + 1 : clock_now() + HOLD_S;
    if (!r->failed)
        (void)err_set(
            &r->why, ERR_OPERATOR, "held by an administrator; certferry requests release");
}

struct change {
    void (*how)(struct request *r);
    enum audit_event audited;
    const char *event; /* of the history */
};
static const struct change retried = { retry, AUDIT_REQUEST_RETRY, "retried by an administrator" };
static const struct change cancelled = { cancel, AUDIT_REQUEST_CANCEL,
    "cancelled by an administrator" };
static const struct change held = { hold, AUDIT_REQUEST_HOLD, "held by an administrator" };
static const struct change released = { retry, AUDIT_REQUEST_RELEASE,
    "released by an administrator" };

/* The row is changed where it is, in memory or in the store. */
static int stage(struct agent *a, struct request *r, const struct change *c, struct err *e)
{
    struct job *j = a->jobs != NULL ? jobs_find(a->jobs, r->id) : NULL;

    if (j != NULL)
        *r = j->r;
    /* It is being tried: an answer may be on its way, and is not thrown away. */
    if (j != NULL && j->staged != STAGED_UNLOAD && c->how == retry)
        return audit_add(a, c->audited, a->actor, r->id, NULL, e);
    if (j != NULL)
        jobs_drop(j);
    c->how(r);
    if (store_update(a->store, r, c->event, e) != 0
        || audit_add(a, c->audited, a->actor, r->id, NULL, e) != 0)
        return -1;
    log_event(EV_OPERATOR, r->id, r->ca, "%s (%s)", c->event, a->actor);
    return 0;
}

static int change(
    struct agent *a, struct request *r, const struct change *c, struct json_out *o, struct err *e)
{
    if (stage(a, r, c, e) != 0 || store_commit(a->store, e) != 0)
        return -1;
    if (a->sched != NULL)
        sched_kick(a->sched);
    report_request_row(o, NULL, r);
    return 0;
}

/* ---- requests ----------------------------------------------------------------------------------------------- */

int control_retry(struct agent *a, const struct json *q, struct json_out *o, struct err *e)
{
    struct request r;

    return find_open(a, q, &r, e) == 0 ? change(a, &r, &retried, o, e) : -1;
}

int control_hold(struct agent *a, const struct json *q, struct json_out *o, struct err *e)
{
    struct request r;

    return find_open(a, q, &r, e) == 0 ? change(a, &r, &held, o, e) : -1;
}

int control_release(struct agent *a, const struct json *q, struct json_out *o, struct err *e)
{
    struct request r;

    if (find_open(a, q, &r, e) != 0)
        return -1;
    if (r.state != REQUEST_HELD)
        return err_set(
            e, ERR_CONFLICT, "request %s is not held, but %s", r.id, request_state_name(r.state));
    return change(a, &r, &released, o, e);
}

/* The certificate a cancelled request may have had is not forgotten. */
static int cancel_orphan(struct agent *a, const struct request *r, struct err *e)
{
    return !orphan_possible(r) ? 0
                               : orphan_record(a, r, (struct view){ 0 },
                                   "cancelled by an administrator after it was submitted", e);
}

int control_cancel(struct agent *a, const struct json *q, struct json_out *o, struct err *e)
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
    return cancel_orphan(a, &r, e) == 0 ? change(a, &r, &cancelled, o, e) : -1;
}

struct all {
    struct request *at;
    size_t count;
};

static void on_row(void *arg, const struct request *r)
{
    struct all *all = arg;

    if (all->count < ALL_MAX)
        all->at[all->count++] = *r;
}

/* All of a state at once, in one commit; at most so many, the answer says how many. */
int control_retry_all(struct agent *a, const struct json *q, struct json_out *o, struct err *e)
{
    const char *name = NULL;
    enum request_state state;
    struct all all = { 0 };
    int rc;

    if (json_text(q, "state", true, 20, &name, e) != 0)
        return -1;
    state = request_state_named(name);
    if (state != REQUEST_HELD && state != REQUEST_RETRYING && state != REQUEST_PENDING)
        return err_set(e, ERR_INPUT,
            "--state \"%s\": held, retrying or pending requests can be tried again", name);
    all.at = xcalloc(ALL_MAX, sizeof *all.at);
    rc = store_list(a->store, state, true, ALL_MAX, on_row, &all, e);
    for (size_t i = 0; rc == 0 && i < all.count; i++)
        rc = stage(a, &all.at[i], &retried, e);
    if (rc == 0)
        rc = store_commit(a->store, e);
    if (rc == 0 && a->sched != NULL)
        sched_kick(a->sched);
    free(all.at);
    if (rc != 0)
        return -1;
    json_open(o, NULL, '{');
    json_put_int(o, "count", (int64_t)all.count);
    json_close(o, '}');
    return 0;
}

/* ---- orphans -------------------------------------------------------------------------------------------------- */

int control_adopt(struct agent *a, const struct json *q, struct json_out *o, struct err *e)
{
    const char *request = NULL, *serial = "", *note = "";
    char how[200];
    int n;

    if (json_text(q, "request", true, 39, &request, e) != 0
        || json_text(q, "serial", false, 63, &serial, e) != 0
        || json_text(q, "note", false, 140, &note, e) != 0)
        return -1;
    (void)snprintf(how, sizeof how, "%s%s%s", a->actor, note[0] != '\0' ? ": " : "", note);
    err_clean(how);
    if ((n = store_settle_orphans(a->store, request, serial, clock_now(), how, e)) < 0)
        return -1;
    if (n == 0)
        return err_set(e, ERR_GONE, "no orphan of a request %s is left to be dealt with", request);
    if (audit_add(a, AUDIT_ORPHAN_ADOPT, a->actor, request, note, e) != 0
        || store_commit(a->store, e) != 0)
        return -1;
    log_event(EV_OPERATOR, request, NULL, "%d orphans are dealt with (%s)", n, how);
    return report_orphans_of(a, request, true, o, e);
}

struct first {
    const char *request;
    struct orphan o;
    bool found;
};

static void on_orphan(void *arg, const struct orphan *o)
{
    struct first *f = arg;

    if (strcmp(o->request_id, f->request) == 0 && (!f->found || o->serial[0] != '\0')) {
        f->o = *o;
        f->found = true;
    }
}

/* Neither AD CS web enrolment nor EST has a message for it.  A driver that does gets its call here. */
int control_revoke(struct agent *a, const struct json *q, struct json_out *o, struct err *e)
{
    struct first f = { 0 };
    const struct conf_ca *ca;

    (void)o;
    if (json_text(q, "request", true, 39, &f.request, e) != 0
        || store_orphans(a->store, false, on_orphan, &f, e) != 0)
        return -1;
    if (!f.found)
        return err_set(
            e, ERR_GONE, "no orphan of a request %s is left to be dealt with", f.request);
    if (f.o.serial[0] == '\0')
        return err_set(e, ERR_CONFLICT,
            "it is not known whether a certificate exists; search CA \"%s\" for the key %.16s...",
            f.o.ca, f.o.spki);
    ca = conf_ca(a->conf, f.o.ca);
    return err_set(e, ERR_DENIED,
        "CA \"%s\" (%s) takes no revocations from here; its serial number is %s", f.o.ca,
        ca != NULL ? ca->type : "not configured any more", f.o.serial);
}
