/* What counts as stuck, and the thread that notices a loop that stands still. */
#include "test/t.h"
#include <poll.h>
#include <stdatomic.h>
#include "agent/io/io_stall.h"
#include "agent/service/watchdog.h"

enum { PATIENCE = 100, LIMIT_MS = 100 };

static void every_part_must_get_on(void **state)
{
    static const struct {
        struct watchdog_look look;
        const char *stuck;
    } rows[] = {
        { { .turned = true }, NULL },
        { { .turned = false }, "the loop" },
        { { .turned = true, .store = PATIENCE }, NULL },
        { { .turned = true, .store = PATIENCE + 1 }, "the store" },
        { { .turned = true, .poller = PATIENCE }, NULL },
        { { .turned = true, .poller = PATIENCE + 1 }, "the poller" },
        { { .turned = true, .scheduler = PATIENCE + 1 }, "the scheduler" },
        { { .turned = true, .worker = PATIENCE }, NULL },
        { { .turned = true, .worker = PATIENCE + 1 }, "a worker" },
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        const char *stuck = watchdog_stuck(&rows[i].look, PATIENCE);

        if (rows[i].stuck == NULL)
            assert_null(stuck);
        else
            assert_memory_equal(stuck, rows[i].stuck, strlen(rows[i].stuck));
    }
}

static void on_stall(void *arg, uint64_t silent_ms)
{
    assert_true(silent_ms >= LIMIT_MS);
    atomic_fetch_add((atomic_int *)arg, 1);
}

static void wait_ms(int ms)
{
    (void)poll(NULL, 0, ms);
}

static void once_for_each_standstill(void **state)
{
    atomic_int told = 0;
    struct io_stall *s = io_stall_start(LIMIT_MS, on_stall, &told);

    (void)state;
    assert_non_null(s);
    wait_ms(LIMIT_MS * 5);
    assert_int_equal(atomic_load(&told), 1);
    io_stall_beat(s);
    wait_ms(LIMIT_MS * 5);
    assert_int_equal(atomic_load(&told), 2);
    io_stall_stop(s);
    wait_ms(LIMIT_MS * 2);
    assert_int_equal(atomic_load(&told), 2);
}

static void never_while_it_beats(void **state)
{
    atomic_int told = 0;
    struct io_stall *s = io_stall_start(LIMIT_MS * 20, on_stall, &told);

    (void)state;
    for (int i = 0; i < 50; i++) {
        wait_ms(LIMIT_MS / 2);
        io_stall_beat(s);
    }
    assert_int_equal(atomic_load(&told), 0);
    io_stall_stop(s);
    io_stall_beat(NULL);
    io_stall_stop(NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_part_must_get_on),
        cmocka_unit_test(once_for_each_standstill),
        cmocka_unit_test(never_while_it_beats),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
