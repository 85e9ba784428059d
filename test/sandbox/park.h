#ifndef SANDBOX_PARK_H
#define SANDBOX_PARK_H
#include <stdbool.h>
#include <stdint.h>

/*
 * park.h - requests that wait: for a time, or for work to come.
 *
 * The serving thread parks, the main thread wakes what is due: it polls park_fd() and calls
 * park_due().  Waking means calling `wake` from whichever thread, once for each time it was parked.
 */
struct park;
typedef void park_fn(void *what);

struct park *park_new(park_fn *wake);
void park_free(struct park *p);

/* park_add - until clock_ms() is until_ms, or park_wake_all when `for_work`.
 * false: the sandbox is stopping, nothing may wait any more */
bool park_add(struct park *p, void *what, int64_t until_ms, bool for_work);
void park_wake_all(struct park *p); /* those that wait for work */
void park_due(struct park *p);
void park_stop(struct park *p);    /* wakes all, for ever */
int park_fd(const struct park *p); /* readable when park_due has something to do */
#endif
