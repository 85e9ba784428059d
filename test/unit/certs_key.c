/*
 * key.h: hundreds of new keys of every kind, each held against the rules of FIPS 186-5 and RFC 8017 by
 * code that shares nothing with ours (OpenSSL's decoder, its key check, BN_* on what it decoded).
 */
#include "test/t.h"
#include "certs/key.h"
#include <openssl/bn.h>
#include <openssl/core_names.h>
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

static struct key *new_key(enum key_type t, enum keygen how)
{
    struct key *k = key_new(l, t, how, &e);

    if (k == NULL)
        fail_msg("%s: %s (%s)", key_type_name(t), e.msg, e.where);
    assert_int_equal(key_type(k), t);
    return k;
}

/* The key as OpenSSL decodes it from our PKCS#8. */
static EVP_PKEY *decoded(const struct key *k)
{
    struct view v = key_pkcs8(k);
    const unsigned char *p = v.p;
    PKCS8_PRIV_KEY_INFO *p8 = d2i_PKCS8_PRIV_KEY_INFO(NULL, &p, (long)v.len);
    EVP_PKEY *pkey;

    assert_non_null(p8);
    assert_ptr_equal(p, v.p + v.len);
    pkey = EVP_PKCS82PKEY(p8);
    assert_non_null(pkey);
    PKCS8_PRIV_KEY_INFO_free(p8);
    return pkey;
}

/* Byte for byte what OpenSSL's encoders make of the same key. */
static void forms_are_openssls(const struct key *k, EVP_PKEY *pkey)
{
    unsigned char *der = NULL;
    int len = i2d_PUBKEY(pkey, &der);
    PKCS8_PRIV_KEY_INFO *p8;

    assert_true(view_equal(key_spki(k), view_of(der, (size_t)len)));
    OPENSSL_free(der);
    der = NULL;
    p8 = EVP_PKEY2PKCS8(pkey);
    len = i2d_PKCS8_PRIV_KEY_INFO(p8, &der);
    assert_true(view_equal(key_pkcs8(k), view_of(der, (size_t)len)));
    OPENSSL_free(der);
    PKCS8_PRIV_KEY_INFO_free(p8);
}

static void openssl_approves(EVP_PKEY *pkey)
{
    EVP_PKEY_CTX *c = EVP_PKEY_CTX_new(pkey, NULL);

    assert_int_equal(EVP_PKEY_check(c), 1);
    EVP_PKEY_CTX_free(c);
}

static BIGNUM *number(EVP_PKEY *pkey, const char *name)
{
    BIGNUM *n = NULL;

    assert_int_equal(EVP_PKEY_get_bn_param(pkey, name, &n), 1);
    return n;
}

/* FIPS 186-5 A.1.3 4.4: at least sqrt(2) 2^(bits - 1), that is, the square has 2 bits bits. */
static void large_enough(const BIGNUM *prime, int bits, BN_CTX *bn)
{
    BIGNUM *square = BN_new();

    assert_int_equal(BN_num_bits(prime), bits);
    BN_sqr(square, prime, bn);
    assert_int_equal(BN_num_bits(square), 2 * bits);
    BN_free(square);
}

static void relatively_prime_to_e(const BIGNUM *prime, BN_CTX *bn)
{
    BIGNUM *less = BN_dup(prime), *exponent = BN_new(), *gcd = BN_new();

    BN_sub_word(less, 1);
    BN_set_word(exponent, 65537);
    assert_int_equal(BN_gcd(gcd, less, exponent, bn), 1);
    assert_true(BN_is_one(gcd));
    BN_free(less);
    BN_free(exponent);
    BN_free(gcd);
}

/* |p - q| > 2^(nlen/2 - 100), by a shift and not by the subtraction our code does. */
static void far_apart(const BIGNUM *p, const BIGNUM *q, int half)
{
    BIGNUM *a = BN_new(), *b = BN_new();

    BN_sub(a, p, q);
    assert_false(BN_is_negative(a)); /* ours puts the larger first */
    BN_rshift(b, a, half - 100);
    assert_false(BN_is_zero(b));
    BN_free(a);
    BN_free(b);
}

