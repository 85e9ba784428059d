#ifndef AGENT_IO_PEER_H
#define AGENT_IO_PEER_H
#include <curl/curl.h>
#include "agent/base/io.h"
#include "agent/io/io_way.h"

/* io_peer.h - between io_peer.c (who we talk to, and with which credentials) and io_http.c. */

CURL *io_peer_get(
    struct io_peer *p, struct err *e) MUST;      /* an easy handle with the peer's settings */
void io_peer_put(struct io_peer *p, CURL *easy); /* give it back */

struct view io_peer_secret(const struct io_peer *p); /* what it shows; empty: nothing */

struct io_peer_limits { /* see struct io_peer_conf */
    bool plain_http, local;
    size_t url_max;
};
const struct io_peer_limits *io_peer_limits(const struct io_peer *p);

const struct io_way *io_peer_way(const struct io_peer *p);
/* io_peer_issuer - who issued the certificate that was not trusted last; "": none was seen.  Told once. */
void io_peer_issuer(struct io_peer *p, char out[IO_ISSUER_TEXT]);

/* io_http_allow - there is a peer that may have so many connections at once, or (negative) no longer.  A connection is 74 KiB of
 * buffers and a handshake: what is beyond waits for a free one. */
void io_http_allow(long connections);
#endif
