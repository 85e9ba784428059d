/* check_quick.h: what a leaf may not get from the good one before it. */
#include "test/unit/check_quick_fixture.h"

/* After a good leaf: this one, below the same issuers; `like` says whether it is one for the quick way. */
static bool next(const struct issue *s, X509 *const *uppers, const struct path *proven, bool like)
{
    X509 *x = issue(s);
    struct path p = path_of(x, uppers);
    bool yes = verdict(&p, proven);

    assert_int_equal(is_like(&p, proven), like);
    path_free(&p);
    X509_free(x);
    return yes;
}

static void leaves_that_are_not_like_it(void **state)
{
    EVP_PKEY *weak = issue_key("rsa1024"), *rsa = issue_key("rsa2048"), *ed = issue_key("ed25519");
    X509 *x = issue(&good);
    struct path proven = path_of(x, UPPERS(sub));
    struct issue s = good;

    (void)state;
    assert_true(next(&s, UPPERS(sub), &proven, true));
    s.key = rsa;
    s.subject = "CN=Somebody else";
    assert_true(next(&s, UPPERS(sub), &proven, true));
    s.key = ed;
    assert_true(next(&s, UPPERS(sub), &proven, false));
    s.key = weak;
    assert_false(next(&s, UPPERS(sub), &proven, false));
    s.key = leaf_key;
    s.issuer_key = other_key; /* right names, another signer */
    assert_false(next(&s, UPPERS(sub), &proven, true));
    s.issuer_key = sub_key;
    s.md = EVP_sha1();
    assert_false(next(&s, UPPERS(sub), &proven, false));
    s.md = NULL;
    s.end = ISSUE_NOW;
    assert_false(next(&s, UPPERS(sub), &proven, true));
    s.end = ISSUE_NOW + 1;
    assert_true(next(&s, UPPERS(sub), &proven, true));
    s.begin = s.end; /* over before it begins */
    assert_false(next(&s, UPPERS(sub), &proven, true));
    s = good;
    s.ext[SMIME] = (struct issue_ext){ "1.2.3.4", "critical,DER:0500" };
    assert_false(next(&s, UPPERS(sub), &proven, false));
    s.ext[SMIME] = (struct issue_ext){ "nsCertType", "DER:0500" }; /* OpenSSL reads it */
    assert_false(next(&s, UPPERS(sub), &proven, false));
    s = good;
    s.ext[SKI].value = "critical,hash"; /* OpenSSL 3.0 refuses that, later ones do not */
    (void)next(&s, UPPERS(sub), &proven, false);
    s = good;
    s.subject = "CN=Sub"; /* looks self-issued */
    (void)next(&s, UPPERS(sub), &proven, false);
    s = good;
    s.ext[SAN].value = "DER:0500";
    assert_false(next(&s, UPPERS(sub), &proven, false));
    X509_free(x);
    path_free(&proven);
    EVP_PKEY_free(weak);
    EVP_PKEY_free(rsa);
    EVP_PKEY_free(ed);
}

/* A leaf that its issuer's constraints exclude, after one that they allow. */
static void constraints_above(void **state)
{
    static const struct {
        const char *name, *value;
        bool leaf_too; /* does it say no to the second leaf? */
    } rows[] = {
        { "nameConstraints", "permitted;DNS:contoso.example", true },
        { "nameConstraints", "critical,excluded;DNS:evil.example", true },
        { "policyConstraints", "requireExplicitPolicy:5", false },
        { "inhibitAnyPolicy", "3", false },
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        for (int level = 0; level < 2; level++) { /* in the issuer, in the CA above it */
            struct issue s = { .subject = "CN=Top",
                .key = other_key,
                .issuer = root,
                .issuer_key = root_key,
                .ext = { { "basicConstraints", "critical,CA:TRUE" },
                    { "subjectKeyIdentifier", "hash" }, { rows[i].name, rows[i].value } } };
            X509 *top = issue(&s), *mid = issue_ca("CN=Mid", sub_key, top, other_key), *x;
            struct issue first = { .subject = "CN=Ada",
                .key = leaf_key,
                .issuer = level != 0 ? mid : top,
                .issuer_key = level != 0 ? sub_key : other_key,
                .ext = { { "subjectAltName", "DNS:a.contoso.example" } } };
            struct issue second = first;
            struct path proven;

            x = issue(&first);
            proven = path_of(x, UPPERS(mid, top));
            assert_true(next(&first, UPPERS(mid, top), &proven, true));
            second.ext[0].value = "DNS:a.evil.example";
            assert_int_equal(next(&second, UPPERS(mid, top), &proven, true), !rows[i].leaf_too);
            path_free(&proven);
            X509_free(x);
            X509_free(mid);
            X509_free(top);
        }
    }
}

