/* see envelope.h; opening: envelope_open.c */
#include "certs/envelope.h"
#include "certs/algorithm.h"
#include "certs/ber.h"
#include "certs/cms_cert.h"
#include "certs/verify.h"

#define OID_ENVELOPED_DATA "1.2.840.113549.1.7.3"
#define OID_DATA           "1.2.840.113549.1.7.1"

/* ---- the one recipient ---- */

/* RecipientIdentifier: IssuerAndSerialNumber, or [0] SubjectKeyIdentifier. */
static int read_recipient_id(struct view *info, struct envelope *v, struct err *e)
{
    struct der id, name, serial;

    if (der_peek(*info, DER_CONTEXT | 0)) {
        if (der_next(info, &id, e) != 0)
            return -1;
        v->key_id = id.content;
        return id.content.len != 0 ? 0 : err_set(e, ERR_PROTO, "recipient: an empty key id");
    }
    if (der_expect(info, DER_SEQUENCE, "RecipientIdentifier", &id, e) != 0
        || der_expect(&id.content, DER_SEQUENCE, "recipient's issuer", &name, e) != 0
        || der_expect(&id.content, DER_INTEGER, "recipient's serial number", &serial, e) != 0
        || der_end(id.content, "RecipientIdentifier", e) != 0)
        return -1;
    if (serial.content.len == 0)
        return err_set(e, ERR_PROTO, "recipient's serial number: empty INTEGER");
    v->issuer = name.whole;
    v->serial = serial.content;
    return 0;
}

/* [2] pSourceAlgorithm: only what is the default anyway, an empty label (RFC 8017 A.2.1). */
static int check_label(struct view params, struct err *e)
{
    struct algorithm source;
    struct der wrap;

    if (params.len == 0)
        return 0;
    if (der_expect(&params, DER_CONTEXTC | 2, "RSA-OAEP", &wrap, e) != 0
        || der_end(params, "RSA-OAEP", e) != 0
        || algorithm_read(wrap.content, "RSA-OAEP label", &source, e) != 0)
        return -1;
    if (!der_is_oid(source.oid, "1.2.840.113549.1.1.9")
        || !view_equal(source.params, view_of("\x04\x00", 2)))
        return err_set(e, ERR_UNSUPPORTED, "RSA-OAEP with a label");
    return 0;
}

/* RFC 3560 3: the parameters MUST be present. */
static int read_oaep(struct view params, struct envelope *v, struct err *e)
{
    enum digest hash;
    struct der seq;

    if (der_expect(&params, DER_SEQUENCE, "RSA-OAEP", &seq, e) != 0
        || digest_read_rsa(&seq.content, &hash, e) != 0 || check_label(seq.content, e) != 0)
        return -1;
    if (hash != DIGEST_SHA1 && hash != DIGEST_SHA256)
        return err_set(e, ERR_UNSUPPORTED, "RSA-OAEP with %s", digest_name(hash));
    v->transport = hash == DIGEST_SHA1 ? ENVELOPE_OAEP_SHA1 : ENVELOPE_OAEP_SHA256;
    return 0;
}

static int read_transport(struct view *info, struct envelope *v, struct err *e)
{
    struct algorithm a;
    struct der part;

    if (der_expect(info, DER_SEQUENCE, "keyEncryptionAlgorithm", &part, e) != 0
        || algorithm_read(part.whole, "keyEncryptionAlgorithm", &a, e) != 0)
        return -1;
    if (der_is_oid(a.oid, "1.2.840.113549.1.1.7"))
        return read_oaep(a.params, v, e);
    if (!der_is_oid(a.oid, "1.2.840.113549.1.1.1"))
        return algorithm_refuse(&a, "key transport", e);
    if (!algorithm_plain(&a))
        return err_set(e, ERR_PROTO, "keyEncryptionAlgorithm: parameters other than NULL");
    v->transport = ENVELOPE_PKCS1;
    return 0;
}

static int check_version(struct view *rest, const char *what, struct err *e)
{
    struct der version;

    if (der_expect(rest, DER_INTEGER, what, &version, e) != 0)
        return -1;
    if (version.content.len != 1 || (version.content.p[0] != 0 && version.content.p[0] != 2))
        return err_set(e, ERR_PROTO, "%s: neither 0 nor 2", what);
    return 0;
}

/* RecipientInfos with one KeyTransRecipientInfo in it (RFC 5652 6.2.1).  That there is another one is not said at
 * once: clients that encrypt to everybody do so with single DES, and that is what they should be told. */
static int read_recipient(struct view *body, struct envelope *v, bool *several, struct err *e)
{
    struct der set, info, part;

    if (der_expect(body, DER_SET, "recipientInfos", &set, e) != 0
        || der_expect(&set.content, DER_SEQUENCE, "KeyTransRecipientInfo", &info, e) != 0)
        return -1;
    *several = set.content.len != 0;
    if (check_version(&info.content, "KeyTransRecipientInfo version", e) != 0
        || read_recipient_id(&info.content, v, e) != 0 || read_transport(&info.content, v, e) != 0
        || der_expect(&info.content, DER_OCTET_STRING, "encryptedKey", &part, e) != 0)
        return -1;
    v->wrapped_key = part.content;
    return der_end(info.content, "KeyTransRecipientInfo", e);
}

/* ---- content ---- */

