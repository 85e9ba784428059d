/* see fs.h.  Whole files and folders, from one place to another. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include "agent/base/fs.h"
#include "agent/base/fs_inner.h"

enum { CHUNK = 1 << 16 };

static int failed(const char *path, struct err *e)
{
    return fs_failed(errno == ENOENT ? ERR_GONE : ERR_STORE, path, e);
}

int fs_open_file(const char *path, struct err *e)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    struct stat st;

    if (fd < 0)
        return fs_failed(errno == ENOENT ? ERR_GONE : ERR_CONFIG, path, e);
    if (fstat(fd, &st) == 0 && S_ISREG(st.st_mode))
        return fd;
    (void)close(fd);
    return err_set(e, ERR_CONFIG, "%s: not a file", path);
}

/* returns 1 more, 0 the end, -1 errno */
static int pour(int from, int to)
{
    static char chunk[CHUNK];
    ssize_t n = read(from, chunk, sizeof chunk), at = 0, wrote;

    while (at < n) {
        if ((wrote = write(to, chunk + at, (size_t)(n - at))) < 0 && errno != EINTR)
            return -1;
        at += wrote > 0 ? wrote : 0;
    }
    return n > 0 ? 1 : n == 0 ? 0 : errno == EINTR ? 1 : -1;
}

int fs_create_secret_from(const char *path, int fd, struct err *e)
{
    int to = open(path, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600), more;

    if (to < 0)
        return fs_failed(errno == EEXIST ? ERR_CONFLICT : ERR_STORE, path, e);
    do
        more = pour(fd, to);
    while (more > 0);
    if (more < 0 || fsync(to) != 0 || fs_sync_folder_of(path) != 0) {
        (void)failed(path, e);
        (void)unlink(path);
        (void)close(to);
        e->cls = ERR_STORE;
        return -1;
    }
    (void)close(to);
    return 0;
}

int fs_move(const char *from, const char *to, struct err *e)
{
    if (rename(from, to) != 0)
        return failed(from, e);
    if (fs_sync_folder_of(to) != 0 || fs_sync_folder_of(from) != 0)
        return fs_failed(ERR_STORE, to, e);
    return 0;
}

int fs_remove_folder(const char *path, struct err *e)
{
    DIR *d = opendir(path);
    const struct dirent *one;
    int rc = 0;

    if (d == NULL)
        return errno == ENOENT ? 0 : failed(path, e);
    while (rc == 0 && (one = readdir(d)) != NULL)
        if (strcmp(one->d_name, ".") != 0 && strcmp(one->d_name, "..") != 0)
            rc = unlinkat(dirfd(d), one->d_name, 0);
    if (rc != 0 || rmdir(path) != 0)
        rc = fs_failed(ERR_STORE, path, e);
    (void)closedir(d);
    return rc;
}
