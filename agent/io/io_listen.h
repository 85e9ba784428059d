#ifndef AGENT_IO_LISTEN_H
#define AGENT_IO_LISTEN_H
#include "agent/base/io.h"
#include "proto/http1.h"

/*
 * io_listen.h - the HTTP and HTTPS server: sockets by libuv, TLS by OpenSSL, requests by proto/http1.h.
 *
 * Strangers reach this.  So every connection has deadlines (a request must be whole request_s after its first
 * byte, or the connection's; a response must be taken in as long), there is a cap on connections, one on those
 * of an address (the /64 of IPv6; not for trusted proxies), one on the bytes each may hold, and what is over a
 * cap is answered 503 or just closed.  An idle connection makes way for a new one.
 * A listener that cannot accept (no descriptors) pauses and goes on.
 *
 * TLS 1.2 and later; one or two certificates (RSA and EC side by side); never asks for a client certificate;
 * session tickets so that devices that come back are cheap; no renegotiation, no compression.
 */
enum { IO_LISTEN_CERTS_MAX = 2, IO_LISTEN_PROXIES_MAX = 16 };

struct io_listen_conf { /* strings are copied */
    const char *name;   /* for messages: the section's title */
    const char *
        address; /* "192.0.2.1:80", "[::]:443", "0.0.0.0:0", or "systemd:NAME": the socket the service
                            manager passed under that name (LISTEN_FDS, LISTEN_FDNAMES) */
    const char *certificate_file[IO_LISTEN_CERTS_MAX]; /* PEM chain, leaf first; none: plain HTTP */
    const char *key_file[IO_LISTEN_CERTS_MAX];         /* PEM, readable by us alone */
    const char *trusted_proxy
        [IO_LISTEN_PROXIES_MAX]; /* "10.0.0.0/8", "::1"; whose X-Forwarded-For counts */
    unsigned connections_max, connections_per_address;
    unsigned request_s, idle_s; /* seconds */
    size_t body_max;
};

struct io_listen;
struct io_exchange; /* one request that waits for its answer */

/* fn gets a request; it must be answered once, now or later, with io_answer.  q is valid during the call.
 * remote: the client's address as text, the one a trusted proxy names if it came through one. */
typedef void io_request_fn(
    void *arg, struct io_exchange *x, const struct http1_request *q, const char *remote);

/* io_listen_open - fails ERR_CONFIG (address, files: all named), ERR_NET (in use, not allowed) */
struct io_listen *io_listen_open(
    const struct io_listen_conf *c, io_request_fn *fn, void *arg, struct err *e) MUST;
/* io_listen_check - would it open?  Reads the files, opens no socket. */
int io_listen_check(const struct io_listen_conf *c, struct err *e) MUST;
/* io_listen_reload - read certificates and keys again; on failure the old ones stay. */
int io_listen_reload(struct io_listen *l, struct err *e) MUST;
void io_listen_stop(struct io_listen *l); /* accept no more; those there are finished */
void io_listen_close(
    struct io_listen *l); /* closes everything; unanswered exchanges are gone (see below) */
unsigned io_listen_port(const struct io_listen *l);
bool io_listen_is_tls(const struct io_listen *l);
size_t io_listen_connections(const struct io_listen *l);
int64_t io_listen_expires_at(
    const struct io_listen *l); /* soonest end of a server certificate; 0 = plain */

/* io_answer - send it; x is gone afterwards.  Body and extra are copied. */
void io_answer(struct io_exchange *x, const struct http1_answer *a);
/* io_on_gone - fn(arg) if the client goes away, or the listener is closed, before it is answered; x is gone then.
 * Call it before the request function returns.  NULL, or not called: nobody wants to know, and io_answer must
 * be called even so.  A client that only ended its sending still waits for its answer: it is not gone. */
void io_on_gone(struct io_exchange *x, void (*fn)(void *arg), void *arg);
#endif
