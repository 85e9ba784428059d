/* see control_log.h */
#include <stdio.h>
#include <string.h>
#include "agent/base/clock.h"
#include "agent/base/log.h"
#include "agent/control/control_log.h"
#include "agent/requests/audit.h"

static enum log_level configured(const struct agent *a)
{
    return log_level_named(a->conf->log.level);
}

/* The line about it is written at whichever of the two levels says more. */
static void change(enum log_level to, const char *why)
{
    enum log_level from = log_level_now();

    if (to > from)
        log_set_level(to);
    log_event(EV_OPERATOR, NULL, NULL, "log level %s instead of %s%s", log_level_name(to),
        log_level_name(from), why);
    log_set_level(to);
}

static void on_over(void *arg, const struct result *r)
{
    struct agent *a = arg;

    (void)r;
    a->log_level.op = NULL;
    a->log_level.until = 0;
    change(configured(a), ": its time is over");
}

void control_log_report(const struct agent *a, struct json_out *o)
{
    json_open(o, "log", '{');
    json_put_text(o, "level", log_level_name(log_level_now()));
    json_put_text(o, "configured", a->conf->log.level);
    json_put_time(o, "until", a->log_level.until);
    json_close(o, '}');
}

int control_log_level(struct agent *a, const struct json *q, struct json_out *o, struct err *e)
{
    const char *name = NULL, *before = log_level_name(log_level_now());
    enum log_level level;
    int64_t for_s = 0;
    char detail[80], why[60] = "";

    if (json_text(q, "level", true, 40, &name, e) != 0
        || json_int(q, "for_s", false, 0, INT64_MAX, &for_s, e) != 0)
        return -1;
    if (for_s > CONTROL_LOG_MOST_S)
        return err_set(
            e, ERR_INPUT, "for %lld s: a week (7d) is the most; log.level lasts", (long long)for_s);
    if (!log_level_find(name, &level))
        return err_set(
            e, ERR_INPUT, "there is no level \"%s\"; there are error, warning, info, debug", name);
    if (for_s > 0)
        (void)snprintf(why, sizeof why, ", for %lld s", (long long)for_s);
    (void)snprintf(detail, sizeof detail, "instead of %s%s", before, why);
    audit_note(a, AUDIT_LOG_LEVEL, a->actor, name, detail);
    io_cancel(a->log_level.op);
    a->log_level.op = for_s > 0 ? io_timer((uint64_t)for_s * 1000, on_over, a) : NULL;
    a->log_level.until = for_s > 0 ? clock_now() + for_s : 0;
    change(level, why);
    json_open(o, NULL, '{');
    json_put_text(o, "before", before);
    control_log_report(a, o);
    json_close(o, '}');
    return 0;
}
