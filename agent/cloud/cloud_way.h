#ifndef AGENT_CLOUD_WAY_H
#define AGENT_CLOUD_WAY_H
#include "agent/cloud/connector.h"
#include "agent/conf/conf.h"

/*
 * cloud_way.h - one way of being known to the cloud: by what the configuration gives, by a connector's certificate,
 * or by tokens that its key fetches.
 *
 * A way outlives the moment in which another takes its place: messages under way are answered by it.  Only for
 * cloud.c and sign-in.
 */
struct cloud_way;

/* How a message of this way ended, before its sender hears of it; not for ways of the configuration. */
typedef void cloud_way_fn(void *arg, struct cloud_way *w, const struct result *r);

struct cloud_way_conf {
    const struct conf_cloud *cloud; /* borrowed until the way is gone, as are secrets and lib */
    struct secrets *secrets;
    struct lib *lib;
    const struct connector *who; /* copied; NULL: as the configuration says */
    cloud_way_fn *told;
    void *arg;
};
/* cloud_way_new - NULL: ERR_CONFIG, a file or the identity is not what it should be */
struct cloud_way *cloud_way_new(const struct cloud_way_conf *c, struct err *e) MUST;
/* cloud_way_free - after the last message, and not while it is being told of one.  NULL is fine
 * cloud_way_is_idle - no message is under way */
void cloud_way_free(struct cloud_way *w);
bool cloud_way_is_idle(const struct cloud_way *w);

struct io_peer *cloud_way_peer(const struct cloud_way *w);
const struct connector *cloud_way_who(const struct cloud_way *w); /* NULL: the configuration's */

/* cloud_way_post - with the identity, and the headers of CCP.  A token that is refused is fetched anew, once. */
struct op *cloud_way_post(struct cloud_way *w, const char *url, const char *activity,
    struct view body, unsigned timeout_ms, io_fn *fn, void *arg, struct err *e) MUST;
#endif
