/* see signed.h; writing: signed_write.c */
#include "certs/signed.h"
#include "certs/algorithm.h"
#include "certs/cms_cert.h"
#include "certs/mem.h"

#define OID_SIGNED_DATA    "1.2.840.113549.1.7.2"
#define OID_DATA           "1.2.840.113549.1.7.1"
#define OID_CONTENT_TYPE   "1.2.840.113549.1.9.3"
#define OID_MESSAGE_DIGEST "1.2.840.113549.1.9.4"

enum { MESSAGE_MAX = 1 << 20, DIGEST_ALGORITHMS_MAX = 16 };

/* ---- the message ---- */

/* Versions follow from what else is there (RFC 5652 5.1), and clients get them wrong: any small number will do. */
static int skip_version(struct view *rest, const char *what, struct err *e)
{
    struct der version;

    if (der_expect(rest, DER_INTEGER, what, &version, e) != 0)
        return -1;
    if (version.content.len != 1)
        return err_set(e, ERR_PROTO, "%s: not a version", what);
    return 0;
}

/* ContentInfo { signedData, [0] SignedData }: what is inside the SignedData. */
static int open_signed_data(struct view in, struct view *body, struct err *e)
{
    struct der info, oid, wrap, data;

    if (der_expect(&in, DER_SEQUENCE, "ContentInfo", &info, e) != 0
        || der_end(in, "ContentInfo", e) != 0
        || der_expect(&info.content, DER_OID, "contentType", &oid, e) != 0)
        return -1;
    if (!der_is_oid(oid, OID_SIGNED_DATA))
        return err_set(e, ERR_PROTO, "CMS: not a SignedData");
    if (der_expect(&info.content, DER_CONTEXTC | 0, "SignedData", &wrap, e) != 0
        || der_end(info.content, "ContentInfo", e) != 0
        || der_expect(&wrap.content, DER_SEQUENCE, "SignedData", &data, e) != 0
        || der_end(wrap.content, "SignedData", e) != 0)
        return -1;
    *body = data.content;
    return 0;
}

/* EncapsulatedContentInfo { id-data, [0] { OCTET STRING } OPTIONAL } */
static int read_content(struct view *body, struct signed_data *s, struct err *e)
{
    struct der info, oid, wrap, octets;

    if (der_expect(body, DER_SEQUENCE, "encapContentInfo", &info, e) != 0
        || der_expect(&info.content, DER_OID, "eContentType", &oid, e) != 0)
        return -1;
    if (!der_is_oid(oid, OID_DATA))
        return err_set(e, ERR_PROTO, "SignedData: content that is not id-data");
    if (info.content.len == 0)
        return 0;
    if (der_expect(&info.content, DER_CONTEXTC | 0, "eContent", &wrap, e) != 0
        || der_end(info.content, "encapContentInfo", e) != 0
        || der_expect(&wrap.content, DER_OCTET_STRING, "eContent", &octets, e) != 0
        || der_end(wrap.content, "eContent", e) != 0)
        return -1;
    s->has_content = true;
    s->content = octets.content;
    return 0;
}

/* CertificateSet: certificates alone, no attribute certificates or other forms (RFC 5652 10.2.2). */
static int read_certs(struct view *body, struct signed_data *s, struct err *e)
{
    struct der part;
    size_t count = 0;

    if (der_peek(*body, DER_CONTEXTC | 0)) {
        if (der_next(body, &part, e) != 0)
            return -1;
        s->certs = part.content;
    }
    for (struct view rest = s->certs; rest.len != 0; count++)
        if (der_expect(&rest, DER_SEQUENCE, "certificate in SignedData", &part, e) != 0)
            return -1;
    if (count > SIGNED_CERTS_MAX)
        return err_set(e, ERR_PROTO, "SignedData: %zu certificates, at most %d are read", count,
            SIGNED_CERTS_MAX);
    if (der_peek(*body, DER_CONTEXTC | 1)) /* revocation lists: not looked at */
        return der_next(body, &part, e);
    return 0;
}

/* ---- the signer ---- */

/* SignerIdentifier: IssuerAndSerialNumber, or [0] SubjectKeyIdentifier. */
static int read_signer_id(struct view *info, struct signed_data *s, struct err *e)
{
    struct der id, name, serial;

    if (der_peek(*info, DER_CONTEXT | 0)) {
        if (der_next(info, &id, e) != 0)
            return -1;
        s->key_id = id.content;
        return id.content.len != 0 ? 0 : err_set(e, ERR_PROTO, "SignerInfo: an empty key id");
    }
    if (der_expect(info, DER_SEQUENCE, "SignerIdentifier", &id, e) != 0
        || der_expect(&id.content, DER_SEQUENCE, "signer's issuer", &name, e) != 0
        || der_expect(&id.content, DER_INTEGER, "signer's serial number", &serial, e) != 0
        || der_end(id.content, "SignerIdentifier", e) != 0)
        return -1;
    if (serial.content.len == 0)
        return err_set(e, ERR_PROTO, "signer's serial number: empty INTEGER");
    s->issuer = name.whole;
    s->serial = serial.content;
    return 0;
}

