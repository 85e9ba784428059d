#ifndef AGENT_CONTROL_IDENTITY_H
#define AGENT_CONTROL_IDENTITY_H
#include "agent/agent.h"
#include "proto/json.h"

/*
 * control_identity.h - the commands about who we are to the cloud, see control.h.
 *
 * report_identity        identity.show: {"signedIn", "agentId", "cloud", ...}
 * control_keep_identity  identity.keep with a connector (connector_write) as the secret: it replaces the one kept, in
 *                        one step, and a running service of that cloud uses it at once
 * control_drop_identity  identity.drop: it is destroyed; a running service hears of it
 *
 * fail  ERR_GONE there is none to drop; ERR_INPUT, ERR_CONFIG, ERR_STORE it cannot be kept
 */
int report_identity(struct agent *a, const struct json *q, struct json_out *o, struct err *e) MUST;
int control_keep_identity(
    struct agent *a, const struct json *q, struct json_out *o, struct err *e) MUST;
int control_drop_identity(
    struct agent *a, const struct json *q, struct json_out *o, struct err *e) MUST;

/* reconcile.show, reconcile.claim (reconcile.h): the answer is that of the member "reconcile" of status.
 * fails ERR_GONE: no service runs; ERR_CONFLICT: there is nothing to decide */
int report_reconcile(struct agent *a, const struct json *q, struct json_out *o, struct err *e) MUST;
int control_claim(struct agent *a, const struct json *q, struct json_out *o, struct err *e) MUST;

/* report_identity_part - the member "identity" of status */
void report_identity_part(const struct agent *a, struct json_out *o);
#endif
