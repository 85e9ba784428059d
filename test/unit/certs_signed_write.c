/* signed.h, writing: OpenSSL's CMS verifies it, its form is what clients want, and what is refused. */
#include "test/unit/signed_fixture.h"
#include "certs/cms.h"
#include "certs/signed.h"

static struct party rsa, p256, p521;

static const char TEXT[] = "a certificate, and all that is around it";

#define BYTES(text) view_of((text), sizeof(text) - 1)

/* Attributes on purpose in no order: DER wants the shorter ones first. */
#define VALUE(text)                               \
    {                                             \
        (const uint8_t *)(text), sizeof(text) - 1 \
    }
static const struct signed_attr_out attrs[] = {
    { "2.16.840.1.113733.1.9.7", VALUE("\x13\x04\x41\x31\x42\x32") },
    { "2.16.840.1.113733.1.9.5", VALUE("\x04\x08\x00\x01\x02\x03\x04\x05\x06\x07") },
    { "2.16.840.1.113733.1.9.2", VALUE("\x13\x01\x33") },
    { "2.16.840.1.113733.1.9.3", VALUE("\x13\x01\x30") },
};

static struct signed_out out_of(const struct party *p, enum digest d)
{
    return (struct signed_out){ .content = view_text(TEXT),
        .has_content = true,
        .digest = d,
        .key = p->key,
        .certificate = buf_view(&p->der),
        .include_certificate = true,
        .attrs = attrs,
        .attr_count = 4 };
}

static CMS_ContentInfo *read_cms(const struct buf *b)
{
    const unsigned char *p = b->p;
    CMS_ContentInfo *cms = d2i_CMS_ContentInfo(NULL, &p, (long)b->len);

    assert_non_null(cms);
    assert_ptr_equal(p, b->p + b->len);
    return cms;
}

/* With OpenSSL, whether the certificate is inside or known from elsewhere. */
static void assert_verifies(const struct buf *b, const struct party *p, const char *want)
{
    CMS_ContentInfo *cms = read_cms(b);
    STACK_OF(X509) *known = sk_X509_new_null();
    BIO *out = BIO_new(BIO_s_mem()), *nothing = BIO_new_mem_buf("", 0);
    char *text;
    long len;

    sk_X509_push(known, p->x509);
    assert_int_equal(CMS_verify(cms, known, NULL, want == NULL ? nothing : NULL, out,
                         CMS_NO_SIGNER_CERT_VERIFY | CMS_BINARY),
        1);
    len = BIO_get_mem_data(out, &text);
    assert_true(view_equal(view_of(text, (size_t)len), view_text(want)));
    BIO_free(out);
    BIO_free(nothing);
    sk_X509_free(known);
    CMS_ContentInfo_free(cms);
}

static void openssl_verifies(void **state)
{
    static const struct party *const parties[] = { &rsa, &p256, &p521 };

    (void)state;
    for (size_t i = 0; i < 3; i++) {
        for (enum digest d = DIGEST_SHA1; d <= DIGEST_SHA512; d++) {
            struct signed_out s = out_of(parties[i], d);
            struct buf b = BUF_INIT(ROOM);
            struct signed_data read;
            struct view signer;

            T_OK(signed_write(lib, &s, &b, &e));
            assert_verifies(&b, parties[i], TEXT);
            T_OK(signed_parse(buf_view(&b), &read, &e));
            T_OK(signed_signer(&read, &signer, &e));
            T_OK(signed_verify(lib, &read, signer, &e));
            assert_int_equal(read.digest, d);
            buf_free(&b);
        }
    }
}

