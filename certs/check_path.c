/*
 * see check.h: the path from the issued certificate to a trust anchor
 *
 * X509_verify_cert is asked for the first leaf of a kind; those that are like it need their signature
 * verified only (check_quick.h), which is a third of the work.
 */
#include "certs/check_quick.h"
#include "certs/name.h"
#include <string.h>
#include <openssl/evp.h>
#include <openssl/objects.h>
#include <openssl/x509_vfy.h>
#include <openssl/x509v3.h>

enum {
    DEPTH_MAX = 10,
    AUTH_LEVEL = 2 /* 112 bits: no SHA-1 or MD5 signatures, no RSA below 2048 bits */
};

/* One path that is looked for. */
struct search {
    const struct ask *ask;
    struct lib_cache *cache;
    uint8_t anchors_digest[CHECK_DIGEST_LEN];
    bool quick; /* `like` describes the leaf */
    struct check_case like;
};

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
        if (cert_parse(der, &c, e) != 0 || (x = check_cache_issuer(l, cache, der, e)) == NULL)
            break;
        (void)sk_X509_push(issuers, x); /* room was reserved */
    }
    if (more == 0)
        return issuers;
    sk_X509_pop_free(issuers, X509_free);
    return NULL;
}

/* ---- X509_verify_cert ---- */

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

/*
 * Above the leaf nothing may stand that says something about the leaf's names or policies: these are judged
 * anew for every leaf.
 */
static bool says_nothing_of_leaves(X509 *x)
{
    static const int words[] = { NID_name_constraints, NID_policy_constraints, NID_policy_mappings,
        NID_inhibit_any_policy };

    for (size_t i = 0; i < sizeof words / sizeof *words; i++)
        if (X509_get_ext_by_NID(x, words[i], -1) >= 0)
            return false;
    return (X509_get_extension_flags(x) & (EXFLAG_INVALID | EXFLAG_PROXY)) == 0;
}

/* A path was found for the leaf: keep that for those that are like it. */
static void remember(const struct search *s, X509_STORE_CTX *ctx)
{
    STACK_OF(X509) *path = X509_STORE_CTX_get0_chain(ctx);
    struct check_proven p = { 0 };

    if (!s->quick || sk_X509_num(path) < 2)
        return;
    for (int i = 1; i < sk_X509_num(path); i++)
        if (!says_nothing_of_leaves(sk_X509_value(path, i)))
            return;
    p.key = X509_get0_pubkey(sk_X509_value(path, 1));
    memcpy(p.like, s->like.like, CHECK_DIGEST_LEN);
    if (p.key != NULL && check_quick_window(s->ask, verify_at(s->ask), &p.after_at, &p.before_at))
        check_cache_keep(s->cache, &p);
}

static int verify(
    const struct search *s, X509_STORE *store, X509 *leaf, STACK_OF(X509) * issuers, struct err *e)
{
    X509_STORE_CTX *ctx = X509_STORE_CTX_new_ex(s->ask->lib->ctx, NULL);
    X509_VERIFY_PARAM *param;
    int rc = -1;

    if (ctx == NULL || X509_STORE_CTX_init(ctx, store, leaf, issuers) != 1) {
        lib_err(e, "X509_STORE_CTX_init");
        goto done;
    }
    param = X509_STORE_CTX_get0_param(ctx);
    X509_VERIFY_PARAM_set_time(param, (time_t)verify_at(s->ask));
    X509_VERIFY_PARAM_set_depth(param, DEPTH_MAX);
    X509_VERIFY_PARAM_set_auth_level(param, AUTH_LEVEL);
    /* All anchors were listed by the administrator: a path may end in one that is no root. */
    if (X509_VERIFY_PARAM_set_flags(param, X509_V_FLAG_PARTIAL_CHAIN) != 1) {
        lib_err(e, "X509_VERIFY_PARAM");
        goto done;
    }
    if (X509_verify_cert(ctx) == 1) {
        remember(s, ctx);
        rc = 0;
    } else {
        untrusted(s->ask, ctx, e);
    }
done:
    X509_STORE_CTX_free(ctx);
    return rc;
}

static int verify_whole(const struct search *s, struct err *e)
{
    const struct ask *a = s->ask;
    STACK_OF(X509) *issuers = NULL;
    X509_STORE *store;
    X509 *leaf = NULL;
    int rc = -1;

    (void)lib_reason(); /* of the quick way */
    if ((store = check_cache_anchors(a->lib, s->cache, a->policy->anchors, s->anchors_digest, e))
            != NULL
        && (issuers = get_issuers(a->lib, s->cache, a->uppers, e)) != NULL
        && (leaf = check_cache_read(a->lib, a->leaf.der, e)) != NULL)
        rc = verify(s, store, leaf, issuers, e);
    X509_free(leaf);
    sk_X509_pop_free(issuers, X509_free);
    return rc;
}

/* ---- both ways ---- */

/* Is everything of this leaf that can differ from a proven one as it has to be? */
static bool verify_quick(const struct search *s)
{
    int64_t at = verify_at(s->ask);
    const struct check_proven *p;

    if (!s->quick || s->ask->leaf.not_after_at <= at) /* it has begun, see verify_at */
        return false;
    p = check_cache_proven(s->cache, s->like.like, at);
    return p != NULL && check_quick_signed(s->ask, &s->like, p->key);
}

static int try_path(const struct ask *a, struct err *e)
{
    struct search s = { .ask = a, .cache = check_cache_of(a->lib, e) };

    /* What an earlier call left there must not pass for the reason of a failure here. */
    (void)lib_reason();
    if (s.cache == NULL || lib_sha256(a->lib, a->policy->anchors, s.anchors_digest, e) != 0)
        return -1;
    s.quick = check_quick_case(a, s.anchors_digest, &s.like);
    return verify_quick(&s) ? 0 : verify_whole(&s, e);
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
        check_cache_drop(a->lib);
    if (rc == 0 || e->cls != ERR_TRUST)
        return rc;
    rc = try_path(a, e);
    if (rc != 0)
        check_cache_drop(a->lib);
    return rc;
}
