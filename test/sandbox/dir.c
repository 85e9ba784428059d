/* see dir.h */
#include "test/sandbox/dir.h"
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { FILE_MAX = 1 << 30 };

static char *path_of(const char *dir, const char *name)
{
    struct str s = { 0 };

    str_f(&s, "%s/%s", dir, name);
    return s.p;
}

static bool fails(char why[DIR_WHY], const char *path)
{
    snprintf(why, DIR_WHY, "%s: %s", path, strerror(errno));
    return false;
}

bool dir_make(const char *dir, char why[DIR_WHY])
{
    struct stat st;

    if (mkdir(dir, 0700) == 0)
        return true;
    if (errno == EEXIST && stat(dir, &st) == 0 && S_ISDIR(st.st_mode))
        return true;
    return fails(why, dir);
}

bool dir_has(const char *dir, const char *name)
{
    char *path = path_of(dir, name);
    bool has = access(path, F_OK) == 0;

    free(path);
    return has;
}

void dir_remove(const char *dir, const char *name)
{
    char *path = path_of(dir, name);

    unlink(path);
    free(path);
}

static bool write_all(int fd, const char *p, size_t len)
{
    while (len > 0) {
        ssize_t n = write(fd, p, len);

        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return false;
        p += n;
        len -= (size_t)n;
    }
    return true;
}

bool dir_write(
    const char *dir, const char *name, const struct str *content, unsigned mode, char why[DIR_WHY])
{
    char *path = path_of(dir, name);
    struct str temp = { 0 };
    bool ok = false;
    int fd;

    str_f(&temp, "%s.new", path);
    fd = open(temp.p, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, mode);
    if (fd >= 0) {
        ok = write_all(fd, str_text(content), content->len);
        ok = close(fd) == 0 && ok && rename(temp.p, path) == 0;
    }
    if (!ok)
        fails(why, path);
    str_free(&temp);
    free(path);
    return ok;
}

bool file_read(const char *path, struct str *out, char why[DIR_WHY])
{
    char block[16384];
    FILE *f = fopen(path, "re");
    size_t n;
    bool ok;

    if (f == NULL)
        return fails(why, path);
    str_add(out, "", 0);
    while (out->len < FILE_MAX && (n = fread(block, 1, sizeof block, f)) > 0)
        str_add(out, block, n);
    ok = !ferror(f);
    if (!ok)
        fails(why, path);
    fclose(f);
    return ok;
}

bool dir_read(const char *dir, const char *name, struct str *out, char why[DIR_WHY])
{
    char *path = path_of(dir, name);
    bool ok = file_read(path, out, why);

    free(path);
    return ok;
}
