#ifndef PROTO_HTTP_H
#define PROTO_HTTP_H
#include "certs/buf.h"

/*
 * http.h - an HTTP request as a description, and what an answer means (RFC 9110).
 *
 * Nothing here waits or opens a socket: whoever speaks a protocol over HTTP fills in a struct
 * http_req, agent/base/io.h carries it out, and http_judge() sorts every answer into the classes of err.h
 * in one place, so that a redirect or a proxy's page is the same thing to every protocol.
 */
enum { HTTP_HEADER_MAX = 12 };

struct http_header {
    const char *name, *value; /* value without CR or LF, see http_header_ok */
};

/* All pointers are borrowed until the request was handed to io_http, which copies what it keeps. */
struct http_req {
    const char *method; /* "GET", "POST" */
    const char *url;    /* absolute, https; http only where the peer allows it */
    struct http_header header[HTTP_HEADER_MAX];
    size_t header_count;
    struct view body;
    size_t max_reply;    /* bytes; a longer answer is ERR_TOO_LARGE */
    unsigned timeout_ms; /* whole transfer; 0 is not allowed */
};

/* An answer.  Borrowed: valid during the callback only. */
struct http_reply {
    int status;
    struct view body;
    const char *content_type; /* as sent, "" if absent */
    const char *location;     /* "" if absent */
    const char *authenticate; /* the WWW-Authenticate schemes, "Basic, Negotiate"; "" if absent */
    int64_t retry_after_s;    /* clamped, see http_retry_after; -1 = absent or nonsense */
    int64_t date;             /* Date header, UTC seconds; 0 = absent */
};

/*
 * http_judge - is this a usable answer?
 *
 * types    media types that are ours, NULL-ended, compared without parameters and case; NULL = any
 * returns  0 for 2xx with one of the types (any type for an empty body), else -1 and
 *          ERR_CONFIG      3xx (never followed; the message names the target's host)
 *          ERR_AUTH 401, ERR_FORBIDDEN 403, ERR_PROXY 407, ERR_GONE 404 and 410, ERR_CONFLICT 409,
 *          ERR_TOO_LARGE   413, 414, 431
 *          ERR_BUSY        429, 503
 *          ERR_NET         other 5xx, 408
 *          ERR_INTERCEPTED 2xx with another media type: a captive portal or a proxy's page
 *          ERR_INPUT       other 4xx
 *          e->number is the status
 */
int http_judge(const struct http_reply *r, const char *const *types, struct err *e) MUST;

/* http_type_is - does a Content-Type name this media type, parameters and case aside? */
bool http_type_is(const char *content_type, const char *type);

/*
 * http_retry_after - seconds to wait from a Retry-After value: delay-seconds, or an HTTP-date measured
 * against the server's own Date (server_date, 0 = unknown: then `now`).  Clamped to 1..3600.
 * Returns -1 for anything that is neither.
 */
int64_t http_retry_after(const char *value, int64_t server_date, int64_t now);

/* http_date - IMF-fixdate, RFC 850 or asctime form (RFC 9110 5.6.7), UTC seconds; 0 = not a date. */
int64_t http_date(const char *value);

bool http_header_ok(const char *value); /* no control characters but HTAB */

/* http_add_form - append "name=value" percent-encoded, with '&' before it unless out is empty. */
void http_add_form(struct buf *out, const char *name, struct view value);

/* http_add_encoded - append the value alone, percent-encoded. */
void http_add_encoded(struct buf *out, struct view value);

/*
 * http_url_ok - an absolute https URL with a host, without userinfo, fragment, spaces or controls.
 * fails ERR_INPUT: the message says which
 */
int http_url_ok(const char *url, struct err *e) MUST;

/* http_url_check - the same with a limit of its own, and with http:// allowed if `plain`: SCEP protects its
 * messages itself, and a message sent by GET is kilobytes of URL. */
int http_url_check(const char *url, bool plain, size_t max, struct err *e) MUST;

/* http_url_join - base (with or without trailing '/') + path, appended to out. */
void http_url_join(struct buf *out, const char *base, const char *path);
#endif
