/* Upstream CAs: an instance from its section, and the certificates it knows. */
#include "test/t.h"
#include "agent/ca/ca.h"
#include "certs/text.h"
#include "test/unit/agent_dir.h"
#include "test/unit/issue.h"

static struct lib *lib;
static EVP_PKEY *key;
static X509 *root, *sub, *leaf;

static int group_begin(void **state)
{
    struct err e;
    struct issue s = { .subject = "CN=leaf" };

    (void)state;
    lib = lib_new(&e);
    key = issue_key("P-256");
    root = issue_ca("CN=Root", key, NULL, NULL);
    sub = issue_ca("CN=Sub", key, root, key);
    s.key = s.issuer_key = key;
    s.issuer = sub;
    leaf = issue(&s);
    return lib != NULL && leaf != NULL ? 0 : -1;
}

static int group_end(void **state)
{
    (void)state;
    X509_free(root);
    X509_free(sub);
    X509_free(leaf);
    EVP_PKEY_free(key);
    lib_free(lib);
    return 0;
}

static void add_pem(X509 *x, struct buf *out)
{
    struct buf der = BUF_INIT(4096);

    issue_der(x, &der);
    pem_add(out, "CERTIFICATE", buf_view(&der));
    buf_free(&der);
}

static void write_pem(const char *name, X509 *a, X509 *b)
{
    struct buf pem = BUF_INIT(20000);

    add_pem(a, &pem);
    if (b != NULL)
        add_pem(b, &pem);
    dir_put(name, pem.p, pem.len, 0644);
    buf_free(&pem);
}

static struct conf_ca section(void)
{
    static char name[] = "issuing1", type[] = "adcs", url[] = "https://ca01/certsrv/",
                auth[] = "none", anchors[DIR_PATH_LEN];

    (void)snprintf(anchors, sizeof anchors, "%s", dir_path("root.pem"));
    return (struct conf_ca){ .name = name,
        .type = type,
        .url = url,
        .auth = auth,
        .anchors = anchors,
        .max_in_flight = 4,
        .timeout = 120 };
}

static int try_open(const struct conf_ca *c, struct err *e)
{
    struct ca *ca = ca_open(c, lib, NULL, e);

    ca_close(ca);
    return ca != NULL ? 0 : -1;
}

/* ---- opening ---- */

static void one_of_each_kind(void **state)
{
    static char adcs[] = "adcs", est[] = "est";
    struct err e = { 0 };

    (void)state;
    write_pem("root.pem", root, sub);
    for (int i = 0; i < 2; i++) {
        struct conf_ca c = section();
        struct buf ders = BUF_INIT(8192);
        struct ca *ca;

        c.type = i == 0 ? adcs : est;
        assert_non_null(strstr(ca_kinds(), c.type));
        if ((ca = ca_open(&c, lib, NULL, &e)) == NULL)
            fail_msg("%s", e.msg);
        assert_string_equal(ca->driver->kind, c.type);
        assert_ptr_equal(ca->conf, &c);
        assert_string_equal(io_peer_name(ca->io), "issuing1");
        assert_string_equal(peer_name(ca->peer), "issuing1");
        issue_der(root, &ders);
        issue_der(sub, &ders);
        assert_true(view_equal(buf_view(&ca->anchors), buf_view(&ders)));
        assert_int_equal(ca->issuers.len, 0);
        buf_free(&ders);
        ca_close(ca);
    }
    ca_close(NULL);
}

/* What a driver promises of itself is what the job relies on. */
static void what_drivers_can(void **state)
{
    static const struct ca_driver *const drivers[] = { &ca_adcs, &ca_est };

    (void)state;
    for (size_t i = 0; i < 2; i++) {
        const struct ca_driver *d = drivers[i];

        assert_true(d->open && d->close && d->submit && d->collect && d->chain && d->judge);
        assert_non_null(d->judge_chain);
        if (d->collect_submits) /* then collecting is the same request again */
            assert_ptr_equal(d->collect, d->submit);
    }
    assert_false(ca_adcs.collect_submits);
    assert_null(ca_adcs.find);
    assert_null(ca_est.find);
}

