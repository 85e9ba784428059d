/* see fs_mode.h */
#include <errno.h>
#include <fcntl.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include "agent/base/fs_mode.h"

void fs_mode(const char *path, struct fs_mode *out)
{
    struct stat st;

    *out = (struct fs_mode){ .there = stat(path, &st) == 0 };
    if (!out->there) {
        (void)snprintf(out->why, sizeof out->why, "%s", strerror(errno));
        return;
    }
    out->folder = S_ISDIR(st.st_mode);
    out->socket = S_ISSOCK(st.st_mode);
    out->bits = (unsigned)st.st_mode & 07777;
    out->uid = (unsigned)st.st_uid;
    out->size = (int64_t)st.st_size;
}

/* A link is left alone: root mends files in folders of the service's user, who may have put it there meanwhile. */
int fs_mode_set(const char *path, unsigned bits, struct err *e)
{
    struct stat st;

    if (lstat(path, &st) == 0 && S_ISLNK(st.st_mode))
        return err_set(e, ERR_STORE, "%s: a symbolic link; change what it leads to", path);
    if (fchmodat(AT_FDCWD, path, (mode_t)bits, AT_SYMLINK_NOFOLLOW) != 0)
        return err_set(e, ERR_STORE, "%s: %s", path, strerror(errno));
    return 0;
}

unsigned fs_mode_self(void)
{
    return (unsigned)geteuid();
}

const char *fs_mode_user(unsigned uid)
{
    static char text[80];
    const struct passwd *p = getpwuid((uid_t)uid);

    if (p != NULL)
        (void)snprintf(text, sizeof text, "%s (%u)", p->pw_name, uid);
    else
        (void)snprintf(text, sizeof text, "%u", uid);
    return text;
}

int fs_mode_write(const char *folder, bool *full, struct err *e)
{
    static const char block[4096];
    char path[4096];
    int fd, saved = 0;

    *full = false;
    if (snprintf(path, sizeof path, "%s/.doctor.XXXXXX", folder) >= (int)sizeof path)
        return err_set(e, ERR_STORE, "%s: path too long", folder);
    if ((fd = mkostemp(path, O_CLOEXEC)) < 0) {
        saved = errno;
    } else {
        if (write(fd, block, sizeof block) != (ssize_t)sizeof block || fdatasync(fd) != 0)
            saved = errno != 0 ? errno : ENOSPC;
        (void)close(fd);
        (void)unlink(path);
    }
    *full = saved == ENOSPC || saved == EDQUOT;
    return saved == 0 ? 0 : err_set(e, ERR_STORE, "%s: %s", folder, strerror(saved));
}