/* Attribute { OID, SET of values } off the front. */
static int take_attr(struct view *list, struct der *oid, struct view *values, struct err *e)
{
    struct der seq, set;

    if (der_expect(list, DER_SEQUENCE, "attribute", &seq, e) != 0
        || der_expect(&seq.content, DER_OID, "attribute", oid, e) != 0
        || der_expect(&seq.content, DER_SET, "attribute values", &set, e) != 0
        || der_end(seq.content, "attribute", e) != 0)
        return -1;
    *values = set.content;
    return 0;
}

static int read_attrs(struct view *info, struct signed_data *s, struct err *e)
{
    struct view rest, values;
    struct der part, oid;
    size_t count = 0;

    if (!der_peek(*info, DER_CONTEXTC | 0))
        return err_set(e, ERR_PROTO, "SignerInfo: no signed attributes");
    if (der_next(info, &part, e) != 0)
        return -1;
    s->attrs = part.content;
    s->attrs_whole = part.whole;
    for (rest = s->attrs; rest.len != 0; count++)
        if (take_attr(&rest, &oid, &values, e) != 0)
            return -1;
    if (count > SIGNED_ATTRS_MAX)
        return err_set(
            e, ERR_PROTO, "SignerInfo: %zu attributes, at most %d", count, SIGNED_ATTRS_MAX);
    return 0;
}

/* SignerInfo (RFC 5652 5.3), whose unsigned attributes say nothing that counts. */
static int read_signer(struct view set, struct signed_data *s, struct err *e)
{
    struct algorithm algorithm;
    struct der info, part;

    if (der_expect(&set, DER_SEQUENCE, "SignerInfo", &info, e) != 0)
        return -1;
    if (set.len != 0)
        return err_set(e, ERR_PROTO, "SignedData: more than one signer");
    if (skip_version(&info.content, "SignerInfo version", e) != 0
        || read_signer_id(&info.content, s, e) != 0
        || der_expect(&info.content, DER_SEQUENCE, "signer's digestAlgorithm", &part, e) != 0)
        return -1;
    s->digest_algorithm = part.whole;
    if (read_attrs(&info.content, s, e) != 0
        || der_expect(&info.content, DER_SEQUENCE, "signatureAlgorithm", &part, e) != 0
        || algorithm_read(part.whole, "signatureAlgorithm", &algorithm, e) != 0)
        return -1;
    s->signature_algorithm = part.whole;
    if (der_expect(&info.content, DER_OCTET_STRING, "signature", &part, e) != 0)
        return -1;
    s->signature = part.content;
    if (der_peek(info.content, DER_CONTEXTC | 1) && der_next(&info.content, &part, e) != 0)
        return -1;
    return der_end(info.content, "SignerInfo", e);
}

/* RFC 5652 5.1 wants the signers' digests listed there; whoever has none has made no signature. */
static int check_listed(struct view list, const struct signed_data *s, struct err *e)
{
    struct algorithm mine, listed;
    struct der part;
    bool found = false;

    if (algorithm_read(s->digest_algorithm, "signer's digestAlgorithm", &mine, e) != 0)
        return -1;
    for (size_t count = 0; list.len != 0; count++) {
        if (count == DIGEST_ALGORITHMS_MAX)
            return err_set(e, ERR_PROTO, "more than %d digestAlgorithms", DIGEST_ALGORITHMS_MAX);
        if (der_expect(&list, DER_SEQUENCE, "digestAlgorithms", &part, e) != 0
            || algorithm_read(part.whole, "digestAlgorithms", &listed, e) != 0)
            return -1;
        found = found || view_equal(listed.oid.whole, mine.oid.whole);
    }
    if (!found)
        return err_set(e, ERR_PROTO, "digestAlgorithms: the signer's is not listed");
    return 0;
}

