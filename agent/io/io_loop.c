/* see io.h.  The loop itself: turns, timers, signals, and the order of opening and closing. */
#include <signal.h>
#include <stdlib.h>
#include "agent/io/io_uv.h"
#include "certs/mem.h"

uv_loop_t io_loop;

static uv_prepare_t turn;
static void (*turn_fn)(void *arg);
static void *turn_arg;
static uv_signal_t signals[3];
static void (*signal_fn)(void *arg, int signal);
static void *signal_arg;

struct timer {
    struct op op;
    uv_timer_t uv;
};

static void on_timer_closed(uv_handle_t *h)
{
    free(h->data);
}

static void timer_cancel(struct op *op)
{
    uv_close((uv_handle_t *)&((struct timer *)op)->uv, on_timer_closed);
}

static void on_timer(uv_timer_t *uv)
{
    struct timer *t = uv->data;
    io_fn *fn = t->op.fn;
    void *arg = t->op.arg;
    struct result r = { 0 };

    timer_cancel(&t->op);
    fn(arg, &r);
}

struct op *io_timer(uint64_t delay_ms, io_fn *fn, void *arg)
{
    struct timer *t = xcalloc(1, sizeof *t);

    t->op = (struct op){ .fn = fn, .arg = arg, .cancel = timer_cancel };
    t->uv.data = t;
    (void)uv_timer_init(&io_loop, &t->uv);               /* cannot fail */
    (void)uv_timer_start(&t->uv, on_timer, delay_ms, 0); /* fails only without a callback */
    return &t->op;
}

void io_cancel(struct op *op)
{
    if (op != NULL)
        op->cancel(op);
}

uint64_t io_now_ms(void)
{
    return uv_now(&io_loop);
}

int64_t io_wall_s(void)
{
    uv_timeval64_t tv = { 0 };

    (void)uv_gettimeofday(&tv);
    return tv.tv_sec;
}

static void on_turn(uv_prepare_t *p)
{
    (void)p;
    turn_fn(turn_arg);
}

void io_on_turn(void (*fn)(void *arg), void *arg)
{
    turn_fn = fn;
    turn_arg = arg;
    if (fn == NULL)
        (void)uv_prepare_stop(&turn);
    else
        (void)uv_prepare_start(&turn, on_turn);
    /* A turn alone must not keep the loop alive: it ends when nothing else is pending. */
    uv_unref((uv_handle_t *)&turn);
}

static void on_signal(uv_signal_t *s, int signum)
{
    (void)s;
    signal_fn(signal_arg, signum);
}

void io_on_signal(void (*fn)(void *arg, int signal), void *arg)
{
    static const int which[] = { SIGTERM, SIGINT, SIGHUP };

    signal_fn = fn;
    signal_arg = arg;
    for (size_t i = 0; i < sizeof which / sizeof which[0]; i++) {
        (void)uv_signal_start(&signals[i], on_signal, which[i]);
        uv_unref((uv_handle_t *)&signals[i]);
    }
}

int io_open(unsigned workers, struct err *e)
{
    /* A client of the control socket or a reader of the log that goes away ends itself, not us. */
    (void)signal(SIGPIPE, SIG_IGN);
    if (uv_loop_init(&io_loop) != 0)
        return err_set(e, ERR_NOMEM, "the event loop cannot be made");
    (void)uv_prepare_init(&io_loop, &turn);
    for (size_t i = 0; i < sizeof signals / sizeof signals[0]; i++)
        (void)uv_signal_init(&io_loop, &signals[i]);
    if (io_http_open(e) != 0)
        return -1;
    return io_work_open(workers, e);
}

void io_run(void)
{
    (void)uv_run(&io_loop, UV_RUN_DEFAULT);
}

void io_stop(void)
{
    uv_stop(&io_loop);
}

void io_close(void)
{
    io_work_close();
    io_http_close();
    uv_close((uv_handle_t *)&turn, NULL);
    for (size_t i = 0; i < sizeof signals / sizeof signals[0]; i++)
        uv_close((uv_handle_t *)&signals[i], NULL);
    (void)uv_run(&io_loop, UV_RUN_DEFAULT);
    if (uv_loop_close(&io_loop) != 0)
        abort(); /* somebody leaked a handle: a bug of ours, and the tests must see it */
}
