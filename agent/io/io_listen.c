/* see io_listen.h.  Opening and closing, and who is let in; io_exchange.c serves those. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "agent/io/io_listen_inner.h"
#include "certs/mem.h"

enum {
    ACCEPTS_A_TURN = 64, /* then those that are in get their turn */
    PAUSE_MS = 100,
};

static void on_connections(uv_poll_t *p, int status, int events);

/* ---- letting in ------------------------------------------------------------------------------------------- */

/* Whoever may choose his addresses must not be able to choose one bucket for all: hence the seed. */
struct io_bucket *io_listen_bucket(struct io_listen *l, const struct io_address *a)
{
    struct io_address g = io_address_group(a);
    uint64_t h = l->seed;

    for (size_t i = 0; i < sizeof g.b; i++)
        h = (h ^ g.b[i]) * 0x100000001b3u;
    return &l->bucket[(h ^ h >> 29) % IO_LISTEN_BUCKETS];
}

/* May one more come from there?  One that idles makes way first.  A proxy speaks for many. */
static bool has_share(struct io_listen *l, const struct io_address *a)
{
    struct io_address g = io_address_group(a);
    struct io_exchange *idle = NULL, *x;
    unsigned n = 0;

    if (io_range_has(l->proxy, l->proxy_count, a))
        return true;
    LIST_FOREACH(x, io_listen_bucket(l, a), neighbour)
    {
        struct io_address other = io_address_group(&x->remote);

        if (!io_address_equal(&other, &g))
            continue;
        n++;
        if (x->clock >= IO_CLOCK_IDLE)
            idle = x;
    }
    if (n < l->per_address)
        return true;
    if (idle == NULL)
        return false;
    io_exchange_drop(idle);
    return true;
}

static bool has_place(struct io_listen *l)
{
    if (l->connections < l->connections_max)
        return true;
    if (TAILQ_EMPTY(&l->idle))
        return false;
    io_exchange_drop(TAILQ_FIRST(&l->idle));
    return true;
}

/* One write into an empty socket, and no more trouble than that.  Over TLS there is nothing to say. */
static void turn_away(const struct io_listen *l, int fd)
{
    static const char text[] = "HTTP/1.1 503 Service Unavailable\r\n"
                               "Content-Length: 0\r\n"
                               "Retry-After: 10\r\n"
                               "Connection: close\r\n\r\n";

    if (l->tls == NULL && send(fd, text, sizeof text - 1, MSG_NOSIGNAL) > 0)
        (void)shutdown(fd, SHUT_WR);
    (void)close(fd);
}

static void on_pause_over(uv_timer_t *t)
{
    struct io_listen *l = t->data;

    if (l->fd >= 0)
        (void)uv_poll_start(&l->poll, UV_READABLE, on_connections);
}

/* No descriptors, most likely.  Those who knock wait in the backlog; an idle connection gives its up. */
static void pause_accepting(struct io_listen *l)
{
    if (!TAILQ_EMPTY(&l->idle))
        io_exchange_drop(TAILQ_FIRST(&l->idle));
    (void)uv_poll_stop(&l->poll);
    (void)uv_timer_start(&l->pause, on_pause_over, PAUSE_MS, 0);
}

static void on_connections(uv_poll_t *p, int status, int events)
{
    struct io_listen *l = p->data;
    struct sockaddr_storage sa;
    struct io_address a;

    (void)events;
    if (status < 0) {
        pause_accepting(l);
        return;
    }
    for (int i = 0; i < ACCEPTS_A_TURN; i++) {
        socklen_t len = sizeof sa;
        int fd = accept4(l->fd, (struct sockaddr *)&sa, &len, SOCK_NONBLOCK | SOCK_CLOEXEC);

        if (fd < 0 && (errno == ECONNABORTED || errno == EINTR))
            continue;
        if (fd < 0) {
            if (errno != EAGAIN)
                pause_accepting(l);
            return;
        }
        if (!io_address_of(&a, (struct sockaddr *)&sa) || !has_share(l, &a) || !has_place(l))
            turn_away(l, fd);
        else
            io_exchange_new(l, fd, &a);
    }
}

/* ---- opening ------------------------------------------------------------------------------------------------ */

static int copy_conf(struct io_listen *l, const struct io_listen_conf *c, struct err *e)
{
    for (size_t i = 0; i < IO_LISTEN_CERTS_MAX; i++) {
        l->certificate_file[i] = xstrdup(c->certificate_file[i]);
        l->key_file[i] = xstrdup(c->key_file[i]);
    }
    l->connections_max = c->connections_max;
    l->per_address = c->connections_per_address;
    l->request_ms = c->request_s * UINT64_C(1000);
    l->idle_ms = c->idle_s * UINT64_C(1000);
    l->limits.body_max = c->body_max;
    for (size_t i = 0; i < IO_LISTEN_PROXIES_MAX && c->trusted_proxy[i] != NULL; i++)
        if (io_range_parse(&l->proxy[l->proxy_count++], c->trusted_proxy[i], e) != 0)
            return err_wrap(e, "trusted_proxies");
    return 0;
}

