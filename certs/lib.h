#ifndef CERTS_LIB_H
#define CERTS_LIB_H
#include <openssl/types.h>
#include "certs/buf.h"

/*
 * lib.h - one private instance of the cryptographic library.
 *
 * With OpenSSL 3.0 two threads that share a library context are slower than one, and every implicit
 * fetch takes its locks.  So each thread has a struct lib of its own with the algorithms fetched
 * once, and passes it as first argument.
 *
 * Threads: a lib belongs to the thread that uses it; it may be made and freed by another.
 */
struct lib {
    OSSL_LIB_CTX *ctx;
    OSSL_PROVIDER *provider; /* "default"; "legacy" is never loaded, openssl.cnf is not read */
    EVP_MD *sha1, *sha256, *sha384, *sha512;
    EVP_CIPHER *aes256_gcm, *aes256_cbc, *des3_cbc;
    EVP_CIPHER *aes128_cbc, *aes192_cbc;
    EVP_KDF *pbkdf2, *pkcs12kdf, *hkdf;
    EVP_MAC *hmac;
    BN_CTX *bn;
    /* Parsed trust anchors, private to check.c, which sets both; lib_free calls the second. */
    struct lib_cache *cache;
    void (*cache_free)(struct lib_cache *);
    /* Keys this thread uses again and again, private to key_kept.c, in the same way. */
    struct key_shelf *shelf;
    void (*shelf_free)(struct key_shelf *);
    /* Public keys seen last, private to spki_kept.c, in the same way. */
    struct spki_shelf *spkis;
    void (*spkis_free)(struct spki_shelf *);
};

struct lib *lib_new(struct err *e) MUST; /* NULL: ERR_CRYPTO, ERR_NOMEM */
void lib_free(struct lib *l);

/* lib_random - bytes from the library's private generator.  fails ERR_CRYPTO */
int lib_random(struct lib *l, void *out, size_t len, struct err *e) MUST;

/* lib_sha256, lib_sha1 - out has 32 (20) bytes.  fails ERR_CRYPTO */
int lib_sha256(struct lib *l, struct view in, uint8_t *out, struct err *e) MUST;
/* lib_md5 - 16 bytes, for the one page that must show such a fingerprint; never for anything that counts. */
int lib_md5(struct lib *l, struct view in, uint8_t *out, struct err *e) MUST;
int lib_sha1(struct lib *l, struct view in, uint8_t *out, struct err *e) MUST;

/*
 * lib_err - after a failed call of OpenSSL: set *e to "<what>: <OpenSSL's reason>" and forget the
 * reasons.  Returns -1.  The class is ERR_NOMEM if memory was out (worth another try), else ERR_CRYPTO.
 */
#define lib_err(e, what) lib_err_at((e), __FILE__ ":" ERR_STR(__LINE__), (what))
int lib_err_at(struct err *e, const char *where, const char *what);

/* lib_reason - the last OpenSSL error of this thread as text, and forget the rest. */
const char *lib_reason(void);

/* lib_version - "OpenSSL 3.0.19 27 Jan 2026". */
const char *lib_version(void);
#endif
