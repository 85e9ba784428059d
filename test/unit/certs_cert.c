/* cert.h: every field against OpenSSL's reading of the same certificate; its parts as results show them. */
#include "test/t.h"
#include "test/unit/issue.h"
#include "certs/cert.h"
#include "certs/der.h"
#include "certs/text.h"

static struct err e;
static struct lib *lib;
static EVP_PKEY *p256;

static struct cert *parse(const struct issue *s, struct buf *der, struct cert *c)
{
    X509 *x = issue(s);

    issue_der(x, der);
    X509_free(x);
    T_OK(cert_parse(buf_view(der), c, &e));
    return c;
}

static void assert_inside(struct view part, struct view whole)
{
    if (part.len != 0)
        assert_true(part.p >= whole.p && part.p + part.len <= whole.p + whole.len);
}

static void assert_all_inside(const struct cert *c, struct view der)
{
    const struct view parts[] = { c->der, c->tbs, c->serial, c->issuer, c->subject, c->spki,
        c->signature_algorithm, c->signature, c->key_usage, c->eku, c->san, c->basic_constraints,
        c->sid, c->template_name, c->template_oid, c->app_policies, c->ski, c->aki,
        c->unknown_critical_oid };

    for (size_t i = 0; i < sizeof parts / sizeof *parts; i++)
        assert_inside(parts[i], der);
}

static const struct issue full = {
    .subject = "CN=Ada Lovelace/O=Contoso/C=DE",
    .begin = ISSUE_NOW,
    .end = 2600000000, /* 2052: GeneralizedTime */
    .serial = 0x123456,
    .ext = { { "keyUsage", "critical,digitalSignature,keyEncipherment" },
        { "extendedKeyUsage", "clientAuth" }, { "subjectAltName", "DNS:a.example" },
        { "basicConstraints", "critical,CA:FALSE" }, { "subjectKeyIdentifier", "hash" },
        { "authorityKeyIdentifier", "keyid:always" },
        { "crlDistributionPoints", "URI:http://crl.example/" },
        { "authorityInfoAccess", "OCSP;URI:http://ocsp.example/" },
        { "certificatePolicies", "1.2.3.4" }, { "1.3.6.1.4.1.311.25.2", "DER:3000" },
        { "1.3.6.1.4.1.311.20.2", "ASN1:BMPSTRING:ContosoUser" },
        { "1.3.6.1.4.1.311.21.7", "DER:300506032a0304" },
        { "1.3.6.1.4.1.311.21.10", "DER:300c300a06082b06010505070302" },
        { "1.2.3.4.5", "DER:0500" } },
};

static void fields_as_openssl_reads_them(void **state)
{
    struct issue s = full;
    struct buf der = BUF_INIT(1 << 16);
    unsigned char *p = NULL;
    const ASN1_BIT_STRING *sig;
    struct cert c;
    X509 *x;
    int len;

    (void)state;
    s.key = p256;
    x = issue(&s);
    issue_der(x, &der);
    T_OK(cert_parse(buf_view(&der), &c, &e));
    assert_all_inside(&c, buf_view(&der));
    assert_true(view_equal(c.der, buf_view(&der)));
    assert_true(view_equal(c.serial, view_of("\x12\x34\x56", 3)));
    assert_int_equal(c.not_before_at, ISSUE_NOW);
    assert_int_equal(c.not_after_at, 2600000000);
    len = i2d_X509_NAME(X509_get_subject_name(x), &p);
    assert_true(view_equal(c.subject, view_of(p, (size_t)len)));
    assert_true(view_equal(c.issuer, view_of(p, (size_t)len)));
    OPENSSL_free(p);
    p = NULL;
    len = i2d_re_X509_tbs(x, &p);
    assert_true(view_equal(c.tbs, view_of(p, (size_t)len)));
    OPENSSL_free(p);
    p = NULL;
    len = i2d_PUBKEY(p256, &p);
    assert_true(view_equal(c.spki, view_of(p, (size_t)len)));
    OPENSSL_free(p);
    X509_get0_signature(&sig, NULL, x);
    assert_true(view_equal(c.signature, view_of(sig->data, (size_t)sig->length)));
    assert_true(view_equal(c.ski, view_of(X509_get0_subject_key_id(x)->data, 20)));
    assert_true(view_equal(c.aki, c.ski));
    assert_true(view_equal(c.eku, view_of("\x30\x0a\x06\x08\x2b\x06\x01\x05\x05\x07\x03\x02", 12)));
    assert_true(view_equal(c.san, view_of("\x30\x0b\x82\x09"
                                          "a.example",
                                      13)));
    assert_true(view_equal(c.sid, view_of("\x30\x00", 2)));
    assert_int_equal(c.template_name.len, 24);
    assert_true(view_equal(c.template_oid, view_of("\x30\x05\x06\x03\x2a\x03\x04", 7)));
    assert_int_equal(c.app_policies.len, 14);
    assert_false(c.ca);
    assert_false(c.unknown_critical);
    assert_true(cert_self_issued(&c));
    X509_free(x);
    buf_free(&der);
}

