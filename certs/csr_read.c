/* see csr_read.h */
#include "certs/csr_read.h"
#include "certs/cert.h"
#include "certs/name_inner.h"
#include "certs/san.h"
#include "certs/text.h"

enum { CHALLENGE_MAX = 64 << 10, EXTS_MAX = 5 + CSR_LIST_MAX };

#define OID(bytes) view_of((bytes), sizeof(bytes) - 1)

/* ---- lists of what stands once at most ---- */

static int refuse_oid(const char *what, struct view oid, const char *why, struct err *e)
{
    struct buf text = BUF_INIT(512);

    der_oid_text(oid, &text);
    err_set(e, ERR_PROTO, "%s %.80s %s", what, buf_text(&text), why);
    buf_free(&text);
    return -1;
}

static int add_once(
    const char *what, struct view oid, struct view *list, size_t *count, size_t max, struct err *e)
{
    for (size_t i = 0; i < *count; i++)
        if (view_equal(list[i], oid))
            return refuse_oid(what, oid, "stands twice", e);
    if (*count == max)
        return err_set(e, ERR_PROTO, "%s: more than %zu", what, max);
    list[(*count)++] = oid;
    return 0;
}

/* ---- extensions ---- */

/* Where the value of a known extension goes; NULL: one of the others. */
static struct view *slot(struct csr *c, struct view oid)
{
    if (oid.len != 3 || oid.p[0] != 0x55 || oid.p[1] != 0x1d)
        return NULL;
    switch (oid.p[2]) { /* 2.5.29.n */
    case 14:
        return &c->ski;
    case 15:
        return &c->key_usage;
    case 17:
        return &c->san;
    case 19:
        return &c->basic_constraints;
    case 37:
        return &c->eku;
    default:
        return NULL;
    }
}

struct ext {
    struct view oid, value;
    bool critical;
};

/* Strict DER has no FALSE where FALSE is the default, but real clients do write it. */
static int read_critical(struct view *rest, bool *critical, struct err *e)
{
    struct der flag;

    *critical = false;
    if (!der_peek(*rest, DER_BOOLEAN))
        return 0;
    if (der_next(rest, &flag, e) != 0)
        return -1;
    if (flag.content.len != 1 || (flag.content.p[0] != 0x00 && flag.content.p[0] != 0xff))
        return err_set(e, ERR_PROTO, "extension criticality: not a BOOLEAN");
    *critical = flag.content.p[0] != 0;
    return 0;
}

static int read_ext(struct view *list, struct ext *x, struct err *e)
{
    struct der seq, oid, value;

    if (der_expect(list, DER_SEQUENCE, "extension", &seq, e) != 0
        || der_expect(&seq.content, DER_OID, "extension", &oid, e) != 0
        || read_critical(&seq.content, &x->critical, e) != 0
        || der_expect(&seq.content, DER_OCTET_STRING, "extension value", &value, e) != 0
        || der_end(seq.content, "extension", e) != 0)
        return -1;
    x->oid = oid.content;
    x->value = value.content;
    if (x->value.len == 0)
        return refuse_oid("extension", x->oid, "has no value", e);
    return 0;
}

static int read_ext_list(struct view value, struct csr *c, struct err *e)
{
    struct view seen[EXTS_MAX], *known;
    size_t count = 0;
    struct der list;
    struct ext x;

    if (der_expect(&value, DER_SEQUENCE, "extension request", &list, e) != 0
        || der_end(value, "extension request", e) != 0)
        return -1;
    while (list.content.len != 0) {
        if (read_ext(&list.content, &x, e) != 0
            || add_once("extension", x.oid, seen, &count, EXTS_MAX, e) != 0)
            return -1;
        if ((known = slot(c, x.oid)) != NULL) {
            *known = x.value;
            continue;
        }
        if (c->other_count == CSR_LIST_MAX)
            return err_set(e, ERR_PROTO, "extension: more than %d unusual ones", CSR_LIST_MAX);
        if (view_equal(x.oid, OID("\x2b\x06\x01\x04\x01\x82\x37\x19\x02")))
            c->sid = x.value;
        c->other_critical[c->other_count] = x.critical;
        c->other_oid[c->other_count++] = x.oid;
    }
    return 0;
}

/* ---- what stands in the extensions ---- */

