/*
 * see cms_part.h
 *
 * The agreement's key derivation is one SHA-256 and done here: X9.63 gives as many bytes a round as the
 * digest has, the wrapping key has 32, and OpenSSL 3.0's own code for it writes through NULL when memory
 * is out.
 */
#include "certs/cert.h"
#include "certs/cms_part.h"
#include "certs/der.h"
#include "certs/mem.h"
#include <openssl/core_names.h>
#include <openssl/evp.h>
#include <openssl/rsa.h>

enum {
    RSA_BITS_MIN = 2048,
    RSA_BITS_MAX = 16384,
    KU_KEY_ENCIPHERMENT_BIT = 1 << 2,
    KU_KEY_AGREEMENT_BIT = 1 << 4,
    KEK_LEN = 32,
    WRAP_EXTRA = 8, /* RFC 3394: what a wrapped key is longer */
    CEK_MAX = 32,
    SECRET_MAX = 66, /* a coordinate on P-521 */
    POINT_MAX = 1 + 2 * 66
};

/* RFC 8017 A.2.1: rsaOAEP with SHA-256 and MGF1 with SHA-256; the empty label is the default and DER
 * leaves it out.  RFC 4055 2.1 has the digests without parameters. */
static const uint8_t oaep_sha256[] = "\x30\x38\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x01\x07"
                                     "\x30\x2b\xa0\x0d\x30\x0b\x06\x09\x60\x86\x48\x01\x65\x03\x04"
                                     "\x02\x01\xa1\x1a\x30\x18\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01"
                                     "\x01\x08\x30\x0b\x06\x09\x60\x86\x48\x01\x65\x03\x04\x02\x01";
static const uint8_t rsa_pkcs1[] = "\x30\x0d\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x01\x01\x05\x00";
/* id-aes256-wrap, without parameters (RFC 3565 2.3.2). */
static const uint8_t aes256_wrap[] = "\x30\x0b\x06\x09\x60\x86\x48\x01\x65\x03\x04\x01\x2d";

#define WHOLE(bytes) view_of((bytes), sizeof(bytes) - 1)

/* ---- read ---- */

static int check_rsa(const struct spki *key, struct err *e)
{
    if (key->bits < RSA_BITS_MIN || key->bits > RSA_BITS_MAX)
        return err_set(e, ERR_INPUT, "an RSA key of %zu bits, %d to %d are accepted", key->bits,
            RSA_BITS_MIN, RSA_BITS_MAX);
    if (key->exponent.len == 0 || (key->exponent.len == 1 && key->exponent.p[0] == 1))
        return err_set(e, ERR_INPUT, "an RSA key whose exponent is %zu: it would encrypt nothing",
            key->exponent.len);
    return 0;
}

static int check_usage(const struct cms_recipient *r, struct err *e)
{
    unsigned bits, needed = r->key.ec ? KU_KEY_AGREEMENT_BIT : KU_KEY_ENCIPHERMENT_BIT;
    const struct cert usage = { .key_usage = r->cert.key_usage };

    if (r->cert.key_usage.len == 0)
        return 0;
    if (cert_key_usage(&usage, &bits, e) != 0)
        return -1;
    if ((bits & needed) == 0)
        return err_set(e, ERR_INPUT, "key usage 0x%x without %s", bits,
            r->key.ec ? "keyAgreement" : "keyEncipherment");
    return 0;
}

/* What is wrong with the certificate is wrong with the request. */
int cms_recipient_read(
    struct view der, enum cms_transport t, struct cms_recipient *r, struct err *e)
{
    if (cms_cert_read(der, &r->cert, e) == 0 && spki_parse(r->cert.spki, &r->key, e) == 0
        && (r->key.ec || check_rsa(&r->key, e) == 0)
        && (t == CMS_RSA_PKCS1_SIGNER || check_usage(r, e) == 0))
        return 0;
    if (e->cls == ERR_PROTO)
        e->cls = ERR_INPUT;
    return err_wrap(e, "recipient");
}

/* ---- what both kinds share ---- */

static EVP_PKEY *recipient_key(struct lib *l, const struct cms_recipient *r, struct err *e)
{
    EVP_PKEY *key = spki_key(l, &r->key, e);

    if (key != NULL)
        return key;
    if (e->cls != ERR_NOMEM)
        e->cls = ERR_INPUT;
    err_wrap(e, "recipient");
    return NULL;
}

static void write_issuer_and_serial(struct buf *out, const struct cms_recipient *r)
{
    size_t mark = der_open(out, DER_SEQUENCE);

    buf_add_view(out, r->cert.issuer);
    buf_add_view(out, r->cert.serial.whole);
    der_close(out, mark);
}

