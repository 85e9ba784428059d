/* see conf.h.  Which files, in which order, and what must have been said when all have been read. */
#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "agent/base/fs.h"
#include "agent/conf/conf_value.h"

enum { PATH_LEN = 4096 };

/* A load, and what is tried with it: a drop-in that is not there yet, or has another text. */
struct loading {
    struct conf *c;
    const char *dir;
    const char *name, *text; /* NULL: nothing */
};

static void dir_of(const char *path, char *dir, size_t size)
{
    const char *slash = strrchr(path, '/');

    (void)snprintf(
        dir, size, "%.*s", slash == NULL ? 1 : (int)(slash - path), slash == NULL ? "." : path);
}

static int only_conf(const struct dirent *d)
{
    size_t len = strlen(d->d_name);

    return d->d_name[0] != '.' && len > 5 && strcmp(d->d_name + len - 5, ".conf") == 0;
}

static int read_drop_in(const struct loading *l, const char *name, struct err *e)
{
    bool tried = l->name != NULL && strcmp(name, l->name) == 0;
    char path[PATH_LEN + 300];
    const struct conf_source s = { path, l->dir, CONF_FROM_DROP_IN, tried ? l->text : NULL };

    (void)snprintf(path, sizeof path, "%s/conf.d/%s", l->dir, name);
    return conf_read(l->c, &s, e);
}

/* In the order of their names; the one that is tried where it would stand. */
static int read_drop_ins(const struct loading *l, struct err *e)
{
    bool is_new = l->name != NULL;
    struct dirent **list = NULL;
    char folder[PATH_LEN + 10];
    int n, order, rc = 0;

    (void)snprintf(folder, sizeof folder, "%s/conf.d", l->dir);
    n = scandir(folder, &list, only_conf, alphasort);
    if (n < 0 && errno != ENOENT)
        return fs_failed(ERR_CONFIG, folder, e);
    for (int i = 0; i < n; i++) {
        order = is_new ? strcoll(l->name, list[i]->d_name) : 1;
        if (rc == 0 && order < 0)
            rc = read_drop_in(l, l->name, e);
        is_new = is_new && order > 0;
        if (rc == 0)
            rc = read_drop_in(l, list[i]->d_name, e);
        free(list[i]);
    }
    free(list);
    return rc == 0 && is_new ? read_drop_in(l, l->name, e) : rc;
}

/* What must be set; what only makes sense together is conf_check's. */
static int check_set(const struct conf *c, struct err *e)
{
    for (size_t i = 0; i < conf_option_count; i++) {
        const struct conf_option *o = &conf_options[i];

        for (size_t n = 0; o->fallback == NULL && n < conf_section_count(c, o->section); n++) {
            const char *base = conf_section_at(c, o->section, n);
            const char *title = conf_section_title(c, o->section, n);

            if (*(char *const *)(const void *)(base + o->offset) == NULL)
                return err_set(e, ERR_CONFIG, "%s: %s%s%s%s.%s: must be set", c->path, o->section,
                    title != NULL ? " \"" : "", title != NULL ? title : "",
                    title != NULL ? "\"" : "", o->key);
        }
    }
    return 0;
}

struct conf *conf_try(
    const char *path, const char *name, const char *text, struct err *missing, struct err *e)
{
    char dir[PATH_LEN];
    struct loading l = { conf_new(path, e), dir, name, text };
    const struct conf_source main_file = { path, dir, CONF_FROM_FILE, NULL };

    if (l.c == NULL)
        return NULL;
    dir_of(path, dir, sizeof dir);
    if (conf_read(l.c, &main_file, e) != 0 || read_drop_ins(&l, e) != 0
        || conf_read_environment(l.c, dir, e) != 0) {
        conf_free(l.c);
        return NULL;
    }
    l.c->cloud.all = l.c;
    for (size_t i = 0; i < l.c->ca_count; i++)
        l.c->cas[i].all = l.c;
    if (check_set(l.c, missing) == 0 && conf_check(l.c, missing) == 0)
        missing->cls = ERR_NONE;
    return l.c;
}

struct conf *conf_load_incomplete(const char *path, struct err *missing, struct err *e)
{
    return conf_try(path, NULL, NULL, missing, e);
}

struct conf *conf_load(const char *path, struct err *e)
{
    struct err missing;
    struct conf *c = conf_load_incomplete(path, &missing, e);

    if (c == NULL || missing.cls == ERR_NONE)
        return c;
    conf_free(c);
    *e = missing;
    return NULL;
}
