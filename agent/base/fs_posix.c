/* see fs.h */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>
#include "agent/base/fs.h"
#include "agent/base/fs_inner.h"
#include "agent/base/fs_link.h"

void fs_join(char *out, size_t size, const char *dir, const char *name)
{
    (void)snprintf(out, size, "%s/%s", dir, name);
}

/* systemd gives a credential to the service by an ACL where it can; its mask shows as the group's right to read. */
static bool is_credential(const struct stat *st)
{
    return st->st_uid == 0 && st->st_gid == 0 && (st->st_mode & 07777) == 0440;
}

int fs_failed(enum err_class cls, const char *path, struct err *e)
{
    int why = errno;

    (void)err_set(e, cls, "%s: %s", path, strerror(why));
    e->number = (uint32_t)why;
    return -1;
}

static uid_t served = (uid_t)-1; /* whose files root takes for ours */

void fs_trust_owner(const char *dir)
{
    struct stat st;

    if (geteuid() == 0 && (fs_led_by(dir, &st) || stat(dir, &st) == 0))
        served = st.st_uid;
}

static bool is_ours(uid_t owner)
{
    return owner == geteuid() || owner == served;
}

static int judge(const char *path, const struct stat *st, bool secret, struct err *e)
{
    if (!S_ISREG(st->st_mode))
        return err_set(e, ERR_CONFIG, "%s: not a file", path);
    if (secret && (st->st_mode & 077) != 0 && !is_credential(st))
        return err_set(e, ERR_CONFIG, "%s: others may read it (mode %04o); chmod 600 %s", path,
            (unsigned)(st->st_mode & 07777), path);
    if (secret && !is_ours(st->st_uid) && st->st_uid != 0)
        return err_set(
            e, ERR_CONFIG, "%s: belongs to user %u, not to us", path, (unsigned)st->st_uid);
    return 0;
}

int fs_readable(const char *path, bool secret, struct err *e)
{
    struct stat st;

    if (stat(path, &st) != 0)
        return fs_failed(ERR_CONFIG, path, e);
    if (judge(path, &st, secret, e) != 0)
        return -1;
    if (access(path, R_OK) != 0)
        return fs_failed(ERR_CONFIG, path, e);
    return 0;
}

int fs_executable(const char *path, struct err *e)
{
    struct stat st;

    if (stat(path, &st) != 0)
        return fs_failed(ERR_CONFIG, path, e);
    if (!S_ISREG(st.st_mode))
        return err_set(e, ERR_CONFIG, "%s: not a file", path);
    if (access(path, X_OK) != 0)
        return err_set(e, ERR_CONFIG, "%s: may not be run: %s (mode %04o)", path, strerror(errno),
            (unsigned)(st.st_mode & 07777));
    return 0;
}

static int read_all(int fd, const char *path, struct buf *out, struct err *e)
{
    uint8_t piece[8192];
    ssize_t n;

    while ((n = read(fd, piece, sizeof piece)) != 0) {
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return fs_failed(ERR_CONFIG, path, e);
        buf_add(out, piece, (size_t)n);
        if (out->secret)
            explicit_bzero(piece, sizeof piece);
        if (buf_check(out, e) != 0)
            return err_wrap(e, "%s", path);
    }
    return 0;
}

/*
 * Root can read more than he whose link leads to it: what he cannot read must not become a secret of his, which is then
 * used for him, and sent.  Looked at after it was opened: a link that is gone by now has led elsewhere.
 */
static int judge_way(const char *path, const struct stat *st, struct err *e)
{
    struct stat at;
    bool led;

    if (geteuid() != 0 || is_credential(st))
        return 0;
    led = fs_led_by(path, &at);
    if (led && at.st_uid != st->st_uid)
        return err_set(e, ERR_CONFIG, "%s: a link of user %u leads to a file of user %u", path,
            (unsigned)at.st_uid, (unsigned)st->st_uid);
    if (!led && (at.st_dev != st->st_dev || at.st_ino != st->st_ino))
        return err_set(e, ERR_CONFIG, "%s: it was exchanged while it was read", path);
    return 0;
}

/* What is judged is what is read: a name may lead to another file a moment later. */
static int open_and_read(const char *path, bool secret, struct buf *out, struct err *e)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC | (secret ? O_NONBLOCK : 0)), rc = 0;
    size_t start = out->len;
    struct stat st;

    if (fd < 0 || (secret && fstat(fd, &st) != 0))
        rc = fs_failed(ERR_CONFIG, path, e);
    else if (secret)
        rc = judge(path, &st, true, e) != 0 ? -1 : judge_way(path, &st, e);
    if (rc == 0 && (rc = read_all(fd, path, out, e)) != 0)
        buf_truncate(out, start);
    if (fd >= 0)
        (void)close(fd);
    return rc;
}