/* ---- RSA ---- */

/* RFC 8017 A.2.1 with SHA-256 for both; OpenSSL's own choice would be SHA-1. */
static int set_padding(struct lib *l, EVP_PKEY_CTX *ctx, enum cms_transport t, struct err *e)
{
    if (t != CMS_RSA_OAEP_SHA256) {
        if (EVP_PKEY_CTX_set_rsa_padding(ctx, RSA_PKCS1_PADDING) != 1)
            return lib_err(e, "CMS: RSA PKCS#1");
        return 0;
    }
    if (EVP_PKEY_CTX_set_rsa_padding(ctx, RSA_PKCS1_OAEP_PADDING) != 1
        || EVP_PKEY_CTX_set_rsa_oaep_md(ctx, l->sha256) != 1
        || EVP_PKEY_CTX_set_rsa_mgf1_md(ctx, l->sha256) != 1)
        return lib_err(e, "CMS: RSA-OAEP");
    return 0;
}

/* KeyTransRecipientInfo (RFC 5652 6.2.1). */
static int write_transport(struct lib *l, const struct cms_recipient *r, enum cms_transport t,
    struct view cek, struct buf *out, struct err *e)
{
    uint8_t encrypted[RSA_BITS_MAX / 8];
    size_t len = sizeof encrypted, info;
    EVP_PKEY *key = recipient_key(l, r, e);
    EVP_PKEY_CTX *ctx = NULL;
    int rc = -1;

    if (key == NULL)
        return -1;
    if ((ctx = EVP_PKEY_CTX_new_from_pkey(l->ctx, key, NULL)) == NULL
        || EVP_PKEY_encrypt_init(ctx) != 1) {
        lib_err(e, "CMS: RSA");
        goto done;
    }
    if (set_padding(l, ctx, t, e) != 0)
        goto done;
    if (EVP_PKEY_encrypt(ctx, encrypted, &len, cek.p, cek.len) != 1) {
        lib_err(e, "EVP_PKEY_encrypt");
        goto done;
    }
    info = der_open(out, DER_SEQUENCE);
    der_uint(out, 0); /* named by issuer and serial number */
    write_issuer_and_serial(out, r);
    buf_add_view(out, t == CMS_RSA_OAEP_SHA256 ? WHOLE(oaep_sha256) : WHOLE(rsa_pkcs1));
    der_tlv(out, DER_OCTET_STRING, view_of(encrypted, len));
    der_close(out, info);
    rc = 0;
done:
    EVP_PKEY_CTX_free(ctx);
    EVP_PKEY_free(key);
    return rc;
}

/* ---- EC ---- */

struct agreement {
    uint8_t point[POINT_MAX]; /* the ephemeral public key */
    size_t point_len;
    uint8_t secret[SECRET_MAX];
    size_t secret_len;
    uint8_t kek[KEK_LEN];
    uint8_t wrapped[CEK_MAX + WRAP_EXTRA];
    int wrapped_len;
};

/*
 * The peer is not validated a second time (that costs a point multiplication): spki_key has refused what is
 * not on the curve, the cofactor of these curves is 1, and infinity has no encoding that spki_parse takes.
 */
static int agree(struct lib *l, const struct cms_recipient *r, EVP_PKEY *peer, struct agreement *a,
    struct err *e)
{
    EVP_PKEY *ephemeral = EVP_PKEY_Q_keygen(l->ctx, NULL, "EC", r->key.group);
    EVP_PKEY_CTX *ctx = NULL;
    int rc = -1;

    a->secret_len = sizeof a->secret;
    if (ephemeral == NULL
        || EVP_PKEY_get_octet_string_param(
               ephemeral, OSSL_PKEY_PARAM_PUB_KEY, a->point, sizeof a->point, &a->point_len)
               != 1
        || (ctx = EVP_PKEY_CTX_new_from_pkey(l->ctx, ephemeral, NULL)) == NULL
        || EVP_PKEY_derive_init(ctx) != 1 || EVP_PKEY_derive_set_peer_ex(ctx, peer, 0) != 1
        || EVP_PKEY_derive(ctx, a->secret, &a->secret_len) != 1
        || a->secret_len != r->key.field_len)
        lib_err(e, "CMS: ECDH");
    else if (a->point_len != 1 + 2 * r->key.field_len || a->point[0] != 0x04)
        err_set(e, ERR_CRYPTO, "CMS: ephemeral key of %zu bytes", a->point_len);
    else
        rc = 0;
    EVP_PKEY_CTX_free(ctx);
    EVP_PKEY_free(ephemeral);
    return rc;
}

