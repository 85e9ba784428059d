/* key.h: what key_parse refuses, and with which class. */
#include "test/t.h"
#include "certs/der.h"
#include "certs/key.h"
#include "certs/text.h"
#include <openssl/evp.h>
#include <openssl/x509.h>

static struct err e;
static struct lib *l;

static int make_lib(void **state)
{
    (void)state;
    return (l = lib_new(&e)) != NULL ? 0 : -1;
}

static int free_lib(void **state)
{
    (void)state;
    lib_free(l);
    return 0;
}

static struct key *new_key(enum key_type t)
{
    struct key *k = key_new(l, t, KEYGEN_FAST, &e);

    if (k == NULL)
        fail_msg("%s: %s (%s)", key_type_name(t), e.msg, e.where);
    return k;
}

static void refuse(struct view v, enum err_class cls)
{
    struct key *k;

    e = (struct err){ 0 };
    k = key_parse(l, v, &e);
    if (k != NULL) {
        key_free(k);
        fail_msg("parsed, although it must not");
    }
    if (e.cls != cls)
        fail_msg("%s (%s), not %s", err_name(e.cls), e.msg, err_name(cls));
}

static void refuse_hex(const char *hex, enum err_class cls)
{
    struct buf b = BUF_SECRET(8192);

    T_OK(hex_parse(view_text(hex), &b, &e));
    refuse(buf_view(&b), cls);
    buf_free(&b);
}

/* Cut anywhere, or longer by a byte, it is refused; no byte of the frame may be another one. */
static void a_damaged_key_is_refused(void **state)
{
    static const enum key_type types[] = { KEY_RSA2048, KEY_P256, KEY_ED25519 };

    (void)state;
    for (size_t i = 0; i < 3; i++) {
        struct key *k = new_key(types[i]);
        struct buf b = BUF_SECRET(8192);
        size_t frame = types[i] == KEY_RSA2048 ? 30 : types[i] == KEY_P256 ? 36 : 16;

        buf_add_view(&b, key_pkcs8(k));
        for (size_t n = 0; n < b.len; n++)
            refuse(view_of(b.p, n), ERR_PROTO);
        for (size_t n = 0; n < frame; n++) {
            struct key *other;

            b.p[n] ^= 1;
            if ((other = key_parse(l, buf_view(&b), &e)) != NULL)
                fail_msg("%s: byte %zu does not matter", key_type_name(types[i]), n);
            assert_true(e.cls == ERR_PROTO || e.cls == ERR_UNSUPPORTED);
            b.p[n] ^= 1;
        }
        buf_add_byte(&b, 0);
        refuse(buf_view(&b), ERR_PROTO);
        buf_free(&b);
        key_free(k);
    }
}

/* Behind the secret of an EC key: the frame of its public half, and which form that has. */
static void the_public_half_is_framed(void **state)
{
    struct key *k = new_key(KEY_P256);
    struct buf b = BUF_SECRET(8192);

    (void)state;
    buf_add_view(&b, key_pkcs8(k));
    for (size_t n = b.len - 65 - 5; n <= b.len - 65; n++) {
        b.p[n] ^= 1;
        refuse(buf_view(&b), ERR_PROTO);
        b.p[n] ^= 1;
    }
    buf_free(&b);
    key_free(k);
}

