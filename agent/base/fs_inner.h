#ifndef AGENT_FS_INNER_H
#define AGENT_FS_INNER_H
#include <stddef.h>

/* fs_inner.h - between the fs_*_posix.c files. */

/* fs_folder_of - of a path: "." if it has none */
void fs_folder_of(const char *path, char *dir, size_t size);
/* fs_sync_folder_of - what was made, renamed or removed there stays so after a power cut.  0, -1 errno */
int fs_sync_folder_of(const char *path);
#endif
