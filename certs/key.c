/* see key.h, key_inner.h */
#include "certs/der.h"
#include "certs/key_inner.h"
#include "certs/mem.h"
#include <stdlib.h>
#include <string.h>
#include <openssl/core_names.h>
#include <openssl/evp.h>

#define OID_RSA     "1.2.840.113549.1.1.1"
#define OID_EC      "1.2.840.10045.2.1"
#define OID_ED25519 "1.3.101.112"

static const struct key_kind kinds[KEY_TYPE_COUNT] = {
    [KEY_NONE] = { "none", KEY_FAMILY_NONE, NULL, NULL, 0 },
    [KEY_RSA2048] = { "rsa2048", KEY_FAMILY_RSA, NULL, NULL, 256 },
    [KEY_RSA3072] = { "rsa3072", KEY_FAMILY_RSA, NULL, NULL, 384 },
    [KEY_RSA4096] = { "rsa4096", KEY_FAMILY_RSA, NULL, NULL, 512 },
    [KEY_P256] = { "ecP256", KEY_FAMILY_EC, "1.2.840.10045.3.1.7", "P-256", 32 },
    [KEY_P384] = { "ecP384", KEY_FAMILY_EC, "1.3.132.0.34", "P-384", 48 },
    [KEY_P521] = { "ecP521", KEY_FAMILY_EC, "1.3.132.0.35", "P-521", 66 },
    [KEY_ED25519] = { "ed25519", KEY_FAMILY_ED25519, NULL, NULL, 32 },
};

const struct key_kind *key_kind(enum key_type t)
{
    return &kinds[(unsigned)t < KEY_TYPE_COUNT ? t : KEY_NONE];
}

const char *key_type_name(enum key_type t)
{
    return key_kind(t)->name;
}

enum key_type key_type_from_name(const char *name)
{
    for (int t = KEY_NONE + 1; t < KEY_TYPE_COUNT; t++)
        if (strcmp(kinds[t].name, name) == 0)
            return (enum key_type)t;
    return KEY_NONE;
}

bool key_type_is_rsa(enum key_type t)
{
    return key_kind(t)->family == KEY_FAMILY_RSA;
}

/* ---- what the families share ---- */

void key_turn(uint8_t *p, size_t len)
{
    const uint16_t probe = 1;
    uint8_t first;

    memcpy(&first, &probe, 1);
    if (first == 0)
        return; /* a big-endian machine: nothing to turn */
    for (size_t i = 0; i < len / 2; i++) {
        uint8_t byte = p[i];

        p[i] = p[len - 1 - i];
        p[len - 1 - i] = byte;
    }
}

EVP_PKEY *key_fromdata(struct lib *l, const char *name, OSSL_PARAM *params, struct err *e)
{
    EVP_PKEY_CTX *c = EVP_PKEY_CTX_new_from_name(l->ctx, name, NULL);
    EVP_PKEY *pkey = NULL;

    if (c == NULL || EVP_PKEY_fromdata_init(c) != 1
        || EVP_PKEY_fromdata(c, &pkey, EVP_PKEY_KEYPAIR, params) != 1) {
        lib_err(e, "EVP_PKEY_fromdata");
        EVP_PKEY_free(pkey);
        pkey = NULL;
    }
    EVP_PKEY_CTX_free(c);
    return pkey;
}

/* RFC 3279 2.3.1: RSA has NULL parameters; RFC 5480 2.1.1: the curve; RFC 8410 3: none. */
void key_write_algorithm(struct buf *out, const struct key_kind *kind)
{
    size_t mark = der_open(out, DER_SEQUENCE);

    if (kind->family == KEY_FAMILY_RSA) {
        der_oid_known(out, OID_RSA);
        der_null(out);
    } else if (kind->family == KEY_FAMILY_EC) {
        der_oid_known(out, OID_EC);
        der_oid_known(out, kind->curve);
    } else {
        der_oid_known(out, OID_ED25519);
    }
    der_close(out, mark);
}

struct key_frame key_open_pkcs8(struct buf *out, const struct key_kind *kind)
{
    struct key_frame f;

    f.outer = der_open(out, DER_SEQUENCE);
    der_uint(out, 0); /* v1 */
    key_write_algorithm(out, kind);
    f.inner = der_open(out, DER_OCTET_STRING);
    return f;
}

void key_close_pkcs8(struct buf *out, struct key_frame f)
{
    der_close(out, f.inner);
    der_close(out, f.outer);
}

/* ---- make and read ---- */

/* Which key an AlgorithmIdentifier announces; every RSA size is KEY_RSA2048 until its modulus is read. */
static int read_algorithm(struct view content, enum key_type *t, struct err *e)
{
    struct buf text = BUF_INIT(100);
    struct der oid, param = { 0 };

    if (der_expect(&content, DER_OID, "key algorithm", &oid, e) != 0)
        return -1;
    if (content.len != 0 && der_next(&content, &param, e) != 0)
        return -1;
    if (der_end(content, "key algorithm", e) != 0)
        return -1;
    if (der_is_oid(oid, OID_RSA) && param.tag == DER_NULL && param.content.len == 0) {
        *t = KEY_RSA2048;
        return 0;
    }
    if (der_is_oid(oid, OID_ED25519) && param.tag == 0) {
        *t = KEY_ED25519;
        return 0;
    }
    for (int i = KEY_NONE + 1; i < KEY_TYPE_COUNT; i++)
        if (kinds[i].family == KEY_FAMILY_EC && der_is_oid(oid, OID_EC)
            && der_is_oid(param, kinds[i].curve)) {
            *t = (enum key_type)i;
            return 0;
        }
    der_oid_text(oid.content, &text);
    err_set(e, ERR_UNSUPPORTED, "key algorithm %s, or its parameters", buf_text(&text));
    buf_free(&text);
    return -1;
}

