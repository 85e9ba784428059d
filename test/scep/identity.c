/* see identity.h */
#include "test/scep/identity.h"
#include "test/scep/pkcs10.h"
#include <openssl/ec.h>
#include <openssl/pem.h>
#include <openssl/rand.h>
#include <openssl/rsa.h>
#include <openssl/x509v3.h>
#include <stdio.h>
#include <string.h>

EVP_PKEY *key_make(const char *kind)
{
    if (strcmp(kind, "rsa1024") == 0)
        return need(EVP_RSA_gen(1024));
    if (strcmp(kind, "rsa2048") == 0)
        return need(EVP_RSA_gen(2048));
    if (strcmp(kind, "rsa3072") == 0)
        return need(EVP_RSA_gen(3072));
    if (strcmp(kind, "rsa4096") == 0)
        return need(EVP_RSA_gen(4096));
    if (strcmp(kind, "p256") == 0)
        return need(EVP_EC_gen("P-256"));
    if (strcmp(kind, "p384") == 0)
        return need(EVP_EC_gen("P-384"));
    return NULL;
}

static X509_NAME *name_of(const char *text)
{
    struct str der = { 0 };
    const unsigned char *p;
    X509_NAME *n;

    name_write(text, 0, false, &der);
    p = (const unsigned char *)der.p;
    n = need(d2i_X509_NAME(NULL, &p, (long)der.len));
    str_free(&der);
    return n;
}

static void set_names(X509 *x, const struct identity_plan *p)
{
    X509_NAME *subject = name_of(p->subject);
    X509_NAME *issuer = name_of(p->issuer == NULL ? p->subject : p->issuer);

    need(X509_set_subject_name(x, subject) == 1 && X509_set_issuer_name(x, issuer) == 1 ? x : NULL);
    X509_NAME_free(subject);
    X509_NAME_free(issuer);
}

static void add(X509 *x, int nid, const char *value)
{
    X509V3_CTX ctx;
    X509_EXTENSION *e;

    X509V3_set_ctx(&ctx, x, x, NULL, NULL, 0);
    e = need(X509V3_EXT_conf_nid(NULL, &ctx, nid, value));
    need(X509_add_ext(x, e, -1) == 1 ? x : NULL);
    X509_EXTENSION_free(e);
}

/* Critical, which no standard wants and Windows does; OpenSSL's words for it cannot say that. */
static void add_critical_aki(X509 *x)
{
    X509_EXTENSION *e;
    int at;

    add(x, NID_subject_key_identifier, "hash");
    add(x, NID_authority_key_identifier, "keyid:always");
    at = X509_get_ext_by_NID(x, NID_authority_key_identifier, -1);
    e = X509_get_ext(x, at);
    need(X509_EXTENSION_set_critical(e, 1) == 1 ? e : NULL);
}

X509 *identity_make(const struct identity_plan *p)
{
    X509 *x = need(X509_new());
    int64_t from = p->from_s == 0 && p->until_s == 0 ? -3600 : p->from_s;
    int64_t until = p->from_s == 0 && p->until_s == 0 ? 86400 : p->until_s;
    unsigned char serial[8];
    BIGNUM *n;

    need(RAND_bytes(serial, sizeof serial) == 1 ? x : NULL);
    serial[0] = (unsigned char)((serial[0] & 0x3f) | 0x40);
    n = need(BN_bin2bn(serial, sizeof serial, NULL));
    need(BN_to_ASN1_INTEGER(n, X509_get_serialNumber(x)));
    BN_free(n);
    set_names(x, p);
    need(X509_set_version(x, X509_VERSION_3) == 1 && X509_set_pubkey(x, p->key) == 1
                 && X509_gmtime_adj(X509_getm_notBefore(x), (long)from) != NULL
                 && X509_gmtime_adj(X509_getm_notAfter(x), (long)until) != NULL
             ? x
             : NULL);
    if (p->critical_aki)
        add_critical_aki(x);
    else if (p->key_id)
        add(x, NID_subject_key_identifier, "hash");
    if (p->ca)
        add(x, NID_basic_constraints, "critical,CA:TRUE");
    need(X509_sign(x, p->issuer_key == NULL ? p->key : p->issuer_key,
             p->md == NULL ? EVP_sha256() : p->md)
                 > 0
             ? x
             : NULL);
    return x;
}

/* ---- files ---- */

bool cert_load(const char *path, X509 **x)
{
    FILE *f = fopen(path, "r");

    *x = f == NULL ? NULL : PEM_read_X509(f, NULL, NULL, NULL);
    if (f != NULL)
        fclose(f);
    return *x != NULL;
}

bool key_load(const char *path, EVP_PKEY **key)
{
    FILE *f = fopen(path, "r");

    *key = f == NULL ? NULL : PEM_read_PrivateKey(f, NULL, NULL, NULL);
    if (f != NULL)
        fclose(f);
    return *key != NULL;
}

bool cert_save(const char *path, X509 *x)
{
    FILE *f = fopen(path, "w");
    bool ok = f != NULL && PEM_write_X509(f, x) == 1;

    return f != NULL && fclose(f) == 0 && ok;
}

bool key_save(const char *path, EVP_PKEY *key)
{
    FILE *f = fopen(path, "w");
    bool ok = f != NULL && PEM_write_PrivateKey(f, key, NULL, NULL, 0, NULL, NULL) == 1;

    return f != NULL && fclose(f) == 0 && ok;
}

void hex_digest(const char *md, const void *bytes, size_t len, bool upper, struct str *out)
{
    unsigned char digest[EVP_MAX_MD_SIZE];
    unsigned n = 0;

    need(EVP_Digest(bytes, len, digest, &n, EVP_get_digestbyname(md), NULL) == 1 ? out : NULL);
    str_hex(out, digest, n, upper);
}
