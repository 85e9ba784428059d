#ifndef AGENT_CLOUD_H
#define AGENT_CLOUD_H
#include "agent/conf.h"
#include "agent/io.h"
#include "agent/peer.h"
#include "proto/ccp.h"

/* cloud.h - the policy cloud as a peer: one place that knows its URL, identity and headers. */
struct cloud {
    const struct conf_cloud *conf; /* borrowed */
    struct io_peer *io;            /* NULL: none is configured, the service only serves SCEP */
    struct peer *peer;
};

int cloud_open(
    struct cloud *c, const struct conf_cloud *conf, struct secrets *s, struct err *e) MUST;
void cloud_close(struct cloud *c);

/*
 * cloud_post - POST body to <url>/<path>; the answer is judged by the caller with ccp_judge, which
 * then tells cloud_told how it was.
 * activity  a GUID for both sides' logs
 */
struct op *cloud_post(struct cloud *c, const char *path, const char *activity, struct view body,
    unsigned timeout_ms, io_fn *fn, void *arg, struct err *e) MUST;

/* cloud_judge - transport failure, status and type in one; keeps the breaker informed. */
int cloud_judge(struct cloud *c, const struct result *r, struct err *e) MUST;

/* guid_new - a random GUID as text */
int guid_new(struct lib *l, char out[40], struct err *e) MUST;
#endif
