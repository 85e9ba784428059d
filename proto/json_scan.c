/*
 * see json_scan.h
 *
 * One pass, recursion bounded by JSON_DEPTH_MAX.  Names of the objects that are open stand on one
 * stack; when an object closes its names are sorted and neighbours compared, so that a hostile
 * object with a million members costs n log n.
 */
#include "proto/json_scan.h"
#include "certs/mem.h"
#include "certs/text.h"
#include <stdlib.h>
#include <string.h>

struct seen {
    const uint8_t *p; /* unescaped; into the text, or into scan.plain */
    size_t len, at;   /* offset of its quote in the text */
};

struct scan {
    struct view text;
    size_t at;
    unsigned depth;
    struct buf names; /* of struct seen */
    uint8_t *plain; /* names that had escapes, unescaped: as large as the text, made when needed */
    size_t plain_len;
    struct err *e;
};

static int value(struct scan *s);

#define BAD(s, at, ...) bad((s), (at), __FILE__ ":" ERR_STR(__LINE__), __VA_ARGS__)
static int bad(struct scan *s, size_t at, const char *where, const char *what)
{
    return err_set_at(s->e, ERR_PROTO, where, "JSON: %s at byte %zu", what, at);
}

/* The next byte, or -1 at the end. */
static int peek(const struct scan *s)
{
    return s->at < s->text.len ? s->text.p[s->at] : -1;
}

static void space(struct scan *s)
{
    int c;

    while ((c = peek(s)) == ' ' || c == '\t' || c == '\n' || c == '\r')
        s->at++;
}

static bool digit(int c)
{
    return c >= '0' && c <= '9';
}

