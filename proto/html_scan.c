/* see html_scan.h */
#include "proto/html_scan.h"
#include "proto/html.h"
#include <string.h>
#include <strings.h>

struct scan {
    const char *p;
    size_t len, at;
};

static bool blank(char c)
{
    return c == ' ' || (c >= '\t' && c <= '\r');
}

static bool letter(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

/* Does this text come next, case aside? */
static bool next(const struct scan *s, const char *text)
{
    size_t len = strlen(text);

    return s->len - s->at >= len && strncasecmp(s->p + s->at, text, len) == 0;
}

/* Go on to just before this text; false: it does not come. */
static bool find(struct scan *s, const char *text)
{
    for (; s->at < s->len; s->at++)
        if (next(s, text))
            return true;
    return false;
}

/*
 * From behind '<' to behind '>'.  A quote counts only as the beginning of a value, as the library has
 * it.  false: too many attributes.
 */
static bool tag(struct scan *s)
{
    unsigned gaps = 0;
    char before = '\0'; /* the last character that is not blank */

    for (; s->at < s->len && s->p[s->at] != '>'; s->at++) {
        char c = s->p[s->at];

        if (blank(c)) {
            gaps += s->at > 0 && !blank(s->p[s->at - 1]);
        } else if ((c == '"' || c == '\'') && before == '=') {
            const char *end = memchr(s->p + s->at + 1, c, s->len - s->at - 1);

            s->at = end != NULL ? (size_t)(end - s->p) : s->len - 1;
            gaps++;
            before = c;
        } else {
            before = c;
        }
        if (gaps > HTML_ATTRIBUTES_MAX)
            return false;
    }
    s->at += s->at < s->len;
    return true;
}

static int walk(struct scan *s, bool *any, struct err *e)
{
    while (find(s, "<")) {
        const char *raw = next(s, "<script") ? "</script" : next(s, "<style") ? "</style" : NULL;

        if (next(s, "<!--")) {
            s->at += 4;
            if (!find(s, "-->"))
                return err_set(e, ERR_NET, "page: cut in the middle of a comment");
            continue;
        }
        s->at++;
        if (s->at == s->len || !letter(s->p[s->at]))
            continue;
        *any = true;
        if (!tag(s))
            return err_set(
                e, ERR_TOO_LARGE, "page: a tag with more than %d attributes", HTML_ATTRIBUTES_MAX);
        if (raw != NULL)
            (void)find(s, raw);
    }
    return 0;
}

int html_scan(struct view text, struct err *e)
{
    struct scan s = { (const char *)text.p, text.len, 0 };
    bool any = false;

    if (text.len > HTML_MAX)
        return err_set(
            e, ERR_TOO_LARGE, "page: %zu bytes, at most %d are read", text.len, HTML_MAX);
    if (text.len == 0)
        return err_set(e, ERR_PROTO, "page: empty");
    if (memchr(text.p, '\0', text.len) != NULL)
        return err_set(e, ERR_PROTO, "page: not text, it has NUL bytes");
    if (walk(&s, &any, e) != 0)
        return -1;
    return any ? 0 : err_set(e, ERR_PROTO, "page: not HTML, it has no tag");
}
