/* see err.h */
#include "certs/err.h"
#include "certs/text.h"
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

static const struct {
    const char *name, *text;
    enum err_action action;
} rows[ERR_CLASS_COUNT] = { [ERR_NONE] = { "ERR_NONE", "no error", ERR_DO_NOTHING },
#define X(id, text, action) [id] = { #id, text, ERR_DO_##action },
    ERR_CLASSES(X)
#undef X
};

enum err_action err_action(enum err_class cls)
{
    return (unsigned)cls < ERR_CLASS_COUNT ? rows[cls].action : ERR_DO_FAIL;
}

const char *err_name(enum err_class cls)
{
    return (unsigned)cls < ERR_CLASS_COUNT ? rows[cls].name : "ERR_?";
}

const char *err_text(enum err_class cls)
{
    return (unsigned)cls < ERR_CLASS_COUNT ? rows[cls].text : "unknown error";
}

/* Characters that move the cursor, break a line or turn the direction of what follows. */
static bool unfit(uint32_t c)
{
    return c < 0x20 || (c >= 0x7f && c <= 0x9f) || c == 0x061c || c == 0x200e || c == 0x200f
           || (c >= 0x2028 && c <= 0x202e) || (c >= 0x2066 && c <= 0x2069) || c == 0xfeff;
}

void err_clean(char *text)
{
    size_t len = strlen(text), from = 0, to = 0;

    while (from < len) {
        uint32_t c;
        size_t step = utf8_next(view_of(text + from, len - from), &c);

        if (step == 0 || unfit(c)) {
            text[to++] = '?';
            from += step != 0 ? step : 1;
        } else {
            memmove(text + to, text + from, step);
            to += step;
            from += step;
        }
    }
    text[to] = '\0';
}

/* The last character may have been cut in the middle: leave it out rather than show a '?'. */
static void drop_last_character(char *text)
{
    size_t len = strlen(text);

    while (len > 0 && ((uint8_t)text[len - 1] & 0xc0) == 0x80)
        len--;
    if (len > 0 && ((uint8_t)text[len - 1] & 0x80) != 0)
        len--;
    text[len] = '\0';
}

/* Formats into a buffer of its own, because the arguments may point into e->msg. */
__attribute__((format(printf, 3, 0))) static void format(
    struct err *e, const char *tail, const char *fmt, va_list ap)
{
    char text[sizeof e->msg];
    int n = vsnprintf(text, sizeof text, fmt, ap);

    if (n < 0)
        n = snprintf(text, sizeof text, "(message could not be formatted)");
    if (tail != NULL && (size_t)n < sizeof text) {
        int m = snprintf(text + n, sizeof text - (size_t)n, ": %s", tail);

        n += m > 0 ? m : 0;
    }
    if ((size_t)n >= sizeof text)
        drop_last_character(text);
    err_clean(text);
    memcpy(e->msg, text, sizeof text);
}

int err_set_at(struct err *e, enum err_class cls, const char *where, const char *fmt, ...)
{
    va_list ap;

    va_start(ap, fmt);
    format(e, NULL, fmt, ap);
    va_end(ap);
    e->cls = cls;
    e->number = 0;
    e->where = where;
    return -1;
}

int err_wrap(struct err *e, const char *fmt, ...)
{
    char was[sizeof e->msg];
    va_list ap;

    memcpy(was, e->msg, sizeof was);
    va_start(ap, fmt);
    format(e, was, fmt, ap);
    va_end(ap);
    return -1;
}

uint32_t err_hresult(const struct err *e)
{
    return e != NULL && (e->number & 0x80000000u) != 0 ? (uint32_t)e->number : 0;
}
