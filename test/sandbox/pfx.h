#ifndef SANDBOX_PFX_H
#define SANDBOX_PFX_H
#include <openssl/x509.h>
#include "test/sandbox/text.h"

/* pfx.h - a PKCS#12 file opened the way a device does, and looked at the way a device does not. */
struct pfx_bag {
    unsigned char local_key_id[64];
    size_t local_key_id_len; /* 0: none */
    char *friendly_name;     /* NULL: none */
    bool csp_name, machine_keyset;
};

struct pfx {
    EVP_PKEY *key;
    X509 *leaf;
    STACK_OF(X509) * others; /* in the file's order */
    X509 *first;             /* the first certificate of the file */
    size_t keys, certs;
    struct pfx_bag key_bag, leaf_bag;
    bool others_named;   /* another certificate has localKeyID */
    const char *profile; /* "modern", "compat" */
};

/* pfx_open - false: `why`; call pfx_done in both cases. */
bool pfx_open(const struct str *der, const char *password, struct pfx *f, struct str *why);
void pfx_done(struct pfx *f);
#endif
