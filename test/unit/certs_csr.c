/* csr.h: known bytes of the extension values; what is refused. */
#include "test/t.h"
#include <stdlib.h>
#include <openssl/objects.h>
#include "test/unit/issue.h"
#include "certs/csr.h"
#include "certs/der.h"
#include "certs/mem.h"
#include "certs/text.h"

#define SID_HEX \
    "532D312D352D32312D313030343333363334382D313137373233383931352D3638323030333333302D31313035"
#define SID "S-1-5-21-1004336348-1177238915-682003330-1105"

static struct err e;
static struct lib *lib;
static struct key *p256;
static struct template t;
static struct buf out = BUF_INIT(1 << 21);

static int setup(void **state)
{
    (void)state;
    e = (struct err){ 0 };
    t = (struct template){ .hash = HASH_SHA256 };
    buf_reset(&out);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    template_free(&t);
    return 0;
}

static void assert_hex(struct view got, const char *hex)
{
    struct buf text = BUF_INIT(1 << 16);

    hex_add(&text, got);
    assert_string_equal(buf_text(&text), hex);
    buf_free(&text);
}

/* ---- known bytes ---- */

static void bytes_of_template_name(void **state)
{
    (void)state;
    csr_write_template_name(&out, "ContosoUser");
    assert_hex(buf_view(&out), "1E160043006F006E0074006F0073006F0055007300650072");
}

static void bytes_of_template_oid(void **state)
{
    (void)state;
    T_OK(csr_write_template_oid(
        &out, "1.3.6.1.4.1.311.21.8.1234567.7654321.1.2.3.4.5.6", 100, 4, &e));
    assert_hex(buf_view(&out), "301E06162B060104018237150"
                               "8CBAD0783D39731010203040506020164020104");
    buf_reset(&out);
    T_OK(csr_write_template_oid(&out, "1.2.3", UINT32_MAX, 0, &e));
    assert_hex(buf_view(&out), "300E06022A03020500FFFFFFFF020100");
    buf_reset(&out);
    T_ERR_SAYS(csr_write_template_oid(&out, "nonsense", 1, 1, &e), ERR_INPUT, "template OID");
    assert_int_equal(out.len, 0);
}

static void bytes_of_sid(void **state)
{
    (void)state;
    csr_write_sid(&out, SID);
    assert_hex(buf_view(&out), "303FA03D060A2B060104018237190201A02F042D" SID_HEX);
}

static void bytes_of_pairs(void **state)
{
    (void)state;
    csr_write_pair(&out, "CertificateTemplate", "ContosoUser");
    assert_hex(buf_view(&out),
        "30401E26004300650072007400690066006900630061007400650054"
        "0065006D0070006C0061007400651E160043006F006E0074006F0073006F0055007300650072");
    buf_reset(&out);
    csr_write_pair(&out, "requestername", "CONTOSO\\alice");
    assert_hex(buf_view(&out), "30381E1A007200650071007500650073007400650072006E0061006D0065"
                               "1E1A0043004F004E0054004F0053004F005C0061006C006900630065");
}

/* Values that only other programs write, made with the same writer. */
static void bytes_the_writer_is_measured_by(void **state)
{
    size_t list, policy;

    (void)state;
    list = der_open(&out, DER_SEQUENCE); /* application policies */
    policy = der_open(&out, DER_SEQUENCE);
    der_oid_known(&out, "1.3.6.1.5.5.7.3.2");
    der_close(&out, policy);
    der_close(&out, list);
    assert_hex(buf_view(&out), "300C300A06082B06010505070302");
    buf_reset(&out);
    der_tlv(&out, DER_IA5, view_text("10.0.26100.2"));
    assert_hex(buf_view(&out), "160C31302E302E32363130302E32");
    buf_reset(&out);
    list = der_open(&out, DER_SEQUENCE); /* client information */
    der_uint(&out, 1001);
    der_utf8(&out, "ra01.contoso.example");
    der_utf8(&out, "CONTOSO\\svc-ra");
    der_utf8(&out, "certfernd");
    der_close(&out, list);
    assert_hex(buf_view(&out), "3035020203E90C14726130312E636F6E746F736F2E6578616D706C65"
                               "0C0E434F4E544F534F5C7376632D72610C0963657274"
                               "6665726E64");
}

