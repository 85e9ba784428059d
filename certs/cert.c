/* see cert.h */
#include "certs/cert.h"
#include "certs/der.h"
#include "certs/name.h"
#include "certs/text.h"
#include <stddef.h>
#include <string.h>

enum { EXT_MAX = 64, SERIAL_LEN_MAX = 20, KEY_USAGE_BITS = 9 };

struct ext {
    struct view oid, value;
    bool critical;
};

/* Where the value of a known extension goes; the OID is spelled out so that finding it is a memcmp. */
struct known {
    const char *oid;
    uint8_t oid_len;
    bool may_be_critical;
    size_t slot; /* offset of a struct view in struct cert, or NO_SLOT */
};
#define NO_SLOT         SIZE_MAX
#define SLOT(member)    offsetof(struct cert, member)
#define OID(bytes)      (bytes), sizeof(bytes) - 1
#define MICROSOFT_(arc) OID("\x2b\x06\x01\x04\x01\x82\x37" arc)

static const struct known known[] = {
    { OID("\x55\x1d\x0f"), true, SLOT(key_usage) },             /* 2.5.29.15 */
    { OID("\x55\x1d\x25"), true, SLOT(eku) },                   /* 2.5.29.37 */
    { OID("\x55\x1d\x11"), true, SLOT(san) },                   /* 2.5.29.17 */
    { OID("\x55\x1d\x13"), true, SLOT(basic_constraints) },     /* 2.5.29.19 */
    { OID("\x55\x1d\x23"), true, SLOT(aki) },                   /* 2.5.29.35 */
    { OID("\x55\x1d\x0e"), true, SLOT(ski) },                   /* 2.5.29.14 */
    { OID("\x55\x1d\x1f"), true, NO_SLOT },                     /* 2.5.29.31 CDP */
    { OID("\x55\x1d\x20"), true, NO_SLOT },                     /* 2.5.29.32 policies */
    { OID("\x2b\x06\x01\x05\x05\x07\x01\x01"), true, NO_SLOT }, /* 1.3.6.1.5.5.7.1.1 AIA */
    { MICROSOFT_("\x19\x02"), false, SLOT(sid) },               /* 311.25.2 */
    { MICROSOFT_("\x14\x02"), false, SLOT(template_name) },     /* 311.20.2 */
    { MICROSOFT_("\x15\x07"), false, SLOT(template_oid) },      /* 311.21.7 */
    { MICROSOFT_("\x15\x0a"), false, SLOT(app_policies) },      /* 311.21.10 */
};

static const struct known *find_known(struct view oid)
{
    for (size_t i = 0; i < sizeof known / sizeof *known; i++)
        if (view_equal(oid, view_of(known[i].oid, known[i].oid_len)))
            return &known[i];
    return NULL;
}

/* Strict DER has no FALSE where FALSE is the default, but real certificates do write it. */
static int read_bool(struct der tlv, const char *what, bool *value, struct err *e)
{
    if (tlv.content.len != 1 || (tlv.content.p[0] != 0x00 && tlv.content.p[0] != 0xff))
        return err_set(e, ERR_PROTO, "%s: not a BOOLEAN", what);
    *value = tlv.content.p[0] != 0;
    return 0;
}

static int read_ext(struct view *list, struct ext *x, struct err *e)
{
    struct der seq, part;

    *x = (struct ext){ 0 };
    if (der_expect(list, DER_SEQUENCE, "extension", &seq, e) != 0
        || der_expect(&seq.content, DER_OID, "extension", &part, e) != 0)
        return -1;
    x->oid = part.content;
    if (der_peek(seq.content, DER_BOOLEAN)
        && (der_next(&seq.content, &part, e) != 0
            || read_bool(part, "extension criticality", &x->critical, e) != 0))
        return -1;
    if (der_expect(&seq.content, DER_OCTET_STRING, "extension value", &part, e) != 0
        || der_end(seq.content, "extension", e) != 0)
        return -1;
    if (part.content.len == 0)
        return err_set(e, ERR_PROTO, "extension without a value");
    x->value = part.content;
    return 0;
}

static int duplicate(struct view oid, struct err *e)
{
    struct buf text = BUF_INIT(256);

    der_oid_text(oid, &text);
    err_set(e, ERR_PROTO, "extension %s stands twice", buf_text(&text));
    buf_free(&text);
    return -1;
}

static int read_ext_list(struct view list, struct cert *c, struct err *e)
{
    struct view seen[EXT_MAX];
    size_t count = 0;
    struct ext x;

    while (list.len != 0) {
        const struct known *k;

        if (count == EXT_MAX)
            return err_set(e, ERR_PROTO, "more than %d extensions", EXT_MAX);
        if (read_ext(&list, &x, e) != 0)
            return -1;
        for (size_t i = 0; i < count; i++)
            if (view_equal(seen[i], x.oid))
                return duplicate(x.oid, e);
        seen[count++] = x.oid;
        k = find_known(x.oid);
        if (k != NULL && k->slot != NO_SLOT)
            *(struct view *)(void *)((char *)c + k->slot) = x.value;
        if (x.critical && (k == NULL || !k->may_be_critical) && !c->unknown_critical) {
            c->unknown_critical = true;
            c->unknown_critical_oid = x.oid;
        }
    }
    if (count == 0)
        return err_set(e, ERR_PROTO, "an empty list of extensions");
    return 0;
}

