/* see cms.h */
#include "certs/cms.h"
#include "certs/cert.h"
#include "certs/der.h"
#include <openssl/bio.h>
#include <openssl/cms.h>
#include <openssl/ec.h>
#include <openssl/evp.h>
#include <openssl/rsa.h>
#include <openssl/x509.h>

enum {
    RSA_BITS_MIN = 2048,
    RSA_BITS_MAX = 16384,
    KU_KEY_ENCIPHERMENT_BIT = 1 << 2,
    KU_KEY_AGREEMENT_BIT = 1 << 4,
    CONTENT_MAX = 16 << 20
};

/* ---- the recipient ---- */

/*
 * The key is judged by its bytes, before OpenSSL sees the certificate: what it refuses to decode, and
 * what it could not decode for want of memory, look the same from outside.
 */
static int check_rsa(struct view bits, struct err *e)
{
    struct view modulus, exponent;
    struct der seq, n, power;
    size_t count;

    if (der_expect(&bits, DER_SEQUENCE, "RSA key", &seq, e) != 0
        || der_expect(&seq.content, DER_INTEGER, "RSA modulus", &n, e) != 0
        || der_unsigned(n, "RSA modulus", &modulus, e) != 0
        || der_expect(&seq.content, DER_INTEGER, "RSA exponent", &power, e) != 0
        || der_unsigned(power, "RSA exponent", &exponent, e) != 0)
        return -1;
    count = 8 * modulus.len;
    for (unsigned first = modulus.len != 0 ? modulus.p[0] : 0x80; first < 0x80; first *= 2)
        count--;
    if (count < RSA_BITS_MIN || count > RSA_BITS_MAX)
        return err_set(e, ERR_INPUT, "an RSA key of %zu bits, %d to %d are accepted", count,
            RSA_BITS_MIN, RSA_BITS_MAX);
    if (exponent.len == 0 || (exponent.len == 1 && exponent.p[0] == 1))
        return err_set(e, ERR_INPUT, "an RSA key whose exponent is %zu: it would encrypt nothing",
            exponent.len);
    return 0;
}

static int check_curve(struct view params, struct err *e)
{
    static const char *const curves[] = { "1.2.840.10045.3.1.7", "1.3.132.0.34", "1.3.132.0.35" };
    struct buf text = BUF_INIT(256);
    struct der oid;

    if (!der_peek(params, DER_OID))
        return err_set(e, ERR_UNSUPPORTED, "an EC key without a named curve");
    if (der_next(&params, &oid, e) != 0)
        return -1;
    for (size_t i = 0; i < sizeof curves / sizeof *curves; i++)
        if (der_is_oid(oid, curves[i]))
            return 0;
    der_oid_text(oid.content, &text);
    err_set(
        e, ERR_UNSUPPORTED, "curve %s, only P-256, P-384 and P-521 are supported", buf_text(&text));
    buf_free(&text);
    return -1;
}

/* SubjectPublicKeyInfo { { algorithm, parameters }, BIT STRING } */
static int check_spki(struct view spki, bool *ec, struct err *e)
{
    struct buf text = BUF_INIT(256);
    struct der seq, algorithm, oid, bits;

    if (der_expect(&spki, DER_SEQUENCE, "key", &seq, e) != 0
        || der_expect(&seq.content, DER_SEQUENCE, "key algorithm", &algorithm, e) != 0
        || der_expect(&algorithm.content, DER_OID, "key algorithm", &oid, e) != 0
        || der_expect(&seq.content, DER_BIT_STRING, "key bits", &bits, e) != 0)
        return -1;
    *ec = der_is_oid(oid, "1.2.840.10045.2.1");
    if (*ec)
        return check_curve(algorithm.content, e);
    if (!der_is_oid(oid, "1.2.840.113549.1.1.1")) {
        der_oid_text(oid.content, &text);
        err_set(
            e, ERR_UNSUPPORTED, "a key of type %s, only RSA and EC are supported", buf_text(&text));
        buf_free(&text);
        return -1;
    }
    if (bits.content.len < 1 || bits.content.p[0] != 0)
        return err_set(e, ERR_PROTO, "key bits: not a whole number of bytes");
    return check_rsa(view_of(bits.content.p + 1, bits.content.len - 1), e);
}

static int check_usage(const struct cert *c, bool ec, struct err *e)
{
    unsigned bits, needed = ec ? KU_KEY_AGREEMENT_BIT : KU_KEY_ENCIPHERMENT_BIT;

    if (c->key_usage.len == 0)
        return 0;
    if (cert_key_usage(c, &bits, e) != 0)
        return -1;
    if ((bits & needed) == 0)
        return err_set(e, ERR_INPUT, "key usage 0x%x without %s", bits,
            ec ? "keyAgreement" : "keyEncipherment");
    return 0;
}

/* What is wrong with the certificate is wrong with the request. */
static int check_recipient(struct view der, bool *ec, struct err *e)
{
    struct cert c;

    if (cert_parse(der, &c, e) == 0 && check_spki(c.spki, ec, e) == 0
        && check_usage(&c, *ec, e) == 0)
        return 0;
    if (e->cls == ERR_PROTO)
        e->cls = ERR_INPUT;
    return err_wrap(e, "recipient");
}

static X509 *read_recipient(struct lib *l, struct view der, struct err *e)
{
    X509 *x = X509_new_ex(l->ctx, NULL);
    const unsigned char *p = der.p;

    if (x != NULL && d2i_X509(&x, &p, (long)der.len) != NULL && X509_get0_pubkey(x) != NULL)
        return x;
    lib_err(e, "recipient");
    if (e->cls != ERR_NOMEM)
        e->cls = ERR_INPUT;
    X509_free(x);
    return NULL;
}

