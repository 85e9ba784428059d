/*
 * see name.h, name_parse and name_expand
 *
 * The text is walked once.  A variable's value goes straight into the value under construction, never
 * back into the text, so nothing in it is a separator, a quote or another variable.
 */
#include "certs/mem.h"
#include "certs/name.h"
#include "certs/text.h"
#include <string.h>

enum { VALUE_BYTES_MAX = 4 * 32768 };

struct walk {
    const char *format, *p;
    const struct name_var *vars;
    size_t var_count;
};

/* Columns are characters, not bytes: what an editor shows. */
static size_t column(const struct walk *w)
{
    return utf8_length(view_of(w->format, (size_t)(w->p - w->format))) + 1;
}

static bool is_blank(char c)
{
    return c == ' ' || c == '\t';
}

static void skip_blanks(struct walk *w)
{
    while (is_blank(*w->p))
        w->p++;
}

static bool is_name_character(char c)
{
    return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_'
           || c == '.' || c == '-';
}

static char lower(char c)
{
    return c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c;
}

static bool named(const struct name_var *v, const char *name, size_t len)
{
    for (size_t i = 0; i < len; i++)
        if (v->name[i] == '\0' || lower(v->name[i]) != lower(name[i]))
            return false;
    return v->name[len] == '\0';
}

/* w->p stands on "{{". */
static int take_variable(struct walk *w, struct buf *out, struct err *e)
{
    const char *name = w->p + 2;
    size_t len = 0;

    while (is_name_character(name[len]))
        len++;
    if (len == 0 || name[len] != '}' || name[len + 1] != '}')
        return err_set(e, ERR_INPUT, "column %zu: {{ without a name and }}", column(w));
    for (size_t i = 0; i < w->var_count; i++) {
        if (!named(&w->vars[i], name, len))
            continue;
        if (w->vars[i].value == NULL || w->vars[i].value[0] == '\0')
            return err_set(e, ERR_VARIABLE, "{{%.*s}} has no value here", (int)len, name);
        buf_add_text(out, w->vars[i].value);
        w->p = name + len + 2;
        return 0;
    }
    return err_set(
        e, ERR_VARIABLE, "{{%.*s}} is not a known variable", (int)(len < 80 ? len : 80), name);
}

/* What stands inside a value, one character or variable at a time; `quoted` tells which kind of value. */
static int take_piece(struct walk *w, bool quoted, struct buf *out, struct err *e)
{
    static const char specials[] = ",+\"\\;={}";
    char c = *w->p;

    if (c == '{' && w->p[1] == '{')
        return take_variable(w, out, e);
    if (c == '\\') {
        if (w->p[1] == '\0' || strchr(specials, w->p[1]) == NULL)
            return err_set(
                e, ERR_INPUT, "column %zu: \\ stands only before %s", column(w), specials);
        w->p++;
    } else if (strchr(quoted ? "\"\\{}" : specials, c) != NULL) {
        return err_set(e, ERR_INPUT, "column %zu: put \\ before %c", column(w), c);
    }
    buf_add_byte(out, (uint8_t)*w->p++);
    return 0;
}

static int take_quoted(struct walk *w, struct buf *out, struct err *e)
{
    size_t opened = column(w);

    w->p++;
    while (*w->p != '"') {
        if (*w->p == '\0')
            return err_set(e, ERR_INPUT, "column %zu: the quote is not closed", opened);
        if (take_piece(w, true, out, e) != 0)
            return -1;
    }
    w->p++;
    skip_blanks(w);
    return 0;
}

/* Blanks at the end of the text do not count, those of a variable's value do. */
static int take_plain(struct walk *w, struct buf *out, struct err *e)
{
    size_t keep = out->len;

    while (*w->p != '\0' && *w->p != ',' && *w->p != '+') {
        bool blank = is_blank(*w->p);

        if (take_piece(w, false, out, e) != 0)
            return -1;
        if (!blank)
            keep = out->len;
    }
    if (!out->bad)
        buf_truncate(out, keep);
    return 0;
}

static int take_type(struct walk *w, char *type, size_t room, struct err *e)
{
    const char *start;
    size_t len = 0;

    skip_blanks(w);
    start = w->p;
    while (is_name_character(start[len]))
        len++;
    if (len == 0 || len >= room)
        return err_set(e, ERR_INPUT, "column %zu: no attribute type", column(w));
    w->p += len;
    skip_blanks(w);
    if (*w->p != '=')
        return err_set(e, ERR_INPUT, "column %zu: no = after %.*s", column(w), (int)len, start);
    w->p++;
    skip_blanks(w);
    memcpy(type, start, len);
    type[len] = '\0';
    return 0;
}

/* One `type = value` and the separator behind it; *joined says which it was. */
static int take_attribute(
    struct walk *w, struct name *n, bool *joined, struct buf *value, struct err *e)
{
    char type[100];

    if (take_type(w, type, sizeof type, e) != 0)
        return -1;
    buf_reset(value);
    if ((*w->p == '"' ? take_quoted(w, value, e) : take_plain(w, value, e)) != 0)
        return -1;
    if (*w->p != '\0' && *w->p != ',' && *w->p != '+')
        return err_set(e, ERR_INPUT, "column %zu: text after the quote", column(w));
    if (buf_check(value, e) != 0)
        return e->cls == ERR_NOMEM ? -1 : err_set(e, ERR_INPUT, "%s: the value is too long", type);
    if (name_add(n, type, buf_text(value), *joined, e) != 0)
        return -1;
    *joined = *w->p == '+';
    return 0;
}

int name_parse(struct name *n, const char *format, const struct name_var *vars, size_t var_count,
    struct err *e)
{
    struct walk w = { format, format, vars, var_count };
    struct name made = { 0 };
    struct buf value = BUF_INIT(VALUE_BYTES_MAX);
    bool joined = false;
    int rc = -1;

    if (!utf8_valid(view_text(format)))
        return err_set(e, ERR_INPUT, "the subject format is not UTF-8");
    skip_blanks(&w);
    while (*w.p != '\0') {
        if (take_attribute(&w, &made, &joined, &value, e) != 0)
            goto done;
        if (*w.p == '\0')
            break;
        w.p++;
        skip_blanks(&w);
        if (*w.p == '\0') {
            err_set(e, ERR_INPUT, "column %zu: nothing after the separator", column(&w));
            goto done;
        }
    }
    name_free(n);
    *n = made;
    made = (struct name){ 0 };
    rc = 0;
done:
    name_free(&made);
    buf_free(&value);
    return rc;
}

int name_expand(const char *format, const struct name_var *vars, size_t var_count, struct buf *out,
    struct err *e)
{
    struct walk w = { format, format, vars, var_count };
    size_t start = out->len;

    while (*w.p != '\0') {
        if (w.p[0] == '}' && w.p[1] == '}') {
            err_set(e, ERR_INPUT, "column %zu: }} without {{", column(&w));
            goto failed;
        }
        if (w.p[0] == '{' && w.p[1] == '{') {
            if (take_variable(&w, out, e) != 0)
                goto failed;
        } else {
            buf_add_byte(out, (uint8_t)*w.p++);
        }
    }
    return buf_finish(out, start, e);
failed:
    buf_truncate(out, start);
    return -1;
}
