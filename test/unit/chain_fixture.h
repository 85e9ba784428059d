#ifndef TEST_UNIT_CHAIN_FIXTURE_H
#define TEST_UNIT_CHAIN_FIXTURE_H
/* chain_fixture.h - a root, a CA below it in two generations, and a leaf. */
#include "test/t.h"
#include "test/unit/issue.h"
#include "certs/chain.h"

enum { ROOM = 1 << 21 };

static struct err e;
static EVP_PKEY *root_key, *sub_key, *sub2_key, *leaf_key;
static X509 *root, *sub, *sub2, *leaf;    /* sub2: the same CA after it got a new key */
static struct buf three = BUF_INIT(ROOM); /* leaf, sub, root */

static inline X509 *make_leaf(X509 *issuer, EVP_PKEY *issuer_key, EVP_PKEY *key)
{
    bool has_id = X509_get0_subject_key_id(issuer) != NULL;

    return issue(&(struct issue){ .subject = "CN=Leaf",
        .key = key,
        .issuer = issuer,
        .issuer_key = issuer_key,
        .ext = { { has_id ? "authorityKeyIdentifier" : NULL, "keyid:always" } } });
}

static inline void setup(void)
{
    root_key = issue_key("P-256");
    sub_key = issue_key("P-256");
    sub2_key = issue_key("P-256");
    leaf_key = issue_key("P-256");
    root = issue_ca("CN=Root", root_key, NULL, NULL);
    sub = issue_ca("CN=Sub", sub_key, root, root_key);
    sub2 = issue_ca("CN=Sub", sub2_key, root, root_key);
    leaf = make_leaf(sub, sub_key, leaf_key);
    issue_der(leaf, &three);
    issue_der(sub, &three);
    issue_der(root, &three);
}

static inline void teardown(void)
{
    X509 *const certs[] = { root, sub, sub2, leaf };
    EVP_PKEY *const keys[] = { root_key, sub_key, sub2_key, leaf_key };

    for (size_t i = 0; i < 4; i++) {
        X509_free(certs[i]);
        EVP_PKEY_free(keys[i]);
    }
    buf_free(&three);
}
#endif