/* RFC 8894 3.2: a FAILURE has no content; NDES puts one byte there. */
static void content_or_none(void **state)
{
    struct signed_out s = out_of(&rsa, DIGEST_SHA256);
    struct buf none = BUF_INIT(ROOM), empty = BUF_INIT(ROOM);
    struct signed_data read;

    (void)state;
    s.has_content = false; /* whatever stands in content */
    s.include_certificate = false;
    T_OK(signed_write(lib, &s, &none, &e));
    assert_verifies(&none, &rsa, NULL);
    T_OK(signed_parse(buf_view(&none), &read, &e));
    assert_false(read.has_content);
    assert_int_equal(read.certs.len, 0);
    T_OK(signed_verify(lib, &read, buf_view(&rsa.der), &e));
    s.has_content = true;
    s.content = view_of(NULL, 0);
    T_OK(signed_write(lib, &s, &empty, &e));
    assert_verifies(&empty, &rsa, "");
    T_OK(signed_parse(buf_view(&empty), &read, &e));
    assert_true(read.has_content);
    assert_int_equal(read.content.len, 0);
    buf_free(&none);
    buf_free(&empty);
}

/* OpenSSL writes what it read in the same bytes: so it was DER, with the SETs in order. */
static void it_is_der(void **state)
{
    struct signed_out s = out_of(&rsa, DIGEST_SHA256);
    struct buf b = BUF_INIT(ROOM);
    unsigned char *again = NULL;
    struct signed_data read;
    struct der before = { 0 }, a;
    CMS_ContentInfo *cms;
    int len;

    (void)state;
    T_OK(signed_write(lib, &s, &b, &e));
    cms = read_cms(&b);
    len = i2d_CMS_ContentInfo(cms, &again);
    assert_true(view_equal(buf_view(&b), view_of(again, (size_t)len)));
    T_OK(signed_parse(buf_view(&b), &read, &e));
    for (struct view rest = read.attrs; rest.len != 0; before = a) {
        T_OK(der_next(&rest, &a, &e));
        assert_true(before.whole.len == 0
                    || memcmp(before.whole.p, a.whole.p,
                           before.whole.len < a.whole.len ? before.whole.len : a.whole.len)
                           < 0);
    }
    OPENSSL_free(again);
    CMS_ContentInfo_free(cms);
    buf_free(&b);
}

/* strongSwan 5.9 reads rsaEncryption and nothing else here. */
static void plain_rsa_identifier(void **state)
{
    struct signed_out s = out_of(&rsa, DIGEST_SHA512);
    struct buf b = BUF_INIT(ROOM);
    struct signed_data read;

    (void)state;
    T_OK(signed_write(lib, &s, &b, &e));
    T_OK(signed_parse(buf_view(&b), &read, &e));
    assert_true(view_equal(read.signature_algorithm,
        BYTES("\x30\x0d\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x01\x01\x05\x00")));
    assert_true(view_equal(
        read.digest_algorithm, BYTES("\x30\x0b\x06\x09\x60\x86\x48\x01\x65\x03\x04\x02\x03")));
    buf_free(&b);
}

static void refused(void **state)
{
    static const struct signed_attr_out many[SIGNED_ATTRS_MAX] = { { "1.2.3", VALUE("\x05\0") } };
    struct key *ed = key_new(lib, KEY_ED25519, KEYGEN_FAST, &e);
    struct buf b = BUF_INIT(ROOM), small = BUF_INIT(300);
    struct signed_out s = out_of(&rsa, DIGEST_SHA256), bad = s;

    (void)state;
    buf_add_text(&b, "kept");
    bad.digest = DIGEST_NONE;
    T_ERR(signed_write(lib, &bad, &b, &e), ERR_INPUT);
    bad.digest = (enum digest)17;
    T_ERR(signed_write(lib, &bad, &b, &e), ERR_INPUT);
    bad = s;
    bad.certificate = view_text("nothing of the kind");
    T_ERR_SAYS(signed_write(lib, &bad, &b, &e), ERR_INPUT, "signer");
    bad = s;
    bad.key = ed;
    T_ERR(signed_write(lib, &bad, &b, &e), ERR_UNSUPPORTED);
    bad = s;
    bad.attrs = many;
    bad.attr_count = SIGNED_ATTRS_MAX - 1;
    T_ERR(signed_write(lib, &bad, &b, &e), ERR_INPUT);
    assert_true(view_equal(buf_view(&b), view_text("kept")));
    T_ERR(signed_write(lib, &s, &small, &e), ERR_TOO_LARGE);
    assert_int_equal(small.len, 0);
    key_free(ed);
    buf_free(&b);
    buf_free(&small);
}

