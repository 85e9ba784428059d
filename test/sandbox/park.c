/* see park.h; a list sorted by time, a timerfd set to its head */
#include "test/sandbox/park.h"
#include "test/sandbox/clock.h"
#include "test/sandbox/text.h"
#include <pthread.h>
#include <stdlib.h>
#include <sys/timerfd.h>
#include <unistd.h>

struct parked {
    struct parked *next;
    void *what;
    int64_t until_ms;
    bool for_work;
};

struct park {
    pthread_mutex_t lock;
    struct parked *first;
    park_fn *wake;
    int fd;
    bool stopping;
};

struct park *park_new(park_fn *wake)
{
    struct park *p = need(calloc(1, sizeof *p));

    pthread_mutex_init(&p->lock, NULL);
    p->wake = wake;
    p->fd = timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK | TFD_CLOEXEC);
    if (p->fd < 0) {
        park_free(p);
        return NULL;
    }
    return p;
}

void park_free(struct park *p)
{
    if (p == NULL)
        return;
    if (p->fd >= 0)
        close(p->fd);
    pthread_mutex_destroy(&p->lock);
    free(p);
}

static void set_timer(struct park *p)
{
    struct itimerspec t = { 0 };

    if (p->first != NULL) {
        t.it_value.tv_sec = p->first->until_ms / 1000;
        t.it_value.tv_nsec = p->first->until_ms % 1000 * 1000000 + 1;
    }
    timerfd_settime(p->fd, TFD_TIMER_ABSTIME, &t, NULL);
}

bool park_add(struct park *p, void *what, int64_t until_ms, bool for_work)
{
    struct parked *n = need(malloc(sizeof *n)), **at = &p->first;
    bool ok;

    *n = (struct parked){ NULL, what, until_ms, for_work };
    pthread_mutex_lock(&p->lock);
    ok = !p->stopping;
    if (ok) {
        while (*at != NULL && (*at)->until_ms <= until_ms)
            at = &(*at)->next;
        n->next = *at;
        *at = n;
        if (p->first == n)
            set_timer(p);
    }
    pthread_mutex_unlock(&p->lock);
    if (!ok)
        free(n);
    return ok;
}

static void wake_some(struct park *p, int64_t now_ms, bool for_work)
{
    struct parked **at, *woken = NULL;

    pthread_mutex_lock(&p->lock);
    for (at = &p->first; *at != NULL;) {
        struct parked *i = *at;

        if (i->until_ms > now_ms && !(for_work && i->for_work)) {
            at = &i->next;
            continue;
        }
        *at = i->next;
        i->next = woken;
        woken = i;
    }
    set_timer(p);
    pthread_mutex_unlock(&p->lock);
    while (woken != NULL) {
        struct parked *i = woken;

        woken = i->next;
        p->wake(i->what);
        free(i);
    }
}

void park_wake_all(struct park *p)
{
    wake_some(p, 0, true);
}

void park_due(struct park *p)
{
    uint64_t times;
    ssize_t n = read(p->fd, &times, sizeof times);

    (void)n; /* EAGAIN: it was set anew in between */
    wake_some(p, clock_ms(), false);
}

void park_stop(struct park *p)
{
    pthread_mutex_lock(&p->lock);
    p->stopping = true;
    pthread_mutex_unlock(&p->lock);
    wake_some(p, INT64_MAX, true);
}

int park_fd(const struct park *p)
{
    return p->fd;
}
