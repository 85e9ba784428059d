/* see key.h: bare operations; key_inner.h: key_op_begin */
#include "certs/key_inner.h"
#include <openssl/evp.h>
#include <openssl/rsa.h>

int key_op_begin(struct lib *l, struct key *k, struct err *e)
{
    if (k->stale && key_move_lib(k, l, e) != 0)
        return -1;
    k->stale = false;
    (void)lib_reason(); /* what an earlier call left must not pass for the reason of this one */
    return 0;
}

/* The reasons are taken off OpenSSL's queue whether it failed or not: both ways are to take the same steps. */
int key_op_end(struct key *k, bool good, const char *what, struct err *e)
{
    struct err why;

    lib_err(&why, what);
    if (why.cls == ERR_NOMEM)
        k->stale = true;
    else if (good)
        return 0;
    *e = why;
    return -1;
}

int key_sign_digest(struct lib *l, struct key *k, const EVP_MD *md, struct view digest,
    struct buf *out, struct err *e)
{
    enum key_family family = key_kind(k->type)->family;
    uint8_t signature[KEY_RSA_LEN_MAX];
    size_t len = sizeof signature, start = out->len;
    EVP_PKEY_CTX *ctx;
    bool good;
    int rc;

    if (family == KEY_FAMILY_ED25519)
        return err_set(e, ERR_UNSUPPORTED, "an Ed25519 key signs no digests");
    if (key_op_begin(l, k, e) != 0)
        return -1;
    good =
        (ctx = EVP_PKEY_CTX_new_from_pkey(l->ctx, k->pkey, NULL)) != NULL
        && EVP_PKEY_sign_init(ctx) == 1
        && (family != KEY_FAMILY_RSA || EVP_PKEY_CTX_set_rsa_padding(ctx, RSA_PKCS1_PADDING) == 1)
        && EVP_PKEY_CTX_set_signature_md(ctx, md) == 1
        && EVP_PKEY_sign(ctx, signature, &len, digest.p, digest.len) == 1 && len != 0
        && len <= sizeof signature; /* OpenSSL 3.0 out of memory: ECDSA "succeeds" with length -1 */
    EVP_PKEY_CTX_free(ctx);
    if ((rc = key_op_end(k, good, "signature", e)) == 0) {
        buf_add(out, signature, len);
        rc = buf_finish(out, start, e);
    }
    return rc;
}

size_t key_rsa_len(const struct key *k)
{
    const struct key_kind *kind = key_kind(k->type);

    return kind->family == KEY_FAMILY_RSA ? kind->len : 0;
}

int key_rsa_raw(struct lib *l, struct key *k, struct view in, uint8_t *out, struct err *e)
{
    size_t want = key_rsa_len(k), len = want;
    EVP_PKEY_CTX *ctx;
    bool good;

    if (want == 0)
        return err_set(e, ERR_CRYPTO, "not an RSA key");
    if (key_op_begin(l, k, e) != 0)
        return -1;
    good = (ctx = EVP_PKEY_CTX_new_from_pkey(l->ctx, k->pkey, NULL)) != NULL
           && EVP_PKEY_decrypt_init(ctx) == 1
           && EVP_PKEY_CTX_set_rsa_padding(ctx, RSA_NO_PADDING) == 1
           && EVP_PKEY_decrypt(ctx, out, &len, in.p, in.len) == 1 && len == want;
    EVP_PKEY_CTX_free(ctx);
    return key_op_end(k, good, "RSA", e);
}

int key_rsa_oaep(struct lib *l, struct key *k, const EVP_MD *md, struct view in, uint8_t *out,
    size_t *len, struct err *e)
{
    size_t got = KEY_RSA_LEN_MAX;
    EVP_PKEY_CTX *ctx;
    bool good;

    if (key_rsa_len(k) == 0)
        return err_set(e, ERR_CRYPTO, "not an RSA key");
    if (key_op_begin(l, k, e) != 0)
        return -1;
    good = (ctx = EVP_PKEY_CTX_new_from_pkey(l->ctx, k->pkey, NULL)) != NULL
           && EVP_PKEY_decrypt_init(ctx) == 1
           && EVP_PKEY_CTX_set_rsa_padding(ctx, RSA_PKCS1_OAEP_PADDING) == 1
           && EVP_PKEY_CTX_set_rsa_oaep_md(ctx, md) == 1
           && EVP_PKEY_CTX_set_rsa_mgf1_md(ctx, md) == 1
           && EVP_PKEY_decrypt(ctx, out, &got, in.p, in.len) == 1;
    EVP_PKEY_CTX_free(ctx);
    if (key_op_end(k, good, "RSA-OAEP", e) != 0)
        return -1;
    *len = got;
    return 0;
}
