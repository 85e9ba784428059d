/* see der.h */
#include "certs/der.h"
#include "certs/text.h"
#include <assert.h>
#include <string.h>

enum { OID_BYTES_MAX = 128 };

/* ---- writer ---- */

size_t der_open(struct buf *b, uint8_t tag)
{
    buf_add_byte(b, tag);
    return b->len;
}

/* The length of a value goes before its content, which is there already and moves. */
void der_close(struct buf *b, size_t mark)
{
    uint8_t head[1 + sizeof(size_t)];
    size_t len, count = 0;

    if (b->bad)
        return;
    len = b->len - mark;
    if (len < 0x80) {
        head[0] = (uint8_t)len;
    } else {
        for (size_t n = len; n != 0; n >>= 8)
            count++;
        head[0] = (uint8_t)(0x80 | count);
        for (size_t i = 0; i < count; i++)
            head[1 + i] = (uint8_t)(len >> 8 * (count - 1 - i));
    }
    buf_insert(b, mark, head, 1 + count);
}

void der_tlv(struct buf *b, uint8_t tag, struct view content)
{
    size_t mark = der_open(b, tag);

    buf_add_view(b, content);
    der_close(b, mark);
}

void der_uint(struct buf *b, uint64_t value)
{
    uint8_t bytes[8];

    for (size_t i = 0; i < sizeof bytes; i++)
        bytes[i] = (uint8_t)(value >> 8 * (7 - i));
    der_uint_bytes(b, view_of(bytes, sizeof bytes));
}

void der_uint_bytes(struct buf *b, struct view big_endian)
{
    size_t mark = der_open(b, DER_INTEGER);

    while (big_endian.len != 0 && big_endian.p[0] == 0) {
        big_endian.p++;
        big_endian.len--;
    }
    if (big_endian.len == 0 || big_endian.p[0] >= 0x80)
        buf_add_byte(b, 0);
    buf_add_view(b, big_endian);
    der_close(b, mark);
}

void der_bool_true(struct buf *b)
{
    buf_add(b, "\x01\x01\xff", 3);
}

void der_null(struct buf *b)
{
    buf_add(b, "\x05\x00", 2);
}

void der_utf8(struct buf *b, const char *text)
{
    der_tlv(b, DER_UTF8, view_text(text));
}

void der_bmp(struct buf *b, const char *utf8)
{
    struct view rest = view_text(utf8);
    size_t mark = der_open(b, DER_BMP);

    while (rest.len != 0) {
        uint32_t c;
        size_t step = utf8_next(rest, &c);

        if (step == 0 || c > 0xffff) {
            buf_spoil(b, ERR_TOO_LARGE);
            return;
        }
        buf_add_byte(b, (uint8_t)(c >> 8));
        buf_add_byte(b, (uint8_t)c);
        rest = view_of(rest.p + step, rest.len - step);
    }
    der_close(b, mark);
}

/* Seven bits a byte, most significant first; how many bytes, 0 if out is too short. */
static size_t put_arc(uint64_t arc, uint8_t *out, size_t room)
{
    size_t count = 1;

    for (uint64_t n = arc >> 7; n != 0; n >>= 7)
        count++;
    if (count > room)
        return 0;
    for (size_t i = 0; i < count; i++)
        out[i] = (uint8_t)((arc >> 7 * (count - 1 - i) & 0x7f) | (i + 1 < count ? 0x80 : 0));
    return count;
}

/* One decimal number without leading zeros off the front of *text. */
static bool take_arc(const char **text, uint64_t *arc)
{
    const char *p = *text;
    uint64_t n = 0;

    if (*p < '0' || *p > '9' || (p[0] == '0' && p[1] >= '0' && p[1] <= '9'))
        return false;
    for (; *p >= '0' && *p <= '9'; p++) {
        uint64_t digit = (uint64_t)(*p - '0');

        if (n > (UINT64_MAX - digit) / 10)
            return false;
        n = n * 10 + digit;
    }
    *text = p;
    *arc = n;
    return true;
}

/* The content of the OID value (X.690 8.19), or 0 if the text is not an OID. */
static size_t oid_encode(const char *dotted, uint8_t out[OID_BYTES_MAX])
{
    const char *p = dotted;
    uint64_t first, arc;
    size_t len, step;

    if (!take_arc(&p, &first) || first > 2 || *p++ != '.' || !take_arc(&p, &arc))
        return 0;
    if ((first < 2 && arc > 39) || arc > UINT64_MAX - 80)
        return 0;
    len = put_arc(first * 40 + arc, out, OID_BYTES_MAX);
    while (*p == '.') {
        p++;
        if (!take_arc(&p, &arc) || (step = put_arc(arc, out + len, OID_BYTES_MAX - len)) == 0)
            return 0;
        len += step;
    }
    return *p == '\0' ? len : 0;
}

int der_oid(struct buf *b, const char *dotted, struct err *e)
{
    uint8_t content[OID_BYTES_MAX];
    size_t len = oid_encode(dotted, content);

    if (len == 0)
        return err_set(e, ERR_INPUT, "\"%.60s\" is not an object identifier", dotted);
    der_tlv(b, DER_OID, view_of(content, len));
    return 0;
}

