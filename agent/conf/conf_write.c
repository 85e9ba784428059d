/* see conf_write.h.  A drop-in is read as a configuration of its own, changed as a list of origins, and written again. */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include "agent/base/fs.h"
#include "agent/conf/conf_value.h"
#include "agent/conf/conf_write.h"
#include "certs/text.h"

enum { PATH_LEN = 4096, LOCK_WAIT_MS = 10000 };

struct drop_in {
    char name[80], dir[PATH_LEN], folder[PATH_LEN + 8], path[PATH_LEN + 100];
};

static int name_it(struct drop_in *d, const char *conf_path, const char *name, struct err *e)
{
    const char *slash = strrchr(conf_path, '/');
    size_t len = strlen(name);
    bool ends = len > 5 && strcmp(name + len - 5, ".conf") == 0;

    if (strchr(name, '/') != NULL || name[0] == '.' || len > 60 || strlen(conf_path) >= PATH_LEN)
        return err_set(e, ERR_INPUT, "%.60s: not a name for a drop-in", name);
    (void)snprintf(d->name, sizeof d->name, "%s%s", name, ends ? "" : ".conf");
    (void)snprintf(d->dir, sizeof d->dir, "%.*s",
        slash == NULL        ? 1
        : slash == conf_path ? 1
                             : (int)(slash - conf_path),
        slash == NULL ? "." : conf_path);
    (void)snprintf(d->folder, sizeof d->folder, "%s/conf.d", d->dir);
    (void)snprintf(d->path, sizeof d->path, "%s/%s", d->folder, d->name);
    return 0;
}

/* ---- changing ------------------------------------------------------------------------------------------- */

static const struct conf_option *option_of(const struct conf_change *ch, struct err *e)
{
    for (size_t i = 0; i < conf_option_count; i++)
        if (strcmp(conf_options[i].section, ch->section) == 0
            && strcmp(conf_options[i].key, ch->key) == 0) {
            if (conf_has_titles(ch->section) == (ch->title != NULL))
                return &conf_options[i];
            (void)err_set(e, ERR_INPUT, "%s.%s: section %s %s", ch->section, ch->key, ch->section,
                ch->title != NULL ? "has no title" : "needs a title");
            return NULL;
        }
    (void)err_set(e, ERR_INPUT, "%s.%s: no such option", ch->section, ch->key);
    return NULL;
}

/* own: what the drop-in sets, as a configuration of its own. */
static int apply(
    struct conf *own, const struct drop_in *d, const struct conf_change *ch, struct err *e)
{
    const struct conf_option *o = option_of(ch, e);
    const struct place p = { d->path, 0, ch->section, ch->title };
    struct conf_list raw;
    char *base;
    int rc;

    if (o == NULL)
        return -1;
    if (ch->value == NULL) {
        conf_origin_drop(own, o, ch->title);
        return 0;
    }
    if ((base = conf_section_make(own, &p, e)) == NULL)
        return -1;
    conf_raw(o, ch->value, &raw);
    if (o->type == CONF_LIST && raw.count == 0)
        rc = conf_bad(&p, o->key, e, "names none; unset it instead");
    else if ((rc = conf_set(o, base, &raw, d->dir, &p, e)) == 0)
        conf_origin_note(own, o, &p, CONF_FROM_DROP_IN, &raw);
    conf_list_free(&raw);
    return rc;
}

/* ---- writing -------------------------------------------------------------------------------------------- */

static void write_text(struct buf *b, const char *text)
{
    buf_add_text(b, "\"");
    for (; *text != '\0'; text++) {
        if (strchr("\"\\$", *text) != NULL)
            buf_add_text(b, "\\");
        buf_add(b, text, 1);
    }
    buf_add_text(b, "\"");
}

static void write_value(struct buf *b, const struct conf_origin *at)
{
    buf_printf(b, "    %s = ", at->option->key);
    if (at->option->type == CONF_INT || at->option->type == CONF_BOOL) {
        buf_add_text(b, at->raw.at[0]);
    } else if (at->option->type == CONF_LIST) {
        buf_add_text(b, "{");
        for (size_t i = 0; i < at->raw.count; i++) {
            buf_add_text(b, i > 0 ? ", " : "");
            write_text(b, at->raw.at[i]);
        }
        buf_add_text(b, "}");
    } else {
        write_text(b, at->raw.at[0]);
    }
    buf_add_text(b, "\n");
}

static void write_section(
    struct buf *b, const struct conf *own, const char *section, const char *title)
{
    bool begun = false;

