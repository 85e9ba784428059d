/* cms.h: envelopes as OpenSSL's own reader opens them, and what is refused. */
#include "test/unit/cms_fixture.h"
#include <openssl/param_build.h>
#include <openssl/pem.h>

static void every_key_and_every_cipher(void **state)
{
    struct view secret = view_text("0123456789abcdefghijklmnopqrstuv");

    (void)state;
    for (size_t k = 0; k < 6; k++) {
        for (size_t c = 0; c < 4; c++) {
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
    for (size_t c = 0; c < 4; c++) {
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

/* With an exponent of 1 RSA does nothing: the key would travel in the clear. */
static void exponent_of_one(void **state)
{
    BIGNUM *n = NULL, *one = BN_new();
    OSSL_PARAM_BLD *params = OSSL_PARAM_BLD_new();
    EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_name(NULL, "RSA", NULL);
    struct buf der = BUF_INIT(ROOM);
    OSSL_PARAM *list;
    EVP_PKEY *key = NULL;
    X509 *x;

    (void)state;
    BN_one(one);
    assert_int_equal(EVP_PKEY_get_bn_param(other_rsa, "n", &n), 1);
    OSSL_PARAM_BLD_push_BN(params, "n", n);
    OSSL_PARAM_BLD_push_BN(params, "e", one);
    list = OSSL_PARAM_BLD_to_param(params);
    assert_int_equal(EVP_PKEY_fromdata_init(ctx), 1);
    assert_int_equal(EVP_PKEY_fromdata(ctx, &key, EVP_PKEY_PUBLIC_KEY, list), 1);
    x = issue(&(struct issue){ .subject = "CN=x", .key = key, .issuer_key = other_ec });
    issue_der(x, &der);
    refuse(buf_view(&der), ERR_INPUT, "whose exponent is 1");
    X509_free(x);
    EVP_PKEY_free(key);
    EVP_PKEY_CTX_free(ctx);
    OSSL_PARAM_free(list);
    OSSL_PARAM_BLD_free(params);
    BN_free(n);
    BN_free(one);
    buf_free(&der);
}

static void choices_that_are_none(void **state)
{
    struct view ec = buf_view(&devices[3].der), rsa = buf_view(&devices[0].der);
    struct buf out = BUF_INIT(ROOM), small = BUF_INIT(100);

    (void)state;
    T_ERR_SAYS(cms_envelope(lib, rsa, CMS_CONTENT_NONE, CMS_RSA_PKCS1, view_text("x"), &out, &e),
        ERR_INPUT, "content encryption 0");
    T_ERR_SAYS(cms_envelope(lib, rsa, (enum cms_content)5, CMS_RSA_PKCS1, view_text("x"), &out, &e),
        ERR_INPUT, "content encryption 5");
    T_ERR_SAYS(cms_envelope(lib, rsa, CMS_AES256_GCM, CMS_TRANSPORT_NONE, view_text("x"), &out, &e),
        ERR_INPUT, "key transport 0");
    T_ERR_SAYS(
        cms_envelope(lib, rsa, CMS_AES256_GCM, (enum cms_transport)4, view_text("x"), &out, &e),
        ERR_INPUT, "key transport 4");
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
        cmocka_unit_test(tag_and_text_are_protected),
        cmocka_unit_test(command_line_opens_it),
        cmocka_unit_test(recipients_that_will_not_do),
        cmocka_unit_test(key_that_is_none),
        cmocka_unit_test(exponent_of_one),
        cmocka_unit_test(choices_that_are_none),
    };
    int failed;

    if (start(true) != 0)
        return 1;
    failed = cmocka_run_group_tests(tests, NULL, NULL);
    stop();
    return failed;
}
