#ifndef AGENT_HEALTH_H
#define AGENT_HEALTH_H
#include "agent/agent.h"

/*
 * health.h - is all well, and if not, what is the matter: one judgement for status, /ready and the metrics.
 *
 * Each cause names the part, the fact, and what somebody can do or wait for; `stops` tells that the service
 * cannot do its work meanwhile, which is what /ready is about.  One broken CA of several degrades; all of them stop.
 */
enum health { HEALTH_OK, HEALTH_DEGRADED, HEALTH_DOWN, HEALTH_STOPPED };

struct health_cause {
    const char *part, *name; /* "ca", "issuing1"; name "" = there is one only */
    bool stops;
    const struct err *why;
    int64_t since, next_try_at; /* 0 = not known */
};
typedef void health_fn(void *arg, const struct health_cause *c);

/* health_look - held: requests that wait for an administrator.  fn may be NULL */
enum health health_look(const struct agent *a, int64_t held, health_fn *fn, void *arg);
const char *health_name(enum health h); /* "ok", "degraded" (down, too), "stopped" */
void health_write_cause(void *json_out, const struct health_cause *c); /* a health_fn: one object */

/* health_certificates - the end of each certificate the service itself uses, that is known without asking anybody.
 * purpose: "connector" (our identity; else "cloud_client"), "ca_client", "scep_ra", "listener"; name: of the section.  A file that cannot be read is left
 * out: doctor says why. */
typedef void health_certificate_fn(
    void *arg, const char *purpose, const char *name, int64_t not_after_at);
void health_certificates(
    const struct agent *a, struct lib *l, health_certificate_fn *fn, void *arg);
#endif