/* ---- the envelope ---- */

/* RFC 8017 A.2.1; OpenSSL's own choice would be SHA-1. */
static int use_oaep(struct lib *l, EVP_PKEY_CTX *ctx, struct err *e)
{
    if (EVP_PKEY_CTX_set_rsa_padding(ctx, RSA_PKCS1_OAEP_PADDING) != 1
        || EVP_PKEY_CTX_set_rsa_oaep_md(ctx, l->sha256) != 1
        || EVP_PKEY_CTX_set_rsa_mgf1_md(ctx, l->sha256) != 1)
        return lib_err(e, "CMS: RSA-OAEP");
    return 0;
}

/* RFC 5753: dhSinglePass-stdDH-sha256kdf-scheme with id-aes256-wrap.  Left to itself OpenSSL takes the
 * SHA-1 scheme and chooses the wrap by the content cipher. */
static int use_ecdh(struct lib *l, CMS_RecipientInfo *ri, EVP_PKEY_CTX *ctx, struct err *e)
{
    EVP_CIPHER *wrap = EVP_CIPHER_fetch(l->ctx, "AES-256-WRAP", NULL);
    EVP_CIPHER_CTX *kek = CMS_RecipientInfo_kari_get0_ctx(ri);
    int rc = -1;

    if (wrap == NULL || kek == NULL || EVP_PKEY_CTX_set_ecdh_kdf_md(ctx, l->sha256) != 1
        || EVP_EncryptInit_ex(kek, wrap, NULL, NULL, NULL) != 1)
        lib_err(e, "CMS: ECDH");
    else
        rc = 0;
    EVP_CIPHER_free(wrap);
    return rc;
}

static int add_recipient(
    struct lib *l, CMS_ContentInfo *cms, X509 *x, bool ec, enum cms_transport t, struct err *e)
{
    CMS_RecipientInfo *ri = CMS_add1_recipient_cert(cms, x, CMS_KEY_PARAM);
    EVP_PKEY_CTX *ctx = ri != NULL ? CMS_RecipientInfo_get0_pkey_ctx(ri) : NULL;

    if (ctx == NULL)
        return lib_err(e, "CMS: recipient");
    if (ec)
        return use_ecdh(l, ri, ctx, e);
    if (t == CMS_RSA_OAEP_SHA256)
        return use_oaep(l, ctx, e);
    if (EVP_PKEY_CTX_set_rsa_padding(ctx, RSA_PKCS1_PADDING) != 1)
        return lib_err(e, "CMS: RSA PKCS#1");
    return 0;
}

static int append_der(CMS_ContentInfo *cms, struct buf *out, struct err *e)
{
    unsigned char *der = NULL;
    int len = i2d_CMS_ContentInfo(cms, &der);

    if (len <= 0)
        return lib_err(e, "i2d_CMS_ContentInfo");
    buf_add(out, der, (size_t)len);
    OPENSSL_free(der);
    return 0;
}

static const EVP_CIPHER *content_cipher(const struct lib *l, enum cms_content c)
{
    switch (c) {
    case CMS_AES256_GCM:
        return l->aes256_gcm;
    case CMS_AES256_CBC:
        return l->aes256_cbc;
    case CMS_DES3_CBC:
        return l->des3_cbc;
    case CMS_CONTENT_NONE:
        break;
    }
    return NULL;
}

int cms_envelope(struct lib *l, struct view recipient, enum cms_content c, enum cms_transport t,
    struct view content, struct buf *out, struct err *e)
{
    const unsigned flags = CMS_BINARY | CMS_PARTIAL;
    const EVP_CIPHER *cipher = content_cipher(l, c);
    CMS_ContentInfo *cms = NULL;
    size_t start = out->len;
    X509 *x = NULL;
    BIO *in = NULL;
    bool ec;
    int rc = -1;

    if (cipher == NULL)
        return err_set(e, ERR_INPUT, "content encryption %u is unknown", (unsigned)c);
    if (content.len > CONTENT_MAX)
        return err_set(e, ERR_INPUT, "content of %zu bytes, at most %d", content.len, CONTENT_MAX);
    if (check_recipient(recipient, &ec, e) != 0)
        return -1;
    if (!ec && t != CMS_RSA_OAEP_SHA256 && t != CMS_RSA_PKCS1)
        return err_set(e, ERR_INPUT, "key transport %u is unknown", (unsigned)t);
    /* What an earlier call left there must not pass for the reason of a failure here. */
    (void)lib_reason();
    if ((x = read_recipient(l, recipient, e)) == NULL)
        goto done;
    if ((in = BIO_new_mem_buf(content.len != 0 ? (const void *)content.p : "", (int)content.len))
            == NULL
        || (cms = CMS_encrypt_ex(NULL, NULL, cipher, flags, l->ctx, NULL)) == NULL) {
        lib_err(e, "CMS_encrypt_ex");
        goto done;
    }
    if (add_recipient(l, cms, x, ec, t, e) != 0)
        goto done;
    if (CMS_final(cms, in, NULL, flags) != 1) {
        lib_err(e, "CMS_final");
        goto done;
    }
    if (append_der(cms, out, e) == 0)
        rc = buf_finish(out, start, e);
done:
    CMS_ContentInfo_free(cms);
    BIO_free(in);
    X509_free(x);
    return rc;
}
