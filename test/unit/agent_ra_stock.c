/* What the store has of a registration authority's certificates, and what an endpoint uses of it. */
#include "test/t.h"
#include "test/unit/issue.h"
#include "test/unit/agent_ra.h"

static struct lib *lib;
static EVP_PKEY *ca_key, *ra_key;
static X509 *root, *issuing;
static struct ca ca;

static int group_begin(void **state)
{
    struct err e;

    (void)state;
    ca_key = issue_key("P-256");
    ra_key = issue_key("rsa2048");
    root = issue_ca("CN=Root", ca_key, NULL, NULL);
    issuing = issue_ca("CN=Issuing", ca_key, root, ca_key);
    return (lib = lib_new(&e)) != NULL ? 0 : -1;
}

static int group_end(void **state)
{
    (void)state;
    X509_free(root);
    X509_free(issuing);
    EVP_PKEY_free(ca_key);
    EVP_PKEY_free(ra_key);
    lib_free(lib);
    return 0;
}

static int begin(void **state)
{
    if (ra_begin(state) != 0)
        return -1;
    ra_endpoint(lib);
    a.vault.request_key[0] = 7;
    ca = (struct ca){ .anchors = BUF_INIT(100000), .issuers = BUF_INIT(100000) };
    issue_der(root, &ca.anchors);
    endpoint.ca = &ca;
    return 0;
}

static int end(void **state)
{
    ra_free(endpoint.ra);
    ra_free(scepd.retired);
    buf_free(&ca.anchors);
    buf_free(&ca.issuers);
    return ra_end(state);
}

/* A certificate and its sealed key into the store, with its issuer behind it. */
static void install(int64_t generation, char use, int64_t from, int64_t until)
{
    struct issue i = { .subject = "CN=RA",
        .key = ra_key,
        .issuer = issuing,
        .issuer_key = ca_key,
        .serial = generation * 2 + (use == 'e'),
        .begin = from,
        .end = until,
        .ext = { { "keyUsage", use == 's' ? "digitalSignature" : "keyEncipherment" } } };
    X509 *x = issue(&i);
    struct buf path = BUF_INIT(100000), pkcs8 = BUF_SECRET(10000), data_key = BUF_INIT(1000),
               key = BUF_INIT(10000);
    struct store_ra r = pair(generation, use, from, until);
    struct err e = { 0 };

    issue_der(x, &path);
    issue_der(issuing, &path);
    issue_pkcs8(ra_key, &pkcs8);
    T_OK(vault_seal_new(&a.vault, lib, r.request_id, "key", buf_view(&pkcs8), &data_key, &key, &e));
    r.path = buf_view(&path);
    r.data_key = buf_view(&data_key);
    r.key = buf_view(&key);
    keep(&r);
    X509_free(x);
    buf_free(&path);
    buf_free(&pkcs8);
    buf_free(&data_key);
    buf_free(&key);
}

static void install_both(int64_t generation)
{
    install(generation, 's', clock_now() - DAY, clock_now() + 90 * DAY);
    install(generation, 'e', clock_now() - DAY, clock_now() + 90 * DAY);
}

static int64_t serial(const struct ra_pair *p)
{
    struct cert c;
    struct err e = { 0 };

    T_OK(cert_parse(buf_view(&p->certificate), &c, &e));
    return c.serial.p[0];
}

/* ---- names ---- */

static void names_of_requests(void **state)
{
    char id[40], other[40];

    (void)state;
    ra_stock_id("devices", 2, 's', 1, id);
    assert_string_equal(id, "ra-devices-2-s");
    ra_stock_id("devices", 2, 'e', 13, id);
    assert_string_equal(id, "ra-devices-2-e-13");
    ra_stock_id("a-name-that-is-just-x", 123456789, 'e', 9999, id);
    ra_stock_id("a-name-that-is-just-y", 123456789, 'e', 9999, other);
    assert_true(strlen(id) < 39 && strlen(other) < 39); /* nothing was cut off */
    assert_string_not_equal(id, other);
    assert_non_null(strstr(id, "-123456789-e-9999"));
}

static void the_last_request(void **state)
{
    struct request r = row("ra-dev-1-s", "ca1", 5), got;
    struct err e = { 0 };

    (void)state;
    assert_int_equal(ra_stock_last(store, "dev", 1, 's', &got, &e), 0);
    insert(&r);
    assert_int_equal(ra_stock_last(store, "dev", 1, 's', &got, &e), 1);
    r = row("ra-dev-1-s-2", "ca1", 6);
    insert(&r);
    assert_int_equal(ra_stock_last(store, "dev", 1, 's', &got, &e), 2);
    assert_string_equal(got.id, "ra-dev-1-s-2");
    assert_int_equal(got.next_at, 6);
    assert_int_equal(ra_stock_last(store, "dev", 1, 'e', &got, &e), 0);
}

/* ---- where it stands ---- */

static void stands(int64_t current, bool signing, bool encryption)
{
    struct ra_stock st;
    struct err e = { 0 };

    T_OK(ra_stock_read(store, "dev", clock_now(), &st, &e));
    assert_int_equal(st.current, current);
    assert_int_equal(st.half[0], signing);
    assert_int_equal(st.half[1], encryption);
}

