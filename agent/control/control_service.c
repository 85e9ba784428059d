/* see control_service.h */
#include <unistd.h>
#include "agent/base/log.h"
#include "agent/control/control_service.h"
#include "agent/requests/audit.h"
#include "agent/service/backup.h"
#include "agent/service/reload.h"

int control_reload(struct agent *a, const struct json *q, struct json_out *o, struct err *e)
{
    (void)q;
    if (a->ending && !a->reload.take_over)
        return err_set(e, ERR_CONFLICT, "the service is ending");
    audit_note(a, AUDIT_RELOAD_ASKED, a->actor, NULL, NULL);
    log_event(EV_OPERATOR, NULL, NULL, "reload of the configuration");
    json_open(o, NULL, '{');
    json_put_int(o, "number", reload_begin(a));
    json_close(o, '}');
    return 0;
}

int control_backup(struct agent *a, const struct json *q, struct json_out *o, struct err *e)
{
    (void)q;
    if (backup_begin(a, e) < 0)
        return -1;
    if (a->jobs != NULL)
        log_event(EV_OPERATOR, NULL, NULL, "backup of the store");
    backup_report(a, o);
    return 0;
}

int control_backup_state(struct agent *a, const struct json *q, struct json_out *o, struct err *e)
{
    (void)q;
    (void)e;
    backup_report(a, o);
    return 0;
}

int control_stop(struct agent *a, const struct json *q, struct json_out *o, struct err *e)
{
    (void)q;
    (void)e;
    audit_note(a, AUDIT_STOP_ASKED, a->actor, NULL, NULL);
    log_event(EV_OPERATOR, NULL, NULL, "stop");
    a->reload.take_over = false;
    agent_drain(a);
    json_open(o, NULL, '{');
    json_put_int(o, "pid", getpid());
    json_close(o, '}');
    return 0;
}
