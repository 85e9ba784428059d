/* Work on other threads: order, priority, cancelling, and who frees what. */
#include "test/t.h"
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <unistd.h>
#include "agent/base/io.h"
#include "certs/mem.h"

static char order[400];
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static atomic_int ran, freed, handed, gates_passed, idle_now, idle_most;
static atomic_bool open_gate;
static bool cancelling; /* then more is freed than is handed back */
static pthread_t loop_thread;

enum how { PLAIN, FAILS, GATE, SLOW };

struct job {
    struct io_work work; /* first */
    char name;
    enum how how;
    int result;
    struct op **op;
    struct lib *lib;
};

static int begin(unsigned workers)
{
    struct err e;

    order[0] = '\0';
    ran = freed = handed = gates_passed = idle_now = idle_most = 0;
    open_gate = cancelling = false;
    loop_thread = pthread_self();
    return io_open(workers, &e);
}

static int begin_one(void **state)
{
    (void)state;
    return begin(1);
}

static int begin_two(void **state)
{
    (void)state;
    return begin(2);
}

static int end(void **state)
{
    (void)state;
    open_gate = true;
    io_close(); /* aborts if a handle was leaked */
    return 0;
}

static void note(char name)
{
    (void)pthread_mutex_lock(&lock);
    size_t len = strlen(order);

    if (len < sizeof order - 1) {
        order[len] = name;
        order[len + 1] = '\0';
    }
    (void)pthread_mutex_unlock(&lock);
}

static void wait_for_gate(void)
{
    gates_passed++;
    for (int i = 0; i < 5000 && !atomic_load(&open_gate); i++)
        (void)usleep(1000);
}

static int run(struct lib *l, struct io_work *w, struct err *e)
{
    struct job *j = (struct job *)w;
    uint8_t random[8];

    assert_false(pthread_equal(pthread_self(), loop_thread));
    note(j->name);
    j->lib = l;
    if (j->how == GATE)
        wait_for_gate();
    if (j->how == SLOW) {
        int now = ++idle_now;

        if (now > idle_most)
            idle_most = now;
        (void)usleep(3000);
        idle_now--;
    }
    ran++;
    if (j->how == FAILS)
        return err_set(e, ERR_CRYPTO, "as the test wants it");
    if (lib_random(l, random, sizeof random, e) != 0) /* each thread has a library that works */
        return -1;
    j->result = j->name * 2;
    return 0;
}

static void done(struct io_work *w)
{
    assert_true(pthread_equal(pthread_self(), loop_thread));
    freed++;
    free(w);
}

static struct job *job(char name, enum how how)
{
    struct job *j = xcalloc(1, sizeof *j);

    j->work = (struct io_work){ .run = run, .free = done };
    j->name = name;
    j->how = how;
    return j;
}

static void on_done(void *arg, const struct result *r)
{
    struct job *j = (struct job *)r->work;

    assert_true(pthread_equal(pthread_self(), loop_thread));
    handed++;
    assert_ptr_equal(arg, order);
    assert_null(r->http);
    if (j->how == FAILS) {
        assert_int_equal(r->err->cls, ERR_CRYPTO);
        assert_string_equal(r->err->msg, "as the test wants it");
    } else {
        assert_null(r->err);
        assert_int_equal(j->result, j->name * 2);
    }
    if (!cancelling)
        assert_int_equal(freed, handed - 1); /* it is freed after the callback */
}

static struct op *start(char name, enum how how, bool idle)
{
    struct op *op = io_work(&job(name, how)->work, idle, on_done, order);

    assert_non_null(op);
    return op;
}

static void until_gate(int n)
{
    for (int i = 0; i < 5000 && atomic_load(&gates_passed) < n; i++)
        (void)usleep(1000);
    assert_int_equal(gates_passed, n);
}

static void on_open(void *arg, const struct result *r)
{
    (void)arg;
    (void)r;
    open_gate = true;
}

static bool before(char first, char second)
{
    const char *a = strchr(order, first), *b = strchr(order, second);

    return a != NULL && b != NULL && a < b;
}

static void first_come_first_served(void **state)
{
    (void)state;
    for (char c = 'a'; c <= 'z'; c++)
        (void)start(c, c == 'k' ? FAILS : PLAIN, false);
    assert_int_equal(handed, 0); /* never before io_work returns */
    io_run();                    /* ends by itself when all is done */
    assert_string_equal(order, "abcdefghijklmnopqrstuvwxyz");
    assert_int_equal(handed, 26);
    assert_int_equal(freed, 26);
}

