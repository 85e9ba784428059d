/* see cms_content.h */
#include "certs/cms_content.h"
#include "certs/der.h"

#define OID_SIGNED_DATA    "1.2.840.113549.1.7.2"
#define OID_ENVELOPED_DATA "1.2.840.113549.1.7.3"
#define OID_AUTH_ENVELOPED "1.2.840.113549.1.9.16.1.23"

enum { CONSTRUCTED = 0x20, HIGH_TAG = 0x1f };

/* ---- BER, as leniently as it allows -------------------------------------------------------------------------- */

struct value {
    uint8_t tag; /* its first byte */
    bool indefinite;
    struct view inside; /* indefinite: with all that follows, until take() knows its end */
};

static void skip(struct view *rest, size_t len)
{
    *rest = view_of(len < rest->len ? rest->p + len : NULL, rest->len - len);
}

static bool take_byte(struct view *rest, uint8_t *out)
{
    if (rest->len == 0)
        return false;
    *out = rest->p[0];
    skip(rest, 1);
    return true;
}

static bool take_length(struct view *rest, struct value *v, size_t *len)
{
    uint8_t first, next;

    if (!take_byte(rest, &first))
        return false;
    v->indefinite = first == 0x80;
    *len = first < 0x80 ? first : 0;
    for (unsigned i = 0; first > 0x80 && i < (first & 0x7fU); i++) {
        if (*len > SIZE_MAX >> 8 || !take_byte(rest, &next))
            return false;
        *len = *len << 8 | next;
    }
    return !v->indefinite || (v->tag & CONSTRUCTED) != 0;
}

static bool take_head(struct view *rest, struct value *v)
{
    uint8_t more = 0x80;
    size_t len;

    if (!take_byte(rest, &v->tag))
        return false;
    while ((v->tag & HIGH_TAG) == HIGH_TAG && (more & 0x80) != 0)
        if (!take_byte(rest, &more))
            return false;
    if (!take_length(rest, v, &len) || len > rest->len)
        return false;
    v->inside = v->indefinite ? *rest : view_of(rest->p, len);
    return true;
}

/* One value off the front. */
static bool take(struct view *rest, struct value *v)
{
    struct value one;
    size_t open = 1; /* values of unknown length that have not ended yet */

    if (!take_head(rest, v))
        return false;
    if (!v->indefinite) {
        skip(rest, v->inside.len);
        return true;
    }
    while (open > 0) {
        if (!take_head(rest, &one))
            return false;
        if (one.indefinite)
            open++;
        else if (one.tag == 0)
            open--;
        else
            skip(rest, one.inside.len);
    }
    v->inside.len -= rest->len; /* ends of content have no octets: they may stay */
    return true;
}

static bool enter(struct view *rest, uint8_t tag)
{
    struct value v;

    if (!take(rest, &v) || v.tag != tag)
        return false;
    *rest = v.inside;
    return true;
}

/* The octets of a value, whether it came in one piece or in many. */
static bool add_octets(struct value v, size_t most, struct buf *out)
{
    struct view in = v.inside;
    size_t start = out->len;

    if ((v.tag & CONSTRUCTED) == 0)
        buf_add(out, in.p, in.len < most ? in.len : most);
    while ((v.tag & CONSTRUCTED) != 0 && in.len > 0 && out->len - start < most) {
        struct value piece;
        size_t left = most - (out->len - start);

        if (!take_head(&in, &piece))
            return false;
        if ((piece.tag & CONSTRUCTED) != 0)
            continue; /* what is in it comes next */
        buf_add(out, piece.inside.p, piece.inside.len < left ? piece.inside.len : left);
        skip(&in, piece.inside.len);
    }
    return out->len > start && !out->bad;
}

/* ---- the way there -------------------------------------------------------------------------------------------- */

/* SignedData { version, digestAlgorithms, { eContentType, [0] { eContent } } ... */
static bool find_signed(struct view in, struct value *out)
{
    struct value v;

    return take(&in, &v) && take(&in, &v) && enter(&in, DER_SEQUENCE) && take(&in, &v)
           && enter(&in, DER_CONTEXTC | 0) && take(&in, out);
}

/* EnvelopedData { version, [0] originatorInfo OPTIONAL, recipientInfos, { type, algorithm, [0] encryptedContent } ... */
static bool find_encrypted(struct view in, struct value *out)
{
    struct value v;

    return take(&in, &v) && take(&in, &v) && (v.tag != (DER_CONTEXTC | 0) || take(&in, &v))
           && enter(&in, DER_SEQUENCE) && take(&in, &v) && take(&in, &v) && take(&in, out)
           && (out->tag & ~CONSTRUCTED) == (DER_CONTEXT | 0);
}

bool cms_content(struct view in, struct buf *out)
{
    size_t start = out->len, most = SIZE_MAX;
    struct value type, content;
    struct der oid;
    bool found;

    if (!enter(&in, DER_SEQUENCE) || !take(&in, &type))
        return false;
    oid = (struct der){ .tag = type.tag, .content = type.inside };
    if (!enter(&in, DER_CONTEXTC | 0) || !enter(&in, DER_SEQUENCE))
        return false;
    if (der_is_oid(oid, OID_SIGNED_DATA)) {
        found = find_signed(in, &content);
    } else {
        most = CMS_CONTENT_FRONT;
        found = (der_is_oid(oid, OID_ENVELOPED_DATA) || der_is_oid(oid, OID_AUTH_ENVELOPED))
                && find_encrypted(in, &content);
    }
    if (found && add_octets(content, most, out))
        return true;
    if (out->len > start)
        buf_truncate(out, start);
    return false;
}