static int hex(int c)
{
    if (digit(c))
        return c - '0';
    c |= 0x20;
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* ---- strings ---- */

/* Four digits behind "\u". */
static int unit(struct scan *s, uint32_t *out)
{
    *out = 0;
    for (int i = 0; i < 4; i++) {
        int h = hex(peek(s));

        if (h < 0)
            return BAD(s, s->at, "not four digits after \\u");
        *out = *out << 4 | (uint32_t)h;
        s->at++;
    }
    return 0;
}

/* A surrogate must come as a pair, high half first: alone it is no character. */
static int code_point(struct scan *s, size_t start, uint32_t *out)
{
    uint32_t low;

    if (unit(s, out) != 0)
        return -1;
    if (*out == 0)
        return BAD(s, start, "a NUL character");
    if (*out >= 0xdc00 && *out <= 0xdfff)
        return BAD(s, start, "the second half of a surrogate pair alone");
    if (*out < 0xd800 || *out > 0xdbff)
        return 0;
    if (peek(s) != '\\' || s->at + 1 >= s->text.len || s->text.p[s->at + 1] != 'u')
        return BAD(s, start, "the first half of a surrogate pair alone");
    s->at += 2;
    if (unit(s, &low) != 0)
        return -1;
    if (low < 0xdc00 || low > 0xdfff)
        return BAD(s, start, "the first half of a surrogate pair alone");
    *out = 0x10000 + ((*out - 0xd800) << 10) + (low - 0xdc00);
    return 0;
}

/* Behind a backslash: what it stands for. */
static int escape(struct scan *s, size_t start, uint32_t *out)
{
    static const char letters[] = "\"\\/bfnrt", means[] = "\"\\/\b\f\n\r\t";
    int c = peek(s);
    const char *found = c > 0 ? strchr(letters, c) : NULL;

    s->at++;
    if (c == 'u')
        return code_point(s, start, out);
    if (found == NULL)
        return BAD(s, start, "an unknown escape");
    *out = (uint8_t)means[found - letters];
    return 0;
}

/* An escape never is shorter than what it stands for, so s->plain cannot overflow. */
static void put_utf8(uint8_t *to, size_t *len, uint32_t c)
{
    if (c < 0x80) {
        to[(*len)++] = (uint8_t)c;
    } else if (c < 0x800) {
        to[(*len)++] = (uint8_t)(0xc0 | c >> 6);
        to[(*len)++] = (uint8_t)(0x80 | (c & 63));
    } else if (c < 0x10000) {
        to[(*len)++] = (uint8_t)(0xe0 | c >> 12);
        to[(*len)++] = (uint8_t)(0x80 | (c >> 6 & 63));
        to[(*len)++] = (uint8_t)(0x80 | (c & 63));
    } else {
        to[(*len)++] = (uint8_t)(0xf0 | c >> 18);
        to[(*len)++] = (uint8_t)(0x80 | (c >> 12 & 63));
        to[(*len)++] = (uint8_t)(0x80 | (c >> 6 & 63));
        to[(*len)++] = (uint8_t)(0x80 | (c & 63));
    }
}

/* From the first backslash of a name on: copy it unescaped. */
static int copy_name(struct scan *s, size_t start, struct seen *out)
{
    uint8_t *to;
    size_t len = s->at - start - 1;
    uint32_t c;

    if (s->plain == NULL && (s->plain = mem_try(s->text.len, 1)) == NULL)
        return err_set(s->e, ERR_NOMEM, "JSON: no memory for %zu bytes of names", s->text.len);
    to = s->plain + s->plain_len;
    memcpy(to, s->text.p + start + 1, len);
    for (int next; (next = peek(s)) != '"';) {
        if (next < 0x20)
            return BAD(s, s->at, next < 0 ? "the text ends in a string" : "a control character");
        s->at++;
        if (next != '\\') {
            to[len++] = (uint8_t)next;
            continue;
        }
        if (escape(s, s->at - 1, &c) != 0)
            return -1;
        put_utf8(to, &len, c);
    }
    *out = (struct seen){ to, len, start };
    s->plain_len += len;
    return 0;
}

/* A string, quotes included.  name is filled if it is not NULL. */
static int string(struct scan *s, struct seen *name)
{
    size_t start = s->at++;
    uint32_t ignored;

    for (int c; (c = peek(s)) != '"';) {
        if (c < 0x20)
            return BAD(s, s->at, c < 0 ? "the text ends in a string" : "a control character");
        if (c == '\\' && name != NULL) {
            if (copy_name(s, start, name) != 0)
                return -1;
            s->at++;
            return 0;
        }
        s->at++;
        if (c == '\\' && escape(s, s->at - 1, &ignored) != 0)
            return -1;
    }
    if (name != NULL)
        *name = (struct seen){ s->text.p + start + 1, s->at - start - 1, start };
    s->at++;
    return 0;
}

/* ---- numbers ---- */

static size_t digits(struct scan *s)
{
    size_t start = s->at;

    while (digit(peek(s)))
        s->at++;
    return s->at - start;
}

/* At most 9223372036854775807, or ...8 when negative; `len` digits without a leading zero. */
static bool in_int64(const uint8_t *p, size_t len, bool negative)
{
    return len < 19
           || (len == 19
               && memcmp(p, negative ? "9223372036854775808" : "9223372036854775807", 19) <= 0);
}

/* Behind 'e': the exponent, cut off at +-1000, which no number that is let through comes near. */
static int exponent(struct scan *s, size_t start, int *out)
{
    bool negative = peek(s) == '-';

    if (negative || peek(s) == '+')
        s->at++;
    if (!digit(peek(s)))
        return BAD(s, start, "not a number");
    for (*out = 0; digit(peek(s)); s->at++)
        *out = *out < 100 ? *out * 10 + (peek(s) - '0') : 1000;
    *out = negative ? -*out : *out;
    return 0;
}

/* RFC 8259 6.  With a fraction or an exponent the value must stay below 10^18. */
static int number(struct scan *s)
{
    size_t start = s->at, first, whole;
    bool negative = peek(s) == '-', integer = true;
    int power = 0;

    if (negative)
        s->at++;
    first = s->at;
    whole = digits(s);
    if (whole == 0 || (whole > 1 && s->text.p[first] == '0'))
        return BAD(s, start, "not a number");
    if (peek(s) == '.') {
        integer = false;
        s->at++;
        if (digits(s) == 0)
            return BAD(s, start, "not a number");
    }
    if (peek(s) == 'e' || peek(s) == 'E') {
        integer = false;
        s->at++;
        if (exponent(s, start, &power) != 0)
            return -1;
    }
    if (integer ? !in_int64(s->text.p + first, whole, negative)
                : whole > 18 || (int)whole + power > 18)
        return BAD(s, start, "a number outside 64 bits");
    return 0;
}

/* ---- objects and arrays ---- */

static int by_name(const void *a, const void *b)
{
    const struct seen *x = a, *y = b;
    size_t len = x->len < y->len ? x->len : y->len;
    int c = len != 0 ? memcmp(x->p, y->p, len) : 0;

    if (c != 0)
        return c;
    if (x->len != y->len)
        return x->len < y->len ? -1 : 1;
    return x->at < y->at ? -1 : x->at > y->at;
}

/* The names of one object, from `mark` on the stack: none twice. */
static int distinct(struct scan *s, size_t mark)
{
    size_t count = (s->names.len - mark) / sizeof(struct seen);
    struct seen *n;

    if (count == 0)
        return 0;
    n = (struct seen *)(void *)(s->names.p + mark);
    qsort(n, count, sizeof *n, by_name);
    for (size_t i = 1; i < count; i++)
        if (n[i].len == n[i - 1].len
            && (n[i].len == 0 || memcmp(n[i].p, n[i - 1].p, n[i].len) == 0))
            return err_set(s->e, ERR_PROTO, "JSON: member \"%.*s\" a second time at byte %zu",
                n[i].len < 60 ? (int)n[i].len : 60, (const char *)n[i].p, n[i].at);
    buf_truncate(&s->names, mark);
    return 0;
}

static int member(struct scan *s)
{
    struct seen name;

    if (peek(s) != '"')
        return BAD(s, s->at, "not a member name in double quotes");
    if (string(s, &name) != 0)
        return -1;
    buf_add(&s->names, &name, sizeof name);
    if (buf_check(&s->names, s->e) != 0)
        return -1;
    space(s);
    if (peek(s) != ':')
        return BAD(s, s->at, "no colon after a member name");
    s->at++;
    return value(s);
}

/* Object or array: what is between the brackets, `one` after the other. */
static int list(struct scan *s, char end, int (*one)(struct scan *))
{
    size_t mark = s->names.len;

    if (++s->depth > JSON_DEPTH_MAX)
        return BAD(s, s->at, "nested too deep, over 32 levels");
    s->at++;
    space(s);
    if (peek(s) != end) {
        for (;;) {
            space(s);
            if (one(s) != 0)
                return -1;
            space(s);
            if (peek(s) != ',')
                break;
            s->at++;
        }
    }
    if (peek(s) != end)
        return BAD(s, s->at,
            end == '}' ? "no comma or } after a member" : "no comma or ] after an element");
    s->at++;
    s->depth--;
    return distinct(s, mark);
}

static int word(struct scan *s, const char *text)
{
    size_t len = strlen(text);

    if (s->text.len - s->at < len || memcmp(s->text.p + s->at, text, len) != 0)
        return BAD(s, s->at, "no value");
    s->at += len;
    return 0;
}

static int value(struct scan *s)
{
    space(s);
    switch (peek(s)) {
    case '{':
        return list(s, '}', member);
    case '[':
        return list(s, ']', value);
    case '"':
        return string(s, NULL);
    case 't':
        return word(s, "true");
    case 'f':
        return word(s, "false");
    case 'n':
        return word(s, "null");
    default:
        if (peek(s) == '-' || digit(peek(s)))
            return number(s);
        return BAD(s, s->at, "no value");
    }
}

static int utf8_fault(struct scan *s)
{
    uint32_t c;
    size_t step;

    while ((step = utf8_next(view_of(s->text.p + s->at, s->text.len - s->at), &c)) != 0)
        s->at += step;
    return BAD(s, s->at, "not UTF-8");
}

int json_scan(struct view text, struct err *e)
{
    struct scan s = { .text = text, .e = e, .names = BUF_INIT(SIZE_MAX / 4) };
    int rc = -1;

    if (!utf8_valid(text)) {
        utf8_fault(&s);
        goto done;
    }
    space(&s);
    if (peek(&s) != '{' && peek(&s) != '[') {
        BAD(&s, s.at, "neither an object nor an array");
        goto done;
    }
    if (value(&s) != 0)
        goto done;
    space(&s);
    if (s.at != text.len) {
        BAD(&s, s.at, "something after the end");
        goto done;
    }
    rc = 0;
done:
    buf_free(&s.names);
    free(s.plain);
    return rc;
}
