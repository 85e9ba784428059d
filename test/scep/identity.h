#ifndef SCEP_IDENTITY_H
#define SCEP_IDENTITY_H
#include <openssl/x509.h>
#include "test/sandbox/text.h"

/* identity.h - keys and the certificates that requests are signed with. */
EVP_PKEY *key_make(const char *kind); /* rsa1024 rsa2048 rsa3072 rsa4096 p256 p384; NULL: no such */

struct identity_plan {
    const char *subject;        /* "CN=a,O=b" */
    const char *issuer;         /* name only; NULL: the subject, self-signed */
    EVP_PKEY *key, *issuer_key; /* issuer_key NULL: key */
    int64_t from_s, until_s;    /* from now; both 0: an hour ago to tomorrow */
    const EVP_MD *md;           /* NULL: SHA-256 */
    bool critical_aki, key_id, ca;
};
X509 *identity_make(const struct identity_plan *p);

bool cert_load(const char *path, X509 **x);
bool key_load(const char *path, EVP_PKEY **key);
bool cert_save(const char *path, X509 *x);
bool key_save(const char *path, EVP_PKEY *key);
void hex_digest(const char *md, const void *bytes, size_t len, bool upper, struct str *out);
#endif
