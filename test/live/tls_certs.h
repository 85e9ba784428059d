#ifndef TEST_LIVE_TLS_CERTS_H
#define TEST_LIVE_TLS_CERTS_H
/* tls_certs.h - roots, a server and a client for TLS between two ends of one test; written into the test's
 * folder as PEM. */
#include <stdio.h>
#include <time.h>
#include <openssl/pem.h>
#include "test/unit/agent_dir.h"
#include "test/unit/issue.h"

struct tls_certs {
    EVP_PKEY *root_key, *other_key, *key;
    X509 *root, *other, *server, *expired, *nameless, *client;
};

static inline X509 *tls_root(const char *subject, EVP_PKEY *key)
{
    struct issue s = { .subject = subject,
        .key = key,
        .begin = time(NULL) - ISSUE_DAY,
        .end = time(NULL) + ISSUE_DAY,
        .ext = { { "basicConstraints", "critical,CA:TRUE" },
            { "keyUsage", "critical,keyCertSign,cRLSign" }, { "subjectKeyIdentifier", "hash" } } };

    return issue(&s);
}

static inline X509 *tls_leaf(
    struct tls_certs *c, const char *subject, const char *san, int64_t end, const char *eku)
{
    struct issue s = { .subject = subject,
        .key = c->key,
        .issuer = c->root,
        .issuer_key = c->root_key,
        .begin = time(NULL) - 2 * ISSUE_DAY,
        .end = end,
        .ext = { { "basicConstraints", "critical,CA:FALSE" }, { "extendedKeyUsage", eku },
            { "subjectAltName", san } } };

    return issue(&s);
}

static inline void tls_write(const char *name, X509 *x, EVP_PKEY *key)
{
    FILE *f = fopen(dir_path(name), "w");

    assert_non_null(f);
    if (x != NULL)
        assert_int_equal(PEM_write_X509(f, x), 1);
    if (key != NULL)
        assert_int_equal(PEM_write_PrivateKey(f, key, NULL, NULL, 0, NULL, NULL), 1);
    (void)fclose(f);
    (void)chmod(dir_path(name), 0600);
}

/* root.pem, other.pem, client.pem, client.key */
static inline void tls_certs_make(struct tls_certs *c)
{
    int64_t later = time(NULL) + ISSUE_DAY;

    c->root_key = issue_key("P-256");
    c->other_key = issue_key("P-256");
    c->key = issue_key("P-256");
    c->root = tls_root("CN=Test Root", c->root_key);
    c->other = tls_root("CN=Other Root", c->other_key);
    c->server = tls_leaf(c, "CN=server", "@IP=127.0.0.1|IP=::1|DNS=localhost|DNS=*.peer.example",
        later, "serverAuth");
    c->expired = tls_leaf(c, "CN=expired", "@IP=127.0.0.1", time(NULL) - ISSUE_DAY, "serverAuth");
    c->nameless = tls_leaf(c, "CN=127.0.0.1", "@DNS=elsewhere.example", later, "serverAuth");
    c->client = tls_leaf(c, "CN=connector-7", "@DNS=connector.example", later, "clientAuth");
    tls_write("root.pem", c->root, NULL);
    tls_write("other.pem", c->other, NULL);
    tls_write("client.pem", c->client, NULL);
    tls_write("client.key", NULL, c->key);
}

static inline void tls_certs_free(struct tls_certs *c)
{
    X509 *const certs[] = { c->root, c->other, c->server, c->expired, c->nameless, c->client };

    for (size_t i = 0; i < sizeof certs / sizeof certs[0]; i++)
        X509_free(certs[i]);
    EVP_PKEY_free(c->root_key);
    EVP_PKEY_free(c->other_key);
    EVP_PKEY_free(c->key);
}
#endif
