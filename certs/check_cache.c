/*
 * see check_cache.h
 *
 * Parsing a certificate costs OpenSSL 3.0 more than verifying one, because it decodes the key by way of
 * its provider machinery.  Anchors and issuers are the same for every request, so they are kept parsed.
 */
#include "certs/check_cache.h"
#include "certs/mem.h"
#include <stdlib.h>
#include <string.h>
#include <openssl/evp.h>
#include <openssl/x509_vfy.h>

enum {
    ANCHORS_MAX = 256, /* in one set */
    SETS_KEPT = 4,     /* configured CAs with anchors of their own */
    ISSUERS_KEPT = 16,
    PROVEN_KEPT = 16,     /* templates times issuers */
    ISSUER_LEN_MAX = 8192 /* a longer certificate is used, but not kept */
};

struct anchor_set {
    uint8_t digest[CHECK_DIGEST_LEN]; /* of all the certificates, one behind the other */
    X509_STORE *store;
    uint64_t used;
};

struct issuer {
    uint8_t digest[CHECK_DIGEST_LEN];
    X509 *x509;
    uint64_t used;
};

struct lib_cache {
    struct anchor_set set[SETS_KEPT];
    struct issuer issuer[ISSUERS_KEPT];
    struct check_proven proven[PROVEN_KEPT];
    uint64_t turn; /* counts uses; the entry with the lowest makes room */
};

static void cache_free(struct lib_cache *c)
{
    if (c == NULL)
        return;
    for (size_t i = 0; i < SETS_KEPT; i++)
        X509_STORE_free(c->set[i].store);
    for (size_t i = 0; i < ISSUERS_KEPT; i++)
        X509_free(c->issuer[i].x509);
    for (size_t i = 0; i < PROVEN_KEPT; i++)
        EVP_PKEY_free(c->proven[i].key);
    free(c);
}

void check_cache_drop(struct lib *l)
{
    cache_free(l->cache);
    l->cache = NULL;
}

struct lib_cache *check_cache_of(struct lib *l, struct err *e)
{
    if (l->cache == NULL) {
        l->cache = mem_try(1, sizeof *l->cache);
        if (l->cache == NULL)
            err_set(e, ERR_NOMEM, "no memory for the cache of trust anchors");
        else
            l->cache_free = cache_free;
    }
    return l->cache;
}

/* What OpenSSL still finds wrong behind cert_parse is deep inside. */
X509 *check_cache_read(struct lib *l, struct view der, struct err *e)
{
    X509 *x = X509_new_ex(l->ctx, NULL);
    const unsigned char *p = der.p;

    if (x != NULL && d2i_X509(&x, &p, (long)der.len) != NULL)
        return x;
    lib_err(e, "d2i_X509");
    if (e->cls != ERR_NOMEM)
        e->cls = ERR_PROTO;
    X509_free(x);
    return NULL;
}

/* ---- anchors ---- */

/* Without the check any certificate in the list could end a path, a device's as well. */
static int add_anchor(struct lib *l, struct anchor_set *s, struct view der, struct err *e)
{
    struct cert c;
    X509 *x = NULL;
    int rc = -1;

    if (cert_parse(der, &c, e) != 0 || (x = check_cache_read(l, der, e)) == NULL)
        goto done;
    if (!c.ca && !cert_self_issued(&c)) { /* a root of version 1 cannot say that it is a CA */
        err_set(e, ERR_TRUST, "not a CA certificate");
        goto done;
    }
    if (X509_STORE_add_cert(s->store, x) != 1) {
        lib_err(e, "X509_STORE_add_cert");
        goto done;
    }
    rc = 0;
done:
    X509_free(x);
    return rc;
}

static int add_anchors(struct lib *l, struct anchor_set *s, struct view list, struct err *e)
{
    struct view der;
    size_t count = 0;
    int more;

    for (; (more = chain_next(&list, &der, e)) == 1; count++) {
        if (count == ANCHORS_MAX)
            return err_set(e, ERR_TRUST, "more than %d trust anchors", ANCHORS_MAX);
        if (add_anchor(l, s, der, e) != 0)
            break;
    }
    if (more == 0)
        return 0;
    if (e->cls == ERR_PROTO)
        e->cls = ERR_TRUST; /* the fault is in the configuration, not in what the CA sent */
    return err_wrap(e, "trust anchor %zu", count + 1);
}