int fs_read(const char *path, struct buf *out, struct err *e)
{
    return open_and_read(path, false, out, e);
}

int fs_read_secret(const char *path, struct buf *out, struct err *e)
{
    return open_and_read(path, true, out, e);
}

int fs_read_secret_line(const char *path, struct buf *out, struct err *e)
{
    if (path == NULL)
        return err_set(e, ERR_CONFIG, "no file named");
    if (fs_read_secret(path, out, e) != 0)
        return -1;
    for (size_t i = 0; i < out->len; i++)
        if (out->p[i] == '\n' || out->p[i] == '\r') {
            buf_truncate(out, i);
            break;
        }
    if (out->len == 0)
        return err_set(e, ERR_CONFIG, "%s: its first line is empty", path);
    return 0;
}

static int write_all(int fd, struct view v)
{
    while (v.len > 0) {
        ssize_t n = write(fd, v.p, v.len);

        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return -1;
        v.p += n;
        v.len -= (size_t)n;
    }
    return 0;
}

void fs_folder_of(const char *path, char *dir, size_t size)
{
    const char *slash = strrchr(path, '/');

    if (slash == NULL)
        (void)snprintf(dir, size, ".");
    else
        (void)snprintf(dir, size, "%.*s", slash == path ? 1 : (int)(slash - path), path);
}

int fs_sync_folder_of(const char *path)
{
    char dir[4096];
    int fd, rc;

    fs_folder_of(path, dir, sizeof dir);
    if ((fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC)) < 0)
        return -1;
    rc = fsync(fd);
    (void)close(fd);
    return rc;
}

/*
 * What root makes in a folder of the service's user belongs to that user, or the service could not use it: root runs
 * the commands, and the service is somebody else.
 */
static void give(int fd, const char *path)
{
    char dir[4096];
    struct stat st;

    if (geteuid() != 0)
        return;
    fs_folder_of(path, dir, sizeof dir);
    if (stat(dir, &st) == 0 && (st.st_uid != 0 || st.st_gid != 0))
        (void)!fchown(fd, st.st_uid, st.st_gid);
}

int fs_touch_private(const char *path, struct err *e)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);

    if (fd < 0)
        return errno == EEXIST ? 0 : fs_failed(ERR_STORE, path, e);
    give(fd, path);
    (void)close(fd);
    return 0;
}

/* Write, fsync and close a descriptor; on failure the file at `path` is removed. */
static int fill(int fd, const char *path, struct view content, struct err *e)
{
    int rc = write_all(fd, content) == 0 && fsync(fd) == 0 ? 0 : -1;
    int saved = errno;

    if (close(fd) != 0 && rc == 0) {
        saved = errno;
        rc = -1;
    }
    if (rc != 0) {
        (void)unlink(path);
        return err_set(e, ERR_STORE, "%s: %s", path, strerror(saved));
    }
    return 0;
}

/* like NULL: nobody's owner.  Who may not give a file away must not make one that its reader cannot read. */
static int replace(
    const char *path, struct view content, unsigned mode, const struct stat *like, struct err *e)
{
    const char *slash = strrchr(path, '/');
    int at = slash != NULL ? (int)(slash + 1 - path) : 0;
    char temp[4096]; /* folder/.name.XXXXXX: nobody who lists files takes it for one */
    struct stat st;
    int fd;

    if (snprintf(temp, sizeof temp, "%.*s.%s.XXXXXX", at, path, path + at) >= (int)sizeof temp)
        return err_set(e, ERR_STORE, "%s: path too long", path);
    if ((fd = mkostemp(temp, O_CLOEXEC)) < 0)
        return fs_failed(ERR_STORE, temp, e);
    if (like != NULL
        && (fstat(fd, &st) != 0
            || ((st.st_uid != like->st_uid || st.st_gid != like->st_gid)
                && fchown(fd, like->st_uid, like->st_gid) != 0))) {
        int saved = errno;

        (void)close(fd);
        (void)unlink(temp);
        return err_set(e, ERR_STORE, "%s: cannot belong to user %u and group %u: %s", path,
            (unsigned)like->st_uid, (unsigned)like->st_gid, strerror(saved));
    }
    (void)fchmod(fd, (mode_t)mode);
    if (like == NULL)
        give(fd, path);
    if (fill(fd, temp, content, e) != 0)
        return -1;
    if (rename(temp, path) != 0) {
        int saved = errno;

        (void)unlink(temp);
        return err_set(e, ERR_STORE, "%s: %s", path, strerror(saved));
    }
    if (fs_sync_folder_of(path) != 0)
        return fs_failed(ERR_STORE, path, e);
    return 0;
}

