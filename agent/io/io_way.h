#ifndef AGENT_IO_WAY_H
#define AGENT_IO_WAY_H
#include <curl/curl.h>
#include "agent/base/io.h"
#include "agent/conf/proxy.h"

/*
 * io_way.h - between io_peer.c, io_http.c and the rule of proxy.h: the way of one transfer, and whose fault it is when
 * that fails before the destination was reached.
 *
 * curl is told the proxy of every transfer, "" for none: nothing it would find out for itself counts.
 */
struct io_login { /* for one proxy */
    struct buf user, password;
};

struct io_way {
    const struct conf *conf; /* NULL: straight */
    const char *own, *own_credential;
    char *trust;
    long auth;                      /* what curl calls the schemes that may be used */
    struct io_login section, other; /* proxy.credential, and own_credential */
};

/* io_way_open - copies what it needs but conf and its texts.  fails ERR_CONFIG: a credential; proxy.trust */
int io_way_open(struct io_way *w, const struct io_peer_conf *c, struct err *e) MUST;
void io_way_close(struct io_way *w); /* zeros are fine */

/* io_way_set - every option of the way; 0, or what curl refused */
unsigned io_way_set(const struct io_way *w, const struct proxy_way *way, CURL *c);

/*
 * io_way_failed - the transfer ended before its request could be sent: was that the way?
 *
 * destination: "host:port".  true: *e says what the proxy did, ERR_PROXY (somebody must do something), ERR_PROXY_DOWN,
 * or ERR_NET: it did its part, and the destination cannot be reached from there
 */
bool io_way_failed(const struct io_way *w, const struct proxy_way *way, CURL *c, CURLcode rc,
    const char *destination, const char *why, struct err *e);

/* io_schemes - "Basic, NTLM": what the answer's headers of this name offer, each once; "": nothing.  origin: CURLH_HEADER,
 * or CURLH_CONNECT for a proxy's, which says so again after each attempt */
void io_schemes(CURL *c, const char *header, unsigned origin, char *out, size_t size);

/* ---- io_issuer.c ---- */

/* io_issuer_watch - who issued the certificate that curl's TLS does not trust?  Written to *out, which outlives every
 * connection of c, "CN=..."; "" at first.  0, or what curl refused */
enum { IO_ISSUER_TEXT = 100 };
unsigned io_issuer_watch(CURL *c, char out[IO_ISSUER_TEXT]);
#endif
