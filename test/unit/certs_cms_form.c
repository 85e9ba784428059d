/* cms.h: the structure of the envelopes and the algorithms they name. */
#include "test/unit/cms_fixture.h"
#include "certs/der.h"
#include "certs/text.h"

static struct der take(struct view *rest, uint8_t tag)
{
    struct der d;

    T_OK(der_expect(rest, tag, "CMS", &d, &e));
    return d;
}

static void assert_oid(struct view *rest, const char *dotted)
{
    assert_true(der_is_oid(take(rest, DER_OID), dotted));
}

static void assert_hex(struct view got, const char *hex)
{
    struct buf text = BUF_INIT(4096);

    hex_add(&text, got);
    assert_string_equal(buf_text(&text), hex);
    buf_free(&text);
}

/* Inside (Auth)EnvelopedData, behind the version; *recipient is the one RecipientInfo. */
static struct view body_of(
    const struct buf *b, const char *type, const char *version, struct der *recipient)
{
    struct view rest = buf_view(b);
    struct der d = take(&rest, DER_SEQUENCE), set;

    assert_oid(&d.content, type);
    d = take(&d.content, DER_CONTEXTC | 0);
    d = take(&d.content, DER_SEQUENCE);
    assert_hex(take(&d.content, DER_INTEGER).content, version);
    set = take(&d.content, DER_SET);
    T_OK(der_next(&set.content, recipient, &e));
    assert_int_equal(set.content.len, 0);
    return d.content;
}

/* RFC 5083, RFC 5084 3.2: GCMParameters { nonce of 12, ICVlen 16 }, the tag of 16 bytes behind. */
static void gcm_is_auth_enveloped(void **state)
{
    struct buf b = envelope(0, CMS_AES256_GCM, CMS_RSA_OAEP_SHA256);
    struct der ktri, info, algorithm, params;
    struct view rest = body_of(&b, "1.2.840.113549.1.9.16.1.23", "00", &ktri);

    (void)state;
    info = take(&rest, DER_SEQUENCE);
    assert_oid(&info.content, "1.2.840.113549.1.7.1");
    algorithm = take(&info.content, DER_SEQUENCE);
    assert_oid(&algorithm.content, "2.16.840.1.101.3.4.1.46");
    params = take(&algorithm.content, DER_SEQUENCE);
    assert_int_equal(take(&params.content, DER_OCTET_STRING).content.len, 12);
    assert_hex(take(&params.content, DER_INTEGER).content, "10");
    assert_int_equal(params.content.len, 0);
    assert_int_equal(take(&info.content, DER_CONTEXT | 0).content.len, 5);
    assert_int_equal(take(&rest, DER_OCTET_STRING).content.len, 16);
    assert_int_equal(rest.len, 0);
    buf_free(&b);
}

static void cbc_is_enveloped(void **state)
{
    static const struct {
        enum cms_content content;
        const char *oid;
        size_t block;
    } rows[] = { { CMS_AES256_CBC, "2.16.840.1.101.3.4.1.42", 16 },
        { CMS_AES128_CBC, "2.16.840.1.101.3.4.1.2", 16 },
        { CMS_DES3_CBC, "1.2.840.113549.3.7", 8 } };

    (void)state;
    for (size_t i = 0; i < 3; i++) {
        struct buf b = envelope(0, rows[i].content, CMS_RSA_PKCS1);
        struct der ktri, info, algorithm;
        struct view rest = body_of(&b, "1.2.840.113549.1.7.3", "00", &ktri);

        info = take(&rest, DER_SEQUENCE);
        assert_int_equal(rest.len, 0);
        assert_oid(&info.content, "1.2.840.113549.1.7.1");
        algorithm = take(&info.content, DER_SEQUENCE);
        assert_oid(&algorithm.content, rows[i].oid);
        assert_int_equal(take(&algorithm.content, DER_OCTET_STRING).content.len, rows[i].block);
        assert_int_equal(take(&info.content, DER_CONTEXT | 0).content.len, rows[i].block);
        buf_free(&b);
    }
}

