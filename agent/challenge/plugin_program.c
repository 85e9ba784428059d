/*
 * see plugin_inner.h.  Anybody who reaches an endpoint makes its program run, and each has a process, memory and
 * three descriptors: so many at a time, the others wait for their turn in the order they came.  What waits is started
 * by a timer, not by the end of another: nobody's callback runs inside another's.
 */
#include <stdlib.h>
#include "agent/challenge/plugin_inner.h"
#include "agent/io/io_exec.h"
#include "certs/mem.h"

enum { AT_A_TIME = 16, INPUT_MAX = 1 << 20, OUTPUT_MAX = 256 << 10 };

struct turn {
    struct plugin *p;
    struct op *chain;
    struct op *program; /* NULL: it waits */
    struct buf input;
    unsigned timeout_ms; /* from when it is started */
    struct turn *next;   /* of those that wait */
};

static void turn_free(struct turn *t)
{
    buf_free(&t->input);
    free(t);
}

/* ---- the queue -------------------------------------------------------------------------------------------- */

static void on_kick(void *arg, const struct result *r);

/* Its timer is there only while somebody waits, so that nothing is left when the last op is gone. */
static void kick(struct plugin *p)
{
    if (p->turns == NULL) {
        io_cancel(p->kick);
        p->kick = NULL;
    } else if (p->kick == NULL && p->programs < AT_A_TIME) {
        p->kick = io_timer(0, on_kick, p);
    }
}

static void wait_for_turn(struct turn *t)
{
    struct turn **at = &t->p->turns;

    while (*at != NULL)
        at = &(*at)->next;
    *at = t;
    kick(t->p);
}

static void leave_queue(struct turn *t)
{
    struct turn **at = &t->p->turns;

    while (*at != t)
        at = &(*at)->next;
    *at = t->next;
}

static void on_ended(void *arg, const struct result *r)
{
    struct turn *t = arg;
    struct op *chain = t->chain;

    t->program = NULL;
    t->p->programs--;
    kick(t->p);
    io_chain_end(chain, r);
    turn_free(t);
}

static int start(struct turn *t, struct err *e)
{
    struct plugin *p = t->p;
    struct io_exec_conf c = { .program = p->conf->program,
        .input = buf_view(&t->input),
        .output_max = OUTPUT_MAX,
        .timeout_ms = t->timeout_ms,
        .memory_mib = (unsigned)p->conf->memory_mib };

    if ((t->program = io_exec(&c, on_ended, t, e)) == NULL)
        return -1;
    p->programs++;
    buf_free(&t->input);
    return 0;
}

/* After one that cannot be started its owner is called, and nothing is touched any more. */
static void on_kick(void *arg, const struct result *r)
{
    struct plugin *p = arg;
    struct turn *t;
    struct err e;

    (void)r;
    p->kick = NULL;
    while ((t = p->turns) != NULL && p->programs < AT_A_TIME) {
        p->turns = t->next;
        if (start(t, &e) != 0) {
            struct result failed = { .err = &e };

            kick(p);
            io_chain_end(t->chain, &failed);
            turn_free(t);
            return;
        }
    }
}

static void turn_cancel(void *self)
{
    struct turn *t = self;
    struct plugin *p = t->p;

    if (t->program != NULL) {
        io_cancel(t->program);
        p->programs--;
    } else {
        leave_queue(t);
    }
    kick(p);
    turn_free(t);
}

/* ---- plugin_program --------------------------------------------------------------------------------------- */

struct op *plugin_program(
    struct plugin *p, struct view input, unsigned timeout_ms, io_fn *fn, void *arg, struct err *e)
{
    struct turn *t = xcalloc(1, sizeof *t);
    bool at_once = p->turns == NULL && p->programs < AT_A_TIME;

    t->p = p;
    t->timeout_ms = timeout_ms;
    t->input = (struct buf)BUF_SECRET(INPUT_MAX);
    buf_add_view(&t->input, input);
    if (buf_check(&t->input, e) != 0 || (at_once && start(t, e) != 0)) {
        turn_free(t);
        return NULL;
    }
    t->chain = io_chain(turn_cancel, t, fn, arg);
    if (!at_once)
        wait_for_turn(t);
    return t->chain;
}
