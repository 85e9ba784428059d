/* The service's own wall clock: deaf to steps, but it notices them. */
#include "test/t.h"
#include "agent/base/clock.h"
#include "test/unit/agent_clock.h"

static int start(void **state)
{
    (void)state;
    clock_start();
    return 0;
}

static void follows_the_monotonic_clock(void **state)
{
    int64_t begun = clock_now();

    (void)state;
    assert_int_equal(begun, fake_wall_s);
    fake_ms += 999;
    assert_int_equal(clock_now(), begun);
    fake_ms += 1;
    assert_int_equal(clock_now(), begun + 1);
    fake_ms += 86400u * 1000;
    assert_int_equal(clock_now(), begun + 86401);
}

static void a_step_changes_nothing_by_itself(void **state)
{
    static const int64_t steps[] = { 3600, -3600, 63072000, 6, -6 };

    (void)state;
    for (size_t i = 0; i < sizeof steps / sizeof steps[0]; i++) {
        int64_t before = clock_now();

        fake_wall_s += steps[i];
        assert_int_equal(clock_now(), before);
        fake_pass_s(2);
        assert_int_equal(clock_now(), before + 2);
        assert_int_equal(clock_check(), steps[i]); /* told once, and from then on both agree */
        assert_int_equal(clock_now(), fake_wall_s);
        assert_int_equal(clock_check(), 0);
    }
}

/* Slow drift and rounding are no steps; and what is ignored does not add up unseen. */
static void small_differences_are_no_step(void **state)
{
    int64_t before = clock_now();

    (void)state;
    for (int64_t s = -5; s <= 5; s++) {
        fake_wall_s += s;
        assert_int_equal(clock_check(), 0);
        fake_wall_s -= s;
    }
    assert_int_equal(clock_now(), before);
    fake_wall_s += 4;
    assert_int_equal(clock_check(), 0);
    fake_wall_s += 4;
    assert_int_equal(clock_check(), 8);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(follows_the_monotonic_clock, start),
        cmocka_unit_test_setup(a_step_changes_nothing_by_itself, start),
        cmocka_unit_test_setup(small_differences_are_no_step, start),
    };

    return cmocka_run_group_tests_name("agent_clock", tests, NULL, NULL);
}
