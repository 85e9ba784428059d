#ifndef PROTO_HTTP1_H
#define PROTO_HTTP1_H
#include "certs/buf.h"

/*
 * http1.h - HTTP/1.0 and 1.1 as a server reads it (RFC 9112); the one door to llhttp.
 *
 * Bytes go in as they arrive; one finished request at a time comes out.  Stricter than it must be where
 * leniency lets two readers disagree: both Content-Length and Transfer-Encoding, two lengths, folded
 * headers, a bare CR or LF inside one, transfer codings besides "chunked", chunk extensions, trailers, a version besides 1.0 and 1.1,
 * are refused and the connection closed.  More lenient where real devices are: no Host header (strongSwan), any or no
 * Content-Type, Expect: 100-continue, absolute-form targets.
 *
 * Threads: pure.
 */
enum { HTTP1_TARGET_MAX = 96 << 10, HTTP1_HEADERS_MAX = 32 << 10 };

struct http1_limits {
    size_t body_max; /* bytes; longer: 413 before it is read */
};

struct http1_request {  /* borrowed from the reader until the next http1_read or http1_free */
    const char *method; /* "GET", "POST", "HEAD"; others as sent */
    struct view path;   /* raw, before '?', still percent-encoded */
    struct view query;  /* raw, after the first '?'; may be empty */
    const char *authorization; /* header values, "" if absent; of several the request is refused */
    const char *forwarded_for; /* X-Forwarded-For, all of them joined by ", " */
    const char *user_agent;
    struct view body;
    bool keep_alive; /* what the client wants after this */
    bool http10;
};

struct http1;
struct http1 *http1_new(const struct http1_limits *lim) MUST; /* aborts only when memory is out */
void http1_free(struct http1 *h);

enum http1_state {
    HTTP1_MORE,     /* give it more bytes */
    HTTP1_CONTINUE, /* the same, but the client waits for "100 Continue" first; said once */
    HTTP1_REQUEST,  /* *out is a whole request; bytes behind it are kept for the next call */
    HTTP1_BAD, /* answer `status` and close: 400, 413, 414, 431, 501, 505; 503 without memory */
};

/* http1_read - in may be empty: go on with what was kept.  After HTTP1_REQUEST call it again only when
 * that request has been answered. */
enum http1_state http1_read(
    struct http1 *h, struct view in, struct http1_request *out, int *status);

bool http1_idle(const struct http1 *h); /* between requests, nothing of a next one has come */

struct http1_answer {
    int status;
    const char *type; /* media type without parameters; NULL = no body */
    struct view body;
    bool close;        /* Connection: close */
    bool head;         /* send no body, but its length */
    const char *extra; /* one more header line without CR LF, e.g. "Retry-After: 5"; NULL = none */
};
/* http1_write - the whole response: Content-Length always, never chunked, no Server header, never to be
 * cached.  A status below 200 ("100 Continue") is its status line alone.  A type or an extra line with a
 * control character in it is left out. */
void http1_write(struct buf *out, const struct http1_answer *a);
#endif
