#ifndef AGENT_RECONCILE_INNER_H
#define AGENT_RECONCILE_INNER_H
#include "agent/service/reconcile.h"

/* reconcile_inner.h - between reconcile.c (which state) and reconcile_compare.c (comparing). */
struct reconcile {
    struct agent *a;
    enum reconcile_state state;
    int64_t
        inherited; /* when the newest request that was there when the store was opened had been received */
    int64_t since, quiet_until;
    bool moved;     /* another file or machine */
    bool caught_up; /* a heartbeat since the beginning was the highest */
    bool claimed;   /* no quiet time is needed */
    char why[200];

    /* comparing */
    struct op *op;               /* a question, or the pause before the next */
    const struct result *answer; /* while it is read */
    struct request *list;
    size_t count, at, batch; /* of the list; asked already; in the question under way */
    size_t compared, gone;
    unsigned failures;
};

/* reconcile_compare - begin; reconcile_compared is called when all are, not before it returns */
void reconcile_compare(struct reconcile *r);
void reconcile_compare_stop(struct reconcile *r);
void reconcile_compared(struct reconcile *r);
#endif
