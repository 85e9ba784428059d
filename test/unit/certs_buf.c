/* buf.h */
#include "test/t.h"
#include "certs/buf.h"
#include "certs/mem.h"
#include <stdlib.h>
#include <openssl/crypto.h>

static struct err e;

static void views(void **state)
{
    (void)state;
    assert_true(view_equal(view_text("ab"), view_of("abc", 2)));
    assert_false(view_equal(view_text("ab"), view_text("ac")));
    assert_false(view_equal(view_text("ab"), view_text("abc")));
    assert_true(view_equal(view_text(""), view_text(NULL)));
    assert_null(view_of("abc", 0).p);
}

static void grows_from_nothing(void **state)
{
    struct buf b = BUF_INIT(100000);
    char expect[5001];

    (void)state;
    assert_string_equal(buf_text(&b), "");
    for (int i = 0; i < 1000; i++) {
        buf_add_byte(&b, 'a');
        buf_add_text(&b, "bc");
        buf_add_view(&b, view_text("d"));
        buf_printf(&b, "%d", i % 10);
        memcpy(expect + 5 * i, "abcd0", 6);
        expect[5 * i + 4] = (char)('0' + i % 10);
    }
    buf_add(&b, NULL, 0);
    T_OK(buf_check(&b, &e));
    assert_int_equal(b.len, 5000);
    assert_string_equal(buf_text(&b), expect);
    assert_true(view_equal(buf_view(&b), view_text(expect)));
    buf_free(&b);
    assert_int_equal(b.max, 100000);
    assert_null(b.p);
    buf_free(&b);
}

/* The maximum is exact, and what was there before stays. */
static void refuses_what_passes_its_maximum(void **state)
{
    struct buf b = BUF_INIT(5);

    (void)state;
    buf_add_text(&b, "12345");
    T_OK(buf_check(&b, &e));
    buf_add_byte(&b, '6');
    T_ERR_SAYS(buf_check(&b, &e), ERR_TOO_LARGE, "5 of at most 5");
    buf_truncate(&b, 1);
    buf_add_byte(&b, 'x'); /* still bad: ignored */
    assert_int_equal(b.len, 1);
    assert_string_equal(buf_text(&b), "");
    buf_reset(&b);
    buf_add_text(&b, "ok");
    T_OK(buf_check(&b, &e));
    assert_string_equal(buf_text(&b), "ok");
    buf_printf(&b, "%s", "1234");
    T_ERR(buf_check(&b, &e), ERR_TOO_LARGE);
    assert_int_equal(b.len, 2);
    buf_free(&b);
    buf_add(&b, "abcdef", 6);
    T_ERR(buf_check(&b, &e), ERR_TOO_LARGE);
    buf_reset(&b);
    buf_add_byte(&b, 'x');
    assert_null(buf_extend(&b, SIZE_MAX)); /* 1 + SIZE_MAX would be 0 */
    T_ERR(buf_check(&b, &e), ERR_TOO_LARGE);
    buf_free(&b);
}

static void a_buf_without_a_maximum_takes_nothing(void **state)
{
    struct buf b = { 0 };

    (void)state;
    buf_add_byte(&b, 1);
    T_ERR(buf_check(&b, &e), ERR_TOO_LARGE);
    buf_free(&b);
}

static void out_of_memory_is_told_apart(void **state)
{
    struct buf b = BUF_INIT(1000);

    (void)state;
    buf_add_text(&b, "kept");
    mem_fail_after(1);
    buf_add(&b, (uint8_t[200]){ 0 }, 200);
    mem_fail_after(0);
    T_ERR(buf_check(&b, &e), ERR_NOMEM);
    assert_int_equal(b.len, 4);
    assert_memory_equal(b.p, "kept", 4);
    buf_spoil(&b, ERR_TOO_LARGE); /* the first reason stands */
    T_ERR(buf_check(&b, &e), ERR_NOMEM);
    buf_free(&b);
}

static void insert_moves_the_rest(void **state)
{
    struct buf b = BUF_INIT(10);

    (void)state;
    buf_add_text(&b, "adef");
    buf_insert(&b, 1, "bc", 2);
    buf_insert(&b, 6, "g", 1);
    buf_insert(&b, 0, "", 0);
    assert_string_equal(buf_text(&b), "abcdefg");
    buf_insert(&b, 0, "1234", 4);
    T_ERR(buf_check(&b, &e), ERR_TOO_LARGE);
    assert_int_equal(b.len, 7);
    assert_memory_equal(b.p, "abcdefg", 7);
    buf_insert(&b, 99, "x", 1); /* ignored, as everything after the first failure */
    buf_free(&b);
}

