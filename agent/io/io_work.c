/*
 * see io.h.  Worker threads for work somebody waits for, and one more for work that may wait, each with a
 * library context of its own and a queue.  A finished item goes to `done` and wakes the loop.
 *
 * The one for idle work has the lowest priority from its first to its last moment: a thread that is not
 * root's may lower its priority and never raise it again.  It is made when it is first needed.
 */
#include <sched.h>
#include <stdlib.h>
#include "agent/io/io_uv.h"
#include "certs/mem.h"

struct item {
    struct op op;
    struct io_work *work;
    struct item *next;
    bool cancelled; /* written by the loop thread, read under the lock */
    int rc;
    struct err err;
};

struct queue {
    struct item *first, **last;
};

struct thread {
    uv_thread_t id;
    struct lib *lib; /* outlives every key made with it */
    bool low;
    uint64_t began_ns; /* its work under way, 0: none; under the lock */
};

static struct thread *threads; /* the last one is for idle work */
static unsigned thread_count, worker_count;
static uv_mutex_t lock;
static uv_cond_t wake[2]; /* [low] */
static uv_async_t finished;
static struct queue waiting[2], done; /* [low] */
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

static void lower_priority(void)
{
    struct sched_param p = { 0 };

    /* Only a wish: where it is refused idle work competes as an equal. */
    (void)pthread_setschedparam(pthread_self(), SCHED_IDLE, &p);
}

static void work(void *arg)
{
    struct thread *t = arg;
    struct item *i;

    if (t->low)
        lower_priority();
    uv_mutex_lock(&lock);
    for (;;) {
        while ((i = pop(&waiting[t->low])) == NULL && !stopping)
            uv_cond_wait(&wake[t->low], &lock);
        if (i == NULL)
            break;
        if (!i->cancelled) {
            t->began_ns = uv_hrtime();
            uv_mutex_unlock(&lock);
            i->rc = i->work->run(t->lib, i->work, &i->err);
            uv_mutex_lock(&lock);
            t->began_ns = 0;
        }
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

static int start_thread(bool low, struct err *e)
{
    struct thread *t = &threads[thread_count];

    *t = (struct thread){ .low = low };
    if ((t->lib = lib_new(e)) == NULL)
        return -1;
    if (uv_thread_create(&t->id, work, t) != 0) {
        lib_free(t->lib);
        return err_set(e, ERR_NOMEM, "a worker thread cannot be started");
    }
    thread_count++;
    return 0;
}

struct op *io_work(struct io_work *w, bool low, io_fn *fn, void *arg)
{
    struct item *i = xcalloc(1, sizeof *i);
    struct err e;

    if (low && thread_count == worker_count && start_thread(true, &e) != 0)
        low = false; /* no thread for it: it is done by the others */
    i->op = (struct op){ .fn = fn, .arg = arg, .cancel = item_cancel };
    i->work = w;
    if (outstanding++ == 0)
        uv_ref((uv_handle_t *)&finished);
    uv_mutex_lock(&lock);
    push(&waiting[low], i);
    uv_cond_signal(&wake[low]);
    uv_mutex_unlock(&lock);
    return &i->op;
}

uint64_t io_work_longest_ms(void)
{
    uint64_t now = uv_hrtime(), longest = 0;

    uv_mutex_lock(&lock);
    for (unsigned t = 0; t < worker_count; t++) {
        uint64_t began = threads[t].began_ns;

        if (began != 0 && began < now && now - began > longest)
            longest = now - began;
    }
    uv_mutex_unlock(&lock);
    return longest / 1000000;
}

int io_work_open(unsigned workers, struct err *e)
{
    worker_count = workers != 0 ? workers : uv_available_parallelism();
    if (uv_mutex_init(&lock) != 0 || uv_cond_init(&wake[0]) != 0 || uv_cond_init(&wake[1]) != 0
        || uv_async_init(&io_loop, &finished, on_finished) != 0)
        return err_set(e, ERR_NOMEM, "the worker threads cannot be made");
    uv_unref((uv_handle_t *)&finished);
    waiting[0].last = &waiting[0].first;
    waiting[1].last = &waiting[1].first;
    done.last = &done.first;
    stopping = false;
    thread_count = 0;
    threads = xcalloc(worker_count + 1, sizeof *threads);
    while (thread_count < worker_count)
        if (start_thread(false, e) != 0)
            return -1;
    return 0;
}

void io_work_close(void)
{
    struct item *i;

    uv_mutex_lock(&lock);
    stopping = true;
    while ((i = pop(&waiting[1])) != NULL)
        push(&done, i);
    uv_cond_broadcast(&wake[0]);
    uv_cond_broadcast(&wake[1]);
    uv_mutex_unlock(&lock);
    for (unsigned t = 0; t < thread_count; t++)
        (void)uv_thread_join(&threads[t].id);
    while ((i = pop(&done)) != NULL || (i = pop(&waiting[0])) != NULL) {
        outstanding--;
        item_free(i);
    }
    for (unsigned t = 0; t < thread_count; t++)
        lib_free(threads[t].lib);
    free(threads);
    threads = NULL;
    thread_count = 0;
    uv_close((uv_handle_t *)&finished, NULL);
    uv_mutex_destroy(&lock);
    uv_cond_destroy(&wake[0]);
    uv_cond_destroy(&wake[1]);
}
