#ifndef AGENT_CONTROL_SERVICE_H
#define AGENT_CONTROL_SERVICE_H
#include "agent/agent.h"
#include "proto/json.h"

/*
 * control_service.h - the commands to the service as a whole, see control.h.
 *
 * control_reload  begins one and says its number; its end is config.last_reload of a later status
 * control_stop    takes nothing new, finishes what is under way, ends
 * fail  ERR_CONFLICT: it is ending
 *
 * control_backup, control_backup_state   see backup.h
 */
int control_backup(struct agent *a, const struct json *q, struct json_out *o, struct err *e) MUST;
int control_backup_state(
    struct agent *a, const struct json *q, struct json_out *o, struct err *e) MUST;
int control_reload(struct agent *a, const struct json *q, struct json_out *o, struct err *e) MUST;
int control_stop(struct agent *a, const struct json *q, struct json_out *o, struct err *e) MUST;
#endif