/* d e = 1 modulo p-1 and modulo q-1, d below their lcm, d > 2^(nlen/2). */
static void exponent_is_right(
    const BIGNUM *d, const BIGNUM *p, const BIGNUM *q, int half, BN_CTX *bn)
{
    BIGNUM *p1 = BN_dup(p), *q1 = BN_dup(q), *x = BN_dup(d), *y = BN_new(), *g = BN_new(),
           *least = BN_new();

    BN_sub_word(p1, 1);
    BN_sub_word(q1, 1);
    BN_mul_word(x, 65537);
    BN_mod(y, x, p1, bn);
    assert_true(BN_is_one(y));
    BN_mod(y, x, q1, bn);
    assert_true(BN_is_one(y));
    BN_gcd(g, p1, q1, bn);
    BN_mul(x, p1, q1, bn);
    BN_div(x, NULL, x, g, bn);
    assert_true(BN_cmp(d, x) < 0);
    BN_set_bit(least, half);
    assert_true(BN_cmp(d, least) > 0);
    BN_free(p1);
    BN_free(q1);
    BN_free(x);
    BN_free(y);
    BN_free(g);
    BN_free(least);
}

/* dp = d mod p-1, dq = d mod q-1, qi q = 1 mod p, n = p q. */
static void crt_is_right(
    EVP_PKEY *pkey, const BIGNUM *n, const BIGNUM *d, const BIGNUM *p, const BIGNUM *q, BN_CTX *bn)
{
    BIGNUM *dp = number(pkey, OSSL_PKEY_PARAM_RSA_EXPONENT1),
           *dq = number(pkey, OSSL_PKEY_PARAM_RSA_EXPONENT2),
           *qi = number(pkey, OSSL_PKEY_PARAM_RSA_COEFFICIENT1), *x = BN_new(), *y = BN_dup(p);

    BN_sub_word(y, 1);
    BN_mod(x, d, y, bn);
    assert_int_equal(BN_cmp(x, dp), 0);
    BN_copy(y, q);
    BN_sub_word(y, 1);
    BN_mod(x, d, y, bn);
    assert_int_equal(BN_cmp(x, dq), 0);
    BN_mod_mul(x, qi, q, p, bn);
    assert_true(BN_is_one(x));
    assert_true(BN_cmp(qi, p) < 0);
    BN_mul(x, p, q, bn);
    assert_int_equal(BN_cmp(x, n), 0);
    BN_clear_free(dp);
    BN_clear_free(dq);
    BN_clear_free(qi);
    BN_free(x);
    BN_free(y);
}

static void rsa_is_sound(EVP_PKEY *pkey, int bits)
{
    BN_CTX *bn = BN_CTX_new();
    BIGNUM *n = number(pkey, OSSL_PKEY_PARAM_RSA_N),
           *exponent = number(pkey, OSSL_PKEY_PARAM_RSA_E),
           *d = number(pkey, OSSL_PKEY_PARAM_RSA_D), *p = number(pkey, OSSL_PKEY_PARAM_RSA_FACTOR1),
           *q = number(pkey, OSSL_PKEY_PARAM_RSA_FACTOR2);

    assert_int_equal(BN_num_bits(n), bits);
    assert_true(BN_is_word(exponent, 65537));
    large_enough(p, bits / 2, bn);
    large_enough(q, bits / 2, bn);
    relatively_prime_to_e(p, bn);
    relatively_prime_to_e(q, bn);
    far_apart(p, q, bits / 2);
    exponent_is_right(d, p, q, bits / 2, bn);
    crt_is_right(pkey, n, d, p, q, bn);
    BN_free(n);
    BN_free(exponent);
    BN_clear_free(d);
    BN_clear_free(p);
    BN_clear_free(q);
    BN_CTX_free(bn);
}

/* No key, and no prime, is ever seen twice: their digests in one table. */
static struct {
    uint8_t digest[2000][32];
    size_t count;
} seen;

static void never_seen(struct view v)
{
    uint8_t digest[32];

    T_OK(lib_sha256(l, v, digest, &e));
    for (size_t i = 0; i < seen.count; i++)
        assert_memory_not_equal(seen.digest[i], digest, 32);
    assert_true(seen.count < 2000);
    memcpy(seen.digest[seen.count++], digest, 32);
}

static void primes_never_seen(EVP_PKEY *pkey)
{
    static const char *const names[] = { OSSL_PKEY_PARAM_RSA_FACTOR1, OSSL_PKEY_PARAM_RSA_FACTOR2 };

    for (int i = 0; i < 2; i++) {
        BIGNUM *prime = number(pkey, names[i]);
        uint8_t bytes[256];
        int len = BN_bn2bin(prime, bytes);

        never_seen(view_of(bytes, (size_t)len));
        BN_clear_free(prime);
    }
}

/* Parsed again it is the same key. */
static void survives_the_reader(const struct key *k)
{
    struct key *again = key_parse(l, key_pkcs8(k), &e);

    assert_non_null(again);
    assert_int_equal(key_type(again), key_type(k));
    assert_true(view_equal(key_pkcs8(again), key_pkcs8(k)));
    assert_true(view_equal(key_spki(again), key_spki(k)));
    key_free(again);
}

