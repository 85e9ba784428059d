/*
 * see ber.h
 *
 * One pass: every value is read once and written behind the ones before it; der_close then moves what is
 * inside to make room for its length, so a byte moves as often as it is nested, at most BER_DEPTH_MAX times.
 */
#include "certs/ber.h"
#include "certs/der.h"

enum { CONSTRUCTED = 0x20, JOINED = DER_OCTET_STRING | CONSTRUCTED };

struct head {
    uint8_t tag;
    bool indefinite;
    size_t len; /* of the content; 0 if indefinite */
};

/* What is empty has no address. */
static void skip(struct view *rest, size_t len)
{
    *rest = view_of(len < rest->len ? rest->p + len : NULL, rest->len - len);
}

/* The length octets of the long form (X.690 8.1.3.5): any number of them, leading zeros as well. */
static int take_long_length(struct view *rest, size_t count, size_t *len, struct err *e)
{
    size_t n = 0;

    if (count == 0x7f || count > rest->len)
        return err_set(e, ERR_PROTO, "BER: a length that is cut");
    for (size_t i = 0; i < count; i++) {
        n = n << 8 | rest->p[i];
        if (n > BER_MAX)
            return err_set(e, ERR_PROTO, "BER: a length over %d", BER_MAX);
    }
    skip(rest, count);
    *len = n;
    return 0;
}

static int take_head(struct view *rest, struct head *h, struct err *e)
{
    uint8_t first;

    if (rest->len < 2)
        return err_set(e, ERR_PROTO, "BER: cut");
    h->tag = rest->p[0];
    first = rest->p[1];
    if (h->tag == 0 || (h->tag & 0x1f) == 0x1f)
        return err_set(e, ERR_PROTO, "BER: tag 0x%02x", h->tag);
    skip(rest, 2);
    h->indefinite = first == 0x80;
    h->len = first;
    if (h->indefinite) {
        h->len = 0;
        if ((h->tag & CONSTRUCTED) == 0)
            return err_set(e, ERR_PROTO, "BER: tag 0x%02x without a length", h->tag);
    } else if (first > 0x80 && take_long_length(rest, first & 0x7f, &h->len, e) != 0) {
        return -1;
    }
    if (h->len > rest->len)
        return err_set(e, ERR_PROTO, "BER: tag 0x%02x has %zu bytes, %zu are there", h->tag, h->len,
            rest->len);
    return 0;
}

static bool at_end(const struct head *h, struct view rest)
{
    return h->indefinite ? rest.len >= 2 && rest.p[0] == 0 && rest.p[1] == 0 : rest.len == 0;
}

/* joining: inside of an OCTET STRING in pieces; the contents alone are written. */
static int convert(struct view *rest, unsigned depth, bool joining, struct buf *out, struct err *e)
{
    struct view inside;
    struct head h = { 0 };
    size_t mark = 0;

    if (depth == BER_DEPTH_MAX)
        return err_set(e, ERR_PROTO, "BER: more than %d levels", BER_DEPTH_MAX);
    if (take_head(rest, &h, e) != 0)
        return -1;
    if (joining && h.tag != DER_OCTET_STRING && h.tag != JOINED)
        return err_set(e, ERR_PROTO, "BER: tag 0x%02x as a piece of an OCTET STRING", h.tag);
    if (!joining)
        mark = der_open(out, h.tag == JOINED ? DER_OCTET_STRING : h.tag);
    inside = h.indefinite ? *rest : view_of(rest->p, h.len);
    if ((h.tag & CONSTRUCTED) == 0) {
        buf_add_view(out, inside);
        inside = view_of(NULL, 0);
    }
    while ((h.tag & CONSTRUCTED) != 0 && !at_end(&h, inside))
        if (convert(&inside, depth + 1, h.tag == JOINED, out, e) != 0)
            return -1;
    if (h.indefinite)
        skip(rest, rest->len - inside.len + 2);
    else
        skip(rest, h.len);
    if (!joining)
        der_close(out, mark);
    return 0;
}

int ber_to_der(struct view in, struct buf *out, struct err *e)
{
    size_t start = out->len;

    if (in.len > BER_MAX)
        return err_set(e, ERR_TOO_LARGE, "BER: %zu bytes, at most %d are read", in.len, BER_MAX);
    if (convert(&in, 0, false, out, e) == 0 && der_end(in, "BER", e) == 0)
        return buf_finish(out, start, e);
    if (out->len > start)
        buf_truncate(out, start);
    return -1;
}
