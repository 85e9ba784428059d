/* see jws.h */
#include "test/sandbox/jws.h"
#include <openssl/core_names.h>
#include <openssl/ecdsa.h>
#include <openssl/err.h>
#include <openssl/param_build.h>
#include <openssl/rsa.h>
#include <string.h>

enum { P256_LEN = 32 };

/* base64url without padding, and nothing else. */
static bool b64url_read(const char *text, size_t len, struct str *out)
{
    struct str plain = { 0 };
    bool ok = len % 4 != 1 && len > 0;

    for (size_t i = 0; ok && i < len; i++) {
        char c = text[i] == '-' ? '+' : text[i] == '_' ? '/' : text[i];

        ok = strchr("+/=\r\n\t ", text[i]) == NULL;
        str_add(&plain, &c, 1);
    }
    if (ok)
        str_add(&plain, "==", (4 - len % 4) % 4);
    ok = ok && b64_read(str_text(&plain), plain.len, out);
    str_free(&plain);
    return ok;
}

/* ---- reading ---- */

static struct json_object *read_part(const char *text, size_t len)
{
    struct str json = { 0 };
    struct json_object *o = NULL;
    char why[128];

    if (b64url_read(text, len, &json))
        o = js_parse(json.p, json.len, why, sizeof why);
    str_free(&json);
    return o;
}

bool jws_read(const char *text, struct jws *j)
{
    size_t head = strcspn(text, "."), body = text[head] == '.' ? strcspn(text + head + 1, ".") : 0;
    const char *last = text + head + 1 + body;

    *j = (struct jws){ 0 };
    if (body == 0 || *last != '.')
        return false;
    str_add(&j->signed_text, text, (size_t)(last - text));
    j->header = read_part(text, head);
    j->payload = read_part(text + head + 1, body);
    if (js_is_object(j->header) && js_is_object(j->payload)
        && b64url_read(last + 1, strlen(last + 1), &j->signature))
        return true;
    jws_free(j);
    return false;
}

void jws_free(struct jws *j)
{
    js_free(j->header);
    js_free(j->payload);
    str_free(&j->signed_text);
    str_free(&j->signature);
    *j = (struct jws){ 0 };
}

static bool digest_is(const char *claimed, X509 *x, const EVP_MD *md)
{
    unsigned char digest[EVP_MAX_MD_SIZE];
    unsigned len = 0;
    struct str bytes = { 0 };
    bool same = claimed != NULL && X509_digest(x, md, digest, &len) == 1
                && b64url_read(claimed, strlen(claimed), &bytes) && bytes.len == len
                && memcmp(bytes.p, digest, len) == 0;

    str_free(&bytes);
    return same;
}

bool jws_names(const struct jws *j, X509 *x)
{
    return digest_is(js_text(j->header, "x5t#S256"), x, EVP_sha256())
           && (!js_has(j->header, "x5t") || digest_is(js_text(j->header, "x5t"), x, EVP_sha1()));
}

/* ---- signatures ---- */

static bool verify(EVP_PKEY *key, bool pss, const struct str *text, const void *bytes, size_t len)
{
    EVP_MD_CTX *ctx = need(EVP_MD_CTX_new());
    EVP_PKEY_CTX *pkey = NULL;
    bool good = EVP_DigestVerifyInit(ctx, &pkey, EVP_sha256(), NULL, key) == 1;

    if (pss)
        good = good && EVP_PKEY_CTX_set_rsa_padding(pkey, RSA_PKCS1_PSS_PADDING) == 1
               && EVP_PKEY_CTX_set_rsa_pss_saltlen(pkey, RSA_PSS_SALTLEN_DIGEST) == 1;
    good =
        good && EVP_DigestVerify(ctx, bytes, len, (const unsigned char *)text->p, text->len) == 1;
    EVP_MD_CTX_free(ctx);
    ERR_clear_error();
    return good;
}

/* r and s, one behind the other, to the form OpenSSL verifies. */
static bool verify_ec(EVP_PKEY *key, const struct str *text, const struct str *raw)
{
    const unsigned char *p = (const unsigned char *)raw->p;
    ECDSA_SIG *sig;
    unsigned char *der = NULL;
    int len;
    bool good;

    if (raw->len != (size_t)2 * P256_LEN)
        return false;
    sig = need(ECDSA_SIG_new());
    ECDSA_SIG_set0(sig, BN_bin2bn(p, P256_LEN, NULL), BN_bin2bn(p + P256_LEN, P256_LEN, NULL));
    len = i2d_ECDSA_SIG(sig, &der);
    good = len > 0 && verify(key, false, text, der, (size_t)len);
    OPENSSL_free(der);
    ECDSA_SIG_free(sig);
    return good;
}