static void check_new_keys(enum key_type t, enum keygen how, int count, int rsa_bits)
{
    for (int i = 0; i < count; i++) {
        struct key *k = new_key(t, how);
        EVP_PKEY *pkey = decoded(k);

        forms_are_openssls(k, pkey);
        openssl_approves(pkey);
        never_seen(key_spki(k));
        if (rsa_bits != 0) {
            rsa_is_sound(pkey, rsa_bits);
            primes_never_seen(pkey);
        }
        survives_the_reader(k);
        EVP_PKEY_free(pkey);
        key_free(k);
    }
}

static void rsa_2048_primes(void **state)
{
    (void)state;
    check_new_keys(KEY_RSA2048, KEYGEN_PRIMES, 60, 2048);
}

static void rsa_2048_fast(void **state)
{
    (void)state;
    check_new_keys(KEY_RSA2048, KEYGEN_FAST, 120, 2048);
}

static void rsa_larger(void **state)
{
    (void)state;
    check_new_keys(KEY_RSA3072, KEYGEN_PRIMES, 2, 3072);
    check_new_keys(KEY_RSA3072, KEYGEN_FAST, 5, 3072);
    check_new_keys(KEY_RSA4096, KEYGEN_PRIMES, 1, 4096);
    check_new_keys(KEY_RSA4096, KEYGEN_FAST, 4, 4096);
}

static void rsa_openssl(void **state)
{
    (void)state;
    check_new_keys(KEY_RSA2048, KEYGEN_OPENSSL, 6, 2048);
    check_new_keys(KEY_RSA3072, KEYGEN_OPENSSL, 1, 3072);
}

static void elliptic_curves(void **state)
{
    (void)state;
    check_new_keys(KEY_P256, KEYGEN_PRIMES, 250, 0);
    check_new_keys(KEY_P384, KEYGEN_FAST, 200, 0);
    check_new_keys(KEY_P521, KEYGEN_OPENSSL, 200, 0);
    check_new_keys(KEY_ED25519, KEYGEN_PRIMES, 250, 0);
}

static void names_of_types(void **state)
{
    static const char *const names[] = { "rsa2048", "rsa3072", "rsa4096", "ecP256", "ecP384",
        "ecP521", "ed25519" };

    (void)state;
    for (int t = KEY_NONE + 1; t < KEY_TYPE_COUNT; t++) {
        assert_string_equal(key_type_name((enum key_type)t), names[t - 1]);
        assert_int_equal(key_type_from_name(names[t - 1]), t);
        assert_int_equal(key_type_is_rsa((enum key_type)t), t <= KEY_RSA4096);
    }
    assert_int_equal(key_type_from_name("rsa1024"), KEY_NONE);
    assert_int_equal(key_type_from_name("none"), KEY_NONE);
    assert_int_equal(key_type_from_name("ecp256"), KEY_NONE);
    assert_int_equal(key_type_from_name(""), KEY_NONE);
    assert_string_equal(key_type_name((enum key_type)99), "none");
    assert_false(key_type_is_rsa((enum key_type)99));
}

static void a_type_that_is_none(void **state)
{
    (void)state;
    assert_null(key_new(l, KEY_NONE, KEYGEN_FAST, &e));
    assert_int_equal(e.cls, ERR_UNSUPPORTED);
    assert_null(key_new(l, KEY_TYPE_COUNT, KEYGEN_FAST, &e));
    assert_int_equal(e.cls, ERR_UNSUPPORTED);
}

static void moves_to_another_lib(void **state)
{
    struct buf out = BUF_INIT(1000);

    (void)state;
    for (int t = KEY_NONE + 1; t < KEY_TYPE_COUNT; t++) {
        struct lib *first = lib_new(&e);
        struct key *k;

        if (t == KEY_RSA3072 || t == KEY_RSA4096) {
            lib_free(first);
            continue;
        }
        k = key_new(first, (enum key_type)t, KEYGEN_FAST, &e);
        assert_non_null(k);
        T_OK(key_move_lib(k, l, &e));
        lib_free(first);
        T_OK(key_sign(l, k, HASH_SHA256, view_text("x"), &out, &e));
        key_free(k);
        buf_reset(&out);
    }
    buf_free(&out);
    key_free(NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rsa_2048_primes),
        cmocka_unit_test(rsa_2048_fast),
        cmocka_unit_test(rsa_larger),
        cmocka_unit_test(rsa_openssl),
        cmocka_unit_test(elliptic_curves),
        cmocka_unit_test(names_of_types),
        cmocka_unit_test(a_type_that_is_none),
        cmocka_unit_test(moves_to_another_lib),
    };

    return cmocka_run_group_tests(tests, make_lib, free_lib);
}
