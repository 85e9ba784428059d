#ifndef AGENT_CONTROL_CHANGE_H
#define AGENT_CONTROL_CHANGE_H
#include "agent/agent.h"
#include "proto/json.h"

/* control_change.h - the commands that change requests and orphans.  Each is one commit with its record in the audit log. */
int control_retry(struct agent *a, const struct json *q, struct json_out *o, struct err *e) MUST;
int control_retry_all(
    struct agent *a, const struct json *q, struct json_out *o, struct err *e) MUST;
int control_cancel(struct agent *a, const struct json *q, struct json_out *o, struct err *e) MUST;
int control_hold(struct agent *a, const struct json *q, struct json_out *o, struct err *e) MUST;
int control_release(struct agent *a, const struct json *q, struct json_out *o, struct err *e) MUST;
int control_adopt(struct agent *a, const struct json *q, struct json_out *o, struct err *e) MUST;
int control_revoke(struct agent *a, const struct json *q, struct json_out *o, struct err *e) MUST;
#endif
