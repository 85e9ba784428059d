/* What opening a message must not do: work as a decryption oracle, take work from strangers, know a challenge by
 * more than one name. */
#include "test/unit/scep_fixture.h"
#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/param_build.h>
#include "agent/scep/work_scep.h"
#include "certs/signed.h"
#include "certs/text.h"

static struct ra service;
static struct scep_rules rules = { .endpoint = "one", .rsa_min_bits = 2048 };

/* ---- messages ---------------------------------------------------------------------------------------------- */

static struct work_scep_open *open_it(struct view message)
{
    struct work_scep_open *w = work_scep_open_new(&service, &rules, message, ISSUE_NOW);

    assert_int_equal(w->work.run(lib, &w->work, &e), 0);
    return w;
}

static void done(struct work_scep_open *w)
{
    w->work.free(&w->work);
}

static struct work_scep_open *send(const struct scep_ask *a)
{
    struct buf message = BUF_INIT(ROOM);
    struct work_scep_open *w;

    T_OK(scep_ask_write(lib, a, &message, &e));
    w = open_it(buf_view(&message));
    buf_free(&message);
    return w;
}

/* A PKCS#10 of the device's key. */
static void request(const char *challenge, struct buf *out)
{
    X509_REQ *q = X509_REQ_new();
    X509_NAME *name = issue_name("CN=device");
    unsigned char *der = NULL;
    int len;

    X509_REQ_set_subject_name(q, name);
    X509_REQ_set_pubkey(q, device.pkey);
    if (challenge != NULL)
        X509_REQ_add1_attr_by_txt(q, "challengePassword", MBSTRING_UTF8,
            (const unsigned char *)challenge, (int)strlen(challenge));
    assert_true(X509_REQ_sign(q, device.pkey, EVP_sha256()) > 0);
    len = i2d_X509_REQ(q, &der);
    buf_add(out, der, (size_t)len);
    OPENSSL_free(der);
    X509_REQ_free(q);
    X509_NAME_free(name);
}

/* ---- tests --------------------------------------------------------------------------------------------------- */

static void a_poll_says_nothing_about_its_envelope(void **state)
{
    struct scep_ask a = ask(SCEP_CERT_POLL);
    struct work_scep_open *good, *bad;

    (void)state;
    good = send(&a);
    a.recipient = buf_view(&device.der); /* not for us: it does not open */
    bad = send(&a);
    assert_int_equal(good->opened, SCEP_OPENED);
    assert_int_equal(bad->opened, SCEP_OPENED);
    assert_string_equal(good->alias, bad->alias);
    assert_int_equal(good->csr.len, 0);
    done(good);
    done(bad);
}

static void a_request_that_does_not_open_is_refused(void **state)
{
    struct scep_ask a = ask(SCEP_PKCS_REQ);
    struct work_scep_open *w;

    (void)state;
    a.recipient = buf_view(&device.der);
    w = send(&a);
    assert_int_equal(w->opened, SCEP_REFUSED);
    assert_int_equal(w->fail, SCEP_BAD_REQUEST);
    done(w);
}

/* What `challenge` is known by at this endpoint. */
static void name_of(const char *endpoint, const char *challenge, char out[72])
{
    struct scep_ask a = ask(SCEP_PKCS_REQ);
    struct buf csr = BUF_INIT(ROOM);
    struct work_scep_open *w;

    request(challenge, &csr);
    a.content = buf_view(&csr);
    rules.endpoint = endpoint;
    w = send(&a);
    rules.endpoint = "one";
    assert_int_equal(w->opened, SCEP_OPENED);
    (void)snprintf(out, 72, "%s", w->challenge);
    done(w);
    buf_free(&csr);
}

static void a_challenge_is_one_at_every_endpoint(void **state)
{
    char one[72], two[72], other[72], none[72];

    (void)state;
    name_of("one", "secret", one);
    name_of("two", "secret", two);
    name_of("one", "Secret", other);
    name_of("one", NULL, none);
    assert_string_equal(one, two);
    assert_string_not_equal(one, other);
    assert_string_equal(none, "");
}

/* Long base64 says the same in another alphabet, with other line ends and without padding. */
static void a_long_challenge_is_known_by_what_it_says(void **state)
{
    char plain[302], dressed[302], one[72], two[72], other[72];

    (void)state;
    memset(plain, 'A', 300);
    plain[300] = '\0';
    plain[7] = '+';
    plain[298] = plain[299] = '=';
    memcpy(dressed, plain, sizeof dressed);
    dressed[7] = '-';
    dressed[299] = '\0';
    dressed[298] = ' ';
    name_of("one", plain, one);
    name_of("one", dressed, two);
    dressed[8] = 'B';
    name_of("one", dressed, other);
    assert_string_equal(one, two);
    assert_string_not_equal(one, other);
}

/* A message of CMS, as a challenge. */
static void name_of_message(const struct buf *message, size_t more, char out[72])
{
    struct buf text = BUF_INIT(ROOM), all = BUF_INIT(ROOM);

    buf_add_view(&all, buf_view(message));
    for (size_t i = 0; i < more; i++)
        buf_add_byte(&all, 7);
    base64_add(&text, buf_view(&all));
    name_of("one", buf_text(&text), out);
    buf_free(&text);
    buf_free(&all);
}