static const struct {
    const char *oid;
    enum envelope_cipher cipher;
    size_t iv_len;
} ciphers[] = {
    { "2.16.840.1.101.3.4.1.2", ENVELOPE_AES128, 16 },
    { "2.16.840.1.101.3.4.1.42", ENVELOPE_AES256, 16 },
    { "1.2.840.113549.3.7", ENVELOPE_DES3, 8 },
    { "2.16.840.1.101.3.4.1.22", ENVELOPE_AES192, 16 },
};

static int read_cipher(struct view *info, struct envelope *v, struct err *e)
{
    struct algorithm a;
    struct der part, iv;

    if (der_expect(info, DER_SEQUENCE, "contentEncryptionAlgorithm", &part, e) != 0
        || algorithm_read(part.whole, "contentEncryptionAlgorithm", &a, e) != 0)
        return -1;
    for (size_t i = 0; i < sizeof ciphers / sizeof *ciphers; i++) {
        if (!der_is_oid(a.oid, ciphers[i].oid))
            continue;
        if (der_expect(&a.params, DER_OCTET_STRING, "IV", &iv, e) != 0)
            return -1;
        if (iv.content.len != ciphers[i].iv_len)
            return err_set(e, ERR_PROTO, "an IV of %zu bytes, the cipher has %zu", iv.content.len,
                ciphers[i].iv_len);
        v->cipher = ciphers[i].cipher;
        v->iv = iv.content;
        return 0;
    }
    return algorithm_refuse(&a, "content encryption", e);
}

/* [0] IMPLICIT OCTET STRING in pieces, whose tag did not tell ber_to_der that it is one. */
static int join(struct view pieces, struct envelope *v, struct err *e)
{
    struct der piece;

    v->joined = (struct buf)BUF_INIT(BER_MAX);
    while (pieces.len != 0) {
        if (der_expect(&pieces, DER_OCTET_STRING, "encryptedContent", &piece, e) != 0)
            return -1;
        buf_add_view(&v->joined, piece.content);
    }
    v->content = buf_view(&v->joined);
    return buf_check(&v->joined, e);
}

/* EncryptedContentInfo { id-data, algorithm, [0] content } */
static int read_content(struct view *body, struct envelope *v, struct err *e)
{
    struct der info, oid, part;

    if (der_expect(body, DER_SEQUENCE, "encryptedContentInfo", &info, e) != 0
        || der_expect(&info.content, DER_OID, "contentType", &oid, e) != 0)
        return -1;
    if (!der_is_oid(oid, OID_DATA))
        return err_set(e, ERR_PROTO, "EnvelopedData: content that is not id-data");
    if (read_cipher(&info.content, v, e) != 0 || der_next(&info.content, &part, e) != 0
        || der_end(info.content, "encryptedContentInfo", e) != 0)
        return -1;
    if (part.content.len > BER_MAX)
        return err_set(e, ERR_PROTO, "encryptedContent of %zu bytes", part.content.len);
    if (part.tag == (DER_CONTEXTC | 0))
        return join(part.content, v, e);
    if (part.tag != (DER_CONTEXT | 0))
        return err_set(e, ERR_PROTO, "encryptedContent: tag 0x%02x", part.tag);
    v->content = part.content;
    return 0;
}

/* ---- the message ---- */

/* ContentInfo { envelopedData, [0] EnvelopedData }: what is inside the EnvelopedData. */
static int open_enveloped_data(struct view in, struct view *body, struct err *e)
{
    struct der info, oid, wrap, data;

    if (der_expect(&in, DER_SEQUENCE, "ContentInfo", &info, e) != 0
        || der_end(in, "ContentInfo", e) != 0
        || der_expect(&info.content, DER_OID, "contentType", &oid, e) != 0)
        return -1;
    if (!der_is_oid(oid, OID_ENVELOPED_DATA))
        return err_set(e, ERR_PROTO, "CMS: not an EnvelopedData");
    if (der_expect(&info.content, DER_CONTEXTC | 0, "EnvelopedData", &wrap, e) != 0
        || der_end(info.content, "ContentInfo", e) != 0
        || der_expect(&wrap.content, DER_SEQUENCE, "EnvelopedData", &data, e) != 0
        || der_end(wrap.content, "EnvelopedData", e) != 0)
        return -1;
    *body = data.content;
    return 0;
}

int envelope_parse(struct view der, struct envelope *v, struct err *e)
{
    struct envelope read = { 0 };
    struct view body;
    bool several;

    if (open_enveloped_data(der, &body, e) == 0
        && check_version(&body, "EnvelopedData version", e) == 0
        && read_recipient(&body, &read, &several, e) == 0 && read_content(&body, &read, e) == 0
        && der_end(body, "EnvelopedData", e) == 0) {
        if (!several) {
            *v = read;
            return 0;
        }
        (void)err_set(e, ERR_PROTO, "EnvelopedData: more than one recipient");
    }
    envelope_free(&read);
    return -1;
}

void envelope_free(struct envelope *v)
{
    if (v != NULL)
        buf_free(&v->joined);
}

bool envelope_is_for(const struct envelope *v, struct view certificate)
{
    struct err ignored;
    struct cms_cert c;

    return cms_cert_read(certificate, &c, &ignored) == 0
           && cms_cert_is(&c, v->issuer, v->serial, v->key_id);
}
