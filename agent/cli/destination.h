#ifndef AGENT_DESTINATION_H
#define AGENT_DESTINATION_H
#include "agent/conf/conf.h"
#include "agent/conf/proxy.h"
#include "proto/json.h"

/*
 * destination.h - every place that the configuration sends requests to, the way to it, and whether that works.  For
 * commands about the way out; the service finds the way of each transfer by itself, by the same rule.
 */
enum { DESTINATIONS_MAX = 256 };

struct destination {
    char name[160]; /* "cloud", "ca "issuing1"", "plugin "hook".url" */
    char url[512];
    const char *own, *own_credential, *trust, *certificate, *key; /* of the configuration */
    char host[256];                                               /* lower case, without brackets */
    unsigned port;
    struct proxy_way way;
    const char *credential; /* what the proxy gets; NULL: nothing */

    /* destination_try */
    bool tried, works;
    int status; /* of the answer; 0: none was needed to see that the way is open */
    int64_t ms;
    struct err why; /* without a way, or why it does not work; else ERR_NONE */
};

/* destination_list - cloud, CAs, URLs among the settings of plugins; returns how many.  A way that cannot be found is
 * said in why. */
size_t destination_list(const struct conf *c, struct destination out[DESTINATIONS_MAX]);
/* destination_of - one that somebody names.  fails ERR_INPUT: no https URL; ERR_CONFIG: the settings */
int destination_of(
    const struct conf *c, const char *url, struct destination *out, struct err *e) MUST;

/* destination_try - ask it for anything, as the service would reach it; no credential of the destination's goes out.
 * Any answer will do.  Runs the loop.  s: for the proxy's credential */
void destination_try(const struct conf *c, struct secrets *s, struct destination *d);

/* destination_fix - what to do about d->why */
void destination_fix(const struct destination *d, char *out, size_t size);
/* destination_json - members of the object that is open */
void destination_json(const struct destination *d, struct json_out *o);
#endif
