#ifndef AGENT_CONTROL_RA_H
#define AGENT_CONTROL_RA_H
#include "agent/agent.h"
#include "proto/json.h"

/*
 * control_ra.h - the commands about registration authorities, see control.h.
 *
 * report_ra       ra.show {endpoint}: {"endpoints": [{endpoint, ca, source "file" or "enrolled", inUse, renewsAt,
 *                 renewalAsked, signing, encryption, previous [certificate ...], enrolling [request ...]}]}; a certificate
 *                 is {subject, issuer, serialNumber, sha1, sha256, notBefore, notAfter, daysLeft}.  Without a
 *                 service: what is in the store, or in the files of the configuration.
 * control_renew_ra  ra.renew {endpoint}: the same, of this endpoint.  Without a service: when one starts.
 *
 * fails    ERR_GONE no such endpoint; ERR_CONFLICT (renew) its certificates are from files; ERR_STORE
 */
int report_ra(struct agent *a, const struct json *q, struct json_out *o, struct err *e) MUST;
int control_renew_ra(struct agent *a, const struct json *q, struct json_out *o, struct err *e) MUST;
#endif
