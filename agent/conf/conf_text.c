/*
 * The text of a configuration file, made ready for libconfuse; see conf_value.h.
 *
 * libconfuse 3.3 counts the lines of comments wrong, takes the end of the file for the end of a section,
 * and puts environment variables into texts, where one that is not set leaves nothing: a `trust` that
 * becomes empty would mean the system's roots.
 */
#include <string.h>
#include "agent/base/fs.h"
#include "agent/conf/conf_value.h"

enum { DEPTH_MAX = 8 };

struct text {
    const char *path;
    uint8_t *p;
    size_t len, at;
    int line;
    int open[DEPTH_MAX]; /* lines of the braces that are open */
    size_t depth;
};

static int bad(const struct text *t, int line, struct err *e, const char *what)
{
    return err_set(e, ERR_CONFIG, "%s:%d: %s", t->path, line, what);
}

static bool is_next(const struct text *t, const char *what)
{
    size_t len = strlen(what);

    return t->len - t->at >= len && memcmp(t->p + t->at, what, len) == 0;
}

static void step(struct text *t, bool hide)
{
    if (t->p[t->at] == '\n')
        t->line++;
    else if (hide)
        t->p[t->at] = ' ';
    t->at++;
}

static int skip_quoted(struct text *t, struct err *e)
{
    uint8_t quote = t->p[t->at];
    int begin = t->line;

    step(t, false);
    while (t->at < t->len && t->p[t->at] != quote) {
        if (quote == '"' && is_next(t, "${"))
            return bad(t, t->line, e, "${...}: the environment is not used here; write \\${");
        if (t->p[t->at] == '\\' && t->at + 1 < t->len)
            step(t, false);
        step(t, false);
    }
    if (t->at == t->len)
        return bad(t, begin, e, "a quote that is not closed");
    step(t, false);
    return 0;
}

static int hide_comment(struct text *t, struct err *e)
{
    bool block = is_next(t, "/*");
    int begin = t->line;

    step(t, true);
    if (block)
        step(t, true);
    while (t->at < t->len && !is_next(t, block ? "*/" : "\n"))
        step(t, true);
    if (!block)
        return 0;
    if (t->at == t->len)
        return bad(t, begin, e, "a comment that is not closed");
    step(t, true);
    step(t, true);
    return 0;
}

static int take(struct text *t, struct err *e)
{
    uint8_t c = t->p[t->at];

    if (c == '"' || c == '\'')
        return skip_quoted(t, e);
    if (c == '#' || is_next(t, "//") || is_next(t, "/*"))
        return hide_comment(t, e);
    if (c == '\0')
        return bad(t, t->line, e, "a NUL character; this is not a text file");
    if (is_next(t, "${"))
        return bad(t, t->line, e, "${...}: the environment is not used here");
    if (c == '{' && t->depth == DEPTH_MAX)
        return bad(t, t->line, e, "too many open braces");
    if (c == '{')
        t->open[t->depth++] = t->line;
    else if (c == '}' && t->depth > 0)
        t->depth--;
    step(t, false);
    return 0;
}

int conf_text_ready(const char *path, struct buf *text, struct err *e)
{
    struct text t = { .path = path, .line = 1, .p = text->p, .len = text->len };

    while (t.at < t.len)
        if (take(&t, e) != 0)
            return -1;
    return t.depth == 0 ? 0 : bad(&t, t.open[t.depth - 1], e, "a brace that is not closed");
}

int conf_text(const char *path, struct buf *out, struct err *e)
{
    *out = (struct buf)BUF_INIT(CONF_FILE_MAX);
    if (fs_readable(path, false, e) != 0)
        return -1;
    if (fs_read(path, out, e) != 0) {
        if (e->cls == ERR_TOO_LARGE)
            e->cls = ERR_CONFIG;
        return -1;
    }
    return conf_text_ready(path, out, e);
}
