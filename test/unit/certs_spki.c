/* spki.h: other people's public keys, as OpenSSL writes them and as nobody should. */
#include "test/t.h"
#include "test/unit/issue.h"
#include "certs/der.h"
#include "certs/spki.h"
#include <openssl/core_names.h>

enum { ROOM = 8192 };

#define OID_RSA   "1.2.840.113549.1.1.1"
#define OID_EC    "1.2.840.10045.2.1"
#define OID_P256  "1.2.840.10045.3.1.7"
#define RSA_SMALL "\x30\x06\x02\x01\x0f\x02\x01\x03" /* n 15, e 3 */

static struct err e;
static struct lib *lib;

/* ---- what is read ---- */

static void same_key_as_openssl(void **state)
{
    static const char *const kinds[] = { "rsa1024", "rsa2048", "P-256", "P-384", "P-521" };

    (void)state;
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++) {
        EVP_PKEY *key = issue_key(kinds[i]), *read;
        struct buf der = BUF_INIT(ROOM);
        struct spki s = { 0 };

        issue_spki(key, &der);
        T_OK(spki_parse(buf_view(&der), &s, &e));
        assert_int_equal(s.ec, i >= 2);
        if (!s.ec)
            assert_int_equal(s.bits, i == 0 ? 1024 : 2048);
        else
            assert_string_equal(s.group, kinds[i]);
        read = spki_key(lib, &s, &e);
        assert_non_null(read);
        assert_int_equal(EVP_PKEY_eq(read, key), 1);
        EVP_PKEY_free(read);
        EVP_PKEY_free(key);
        buf_free(&der);
    }
}

/* SubjectPublicKeyInfo from its parts; `unused` is the first byte of the BIT STRING. */
static void write(
    struct buf *out, const char *oid, struct view params, uint8_t unused, struct view bits)
{
    size_t seq, inner;

    buf_reset(out);
    seq = der_open(out, DER_SEQUENCE);
    inner = der_open(out, DER_SEQUENCE);
    der_oid_known(out, oid);
    buf_add_view(out, params);
    der_close(out, inner);
    inner = der_open(out, DER_BIT_STRING);
    buf_add_byte(out, unused);
    buf_add_view(out, bits);
    der_close(out, inner);
    der_close(out, seq);
}

static void compressed_point(void **state)
{
    EVP_PKEY *key = issue_key("P-256"), *read;
    struct buf der = BUF_INIT(ROOM), curve = BUF_INIT(ROOM);
    uint8_t point[65];
    size_t len;
    struct spki s;

    (void)state;
    assert_int_equal(
        EVP_PKEY_get_octet_string_param(key, OSSL_PKEY_PARAM_PUB_KEY, point, sizeof point, &len),
        1);
    point[0] = 0x02 | (point[64] & 1);
    der_oid_known(&curve, OID_P256);
    write(&der, OID_EC, buf_view(&curve), 0, view_of(point, 33));
    T_OK(spki_parse(buf_view(&der), &s, &e));
    read = spki_key(lib, &s, &e);
    assert_non_null(read);
    assert_int_equal(EVP_PKEY_eq(read, key), 1);
    EVP_PKEY_free(read);
    EVP_PKEY_free(key);
    buf_free(&der);
    buf_free(&curve);
}

/* ---- what is refused ---- */

static void refuse(struct view der, enum err_class cls, const char *says)
{
    struct spki s = { .bits = 77 };

    T_ERR_SAYS(spki_parse(der, &s, &e), cls, says);
    assert_int_equal(s.bits, 77);
}

static void rsa_numbers(void **state)
{
    struct buf der = BUF_INIT(ROOM);
    struct spki s;

    (void)state;
    write(&der, OID_RSA, view_of("\x05\x00", 2), 0, view_of(RSA_SMALL, 8));
    T_OK(spki_parse(buf_view(&der), &s, &e));
    assert_int_equal(s.bits, 4);
    assert_true(s.modulus.len == 1 && s.modulus.p[0] == 15);
    assert_true(s.exponent.len == 1 && s.exponent.p[0] == 3);
    write(&der, OID_RSA, view_of(NULL, 0), 0, view_of(RSA_SMALL, 8));
    refuse(buf_view(&der), ERR_PROTO, "parameters other than NULL");
    buf_free(&der);
}

static void form_that_is_none(void **state)
{
    struct view none = view_of(NULL, 0), null = view_of("\x05\x00", 2);
    struct buf der = BUF_INIT(ROOM);

    (void)state;
    refuse(none, ERR_PROTO, "");
    refuse(view_text("x"), ERR_PROTO, "");
    write(&der, OID_RSA, null, 0, view_of(RSA_SMALL, 8));
    buf_add_byte(&der, 0);
    refuse(buf_view(&der), ERR_PROTO, "");
    write(&der, OID_RSA, null, 1, view_of(RSA_SMALL, 8));
    refuse(buf_view(&der), ERR_PROTO, "not a whole number of bytes");
    write(&der, OID_RSA, view_of("\x02\x01\x00", 3), 0, view_of(RSA_SMALL, 8));
    refuse(buf_view(&der), ERR_PROTO, "parameters other than NULL");
    write(&der, "1.3.101.112", none, 0, view_text("01234567890123456789012345678901"));
    refuse(buf_view(&der), ERR_UNSUPPORTED, "a key of type 1.3.101.112");
    buf_free(&der);
}