static void refusals(void **state)
{
    (void)state;
    buf_add_text(&out, "kept");
    T_ERR_SAYS(csr_build(lib, &t, p256, &out, &e), ERR_INPUT, "neither a subject nor");
    T_OK(template_set_sid(&t, "S-1-5-18", SID_EXTENSION, &e));
    T_ERR_SAYS(csr_build(lib, &t, p256, &out, &e), ERR_INPUT, "neither a subject nor");
    T_OK(name_add(&t.subject, "CN", "x", false, &e));
    t.key = KEY_RSA2048;
    T_ERR_SAYS(csr_build(lib, &t, p256, &out, &e), ERR_INPUT,
        "wants a key of type rsa2048, this one is ecP256");
    t.key = KEY_NONE;
    t.key_usage = 1 << 5;
    T_ERR_SAYS(csr_build(lib, &t, p256, &out, &e), ERR_INPUT, "key usage 0x20");
    t.key_usage = 0;
    t.in_csr_v1 = true;
    T_ERR_SAYS(csr_build(lib, &t, p256, &out, &e), ERR_INPUT, "no name");
    t.name = xstrdup("a\xf0\x9d\x84\x9e");
    T_ERR_SAYS(csr_build(lib, &t, p256, &out, &e), ERR_INPUT, "BMPString");
    t.in_csr_v1 = false;
    t.in_csr_pair = true;
    T_ERR_SAYS(csr_build(lib, &t, p256, &out, &e), ERR_INPUT, "BMPString");
    t.in_csr_pair = false;
    t.in_csr_oid = xstrdup("1.2.x");
    T_ERR_SAYS(csr_build(lib, &t, p256, &out, &e), ERR_INPUT, "template OID");
    free(t.in_csr_oid);
    t.in_csr_oid = NULL;
    T_OK(template_add_eku(&t, "1.2.3", &e));
    t.ekus[0][0] = 'x';
    T_ERR_SAYS(csr_build(lib, &t, p256, &out, &e), ERR_INPUT, "extended key usage");
    t.ekus[0][0] = '1';
    T_OK(template_add_san(&t, SAN_URI, "a:b", &e));
    t.sans[0].value[1] = 'x';
    T_ERR_SAYS(csr_build(lib, &t, p256, &out, &e), ERR_INPUT, "SAN URI");
    t.sans[0].value[1] = ':';
    t.hash = HASH_NONE;
    T_ERR(csr_build(lib, &t, p256, &out, &e), ERR_UNSUPPORTED);
    assert_int_equal(out.len, 4);
    t.hash = HASH_SHA256;
    T_OK(csr_build(lib, &t, p256, &out, &e));
    assert_memory_equal(out.p, "kept", 4);
}

static void too_large(void **state)
{
    struct buf small = BUF_INIT(100);
    char value[2049];

    (void)state;
    T_OK(name_add(&t.subject, "CN", "x", false, &e));
    T_ERR(csr_build(lib, &t, p256, &small, &e), ERR_TOO_LARGE);
    assert_int_equal(small.len, 0);
    buf_free(&small);
    for (int i = 0; i < TEMPLATE_SAN_MAX; i++) {
        snprintf(value, sizeof value, "u:%02046d", i);
        T_OK(template_add_san(&t, SAN_URI, value, &e));
    }
    T_OK(csr_build(lib, &t, p256, &out, &e)); /* the most a template can hold: just under 1 MiB */
    assert_true(out.len > 1000000);
}

static void spki_of_damaged_requests(void **state)
{
    struct view spki;
    unsigned refused = 0;

    (void)state;
    T_OK(name_add(&t.subject, "CN", "x", false, &e));
    t.key_usage = 1;
    T_OK(csr_build(lib, &t, p256, &out, &e));
    for (size_t len = 0; len < out.len; len++) {
        struct buf cut = BUF_INIT(4096);

        buf_add(&cut, out.p, len);
        T_ERR(csr_spki(buf_view(&cut), &spki, &e), ERR_PROTO);
        buf_free(&cut);
    }
    for (size_t i = 0; i < out.len; i++) {
        out.p[i] ^= 0xff;
        e = (struct err){ 0 };
        if (csr_spki(buf_view(&out), &spki, &e) != 0) {
            assert_int_equal(e.cls, ERR_PROTO);
            refused++;
        } else {
            assert_true(spki.p > out.p && spki.p + spki.len < out.p + out.len);
        }
        out.p[i] ^= 0xff;
    }
    assert_true(refused >= 18);
    buf_add_byte(&out, 0);
    T_ERR_SAYS(csr_spki(buf_view(&out), &spki, &e), ERR_PROTO, "too many");
}

int main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
    static const struct CMUnitTest tests[] = {
        T(bytes_of_template_name),
        T(bytes_of_template_oid),
        T(bytes_of_sid),
        T(bytes_of_pairs),
        T(bytes_the_writer_is_measured_by),
        T(refusals),
        T(too_large),
        T(spki_of_damaged_requests),
    };
    int failed;

    if ((lib = lib_new(&e)) == NULL || (p256 = key_new(lib, KEY_P256, KEYGEN_PRIMES, &e)) == NULL)
        return 1;
    failed = cmocka_run_group_tests(tests, NULL, NULL);
    key_free(p256);
    lib_free(lib);
    buf_free(&out);
    return failed;
}
