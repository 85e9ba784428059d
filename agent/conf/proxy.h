#ifndef AGENT_PROXY_H
#define AGENT_PROXY_H
#include "agent/conf/conf.h"
#include "certs/buf.h"

/*
 * proxy.h - which way a request goes: the one rule, for the service, for commands, and for what they print.
 *
 * conf.proxy.url   "none"; "http://host:3128", "https://...", "socks5://..." (names are resolved by the proxy);
 *                  "host:3128" is read as http; "auto": what the environment of the service says: https_proxy,
 *                  HTTPS_PROXY, all_proxy, ALL_PROXY, no_proxy, NO_PROXY; lower case wins; never HTTP_PROXY.
 *                  No user or password in it: those are proxy.credential.
 * conf.proxy.no_proxy   each: a host name (it and what is below it), the same with a leading dot, an address, a range
 *                  in CIDR, any of these with :port, or "*".  No other wildcard.  Addresses and ranges are compared
 *                  with destinations that are written as addresses: nothing is resolved to find the way.
 * Section cloud and each section ca may name another way: proxy = "none" or a URL; "" is section proxy's.  What stands
 * there is not asked whether no_proxy covers it: it was said for this destination alone.
 *
 * A proxy's credential goes to that proxy only: connections are pooled by (proxy, credential).
 *
 * Threads: pure; the environment is only read.
 */
struct proxy_way {
    char url[300]; /* "" = straight to the destination; else scheme://host:port */
    char why
        [160]; /* for people: "no_proxy: .corp.example", "proxy.url", "cloud.proxy", "https_proxy of the environment" */
};

/* proxy_way - own: the section's own setting, NULL or "" = none.  host: lower case, no brackets; port of the
 * destination.  fails ERR_CONFIG: a setting that cannot be meant */
int proxy_way(const struct conf *c, const char *own, const char *host, unsigned port,
    struct proxy_way *out, struct err *e) MUST;

/*
 * proxy_credential - which credential this way takes, as secret_read wants it; NULL: none.
 *
 * own_credential is that of the section's own setting.  proxy.credential is section proxy's: where another section
 * names another proxy it does not go there.
 */
const char *proxy_credential(
    const struct conf *c, const char *own, const char *own_credential, const struct proxy_way *way);

/* proxy_normalize - "host:3128" to "http://host:3128"; `note` gets what was assumed, or "".  fails ERR_CONFIG: what is
 * wrong with it and what was meant; user and password in it are refused, and not repeated in the message. */
int proxy_normalize(
    const char *text, char *out, size_t size, char *note, size_t note_size, struct err *e) MUST;

/* proxy_no - does one entry of no_proxy cover this destination?  One that is no entry covers nothing. */
bool proxy_no(const char *entry, const char *host, unsigned port);
/* proxy_no_check - is it one?  fails ERR_CONFIG: what was meant */
int proxy_no_check(const char *entry, struct err *e) MUST;

/* proxy_conflict - "https_proxy and HTTPS_PROXY of the environment differ"; NULL: no two do. */
const char *proxy_conflict(void);
#endif
