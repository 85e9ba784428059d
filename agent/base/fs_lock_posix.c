/* see fs.h.  flock: a lock ends with its process, however that ends. */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>
#include "agent/base/fs.h"

int fs_lock(const char *path, struct err *e)
{
    char text[32] = "";
    int fd = fs_touch_private(path, e) != 0
                 ? -1
                 : open(path, O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0600);
    ssize_t n;

    if (fd < 0)
        return fs_failed(ERR_STORE, path, e);
    if (flock(fd, LOCK_EX | LOCK_NB) != 0) {
        n = read(fd, text, sizeof text - 1);
        text[n > 0 ? (size_t)n : 0] = '\0';
        text[strspn(text, "0123456789")] = '\0';
        (void)close(fd);
        return err_set(e, ERR_CONFLICT, "%s: process %s uses this store", path, text);
    }
    n = snprintf(text, sizeof text, "%ld\n", (long)getpid());
    if (ftruncate(fd, 0) != 0 || pwrite(fd, text, (size_t)n, 0) != n) {
        (void)close(fd);
        return fs_failed(ERR_STORE, path, e);
    }
    return fd;
}

int fs_lock_folder(const char *path, int wait_ms, struct err *e)
{
    enum { STEP_MS = 50 };
    int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

    if (fd < 0)
        return fs_failed(ERR_STORE, path, e);
    for (; flock(fd, LOCK_EX | LOCK_NB) != 0; wait_ms -= STEP_MS) {
        if (wait_ms <= 0 || errno != EWOULDBLOCK) {
            int saved = errno;

            (void)close(fd);
            return saved == EWOULDBLOCK
                       ? err_set(e, ERR_BUSY, "%s: another command is changing it", path)
                       : err_set(e, ERR_STORE, "%s: %s", path, strerror(saved));
        }
        (void)poll(NULL, 0, STEP_MS);
    }
    return fd;
}

int fs_lock_again(const char *path, int fd)
{
    struct stat ours, there;

    if (fd >= 0 && fstat(fd, &ours) == 0 && stat(path, &there) == 0 && ours.st_dev == there.st_dev
        && ours.st_ino == there.st_ino && flock(fd, LOCK_EX | LOCK_NB) == 0)
        return fd;
    fs_unlock(fd);
    return -1;
}

void fs_unlock(int fd)
{
    if (fd >= 0)
        (void)close(fd);
}
