#ifndef AGENT_IO_LISTEN_INNER_H
#define AGENT_IO_LISTEN_INNER_H
#include <sys/queue.h>
#include "agent/base/io_address.h"
#include "agent/io/io_kept.h"
#include "agent/io/io_listen.h"
#include "agent/io/io_listen_tls.h"
#include "agent/io/io_uv.h"

/* io_listen_inner.h - shared by io_listen.c, which lets connections in, and io_exchange.c, which serves one. */

enum { IO_LISTEN_BUCKETS = 1024 };

/* Where a connection is.  Bytes that are still to be sent come first everywhere. */
enum io_step {
    IO_READ,   /* a request, or part of one, is awaited */
    IO_ANSWER, /* its answer is */
    IO_CLOSE,  /* answered; to be closed once all is sent */
    IO_LINGER, /* we said all; reading what still comes, or closing would cut off what we said */
    IO_GONE,
};

/* What the timer stands for.  When it ends, so does the connection; without a request it may end before. */
enum io_clock { IO_CLOCK_NONE, IO_CLOCK_REQUEST, IO_CLOCK_SEND, IO_CLOCK_IDLE, IO_CLOCK_LINGER };

/* One connection.  It carries one exchange at a time, so it is the exchange. */
struct io_exchange {
    struct io_listen *listen;
    int fd;
    uv_poll_t poll;
    uv_timer_t timer;
    int watching;
    unsigned
        users; /* handles not closed yet, and whoever has to answer and was not told that it is gone */
    enum io_step step;
    enum io_clock clock;
    bool serving;    /* on the stack */
    bool kicked;     /* the timer is for going on with what was kept */
    bool half;       /* the client will send no more */
    bool bye;        /* so have we said */
    bool head, last; /* of the request being answered: HEAD; no other one after it */
    struct io_address remote;
    struct http1 *http;
    struct io_tls_stream *tls; /* NULL: plain */
    struct buf out;
    size_t out_at;
    void (*gone)(void *arg);
    void *gone_arg;
    LIST_ENTRY(io_exchange) neighbour;
    TAILQ_ENTRY(io_exchange) idle; /* with IO_CLOCK_IDLE and IO_CLOCK_LINGER */
};
LIST_HEAD(io_bucket, io_exchange);
TAILQ_HEAD(io_idle, io_exchange);

struct io_listen {
    char *name;
    char *certificate_file[IO_LISTEN_CERTS_MAX], *key_file[IO_LISTEN_CERTS_MAX];
    struct io_range proxy[IO_LISTEN_PROXIES_MAX];
    size_t proxy_count;
    unsigned connections_max, per_address, port;
    uint64_t request_ms, idle_ms;
    struct http1_limits limits;
    io_request_fn *fn;
    void *arg;
    int fd; /* -1: stopped */
    uv_poll_t poll;
    uv_timer_t pause;
    struct lib *lib;
    struct io_tls *tls;
    size_t connections, held; /* held: connections and handles whose memory is still in use */
    uint64_t seed;
    bool closed;
    struct io_bucket bucket[IO_LISTEN_BUCKETS]; /* by address */
    struct io_idle idle;                        /* longest first: they make way for others */
};

struct io_bucket *io_listen_bucket(struct io_listen *l, const struct io_address *a);
void io_listen_release(struct io_listen *l); /* one less is held; the last one frees it */

/* io_exchange_new - serve a connection; takes fd, also when it fails (memory). */
void io_exchange_new(struct io_listen *l, int fd, const struct io_address *remote);
void io_exchange_drop(struct io_exchange *x); /* close it now; nothing to do is fine */

/* io_listen_socket - the one left for us (io_kept.h), or bound and listening, or the service manager's; IPv6 takes IPv4 as well.
 * returns the descriptor or -1: ERR_CONFIG, ERR_NET */
int io_listen_socket(const char *name, const char *address, struct err *e) MUST;
int io_listen_bind(
    const char *address, struct err *e) MUST; /* the same, a new one, noted nowhere */
void io_listen_pass_on(void); /* what the service manager passed us is for the next program, too */
#endif
