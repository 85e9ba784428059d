#ifndef AGENT_METRICS_REPORT_H
#define AGENT_METRICS_REPORT_H
#include "agent/agent.h"

/*
 * metrics_report.h - what monitoring reads: every family of metrics.h with its values now; and the two questions of a
 * load balancer, at the address metrics.listen.
 *
 *   GET /metrics   OpenMetrics 1.0
 *   GET /ready     200, or 503 while the service cannot do its work; a JSON object that says why, both times
 *   GET /healthz   200 as long as the loop turns; nothing else is looked at
 *
 * Nothing here is secret, but names of CAs and endpoints are: the address should be one that only monitoring reaches.
 */
/* metrics_write - from a running service, or from a store alone.  fails ERR_STORE */
int metrics_write(struct agent *a, struct buf *to, struct err *e) MUST;
int metrics_ready(struct agent *a, struct buf *json, bool *ready, struct err *e) MUST;

struct metrics_server;
/* metrics_listen - NULL in *out: no address is configured.  fails ERR_CONFIG, ERR_NET */
int metrics_listen(struct agent *a, struct metrics_server **out, struct err *e) MUST;
unsigned metrics_port(const struct metrics_server *s); /* 0: none */
void metrics_close(struct metrics_server *s);          /* NULL is fine */
#endif
