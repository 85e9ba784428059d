/* cms.h: envelopes as OpenSSL's own reader opens them, and the algorithms they name. */
#include "test/t.h"
#include "test/unit/issue.h"
#include <openssl/cms.h>
#include <openssl/pem.h>
#include "certs/cms.h"
#include "certs/der.h"
#include "certs/text.h"

enum { ROOM = 1 << 20 };

static struct err e;
static struct lib *lib;
static EVP_PKEY *other_rsa, *other_ec;

static const char *const kinds[] = { "rsa2048", "rsa3072", "rsa4096", "P-256", "P-384", "P-521" };
static const enum cms_content contents[] = { CMS_AES256_GCM, CMS_AES256_CBC, CMS_DES3_CBC };
static struct device {
    EVP_PKEY *key;
    X509 *x509;
    struct buf der;
} devices[6];

/* The plain text, or -1 when it does not open.  With the certificate the recipient is found by name. */
static int open_cms(struct view in, EVP_PKEY *key, X509 *x509, struct buf *plain)
{
    const unsigned char *p = in.p;
    CMS_ContentInfo *cms = d2i_CMS_ContentInfo(NULL, &p, (long)in.len);
    BIO *out = BIO_new(BIO_s_mem());
    int ok = cms != NULL && CMS_decrypt(cms, key, x509, NULL, out, 0) == 1;
    char *text;
    long len = BIO_get_mem_data(out, &text);

    buf_reset(plain);
    if (ok)
        buf_add(plain, text, (size_t)len);
    BIO_free(out);
    CMS_ContentInfo_free(cms);
    return ok ? 0 : -1;
}

static void assert_opens(const struct device *d, struct view in, struct view want)
{
    struct buf plain = BUF_INIT(ROOM);

    assert_int_equal(open_cms(in, d->key, d->x509, &plain), 0);
    assert_true(view_equal(buf_view(&plain), want));
    buf_free(&plain);
}

static void every_key_and_every_cipher(void **state)
{
    struct view secret = view_text("0123456789abcdefghijklmnopqrstuv");

    (void)state;
    for (size_t k = 0; k < 6; k++) {
        for (size_t c = 0; c < 3; c++) {
            for (enum cms_transport t = CMS_RSA_OAEP_SHA256; t <= CMS_RSA_PKCS1; t++) {
                struct buf out = BUF_INIT(ROOM), plain = BUF_INIT(ROOM);

                T_OK(
                    cms_envelope(lib, buf_view(&devices[k].der), contents[c], t, secret, &out, &e));
                assert_opens(&devices[k], buf_view(&out), secret);
                /* OpenSSL goes on with a random key: only GCM notices for sure, CBC 255 times of 256 */
                if (open_cms(buf_view(&out), k < 3 ? other_rsa : other_ec, NULL, &plain) == 0) {
                    assert_int_not_equal(contents[c], CMS_AES256_GCM);
                    assert_false(view_equal(buf_view(&plain), secret));
                }
                assert_null(memmem(out.p, out.len, secret.p, 8));
                buf_free(&out);
                buf_free(&plain);
            }
        }
    }
}

static void content_of_any_size(void **state)
{
    static const size_t sizes[] = { 0, 1, 7, 8, 15, 16, 17, 4096, 100000 };
    struct buf content = BUF_INIT(ROOM);

    (void)state;
    for (size_t c = 0; c < 3; c++) {
        for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
            struct buf out = BUF_INIT(ROOM);

            buf_reset(&content);
            for (size_t n = 0; n < sizes[i]; n++)
                buf_add_byte(&content, (uint8_t)(n * 7));
            T_OK(cms_envelope(lib, buf_view(&devices[3].der), contents[c], CMS_RSA_OAEP_SHA256,
                buf_view(&content), &out, &e));
            assert_opens(&devices[3], buf_view(&out), buf_view(&content));
            buf_free(&out);
        }
    }
    buf_free(&content);
}

/* ---- structure ---- */

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

static struct buf envelope(size_t device, enum cms_content c, enum cms_transport t)
{
    struct buf out = BUF_INIT(ROOM);

