/* see cms_cert.h */
#include "certs/cms_cert.h"
#include "certs/name.h"

enum { EXT_MAX = 64 };

/* One Extension off the front: its OID and what is in its OCTET STRING. */
static int take_extension(struct view *list, struct der *oid, struct view *value, struct err *e)
{
    struct der seq, part;

    if (der_expect(list, DER_SEQUENCE, "extension", &seq, e) != 0
        || der_expect(&seq.content, DER_OID, "extension", oid, e) != 0
        || (der_peek(seq.content, DER_BOOLEAN) && der_next(&seq.content, &part, e) != 0)
        || der_expect(&seq.content, DER_OCTET_STRING, "extension value", &part, e) != 0)
        return -1;
    *value = part.content;
    return der_end(seq.content, "extension", e);
}

/* A second one of the same kind might be the one that counts for somebody else. */
static int set_once(struct view *slot, struct view value, const char *what, struct err *e)
{
    if (slot->len != 0)
        return err_set(e, ERR_PROTO, "extension %s stands twice", what);
    if (value.len == 0)
        return err_set(e, ERR_PROTO, "extension %s without a value", what);
    *slot = value;
    return 0;
}

static int set_key_id(struct cms_cert *c, struct view value, struct err *e)
{
    struct der id;

    if (der_expect(&value, DER_OCTET_STRING, "subjectKeyIdentifier", &id, e) != 0
        || der_end(value, "subjectKeyIdentifier", e) != 0)
        return -1;
    return set_once(&c->ski, id.content, "subjectKeyIdentifier", e);
}

static int read_extensions(struct view list, struct cms_cert *c, struct err *e)
{
    struct view value;
    struct der oid;

    for (size_t count = 0; list.len != 0; count++) {
        if (count == EXT_MAX)
            return err_set(e, ERR_PROTO, "more than %d extensions", EXT_MAX);
        if (take_extension(&list, &oid, &value, e) != 0)
            return -1;
        if (view_equal(oid.content, view_of("\x55\x1d\x0f", 3))) { /* 2.5.29.15 */
            if (set_once(&c->key_usage, value, "keyUsage", e) != 0)
                return -1;
        } else if (view_equal(oid.content, view_of("\x55\x1d\x0e", 3))) { /* 2.5.29.14 */
            if (set_key_id(c, value, e) != 0)
                return -1;
        }
    }
    return 0;
}

/* TBSCertificate (RFC 5280 4.1): from the version to the extensions. */
static int read_body(struct view tbs, struct cms_cert *c, struct err *e)
{
    struct der part, list;

    if (der_peek(tbs, DER_CONTEXTC | 0) && der_next(&tbs, &part, e) != 0)
        return -1;
    if (der_expect(&tbs, DER_INTEGER, "serial number", &c->serial, e) != 0
        || der_expect(&tbs, DER_SEQUENCE, "signature algorithm", &part, e) != 0
        || der_expect(&tbs, DER_SEQUENCE, "issuer", &part, e) != 0)
        return -1;
    if (c->serial.content.len == 0)
        return err_set(e, ERR_PROTO, "serial number: empty INTEGER");
    c->issuer = part.whole;
    if (der_expect(&tbs, DER_SEQUENCE, "validity", &part, e) != 0
        || der_expect(&tbs, DER_SEQUENCE, "subject", &part, e) != 0
        || der_expect(&tbs, DER_SEQUENCE, "public key", &part, e) != 0)
        return -1;
    c->spki = part.whole;
    for (uint8_t id = 1; id <= 2; id++) /* issuerUniqueID, subjectUniqueID */
        if (der_peek(tbs, DER_CONTEXT | id) && der_next(&tbs, &part, e) != 0)
            return -1;
    if (tbs.len == 0)
        return 0;
    if (der_expect(&tbs, DER_CONTEXTC | 3, "extensions", &part, e) != 0
        || der_end(tbs, "certificate body", e) != 0
        || der_expect(&part.content, DER_SEQUENCE, "extensions", &list, e) != 0
        || der_end(part.content, "extensions", e) != 0)
        return -1;
    return read_extensions(list.content, c, e);
}

int cms_cert_read(struct view der, struct cms_cert *c, struct err *e)
{
    struct cms_cert read = { 0 };
    struct der whole, tbs, part;

    if (der_expect(&der, DER_SEQUENCE, "certificate", &whole, e) != 0
        || der_end(der, "certificate", e) != 0
        || der_expect(&whole.content, DER_SEQUENCE, "certificate body", &tbs, e) != 0
        || der_expect(&whole.content, DER_SEQUENCE, "signature algorithm", &part, e) != 0
        || der_expect(&whole.content, DER_BIT_STRING, "signature", &part, e) != 0
        || der_end(whole.content, "certificate", e) != 0 || read_body(tbs.content, &read, e) != 0)
        return -1;
    *c = read;
    return 0;
}

bool cms_cert_is(
    const struct cms_cert *c, struct view issuer, struct view serial, struct view key_id)
{
    if (key_id.len != 0)
        return view_equal(c->ski, key_id);
    return serial.len != 0 && view_equal(c->serial.content, serial)
           && (view_equal(c->issuer, issuer) || name_equal(c->issuer, issuer));
}