/* Who has a challenge has one, however he writes it: what was signed is what it is known by. */
static void a_signed_challenge_is_known_by_what_is_signed(void **state)
{
    struct signed_out o = { .content = view_text("for Ada"),
        .has_content = true,
        .digest = DIGEST_SHA256,
        .key = device.key,
        .certificate = buf_view(&device.der),
        .include_certificate = true };
    struct buf plain = BUF_INIT(ROOM), bare = BUF_INIT(ROOM), other = BUF_INIT(ROOM);
    char one[72], two[72], behind[72], another[72];

    (void)state;
    T_OK(signed_write(lib, &o, &plain, &e));
    o.include_certificate = false;
    T_OK(signed_write(lib, &o, &bare, &e));
    o.content = view_text("for Bob");
    T_OK(signed_write(lib, &o, &other, &e));
    name_of_message(&plain, 0, one);
    name_of_message(&plain, 5, behind);
    name_of_message(&bare, 0, two);
    name_of_message(&other, 0, another);
    assert_string_equal(one, two);
    assert_string_equal(one, behind);
    assert_string_not_equal(one, another);
    buf_free(&plain);
    buf_free(&bare);
    buf_free(&other);
}

/* A certificate with a key that nobody has: a number of so many bits, and this exponent. */
static void stranger(int bits, int exponent_bits, struct buf *out)
{
    BIGNUM *n = BN_new(), *power = BN_new();
    OSSL_PARAM_BLD *numbers = OSSL_PARAM_BLD_new();
    EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_name(NULL, "RSA", NULL);
    OSSL_PARAM *params;
    EVP_PKEY *key = NULL;
    X509 *x;

    BN_rand(n, bits, BN_RAND_TOP_ONE, BN_RAND_BOTTOM_ODD);
    BN_rand(power, exponent_bits, BN_RAND_TOP_ONE, BN_RAND_BOTTOM_ODD);
    OSSL_PARAM_BLD_push_BN(numbers, OSSL_PKEY_PARAM_RSA_N, n);
    OSSL_PARAM_BLD_push_BN(numbers, OSSL_PKEY_PARAM_RSA_E, power);
    params = OSSL_PARAM_BLD_to_param(numbers);
    EVP_PKEY_fromdata_init(ctx);
    assert_int_equal(EVP_PKEY_fromdata(ctx, &key, EVP_PKEY_PUBLIC_KEY, params), 1);
    x = issue(&(struct issue){ .subject = "CN=device", .key = key, .issuer_key = device.pkey });
    issue_der(x, out);
    X509_free(x);
    EVP_PKEY_free(key);
    EVP_PKEY_CTX_free(ctx);
    OSSL_PARAM_free(params);
    OSSL_PARAM_BLD_free(numbers);
    BN_free(n);
    BN_free(power);
}

static void is_signed_by(int bits, int exponent_bits, enum scep_fail fail, const char *says)
{
    struct scep_ask a = ask(SCEP_PKCS_REQ);
    struct buf certificate = BUF_INIT(ROOM);
    struct work_scep_open *w;

    stranger(bits, exponent_bits, &certificate);
    a.certificate = buf_view(&certificate);
    w = send(&a);
    assert_int_equal(w->opened, SCEP_REFUSED);
    assert_int_equal(w->fail, fail);
    if (strstr(w->why.msg, says) == NULL)
        fail_msg("%s does not say %s", w->why.msg, says);
    done(w);
    buf_free(&certificate);
}

static void a_signer_whose_key_is_work_is_refused(void **state)
{
    (void)state;
    is_signed_by(2048, 256, SCEP_BAD_MESSAGE_CHECK, "signature");
    is_signed_by(1024, 17, SCEP_BAD_ALG, "too short");
    is_signed_by(8200, 17, SCEP_BAD_ALG, "too large");
    is_signed_by(2048, 257, SCEP_BAD_ALG, "too large");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_poll_says_nothing_about_its_envelope),
        cmocka_unit_test(a_request_that_does_not_open_is_refused),
        cmocka_unit_test(a_challenge_is_one_at_every_endpoint),
        cmocka_unit_test(a_long_challenge_is_known_by_what_it_says),
        cmocka_unit_test(a_signed_challenge_is_known_by_what_is_signed),
        cmocka_unit_test(a_signer_whose_key_is_work_is_refused),
    };
    int failed;

    mem_torture_openssl();
    if ((lib = lib_new(&e)) == NULL)
        return 1;
    meet(&device, "CN=device");
    meet(&ra, "CN=registration authority");
    service.encryption.certificate = ra.der;
    service.encryption.key = (struct buf)BUF_SECRET(8192);
    service.ca_certs = (struct buf)BUF_INIT(8);
    buf_add_view(&service.encryption.key, key_pkcs8(ra.key));
    failed = cmocka_run_group_tests(tests, NULL, NULL);
    buf_free(&service.encryption.key);
    part(&device);
    part(&ra);
    lib_free(lib);
    return failed;
}
