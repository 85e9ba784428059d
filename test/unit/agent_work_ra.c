/* Key, request and check of a registration authority's certificates; with memory running out at every allocation. */
#include "test/t.h"
#include "test/unit/issue.h"
#include "agent/scep/work_ra.h"
#include "certs/chain.h"
#include "certs/csr_read.h"
#include "certs/mem.h"

static struct lib *lib;
static struct vault vault = { .request_key = { 1, 2, 3 } };
static EVP_PKEY *ca_key, *ra_key, *other_key;
static X509 *ca;
static struct buf ca_der = BUF_INIT(10000);
static struct buf data_key = BUF_INIT(1000), key = BUF_INIT(10000); /* of ra_key, sealed */

static int group_begin(void **state)
{
    struct buf pkcs8 = BUF_SECRET(10000);
    struct err e = { 0 };

    (void)state;
    mem_torture_openssl();
    if ((lib = lib_new(&e)) == NULL)
        return -1;
    ca_key = issue_key("P-256");
    ra_key = issue_key("rsa2048");
    other_key = issue_key("rsa2048");
    ca = issue_ca("CN=CA", ca_key, NULL, NULL);
    issue_der(ca, &ca_der);
    issue_pkcs8(ra_key, &pkcs8);
    T_OK(vault_seal_new(&vault, lib, "ra-dev-1-s", "key", buf_view(&pkcs8), &data_key, &key, &e));
    buf_free(&pkcs8);
    return 0;
}

static int group_end(void **state)
{
    (void)state;
    X509_free(ca);
    EVP_PKEY_free(ca_key);
    EVP_PKEY_free(ra_key);
    EVP_PKEY_free(other_key);
    buf_free(&ca_der);
    buf_free(&data_key);
    buf_free(&key);
    lib_free(lib);
    return 0;
}

static struct work_ra *work_new(
    char use, int (*run)(struct lib *l, struct io_work *w, struct err *e))
{
    struct work_ra *w = work_ra_new("ra-dev-1-s", &vault, run);

    w->use = use;
    w->keygen = KEYGEN_FAST;
    (void)snprintf(w->subject, sizeof w->subject, "CN=RA, O=Contoso");
    (void)snprintf(w->template_name, sizeof w->template_name, "EnrollmentAgentOffline");
    buf_add_view(&w->data_key, buf_view(&data_key));
    buf_add_view(&w->key, buf_view(&key));
    return w;
}

static int run(struct work_ra *w, struct err *e)
{
    return w->work.run(lib, &w->work, e);
}

static void drop(struct work_ra *w)
{
    w->work.free(&w->work);
}

/* ---- key ---- */

static void the_key_is_sealed_under_its_request(void **state)
{
    struct work_ra *w = work_new('s', work_ra_key);
    struct buf pkcs8 = BUF_SECRET(16384);
    struct err e = { 0 };
    struct key *k;

    (void)state;
    buf_reset(&w->data_key);
    buf_reset(&w->key);
    T_OK(run(w, &e));
    T_OK(vault_unseal(
        &vault, lib, "ra-dev-1-s", "key", buf_view(&w->data_key), buf_view(&w->key), &pkcs8, &e));
    k = key_parse(lib, buf_view(&pkcs8), &e);
    assert_non_null(k);
    assert_int_equal(key_type(k), KEY_RSA2048);
    key_free(k);
    buf_reset(&pkcs8);
    assert_int_equal(vault_unseal(&vault, lib, "ra-dev-1-e", "key", buf_view(&w->data_key),
                         buf_view(&w->key), &pkcs8, &e),
        -1);
    buf_free(&pkcs8);
    drop(w);
}

/* ---- csr ---- */

