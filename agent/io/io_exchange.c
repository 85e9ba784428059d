/*
 * see io_listen.h and io_listen_inner.h.  One connection: read a request, hand it over, send its answer, read the
 * next.  Sockets are watched with uv_poll and read by hand: so the bytes of a next request wait in the kernel
 * until it is their turn, and a client that goes away is still noticed.
 *
 * Each event reads one piece at most, so that nobody with a fast line has the loop for himself.
 */
#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "agent/io/io_listen_inner.h"
#include "certs/mem.h"

enum { PIECE = 64 << 10, OUT_MAX = 64 << 20, OUT_KEEP = 32 << 10, LINGER_MS = 2000 };

static void serve(struct io_exchange *x, bool readable);

/* ---- beginning and end ----------------------------------------------------------------------------- */

static void release(struct io_exchange *x)
{
    struct io_listen *l = x->listen;

    if (--x->users > 0)
        return;
    http1_free(x->http);
    io_tls_close(x->tls);
    buf_free(&x->out);
    free(x);
    io_listen_release(l);
}

static void on_closed(uv_handle_t *h)
{
    release(h->data);
}

static void set_idle(struct io_exchange *x, enum io_clock clock)
{
    bool was = x->clock >= IO_CLOCK_IDLE, is = clock >= IO_CLOCK_IDLE;

    if (was)
        TAILQ_REMOVE(&x->listen->idle, x, idle);
    if (is)
        TAILQ_INSERT_TAIL(&x->listen->idle, x, idle);
    x->clock = clock;
}

/* What x is made of stays until the handles are closed: whoever is on the stack may still use it. */
void io_exchange_drop(struct io_exchange *x)
{
    bool waiting = x->step == IO_ANSWER;

    if (x->step == IO_GONE)
        return;
    x->step = IO_GONE;
    set_idle(x, IO_CLOCK_NONE);
    LIST_REMOVE(x, neighbour);
    x->listen->connections--;
    uv_close((uv_handle_t *)&x->poll, on_closed);
    uv_close((uv_handle_t *)&x->timer, on_closed);
    (void)close(x->fd);
    if (waiting && x->gone != NULL)
        x->gone(x->gone_arg);
    else if (waiting)
        x->users++; /* whoever has it does not know: io_answer will come */
}

static void on_timer(uv_timer_t *t)
{
    struct io_exchange *x = t->data;

    if (!x->kicked) {
        io_exchange_drop(x);
        return;
    }
    x->kicked = false;
    serve(x, false);
}

static void set_clock(struct io_exchange *x, enum io_clock clock, uint64_t ms)
{
    set_idle(x, clock);
    x->kicked = false;
    if (clock == IO_CLOCK_NONE)
        (void)uv_timer_stop(&x->timer);
    else
        (void)uv_timer_start(&x->timer, on_timer, ms, 0);
}

/* ---- sending ----------------------------------------------------------------------------------------- */

static struct view unsent(struct io_exchange *x)
{
    if (x->tls != NULL)
        return io_tls_unsent(x->tls);
    return x->out_at < x->out.len ? view_of(x->out.p + x->out_at, x->out.len - x->out_at)
                                  : view_of(NULL, 0);
}

static void sent(struct io_exchange *x, size_t len)
{
    if (x->tls != NULL) {
        io_tls_sent(x->tls, len);
        return;
    }
    x->out_at += len;
    if (x->out_at < x->out.len)
        return;
    x->out_at = 0;
    if (x->out.cap > OUT_KEEP)
        buf_free(&x->out);
    else
        buf_reset(&x->out);
}

/* As much as the socket takes; what is left waits until it is writable. */
static void flush(struct io_exchange *x)
{
    struct view v;

    while (x->step != IO_GONE && (v = unsent(x)).len > 0) {
        ssize_t n = send(x->fd, v.p, v.len, MSG_NOSIGNAL);

        if (n > 0)
            sent(x, (size_t)n);
        else if (errno == EAGAIN)
            return;
        else if (errno != EINTR)
            io_exchange_drop(x);
    }
}

/* Send what was added to x->out. */
static void send_out(struct io_exchange *x)
{
    if (x->out.bad || (x->tls != NULL && !io_tls_write(x->tls, buf_view(&x->out)))) {
        io_exchange_drop(x);
        return;
    }
    if (x->tls != NULL && x->out.cap > OUT_KEEP)
        buf_free(&x->out);
    else if (x->tls != NULL)
        buf_reset(&x->out);
    flush(x);
}

