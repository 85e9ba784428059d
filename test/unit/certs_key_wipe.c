/*
 * Security requirement SR-19 for key.h, buf.h and seal.h: no copy of a private number stays in memory
 * that was given back.
 *
 * Every block is copied aside at the moment it is freed, and the copies are searched when the key is
 * gone: for every private number, in both byte orders.  Under AddressSanitizer that is every block of
 * the process, without it those of OpenSSL's allocator.  (The stack cannot be searched so.)
 */
#include "test/t.h"
#include "certs/key.h"
#include "certs/seal.h"
#include <malloc.h>
#include <stdlib.h>
#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>

static struct err e;

/* ---- memory that was given back ---- */

static uint8_t back[192 << 20];
static size_t back_len, blocks;
static bool keeping, overflow;

static void keep(const volatile void *p)
{
    size_t len;

    if (!keeping || p == NULL)
        return;
    len = malloc_usable_size((void *)(uintptr_t)p);
    if (len > sizeof back - back_len) {
        overflow = true;
        return;
    }
    for (size_t i = 0; i < len; i++)
        back[back_len + i] = ((const volatile uint8_t *)p)[i];
    back_len += len;
    blocks++;
}

static void nothing(const volatile void *p, size_t len)
{
    (void)p, (void)len;
}

int __sanitizer_install_malloc_and_free_hooks(
    void (*)(const volatile void *, size_t), void (*)(const volatile void *)) __attribute__((weak));

static void *hook_malloc(size_t len, const char *file, int line)
{
    (void)file, (void)line;
    return malloc(len);
}

static void hook_free(void *p, const char *file, int line)
{
    (void)file, (void)line;
    keep(p);
    free(p);
}

static void *hook_realloc(void *p, size_t len, const char *file, int line)
{
    (void)file, (void)line;
    keep(p); /* it may move; if it does not, what is kept is too much, not too little */
    return realloc(p, len);
}

static bool watch(void)
{
    if (__sanitizer_install_malloc_and_free_hooks != NULL)
        return __sanitizer_install_malloc_and_free_hooks(nothing, keep) > 0;
    return CRYPTO_set_mem_functions(hook_malloc, hook_realloc, hook_free) == 1;
}

static size_t found(const uint8_t *secret, size_t len)
{
    const uint8_t *p = back, *end = back + back_len;
    size_t hits = 0;

    while ((p = memmem(p, (size_t)(end - p), secret, len)) != NULL) {
        hits++;
        p++;
    }
    return hits;
}

static void forget(void)
{
    keeping = overflow = false;
    back_len = blocks = 0;
}

/* ---- the numbers of a key, kept where the search does not look ---- */

enum { PART = 24, PARTS = 7 };

struct secrets {
    uint8_t big[PARTS][PART], little[PARTS][PART];
    size_t count;
};

/* 24 bytes out of the middle of a number, in both orders. */
static void remember(struct secrets *s, const uint8_t *p, size_t len)
{
    size_t at = (len - PART) / 2;

    for (size_t i = 0; i < PART; i++) {
        s->big[s->count][i] = p[at + i];
        s->little[s->count][PART - 1 - i] = p[at + i];
    }
    s->count++;
}

static struct secrets secrets_of(const struct key *k)
{
    static const char *const names[] = { OSSL_PKEY_PARAM_RSA_D, OSSL_PKEY_PARAM_RSA_FACTOR1,
        OSSL_PKEY_PARAM_RSA_FACTOR2, OSSL_PKEY_PARAM_RSA_EXPONENT1, OSSL_PKEY_PARAM_RSA_EXPONENT2,
        OSSL_PKEY_PARAM_RSA_COEFFICIENT1 };
    struct view v = key_pkcs8(k);
    struct secrets s = { 0 };
    const unsigned char *p = v.p;
    EVP_PKEY *pkey;

