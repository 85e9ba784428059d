/*
 * see key_inner.h.  Elliptic curve keys (RFC 5915, RFC 5480) and Ed25519 (RFC 8410): OpenSSL makes them,
 * quickly, and hands over the raw octets; its encoders are never asked.
 */
#include "certs/der.h"
#include "certs/key_inner.h"
#include "certs/mem.h"
#include <string.h>
#include <openssl/core_names.h>
#include <openssl/evp.h>

enum { SECRET_MAX = 66, PUBLIC_MAX = 1 + 2 * 66 };

struct raw {
    uint8_t secret[SECRET_MAX]; /* big-endian, full width */
    uint8_t public[PUBLIC_MAX]; /* 04 x y, or the 32 bytes of Ed25519 */
    size_t public_len;
};

static size_t public_len_of(const struct key_kind *kind)
{
    return kind->family == KEY_FAMILY_EC ? 1 + 2 * kind->len : kind->len;
}

static int get_public(EVP_PKEY *pkey, const struct key_kind *kind, struct raw *raw, struct err *e)
{
    if (EVP_PKEY_get_octet_string_param(
            pkey, OSSL_PKEY_PARAM_PUB_KEY, raw->public, sizeof raw->public, &raw->public_len)
        != 1)
        return lib_err(e, "public key");
    if (raw->public_len != public_len_of(kind)
        || (kind->family == KEY_FAMILY_EC && raw->public[0] != 0x04))
        return err_set(e, ERR_CRYPTO, "public key of %zu bytes, not uncompressed", raw->public_len);
    return 0;
}

/* An EC secret is an integer to OpenSSL, an Ed25519 one a string of octets. */
static int get_secret(EVP_PKEY *pkey, const struct key_kind *kind, struct raw *raw, struct err *e)
{
    OSSL_PARAM params[2] = { OSSL_PARAM_construct_end(), OSSL_PARAM_construct_end() };

    if (kind->family == KEY_FAMILY_EC)
        params[0] = OSSL_PARAM_construct_BN(OSSL_PKEY_PARAM_PRIV_KEY, raw->secret, kind->len);
    else
        params[0] =
            OSSL_PARAM_construct_octet_string(OSSL_PKEY_PARAM_PRIV_KEY, raw->secret, kind->len);
    if (EVP_PKEY_get_params(pkey, params) != 1 || params[0].return_size != kind->len)
        return lib_err(e, "private key");
    if (kind->family == KEY_FAMILY_EC)
        key_turn(raw->secret, kind->len);
    return 0;
}

static void write_pkcs8(struct buf *out, const struct key_kind *kind, const struct raw *raw)
{
    struct key_frame frame = key_open_pkcs8(out, kind);
    size_t seq, context, bits;

    if (kind->family == KEY_FAMILY_ED25519) {
        der_tlv(out, DER_OCTET_STRING, view_of(raw->secret, kind->len));
    } else { /* the curve stands in the AlgorithmIdentifier and is left out here (RFC 5915 3) */
        seq = der_open(out, DER_SEQUENCE);
        der_uint(out, 1);
        der_tlv(out, DER_OCTET_STRING, view_of(raw->secret, kind->len));
        context = der_open(out, DER_CONTEXTC | 1);
        bits = der_open(out, DER_BIT_STRING);
        buf_add_byte(out, 0);
        buf_add(out, raw->public, raw->public_len);
        der_close(out, bits);
        der_close(out, context);
        der_close(out, seq);
    }
    key_close_pkcs8(out, frame);
}

static EVP_PKEY *generate(struct lib *l, const struct key_kind *kind)
{
    if (kind->family == KEY_FAMILY_EC)
        return EVP_PKEY_Q_keygen(l->ctx, NULL, "EC", kind->group);
    return EVP_PKEY_Q_keygen(l->ctx, NULL, "ED25519");
}

int key_ec_make(struct lib *l, enum key_type t, struct buf *pkcs8, struct err *e)
{
    const struct key_kind *kind = key_kind(t);
    EVP_PKEY *pkey = generate(l, kind);
    size_t start = pkcs8->len;
    struct raw raw = { 0 };
    int rc = -1;

    if (pkey == NULL) {
        lib_err(e, "key generation");
        goto done;
    }
    if (get_public(pkey, kind, &raw, e) != 0 || get_secret(pkey, kind, &raw, e) != 0)
        goto done;
    write_pkcs8(pkcs8, kind, &raw);
    rc = buf_finish(pkcs8, start, e);
done:
    EVP_PKEY_free(pkey);
    mem_wipe(&raw, sizeof raw);
    return rc;
}

