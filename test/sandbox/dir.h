#ifndef SANDBOX_DIR_H
#define SANDBOX_DIR_H
#include "test/sandbox/text.h"

/* dir.h - files in DIR.  All return false with the reason in `why`. */
enum { DIR_WHY = 256 };

bool dir_make(const char *dir, char why[DIR_WHY]);
bool dir_has(const char *dir, const char *name);
bool dir_write(const char *dir, const char *name, const struct str *content, unsigned mode,
    char why[DIR_WHY]); /* atomically */
bool dir_read(const char *dir, const char *name, struct str *out, char why[DIR_WHY]);
bool file_read(const char *path, struct str *out, char why[DIR_WHY]);
void dir_remove(const char *dir, const char *name);
#endif
