#ifndef AGENT_CONTROL_SECRET_H
#define AGENT_CONTROL_SECRET_H
#include "agent/agent.h"
#include "proto/json.h"

/*
 * control_secret.h - the commands about secrets and keys, see control.h.
 *
 * control_set_secret  secret.set {name} and a value: {"name", "replaced"}
 * control_rotate      keys.rotate: {"dataKeys", "secrets", "unreadable", "masterKey"}, see rotate.h
 *
 * fails    ERR_INPUT the name, or no value; ERR_CONFIG, ERR_STORE it cannot be kept
 */
int control_set_secret(
    struct agent *a, const struct json *q, struct json_out *o, struct err *e) MUST;

int control_rotate(struct agent *a, const struct json *q, struct json_out *o, struct err *e) MUST;

/* control_cut_secret - take what stands behind the object off the request.
 * control_take_secret - it belongs to the command about to run; empty: to none any more. */
struct view control_cut_secret(struct view *request);
void control_take_secret(struct view base64);
/* control_read_secret - decoded, appended to out, a secret buf.  fails ERR_INPUT */
int control_read_secret(struct buf *out, struct err *e) MUST;
#endif
