/* see csr_check.h: csr_check_limits */
#include "certs/check_set.h"
#include "certs/csr_check.h"
#include "certs/san.h"
#include <string.h>

enum { KU_CERT_SIGN = 1 << 5, KU_CRL_SIGN = 1 << 6, TEXT_MAX = 8 << 10 };

#define OID(bytes)     view_of((bytes), sizeof(bytes) - 1)
#define MICROSOFT(arc) OID("\x2b\x06\x01\x04\x01\x82\x37" arc)

static int refuse(const char *what, struct view oid, const char *why, struct err *e)
{
    struct buf text = BUF_INIT(512);

    der_oid_text(oid, &text);
    err_set(e, ERR_INPUT, "%s %.80s %s", what, buf_text(&text), why);
    buf_free(&text);
    return -1;
}

static bool listed(const char *const *list, size_t count, struct view oid)
{
    struct der tlv = { .tag = DER_OID, .content = oid };

    for (size_t i = 0; i < count; i++)
        if (der_is_oid(tlv, list[i]))
            return true;
    return false;
}

/* ---- extensions and attributes ---- */

/* RFC 5280 4.2.1.9, cA alone: what stands behind it is of no use without it. */
static int check_constraints(struct view value, struct err *e)
{
    struct der seq, ca;

    if (value.len == 0)
        return 0;
    if (der_expect(&value, DER_SEQUENCE, "basicConstraints", &seq, e) != 0
        || der_end(value, "basicConstraints", e) != 0)
        return -1;
    if (!der_peek(seq.content, DER_BOOLEAN))
        return der_end(seq.content, "basicConstraints", e);
    if (der_next(&seq.content, &ca, e) != 0)
        return -1;
    if (!view_equal(ca.content, view_of("\0", 1)))
        return err_set(e, ERR_INPUT, "basicConstraints: cA TRUE");
    return der_end(seq.content, "basicConstraints", e);
}

/* What makes a CA of Microsoft's issue another template, other uses or another identity. */
static bool never_allowed(struct view oid)
{
    return view_equal(oid, MICROSOFT("\x14\x02"))     /* 311.20.2, template name */
           || view_equal(oid, MICROSOFT("\x15\x07"))  /* 311.21.7, template OID */
           || view_equal(oid, MICROSOFT("\x15\x0a")); /* 311.21.10, application policies */
}

static bool same_sid(struct view got, const char *sid)
{
    return strcmp(sid, CSR_SID_VOUCHED) == 0 || view_equal(got, view_text(sid));
}

static int check_sid_extension(const struct csr *c, const char *sid, struct err *e)
{
    struct view got;

    if (sid == NULL)
        return err_set(e, ERR_INPUT, "SID extension: a SID that nobody has claimed");
    if (!check_sid_read(c->sid, &got))
        return err_set(e, ERR_INPUT, "SID extension: has another form");
    if (!same_sid(got, sid))
        return err_set(e, ERR_INPUT, "SID extension: it is not %.80s", sid);
    return 0;
}

static int check_extensions(
    const struct csr *c, const struct csr_limits *lim, const char *sid, struct err *e)
{
    for (size_t i = 0; i < c->other_count; i++) {
        struct view oid = c->other_oid[i];

        if (c->other_critical[i])
            return refuse("extension", oid, "is critical, and not one we know", e);
        if (view_equal(oid, MICROSOFT("\x19\x02"))) {
            if (check_sid_extension(c, sid, e) != 0)
                return -1;
        } else if (never_allowed(oid) || !listed(lim->extensions, lim->extension_count, oid)) {
            return refuse("extension", oid, "may not be asked for", e);
        }
    }
    return check_constraints(c->basic_constraints, e);
}

/* Among the name-value pairs a CA may find subject alternative names (EDITF_ATTRIBUTESUBJECTALTNAME2). */
static int check_attributes(const struct csr *c, const struct csr_limits *lim, struct err *e)
{
    for (size_t i = 0; i < c->attribute_count; i++) {
        struct view oid = c->attribute_oid[i];

        if (view_equal(oid, MICROSOFT("\x0d\x02\x01"))
            || !listed(lim->attributes, lim->attribute_count, oid))
            return refuse("attribute", oid, "may not be in a request", e);
    }
    return 0;
}

/* ---- uses ---- */

static int check_uses(const struct csr *c, const struct csr_limits *lim, struct err *e)
{
    struct check_list ekus;

    if (check_list_oids(c->eku, "extKeyUsage", &ekus, e) != 0)
        return -1;
    for (size_t i = 0; i < ekus.count; i++)
        if (check_use_dangerous(ekus.item[i])
            || !listed(lim->ekus, lim->eku_count, ekus.item[i].content))
            return refuse("extKeyUsage:", ekus.item[i].content, "may not be asked for", e);
    return 0;
}

static int check_key_usage(const struct csr *c, const struct csr_limits *lim, struct err *e)
{
    unsigned bits;

    if (csr_key_usage(c, &bits, e) != 0)
        return -1;
    if ((bits & (KU_CERT_SIGN | KU_CRL_SIGN)) != 0)
        return err_set(e, ERR_INPUT, "keyUsage: 0x%x, which may sign certificates or CRLs", bits);
    if ((bits & ~lim->key_usage) != 0)
        return err_set(e, ERR_INPUT, "keyUsage: 0x%x, allowed here is 0x%x", bits, lim->key_usage);
    return 0;
}

/* ---- names ---- */

static int refuse_name(struct der name, const char *why, struct err *e)
{
    struct buf text = BUF_INIT(TEXT_MAX);

    san_text(name, &text);
    err_set(e, ERR_INPUT, "subjectAltName: %.100s %s", buf_text(&text), why);
    buf_free(&text);
    return -1;
}

static int check_name(struct der name, const char *sid, struct err *e)
{
    struct view got;

    if (san_read(name, &got) == SAN_NONE)
        return refuse_name(name, "may not be asked for", e);
    if (!san_sid(name, &got))
        return 0;
    if (sid == NULL)
        return refuse_name(name, "is a SID that nobody has claimed", e);
    if (!same_sid(got, sid))
        return refuse_name(name, "is not the SID claimed", e);
    return 0;
}

static int check_names(const struct csr *c, const char *sid, struct err *e)
{
    struct check_list names;

    if (check_list_read(c->san, "subjectAltName", &names, e) != 0)
        return -1;
    for (size_t i = 0; i < names.count; i++)
        if (check_name(names.item[i], sid, e) != 0)
            return -1;
    if (names.count == 0 && view_equal(c->subject, view_of("\x30\0", 2)))
        return err_set(e, ERR_INPUT, "neither a subject nor a subject alternative name");
    return 0;
}

int csr_check_limits(
    const struct csr *c, const struct csr_limits *lim, const char *sid, struct err *e)
{
    if (check_extensions(c, lim, sid, e) != 0 || check_attributes(c, lim, e) != 0
        || check_uses(c, lim, e) != 0 || check_key_usage(c, lim, e) != 0
        || check_names(c, sid, e) != 0)
        return err_wrap(e, "request");
    return 0;
}
