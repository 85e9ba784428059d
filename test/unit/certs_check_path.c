/* check.h: paths to an anchor, chains that are none, and what is kept parsed. */
#include "test/unit/check_fixture.h"

static void no_path(void **state)
{
    EVP_PKEY *k = issue_key("P-256");
    X509 *r2 = issue_ca("CN=Root", k, NULL, NULL), *s2 = issue_ca("CN=Sub", k, r2, k);
    struct buf garbage = BUF_INIT(ROOM);

    (void)state;
    T_ERR_SAYS(check_with(UPPERS(NULL)), ERR_TRUST, "issuer \"CN=Sub\": no path to a trust anchor");
    T_ERR_SAYS(check_with(UPPERS(root)), ERR_TRUST, "no path");
    T_ERR_SAYS(check_with(UPPERS(s2)), ERR_TRUST, "no path");
    good.issuer = s2;
    good.issuer_key = k;
    T_ERR_SAYS(check_with(UPPERS(s2, r2)), ERR_TRUST, "self-signed certificate");
    good.issuer = sub; /* right names, signed by somebody else */
    T_ERR_SAYS(check(), ERR_TRUST, "no path");
    good.issuer_key = sub_key;
    policy.anchors = view_of(NULL, 0);
    T_ERR_SAYS(check(), ERR_TRUST, "no trust anchor is configured");
    issue_der(root, &garbage);
    policy.anchors = view_of(garbage.p, garbage.len - 1);
    T_ERR_SAYS(check(), ERR_TRUST, "trust anchor 1");
    buf_add_text(&garbage, "x");
    policy.anchors = buf_view(&garbage);
    T_ERR_SAYS(check(), ERR_TRUST, "trust anchor 2");
    policy.anchors = buf_view(&anchors);
    T_OK(check());
    X509_free(r2);
    X509_free(s2);
    EVP_PKEY_free(k);
    buf_free(&garbage);
}

static void lib_freed_after_a_failure(void **state)
{
    struct lib *usual = lib;

    (void)state;
    lib = lib_new(&e);
    assert_non_null(lib);
    T_ERR(check_with(UPPERS(NULL)), ERR_TRUST);
    lib_free(lib);
    lib = usual;
}

static X509 *ca_with(
    const char *constraints, const char *usage, int64_t end, const EVP_MD *md, EVP_PKEY *key)
{
    struct issue s = { .subject = "CN=Sub",
        .key = key,
        .issuer = root,
        .issuer_key = root_key,
        .md = md,
        .end = end,
        .ext = { { "subjectKeyIdentifier", "hash" }, { "keyUsage", usage },
            { "basicConstraints", constraints } } };

    if (constraints == NULL)
        s.ext[2].name = NULL;
    return issue(&s);
}

static void issuers_that_may_not(void **state)
{
    EVP_PKEY *weak = issue_key("rsa1024");
    struct {
        X509 *x;
        EVP_PKEY *key;
        const char *says;
    } rows[] = {
        { ca_with("CA:FALSE", "keyCertSign", 0, NULL, sub_key), sub_key, "no path" },
        { ca_with(NULL, "digitalSignature", 0, NULL, sub_key), sub_key, "no path" },
        { ca_with("CA:TRUE", "digitalSignature", 0, NULL, sub_key), sub_key, "no path" },
        { ca_with("CA:TRUE", "keyCertSign", ISSUE_NOW - 10, NULL, sub_key), sub_key, "expired" },
        { ca_with("CA:TRUE", "keyCertSign", 0, EVP_sha1(), sub_key), sub_key,
            "digest algorithm too weak" },
        { ca_with("CA:TRUE", "keyCertSign", 0, NULL, weak), weak, "key too weak" },
        { ca_with("CA:TRUE", "keyCertSign", 0, NULL, sub_key), sub_key, NULL },
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        good.issuer = rows[i].x;
        good.issuer_key = rows[i].key;
        if (rows[i].says == NULL)
            T_OK(check_with(UPPERS(rows[i].x)));
        else
            T_ERR_SAYS(check_with(UPPERS(rows[i].x)), ERR_TRUST, rows[i].says);
        X509_free(rows[i].x);
    }
    EVP_PKEY_free(weak);
}

static void leaf_signed_with_sha1(void **state)
{
    (void)state;
    good.md = EVP_sha1();
    T_ERR_SAYS(check(), ERR_TRUST, "too weak");
}

