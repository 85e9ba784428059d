/*
 * slowsync: loaded before the C library (LD_PRELOAD), it counts what a program sends down to the disk and
 * makes the disk as slow as wanted.
 *
 *   BENCH_SYNC_MS=5         every fsync and fdatasync takes that much longer
 *   BENCH_SYNC_COUNT=FILE   eight bytes, a number in the machine's order that grows by one each time
 *
 * Both may be unset.  A FILE that cannot be used ends the program: a count that stays 0 would look good.
 */
#include <dlfcn.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

typedef int sync_fn(int fd);

static sync_fn *real_fsync, *real_fdatasync;
static _Atomic uint64_t *count, unused;
static struct timespec delay;

static void give_up(const char *what)
{
    perror(what);
    _exit(125);
}

static sync_fn *find(const char *name)
{
    union {
        void *object;
        sync_fn *function;
    } found = { .object = dlsym(RTLD_NEXT, name) };

    if (found.object == NULL)
        give_up(name);
    return found.function;
}

static void *map(const char *path)
{
    int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    void *p = MAP_FAILED;

    if (fd >= 0 && ftruncate(fd, sizeof *count) == 0)
        p = mmap(NULL, sizeof *count, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    if (p == MAP_FAILED)
        give_up(path);
    (void)close(fd);
    return p;
}

__attribute__((constructor)) static void start(void)
{
    const char *ms = getenv("BENCH_SYNC_MS"), *path = getenv("BENCH_SYNC_COUNT");
    long n = ms != NULL ? strtol(ms, NULL, 10) : 0;

    delay = (struct timespec){ .tv_sec = n / 1000, .tv_nsec = n % 1000 * 1000000 };
    count = path != NULL ? map(path) : &unused;
    real_fsync = find("fsync");
    real_fdatasync = find("fdatasync");
}

static int call(sync_fn *real, int fd)
{
    atomic_fetch_add(count, 1);
    if (delay.tv_sec != 0 || delay.tv_nsec != 0)
        (void)clock_nanosleep(CLOCK_MONOTONIC, 0, &delay, NULL);
    return real(fd);
}

int fsync(int fd)
{
    return call(real_fsync, fd);
}

int fdatasync(int fd)
{
    return call(real_fdatasync, fd);
}
