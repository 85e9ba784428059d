#ifndef AGENT_FS_H
#define AGENT_FS_H
#include "certs/buf.h"

/*
 * fs.h - files, the way a service must handle them.  fs_posix.c here, fs_win.c on Windows.
 * Every failure is ERR_CONFIG (the administrator's files) or ERR_STORE (our own), and names the path.
 *
 * What root makes belongs to the owner and group of its folder: root runs the commands, the service is somebody else.
 */

/*
 * Whose a folder is: he who owns it; but if a symbolic link on the way there is somebody's who is not root, it is his, for
 * he chose where it leads.
 *
 * fs_trust_owner - if we are root: a secret file, or a private folder, of this folder's owner is as good as one of ours from
 * now on.  It decides what is believed, for the whole command; no right is given up.  What is written in that folder is
 * written as its owner, for just as long: fs_as_owner.
 */
void fs_trust_owner(const char *dir);

/* fs_readable - a regular file we can read; if secret, owned by us or root and closed to all others; root:root 0440 is
 * closed, too. */
int fs_readable(const char *path, bool secret, struct err *e) MUST;

/*
 * fs_trusted_file - a file to be loaded into this process, or run with its rights: a regular one that nobody but
 * root and us can change or exchange; not he whom root acts as, either (fs_as_owner).
 *
 * Its path is absolute.  It, every folder above it, every symbolic link on the way and all of that again where
 * a link leads belong to root or us; files and folders are not writable by group or others, but for folders with
 * the sticky bit, where nobody can exchange what is not his.  fails ERR_CONFIG: names what breaks that, and its mode
 */
int fs_trusted_file(const char *path, struct err *e) MUST;

/* fs_failed - "path: why", of errno; its number is errno, so that who prints it can tell a user who may not from what is
 * wrong.  Returns -1 */
int fs_failed(enum err_class cls, const char *path, struct err *e);

/* fs_executable - a regular file that we may run. */
int fs_executable(const char *path, struct err *e) MUST;

/* fs_read - the whole file, appended.  fails also ERR_TOO_LARGE beyond out->max */
int fs_read(const char *path, struct buf *out, struct err *e) MUST;

/* fs_read_secret - the same of a file that passes fs_readable(secret): the very file that is read, not one that had its
 * name before.  Read by root, it is no file to which the link of another user leads, but a file of his own. */
int fs_read_secret(const char *path, struct buf *out, struct err *e) MUST;

/* fs_read_secret_line - the first line of a file that passes fs_readable(secret); out is secret. */
int fs_read_secret_line(const char *path, struct buf *out, struct err *e) MUST;

/* fs_replace - readers see the old content or the new: temporary file, fsync, rename, fsync folder. */
int fs_replace(const char *path, struct view content, unsigned mode, struct err *e) MUST;

/*
 * fs_replace_like - the same, with mode and owner of `like`, which may be the file itself.  Is it another one, then
 * what all may read there is for the group of the file's folder, if only that may enter it: 0644 becomes 0640.
 */
int fs_replace_like(const char *path, struct view content, const char *like, struct err *e) MUST;

/* fs_folder_like - make it, with mode and owner of `like`, if it is missing. */
int fs_folder_like(const char *path, const char *like, struct err *e) MUST;

/* fs_create_secret - a new 0600 file, never an existing one or a link.  fails ERR_CONFLICT: it exists */
int fs_create_secret(const char *path, struct view content, struct err *e) MUST;

/*
 * fs_supersede - path.exchange takes the place of the secret file at path, and what that was is overwritten.  After a
 * crash there is path.exchange (and perhaps path.exchanged, the same file as path), or the new file and
 * path.exchanged.
 * fs_shred - overwrite and remove; none there is fine.  What a file system or a disk keeps of it is beyond us.
 */
int fs_supersede(const char *path, struct err *e) MUST;
int fs_shred(const char *path, struct err *e) MUST;

/* fs_touch_private - an empty 0600 file, if there is none. */
int fs_touch_private(const char *path, struct err *e) MUST;

/* fs_private_dir - make it 0700 if missing; refuse one that others may enter or own. */
int fs_private_dir(const char *path, struct err *e) MUST;

/*
 * fs_as_owner - from here on with the rights of the folder's owner, if we are root and he is somebody else: what is
 * made there is his, and nothing he left there (a link) makes root read or write elsewhere.  Root's own groups are
 * given up for as long, too; his count.  fs_as_self ends it.  fails ERR_CONFIG.  Threads: for the whole process, so
 * only where one thread runs; no folder yet: nothing changes
 */
struct fs_self {
    unsigned uid, gid, *groups;
    int group_count;
    bool changed;
};
int fs_as_owner(const char *dir, struct fs_self *self, struct err *e) MUST;
void fs_as_self(const struct fs_self *self);
/* fs_owner_reads - may the owner of this folder open the file?  Asked by another user than root: may we? */
bool fs_owner_reads(const char *dir, const char *path);

/* fs_list - fn for the name of each entry, sorted by bytes, but "." and ".."; no such folder is an empty one.
 * fails ERR_STORE: it cannot be read.  fs_changed_at - when its content was last written, UTC seconds; 0: no file
 * fs_remove - and make that durable.  fails ERR_GONE: there is none; ERR_STORE */
typedef void fs_name_fn(void *arg, const char *name);
int fs_list(const char *dir, fs_name_fn *fn, void *arg, struct err *e) MUST;
int64_t fs_changed_at(const char *path);
int fs_remove(const char *path, struct err *e) MUST;

/*
 * Whole files and folders, from one place to another; fs_move_posix.c.
 *
 * fs_open_file - a regular file, to read.  returns the descriptor, -1: ERR_GONE there is none, ERR_CONFIG
 * fs_create_secret_from - as fs_create_secret, with all that fd still has.  fails ERR_CONFLICT, ERR_STORE
 * fs_move - rename on one file system; durable.  fails ERR_GONE: nothing is there; ERR_STORE
 * fs_remove_folder - the files in it, and it; none there is fine.  fails ERR_STORE: a folder is in it, too
 */
int fs_open_file(const char *path, struct err *e) MUST;
int fs_create_secret_from(const char *path, int fd, struct err *e) MUST;
int fs_move(const char *from, const char *to, struct err *e) MUST;
int fs_remove_folder(const char *path, struct err *e) MUST;

/*
 * fs_lock - the one process that may use this path, for as long as it lives.
 * returns the descriptor to keep, or -1: ERR_CONFLICT with the holder's process id in the message
 */
int fs_lock(const char *path, struct err *e) MUST;
/* fs_lock_folder - the one command that changes files in it; waits for another one.  Leaves nothing behind.
 * returns the descriptor to keep, or -1: ERR_BUSY after wait_ms, ERR_STORE */
int fs_lock_folder(const char *path, int wait_ms, struct err *e) MUST;
/* fs_lock_again - fd, if that is the lock of this path, kept over the start of another program; else it is closed: -1 */
int fs_lock_again(const char *path, int fd);
void fs_unlock(int fd);

/* fs_mark - which file this is: the same text as long as nobody replaces or copies it; "" if there is none */
enum { FS_MARK_LEN = 64 };
void fs_mark(const char *path, char out[FS_MARK_LEN]);

/* fs_free_bytes - on the file system of path; -1 if it cannot be known. */
int64_t fs_free_bytes(const char *path);

/* fs_absolute - the same file for a process in another folder; links stay links.  Cut if too long. */
void fs_absolute(char *out, size_t size, const char *path);

void fs_join(
    char *out, size_t size, const char *dir, const char *name); /* dir/name; cut if too long */
#endif