static void answer(struct io_exchange *x, const struct http1_answer *a)
{
    x->step = a->close ? IO_CLOSE : IO_READ;
    x->gone = NULL;
    http1_write(&x->out, a);
    set_clock(x, IO_CLOCK_SEND, x->listen->request_ms);
    send_out(x);
}

/* ---- which event is next -------------------------------------------------------------------------------- */

static void on_event(uv_poll_t *p, int status, int events);

static void watch(struct io_exchange *x, int events)
{
    if (x->watching == events)
        return;
    x->watching = events;
    if (events == 0)
        (void)uv_poll_stop(&x->poll);
    else if (uv_poll_start(&x->poll, events, on_event) != 0)
        io_exchange_drop(x);
}

/* Was something kept that is no event of the socket's? */
static bool is_kept(const struct io_exchange *x)
{
    return !http1_idle(x->http) || (x->tls != NULL && io_tls_kept(x->tls));
}

/* All is sent and the next request awaited: since when, and how long? */
static void wait_for_request(struct io_exchange *x)
{
    bool begun = !http1_idle(x->http);

    if (begun && x->clock != IO_CLOCK_REQUEST)
        set_clock(x, IO_CLOCK_REQUEST, x->listen->request_ms);
    else if (!begun && x->clock == IO_CLOCK_SEND)
        set_clock(x, IO_CLOCK_IDLE, x->listen->idle_ms);
    watch(x, UV_READABLE);
}

/* Say that nothing more comes, and give the client time to read it: had it sent more than we have read,
 * closing at once would reset the connection and the answer be lost. */
static void say_goodbye(struct io_exchange *x)
{
    if (x->tls != NULL && !x->bye)
        io_tls_bye(x->tls);
    x->bye = true;
    flush(x);
    if (x->step == IO_GONE)
        return;
    if (unsent(x).len > 0) {
        watch(x, UV_WRITABLE);
        return;
    }
    (void)shutdown(x->fd, SHUT_WR);
    x->step = IO_LINGER;
    set_clock(x, IO_CLOCK_LINGER, LINGER_MS);
    watch(x, UV_READABLE);
}

static void settle(struct io_exchange *x)
{
    if (x->step == IO_GONE)
        return;
    if (unsent(x).len > 0)
        watch(x, UV_WRITABLE);
    else if (x->step == IO_READ)
        wait_for_request(x);
    else if (x->step == IO_ANSWER)
        watch(x, x->half ? UV_PRIORITIZED : UV_DISCONNECT);
    else if (x->step == IO_CLOSE)
        say_goodbye(x);
}

/* ---- reading ------------------------------------------------------------------------------------------------ */

/* Each is consumed before the next one is read, whoever's it is; then it is wiped: it may bring a password. */
static uint8_t piece[PIECE], plain[16384];

/* One piece of what the socket has; false: nothing, or it has ended. */
static bool receive(struct io_exchange *x, struct view *in)
{
    ssize_t n = recv(x->fd, piece, sizeof piece, 0);

    if (n == 0 || (n < 0 && errno != EAGAIN && errno != EINTR))
        io_exchange_drop(x);
    if (n <= 0)
        return false;
    *in = view_of(piece, (size_t)n);
    return true;
}

/* The next bytes of requests.  *readable: the socket may be read, once.  false: there are none now. */
static bool take(struct io_exchange *x, bool *readable, struct view *in)
{
    int n;

    for (;;) {
        if (x->tls != NULL) {
            n = io_tls_read(x->tls, plain, sizeof plain);
            flush(x); /* of a handshake, or an alert */
            *in = view_of(plain, n > 0 ? (size_t)n : 0);
            if (n > 0)
                return x->step != IO_GONE;
            if (n < 0)
                io_exchange_drop(x);
        }
        if (x->step == IO_GONE || !*readable)
            return false;
        *readable = false;
        if (!receive(x, in))
            return false;
        if (x->tls == NULL)
            return true;
        if (!io_tls_put(x->tls, *in))
            io_exchange_drop(x);
    }
}

static void begin(struct io_exchange *x, const struct http1_request *q)
{
    const struct io_listen *l = x->listen;
    struct io_address who = x->remote;
    char remote[IO_ADDRESS_TEXT];

    io_address_forwarded(&who, q->forwarded_for, l->proxy, l->proxy_count);
    io_address_text(&who, remote);
    x->head = strcmp(q->method, "HEAD") == 0;
    x->last = !q->keep_alive;
    x->step = IO_ANSWER;
    x->gone = NULL;
    set_clock(x, IO_CLOCK_NONE, 0);
    l->fn(l->arg, x, q, remote);
}

