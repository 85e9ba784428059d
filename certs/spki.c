/* see spki.h */
#include "certs/spki.h"
#include "certs/der.h"
#include "certs/key_inner.h"
#include <openssl/core_names.h>
#include <openssl/evp.h>
#include <openssl/params.h>

enum { NUMBERS_MAX = 8192 /* bytes */ };

/* ---- read ---- */

static int read_rsa(struct view bits, struct spki *s, struct err *e)
{
    struct der seq, n, power;

    if (der_expect(&bits, DER_SEQUENCE, "RSA key", &seq, e) != 0 || der_end(bits, "RSA key", e) != 0
        || der_expect(&seq.content, DER_INTEGER, "RSA modulus", &n, e) != 0
        || der_unsigned(n, "RSA modulus", &s->modulus, e) != 0
        || der_expect(&seq.content, DER_INTEGER, "RSA exponent", &power, e) != 0
        || der_unsigned(power, "RSA exponent", &s->exponent, e) != 0)
        return -1;
    s->bits = 8 * s->modulus.len;
    for (unsigned first = s->modulus.len != 0 ? s->modulus.p[0] : 0x80; first < 0x80; first *= 2)
        s->bits--;
    return der_end(seq.content, "RSA key", e);
}

/* SEC 1 2.3.3: 04 x y, or 02 or 03 and x.  One byte 00 would be the point at infinity. */
static int check_point(const struct spki *s, struct err *e)
{
    struct view p = s->point;

    if ((p.len == 1 + 2 * s->field_len && p.p[0] == 0x04)
        || (p.len == 1 + s->field_len && (p.p[0] == 0x02 || p.p[0] == 0x03)))
        return 0;
    return err_set(e, ERR_PROTO, "EC key: %zu bytes are no point of %s", p.len, s->group);
}

static int read_ec(struct view params, struct view bits, struct spki *s, struct err *e)
{
    struct buf text = BUF_INIT(256);
    struct der curve;

    if (!der_peek(params, DER_OID))
        return err_set(e, ERR_UNSUPPORTED, "an EC key without a named curve");
    if (der_next(&params, &curve, e) != 0 || der_end(params, "EC key algorithm", e) != 0)
        return -1;
    for (int t = KEY_NONE + 1; t < KEY_TYPE_COUNT; t++) {
        const struct key_kind *kind = key_kind((enum key_type)t);

        if (kind->family != KEY_FAMILY_EC || !der_is_oid(curve, kind->curve))
            continue;
        s->ec = true;
        s->group = kind->group;
        s->field_len = kind->len;
        s->point = bits;
        return check_point(s, e);
    }
    der_oid_text(curve.content, &text);
    err_set(
        e, ERR_UNSUPPORTED, "curve %s, only P-256, P-384 and P-521 are supported", buf_text(&text));
    buf_free(&text);
    return -1;
}

/* SubjectPublicKeyInfo { { algorithm, parameters }, BIT STRING } */
int spki_parse(struct view der, struct spki *s, struct err *e)
{
    struct buf text = BUF_INIT(256);
    struct der seq, algorithm, oid, bits;
    struct spki read = { 0 };
    struct view inside;
    int rc = -1;

    if (der_expect(&der, DER_SEQUENCE, "key", &seq, e) != 0 || der_end(der, "key", e) != 0
        || der_expect(&seq.content, DER_SEQUENCE, "key algorithm", &algorithm, e) != 0
        || der_expect(&algorithm.content, DER_OID, "key algorithm", &oid, e) != 0
        || der_expect(&seq.content, DER_BIT_STRING, "key bits", &bits, e) != 0
        || der_end(seq.content, "key", e) != 0)
        return -1;
    if (bits.content.len < 1 || bits.content.p[0] != 0)
        return err_set(e, ERR_PROTO, "key bits: not a whole number of bytes");
    inside = view_of(bits.content.p + 1, bits.content.len - 1);
    if (der_is_oid(oid, "1.2.840.10045.2.1")) {
        rc = read_ec(algorithm.content, inside, &read, e);
    } else if (!der_is_oid(oid, "1.2.840.113549.1.1.1")) {
        der_oid_text(oid.content, &text);
        err_set(
            e, ERR_UNSUPPORTED, "a key of type %s, only RSA and EC are supported", buf_text(&text));
        buf_free(&text);
    } else if (!view_equal(algorithm.content, view_of("\x05\x00", 2))) { /* RFC 3279 2.3.1 */
        err_set(e, ERR_PROTO, "RSA key algorithm: parameters other than NULL");
    } else {
        rc = read_rsa(inside, &read, e);
    }
    if (rc == 0)
        *s = read;
    return rc;
}

/* ---- for OpenSSL ---- */

static EVP_PKEY *from_params(struct lib *l, const char *name, OSSL_PARAM *params, struct err *e)
{
    EVP_PKEY_CTX *c = EVP_PKEY_CTX_new_from_name(l->ctx, name, NULL);
    EVP_PKEY *pkey = NULL;

    if (c == NULL || EVP_PKEY_fromdata_init(c) != 1
        || EVP_PKEY_fromdata(c, &pkey, EVP_PKEY_PUBLIC_KEY, params) != 1) {
        lib_err(e, "public key");
        EVP_PKEY_free(pkey);
        pkey = NULL;
    }
    EVP_PKEY_CTX_free(c);
    return pkey;
}

static EVP_PKEY *ec_key(struct lib *l, const struct spki *s, struct err *e)
{
    OSSL_PARAM params[3] = {
        OSSL_PARAM_construct_utf8_string(
            OSSL_PKEY_PARAM_GROUP_NAME, (char *)(uintptr_t)s->group, 0),
        OSSL_PARAM_construct_octet_string(
            OSSL_PKEY_PARAM_PUB_KEY, (void *)(uintptr_t)s->point.p, s->point.len),
        OSSL_PARAM_construct_end(),
    };

    return from_params(l, "EC", params, e);
}

static EVP_PKEY *rsa_key(struct lib *l, const struct spki *s, struct err *e)
{
    struct buf numbers = BUF_INIT(NUMBERS_MAX);
    EVP_PKEY *pkey = NULL;
    OSSL_PARAM params[3];

    buf_add_view(&numbers, s->modulus);
    buf_add_view(&numbers, s->exponent);
    if (s->modulus.len == 0 || s->exponent.len == 0) {
        err_set(e, ERR_CRYPTO, "an RSA key with a number that is 0");
        goto done;
    }
    if (buf_check(&numbers, e) != 0)
        goto done;
    key_turn(numbers.p, s->modulus.len);
    key_turn(numbers.p + s->modulus.len, s->exponent.len);
    params[0] = OSSL_PARAM_construct_BN(OSSL_PKEY_PARAM_RSA_N, numbers.p, s->modulus.len);
    params[1] =
        OSSL_PARAM_construct_BN(OSSL_PKEY_PARAM_RSA_E, numbers.p + s->modulus.len, s->exponent.len);
    params[2] = OSSL_PARAM_construct_end();
    pkey = from_params(l, "RSA", params, e);
done:
    buf_free(&numbers);
    return pkey;
}

EVP_PKEY *spki_key(struct lib *l, const struct spki *s, struct err *e)
{
    EVP_PKEY *key;

    if (s->ec)
        return ec_key(l, s, e);
    if ((key = spki_kept(l, s)) == NULL && (key = rsa_key(l, s, e)) != NULL)
        spki_keep(l, s, key);
    return key;
}
