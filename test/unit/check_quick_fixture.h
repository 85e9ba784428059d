#ifndef TEST_UNIT_CHECK_QUICK_FIXTURE_H
#define TEST_UNIT_CHECK_QUICK_FIXTURE_H
/*
 * check_quick_fixture.h - every leaf judged three times: with a cache that has just seen a good leaf of the same
 * chain, with an empty one, and by X509_verify_cert called from here.
 */
#include "test/unit/check_fixture.h"
#include "certs/check_quick.h"

enum { DEPTH_MAX = 10, AUTH_LEVEL = 2 };

/* A chain as it is handed to check_path. */
struct path {
    struct buf leaf, uppers;
    struct ask ask;
};

static inline void path_free(struct path *p)
{
    buf_free(&p->leaf);
    buf_free(&p->uppers);
}

/* false: not even cert_parse takes it */
static inline bool path_ready(struct path *p)
{
    p->ask = (struct ask){ .lib = lib, .policy = &policy, .uppers = buf_view(&p->uppers) };
    return cert_parse(buf_view(&p->leaf), &p->ask.leaf, &e) == 0;
}

static inline struct path path_of(X509 *leaf, X509 *const *uppers)
{
    struct path p = { .leaf = BUF_INIT(ROOM), .uppers = BUF_INIT(ROOM) };

    issue_der(leaf, &p.leaf);
    for (; *uppers != NULL; uppers++)
        issue_der(*uppers, &p.uppers);
    assert_true(path_ready(&p));
    return p;
}

static inline void empty_cache(void)
{
    if (lib->cache != NULL)
        lib->cache_free(lib->cache);
    lib->cache = NULL;
}

static inline void add_all(struct view list, X509_STORE *store, STACK_OF(X509) * stack)
{
    const unsigned char *p = list.p, *end = list.p + list.len;

    while (p < end) {
        X509 *x = d2i_X509(NULL, &p, (long)(end - p));

        assert_non_null(x);
        if (store != NULL) {
            assert_int_equal(X509_STORE_add_cert(store, x), 1);
            X509_free(x);
        } else {
            assert_true(sk_X509_push(stack, x) > 0);
        }
    }
}

/* What OpenSSL says, with nothing of ours in between. */
static inline bool reference(const struct path *p)
{
    const unsigned char *der = p->leaf.p;
    X509 *leaf = d2i_X509(NULL, &der, (long)p->leaf.len);
    X509_STORE *store = X509_STORE_new();
    STACK_OF(X509) *stack = sk_X509_new_null();
    X509_STORE_CTX *ctx = X509_STORE_CTX_new();
    int64_t begin = p->ask.leaf.not_before_at;
    bool fits = false;

    add_all(policy.anchors, store, NULL);
    add_all(buf_view(&p->uppers), NULL, stack);
    if (leaf != NULL && X509_STORE_CTX_init(ctx, store, leaf, stack) == 1) {
        X509_VERIFY_PARAM *param = X509_STORE_CTX_get0_param(ctx);

        X509_VERIFY_PARAM_set_time(param, (time_t)(begin > policy.now ? begin : policy.now));
        X509_VERIFY_PARAM_set_depth(param, DEPTH_MAX);
        X509_VERIFY_PARAM_set_auth_level(param, AUTH_LEVEL);
        X509_VERIFY_PARAM_set_flags(param, X509_V_FLAG_PARTIAL_CHAIN);
        fits = X509_verify_cert(ctx) == 1;
    }
    X509_STORE_CTX_free(ctx);
    sk_X509_pop_free(stack, X509_free);
    X509_STORE_free(store);
    X509_free(leaf);
    return fits;
}

static inline void digest_of(struct view v, uint8_t *digest)
{
    T_OK(lib_sha256(lib, v, digest, &e));
}

/* Is `p` answered from what is proven, whatever the answer? */
static inline bool is_like(const struct path *p, const struct path *proven)
{
    uint8_t anchors_digest[32];
    struct check_case a, b;

    digest_of(policy.anchors, anchors_digest);
    return check_quick_case(&p->ask, anchors_digest, &a)
           && check_quick_case(&proven->ask, anchors_digest, &b)
           && memcmp(a.like, b.like, sizeof a.like) == 0;
}

/* After `proven` was seen: the verdict, which has to be the same in all three ways. */
static inline bool verdict(const struct path *p, const struct path *proven)
{
    bool warm, cold, wanted = reference(p);

    empty_cache();
    T_OK(check_path(&proven->ask, &e));
    warm = check_path(&p->ask, &e) == 0;
    if (!warm)
        assert_int_equal(e.cls == ERR_TRUST || e.cls == ERR_PROTO, 1);
    empty_cache();
    cold = check_path(&p->ask, &e) == 0;
    if (warm != wanted || cold != wanted)
        fail_msg("OpenSSL %d, with the cache %d, without %d", wanted, warm, cold);
    return warm;
}
#endif