static void halves_and_wholes(void **state)
{
    struct store_ra r;

    (void)state;
    stands(0, false, false);
    r = pair(1, 'e', 1, 2);
    keep(&r);
    stands(0, false, true);
    r = pair(1, 's', 1, 2);
    keep(&r);
    stands(1, false, false);
    r = pair(2, 's', 1, 2);
    keep(&r);
    stands(1, true, false);
    assert_string_equal(all_pairs(), "2s 1s 1e"); /* half a generation replaces nothing */
    r = pair(2, 'e', 1, 2);
    keep(&r);
    stands(2, false, false);
    r = pair(3, 'e', 1, 2);
    keep(&r);
    stands(2, false, true);
    assert_string_equal(all_pairs(), "3e 2s 2e 1e-");
}

static void the_sooner_of_both(void **state)
{
    struct store_ra s = pair(1, 's', 100, 400), x = pair(1, 'e', 0, 900);
    struct ra_stock st;
    struct err e = { 0 };

    (void)state;
    keep(&s);
    keep(&x);
    T_OK(ra_stock_read(store, "dev", 0, &st, &e));
    assert_int_equal(st.renew_at, 300);
    assert_int_equal(st.ends_at, 400);
    assert_false(st.stale);
}

/* ---- in use ---- */

static void nothing_is_no_failure(void **state)
{
    struct err e = { 0 };

    (void)state;
    T_OK(ra_stock_load(&endpoint, &e));
    assert_null(endpoint.ra);
    install(1, 's', clock_now() - DAY, clock_now() + DAY);
    T_OK(ra_stock_load(&endpoint, &e)); /* one of two */
    assert_null(endpoint.ra);
}

static void both_are_used(void **state)
{
    struct buf want = BUF_SECRET(10000);
    struct err e = { 0 };

    (void)state;
    install_both(1);
    T_OK(ra_stock_load(&endpoint, &e));
    assert_non_null(endpoint.ra);
    assert_int_equal(serial(&endpoint.ra->signing), 2);
    assert_int_equal(serial(&endpoint.ra->encryption), 3);
    assert_int_equal(endpoint.ra->previous_count, 0);
    issue_pkcs8(ra_key, &want);
    assert_true(view_equal(buf_view(&endpoint.ra->encryption.key), buf_view(&want)));
    assert_true(endpoint.ra->encryption.key.secret);
    assert_true(ca_knows_issuer(&ca, buf_view(&endpoint.ra->signing.certificate)));
    assert_string_equal(endpoint.ra->get_ca_type, "application/x-x509-ca-ra-cert");
    buf_free(&want);
}

static void a_renewal_keeps_what_was(void **state)
{
    const struct ra *before;
    struct err e = { 0 };

    (void)state;
    install_both(1);
    T_OK(ra_stock_load(&endpoint, &e));
    before = endpoint.ra;
    install(2, 's', clock_now() - DAY, clock_now() + DAY);
    T_OK(ra_stock_load(&endpoint, &e));
    assert_int_equal(serial(&endpoint.ra->signing), 2); /* half a renewal changes nothing */
    install(2, 'e', clock_now() - DAY, clock_now() + DAY);
    T_OK(ra_stock_load(&endpoint, &e));
    assert_int_equal(serial(&endpoint.ra->signing), 4);
    assert_int_equal(serial(&endpoint.ra->encryption), 5);
    assert_int_equal(endpoint.ra->previous_count, 1);
    assert_int_equal(serial(&endpoint.ra->previous[0]), 3);
    for (before = scepd.retired; before->older != NULL; before = before->older)
        ;
    assert_int_equal(serial(&before->signing), 2); /* workers may be reading it */
}

static void previous_ones_newest_first(void **state)
{
    struct err e = { 0 };

    (void)state;
    for (int g = 1; g <= 12; g++)
        install_both(g);
    T_OK(ra_stock_load(&endpoint, &e));
    assert_int_equal(endpoint.ra->previous_count, RA_PREVIOUS_MAX);
    assert_int_equal(serial(&endpoint.ra->previous[0]), 11 * 2 + 1);
    assert_int_equal(serial(&endpoint.ra->previous[RA_PREVIOUS_MAX - 1]), 4 * 2 + 1);
}

static void ended_ones_are_not_used(void **state)
{
    struct err e = { 0 };

    (void)state;
    install(1, 's', clock_now() - 9 * DAY, clock_now() - DAY);
    install(1, 'e', clock_now() - 9 * DAY, clock_now() + DAY);
    T_OK(ra_stock_load(&endpoint, &e));
    assert_null(endpoint.ra);
}

static void another_master_key(void **state)
{
    struct err e = { 0 };

    (void)state;
    install_both(1);
    a.vault.request_key[0] ^= 1;
    T_ERR_SAYS(ra_stock_load(&endpoint, &e), ERR_CONFIG, "the master key is not the one");
    assert_null(endpoint.ra);
}

static void a_subject_that_is_no_name(void **state)
{
    static char bad[] = "CN={{DeviceName}}";
    struct err e = { 0 };

    (void)state;
    section.ra_subject = bad;
    T_ERR_SAYS(ra_stock_load(&endpoint, &e), ERR_CONFIG, "scep \"dev\".ra_subject");
}

#define TEST(fn) cmocka_unit_test_setup_teardown(fn, begin, end)

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(names_of_requests),
        TEST(the_last_request),
        TEST(halves_and_wholes),
        TEST(the_sooner_of_both),
        TEST(nothing_is_no_failure),
        TEST(both_are_used),
        TEST(a_renewal_keeps_what_was),
        TEST(previous_ones_newest_first),
        TEST(ended_ones_are_not_used),
        TEST(another_master_key),
        TEST(a_subject_that_is_no_name),
    };

    return cmocka_run_group_tests_name("agent_ra_stock", tests, group_begin, group_end);
}
