/*
 * see floor.h: the primitives of one request, back to back, without ASN.1.
 *
 * What is done: key pair, signature of the CSR, verification of the certificate, three key derivations
 * and the two encryptions and the MAC of a PKCS#12 file, the envelope's AES-GCM and RSA-OAEP, base64 of
 * what goes out.  Contexts are made once, algorithms fetched once.
 *
 * Four ways to derive the keys, for it is most of the time: by EVP or by a loop over the library's
 * SHA-256 transform, which spares EVP's bookkeeping; two passwords-to-key for the two safes, or one that
 * serves both.  SHA256_Transform is deprecated, but there is no other door to the bare function.
 */
#define OPENSSL_SUPPRESS_DEPRECATED
#include "test/bench/floor.h"
#include <string.h>
#include <openssl/core_names.h>
#include <openssl/evp.h>
#include <openssl/kdf.h>
#include <openssl/params.h>
#include <openssl/rsa.h>
#include <openssl/sha.h>

enum { PASSWORD_LEN = 32, SALT_LEN = 8, ROUNDS = 2048, KEY_LEN = 32, TBS_LEN = 600 };
enum { SAFE_LEN = 1600, BAG_LEN = 256, FILE_LEN = 2600, CHAIN_LEN = 1200, SIG_MAX = 256 };

static const unsigned char password[PASSWORD_LEN] = "0123456789abcdefghijklmnopqrstuv";
static const unsigned char salt[SALT_LEN] = "saltsalt", tbs[TBS_LEN];
static unsigned char file[FILE_LEN];
static EVP_PKEY *issuer, *device, *subscriber, *pooled;
static EVP_PKEY_CTX *maker, *oaep;
static EVP_MD_CTX *md;
static EVP_CIPHER_CTX *cipher;
static EVP_KDF_CTX *pbkdf2, *mac_key;
static EVP_MAC_CTX *hmac;
static unsigned char issuer_sig[SIG_MAX];
static size_t issuer_sig_len;

/* ---- password to key ---- */

static int derive(EVP_KDF_CTX *c, int id, unsigned char key[KEY_LEN], struct err *e)
{
    unsigned rounds = ROUNDS;
    OSSL_PARAM p[6], *to = p;

    *to++ = OSSL_PARAM_construct_utf8_string(OSSL_KDF_PARAM_DIGEST, "SHA2-256", 0);
    *to++ = OSSL_PARAM_construct_octet_string(
        OSSL_KDF_PARAM_PASSWORD, (void *)(uintptr_t)password, PASSWORD_LEN);
    *to++ =
        OSSL_PARAM_construct_octet_string(OSSL_KDF_PARAM_SALT, (void *)(uintptr_t)salt, SALT_LEN);
    *to++ = OSSL_PARAM_construct_uint(OSSL_KDF_PARAM_ITER, &rounds);
    if (id != 0)
        *to++ = OSSL_PARAM_construct_int(OSSL_KDF_PARAM_PKCS12_ID, &id);
    *to = OSSL_PARAM_construct_end();
    return EVP_KDF_derive(c, key, KEY_LEN, p) == 1 ? 0 : lib_err(e, "EVP_KDF_derive");
}

/* The state after the one block that HMAC puts in front: the key, padded, with `pad` over it. */
static void hmac_state(SHA256_CTX *s, unsigned char pad)
{
    unsigned char block[SHA256_CBLOCK];

    memset(block, pad, sizeof block);
    for (size_t i = 0; i < PASSWORD_LEN; i++)
        block[i] ^= password[i];
    (void)SHA256_Init(s);
    SHA256_Transform(s, block);
}

static void put_words(unsigned char *out, const SHA_LONG h[8])
{
    for (size_t i = 0; i < 8; i++)
        for (size_t j = 0; j < 4; j++)
            out[4 * i + j] = (unsigned char)(h[i] >> (24 - 8 * j));
}

/* One SHA-256 over a block of 64 bytes and a message that is padded for 64 + len of them. */
static void finish(const SHA256_CTX *start, unsigned char block[SHA256_CBLOCK], unsigned char *out)
{
    SHA256_CTX s = *start;

    SHA256_Transform(&s, block);
    put_words(out, s.h);
}

