/*
 * see verify.h
 *
 * The digest is made here and EVP_PKEY_verify asked about it: EVP_DigestVerify fetches the algorithms anew for
 * every signature, which costs as much as the RSA operation.
 */
#include "certs/verify.h"
#include "certs/algorithm.h"
#include "certs/spki.h"
#include <openssl/evp.h>
#include <openssl/rsa.h>

enum { RSA_BITS_MIN = 1024, RSA_BITS_MAX = 16384, SALT_MAX = 512 };

/* ---- hashes ---- */

static const struct {
    const char *name, *oid;
} digests[] = {
    [DIGEST_NONE] = { "none", NULL },
    [DIGEST_SHA1] = { "sha1", "1.3.14.3.2.26" },
    [DIGEST_SHA256] = { "sha256", "2.16.840.1.101.3.4.2.1" },
    [DIGEST_SHA384] = { "sha384", "2.16.840.1.101.3.4.2.2" },
    [DIGEST_SHA512] = { "sha512", "2.16.840.1.101.3.4.2.3" },
};
#define DIGEST_COUNT (sizeof digests / sizeof *digests)

const char *digest_name(enum digest d)
{
    return digests[(unsigned)d < DIGEST_COUNT ? d : DIGEST_NONE].name;
}

const char *digest_oid(enum digest d)
{
    return digests[(unsigned)d < DIGEST_COUNT ? d : DIGEST_NONE].oid;
}

const EVP_MD *digest_md(const struct lib *l, enum digest d)
{
    switch (d) {
    case DIGEST_SHA1:
        return l->sha1;
    case DIGEST_SHA256:
        return l->sha256;
    case DIGEST_SHA384:
        return l->sha384;
    case DIGEST_SHA512:
        return l->sha512;
    case DIGEST_NONE:
        break;
    }
    return NULL;
}

/* RFC 5754 2: Implementations MUST accept [...] with absent parameters as well as NULL parameters. */
int digest_read(struct view algorithm, enum digest *d, struct err *e)
{
    struct algorithm a;

    if (algorithm_read(algorithm, "hash", &a, e) != 0)
        return -1;
    for (unsigned i = DIGEST_SHA1; i < DIGEST_COUNT; i++) {
        if (!der_is_oid(a.oid, digests[i].oid))
            continue;
        if (!algorithm_plain(&a))
            return err_set(e, ERR_PROTO, "%s with parameters", digests[i].name);
        *d = (enum digest)i;
        return 0;
    }
    return algorithm_refuse(&a, "hash", e);
}

int digest_of(
    struct lib *l, enum digest d, struct view in, uint8_t out[64], size_t *len, struct err *e)
{
    const EVP_MD *md = digest_md(l, d);
    unsigned count = 0;

    if (md == NULL)
        return err_set(e, ERR_UNSUPPORTED, "hash %d", (int)d);
    (void)lib_reason();
    if (EVP_Digest(in.p, in.len, out, &count, md, NULL) != 1)
        return lib_err(e, "EVP_Digest");
    *len = count;
    return 0;
}

/* [0] { hash } or SHA-1 */
static int read_tagged_hash(struct view *params, enum digest *d, struct err *e)
{
    struct der wrap;

    *d = DIGEST_SHA1;
    if (!der_peek(*params, DER_CONTEXTC | 0))
        return 0;
    if (der_next(params, &wrap, e) != 0)
        return -1;
    return digest_read(wrap.content, d, e);
}

/* [1] { MGF1, hash } or MGF1 with SHA-1 */
static int read_tagged_mask(struct view *params, enum digest *d, struct err *e)
{
    struct algorithm mask;
    struct der wrap;

    *d = DIGEST_SHA1;
    if (!der_peek(*params, DER_CONTEXTC | 1))
        return 0;
    if (der_next(params, &wrap, e) != 0
        || algorithm_read(wrap.content, "mask generation", &mask, e) != 0)
        return -1;
    if (!der_is_oid(mask.oid, "1.2.840.113549.1.1.8"))
        return algorithm_refuse(&mask, "mask generation", e);
    return digest_read(mask.params, d, e);
}