    for (size_t i = 0; i < conf_option_count; i++) {
        const struct conf_origin *at = conf_origin(own, &conf_options[i], title);

        if (strcmp(conf_options[i].section, section) != 0 || at == NULL)
            continue;
        if (!begun) {
            buf_printf(b, "%s%s", section, title != NULL ? " " : "");
            if (title != NULL)
                write_text(b, title);
            buf_add_text(b, " {\n");
        }
        begun = true;
        write_value(b, at);
    }
    buf_add_text(b, begun ? "}\n" : "");
}

/* "60-proxy.conf" belongs to "certferry proxy". */
static void write_all(struct buf *b, const struct drop_in *d, const struct conf *own)
{
    const char *who = d->name + strspn(d->name, "0123456789");

    who += *who == '-';
    buf_printf(b,
        "# Written by \"certferry %.*s\", which replaces the whole file: comments do not stay.\n",
        (int)(strlen(who) - 5), who);
    for (size_t s = 0; conf_section_help[s][0] != NULL; s++)
        for (size_t i = 0; i < conf_section_count(own, conf_section_help[s][0]); i++)
            write_section(b, own, conf_section_help[s][0],
                conf_section_title(own, conf_section_help[s][0], i));
}

/* What the drop-in is to hold; "": nothing any more. */
static int changed_text(const char *conf_path, const struct drop_in *d,
    const struct conf_change *changes, size_t count, struct buf *out, struct err *e)
{
    const struct conf_source s = { d->path, d->dir, CONF_FROM_DROP_IN, NULL };
    struct conf *own = conf_new(conf_path, e);
    struct stat st;
    int rc = -1;

    if (own == NULL)
        return -1;
    if (stat(d->path, &st) == 0) {
        if (conf_read(own, &s, e) != 0)
            goto done;
    } else if (errno != ENOENT) {
        (void)fs_failed(ERR_CONFIG, d->path, e);
        goto done;
    }
    for (size_t i = 0; i < count; i++)
        if (apply(own, d, &changes[i], e) != 0)
            goto done;
    if (own->origin_count > 0)
        write_all(out, d, own);
    rc = buf_check(out, e);
done:
    conf_free(own);
    return rc;
}

/* ---- trying, then doing ------------------------------------------------------------------------------------ */

/* Wrong, or complete before and not any more. */
static int try(const char *conf_path, const struct drop_in *d, struct buf *text, struct conf **out,
    struct err *e)
{
    struct err missing, missed;
    struct conf *before, *after;

    if ((after = conf_try(conf_path, d->name, buf_text(text), &missing, e)) == NULL)
        return -1;
    if (missing.cls != ERR_NONE) {
        before = conf_load_incomplete(conf_path, &missed, e);
        if (before != NULL && missed.cls == ERR_NONE) {
            *e = missing;
            conf_free(before);
            conf_free(after);
            return -1;
        }
        conf_free(before);
    }
    if (out != NULL)
        *out = after;
    else
        conf_free(after);
    return 0;
}

static int store(const char *conf_path, const struct drop_in *d, struct buf *text, struct err *e)
{
    struct stat st;

    if (text->len == 0)
        return fs_remove(d->path, e) == 0 || e->cls == ERR_GONE ? 0 : -1;
    if (fs_folder_like(d->folder, d->dir, e) != 0)
        return -1;
    return fs_replace_like(
        d->path, buf_view(text), stat(d->path, &st) == 0 ? d->path : conf_path, e);
}

static int change(const char *conf_path, const char *name, const struct conf_change *changes,
    size_t count, bool write, struct conf **out, struct err *e)
{
    struct buf text = BUF_INIT(CONF_FILE_MAX);
    struct drop_in d;
    int lock = -1, rc = -1;

    if (name_it(&d, conf_path, name, e) != 0)
        return -1;
    if (write && (lock = fs_lock_folder(d.dir, LOCK_WAIT_MS, e)) < 0)
        return -1;
    if (changed_text(conf_path, &d, changes, count, &text, e) == 0
        && try(conf_path, &d, &text, out, e) == 0)
        rc = write ? store(conf_path, &d, &text, e) : 0;
    fs_unlock(lock);
    buf_free(&text);
    return rc;
}

int conf_change(const char *conf_path, const char *drop_in, const struct conf_change *changes,
    size_t count, struct err *e)
{
    return change(conf_path, drop_in, changes, count, true, NULL, e);
}

int conf_change_try(const char *conf_path, const char *drop_in, const struct conf_change *changes,
    size_t count, struct conf **out, struct err *e)
{
    return change(conf_path, drop_in, changes, count, false, out, e);
}
