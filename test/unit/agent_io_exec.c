/* Running a program: what it is given, what comes of it, and how it is ended. */
#include "test/t.h"
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <sys/wait.h>
#include "agent/io/io_exec.h"
#include "agent/io/io_uv.h"
#include "test/unit/agent_dir.h"

struct outcome {
    int calls, status;
    struct buf body;
    char words[300];
    struct err err;
    bool failed;
};

static int begin(void **state)
{
    return dir_make(state) == 0 && io_open(1, &(struct err){ 0 }) == 0 ? 0 : -1;
}

static int end(void **state)
{
    io_close(); /* aborts if a handle was leaked */
    return dir_remove(state);
}

#define EXEC_TEST(fn) cmocka_unit_test_setup_teardown(fn, begin, end)

static void on_end(void *arg, const struct result *r)
{
    struct outcome *o = arg;

    o->calls++;
    if ((o->failed = r->err != NULL)) {
        o->err = *r->err;
        return;
    }
    o->status = r->http->status;
    buf_add_view(&o->body, r->http->body);
    (void)snprintf(o->words, sizeof o->words, "%s", r->http->location);
}

static void program(const char *script)
{
    char text[2000];

    (void)snprintf(text, sizeof text, "#!/bin/sh\n%s\n", script);
    dir_write("program", text, 0700);
}

static struct io_exec_conf conf(void)
{
    return (struct io_exec_conf){
        .program = dir_path("program"), .output_max = 100000, .timeout_ms = 20000
    };
}

static void start(struct outcome *o, const struct io_exec_conf *c)
{
    struct err e;

    *o = (struct outcome){ .body = BUF_INIT(1 << 20) };
    if (io_exec(c, on_end, o, &e) == NULL)
        fail_msg("%s", e.msg);
    assert_int_equal(o->calls, 0);
}

static void run_with(struct outcome *o, struct io_exec_conf c, const char *script)
{
    program(script);
    start(o, &c);
    io_run(); /* until nothing is pending: also its reaping */
    assert_int_equal(o->calls, 1);
    assert_int_equal(waitpid(-1, NULL, WNOHANG), -1);
    assert_int_equal(errno, ECHILD);
}

static void run(struct outcome *o, const char *script)
{
    run_with(o, conf(), script);
}

static void done(struct outcome *o)
{
    buf_free(&o->body);
}

/* ---- what it says ----------------------------------------------------------------------------------- */

static void exit_codes(void **state)
{
    static const struct {
        const char *script;
        int status;
    } cases[] = { { "exit 0", 0 }, { "exit 1", 1 }, { "exit 255", 255 }, { "kill -9 $$", 137 },
        { "kill -15 $$", 143 }, { "kill -13 $$", 141 } };
    struct outcome o;

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        run(&o, cases[i].script);
        assert_false(o.failed);
        assert_int_equal(o.status, cases[i].status);
        assert_int_equal(o.body.len, 0);
        done(&o);
    }
}

static void bytes_in_and_out(void **state)
{
    static char large[300000]; /* several pipes full */
    struct io_exec_conf c = conf();
    struct outcome o;

    (void)state;
    c.input = view_text("{\"a\":1}\n");
    run_with(&o, c, "cat; echo done");
    assert_string_equal(buf_text(&o.body), "{\"a\":1}\ndone\n");
    done(&o);
    for (size_t i = 0; i < sizeof large; i++)
        large[i] = (char)('a' + i % 19);
    c.input = view_of(large, sizeof large);
    c.output_max = sizeof large;
    run_with(&o, c, "cat");
    assert_false(o.failed);
    assert_true(view_equal(buf_view(&o.body), c.input));
    done(&o);
    run_with(&o, c, "exec 0<&-; echo not interested"); /* does not read it */
    assert_int_equal(o.status, 0);
    assert_string_equal(buf_text(&o.body), "not interested\n");
    done(&o);
    c.input = view_of(NULL, 0);
    run_with(&o, c, "wc -c");
    assert_string_equal(buf_text(&o.body), "0\n");
    done(&o);
}

