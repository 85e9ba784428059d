/* see check.h: subject alternative names, SID and template of the issued certificate */
#include "certs/check_part.h"
#include "certs/check_set.h"
#include "certs/der.h"
#include "certs/san.h"

enum { TEXT_MAX = 8 << 10 };

int check_sans(const struct ask *a, struct err *e)
{
    static const struct check_words words = { .want = "asked for", .got = "got" };

    return check_same_sans(a->want->sans, a->leaf.san, san_same, &words, e);
}

/* ---- SID ---- */

/* An extension nobody asked for is the SID of whoever sent the request: our own account. */
int check_sid(const struct ask *a, struct err *e)
{
    struct buf asked = BUF_INIT(TEXT_MAX), got = BUF_INIT(TEXT_MAX);
    struct view sid;

    if (view_equal(a->want->sid, a->leaf.sid))
        return 0;
    if (check_sid_read(a->want->sid, &sid))
        buf_add_view(&asked, sid);
    if (check_sid_read(a->leaf.sid, &sid))
        buf_add_view(&got, sid);
    if (buf_check(&asked, e) == 0 && buf_check(&got, e) == 0) {
        if (a->leaf.sid.len == 0)
            err_set(e, ERR_MISMATCH, "SID extension: asked for %.80s, got none", buf_text(&asked));
        else if (a->want->sid.len == 0)
            err_set(e, ERR_MISMATCH, "SID extension: asked for none, got %.80s", buf_text(&got));
        else
            err_set(e, ERR_MISMATCH, "SID extension: asked for %.80s, got \"%.80s\"",
                buf_text(&asked), buf_text(&got));
    }
    buf_free(&asked);
    buf_free(&got);
    return -1;
}

/* ---- template ---- */

static void add_bmp(struct view bmp, struct buf *out)
{
    for (size_t i = 0; i + 1 < bmp.len; i += 2) {
        unsigned c = (unsigned)bmp.p[i] << 8 | bmp.p[i + 1];

        if (c == 0)
            buf_add_byte(out, '?');
        else if (c < 0x80)
            buf_add_byte(out, (uint8_t)c);
        else if (c < 0x800)
            buf_add(out, (uint8_t[]){ (uint8_t)(0xc0 | c >> 6), (uint8_t)(0x80 | (c & 0x3f)) }, 2);
        else
            buf_add(out,
                (uint8_t[]){ (uint8_t)(0xe0 | c >> 12), (uint8_t)(0x80 | (c >> 6 & 0x3f)),
                    (uint8_t)(0x80 | (c & 0x3f)) },
                3);
    }
}

/* A BMPString in practice; the specification's prose says SEQUENCE { UTF8String }. */
static int read_template_name(struct view ext, struct buf *out, struct err *e)
{
    struct der tlv;

    if (der_next(&ext, &tlv, e) != 0 || der_end(ext, "template name", e) != 0)
        return -1;
    if (tlv.tag == DER_SEQUENCE) {
        ext = tlv.content;
        if (der_next(&ext, &tlv, e) != 0 || der_end(ext, "template name", e) != 0)
            return -1;
    }
    if (tlv.tag == DER_BMP && tlv.content.len % 2 == 0)
        add_bmp(tlv.content, out);
    else if (tlv.tag == DER_UTF8 || tlv.tag == DER_PRINTABLE)
        buf_add_view(out, tlv.content);
    else
        return err_set(e, ERR_PROTO, "template name: tag 0x%02x is not a string", tlv.tag);
    return buf_check(out, e);
}

/* Directory names are compared without regard to case; a NUL inside makes them differ. */
static bool same_text(struct view a, struct view b)
{
    if (a.len != b.len)
        return false;
    for (size_t i = 0; i < a.len; i++) {
        uint8_t x = a.p[i], y = b.p[i];

        x = x >= 'A' && x <= 'Z' ? (uint8_t)(x + 0x20) : x;
        y = y >= 'A' && y <= 'Z' ? (uint8_t)(y + 0x20) : y;
        if (x != y)
            return false;
    }
    return true;
}

static int check_template_name(const struct ask *a, struct err *e)
{
    struct buf got = BUF_INIT(TEXT_MAX);
    int rc = -1;

    if (a->leaf.template_name.len == 0 || a->want->template_name == NULL)
        return 0;
    if (read_template_name(a->leaf.template_name, &got, e) != 0)
        goto done;
    if (same_text(buf_view(&got), view_text(a->want->template_name)))
        rc = 0;
    else
        err_set(e, ERR_MISMATCH, "template: asked for \"%.70s\", got \"%.70s\"",
            a->want->template_name, buf_text(&got));
done:
    buf_free(&got);
    return rc;
}

/* Only a template whose OID is known can be compared; its version may have moved on. */
static int check_template_oid(const struct ask *a, struct err *e)
{
    struct view ext = a->leaf.template_oid;
    struct buf got = BUF_INIT(256);
    struct der seq, oid;

    if (ext.len == 0)
        return 0;
    if (der_expect(&ext, DER_SEQUENCE, "template OID", &seq, e) != 0
        || der_end(ext, "template OID", e) != 0
        || der_expect(&seq.content, DER_OID, "template OID", &oid, e) != 0)
        return -1;
    if (a->want->template_oid == NULL || der_is_oid(oid, a->want->template_oid))
        return 0;
    der_oid_text(oid.content, &got);
    err_set(e, ERR_MISMATCH, "template: asked for %.80s, got %.80s", a->want->template_oid,
        buf_text(&got));
    buf_free(&got);
    return -1;
}

int check_template_id(const struct ask *a, struct err *e)
{
    return check_template_name(a, e) != 0 ? -1 : check_template_oid(a, e);
}
