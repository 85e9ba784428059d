/* check_quick.h: leaves changed in one bit, and every signature algorithm. */
#include "test/unit/check_quick_fixture.h"
#include "certs/der.h"
#include <openssl/rsa.h>

/* ---- leaves that are changed in one bit and signed again ---- */

/* The leaf's body with another signature by sub_key. */
static void sign_again(struct view tbs, struct buf *out)
{
    static const char ecdsa_sha256[] = "\x30\x0a\x06\x08\x2a\x86\x48\xce\x3d\x04\x03\x02";
    EVP_MD_CTX *c = EVP_MD_CTX_new();
    uint8_t signature[128];
    size_t len = sizeof signature, seq, bits;

    assert_int_equal(EVP_DigestSignInit(c, NULL, EVP_sha256(), NULL, sub_key), 1);
    assert_int_equal(EVP_DigestSign(c, signature, &len, tbs.p, tbs.len), 1);
    EVP_MD_CTX_free(c);
    buf_reset(out);
    seq = der_open(out, DER_SEQUENCE);
    buf_add_view(out, tbs);
    buf_add(out, ecdsa_sha256, sizeof ecdsa_sha256 - 1);
    bits = der_open(out, DER_BIT_STRING);
    buf_add_byte(out, 0);
    buf_add(out, signature, len);
    der_close(out, bits);
    der_close(out, seq);
}

static void every_bit_of_the_body(void **state)
{
    X509 *x = issue(&good);
    struct path proven = path_of(x, UPPERS(sub));
    struct buf tbs = BUF_INIT(ROOM);
    unsigned read = 0, quick = 0, accepted = 0, refused = 0;

    (void)state;
    buf_add_view(&tbs, proven.ask.leaf.tbs);
    for (size_t i = 0; i < 8 * tbs.len; i += 7) {
        struct path p = path_of(x, UPPERS(sub));

        tbs.p[i / 8] ^= (uint8_t)(1 << i % 8);
        sign_again(buf_view(&tbs), &p.leaf);
        tbs.p[i / 8] ^= (uint8_t)(1 << i % 8);
        if (path_ready(&p)) {
            bool like = is_like(&p, &proven), yes = verdict(&p, &proven);

            read++;
            quick += like;
            accepted += like && yes;
            refused += !yes;
        }
        path_free(&p);
    }
    /* enough of each kind to mean something */
    if (read < 400 || quick < 100 || accepted < 100 || refused < 100)
        fail_msg("%u read, %u quick, %u accepted, %u refused", read, quick, accepted, refused);
    X509_free(x);
    path_free(&proven);
    buf_free(&tbs);
}

/* The same without a new signature: nothing is accepted. */
static void every_byte_after_a_good_one(void **state)
{
    X509 *x = issue(&good);
    struct path proven = path_of(x, UPPERS(sub));

    (void)state;
    for (size_t i = 0; i < proven.leaf.len; i += 3) {
        struct path p = path_of(x, UPPERS(sub));

        p.leaf.p[i] ^= 0x04;
        if (path_ready(&p) && verdict(&p, &proven))
            fail_msg("byte %zu changed and still accepted", i);
        path_free(&p);
    }
    X509_free(x);
    path_free(&proven);
}

/* A negative number with a needless byte: cert_parse is lenient there, OpenSSL does not read it. */
static void serial_that_openssl_refuses(void **state)
{
    X509 *x = issue(&good);
    struct path proven = path_of(x, UPPERS(sub)), p = path_of(x, UPPERS(sub));
    struct buf tbs = BUF_INIT(ROOM);
    uint8_t *serial;

    (void)state;
    buf_add_view(&tbs, proven.ask.leaf.tbs);
    serial = memmem(tbs.p, tbs.len, "\x02\x02\x12\x67", 4);
    assert_non_null(serial);
    serial[2] = 0xff;
    serial[3] = 0x85;
    sign_again(buf_view(&tbs), &p.leaf);
    assert_true(path_ready(&p));
    assert_false(verdict(&p, &proven));
    X509_free(x);
    path_free(&proven);
    path_free(&p);
    buf_free(&tbs);
}

/* ---- signatures ---- */