int fs_replace(const char *path, struct view content, unsigned mode, struct err *e)
{
    return replace(path, content, mode, NULL, e);
}

/* What all may read is, in a folder that is closed to most, for those who may enter it. */
static void close_to_others(const char *path, struct stat *like)
{
    char dir[4096];
    struct stat st;

    fs_folder_of(path, dir, sizeof dir);
    if ((like->st_mode & S_IROTH) == 0 || stat(dir, &st) != 0 || (st.st_mode & S_IXOTH) != 0
        || (st.st_mode & S_IXGRP) == 0)
        return;
    like->st_mode = (like->st_mode & ~(mode_t)S_IRWXO) | S_IRGRP;
    like->st_gid = st.st_gid;
}

int fs_replace_like(const char *path, struct view content, const char *like, struct err *e)
{
    struct stat st;

    if (stat(like, &st) != 0)
        return fs_failed(ERR_STORE, like, e);
    if (strcmp(path, like) != 0)
        close_to_others(path, &st);
    return replace(path, content, st.st_mode & 07777, &st, e);
}

int fs_create_secret(const char *path, struct view content, struct err *e)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);

    if (fd < 0)
        return err_set(
            e, errno == EEXIST ? ERR_CONFLICT : ERR_STORE, "%s: %s", path, strerror(errno));
    give(fd, path);
    if (fill(fd, path, content, e) != 0)
        return -1;
    if (fs_sync_folder_of(path) != 0)
        return fs_failed(ERR_STORE, path, e);
    return 0;
}

static void give_folder(const char *path)
{
    int fd = open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);

    if (fd >= 0) {
        give(fd, path);
        (void)close(fd);
    }
}

int fs_private_dir(const char *path, struct err *e)
{
    struct stat st;

    if (mkdir(path, 0700) == 0)
        give_folder(path);
    else if (errno != EEXIST)
        return fs_failed(ERR_STORE, path, e);
    if (stat(path, &st) != 0)
        return fs_failed(ERR_STORE, path, e);
    if (!S_ISDIR(st.st_mode))
        return err_set(e, ERR_STORE, "%s: not a folder", path);
    if ((st.st_mode & 077) != 0)
        return err_set(e, ERR_CONFIG, "%s: others may enter it (mode %04o); chmod 700 %s", path,
            (unsigned)(st.st_mode & 07777), path);
    if (!is_ours(st.st_uid))
        return err_set(e, ERR_CONFIG, "%s: belongs to user %u, and we are %u", path,
            (unsigned)st.st_uid, (unsigned)geteuid());
    return 0;
}

static int not_dots(const struct dirent *d)
{
    return strcmp(d->d_name, ".") != 0 && strcmp(d->d_name, "..") != 0;
}

static int by_bytes(const struct dirent **a, const struct dirent **b)
{
    return strcmp((*a)->d_name, (*b)->d_name);
}

int fs_list(const char *dir, fs_name_fn *fn, void *arg, struct err *e)
{
    struct dirent **list = NULL;
    int n = scandir(dir, &list, not_dots, by_bytes);

    if (n < 0 && errno != ENOENT)
        return fs_failed(ERR_STORE, dir, e);
    for (int i = 0; i < n; i++) {
        fn(arg, list[i]->d_name);
        free(list[i]);
    }
    free(list);
    return 0;
}

int64_t fs_changed_at(const char *path)
{
    struct stat st;

    return lstat(path, &st) == 0 && S_ISREG(st.st_mode) ? (int64_t)st.st_mtime : 0;
}

int fs_remove(const char *path, struct err *e)
{
    if (unlink(path) != 0)
        return err_set(e, errno == ENOENT ? ERR_GONE : ERR_STORE, "%s: %s", path, strerror(errno));
    if (fs_sync_folder_of(path) != 0)
        return fs_failed(ERR_STORE, path, e);
    return 0;
}

int64_t fs_free_bytes(const char *path)
{
    struct statvfs v;

    if (statvfs(path, &v) != 0)
        return -1;
    return (int64_t)v.f_bavail * (int64_t)v.f_frsize;
}

void fs_absolute(char *out, size_t size, const char *path)
{
    char here[4096];

    if (path[0] == '/' || getcwd(here, sizeof here) == NULL)
        (void)snprintf(out, size, "%s", path);
    else
        fs_join(out, size, here, path);
}
