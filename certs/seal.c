/*
 * see seal.h
 *
 * Nonces are random: with 96 bits one key may seal 2^32 values before a repetition is a concern (NIST
 * SP 800-38D 8.3).  A data key seals a handful, a wrapping key one data key a request.
 */
#include "certs/seal.h"
#include "certs/mem.h"
#include <assert.h>
#include <limits.h>
#include <openssl/core_names.h>
#include <openssl/evp.h>
#include <openssl/kdf.h>

enum { VERSION = 1, NONCE_LEN = 12, TAG_LEN = 16, HEAD_LEN = 1 + NONCE_LEN };

int seal_derive(struct lib *l, const uint8_t master[SEAL_KEY_LEN], const char *purpose,
    uint8_t out[SEAL_KEY_LEN], struct err *e)
{
    static const char salt[] = "certferry seal 1"; /* part of the stored format: never change it */
    struct view info = view_text(purpose);
    EVP_KDF_CTX *kdf = EVP_KDF_CTX_new(l->hkdf);
    uint8_t key[SEAL_KEY_LEN];
    OSSL_PARAM params[5] = {
        OSSL_PARAM_construct_utf8_string(OSSL_KDF_PARAM_DIGEST, (char *)(uintptr_t) "SHA2-256", 0),
        OSSL_PARAM_construct_octet_string(
            OSSL_KDF_PARAM_KEY, (void *)(uintptr_t)master, SEAL_KEY_LEN),
        OSSL_PARAM_construct_octet_string(
            OSSL_KDF_PARAM_SALT, (void *)(uintptr_t)salt, sizeof salt - 1),
        OSSL_PARAM_construct_octet_string(OSSL_KDF_PARAM_INFO, (void *)(uintptr_t)info.p, info.len),
        OSSL_PARAM_construct_end(),
    };
    int rc = -1;

    assert(info.len != 0);
    if (kdf == NULL || EVP_KDF_derive(kdf, key, sizeof key, params) != 1) {
        lib_err(e, "HKDF");
        goto done;
    }
    for (size_t i = 0; i < sizeof key; i++)
        out[i] = key[i];
    rc = 0;
done:
    EVP_KDF_CTX_free(kdf);
    mem_wipe(key, sizeof key);
    return rc;
}

/* The head (version and nonce) is authenticated by its use; the associated data goes in as it is. */
static bool encrypt(EVP_CIPHER_CTX *c, const EVP_CIPHER *cipher, const uint8_t *key,
    struct view aad, struct view plain, uint8_t *head)
{
    uint8_t *text = head + HEAD_LEN;
    int n;

    return EVP_EncryptInit_ex2(c, cipher, key, head + 1, NULL) == 1
           && (aad.len == 0 || EVP_EncryptUpdate(c, NULL, &n, aad.p, (int)aad.len) == 1)
           && (plain.len == 0 || EVP_EncryptUpdate(c, text, &n, plain.p, (int)plain.len) == 1)
           && EVP_EncryptFinal_ex(c, text + plain.len, &n) == 1
           && EVP_CIPHER_CTX_ctrl(c, EVP_CTRL_AEAD_GET_TAG, TAG_LEN, text + plain.len) == 1;
}

static int check_sizes(struct view aad, struct view text, struct err *e)
{
    if (aad.len > INT_MAX || text.len > INT_MAX - SEAL_OVERHEAD)
        return err_set(e, ERR_TOO_LARGE, "seal: %zu bytes", text.len);
    return 0;
}

int seal_put(struct lib *l, const uint8_t key[SEAL_KEY_LEN], struct view aad, struct view plain,
    struct buf *out, struct err *e)
{
    size_t start = out->len;
    EVP_CIPHER_CTX *c = NULL;
    uint8_t *head;
    int rc = -1;

    if (check_sizes(aad, plain, e) != 0)
        return -1;
    if ((head = buf_extend(out, plain.len + SEAL_OVERHEAD)) == NULL)
        return buf_check(out, e);
    head[0] = VERSION;
    if (lib_random(l, head + 1, NONCE_LEN, e) != 0)
        goto done;
    if ((c = EVP_CIPHER_CTX_new()) == NULL || !encrypt(c, l->aes256_gcm, key, aad, plain, head)) {
        lib_err(e, "AES-256-GCM");
        goto done;
    }
    rc = 0;
done:
    if (rc != 0)
        buf_truncate(out, start);
    EVP_CIPHER_CTX_free(c);
    return rc;
}

static bool set_up(
    EVP_CIPHER_CTX *c, const EVP_CIPHER *cipher, const uint8_t *key, struct view sealed)
{
    uint8_t tag[TAG_LEN];

    for (size_t i = 0; i < TAG_LEN; i++)
        tag[i] = sealed.p[sealed.len - TAG_LEN + i];
    return EVP_DecryptInit_ex2(c, cipher, key, sealed.p + 1, NULL) == 1
           && EVP_CIPHER_CTX_ctrl(c, EVP_CTRL_AEAD_SET_TAG, TAG_LEN, tag) == 1;
}

/* Two kinds of failure: the library could not (set_up), or the value is not what was sealed. */
int seal_get(struct lib *l, const uint8_t key[SEAL_KEY_LEN], struct view aad, struct view sealed,
    struct buf *out, struct err *e)
{
    size_t start = out->len, len;
    EVP_CIPHER_CTX *c = NULL;
    uint8_t *text;
    int n, rc = -1;

    assert(out->secret);
    if (sealed.len < SEAL_OVERHEAD || sealed.p[0] != VERSION)
        return err_set(e, ERR_CRYPTO, "sealed value: %zu bytes of an unknown form", sealed.len);
    if (check_sizes(aad, sealed, e) != 0)
        return -1;
    len = sealed.len - SEAL_OVERHEAD;
    if ((text = buf_extend(out, len)) == NULL)
        return buf_check(out, e);
    if ((c = EVP_CIPHER_CTX_new()) == NULL || !set_up(c, l->aes256_gcm, key, sealed)) {
        lib_err(e, "AES-256-GCM");
        goto done;
    }
    if ((aad.len != 0 && EVP_DecryptUpdate(c, NULL, &n, aad.p, (int)aad.len) != 1)
        || (len != 0 && EVP_DecryptUpdate(c, text, &n, sealed.p + HEAD_LEN, (int)len) != 1)
        || EVP_DecryptFinal_ex(c, text + len, &n) != 1) {
        (void)lib_reason();
        err_set(
            e, ERR_CRYPTO, "sealed value does not open: another key, another place, or altered");
        goto done;
    }
    rc = 0;
done:
    if (rc != 0)
        buf_truncate(out, start);
    EVP_CIPHER_CTX_free(c);
    return rc;
}
