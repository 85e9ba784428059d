#ifndef CERTS_CHECK_CACHE_H
#define CERTS_CHECK_CACHE_H
#include "certs/check_part.h"
#include <openssl/x509.h>

/*
 * check_cache.h - what one lib keeps between two checks; for check_path.c only.
 *
 * Three kinds of entries, each with a fixed number of places of which the least used makes room: sets of
 * anchors, parsed issuers, and what was proven by way of both.  Being in the cache makes no certificate
 * trusted.
 */
enum { CHECK_DIGEST_LEN = 32 };

/*
 * Proven: a leaf of this description (check_quick.h) had a path, with these anchors and issuers, at every
 * time after `after` and before `before`, and this key signed it.
 */
struct check_proven {
    uint8_t like[CHECK_DIGEST_LEN];
    EVP_PKEY *key; /* of the leaf's issuer; owned */
    int64_t after_at, before_at;
    uint64_t used;
};

/* NULL: ERR_NOMEM */
struct lib_cache *check_cache_of(struct lib *l, struct err *e) MUST;
void check_cache_drop(struct lib *l);

/*
 * check_cache_anchors - the set of all certificates in `list`, whose SHA-256 is `digest`; borrowed.
 * NULL: ERR_TRUST not a list of CA certificates; ERR_NOMEM, ERR_CRYPTO
 */
X509_STORE *check_cache_anchors(struct lib *l, struct lib_cache *cache, struct view list,
    const uint8_t *digest, struct err *e) MUST;

/* check_cache_issuer - a new reference to the parsed certificate.  NULL: ERR_PROTO, ERR_NOMEM, ERR_CRYPTO */
X509 *check_cache_issuer(
    struct lib *l, struct lib_cache *cache, struct view der, struct err *e) MUST;

/* check_cache_read - parsed, and not kept.  cert_parse has sliced it before.  NULL: as above */
X509 *check_cache_read(struct lib *l, struct view der, struct err *e) MUST;

/* check_cache_proven - NULL: nothing of the kind, or not for this time. */
const struct check_proven *check_cache_proven(
    struct lib_cache *cache, const uint8_t *like, int64_t at);

/* check_cache_keep - takes a reference of its own to p->key; an entry of that description is replaced. */
void check_cache_keep(struct lib_cache *cache, const struct check_proven *p);
#endif
