#ifndef AGENT_CLOUD_H
#define AGENT_CLOUD_H
#include "agent/base/io.h"
#include "agent/cloud/cloud_way.h"
#include "agent/conf/conf.h"
#include "agent/io/peer.h"
#include "proto/ccp.h"

/*
 * cloud.h - the policy cloud as a peer: one place that knows its URL, identity and headers.
 *
 * With an identity for this cloud (connector.h) every message goes by it; without one by what the configuration
 * gives. A renewed identity that nothing has proved yet is tried by the heartbeat alone, and takes the place of the
 * old one with the first answer to it; if it is refused it is dropped. When the cloud refuses who we are, that is
 * said once, and requests wait: they are held, not failed.
 */
enum { CLOUD_OLD = 8 };
struct cloud {
    const struct conf_cloud *conf; /* borrowed */
    struct secrets *secrets;       /* borrowed; NULL: there is no identity to be found */
    struct lib *lib;               /* borrowed */
    struct io_peer *io;            /* NULL: none is configured, the service only serves SCEP */
    struct peer *peer;
    struct cloud_way *way, *next;     /* in use; renewed, not proved yet or NULL */
    struct cloud_way *old[CLOUD_OLD]; /* answers to them may be on their way */
    bool needs_sign_in;               /* who we are is refused, or cannot be read: why says it */
    bool came_back; /* it was, and is no more: held requests may go on (the agent's turn) */
    struct err why;
    int64_t refused_at;
};

/* cloud_open - secrets NULL: the configuration alone.  An identity that does not open is no failure: it needs a
 * sign-in, and SCEP is served all the same. */
int cloud_open(struct cloud *c, const struct conf_cloud *conf, struct secrets *s, struct lib *l,
    struct err *e) MUST;
void cloud_close(struct cloud *c);

/* cloud_reload - an administrator has signed in or out: messages go by what is kept now.  On failure all is as it was. */
int cloud_reload(struct cloud *c, struct err *e) MUST;
/* cloud_try_next - CONNECTOR_NEXT is kept: heartbeats try it.  returns 1, 0: there is none, -1 */
int cloud_try_next(struct cloud *c, struct err *e) MUST;

/* cloud_look - from time to time, not within a callback: has the certificate ended?  That needs a sign-in, whatever the
 * cloud says.  What is not used any more is freed. */
void cloud_look(struct cloud *c);

/* cloud_who - the identity in use; NULL: the configuration's certificate or token, or none.
 * cloud_agent_id - of it, or the configuration's; NULL: not known */
const struct connector *cloud_who(const struct cloud *c);
const char *cloud_agent_id(const struct cloud *c);
bool cloud_is_mine(
    const struct connector *who, const char *url); /* does it belong to this cloud? */

/*
 * cloud_post - POST body to <url>/<path>; the answer is judged by the caller with ccp_judge, which
 * then tells cloud_told how it was.
 * activity  a GUID for both sides' logs
 */
struct op *cloud_post(struct cloud *c, const char *path, const char *activity, struct view body,
    unsigned timeout_ms, io_fn *fn, void *arg, struct err *e) MUST;

/* cloud_judge - transport failure, status and type in one; keeps the breaker informed. */
int cloud_judge(struct cloud *c, const struct result *r, struct err *e) MUST;

/* cloud_time - a time that an answer names, by our clock: its Date says how far the two are apart.  0 stays 0. */
int64_t cloud_time(const struct result *r, int64_t at);

/* guid_new - a random GUID as text */
int guid_new(struct lib *l, char out[40], struct err *e) MUST;
#endif
