/* seal.h: HKDF and AES-GCM against a second computation, and everything that must not open. */
#include "test/t.h"
#include "certs/mem.h"
#include "certs/seal.h"
#include "certs/text.h"
#include <openssl/evp.h>
#include <openssl/hmac.h>

static struct err e;
static struct lib *l;
static uint8_t key[SEAL_KEY_LEN];
static const char *const place = "request 1|column|schema 3";

static int make_lib(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof key; i++)
        key[i] = (uint8_t)(3 * i + 1);
    return (l = lib_new(&e)) != NULL ? 0 : -1;
}

static int free_lib(void **state)
{
    (void)state;
    lib_free(l);
    return 0;
}

/* RFC 5869 2.2 and 2.3 with HMAC alone: one block of output is all that 32 bytes need. */
static void derive_is_hkdf(void **state)
{
    static const char salt[] = "certferry seal 1", info[] = "request\x01";
    uint8_t prk[32], expect[32], got[SEAL_KEY_LEN], other[SEAL_KEY_LEN];

    (void)state;
    assert_non_null(HMAC(EVP_sha256(), salt, 16, key, sizeof key, prk, NULL));
    assert_non_null(HMAC(EVP_sha256(), prk, 32, (const uint8_t *)info, 8, expect, NULL));
    T_OK(seal_derive(l, key, "request", got, &e));
    assert_memory_equal(got, expect, 32);
    T_OK(seal_derive(l, key, "config", other, &e));
    assert_memory_not_equal(got, other, 32);
}

static void opens_what_it_sealed(void **state)
{
    uint8_t bytes[3000];
    static const size_t lens[] = { 0, 1, 15, 16, 17, 32, 3000 };

    (void)state;
    memset(bytes, 0x42, sizeof bytes);
    for (size_t i = 0; i < sizeof lens / sizeof lens[0]; i++) {
        struct buf sealed = BUF_INIT(4000), plain = BUF_SECRET(4000);
        struct view aad = i % 2 ? view_text(place) : view_of(NULL, 0);

        buf_add_text(&sealed, "before");
        buf_add_text(&plain, "old");
        T_OK(seal_put(l, key, aad, view_of(bytes, lens[i]), &sealed, &e));
        assert_int_equal(sealed.len, 6 + lens[i] + SEAL_OVERHEAD);
        assert_memory_equal(sealed.p, "before", 6);
        T_OK(seal_get(l, key, aad, view_of(sealed.p + 6, sealed.len - 6), &plain, &e));
        assert_int_equal(plain.len, 3 + lens[i]);
        assert_memory_equal(plain.p, "old", 3);
        assert_memory_equal(plain.p + 3, bytes, lens[i]);
        buf_free(&sealed);
        buf_free(&plain);
    }
}

/* The form on disk, opened with OpenSSL alone: 1, nonce, ciphertext, tag. */
static void the_form_is_as_written_down(void **state)
{
    struct buf sealed = BUF_INIT(100);
    EVP_CIPHER_CTX *c = EVP_CIPHER_CTX_new();
    uint8_t plain[16];
    int n;

    (void)state;
    T_OK(seal_put(l, key, view_text(place), view_text("attack at dawn"), &sealed, &e));
    assert_int_equal(sealed.len, 1 + 12 + 14 + 16);
    assert_int_equal(sealed.p[0], 1);
    assert_int_equal(EVP_DecryptInit_ex(c, EVP_aes_256_gcm(), NULL, key, sealed.p + 1), 1);
    assert_int_equal(EVP_DecryptUpdate(c, NULL, &n, (const uint8_t *)place, (int)strlen(place)), 1);
    assert_int_equal(EVP_DecryptUpdate(c, plain, &n, sealed.p + 13, 14), 1);
    assert_int_equal(EVP_CIPHER_CTX_ctrl(c, EVP_CTRL_GCM_SET_TAG, 16, sealed.p + 27), 1);
    assert_int_equal(EVP_DecryptFinal_ex(c, plain + n, &n), 1);
    assert_memory_equal(plain, "attack at dawn", 14);
    EVP_CIPHER_CTX_free(c);
    buf_free(&sealed);
}