bool jws_good(const struct jws *j, EVP_PKEY *key)
{
    const char *alg = js_text(j->header, "alg");

    if (alg == NULL || key == NULL)
        return false;
    if (strcmp(alg, "ES256") == 0)
        return EVP_PKEY_is_a(key, "EC") && EVP_PKEY_get_bits(key) == 8 * P256_LEN
               && verify_ec(key, &j->signed_text, &j->signature);
    if (strcmp(alg, "PS256") != 0 && strcmp(alg, "RS256") != 0)
        return false;
    return EVP_PKEY_is_a(key, "RSA")
           && verify(key, alg[0] == 'P', &j->signed_text, j->signature.p, j->signature.len);
}

/* ---- keys ---- */

static bool read_number(struct json_object *jwk, const char *name, struct str *out)
{
    const char *text = js_text(jwk, name);

    return text != NULL && b64url_read(text, strlen(text), out) && out->len > 0 && out->len <= 1024;
}

static EVP_PKEY *from_params(const char *type, OSSL_PARAM_BLD *b)
{
    OSSL_PARAM *params = OSSL_PARAM_BLD_to_param(b);
    EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_name(NULL, type, NULL);
    EVP_PKEY *key = NULL;

    if (params == NULL || ctx == NULL || EVP_PKEY_fromdata_init(ctx) != 1
        || EVP_PKEY_fromdata(ctx, &key, EVP_PKEY_PUBLIC_KEY, params) != 1)
        key = NULL;
    EVP_PKEY_CTX_free(ctx);
    OSSL_PARAM_free(params);
    ERR_clear_error();
    return key;
}

static EVP_PKEY *ec_key(const struct str *x, const struct str *y)
{
    unsigned char point[1 + 2 * P256_LEN] = { 4 };
    OSSL_PARAM_BLD *b = need(OSSL_PARAM_BLD_new());
    EVP_PKEY *key = NULL;

    if (x->len == P256_LEN && y->len == P256_LEN) {
        memcpy(point + 1, x->p, P256_LEN);
        memcpy(point + 1 + P256_LEN, y->p, P256_LEN);
        if (OSSL_PARAM_BLD_push_utf8_string(b, OSSL_PKEY_PARAM_GROUP_NAME, "P-256", 0) == 1
            && OSSL_PARAM_BLD_push_octet_string(b, OSSL_PKEY_PARAM_PUB_KEY, point, sizeof point)
                   == 1)
            key = from_params("EC", b);
    }
    OSSL_PARAM_BLD_free(b);
    return key;
}

static EVP_PKEY *rsa_key(const struct str *n, const struct str *e)
{
    OSSL_PARAM_BLD *b = need(OSSL_PARAM_BLD_new());
    BIGNUM *modulus = need(BN_bin2bn((const unsigned char *)n->p, (int)n->len, NULL));
    BIGNUM *exponent = need(BN_bin2bn((const unsigned char *)e->p, (int)e->len, NULL));
    EVP_PKEY *key = NULL;

    if (OSSL_PARAM_BLD_push_BN(b, OSSL_PKEY_PARAM_RSA_N, modulus) == 1
        && OSSL_PARAM_BLD_push_BN(b, OSSL_PKEY_PARAM_RSA_E, exponent) == 1)
        key = from_params("RSA", b);
    BN_free(modulus);
    BN_free(exponent);
    OSSL_PARAM_BLD_free(b);
    return key;
}

EVP_PKEY *jwk_key(struct json_object *jwk)
{
    const char *kty = js_text(jwk, "kty");
    struct str a = { 0 }, b = { 0 };
    EVP_PKEY *key = NULL;

    if (kty != NULL && strcmp(kty, "RSA") == 0) {
        if (read_number(jwk, "n", &a) && read_number(jwk, "e", &b))
            key = rsa_key(&a, &b);
    } else if (kty != NULL && strcmp(kty, "EC") == 0) {
        if (read_number(jwk, "x", &a) && read_number(jwk, "y", &b))
            key = ec_key(&a, &b);
    }
    str_free(&a);
    str_free(&b);
    return key;
}
