/* see fs.h, fs_supersede: the old key gets a second name first, so that it can be found and overwritten after a crash. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include "agent/base/crash.h"
#include "agent/base/fs.h"
#include "agent/base/fs_inner.h"

static int failed(const char *path, struct err *e)
{
    return err_set(e, ERR_STORE, "%s: %s", path, strerror(errno));
}

static int sync_folder(const char *path, struct err *e)
{
    return fs_sync_folder_of(path) == 0 ? 0 : failed(path, e);
}

static int overwrite(int fd, off_t size)
{
    static const char zeros[512];

    for (off_t at = 0; at < size;) {
        ssize_t n = pwrite(fd, zeros, (size_t)(size - at < 512 ? size - at : 512), at);

        if (n <= 0 && errno != EINTR)
            return -1;
        at += n > 0 ? n : 0;
    }
    return fsync(fd);
}

int fs_shred(const char *path, struct err *e)
{
    struct stat st;
    int fd = open(path, O_WRONLY | O_NOFOLLOW | O_CLOEXEC), rc = 0;

    if (fd < 0)
        return errno == ENOENT ? 0 : failed(path, e);
    if (fstat(fd, &st) != 0 || !S_ISREG(st.st_mode) || overwrite(fd, st.st_size) != 0)
        rc = failed(path, e);
    (void)close(fd);
    crash_point(28);
    if (rc == 0 && unlink(path) != 0)
        rc = failed(path, e);
    return rc == 0 ? sync_folder(path, e) : -1;
}

/* What has the name already: the file itself, from an attempt that was cut short, or one from before it. */
static int clear_name(const char *path, const char *old, struct err *e)
{
    struct stat a, b;

    if (lstat(old, &b) != 0)
        return errno == ENOENT ? 0 : failed(old, e);
    if (lstat(path, &a) != 0)
        return failed(path, e);
    if (a.st_dev != b.st_dev || a.st_ino != b.st_ino)
        return fs_shred(old, e);
    return unlink(old) == 0 ? 0 : failed(old, e);
}

int fs_supersede(const char *path, struct err *e)
{
    char fresh[4096], old[4096];

    if (snprintf(fresh, sizeof fresh, "%s.exchange", path) >= (int)sizeof fresh)
        return err_set(e, ERR_STORE, "%s: path too long", path);
    (void)snprintf(old, sizeof old, "%s.exchanged", path);
    if (clear_name(path, old, e) != 0)
        return -1;
    if (link(path, old) != 0)
        return failed(old, e);
    if (sync_folder(path, e) != 0)
        return -1;
    crash_point(26);
    if (rename(fresh, path) != 0)
        return failed(path, e);
    if (sync_folder(path, e) != 0)
        return -1;
    crash_point(27);
    return fs_shred(old, e);
}
