#ifndef SANDBOX_HTTP_H
#define SANDBOX_HTTP_H
#include "test/sandbox/fault.h"
#include "test/sandbox/text.h"

/*
 * http.h - one request and its answer; the door to libmicrohttpd and GnuTLS.
 *
 * The handler (route.c) is called on the serving thread when a request is there in full.  It fills
 * `reply`, or sets `again_at_ms`: then it is called again at that time, or earlier when work has come.
 */
enum { BODY_MAX = 5 << 20 };

enum cut {
    CUT_NOT,
    CUT_ALL,  /* close without a byte of an answer */
    CUT_BODY, /* close after cut_at bytes of the body */
};

struct reply {
    int status; /* 0: not filled yet */
    const char *type;
    struct str body;
    int file; /* >= 0: send this file instead of body; closed afterwards */
    const char *location;
    const char *authenticate;
    int64_t retry_after_s; /* -1: none */
    enum cut cut;
    size_t cut_at;
    int64_t delay_ms;
};

struct MHD_Connection;
struct exchange {
    struct sandbox *sandbox;
    struct MHD_Connection *connection;
    const char *method, *path; /* path without query */
    struct str body;
    bool too_large;
    int64_t started_at_ms; /* clock_ms() when it was there in full */
    int64_t again_at_ms;   /* 0: not parked */
    char *path_copy;
    bool held; /* for the delay; now it may go */
    bool journalled;
    struct hit hit;
    struct agent *agent; /* with --sign-in: who calls, once that is known */
    struct reply reply;
};

struct http;
struct sandbox;
typedef void http_fn(struct exchange *x);

/* http_listen - on 127.0.0.1; *port 0 becomes the one that was free.  -1: `why` */
int http_listen(unsigned *port, char *why, size_t room);
/* http_start - serve there; the descriptor is taken over.  NULL: `why`, and it is not */
struct http *http_start(struct sandbox *s, http_fn *handler, int fd, char *why, size_t room);
void http_stop(struct http *h);
void http_wake(void *exchange); /* the park_fn */

const char *http_header(struct exchange *x, const char *name); /* NULL: absent */
const char *http_query(struct exchange *x, const char *name);  /* NULL: absent */
bool http_is(const struct exchange *x, const char *method, const char *path);
bool http_loopback(struct exchange *x);
bool http_peer_gone(struct exchange *x);
bool http_client_certificate(struct exchange *x); /* one that our TLS root signed */
/* http_client_der - the certificate the peer showed and has the key of, whoever signed it; false: none */
bool http_client_der(struct exchange *x, struct str *out);
bool http_basic(
    struct exchange *x, const struct str *login); /* Basic credentials equal "user:password" */
bool http_bearer(struct exchange *x, const struct str *token);

/* Answers. */
void answer(
    struct exchange *x, int status, const char *type); /* the body is then written by the caller */
void answer_text(struct exchange *x, int status, const char *text);
#endif
