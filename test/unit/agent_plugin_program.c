/* Programs of one plugin: so many at a time, in order, whatever becomes of those before. */
#include "test/t.h"
#include "test/unit/agent_plugin.h"

enum { AT_A_TIME = 16, MANY = 40 };

static struct plugin *plugin;

static int begin(void **state)
{
    int rc = plugin_begin(state);

    plugin = plugin_opened("shell");
    section.program = strdup(dir_path("judge"));
    return rc;
}

static int end(void **state)
{
    assert_int_equal(plugin->programs, 0);
    assert_null(plugin->turns);
    assert_null(plugin->kick);
    plugin_close(plugin);
    free(section.program);
    section.program = NULL;
    return plugin_end(state);
}

/* Each leaves its number when it begins and when it ends. */
static void judge(const char *rest)
{
    char text[1000];

    (void)snprintf(text, sizeof text, "#!/bin/sh\nread n\necho + $n >>%s\n%s\necho - $n >>%s\n",
        dir_path("log"), rest, dir_path("log"));
    dir_write("judge", text, 0755);
}

struct asked {
    struct op *op;
    int calls, status;
    bool failed, cancel_all;
    struct err err;
};
static struct asked asked[MANY];

static void cancel_all(void)
{
    for (size_t i = 0; i < MANY; i++)
        if (asked[i].op != NULL) {
            io_cancel(asked[i].op);
            asked[i].op = NULL;
        }
}

static void on_ended(void *arg, const struct result *r)
{
    struct asked *x = arg;

    assert_non_null(x->op); /* never before plugin_ask returned */
    x->op = NULL;
    x->calls++;
    if ((x->failed = r->err != NULL))
        x->err = *r->err;
    else
        x->status = r->http->status;
    if (x->cancel_all)
        cancel_all();
}

static void ask(size_t i)
{
    char number[20];
    int len = snprintf(number, sizeof number, "%zu\n", i);
    struct certferry_ask a = { .program = 1, .body = { (const uint8_t *)number, (size_t)len } };
    struct err e;

    asked[i] = (struct asked){ 0 };
    if ((asked[i].op = plugin_ask(plugin, &a, on_ended, &asked[i], &e)) == NULL)
        fail_msg("%s", e.msg);
    assert_int_equal(asked[i].calls, 0);
}

static void ask_all(void)
{
    for (size_t i = 0; i < MANY; i++)
        ask(i);
    assert_int_equal(plugin->programs, AT_A_TIME);
}

/* How many have begun; *most: how many were running at a time */
static int begun(int *most)
{
    FILE *f = fopen(dir_path("log"), "r");
    int running = 0, count = 0;
    char line[100];

    *most = 0;
    while (f != NULL && fgets(line, sizeof line, f) != NULL) {
        count += line[0] == '+';
        running += line[0] == '+' ? 1 : -1;
        *most = running > *most ? running : *most;
    }
    if (f != NULL)
        (void)fclose(f);
    return count;
}

static void so_many_at_a_time(void **state)
{
    int most;

    (void)state;
    judge("sleep 0.1");
    ask_all();
    io_run();
    for (size_t i = 0; i < MANY; i++) {
        assert_int_equal(asked[i].calls, 1);
        assert_false(asked[i].failed);
        assert_int_equal(asked[i].status, 0);
    }
    assert_int_equal(begun(&most), MANY);
    assert_in_range(most, 2, AT_A_TIME);
}

/* The time spent waiting is not the program's. */
static void their_own_deadlines(void **state)
{
    (void)state;
    section.timeout = 1;
    judge("[ $n -lt 16 ] && sleep 100\n");
    ask_all();
    io_run();
    for (size_t i = 0; i < MANY; i++) {
        assert_int_equal(asked[i].calls, 1);
        assert_int_equal(asked[i].failed, i < AT_A_TIME);
    }
    section.timeout = 15;
}

static void cancelled(void **state)
{
    int most;

    (void)state;
    judge("sleep 100");
    ask_all();
    for (size_t i = MANY; i-- > 0;) { /* those that wait first */
        io_cancel(asked[i].op);
        asked[i].op = NULL;
    }
    assert_null(plugin->kick);
    ask_all();
    cancel_all(); /* those that run first: no other takes their place meanwhile */
    assert_int_equal(plugin->programs, 0);
    io_run();
    for (size_t i = 0; i < MANY; i++)
        assert_int_equal(asked[i].calls, 0);
    assert_true(begun(&most) <= 2 * AT_A_TIME);
}

static void cancelled_by_another(void **state)
{
    (void)state;
    judge("[ $n = 3 ] || sleep 100");
    ask_all();
    asked[3].cancel_all = true;
    io_run();
    for (size_t i = 0; i < MANY; i++)
        assert_int_equal(asked[i].calls, i == 3);
}

/* A place that becomes free is taken: by those that have waited longest. */
static void room_again(void **state)
{
    (void)state;
    judge("[ $n -ge 16 ] || sleep 100");
    ask_all();
    for (size_t i = 0; i < 8; i++) {
        io_cancel(asked[i].op);
        asked[i].op = NULL;
    }
    assert_int_equal(plugin->programs, AT_A_TIME - 8);
    asked[MANY - 1].cancel_all = true;
    io_run();
    assert_int_equal(asked[MANY - 1].calls, 1);
    assert_int_equal(asked[AT_A_TIME].calls, 1);
}

static void cannot_be_started(void **state)
{
    (void)state;
    judge("sleep 0.2");
    ask_all();
    assert_int_equal(unlink(dir_path("judge")), 0);
    io_run();
    for (size_t i = 0; i < MANY; i++) {
        assert_int_equal(asked[i].calls, 1);
        assert_int_equal(asked[i].failed, i >= AT_A_TIME);
        if (i >= AT_A_TIME)
            assert_int_equal(asked[i].err.cls, ERR_CONFIG);
    }
}

#define T(fn) cmocka_unit_test_setup_teardown(fn, begin, end)

int main(void)
{
    const struct CMUnitTest tests[] = {
        T(so_many_at_a_time),
        T(their_own_deadlines),
        T(cancelled),
        T(cancelled_by_another),
        T(room_again),
        T(cannot_be_started),
    };

    return cmocka_run_group_tests_name("agent_plugin_program", tests, NULL, NULL);
}
