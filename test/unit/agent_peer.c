/* The circuit breaker, back-off and jitter (I6: no storm), on a clock the test moves. */
#include "test/t.h"
#include "agent/base/clock.h"
#include "agent/base/log.h"
#include "agent/io/peer.h"
#include "test/unit/agent_clock.h"

static struct peer *p;

static int begin(void **state)
{
    (void)state;
    clock_start();
    jitter_seed(42);
    log_open(LOG_JSON, LOG_LEVEL_ERROR);
    p = peer_new("issuing1");
    return 0;
}

static int end(void **state)
{
    (void)state;
    peer_free(p);
    return 0;
}

static void failure(enum err_class cls, int64_t retry_after_s)
{
    struct err why;

    (void)err_set(&why, cls, "as the test wants it");
    why.number = 503;
    peer_failed(p, &why, retry_after_s);
}

static struct peer_state now(void)
{
    struct peer_state s;

    peer_state(p, &s);
    return s;
}

static void trip(void)
{
    for (int i = 0; i < PEER_TRIP; i++)
        failure(ERR_NET, -1);
    assert_true(peer_wait_s(p) > 0);
}

static void a_new_peer(void **state)
{
    (void)state;
    assert_string_equal(peer_name(p), "issuing1");
    assert_string_equal(now().name, "issuing1");
    assert_false(now().up);
    assert_int_equal(now().last_ok_at, 0);
    assert_int_equal(now().failing_since, 0);
    assert_int_equal(now().next_try_at, 0);
    assert_int_equal(peer_wait_s(p), 0);
    peer_free(NULL);
}

static void five_in_a_row_open_it(void **state)
{
    (void)state;
    for (int i = 1; i < PEER_TRIP; i++) {
        failure(ERR_NET, -1);
        assert_int_equal(peer_wait_s(p), 0);
        assert_false(now().up);
        assert_int_equal(now().failing_since, clock_now());
    }
    peer_ok(p); /* a success in between: counted anew */
    assert_true(now().up);
    assert_int_equal(now().failing_since, 0);
    for (int i = 1; i < PEER_TRIP; i++)
        failure(ERR_NET, -1);
    assert_int_equal(peer_wait_s(p), 0);
    failure(ERR_NET, -1);
    assert_in_range(peer_wait_s(p), 1, 2);
    assert_int_equal(now().next_try_at, clock_now() + peer_wait_s(p));
    assert_int_equal(now().failed, 2 * PEER_TRIP - 1);
    assert_int_equal(now().ok, 1);
    assert_int_equal(now().why.cls, ERR_NET);
    assert_int_equal(now().why.number, 503);
}

static void one_probe_at_a_time(void **state)
{
    (void)state;
    trip();
    fake_pass_s(peer_wait_s(p));
    assert_int_equal(peer_wait_s(p), 0); /* this caller is the probe */
    for (int i = 0; i < 100; i++)
        assert_true(peer_wait_s(p) > 0);
    fake_pass_s(179);
    assert_true(peer_wait_s(p) > 0);
    fake_pass_s(1); /* the probe never came back: it was dropped with its request */
    assert_int_equal(peer_wait_s(p), 0);
    assert_true(peer_wait_s(p) > 0);
}

static void a_probe_that_asks_nothing_is_the_next_ones(void **state)
{
    (void)state;
    trip();
    fake_pass_s(peer_wait_s(p));
    assert_int_equal(peer_wait_s(p), 0);
    assert_true(peer_wait_s(p) > 0);
    peer_unasked(p);
    assert_int_equal(peer_wait_s(p), 0);
    failure(ERR_NET, -1); /* and its outcome counts as ever */
    assert_in_range(peer_wait_s(p), 1, 4);
}

static void a_good_probe_closes_it(void **state)
{
    (void)state;
    trip();
    fake_pass_s(peer_wait_s(p));
    assert_int_equal(peer_wait_s(p), 0);
    peer_ok(p);
    assert_true(now().up);
    assert_int_equal(now().last_ok_at, clock_now());
    assert_int_equal(now().failing_since, 0);
    assert_int_equal(now().next_try_at, 0);
    for (int i = 0; i < 100; i++)
        assert_int_equal(peer_wait_s(p), 0);
    for (int i = 1; i < PEER_TRIP; i++) /* and it takes five again to open it */
        failure(ERR_NET, -1);
    assert_int_equal(peer_wait_s(p), 0);
}

/* Each failed probe: longer, to 15 minutes; the longest wait seen at each stage shows the growth. */
static void bad_probes_open_it_for_longer(void **state)
{
    int64_t longest[14] = { 0 }, most = 2;

    (void)state;
    for (int round = 0; round < 200; round++) {
        int64_t since = clock_now();

        trip();
        assert_int_equal(now().failing_since, since);
        most = 2;
        for (int probe = 0; probe < 14; probe++) {
            int64_t wait_s = peer_wait_s(p);

            assert_in_range(wait_s, 1, most);
            if (wait_s > longest[probe])
                longest[probe] = wait_s;
            most = most * 2 < 900 ? most * 2 : 900;
            fake_pass_s(wait_s - 1);
            assert_int_equal(peer_wait_s(p), 1);
            fake_pass_s(1);
            assert_int_equal(peer_wait_s(p), 0);
            failure(ERR_NET, -1);
        }
        assert_int_equal(now().failing_since, since);
        peer_ok(p);
    }
    assert_int_equal(longest[0], 2);
    assert_int_equal(longest[1], 4);
    assert_true(longest[5] > 48);
    assert_true(longest[13] > 800);
}