static void last_words(void **state)
{
    struct io_exec_conf c = conf();
    struct outcome o;

    (void)state;
    run(&o, "echo first >&2; printf 'the \\033[31mreason\\n\\n' >&2; exit 3");
    assert_int_equal(o.status, 3);
    assert_string_equal(o.words, "the ?[31mreason");
    done(&o);
    c.timeout_ms = 300;
    run_with(&o, c, "echo waiting for the directory >&2; sleep 60");
    assert_true(o.failed);
    assert_int_equal(o.err.cls, ERR_NET);
    assert_non_null(
        strstr(o.err.msg, "program: killed at its deadline: waiting for the directory"));
    done(&o);
    run(&o, "head -c 2000000 /dev/zero | tr '\\0' x >&2; (echo; echo end) >&2");
    assert_string_equal(o.words, "end");
    done(&o);
}

/* ---- how it is ended ------------------------------------------------------------------------------------ */

static void a_flood(void **state)
{
    struct io_exec_conf c = conf();
    struct outcome o;

    (void)state;
    run_with(&o, c, "head -c 100000 /dev/zero");
    assert_false(o.failed);
    assert_int_equal(o.body.len, 100000);
    done(&o);
    run_with(&o, c, "head -c 100001 /dev/zero");
    assert_true(o.failed);
    assert_int_equal(o.err.cls, ERR_TOO_LARGE);
    done(&o);
    run_with(&o, c, "cat /dev/zero");
    assert_int_equal(o.err.cls, ERR_TOO_LARGE);
    done(&o);
}

static bool is_alive(const char *pid_file)
{
    struct buf text = BUF_INIT(100);
    char stat_path[64], state[200] = "";
    FILE *f;

    dir_read(pid_file, &text);
    (void)snprintf(
        stat_path, sizeof stat_path, "/proc/%ld/stat", strtol(buf_text(&text), NULL, 10));
    buf_free(&text);
    if ((f = fopen(stat_path, "r")) == NULL)
        return false;
    (void)!fread(state, 1, sizeof state - 1, f);
    (void)fclose(f);
    return strstr(state, ") Z") == NULL;
}

static void never_alive(const char *pid_file)
{
    for (int i = 0; i < 500 && is_alive(pid_file); i++)
        (void)poll(NULL, 0, 10);
    assert_false(is_alive(pid_file));
}

static void the_deadline_kills_all_of_it(void **state)
{
    struct io_exec_conf c = conf();
    struct outcome o;
    char script[1000];
    uint64_t begun = io_now_ms();

    (void)state;
    (void)snprintf(script, sizeof script,
        "trap '' TERM; sh -c 'trap \"\" TERM; echo $$ > %s; sleep 60' & wait", dir_path("child"));
    c.timeout_ms = 500;
    run_with(&o, c, script);
    assert_int_equal(o.err.cls, ERR_NET);
    assert_in_range(io_now_ms() - begun, 450, 5000);
    never_alive("child");
    done(&o);
}

/* It ends and leaves somebody behind who holds its output open: that is not waited for. */
static void left_behind(void **state)
{
    struct outcome o;
    char script[1000];

    (void)state;
    (void)snprintf(script, sizeof script,
        "sh -c 'echo $$ > %s; sleep 60' &\n"
        "while [ ! -s %s ]; do :; done; echo answer",
        dir_path("child"), dir_path("child"));
    run(&o, script);
    assert_int_equal(o.status, 0);
    assert_string_equal(buf_text(&o.body), "answer\n");
    never_alive("child");
    done(&o);
}

static void cancelled(void **state)
{
    struct io_exec_conf c = conf();
    struct outcome o = { 0 };
    struct op *op;
    struct err e;
    char script[200];

    (void)state;
    (void)snprintf(script, sizeof script, "echo $$ > %s; sleep 60", dir_path("child"));
    program(script);
    op = io_exec(&c, on_end, &o, &e);
    assert_non_null(op);
    while (access(dir_path("child"), F_OK) != 0)
        (void)poll(NULL, 0, 10);
    (void)poll(NULL, 0, 50);
    io_cancel(op);
    io_run();
    assert_int_equal(o.calls, 0);
    never_alive("child");
}