static void version_1(void **state)
{
    struct buf der = BUF_INIT(1 << 16);
    struct cert c;

    (void)state;
    parse(&(struct issue){ .subject = "CN=old", .key = p256 }, &der, &c);
    assert_int_equal(c.key_usage.len + c.san.len + c.basic_constraints.len, 0);
    assert_false(c.ca);
    buf_free(&der);
}

static void ca_true(void **state)
{
    struct buf der = BUF_INIT(1 << 16);
    struct cert c;
    const char *const values[] = { "CA:TRUE", "critical,CA:TRUE,pathlen:0", "DER:30030101ff" };

    (void)state;
    for (size_t i = 0; i < 3; i++) {
        buf_reset(&der);
        parse(
            &(struct issue){
                .subject = "CN=ca", .key = p256, .ext = { { "basicConstraints", values[i] } } },
            &der, &c);
        assert_true(c.ca);
    }
    /* FALSE written out although it is the default: seen in the field */
    buf_reset(&der);
    parse(
        &(struct issue){
            .subject = "CN=x", .key = p256, .ext = { { "basicConstraints", "DER:3003010100" } } },
        &der, &c);
    assert_false(c.ca);
    buf_free(&der);
}

static void critical_extensions(void **state)
{
    static const struct {
        const char *oid, *value;
        bool unknown;
    } rows[] = {
        { "certificatePolicies", "critical,1.2.3.4", false },
        { "1.2.3.4.5", "DER:0500", false },
        { "1.2.3.4.5", "critical,DER:0500", true },
        { "1.3.6.1.4.1.311.25.2", "critical,DER:3000", true },
        { "1.3.6.1.4.1.311.21.10", "critical,DER:3000", true },
        { "nameConstraints", "critical,permitted;DNS:x", true },
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct issue s = {
            .subject = "CN=x", .key = p256, .ext = { { rows[i].oid, rows[i].value } }
        };
        struct buf der = BUF_INIT(1 << 16);
        struct cert c;

        parse(&s, &der, &c);
        assert_int_equal(c.unknown_critical, rows[i].unknown);
        assert_int_equal(c.unknown_critical_oid.len != 0, rows[i].unknown);
        buf_free(&der);
    }
}

static void serials(void **state)
{
    static const struct {
        const char *integer_hex, *hex; /* hex NULL: refused */
    } rows[] = {
        { "020100", "0" },
        { "020101", "1" },
        { "02020080", "80" },
        { "02020ABC", "ABC" },
        { "0201FF", "FF" }, /* negative: shown as everybody shows it */
        { "021500FFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFF",
            "FFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFF" },
        { "02150102030405060708090A0B0C0D0E0F101112131415", NULL },
        { "02020001", NULL },
        { "0200", NULL },
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct buf der = BUF_INIT(1 << 16), serial = BUF_INIT(64), made = BUF_INIT(1 << 16);
        struct buf text = BUF_INIT(64);
        struct cert c;
        size_t whole, tbs;
        struct view after;

        parse(&(struct issue){ .subject = "CN=x", .key = p256 }, &der, &c);
        T_OK(hex_parse(view_text(rows[i].integer_hex), &serial, &e));
        /* the same certificate around another serial number */
        after = view_of(c.serial.p + 2, (size_t)(c.tbs.p + c.tbs.len - (c.serial.p + 2)));
        whole = der_open(&made, DER_SEQUENCE);
        tbs = der_open(&made, DER_SEQUENCE);
        buf_add_view(&made, buf_view(&serial));
        buf_add_view(&made, after);
        der_close(&made, tbs);
        buf_add(&made, c.tbs.p + c.tbs.len, (size_t)(der.p + der.len - (c.tbs.p + c.tbs.len)));
        der_close(&made, whole);
        if (rows[i].hex == NULL) {
            T_ERR_SAYS(cert_parse(buf_view(&made), &c, &e), ERR_PROTO, "serial number");
        } else {
            T_OK(cert_parse(buf_view(&made), &c, &e));
            cert_serial_hex(&c, &text);
            assert_string_equal(buf_text(&text), rows[i].hex);
        }
        buf_free(&der);
        buf_free(&serial);
        buf_free(&made);
        buf_free(&text);
    }
}

