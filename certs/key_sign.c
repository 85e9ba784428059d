/* see key.h, key_sign */
#include "certs/der.h"
#include "certs/key_inner.h"
#include <openssl/evp.h>

struct scheme {
    const char *oid, *digest;
};

/* RFC 4055 5, RFC 5758 3.2, RFC 8410 3. */
static const struct scheme rsa[] = {
    [HASH_SHA256] = { "1.2.840.113549.1.1.11", "SHA2-256" },
    [HASH_SHA384] = { "1.2.840.113549.1.1.12", "SHA2-384" },
    [HASH_SHA512] = { "1.2.840.113549.1.1.13", "SHA2-512" },
};
static const struct scheme ecdsa[] = {
    [HASH_SHA256] = { "1.2.840.10045.4.3.2", "SHA2-256" },
    [HASH_SHA384] = { "1.2.840.10045.4.3.3", "SHA2-384" },
    [HASH_SHA512] = { "1.2.840.10045.4.3.4", "SHA2-512" },
};
static const struct scheme ed25519 = { "1.3.101.112", NULL };

static const struct scheme *scheme_of(enum key_family family, enum hash h)
{
    if (family == KEY_FAMILY_ED25519)
        return &ed25519;
    if ((unsigned)h <= HASH_NONE || (unsigned)h > HASH_SHA512)
        return NULL;
    return family == KEY_FAMILY_RSA ? &rsa[h] : &ecdsa[h];
}

static void write_signature(
    struct buf *out, const struct scheme *s, bool null_parameters, struct view signature)
{
    size_t mark = der_open(out, DER_SEQUENCE);

    der_oid_known(out, s->oid);
    if (null_parameters)
        der_null(out);
    der_close(out, mark);
    mark = der_open(out, DER_BIT_STRING);
    buf_add_byte(out, 0); /* no unused bits */
    buf_add_view(out, signature);
    der_close(out, mark);
}

int key_sign(
    struct lib *l, struct key *k, enum hash h, struct view tbs, struct buf *out, struct err *e)
{
    enum key_family family = key_kind(k->type)->family;
    const struct scheme *s = scheme_of(family, h);
    uint8_t signature[512]; /* RSA-4096 */
    size_t len = sizeof signature, start = out->len;
    EVP_MD_CTX *c;
    bool good;

    if (s == NULL)
        return err_set(e, ERR_UNSUPPORTED, "hash %d for a signature", (int)h);
    if (key_op_begin(l, k, e) != 0)
        return -1;
    good =
        (c = EVP_MD_CTX_new()) != NULL
        && EVP_DigestSignInit_ex(c, NULL, s->digest, l->ctx, NULL, k->pkey, NULL) == 1
        && EVP_DigestSign(c, signature, &len, tbs.p, tbs.len) == 1 && len != 0
        && len <= sizeof signature; /* OpenSSL 3.0 out of memory: ECDSA "succeeds" with length -1 */
    EVP_MD_CTX_free(c);
    if (key_op_end(k, good, "signature", e) != 0)
        return -1;
    write_signature(out, s, family == KEY_FAMILY_RSA, view_of(signature, len));
    return buf_finish(out, start, e);
}
