/* see check.h: subject alternative names, SID and template of the issued certificate */
#include "certs/check_part.h"
#include "certs/csr.h"
#include "certs/der.h"
#include "certs/san.h"
#include "certs/text.h"
#include <string.h>

enum { SANS_MAX = 1 << 20, TEXT_MAX = 8 << 10, NAMES_MAX = TEMPLATE_SAN_MAX + 1 };

/* ---- subject alternative names ---- */

struct names {
    struct der name[NAMES_MAX];
    size_t count;
};

/* The elements of a GeneralNames SEQUENCE; none if `sans` is empty. */
static int read_names(struct view sans, struct names *n, struct err *e)
{
    struct der list;

    n->count = 0;
    if (sans.len == 0)
        return 0;
    if (der_expect(&sans, DER_SEQUENCE, "subjectAltName", &list, e) != 0
        || der_end(sans, "subjectAltName", e) != 0)
        return -1;
    while (list.content.len != 0) {
        if (n->count == NAMES_MAX)
            return err_set(e, ERR_PROTO, "subjectAltName: more than %d names", NAMES_MAX);
        if (der_next(&list.content, &n->name[n->count], e) != 0)
            return err_wrap(e, "subjectAltName");
        n->count++;
    }
    return 0;
}

/* The first name of `of` that `in` has not; NULL: none. */
static const struct der *missing(const struct names *of, const struct names *in)
{
    for (size_t i = 0; i < of->count; i++) {
        size_t j = 0;

        while (j < in->count && !san_same(of->name[i], in->name[j]))
            j++;
        if (j == in->count)
            return &of->name[i];
    }
    return NULL;
}

static int compare_names(const struct names *asked, const struct names *got, struct err *e)
{
    const struct der *lost = missing(asked, got), *extra = missing(got, asked);
    struct buf a = BUF_INIT(TEXT_MAX), b = BUF_INIT(TEXT_MAX);

    if (lost == NULL && extra == NULL)
        return 0;
    if (lost != NULL)
        san_text(*lost, &a);
    if (extra != NULL)
        san_text(*extra, &b);
    if (lost != NULL && extra != NULL)
        err_set(e, ERR_MISMATCH, "subjectAltName: asked for \"%.70s\", got \"%.70s\"", buf_text(&a),
            buf_text(&b));
    else if (lost != NULL)
        err_set(e, ERR_MISMATCH, "subjectAltName: asked for \"%.70s\", it is not among the %zu got",
            buf_text(&a), got->count);
    else
        err_set(e, ERR_MISMATCH, "subjectAltName: got \"%.70s\", it is not among the %zu asked for",
            buf_text(&b), asked->count);
    buf_free(&a);
    buf_free(&b);
    return -1;
}

int check_sans(const struct ask *a, struct err *e)
{
    struct buf want = BUF_INIT(SANS_MAX);
    struct names asked, got;
    int rc = -1;

    if (template_write_sans(a->t, &want, e) != 0)
        goto done;
    if (view_equal(buf_view(&want), a->leaf.san)) {
        rc = 0;
        goto done;
    }
    if (read_names(buf_view(&want), &asked, e) == 0 && read_names(a->leaf.san, &got, e) == 0)
        rc = compare_names(&asked, &got, e);
done:
    buf_free(&want);
    return rc;
}

/* ---- SID ---- */

/* The SID inside the extension value, for the message; empty if it has another form. */
static struct view sid_in(struct view ext)
{
    struct err ignored = { 0 };
    struct der names, other, oid, wrap, sid;

    if (der_expect(&ext, DER_SEQUENCE, "SID", &names, &ignored) != 0
        || der_expect(&names.content, DER_CONTEXTC | 0, "SID", &other, &ignored) != 0
        || der_expect(&other.content, DER_OID, "SID", &oid, &ignored) != 0
        || der_expect(&other.content, DER_CONTEXTC | 0, "SID", &wrap, &ignored) != 0
        || der_expect(&wrap.content, DER_OCTET_STRING, "SID", &sid, &ignored) != 0)
        return view_of(NULL, 0);
    return sid.content;
}

/* An extension nobody asked for is the SID of whoever sent the request: our own account. */
int check_sid(const struct ask *a, struct err *e)
{
    bool asked = a->t->sid != NULL && (a->t->sid_encoding & SID_EXTENSION) != 0;
    struct buf want = BUF_INIT(1024), got = BUF_INIT(TEXT_MAX);
    int rc = 0;

    if (asked)
        csr_write_sid(&want, a->t->sid);
    buf_add_view(&got, sid_in(a->leaf.sid));
    if (buf_check(&want, e) != 0 || buf_check(&got, e) != 0)
        rc = -1;
    else if (asked && a->leaf.sid.len == 0)
        rc = err_set(e, ERR_MISMATCH, "SID extension: asked for %s, got none", a->t->sid);
    else if (!asked && a->leaf.sid.len != 0)
        rc = err_set(e, ERR_MISMATCH, "SID extension: asked for none, got %.80s", buf_text(&got));
    else if (!view_equal(buf_view(&want), a->leaf.sid))
        rc = err_set(e, ERR_MISMATCH, "SID extension: asked for %.80s, got \"%.80s\"", a->t->sid,
            buf_text(&got));
    buf_free(&want);
    buf_free(&got);
    return rc;
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

    if (a->leaf.template_name.len == 0 || a->t->name == NULL)
        return 0;
    if (read_template_name(a->leaf.template_name, &got, e) != 0)
        goto done;
    if (same_text(buf_view(&got), view_text(a->t->name)))
        rc = 0;
    else
        err_set(e, ERR_MISMATCH, "template: asked for \"%.70s\", got \"%.70s\"", a->t->name,
            buf_text(&got));
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
    if (a->t->in_csr_oid == NULL || der_is_oid(oid, a->t->in_csr_oid))
        return 0;
    der_oid_text(oid.content, &got);
    err_set(
        e, ERR_MISMATCH, "template: asked for %.80s, got %.80s", a->t->in_csr_oid, buf_text(&got));
    buf_free(&got);
    return -1;
}

int check_template_id(const struct ask *a, struct err *e)
{
    return check_template_name(a, e) != 0 ? -1 : check_template_oid(a, e);
}