static void the_request_asks_for(char use, unsigned usage)
{
    struct work_ra *w = work_new(use, work_ra_csr);
    struct buf text = BUF_INIT(1000), spki = BUF_INIT(1000);
    struct csr c = { 0 };
    struct err e = { 0 };
    unsigned bits = 0;

    T_OK(run(w, &e));
    T_OK(csr_parse(buf_view(&w->csr), &c, &e));
    T_OK(csr_verify(lib, &c, 2048, false, &e));
    T_OK(csr_key_usage(&c, &bits, &e));
    assert_int_equal(bits, usage);
    name_text(c.subject, &text);
    assert_string_equal(buf_text(&text), "CN=RA, O=Contoso");
    buf_reset(&text);
    assert_true(csr_eku_at(&c, 0, &text));
    assert_string_equal(buf_text(&text), "1.3.6.1.4.1.311.20.2.1");
    assert_false(csr_eku_at(&c, 1, &text));
    assert_false(csr_san_at(&c, 0, &text));
    issue_spki(ra_key, &spki);
    assert_true(view_equal(c.spki, buf_view(&spki)));
    csr_free(&c);
    buf_free(&text);
    buf_free(&spki);
    drop(w);
}

static void requests(void **state)
{
    (void)state;
    the_request_asks_for('s', KU_DIGITAL_SIGNATURE);
    the_request_asks_for('e', KU_KEY_ENCIPHERMENT);
}

static void what_makes_no_request(void **state)
{
    struct work_ra *w = work_new('s', work_ra_csr);
    struct err e = { 0 };

    (void)state;
    (void)snprintf(w->subject, sizeof w->subject, "not a name");
    T_ERR_SAYS(run(w, &e), ERR_INPUT, "ra_subject");
    drop(w);
    w = work_new('s', work_ra_csr);
    w->vault.request_key[0] ^= 1;
    assert_int_equal(run(w, &e), -1);
    assert_int_equal(w->csr.len, 0);
    drop(w);
}

/* ---- check ---- */

struct got { /* what the CA has issued */
    char use;
    EVP_PKEY *key;
    const char *subject, *usage, *eku, *constraints;
    int64_t begin, end;
};

static int check(const struct got *g, struct work_ra **out, struct err *e)
{
    struct work_ra *csr = work_new(g->use, work_ra_csr), *w = work_new(g->use, work_ra_check);
    struct issue i = { .subject = g->subject != NULL ? g->subject : "CN=RA/O=Contoso",
        .key = g->key != NULL ? g->key : ra_key,
        .issuer = ca,
        .issuer_key = ca_key,
        .begin = g->begin,
        .end = g->end,
        .ext = { { "keyUsage", g->usage },
            { "extendedKeyUsage", g->eku != NULL ? g->eku : "1.3.6.1.4.1.311.20.2.1" },
            { "basicConstraints", g->constraints != NULL ? g->constraints : "CA:FALSE" } } };
    X509 *x = issue(&i);
    int rc;

    assert_int_equal(run(csr, e), 0);
    buf_add_view(&w->csr, buf_view(&csr->csr));
    issue_der(x, &w->chain);
    buf_add_view(&w->anchors, buf_view(&ca_der));
    w->now = ISSUE_NOW;
    rc = run(w, e);
    X509_free(x);
    drop(csr);
    *out = w;
    return rc;
}

static void good_ones(void **state)
{
    static const struct got rows[] = { { .use = 's', .usage = "critical,digitalSignature" },
        { .use = 'e', .usage = "keyEncipherment" },
        /* for years: limits for devices are not for these */
        { .use = 'e', .usage = "keyEncipherment", .end = ISSUE_NOW + 2000 * (int64_t)ISSUE_DAY } };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct view rest, leaf;
        struct err e = { 0 };
        struct work_ra *w;

        T_OK(check(&rows[i], &w, &e));
        assert_string_equal(w->serial, "1267");
        assert_int_equal(strlen(w->digest), 64);
        rest = buf_view(&w->path);
        assert_int_equal(chain_next(&rest, &leaf, &e), 1);
        assert_int_equal(rest.len, 0); /* without the root */
        drop(w);
    }
}

