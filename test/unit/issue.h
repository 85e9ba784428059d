#ifndef TEST_UNIT_ISSUE_H
#define TEST_UNIT_ISSUE_H
/*
 * issue.h - certificates for tests, made with OpenSSL's X509_* and not with anything of ours.
 *
 * Extensions are given as OpenSSL's configuration has them: name or OID, and a value such as
 * "critical,CA:TRUE" or "DER:300a..."; "@URI=a:b|DNS=host" stands for a section with these lines.
 */
#include "test/t.h"
#include <stdlib.h>
#include <openssl/conf.h>
#include <openssl/evp.h>
#include <openssl/x509.h>
#include "certs/template.h" /* before the macros that have the names of its KU_ bits */
#include <openssl/x509v3.h>
#undef KU_DIGITAL_SIGNATURE
#undef KU_NON_REPUDIATION
#undef KU_KEY_ENCIPHERMENT
#undef KU_DATA_ENCIPHERMENT
#undef KU_KEY_AGREEMENT

enum { ISSUE_EXT_MAX = 16, ISSUE_NOW = 1900000000 /* 2030-03-17 */, ISSUE_DAY = 86400 };

struct issue_ext {
    const char *name, *value;
};
struct issue {
    const char *subject;  /* "CN=Ada/O=Contoso", in encoding order; "" = empty */
    EVP_PKEY *key;        /* the subject's */
    X509 *issuer;         /* NULL: self-issued */
    EVP_PKEY *issuer_key; /* NULL: key */
    int64_t begin, end;   /* 0: a day ago, a year from now */
    const EVP_MD *md;     /* NULL: SHA-256, or none for Ed25519 */
    long serial;          /* 0: 4711 */
    struct issue_ext ext[ISSUE_EXT_MAX];
};

/* "rsa2048", "P-256", "ed25519" ... */
static inline EVP_PKEY *issue_key(const char *kind)
{
    if (strncmp(kind, "rsa", 3) == 0)
        return EVP_RSA_gen((unsigned)strtoul(kind + 3, NULL, 10));
    if (strcmp(kind, "ed25519") == 0)
        return EVP_PKEY_Q_keygen(NULL, NULL, "ED25519");
    return EVP_PKEY_Q_keygen(NULL, NULL, "EC", kind);
}

/* What stands before the next `end`, in a buffer that the next call uses again; NULL at the end. */
static inline char *issue_part(const char **text, char end)
{
    static char part[256];
    size_t len = strcspn(*text, (char[]){ end, '\0' });

    if (**text == '\0')
        return NULL;
    assert_true(len < sizeof part);
    memcpy(part, *text, len);
    part[len] = '\0';
    *text += len + (*text + len != strchr(*text, '\0'));
    return part;
}

static inline X509_NAME *issue_name(const char *text)
{
    X509_NAME *name = X509_NAME_new();

    for (char *p; (p = issue_part(&text, '/')) != NULL;) {
        char *value = strchr(p, '=');

        *value++ = '\0';
        assert_int_equal(X509_NAME_add_entry_by_txt(
                             name, p, MBSTRING_UTF8, (const unsigned char *)value, -1, -1, 0),
            1);
    }
    return name;
}

/* "@URI=a:b|DNS=host" as a section of its own, where a comma separates nothing. */
static inline CONF *issue_section(const char *value)
{
    BIO *text = BIO_new(BIO_s_mem());
    CONF *conf = NCONF_new(NULL);
    int n = 0;

    value++;
    BIO_puts(text, "[x]\n");
    for (char *p; (p = issue_part(&value, '|')) != NULL;) {
        int name = (int)strcspn(p, "=");

        BIO_printf(text, "%.*s.%d%s\n", name, p, n++, p + name);
    }
    assert_int_equal(NCONF_load_bio(conf, text, NULL), 1);
    BIO_free(text);
    return conf;
}

