#ifndef TEST_UNIT_P12_FIXTURE_H
#define TEST_UNIT_P12_FIXTURE_H
/* p12_fixture.h - keys of ours with certificates from a CA of the test, and files made of them. */
#include "test/t.h"
#include "test/unit/issue.h"
#include <openssl/pkcs12.h>
#include "certs/key.h"
#include "certs/p12.h"

enum { ROOM = 1 << 20 };

#define PASSWORD "abcdefghijklmnopqrstuvwxyz012345"

static struct err e;
static struct lib *lib;
static EVP_PKEY *root_key, *sub_key;
static X509 *root, *sub;

/* A key of ours with a certificate for it. */
static struct subject {
    struct key *key;
    X509 *leaf;
    struct buf chain; /* leaf, sub, root */
} subjects[3];
static const enum key_type types[3] = { KEY_P256, KEY_RSA2048, KEY_ED25519 };

static inline struct p12_spec spec(enum p12_profile profile, const struct subject *s)
{
    return (struct p12_spec){
        .profile = profile,
        .iterations = P12_ITERATIONS,
        .password = PASSWORD,
        .pkcs8 = key_pkcs8(s->key),
        .chain = buf_view(&s->chain),
    };
}

static inline PKCS12 *build(const struct p12_spec *s, struct buf *out)
{
    const unsigned char *p;
    PKCS12 *p12;

    buf_reset(out);
    T_OK(p12_build(lib, s, out, &e));
    p = out->p;
    p12 = d2i_PKCS12(NULL, &p, (long)out->len);
    assert_non_null(p12);
    assert_ptr_equal(p, out->p + out->len);
    return p12;
}

static inline int start(void)
{
    if ((lib = lib_new(&e)) == NULL)
        return -1;
    root_key = issue_key("P-256");
    sub_key = issue_key("P-256");
    root = issue_ca("CN=Root", root_key, NULL, NULL);
    sub = issue_ca("CN=Sub", sub_key, root, root_key);
    for (size_t i = 0; i < 3; i++) {
        struct subject *s = &subjects[i];
        const unsigned char *p;
        struct view der;
        EVP_PKEY *pub;

        if ((s->key = key_new(lib, types[i], KEYGEN_FAST, &e)) == NULL)
            return -1;
        der = key_spki(s->key);
        p = der.p;
        pub = d2i_PUBKEY(NULL, &p, (long)der.len);
        s->leaf = issue(&(struct issue){
            .subject = "CN=Ada", .key = pub, .issuer = sub, .issuer_key = sub_key });
        s->chain.max = ROOM;
        issue_der(s->leaf, &s->chain);
        issue_der(sub, &s->chain);
        issue_der(root, &s->chain);
        EVP_PKEY_free(pub);
    }
    return 0;
}

static inline void stop(void)
{
    for (size_t i = 0; i < 3; i++) {
        key_free(subjects[i].key);
        X509_free(subjects[i].leaf);
        buf_free(&subjects[i].chain);
    }
    X509_free(root);
    X509_free(sub);
    EVP_PKEY_free(root_key);
    EVP_PKEY_free(sub_key);
    lib_free(lib);
}
#endif
