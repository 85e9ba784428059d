/* see sim_io.h */
#include <assert.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include "agent/io/io_exec.h"
#include "agent/io/io_stall.h"
#include "certs/mem.h"
#include "test/sim/sim_io.h"

enum { LATENCY_MS = 5 };

struct io_peer {
    char *name;
};

enum op_kind { OP_TIMER, OP_HTTP, OP_WORK, OP_CHAIN };

struct op {
    enum op_kind kind;
    io_fn *fn;
    void *arg;
    uint64_t due_ms, seq;
    struct op *next;
    struct io_work *work;
    void (*cancel)(void *self); /* OP_CHAIN */
    void *self;
    char *method, *url;
    struct buf body;
    size_t max_reply;
};

static struct op *ops;
static uint64_t now_ms, seq;
static int64_t wall_offset_s, stepped_s;
static bool stopped, crashed, opened;
static sim_peer_fn *peer_fn;
static void *peer_arg;
static void (*turn_fn)(void *arg);
static void *turn_arg;
static void (*before_fn)(void *arg);
static void *before_arg;
static struct lib *lib;

void sim_open(sim_peer_fn *peer, void *arg, int64_t wall_s)
{
    struct err e;

    peer_fn = peer;
    peer_arg = arg;
    now_ms = seq = 0;
    wall_offset_s = wall_s;
    stepped_s = 0;
    if (lib == NULL && (lib = lib_new(&e)) == NULL)
        abort();
}

void sim_close(void)
{
    lib_free(lib);
    lib = NULL;
}

void sim_crash(void)
{
    crashed = stopped = true;
}

bool sim_crashed(void)
{
    return crashed;
}

void sim_step_wall(int64_t by_s)
{
    wall_offset_s += by_s;
    stepped_s += by_s;
}

int64_t sim_world_s(void)
{
    return io_wall_s() - stepped_s;
}

size_t sim_pending(bool timers)
{
    size_t n = 0;

    for (const struct op *o = ops; o != NULL; o = o->next)
        n += o->kind != OP_CHAIN && (timers || o->kind != OP_TIMER);
    return n;
}

void sim_before_turn(void (*fn)(void *arg), void *arg)
{
    before_fn = fn;
    before_arg = arg;
}

/* ---- io.h ---------------------------------------------------------------------------------------------------- */

static struct op *op_new(enum op_kind kind, uint64_t after_ms, io_fn *fn, void *arg)
{
    struct op *o = xcalloc(1, sizeof *o);

    o->kind = kind;
    o->fn = fn;
    o->arg = arg;
    o->due_ms = now_ms + after_ms;
    o->seq = seq++;
    o->body = (struct buf)BUF_INIT(4 << 20);
    o->next = ops;
    ops = o;
    return o;
}

static void unlink_op(struct op *o)
{
    struct op **p = &ops;

    while (*p != o) {
        assert(*p != NULL); /* cancelled twice, or after its callback */
        p = &(*p)->next;
    }
    *p = o->next;
}

static void op_free(struct op *o)
{
    if (o->work != NULL)
        o->work->free(o->work);
    buf_free(&o->body);
    free(o->method);
    free(o->url);
    free(o);
}

struct io_peer *io_peer_new(const struct io_peer_conf *c, struct err *e)
{
    struct io_peer *p = xcalloc(1, sizeof *p);

    (void)e;
    p->name = xstrdup(c->name);
    return p;
}

void io_peer_free(struct io_peer *p)
{
    if (p == NULL)
        return;
    free(p->name);
    free(p);
}

const char *io_peer_name(const struct io_peer *p)
{
    return p->name;
}

struct op *io_http(struct io_peer *p, const struct http_req *q, io_fn *fn, void *arg, struct err *e)
{
    struct op *o;

    assert(q->timeout_ms != 0 && q->max_reply != 0);
    if (http_url_ok(q->url, e) != 0)
        return NULL;
    for (size_t i = 0; i < q->header_count; i++)
        assert(http_header_ok(q->header[i].value));
    (void)p;
    o = op_new(OP_HTTP, LATENCY_MS, fn, arg);
    o->method = xstrdup(q->method);
    o->url = xstrdup(q->url);
    o->max_reply = q->max_reply;
    buf_add_view(&o->body, q->body);
    return o;
}

/* A program is one more peer: its method is EXEC, its URL the file, its status the exit code. */
struct op *io_exec(const struct io_exec_conf *c, io_fn *fn, void *arg, struct err *e)
{
    struct op *o;

    (void)e;
    assert(c->timeout_ms != 0 && c->output_max != 0 && c->program[0] == '/');
    o = op_new(OP_HTTP, LATENCY_MS, fn, arg);
    o->method = xstrdup("EXEC");
    o->url = xstrdup(c->program);
    o->max_reply = c->output_max;
    buf_add_view(&o->body, c->input);
    return o;
}

