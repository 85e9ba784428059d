/* chain.h: certificates put into order. */
#include "test/unit/chain_fixture.h"

static void assert_order(X509 *const *pool, EVP_PKEY *key, X509 *const *want)
{
    struct buf in = BUF_INIT(ROOM), out = BUF_INIT(ROOM), expect = BUF_INIT(ROOM),
               spki = BUF_INIT(ROOM);

    for (; *pool != NULL; pool++)
        issue_der(*pool, &in);
    for (; *want != NULL; want++)
        issue_der(*want, &expect);
    issue_spki(key, &spki);
    T_OK(chain_order(buf_view(&in), buf_view(&spki), &out, &e));
    assert_true(view_equal(buf_view(&out), buf_view(&expect)));
    buf_free(&in);
    buf_free(&out);
    buf_free(&expect);
    buf_free(&spki);
}
#define LIST(...) ((X509 *const[]){ __VA_ARGS__, NULL })

static void orders(void **state)
{
    X509 *leaf2 = make_leaf(sub2, sub2_key, leaf_key);

    (void)state;
    assert_order(LIST(leaf, sub, root), leaf_key, LIST(leaf, sub));
    assert_order(LIST(root, sub, leaf), leaf_key, LIST(leaf, sub));
    assert_order(LIST(sub, leaf, root), leaf_key, LIST(leaf, sub));
    assert_order(LIST(sub, leaf), leaf_key, LIST(leaf, sub));
    assert_order(LIST(root, leaf), leaf_key, LIST(leaf));
    assert_order(LIST(leaf), leaf_key, LIST(leaf));
    assert_order(LIST(leaf, leaf, sub, sub), leaf_key, LIST(leaf, sub));
    assert_order(LIST(root, sub), root_key, LIST(root));
    /* both generations of a CA have the same name: the key identifier decides */
    assert_order(LIST(sub2, sub, leaf, root), leaf_key, LIST(leaf, sub));
    assert_order(LIST(sub, sub2, leaf2, root), leaf_key, LIST(leaf2, sub2));
    X509_free(leaf2);
}

static X509 *plain_ca(
    const char *subject, EVP_PKEY *key, X509 *issuer, EVP_PKEY *issuer_key, int64_t end)
{
    return issue(&(struct issue){ .subject = subject,
        .key = key,
        .issuer = issuer,
        .issuer_key = issuer_key,
        .end = end,
        .ext = { { "basicConstraints", "critical,CA:TRUE" } } });
}

static void takes_the_one_that_ends_last(void **state)
{
    X509 *old = plain_ca("CN=A", sub_key, root, root_key, ISSUE_NOW + 10);
    X509 *new = plain_ca("CN=A", sub_key, root, root_key, ISSUE_NOW + 20);
    X509 *x = make_leaf(old, sub_key, leaf_key);

    (void)state;
    assert_order(LIST(old, new, x), leaf_key, LIST(x, new));
    assert_order(LIST(new, old, x), leaf_key, LIST(x, new));
    X509_free(old);
    X509_free(new);
    X509_free(x);
}

static void circles_end(void **state)
{
    X509 *a0 = plain_ca("CN=A", sub_key, NULL, NULL, 0), *b, *a, *x;

    (void)state;
    b = plain_ca("CN=B", sub2_key, a0, sub_key, 0);
    a = plain_ca("CN=A", sub_key, b, sub2_key, 0);
    x = make_leaf(a, sub_key, leaf_key);
    assert_order(LIST(a, b, x), leaf_key, LIST(x, a, b));
    X509_free(a0);
    X509_free(a);
    X509_free(b);
    X509_free(x);
}

static void order_refuses(void **state)
{
    struct buf out = BUF_INIT(ROOM), spki = BUF_INIT(ROOM), many = BUF_INIT(ROOM),
               small = BUF_INIT(3);

    (void)state;
    issue_spki(sub2_key, &spki);
    T_ERR_SAYS(
        chain_order(buf_view(&three), buf_view(&spki), &out, &e), ERR_MISMATCH, "none of the 3");
    T_ERR_SAYS(
        chain_order(view_of(NULL, 0), buf_view(&spki), &out, &e), ERR_MISMATCH, "none of the 0");
    T_ERR(chain_order(view_of(three.p, three.len - 1), buf_view(&spki), &out, &e), ERR_PROTO);
    T_ERR(chain_order(view_text("\x30\x00"), buf_view(&spki), &out, &e), ERR_PROTO);
    for (int i = 0; i <= CHAIN_MAX; i++)
        issue_der(leaf, &many);
    T_ERR_SAYS(chain_order(buf_view(&many), buf_view(&spki), &out, &e), ERR_PROTO, "more than 32");
    assert_int_equal(out.len, 0);
    buf_free(&spki);
    issue_spki(leaf_key, &spki);
    T_ERR(chain_order(buf_view(&three), buf_view(&spki), &small, &e), ERR_TOO_LARGE);
    assert_int_equal(small.len, 0);
    buf_free(&out);
    buf_free(&spki);
    buf_free(&many);
    buf_free(&small);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(orders),
        cmocka_unit_test(takes_the_one_that_ends_last),
        cmocka_unit_test(circles_end),
        cmocka_unit_test(order_refuses),
    };
    int failed;

    setup();
    failed = cmocka_run_group_tests(tests, NULL, NULL);
    teardown();
    return failed;
}
