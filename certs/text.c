/* see text.h */
#include "certs/text.h"
#include <stdio.h>
#include <string.h>

static const char alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

static bool is_space(uint8_t c)
{
    return c == ' ' || (c >= '\t' && c <= '\r');
}

/* ---- base64 ---- */

static void add_quad(struct buf *out, const uint8_t *p, size_t len)
{
    uint32_t bits =
        (uint32_t)p[0] << 16 | (len > 1 ? (uint32_t)p[1] << 8 : 0) | (len > 2 ? p[2] : 0);
    char quad[4];

    quad[0] = alphabet[bits >> 18];
    quad[1] = alphabet[bits >> 12 & 63];
    quad[2] = len > 1 ? alphabet[bits >> 6 & 63] : '=';
    quad[3] = len > 2 ? alphabet[bits & 63] : '=';
    buf_add(out, quad, sizeof quad);
}

void base64_add(struct buf *out, struct view bytes)
{
    for (size_t i = 0; i < bytes.len; i += 3)
        add_quad(out, bytes.p + i, bytes.len - i < 3 ? bytes.len - i : 3);
}

/* cols is rounded down to whole groups of four; every line but the last is full. */
void base64_add_lines(struct buf *out, struct view bytes, size_t cols)
{
    size_t step = cols < 4 ? 3 : cols / 4 * 3;

    for (size_t i = 0; i < bytes.len; i += step) {
        base64_add(out, view_of(bytes.p + i, bytes.len - i < step ? bytes.len - i : step));
        buf_add_byte(out, '\n');
    }
}

void base64url_add(struct buf *out, struct view bytes)
{
    size_t start = out->len;

    base64_add(out, bytes);
    while (out->len > start && out->p[out->len - 1] == '=')
        buf_truncate(out, out->len - 1);
    for (size_t i = start; i < out->len; i++)
        out->p[i] = out->p[i] == '+' ? '-' : out->p[i] == '/' ? '_' : out->p[i];
}

static int base64_value(uint8_t c)
{
    if (c >= 'A' && c <= 'Z')
        return c - 'A';
    if (c >= 'a' && c <= 'z')
        return c - 'a' + 26;
    if (c >= '0' && c <= '9')
        return c - '0' + 52;
    return c == '+' ? 62 : c == '/' ? 63 : -1;
}

enum skip { SKIP_NOTHING, SKIP_SPACE, SKIP_ANY };

/* The characters of one text, four by four; what is left of a group stays in bits. */
struct quads {
    uint32_t bits;
    unsigned count, pad;
};

static int take_character(
    struct quads *q, uint8_t c, size_t at, enum skip skip, struct buf *out, struct err *e)
{
    int value = base64_value(c);

    if (c == '=') {
        if (++q->pad > 2)
            return err_set(e, ERR_PROTO, "base64: more than two '=' at character %zu", at + 1);
        return 0;
    }
    if (value < 0) {
        if (skip == SKIP_ANY || (skip == SKIP_SPACE && is_space(c)))
            return 0;
        return err_set(e, ERR_PROTO, "base64: character %zu is 0x%02x", at + 1, c);
    }
    if (q->pad != 0)
        return err_set(e, ERR_PROTO, "base64: text after the padding at character %zu", at + 1);
    q->bits = q->bits << 6 | (uint32_t)value;
    if (++q->count == 4) {
        uint8_t three[3] = { (uint8_t)(q->bits >> 16), (uint8_t)(q->bits >> 8), (uint8_t)q->bits };

        buf_add(out, three, sizeof three);
        *q = (struct quads){ 0 };
    }
    return 0;
}

/* The last, short group: with the right padding and no stray bits, unless `loose`. */
static int take_rest(const struct quads *q, bool loose, struct buf *out, struct err *e)
{
    unsigned spare = q->count == 2 ? 4 : 2;
    uint32_t bits = q->bits >> spare;

    if (q->count == 1)
        return err_set(e, ERR_PROTO, "base64: cut in the middle of a byte");
    if (q->count + q->pad != 4 && !(q->count == 0 && q->pad == 0) && !(loose && q->pad == 0))
        return err_set(
            e, ERR_PROTO, "base64: wrong padding, %u characters and %u '='", q->count, q->pad);
    if (q->count == 0)
        return 0;
    if (!loose && (q->bits & ((1u << spare) - 1)) != 0)
        return err_set(e, ERR_PROTO, "base64: bits after the last byte");
    if (q->count == 3)
        buf_add_byte(out, (uint8_t)(bits >> 8));
    buf_add_byte(out, (uint8_t)bits);
    return 0;
}

static int decode(struct view text, enum skip skip, struct buf *out, struct err *e)
{
    struct quads q = { 0 };
    size_t start = out->len;

    for (size_t i = 0; i < text.len; i++)
        if (take_character(&q, text.p[i], i, skip, out, e) != 0)
            goto bad;
    if (take_rest(&q, skip == SKIP_ANY, out, e) != 0)
        goto bad;
    return buf_finish(out, start, e);
bad:
    buf_truncate(out, start);
    return -1;
}

int base64_parse(struct view text, struct buf *out, struct err *e)
{
    return decode(text, SKIP_NOTHING, out, e);
}