void der_oid_known(struct buf *b, const char *dotted)
{
    uint8_t content[OID_BYTES_MAX];
    size_t len = oid_encode(dotted, content);

    assert(len != 0);
    der_tlv(b, DER_OID, view_of(content, len));
}

/* ---- reader ---- */

/* The length after the tag: shortest form, at most four bytes.  Returns how many bytes it takes, or 0. */
static size_t take_length(struct view after_tag, size_t *len)
{
    size_t count, n = 0;

    if (after_tag.len == 0)
        return 0;
    if (after_tag.p[0] < 0x80) {
        *len = after_tag.p[0];
        return 1;
    }
    count = after_tag.p[0] & 0x7f;
    if (count == 0 || count > 4 || count >= after_tag.len || after_tag.p[1] == 0)
        return 0;
    for (size_t i = 1; i <= count; i++)
        n = n << 8 | after_tag.p[i];
    if (n < 0x80)
        return 0;
    *len = n;
    return 1 + count;
}

int der_next(struct view *rest, struct der *out, struct err *e)
{
    size_t head, len = 0;
    struct view after;

    if (rest->len == 0)
        return err_set(e, ERR_PROTO, "DER: nothing where a value should be");
    if ((rest->p[0] & 0x1f) == 0x1f)
        return err_set(e, ERR_PROTO, "DER: tag 0x%02x of several bytes", rest->p[0]);
    head = take_length(view_of(rest->p + 1, rest->len - 1), &len);
    if (head == 0)
        return err_set(e, ERR_PROTO, "DER: length under tag 0x%02x is not DER", rest->p[0]);
    head++;
    if (len > rest->len - head)
        return err_set(e, ERR_PROTO, "DER: tag 0x%02x has %zu bytes, %zu are there", rest->p[0],
            len, rest->len - head);
    after = view_of(rest->p + head + len, rest->len - head - len);
    *out = (struct der){
        .tag = rest->p[0],
        .content = view_of(rest->p + head, len),
        .whole = view_of(rest->p, head + len),
    };
    *rest = after;
    return 0;
}

int der_expect(struct view *rest, uint8_t tag, const char *what, struct der *out, struct err *e)
{
    if (rest->len != 0 && rest->p[0] != tag)
        return err_set(
            e, ERR_PROTO, "%s: tag 0x%02x where 0x%02x should be", what, rest->p[0], tag);
    if (der_next(rest, out, e) != 0)
        return err_wrap(e, "%s", what);
    return 0;
}

int der_end(struct view rest, const char *what, struct err *e)
{
    if (rest.len != 0)
        return err_set(e, ERR_PROTO, "%s: %zu bytes too many at the end", what, rest.len);
    return 0;
}

bool der_peek(struct view rest, uint8_t tag)
{
    return rest.len != 0 && rest.p[0] == tag;
}

bool der_is_oid(struct der tlv, const char *dotted)
{
    uint8_t content[OID_BYTES_MAX];
    size_t len = oid_encode(dotted, content);

    return tlv.tag == DER_OID && len != 0 && view_equal(tlv.content, view_of(content, len));
}

int der_unsigned(struct der tlv, const char *what, struct view *big_endian, struct err *e)
{
    struct view v = tlv.content;

    if (tlv.tag != DER_INTEGER || v.len == 0)
        return err_set(e, ERR_PROTO, "%s: not an INTEGER", what);
    if (v.p[0] >= 0x80)
        return err_set(e, ERR_PROTO, "%s: a negative INTEGER", what);
    if (v.len > 1 && v.p[0] == 0 && v.p[1] < 0x80)
        return err_set(e, ERR_PROTO, "%s: an INTEGER with a needless zero byte", what);
    *big_endian = v.p[0] == 0 ? view_of(v.p + 1, v.len - 1) : v;
    return 0;
}

/* One subidentifier off the front; false: cut, padded, or above 64 bits. */
static bool get_arc(struct view *rest, uint64_t *arc)
{
    uint64_t n = 0;

    if (rest->len == 0 || rest->p[0] == 0x80)
        return false;
    for (size_t i = 0; i < rest->len; i++) {
        if (n > UINT64_MAX >> 7)
            return false;
        n = n << 7 | (rest->p[i] & 0x7f);
        if (rest->p[i] < 0x80) {
            *rest = view_of(rest->p + i + 1, rest->len - i - 1);
            *arc = n;
            return true;
        }
    }
    return false;
}

void der_oid_text(struct view content, struct buf *out)
{
    size_t start = out->len;
    uint64_t arc, first;

    if (content.len > OID_BYTES_MAX || !get_arc(&content, &arc)) {
        buf_add_byte(out, '?');
        return;
    }
    first = arc < 80 ? arc / 40 : 2;
    buf_printf(out, "%u.%llu", (unsigned)first, (unsigned long long)(arc - first * 40));
    while (content.len != 0) {
        if (!get_arc(&content, &arc)) {
            buf_truncate(out, start);
            buf_add_byte(out, '?');
            return;
        }
        buf_printf(out, ".%llu", (unsigned long long)arc);
    }
}