static void idle_work_has_its_own_thread(void **state)
{
    (void)state;
    (void)start('g', GATE, false);
    until_gate(1);
    (void)start('x', PLAIN, true);
    (void)start('y', PLAIN, true);
    (void)start('a', PLAIN, false);
    (void)start('b', PLAIN, false);
    assert_non_null(io_timer(10, on_open, NULL));
    io_run();
    /* Each queue keeps its order; which is ahead of the other is up to the system. */
    assert_true(before('g', 'a') && before('a', 'b') && before('x', 'y'));
    assert_int_equal(freed, 5);
}

/* With two threads one is always free for work that somebody waits for. */
static void idle_work_leaves_a_thread(void **state)
{
    (void)state;
    for (int i = 0; i < 10; i++)
        (void)start('x', SLOW, true);
    io_run();
    assert_int_equal(handed, 10);
    assert_int_equal(idle_most, 1);
    (void)start('g', GATE, true); /* a long one under way ... */
    until_gate(1);
    (void)start('h', PLAIN, true);
    (void)start('u', PLAIN, false);
    for (int i = 0; i < 5000 && atomic_load(&ran) < 11; i++)
        (void)usleep(1000);
    assert_string_equal(order, "xxxxxxxxxxgu"); /* ... and the urgent one runs beside it */
    open_gate = true;
    io_run();
    assert_string_equal(order, "xxxxxxxxxxguh");
}

static void cancelled_before_it_runs(void **state)
{
    struct op *ops[4];

    (void)state;
    cancelling = true;
    (void)start('g', GATE, false);
    until_gate(1);
    for (int i = 0; i < 4; i++)
        ops[i] = start((char)('a' + i), PLAIN, i >= 2);
    io_cancel(ops[0]);
    io_cancel(ops[3]);
    open_gate = true;
    io_run();
    assert_int_equal(strlen(order), 3);
    assert_true(before('g', 'b') && strchr(order, 'c') != NULL); /* a and d were never run ... */
    assert_int_equal(handed, 3);
    assert_int_equal(freed, 5); /* ... but freed */
}

/* It goes on in its thread, nobody hears of it, and what it holds is freed. */
static void cancelled_while_it_runs(void **state)
{
    struct op *op;

    (void)state;
    op = start('g', GATE, false);
    until_gate(1);
    io_cancel(op);
    assert_int_equal(freed, 0);
    open_gate = true;
    io_run();
    assert_int_equal(ran, 1);
    assert_int_equal(handed, 0);
    assert_int_equal(freed, 1);
}

static void on_start_more(void *arg, const struct result *r)
{
    int *left = arg;

    (void)r;
    if (--*left > 0)
        assert_non_null(io_work(&job('m', PLAIN)->work, *left % 2 == 0, on_start_more, left));
}

static void one_starts_the_next(void **state)
{
    int left = 100;

    (void)state;
    assert_non_null(io_work(&job('m', PLAIN)->work, false, on_start_more, &left));
    io_run();
    assert_int_equal(left, 0);
    assert_int_equal(freed, 100);
}

static void on_cancel(void *arg, const struct result *r)
{
    struct op **other = arg;

    (void)r;
    io_cancel(*other);
}

/* Both are finished when the first is handed back: the second is cancelled all the same. */
static void cancelled_when_it_was_done(void **state)
{
    struct op *other;

    (void)state;
    assert_non_null(io_work(&job('a', PLAIN)->work, false, on_cancel, &other));
    other = start('b', PLAIN, false);
    for (int i = 0; i < 5000 && atomic_load(&ran) < 2; i++)
        (void)usleep(1000);
    io_run();
    assert_int_equal(ran, 2);
    assert_int_equal(handed, 0);
    assert_int_equal(freed, 2);
}

/* Closing with work under way, queued and done: everything is freed, nothing is handed back. */
static void closed_in_the_middle(void **state)
{
    struct err e;

    (void)state;
    (void)start('g', SLOW, false);
    for (int i = 0; i < 20; i++)
        (void)start('q', PLAIN, i % 2 == 0);
    io_close();
    assert_int_equal(handed, 0);
    assert_int_equal(freed, 21);
    assert_int_equal(io_open(1, &e), 0); /* and a new loop knows nothing of it */
    (void)start('a', PLAIN, false);
    freed = handed = 0;
    io_run();
    assert_int_equal(handed, 1);
}

#define ONE(fn) cmocka_unit_test_setup_teardown(fn, begin_one, end)
#define TWO(fn) cmocka_unit_test_setup_teardown(fn, begin_two, end)

int main(void)
{
    const struct CMUnitTest tests[] = {
        ONE(first_come_first_served),
        ONE(idle_work_has_its_own_thread),
        TWO(idle_work_leaves_a_thread),
        ONE(cancelled_before_it_runs),
        ONE(cancelled_while_it_runs),
        TWO(one_starts_the_next),
        ONE(cancelled_when_it_was_done),
        ONE(closed_in_the_middle),
    };

    return cmocka_run_group_tests_name("agent_io_work", tests, NULL, NULL);
}