static int read_message(struct view der, struct signed_data *s, struct err *e)
{
    struct der digests, signers;
    struct view body;

    if (der.len > MESSAGE_MAX)
        return err_set(
            e, ERR_PROTO, "SignedData: %zu bytes, at most %d are read", der.len, MESSAGE_MAX);
    if (open_signed_data(der, &body, e) != 0 || skip_version(&body, "SignedData version", e) != 0
        || der_expect(&body, DER_SET, "digestAlgorithms", &digests, e) != 0
        || read_content(&body, s, e) != 0 || read_certs(&body, s, e) != 0
        || der_expect(&body, DER_SET, "signerInfos", &signers, e) != 0
        || der_end(body, "SignedData", e) != 0 || read_signer(signers.content, s, e) != 0)
        return -1;
    return check_listed(digests.content, s, e);
}

int signed_parse(struct view der, struct signed_data *s, struct err *e)
{
    struct signed_data read = { 0 };
    int rc;

    if (read_message(der, &read, e) != 0)
        return -1;
    rc = digest_read(read.digest_algorithm, &read.digest, e);
    if (rc == 0 || e->cls == ERR_UNSUPPORTED)
        *s = read;
    return rc;
}

/* ---- looking into it ---- */

int signed_attr(const struct signed_data *s, const char *oid, struct der *value, struct err *e)
{
    struct view rest = s->attrs, values;
    bool found = false;
    struct der name, one = { 0 };

    while (rest.len != 0) {
        if (take_attr(&rest, &name, &values, e) != 0)
            return -1;
        if (!der_is_oid(name, oid))
            continue;
        if (found)
            return err_set(e, ERR_PROTO, "attribute %s stands twice", oid);
        if (der_next(&values, &one, e) != 0)
            return err_wrap(e, "attribute %s", oid);
        if (der_end(values, "attribute", e) != 0)
            return err_wrap(e, "attribute %s", oid);
        found = true;
    }
    if (found)
        *value = one;
    return found ? 1 : 0;
}

int signed_signer(const struct signed_data *s, struct view *certificate, struct err *e)
{
    struct view found = { 0 };
    struct err ignored;
    struct cms_cert c;
    struct der part;

    for (struct view rest = s->certs; rest.len != 0;) {
        if (der_expect(&rest, DER_SEQUENCE, "certificate in SignedData", &part, e) != 0)
            return -1;
        if (cms_cert_read(part.whole, &c, &ignored) != 0
            || !cms_cert_is(&c, s->issuer, s->serial, s->key_id))
            continue;
        if (found.len != 0 && !view_equal(found, part.whole))
            return err_set(e, ERR_PROTO, "SignedData: two certificates for one signer");
        found = part.whole;
    }
    if (found.len == 0)
        return err_set(e, ERR_PROTO, "SignedData: without the signer's certificate");
    *certificate = found;
    return 0;
}

/* ---- the signature ---- */

/* RFC 5652 5.4: the message-digest attribute; 11.1: the content-type attribute must be present with it. */
static int check_attrs(struct lib *l, const struct signed_data *s, struct err *e)
{
    uint8_t digest[64];
    struct der type, value;
    size_t len;
    int found;

    if ((found = signed_attr(s, OID_CONTENT_TYPE, &type, e)) < 0)
        return -1;
    if (found == 0 || !der_is_oid(type, OID_DATA))
        return err_set(e, ERR_PROTO, "SignerInfo: contentType is not id-data");
    if ((found = signed_attr(s, OID_MESSAGE_DIGEST, &value, e)) < 0)
        return -1;
    if (found == 0 || value.tag != DER_OCTET_STRING)
        return err_set(e, ERR_PROTO, "SignerInfo: no messageDigest");
    if (digest_of(l, s->digest, s->content, digest, &len, e) != 0)
        return -1;
    if (value.content.len != len || !mem_equal(value.content.p, digest, len))
        return err_set(e, ERR_MISMATCH, "messageDigest is not that of the content");
    return 0;
}

/* What was signed has the tag of a SET OF where the message has [0] (RFC 5652 5.4); the rest is as it was sent. */
int signed_verify(
    struct lib *l, const struct signed_data *s, struct view certificate, struct err *e)
{
    struct buf as_set = BUF_INIT(MESSAGE_MAX);
    struct cms_cert c;
    int rc = -1;

    if (check_attrs(l, s, e) != 0)
        return -1;
    if (cms_cert_read(certificate, &c, e) != 0)
        return err_wrap(e, "signer");
    buf_add_view(&as_set, s->attrs_whole);
    if (buf_check(&as_set, e) == 0) {
        as_set.p[0] = DER_SET;
        rc = verify_signature(
            l, c.spki, s->signature_algorithm, s->digest, buf_view(&as_set), s->signature, NULL, e);
    }
    buf_free(&as_set);
    return rc;
}
