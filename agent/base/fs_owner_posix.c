/* see fs.h: fs_as_owner, fs_folder_like.  seteuid, not setfsuid: what asks for our rights (fs_readable) asks for the
 * effective user. */
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <pwd.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include "agent/base/fs.h"
#include "agent/base/fs_link.h"
#include "certs/mem.h"

/* ---- acting as the owner ------------------------------------------------------------------------------------- */

enum { GROUPS_MAX = 64 };

/* Root's groups would open to him what only they may read.  A user without a name, or of too many groups, has none. */
static int change_groups(struct fs_self *self, uid_t uid, gid_t gid)
{
    int n = getgroups(0, NULL), count = GROUPS_MAX;
    const struct passwd *p = getpwuid(uid);
    gid_t his[GROUPS_MAX];

    self->groups = xcalloc(n > 0 ? (size_t)n : 1, sizeof *self->groups);
    self->group_count = getgroups(n, self->groups);
    if (p == NULL || getgrouplist(p->pw_name, gid, his, &count) < 0)
        count = 0;
    return self->group_count < 0 ? -1 : setgroups((size_t)count, his);
}

static int restore_groups(const struct fs_self *self)
{
    int rc = setgroups((size_t)self->group_count, self->groups);

    free(self->groups);
    return rc;
}

static int refuse(const char *dir, const struct stat *st, int why, struct err *e)
{
    return err_set(e, ERR_CONFIG, "%s belongs to user %u; we cannot act as that user: %s", dir,
        (unsigned)st->st_uid, strerror(why));
}

int fs_as_owner(const char *dir, struct fs_self *self, struct err *e)
{
    struct stat st;

    *self = (struct fs_self){ .uid = geteuid(), .gid = getegid() };
    /* Who put a link in the folder's place is who gets to act there, not he (or root) whose folder it leads to. */
    if (self->uid != 0 || (!fs_led_by(dir, &st) && stat(dir, &st) != 0) || st.st_uid == 0)
        return 0;
    if (change_groups(self, st.st_uid, st.st_gid) != 0) {
        int saved = errno;

        free(self->groups);
        return refuse(dir, &st, saved, e);
    }
    if (setegid(st.st_gid) != 0 || seteuid(st.st_uid) != 0) {
        int saved = errno;

        if (setegid((gid_t)self->gid) != 0 || restore_groups(self) != 0)
            _exit(70);
        return refuse(dir, &st, saved, e);
    }
    self->changed = true;
    return 0;
}

void fs_as_self(const struct fs_self *self)
{
    if (!self->changed)
        return;
    /* From the user's rights back to root's: the saved user id allows it, in this order. */
    if (seteuid((uid_t)self->uid) != 0 || setegid((gid_t)self->gid) != 0
        || restore_groups(self) != 0)
        _exit(70); /* half of somebody else: nothing good can follow */
}

/* ---- giving away --------------------------------------------------------------------------------------------- */

/* By its descriptor: whoever owns the folder above may put a link in its place before it is given away. */
static int make_like(int fd, const struct stat *like)
{
    struct stat made;

    if (fd < 0 || fstat(fd, &made) != 0)
        return -1;
    if (made.st_uid != geteuid()) { /* not what we made */
        errno = EEXIST;
        return -1;
    }
    if ((made.st_uid != like->st_uid || made.st_gid != like->st_gid)
        && fchown(fd, like->st_uid, like->st_gid) != 0)
        return -1;
    return fchmod(fd, like->st_mode & 07777);
}

int fs_folder_like(const char *path, const char *like, struct err *e)
{
    int fd, rc, saved;
    struct stat st;

    if (stat(like, &st) != 0)
        return err_set(e, ERR_STORE, "%s: %s", like, strerror(errno));
    if (mkdir(path, 0700) != 0)
        return errno == EEXIST ? 0 : err_set(e, ERR_STORE, "%s: %s", path, strerror(errno));
    fd = open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    rc = make_like(fd, &st);
    saved = errno;
    if (fd >= 0)
        (void)close(fd);
    if (rc == 0)
        return 0;
    (void)rmdir(path);
    return err_set(e, ERR_STORE, "%s: %s", path, strerror(saved));
}

bool fs_owner_reads(const char *dir, const char *path)
{
    struct fs_self self;
    struct err e;
    bool may;
    int fd;

    if (fs_as_owner(dir, &self, &e) != 0)
        return true; /* not known */
    fd = open(path, O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
    may = fd >= 0 || errno != EACCES;
    if (fd >= 0)
        (void)close(fd);
    fs_as_self(&self);
    return may;
}
