/* see reload.h */
#include <stdio.h>
#include <string.h>
#include "agent/agent.h"
#include "agent/base/clock.h"
#include "agent/base/fs.h"
#include "agent/base/log.h"
#include "agent/base/metrics.h"
#include "agent/io/io_exec.h"
#include "agent/io/io_kept.h"
#include "agent/requests/audit.h"
#include "agent/scep/scepd.h"
#include "agent/service/notify.h"
#include "agent/service/reload.h"
#include "agent/service/takeover.h"
#include "proto/json.h"

extern char **environ;

enum { CHECK_MS = 30000, CHECK_OUTPUT_MAX = 64 << 10 };

static void check(struct agent *a);

/* ---- how it ended --------------------------------------------------------------------------------------------------- */

static void ended(struct agent *a, bool ok, const char *message)
{
    struct reload *r = &a->reload;

    r->done = r->checking;
    r->at = clock_now();
    r->ok = ok;
    (void)snprintf(r->message, sizeof r->message, "%s", message);
    metric_set(METRIC_RELOAD, ok, NULL);
    audit_note(a, ok ? AUDIT_CONFIG_RELOADED : AUDIT_CONFIG_REFUSED, "reload", a->conf->path,
        ok ? NULL : message);
    if (r->asked > r->done)
        check(a); /* asked again in the meantime: it may have changed since it was looked at */
}

static void refuse(struct agent *a, const struct err *e)
{
    struct err why = *e;

    err_wrap(&why, "the configuration in use stays");
    log_err(EV_RELOAD_FAILED, NULL, NULL, &why);
    ended(a, false, e->msg);
}

/* ---- taking over ---------------------------------------------------------------------------------------------------- */

static bool same_text(const char *a, const char *b)
{
    return a == NULL || b == NULL ? a == b : strcmp(a, b) == 0;
}

/* What cannot change under a running service. */
static int may_take_over(const struct agent *a, const struct conf *fresh, struct err *e)
{
    if (!same_text(a->conf->store.dir, fresh->store.dir))
        return err_set(e, ERR_CONFIG, "store.dir was %s and is %s: restart the service for that",
            a->conf->store.dir, fresh->store.dir);
    if (!same_text(a->conf->store.master_key, fresh->store.master_key))
        return err_set(
            e, ERR_CONFIG, "store.master_key is another one: restart the service for that");
    return 0;
}

static int want_sockets(const struct conf *fresh, struct err *e)
{
    for (size_t i = 0; fresh->scep_count > 0 && i < fresh->listen_count; i++)
        if (io_kept_want(fresh->listens[i].name, fresh->listens[i].address, e) != 0)
            return -1;
    if (fresh->metrics.listen != NULL)
        return io_kept_want("metrics", fresh->metrics.listen, e);
    return 0;
}

static void take_up(struct agent *a, const struct conf *fresh)
{
    struct err e;

    if (may_take_over(a, fresh, &e) != 0) {
        refuse(a, &e);
    } else if (conf_stamp(fresh) == a->reload.stamp) {
        if (a->scepd != NULL && scepd_reload(a->scepd, &e) != 0) {
            refuse(a, &e);
            return;
        }
        log_event(EV_RELOADED, NULL, NULL,
            "nothing has changed in %s; certificates of listeners and endpoints are read again",
            a->conf->path);
        ended(
            a, true, "nothing has changed; certificates of listeners and endpoints are read again");
    } else if (want_sockets(fresh, &e) != 0) {
        io_kept_forget();
        refuse(a, &e);
    } else {
        log_event(EV_RELOADED, NULL, NULL,
            "%s has changed and is valid; what is under way is finished, then it is in use",
            a->conf->path);
        notify_reloading("finishing what is under way, then the new configuration is in use");
        a->reload.take_over = true;
        agent_drain(a);
    }
}

/* ---- checking ------------------------------------------------------------------------------------------------------- */

/* What `check --json` said; else how it ended. */
static void why_not(const struct http_reply *h, struct err *e)
{
    struct json *j = json_parse(h->body, CHECK_OUTPUT_MAX, e);
    const struct json *error = j != NULL ? json_get(j, "error") : NULL;
    const char *message = NULL;

    if (error == NULL || json_text(error, "message", true, 400, &message, e) != 0)
        (void)err_set(
            e, ERR_CONFIG, "certferry check ended with %ld: %s", (long)h->status, h->location);
    else
        (void)err_set(e, ERR_CONFIG, "%s", message);
    json_free(j);
}

static void on_checked(void *arg, const struct result *r)
{
    struct agent *a = arg;
    struct conf *fresh;
    struct err e;

    a->reload.check = NULL;
    if (r->err != NULL) {
        refuse(a, r->err);
        return;
    }
    if (r->http->status != 0) {
        why_not(r->http, &e);
        refuse(a, &e);
        return;
    }
    if ((fresh = conf_load(a->conf->path, &e)) == NULL)
        refuse(a, &e);
    else
        take_up(a, fresh);
    conf_free(fresh);
}

static void check(struct agent *a)
{
    char path[4096]; /* it starts in another folder */
    const char *const arguments[] = { "check", "--json", "--config", path, NULL };
    const struct io_exec_conf c = { .program = takeover_program(),
        .output_max = CHECK_OUTPUT_MAX,
        .timeout_ms = CHECK_MS,
        .arguments = arguments,
        .environment = (const char *const *)environ };
    struct err e;

    fs_absolute(path, sizeof path, a->conf->path);
    a->reload.checking = a->reload.asked;
    if (c.program == NULL)
        (void)err_set(
            &e, ERR_CONFIG, "the system does not say which program this is; restart the service");
    else
        a->reload.check = io_exec(&c, on_checked, a, &e);
    if (a->reload.check == NULL)
        refuse(a, &e);
}

int64_t reload_begin(struct agent *a)
{
    struct reload *r = &a->reload;

    r->asked++;
    if (r->take_over || r->check != NULL || a->ending || a->once)
        return r->asked; /* who takes over reads it anyway; who ends, or is soon done, does not */
    check(a);
    return r->asked;
}

void reload_stop(struct agent *a)
{
    io_cancel(a->reload.check);
    a->reload.check = NULL;
    a->reload.take_over = false;
}

void reload_report(const struct agent *a, struct json_out *o)
{
    const struct reload *r = &a->reload;

    json_open(o, "config", '{');
    json_put_text(o, "path", a->conf->path);
    json_put_bool(o, "reloading", r->check != NULL || r->take_over);
    if (r->at == 0) {
        json_put_null(o, "last_reload");
    } else {
        json_open(o, "last_reload", '{');
        json_put_int(o, "number", r->done);
        json_put_time(o, "at", r->at);
        json_put_bool(o, "ok", r->ok);
        json_put_text(o, "message", r->message);
        json_close(o, '}');
    }
    json_close(o, '}');
}