/* KeyTransRecipientInfo { 0, issuerAndSerialNumber, algorithm, key } */
static void rsa_recipient(void **state)
{
    static const struct {
        enum cms_transport transport;
        const char *algorithm;
    } rows[] = {
        /* RFC 8017 A.2.1: RSAES-OAEP { sha256, mgf1 { sha256 } }, empty label as the default.
         * RFC 4055 2.1: All implementations MUST accept both NULL and absent parameters as legal */
        { CMS_RSA_OAEP_SHA256, "06092A864886F70D010107"
                               "302BA00D300B0609608648016503040201"
                               "A11A301806092A864886F70D010108300B0609608648016503040201" },
        { CMS_RSA_PKCS1, "06092A864886F70D0101010500" },
    };

    (void)state;
    for (size_t i = 0; i < 2; i++) {
        struct buf b = envelope(0, CMS_AES256_GCM, rows[i].transport);
        struct der ktri;
        unsigned char *name = NULL;
        int len = i2d_X509_NAME(X509_get_issuer_name(devices[0].x509), &name);
        struct der id;

        body_of(&b, "1.2.840.113549.1.9.16.1.23", "00", &ktri);
        assert_int_equal(ktri.tag, DER_SEQUENCE);
        assert_hex(take(&ktri.content, DER_INTEGER).content, "00");
        id = take(&ktri.content, DER_SEQUENCE);
        assert_true(view_equal(take(&id.content, DER_SEQUENCE).whole, view_of(name, (size_t)len)));
        assert_hex(take(&id.content, DER_INTEGER).content, "1267");
        assert_hex(take(&ktri.content, DER_SEQUENCE).content, rows[i].algorithm);
        assert_int_equal(take(&ktri.content, DER_OCTET_STRING).content.len, 256);
        OPENSSL_free(name);
        buf_free(&b);
    }
}

/* RFC 5753 3.1.1, 7.1.4: [1] KeyAgreeRecipientInfo, stdDH-sha256kdf with aes256-wrap, for every cipher. */
static void ec_recipient(void **state)
{
    static const size_t key_len[] = { 32, 32, 24, 16 }; /* as contents */

    (void)state;
    for (size_t k = 3; k < 6; k++) {
        for (size_t c = 0; c < 4; c++) {
            struct buf b = envelope(k, contents[c], CMS_TRANSPORT_NONE);
            struct der kari, algorithm, list, id;
            bool gcm = contents[c] == CMS_AES256_GCM;

            body_of(&b, gcm ? "1.2.840.113549.1.9.16.1.23" : "1.2.840.113549.1.7.3",
                gcm ? "00" : "02", &kari);
            assert_int_equal(kari.tag, DER_CONTEXTC | 1);
            assert_hex(take(&kari.content, DER_INTEGER).content, "03");
            take(&kari.content, DER_CONTEXTC | 0);
            algorithm = take(&kari.content, DER_SEQUENCE);
            assert_oid(&algorithm.content, "1.3.132.1.11.1");
            algorithm = take(&algorithm.content, DER_SEQUENCE);
            assert_oid(&algorithm.content, "2.16.840.1.101.3.4.1.45");
            assert_int_equal(algorithm.content.len, 0);
            list = take(&kari.content, DER_SEQUENCE);
            list = take(&list.content, DER_SEQUENCE);
            id = take(&list.content, DER_SEQUENCE);
            take(&id.content, DER_SEQUENCE);
            assert_hex(take(&id.content, DER_INTEGER).content, "1267");
            assert_int_equal(take(&list.content, DER_OCTET_STRING).content.len, key_len[c] + 8);
            buf_free(&b);
        }
    }
}

/* A serial number that some CA wrote without its zero byte is copied as it stands there. */
static void negative_serial(void **state)
{
    X509 *x = issue(&(struct issue){
        .subject = "CN=Device/O=Contoso", .key = devices[3].key, .serial = -4711 });
    struct buf der = BUF_INIT(ROOM), out = BUF_INIT(ROOM), plain = BUF_INIT(ROOM);

    (void)state;
    issue_der(x, &der);
    T_OK(cms_envelope(
        lib, buf_view(&der), CMS_AES256_GCM, CMS_TRANSPORT_NONE, view_text("hello"), &out, &e));
    assert_non_null(memmem(out.p, out.len, "\x02\x02\xed\x99", 4));
    assert_int_equal(open_cms(buf_view(&out), devices[3].key, x, &plain), 0);
    assert_true(view_equal(buf_view(&plain), view_text("hello")));
    X509_free(x);
    buf_free(&der);
    buf_free(&out);
    buf_free(&plain);
}

