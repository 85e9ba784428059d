/*
 * see cms.h
 *
 * Read by hand: OpenSSL's reader decodes the key of every certificate on the way, which costs more than
 * the rest of a P-256 request, and what it thinks of a message when memory runs out cannot be told from
 * what it thinks of a broken one.
 */
#include "certs/cms.h"
#include "certs/der.h"

enum { INPUT_MAX = 1 << 20, COUNT_MAX = 32, DEPTH_MAX = 16, CONSTRUCTED = 0x20 };

#define OID_SIGNED_DATA "1.2.840.113549.1.7.2"

/* ---- BER: der_next and der_expect for lengths of any form, or none (X.690 8.1.3) ---- */

/* Go forward; what is empty has no address, so positions are told by the lengths that are left. */
static void skip(struct view *rest, size_t len)
{
    *rest = view_of(len < rest->len ? rest->p + len : NULL, rest->len - len);
}

static int take_head(struct view *rest, struct der *tlv, bool *indefinite, struct err *e)
{
    size_t head = 2, len = 0;

    if (rest->len < 2 || (rest->p[0] & 0x1f) == 0x1f)
        return err_set(e, ERR_PROTO, "BER: no tag of one byte and length");
    tlv->tag = rest->p[0];
    *indefinite = rest->p[1] == 0x80;
    if (*indefinite && (tlv->tag & CONSTRUCTED) == 0)
        return err_set(e, ERR_PROTO, "BER: tag 0x%02x without a length", tlv->tag);
    if (rest->p[1] < 0x80)
        len = rest->p[1];
    else
        head += rest->p[1] & 0x7f;
    if (head > rest->len)
        return err_set(e, ERR_PROTO, "BER: a length that is cut");
    for (size_t i = 2; i < head; i++) {
        if (len > INPUT_MAX)
            return err_set(e, ERR_PROTO, "BER: a length over %d", INPUT_MAX);
        len = len << 8 | rest->p[i];
    }
    skip(rest, head);
    if (len > rest->len)
        return err_set(
            e, ERR_PROTO, "BER: tag 0x%02x has %zu bytes, %zu are there", tlv->tag, len, rest->len);
    tlv->content = view_of(rest->p, len);
    return 0;
}

/* An indefinite length ends where the values inside do: they are skipped one by one. */
static int take_value(struct view *rest, unsigned depth, struct der *out, struct err *e)
{
    const struct view start = *rest;
    bool indefinite = false;
    struct der tlv, inner;

    if (depth == DEPTH_MAX)
        return err_set(e, ERR_PROTO, "BER: more than %d levels", DEPTH_MAX);
    if (take_head(rest, &tlv, &indefinite, e) != 0)
        return -1;
    if (!indefinite) {
        skip(rest, tlv.content.len);
    } else {
        const struct view content = *rest;

        while (rest->len != 0 && rest->p[0] != 0)
            if (take_value(rest, depth + 1, &inner, e) != 0)
                return -1;
        if (rest->len < 2 || rest->p[1] != 0)
            return err_set(e, ERR_PROTO, "BER: tag 0x%02x without its end", tlv.tag);
        tlv.content = view_of(content.p, content.len - rest->len);
        skip(rest, 2);
    }
    tlv.whole = view_of(start.p, start.len - rest->len);
    *out = tlv;
    return 0;
}

static int ber_expect(
    struct view *rest, uint8_t tag, const char *what, struct der *out, struct err *e)
{
    if (rest->len != 0 && rest->p[0] != tag)
        return err_set(
            e, ERR_PROTO, "%s: tag 0x%02x where 0x%02x should be", what, rest->p[0], tag);
    if (take_value(rest, 0, out, e) != 0)
        return err_wrap(e, "%s", what);
    return 0;
}

/* ---- SignedData ---- */

static int not_degenerate(struct err *e)
{
    return err_set(e, ERR_PROTO, "SignedData: has content or signers, expected certificates only");
}

/* ContentInfo { signedData, [0] SignedData }: what is inside the SignedData. */
static int open_signed_data(struct view in, struct view *body, struct err *e)
{
    struct der info, oid, wrap, data;

    if (ber_expect(&in, DER_SEQUENCE, "ContentInfo", &info, e) != 0
        || der_end(in, "ContentInfo", e) != 0
        || ber_expect(&info.content, DER_OID, "contentType", &oid, e) != 0)
        return -1;
    if (!der_is_oid(oid, OID_SIGNED_DATA))
        return err_set(e, ERR_PROTO, "CMS: not a SignedData");
    if (ber_expect(&info.content, DER_CONTEXTC | 0, "SignedData", &wrap, e) != 0
        || der_end(info.content, "ContentInfo", e) != 0
        || ber_expect(&wrap.content, DER_SEQUENCE, "SignedData", &data, e) != 0
        || der_end(wrap.content, "SignedData", e) != 0)
        return -1;
    *body = data.content;
    return 0;
}

/* The elements of SignedData around the certificates (RFC 5652 5.1). */
static int find_certificates(struct view body, struct view *certs, struct err *e)
{
    struct der part, content, set;

    *certs = view_of(NULL, 0);
    if (ber_expect(&body, DER_INTEGER, "SignedData version", &part, e) != 0
        || ber_expect(&body, DER_SET, "digestAlgorithms", &part, e) != 0
        || ber_expect(&body, DER_SEQUENCE, "encapContentInfo", &content, e) != 0
        || ber_expect(&content.content, DER_OID, "eContentType", &part, e) != 0)
        return -1;
    if (content.content.len != 0)
        return not_degenerate(e);
    if (der_peek(body, DER_CONTEXTC | 0)) {
        if (ber_expect(&body, DER_CONTEXTC | 0, "certificates", &set, e) != 0)
            return -1;
        *certs = set.content;
    }
    if (der_peek(body, DER_CONTEXTC | 1)
        && ber_expect(&body, DER_CONTEXTC | 1, "crls", &part, e) != 0)
        return -1; /* revocation lists: not looked at */
    if (ber_expect(&body, DER_SET, "signerInfos", &part, e) != 0
        || der_end(body, "SignedData", e) != 0)
        return -1;
    return part.content.len == 0 ? 0 : not_degenerate(e);
}

static int read_certs(struct view in, struct buf *out, size_t *count, struct err *e)
{
    struct view body, certs;
    struct der cert;
    size_t n = 0;

    if (open_signed_data(in, &body, e) != 0 || find_certificates(body, &certs, e) != 0)
        return -1;
    for (struct view rest = certs; rest.len != 0; n++) /* signed as they are, so DER */
        if (der_expect(&rest, DER_SEQUENCE, "certificate in SignedData", &cert, e) != 0)
            return -1;
    if (n == 0 || n > COUNT_MAX)
        return err_set(
            e, ERR_PROTO, "SignedData: %zu certificates, 1 to %d are accepted", n, COUNT_MAX);
    buf_add_view(out, certs);
    *count = n;
    return 0;
}

int cms_certs(struct view in, struct buf *out, size_t *count, struct err *e)
{
    size_t start = out->len, n = 0;

    if (in.len > INPUT_MAX)
        return err_set(e, ERR_PROTO, "CMS: %zu bytes, at most %d are read", in.len, INPUT_MAX);
    if (read_certs(in, out, &n, e) != 0 || buf_finish(out, start, e) != 0)
        return -1;
    *count = n;
    return 0;
}