/* An intermediate listed as anchor ends a path; one that only came along does not. */
static void anchor_below_the_root(void **state)
{
    struct buf only_sub = BUF_INIT(ROOM), leaf_too = BUF_INIT(ROOM);
    X509 *x;

    (void)state;
    issue_der(sub, &only_sub);
    policy.anchors = buf_view(&only_sub);
    T_OK(check_with(UPPERS(NULL)));
    T_OK(check());
    T_OK(check_with(UPPERS(sub, root)));
    x = issue(&good);
    issue_der(sub, &leaf_too);
    issue_der(x, &leaf_too);
    policy.anchors = buf_view(&leaf_too);
    T_ERR_SAYS(check(), ERR_TRUST, "trust anchor 2: not a CA certificate");
    X509_free(x);
    buf_free(&only_sub);
    buf_free(&leaf_too);
}

/* More sets and issuers than the cache keeps: what was thrown out is read again, and nothing mixes. */
static void cache_is_bounded(void **state)
{
    enum { SETS = 9, SUBS = 20 };
    struct buf set[SETS] = { 0 };
    EVP_PKEY *key[SETS];
    X509 *r[SETS], *subs[SUBS + 1] = { NULL };

    (void)state;
    for (int i = 0; i < SETS; i++) {
        set[i].max = ROOM;
        key[i] = issue_key("P-256");
        r[i] = issue_ca("CN=Root", key[i], NULL, NULL);
        issue_der(r[i], &set[i]);
    }
    for (int round = 0; round < 2 * SETS; round++) {
        int i = round * 4 % SETS;

        good.issuer = r[i];
        good.issuer_key = key[i];
        policy.anchors = buf_view(&set[i]);
        T_OK(check_with(UPPERS(NULL)));
    }
    policy.anchors = buf_view(&set[0]); /* of another root with the same name */
    T_ERR(check_with(UPPERS(NULL)), ERR_TRUST);
    policy.anchors = buf_view(&anchors);
    good.issuer = sub;
    good.issuer_key = sub_key;
    for (int i = 0; i < SUBS - 1; i++) {
        char name[20];

        snprintf(name, sizeof name, "CN=Sub %d", i);
        subs[i] = issue_ca(name, sub_key, root, root_key);
    }
    subs[SUBS - 1] = sub;
    for (int round = 0; round < 3; round++)
        T_OK(check_with(subs));
    for (int i = 0; i < SUBS - 1; i++)
        X509_free(subs[i]);
    for (int i = 0; i < SETS; i++) {
        X509_free(r[i]);
        EVP_PKEY_free(key[i]);
        buf_free(&set[i]);
    }
}

static void not_a_chain(void **state)
{
    X509 *many[CHAIN_MAX + 1];

    (void)state;
    T_ERR_SAYS(check_issued(lib, &t, buf_view(&spki), view_of(NULL, 0), &policy, &e), ERR_PROTO,
        "no certificate");
    T_ERR(check_issued(lib, &t, buf_view(&spki), view_text("x"), &policy, &e), ERR_PROTO);
    T_ERR(check_issued(lib, &t, buf_view(&spki), view_text("0\x03\x02\x01\x01"), &policy, &e),
        ERR_PROTO);
    for (int i = 0; i < CHAIN_MAX; i++)
        many[i] = sub;
    many[CHAIN_MAX] = NULL;
    T_ERR_SAYS(check_with(many), ERR_PROTO, "more than 32");
}

/* Not only extensions: whatever byte of the certificate is changed, it is refused. */
static void any_byte_changed(void **state)
{
    struct buf chain = BUF_INIT(ROOM);
    X509 *x = issue(&good);
    size_t leaf_len;

    (void)state;
    issue_der(x, &chain);
    leaf_len = chain.len;
    issue_der(sub, &chain);
    for (size_t i = 0; i < leaf_len; i++) {
        chain.p[i] ^= 0x01;
        e = (struct err){ 0 };
        if (check_issued(lib, &t, buf_view(&spki), buf_view(&chain), &policy, &e) == 0)
            fail_msg("byte %zu changed and still accepted", i);
        assert_true(e.cls == ERR_PROTO || e.cls == ERR_MISMATCH || e.cls == ERR_TRUST);
        chain.p[i] ^= 0x01;
    }
    T_OK(check_issued(lib, &t, buf_view(&spki), buf_view(&chain), &policy, &e));
    X509_free(x);
    buf_free(&chain);
}

int main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
    static const struct CMUnitTest tests[] = {
        T(no_path),
        T(lib_freed_after_a_failure),
        T(issuers_that_may_not),
        T(leaf_signed_with_sha1),
        T(anchor_below_the_root),
        T(cache_is_bounded),
        T(not_a_chain),
        T(any_byte_changed),
    };
    int failed;

    if (start() != 0)
        return 1;
    failed = cmocka_run_group_tests(tests, NULL, NULL);
    stop();
    return failed;
}
