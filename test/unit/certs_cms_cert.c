/* cms_cert.h: certificates as devices make them, found by name and number or by key identifier. */
#include "test/unit/signed_fixture.h"
#include "certs/cert.h"
#include "certs/cms_cert.h"

static struct party party;

static void as_cert_parse_reads_it(void **state)
{
    X509 *x = issue(&(struct issue){ .subject = "CN=Ada/O=Contoso",
        .key = party.pkey,
        .ext = { { "keyUsage", "critical,digitalSignature" }, { "subjectKeyIdentifier", "hash" },
            { "extendedKeyUsage", "clientAuth" } } });
    struct buf der = BUF_INIT(ROOM);
    struct cms_cert c;
    struct cert want;

    (void)state;
    issue_der(x, &der);
    T_OK(cert_parse(buf_view(&der), &want, &e));
    T_OK(cms_cert_read(buf_view(&der), &c, &e));
    assert_true(view_equal(c.issuer, want.issuer));
    assert_true(view_equal(c.serial.content, want.serial));
    assert_true(view_equal(c.spki, want.spki));
    assert_true(view_equal(c.key_usage, want.key_usage) && c.key_usage.len != 0);
    assert_true(view_equal(c.ski, want.ski) && c.ski.len == 20);
    X509_free(x);
    buf_free(&der);
}

static void names(void **state)
{
    struct cms_cert c;
    struct view none = { 0 };
    struct buf other = BUF_INIT(ROOM);

    (void)state;
    T_OK(cms_cert_read(buf_view(&party.der), &c, &e));
    assert_true(cms_cert_is(&c, c.issuer, c.serial.content, none));
    assert_false(cms_cert_is(&c, c.issuer, view_text("12"), none));
    assert_false(cms_cert_is(&c, c.issuer, none, none));
    assert_false(cms_cert_is(&c, none, c.serial.content, none));
    assert_true(cms_cert_is(&c, none, none, c.ski));
    assert_false(cms_cert_is(&c, c.issuer, c.serial.content, view_text("another")));
    buf_add_view(&other, c.issuer);
    other.p[other.len - 1] ^= 0x20; /* another case: the same name */
    assert_true(cms_cert_is(&c, buf_view(&other), c.serial.content, none));
    other.p[other.len - 1] ^= 0x01;
    assert_false(cms_cert_is(&c, buf_view(&other), c.serial.content, none));
    buf_free(&other);
    c.ski = none;
    assert_false(cms_cert_is(&c, c.issuer, c.serial.content, view_text("another")));
}

/* Extensions with these values, each under its name. */
static int read_with(const struct issue_ext ext[2], struct cms_cert *c)
{
    struct issue how = { .subject = "CN=x", .key = party.pkey, .ext = { ext[0], ext[1] } };
    struct buf der = BUF_INIT(ROOM);
    X509 *x = issue(&how);
    int rc;

    issue_der(x, &der);
    rc = cms_cert_read(buf_view(&der), c, &e);
    X509_free(x);
    buf_free(&der);
    return rc;
}

static void extensions_that_do_not_read(void **state)
{
    static const struct issue_ext twice_usage[] = { { "keyUsage", "digitalSignature" },
        { "2.5.29.15", "DER:03020520" } };
    static const struct issue_ext twice_id[] = { { "subjectKeyIdentifier", "hash" },
        { "2.5.29.14", "DER:040141" } };
    static const struct issue_ext no_id[] = { { "2.5.29.14", "DER:0400" } };
    static const struct issue_ext no_octets[] = { { "2.5.29.14", "DER:0500" } };
    static const struct issue_ext another[] = { { "2.5.29.17", "DER:0500" },
        { "2.5.29.17", "DER:0500" } };
    struct cms_cert c;

    (void)state;
    T_ERR_SAYS(read_with(twice_usage, &c), ERR_PROTO, "twice");
    T_ERR_SAYS(read_with(twice_id, &c), ERR_PROTO, "twice");
    T_ERR_SAYS(read_with((struct issue_ext[2]){ no_id[0] }, &c), ERR_PROTO, "without a value");
    T_ERR(read_with((struct issue_ext[2]){ no_octets[0] }, &c), ERR_PROTO);
    T_OK(read_with(another, &c)); /* nothing we look at */
}

static void not_certificates(void **state)
{
    struct buf der = BUF_INIT(ROOM);
    struct cms_cert c = { .issuer = view_text("kept") };

    (void)state;
    buf_add_view(&der, buf_view(&party.der));
    for (size_t i = 0; i < der.len; i++)
        T_ERR(cms_cert_read(view_of(der.p, i), &c, &e), ERR_PROTO);
    buf_add_byte(&der, 0);
    T_ERR(cms_cert_read(buf_view(&der), &c, &e), ERR_PROTO);
    assert_int_equal(c.issuer.len, 4);
    buf_free(&der);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(as_cert_parse_reads_it),
        cmocka_unit_test(names),
        cmocka_unit_test(extensions_that_do_not_read),
        cmocka_unit_test(not_certificates),
    };
    int failed;

    if ((lib = lib_new(&e)) == NULL)
        return 1;
    party_init(&party, "P-256", "CN=Device/O=Contoso");
    failed = cmocka_run_group_tests(tests, NULL, NULL);
    party_free(&party);
    lib_free(lib);
    return failed;
}
