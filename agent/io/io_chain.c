/* see io.h.  It owns nothing but the op itself: what it is made of belongs to whoever made it. */
#include <stdlib.h>
#include "agent/io/io_uv.h"
#include "certs/mem.h"

struct chain {
    struct op op;
    void (*cancel)(void *self);
    void *self;
};

static void chain_cancel(struct op *op)
{
    struct chain *c = (struct chain *)op;

    c->cancel(c->self);
    free(c);
}

struct op *io_chain(void (*cancel)(void *self), void *self, io_fn *fn, void *arg)
{
    struct chain *c = xcalloc(1, sizeof *c);

    c->op = (struct op){ .fn = fn, .arg = arg, .cancel = chain_cancel };
    c->cancel = cancel;
    c->self = self;
    return &c->op;
}

void io_chain_end(struct op *op, const struct result *r)
{
    io_fn *fn = op->fn;
    void *arg = op->arg;

    free(op);
    fn(arg, r);
}