static void rsa_numbers_that_are_none(void **state)
{
    static const struct {
        const char *bits;
        size_t len;
        const char *says;
    } rows[] = {
        { "", 0, "" },
        { "\x30\x03\x02\x01\x0f", 5, "" },                         /* no exponent */
        { "\x30\x06\x02\x01\x8f\x02\x01\x03", 8, "RSA modulus" },  /* negative */
        { "\x30\x06\x02\x01\x0f\x02\x01\x83", 8, "RSA exponent" }, /* negative */
        { "\x30\x07\x02\x02\x00\x0f\x02\x01\x03", 9, "RSA modulus" },
        { "\x30\x09\x02\x01\x0f\x02\x01\x03\x02\x01\x01", 11, "RSA key" }, /* a third number */
        { RSA_SMALL "\x00", 9, "RSA key" },
    };
    struct buf der = BUF_INIT(ROOM);

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        write(&der, OID_RSA, view_of("\x05\x00", 2), 0, view_of(rows[i].bits, rows[i].len));
        refuse(buf_view(&der), ERR_PROTO, rows[i].says);
    }
    buf_free(&der);
}

/* Infinity, hybrid, cut and padded points: not one of them reaches OpenSSL. */
static void points_that_are_none(void **state)
{
    static const struct {
        size_t len;
        uint8_t first;
    } rows[] = { { 0, 0 }, { 1, 0 }, { 65, 0 }, { 65, 5 }, { 65, 6 }, { 65, 7 }, { 64, 4 },
        { 66, 4 }, { 33, 4 }, { 65, 2 }, { 34, 3 }, { 32, 2 } };
    struct buf der = BUF_INIT(ROOM), curve = BUF_INIT(ROOM);
    uint8_t point[80] = { 0 };

    (void)state;
    der_oid_known(&curve, OID_P256);
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        point[0] = rows[i].first;
        write(&der, OID_EC, buf_view(&curve), 0, view_of(point, rows[i].len));
        refuse(buf_view(&der), ERR_PROTO, "no point of P-256");
    }
    der_null(&curve);
    write(&der, OID_EC, buf_view(&curve), 0, view_of(point, 65));
    refuse(buf_view(&der), ERR_PROTO, "EC key algorithm");
    write(&der, OID_EC, view_of("\x30\x00", 2), 0, view_of(point, 65));
    refuse(buf_view(&der), ERR_UNSUPPORTED, "without a named curve");
    buf_reset(&curve);
    der_oid_known(&curve, "1.3.132.0.10");
    write(&der, OID_EC, buf_view(&curve), 0, view_of(point, 65));
    refuse(buf_view(&der), ERR_UNSUPPORTED, "curve 1.3.132.0.10");
    buf_free(&der);
    buf_free(&curve);
}

static void key_that_openssl_refuses(void **state)
{
    uint8_t point[65] = { 4, 1 }, zero = 0;
    struct spki s = { .ec = true, .group = "P-256", .field_len = 32, .point = view_of(point, 65) };
    static uint8_t long_one[8190];

    (void)state;
    T_ERR(spki_key(lib, &s, &e) != NULL ? 0 : -1, ERR_CRYPTO);
    point[0] = 2; /* no point has x = 2 * 2^248 */
    point[1] = 2;
    s.point.len = 33;
    T_ERR(spki_key(lib, &s, &e) != NULL ? 0 : -1, ERR_CRYPTO);
    s = (struct spki){ .modulus = view_of(&zero, 0), .exponent = view_of("\x03", 1) };
    T_ERR_SAYS(spki_key(lib, &s, &e) != NULL ? 0 : -1, ERR_CRYPTO, "a number that is 0");
    long_one[0] = long_one[sizeof long_one - 1] = 1;
    s.modulus = s.exponent = view_of(long_one, sizeof long_one);
    T_ERR(spki_key(lib, &s, &e) != NULL ? 0 : -1, ERR_TOO_LARGE);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(same_key_as_openssl),
        cmocka_unit_test(compressed_point),
        cmocka_unit_test(rsa_numbers),
        cmocka_unit_test(form_that_is_none),
        cmocka_unit_test(rsa_numbers_that_are_none),
        cmocka_unit_test(points_that_are_none),
        cmocka_unit_test(key_that_openssl_refuses),
    };
    int failed;

    if ((lib = lib_new(&e)) == NULL)
        return 1;
    failed = cmocka_run_group_tests(tests, NULL, NULL);
    lib_free(lib);
    return failed;
}