/* Sixty requests are under way when the peer dies; all of them fail, but it is one outage. */
static void those_under_way_do_not_lengthen_it(void **state)
{
    (void)state;
    for (int i = 0; i < 60; i++)
        failure(ERR_NET, -1);
    assert_in_range(peer_wait_s(p), 1, 2);
    assert_int_equal(now().failed, 60);
    fake_pass_s(2);
    assert_int_equal(peer_wait_s(p), 0);
    failure(ERR_NET, -1);
    assert_in_range(peer_wait_s(p), 1, 4);
}

static void retry_after_is_honoured(void **state)
{
    (void)state;
    failure(ERR_BUSY, 120); /* at once, not only after five */
    assert_in_range(
        peer_wait_s(p), 121, 152); /* not sooner: of the second that has begun nothing counts */
    assert_int_equal(now().why.cls, ERR_BUSY);
    failure(ERR_BUSY, 10); /* a shorter one from a request under way does not cut it */
    assert_true(peer_wait_s(p) >= 120);
    failure(ERR_BUSY, 600); /* a longer one counts */
    assert_in_range(peer_wait_s(p), 601, 752);
    fake_pass_s(peer_wait_s(p));
    assert_int_equal(peer_wait_s(p), 0);
    failure(ERR_BUSY, 60); /* the probe's */
    assert_in_range(peer_wait_s(p), 61, 77);
    fake_pass_s(peer_wait_s(p));
    assert_int_equal(peer_wait_s(p), 0);
    peer_ok(p);
    assert_int_equal(peer_wait_s(p), 0);
}

/* What says something about the peer or the way to it, and what only about one request or about us. */
static void which_classes_count(void **state)
{
    static const bool counts[ERR_CLASS_COUNT] = { [ERR_NET] = true,
        [ERR_BUSY] = true,
        [ERR_INTERCEPTED] = true,
        [ERR_TRUST] = true,
        [ERR_AUTH] = true,
        [ERR_FORBIDDEN] = true,
        [ERR_PROXY] = true,
        [ERR_PROXY_DOWN] = true,
        [ERR_CONFIG] = true };

    (void)state;
    for (int c = ERR_NONE + 1; c < ERR_CLASS_COUNT; c++) {
        peer_ok(p);
        for (int i = 0; i < 2 * PEER_TRIP; i++)
            failure((enum err_class)c, -1);
        if ((peer_wait_s(p) > 0) != counts[c] || (now().failing_since != 0) != counts[c])
            fail_msg("%s: wait %d", err_name((enum err_class)c), (int)peer_wait_s(p));
    }
}

static void back_off_is_full_jitter(void **state)
{
    (void)state;
    for (int64_t tries = 0; tries < 64; tries++) {
        int64_t most = tries < 9 ? (int64_t)2 << tries : 900, low = most, high = 0;

        most = most < 900 ? most : 900;
        for (int i = 0; i < 4000; i++) {
            int64_t s = back_off_s(tries, 2, 900);

            assert_in_range(s, 1, most);
            low = s < low ? s : low;
            high = s > high ? s : high;
        }
        assert_true(low <= 1 + most / 20 && high >= most - most / 20); /* the whole range is used */
    }
    assert_in_range(back_off_s(INT64_MAX, 2, 900), 1, 900);
    assert_int_equal(back_off_s(0, 1, 1), 1);
    assert_in_range(back_off_s(3, 100, 10), 1, 10);
}

static void jitter_spreads_and_repeats(void **state)
{
    uint64_t first[8];
    int seen[10] = { 0 };

    (void)state;
    assert_int_equal(jitter(0), 0);
    assert_int_equal(jitter(1), 0);
    for (int i = 0; i < 1000; i++)
        seen[jitter(10)]++;
    for (size_t i = 0; i < 10; i++)
        assert_in_range(seen[i], 50, 200);
    jitter_seed(7);
    for (size_t i = 0; i < 8; i++)
        first[i] = jitter(UINT64_MAX);
    jitter_seed(7);
    for (size_t i = 0; i < 8; i++)
        assert_true(jitter(UINT64_MAX) == first[i]);
    jitter_seed(0); /* would stand still at 0 for ever */
    assert_true(jitter(UINT64_MAX) != 0);
}

#define TEST(fn) cmocka_unit_test_setup_teardown(fn, begin, end)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_new_peer),
        TEST(five_in_a_row_open_it),
        TEST(one_probe_at_a_time),
        TEST(a_probe_that_asks_nothing_is_the_next_ones),
        TEST(a_good_probe_closes_it),
        TEST(bad_probes_open_it_for_longer),
        TEST(those_under_way_do_not_lengthen_it),
        TEST(retry_after_is_honoured),
        TEST(which_classes_count),
        TEST(back_off_is_full_jitter),
        TEST(jitter_spreads_and_repeats),
    };

    return cmocka_run_group_tests_name("agent_peer", tests, NULL, NULL);
}