/* PBKDF2 with HMAC-SHA-256 (RFC 8018 5.2), one block of output. */
static void derive_low(unsigned char key[KEY_LEN])
{
    SHA256_CTX in, out;
    unsigned char a[SHA256_CBLOCK] = { 0 }, b[SHA256_CBLOCK] = { 0 };

    hmac_state(&in, 0x36);
    hmac_state(&out, 0x5c);
    memcpy(a, salt, SALT_LEN);
    a[SALT_LEN + 3] = 1;
    a[SALT_LEN + 4] = 0x80;
    a[62] = (64 + SALT_LEN + 4) * 8 / 256; /* length in bits, big-endian */
    a[63] = (64 + SALT_LEN + 4) * 8 % 256;
    b[32] = 0x80;
    b[62] = (64 + 32) * 8 / 256;
    b[63] = (64 + 32) * 8 % 256;
    finish(&in, a, b);
    memset(a, 0, sizeof a);
    memcpy(a + 32, b + 32, 32);
    memset(key, 0, KEY_LEN);
    for (unsigned i = 0;; i++) {
        finish(&out, b, a);
        for (size_t k = 0; k < KEY_LEN; k++)
            key[k] ^= a[k];
        if (i + 1 == ROUNDS)
            break;
        finish(&in, a, b);
    }
}

/* ---- one request ---- */

static int sign(struct lib *l, EVP_PKEY *key, struct err *e)
{
    unsigned char sig[SIG_MAX];
    size_t len = sizeof sig;

    if (EVP_DigestSignInit_ex(md, NULL, "SHA2-256", l->ctx, NULL, key, NULL) != 1
        || EVP_DigestSign(md, sig, &len, tbs, sizeof tbs) != 1)
        return lib_err(e, "signature");
    return 0;
}

static int make_key(struct err *e)
{
    EVP_PKEY_free(subscriber);
    subscriber = NULL;
    return EVP_PKEY_generate(maker, &subscriber) == 1 ? 0 : lib_err(e, "EVP_PKEY_generate");
}

static int check(struct lib *l, struct err *e)
{
    if (EVP_DigestVerifyInit_ex(md, NULL, "SHA2-256", l->ctx, NULL, issuer, NULL) != 1
        || EVP_DigestVerify(md, issuer_sig, issuer_sig_len, tbs, sizeof tbs) != 1)
        return lib_err(e, "verification");
    return 0;
}

static int encrypt(const EVP_CIPHER *c, const unsigned char *key, const unsigned char *in, int len,
    unsigned char *out, struct err *e)
{
    static const unsigned char iv[16];
    int n, tail;

    if (EVP_EncryptInit_ex2(cipher, c, key, iv, NULL) != 1
        || EVP_EncryptUpdate(cipher, out, &n, in, len) != 1
        || EVP_EncryptFinal_ex(cipher, out + n, &tail) != 1)
        return lib_err(e, "encryption");
    return 0;
}

static int make_file(struct lib *l, bool low, int derivations, struct err *e)
{
    unsigned char key[KEY_LEN], tag[SHA256_DIGEST_LENGTH];
    size_t len;

    for (int i = 0; i < derivations; i++)
        if (low)
            derive_low(key);
        else if (derive(pbkdf2, 0, key, e) != 0)
            return -1;
    if (encrypt(l->aes256_cbc, key, file, SAFE_LEN, file, e) != 0
        || encrypt(l->aes256_cbc, key, file + SAFE_LEN + 16, BAG_LEN, file + SAFE_LEN + 16, e) != 0
        || derive(mac_key, 3, key, e) != 0)
        return -1;
    if (EVP_MAC_init(hmac, key, sizeof key, NULL) != 1
        || EVP_MAC_update(hmac, file, sizeof file) != 1
        || EVP_MAC_final(hmac, tag, &len, sizeof tag) != 1)
        return lib_err(e, "MAC");
    return 0;
}

static int envelope(struct lib *l, struct err *e)
{
    unsigned char content[KEY_LEN], out[64], wrapped[256];
    size_t len = sizeof wrapped;

    if (lib_random(l, content, sizeof content, e) != 0
        || encrypt(l->aes256_gcm, content, password, PASSWORD_LEN, out, e) != 0)
        return -1;
    if (EVP_PKEY_encrypt(oaep, wrapped, &len, content, sizeof content) != 1)
        return lib_err(e, "RSA-OAEP");
    return 0;
}

static int request(struct lib *l, EVP_PKEY *key, bool low, int derivations, struct err *e)
{
    static unsigned char text[2 * FILE_LEN];

    if (sign(l, key, e) != 0 || check(l, e) != 0 || make_file(l, low, derivations, e) != 0
        || envelope(l, e) != 0)
        return -1;
    (void)EVP_EncodeBlock(text, tbs, TBS_LEN);
    (void)EVP_EncodeBlock(text, file, FILE_LEN);
    (void)EVP_EncodeBlock(text, file, CHAIN_LEN);
    return 0;
}

static int evp_two(struct lib *l, struct err *e)
{
    return make_key(e) == 0 ? request(l, subscriber, false, 2, e) : -1;
}

