/* see explain.h */
#include <stdio.h>
#include <string.h>
#include <strings.h>
#include "agent/base/log.h"
#include "agent/cli/explain.h"
#include "agent/cli/explain_text.h"
#include "agent/control/control.h"
#include "agent/doctor/doctor.h"
#include "agent/requests/audit.h"

const char *explain_kind_name(enum explain_kind kind)
{
    static const char *const names[EXPLAIN_KIND_COUNT] = { [EXPLAIN_NONE] = "",
        [EXPLAIN_ERROR] = "error",
        [EXPLAIN_DOCTOR] = "doctor",
        [EXPLAIN_EVENT] = "event",
        [EXPLAIN_AUDIT] = "audit",
        [EXPLAIN_EXIT] = "exit",
        [EXPLAIN_WARNING] = "warning" };

    return names[kind];
}

static void errors(explain_fn *fn, void *arg)
{
    for (int cls = ERR_NONE + 1; cls < ERR_CLASS_COUNT; cls++) {
        const struct explain_text *t = &explain_errors[cls];
        struct explanation x = { .kind = EXPLAIN_ERROR,
            .title = err_text((enum err_class)cls),
            .means = t->means,
            .todo = t->todo };

        (void)snprintf(x.code, sizeof x.code, "%s", err_name((enum err_class)cls) + 4);
        fn(arg, &x);
    }
    fn(arg, &(struct explanation){ .kind = EXPLAIN_ERROR,
                .code = "PERMISSION",
                .title = "this user may not",
                .means =
                    "A file, a folder or the control socket is closed to whoever gave the command; "
                    "nothing is wrong with it.",
                .todo = "the same command with sudo, or as the service's user" });
    fn(arg,
        &(struct explanation){ .kind = EXPLAIN_ERROR,
            .code = "SERVICE",
            .title = "no service is running",
            .means = "What was asked takes a running service, or a service manager to start it.",
            .todo = "certferry service status; certferry service start" });
}

/* "SCEP-01": the rows of a group are about the same thing. */
static const struct explain_text *group_of(const char *code)
{
    size_t len = strcspn(code, "-");

    for (const struct explain_text *t = explain_doctor; t->code != NULL; t++)
        if (strlen(t->code) == len && strncmp(t->code, code, len) == 0)
            return t;
    return NULL;
}

static void doctor_rows(explain_fn *fn, void *arg)
{
    for (const struct doctor_code *k = doctor_codes; k->code != NULL; k++) {
        const struct explain_text *t = group_of(k->code);
        struct explanation x = { .kind = EXPLAIN_DOCTOR,
            .title = k->text,
            .means = t != NULL ? t->means : "A row of doctor.",
            .todo = t != NULL ? t->todo : "certferry doctor" };

        (void)snprintf(x.code, sizeof x.code, "%s", k->code);
        fn(arg, &x);
    }
}

static void events(explain_fn *fn, void *arg)
{
    for (int ev = 0; ev < LOG_EVENT_COUNT; ev++) {
        struct explanation x = { .kind = EXPLAIN_EVENT };
        struct event_help h;
        char level[80];

        event_help_at((enum log_event)ev, &h);
        (void)snprintf(
            level, sizeof level, "%s event, level %s.", h.admin ? "Admin" : "Operational", h.level);
        (void)snprintf(x.code, sizeof x.code, "%s", h.name);
        (void)snprintf(x.number, sizeof x.number, "%d", h.number);
        x.title = h.means;
        x.means = level;
        x.todo = h.todo;
        fn(arg, &x);
    }
}

static void audit(explain_fn *fn, void *arg)
{
    for (int ev = 0; ev < AUDIT_EVENT_COUNT; ev++) {
        struct explanation x = { .kind = EXPLAIN_AUDIT,
            .title = audit_event_help((enum audit_event)ev),
            .means = "A record of the audit log.",
            .todo = "certferry audit export shows who did it, and when; certferry audit verify, "
                    "whether the log is whole" };

        (void)snprintf(x.code, sizeof x.code, "%s", audit_event_name((enum audit_event)ev));
        fn(arg, &x);
    }
}

static const struct explain_text *exit_text(int number)
{
    char code[16];

    (void)snprintf(code, sizeof code, "%d", number);
    for (const struct explain_text *t = explain_exits; t->code != NULL; t++)
        if (strcmp(t->code, code) == 0)
            return t;
    return NULL;
}

static void exits(explain_fn *fn, void *arg)
{
    static const struct {
        int number;
        const char *text;
    } rows[] = {
#define X(id, number, text) { number, text },
        EXIT_CODES(X)
#undef X
    };

    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        const struct explain_text *t = exit_text(rows[i].number);
        struct explanation x = { .kind = EXPLAIN_EXIT,
            .title = rows[i].text,
            .means = t != NULL ? t->means : "",
            .todo = t != NULL ? t->todo : "" };

        (void)snprintf(x.code, sizeof x.code, "EXIT-%d", rows[i].number);
        (void)snprintf(x.number, sizeof x.number, "%d", rows[i].number);
        fn(arg, &x);
    }
}

static void warnings(explain_fn *fn, void *arg)
{
    for (const struct explain_warning *t = explain_warnings; t->code != NULL; t++) {
        struct explanation x = {
            .kind = EXPLAIN_WARNING, .title = t->title, .means = t->means, .todo = t->todo
        };

        (void)snprintf(x.code, sizeof x.code, "%s", t->code);
        fn(arg, &x);
    }
}

void explain_each(explain_fn *fn, void *arg)
{
    errors(fn, arg);
    doctor_rows(fn, arg);
    events(fn, arg);
    audit(fn, arg);
    exits(fn, arg);
    warnings(fn, arg);
}

bool explain_is(const struct explanation *x, const char *code)
{
    if (strcasecmp(x->code, code) == 0)
        return true;
    if (x->kind == EXPLAIN_ERROR)
        return strncasecmp(code, "ERR_", 4) == 0 && strcasecmp(x->code, code + 4) == 0;
    if (x->kind == EXPLAIN_EVENT && strncasecmp(code, "EVENT-", 6) == 0)
        code += 6;
    return x->number[0] != '\0' && strcmp(x->number, code) == 0;
}
