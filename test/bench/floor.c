/*
 * floor: how much CPU the parts of a request take, one by one.  See floor.h.
 *
 * CPU time of this process, all of it; the wall clock counts for fdatasync only.
 */
#include "test/bench/floor.h"
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum { SYNC_LEN = 4096 };

struct options {
    const char *only, *dir;
    double for_ms;      /* CPU time an op is given */
    unsigned long keys; /* how many RSA keys of each kind */
    bool json;
};

struct outcome {
    const char *name, *what;
    unsigned long count;
    double cpu_us, wall_us; /* of one */
};

static double now_us(clockid_t clock)
{
    struct timespec t;

    (void)clock_gettime(clock, &t);
    return (double)t.tv_sec * 1e6 + (double)t.tv_nsec / 1e3;
}

/* ---- ops ---- */

/* Once before the clock starts: the first time pays for what later ones find ready. */
static int measure(
    const struct options *o, const struct op *op, struct lib *l, struct outcome *out, struct err *e)
{
    double cpu, wall, spent = 0;
    unsigned long n = 0;

    if (!op->counted && op->run(l, e) != 0)
        return -1;
    cpu = now_us(CLOCK_PROCESS_CPUTIME_ID);
    wall = now_us(CLOCK_MONOTONIC);
    while (op->counted ? n < o->keys : spent < o->for_ms * 1000) {
        if (op->run(l, e) != 0)
            return -1;
        n++;
        spent = now_us(CLOCK_PROCESS_CPUTIME_ID) - cpu;
    }
    wall = now_us(CLOCK_MONOTONIC) - wall;
    *out = (struct outcome){ op->name, op->what, n, spent / (double)n, wall / (double)n };
    return 0;
}

/* The disk: one block written over and over, each time down to the disk. */
static int measure_sync(const struct options *o, struct outcome *out, struct err *e)
{
    static const char block[SYNC_LEN];
    double cpu = now_us(CLOCK_PROCESS_CPUTIME_ID), wall = now_us(CLOCK_MONOTONIC), spent = 0;
    unsigned long n = 0;
    char path[4096];
    int fd;

    if (snprintf(path, sizeof path, "%s/floor.sync", o->dir) >= (int)sizeof path
        || (fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600)) < 0)
        return err_set(e, ERR_STORE, "%s: %s", o->dir, strerror(errno));
    while (spent < o->for_ms * 1000) {
        if (pwrite(fd, block, sizeof block, 0) != SYNC_LEN || fdatasync(fd) != 0) {
            err_set(e, ERR_STORE, "%s: %s", path, strerror(errno));
            break;
        }
        n++;
        spent = now_us(CLOCK_MONOTONIC) - wall;
    }
    cpu = now_us(CLOCK_PROCESS_CPUTIME_ID) - cpu;
    (void)close(fd);
    (void)unlink(path);
    if (spent < o->for_ms * 1000)
        return -1;
    *out = (struct outcome){ "fdatasync", "4 KiB written in place, then fdatasync", n,
        cpu / (double)n, spent / (double)n };
    return 0;
}

/* ---- output ---- */

static void print(const struct options *o, const struct outcome *r, bool first)
{
    double rate = 1e6 / (strcmp(r->name, "fdatasync") == 0 ? r->wall_us : r->cpu_us);

    if (o->json)
        (void)printf("%s\"%s\":{\"count\":%lu,\"cpu_us\":%.3f,\"wall_us\":%.3f}", first ? "" : ",",
            r->name, r->count, r->cpu_us, r->wall_us);
    else
        (void)printf("%-16s %7lu x %11.1f us %10.1f /s   %s\n", r->name, r->count,
            strcmp(r->name, "fdatasync") == 0 ? r->wall_us : r->cpu_us, rate, r->what);
    (void)fflush(stdout);
}

/* How many names the list has; an op that is asked for and does not exist must not pass for free. */
static unsigned names(const char *only)
{
    unsigned n = only != NULL;

    for (; only != NULL && *only != '\0'; only++)
        n += *only == ',';
    return n;
}

static bool wanted(const char *only, const char *name)
{
    size_t len = strlen(name);

    if (only == NULL)
        return true;
    for (const char *p = only; *p != '\0'; p += strcspn(p, ","), p += *p == ',')
        if (strcspn(p, ",") == len && strncmp(p, name, len) == 0)
            return true;
    return false;
}

static int run(const struct options *o, struct lib *l, struct err *e)
{
    const struct op *const lists[] = { floor_key_ops, floor_bare_ops, floor_certs_ops,
        floor_scep_ops };
    struct outcome r;
    unsigned done = 0;

    if (o->json)
        (void)printf("{\"library\":\"%s\",\"ops\":{", lib_version());
    for (size_t i = 0; i < sizeof lists / sizeof lists[0]; i++)
        for (const struct op *op = lists[i]; op->name != NULL; op++) {
            if (!wanted(o->only, op->name))
                continue;
            if (measure(o, op, l, &r, e) != 0)
                return err_wrap(e, "%s", op->name);
            print(o, &r, done++ == 0);
        }
    if (wanted(o->only, "fdatasync")) {
        if (measure_sync(o, &r, e) != 0)
            return -1;
        print(o, &r, done++ == 0);
    }
    if (o->json)
        (void)printf("}}\n");
    if (o->only != NULL && done != names(o->only))
        return err_set(e, ERR_INPUT, "%s: only %u of these are known", o->only, done);
    return 0;
}

/* ---- options ---- */

static int usage(void)
{
    (void)fprintf(stderr, "usage: floor [--json] [--only NAME,NAME...] [--for CPU-MS] [--keys N] "
                          "[--dir DIR-FOR-FDATASYNC]\n");
    return 2;
}

static bool number(const char *text, double most, double *out)
{
    char *end;

    *out = strtod(text, &end);
    return end != text && *end == '\0' && *out >= 1 && *out <= most;
}

static bool read_options(int argc, char **argv, struct options *o)
{
    double x;

    for (int i = 1; i < argc; i++) {
        const char *value = i + 1 < argc ? argv[i + 1] : NULL;

        if (strcmp(argv[i], "--json") == 0) {
            o->json = true;
            continue;
        }
        if (value == NULL)
            return false;
        if (strcmp(argv[i], "--only") == 0)
            o->only = value;
        else if (strcmp(argv[i], "--dir") == 0)
            o->dir = value;
        else if (strcmp(argv[i], "--for") == 0 && number(value, 1e6, &x))
            o->for_ms = x;
        else if (strcmp(argv[i], "--keys") == 0 && number(value, 1e6, &x))
            o->keys = (unsigned long)x;
        else
            return false;
        i++;
    }
    return true;
}

int main(int argc, char **argv)
{
    struct options o = { .dir = ".", .for_ms = 500, .keys = 50 };
    struct lib *l;
    struct err e = { 0 };
    int rc = -1;

    if (!read_options(argc, argv, &o))
        return usage();
    if ((l = lib_new(&e)) != NULL && floor_key_open(l, &e) == 0 && floor_bare_open(l, &e) == 0
        && floor_certs_open(l, &e) == 0 && floor_scep_open(l, &e) == 0)
        rc = run(&o, l, &e);
    if (rc != 0)
        (void)fprintf(stderr, "floor: %s\n", e.msg);
    floor_scep_close();
    floor_certs_close();
    floor_bare_close();
    floor_key_close();
    lib_free(l);
    return rc == 0 ? 0 : 1;
}
