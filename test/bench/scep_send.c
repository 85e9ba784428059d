/* see scep_load.h: many clients, each a thread that takes the next message when it has its answer */
#include "test/bench/scep_load.h"
#include "test/sandbox/text.h"
#include <fcntl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

struct shot {
    const uint8_t *message;
    size_t len;
    enum kind kind;
    struct outcome got;
    double ms;
};

struct round {
    const struct sending *s;
    const uint8_t *file;
    size_t size;
    struct shot *shots;
    unsigned count;
    atomic_uint next;
};

static double now_ms(void)
{
    struct timespec t;

    (void)clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec * 1e3 + (double)t.tv_nsec / 1e6;
}

/* ---- the file ---- */

static bool map(struct round *r)
{
    int fd = open(r->s->in, O_RDONLY | O_CLOEXEC);
    struct stat st;
    void *p;

    if (fd < 0 || fstat(fd, &st) != 0 || st.st_size == 0)
        return false;
    p = mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_PRIVATE | MAP_POPULATE, fd, 0);
    (void)close(fd);
    if (p == MAP_FAILED)
        return false;
    r->file = p;
    r->size = (size_t)st.st_size;
    return true;
}

/* The records wanted; a file that breaks off in one is refused. */
static bool index_file(struct round *r)
{
    unsigned room = 0, seen = 0;

    for (size_t at = 0; at < r->size; seen++) {
        const uint8_t *p = r->file + at;
        size_t len;

        if (r->size - at < RECORD_HEAD)
            return false;
        len = (size_t)p[1] << 24 | (size_t)p[2] << 16 | (size_t)p[3] << 8 | p[4];
        if (p[0] >= KIND_COUNT || len > MESSAGE_MAX || r->size - at - RECORD_HEAD < len)
            return false;
        at += RECORD_HEAD + len;
        if (seen < r->s->skip || (r->s->count != 0 && r->count == r->s->count))
            continue;
        if (r->count == room) {
            room = room == 0 ? 1024 : 2 * room;
            r->shots = need(realloc(r->shots, room * sizeof *r->shots));
        }
        r->shots[r->count++] =
            (struct shot){ .message = p + RECORD_HEAD, .len = len, .kind = (enum kind)p[0] };
    }
    return r->count > 0;
}

/* ---- the clients ---- */

static void *client(void *arg)
{
    struct round *r = arg;
    struct wire *w = wire_new(r->s);
    unsigned i;

    while ((i = atomic_fetch_add(&r->next, 1)) < r->count) {
        double at = now_ms();

        r->shots[i].got = wire_ask(w, i, r->shots[i].message, r->shots[i].len);
        r->shots[i].ms = now_ms() - at;
    }
    wire_free(w);
    return NULL;
}

static bool run(struct round *r)
{
    pthread_t *t = need(calloc(r->s->clients, sizeof *t));
    unsigned started = 0;

    while (started < r->s->clients && pthread_create(&t[started], NULL, client, r) == 0)
        started++;
    for (unsigned i = 0; i < started; i++)
        (void)pthread_join(t[i], NULL);
    free(t);
    return started == r->s->clients;
}

/* ---- what came of it ---- */

static int by_ms(const void *a, const void *b)
{
    const struct shot *x = a, *y = b;

    return (x->ms > y->ms) - (x->ms < y->ms);
}

static void print_kinds(const struct round *r)
{
    for (unsigned k = 0, first = 1; k < KIND_COUNT; k++) {
        unsigned count = 0, issued = 0, refused = 0, pending = 0, http = 0, none = 0;

        for (unsigned i = 0; i < r->count; i++) {
            const struct outcome *o = &r->shots[i].got;

            if (r->shots[i].kind != (enum kind)k)
                continue;
            count++;
            issued += o->status == '0';
            refused += o->status == '2';
            pending += o->status == '3';
            http += o->status == '?' && o->http >= 400;
            none += o->status == '?' && o->http < 400;
        }
        if (count == 0)
            continue;
        (void)printf("%s\"%s\":{\"count\":%u,\"issued\":%u,\"refused\":%u,\"pending\":%u,"
                     "\"http_error\":%u,\"none\":%u}",
            first ? "" : ",", kind_names[k], count, issued, refused, pending, http, none);
        first = 0;
    }
}

static void report(struct round *r, double wall_ms)
{
    (void)printf("{\"count\":%u,\"wall_s\":%.4f,\"kinds\":{", r->count, wall_ms / 1e3);
    print_kinds(r);
    qsort(r->shots, r->count, sizeof *r->shots, by_ms);
    (void)printf("},\"p50_ms\":%.3f,\"p99_ms\":%.3f,\"max_ms\":%.3f}\n", r->shots[r->count / 2].ms,
        r->shots[r->count - 1 - r->count / 100].ms, r->shots[r->count - 1].ms);
}

bool send_all(const struct sending *s)
{
    struct round r = { .s = s };
    double at;
    bool ok = map(&r) && index_file(&r);

    if (!ok)
        (void)fprintf(stderr, "scep_load: %s: no messages\n", s->in);
    at = now_ms();
    if (ok && (ok = run(&r)))
        report(&r, now_ms() - at);
    free(r.shots);
    if (r.file != NULL)
        (void)munmap((void *)(uintptr_t)r.file, r.size);
    return ok;
}