/* The nonce and the key pair of the sender are new every time; the curve is not repeated in it. */
static void iv_and_sender_change(void **state)
{
    enum { RUNS = 20 };
    uint8_t iv[RUNS][12], point[RUNS][65];

    (void)state;
    for (size_t i = 0; i < RUNS; i++) {
        struct buf b = envelope(3, CMS_AES256_GCM, CMS_TRANSPORT_NONE);
        struct der kari, info, algorithm, params, key;
        struct view rest = body_of(&b, "1.2.840.113549.1.9.16.1.23", "00", &kari);

        info = take(&rest, DER_SEQUENCE);
        take(&info.content, DER_OID);
        algorithm = take(&info.content, DER_SEQUENCE);
        take(&algorithm.content, DER_OID);
        params = take(&algorithm.content, DER_SEQUENCE);
        memcpy(iv[i], take(&params.content, DER_OCTET_STRING).content.p, 12);
        take(&kari.content, DER_INTEGER);
        key = take(&kari.content, DER_CONTEXTC | 0);
        key = take(&key.content, DER_CONTEXTC | 1); /* OriginatorPublicKey */
        algorithm = take(&key.content, DER_SEQUENCE);
        assert_oid(&algorithm.content, "1.2.840.10045.2.1");
        assert_int_equal(algorithm.content.len, 0);
        key = take(&key.content, DER_BIT_STRING);
        assert_int_equal(key.content.len, 66);
        assert_int_equal(key.content.p[0], 0);
        memcpy(point[i], key.content.p + 1, 65);
        for (size_t n = 0; n < i; n++) {
            assert_memory_not_equal(iv[i], iv[n], 12);
            assert_memory_not_equal(point[i], point[n], 65);
        }
        buf_free(&b);
    }
}

/* What RSA carries, seen with the recipient's key: 24 bytes of odd parity, 32 bytes, never the same. */
static void content_key(void **state)
{
    uint8_t last[2][24] = { { 0 } };

    (void)state;
    for (size_t i = 0; i < 20; i++) {
        bool des = i % 2 == 0;
        struct buf b = envelope(0, des ? CMS_DES3_CBC : CMS_AES256_CBC, CMS_RSA_PKCS1);
        EVP_PKEY_CTX *c = EVP_PKEY_CTX_new(devices[0].key, NULL);
        uint8_t key[256];
        size_t len = sizeof key;
        struct der ktri, encrypted;

        body_of(&b, "1.2.840.113549.1.7.3", "00", &ktri);
        take(&ktri.content, DER_INTEGER);
        take(&ktri.content, DER_SEQUENCE);
        take(&ktri.content, DER_SEQUENCE);
        encrypted = take(&ktri.content, DER_OCTET_STRING);
        assert_int_equal(EVP_PKEY_decrypt_init(c), 1);
        assert_int_equal(
            EVP_PKEY_decrypt(c, key, &len, encrypted.content.p, encrypted.content.len), 1);
        assert_int_equal(len, des ? 24 : 32);
        for (size_t n = 0; des && n < len; n++)
            assert_int_equal(__builtin_popcount(key[n]) % 2, 1);
        assert_memory_not_equal(key, last[des], 24);
        memcpy(last[des], key, 24);
        EVP_PKEY_CTX_free(c);
        buf_free(&b);
    }
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(gcm_is_auth_enveloped),
        cmocka_unit_test(cbc_is_enveloped),
        cmocka_unit_test(rsa_recipient),
        cmocka_unit_test(ec_recipient),
        cmocka_unit_test(negative_serial),
        cmocka_unit_test(iv_and_sender_change),
        cmocka_unit_test(content_key),
    };
    int failed;

    if (start(false) != 0)
        return 1;
    failed = cmocka_run_group_tests(tests, NULL, NULL);
    stop();
    return failed;
}
