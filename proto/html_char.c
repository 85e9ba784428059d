/* see html_char.h */
#include "proto/html_char.h"
#include "certs/text.h"
#include <string.h>

enum { NO_BREAK_SPACE = 0xa0, LAST = 0x10ffff };

static const struct {
    const char *name; /* what stands behind the '&' */
    uint8_t means;
} named[] = { { "amp;", '&' }, { "lt;", '<' }, { "gt;", '>' }, { "quot;", '"' }, { "apos;", '\'' },
    { "nbsp;", NO_BREAK_SPACE } };

static int digit(int c, uint32_t base)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    c |= 0x20;
    return base == 16 && c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

static bool character(uint32_t c)
{
    if (c < 0x20)
        return c >= '\t' && c <= '\r';
    return (c < 0x7f || c > 0x9f) && (c < 0xd800 || c > 0xdfff) && c <= LAST;
}

/* "&#8364;" at the front of text: how many bytes it takes; 0: it is none. */
static size_t by_number(struct view text, uint32_t *code_point)
{
    bool hex = text.len > 2 && (text.p[2] | 0x20) == 'x';
    size_t at = hex ? 3 : 2;
    uint32_t base = hex ? 16 : 10, c = 0;
    int d;

    for (; at < text.len && (d = digit(text.p[at], base)) >= 0; at++)
        c = c > LAST ? c : c * base + (uint32_t)d; /* once too large it stays so */
    if (!character(c))                             /* without digits it is 0, which is none */
        return 0;
    *code_point = c;
    return at < text.len && text.p[at] == ';' ? at + 1 : at;
}

static size_t by_name(struct view text, uint32_t *code_point)
{
    for (size_t i = 0; i < sizeof named / sizeof named[0]; i++) {
        size_t len;

        if (text.len < 2 || text.p[1] != named[i].name[0])
            continue;
        len = strlen(named[i].name);
        if (text.len > len && view_equal(view_of(text.p + 1, len), view_text(named[i].name))) {
            *code_point = named[i].means;
            return len + 1;
        }
    }
    return 0;
}

/* Digits that are no reference are read twice, but never more often: only a '&' begins one. */
bool html_char_next(struct html_raw *raw, uint32_t *code_point)
{
    struct view text = raw->text;
    size_t len = 0;

    if (text.len == 0)
        return false;
    if (text.p[0] == '&')
        len = text.len > 1 && text.p[1] == '#' ? by_number(text, code_point)
                                               : by_name(text, code_point);
    if (len == 0 && raw->utf8)
        len = utf8_next(text, code_point);
    if (len == 0) {
        *code_point = text.p[0]; /* Unicode begins with ISO 8859-1 */
        len = 1;
    }
    raw->text = view_of(text.p + len, text.len - len);
    return true;
}

bool html_char_blank(uint32_t c)
{
    return c == ' ' || (c >= '\t' && c <= '\r') || c == NO_BREAK_SPACE;
}

void html_char_add(struct buf *out, uint32_t c)
{
    static const uint8_t lead[] = { 0, 0xc0, 0xe0, 0xf0 };
    unsigned more = c < 0x80 ? 0 : c < 0x800 ? 1 : c < 0x10000 ? 2 : 3;

    buf_add_byte(out, (uint8_t)(lead[more] | c >> 6 * more));
    while (more-- > 0)
        buf_add_byte(out, (uint8_t)(0x80 | (c >> 6 * more & 0x3f)));
}

void html_char_add_all(struct buf *out, struct html_raw raw)
{
    uint32_t c;

    while (html_char_next(&raw, &c))
        html_char_add(out, c);
}

static uint32_t lower(uint32_t c)
{
    return c >= 'A' && c <= 'Z' ? c + 32 : c;
}

bool html_char_equal(struct html_raw raw, const char *text)
{
    uint32_t c;

    for (; html_char_next(&raw, &c); text++)
        if (*text == '\0' || lower(c) != lower((uint8_t)*text))
            return false;
    return *text == '\0';
}