/*
 * SEC 1 3.6.1, its first round: SHA-256(Z || 00000001 || ECC-CMS-SharedInfo), and RFC 5753 7.2:
 * ECC-CMS-SharedInfo { keyInfo the key wrap, [2] the length of the wrapping key in bits }
 */
static int derive_kek(struct lib *l, struct agreement *a, struct err *e)
{
    static const uint8_t first[] = "\x00\x00\x00\x01";
    static const uint8_t key_bits[] = "\xa2\x06\x04\x04\x00\x00\x01\x00";
    struct buf in = BUF_SECRET(256);
    size_t mark;
    int rc = -1;

    buf_add(&in, a->secret, a->secret_len);
    buf_add_view(&in, WHOLE(first));
    mark = der_open(&in, DER_SEQUENCE);
    buf_add_view(&in, WHOLE(aes256_wrap));
    buf_add_view(&in, WHOLE(key_bits));
    der_close(&in, mark);
    if (buf_check(&in, e) == 0)
        rc = lib_sha256(l, buf_view(&in), a->kek, e);
    buf_free(&in);
    return rc;
}

static int wrap_key(struct lib *l, struct agreement *a, struct view cek, struct err *e)
{
    EVP_CIPHER *cipher = EVP_CIPHER_fetch(l->ctx, "AES-256-WRAP", NULL);
    EVP_CIPHER_CTX *ctx = EVP_CIPHER_CTX_new();
    int rc = -1;

    if (ctx != NULL)
        EVP_CIPHER_CTX_set_flags(ctx, EVP_CIPHER_CTX_FLAG_WRAP_ALLOW);
    if (cipher == NULL || ctx == NULL || cek.len > CEK_MAX
        || EVP_EncryptInit_ex2(ctx, cipher, a->kek, NULL, NULL) != 1
        || EVP_EncryptUpdate(ctx, a->wrapped, &a->wrapped_len, cek.p, (int)cek.len) != 1
        || (size_t)a->wrapped_len != cek.len + WRAP_EXTRA)
        lib_err(e, "CMS: AES key wrap");
    else
        rc = 0;
    EVP_CIPHER_CTX_free(ctx);
    EVP_CIPHER_free(cipher);
    return rc;
}

/* OriginatorIdentifierOrKey: [1] OriginatorPublicKey; the curve is the recipient's (RFC 5753 3.1.1). */
static void write_originator(struct buf *out, const struct agreement *a)
{
    size_t outer = der_open(out, DER_CONTEXTC | 0), key = der_open(out, DER_CONTEXTC | 1), inner;

    inner = der_open(out, DER_SEQUENCE);
    der_oid_known(out, "1.2.840.10045.2.1");
    der_close(out, inner);
    inner = der_open(out, DER_BIT_STRING);
    buf_add_byte(out, 0); /* no unused bits */
    buf_add(out, a->point, a->point_len);
    der_close(out, inner);
    der_close(out, key);
    der_close(out, outer);
}

/* [1] KeyAgreeRecipientInfo with one key (RFC 5652 6.2.2). */
static void write_agreement(
    struct buf *out, const struct cms_recipient *r, const struct agreement *a)
{
    size_t info = der_open(out, DER_CONTEXTC | 1), mark, inner;

    der_uint(out, 3);
    write_originator(out, a);
    mark = der_open(out, DER_SEQUENCE);
    der_oid_known(out, "1.3.132.1.11.1"); /* dhSinglePass-stdDH-sha256kdf-scheme */
    buf_add_view(out, WHOLE(aes256_wrap));
    der_close(out, mark);
    mark = der_open(out, DER_SEQUENCE);
    inner = der_open(out, DER_SEQUENCE);
    write_issuer_and_serial(out, r);
    der_tlv(out, DER_OCTET_STRING, view_of(a->wrapped, (size_t)a->wrapped_len));
    der_close(out, inner);
    der_close(out, mark);
    der_close(out, info);
}

static int write_agreed(
    struct lib *l, const struct cms_recipient *r, struct view cek, struct buf *out, struct err *e)
{
    EVP_PKEY *peer = recipient_key(l, r, e);
    struct agreement a = { 0 };
    int rc = -1;

    if (peer != NULL && agree(l, r, peer, &a, e) == 0 && derive_kek(l, &a, e) == 0
        && wrap_key(l, &a, cek, e) == 0) {
        write_agreement(out, r, &a);
        rc = 0;
    }
    EVP_PKEY_free(peer);
    mem_wipe(&a, sizeof a);
    return rc;
}

int cms_recipient_write(struct lib *l, const struct cms_recipient *r, enum cms_transport t,
    struct view cek, struct buf *out, struct err *e)
{
    return r->key.ec ? write_agreed(l, r, cek, out, e) : write_transport(l, r, t, cek, out, e);
}
