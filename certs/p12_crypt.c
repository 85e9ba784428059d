/* see p12_crypt.h */
#include "certs/p12_crypt.h"
#include "certs/der.h"
#include "certs/mem.h"
#include "certs/pbkdf2.h"
#include <assert.h>
#include <string.h>
#include <openssl/core_names.h>
#include <openssl/evp.h>
#include <openssl/kdf.h>
#include <openssl/params.h>

/* RFC 7292 B.3: what the derived bytes are for. */
enum purpose { FOR_KEY = 1, FOR_IV = 2, FOR_MAC = 3 };

enum { DES3_KEY_LEN = 24, DES_BLOCK = 8, AES_BLOCK = 16, BLOCK_MAX = 16 };

/* ---- key derivation ---- */

static int derive(EVP_KDF *kdf, const OSSL_PARAM *params, uint8_t *out, size_t len, struct err *e)
{
    EVP_KDF_CTX *ctx = EVP_KDF_CTX_new(kdf);
    int rc = 0;

    if (ctx == NULL || EVP_KDF_derive(ctx, out, len, params) != 1)
        rc = lib_err(e, "PKCS#12 key derivation");
    EVP_KDF_CTX_free(ctx);
    return rc;
}

/* OSSL_PARAM has no const, but what it describes here is only read. */
static void *readable(const void *p)
{
    return (void *)(uintptr_t)p;
}

static char *digest_name(const struct p12_crypt *c)
{
    return readable(c->profile == P12_MODERN ? "SHA2-256" : "SHA1");
}

static size_t digest_len(const struct p12_crypt *c)
{
    return c->profile == P12_MODERN ? 32 : 20;
}

/* RFC 7292 B.2, with the digest of the profile. */
static int pkcs12_kdf(struct p12_crypt *c, struct view salt, enum purpose purpose, uint8_t *out,
    size_t len, struct err *e)
{
    int id = (int)purpose;
    OSSL_PARAM params[] = {
        OSSL_PARAM_octet_string(OSSL_KDF_PARAM_PASSWORD, c->bmp, c->bmp_len),
        OSSL_PARAM_octet_string(OSSL_KDF_PARAM_SALT, readable(salt.p), salt.len),
        OSSL_PARAM_uint(OSSL_KDF_PARAM_ITER, &c->iterations),
        OSSL_PARAM_utf8_string(OSSL_KDF_PARAM_DIGEST, digest_name(c), 0),
        OSSL_PARAM_int(OSSL_KDF_PARAM_PKCS12_ID, &id),
        OSSL_PARAM_END,
    };

    return derive(c->lib->pkcs12kdf, params, out, len, e);
}

/* RFC 7292 B.1: two bytes a character, and two for the NUL at the end. */
static void set_bmp(struct p12_crypt *c, const char *ascii)
{
    size_t len = strlen(ascii);

    assert(2 * (len + 1) <= sizeof c->bmp); /* p12_build has looked */
    for (size_t i = 0; i <= len; i++) {
        c->bmp[2 * i] = 0;
        c->bmp[2 * i + 1] = (uint8_t)ascii[i];
    }
    c->bmp_len = 2 * (len + 1);
}

int p12_crypt_init(struct p12_crypt *c, struct lib *l, const struct p12_spec *s, struct err *e)
{
    *c = (struct p12_crypt){ .lib = l, .profile = s->profile, .iterations = s->iterations };
    set_bmp(c, s->password);
    if (c->profile != P12_MODERN)
        return 0;
    if (lib_random(l, c->salt, sizeof c->salt, e) != 0)
        return -1;
    pbkdf2_sha256(view_text(s->password), view_of(c->salt, sizeof c->salt), c->iterations, c->key);
    return 0;
}

void p12_crypt_done(struct p12_crypt *c)
{
    mem_wipe(c, sizeof *c);
}

/* ---- encryption ---- */

/* CBC with PKCS#7 padding, appended under `tag`. */
static int encrypt(const EVP_CIPHER *cipher, const uint8_t *key, const uint8_t *iv,
    struct view plain, uint8_t tag, struct buf *out, struct err *e)
{
    EVP_CIPHER_CTX *ctx = EVP_CIPHER_CTX_new();
    size_t mark = der_open(out, tag);
    uint8_t *to = buf_extend(out, plain.len + BLOCK_MAX);
    int len = 0, last = 0, rc = -1;

    if (to == NULL) {
        rc = buf_check(out, e);
        goto done;
    }
    if (ctx == NULL || EVP_EncryptInit_ex(ctx, cipher, NULL, key, iv) != 1
        || EVP_EncryptUpdate(ctx, to, &len, plain.p, (int)plain.len) != 1
        || EVP_EncryptFinal_ex(ctx, to + len, &last) != 1) {
        lib_err(e, "PKCS#12 encryption");
        goto done;
    }
    buf_truncate(out, mark + (size_t)(len + last));
    der_close(out, mark);
    rc = 0;
done:
    EVP_CIPHER_CTX_free(ctx);
    return rc;
}

