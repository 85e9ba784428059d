/* see sim_io.h and agent/io/io_listen.h: listeners without sockets. */
#include <assert.h>
#include <stdlib.h>
#include <string.h>
#include "agent/io/io_kept.h"
#include "certs/mem.h"
#include "test/sim/sim_io.h"

struct io_listen {
    char *name;
    bool tls, stopped;
    io_request_fn *fn;
    void *arg;
    size_t connections;
    struct io_listen *next;
};

struct io_exchange {
    struct io_listen *listen;
    sim_answered_fn *fn; /* NULL: hung up */
    void *arg;
    void (*gone)(void *arg);
    void *gone_arg;
    bool asking; /* sim_ask is on the stack */
    bool over;   /* answered, or gone and somebody was told */
    struct io_exchange *next;
};

static struct io_listen *listeners;
static struct io_exchange *exchanges;

struct io_listen *io_listen_open(
    const struct io_listen_conf *c, io_request_fn *fn, void *arg, struct err *e)
{
    struct io_listen *l = xcalloc(1, sizeof *l);

    (void)e;
    assert(c->connections_max != 0 && c->request_s != 0 && c->idle_s != 0 && c->body_max != 0);
    l->name = xstrdup(c->name);
    l->tls = c->certificate_file[0] != NULL;
    l->fn = fn;
    l->arg = arg;
    l->next = listeners;
    listeners = l;
    return l;
}

int io_listen_check(const struct io_listen_conf *c, struct err *e)
{
    (void)c;
    (void)e;
    return 0;
}

int io_kept_want(const char *name, const char *address, struct err *e)
{
    (void)name;
    (void)address;
    (void)e;
    return 0;
}

void io_kept_forget(void)
{
}

int io_listen_reload(struct io_listen *l, struct err *e)
{
    (void)l;
    (void)e;
    return 0;
}

void io_listen_stop(struct io_listen *l)
{
    l->stopped = true;
}

static void unlink_exchange(struct io_exchange *x)
{
    struct io_exchange **p = &exchanges;

    while (*p != x)
        p = &(*p)->next;
    *p = x->next;
}

/* The client's side is over; x itself lives on while somebody has to answer it or is on the stack. */
static void leave(struct io_exchange *x)
{
    unlink_exchange(x);
    x->listen->connections--;
    x->fn = NULL;
    if (x->gone == NULL)
        return;
    x->over = true;
    x->gone(x->gone_arg);
    if (!x->asking)
        free(x);
}

void io_listen_close(struct io_listen *l)
{
    struct io_listen **p = &listeners;

    if (l == NULL)
        return;
    for (struct io_exchange *x = exchanges, *next; x != NULL; x = next) {
        sim_answered_fn *fn = x->fn;
        void *arg = x->arg;

        next = x->next;
        if (x->listen != l)
            continue;
        leave(x);
        if (fn != NULL)
            fn(arg, NULL);
    }
    while (*p != l)
        p = &(*p)->next;
    *p = l->next;
    free(l->name);
    free(l);
}

unsigned io_listen_port(const struct io_listen *l)
{
    return l->tls ? 443 : 80;
}

bool io_listen_is_tls(const struct io_listen *l)
{
    return l->tls;
}

size_t io_listen_connections(const struct io_listen *l)
{
    return l->connections;
}

int64_t io_listen_expires_at(const struct io_listen *l)
{
    return l->tls ? io_wall_s() + 90 * 86400 : 0;
}

void io_answer(struct io_exchange *x, const struct http1_answer *a)
{
    sim_answered_fn *fn = x->fn;
    void *arg = x->arg;

    assert(!x->over); /* answered twice, or after it was gone and somebody was told */
    x->over = true;
    if (fn != NULL) {
        unlink_exchange(x);
        x->listen->connections--;
    }
    if (!x->asking)
        free(x);
    if (fn != NULL)
        fn(arg, a);
}

void io_on_gone(struct io_exchange *x, void (*fn)(void *arg), void *arg)
{
    assert(!x->over);
    x->gone = fn;
    x->gone_arg = arg;
}

struct io_exchange *sim_ask(const char *listener, const struct http1_request *q, const char *remote,
    sim_answered_fn *fn, void *arg)
{
    struct io_exchange *x;
    struct io_listen *l = listeners;

    while (l != NULL && (l->stopped || strcmp(l->name, listener) != 0))
        l = l->next;
    if (l == NULL) {
        fn(arg, NULL);
        return NULL;
    }
    x = xcalloc(1, sizeof *x);
    *x = (struct io_exchange){
        .listen = l, .fn = fn, .arg = arg, .asking = true, .next = exchanges
    };
    exchanges = x;
    l->connections++;
    l->fn(l->arg, x, q, remote);
    x->asking = false;
    if (!x->over)
        return x->fn != NULL ? x : NULL;
    free(x);
    return NULL;
}

void sim_hang_up(struct io_exchange *x)
{
    leave(x);
}
