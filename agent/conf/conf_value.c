/*
 * From a value as it is written to struct conf, one at a time; see conf_value.h.  Every value is
 * checked here, whether it comes from a file, the environment or a command, and every complaint says
 * where it stands, section and key.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "agent/conf/conf_value.h"
#include "agent/conf/proxy.h"
#include "certs/mem.h"
#include "certs/text.h"
#include "proto/http.h"

enum { PATH_LEN = 4096, PROXY_LEN = 300 };

int conf_bad(const struct place *p, const char *key, struct err *e, const char *what)
{
    char line[16] = "";

    if (p->line > 0)
        (void)snprintf(line, sizeof line, ":%d", p->line);
    return err_set(e, ERR_CONFIG, "%s%s: %s%s%s%s%s%s: %s", p->file, line, p->section,
        p->title ? " \"" : "", p->title ? p->title : "", p->title ? "\"" : "",
        key[0] != '\0' ? "." : "", key, what);
}

static char *resolved(const struct conf_option *o, const char *dir, const char *value)
{
    char path[PATH_LEN];

    if ((o->type != CONF_FILE && o->type != CONF_SECRET) || value[0] == '/'
        || (o->type == CONF_SECRET && strncmp(value, "secret:", 7) == 0))
        return xstrdup(value);
    (void)snprintf(path, sizeof path, "%s/%s", dir, value);
    return xstrdup(path);
}

static bool is_choice(const char *choices, const char *value)
{
    size_t len = strlen(value);

    for (const char *c = choices; *c != '\0'; c += strcspn(c, "|") + (c[strcspn(c, "|")] == '|'))
        if (strcspn(c, "|") == len && strncmp(c, value, len) == 0)
            return true;
    return false;
}

static int set_text(const struct conf_option *o, char **to, const char *value, const char *dir,
    const struct place *p, struct err *e)
{
    char what[160], proxy[PROXY_LEN], note[PROXY_LEN];

    if (text_has_control(view_text(value)))
        return conf_bad(p, o->key, e, "a control character");
    if (value[0] == '\0' && o->type != CONF_TEXT_OR_EMPTY
        && (o->fallback == NULL || o->fallback[0] != '\0'))
        return conf_bad(p, o->key, e, "must not be empty");
    if (o->type == CONF_CHOICE && !is_choice(o->choices, value)) {
        (void)snprintf(what, sizeof what, "\"%s\" is none of %s", value, o->choices);
        return conf_bad(p, o->key, e, what);
    }
    if (strcmp(o->key, "url") == 0 && o->type != CONF_PROXY && value[0] != '\0') {
        struct err why;

        if (http_url_ok(value, &why) != 0)
            return conf_bad(p, o->key, e, why.msg);
    }
    if (o->type == CONF_PROXY && value[0] != '\0') {
        struct err why;

        if (proxy_normalize(value, proxy, sizeof proxy, note, sizeof note, &why) != 0)
            return conf_bad(p, o->key, e, why.msg);
        value = proxy;
    }
    free(*to);
    *to = value[0] == '\0' ? NULL : resolved(o, dir, value);
    return 0;
}

static void replace_list(struct conf_list *l, size_t n)
{
    for (size_t i = 0; i < l->count; i++)
        free(l->at[i]);
    free(l->at);
    l->at = xcalloc(n, sizeof *l->at);
    l->count = n;
}

static int set_list(const struct conf_option *o, char *base, const struct conf_list *raw,
    const struct place *p, struct err *e)
{
    struct conf_list *l = (struct conf_list *)(void *)(base + o->offset);
    struct err why;

    if (raw->count > CONF_LIST_MAX)
        return conf_bad(p, o->key, e, "too many entries");
    for (size_t i = 0; i < raw->count; i++)
        if (raw->at[i][0] == '\0' || text_has_control(view_text(raw->at[i])))
            return conf_bad(p, o->key, e, "an entry that is empty or has a control character");
    for (size_t i = 0; i < raw->count && strcmp(o->key, "no_proxy") == 0; i++)
        if (proxy_no_check(raw->at[i], &why) != 0)
            return conf_bad(p, o->key, e, why.msg);
    replace_list(l, raw->count);
    for (size_t i = 0; i < raw->count; i++)
        l->at[i] = xstrdup(raw->at[i]);
    return 0;
}

/* A default list: words with blanks between them. */
static void default_list(struct conf_list *l, const char *words)
{
    size_t n = 0;

    for (const char *w = words; *w != '\0'; w += strcspn(w, " "), w += strspn(w, " "))
        n++;
    replace_list(l, n);
    for (size_t i = 0; i < n; i++, words += strcspn(words, " "), words += strspn(words, " ")) {
        l->at[i] = xcalloc(1, strcspn(words, " ") + 1);
        memcpy(l->at[i], words, strcspn(words, " "));
    }
}

