/* see held.h */
#include <stdlib.h>
#include "agent/agent.h"
#include "agent/base/clock.h"
#include "agent/base/log.h"
#include "agent/requests/job.h"
#include "agent/requests/sched.h"
#include "agent/service/held.h"
#include "certs/mem.h"

enum { MOST = 1000 }; /* the rest goes on when its pause is over */

struct batch {
    struct agent *a;
    struct request *list;
    size_t count;
};

static void on_row(void *arg, const struct request *r)
{
    struct batch *b = arg;

    if (b->count < MOST && (r->why.cls == ERR_AUTH || r->why.cls == ERR_FORBIDDEN)
        && jobs_find(b->a->jobs, r->id) == NULL)
        b->list[b->count++] = *r;
}

void held_release(struct agent *a)
{
    struct batch b = { .a = a, .list = xcalloc(MOST, sizeof(struct request)) };
    struct err e;
    int rc = store_list(a->store, REQUEST_HELD, true, MOST, on_row, &b, &e);

    for (size_t i = 0; rc == 0 && i < b.count; i++) {
        b.list[i].state = REQUEST_READY;
        b.list[i].next_at = clock_now();
        rc = store_update(a->store, &b.list[i], "the connector is signed in again", &e);
    }
    if (rc != 0)
        log_err(EV_STORE_FAILED, NULL, "cloud", &e);
    free(b.list);
    sched_kick(a->sched);
}
