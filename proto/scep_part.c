/* see scep_part.h */
#include "proto/scep_part.h"
#include <assert.h>

int scep_attr_text(const struct signed_data *s, const char *oid, const char *what, bool must,
    struct view *text, struct err *e)
{
    struct der value;
    int rc = signed_attr(s, oid, &value, e);

    if (rc < 0)
        return err_wrap(e, "%s", what);
    if (rc == 0)
        return must ? err_set(e, ERR_PROTO, "SCEP: %s is missing", what) : 0;
    if (value.tag != DER_PRINTABLE && value.tag != DER_UTF8 && value.tag != DER_IA5)
        return err_set(e, ERR_PROTO, "SCEP: %s is not a text (tag 0x%02x)", what, value.tag);
    *text = value.content;
    return 0;
}

int scep_attr_octets(const struct signed_data *s, const char *oid, const char *what, bool must,
    struct view *octets, struct err *e)
{
    struct der value;
    int rc = signed_attr(s, oid, &value, e);

    if (rc < 0)
        return err_wrap(e, "%s", what);
    if (rc == 0)
        return must ? err_set(e, ERR_PROTO, "SCEP: %s is missing", what) : 0;
    if (value.tag != DER_OCTET_STRING || value.content.len > SCEP_NONCE_MAX)
        return err_set(e, ERR_PROTO, "SCEP: %s is not an OCTET STRING of at most %d bytes", what,
            SCEP_NONCE_MAX);
    *octets = value.content;
    return 0;
}

static void add(struct scep_attrs *a, const char *oid, uint8_t tag, struct view value)
{
    assert(a->count < sizeof a->row / sizeof a->row[0]);
    der_tlv(&a->der, tag, value);
    a->row[a->count].oid = oid;
    a->row[a->count++].end = a->der.len;
}

void scep_add_text(struct scep_attrs *a, const char *oid, struct view text)
{
    add(a, oid, DER_PRINTABLE, text);
}

void scep_add_octets(struct scep_attrs *a, const char *oid, struct view octets)
{
    add(a, oid, DER_OCTET_STRING, octets);
}

int scep_add_fresh_nonce(struct lib *l, struct scep_attrs *a, struct err *e)
{
    uint8_t nonce[SCEP_FRESH_NONCE];

    if (lib_random(l, nonce, sizeof nonce, e) != 0)
        return -1;
    scep_add_octets(a, SCEP_OID_SENDER_NONCE, view_of(nonce, sizeof nonce));
    return 0;
}

int scep_sign(
    struct lib *l, const struct scep_attrs *a, struct signed_out *o, struct buf *out, struct err *e)
{
    struct signed_attr_out rows[sizeof a->row / sizeof a->row[0]];
    size_t start = 0;

    if (buf_check(&a->der, e) != 0)
        return -1;
    for (size_t i = 0; i < a->count; i++) {
        rows[i] = (struct signed_attr_out){ .oid = a->row[i].oid,
            .value = view_of(a->der.p + start, a->row[i].end - start) };
        start = a->row[i].end;
    }
    o->attrs = rows;
    o->attr_count = a->count;
    return signed_write(l, o, out, e);
}
