/* The certificates of registration authorities in the store: what is kept, replaced, forgotten. */
#include "test/t.h"
#include "test/unit/agent_ra.h"

static struct store_ra seen;
static struct buf seen_path = BUF_INIT(1000);

static void see(void *arg, const struct store_ra *r)
{
    (void)arg;
    seen = *r;
    buf_reset(&seen_path);
    buf_add_view(&seen_path, r->path);
    buf_add_byte(&seen_path, '|');
    buf_add_view(&seen_path, r->data_key);
    buf_add_byte(&seen_path, '|');
    buf_add_view(&seen_path, r->key);
}

static void every_member_survives(void **state)
{
    struct store_ra r = pair(7, 'e', 11, 22);
    struct err e = { 0 };

    (void)state;
    r.installed_at = 33;
    T_OK(store_ra_put(store, &r, &e));
    commit();
    reopen();
    T_OK(store_ra_list(store, "dev", see, NULL, &e));
    assert_string_equal(seen.endpoint, "dev");
    assert_string_equal(seen.request_id, "ra-dev-7-e");
    assert_int_equal(seen.generation, 7);
    assert_int_equal(seen.use, 'e');
    assert_int_equal(seen.not_before_at, 11);
    assert_int_equal(seen.not_after_at, 22);
    assert_int_equal(seen.installed_at, 33);
    assert_int_equal(seen.replaced_at, 0);
    assert_string_equal(buf_text(&seen_path), "path|data key|key");
    buf_free(&seen_path);
}

static void the_same_again_is_one(void **state)
{
    struct store_ra r = pair(1, 's', 1, 2);
    struct err e = { 0 };

    (void)state;
    T_OK(store_ra_put(store, &r, &e));
    T_OK(store_ra_put(store, &r, &e));
    assert_string_equal(all_pairs(), "1s");
}

static void endpoints_do_not_mix(void **state)
{
    struct store_ra r = pair(1, 's', 1, 2);
    struct err e = { 0 };

    (void)state;
    keep_both(1, 1, 2);
    (void)snprintf(r.endpoint, sizeof r.endpoint, "other");
    r.generation = 5;
    T_OK(store_ra_put(store, &r, &e));
    assert_string_equal(all_pairs(), "1s 1e");
    T_OK(store_ra_replace(store, "dev", 9, 100, &e));
    T_OK(store_ra_forget(store, "dev", 1000, 1000, 8, &e));
    assert_string_equal(all_pairs(), "");
    T_OK(store_ra_list(store, "other", see, NULL, &e));
    assert_int_equal(seen.generation, 5);
    buf_free(&seen_path);
}

static void replaced_is_encryption_only(void **state)
{
    struct err e = { 0 };

    (void)state;
    keep_both(1, 1, 2);
    keep_both(2, 1, 2);
    assert_string_equal(all_pairs(), "2s 2e 1e-");
    T_OK(store_ra_list(store, "dev", see, NULL, &e));
    assert_in_range(seen.replaced_at, clock_now() - 2, clock_now());
    seen.replaced_at = 0;
    T_OK(store_ra_replace(store, "dev", 2, 77, &e)); /* twice: the first time counts */
    T_OK(store_ra_list(store, "dev", see, NULL, &e));
    assert_int_not_equal(seen.replaced_at, 77);
    buf_free(&seen_path);
}

/* The end of the requests that brought them does not touch them. */
static void they_outlive_their_requests(void **state)
{
    struct request r = row("ra-dev-1-s", "ca1", 1);
    struct err e = { 0 };

    (void)state;
    r.state = REQUEST_DELIVERED;
    r.ended_at = 5;
    insert(&r);
    keep_both(1, 1, 2);
    T_OK(store_expire(store, 1000, &e));
    commit();
    reopen();
    assert_string_equal(all_pairs(), "1s 1e");
}

static void forgets_what_is_over(void **state)
{
    struct err e = { 0 };

    (void)state;
    for (int g = 1; g <= 4; g++)
        keep_both(g, 1, 1000 * g);
    assert_string_equal(all_pairs(), "4s 4e 3e- 2e- 1e-");
    T_OK(store_ra_forget(store, "dev", 2500, 100, 8, &e)); /* two have ended, replaced just now */
    assert_string_equal(all_pairs(), "4s 4e 3e- 2e- 1e-");
    T_OK(store_ra_forget(store, "dev", 2500, clock_now() + 1, 8, &e)); /* ... long ago */
    assert_string_equal(all_pairs(), "4s 4e 3e-");
    T_OK(store_ra_forget(store, "dev", 1, 1, 0, &e));
    assert_string_equal(all_pairs(), "4s 4e");
}

static void forgets_the_oldest_of_too_many(void **state)
{
    struct err e = { 0 };

    (void)state;
    for (int g = 1; g <= 5; g++)
        keep_both(g, 1, INT64_MAX / 4);
    T_OK(store_ra_forget(store, "dev", 1, 1, 2, &e));
    assert_string_equal(all_pairs(), "5s 5e 4e- 3e-");
}

static void a_failed_write_is_the_stores(void **state)
{
    struct store_ra r = pair(1, 's', 1, 2);
    struct err e = { 0 };

    (void)state;
    store_close(store);
    store = store_open(dir_root, true, &e);
    T_ERR(ra_stock_keep(store, &r, &e), ERR_STORE);
    T_ERR(store_ra_replace(store, "dev", 1, 1, &e), ERR_STORE);
    T_ERR(store_ra_forget(store, "dev", 1, 1, 1, &e), ERR_STORE);
}

#define WITH_STORE(fn) cmocka_unit_test_setup_teardown(fn, ra_begin, ra_end)

int main(void)
{
    static const struct CMUnitTest tests[] = {
        WITH_STORE(every_member_survives),
        WITH_STORE(the_same_again_is_one),
        WITH_STORE(endpoints_do_not_mix),
        WITH_STORE(replaced_is_encryption_only),
        WITH_STORE(they_outlive_their_requests),
        WITH_STORE(forgets_what_is_over),
        WITH_STORE(forgets_the_oldest_of_too_many),
        WITH_STORE(a_failed_write_is_the_stores),
    };

    return cmocka_run_group_tests_name("agent_store_ra", tests, NULL, NULL);
}