static void a_nonce_is_never_seen_twice(void **state)
{
    static uint8_t nonce[500][12];

    (void)state;
    for (size_t i = 0; i < 500; i++) {
        struct buf sealed = BUF_INIT(100);

        T_OK(seal_put(l, key, view_text(place), view_text("x"), &sealed, &e));
        memcpy(nonce[i], sealed.p + 1, 12);
        for (size_t j = 0; j < i; j++)
            assert_memory_not_equal(nonce[i], nonce[j], 12);
        buf_free(&sealed);
    }
}

/* Every bit of the stored value matters, and nothing of a value that does not open comes out. */
static void any_change_is_noticed(void **state)
{
    struct buf sealed = BUF_INIT(200), plain = BUF_SECRET(200);
    uint8_t zero[26] = { 0 };

    (void)state;
    buf_add_text(&plain, "old");
    T_OK(seal_put(l, key, view_text(place), view_text("abcdefghijklmnopqrstuvwxyz"), &sealed, &e));
    for (size_t bit = 0; bit < 8 * sealed.len; bit++) {
        sealed.p[bit / 8] ^= (uint8_t)(1 << bit % 8);
        T_ERR(seal_get(l, key, view_text(place), buf_view(&sealed), &plain, &e), ERR_CRYPTO);
        assert_int_equal(plain.len, 3);
        assert_memory_equal(plain.p + 3, zero, 26);
        sealed.p[bit / 8] ^= (uint8_t)(1 << bit % 8);
    }
    for (size_t n = 0; n < sealed.len; n++)
        T_ERR(seal_get(l, key, view_text(place), view_of(sealed.p, n), &plain, &e), ERR_CRYPTO);
    T_OK(seal_get(l, key, view_text(place), buf_view(&sealed), &plain, &e));
    buf_free(&sealed);
    buf_free(&plain);
}

/* SR-19, SR-21: a row copied elsewhere, or whose data key is gone, is lost. */
static void another_place_or_key_does_not_open(void **state)
{
    struct buf sealed = BUF_INIT(200), plain = BUF_SECRET(200);
    uint8_t other[SEAL_KEY_LEN];

    (void)state;
    T_OK(seal_put(l, key, view_text(place), view_text("secret"), &sealed, &e));
    T_ERR_SAYS(
        seal_get(l, key, view_text("request 2|column|schema 3"), buf_view(&sealed), &plain, &e),
        ERR_CRYPTO, "does not open");
    T_ERR(seal_get(l, key, view_of(NULL, 0), buf_view(&sealed), &plain, &e), ERR_CRYPTO);
    for (size_t bit = 0; bit < 8 * sizeof key; bit++) {
        memcpy(other, key, sizeof key);
        other[bit / 8] ^= (uint8_t)(1 << bit % 8);
        T_ERR(seal_get(l, other, view_text(place), buf_view(&sealed), &plain, &e), ERR_CRYPTO);
    }
    assert_int_equal(plain.len, 0);
    buf_free(&sealed);
    buf_free(&plain);
}

static void what_does_not_fit_is_refused(void **state)
{
    struct buf sealed = BUF_INIT(34), plain = BUF_SECRET(3), room = BUF_INIT(100);

    (void)state;
    T_OK(seal_put(l, key, view_text(place), view_text("12345"), &sealed, &e));
    T_ERR(seal_get(l, key, view_text(place), buf_view(&sealed), &plain, &e), ERR_TOO_LARGE);
    assert_int_equal(plain.len, 0);
    buf_reset(&sealed);
    T_ERR(seal_put(l, key, view_text(place), view_text("123456"), &sealed, &e), ERR_TOO_LARGE);
    assert_int_equal(sealed.len, 0);
    T_ERR(seal_put(l, key, view_text(place), view_of("", (size_t)INT32_MAX), &room, &e),
        ERR_TOO_LARGE);
    buf_free(&sealed);
    buf_free(&plain);
    buf_free(&room);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(derive_is_hkdf),
        cmocka_unit_test(opens_what_it_sealed),
        cmocka_unit_test(the_form_is_as_written_down),
        cmocka_unit_test(a_nonce_is_never_seen_twice),
        cmocka_unit_test(any_change_is_noticed),
        cmocka_unit_test(another_place_or_key_does_not_open),
        cmocka_unit_test(what_does_not_fit_is_refused),
    };

    return cmocka_run_group_tests(tests, make_lib, free_lib);
}
