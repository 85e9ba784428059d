/* see io_stall.h */
#include <stdlib.h>
#include "agent/io/io_stall.h"
#include "agent/io/io_uv.h"
#include "certs/mem.h"

struct io_stall {
    uv_thread_t thread;
    uv_mutex_t lock;
    uv_cond_t wake;
    uint64_t limit_ms, beat_ms;
    bool stopping, told; /* told: of this standstill */
    io_stall_fn *fn;
    void *arg;
};

static uint64_t now_ms(void)
{
    return uv_hrtime() / 1000000; /* uv_now() stands still with the loop */
}

static void watch(void *arg)
{
    struct io_stall *s = arg;

    uv_mutex_lock(&s->lock);
    while (!s->stopping) {
        uint64_t silent = now_ms() - s->beat_ms;

        if (silent < s->limit_ms || s->told) {
            (void)uv_cond_timedwait(&s->wake, &s->lock,
                (silent < s->limit_ms ? s->limit_ms - silent : s->limit_ms) * 1000000);
            continue;
        }
        s->told = true;
        uv_mutex_unlock(&s->lock);
        s->fn(s->arg, silent);
        uv_mutex_lock(&s->lock);
    }
    uv_mutex_unlock(&s->lock);
}

struct io_stall *io_stall_start(uint64_t limit_ms, io_stall_fn *fn, void *arg)
{
    struct io_stall *s = xcalloc(1, sizeof *s);

    s->limit_ms = limit_ms > 0 ? limit_ms : 1;
    s->fn = fn;
    s->arg = arg;
    s->beat_ms = now_ms();
    if (uv_mutex_init(&s->lock) != 0)
        goto no_lock;
    if (uv_cond_init(&s->wake) != 0)
        goto no_cond;
    if (uv_thread_create(&s->thread, watch, s) == 0)
        return s;
    uv_cond_destroy(&s->wake);
no_cond:
    uv_mutex_destroy(&s->lock);
no_lock:
    free(s);
    return NULL;
}

void io_stall_beat(struct io_stall *s)
{
    if (s == NULL)
        return;
    uv_mutex_lock(&s->lock);
    s->beat_ms = now_ms();
    s->told = false;
    uv_mutex_unlock(&s->lock);
}

void io_stall_stop(struct io_stall *s)
{
    if (s == NULL)
        return;
    uv_mutex_lock(&s->lock);
    s->stopping = true;
    uv_cond_signal(&s->wake);
    uv_mutex_unlock(&s->lock);
    (void)uv_thread_join(&s->thread);
    uv_cond_destroy(&s->wake);
    uv_mutex_destroy(&s->lock);
    free(s);
}
