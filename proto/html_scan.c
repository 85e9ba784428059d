/*
 * see html_scan.h
 *
 * No byte is looked at more than a few times: what has no end is an error at once, or takes the rest of
 * the page.
 */
#include "proto/html_scan.h"
#include <string.h>
#include <strings.h>

static bool blank(int c)
{
    return c == ' ' || (c >= '\t' && c <= '\r');
}

static bool letter(uint8_t c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

/* Is text this, case aside? */
static bool is(struct view text, const char *name)
{
    return text.len == strlen(name) && strncasecmp((const char *)text.p, name, text.len) == 0;
}

/* Does this stand there, case aside? */
static bool stands(const struct html_scan *s, size_t at, struct view text)
{
    return s->text.len - at >= text.len
           && strncasecmp((const char *)s->text.p + at, (const char *)text.p, text.len) == 0;
}

static bool says(const struct html_scan *s, size_t at, const char *text)
{
    return stands(s, at, view_text(text));
}

/* The next byte, or -1 at the end. */
static int peek(const struct html_scan *s)
{
    return s->at < s->text.len ? s->text.p[s->at] : -1;
}

static struct view since(const struct html_scan *s, size_t start)
{
    return view_of(s->text.p + start, s->at - start);
}

static int cut(const char *what, struct err *e)
{
    return err_set(e, ERR_NET, "page: cut in the middle of a %s", what);
}

/* ---- tags ---- */

/* Up to a blank, '>' or, behind the first byte, one of `ends`. */
static struct view word(struct html_scan *s, const char *ends)
{
    size_t start = s->at;

    for (int c; (c = peek(s)) >= 0 && c != '>' && !blank(c); s->at++)
        if (s->at > start && strchr(ends, c) != NULL)
            break;
    return since(s, start);
}

static void skip_blanks(struct html_scan *s)
{
    while (blank(peek(s)))
        s->at++;
}

/* What stands behind the '='. */
static int value(struct html_scan *s, struct view *out, struct err *e)
{
    const uint8_t *end;
    size_t start;
    int quote;

    skip_blanks(s);
    quote = peek(s);
    if (quote != '"' && quote != '\'') {
        *out = word(s, "");
        return 0;
    }
    start = ++s->at;
    end = memchr(s->text.p + start, quote, s->text.len - start);
    if (end == NULL)
        return cut("tag", e);
    s->at = (size_t)(end - s->text.p);
    *out = since(s, start);
    s->at++;
    return 0;
}

static void keep_first(struct view v, struct view *out, bool *has)
{
    if (!*has)
        *out = v;
    *has = true;
}

static int attribute(struct html_scan *s, struct html_token *t, struct err *e)
{
    struct view name = word(s, "/="), v = { 0 };

    skip_blanks(s);
    if (peek(s) == '=') {
        s->at++;
        if (value(s, &v, e) != 0)
            return -1;
    }
    if (is(name, "id"))
        keep_first(v, &t->id, &t->has_id);
    else if (is(name, "href"))
        keep_first(v, &t->href, &t->has_href);
    return 0;
}

/* From the name on to behind the '>'. */
static int tag(struct html_scan *s, struct html_token *t, struct err *e)
{
    int c;

    t->name = word(s, "/");
    t->kind = html_kind(t->name);
    if (t->name.len > HTML_NAME_MAX)
        t->name.len = HTML_NAME_MAX;
    for (unsigned count = 0; (c = peek(s)) != '>';) {
        if (c < 0)
            return cut("tag", e);
        if (c == '/' || blank(c)) {
            s->at++;
            continue;
        }
        if (++count > HTML_ATTRIBUTES_MAX)
            return err_set(
                e, ERR_TOO_LARGE, "page: a tag with more than %d attributes", HTML_ATTRIBUTES_MAX);
        if (attribute(s, t, e) != 0)
            return -1;
    }
    s->at++;
    if (t->type == HTML_START && (t->kind == HTML_RAW || t->kind == HTML_CHARS))
        s->within = t->name;
    return 0;
}

/* ---- what is no markup ---- */

/* Do `before` and then this name stand there, and nothing that makes the name longer? */
static bool names(const struct html_scan *s, size_t at, const char *before, struct view name)
{
    size_t start = at + strlen(before), end = start + name.len;

    return end < s->text.len && says(s, at, before) && stands(s, start, name)
           && (s->text.p[end] == '>' || s->text.p[end] == '/' || blank(s->text.p[end]));
}

/*
 * Where the end tag of the element s->within stands; the end of the page if there is none.  In a script
 * that is wrapped in a comment a whole inner script is part of it, as HTML 13.2.5.21-31 has it: there
 * are scripts that write scripts.
 */
static size_t raw_end(const struct html_scan *s)
{
    bool script = is(s->within, "script"), wrapped = false, inner = false;

    for (size_t at = s->at; at < s->text.len; at++) {
        if (wrapped && s->text.p[at] == '-' && says(s, at, "-->"))
            wrapped = inner = false;
        if (s->text.p[at] != '<')
            continue;
        if (names(s, at, "</", s->within)) {
            if (!inner)
                return at;
            inner = false;
        } else if (script && says(s, at, "<!--")) {
            wrapped = true;
        } else if (wrapped && names(s, at, "<", s->within)) {
            inner = true;
        }
    }
    return s->text.len;
}

/* Go on to the end tag; true: what stands before it is text for people. */
static bool raw(struct html_scan *s, struct html_token *t)
{
    bool shown = html_kind(s->within) == HTML_CHARS;
    size_t start = s->at;

    s->at = raw_end(s);
    s->within = view_of(NULL, 0);
    t->type = HTML_TEXT;
    t->text = since(s, start);
    return shown && t->text.len != 0;
}

/* "<!-->" and "<!--->" are whole comments, and "--!>" ends one too. */
static int comment(struct html_scan *s, struct err *e)
{
    size_t inside = s->at + 4;

    for (size_t at = s->at + 2; at < s->text.len; at++) {
        if (s->text.p[at] != '-')
            continue;
        if (says(s, at, "-->"))
            s->at = at + 3;
        else if (at >= inside && says(s, at, "--!>"))
            s->at = at + 4;
        else
            continue;
        return 0;
    }
    return cut("comment", e);
}

/* <!DOCTYPE>, <?xml>, <![endif]>, </>: to the next '>', whatever stands before it. */
static int declaration(struct html_scan *s, struct err *e)
{
    const uint8_t *end = memchr(s->text.p + s->at, '>', s->text.len - s->at);

    if (end == NULL)
        return cut("declaration", e);
    s->at = (size_t)(end - s->text.p) + 1;
    return 0;
}

/* ---- the page ---- */

enum what { TEXT, START, END, COMMENT, DECLARATION };

static enum what look(const struct html_scan *s, size_t at)
{
    const uint8_t *p = s->text.p + at;
    size_t left = s->text.len - at;

    if (left < 2 || p[0] != '<')
        return TEXT;
    if (letter(p[1]))
        return START;
    if (p[1] == '/')
        return left > 2 && letter(p[2]) ? END : DECLARATION;
    if (p[1] == '!')
        return says(s, at, "<!--") ? COMMENT : DECLARATION;
    return p[1] == '?' ? DECLARATION : TEXT;
}

/* A '<' that begins no markup is a character like others. */
static void text(struct html_scan *s, struct html_token *t)
{
    size_t start = s->at;

    do {
        const uint8_t *next = memchr(s->text.p + s->at + 1, '<', s->text.len - s->at - 1);

        s->at = next != NULL ? (size_t)(next - s->text.p) : s->text.len;
    } while (s->at < s->text.len && look(s, s->at) == TEXT);
    t->type = HTML_TEXT;
    t->text = since(s, start);
}

int html_scan_next(struct html_scan *s, struct html_token *t, struct err *e)
{
    while (s->at < s->text.len) {
        enum what what = look(s, s->at);

        *t = (struct html_token){ 0 };
        if (s->within.len != 0) {
            if (raw(s, t))
                return 1;
        } else if (what == TEXT) {
            text(s, t);
            return 1;
        } else if (what == START || what == END) {
            t->type = what == START ? HTML_START : HTML_END;
            s->at += what == START ? 1 : 2;
            return tag(s, t, e) == 0 ? 1 : -1;
        } else if ((what == COMMENT ? comment(s, e) : declaration(s, e)) != 0) {
            return -1;
        }
    }
    return 0;
}
