/* The loop: timers, turns, signals, stopping, closing. */
#include "test/t.h"
#include <signal.h>
#include <time.h>
#include <unistd.h>
#include "agent/base/io.h"

static char order[200]; /* what happened, in order */

static int begin(void **state)
{
    struct err e;

    (void)state;
    order[0] = '\0';
    return io_open(1, &e);
}

static int end(void **state)
{
    (void)state;
    io_close(); /* aborts if a handle was leaked */
    return 0;
}

static void note(const char *what)
{
    size_t len = strlen(order);

    (void)snprintf(order + len, sizeof order - len, "%s", what);
}

static void on_timer(void *arg, const struct result *r)
{
    assert_null(r->err);
    assert_null(r->http);
    assert_null(r->work);
    note(arg);
}

static char text_a[] = "a", text_b[] = "b", text_c[] = "c", text_d[] = "d";

static void timers_in_order(void **state)
{
    uint64_t begun = io_now_ms();

    (void)state;
    assert_non_null(io_timer(60, on_timer, text_c));
    assert_non_null(io_timer(20, on_timer, text_a));
    assert_non_null(io_timer(40, on_timer, text_b));
    assert_non_null(io_timer(60, on_timer, text_d)); /* of the same time: as they were started */
    io_run();
    assert_string_equal(order, "abcd");
    assert_in_range(io_now_ms() - begun, 55, 2000);
}

static void no_delay_is_not_at_once(void **state)
{
    (void)state;
    assert_non_null(io_timer(0, on_timer, text_a));
    assert_string_equal(order, ""); /* never before io_timer returns */
    io_run();
    assert_string_equal(order, "a");
}

static void on_cancel_other(void *arg, const struct result *r)
{
    struct op **other = arg;

    (void)r;
    note("x");
    io_cancel(*other);
}

static void cancelled_timers(void **state)
{
    struct op *op, *other;

    (void)state;
    op = io_timer(5, on_timer, text_a);
    io_cancel(op);
    io_cancel(NULL);
    other = io_timer(20, on_timer, text_b);
    assert_non_null(io_timer(10, on_cancel_other, &other));
    io_run();
    assert_string_equal(order, "x");
    other = io_timer(1, on_timer, text_b); /* due at the same moment as the one that cancels it */
    io_cancel(other);
    other = NULL;
    op = io_timer(1, on_cancel_other, &other);
    other = io_timer(1, on_timer, text_b);
    assert_non_null(op);
    io_run();
    assert_string_equal(order, "xx");
}

static void on_again(void *arg, const struct result *r)
{
    int *left = arg;

    (void)r;
    note("t");
    if (--*left > 0)
        assert_non_null(io_timer(0, on_again, left));
}

static void a_timer_starts_a_timer(void **state)
{
    int left = 50;

    (void)state;
    assert_non_null(io_timer(0, on_again, &left));
    io_run();
    assert_int_equal(left, 0);
    assert_int_equal(strlen(order), 50);
}

static void on_stop(void *arg, const struct result *r)
{
    (void)arg;
    (void)r;
    note("s");
    io_stop();
}

/* Stopped with a timer pending: it is not run, and can be cancelled or run later. */
static void stopping(void **state)
{
    struct op *later = io_timer(40, on_timer, text_b), *never = io_timer(10000, on_timer, text_c);

    (void)state;
    assert_non_null(io_timer(1, on_stop, NULL));
    io_run();
    assert_string_equal(order, "s");
    assert_non_null(later);
    io_cancel(never);
    io_run();
    assert_string_equal(order, "sb");
}

static void on_tick(void *arg, const struct result *r)
{
    int *left = arg;

    (void)r;
    if (--*left > 0)
        assert_non_null(io_timer(1, on_tick, left));
}

static void on_turn(void *arg)
{
    int *turns = arg;

    ++*turns;
}

static void turns(void **state)
{
    int count = 0, left = 10, before;

    (void)state;
    io_on_turn(on_turn, &count);
    assert_non_null(io_timer(1, on_tick, &left));
    io_run();
    assert_true(count >= 10); /* at the end of each turn */
    assert_int_equal(left, 0);
    before = count;
    io_run(); /* a turn alone keeps nothing alive */
    assert_in_range(count, before, before + 2);
    io_on_turn(NULL, NULL);
    before = count;
    assert_non_null(io_timer(0, on_timer, text_a));
    io_run();
    assert_int_equal(count, before);
}

static void on_turn_start(void *arg)
{
    bool *done = arg;

    if (!*done) {
        *done = true;
        assert_non_null(io_timer(0, on_timer, text_a));
    }
}

/* What a turn starts is not waited for in vain. */
static void a_turn_starts_something(void **state)
{
    bool done = false;

    (void)state;
    io_on_turn(on_turn_start, &done);
    assert_non_null(io_timer(0, on_timer, text_b));
    io_run();
    assert_string_equal(order, "ba");
    io_on_turn(NULL, NULL);
}

static void on_signal(void *arg, int signum)
{
    note(signum == SIGTERM ? "T" : signum == SIGINT ? "I" : signum == SIGHUP ? "H" : "?");
    (void)arg;
    io_stop();
}

static void on_raise(void *arg, const struct result *r)
{
    (void)r;
    (void)raise(*(int *)arg);
}

static void signals(void **state)
{
    static int which[] = { SIGTERM, SIGINT, SIGHUP };
    struct op *guard;

    (void)state;
    io_on_signal(on_signal, NULL);
    for (size_t i = 0; i < 3; i++) {
        guard = io_timer(5000, on_timer, text_a);
        assert_non_null(io_timer(1, on_raise, &which[i]));
        io_run();
        io_cancel(guard);
    }
    assert_string_equal(order, "TIH");
    io_run(); /* waiting for signals keeps nothing alive */
}

/* A client that hangs up must not end the service. */
static void a_broken_pipe_is_no_end(void **state)
{
    int ends[2];
    struct err e;

    (void)state;
    io_close();
    (void)signal(SIGPIPE, SIG_DFL);
    assert_int_equal(io_open(1, &e), 0);
    assert_int_equal(pipe(ends), 0);
    (void)close(ends[0]);
    assert_int_equal(write(ends[1], "x", 1), -1);
    (void)close(ends[1]);
}

static void clocks(void **state)
{
    uint64_t before = io_now_ms();
    int64_t wall = io_wall_s();

    (void)state;
    assert_in_range(wall, time(NULL) - 1, time(NULL) + 1);
    assert_non_null(io_timer(30, on_timer, text_a));
    io_run();
    assert_in_range(io_now_ms() - before, 29, 2000);
}

static void opened_again(void **state)
{
    struct err e;

    (void)state;
    for (int i = 0; i < 3; i++) {
        io_close();
        assert_int_equal(io_open(i == 2 ? 0 : 3, &e), 0); /* 0: one thread for each processor */
        assert_non_null(io_timer(0, on_timer, text_a));
        io_run();
    }
    assert_string_equal(order, "aaa");
}

#define TEST(fn) cmocka_unit_test_setup_teardown(fn, begin, end)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(timers_in_order),
        TEST(no_delay_is_not_at_once),
        TEST(cancelled_timers),
        TEST(a_timer_starts_a_timer),
        TEST(stopping),
        TEST(turns),
        TEST(a_turn_starts_something),
        TEST(signals),
        TEST(a_broken_pipe_is_no_end),
        TEST(clocks),
        TEST(opened_again),
    };

    return cmocka_run_group_tests_name("agent_io_loop", tests, NULL, NULL);
}