static void every_signature_algorithm(void **state)
{
    static const struct {
        const char *key;
        const EVP_MD *(*md)(void);
        bool quick;
    } rows[] = {
        { "rsa2048", EVP_sha256, true },
        { "rsa2048", EVP_sha384, true },
        { "rsa2048", EVP_sha512, true },
        { "P-256", EVP_sha256, true },
        { "P-384", EVP_sha384, true },
        { "P-521", EVP_sha512, true },
        { "P-256", EVP_sha512, true },
        { "ed25519", NULL, true },
        { "P-256", EVP_sha224, false },
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        EVP_PKEY *key = issue_key(rows[i].key);
        X509 *ca = issue_ca("CN=Sub", key, root, root_key), *x, *y;
        struct path one, two;

        good.issuer = ca;
        good.issuer_key = key;
        good.md = rows[i].md != NULL ? rows[i].md() : NULL;
        x = issue(&good);
        good.serial++;
        y = issue(&good);
        one = path_of(x, UPPERS(ca));
        two = path_of(y, UPPERS(ca));
        assert_true(verdict(&two, &one));
        assert_int_equal(is_like(&two, &one), rows[i].quick);
        two.leaf.p[two.leaf.len - 3] ^= 1;
        assert_false(verdict(&two, &one));
        path_free(&one);
        path_free(&two);
        X509_free(x);
        X509_free(y);
        X509_free(ca);
        EVP_PKEY_free(key);
    }
}

/* Another signature of RSA-PSS over the same body. */
static void pss_again(struct path *p, EVP_PKEY *key, int salt_len)
{
    EVP_MD_CTX *c = EVP_MD_CTX_new();
    EVP_PKEY_CTX *params;
    size_t len = 256;

    assert_int_equal(EVP_DigestSignInit(c, &params, EVP_sha256(), NULL, key), 1);
    assert_int_equal(EVP_PKEY_CTX_set_rsa_padding(params, RSA_PKCS1_PSS_PADDING), 1);
    assert_int_equal(EVP_PKEY_CTX_set_rsa_pss_saltlen(params, salt_len), 1);
    assert_int_equal(EVP_DigestSign(c, p->leaf.p + p->leaf.len - len, &len, p->ask.leaf.tbs.p,
                         p->ask.leaf.tbs.len),
        1);
    assert_int_equal(len, 256);
    EVP_MD_CTX_free(c);
}

static X509 *pss_leaf(X509 *ca, EVP_PKEY *key, long serial, int salt_len)
{
    EVP_MD_CTX *c = EVP_MD_CTX_new();
    EVP_PKEY_CTX *params;
    X509 *x;

    good.issuer = ca;
    good.issuer_key = key;
    good.serial = serial;
    x = issue(&good);
    assert_int_equal(EVP_DigestSignInit(c, &params, EVP_sha256(), NULL, key), 1);
    assert_int_equal(EVP_PKEY_CTX_set_rsa_padding(params, RSA_PKCS1_PSS_PADDING), 1);
    assert_int_equal(EVP_PKEY_CTX_set_rsa_pss_saltlen(params, salt_len), 1);
    assert_true(X509_sign_ctx(x, c) > 0);
    EVP_MD_CTX_free(c);
    return x;
}

/* With the parameters known here and with others; the salt is as long as the algorithm says. */
static void pss(void **state)
{
    static const struct {
        int salt_len;
        bool quick;
    } rows[] = { { 32, true }, { 20, false }, { 64, false } };
    EVP_PKEY *key = issue_key("rsa2048");
    X509 *ca = issue_ca("CN=Sub", key, root, root_key);

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        X509 *x = pss_leaf(ca, key, 100, rows[i].salt_len);
        X509 *y = pss_leaf(ca, key, 101, rows[i].salt_len);
        struct path one = path_of(x, UPPERS(ca)), two = path_of(y, UPPERS(ca));

        assert_true(verdict(&two, &one));
        assert_int_equal(is_like(&two, &one), rows[i].quick);
        pss_again(&two, key, 33);
        assert_false(verdict(&two, &one));
        pss_again(&two, key, rows[i].salt_len);
        assert_true(verdict(&two, &one));
        two.leaf.p[two.leaf.len - 3] ^= 1;
        assert_false(verdict(&two, &one));
        path_free(&one);
        path_free(&two);
        X509_free(x);
        X509_free(y);
    }
    X509_free(ca);
    EVP_PKEY_free(key);
}

int main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
    static const struct CMUnitTest tests[] = {
        T(every_bit_of_the_body),
        T(every_byte_after_a_good_one),
        T(serial_that_openssl_refuses),
        T(every_signature_algorithm),
        T(pss),
    };
    int failed;

    if (start() != 0)
        return 1;
    failed = cmocka_run_group_tests(tests, NULL, NULL);
    stop();
    return failed;
}