static int evp_one(struct lib *l, struct err *e)
{
    return make_key(e) == 0 ? request(l, subscriber, false, 1, e) : -1;
}

static int low_two(struct lib *l, struct err *e)
{
    return make_key(e) == 0 ? request(l, subscriber, true, 2, e) : -1;
}

static int low_one(struct lib *l, struct err *e)
{
    return make_key(e) == 0 ? request(l, subscriber, true, 1, e) : -1;
}

static int rsa_two(struct lib *l, struct err *e)
{
    return request(l, pooled, false, 2, e);
}

const struct op floor_bare_ops[] = {
    { "p256-bare", "P-256 request, EVP primitives, two PBKDF2", evp_two, false },
    { "p256-bare-one", "P-256 request, EVP primitives, one PBKDF2 for both safes", evp_one, false },
    { "p256-low", "P-256 request, bare SHA-256 loop, two PBKDF2", low_two, false },
    { "p256-low-one", "P-256 request, bare SHA-256 loop, one PBKDF2", low_one, false },
    { "rsa2048-bare", "RSA-2048 request without making the key, EVP, two PBKDF2", rsa_two, false },
    { NULL, NULL, NULL, false },
};

/* ---- made once ---- */

static EVP_KDF_CTX *kdf(EVP_KDF *k)
{
    return k != NULL ? EVP_KDF_CTX_new(k) : NULL;
}

static bool open_keys(struct lib *l)
{
    issuer_sig_len = sizeof issuer_sig;
    issuer = EVP_PKEY_Q_keygen(l->ctx, NULL, "EC", "P-256");
    device = EVP_PKEY_Q_keygen(l->ctx, NULL, "RSA", (size_t)2048);
    pooled = EVP_PKEY_Q_keygen(l->ctx, NULL, "RSA", (size_t)2048);
    maker = EVP_PKEY_CTX_new_from_name(l->ctx, "EC", NULL);
    oaep = device != NULL ? EVP_PKEY_CTX_new_from_pkey(l->ctx, device, NULL) : NULL;
    return issuer != NULL && pooled != NULL && maker != NULL && oaep != NULL
           && EVP_PKEY_keygen_init(maker) == 1 && EVP_PKEY_CTX_set_group_name(maker, "P-256") == 1
           && EVP_PKEY_encrypt_init(oaep) == 1
           && EVP_PKEY_CTX_set_rsa_padding(oaep, RSA_PKCS1_OAEP_PADDING) == 1
           && EVP_PKEY_CTX_set_rsa_oaep_md(oaep, l->sha256) == 1
           && EVP_PKEY_CTX_set_rsa_mgf1_md(oaep, l->sha256) == 1
           && EVP_DigestSignInit_ex(md, NULL, "SHA2-256", l->ctx, NULL, issuer, NULL) == 1
           && EVP_DigestSign(md, issuer_sig, &issuer_sig_len, tbs, sizeof tbs) == 1;
}

int floor_bare_open(struct lib *l, struct err *e)
{
    char sha256[] = "SHA2-256";
    const OSSL_PARAM p[] = { OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST, sha256, 0),
        OSSL_PARAM_construct_end() };
    unsigned char by_evp[KEY_LEN], by_loop[KEY_LEN];

    md = EVP_MD_CTX_new();
    cipher = EVP_CIPHER_CTX_new();
    pbkdf2 = kdf(l->pbkdf2);
    mac_key = kdf(l->pkcs12kdf);
    hmac = EVP_MAC_CTX_new(l->hmac);
    if (md == NULL || cipher == NULL || pbkdf2 == NULL || mac_key == NULL || hmac == NULL
        || EVP_MAC_CTX_set_params(hmac, p) != 1 || !open_keys(l))
        return lib_err(e, "contexts for the floor");
    if (derive(pbkdf2, 0, by_evp, e) != 0)
        return -1;
    derive_low(by_loop);
    if (CRYPTO_memcmp(by_evp, by_loop, KEY_LEN) != 0) /* a wrong floor is none */
        return err_set(e, ERR_CRYPTO, "the SHA-256 loop derives another key than EVP");
    return 0;
}

void floor_bare_close(void)
{
    EVP_PKEY_free(subscriber);
    EVP_PKEY_free(pooled);
    EVP_PKEY_free(issuer);
    EVP_PKEY_free(device);
    EVP_PKEY_CTX_free(maker);
    EVP_PKEY_CTX_free(oaep);
    EVP_MD_CTX_free(md);
    EVP_CIPHER_CTX_free(cipher);
    EVP_KDF_CTX_free(pbkdf2);
    EVP_KDF_CTX_free(mac_key);
    EVP_MAC_CTX_free(hmac);
}
