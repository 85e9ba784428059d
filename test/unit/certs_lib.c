/* lib.h */
#include "test/t.h"
#include "certs/lib.h"
#include "certs/mem.h"
#include "certs/text.h"
#include <pthread.h>
#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/kdf.h>
#include <openssl/provider.h>

static struct err e;

static void hex_is(const uint8_t *p, size_t len, const char *expect)
{
    struct buf text = BUF_INIT(200);

    hex_add(&text, view_of(p, len));
    assert_string_equal(buf_text(&text), expect);
    buf_free(&text);
}

/* FIPS 180-2 appendix: "abc". */
static void digests(void **state)
{
    struct lib *l = lib_new(&e);
    uint8_t d[32];

    (void)state;
    assert_non_null(l);
    T_OK(lib_sha256(l, view_text("abc"), d, &e));
    hex_is(d, 32, "BA7816BF8F01CFEA414140DE5DAE2223B00361A396177A9CB410FF61F20015AD");
    T_OK(lib_sha1(l, view_text("abc"), d, &e));
    hex_is(d, 20, "A9993E364706816ABA3E25717850C26C9CD0D89D");
    T_OK(lib_sha1(l, view_text(""), d, &e));
    hex_is(d, 20, "DA39A3EE5E6B4B0D3255BFEF95601890AFD80709");
    lib_free(l);
    lib_free(NULL);
}

static void everything_is_fetched(void **state)
{
    struct lib *l = lib_new(&e);

    (void)state;
    assert_int_equal(EVP_MD_get_size(l->sha384), 48);
    assert_int_equal(EVP_MD_get_size(l->sha512), 64);
    assert_int_equal(EVP_CIPHER_get_key_length(l->aes256_gcm), 32);
    assert_int_equal(EVP_CIPHER_get_iv_length(l->aes256_cbc), 16);
    assert_int_equal(EVP_CIPHER_get_key_length(l->des3_cbc), 24);
    assert_string_equal(EVP_KDF_get0_name(l->pbkdf2), "PBKDF2");
    assert_string_equal(EVP_KDF_get0_name(l->pkcs12kdf), "PKCS12KDF");
    assert_string_equal(EVP_KDF_get0_name(l->hkdf), "HKDF");
    assert_true(EVP_MAC_is_a(l->hmac, "HMAC"));
    assert_non_null(l->bn);
    lib_free(l);
}

/* What the legacy provider has must not be there, however it is asked for. */
static void legacy_is_not_there(void **state)
{
    struct lib *l = lib_new(&e);

    (void)state;
    assert_int_equal(OSSL_PROVIDER_available(l->ctx, "default"), 1);
    assert_int_equal(OSSL_PROVIDER_available(l->ctx, "legacy"), 0);
    assert_null(EVP_CIPHER_fetch(l->ctx, "RC2-40-CBC", NULL));
    assert_null(EVP_MD_fetch(l->ctx, "MD4", NULL));
    (void)lib_reason();
    lib_free(l);
}

static void randomness(void **state)
{
    struct lib *l = lib_new(&e);
    uint8_t a[32] = { 0 }, b[32] = { 0 }, zero[32] = { 0 };

    (void)state;
    T_OK(lib_random(l, a, sizeof a, &e));
    T_OK(lib_random(l, b, sizeof b, &e));
    assert_memory_not_equal(a, zero, sizeof a);
    assert_memory_not_equal(a, b, sizeof a);
    T_OK(lib_random(l, NULL, 0, &e));
    lib_free(l);
}

static void errors_have_a_reason_and_leave_no_trace(void **state)
{
    (void)state;
    ERR_raise(ERR_LIB_EVP, EVP_R_BAD_DECRYPT);
    ERR_raise(ERR_LIB_RSA, ERR_R_INTERNAL_ERROR);
    assert_int_equal(lib_err(&e, "trying"), -1);
    assert_int_equal(e.cls, ERR_CRYPTO);
    assert_string_equal(e.msg, "trying: rsa routines: internal error");
    assert_non_null(strstr(e.where, "certs_lib.c"));
    assert_int_equal(ERR_peek_error(), 0);
    assert_string_equal(lib_reason(), "no reason given");

    ERR_raise(ERR_LIB_EVP, EVP_R_BAD_DECRYPT);
    assert_string_equal(lib_reason(), "digital envelope routines: bad decrypt");
    assert_int_equal(ERR_peek_error(), 0);
}

/* Memory may come back; a request must not be failed for good because it was out for a moment. */
static void out_of_memory_is_worth_another_try(void **state)
{
    (void)state;
    ERR_raise(ERR_LIB_EVP, ERR_R_MALLOC_FAILURE);
    ERR_raise(ERR_LIB_EVP, EVP_R_BAD_DECRYPT);
    lib_err(&e, "trying");
    assert_int_equal(e.cls, ERR_NOMEM);
    ERR_raise(ERR_LIB_EVP, EVP_R_BAD_DECRYPT);
    lib_err(&e, "trying");
    assert_int_equal(e.cls, ERR_CRYPTO);
}

static int freed;

static void note_free(struct lib_cache *c)
{
    assert_ptr_equal(c, (struct lib_cache *)&freed);
    freed++;
}

static void the_cache_goes_with_the_lib(void **state)
{
    struct lib *l = lib_new(&e);

    (void)state;
    l->cache = (struct lib_cache *)&freed;
    l->cache_free = note_free;
    lib_free(l);
    assert_int_equal(freed, 1);
}

/* Made here, used there, freed here: as the crypto workers do. */
static void *use_elsewhere(void *arg)
{
    struct err mine = { 0 };
    uint8_t d[32];
    int failures = 0;

    for (int i = 0; i < 2000; i++) {
        failures += lib_sha256(arg, view_text("abc"), d, &mine) != 0;
        failures += lib_random(arg, d, sizeof d, &mine) != 0;
    }
    return failures == 0 ? arg : NULL;
}

static void one_lib_a_thread(void **state)
{
    struct lib *l[2] = { lib_new(&e), lib_new(&e) };
    pthread_t t[2];

    (void)state;
    for (int i = 0; i < 2; i++)
        assert_int_equal(pthread_create(&t[i], NULL, use_elsewhere, l[i]), 0);
    for (int i = 0; i < 2; i++) {
        void *result;

        assert_int_equal(pthread_join(t[i], &result), 0);
        assert_ptr_equal(result, l[i]);
    }
    lib_free(l[0]);
    lib_free(l[1]);
}

static void tells_its_version(void **state)
{
    (void)state;
    assert_int_equal(strncmp(lib_version(), "OpenSSL ", 8), 0);
}

static void no_memory_for_the_lib(void **state)
{
    (void)state;
    mem_fail_after(1);
    assert_null(lib_new(&e));
    mem_fail_after(0);
    assert_int_equal(e.cls, ERR_NOMEM);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(digests),
        cmocka_unit_test(everything_is_fetched),
        cmocka_unit_test(legacy_is_not_there),
        cmocka_unit_test(randomness),
        cmocka_unit_test(errors_have_a_reason_and_leave_no_trace),
        cmocka_unit_test(out_of_memory_is_worth_another_try),
        cmocka_unit_test(the_cache_goes_with_the_lib),
        cmocka_unit_test(one_lib_a_thread),
        cmocka_unit_test(tells_its_version),
        cmocka_unit_test(no_memory_for_the_lib),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
