/* see control.h.  Which command it is. */
#include <string.h>
#include <unistd.h>
#include "agent/agent.h"
#include "agent/base/clock.h"
#include "agent/control/control.h"
#include "agent/control/control_change.h"
#include "agent/control/control_identity.h"
#include "agent/control/control_log.h"
#include "agent/control/control_ra.h"
#include "agent/control/control_report.h"
#include "agent/control/control_secret.h"
#include "agent/control/control_service.h"
#include "agent/requests/audit.h"
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

/* ---- dispatch ------------------------------------------------------------------------------------------------- */

typedef int command_fn(struct agent *a, const struct json *q, struct json_out *o, struct err *e);

static const struct {
    const char *name, *schema;
    command_fn *fn;
    enum needs {
        STORE,
        SECRETS,
        SERVICE
    } needs; /* what must be open; a running service has all of it */
} commands[] = {
    { "status", "certferry.status/1", report_status, STORE },
    { "requests.list", "certferry.requests/1", report_requests, STORE },
    { "requests.show", "certferry.request/1", report_request, STORE },
    { "requests.retry", "certferry.request/1", control_retry, STORE },
    { "requests.retry-all", "certferry.retried/1", control_retry_all, STORE },
    { "requests.cancel", "certferry.request/1", control_cancel, STORE },
    { "requests.hold", "certferry.request/1", control_hold, STORE },
    { "requests.release", "certferry.request/1", control_release, STORE },
    { "log.level", "certferry.log-level/1", control_log_level, SERVICE },
    { "reload", "certferry.reload/1", control_reload, SERVICE },
    { "stop", "certferry.stop/1", control_stop, SERVICE },
    { "store.backup", "certferry.backup/1", control_backup, STORE },
    { "store.backup-state", "certferry.backup/1", control_backup_state, STORE },
    { "orphans.list", "certferry.orphans/1", report_orphans, STORE },
    { "orphans.adopt", "certferry.orphans/1", control_adopt, STORE },
    { "orphans.revoke", "certferry.orphans/1", control_revoke, STORE },
    { "metrics", "certferry.metrics/1", report_metrics, STORE },
    { "audit.verify", "certferry.audit-verdict/1", control_audit_verify, STORE },
    { "audit.export", "certferry.audit/1", control_audit_export, STORE },
    { "audit.add", "certferry.audit-record/1", control_audit_add, STORE },
    { "ra.show", "certferry.ra/1", report_ra, STORE },
    { "ra.renew", "certferry.ra/1", control_renew_ra, STORE },
    { "secret.set", "certferry.secret/1", control_set_secret, SECRETS },
    { "keys.rotate", "certferry.keys/1", control_rotate, SECRETS },
    { "identity.show", "certferry.identity/1", report_identity, SECRETS },
    { "identity.keep", "certferry.identity/1", control_keep_identity, SECRETS },
    { "reconcile.show", "certferry.reconcile/1", report_reconcile, SERVICE },
    { "reconcile.claim", "certferry.reconcile/1", control_claim, SERVICE },
    { "identity.drop", "certferry.identity/1", control_drop_identity, SECRETS },
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
    if (strncmp(command, "reconcile.", 10) == 0)
        return "certferry reconcile";
    if (strncmp(command, "identity.", 9) == 0)
        return "certferry sign-in";
    if (strncmp(command, "orphans.", 8) == 0 && cls == ERR_GONE)
        return "certferry orphans list --all";
    if (strncmp(command, "orphans.", 8) == 0 && cls != ERR_STORE)
        return "revoke it at the CA, then: certferry orphans adopt REQUEST --note TEXT";
    if (strcmp(command, "store.backup") == 0 && cls == ERR_CONFLICT)
        return "wait for it, then try again";
    if (strcmp(command, "log.level") == 0)
        return "certferry help logs";
    if (strncmp(command, "requests.list", 13) == 0 && cls == ERR_INPUT)
        return "certferry help requests list";
    if (strncmp(command, "requests.retry", 14) == 0 && cls == ERR_INPUT)
        return "certferry help requests retry";
    if (strcmp(command, "reload") == 0 || strcmp(command, "stop") == 0)
        return "certferry service status";
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

/* absent: it takes a running service, and there is none */
static void write_error(struct json_out *o, const char *command, bool absent, const struct err *e)
{
    json_open(o, "error", '{');
    json_put_text(o, "code", err_name(e->cls));
    json_put_int(o, "exit", absent ? EXIT_NO_SERVICE : exit_code_of(e->cls));
    json_put_text(o, "message", e->msg);
    json_put_text(o, "fix", absent ? "certferry service start" : fix_of(command, e->cls));
    json_close(o, '}');
}

static int is_open(const struct agent *a, enum needs needs, struct err *e)
{
    if (needs == SERVICE && a->jobs == NULL)
        return err_set(e, ERR_GONE, "no service runs on this store");
    if (needs == SECRETS && a->secrets == NULL)
        return err_set(e, ERR_CONFIG, "the store's secrets are not open");
    return 0;
}

void control_answer(void *agent, struct view request, struct buf *reply)
{
    struct err e = { 0 };
    struct view secret = control_cut_secret(&request);
    struct json *q = json_parse(request, 64 << 10, &e);
    struct buf data = BUF_INIT(reply->max - 4096);
    struct json_out o = { .to = reply }, d = { .to = &data };
    const char *name = "", *schema = "certferry.error/1";
    bool absent = false;
    int rc = -1;

    control_take_secret(secret);
    if (q != NULL && json_text(q, "command", true, 64, &name, &e) == 0) {
        rc = err_set(&e, ERR_INPUT, "unknown command \"%s\"", name);
        for (size_t i = 0; i < sizeof commands / sizeof commands[0]; i++)
            if (strcmp(commands[i].name, name) == 0) {
                schema = commands[i].schema;
                rc = is_open(agent, commands[i].needs, &e) == 0 ? commands[i].fn(agent, q, &d, &e)
                                                                : -1;
                absent = commands[i].needs == SERVICE && ((struct agent *)agent)->jobs == NULL;
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
        write_error(&o, name, absent, &e);
    json_close(&o, '}');
    buf_free(&data);
    json_free(q);
}