static int load_set(
    struct lib *l, struct anchor_set *s, const uint8_t *digest, struct view list, struct err *e)
{
    struct anchor_set fresh = { 0 };

    if ((fresh.store = X509_STORE_new()) == NULL)
        return lib_err(e, "X509_STORE_new");
    if (add_anchors(l, &fresh, list, e) != 0) {
        X509_STORE_free(fresh.store);
        return -1;
    }
    memcpy(fresh.digest, digest, CHECK_DIGEST_LEN);
    X509_STORE_free(s->store);
    *s = fresh;
    return 0;
}

X509_STORE *check_cache_anchors(
    struct lib *l, struct lib_cache *cache, struct view list, const uint8_t *digest, struct err *e)
{
    struct anchor_set *oldest = &cache->set[0];

    if (list.len == 0) {
        err_set(e, ERR_TRUST, "no trust anchor is configured for this CA");
        return NULL;
    }
    for (size_t i = 0; i < SETS_KEPT; i++) {
        struct anchor_set *s = &cache->set[i];

        if (s->store != NULL && mem_equal(s->digest, digest, CHECK_DIGEST_LEN)) {
            s->used = ++cache->turn;
            return s->store;
        }
        if (s->used < oldest->used)
            oldest = s;
    }
    if (load_set(l, oldest, digest, list, e) != 0)
        return NULL;
    oldest->used = ++cache->turn;
    return oldest->store;
}

/* ---- issuers ---- */

X509 *check_cache_issuer(struct lib *l, struct lib_cache *cache, struct view der, struct err *e)
{
    struct issuer *oldest = &cache->issuer[0];
    uint8_t digest[CHECK_DIGEST_LEN];
    X509 *x;

    if (der.len > ISSUER_LEN_MAX)
        return check_cache_read(l, der, e);
    if (lib_sha256(l, der, digest, e) != 0)
        return NULL;
    for (size_t i = 0; i < ISSUERS_KEPT; i++) {
        struct issuer *c = &cache->issuer[i];

        if (c->x509 != NULL && mem_equal(c->digest, digest, CHECK_DIGEST_LEN)) {
            c->used = ++cache->turn;
            (void)X509_up_ref(c->x509);
            return c->x509;
        }
        if (c->used < oldest->used)
            oldest = c;
    }
    if ((x = check_cache_read(l, der, e)) == NULL)
        return NULL;
    (void)X509_up_ref(x); /* one for the cache, one for the caller */
    X509_free(oldest->x509);
    *oldest = (struct issuer){ .x509 = x, .used = ++cache->turn };
    memcpy(oldest->digest, digest, CHECK_DIGEST_LEN);
    return x;
}

/* ---- what was proven ---- */

const struct check_proven *check_cache_proven(
    struct lib_cache *cache, const uint8_t *like, int64_t at)
{
    for (size_t i = 0; i < PROVEN_KEPT; i++) {
        struct check_proven *p = &cache->proven[i];

        if (p->key == NULL || !mem_equal(p->like, like, CHECK_DIGEST_LEN))
            continue;
        if (at <= p->after_at || at >= p->before_at)
            return NULL;
        p->used = ++cache->turn;
        return p;
    }
    return NULL;
}

void check_cache_keep(struct lib_cache *cache, const struct check_proven *p)
{
    struct check_proven *place = &cache->proven[0];

    for (size_t i = 0; i < PROVEN_KEPT; i++) {
        struct check_proven *q = &cache->proven[i];

        if (q->key != NULL && mem_equal(q->like, p->like, CHECK_DIGEST_LEN)) {
            place = q;
            break;
        }
        if (q->used < place->used)
            place = q;
    }
    if (EVP_PKEY_up_ref(p->key) != 1)
        return;
    EVP_PKEY_free(place->key);
    *place = *p;
    place->used = ++cache->turn;
}