static int load(struct lib *l, struct view pkcs8, enum key_type *type, EVP_PKEY **pkey,
    struct buf *spki, struct err *e)
{
    struct der seq, version, algorithm, inside;
    enum key_type t = KEY_NONE;

    if (der_expect(&pkcs8, DER_SEQUENCE, "PrivateKeyInfo", &seq, e) != 0
        || der_end(pkcs8, "PrivateKeyInfo", e) != 0
        || der_expect(&seq.content, DER_INTEGER, "PrivateKeyInfo version", &version, e) != 0
        || der_expect(&seq.content, DER_SEQUENCE, "key algorithm", &algorithm, e) != 0
        || der_expect(&seq.content, DER_OCTET_STRING, "PrivateKeyInfo", &inside, e) != 0
        || der_end(seq.content, "PrivateKeyInfo", e) != 0)
        return -1;
    if (version.content.len != 1 || version.content.p[0] != 0)
        return err_set(e, ERR_UNSUPPORTED, "PrivateKeyInfo: not version 1");
    if (read_algorithm(algorithm.content, &t, e) != 0)
        return -1;
    if (kinds[t].family == KEY_FAMILY_RSA) {
        if (key_rsa_load(l, inside.content, &t, pkey, spki, e) != 0)
            return -1;
    } else if (key_ec_load(l, inside.content, t, pkey, spki, e) != 0) {
        return -1;
    }
    *type = t;
    return 0;
}

static struct key *empty_key(struct err *e)
{
    struct key *k = mem_try(1, sizeof *k);

    if (k == NULL) {
        err_set(e, ERR_NOMEM, "no memory for a key");
        return NULL;
    }
    k->pkcs8 = (struct buf)BUF_SECRET(KEY_PKCS8_MAX);
    k->spki = (struct buf)BUF_INIT(KEY_SPKI_MAX);
    return k;
}

/*
 * Sign something and verify it, as FIPS 140-3 wants of every new pair: a bit that fell over in a
 * prime search of many milliseconds must not become somebody's certificate.
 */
static int try_out(struct lib *l, struct key *k, struct err *e)
{
    static const uint8_t sample[] = "a new pair";
    EVP_MD_CTX *c = EVP_MD_CTX_new(), *v = EVP_MD_CTX_new();
    uint8_t signature[512];
    size_t len = sizeof signature;
    int rc = -1;

    if (c == NULL || v == NULL
        || EVP_DigestSignInit_ex(c, NULL, "SHA2-256", l->ctx, NULL, k->pkey, NULL) != 1
        || EVP_DigestSign(c, signature, &len, sample, sizeof sample) != 1 || len > sizeof signature
        || EVP_DigestVerifyInit_ex(v, NULL, "SHA2-256", l->ctx, NULL, k->pkey, NULL) != 1
        || EVP_DigestVerify(v, signature, len, sample, sizeof sample) != 1)
        lib_err(e, "the new key does not verify what it signed");
    else
        rc = 0;
    EVP_MD_CTX_free(c);
    EVP_MD_CTX_free(v);
    return rc;
}

struct key *key_new(struct lib *l, enum key_type t, enum keygen how, struct err *e)
{
    bool rsa = key_type_is_rsa(t);
    struct key *k;

    if (key_kind(t)->family == KEY_FAMILY_NONE) {
        err_set(e, ERR_UNSUPPORTED, "key type %d", (int)t);
        return NULL;
    }
    if ((k = empty_key(e)) == NULL)
        return NULL;
    if ((rsa ? key_rsa_make(l, t, how, &k->pkcs8, e) : key_ec_make(l, t, &k->pkcs8, e)) != 0
        || load(l, buf_view(&k->pkcs8), &k->type, &k->pkey, &k->spki, e) != 0
        || (rsa && try_out(l, k, e) != 0)) {
        key_free(k);
        return NULL;
    }
    return k;
}

struct key *key_parse(struct lib *l, struct view pkcs8, struct err *e)
{
    struct key *k = empty_key(e);

    if (k == NULL)
        return NULL;
    buf_add_view(&k->pkcs8, pkcs8);
    if (buf_check(&k->pkcs8, e) != 0 || load(l, pkcs8, &k->type, &k->pkey, &k->spki, e) != 0) {
        key_free(k);
        return NULL;
    }
    return k;
}

int key_move_lib(struct key *k, struct lib *to, struct err *e)
{
    struct buf spki = BUF_INIT(KEY_SPKI_MAX);
    EVP_PKEY *pkey = NULL;
    enum key_type t;
    int rc = load(to, buf_view(&k->pkcs8), &t, &pkey, &spki, e);

    if (rc == 0) {
        EVP_PKEY_free(k->pkey);
        k->pkey = pkey;
    }
    buf_free(&spki);
    return rc;
}

void key_free(struct key *k)
{
    if (k == NULL)
        return;
    EVP_PKEY_free(k->pkey);
    buf_free(&k->pkcs8);
    buf_free(&k->spki);
    free(k);
}

enum key_type key_type(const struct key *k)
{
    return k->type;
}

struct view key_pkcs8(const struct key *k)
{
    return buf_view(&k->pkcs8);
}

struct view key_spki(const struct key *k)
{
    return buf_view(&k->spki);
}
