/*
 * see io.h.  Worker threads, each with a library context of its own; two queues, one for work somebody
 * waits for and one for work that may wait.  A finished item goes to `done` and wakes the loop.
 *
 * At most all threads but one do idle work at a time (one if there is only one): a key takes tens of
 * milliseconds, and work that somebody waits for must find a thread.
 */
#include <sched.h>
#include <stdlib.h>
#include "agent/io_uv.h"
#include "certs/mem.h"

struct item {
    struct op op;
    struct io_work *work;
    struct item *next;
    bool idle, cancelled; /* cancelled: written by the loop thread, read under the lock */
    int rc;
    struct err err;
};

struct queue {
    struct item *first, **last;
};

static uv_thread_t *threads;
static struct lib **libs; /* one a thread; they outlive every key made with them */
static unsigned thread_count, idle_running, idle_max;
static uv_mutex_t lock;
static uv_cond_t wake;
static uv_async_t finished;
static struct queue urgent, idle, done;
static bool stopping;
static size_t outstanding; /* items not yet handed back; the loop stays alive while there are any */

static void push(struct queue *q, struct item *i)
{
    i->next = NULL;
    *q->last = i;
    q->last = &i->next;
}

static struct item *pop(struct queue *q)
{
    struct item *i = q->first;

    if (i != NULL && (q->first = i->next) == NULL)
        q->last = &q->first;
    return i;
}

static void item_free(struct item *i)
{
    i->work->free(i->work);
    free(i);
}

/* Called with the lock held. */
static struct item *pick(void)
{
    struct item *i = pop(&urgent);

    if (i == NULL && idle_running < idle_max && (i = pop(&idle)) != NULL)
        idle_running++;
    return i;
}

static void set_priority(bool low)
{
    struct sched_param p = { 0 };

    /* Only a wish: where it is refused idle work merely competes as an equal. */
    (void)pthread_setschedparam(pthread_self(), low ? SCHED_IDLE : SCHED_OTHER, &p);
}

static void worker(void *arg)
{
    struct lib *l = arg;

    uv_mutex_lock(&lock);
    for (;;) {
        struct item *i;

        while ((i = pick()) == NULL && !stopping)
            uv_cond_wait(&wake, &lock);
        if (i == NULL)
            break;
        if (!i->cancelled) {
            uv_mutex_unlock(&lock);
            if (i->idle)
                set_priority(true);
            i->rc = i->work->run(l, i->work, &i->err);
            if (i->idle)
                set_priority(false);
            uv_mutex_lock(&lock);
        }
        if (i->idle)
            idle_running--;
        push(&done, i);
        (void)uv_async_send(&finished);
    }
    uv_mutex_unlock(&lock);
}

static void hand_back(struct item *i)
{
    struct result r = { .err = i->rc == 0 ? NULL : &i->err, .work = i->work };

    if (--outstanding == 0)
        uv_unref((uv_handle_t *)&finished);
    if (!i->cancelled)
        i->op.fn(i->op.arg, &r);
    item_free(i);
}

static void on_finished(uv_async_t *a)
{
    struct item *i, *next;

    (void)a;
    uv_mutex_lock(&lock);
    i = done.first;
    done.first = NULL;
    done.last = &done.first;
    uv_mutex_unlock(&lock);
    for (; i != NULL; i = next) {
        next = i->next;
        hand_back(i);
    }
}

static void item_cancel(struct op *op)
{
    uv_mutex_lock(&lock);
    ((struct item *)op)->cancelled = true; /* its thread or queue hands it back; then it is freed */
    uv_mutex_unlock(&lock);
}

struct op *io_work(struct io_work *w, bool low, io_fn *fn, void *arg)
{
    struct item *i = xcalloc(1, sizeof *i);

    i->op = (struct op){ .fn = fn, .arg = arg, .cancel = item_cancel };
    i->work = w;
    i->idle = low;
    if (outstanding++ == 0)
        uv_ref((uv_handle_t *)&finished);
    uv_mutex_lock(&lock);
    push(low ? &idle : &urgent, i);
    uv_cond_signal(&wake);
    uv_mutex_unlock(&lock);
    return &i->op;
}

int io_work_open(unsigned workers, struct err *e)
{
    unsigned n = workers != 0 ? workers : uv_available_parallelism();

    if (uv_mutex_init(&lock) != 0 || uv_cond_init(&wake) != 0
        || uv_async_init(&io_loop, &finished, on_finished) != 0)
        return err_set(e, ERR_NOMEM, "the worker threads cannot be made");
    uv_unref((uv_handle_t *)&finished);
    urgent.last = &urgent.first;
    idle.last = &idle.first;
    done.last = &done.first;
    stopping = false;
    threads = xcalloc(n, sizeof *threads);
    libs = xcalloc(n, sizeof(struct lib *));
    idle_max = n > 1 ? n - 1 : 1;
    for (thread_count = 0; thread_count < n; thread_count++) {
        if ((libs[thread_count] = lib_new(e)) == NULL)
            return -1;
        if (uv_thread_create(&threads[thread_count], worker, libs[thread_count]) != 0)
            return err_set(e, ERR_NOMEM, "a worker thread cannot be started");
    }
    return 0;
}

void io_work_close(void)
{
    struct item *i;

    uv_mutex_lock(&lock);
    stopping = true;
    while ((i = pop(&idle)) != NULL)
        push(&done, i);
    uv_cond_broadcast(&wake);
    uv_mutex_unlock(&lock);
    for (unsigned t = 0; t < thread_count; t++)
        (void)uv_thread_join(&threads[t]);
    while ((i = pop(&done)) != NULL || (i = pop(&urgent)) != NULL) {
        outstanding--;
        item_free(i);
    }
    for (unsigned t = 0; t < thread_count; t++)
        lib_free(libs[t]);
    free(threads);
    free(libs);
    thread_count = 0;
    uv_close((uv_handle_t *)&finished, NULL);
    uv_mutex_destroy(&lock);
    uv_cond_destroy(&wake);
}
