#ifndef TEST_UNIT_AGENT_DIR_H
#define TEST_UNIT_AGENT_DIR_H
/*
 * agent_dir.h - a folder of its own for each test, removed afterwards with everything in it.
 *
 * Use: cmocka_unit_test_setup_teardown(fn, dir_make, dir_remove), or DIR_TEST(fn).
 */
#include <fcntl.h>
#include <ftw.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>
#include "certs/buf.h"

#define DIR_TEST(fn) cmocka_unit_test_setup_teardown(fn, dir_make, dir_remove)

enum { DIR_PATH_LEN = 300 };

static char dir_root[100];

static inline int dir_make(void **state)
{
    const char *base = getenv("TMPDIR");

    (void)state;
    (void)snprintf(dir_root, sizeof dir_root, "%s/certferry-unit.XXXXXX",
        base != NULL && strlen(base) < 60 ? base : "/tmp");
    return mkdtemp(dir_root) != NULL ? 0 : -1;
}

static inline int dir_drop(const char *path, const struct stat *st, int kind, struct FTW *ftw)
{
    (void)st;
    (void)kind;
    (void)ftw;
    return remove(path);
}

static inline int dir_remove(void **state)
{
    (void)state;
    return nftw(dir_root, dir_drop, 16, FTW_DEPTH | FTW_PHYS);
}

/* The path of a name in the folder; four at a time stay valid. */
static inline const char *dir_path(const char *name)
{
    static char paths[4][DIR_PATH_LEN];
    static unsigned next;
    char *p = paths[next++ % 4];

    (void)snprintf(p, DIR_PATH_LEN, "%s/%s", dir_root, name);
    return p;
}

static inline void dir_put(const char *name, const void *p, size_t len, unsigned mode)
{
    const char *path = dir_path(name);
    int fd;

    (void)unlink(path);
    fd = open(path, O_WRONLY | O_CREAT | O_EXCL, 0600);
    if (fd < 0 || write(fd, p, len) != (ssize_t)len || fchmod(fd, (mode_t)mode) != 0)
        fail_msg("%s cannot be written", path);
    (void)close(fd);
}

static inline void dir_write(const char *name, const char *text, unsigned mode)
{
    dir_put(name, text, strlen(text), mode);
}

static inline void dir_read(const char *name, struct buf *out)
{
    uint8_t piece[8192];
    int fd = open(dir_path(name), O_RDONLY);
    ssize_t n;

    assert_true(fd >= 0);
    buf_reset(out);
    while ((n = read(fd, piece, sizeof piece)) > 0)
        buf_add(out, piece, (size_t)n);
    (void)close(fd);
    assert_true(n == 0 && !out->bad);
}
#endif