static int read_basic_constraints(struct cert *c, struct err *e)
{
    struct view rest = c->basic_constraints;
    struct der seq, part;
    struct view path_len;

    if (rest.len == 0)
        return 0;
    if (der_expect(&rest, DER_SEQUENCE, "basicConstraints", &seq, e) != 0
        || der_end(rest, "basicConstraints", e) != 0)
        return -1;
    if (der_peek(seq.content, DER_BOOLEAN)
        && (der_next(&seq.content, &part, e) != 0
            || read_bool(part, "basicConstraints cA", &c->ca, e) != 0))
        return -1;
    if (der_peek(seq.content, DER_INTEGER)
        && (der_next(&seq.content, &part, e) != 0
            || der_unsigned(part, "basicConstraints pathLen", &path_len, e) != 0))
        return -1;
    return der_end(seq.content, "basicConstraints", e);
}

/* Replace the extension values of SKI and AKI by the key identifiers in them. */
static int read_key_ids(struct cert *c, struct err *e)
{
    struct view rest = c->ski;
    struct der seq, part;

    if (rest.len != 0) {
        if (der_expect(&rest, DER_OCTET_STRING, "subjectKeyIdentifier", &part, e) != 0
            || der_end(rest, "subjectKeyIdentifier", e) != 0)
            return -1;
        c->ski = part.content;
    }
    rest = c->aki;
    if (rest.len != 0) {
        if (der_expect(&rest, DER_SEQUENCE, "authorityKeyIdentifier", &seq, e) != 0
            || der_end(rest, "authorityKeyIdentifier", e) != 0)
            return -1;
        c->aki = view_of(NULL, 0);
        if (der_peek(seq.content, DER_CONTEXT | 0)) {
            if (der_next(&seq.content, &part, e) != 0)
                return -1;
            c->aki = part.content;
        }
    }
    return 0;
}

static int read_extensions(struct view *tbs, unsigned version, struct cert *c, struct err *e)
{
    struct der wrap, list;

    if (tbs->len == 0)
        return 0;
    if (version != 3)
        return err_set(e, ERR_PROTO, "extensions in a certificate of version %u", version);
    if (der_expect(tbs, DER_CONTEXTC | 3, "extensions", &wrap, e) != 0
        || der_expect(&wrap.content, DER_SEQUENCE, "extensions", &list, e) != 0
        || der_end(wrap.content, "extensions", e) != 0)
        return -1;
    if (read_ext_list(list.content, c, e) != 0 || read_basic_constraints(c, e) != 0)
        return -1;
    return read_key_ids(c, e);
}

static int read_version(struct view *tbs, unsigned *version, struct err *e)
{
    struct der wrap, number;

    *version = 1;
    if (!der_peek(*tbs, DER_CONTEXTC | 0))
        return 0;
    if (der_next(tbs, &wrap, e) != 0
        || der_expect(&wrap.content, DER_INTEGER, "version", &number, e) != 0
        || der_end(wrap.content, "version", e) != 0)
        return -1;
    if (number.content.len != 1 || number.content.p[0] < 1 || number.content.p[0] > 2)
        return err_set(e, ERR_PROTO, "a certificate version that is neither 2 nor 3");
    *version = number.content.p[0] + 1u;
    return 0;
}

/*
 * RFC 5280 4.1.2.2 asks for gentle handling of zero and negative serial numbers.  A negative one is a
 * positive one without its leading zero byte, and everybody shows it so.
 */
static int read_serial(struct view *tbs, struct view *serial, struct err *e)
{
    struct der number;
    struct view v;

    if (der_expect(tbs, DER_INTEGER, "serial number", &number, e) != 0)
        return -1;
    v = number.content;
    if (v.len == 0)
        return err_set(e, ERR_PROTO, "serial number: empty INTEGER");
    if (v.len > 1 && v.p[0] == 0 && v.p[1] < 0x80)
        return err_set(e, ERR_PROTO, "serial number: needless zero byte");
    if (v.p[0] == 0)
        v = view_of(v.p + 1, v.len - 1);
    if (v.len > SERIAL_LEN_MAX)
        return err_set(e, ERR_PROTO, "serial number of %zu bytes, at most %d are allowed", v.len,
            SERIAL_LEN_MAX);
    *serial = v;
    return 0;
}

static int read_validity(struct view *tbs, struct cert *c, struct err *e)
{
    struct der seq, from, to;

    if (der_expect(tbs, DER_SEQUENCE, "validity", &seq, e) != 0
        || der_next(&seq.content, &from, e) != 0 || der_next(&seq.content, &to, e) != 0
        || der_end(seq.content, "validity", e) != 0)
        return -1;
    if (der_time(from, &c->not_before_at, e) != 0)
        return err_wrap(e, "notBefore");
    if (der_time(to, &c->not_after_at, e) != 0)
        return err_wrap(e, "notAfter");
    return 0;
}