static int check_san(struct der name, struct err *e)
{
    struct view value;
    enum san_type type = san_read(name, &value);

    if ((name.tag & 0xc0) != DER_CONTEXT)
        return err_set(e, ERR_PROTO, "subjectAltName: tag 0x%02x is no name", name.tag);
    if (type == SAN_IP && value.len != 4 && value.len != 16)
        return err_set(e, ERR_PROTO, "subjectAltName: an address of %zu bytes", value.len);
    if (type == SAN_NONE || type == SAN_IP)
        return 0;
    if (value.len == 0)
        return err_set(e, ERR_PROTO, "subjectAltName: an empty name");
    if (text_has_control(value) || !utf8_valid(value))
        return err_set(e, ERR_PROTO, "subjectAltName: a name that is not plain text");
    return 0;
}

static int check_sans(struct view value, struct err *e)
{
    struct der list, name;
    size_t count = 0;

    if (value.len == 0)
        return 0;
    if (der_expect(&value, DER_SEQUENCE, "subjectAltName", &list, e) != 0
        || der_end(value, "subjectAltName", e) != 0)
        return -1;
    for (; list.content.len != 0; count++) {
        if (count == CSR_SANS_MAX)
            return err_set(e, ERR_PROTO, "subjectAltName: more than %d names", CSR_SANS_MAX);
        if (der_next(&list.content, &name, e) != 0)
            return err_wrap(e, "subjectAltName");
        if (check_san(name, e) != 0)
            return -1;
    }
    return count != 0 ? 0 : err_set(e, ERR_PROTO, "subjectAltName: no name in it");
}

static int check_ekus(struct view value, struct err *e)
{
    struct der list, oid;
    size_t count = 0;

    if (value.len == 0)
        return 0;
    if (der_expect(&value, DER_SEQUENCE, "extKeyUsage", &list, e) != 0
        || der_end(value, "extKeyUsage", e) != 0)
        return -1;
    for (; list.content.len != 0; count++) {
        if (count == CSR_EKUS_MAX)
            return err_set(e, ERR_PROTO, "extKeyUsage: more than %d", CSR_EKUS_MAX);
        if (der_expect(&list.content, DER_OID, "extKeyUsage", &oid, e) != 0)
            return -1;
    }
    return count != 0 ? 0 : err_set(e, ERR_PROTO, "extKeyUsage: no use in it");
}

/* ---- attributes ---- */

/* RFC 2985 5.4.1: a single value of any string type.  What strings are not, and what would end one early
 * somewhere further on, no honest client sends. */
static int read_challenge(struct view values, struct csr *c, struct err *e)
{
    struct der value;

    c->has_challenge = true;
    if (der_next(&values, &value, e) != 0 || der_end(values, "challengePassword", e) != 0)
        return err_wrap(e, "challengePassword");
    if (!name_value_utf8(value, &c->challenge))
        return err_set(e, ERR_PROTO, "challengePassword: tag 0x%02x, not text", value.tag);
    if (c->challenge.bad && c->challenge.why == ERR_TOO_LARGE)
        return err_set(e, ERR_PROTO, "challengePassword: more than %d bytes", CHALLENGE_MAX);
    if (buf_check(&c->challenge, e) != 0)
        return -1;
    if (c->challenge.len == 0)
        return err_set(e, ERR_PROTO, "challengePassword: empty");
    if (text_has_control(buf_view(&c->challenge)))
        return err_set(e, ERR_PROTO, "challengePassword: holds a control character");
    return 0;
}

static int read_request(struct view values, struct csr *c, struct err *e)
{
    struct der list;

    if (der_next(&values, &list, e) != 0 || der_end(values, "extension request", e) != 0)
        return err_wrap(e, "extension request");
    return read_ext_list(list.whole, c, e);
}

struct attrs {
    struct view seen[CSR_LIST_MAX + 3];
    size_t count;
    bool request;
};

/* Attribute { type OID, values SET OF ANY } */
static int read_attr(struct view *rest, struct attrs *a, struct csr *c, struct err *e)
{
    struct der seq, oid, set;

    if (der_expect(rest, DER_SEQUENCE, "attribute", &seq, e) != 0
        || der_expect(&seq.content, DER_OID, "attribute", &oid, e) != 0
        || der_expect(&seq.content, DER_SET, "attribute values", &set, e) != 0
        || der_end(seq.content, "attribute", e) != 0
        || add_once(
               "attribute", oid.content, a->seen, &a->count, sizeof a->seen / sizeof *a->seen, e)
               != 0)
        return -1;
    if (view_equal(oid.content, OID("\x2a\x86\x48\x86\xf7\x0d\x01\x09\x07")))
        return read_challenge(set.content, c, e);
    if (view_equal(oid.content, OID("\x2a\x86\x48\x86\xf7\x0d\x01\x09\x0e"))
        || view_equal(oid.content, OID("\x2b\x06\x01\x04\x01\x82\x37\x02\x01\x0e"))) {
        if (a->request)
            return err_set(e, ERR_PROTO, "two extension requests");
        a->request = true;
        return read_request(set.content, c, e);
    }
    if (c->attribute_count == CSR_LIST_MAX)
        return err_set(e, ERR_PROTO, "attribute: more than %d unusual ones", CSR_LIST_MAX);
    c->attribute_oid[c->attribute_count++] = oid.content;
    return 0;
}

