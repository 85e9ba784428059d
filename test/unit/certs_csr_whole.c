/* csr.h: whole requests as OpenSSL reads and verifies them. */
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

static X509_REQ *build(struct key *k)
{
    const unsigned char *p;
    X509_REQ *req;

    buf_reset(&out);
    T_OK(csr_build(lib, &t, k, &out, &e));
    p = out.p;
    req = d2i_X509_REQ(NULL, &p, (long)out.len);
    assert_non_null(req);
    assert_ptr_equal(p, out.p + out.len);
    return req;
}

static void assert_subject(const X509_REQ *req, const char *const (*want)[2])
{
    X509_NAME *name = X509_NAME_new();

    for (; (*want)[0] != NULL; want++)
        assert_int_equal(X509_NAME_add_entry_by_txt(name, (*want)[0], MBSTRING_UTF8,
                             (const unsigned char *)(*want)[1], -1, -1, 0),
            1);
    assert_int_equal(X509_NAME_cmp(name, X509_REQ_get_subject_name(req)), 0);
    X509_NAME_free(name);
}

/* The extensions as "oid[!]=text" lines. */
static void assert_extensions(X509_REQ *req, const char *want)
{
    STACK_OF(X509_EXTENSION) *exts = X509_REQ_get_extensions(req);
    BIO *text = BIO_new(BIO_s_mem());
    struct buf got = BUF_INIT(1 << 16);
    char *p, oid[80];
    long len;

    for (int i = 0; i < sk_X509_EXTENSION_num(exts); i++) {
        X509_EXTENSION *x = sk_X509_EXTENSION_value(exts, i);

        OBJ_obj2txt(oid, sizeof oid, X509_EXTENSION_get_object(x), 1);
        BIO_printf(text, "%s%s=", oid, X509_EXTENSION_get_critical(x) ? "!" : "");
        if (X509V3_EXT_print(text, x, 0, 0) != 1) { /* unknown to OpenSSL */
            const ASN1_OCTET_STRING *value = X509_EXTENSION_get_data(x);

            for (int j = 0; j < value->length; j++)
                BIO_printf(text, "%02X", value->data[j]);
        }
        BIO_puts(text, "\n");
    }
    len = BIO_get_mem_data(text, &p);
    buf_add(&got, p, (size_t)len);
    assert_string_equal(buf_text(&got), want);
    buf_free(&got);
    BIO_free(text);
    sk_X509_EXTENSION_pop_free(exts, X509_EXTENSION_free);
}

static void everything_as_openssl_reads_it(void **state)
{
    static const char *const subject[][2] = { { "CN", "\xc3\x84"
                                                      "da" },
        { "O", "Contoso, Ltd" }, { "C", "DE" }, { NULL, NULL } };
    X509_REQ *req;
    EVP_PKEY *key;

    (void)state;
    t.name = xstrdup("ContosoUser");
    T_OK(name_add(&t.subject, "CN",
        "\xc3\x84"
        "da",
        false, &e));
    T_OK(name_add(&t.subject, "O", "Contoso, Ltd", false, &e));
    T_OK(name_add(&t.subject, "C", "DE", false, &e));
    T_OK(template_add_san(&t, SAN_DNS, "host.contoso.example", &e));
    T_OK(template_add_san(&t, SAN_EMAIL, "ada@contoso.example", &e));
    T_OK(template_add_san(&t, SAN_IP, "192.0.2.1", &e));
    T_OK(template_add_san(&t, SAN_UPN, "ada@contoso.example", &e));
    T_OK(template_add_eku(&t, "1.3.6.1.5.5.7.3.2", &e));
    T_OK(template_add_eku(&t, "1.3.6.1.4.1.311.20.2.2", &e));
    T_OK(template_set_sid(&t, "S-1-5-18", SID_BOTH, &e));
    t.key_usage = KU_DIGITAL_SIGNATURE | KU_KEY_ENCIPHERMENT;
    t.in_csr_v1 = true;
    t.in_csr_oid = xstrdup("1.2.3");
    req = build(p256);
    assert_int_equal(X509_REQ_get_version(req), X509_REQ_VERSION_1);
    key = X509_REQ_get0_pubkey(req);
    assert_int_equal(X509_REQ_verify(req, key), 1);
    assert_subject(req, subject);
    assert_extensions(req,
        "2.5.29.15!=Digital Signature, Key Encipherment\n"
        "2.5.29.37=TLS Web Client Authentication, Microsoft Smartcard Login\n"
        "2.5.29.17=DNS:host.contoso.example, email:ada@contoso.example, IP Address:192.0.2.1, "
        "othername: UPN::ada@contoso.example, URI:tag:microsoft.com,2022-09-14:sid:S-1-5-18\n"
        "1.3.6.1.4.1.311.25.2=301AA018060A2B060104018237190201A00A0408532D312D352D3138\n"
        "1.3.6.1.4.1.311.20.2=1E160043006F006E0074006F0073006F0055007300650072\n"
        "1.3.6.1.4.1.311.21.7=300A06022A03020100020100\n");
    assert_int_equal(X509_REQ_get_attr_count(req), 1);
    X509_REQ_free(req);
}

