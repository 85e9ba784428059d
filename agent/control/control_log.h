#ifndef AGENT_CONTROL_LOG_H
#define AGENT_CONTROL_LOG_H
#include "agent/agent.h"
#include "proto/json.h"

/*
 * control_log.h - the log level of the running service, another than log.level for a while: until it is set again, until
 * the time that was given is over, or until the service begins anew.
 *
 * control_log_level  log.level {level, for_s}: for_s 0 = no end.  fails ERR_INPUT: there is no such level
 * control_log_report member "log" of status: level, configured, until
 */
enum { CONTROL_LOG_MOST_S = 7 * 86400 };
int control_log_level(
    struct agent *a, const struct json *q, struct json_out *o, struct err *e) MUST;
void control_log_report(const struct agent *a, struct json_out *o);
#endif