static void refuse(struct io_exchange *x, int status)
{
    const char *text = status == 413 || status == 414 || status == 431 ? "too large\n"
                       : status == 501 || status == 505                ? "not supported\n"
                                                                       : "not understood\n";

    answer(x, &(struct http1_answer){
                  .status = status, .type = "text/plain", .body = view_text(text), .close = true });
}

/* What has come, request by request, until more must come, an answer is not there yet, or is not all sent. */
static void serve(struct io_exchange *x, bool readable)
{
    struct http1_request q;
    struct view in = { 0 };
    bool more = true;
    int status;

    x->serving = true;
    while (more && x->step == IO_READ && (in.len > 0 || unsent(x).len == 0)) {
        enum http1_state state = http1_read(x->http, in, &q, &status);

        mem_wipe((uint8_t *)(uintptr_t)in.p, in.len); /* what is left of it, x->http keeps */
        in = (struct view){ 0 };
        switch (state) {
        case HTTP1_CONTINUE:
            buf_add_text(&x->out, "HTTP/1.1 100 Continue\r\n\r\n");
            send_out(x);
            break;
        case HTTP1_MORE:
            more = take(x, &readable, &in);
            break;
        case HTTP1_REQUEST:
            begin(x, &q);
            break;
        case HTTP1_BAD:
            refuse(x, status);
            break;
        }
    }
    x->serving = false;
    settle(x);
}

static void discard(struct io_exchange *x)
{
    struct view in;

    if (receive(x, &in))
        mem_wipe(piece, in.len);
}

/*
 * The client will send no more.  Some that still wait for the answer say so, so it gets one; if it has closed
 * altogether the socket has an error once it said so.
 */
static void on_half_closed(struct io_exchange *x)
{
    int error = 0;
    socklen_t len = sizeof error;

    if (x->half && (getsockopt(x->fd, SOL_SOCKET, SO_ERROR, &error, &len) != 0 || error != 0))
        io_exchange_drop(x);
    else if (x->half)
        watch(x, 0); /* something else, and it would be so for ever */
    else {
        x->half = true;
        settle(x);
    }
}

static void on_event(uv_poll_t *p, int status, int events)
{
    struct io_exchange *x = p->data;

    if (status < 0) { /* reset */
        io_exchange_drop(x);
        return;
    }
    if ((events & UV_WRITABLE) != 0)
        flush(x);
    if (x->step == IO_READ)
        serve(x, (events & UV_READABLE) != 0);
    else if (x->step == IO_LINGER)
        discard(x);
    else if (x->step == IO_ANSWER && (events & (UV_DISCONNECT | UV_PRIORITIZED)) != 0)
        on_half_closed(x);
    else
        settle(x);
}

/* ---- what others call ------------------------------------------------------------------------------------------ */

void io_answer(struct io_exchange *x, const struct http1_answer *a)
{
    struct http1_answer mine = *a;

    if (x->step == IO_GONE) {
        release(x);
        return;
    }
    assert(x->step == IO_ANSWER);
    mine.head |= x->head;
    mine.close |= x->last || x->listen->fd < 0;
    answer(x, &mine);
    if (x->serving) /* serve() goes on, not we: it may be its hundredth request */
        return;
    if (x->step == IO_READ && unsent(x).len == 0 && is_kept(x)) {
        /* The next request is here already, and its function must not be called from within this one. */
        x->kicked = true;
        (void)uv_timer_start(&x->timer, on_timer, 0, 0);
        return;
    }
    settle(x);
}

void io_on_gone(struct io_exchange *x, void (*fn)(void *arg), void *arg)
{
    assert(x->step == IO_ANSWER || x->step == IO_GONE);
    x->gone = fn;
    x->gone_arg = arg;
}

void io_exchange_new(struct io_listen *l, int fd, const struct io_address *remote)
{
    struct io_exchange *x = mem_try(1, sizeof *x);

    if (x == NULL || uv_poll_init(&io_loop, &x->poll, fd) != 0) {
        free(x);
        (void)close(fd);
        return;
    }
    x->listen = l;
    x->fd = fd;
    x->remote = *remote;
    x->out = (struct buf)BUF_INIT(OUT_MAX);
    x->http = http1_new(&l->limits);
    (void)uv_timer_init(&io_loop, &x->timer);
    x->poll.data = x->timer.data = x;
    x->users = 2;
    l->held++;
    l->connections++;
    LIST_INSERT_HEAD(io_listen_bucket(l, remote), x, neighbour);
    x->step = IO_READ;
    set_clock(x, IO_CLOCK_REQUEST, l->request_ms);
    if (l->tls != NULL && (x->tls = io_tls_open(l->tls, io_now_ms())) == NULL)
        io_exchange_drop(x);
    else
        settle(x);
}