int base64_parse_loose(struct view text, struct buf *out, struct err *e)
{
    return decode(text, SKIP_ANY, out, e);
}

/* ---- hexadecimal ---- */

void hex_add(struct buf *out, struct view bytes)
{
    static const char digits[] = "0123456789ABCDEF";

    for (size_t i = 0; i < bytes.len; i++) {
        char two[2] = { digits[bytes.p[i] >> 4], digits[bytes.p[i] & 15] };

        buf_add(out, two, sizeof two);
    }
}

static int hex_value(uint8_t c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    if (c >= 'a' && c <= 'f')
        return c - 'a' + 10;
    return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

int hex_parse(struct view text, struct buf *out, struct err *e)
{
    size_t start = out->len;

    if (text.len % 2 != 0)
        return err_set(e, ERR_PROTO, "hexadecimal: %zu digits, an odd number", text.len);
    for (size_t i = 0; i < text.len; i += 2) {
        int high = hex_value(text.p[i]), low = hex_value(text.p[i + 1]);

        if (high < 0 || low < 0) {
            buf_truncate(out, start);
            return err_set(e, ERR_PROTO, "hexadecimal: no digits at character %zu", i + 1);
        }
        buf_add_byte(out, (uint8_t)(high << 4 | low));
    }
    return buf_finish(out, start, e);
}

/* ---- PEM ---- */

/*
 * Where the line "-----<word> <label>-----" begins in text, or SIZE_MAX.  It has to begin a line; what
 * follows on it is left to the caller (RFC 7468 3 lets white space stand there).
 */
static size_t find_armour(struct view text, const char *word, const char *label, size_t *armour_len)
{
    char armour[80];
    int n = snprintf(armour, sizeof armour, "-----%s %s-----", word, label);
    size_t len = (size_t)n;

    if (n < 0 || len >= sizeof armour)
        return SIZE_MAX;
    *armour_len = len;
    for (size_t i = 0; i < text.len && len <= text.len - i; i++) {
        if (i != 0 && text.p[i - 1] != '\n' && text.p[i - 1] != '\r')
            continue;
        if (view_equal(view_of(text.p + i, len), view_of(armour, len)))
            return i;
    }
    return SIZE_MAX;
}

int pem_next(struct view *rest, const char *label, struct buf *out, struct err *e)
{
    size_t len = 0, at = find_armour(*rest, "BEGIN", label, &len), behind;
    struct view body;

    if (at == SIZE_MAX)
        return 0;
    body = view_of(rest->p + at + len, rest->len - at - len);
    at = find_armour(body, "END", label, &len);
    if (at == SIZE_MAX)
        return err_set(e, ERR_PROTO, "PEM: BEGIN %s without its END", label);
    behind = body.len - at - len;
    if (decode(view_of(body.p, at), SKIP_SPACE, out, e) != 0)
        return err_wrap(e, "PEM %s", label);
    *rest = view_of(rest->p + rest->len - behind, behind);
    return 1;
}

void pem_add(struct buf *out, const char *label, struct view der)
{
    buf_printf(out, "-----BEGIN %s-----\n", label);
    base64_add_lines(out, der, 64);
    buf_printf(out, "-----END %s-----\n", label);
}

/* ---- UTF-8 ---- */

/* RFC 3629 4: the second byte's range depends on the first, which rules out the longer forms. */
size_t utf8_next(struct view text, uint32_t *code_point)
{
    static const uint32_t least[] = { 0, 0, 0x80, 0x800, 0x10000 };
    size_t len;
    uint32_t c;

    *code_point = 0;
    if (text.len == 0)
        return 0;
    c = text.p[0];
    len = c < 0x80 ? 1 : c < 0xc0 ? 0 : c < 0xe0 ? 2 : c < 0xf0 ? 3 : c < 0xf8 ? 4 : 0;
    if (len == 0 || len > text.len)
        return 0;
    c &= len == 1 ? 0x7fu : 0xffu >> (len + 1);
    for (size_t i = 1; i < len; i++) {
        if ((text.p[i] & 0xc0) != 0x80)
            return 0;
        c = c << 6 | (text.p[i] & 0x3fu);
    }
    if (c < least[len] || c > 0x10ffff || (c >= 0xd800 && c <= 0xdfff))
        return 0;
    *code_point = c;
    return len;
}

bool utf8_valid(struct view text)
{
    for (size_t i = 0, step; i < text.len; i += step) {
        uint32_t c;

        if ((step = utf8_next(view_of(text.p + i, text.len - i), &c)) == 0)
            return false;
    }
    return true;
}

size_t utf8_length(struct view text)
{
    size_t count = 0;

    for (size_t i = 0; i < text.len; i++)
        count += (text.p[i] & 0xc0) != 0x80;
    return count;
}

bool text_has_control(struct view text)
{
    for (size_t i = 0; i < text.len; i++)
        if (text.p[i] < 0x20 || text.p[i] == 0x7f)
            return true;
    return false;
}

uint64_t text_hash(uint64_t h, const char *text)
{
    for (; text != NULL && *text != '\0'; text++)
        h = (h ^ (unsigned char)*text) * 1099511628211u;
    return h;
}