static bool wants_tls(const struct io_listen *l)
{
    for (size_t i = 0; i < IO_LISTEN_CERTS_MAX; i++)
        if (l->certificate_file[i] != NULL)
            return true;
    return false;
}

static int open_tls(struct io_listen *l, struct err *e)
{
    if (!wants_tls(l))
        return 0;
    if ((l->lib = lib_new(e)) == NULL)
        return -1;
    l->tls = io_tls_new(l->lib, l->certificate_file, l->key_file, e);
    return l->tls != NULL ? 0 : -1;
}

static unsigned port_of(int fd)
{
    struct sockaddr_storage sa;
    socklen_t len = sizeof sa;

    if (getsockname(fd, (struct sockaddr *)&sa, &len) != 0)
        return 0;
    return ntohs(sa.ss_family == AF_INET ? ((struct sockaddr_in *)(void *)&sa)->sin_port
                                         : ((struct sockaddr_in6 *)(void *)&sa)->sin6_port);
}

static void listen_free(struct io_listen *l)
{
    io_tls_free(l->tls);
    lib_free(l->lib);
    for (size_t i = 0; i < IO_LISTEN_CERTS_MAX; i++) {
        free(l->certificate_file[i]);
        free(l->key_file[i]);
    }
    free(l->name);
    free(l);
}

struct io_listen *io_listen_open(
    const struct io_listen_conf *c, io_request_fn *fn, void *arg, struct err *e)
{
    struct io_listen *l = xcalloc(1, sizeof *l);

    l->name = xstrdup(c->name);
    l->fn = fn;
    l->arg = arg;
    l->fd = -1;
    TAILQ_INIT(&l->idle);
    if (copy_conf(l, c, e) != 0 || open_tls(l, e) != 0
        || (l->fd = io_listen_socket(c->name, c->address, e)) < 0)
        goto failed;
    if (uv_random(NULL, NULL, &l->seed, sizeof l->seed, 0, NULL) != 0
        || uv_poll_init(&io_loop, &l->poll, l->fd) != 0) {
        err_set(e, ERR_NET, "%s: the socket cannot be watched", c->address);
        io_kept_closed(l->fd);
        (void)close(l->fd);
        goto failed;
    }
    l->port = port_of(l->fd);
    (void)uv_timer_init(&io_loop, &l->pause);
    l->poll.data = l->pause.data = l;
    l->held = 2;
    (void)uv_poll_start(&l->poll, UV_READABLE, on_connections);
    /* Waiting for strangers alone does not keep the loop alive. */
    uv_unref((uv_handle_t *)&l->poll);
    uv_unref((uv_handle_t *)&l->pause);
    return l;
failed:
    err_wrap(e, "listen %s", c->name);
    listen_free(l);
    return NULL;
}

int io_listen_check(const struct io_listen_conf *c, struct err *e)
{
    struct io_listen *l = xcalloc(1, sizeof *l);
    struct sockaddr_storage sa;
    socklen_t len;
    int rc = -1;

    l->name = xstrdup(c->name);
    if (copy_conf(l, c, e) == 0 && open_tls(l, e) == 0
        && (strncmp(c->address, "systemd:", 8) == 0
            || io_address_listen(c->address, &sa, &len, e) == 0))
        rc = 0;
    if (rc != 0)
        err_wrap(e, "listen %s", c->name);
    listen_free(l);
    return rc;
}

int io_listen_reload(struct io_listen *l, struct err *e)
{
    struct io_tls *t;

    if (l->tls == NULL)
        return 0;
    if ((t = io_tls_new(l->lib, l->certificate_file, l->key_file, e)) == NULL)
        return err_wrap(e, "listen %s", l->name);
    io_tls_free(l->tls);
    l->tls = t;
    return 0;
}

/* ---- closing -------------------------------------------------------------------------------------------------- */

void io_listen_release(struct io_listen *l)
{
    if (--l->held == 0 && l->closed)
        listen_free(l);
}

static void on_closed(uv_handle_t *h)
{
    io_listen_release(h->data);
}

void io_listen_stop(struct io_listen *l)
{
    if (l->fd < 0)
        return;
    uv_close((uv_handle_t *)&l->poll, on_closed);
    uv_close((uv_handle_t *)&l->pause, on_closed);
    io_kept_closed(l->fd);
    (void)close(l->fd);
    l->fd = -1;
    while (!TAILQ_EMPTY(&l->idle))
        io_exchange_drop(TAILQ_FIRST(&l->idle));
}

void io_listen_close(struct io_listen *l)
{
    if (l == NULL)
        return;
    io_listen_stop(l);
    for (size_t i = 0; i < IO_LISTEN_BUCKETS; i++)
        while (!LIST_EMPTY(&l->bucket[i]))
            io_exchange_drop(LIST_FIRST(&l->bucket[i]));
    l->closed = true;
    if (l->held == 0)
        listen_free(l);
}

unsigned io_listen_port(const struct io_listen *l)
{
    return l->port;
}

bool io_listen_is_tls(const struct io_listen *l)
{
    return l->tls != NULL;
}

size_t io_listen_connections(const struct io_listen *l)
{
    return l->connections;
}

int64_t io_listen_expires_at(const struct io_listen *l)
{
    return l->tls != NULL ? io_tls_expires_at(l->tls) : 0;
}