static void every_key_type(void **state)
{
    static const struct {
        enum key_type type;
        enum hash hash;
        int nid;
    } rows[] = {
        { KEY_RSA2048, HASH_SHA256, NID_sha256WithRSAEncryption },
        { KEY_RSA2048, HASH_SHA512, NID_sha512WithRSAEncryption },
        { KEY_P256, HASH_SHA256, NID_ecdsa_with_SHA256 },
        { KEY_P384, HASH_SHA384, NID_ecdsa_with_SHA384 },
        { KEY_P521, HASH_SHA512, NID_ecdsa_with_SHA512 },
        { KEY_ED25519, HASH_SHA256, NID_ED25519 },
        { KEY_ED25519, HASH_NONE, NID_ED25519 },
    };

    (void)state;
    T_OK(name_add(&t.subject, "CN", "x", false, &e));
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct key *k = key_new(lib, rows[i].type, KEYGEN_FAST, &e);
        struct view spki;
        X509_REQ *req;

        assert_non_null(k);
        t.key = rows[i].type;
        t.hash = rows[i].hash;
        req = build(k);
        assert_int_equal(X509_REQ_verify(req, X509_REQ_get0_pubkey(req)), 1);
        assert_int_equal(X509_REQ_get_signature_nid(req), rows[i].nid);
        T_OK(csr_spki(buf_view(&out), &spki, &e));
        assert_true(view_equal(spki, key_spki(k)));
        X509_REQ_free(req);
        key_free(k);
    }
}

static void no_extension_no_attribute(void **state)
{
    X509_REQ *req;

    (void)state;
    T_OK(name_add(&t.subject, "CN", "x", false, &e));
    req = build(p256);
    assert_int_equal(X509_REQ_get_attr_count(req), 0);
    assert_int_equal(X509_REQ_verify(req, X509_REQ_get0_pubkey(req)), 1);
    X509_REQ_free(req);
}

/* RFC 5280 4.2.1.6: if the subject is empty, the extension MUST be marked critical. */
static void empty_subject_makes_san_critical(void **state)
{
    X509_REQ *req;

    (void)state;
    T_OK(template_set_sid(&t, "S-1-5-18", SID_URI, &e));
    req = build(p256);
    assert_int_equal(X509_NAME_entry_count(X509_REQ_get_subject_name(req)), 0);
    assert_extensions(req, "2.5.29.17!=URI:tag:microsoft.com,2022-09-14:sid:S-1-5-18\n");
    X509_REQ_free(req);
}

static void key_usage_bits(void **state)
{
    static const struct {
        unsigned bits;
        const char *hex;
    } rows[] = { { 1, "03020780" }, { 2, "03020640" }, { 4, "03020520" }, { 5, "030205A0" },
        { 16, "03020308" }, { 31, "030203F8" } };

    (void)state;
    T_OK(name_add(&t.subject, "CN", "x", false, &e));
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        STACK_OF(X509_EXTENSION) * exts;
        ASN1_OCTET_STRING *value;
        X509_REQ *req;

        t.key_usage = rows[i].bits;
        req = build(p256);
        exts = X509_REQ_get_extensions(req);
        value = X509_EXTENSION_get_data(sk_X509_EXTENSION_value(exts, 0));
        assert_hex(view_of(value->data, (size_t)value->length), rows[i].hex);
        sk_X509_EXTENSION_pop_free(exts, X509_EXTENSION_free);
        X509_REQ_free(req);
    }
}

/* Attributes are a SET OF: which one is first depends on their lengths. */
static void attributes_are_sorted(void **state)
{
    static const char *const pair_hex =
        "30401E260043006500720074006900660069006300610074006500540065006D0070006C0061007400651E16"
        "0043006F006E0074006F0073006F0055007300650072";

    (void)state;
    t.name = xstrdup("ContosoUser");
    t.in_csr_pair = true;
    T_OK(name_add(&t.subject, "CN", "x", false, &e));
    for (int with = 0; with < 3; with++) {
        X509_ATTRIBUTE *a;
        X509_REQ *req;
        ASN1_TYPE *value;
        int at;

        if (with == 1)
            t.key_usage = 1; /* shorter than the pair */
        if (with == 2)
            T_OK(template_add_san(
                &t, SAN_DNS, "a.very.long.name.so.that.the.order.changes.contoso.example", &e));
        req = build(p256);
        assert_int_equal(X509_REQ_get_attr_count(req), with == 0 ? 1 : 2);
        at = X509_REQ_get_attr_by_NID(req, NID_ext_req, -1);
        assert_int_equal(at, with == 0 ? -1 : with == 1 ? 0 : 1);
        a = X509_REQ_get_attr(req, with == 1 ? 1 : 0);
        value = X509_ATTRIBUTE_get0_type(a, 0);
        assert_int_equal(value->type, V_ASN1_SEQUENCE);
        assert_hex(
            view_of(value->value.sequence->data, (size_t)value->value.sequence->length), pair_hex);
        assert_int_equal(X509_REQ_verify(req, X509_REQ_get0_pubkey(req)), 1);
        X509_REQ_free(req);
        {
            /* OpenSSL sorts when it writes: the same bytes must come back */
            const unsigned char *p = out.p;
            X509_REQ *again = d2i_X509_REQ(NULL, &p, (long)out.len);
            unsigned char *der = NULL;
            int len = i2d_re_X509_REQ_tbs(again, &der);

            assert_true(len > 0 && (size_t)len < out.len);
            assert_memory_equal(out.p + (out.p[1] == 0x82 ? 4 : 3), der, (size_t)len);
            OPENSSL_free(der);
            X509_REQ_free(again);
        }
    }
}

int main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
    static const struct CMUnitTest tests[] = {
        T(everything_as_openssl_reads_it),
        T(every_key_type),
        T(no_extension_no_attribute),
        T(empty_subject_makes_san_critical),
        T(key_usage_bits),
        T(attributes_are_sorted),
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