static void something_else(void **state)
{
    const struct {
        struct got got;
        enum err_class cls;
        const char *says;
    } rows[] = {
        { { 's', .usage = "keyEncipherment" }, ERR_MISMATCH, "keyUsage" },
        { { 's', .usage = "digitalSignature,keyEncipherment" }, ERR_MISMATCH, "keyUsage" },
        { { 'e', .usage = "digitalSignature" }, ERR_MISMATCH, "keyUsage" },
        { { 's', .usage = "digitalSignature", .eku = "clientAuth" }, ERR_MISMATCH, "extKeyUsage" },
        { { 's', .usage = "digitalSignature", .eku = "1.3.6.1.4.1.311.20.2.1,clientAuth" },
            ERR_MISMATCH, "extKeyUsage" },
        { { 's', .usage = "digitalSignature", .subject = "CN=RA/O=Contoso/OU=x" }, ERR_MISMATCH,
            "subject" },
        { { 's', .usage = "digitalSignature", .key = other_key }, ERR_MISMATCH, "key" },
        { { 's', .usage = "digitalSignature", .constraints = "CA:TRUE" }, ERR_MISMATCH, "CA" },
        { { 's', .usage = "digitalSignature", .end = ISSUE_NOW - 60 }, ERR_MISMATCH, "ended" },
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct err e = { 0 };
        struct work_ra *w;

        T_ERR_SAYS(check(&rows[i].got, &w, &e), rows[i].cls, rows[i].says);
        assert_string_equal(w->serial, "");
        drop(w);
    }
}

static void another_hierarchy(void **state)
{
    struct got g = { .use = 's', .usage = "digitalSignature" };
    struct buf kept = BUF_INIT(10000);
    X509 *other = issue_ca("CN=CA", other_key, NULL, NULL);
    struct err e = { 0 };
    struct work_ra *w;

    (void)state;
    buf_take(&kept, &ca_der);
    ca_der = (struct buf)BUF_INIT(10000);
    issue_der(other, &ca_der);
    T_ERR(check(&g, &w, &e), ERR_TRUST);
    drop(w);
    buf_take(&ca_der, &kept);
    X509_free(other);
}

/* ---- memory ---- */

static bool fails_at(int (*what)(struct lib *l, struct io_work *w, struct err *e), struct view csr,
    struct view chain, unsigned long n)
{
    struct work_ra *w = work_new('s', what);
    struct err e = { 0 };
    bool over;
    int rc;

    buf_add_view(&w->csr, csr);
    buf_add_view(&w->chain, chain);
    buf_add_view(&w->anchors, buf_view(&ca_der));
    w->now = ISSUE_NOW;
    mem_fail_after(n);
    rc = run(w, &e);
    over = mem_count() < n;
    mem_fail_after(0);
    if (rc != 0 && (over || e.cls != ERR_NOMEM))
        fail_msg("allocation %lu: %s %s (%s)", n, err_name(e.cls), e.msg, e.where);
    drop(w);
    return !over;
}

static void memory_runs_out(void **state)
{
    struct got g = { .use = 's', .usage = "digitalSignature" };
    struct buf csr = BUF_INIT(10000), chain = BUF_INIT(10000);
    struct err e = { 0 };
    struct work_ra *w;

    (void)state;
    T_OK(check(&g, &w, &e));
    buf_add_view(&csr, buf_view(&w->csr));
    buf_add_view(&chain, buf_view(&w->chain));
    drop(w);
    for (unsigned long n = 1; fails_at(work_ra_csr, view_of(NULL, 0), view_of(NULL, 0), n); n++)
        ;
    for (unsigned long n = 1; fails_at(work_ra_check, buf_view(&csr), buf_view(&chain), n); n++)
        ;
    buf_free(&csr);
    buf_free(&chain);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_key_is_sealed_under_its_request),
        cmocka_unit_test(requests),
        cmocka_unit_test(what_makes_no_request),
        cmocka_unit_test(good_ones),
        cmocka_unit_test(something_else),
        cmocka_unit_test(another_hierarchy),
        cmocka_unit_test(memory_runs_out),
    };

    return cmocka_run_group_tests_name("agent_work_ra", tests, group_begin, group_end);
}
