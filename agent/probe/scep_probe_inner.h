#ifndef AGENT_SCEP_PROBE_INNER_H
#define AGENT_SCEP_PROBE_INNER_H
#include "agent/probe/scep_probe.h"

/* scep_probe_inner.h - between scep_probe.c (the order of the stages), scep_probe_look.c and scep_probe_enrol.c. */
typedef int scep_begin_fn(
    struct scep_probe *p, io_fn *fn, struct err *e); /* 0: p->op will call fn */
typedef void scep_judge_fn(struct scep_probe *p, const struct http_reply *r,
    struct finding *f); /* r: NULL without begin */

scep_begin_fn probe_ask_bare, probe_ask_caps, probe_ask_certs, probe_ask_next, probe_ask_long,
    probe_ask_longer, probe_send;
scep_judge_fn probe_judge_bare, probe_judge_caps, probe_judge_certs, probe_judge_next,
    probe_judge_long, probe_make_request, probe_judge_send, probe_judge_reply, probe_judge_verdict,
    probe_judge_issued;

bool probe_answered(const struct http_reply *r, const char *const *types, struct finding *f);
bool probe_polls(struct scep_probe *p); /* pending, and there is time to ask again */
#endif
