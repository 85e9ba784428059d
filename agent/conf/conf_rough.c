/*
 * see conf.h.  Where the store is, from files that may be wrong everywhere else: a look at the text, not a parser.
 * Whoever asks a running service must find it while its configuration is being mended.
 */
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "agent/base/fs.h"
#include "agent/conf/conf.h"

enum { PATH_LEN = 4096, FILE_MAX = 1 << 20 };

static const char *after_space(const char *p)
{
    return p + strspn(p, " \t\r\n");
}

/* The value of dir = "..." in this section's text, which ends with its brace. */
static void take_dir(const char *p, const char *folder, char *out, size_t size)
{
    for (; *p != '\0' && *p != '}'; p += strcspn(p, "\n}"), p += *p == '\n') {
        const char *line = after_space(p), *value;
        size_t len;

        if (strncmp(line, "dir", 3) != 0 || *(value = after_space(line + 3)) != '=')
            continue;
        value = after_space(value + 1);
        value += *value == '"';
        if ((len = strcspn(value, "\"\r\n} \t#")) == 0 || len >= PATH_LEN)
            continue;
        if (*value == '/')
            (void)snprintf(out, size, "%.*s", (int)len, value);
        else
            (void)snprintf(out, size, "%s/%.*s", folder, (int)len, value);
    }
}

static void look(const char *path, const char *folder, char *out, size_t size)
{
    struct buf text = BUF_INIT(FILE_MAX);
    struct err e;

    if (fs_read(path, &text, &e) == 0)
        for (const char *p = buf_text(&text); (p = strstr(p, "store")) != NULL; p += 5)
            if (*after_space(p + 5) == '{')
                take_dir(after_space(p + 5) + 1, folder, out, size);
    buf_free(&text);
}

static int only_conf(const struct dirent *d)
{
    size_t len = strlen(d->d_name);

    return d->d_name[0] != '.' && len > 5 && strcmp(d->d_name + len - 5, ".conf") == 0;
}

static void rough(const char *path, char *out, size_t size)
{
    char folder[PATH_LEN], more[PATH_LEN], file[PATH_LEN];
    const char *slash = strrchr(path, '/');
    struct dirent **list = NULL;
    int n;

    for (size_t i = 0; i < conf_option_count; i++)
        if (strcmp(conf_options[i].section, "store") == 0
            && strcmp(conf_options[i].key, "dir") == 0)
            (void)snprintf(out, size, "%s", conf_options[i].fallback);
    (void)snprintf(folder, sizeof folder, "%.*s", slash != NULL ? (int)(slash - path) : 1,
        slash != NULL ? path : ".");
    look(path, folder, out, size);
    fs_join(more, sizeof more, folder, "conf.d");
    n = scandir(more, &list, only_conf, alphasort);
    for (int i = 0; i < n; i++) {
        fs_join(file, sizeof file, more, list[i]->d_name);
        look(file, folder, out, size);
        free(list[i]);
    }
    free(list);
}

void conf_store_dir(const char *path, char *out, size_t size)
{
    struct err e;
    struct conf *c = conf_load(path, &e);

    if (c != NULL)
        (void)snprintf(out, size, "%s", c->store.dir);
    else
        rough(path, out, size);
    conf_free(c);
}
