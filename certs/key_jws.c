/* see key_jws.h */
#include "certs/key_jws.h"
#include "certs/der.h"
#include "certs/key_inner.h"
#include <openssl/evp.h>
#include <openssl/rsa.h>

const char *key_jws_name(const struct key *k)
{
    if (key_type_is_rsa(k->type))
        return "PS256";
    switch (k->type) {
    case KEY_P256:
        return "ES256";
    case KEY_P384:
        return "ES384";
    case KEY_P521:
        return "ES512";
    default:
        return NULL;
    }
}

static const EVP_MD *hash_of(const struct lib *l, enum key_type t)
{
    return t == KEY_P384 ? l->sha384 : t == KEY_P521 ? l->sha512 : l->sha256;
}

static int sign_pss(
    struct lib *l, struct key *k, struct view digest, struct buf *out, struct err *e)
{
    uint8_t signature[KEY_RSA_LEN_MAX];
    size_t len = sizeof signature;
    EVP_PKEY_CTX *ctx;
    bool good;

    if (key_op_begin(l, k, e) != 0)
        return -1;
    good = (ctx = EVP_PKEY_CTX_new_from_pkey(l->ctx, k->pkey, NULL)) != NULL
           && EVP_PKEY_sign_init(ctx) == 1
           && EVP_PKEY_CTX_set_rsa_padding(ctx, RSA_PKCS1_PSS_PADDING) == 1
           && EVP_PKEY_CTX_set_signature_md(ctx, l->sha256) == 1
           && EVP_PKEY_CTX_set_rsa_mgf1_md(ctx, l->sha256) == 1
           && EVP_PKEY_CTX_set_rsa_pss_saltlen(ctx, RSA_PSS_SALTLEN_DIGEST) == 1
           && EVP_PKEY_sign(ctx, signature, &len, digest.p, digest.len) == 1
           && len <= sizeof signature;
    EVP_PKEY_CTX_free(ctx);
    if (key_op_end(k, good, "PSS signature", e) != 0)
        return -1;
    buf_add(out, signature, len);
    return 0;
}

/* One INTEGER of ECDSA-Sig-Value as a coordinate-sized number. */
static int add_number(struct view *rest, size_t len, struct buf *out, struct err *e)
{
    struct der tlv;
    struct view number;

    if (der_next(rest, &tlv, e) != 0 || der_unsigned(tlv, "ECDSA-Sig-Value", &number, e) != 0)
        return -1;
    if (number.len > len)
        return err_set(e, ERR_CRYPTO, "ECDSA-Sig-Value: a number longer than the field");
    (void)buf_extend(out, len - number.len);
    buf_add_view(out, number);
    return 0;
}

static int sign_ec(struct lib *l, struct key *k, struct view digest, struct buf *out, struct err *e)
{
    struct buf signature = BUF_INIT(KEY_RSA_LEN_MAX);
    size_t len = key_kind(k->type)->len;
    struct view rest;
    struct der pair;
    int rc = -1;

    if (key_sign_digest(l, k, hash_of(l, k->type), digest, &signature, e) != 0)
        goto done;
    rest = buf_view(&signature);
    if (der_expect(&rest, DER_SEQUENCE, "ECDSA-Sig-Value", &pair, e) != 0
        || add_number(&pair.content, len, out, e) != 0
        || add_number(&pair.content, len, out, e) != 0)
        goto done;
    rc = 0;
done:
    buf_free(&signature);
    return rc;
}

static int sign_v15(
    struct lib *l, struct key *k, struct view digest, struct buf *out, struct err *e)
{
    return key_sign_digest(l, k, l->sha256, digest, out, e);
}

typedef int sign_fn(
    struct lib *l, struct key *k, struct view digest, struct buf *out, struct err *e);

static int sign(
    struct lib *l, struct key *k, struct view tbs, sign_fn *how, struct buf *out, struct err *e)
{
    uint8_t digest[EVP_MAX_MD_SIZE];
    unsigned len = 0;
    size_t start = out->len;
    int rc;

    (void)lib_reason();
    if (EVP_Digest(tbs.p, tbs.len, digest, &len, hash_of(l, k->type), NULL) != 1)
        return lib_err(e, "EVP_Digest");
    rc = how(l, k, view_of(digest, len), out, e);
    if (rc != 0 && out->len > start)
        buf_truncate(out, start);
    return rc != 0 ? -1 : buf_finish(out, start, e);
}

int key_jws_sign(struct lib *l, struct key *k, struct view tbs, struct buf *out, struct err *e)
{
    if (key_jws_name(k) == NULL)
        return err_set(e, ERR_UNSUPPORTED, "no JSON Web Signature with this kind of key");
    return sign(l, k, tbs, key_type_is_rsa(k->type) ? sign_pss : sign_ec, out, e);
}

int key_jws_sign_rs256(
    struct lib *l, struct key *k, struct view tbs, struct buf *out, struct err *e)
{
    if (!key_type_is_rsa(k->type))
        return err_set(e, ERR_UNSUPPORTED, "RS256 needs an RSA key");
    return sign(l, k, tbs, sign_v15, out, e);
}