/* Proven now, asked at every second around the life of a CA that begins and ends within 200 s. */
static void judge_around(X509 *leaf, X509 *upper)
{
    struct path p = path_of(leaf, UPPERS(upper));

    for (int64_t at = ISSUE_NOW - 103; at <= ISSUE_NOW + 103; at++) {
        empty_cache();
        policy.now = ISSUE_NOW;
        T_OK(check_path(&p.ask, &e));
        policy.now = at;
        assert_int_equal(check_path(&p.ask, &e) == 0, reference(&p));
        assert_int_equal(reference(&p), at >= ISSUE_NOW - 100 && at < ISSUE_NOW + 100);
    }
    policy.now = ISSUE_NOW;
    path_free(&p);
}

/* Other issuers, other anchors, another time: what was proven does not count there. */
static void surroundings_that_change(void **state)
{
    EVP_PKEY *k = issue_key("P-256");
    X509 *r2 = issue_ca("CN=Root", k, NULL, NULL), *x = issue(&good), *short_lived;
    struct path proven = path_of(x, UPPERS(sub)), p = path_of(x, UPPERS(NULL));
    struct buf other = BUF_INIT(ROOM), list = BUF_INIT(ROOM);
    struct issue s = { .subject = "CN=Sub",
        .key = sub_key,
        .issuer = root,
        .issuer_key = root_key,
        .begin = ISSUE_NOW - 100,
        .end = ISSUE_NOW + 100,
        .ext = { { "basicConstraints", "critical,CA:TRUE" }, { "subjectKeyIdentifier", "hash" } } };

    (void)state;
    assert_false(verdict(&p, &proven)); /* the same leaf, its issuer is not at hand */
    path_free(&p);
    p = path_of(x, UPPERS(sub, root));
    assert_true(verdict(&p, &proven));
    issue_der(r2, &other);
    empty_cache();
    T_OK(check_path(&proven.ask, &e));
    policy.anchors = buf_view(&other);
    T_ERR(check_path(&proven.ask, &e), ERR_TRUST);
    policy.anchors = buf_view(&anchors);
    path_free(&p);
    path_free(&proven);

    short_lived = issue(&s);
    judge_around(x, short_lived);
    issue_der(short_lived, &list); /* as an anchor, where it ends the path */
    policy.anchors = buf_view(&list);
    judge_around(x, NULL);
    X509_free(short_lived);
    X509_free(x);
    X509_free(r2);
    EVP_PKEY_free(k);
    buf_free(&other);
    buf_free(&list);
}

/* What a CA may not do it may not do with a warm cache either. */
static void issuers_that_may_not(void **state)
{
    static const struct {
        const char *top, *constraints, *usage;
        bool good;
    } rows[] = {
        { "critical,CA:TRUE", "critical,CA:TRUE", "keyCertSign", true },
        { "critical,CA:TRUE,pathlen:1", "critical,CA:TRUE,pathlen:0", "keyCertSign", true },
        { "critical,CA:TRUE,pathlen:0", "critical,CA:TRUE", "keyCertSign", false },
        { "critical,CA:TRUE", "critical,CA:FALSE", "keyCertSign", false },
        { "critical,CA:TRUE", "critical,CA:TRUE", "cRLSign", false },
    };
    X509 *x = issue(&good);
    struct path proven = path_of(x, UPPERS(sub));

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        X509 *top = issue(&(struct issue){ .subject = "CN=Top",
                 .key = other_key,
                 .issuer = root,
                 .issuer_key = root_key,
                 .ext = { { "basicConstraints", rows[i].top } } }),
             *mid = issue(&(struct issue){ .subject = "CN=Sub",
                 .key = sub_key,
                 .issuer = top,
                 .issuer_key = other_key,
                 .ext = { { "basicConstraints", rows[i].constraints },
                     { "keyUsage", rows[i].usage }, { "subjectKeyIdentifier", "hash" } } });
        struct path p = path_of(x, UPPERS(mid, top));

        assert_int_equal(verdict(&p, &proven), rows[i].good);
        if (rows[i].good)
            assert_true(verdict(&p, &p));
        path_free(&p);
        X509_free(mid);
        X509_free(top);
    }
    path_free(&proven);
    X509_free(x);
}

/* More kinds of leaves than are kept. */
static void more_kinds_than_places(void **state)
{
    (void)state;
    for (int round = 0; round < 60; round++) {
        char oid[16];

        snprintf(oid, sizeof oid, "1.2.3.%d", round % 20);
        good.ext[POLICY].value = oid;
        T_OK(check());
        good.issuer_key = other_key;
        T_ERR(check(), ERR_TRUST); /* and that empties the cache every time */
        good.issuer_key = sub_key;
        T_OK(check());
    }
    for (int round = 0; round < 60; round++) {
        char oid[16];

        snprintf(oid, sizeof oid, "1.2.3.%d", round % 20);
        good.ext[POLICY].value = oid;
        T_OK(check());
    }
}

int main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
    static const struct CMUnitTest tests[] = {
        T(leaves_that_are_not_like_it),
        T(constraints_above),
        T(surroundings_that_change),
        T(issuers_that_may_not),
        T(more_kinds_than_places),
    };
    int failed;

    if (start() != 0)
        return 1;
    failed = cmocka_run_group_tests(tests, NULL, NULL);
    stop();
    return failed;
}
