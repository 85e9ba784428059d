#ifndef AGENT_FS_MODE_H
#define AGENT_FS_MODE_H
#include "certs/err.h"

/* fs_mode.h - who may do what with a file, and how fast a write is on disk: for doctor, which looks and seldom changes.
 * fs_mode_posix.c here. */
struct fs_mode {
    bool there; /* false: `why` says why not */
    bool folder, socket;
    unsigned bits, uid; /* bits: 07777 of the mode */
    int64_t size;
    char why[80];
};
void fs_mode(const char *path, struct fs_mode *out); /* follows links, as opening does */

/* fs_mode_set - never what a symbolic link leads to.  fails ERR_STORE */
int fs_mode_set(const char *path, unsigned bits, struct err *e) MUST;
unsigned fs_mode_self(void);            /* our effective user */
const char *fs_mode_user(unsigned uid); /* "certferry (995)"; until the next call */

/* fs_mode_write - a new small file in this folder, written, on disk and gone again.
 * full  it failed because no space is left
 * fails ERR_STORE */
int fs_mode_write(const char *folder, bool *full, struct err *e) MUST;
#endif
