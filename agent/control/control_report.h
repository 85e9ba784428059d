#ifndef AGENT_CONTROL_REPORT_H
#define AGENT_CONTROL_REPORT_H
#include "agent/agent.h"
#include "proto/json.h"

/*
 * control_report.h - the data of the commands that only look.  See control.h for their names.
 * Status is in control_status.c, the rest in control_report.c.
 */
int report_status(struct agent *a, const struct json *q, struct json_out *o, struct err *e) MUST;
int report_requests(struct agent *a, const struct json *q, struct json_out *o, struct err *e) MUST;
int report_request(struct agent *a, const struct json *q, struct json_out *o, struct err *e) MUST;
int report_metrics(struct agent *a, const struct json *q, struct json_out *o, struct err *e) MUST;
int report_orphans(struct agent *a, const struct json *q, struct json_out *o, struct err *e) MUST;

/* report_orphans_of - request NULL: all.  settled: also those that are dealt with.  fails ERR_GONE: it has none */
int report_orphans_of(
    struct agent *a, const char *request, bool settled, struct json_out *o, struct err *e) MUST;
/* report_keep - how the peers are, into the store, for a status when no service runs.  A failure is logged. */
void report_keep(struct agent *a);
/* report_waits_for - "us", "ca", "cloud", "plugin", "administrator", "nobody" */
const char *report_waits_for(const char *kind, enum request_state state, const char *step);
void report_request_row(struct json_out *o, const char *name, const struct request *r);
#endif