static void key_usage(void **state)
{
    static const struct {
        const char *value;
        int bits; /* -1: refused */
    } rows[] = {
        { "digitalSignature", 1 },
        { "digitalSignature,keyEncipherment", 5 },
        { "keyAgreement", 16 },
        { "keyCertSign,cRLSign", 96 },
        { "decipherOnly", 256 },
        { "DER:030100", 0 },
        { "DER:0300", -1 },
        { "DER:0302"
          "0880",
            -1 },
        { "DER:030500010203"
          "04",
            -1 },
        { "DER:0500", -1 },
        { "DER:0302078000", -1 },
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct issue s = {
            .subject = "CN=x", .key = p256, .ext = { { "keyUsage", rows[i].value } }
        };
        struct buf der = BUF_INIT(1 << 16);
        unsigned bits = 77;
        struct cert c;

        parse(&s, &der, &c);
        if (rows[i].bits < 0) {
            T_ERR_SAYS(cert_key_usage(&c, &bits, &e), ERR_PROTO, "keyUsage");
            assert_int_equal(bits, 77);
        } else {
            T_OK(cert_key_usage(&c, &bits, &e));
            assert_int_equal(bits, rows[i].bits);
        }
        buf_free(&der);
    }
}

static void thumbprint(void **state)
{
    struct buf der = BUF_INIT(1 << 16), want = BUF_INIT(64), got = BUF_INIT(64),
               tight = BUF_INIT(39);
    X509 *x = issue(&(struct issue){ .subject = "CN=x", .key = p256 });
    unsigned char digest[EVP_MAX_MD_SIZE];
    unsigned len;

    (void)state;
    issue_der(x, &der);
    X509_digest(x, EVP_sha1(), digest, &len);
    hex_add(&want, view_of(digest, len));
    T_OK(cert_thumbprint(lib, buf_view(&der), &got, &e));
    assert_string_equal(buf_text(&got), buf_text(&want));
    T_ERR(cert_thumbprint(lib, buf_view(&der), &tight, &e), ERR_TOO_LARGE);
    assert_int_equal(tight.len, 0);
    X509_free(x);
    buf_free(&der);
    buf_free(&want);
    buf_free(&got);
    buf_free(&tight);
}

static void self_issued(void **state)
{
    struct buf der = BUF_INIT(1 << 16);
    X509 *ca = issue_ca("CN=Root", p256, NULL, NULL), *x;
    struct cert c;

    (void)state;
    issue_der(ca, &der);
    T_OK(cert_parse(buf_view(&der), &c, &e));
    assert_true(cert_self_issued(&c));
    buf_reset(&der);
    x = issue(
        &(struct issue){ .subject = "CN=Leaf", .key = p256, .issuer = ca, .issuer_key = p256 });
    issue_der(x, &der);
    T_OK(cert_parse(buf_view(&der), &c, &e));
    assert_false(cert_self_issued(&c));
    X509_free(ca);
    X509_free(x);
    buf_free(&der);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(fields_as_openssl_reads_them),
        cmocka_unit_test(version_1),
        cmocka_unit_test(ca_true),
        cmocka_unit_test(critical_extensions),
        cmocka_unit_test(serials),
        cmocka_unit_test(key_usage),
        cmocka_unit_test(thumbprint),
        cmocka_unit_test(self_issued),
    };
    int failed;

    if ((lib = lib_new(&e)) == NULL)
        return 1;
    p256 = issue_key("P-256");
    failed = cmocka_run_group_tests(tests, NULL, NULL);
    EVP_PKEY_free(p256);
    lib_free(lib);
    return failed;
}
