#ifndef TEST_LIVE_FETCH_H
#define TEST_LIVE_FETCH_H
/* fetch.h - requests through io.h to a server of tls_server.h, and what became of each. */
#include <signal.h>
#include "agent/base/io.h"
#include "test/live/tls_server.h"

struct fetch {
    struct op *op;
    int calls;
    bool failed, sent;
    struct err err;
    int status;
    char type[100], location[200], authenticate[200];
    int64_t retry_after_s, date;
    struct view body; /* valid until the next answer */
    bool started;     /* set once io_http has returned */
};

static struct server server;
static struct tls_certs certs;
static struct io_peer *peer;
static struct buf fetch_body = BUF_INIT(1 << 20);

static inline void fetched(void *arg, const struct result *r)
{
    struct fetch *f = arg;

    assert_true(f->started); /* never before io_http returns */
    f->op = NULL;
    f->calls++;
    f->sent = r->sent;
    if ((f->failed = r->err != NULL)) {
        assert_null(r->http);
        f->err = *r->err;
        return;
    }
    f->status = r->http->status;
    (void)snprintf(f->type, sizeof f->type, "%s", r->http->content_type);
    (void)snprintf(f->location, sizeof f->location, "%s", r->http->location);
    (void)snprintf(f->authenticate, sizeof f->authenticate, "%s", r->http->authenticate);
    f->retry_after_s = r->http->retry_after_s;
    f->date = r->http->date;
    buf_reset(&fetch_body);
    buf_add_view(&fetch_body, r->http->body);
    f->body = buf_view(&fetch_body);
}

static inline struct http_req fetch_get(const char *url)
{
    return (
        struct http_req){ .method = "GET", .url = url, .max_reply = 100000, .timeout_ms = 10000 };
}

/* Start one; the caller runs the loop. */
static inline void fetch_start(struct fetch *f, struct io_peer *p, const struct http_req *q)
{
    struct err e = { 0 };

    *f = (struct fetch){ 0 };
    f->op = io_http(p, q, fetched, f, &e);
    if (f->op == NULL)
        fail_msg("io_http: %s %s", err_name(e.cls), e.msg);
    f->started = true;
}

/* Start one and wait for its end; the loop ends by itself when nothing is under way. */
static inline void fetch(struct fetch *f, struct io_peer *p, const struct http_req *q)
{
    fetch_start(f, p, q);
    io_run();
    assert_int_equal(f->calls, 1);
}

static inline void fetch_body_is(const struct fetch *f, const char *text)
{
    if (!view_equal(f->body, view_text(text)))
        fail_msg("body \"%.*s\", not \"%s\"", (int)f->body.len, (const char *)f->body.p, text);
}

static inline void fetch_path(struct fetch *f, const char *path)
{
    struct http_req q = fetch_get(server_url(&server, path));

    fetch(f, peer, &q);
}

static inline struct io_peer *peer_with(struct io_peer_conf c)
{
    struct err e = { 0 };
    struct io_peer *p;

    if (c.name == NULL)
        c.name = "issuing1";
    if (c.trust_file == NULL)
        c.trust_file = dir_path("root.pem");
    if (c.connections_max == 0)
        c.connections_max = 8;
    if ((p = io_peer_new(&c, &e)) == NULL)
        fail_msg("io_peer_new: %s", e.msg);
    return p;
}

/* Certificates, a server, a loop and a peer that trusts the server. */
static inline int fetch_begin(const struct server_answer *answers)
{
    struct err e = { 0 };

    (void)signal(SIGPIPE, SIG_IGN); /* for the server; the loop has to see to itself */
    if (dir_make(NULL) != 0)
        return -1;
    tls_certs_make(&certs);
    server_start(&server, answers, certs.server, certs.key);
    if (io_open(1, &e) != 0)
        return -1;
    peer = peer_with((struct io_peer_conf){ .http1 = true });
    return 0;
}

static inline int fetch_end(void)
{
    io_peer_free(peer);
    peer = NULL;
    buf_free(&fetch_body);
    io_close(); /* aborts if a handle was leaked */
    server_stop(&server);
    tls_certs_free(&certs);
    return dir_remove(NULL);
}
#endif
