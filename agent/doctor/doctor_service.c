/* see doctor.h and doctor_status.h.  SVC-01, SVC-02: does the service run, and how has it been? */
#include <stdio.h>
#include <string.h>
#include "agent/control/control.h"
#include "agent/doctor/doctor_status.h"
#include "agent/doctor/doctor_unit.h"

enum { ANSWER_MAX = 4 << 20 };

static void ask(struct doctor *d)
{
    struct buf answer = BUF_INIT(ANSWER_MAX);
    struct err e;

    d->status_asked = true;
    if (control_ask(d->conf->store.dir, view_text("{\"command\":\"status\"}"), &answer, &e) == 0)
        d->status = json_parse(buf_view(&answer), ANSWER_MAX, &e);
    d->status_why = d->status == NULL ? e : (struct err){ 0 };
    buf_free(&answer);
}

const struct json *doctor_status(struct doctor *d)
{
    if (!d->status_asked)
        ask(d);
    return d->status != NULL ? json_get(d->status, "data") : NULL;
}

bool doctor_running(struct doctor *d)
{
    return doctor_status(d) != NULL;
}

const char *doctor_status_text(struct doctor *d, const char *name)
{
    const struct json *data = doctor_status(d);
    const char *v = "";
    struct err e;

    if (data != NULL)
        (void)!json_text(data, name, false, 4096, &v, &e);
    return v;
}

int64_t doctor_status_number(struct doctor *d, const char *name)
{
    const struct json *data = doctor_status(d);
    int64_t v = 0;
    struct err e;

    if (data != NULL)
        (void)!json_int(data, name, false, INT64_MIN, INT64_MAX, &v, &e);
    return v;
}

const struct doctor_row *doctor_start_blocked(const struct doctor *d)
{
    static const char *const codes[] = { "CONF-", "VER-03", "PERM-01", "PERM-02", "PERM-03",
        "PERM-05", "PERM-06", "ST-01", "ST-02", "ST-03", "PLG-", "RA-" };
    const struct doctor_row *r = NULL;

    for (size_t i = 0; r == NULL && i < sizeof codes / sizeof codes[0]; i++)
        r = doctor_failed(d, codes[i], NULL);
    return r;
}

/* ---- rows --------------------------------------------------------------------------------------------------------------- */

static void say_stopped(struct doctor *d)
{
    const struct doctor_row *block = doctor_start_blocked(d);

    if (d->status_why.cls != ERR_GONE)
        doctor_fail(d, "SVC-01", "", d->status_why.cls,
            "run this as root or as the service's user; else: systemctl restart certferry", "%s",
            d->status_why.msg);
    else if (block != NULL)
        doctor_needs(d, "SVC-01", "", block);
    else
        doctor_fail(d, "SVC-01", "", ERR_GONE,
            "systemctl start certferry, or in the foreground: certferry run",
            "no service is running on %s", d->conf->store.dir);
    doctor_skip(d, "SVC-02", "", "needs SVC-01");
}

/* A reload that was refused: the service goes on as before, and the next start will not. */
static const char *refused_reload(struct doctor *d)
{
    const struct json *last = json_get(json_get(doctor_status(d), "config"), "last_reload");
    const char *why = "";
    bool ok = true;
    struct err e;

    if (last == NULL || json_bool(last, "ok", false, &ok, &e) != 0 || ok)
        return NULL;
    (void)!json_text(last, "message", false, 400, &why, &e);
    return why;
}

/* The first of the reasons that status gives. */
static const char *first_cause(struct doctor *d)
{
    const struct json *causes = json_get(doctor_status(d), "causes");
    const char *why = "";
    struct err e;

    if (json_count(causes) > 0)
        (void)!json_text(json_at(causes, 0), "message", false, 400, &why, &e);
    return why;
}

static void say_health(struct doctor *d)
{
    const char *reload = refused_reload(d);
    const char *health = doctor_status_text(d, "health");
    struct finding f;

    if (strcmp(health, "ok") != 0) {
        finding_set(&f, GRADE_WARN, ERR_NONE, "health: %s%s%s", health,
            first_cause(d)[0] != '\0' ? ": " : "", first_cause(d));
        finding_fix(&f, "certferry status");
    } else {
        finding_set(&f, GRADE_PASS, ERR_NONE, "health: ok");
    }
    if (reload != NULL)
        finding_worse(&f, GRADE_WARN, ERR_NONE, "certferry check, then: certferry service reload",
            "it runs with an older configuration, the last reload was refused: %s", reload);
    doctor_unit(&f, doctor_status_number(d, "pid"));
    doctor_say(d, "SVC-02", "", &f);
}

void doctor_service(struct doctor *d)
{
    if (!doctor_running(d)) {
        say_stopped(d);
        return;
    }
    doctor_pass(d, "SVC-01", "", "running for %lld s (pid %lld)",
        (long long)doctor_status_number(d, "uptime_s"), (long long)doctor_status_number(d, "pid"));
    say_health(d);
}
