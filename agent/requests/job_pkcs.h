#ifndef AGENT_JOB_PKCS_H
#define AGENT_JOB_PKCS_H
#include "agent/requests/job.h"

/* job_pkcs.h - a certificate for a device whose key we make: pkcsIssue of CCP/1.  DESIGN.md has the
 * table of steps with what a crash before and after each one leaves. */
extern const struct job_kind job_pkcs;

/* job_pkcs_policy - may this item be worked on with this configuration?  Before a key is made.
 * fails ERR_INPUT, ERR_TEMPLATE, ERR_UNSUPPORTED; ERR_CONFIG if the CA is not configured */
struct ccp_item;
int job_pkcs_policy(const struct agent *a, const struct ccp_item *item, struct err *e) MUST;
#endif