static inline void issue_add_ext(X509 *x, X509 *issuer, const struct issue_ext *ext)
{
    bool section = ext->value[0] == '@';
    CONF *conf = issue_section(section ? ext->value : "@");
    X509V3_CTX ctx;
    X509_EXTENSION *made;

    X509V3_set_ctx(&ctx, issuer, x, NULL, NULL, 0);
    X509V3_set_nconf(&ctx, conf);
    made = X509V3_EXT_nconf(conf, &ctx, ext->name, section ? "@x" : ext->value);
    if (made == NULL || X509_add_ext(x, made, -1) != 1)
        fail_msg("extension %s = %s", ext->name, ext->value);
    X509_EXTENSION_free(made);
    NCONF_free(conf);
}

static inline X509 *issue(const struct issue *s)
{
    EVP_PKEY *signer = s->issuer_key != NULL ? s->issuer_key : s->key;
    const EVP_MD *md = s->md != NULL ? s->md : EVP_sha256();
    X509_NAME *subject = issue_name(s->subject);
    X509 *x = X509_new(), *issuer = s->issuer != NULL ? s->issuer : x;

    X509_set_version(x, s->ext[0].name != NULL ? X509_VERSION_3 : X509_VERSION_1);
    ASN1_INTEGER_set(X509_get_serialNumber(x), s->serial != 0 ? s->serial : 4711);
    ASN1_TIME_set(
        X509_getm_notBefore(x), (time_t)(s->begin != 0 ? s->begin : ISSUE_NOW - ISSUE_DAY));
    ASN1_TIME_set(
        X509_getm_notAfter(x), (time_t)(s->end != 0 ? s->end : ISSUE_NOW + 365 * ISSUE_DAY));
    X509_set_subject_name(x, subject);
    X509_set_issuer_name(x, s->issuer != NULL ? X509_get_subject_name(s->issuer) : subject);
    X509_set_pubkey(x, s->key);
    for (size_t i = 0; i < ISSUE_EXT_MAX && s->ext[i].name != NULL; i++)
        issue_add_ext(x, issuer, &s->ext[i]);
    assert_true(X509_sign(x, signer, EVP_PKEY_is_a(signer, "ED25519") ? NULL : md) != 0);
    X509_NAME_free(subject);
    return x;
}

/* Append the DER form. */
static inline void issue_der(X509 *x, struct buf *out)
{
    unsigned char *der = NULL;
    int len = i2d_X509(x, &der);

    assert_true(len > 0);
    buf_add(out, der, (size_t)len);
    OPENSSL_free(der);
}

static inline void issue_spki(EVP_PKEY *key, struct buf *out)
{
    unsigned char *der = NULL;
    int len = i2d_PUBKEY(key, &der);

    assert_true(len > 0);
    buf_add(out, der, (size_t)len);
    OPENSSL_free(der);
}

static inline void issue_pkcs8(EVP_PKEY *key, struct buf *out)
{
    PKCS8_PRIV_KEY_INFO *info = EVP_PKEY2PKCS8(key);
    unsigned char *der = NULL;
    int len = i2d_PKCS8_PRIV_KEY_INFO(info, &der);

    assert_true(len > 0);
    buf_add(out, der, (size_t)len);
    OPENSSL_clear_free(der, (size_t)len);
    PKCS8_PRIV_KEY_INFO_free(info);
}

/* A CA of the usual shape; NULL issuer: a root. */
static inline X509 *issue_ca(const char *subject, EVP_PKEY *key, X509 *issuer, EVP_PKEY *issuer_key)
{
    struct issue s = {
        .subject = subject,
        .key = key,
        .issuer = issuer,
        .issuer_key = issuer_key,
        .begin = ISSUE_NOW - 1000 * (int64_t)ISSUE_DAY,
        .end = ISSUE_NOW + 3000 * (int64_t)ISSUE_DAY,
        .serial = 1,
        .ext = { { "basicConstraints", "critical,CA:TRUE" },
            { "keyUsage", "critical,keyCertSign,cRLSign" }, { "subjectKeyIdentifier", "hash" },
            { "authorityKeyIdentifier", "keyid:always" } },
    };

    return issue(&s);
}
#endif
