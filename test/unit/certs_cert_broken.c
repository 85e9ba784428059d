/* cert.h: certificates that are cut, damaged or malformed. */
#include "test/t.h"
#include "test/unit/issue.h"
#include "certs/cert.h"
#include "certs/der.h"
#include "certs/text.h"

static struct err e;
static EVP_PKEY *p256;

static struct cert *parse(const struct issue *s, struct buf *der, struct cert *c)
{
    X509 *x = issue(s);

    issue_der(x, der);
    X509_free(x);
    T_OK(cert_parse(buf_view(der), c, &e));
    return c;
}

/* Everything cert_parse may be asked to parse, malformed, from an X509 without re-reading it. */
static void refuses(X509 *x, const char *says)
{
    struct buf der = BUF_INIT(1 << 16);
    struct cert c = { .ca = true };

    issue_der(x, &der);
    T_ERR_SAYS(cert_parse(buf_view(&der), &c, &e), ERR_PROTO, says);
    assert_true(c.ca && c.der.p == NULL); /* untouched */
    buf_free(&der);
    X509_free(x);
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

static void cut_anywhere(void **state)
{
    struct issue s = full;
    struct buf der = BUF_INIT(1 << 16);
    struct cert c;

    (void)state;
    s.key = p256;
    parse(&s, &der, &c);
    for (size_t len = 0; len < der.len; len++) {
        struct buf copy = BUF_INIT(1 << 16); /* on the heap, so that reading past it shows */

        buf_add(&copy, der.p, len);
        T_ERR(cert_parse(buf_view(&copy), &c, &e), ERR_PROTO);
        buf_free(&copy);
    }
    buf_add_byte(&der, 0);
    T_ERR_SAYS(cert_parse(buf_view(&der), &c, &e), ERR_PROTO, "too many");
    buf_free(&der);
}

/* Any answer will do, but it must be one: no crash, nothing outside, a class when refused. */
static void any_byte_changed(void **state)
{
    static const uint8_t masks[] = { 0x01, 0x20, 0x80, 0xff };
    struct issue s = full;
    struct buf der = BUF_INIT(1 << 16);
    struct cert c;
    unsigned refused = 0;

    (void)state;
    s.key = p256;
    parse(&s, &der, &c);
    for (size_t i = 0; i < der.len; i++) {
        for (size_t m = 0; m < sizeof masks; m++) {
            unsigned bits;

            der.p[i] ^= masks[m];
            e = (struct err){ 0 };
            if (cert_parse(buf_view(&der), &c, &e) == 0) {
                assert_all_inside(&c, buf_view(&der));
                if (c.key_usage.len != 0 && cert_key_usage(&c, &bits, &e) != 0)
                    assert_int_equal(e.cls, ERR_PROTO);
            } else {
                assert_int_equal(e.cls, ERR_PROTO);
                refused++;
            }
            der.p[i] ^= masks[m];
        }
    }
    assert_true(refused > der.len);
    buf_free(&der);
}

static X509 *with_exts(int count, bool twice)
{
    X509 *x = issue(
        &(struct issue){ .subject = "CN=x", .key = p256, .ext = { { "1.2.3.4.5", "DER:0500" } } });

    for (int i = 1; i < count; i++) {
        char oid[32];
        struct issue_ext ext = { oid, "DER:0500" };

        snprintf(oid, sizeof oid, "1.2.3.4.%d", twice && i == count - 1 ? 5 : 100 + i);
        issue_add_ext(x, x, &ext);
    }
    X509_sign(x, p256, EVP_sha256());
    return x;
}

static void extensions_have_limits(void **state)
{
    struct buf der = BUF_INIT(1 << 16);
    struct cert c;
    X509 *x = with_exts(64, false);

    (void)state;
    issue_der(x, &der);
    T_OK(cert_parse(buf_view(&der), &c, &e));
    X509_free(x);
    buf_free(&der);
    refuses(with_exts(65, false), "more than 64");
    refuses(with_exts(2, true), "extension 1.2.3.4.5 stands twice");
    refuses(with_exts(64, true), "stands twice");
}

static void malformed_extensions(void **state)
{
    static const struct {
        const char *oid, *value, *says;
    } rows[] = {
        { "2.5.29.19", "DER:0500", "basicConstraints" },
        { "2.5.29.19", "DER:3003010101", "not a BOOLEAN" },
        { "2.5.29.19", "DER:30060101ff0201ff", "negative" },
        { "2.5.29.19",
            "DER:30060101ff020100"
            "0500",
            "basicConstraints" },
        { "2.5.29.19", "DER:30050101ff0500", "basicConstraints" },
        { "2.5.29.14", "DER:0500", "subjectKeyIdentifier" },
        { "2.5.29.14", "DER:04010105", "subjectKeyIdentifier" },
        { "2.5.29.35", "DER:0500", "authorityKeyIdentifier" },
        { "2.5.29.35", "DER:30008000", "authorityKeyIdentifier" },
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        refuses(issue(&(struct issue){
                    .subject = "CN=x", .key = p256, .ext = { { rows[i].oid, rows[i].value } } }),
            rows[i].says);
}

/* Faults that OpenSSL would not write: single bytes changed in a good certificate. */
static void malformed_parts(void **state)
{
    struct buf der = BUF_INIT(1 << 16);
    struct cert c;

    (void)state;
    parse(
        &(struct issue){
            .subject = "CN=x", .key = p256, .ext = { { "1.2.3.4.5", "critical,DER:0500" } } },
        &der, &c);
#define WITH(at, byte, says)                                               \
    do {                                                                   \
        size_t at_ = (size_t)((at)-der.p);                                 \
        uint8_t was_ = der.p[at_];                                         \
        struct cert no_;                                                   \
        der.p[at_] = (byte);                                               \
        T_ERR_SAYS(cert_parse(buf_view(&der), &no_, &e), ERR_PROTO, says); \
        der.p[at_] = was_;                                                 \
    } while (0)
    WITH(c.serial.p - 3, 3, "version"); /* version 4 */
    WITH(c.serial.p - 3, 1, "extensions in a certificate of version 2");
    WITH(c.signature_algorithm.p + 11, 0x03, "two different signature algorithms");
    WITH(c.signature.p - 1, 4, "whole number of bytes");
    WITH(c.subject.p, 0x31, "subject");
    WITH(c.subject.p - 30, 0x18, "notBefore"); /* UTCTime's digits as GeneralizedTime */
    WITH(c.spki.p, 0x31, "public key");
    WITH(c.unknown_critical_oid.p + 6, 7, "BOOLEAN"); /* its criticality */
    WITH(c.tbs.p, 0x31, "certificate body");
    buf_free(&der);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(cut_anywhere),
        cmocka_unit_test(any_byte_changed),
        cmocka_unit_test(extensions_have_limits),
        cmocka_unit_test(malformed_extensions),
        cmocka_unit_test(malformed_parts),
    };
    int failed;

    p256 = issue_key("P-256");
    failed = cmocka_run_group_tests(tests, NULL, NULL);
    EVP_PKEY_free(p256);
    return failed;
}
