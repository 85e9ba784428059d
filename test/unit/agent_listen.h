#ifndef TEST_UNIT_AGENT_LISTEN_H
#define TEST_UNIT_AGENT_LISTEN_H
/*
 * agent_listen.h - a listener and its clients in one thread: real sockets on 127.0.0.1, the loop runs while a
 * client waits.
 *
 * Paths decide what the service does: /hold keeps the exchange in held[], /big answers 16 MiB, /close says so,
 * others are answered at once with "METHOD path#n body-length remote".
 */
#include "test/t.h"
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <openssl/ssl.h>
#include <sys/socket.h>
#include "agent/io/io_listen.h"
#include "agent/io/io_uv.h"
#include "test/unit/agent_dir.h"

enum { HELD_MAX = 64, BIG = 16 << 20 /* more than the kernel buffers */ };

static struct io_listen *listening;
static struct io_exchange *held[HELD_MAX];
static size_t held_count, asked, gone;
static size_t query_len, body_len;

static inline void listen_answer(struct io_exchange *x, const char *text)
{
    io_answer(
        x, &(struct http1_answer){ .status = 200, .type = "text/plain", .body = view_text(text) });
}

static inline void on_request(
    void *arg, struct io_exchange *x, const struct http1_request *q, const char *remote)
{
    static uint8_t big[BIG];
    struct http1_answer a = { .status = 200, .type = "text/plain", .body = view_of(big, BIG) };
    char text[400];

    assert_ptr_equal(arg, &asked);
    if (big[0] == 0)
        memset(big, 'b', sizeof big);
    query_len = q->query.len;
    body_len = q->body.len;
    (void)snprintf(text, sizeof text, "%s %.*s#%zu %zu %s", q->method, (int)q->path.len,
        (const char *)q->path.p, ++asked, q->body.len, remote);
    if (view_equal(q->path, view_text("/hold"))) {
        assert_true(held_count < HELD_MAX);
        held[held_count++] = x;
        return;
    }
    if (!view_equal(q->path, view_text("/big")))
        a.body = view_text(text);
    a.close = view_equal(q->path, view_text("/close"));
    io_answer(x, &a);
}

static inline void on_gone(void *arg)
{
    ++*(size_t *)arg;
}

static inline struct io_listen_conf listen_conf(void)
{
    return (struct io_listen_conf){ .name = "devices",
        .address = "127.0.0.1:0",
        .connections_max = 40,
        .connections_per_address = 40,
        .request_s = 20,
        .idle_s = 20,
        .body_max = 100000 };
}

static inline void listen_with(struct io_listen_conf c)
{
    struct err e;

    listening = io_listen_open(&c, on_request, &asked, &e);
    if (listening == NULL)
        fail_msg("%s", e.msg);
}

static inline int listen_begin(void **state)
{
    held_count = asked = gone = 0;
    listening = NULL;
    return dir_make(state) == 0 && io_open(1, &(struct err){ 0 }) == 0 ? 0 : -1;
}

static inline int listen_end(void **state)
{
    io_listen_close(listening);
    io_close(); /* aborts if a handle was leaked */
    return dir_remove(state);
}

#define LISTEN_TEST(fn) cmocka_unit_test_setup_teardown(fn, listen_begin, listen_end)

static inline void on_time(void *arg, const struct result *r)
{
    (void)arg;
    (void)r;
    io_stop();
}

static inline void run_for(uint64_t ms)
{
    assert_non_null(io_timer(ms, on_time, NULL));
    io_run();
}

static inline void on_turn(void *arg)
{
    ++*(size_t *)arg;
}

/* How many turns the loop takes in so many milliseconds in which nothing happens: few, or it spins. */
static inline size_t turns_in(uint64_t ms)
{
    size_t turns = 0;

    io_on_turn(on_turn, &turns);
    run_for(ms);
    io_on_turn(NULL, NULL);
    return turns;
}

/* ---- clients --------------------------------------------------------------------------------------- */

struct client {
    int fd;
    SSL *tls;
    struct buf in;
    bool ended, reset;
};