/* A multi-prime key, or one with a number too long for its place, in a frame that is right. */
static void rsa_with_other_numbers(void **state)
{
    static const uint8_t n[256] = { 0x80 }, d[257] = { 0x80 };

    (void)state;
    for (int variant = 0; variant < 3; variant++) {
        struct buf b = BUF_INIT(8192);
        size_t outer = der_open(&b, DER_SEQUENCE), algorithm, octets, seq;

        der_uint(&b, 0);
        algorithm = der_open(&b, DER_SEQUENCE);
        der_oid_known(&b, "1.2.840.113549.1.1.1");
        der_null(&b);
        der_close(&b, algorithm);
        octets = der_open(&b, DER_OCTET_STRING);
        seq = der_open(&b, DER_SEQUENCE);
        der_uint(&b, variant == 0 ? 1 : 0);
        der_uint_bytes(&b, view_of(n, sizeof n));
        der_uint(&b, 65537);
        der_uint_bytes(&b, view_of(d, variant == 1 ? 257 : 256));
        for (int i = 0; i < 5; i++)
            der_uint(&b, 3);
        if (variant == 2)
            der_uint(&b, 3);
        der_close(&b, seq);
        der_close(&b, octets);
        der_close(&b, outer);
        refuse(buf_view(&b), variant == 0 ? ERR_UNSUPPORTED : ERR_PROTO);
        assert_non_null(strstr(e.msg, variant == 1   ? "number 3"
                                      : variant == 2 ? "too many"
                                                     : "version"));
        buf_free(&b);
    }
}

static void other_keys_are_refused(void **state)
{
    (void)state;
    /* Ed25519: with parameters, 31 bytes, version 2, trailing attributes, X25519 */
    refuse_hex(
        "3030020100300706032B657005000422042000000000000000000000000000000000000000000000000000"
        "00000000000000",
        ERR_UNSUPPORTED);
    refuse_hex(
        "302D020100300506032B65700421041F000000000000000000000000000000000000000000000000000000"
        "00000000",
        ERR_PROTO);
    refuse_hex(
        "302E020101300506032B6570042204200000000000000000000000000000000000000000000000000000"
        "000000000000",
        ERR_UNSUPPORTED);
    refuse_hex(
        "3030020100300506032B6570042204200000000000000000000000000000000000000000000000000000"
        "000000000000A000",
        ERR_PROTO);
    refuse_hex(
        "302E020100300506032B656E042204200000000000000000000000000000000000000000000000000000"
        "000000000000",
        ERR_UNSUPPORTED);
    /* EC on secp256k1 */
    refuse_hex("301A020100301006072A8648CE3D020106052B8104000A0403300100", ERR_UNSUPPORTED);
    refuse_hex("", ERR_PROTO);
    assert_null(strchr(e.msg, '\n'));
}

static void rsa_1024_is_refused(void **state)
{
    EVP_PKEY *small = EVP_PKEY_Q_keygen(NULL, NULL, "RSA", (size_t)1024);
    PKCS8_PRIV_KEY_INFO *p8 = EVP_PKEY2PKCS8(small);
    unsigned char *der = NULL;
    int len = i2d_PKCS8_PRIV_KEY_INFO(p8, &der);

    (void)state;
    refuse(view_of(der, (size_t)len), ERR_UNSUPPORTED);
    assert_non_null(strstr(e.msg, "128 bytes"));
    OPENSSL_free(der);
    PKCS8_PRIV_KEY_INFO_free(p8);
    EVP_PKEY_free(small);
}

static void a_point_off_the_curve_is_refused(void **state)
{
    struct key *k = new_key(KEY_P256);
    struct buf b = BUF_SECRET(8192);

    (void)state;
    buf_add_view(&b, key_pkcs8(k));
    b.p[b.len - 1] ^= 1;
    refuse(buf_view(&b), ERR_CRYPTO);
    buf_free(&b);
    key_free(k);
}

static void too_long_to_be_a_key(void **state)
{
    struct buf b = BUF_INIT(10000);

    (void)state;
    assert_non_null(buf_extend(&b, 5000));
    refuse(buf_view(&b), ERR_TOO_LARGE);
    buf_free(&b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_damaged_key_is_refused),
        cmocka_unit_test(the_public_half_is_framed),
        cmocka_unit_test(rsa_with_other_numbers),
        cmocka_unit_test(other_keys_are_refused),
        cmocka_unit_test(rsa_1024_is_refused),
        cmocka_unit_test(a_point_off_the_curve_is_refused),
        cmocka_unit_test(too_long_to_be_a_key),
    };

    return cmocka_run_group_tests(tests, make_lib, free_lib);
}