/* ---- degenerate ---- */

/* Apple takes the first certificate as the issued one; OpenSSL's own writer would sort them. */
static void certificates_in_order(void **state)
{
    const struct party *const orders[2][3] = { { &rsa, &p256, &p521 }, { &p521, &rsa, &p256 } };

    (void)state;
    for (size_t o = 0; o < 2; o++) {
        struct buf certs = BUF_INIT(ROOM), b = BUF_INIT(ROOM), back = BUF_INIT(ROOM);
        STACK_OF(X509) * list;
        CMS_ContentInfo *cms;
        size_t count = 0;

        for (size_t i = 0; i < 3; i++)
            buf_add_view(&certs, buf_view(&orders[o][i]->der));
        T_OK(signed_certs_only(buf_view(&certs), view_of(NULL, 0), &b, &e));
        T_OK(cms_certs(buf_view(&b), &back, &count, &e));
        assert_int_equal(count, 3);
        assert_true(view_equal(buf_view(&back), buf_view(&certs)));
        cms = read_cms(&b);
        list = CMS_get1_certs(cms);
        assert_int_equal(sk_X509_num(list), 3);
        for (int i = 0; i < 3; i++)
            assert_int_equal(X509_cmp(sk_X509_value(list, i), orders[o][i]->x509), 0);
        sk_X509_pop_free(list, X509_free);
        CMS_ContentInfo_free(cms);
        buf_free(&certs);
        buf_free(&b);
        buf_free(&back);
    }
}

static void revocation_list(void **state)
{
    struct buf b = BUF_INIT(ROOM), der = BUF_INIT(ROOM);
    X509_CRL *crl = X509_CRL_new();
    STACK_OF(X509_CRL) * list;
    unsigned char *bytes = NULL;
    CMS_ContentInfo *cms;
    int len;

    (void)state;
    X509_CRL_set_version(crl, 1);
    X509_CRL_set_issuer_name(crl, X509_get_subject_name(rsa.x509));
    X509_CRL_set1_lastUpdate(crl, X509_get0_notBefore(rsa.x509));
    X509_CRL_set1_nextUpdate(crl, X509_get0_notAfter(rsa.x509));
    assert_true(X509_CRL_sign(crl, rsa.pkey, EVP_sha256()) > 0);
    len = i2d_X509_CRL(crl, &bytes);
    buf_add(&der, bytes, (size_t)len);
    T_OK(signed_certs_only(view_of(NULL, 0), buf_view(&der), &b, &e));
    cms = read_cms(&b);
    list = CMS_get1_crls(cms);
    assert_int_equal(sk_X509_CRL_num(list), 1);
    assert_int_equal(X509_CRL_cmp(sk_X509_CRL_value(list, 0), crl), 0);
    assert_null(CMS_get1_certs(cms));
    T_ERR(signed_certs_only(view_text("x"), view_of(NULL, 0), &b, &e), ERR_INPUT);
    T_ERR(signed_certs_only(buf_view(&rsa.der), view_text("x"), &b, &e), ERR_INPUT);
    sk_X509_CRL_pop_free(list, X509_CRL_free);
    CMS_ContentInfo_free(cms);
    X509_CRL_free(crl);
    OPENSSL_free(bytes);
    buf_free(&b);
    buf_free(&der);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(openssl_verifies),
        cmocka_unit_test(content_or_none),
        cmocka_unit_test(it_is_der),
        cmocka_unit_test(plain_rsa_identifier),
        cmocka_unit_test(refused),
        cmocka_unit_test(certificates_in_order),
        cmocka_unit_test(revocation_list),
    };
    int failed;

    if ((lib = lib_new(&e)) == NULL)
        return 1;
    party_init(&rsa, "rsa2048", "CN=RA/O=Contoso");
    party_init(&p256, "P-256", "CN=RA/O=Contoso");
    party_init(&p521, "P-521", "CN=RA/O=Contoso");
    failed = cmocka_run_group_tests(tests, NULL, NULL);
    party_free(&rsa);
    party_free(&p256);
    party_free(&p521);
    lib_free(lib);
    return failed;
}