static void many_at_once(void **state)
{
    enum { MANY = 20 };
    struct io_exec_conf c = conf();
    struct outcome o[MANY];

    (void)state;
    program("read n; echo $((n * n))");
    for (int i = 0; i < MANY; i++) {
        char text[20];

        (void)snprintf(text, sizeof text, "%d\n", i);
        c.input = view_text(text);
        start(&o[i], &c);
    }
    io_run();
    for (int i = 0; i < MANY; i++) {
        assert_int_equal(o[i].calls, 1);
        assert_int_equal(strtol(buf_text(&o[i].body), NULL, 10), i * i);
        done(&o[i]);
    }
}

/* ---- what it is given -------------------------------------------------------------------------------------- */

static void a_clean_environment(void **state)
{
    struct outcome o;

    (void)state;
    (void)setenv("CERTFERRY_SECRET", "leaks", 1);
    run(&o, "pwd; tr '\\0' '\\n' < /proc/$$/environ");
    assert_string_equal(buf_text(&o.body), "/\n"
                                           "PATH=/usr/sbin:/usr/bin:/sbin:/bin\n"
                                           "LANG=C.UTF-8\n");
    done(&o);
    /* 32 and 33 are the C library's own: whoever started us may have had them ignored. */
    run(&o, "echo $#; grep SigBlk /proc/self/status; s=$(sed -n 's/^SigIgn:[[:space:]]*//p' "
            "/proc/self/status); echo $((0x$s & ~0x180000000))");
    assert_string_equal(buf_text(&o.body), "0\n"
                                           "SigBlk:\t0000000000000000\n"
                                           "0\n");
    done(&o);
}

static void no_descriptor_of_ours(void **state)
{
    struct outcome o;
    int fd = open("/dev/null", O_RDONLY), high; /* without CLOEXEC */

    (void)state;
    high = fcntl(fd, F_DUPFD, 700);
    assert_true(fd > 2 && high >= 700);
    run(&o, "ls /proc/self/fd | sort -n | tr '\\n' ' '");
    assert_string_equal(buf_text(&o.body), "0 1 2 3 "); /* 3: the folder */
    done(&o);
    (void)close(fd);
    (void)close(high);
}

static void limits(void **state)
{
    struct io_exec_conf c = conf();
    struct outcome o;

    (void)state;
    run(&o, "ulimit -c; ulimit -v; ulimit -t");
    assert_string_equal(buf_text(&o.body), "0\nunlimited\n22\n");
    done(&o);
    c.memory_mib = 100;
    run_with(&o, c, "ulimit -v; head -c 300000000 /dev/zero | tail -c 250000000 | wc -c");
    assert_false(o.failed);
    assert_non_null(strstr(buf_text(&o.body), "102400\n"));
    assert_null(strstr(buf_text(&o.body), "250000000"));
    assert_non_null(strstr(o.words, "memory"));
    done(&o);
}

static void what_cannot_be_started(void **state)
{
    struct io_exec_conf c = conf();
    struct outcome o;
    struct err e = { 0 };

    (void)state;
    assert_null(io_exec(&c, on_end, &o, &e));
    assert_int_equal(e.cls, ERR_CONFIG);
    assert_non_null(strstr(e.msg, "/program: cannot be started: No such file"));
    dir_write("program", "no program at all", 0700);
    assert_null(io_exec(&c, on_end, &o, &e));
    assert_non_null(strstr(e.msg, "Exec format error"));
    dir_write("program", "#!/bin/sh\n", 0600);
    assert_null(io_exec(&c, on_end, &o, &e));
    assert_non_null(strstr(e.msg, "Permission denied"));
    assert_int_equal(waitpid(-1, NULL, WNOHANG), -1);
    io_run();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        EXEC_TEST(exit_codes),
        EXEC_TEST(bytes_in_and_out),
        EXEC_TEST(last_words),
        EXEC_TEST(a_flood),
        EXEC_TEST(the_deadline_kills_all_of_it),
        EXEC_TEST(left_behind),
        EXEC_TEST(cancelled),
        EXEC_TEST(many_at_once),
        EXEC_TEST(a_clean_environment),
        EXEC_TEST(no_descriptor_of_ours),
        EXEC_TEST(limits),
        EXEC_TEST(what_cannot_be_started),
    };

    return cmocka_run_group_tests_name("agent_io_exec", tests, NULL, NULL);
}