int digest_read_rsa(struct view *params, enum digest *d, struct err *e)
{
    enum digest hash, mask;

    if (read_tagged_hash(params, &hash, e) != 0 || read_tagged_mask(params, &mask, e) != 0)
        return -1;
    if (hash != mask)
        return err_set(e, ERR_UNSUPPORTED, "RSA padding with %s and a mask of %s",
            digest_name(hash), digest_name(mask));
    *d = hash;
    return 0;
}

/* ---- signature algorithms ---- */

enum family { RSA_PKCS1, RSA_PSS, ECDSA };
struct scheme {
    const char *oid;
    enum family family;
    enum digest digest; /* NONE: does not name it */
};
static const struct scheme schemes[] = {
    { "1.2.840.113549.1.1.1", RSA_PKCS1, DIGEST_NONE }, /* RFC 3370 3.2: rsaEncryption */
    { "1.2.840.113549.1.1.11", RSA_PKCS1, DIGEST_SHA256 },
    { "1.2.840.113549.1.1.12", RSA_PKCS1, DIGEST_SHA384 },
    { "1.2.840.113549.1.1.13", RSA_PKCS1, DIGEST_SHA512 },
    { "1.2.840.113549.1.1.5", RSA_PKCS1, DIGEST_SHA1 },
    { "1.2.840.113549.1.1.10", RSA_PSS, DIGEST_NONE },
    { "1.2.840.10045.4.3.2", ECDSA, DIGEST_SHA256 },
    { "1.2.840.10045.4.3.3", ECDSA, DIGEST_SHA384 },
    { "1.2.840.10045.4.3.4", ECDSA, DIGEST_SHA512 },
    { "1.2.840.10045.4.1", ECDSA, DIGEST_SHA1 },
};

struct how { /* one signature is to be verified */
    enum family family;
    enum digest digest;
    int salt_len;
};

/* RSASSA-PSS-params (RFC 4055 3.1): hash, mask, [2] salt length DEFAULT 20, [3] trailer DEFAULT 1. */
static int read_pss(struct view params, struct how *how, struct err *e)
{
    struct der seq, wrap, number;
    struct view value;

    if (der_expect(&params, DER_SEQUENCE, "RSA-PSS", &seq, e) != 0
        || digest_read_rsa(&seq.content, &how->digest, e) != 0)
        return -1;
    how->salt_len = 20;
    if (der_peek(seq.content, DER_CONTEXTC | 2)) {
        if (der_next(&seq.content, &wrap, e) != 0
            || der_expect(&wrap.content, DER_INTEGER, "salt length", &number, e) != 0
            || der_end(wrap.content, "salt length", e) != 0
            || der_unsigned(number, "salt length", &value, e) != 0)
            return -1;
        how->salt_len = 0;
        for (size_t i = 0; i < value.len && how->salt_len <= SALT_MAX; i++)
            how->salt_len = how->salt_len << 8 | value.p[i];
        if (how->salt_len > SALT_MAX)
            return err_set(e, ERR_UNSUPPORTED, "RSA-PSS with a salt of over %d bytes", SALT_MAX);
    }
    if (der_peek(seq.content, DER_CONTEXTC | 3)) {
        if (der_next(&seq.content, &wrap, e) != 0)
            return -1;
        if (!view_equal(wrap.content, view_of("\x02\x01\x01", 3)))
            return err_set(e, ERR_UNSUPPORTED, "RSA-PSS with another trailer field");
    }
    return der_end(seq.content, "RSA-PSS", e);
}

static const struct scheme *find_scheme(struct der oid)
{
    for (size_t i = 0; i < sizeof schemes / sizeof *schemes; i++)
        if (der_is_oid(oid, schemes[i].oid))
            return &schemes[i];
    return NULL;
}