static int set_int(const struct conf_option *o, char *base, const char *value,
    const struct place *p, struct err *e)
{
    char what[120], *end;
    long long n;
    int64_t v;

    errno = 0;
    n = strtoll(value, &end, 10);
    if (value[strcspn(value, "0123456789")] == '\0' || *end != '\0' || errno != 0) {
        (void)snprintf(what, sizeof what, "\"%.40s\" is not a whole number", value);
        return conf_bad(p, o->key, e, what);
    }
    if (n < o->min || n > o->max) {
        (void)snprintf(what, sizeof what, "%lld is not between %lld and %lld", n, (long long)o->min,
            (long long)o->max);
        return conf_bad(p, o->key, e, what);
    }
    v = n;
    memcpy(base + o->offset, &v, sizeof v);
    return 0;
}

/* The words that libconfuse takes. */
static int set_bool(const struct conf_option *o, char *base, const char *value,
    const struct place *p, struct err *e)
{
    static const char *const words[][2] = { { "false", "true" }, { "no", "yes" }, { "off", "on" } };
    char what[120];

    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++)
        for (int on = 0; on < 2; on++)
            if (strcmp(words[i][on], value) == 0) {
                *(bool *)(void *)(base + o->offset) = on != 0;
                return 0;
            }
    (void)snprintf(what, sizeof what, "\"%.40s\" is neither true nor false", value);
    return conf_bad(p, o->key, e, what);
}

int conf_set(const struct conf_option *o, char *base, const struct conf_list *raw, const char *dir,
    const struct place *p, struct err *e)
{
    const char *value = raw->count > 0 ? raw->at[0] : "";

    switch (o->type) {
    case CONF_INT:
        return set_int(o, base, value, p, e);
    case CONF_BOOL:
        return set_bool(o, base, value, p, e);
    case CONF_LIST:
        return set_list(o, base, raw, p, e);
    case CONF_TEXT:
    case CONF_TEXT_OR_EMPTY:
    case CONF_FILE:
    case CONF_SECRET:
    case CONF_PROXY:
    case CONF_CHOICE:
        break;
    }
    return set_text(o, (char **)(void *)(base + o->offset), value, dir, p, e);
}

int conf_set_defaults(const char *section, char *base, struct err *e)
{
    const struct place nowhere = { "default", 0, section, NULL };

    for (size_t i = 0; i < conf_option_count; i++) {
        const struct conf_option *o = &conf_options[i];
        int64_t v;

        if (strcmp(o->section, section) != 0 || o->fallback == NULL || o->fallback[0] == '\0')
            continue;
        if (o->type == CONF_INT) {
            v = strtoll(o->fallback, NULL, 10);
            memcpy(base + o->offset, &v, sizeof v);
        } else if (o->type == CONF_BOOL) {
            *(bool *)(void *)(base + o->offset) = strcmp(o->fallback, "true") == 0;
        } else if (o->type == CONF_LIST) {
            default_list((struct conf_list *)(void *)(base + o->offset), o->fallback);
        } else if (set_text(o, (char **)(void *)(base + o->offset), o->fallback, "", &nowhere, e)
                   != 0) {
            return -1;
        }
    }
    return 0;
}

/* ---- a value that is one text -------------------------------------------------------------------------- */

void conf_raw(const struct conf_option *o, const char *text, struct conf_list *raw)
{
    static const char between[] = ", \t";
    size_t len;
    bool quoted;

    raw->count = 0;
    raw->at = xcalloc(strlen(text) / 2 + 2, sizeof *raw->at);
    if (o->type != CONF_LIST) {
        raw->at[raw->count++] = xstrdup(text);
        return;
    }
    for (text += strspn(text, between); *text != '\0'; text += strspn(text, between)) {
        quoted = *text == '"';
        text += quoted;
        len = strcspn(text, quoted ? "\"" : between);
        raw->at[raw->count] = xcalloc(1, len + 1);
        memcpy(raw->at[raw->count++], text, len);
        text += len + (quoted && text[len] == '"');
    }
}