    if (key_type(k) == KEY_ED25519) {
        remember(&s, v.p + 16, 32);
        return s;
    }
    pkey = d2i_AutoPrivateKey(NULL, &p, (long)v.len);
    for (size_t i = 0; i < (key_type_is_rsa(key_type(k)) ? 6 : 1); i++) {
        BIGNUM *n = NULL;
        uint8_t bytes[600];
        const char *name = key_type_is_rsa(key_type(k)) ? names[i] : OSSL_PKEY_PARAM_PRIV_KEY;

        assert_int_equal(EVP_PKEY_get_bn_param(pkey, name, &n), 1);
        remember(&s, bytes, (size_t)BN_bn2bin(n, bytes));
        BN_clear_free(n);
    }
    EVP_PKEY_free(pkey);
    return s;
}

static void nothing_is_left(const struct secrets *s, const char *of)
{
    for (size_t i = 0; i < s->count; i++) {
        size_t hits = found(s->big[i], PART) + found(s->little[i], PART);

        if (hits != 0)
            fail_msg("%s: private number %zu is %zu times in memory given back", of, i, hits);
    }
}

/* Generated, parsed, sealed, opened, used, moved, freed. */
static void a_life(enum key_type t, enum keygen how)
{
    static const uint8_t wrap[SEAL_KEY_LEN] = { 1 };
    struct lib *l = lib_new(&e), *other = lib_new(&e);
    struct buf sealed = BUF_INIT(10000), plain = BUF_SECRET(10000), out = BUF_INIT(2000);
    struct key *k, *again;
    struct secrets s;

    keeping = true;
    k = key_new(l, t, how, &e);
    assert_non_null(k);
    keeping = false;
    s = secrets_of(k); /* OpenSSL's decoder, which is not what is looked at */
    keeping = true;
    T_OK(seal_put(l, wrap, view_text("here"), key_pkcs8(k), &sealed, &e));
    T_OK(seal_get(l, wrap, view_text("here"), buf_view(&sealed), &plain, &e));
    again = key_parse(l, buf_view(&plain), &e);
    assert_non_null(again);
    T_OK(key_move_lib(again, other, &e));
    T_OK(key_sign(other, again, HASH_SHA256, view_text("x"), &out, &e));
    T_OK(key_sign(l, k, HASH_SHA256, view_text("x"), &out, &e));
    key_free(k);
    key_free(again);
    buf_free(&plain);
    buf_free(&sealed);
    buf_free(&out);
    lib_free(l);
    lib_free(other);
    keeping = false;
    assert_true(blocks > 100 && !overflow);
    nothing_is_left(&s, key_type_name(t));
    forget();
}

static void rsa(void **state)
{
    (void)state;
    a_life(KEY_RSA2048, KEYGEN_FAST);
    a_life(KEY_RSA2048, KEYGEN_PRIMES);
}

static void rsa_by_openssl(void **state)
{
    (void)state;
    a_life(KEY_RSA2048, KEYGEN_OPENSSL);
}

static void elliptic_curves(void **state)
{
    (void)state;
    a_life(KEY_P256, KEYGEN_PRIMES);
    a_life(KEY_P384, KEYGEN_PRIMES);
    a_life(KEY_P521, KEYGEN_PRIMES);
    a_life(KEY_ED25519, KEYGEN_PRIMES);
}

/* The search does find what is there: a block given back unwiped. */
static void the_search_works(void **state)
{
    struct secrets s = { .count = 1 };
    uint8_t *p;

    (void)state;
    memset(s.big[0], 0x5a, PART);
    keeping = true;
    p = OPENSSL_malloc(100);
    memset(p, 0x5a, 100);
    OPENSSL_free(p);
    keeping = false;
    assert_int_not_equal(found(s.big[0], PART), 0);
    forget();
    assert_int_equal(found(s.big[0], PART), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_search_works),
        cmocka_unit_test(rsa),
        cmocka_unit_test(rsa_by_openssl),
        cmocka_unit_test(elliptic_curves),
    };

    if (!watch())
        return 1;
    return cmocka_run_group_tests(tests, NULL, NULL);
}