static int read_how(struct view algorithm, enum digest digest, struct how *how, struct err *e)
{
    const struct scheme *s;
    struct algorithm a;

    if (algorithm_read(algorithm, "signature algorithm", &a, e) != 0)
        return -1;
    if ((s = find_scheme(a.oid)) == NULL)
        return algorithm_refuse(&a, "signature algorithm", e);
    *how = (struct how){ .family = s->family, .digest = s->digest };
    if (s->family == RSA_PSS) {
        if (read_pss(a.params, how, e) != 0)
            return -1;
    } else if (!algorithm_plain(&a)) {
        return err_set(e, ERR_PROTO, "signature algorithm: parameters other than NULL");
    }
    if (how->digest == DIGEST_NONE)
        how->digest = digest;
    if (how->digest == DIGEST_NONE)
        return err_set(e, ERR_UNSUPPORTED, "a signature algorithm that names no hash");
    if (digest != DIGEST_NONE && digest != how->digest)
        return err_set(e, ERR_UNSUPPORTED, "a signature algorithm with %s over a digest with %s",
            digest_name(how->digest), digest_name(digest));
    return 0;
}

/* ---- keys ---- */

/* An exponent of 1 verifies whatever is sent; a huge modulus would cost seconds. */
static int check_key(const struct spki *key, const struct how *how, struct err *e)
{
    struct view power = key->exponent;

    if (key->ec != (how->family == ECDSA))
        return err_set(e, ERR_UNSUPPORTED, "an %s key and a signature algorithm of the other kind",
            key->ec ? "EC" : "RSA");
    if (key->ec)
        return 0;
    if (key->bits < RSA_BITS_MIN || key->bits > RSA_BITS_MAX)
        return err_set(e, ERR_UNSUPPORTED, "an RSA key of %zu bits, %d to %d are accepted",
            key->bits, RSA_BITS_MIN, RSA_BITS_MAX);
    if (power.len == 0 || power.p[power.len - 1] % 2 == 0 || (power.len == 1 && power.p[0] == 1))
        return err_set(e, ERR_UNSUPPORTED, "an RSA key whose exponent is none");
    return 0;
}

static bool set_padding(EVP_PKEY_CTX *ctx, const struct how *how, const EVP_MD *md)
{
    if (how->family == RSA_PKCS1 && EVP_PKEY_CTX_set_rsa_padding(ctx, RSA_PKCS1_PADDING) != 1)
        return false;
    if (how->family == RSA_PSS && EVP_PKEY_CTX_set_rsa_padding(ctx, RSA_PKCS1_PSS_PADDING) != 1)
        return false;
    if (EVP_PKEY_CTX_set_signature_md(ctx, md) != 1)
        return false;
    return how->family != RSA_PSS
           || (EVP_PKEY_CTX_set_rsa_mgf1_md(ctx, md) == 1
               && EVP_PKEY_CTX_set_rsa_pss_saltlen(ctx, how->salt_len) == 1);
}

/* OpenSSL answers 0 or less to a wrong signature as well as to a lack of memory; only the latter is told apart. */
static int verify_digest(struct lib *l, EVP_PKEY *key, const struct how *how, struct view digest,
    struct view signature, struct err *e)
{
    EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_pkey(l->ctx, key, NULL);
    struct err why;
    int rc = -1;

    if (ctx == NULL || EVP_PKEY_verify_init(ctx) != 1
        || !set_padding(ctx, how, digest_md(l, how->digest))) {
        lib_err(e, "signature");
    } else if (EVP_PKEY_verify(ctx, signature.p, signature.len, digest.p, digest.len) == 1) {
        rc = 0;
    } else {
        lib_err(&why, "signature");
        if (why.cls == ERR_NOMEM)
            *e = why;
        else
            err_set(e, ERR_MISMATCH, "the signature is wrong");
    }
    EVP_PKEY_CTX_free(ctx);
    return rc;
}

int verify_signature(struct lib *l, struct view spki, struct view algorithm, enum digest digest,
    struct view tbs, struct view signature, enum digest *used, struct err *e)
{
    struct spki parsed;
    struct how how;
    uint8_t hash[64];
    size_t len;
    EVP_PKEY *key;
    int rc;

    if (read_how(algorithm, digest, &how, e) != 0 || spki_parse(spki, &parsed, e) != 0
        || check_key(&parsed, &how, e) != 0 || digest_of(l, how.digest, tbs, hash, &len, e) != 0
        || (key = spki_key(l, &parsed, e)) == NULL)
        return -1;
    rc = verify_digest(l, key, &how, view_of(hash, len), signature, e);
    EVP_PKEY_free(key);
    if (rc == 0 && used != NULL)
        *used = how.digest;
    return rc;
}
