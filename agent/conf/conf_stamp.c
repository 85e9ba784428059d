/* see conf.h: has anything changed that only a start takes up? */
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include "agent/base/fs.h"
#include "agent/conf/conf_value.h"
#include "certs/text.h"

enum { PATH_LEN = 4096 };

/* Another file, or the same one written again.  One that is not there has a stamp as well. */
static uint64_t add_file(uint64_t h, const char *path)
{
    struct stat st;
    char text[160] = "-";

    if (stat(path, &st) == 0)
        (void)snprintf(text, sizeof text, "%llu %llu %lld %lld.%09ld",
            (unsigned long long)st.st_dev, (unsigned long long)st.st_ino, (long long)st.st_size,
            (long long)st.st_mtim.tv_sec, st.st_mtim.tv_nsec);
    return text_hash(h, text);
}

/* "secret:NAME" is a file as well, see secret.h. */
static uint64_t add_named(uint64_t h, const struct conf *c, const char *ref)
{
    char folder[PATH_LEN], path[PATH_LEN + 100];

    if (strncmp(ref, "secret:", 7) != 0)
        return add_file(h, ref);
    fs_join(folder, sizeof folder, c->store.dir, "secrets");
    fs_join(path, sizeof path, folder, ref + 7);
    return add_file(h, path);
}

static bool is_read_again(const struct conf_option *o)
{
    return strcmp(o->section, "listen") == 0
           || (strcmp(o->section, "scep") == 0 && strncmp(o->key, "ra_", 3) == 0);
}

static bool is_file(const struct conf_option *o)
{
    return (o->type == CONF_FILE || o->type == CONF_SECRET) && !is_read_again(o)
           && strcmp(o->section, "store") != 0;
}

static uint64_t add_list(
    uint64_t h, const struct conf *c, const struct conf_option *o, const struct conf_list *l)
{
    for (size_t i = 0; i < l->count; i++) {
        const char *file = strchr(l->at[i], '=');

        h = text_hash(text_hash(h, l->at[i]), "\x1f");
        if (file != NULL && strcmp(o->section, "plugin") == 0 && strcmp(o->key, "secrets") == 0)
            h = add_named(h, c, file + 1);
    }
    return h;
}

static uint64_t add_text(
    uint64_t h, const struct conf *c, const struct conf_option *o, const char *text)
{
    if (text == NULL)
        return text_hash(h, "\x1f");
    h = text_hash(h, text);
    return is_file(o) ? add_named(h, c, text) : h;
}

static uint64_t add_value(
    uint64_t h, const struct conf *c, const struct conf_option *o, const char *base)
{
    const void *at = base + o->offset;
    char number[32];

    switch (o->type) {
    case CONF_LIST:
        return add_list(h, c, o, at);
    case CONF_INT:
        (void)snprintf(number, sizeof number, "%lld", (long long)*(const int64_t *)at);
        return text_hash(h, number);
    case CONF_BOOL:
        return text_hash(h, *(const bool *)at ? "yes" : "no");
    case CONF_TEXT:
    case CONF_TEXT_OR_EMPTY:
    case CONF_FILE:
    case CONF_SECRET:
    case CONF_PROXY:
    case CONF_CHOICE:
        break; /* the compiler asks for a line here when there is a new one */
    }
    return add_text(h, c, o, *(char *const *)at);
}

uint64_t conf_stamp(const struct conf *c)
{
    uint64_t h = TEXT_HASH;

    for (size_t i = 0; i < conf_option_count; i++) {
        const struct conf_option *o = &conf_options[i];

        for (size_t n = 0; n < conf_section_count(c, o->section); n++) {
            h = text_hash(text_hash(h, o->section), o->key);
            if (conf_has_titles(o->section))
                h = text_hash(h, conf_section_title(c, o->section, n));
            h = add_value(h, c, o, conf_section_at(c, o->section, n));
        }
    }
    return add_named(h, c, "secret:certferry.connector");
}