/* [0] IMPLICIT SET OF, in whatever order; some clients that have none leave it out. */
static int read_attrs(struct view *info, struct csr *c, struct err *e)
{
    struct attrs a = { .count = 0 };
    struct der set;

    if (info->len == 0)
        return 0;
    if (der_expect(info, DER_CONTEXTC | 0, "attributes", &set, e) != 0)
        return -1;
    while (set.content.len != 0)
        if (read_attr(&set.content, &a, c, e) != 0)
            return -1;
    return 0;
}

/* ---- the request ---- */

static int read_info(struct view info, struct csr *c, struct err *e)
{
    struct der version, part;

    if (der_expect(&info, DER_INTEGER, "request version", &version, e) != 0)
        return -1;
    if (!view_equal(version.content, view_of("\0", 1)))
        return err_set(e, ERR_PROTO, "request version: not v1");
    if (der_expect(&info, DER_SEQUENCE, "request subject", &part, e) != 0)
        return -1;
    c->subject = part.whole;
    if (!name_equal_set(c->subject, c->subject)) /* false for everything that is not a name */
        return err_set(
            e, ERR_PROTO, "request subject: not a name of at most %d parts", NAME_RDN_MAX);
    if (der_expect(&info, DER_SEQUENCE, "request key", &part, e) != 0)
        return -1;
    c->spki = part.whole;
    if (read_attrs(&info, c, e) != 0 || der_end(info, "request info", e) != 0)
        return -1;
    return check_sans(c->san, e) != 0 ? -1 : check_ekus(c->eku, e);
}

static int parse(struct view der, struct csr *c, struct err *e)
{
    struct der request, info, algorithm, bits;

    if (der_expect(&der, DER_SEQUENCE, "request", &request, e) != 0
        || der_end(der, "request", e) != 0
        || der_expect(&request.content, DER_SEQUENCE, "request info", &info, e) != 0
        || der_expect(&request.content, DER_SEQUENCE, "request algorithm", &algorithm, e) != 0
        || der_expect(&request.content, DER_BIT_STRING, "request signature", &bits, e) != 0
        || der_end(request.content, "request", e) != 0)
        return -1;
    if (bits.content.len < 2 || bits.content.p[0] != 0)
        return err_set(e, ERR_PROTO, "request signature: not a whole number of bytes");
    c->der = request.whole;
    c->tbs = info.whole;
    c->signature_algorithm = algorithm.whole;
    c->signature = view_of(bits.content.p + 1, bits.content.len - 1);
    return read_info(info.content, c, e);
}

int csr_parse(struct view der, struct csr *c, struct err *e)
{
    struct csr parsed = { .challenge = BUF_SECRET(CHALLENGE_MAX) };

    if (parse(der, &parsed, e) != 0) {
        csr_free(&parsed);
        return -1;
    }
    *c = parsed;
    return 0;
}

void csr_free(struct csr *c)
{
    buf_free(&c->challenge);
    c->has_challenge = false;
}

int csr_key_usage(const struct csr *c, unsigned *bits, struct err *e)
{
    struct cert like = { .key_usage = c->key_usage };

    if (c->key_usage.len == 0) {
        *bits = 0;
        return 0;
    }
    return cert_key_usage(&like, bits, e);
}

/* The i-th element of a list that csr_parse has been through. */
static bool element(struct view seq, size_t i, struct der *out)
{
    struct err ignored;
    struct der list;

    if (seq.len == 0 || der_expect(&seq, DER_SEQUENCE, "list", &list, &ignored) != 0)
        return false;
    do {
        if (list.content.len == 0 || der_next(&list.content, out, &ignored) != 0)
            return false;
    } while (i-- > 0);
    return true;
}

bool csr_eku_at(const struct csr *c, size_t i, struct buf *out)
{
    struct der oid;

    if (!element(c->eku, i, &oid))
        return false;
    der_oid_text(oid.content, out);
    return true;
}

bool csr_san_at(const struct csr *c, size_t i, struct buf *out)
{
    struct der name;

    if (!element(c->san, i, &name))
        return false;
    san_text(name, out);
    return true;
}