static void what_cannot_be_opened(void **state)
{
    static char unknown[] = "ejbca", basic[] = "basic", path[4][DIR_PATH_LEN];
    struct conf_ca c = section();
    struct err e = { 0 };

    (void)state;
    for (int i = 0; i < 4; i++)
        (void)snprintf(path[i], sizeof path[i], "%s",
            dir_path((const char *[]){ "none", "junk", "open.key", "secret" }[i]));
    T_ERR_SAYS(try_open(&c, &e), ERR_CONFIG, "root.pem: No such file");
    write_pem("root.pem", root, NULL);
    assert_int_equal(try_open(&c, &e), 0);
    c.type = unknown;
    T_ERR_SAYS(try_open(&c, &e), ERR_CONFIG, "\"ejbca\" is none of adcs, est");
    dir_write("junk", "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n", 0644);
    c = section();
    c.anchors = path[1];
    T_ERR_SAYS(try_open(&c, &e), ERR_CONFIG, "/junk: ");
    dir_write("junk", "", 0644);
    T_ERR_SAYS(try_open(&c, &e), ERR_CONFIG, "/junk: ");
    c = section();
    c.trust = path[0];
    T_ERR_SAYS(try_open(&c, &e), ERR_CONFIG, "issuing1: trust: ");
    c = section();
    c.client_certificate = path[0];
    T_ERR_SAYS(try_open(&c, &e), ERR_CONFIG, "issuing1: client certificate: ");
    c.client_certificate = c.anchors;
    dir_write("open.key", "x", 0644);
    c.client_key = path[2];
    T_ERR_SAYS(try_open(&c, &e), ERR_CONFIG, "others may read it");
    c = section();
    c.auth = basic;
    T_ERR_SAYS(try_open(&c, &e), ERR_CONFIG, "issuing1: credentials: no file named");
    c.credentials_file = path[3];
    T_ERR_SAYS(try_open(&c, &e), ERR_CONFIG, "issuing1: credentials: ");
    dir_write("secret", "user:pass", 0640);
    T_ERR_SAYS(try_open(&c, &e), ERR_CONFIG, "others may read it");
    dir_write("secret", "user:pass", 0600);
    assert_int_equal(try_open(&c, &e), 0);
}

/* A client certificate without a key file of its own must hold the key, and is then as secret as one. */
static void a_key_in_the_certificate_file(void **state)
{
    static char path[DIR_PATH_LEN];
    struct conf_ca c = section();
    struct err e = { 0 };

    (void)state;
    write_pem("root.pem", root, NULL);
    (void)snprintf(path, sizeof path, "%s", dir_path("both.pem"));
    c.client_certificate = path;
    dir_write("both.pem", "certificate and key", 0644);
    T_ERR_SAYS(try_open(&c, &e), ERR_CONFIG, "others may read it");
    dir_write("both.pem", "certificate and key", 0600);
    assert_int_equal(try_open(&c, &e), 0);
}

/* ---- issuers ---- */

static void knows(const struct ca *ca, X509 *x, bool expected)
{
    struct buf der = BUF_INIT(4096);

    issue_der(x, &der);
    assert_int_equal(ca_knows_issuer(ca, buf_view(&der)), expected);
    buf_free(&der);
}

static void issuers_are_learnt(void **state)
{
    struct conf_ca c = section();
    struct buf sent = BUF_INIT(20000);
    struct err e = { 0 };
    struct ca *ca;
    size_t once;

    (void)state;
    write_pem("root.pem", root, NULL);
    ca = ca_open(&c, lib, NULL, &e);
    assert_non_null(ca);
    knows(ca, root, true);
    knows(ca, sub, true); /* the root is an anchor */
    knows(ca, leaf, false);
    issue_der(leaf, &sent); /* not a CA: it issues nothing */
    issue_der(root, &sent); /* known */
    issue_der(sub, &sent);
    T_OK(ca_learn(ca, buf_view(&sent), &e));
    knows(ca, leaf, true);
    once = ca->issuers.len;
    buf_reset(&sent);
    issue_der(sub, &sent);
    assert_int_equal(once, sent.len);
    T_OK(ca_learn(ca, buf_view(&sent), &e)); /* twice is once */
    assert_int_equal(ca->issuers.len, once);
    assert_false(ca_knows_issuer(ca, view_text("not a certificate")));
    T_ERR(ca_learn(ca, view_text("not a certificate"), &e), ERR_PROTO);
    assert_int_equal(ca->issuers.len, once);
    buf_free(&sent);
    ca_close(ca);
}

/* A peer that sends ever new intermediates does not fill our memory. */
static void issuers_are_bounded(void **state)
{
    struct conf_ca c = section();
    struct err e = { 0 };
    struct ca *ca;

    (void)state;
    write_pem("root.pem", root, NULL);
    ca = ca_open(&c, lib, NULL, &e);
    assert_non_null(ca);
    for (int i = 0; i < 60; i++) {
        struct buf der = BUF_INIT(4096);
        char name[30];
        X509 *x;

        (void)snprintf(name, sizeof name, "CN=Sub %d", i);
        x = issue_ca(name, key, root, key);
        issue_der(x, &der);
        T_OK(ca_learn(ca, buf_view(&der), &e));
        X509_free(x);
        buf_free(&der);
    }
    assert_in_range(ca->issuers.len, 1000, 20000);
    ca_close(ca);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        DIR_TEST(one_of_each_kind),
        cmocka_unit_test(what_drivers_can),
        DIR_TEST(what_cannot_be_opened),
        DIR_TEST(a_key_in_the_certificate_file),
        DIR_TEST(issuers_are_learnt),
        DIR_TEST(issuers_are_bounded),
    };

    return cmocka_run_group_tests_name("agent_ca", tests, group_begin, group_end);
}
