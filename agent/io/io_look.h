#ifndef AGENT_IO_LOOK_H
#define AGENT_IO_LOOK_H
#include <netinet/in.h>
#include "agent/base/io.h"

/*
 * io_look.h - one host looked at from below: its addresses, a connection to each, the proxy before it, its TLS.  For
 * doctor, which has to say which of these is broken; what the service does with a peer is io_http's.
 *
 * No credential of ours is sent to the host, and nothing it answers is believed: a handshake that does not verify is made
 * again without verification, to see whose certificate it is and what time the host thinks it is.  A proxy gets its
 * own credential, as it does from io_http.
 *
 * io_look blocks, within its limits: for worker threads (io_work) of a command.
 */
enum { IO_LOOK_ADDRESSES = 8, IO_LOOK_TCP_MS = 4000, IO_LOOK_HTTP_MS = 6000 };

enum io_look_tls {
    IO_TLS_NONE,    /* not looked at: see http_why */
    IO_TLS_OK,      /* it verifies */
    IO_TLS_NO_TLS,  /* no handshake: http_why */
    IO_TLS_ISSUER,  /* no path to a trusted root */
    IO_TLS_NAME,    /* for other names */
    IO_TLS_EXPIRED, /* over, a certificate of the path perhaps */
    IO_TLS_NOT_YET, /* not valid yet */
    IO_TLS_REFUSED, /* another reason: http_why */
};

struct io_look_address {
    char text[INET6_ADDRSTRLEN];
    bool v6, ok;
    int64_t ms;   /* to connect */
    char why[80]; /* if not ok */
};

struct io_look {
    /* in; borrowed */
    const char *host; /* no brackets */
    unsigned port;
    bool tls;                             /* https; else a connection is all there is to see */
    const char *trust;                    /* PEM anchors; NULL = the system's */
    const char *certificate, *key;        /* PEM files shown if the host asks; NULL = none */
    struct view certificate_pem, key_pem; /* or both in memory; SECRET */
    const char *proxy;                    /* "" = straight; else scheme://host:port */
    const char *proxy_host;               /* of it */
    unsigned proxy_port;
    const char *proxy_auth;       /* "any", "basic", "digest", "ntlm", "negotiate" */
    const char *proxy_credential; /* "user:password", SECRET; NULL = none */
    const char *proxy_trust;      /* PEM anchors of an https proxy; NULL = the system's */

    /* out: of the host, or of the proxy if there is one */
    struct io_look_address address[IO_LOOK_ADDRESSES];
    size_t count;
    int64_t dns_ms;
    char dns_why[120]; /* "" = it resolves */
    bool dns_silent;   /* no name server answers */
    bool connects;     /* to one of the addresses at least */

    /* out: through the proxy, TLS, and one HEAD of / */
    int64_t tls_ms;
    long proxy_status;      /* of the answer to CONNECT; 0 = none */
    bool proxy_failed;      /* http_why says how */
    char proxy_offers[120]; /* schemes of a 407 */
    enum io_look_tls verdict;
    char version[60];           /* "TLSv1.3" */
    char http_why[200];         /* curl's words */
    struct buf chain;           /* DER, leaf first; the caller frees it */
    int64_t date, date_seen_at; /* its Date, and our clock then; 0 = none */
};

/* io_look - fills the out members; what could not be looked at stays 0. */
void io_look(struct lib *l, struct io_look *k);

/* io_look_hasty - before the first look, and before any thread: names are given up after a few seconds. */
void io_look_hasty(void);

/* io_look_ms - milliseconds now, for durations; any thread.  (io_now_ms stands still during a turn of the loop.) */
uint64_t io_look_ms(void);

/* io_look_curl - the version of libcurl in use, "7.88.1" */
const char *io_look_curl(void);
#endif