static void extend_gives_zeroed_room(void **state)
{
    struct buf b = BUF_INIT(100);
    uint8_t *p, zero[40] = { 0 };

    (void)state;
    memset(buf_extend(&b, 50), 0xff, 50);
    buf_truncate(&b, 10);
    p = buf_extend(&b, 40);
    assert_non_null(p);
    assert_ptr_equal(p, b.p + 10);
    assert_memory_equal(p, zero, 40);
    buf_free(&b);
}

static void finish_cuts_back(void **state)
{
    struct buf b = BUF_INIT(6);

    (void)state;
    buf_add_text(&b, "abc");
    T_OK(buf_finish(&b, 1, &e));
    assert_int_equal(b.len, 3);
    buf_add_text(&b, "de");
    buf_add_text(&b, "fg");
    T_ERR(buf_finish(&b, 3, &e), ERR_TOO_LARGE);
    assert_int_equal(b.len, 3);
    buf_free(&b);
}

/* Every byte a secret buf gives up is overwritten first, when it shrinks ... */
static void secrets_are_wiped_on_shrinking(void **state)
{
    struct buf b = BUF_SECRET(1000);
    uint8_t zero[60] = { 0 };

    (void)state;
    memset(buf_extend(&b, 60), 0x5a, 60);
    buf_truncate(&b, 20);
    assert_memory_equal(b.p + 20, zero, 40);
    buf_reset(&b);
    assert_memory_equal(b.p, zero, 60);
    buf_free(&b);
    assert_true(b.secret);
}

/* ... and when it grows or is freed, which only the allocator's own hook can see. */
static bool watching;
static size_t wiped, dirty;

static void watch_free(void *p, const char *file, int line)
{
    (void)file, (void)line;
    if (watching && p != NULL) {
        const uint8_t *bytes = p;
        size_t i = 0;

        while (i < 60 && bytes[i] == 0)
            i++;
        *(i == 60 ? &wiped : &dirty) += 1;
    }
    free(p);
}

static void *plain_malloc(size_t len, const char *file, int line)
{
    (void)file, (void)line;
    return malloc(len);
}

static void *plain_realloc(void *p, size_t len, const char *file, int line)
{
    (void)file, (void)line;
    return realloc(p, len);
}

static void secrets_are_wiped_on_growing_and_freeing(void **state)
{
    struct buf b = BUF_SECRET(10000);

    (void)state;
    assert_int_equal(CRYPTO_set_mem_functions(plain_malloc, plain_realloc, watch_free), 1);
    memset(buf_extend(&b, 60), 0x5a, 60);
    watching = true;
    memset(buf_extend(&b, 1000), 0x5a, 1000);
    assert_int_equal(wiped, 1);
    buf_free(&b);
    watching = false;
    assert_int_equal(wiped, 2);
    assert_int_equal(dirty, 0);
}

static void take_moves(void **state)
{
    struct buf a = BUF_INIT(10), b = BUF_SECRET(20);
    const uint8_t *p;

    (void)state;
    buf_add_text(&a, "old");
    buf_add_text(&b, "new");
    p = b.p;
    buf_take(&a, &b);
    assert_ptr_equal(a.p, p);
    assert_true(a.secret);
    assert_int_equal(a.max, 20);
    assert_null(b.p);
    assert_int_equal(b.len, 0);
    buf_add_text(&b, "again");
    T_OK(buf_check(&b, &e));
    buf_take(&a, &a);
    assert_string_equal(buf_text(&a), "new");
    buf_free(&a);
    buf_free(&b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(
            secrets_are_wiped_on_growing_and_freeing), /* first: before OpenSSL allocates */
        cmocka_unit_test(views),
        cmocka_unit_test(grows_from_nothing),
        cmocka_unit_test(refuses_what_passes_its_maximum),
        cmocka_unit_test(a_buf_without_a_maximum_takes_nothing),
        cmocka_unit_test(out_of_memory_is_told_apart),
        cmocka_unit_test(insert_moves_the_rest),
        cmocka_unit_test(extend_gives_zeroed_room),
        cmocka_unit_test(finish_cuts_back),
        cmocka_unit_test(secrets_are_wiped_on_shrinking),
        cmocka_unit_test(take_moves),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
