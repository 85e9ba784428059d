/*
 * see http.h
 *
 * An exchange is born with the first call of on_request and dies in on_completed.  In between it may be
 * suspended: by the handler (long poll) or to hold a ready answer back (delay).
 *
 * poll and not epoll: with epoll, libmicrohttpd 0.9.75 keeps trying a TLS handshake for as long as the
 * peer computes its part, which costs more than the handshake.
 */
#include "test/sandbox/http.h"
#include "test/sandbox/http_tls.h"
#include "test/sandbox/park.h"
#include "test/sandbox/sandbox.h"
#include <arpa/inet.h>
#include <errno.h>
#include <microhttpd.h>
#include <netinet/in.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

struct http {
    struct MHD_Daemon *daemon;
    struct sandbox *sandbox;
    http_fn *handler;
};

static struct exchange *exchange_new(
    struct http *h, struct MHD_Connection *c, const char *method, const char *url)
{
    struct exchange *x = need(calloc(1, sizeof *x));

    x->sandbox = h->sandbox;
    x->connection = c;
    x->method = method;
    x->path = x->path_copy = need_copy(url);
    x->reply.file = -1;
    x->reply.retry_after_s = -1;
    return x;
}

static void on_completed(
    void *cls, struct MHD_Connection *c, void **state, enum MHD_RequestTerminationCode why)
{
    struct exchange *x = *state;

    (void)cls;
    (void)c;
    (void)why;
    if (x == NULL)
        return;
    str_free(&x->body);
    str_free(&x->reply.body);
    if (x->reply.file >= 0)
        close(x->reply.file);
    free(x->path_copy);
    free(x);
    *state = NULL;
}

/* A body that stops before its length: the peer sees headers, some bytes, and the end of the line. */
struct half {
    struct str body;
    size_t cut_at;
};

static ssize_t read_half(void *cls, uint64_t at, char *to, size_t max)
{
    struct half *b = cls;
    size_t left = at < b->cut_at ? b->cut_at - (size_t)at : 0, n = left < max ? left : max;

    if (n == 0)
        return MHD_CONTENT_READER_END_WITH_ERROR;
    memcpy(to, b->body.p + at, n);
    return (ssize_t)n;
}

static void free_half(void *cls)
{
    struct half *b = cls;

    str_free(&b->body);
    free(b);
}

static struct MHD_Response *make_response(struct reply *r)
{
    struct MHD_Response *m;

    if (r->file >= 0) {
        off_t len = lseek(r->file, 0, SEEK_END);

        m = MHD_create_response_from_fd((uint64_t)(len < 0 ? 0 : len), r->file);
        r->file = -1;
    } else if (r->cut == CUT_BODY && r->cut_at < r->body.len) {
        struct half *b = need(malloc(sizeof *b));

        *b = (struct half){ r->body, r->cut_at };
        r->body = (struct str){ 0 };
        m = MHD_create_response_from_callback(b->body.len, 4096, read_half, b, free_half);
    } else {
        m = MHD_create_response_from_buffer(r->body.len, r->body.p, MHD_RESPMEM_MUST_FREE);
        r->body = (struct str){ 0 };
    }
    return need(m);
}

/* A clock that is wrong: libmicrohttpd writes no Date of its own beside ours. */
static void add_date(struct exchange *x, struct MHD_Response *m)
{
    int64_t by;
    time_t at;
    struct tm t;
    char text[40];

    if (!faults_standing(x->sandbox->faults, FAULT_DATE, &by))
        return;
    at = (time_t)(wall_s() + by);
    if (gmtime_r(&at, &t) != NULL
        && strftime(text, sizeof text, "%a, %d %b %Y %H:%M:%S GMT", &t) > 0)
        MHD_add_response_header(m, "Date", text);
}

static enum MHD_Result send_reply(struct exchange *x)
{
    struct reply *r = &x->reply;
    struct MHD_Response *m;
    char number[32];
    enum MHD_Result ok;

    if (r->cut == CUT_ALL)
        return MHD_NO;
    m = make_response(r);
    if (r->type != NULL)
        MHD_add_response_header(m, "Content-Type", r->type);
    if (r->location != NULL)
        MHD_add_response_header(m, "Location", r->location);
    if (r->authenticate != NULL)
        MHD_add_response_header(m, "WWW-Authenticate", r->authenticate);
    if (r->retry_after_s >= 0) {
        snprintf(number, sizeof number, "%lld", (long long)r->retry_after_s);
        MHD_add_response_header(m, "Retry-After", number);
    }
    add_date(x, m);
    ok = MHD_queue_response(x->connection, (unsigned)r->status, m);
    MHD_destroy_response(m);
    return ok;
}

static void suspend(struct exchange *x, int64_t until_ms, bool for_work)
{
    MHD_suspend_connection(x->connection);
    if (!park_add(x->sandbox->park, x, until_ms, for_work))
        MHD_resume_connection(x->connection); /* the sandbox stops: nothing waits any more */
}

