/*
 * see check.h: the path from the issued certificate to a trust anchor
 *
 * Parsing a certificate costs OpenSSL 3.0 more than verifying one, because it decodes the key by way of
 * its provider machinery.  Anchors and issuers are the same for every request, so they are kept parsed;
 * being in the cache makes none of them trusted.
 */
#include "certs/check_part.h"
#include "certs/mem.h"
#include "certs/name.h"
#include <stdlib.h>
#include <string.h>
#include <openssl/x509.h>
#include <openssl/x509_vfy.h>

enum {
    DIGEST_LEN = 32,
    ANCHORS_MAX = 256, /* in one set */
    SETS_KEPT = 4,     /* configured CAs with anchors of their own */
    ISSUERS_KEPT = 16,
    ISSUER_LEN_MAX = 8192, /* a longer certificate is used, but not kept */
    DEPTH_MAX = 10,
    AUTH_LEVEL = 2 /* 112 bits: no SHA-1 or MD5 signatures, no RSA below 2048 bits */
};

struct anchor_set {
    uint8_t digest[DIGEST_LEN]; /* of all the certificates, one behind the other */
    X509_STORE *store;
    uint64_t used;
};

struct issuer {
    uint8_t digest[DIGEST_LEN];
    X509 *x509;
    uint64_t used;
};

struct lib_cache {
    struct anchor_set set[SETS_KEPT];
    struct issuer issuer[ISSUERS_KEPT];
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
    free(c);
}

static void cache_drop(struct lib *l)
{
    cache_free(l->cache);
    l->cache = NULL;
}

static struct lib_cache *cache_of(struct lib *l, struct err *e)
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

/* cert_parse has sliced it before; what OpenSSL still finds wrong is deep inside. */
static X509 *read_x509(struct lib *l, struct view der, struct err *e)
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

    if (cert_parse(der, &c, e) != 0 || (x = read_x509(l, der, e)) == NULL)
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
    memcpy(fresh.digest, digest, DIGEST_LEN);
    X509_STORE_free(s->store);
    *s = fresh;
    return 0;
}

static struct anchor_set *get_set(
    struct lib *l, struct lib_cache *cache, struct view anchors, struct err *e)
{
    struct anchor_set *oldest = &cache->set[0];
    uint8_t digest[DIGEST_LEN];

    if (anchors.len == 0) {
        err_set(e, ERR_TRUST, "no trust anchor is configured for this CA");
        return NULL;
    }
    if (lib_sha256(l, anchors, digest, e) != 0)
        return NULL;
    for (size_t i = 0; i < SETS_KEPT; i++) {
        struct anchor_set *s = &cache->set[i];

        if (s->store != NULL && memcmp(s->digest, digest, DIGEST_LEN) == 0) {
            s->used = ++cache->turn;
            return s;
        }
        if (s->used < oldest->used)
            oldest = s;
    }
    if (load_set(l, oldest, digest, anchors, e) != 0)
        return NULL;
    oldest->used = ++cache->turn;
    return oldest;
}

/* ---- issuers ---- */

/* A new reference to the parsed certificate. */
static X509 *get_issuer(struct lib *l, struct lib_cache *cache, struct view der, struct err *e)
{
    struct issuer *oldest = &cache->issuer[0];
    uint8_t digest[DIGEST_LEN];
    X509 *x;

    if (der.len > ISSUER_LEN_MAX)
        return read_x509(l, der, e);
    if (lib_sha256(l, der, digest, e) != 0)
        return NULL;
    for (size_t i = 0; i < ISSUERS_KEPT; i++) {
        struct issuer *c = &cache->issuer[i];

        if (c->x509 != NULL && memcmp(c->digest, digest, DIGEST_LEN) == 0) {
            c->used = ++cache->turn;
            (void)X509_up_ref(c->x509);
            return c->x509;
        }
        if (c->used < oldest->used)
            oldest = c;
    }
    if ((x = read_x509(l, der, e)) == NULL)
        return NULL;
    (void)X509_up_ref(x); /* one for the cache, one for the caller */
    X509_free(oldest->x509);
    *oldest = (struct issuer){ .x509 = x, .used = ++cache->turn };
    memcpy(oldest->digest, digest, DIGEST_LEN);
    return x;
}