/* ECPrivateKey as write_pkcs8 has it. */
static int read_ec(struct view inside, const struct key_kind *kind, struct raw *raw, struct err *e)
{
    struct der seq, version, secret, context, bits;

    if (der_expect(&inside, DER_SEQUENCE, "ECPrivateKey", &seq, e) != 0
        || der_end(inside, "ECPrivateKey", e) != 0
        || der_expect(&seq.content, DER_INTEGER, "ECPrivateKey version", &version, e) != 0
        || der_expect(&seq.content, DER_OCTET_STRING, "ECPrivateKey", &secret, e) != 0
        || der_expect(&seq.content, DER_CONTEXTC | 1, "ECPrivateKey publicKey", &context, e) != 0
        || der_end(seq.content, "ECPrivateKey", e) != 0
        || der_expect(&context.content, DER_BIT_STRING, "ECPrivateKey publicKey", &bits, e) != 0
        || der_end(context.content, "ECPrivateKey publicKey", e) != 0)
        return -1;
    if (version.content.len != 1 || version.content.p[0] != 1)
        return err_set(e, ERR_UNSUPPORTED, "ECPrivateKey: not version 1");
    if (secret.content.len != kind->len || bits.content.len != 1 + public_len_of(kind)
        || bits.content.p[0] != 0 || bits.content.p[1] != 0x04)
        return err_set(e, ERR_PROTO, "ECPrivateKey: does not fit %s", kind->name);
    memcpy(raw->secret, secret.content.p, kind->len);
    raw->public_len = public_len_of(kind);
    memcpy(raw->public, bits.content.p + 1, raw->public_len);
    return 0;
}

static int read_ed25519(
    struct view inside, const struct key_kind *kind, struct raw *raw, struct err *e)
{
    struct der secret;

    if (der_expect(&inside, DER_OCTET_STRING, "CurvePrivateKey", &secret, e) != 0
        || der_end(inside, "CurvePrivateKey", e) != 0)
        return -1;
    if (secret.content.len != kind->len)
        return err_set(e, ERR_PROTO, "CurvePrivateKey: %zu bytes", secret.content.len);
    memcpy(raw->secret, secret.content.p, kind->len);
    return 0;
}

static EVP_PKEY *load_ec(struct lib *l, const struct key_kind *kind, struct raw *raw, struct err *e)
{
    OSSL_PARAM params[4] = {
        OSSL_PARAM_construct_utf8_string(
            OSSL_PKEY_PARAM_GROUP_NAME, (char *)(uintptr_t)kind->group, 0),
        OSSL_PARAM_construct_octet_string(OSSL_PKEY_PARAM_PUB_KEY, raw->public, raw->public_len),
        OSSL_PARAM_construct_BN(OSSL_PKEY_PARAM_PRIV_KEY, raw->secret, kind->len),
        OSSL_PARAM_construct_end(),
    };

    key_turn(raw->secret, kind->len);
    return key_fromdata(l, "EC", params, e);
}

/* OpenSSL computes the public half, which PKCS#8 version 1 has no place for. */
static EVP_PKEY *load_ed25519(
    struct lib *l, const struct key_kind *kind, struct raw *raw, struct err *e)
{
    OSSL_PARAM params[2] = {
        OSSL_PARAM_construct_octet_string(OSSL_PKEY_PARAM_PRIV_KEY, raw->secret, kind->len),
        OSSL_PARAM_construct_end(),
    };
    EVP_PKEY *pkey = key_fromdata(l, "ED25519", params, e);

    if (pkey != NULL && get_public(pkey, kind, raw, e) != 0) {
        EVP_PKEY_free(pkey);
        return NULL;
    }
    return pkey;
}

static void write_spki(struct buf *out, const struct key_kind *kind, const struct raw *raw)
{
    size_t outer = der_open(out, DER_SEQUENCE), bits;

    key_write_algorithm(out, kind);
    bits = der_open(out, DER_BIT_STRING);
    buf_add_byte(out, 0);
    buf_add(out, raw->public, raw->public_len);
    der_close(out, bits);
    der_close(out, outer);
}

int key_ec_load(struct lib *l, struct view inside, enum key_type t, EVP_PKEY **pkey,
    struct buf *spki, struct err *e)
{
    const struct key_kind *kind = key_kind(t);
    bool ec = kind->family == KEY_FAMILY_EC;
    size_t start = spki->len;
    struct raw raw = { 0 };
    EVP_PKEY *made = NULL;
    int rc = -1;

    if ((ec ? read_ec(inside, kind, &raw, e) : read_ed25519(inside, kind, &raw, e)) != 0)
        goto done;
    if ((made = ec ? load_ec(l, kind, &raw, e) : load_ed25519(l, kind, &raw, e)) == NULL)
        goto done;
    write_spki(spki, kind, &raw);
    if (buf_finish(spki, start, e) != 0)
        goto done;
    *pkey = made;
    made = NULL;
    rc = 0;
done:
    EVP_PKEY_free(made);
    mem_wipe(&raw, sizeof raw);
    return rc;
}