/* PBES2-params { PBKDF2 { salt, iterations, hmacWithSHA256 }, aes256-CBC { iv } } */
static void write_pbes2(struct buf *b, const struct p12_crypt *c, const uint8_t iv[AES_BLOCK])
{
    size_t algorithm = der_open(b, DER_SEQUENCE), params, part, inner, prf;

    der_oid_known(b, "1.2.840.113549.1.5.13");
    params = der_open(b, DER_SEQUENCE);

    part = der_open(b, DER_SEQUENCE);
    der_oid_known(b, "1.2.840.113549.1.5.12");
    inner = der_open(b, DER_SEQUENCE);
    der_tlv(b, DER_OCTET_STRING, view_of(c->salt, sizeof c->salt));
    der_uint(b, c->iterations);
    prf = der_open(b, DER_SEQUENCE);
    der_oid_known(b, "1.2.840.113549.2.9");
    der_null(b);
    der_close(b, prf);
    der_close(b, inner);
    der_close(b, part);

    part = der_open(b, DER_SEQUENCE);
    der_oid_known(b, "2.16.840.1.101.3.4.1.42");
    der_tlv(b, DER_OCTET_STRING, view_of(iv, AES_BLOCK));
    der_close(b, part);

    der_close(b, params);
    der_close(b, algorithm);
}

static int encrypt_modern(
    struct p12_crypt *c, struct view plain, uint8_t tag, struct buf *out, struct err *e)
{
    uint8_t iv[AES_BLOCK];

    if (lib_random(c->lib, iv, sizeof iv, e) != 0)
        return -1;
    write_pbes2(out, c, iv);
    return encrypt(c->lib->aes256_cbc, c->key, iv, plain, tag, out, e);
}

static void write_pbe(struct buf *b, const struct p12_crypt *c, struct view salt)
{
    size_t algorithm = der_open(b, DER_SEQUENCE), params;

    der_oid_known(b, "1.2.840.113549.1.12.1.3");
    params = der_open(b, DER_SEQUENCE);
    der_tlv(b, DER_OCTET_STRING, salt);
    der_uint(b, c->iterations);
    der_close(b, params);
    der_close(b, algorithm);
}

static int encrypt_compat(
    struct p12_crypt *c, struct view plain, uint8_t tag, struct buf *out, struct err *e)
{
    uint8_t salt[P12_SALT_COMPAT] = { 0 }, key[DES3_KEY_LEN], iv[DES_BLOCK];
    struct view salted = view_of(salt, sizeof salt);
    int rc = -1;

    if (lib_random(c->lib, salt, sizeof salt, e) != 0
        || pkcs12_kdf(c, salted, FOR_KEY, key, sizeof key, e) != 0
        || pkcs12_kdf(c, salted, FOR_IV, iv, sizeof iv, e) != 0)
        goto done;
    write_pbe(out, c, salted);
    rc = encrypt(c->lib->des3_cbc, key, iv, plain, tag, out, e);
done:
    mem_wipe(key, sizeof key);
    mem_wipe(iv, sizeof iv);
    return rc;
}

int p12_encrypt(struct p12_crypt *c, struct view plain, uint8_t tag, struct buf *out, struct err *e)
{
    if (c->profile == P12_MODERN)
        return encrypt_modern(c, plain, tag, out, e);
    return encrypt_compat(c, plain, tag, out, e);
}

/* ---- MAC ---- */

static int hmac(
    struct p12_crypt *c, const uint8_t *key, struct view data, uint8_t *out, struct err *e)
{
    OSSL_PARAM params[] = {
        OSSL_PARAM_utf8_string(OSSL_MAC_PARAM_DIGEST, digest_name(c), 0),
        OSSL_PARAM_END,
    };
    EVP_MAC_CTX *ctx = EVP_MAC_CTX_new(c->lib->hmac);
    size_t len = 0;
    int rc = 0;

    if (ctx == NULL || EVP_MAC_init(ctx, key, digest_len(c), params) != 1
        || EVP_MAC_update(ctx, data.p, data.len) != 1
        || EVP_MAC_final(ctx, out, &len, digest_len(c)) != 1)
        rc = lib_err(e, "PKCS#12 MAC");
    EVP_MAC_CTX_free(ctx);
    return rc;
}

/* MacData { DigestInfo { digest, mac }, salt, iterations DEFAULT 1 }; DER leaves a default out. */
static void write_mac_data(
    struct buf *b, const struct p12_crypt *c, struct view salt, struct view mac)
{
    bool modern = c->profile == P12_MODERN;
    size_t data = der_open(b, DER_SEQUENCE), info = der_open(b, DER_SEQUENCE);
    size_t algorithm = der_open(b, DER_SEQUENCE);

    der_oid_known(b, modern ? "2.16.840.1.101.3.4.2.1" : "1.3.14.3.2.26");
    der_null(b);
    der_close(b, algorithm);
    der_tlv(b, DER_OCTET_STRING, mac);
    der_close(b, info);
    der_tlv(b, DER_OCTET_STRING, salt);
    if (c->iterations != 1)
        der_uint(b, c->iterations);
    der_close(b, data);
}

int p12_write_mac(struct p12_crypt *c, struct view safes, struct buf *out, struct err *e)
{
    uint8_t salt[P12_SALT_MODERN], key[32], mac[32];
    size_t salt_len = c->profile == P12_MODERN ? P12_SALT_MODERN : P12_SALT_COMPAT;
    int rc = -1;

    if (lib_random(c->lib, salt, salt_len, e) != 0
        || pkcs12_kdf(c, view_of(salt, salt_len), FOR_MAC, key, digest_len(c), e) != 0
        || hmac(c, key, safes, mac, e) != 0)
        goto done;
    write_mac_data(out, c, view_of(salt, salt_len), view_of(mac, digest_len(c)));
    rc = 0;
done:
    mem_wipe(key, sizeof key);
    return rc;
}