static STACK_OF(X509)
    * get_issuers(struct lib *l, struct lib_cache *cache, struct view list, struct err *e)
{
    STACK_OF(X509) *issuers = sk_X509_new_reserve(NULL, CHAIN_MAX);
    struct view der;
    struct cert c;
    int more;

    if (issuers == NULL) {
        lib_err(e, "sk_X509_new_reserve");
        return NULL;
    }
    while ((more = chain_next(&list, &der, e)) == 1) {
        X509 *x = NULL;

        if (sk_X509_num(issuers) == CHAIN_MAX - 1) {
            err_set(e, ERR_PROTO, "a chain of more than %d certificates", CHAIN_MAX);
            break;
        }
        if (cert_parse(der, &c, e) != 0 || (x = get_issuer(l, cache, der, e)) == NULL)
            break;
        (void)sk_X509_push(issuers, x); /* room was reserved */
    }
    if (more == 0)
        return issuers;
    sk_X509_pop_free(issuers, X509_free);
    return NULL;
}

/* ---- the path ---- */

static int untrusted(const struct ask *a, X509_STORE_CTX *ctx, struct err *e)
{
    int code = X509_STORE_CTX_get_error(ctx), depth = X509_STORE_CTX_get_error_depth(ctx);
    struct buf issuer = BUF_INIT(8 << 10);

    lib_err(e, "X509_verify_cert");
    if (e->cls == ERR_NOMEM || code == X509_V_ERR_OUT_OF_MEM) {
        e->cls = ERR_NOMEM;
        return -1;
    }
    name_text(a->leaf.issuer, &issuer);
    err_set(e, ERR_TRUST, "issuer \"%.60s\": no path to a trust anchor: %s (certificate %d)",
        buf_text(&issuer), X509_verify_cert_error_string(code), depth + 1);
    buf_free(&issuer);
    return -1;
}

/* check_validity has judged the leaf's own time, with its tolerance; it begins a little in the future? */
static int64_t verify_at(const struct ask *a)
{
    return a->leaf.not_before_at > a->policy->now ? a->leaf.not_before_at : a->policy->now;
}

static int verify(const struct ask *a, const struct anchor_set *set, X509 *leaf,
    STACK_OF(X509) * issuers, struct err *e)
{
    X509_STORE_CTX *ctx = X509_STORE_CTX_new_ex(a->lib->ctx, NULL);
    X509_VERIFY_PARAM *param;
    int rc = -1;

    if (ctx == NULL || X509_STORE_CTX_init(ctx, set->store, leaf, issuers) != 1) {
        lib_err(e, "X509_STORE_CTX_init");
        goto done;
    }
    param = X509_STORE_CTX_get0_param(ctx);
    X509_VERIFY_PARAM_set_time(param, (time_t)verify_at(a));
    X509_VERIFY_PARAM_set_depth(param, DEPTH_MAX);
    X509_VERIFY_PARAM_set_auth_level(param, AUTH_LEVEL);
    /* All anchors were listed by the administrator: a path may end in one that is no root. */
    if (X509_VERIFY_PARAM_set_flags(param, X509_V_FLAG_PARTIAL_CHAIN) != 1) {
        lib_err(e, "X509_VERIFY_PARAM");
        goto done;
    }
    if (X509_verify_cert(ctx) == 1)
        rc = 0;
    else
        untrusted(a, ctx, e);
done:
    X509_STORE_CTX_free(ctx);
    return rc;
}

static int try_path(const struct ask *a, struct err *e)
{
    struct lib_cache *cache = cache_of(a->lib, e);
    STACK_OF(X509) *issuers = NULL;
    struct anchor_set *set;
    X509 *leaf = NULL;
    int rc = -1;

    /* What an earlier call left there must not pass for the reason of a failure here. */
    (void)lib_reason();
    if (cache != NULL && (set = get_set(a->lib, cache, a->policy->anchors, e)) != NULL
        && (issuers = get_issuers(a->lib, cache, a->uppers, e)) != NULL
        && (leaf = read_x509(a->lib, a->leaf.der, e)) != NULL)
        rc = verify(a, set, leaf, issuers, e);
    X509_free(leaf);
    sk_X509_pop_free(issuers, X509_free);
    return rc;
}

/*
 * An X509 whose key or extensions could not be read for want of memory stays without them, and neither
 * it nor X509_verify_cert always says so.  So a failure empties the cache, and a path that was not
 * found is looked for once more from the beginning.
 */
int check_path(const struct ask *a, struct err *e)
{
    int rc = try_path(a, e);

    if (rc != 0)
        cache_drop(a->lib);
    if (rc == 0 || e->cls != ERR_TRUST)
        return rc;
    rc = try_path(a, e);
    if (rc != 0)
        cache_drop(a->lib);
    return rc;
}
