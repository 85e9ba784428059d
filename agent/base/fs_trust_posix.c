/* see fs.h: fs_trusted_file; fs_link.h.  The path is walked name by name; a link's target is put in its place. */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include "agent/base/fs.h"
#include "agent/base/fs_link.h"

enum { PATH_MOST = 4096, LINKS_MOST = 16 };

struct walk {
    char done[PATH_MOST]; /* checked, without links; "" is the root */
    char rest[PATH_MOST]; /* to be checked */
    unsigned links;
};

/* Who could change what is called path?  "Us" is who we really are: root that acts as somebody else (fs_as_owner) is
 * root again whenever what it loads or runs wants that. */
static int judge(const char *path, const struct stat *st, struct err *e)
{
    bool sticky = S_ISDIR(st->st_mode) && (st->st_mode & S_ISVTX) != 0;
    unsigned mode = st->st_mode & 07777;

    if (st->st_uid != 0 && st->st_uid != getuid())
        return err_set(e, ERR_CONFIG,
            "%s: belongs to user %u, who is neither root nor us (mode %04o)", path,
            (unsigned)st->st_uid, mode);
    if (!S_ISLNK(st->st_mode) && !sticky && (mode & 022) != 0)
        return err_set(
            e, ERR_CONFIG, "%s: others may write it (mode %04o); chmod go-w %s", path, mode, path);
    return 0;
}

/* rest = target + "/" + rest; an absolute target begins at the root again. */
static int follow(struct walk *w, const char *link, struct err *e)
{
    char target[PATH_MOST], rest[2 * PATH_MOST];
    ssize_t n = readlink(link, target, sizeof target - 1);

    if (n < 0)
        return err_set(e, ERR_CONFIG, "%s: %s", link, strerror(errno));
    target[n] = '\0';
    if (++w->links > LINKS_MOST)
        return err_set(e, ERR_CONFIG, "%s: too many symbolic links", link);
    (void)snprintf(rest, sizeof rest, "%s/%s", target, w->rest);
    if (strlen(rest) >= sizeof w->rest)
        return err_set(e, ERR_CONFIG, "%s: leads to too long a path", link);
    (void)snprintf(w->rest, sizeof w->rest, "%s", rest);
    if (target[0] == '/')
        w->done[0] = '\0';
    return 0;
}

/* Take the next name off w->rest.  returns its length, 0 at the end */
static size_t next_name(struct walk *w, char *name, size_t size)
{
    size_t skip = strspn(w->rest, "/"), len = strcspn(w->rest + skip, "/");

    (void)snprintf(name, size, "%.*s", (int)len, w->rest + skip);
    memmove(w->rest, w->rest + skip + len, strlen(w->rest + skip + len) + 1);
    return len;
}

typedef int judge_fn(const char *path, const struct stat *st, struct err *e);

static int step(
    struct walk *w, const char *name, judge_fn *may_pass, struct stat *st, struct err *e)
{
    char path[PATH_MOST];
    char *slash;

    if (strcmp(name, ".") == 0)
        return 0;
    if (strcmp(name, "..") == 0) { /* without links this is the one before, and that was checked */
        if ((slash = strrchr(w->done, '/')) != NULL)
            *slash = '\0';
        return stat(w->done[0] != '\0' ? w->done : "/", st) == 0
                   ? 0
                   : err_set(e, ERR_CONFIG, "%s: %s", w->done, strerror(errno));
    }
    if (snprintf(path, sizeof path, "%s/%s", w->done, name) >= (int)sizeof path)
        return err_set(e, ERR_CONFIG, "%s: path too long", w->done);
    if (lstat(path, st) != 0)
        return err_set(e, ERR_CONFIG, "%s: %s", path, strerror(errno));
    if (may_pass(path, st, e) != 0)
        return -1;
    if (S_ISLNK(st->st_mode))
        return follow(w, path, e);
    (void)snprintf(w->done, sizeof w->done, "%s", path);
    return 0;
}

int fs_trusted_file(const char *path, struct err *e)
{
    struct walk w = { .links = 0 };
    char name[PATH_MOST];
    struct stat st = { 0 };

    if (path[0] != '/')
        return err_set(e, ERR_CONFIG, "%s: not an absolute path", path);
    if (snprintf(w.rest, sizeof w.rest, "%s", path) >= (int)sizeof w.rest)
        return err_set(e, ERR_CONFIG, "%s: path too long", path);
    if (lstat("/", &st) != 0)
        return err_set(e, ERR_CONFIG, "/: %s", strerror(errno));
    if (judge("/", &st, e) != 0)
        return err_wrap(e, "%s cannot be trusted", path);
    while (next_name(&w, name, sizeof name) > 0)
        if (step(&w, name, judge, &st, e) != 0)
            return err_wrap(e, "%s cannot be trusted", path);
    if (!S_ISREG(st.st_mode))
        return err_set(e, ERR_CONFIG, "%s: not a file", path);
    return 0;
}

/* ---- who leads us ---------------------------------------------------------------------------------------------- */

static int is_roots(const char *path, const struct stat *st, struct err *e)
{
    (void)path;
    (void)e;
    return S_ISLNK(st->st_mode) && st->st_uid != 0 ? -1 : 0;
}

bool fs_led_by(const char *path, struct stat *at)
{
    struct walk w = { .links = 0 };
    char name[PATH_MOST];
    struct err e;
    int rc = 0;

    fs_absolute(w.rest, sizeof w.rest, path);
    *at = (struct stat){ .st_uid = 0 };
    while (rc == 0 && next_name(&w, name, sizeof name) > 0)
        rc = step(&w, name, is_roots, at, &e);
    return rc != 0 && S_ISLNK(at->st_mode) && at->st_uid != 0;
}