    T_OK(cms_envelope(lib, buf_view(&devices[device].der), c, t, view_text("hello"), &out, &e));
    return out;
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

static void tag_and_text_are_protected(void **state)
{
    struct buf b = envelope(0, CMS_AES256_GCM, CMS_RSA_OAEP_SHA256), plain = BUF_INIT(ROOM);

    (void)state;
    for (size_t i = b.len - 16 - 2 - 5; i < b.len; i++) {
        b.p[i] ^= 1;
        assert_int_equal(open_cms(buf_view(&b), devices[0].key, devices[0].x509, &plain), -1);
        b.p[i] ^= 1;
    }
    assert_opens(&devices[0], buf_view(&b), view_text("hello"));
    buf_free(&b);
    buf_free(&plain);
}

static void cbc_is_enveloped(void **state)
{
    static const struct {
        enum cms_content content;
        const char *oid;
        size_t block;
    } rows[] = { { CMS_AES256_CBC, "2.16.840.1.101.3.4.1.42", 16 },
        { CMS_DES3_CBC, "1.2.840.113549.3.7", 8 } };

    (void)state;
    for (size_t i = 0; i < 2; i++) {
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
    (void)state;
    for (size_t k = 3; k < 6; k++) {
        for (size_t c = 0; c < 3; c++) {
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
            assert_int_equal(take(&list.content, DER_OCTET_STRING).content.len,
                contents[c] == CMS_DES3_CBC ? 24 + 8 : 32 + 8);
            buf_free(&b);
        }
    }
}

/* The command line reads what we write, from a file as a device would get it. */
static void command_line_opens_it(void **state)
{
    static const size_t which[] = { 0, 3 };

    (void)state;
    for (size_t i = 0; i < 2; i++) {
        char dir[] = "/tmp/certferry-cms.XXXXXX", path[64], command[400], line[64] = "";
        struct buf b = envelope(which[i], CMS_AES256_GCM, CMS_RSA_OAEP_SHA256);
        FILE *f;

        assert_non_null(mkdtemp(dir));
        snprintf(path, sizeof path, "%s/cms", dir);
        f = fopen(path, "wb");
        assert_int_equal(fwrite(b.p, 1, b.len, f), b.len);
        fclose(f);
        snprintf(path, sizeof path, "%s/key", dir);
        f = fopen(path, "wb");
        PEM_write_PrivateKey(f, devices[which[i]].key, NULL, NULL, 0, NULL, NULL);
        PEM_write_X509(f, devices[which[i]].x509);
        fclose(f);
        snprintf(command, sizeof command,
            "openssl cms -decrypt -inform DER -in %s/cms -inkey %s/key -recip %s/key", dir, dir,
            dir);
        f = popen(command, "r");
        assert_non_null(f);
        assert_non_null(fgets(line, sizeof line, f));
        assert_int_equal(pclose(f), 0);
        assert_string_equal(line, "hello");
        snprintf(path, sizeof path, "%s/cms", dir);
        remove(path);
        snprintf(path, sizeof path, "%s/key", dir);
        remove(path);
        remove(dir);
        buf_free(&b);
    }
}

/* ---- refusals ---- */

static void refuse(struct view recipient, enum err_class cls, const char *says)
{
    struct buf out = BUF_INIT(ROOM);

    buf_add_text(&out, "kept");
    T_ERR_SAYS(
        cms_envelope(lib, recipient, CMS_AES256_GCM, CMS_RSA_OAEP_SHA256, view_text("x"), &out, &e),
        cls, says);
    assert_int_equal(out.len, 4);
    buf_free(&out);
}

static void refuse_issued(const char *kind, const char *usage, enum err_class cls, const char *says)
{
    EVP_PKEY *key = issue_key(kind);
    X509 *x = issue(&(struct issue){
        .subject = "CN=x", .key = key, .ext = { { usage != NULL ? "keyUsage" : NULL, usage } } });
    struct buf der = BUF_INIT(ROOM);

    issue_der(x, &der);
    if (cls != ERR_NONE) {
        refuse(buf_view(&der), cls, says);
    } else {
        struct buf out = BUF_INIT(ROOM);

        T_OK(cms_envelope(
            lib, buf_view(&der), CMS_AES256_CBC, CMS_RSA_PKCS1, view_text("x"), &out, &e));
        buf_free(&out);
    }
    buf_free(&der);
    X509_free(x);
    EVP_PKEY_free(key);
}

static void recipients_that_will_not_do(void **state)
{
    struct buf bad = BUF_INIT(ROOM);

    (void)state;
    refuse_issued("rsa1024", NULL, ERR_INPUT, "an RSA key of 1024 bits");
    refuse_issued("ed25519", NULL, ERR_UNSUPPORTED, "a key of type 1.3.101.112");
    refuse_issued("secp256k1", NULL, ERR_UNSUPPORTED, "curve 1.3.132.0.10");
    refuse_issued("rsa2048", "digitalSignature", ERR_INPUT, "without keyEncipherment");
    refuse_issued("P-256", "keyEncipherment", ERR_INPUT, "without keyAgreement");
    refuse_issued("P-256", "DER:0500", ERR_INPUT, "keyUsage");
    refuse_issued("P-256", "keyAgreement", ERR_NONE, NULL);
    refuse_issued("rsa2048", "keyEncipherment,digitalSignature", ERR_NONE, NULL);
    refuse(view_of(NULL, 0), ERR_INPUT, "recipient");
    refuse(view_text("x"), ERR_INPUT, "recipient");
    buf_add_view(&bad, buf_view(&devices[3].der));
    buf_add_byte(&bad, 0);
    refuse(buf_view(&bad), ERR_INPUT, "too many");
    buf_free(&bad);
}

/* A point that is not on the curve: OpenSSL must not be led to work with it. */
static void key_that_is_none(void **state)
{
    struct buf der = BUF_INIT(ROOM);
    struct buf spki = BUF_INIT(ROOM);
    uint8_t *at;

    (void)state;
    buf_add_view(&der, buf_view(&devices[3].der));
    issue_spki(devices[3].key, &spki);
    at = memmem(der.p, der.len, spki.p, spki.len);
    assert_non_null(at);
    at[spki.len - 1] ^= 1;
    refuse(buf_view(&der), ERR_INPUT, "recipient: ");
    buf_free(&der);
    buf_free(&spki);
}

static void choices_that_are_none(void **state)
{
    struct view ec = buf_view(&devices[3].der), rsa = buf_view(&devices[0].der);
    struct buf out = BUF_INIT(ROOM), small = BUF_INIT(100);

    (void)state;
    T_ERR_SAYS(cms_envelope(lib, rsa, CMS_CONTENT_NONE, CMS_RSA_PKCS1, view_text("x"), &out, &e),
        ERR_INPUT, "content encryption 0");
    T_ERR_SAYS(cms_envelope(lib, rsa, (enum cms_content)4, CMS_RSA_PKCS1, view_text("x"), &out, &e),
        ERR_INPUT, "content encryption 4");
    T_ERR_SAYS(cms_envelope(lib, rsa, CMS_AES256_GCM, CMS_TRANSPORT_NONE, view_text("x"), &out, &e),
        ERR_INPUT, "key transport 0");
    T_ERR_SAYS(
        cms_envelope(lib, rsa, CMS_AES256_GCM, (enum cms_transport)3, view_text("x"), &out, &e),
        ERR_INPUT, "key transport 3");
    T_ERR_SAYS(cms_envelope(lib, ec, CMS_AES256_GCM, CMS_TRANSPORT_NONE,
                   view_of("x", (16 << 20) + 1), &out, &e),
        ERR_INPUT, "at most 16777216");
    assert_int_equal(out.len, 0);
    T_ERR(cms_envelope(lib, ec, CMS_AES256_GCM, CMS_TRANSPORT_NONE, view_text("x"), &small, &e),
        ERR_TOO_LARGE);
    assert_int_equal(small.len, 0);
    T_OK(cms_envelope(lib, ec, CMS_AES256_GCM, CMS_TRANSPORT_NONE, view_text("x"), &out, &e));
    buf_free(&out);
    buf_free(&small);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_key_and_every_cipher),
        cmocka_unit_test(content_of_any_size),
        cmocka_unit_test(gcm_is_auth_enveloped),
        cmocka_unit_test(tag_and_text_are_protected),
        cmocka_unit_test(cbc_is_enveloped),
        cmocka_unit_test(rsa_recipient),
        cmocka_unit_test(ec_recipient),
        cmocka_unit_test(command_line_opens_it),
        cmocka_unit_test(recipients_that_will_not_do),
        cmocka_unit_test(key_that_is_none),
        cmocka_unit_test(choices_that_are_none),
    };
    int failed;

    if ((lib = lib_new(&e)) == NULL)
        return 1;
    other_rsa = issue_key("rsa2048");
    other_ec = issue_key("P-256");
    for (size_t i = 0; i < 6; i++) {
        struct device *d = &devices[i];

        d->key = issue_key(kinds[i]);
        d->x509 = issue(&(struct issue){ .subject = "CN=Device/O=Contoso", .key = d->key });
        d->der.max = ROOM;
        issue_der(d->x509, &d->der);
    }
    failed = cmocka_run_group_tests(tests, NULL, NULL);
    for (size_t i = 0; i < 6; i++) {
        EVP_PKEY_free(devices[i].key);
        X509_free(devices[i].x509);
        buf_free(&devices[i].der);
    }
    EVP_PKEY_free(other_rsa);
    EVP_PKEY_free(other_ec);
    lib_free(lib);
    return failed;
}