static int read_tbs(struct view tbs, struct cert *c, struct view *algorithm, struct err *e)
{
    unsigned version;
    struct der part;

    if (read_version(&tbs, &version, e) != 0 || read_serial(&tbs, &c->serial, e) != 0)
        return -1;
    if (der_expect(&tbs, DER_SEQUENCE, "signature algorithm", &part, e) != 0)
        return -1;
    *algorithm = part.whole;
    if (der_expect(&tbs, DER_SEQUENCE, "issuer", &part, e) != 0)
        return -1;
    c->issuer = part.whole;
    if (read_validity(&tbs, c, e) != 0 || der_expect(&tbs, DER_SEQUENCE, "subject", &part, e) != 0)
        return -1;
    c->subject = part.whole;
    if (der_expect(&tbs, DER_SEQUENCE, "public key", &part, e) != 0)
        return -1;
    c->spki = part.whole;
    for (uint8_t id = 1; id <= 2; id++) /* issuerUniqueID, subjectUniqueID: nobody uses them */
        if (version > 1 && der_peek(tbs, DER_CONTEXT | id) && der_next(&tbs, &part, e) != 0)
            return -1;
    if (read_extensions(&tbs, version, c, e) != 0)
        return -1;
    return der_end(tbs, "certificate body", e);
}

static int parse(struct view der, struct cert *c, struct err *e)
{
    struct der whole, tbs, algorithm, bits;
    struct view inner;

    if (der_expect(&der, DER_SEQUENCE, "certificate", &whole, e) != 0
        || der_end(der, "certificate", e) != 0
        || der_expect(&whole.content, DER_SEQUENCE, "certificate body", &tbs, e) != 0
        || der_expect(&whole.content, DER_SEQUENCE, "signature algorithm", &algorithm, e) != 0
        || der_expect(&whole.content, DER_BIT_STRING, "signature", &bits, e) != 0
        || der_end(whole.content, "certificate", e) != 0)
        return -1;
    if (bits.content.len < 2 || bits.content.p[0] != 0)
        return err_set(e, ERR_PROTO, "signature: not a whole number of bytes");
    c->der = whole.whole;
    c->tbs = tbs.whole;
    c->signature_algorithm = algorithm.whole;
    c->signature = view_of(bits.content.p + 1, bits.content.len - 1);
    if (read_tbs(tbs.content, c, &inner, e) != 0)
        return -1;
    /* RFC 5280 4.1.1.2: MUST contain the same algorithm identifier as the signature field in the
     * sequence tbsCertificate */
    if (!view_equal(inner, algorithm.whole))
        return err_set(e, ERR_PROTO, "two different signature algorithms");
    return 0;
}

int cert_parse(struct view der, struct cert *c, struct err *e)
{
    struct cert parsed = { 0 };

    if (parse(der, &parsed, e) != 0)
        return -1;
    *c = parsed;
    return 0;
}

int cert_key_usage(const struct cert *c, unsigned *bits, struct err *e)
{
    struct view rest = c->key_usage;
    struct der tlv;
    unsigned value = 0;

    if (der_expect(&rest, DER_BIT_STRING, "keyUsage", &tlv, e) != 0
        || der_end(rest, "keyUsage", e) != 0)
        return -1;
    if (tlv.content.len < 1 || tlv.content.len > 3 || tlv.content.p[0] > 7)
        return err_set(
            e, ERR_PROTO, "keyUsage: not a bit string of at most %d bits", KEY_USAGE_BITS);
    for (size_t i = 0; i < 8 * (tlv.content.len - 1); i++)
        if ((tlv.content.p[1 + i / 8] & 0x80 >> i % 8) != 0)
            value |= 1u << i;
    *bits = value;
    return 0;
}

bool cert_self_issued(const struct cert *c)
{
    return view_equal(c->issuer, c->subject) || name_equal(c->issuer, c->subject);
}

void cert_serial_hex(const struct cert *c, struct buf *out)
{
    struct view v = c->serial;
    struct buf hex = BUF_INIT(2 * SERIAL_LEN_MAX);

    hex_add(&hex, v);
    if (hex.bad)
        buf_spoil(out, hex.why);
    else if (hex.len == 0)
        buf_add_byte(out, '0');
    else
        buf_add(out, hex.p + (hex.p[0] == '0'), hex.len - (hex.p[0] == '0'));
    buf_free(&hex);
}

int cert_thumbprint(struct lib *l, struct view der, struct buf *out, struct err *e)
{
    uint8_t digest[20];
    size_t start = out->len;

    if (lib_sha1(l, der, digest, e) != 0)
        return -1;
    hex_add(out, view_of(digest, sizeof digest));
    return buf_finish(out, start, e);
}
