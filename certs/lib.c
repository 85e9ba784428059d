/* see lib.h */
#include "certs/lib.h"
#include "certs/mem.h"
#include <stdio.h>
#include <stdlib.h>
#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/kdf.h>
#include <openssl/provider.h>
#include <openssl/rand.h>

/* Every fetch is made even after one failed; the caller looks at all of them. */
static bool fetch_all(struct lib *l)
{
    l->sha1 = EVP_MD_fetch(l->ctx, "SHA1", NULL);
    l->sha256 = EVP_MD_fetch(l->ctx, "SHA2-256", NULL);
    l->sha384 = EVP_MD_fetch(l->ctx, "SHA2-384", NULL);
    l->sha512 = EVP_MD_fetch(l->ctx, "SHA2-512", NULL);
    l->aes256_gcm = EVP_CIPHER_fetch(l->ctx, "AES-256-GCM", NULL);
    l->aes256_cbc = EVP_CIPHER_fetch(l->ctx, "AES-256-CBC", NULL);
    l->des3_cbc = EVP_CIPHER_fetch(l->ctx, "DES-EDE3-CBC", NULL);
    l->aes128_cbc = EVP_CIPHER_fetch(l->ctx, "AES-128-CBC", NULL);
    l->aes192_cbc = EVP_CIPHER_fetch(l->ctx, "AES-192-CBC", NULL);
    l->pbkdf2 = EVP_KDF_fetch(l->ctx, OSSL_KDF_NAME_PBKDF2, NULL);
    l->pkcs12kdf = EVP_KDF_fetch(l->ctx, "PKCS12KDF", NULL);
    l->hkdf = EVP_KDF_fetch(l->ctx, OSSL_KDF_NAME_HKDF, NULL);
    l->hmac = EVP_MAC_fetch(l->ctx, OSSL_MAC_NAME_HMAC, NULL);
    return l->sha1 != NULL && l->sha256 != NULL && l->sha384 != NULL && l->sha512 != NULL
           && l->aes256_gcm != NULL && l->aes256_cbc != NULL && l->des3_cbc != NULL
           && l->aes128_cbc != NULL && l->aes192_cbc != NULL && l->pbkdf2 != NULL
           && l->pkcs12kdf != NULL && l->hkdf != NULL && l->hmac != NULL;
}

/*
 * A fresh OSSL_LIB_CTX would load the default provider by itself at the first fetch, but under a lock
 * that every later fetch takes again; loaded by name it also fails here and not in the middle of work.
 */
struct lib *lib_new(struct err *e)
{
    struct lib *l = mem_try(1, sizeof *l);

    if (l == NULL) {
        err_set(e, ERR_NOMEM, "no memory for a cryptographic context");
        return NULL;
    }
    if ((l->ctx = OSSL_LIB_CTX_new()) == NULL) {
        lib_err(e, "OSSL_LIB_CTX_new");
        goto failed;
    }
    if ((l->provider = OSSL_PROVIDER_load(l->ctx, "default")) == NULL) {
        lib_err(e, "OpenSSL's default provider");
        goto failed;
    }
    if ((l->bn = BN_CTX_secure_new_ex(l->ctx)) == NULL || !fetch_all(l)) {
        lib_err(e, "fetch of algorithms");
        goto failed;
    }
    return l;
failed:
    lib_free(l);
    return NULL;
}

void lib_free(struct lib *l)
{
    if (l == NULL)
        return;
    if (l->cache_free != NULL)
        l->cache_free(l->cache);
    if (l->shelf_free != NULL)
        l->shelf_free(l->shelf);
    if (l->spkis_free != NULL)
        l->spkis_free(l->spkis);
    EVP_MD_free(l->sha1);
    EVP_MD_free(l->sha256);
    EVP_MD_free(l->sha384);
    EVP_MD_free(l->sha512);
    EVP_CIPHER_free(l->aes256_gcm);
    EVP_CIPHER_free(l->aes256_cbc);
    EVP_CIPHER_free(l->des3_cbc);
    EVP_CIPHER_free(l->aes128_cbc);
    EVP_CIPHER_free(l->aes192_cbc);
    EVP_KDF_free(l->pbkdf2);
    EVP_KDF_free(l->pkcs12kdf);
    EVP_KDF_free(l->hkdf);
    EVP_MAC_free(l->hmac);
    BN_CTX_free(l->bn);
    if (l->provider != NULL)
        OSSL_PROVIDER_unload(l->provider);
    OSSL_LIB_CTX_free(l->ctx);
    free(l);
}

int lib_random(struct lib *l, void *out, size_t len, struct err *e)
{
    if (len != 0 && RAND_priv_bytes_ex(l->ctx, out, len, 0) != 1) {
        mem_wipe(out, len);
        return lib_err(e, "RAND_priv_bytes_ex");
    }
    return 0;
}

static int digest(const EVP_MD *md, struct view in, uint8_t *out, struct err *e)
{
    uint8_t whole[EVP_MAX_MD_SIZE];
    unsigned len = 0;

    if (EVP_Digest(in.p, in.len, whole, &len, md, NULL) != 1)
        return lib_err(e, "EVP_Digest");
    for (unsigned i = 0; i < len; i++)
        out[i] = whole[i];
    return 0;
}

int lib_sha256(struct lib *l, struct view in, uint8_t *out, struct err *e)
{
    return digest(l->sha256, in, out, e);
}

int lib_sha1(struct lib *l, struct view in, uint8_t *out, struct err *e)
{
    return digest(l->sha1, in, out, e);
}

int lib_md5(struct lib *l, struct view in, uint8_t *out, struct err *e)
{
    EVP_MD *md = EVP_MD_fetch(l->ctx, "MD5", NULL);
    int rc = md != NULL ? digest(md, in, out, e) : lib_err(e, "EVP_MD_fetch");

    EVP_MD_free(md);
    return rc;
}

/* Empties this thread's queue; returns the last error in it, 0 if there was none. */
static unsigned long drain(bool *no_memory)
{
    unsigned long code, last = 0;

    *no_memory = mem_openssl_was_out();
    while ((code = ERR_get_error()) != 0) {
        if (ERR_GET_REASON(code) == ERR_R_MALLOC_FAILURE)
            *no_memory = true;
        last = code;
    }
    return last;
}

/* "rsa routines: data too large"; system errors have a number only. */
static const char *reason_text(unsigned long code)
{
    static _Thread_local char text[160];
    const char *library = ERR_lib_error_string(code), *reason = ERR_reason_error_string(code);

    if (code == 0)
        return "no reason given";
    if (reason == NULL) {
        ERR_error_string_n(code, text, sizeof text);
        return text;
    }
    (void)snprintf(text, sizeof text, "%s: %s", library != NULL ? library : "OpenSSL", reason);
    return text;
}

const char *lib_reason(void)
{
    bool no_memory;

    return reason_text(drain(&no_memory));
}

int lib_err_at(struct err *e, const char *where, const char *what)
{
    bool no_memory;
    const char *reason = reason_text(drain(&no_memory));

    return err_set_at(e, no_memory ? ERR_NOMEM : ERR_CRYPTO, where, "%s: %s", what, reason);
}

const char *lib_version(void)
{
    return OpenSSL_version(OPENSSL_VERSION);
}
