/* see fs.h, fs_as_owner.  seteuid, not setfsuid: what asks for our rights (fs_readable) asks for the effective user. */
#include <errno.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include "agent/fs.h"

int fs_as_owner(const char *dir, struct fs_self *self, struct err *e)
{
    struct stat st;

    *self = (struct fs_self){ .uid = geteuid(), .gid = getegid() };
    if (self->uid != 0 || stat(dir, &st) != 0 || st.st_uid == 0)
        return 0;
    if (setegid(st.st_gid) != 0 || seteuid(st.st_uid) != 0) {
        int saved = errno;

        if (setegid((gid_t)self->gid) != 0)
            _exit(70);
        return err_set(e, ERR_CONFIG, "%s belongs to user %u; we cannot act as that user: %s", dir,
            (unsigned)st.st_uid, strerror(saved));
    }
    self->changed = true;
    return 0;
}

void fs_as_self(const struct fs_self *self)
{
    if (!self->changed)
        return;
    /* From the user's rights back to root's: the saved user id allows it, in this order. */
    if (seteuid((uid_t)self->uid) != 0 || setegid((gid_t)self->gid) != 0)
        _exit(70); /* half of somebody else: nothing good can follow */
}