struct op *io_work(struct io_work *w, bool idle, io_fn *fn, void *arg)
{
    struct op *o = op_new(OP_WORK, idle ? 1000 : 0, fn, arg);

    o->work = w;
    return o;
}

uint64_t io_work_longest_ms(void)
{
    return 0;
}

/* Nobody watches: there is no service manager here. */
struct io_stall *io_stall_start(uint64_t limit_ms, io_stall_fn *fn, void *arg)
{
    (void)limit_ms;
    (void)fn;
    (void)arg;
    return NULL;
}

void io_stall_beat(struct io_stall *s)
{
    (void)s;
}

void io_stall_stop(struct io_stall *s)
{
    (void)s;
}

struct op *io_timer(uint64_t delay_ms, io_fn *fn, void *arg)
{
    return op_new(OP_TIMER, delay_ms, fn, arg);
}

void io_cancel(struct op *o)
{
    if (o == NULL)
        return;
    unlink_op(o);
    if (o->cancel != NULL)
        o->cancel(o->self);
    op_free(o);
}

/* Never due: what it is made of is. */
struct op *io_chain(void (*cancel)(void *self), void *self, io_fn *fn, void *arg)
{
    struct op *o = op_new(OP_CHAIN, UINT64_MAX - now_ms, fn, arg);

    o->cancel = cancel;
    o->self = self;
    return o;
}

void io_chain_end(struct op *o, const struct result *r)
{
    io_fn *fn = o->fn;
    void *arg = o->arg;

    unlink_op(o);
    op_free(o);
    fn(arg, r);
}

uint64_t io_now_ms(void)
{
    return now_ms;
}

int64_t io_wall_s(void)
{
    return wall_offset_s + (int64_t)(now_ms / 1000);
}

int io_open(unsigned workers, struct err *e)
{
    (void)workers;
    (void)e;
    assert(!opened && ops == NULL);
    opened = true;
    stopped = crashed = false;
    return 0;
}

void io_close(void)
{
    assert(ops == NULL); /* somebody leaked an operation */
    opened = false;
}

void io_stop(void)
{
    stopped = true;
}

void io_on_turn(void (*fn)(void *arg), void *arg)
{
    turn_fn = fn;
    turn_arg = arg;
}

void io_on_signal(void (*fn)(void *arg, int signal), void *arg)
{
    (void)fn;
    (void)arg;
}

/* ---- events ------------------------------------------------------------------------------------------------------ */

/* false: the process died, and the operation with it is still the agent's to clean up */
static bool fire_http(struct op *o)
{
    struct sim_answer a = { .retry_after_s = -1, .body = BUF_INIT(4 << 20), .type = "" };
    struct http_reply h = { 0 };
    struct result r = { 0 };
    struct err e;

    peer_fn(peer_arg, o->method, o->url, buf_view(&o->body), &a);
    if (!crashed) {
        r.sent = a.sent || !a.lost;
        if (a.lost) {
            (void)err_set(&e, ERR_NET, "the connection was cut");
            r.err = &e;
        } else {
            assert(a.status != 0 || strcmp(o->method, "EXEC") == 0);
            h = (struct http_reply){ .status = a.status,
                .body = buf_view(&a.body),
                .content_type = a.type,
                .location = "",
                .authenticate = "",
                .retry_after_s = a.retry_after_s,
                .date = sim_world_s() };
            r.http = &h;
        }
        o->fn(o->arg, &r);
    }
    buf_free(&a.body);
    return !crashed || r.http != NULL || r.err != NULL;
}

static void fire(struct op *o)
{
    struct result r = { 0 };
    struct err e;

    unlink_op(o);
    switch (o->kind) {
    case OP_HTTP:
        if (!fire_http(o)) {
            o->next = ops;
            ops = o;
            return;
        }
        break;
    case OP_WORK:
        r.work = o->work;
        if (o->work->run(lib, o->work, &e) != 0)
            r.err = &e;
        o->fn(o->arg, &r);
        break;
    case OP_TIMER:
        o->fn(o->arg, &r);
        break;
    case OP_CHAIN:
        assert(false);
    }
    op_free(o);
}

static struct op *soonest(void)
{
    struct op *best = ops;

    for (struct op *o = ops; o != NULL; o = o->next)
        if (o->due_ms < best->due_ms || (o->due_ms == best->due_ms && o->seq < best->seq))
            best = o;
    return best;
}

void io_run(void)
{
    struct op *o;

    while (!stopped) {
        if (before_fn != NULL)
            before_fn(before_arg);
        if (!stopped && turn_fn != NULL)
            turn_fn(turn_arg);
        if (stopped || (o = soonest()) == NULL || o->kind == OP_CHAIN)
            break;
        if (o->due_ms > now_ms)
            now_ms = o->due_ms;
        fire(o);
    }
}