static inline void client_connect(struct client *c, const struct sockaddr_in *from)
{
    struct sockaddr_in a = { .sin_family = AF_INET,
        .sin_addr.s_addr = htonl(INADDR_LOOPBACK),
        .sin_port = htons((uint16_t)io_listen_port(listening)) };

    *c = (struct client){ .fd = socket(AF_INET, SOCK_STREAM, 0), .in = BUF_INIT(32 << 20) };
    if (from != NULL)
        assert_int_equal(bind(c->fd, (const struct sockaddr *)from, sizeof *from), 0);
    assert_int_equal(connect(c->fd, (struct sockaddr *)&a, sizeof a), 0);
}

static inline void client_open(struct client *c)
{
    client_connect(c, NULL);
}

static inline void client_close(struct client *c)
{
    if (c->tls != NULL && SSL_is_init_finished(c->tls))
        (void)SSL_shutdown(c->tls); /* or its ticket would count as spoilt */
    SSL_free(c->tls);
    if (c->fd >= 0)
        (void)close(c->fd);
    buf_free(&c->in);
    c->tls = NULL;
    c->fd = -1;
}

/* What has come until now. */
static inline void client_look(struct client *c)
{
    char piece[65536];
    ssize_t n;

    while (!c->ended) {
        if (c->tls != NULL) {
            n = SSL_read(c->tls, piece, sizeof piece);
            if (n <= 0 && SSL_get_error(c->tls, (int)n) == SSL_ERROR_WANT_READ)
                return;
        } else {
            n = recv(c->fd, piece, sizeof piece, MSG_DONTWAIT);
            if (n < 0 && errno == EAGAIN)
                return;
            c->reset = n < 0;
        }
        if (n <= 0)
            c->ended = true;
        else
            buf_add(&c->in, piece, (size_t)n);
    }
}

static inline void client_send(struct client *c, const void *p, size_t len)
{
    const char *at = p;

    while (len > 0) {
        ssize_t n = c->tls != NULL ? SSL_write(c->tls, at, (int)len)
                                   : send(c->fd, at, len, MSG_NOSIGNAL | MSG_DONTWAIT);

        if (n > 0) {
            at += n;
            len -= (size_t)n;
        } else if (c->tls == NULL && errno != EAGAIN) {
            return;
        }
        if (len > 0)
            run_for(1);
    }
}

static inline void client_say(struct client *c, const char *text)
{
    client_send(c, text, strlen(text));
}

/* Until `text` has come, or the connection has ended; then what has come stays in c->in. */
static inline bool client_hears(struct client *c, const char *text)
{
    for (int i = 0; i < 4000; i++) {
        client_look(c);
        if (c->in.len > 0 && strstr(buf_text(&c->in), text) != NULL)
            return true;
        if (c->ended)
            return false;
        run_for(1);
    }
    return false;
}

#define HEARS(c, text)                                                                    \
    do {                                                                                  \
        if (!client_hears((c), (text)))                                                   \
            fail_msg("\"%s\" did not come, but \"%.300s\"%s", (text), buf_text(&(c)->in), \
                (c)->ended ? " and the end" : "");                                        \
        buf_reset(&(c)->in);                                                              \
    } while (0)

static inline bool client_ends(struct client *c)
{
    for (int i = 0; i < 4000 && !c->ended; i++) {
        client_look(c);
        if (!c->ended)
            run_for(1);
    }
    return c->ended;
}

/* One that must stay open. */
static inline bool client_is_open(struct client *c)
{
    run_for(10);
    client_look(c);
    return !c->ended;
}

/* Until n requests are held. */
static inline void wait_held(size_t n)
{
    for (int i = 0; i < 4000 && held_count < n; i++)
        run_for(1);
    assert_int_equal(held_count, n);
}

static inline void wait_for(const size_t *what, size_t n)
{
    for (int i = 0; i < 4000 && *what != n; i++)
        run_for(1);
    assert_int_equal(*what, n);
}

static inline void wait_connections(size_t n)
{
    for (int i = 0; i < 4000 && io_listen_connections(listening) != n; i++)
        run_for(1);
    assert_int_equal(io_listen_connections(listening), n);
}
#endif