static enum MHD_Result serve(struct http *h, struct exchange *x)
{
    if (x->reply.status == 0) {
        x->again_at_ms = 0;
        h->handler(x);
    }
    if (x->reply.status == 0 && x->again_at_ms != 0) {
        suspend(x, x->again_at_ms, true);
        return MHD_YES;
    }
    if (x->reply.status == 0)
        answer_text(x, 500, "The sandbox has no answer to this.\n");
    if (x->reply.delay_ms > 0 && !x->held) {
        x->held = true;
        suspend(x, clock_ms() + x->reply.delay_ms, false);
        return MHD_YES;
    }
    return send_reply(x);
}

static enum MHD_Result on_request(void *cls, struct MHD_Connection *c, const char *url,
    const char *method, const char *version, const char *data, size_t *len, void **state)
{
    struct http *h = cls;
    struct exchange *x = *state;

    (void)version;
    if (x == NULL) {
        *state = exchange_new(h, c, method, url);
        return MHD_YES;
    }
    if (*len > 0) {
        x->too_large = x->too_large || x->body.len + *len > BODY_MAX;
        if (!x->too_large)
            str_add(&x->body, data, *len);
        *len = 0;
        return MHD_YES;
    }
    if (x->started_at_ms == 0)
        x->started_at_ms = clock_ms();
    return serve(h, x);
}

void http_wake(void *exchange)
{
    struct exchange *x = exchange;

    MHD_resume_connection(x->connection);
}

static void on_log(void *cls, const char *fmt, va_list ap)
{
    (void)cls;
    (void)fmt;
    (void)ap; /* cut connections are what this server is for */
}

int http_listen(unsigned *port, char *why, size_t room)
{
    struct sockaddr_in at = { .sin_family = AF_INET, .sin_port = htons((uint16_t)*port) };
    socklen_t len = sizeof at;
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0), yes = 1;

    at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    if (fd >= 0 && setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes) == 0
        && bind(fd, (struct sockaddr *)&at, len) == 0 && listen(fd, 1024) == 0
        && getsockname(fd, (struct sockaddr *)&at, &len) == 0) {
        *port = ntohs(at.sin_port);
        return fd;
    }
    snprintf(why, room, "127.0.0.1:%u: %s", *port, strerror(errno));
    if (fd >= 0)
        close(fd);
    return -1;
}

struct http *http_start(struct sandbox *s, http_fn *handler, int fd, char *why, size_t room)
{
    struct http *h = need(calloc(1, sizeof *h));

    h->sandbox = s;
    h->handler = handler;
    h->daemon = MHD_start_daemon(
        MHD_USE_POLL_INTERNAL_THREAD | MHD_USE_TLS | MHD_ALLOW_SUSPEND_RESUME | MHD_USE_ERROR_LOG,
        0, NULL, NULL, on_request, h, MHD_OPTION_EXTERNAL_LOGGER, on_log, NULL,
        MHD_OPTION_LISTEN_SOCKET, fd, MHD_OPTION_HTTPS_MEM_CERT, s->setup.tls_server.p,
        MHD_OPTION_HTTPS_MEM_KEY, s->setup.tls_server_key.p, MHD_OPTION_HTTPS_MEM_TRUST,
        s->setup.tls_trust.p, MHD_OPTION_NOTIFY_COMPLETED, on_completed, NULL,
        MHD_OPTION_NOTIFY_CONNECTION, tls_on_connection, NULL, MHD_OPTION_CONNECTION_LIMIT, 2000u,
        MHD_OPTION_CONNECTION_TIMEOUT, 600u, MHD_OPTION_CONNECTION_MEMORY_LIMIT, (size_t)65536,
        MHD_OPTION_END);
    if (h->daemon == NULL) {
        snprintf(why, room, "the HTTPS server does not start");
        free(h);
        return NULL;
    }
    return h;
}

void http_stop(struct http *h)
{
    if (h == NULL)
        return;
    park_stop(h->sandbox->park);
    MHD_stop_daemon(h->daemon);
    free(h);
}

const char *http_header(struct exchange *x, const char *name)
{
    return MHD_lookup_connection_value(x->connection, MHD_HEADER_KIND, name);
}

const char *http_query(struct exchange *x, const char *name)
{
    return MHD_lookup_connection_value(x->connection, MHD_GET_ARGUMENT_KIND, name);
}

bool http_is(const struct exchange *x, const char *method, const char *path)
{
    return strcmp(x->method, method) == 0 && strcmp(x->path, path) == 0;
}

void answer(struct exchange *x, int status, const char *type)
{
    x->reply.status = status;
    x->reply.type = type;
    str_cut(&x->reply.body, 0);
}

void answer_text(struct exchange *x, int status, const char *text)
{
    answer(x, status, "text/plain; charset=utf-8");
    str_puts(&x->reply.body, text);
}
