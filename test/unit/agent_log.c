/* What the service writes to standard error, and that it never waits for who reads it. */
#include "test/t.h"
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <unistd.h>
#include "agent/base/clock.h"
#include "agent/base/log.h"
#include "proto/json.h"
#include "test/unit/agent_clock.h"

static int saved_stderr, ends[2];

static int begin(void **state)
{
    char rest[4096];

    (void)state;
    (void)fflush(stderr);
    saved_stderr = dup(STDERR_FILENO);
    if (pipe(ends) != 0 || dup2(ends[1], STDERR_FILENO) < 0)
        return -1;
    (void)close(ends[1]);
    (void)fcntl(ends[0], F_SETFL, O_NONBLOCK);
    fake_ms = 5000;
    clock_start();
    fake_wall_s += 100000; /* what the last test wrote is no repetition any more */
    clock_start();
    log_open(LOG_HUMAN, LOG_LEVEL_INFO);
    log_event(EV_STOPPING, NULL, NULL, "%s", "");
    while (read(ends[0], rest, sizeof rest) > 0) /* the counts of the last test */
        ;
    return 0;
}

static int end(void **state)
{
    (void)state;
    (void)dup2(saved_stderr, STDERR_FILENO);
    (void)close(saved_stderr);
    (void)close(ends[0]);
    return 0;
}

/* Everything written since the last call. */
static const char *written(void)
{
    static char all[1 << 20];
    size_t len = 0;
    ssize_t n;

    while ((n = read(ends[0], all + len, sizeof all - 1 - len)) > 0)
        len += (size_t)n;
    all[len] = '\0';
    return all;
}

static size_t lines(const char *text)
{
    size_t n = 0;

    for (; *text != '\0'; text++)
        n += *text == '\n';
    return n;
}

/* The same with every mention of now as TIME. */
static const char *timeless(const char *text)
{
    static char out[4096];
    char stamp[24];
    size_t len = 0;

    time_text(clock_now(), stamp);
    while (*text != '\0' && len < sizeof out - 5)
        if (strncmp(text, stamp, strlen(stamp)) == 0) {
            memcpy(out + len, "TIME", 4);
            len += 4;
            text += strlen(stamp);
        } else {
            out[len++] = *text++;
        }
    out[len] = '\0';
    return out;
}

static void levels_and_names(void **state)
{
    (void)state;
    assert_int_equal(log_level_named("error"), LOG_LEVEL_ERROR);
    assert_int_equal(log_level_named("warning"), LOG_LEVEL_WARNING);
    assert_int_equal(log_level_named("info"), LOG_LEVEL_INFO);
    assert_int_equal(log_level_named("debug"), LOG_LEVEL_DEBUG);
    assert_int_equal(log_level_named("loud"), LOG_LEVEL_INFO);
    assert_string_equal(log_event_name(EV_REQUEST_DONE), "PkcsRequestSuccess");
    for (int a = 0; a < LOG_EVENT_COUNT; a++) /* a name means one event */
        for (int b = 0; b < a; b++)
            assert_string_not_equal(
                log_event_name((enum log_event)a), log_event_name((enum log_event)b));
}

static void lines_for_people(void **state)
{
    struct err why;

    (void)state;
    log_open(LOG_HUMAN, LOG_LEVEL_DEBUG);
    (void)written();
    log_event(EV_STARTED, NULL, NULL, "%d CAs", 3);
    log_event(EV_ISSUED, "req-1", "issuing1", "certificate received");
    log_event(EV_STOPPED, NULL, NULL, "%s", "");
    (void)err_set(&why, ERR_BUSY, "HTTP 503: service unavailable");
    log_err(EV_ATTEMPT_FAILED, "req-1", "issuing1", &why);
    assert_string_equal(timeless(written()),
        "TIME info    ServiceStarted: 3 CAs\n"
        "TIME info    PkcsIssuedSuccess req-1 [issuing1]: certificate received\n"
        "TIME info    ServiceStopped\n"
        "TIME warning PkcsIssuedFailedAttempt req-1 [issuing1]: HTTP 503: service "
        "unavailable (peer asked us to wait)\n");
}

static void one_json_object_a_line(void **state)
{
    struct err why;

    (void)state;
    log_open(LOG_JSON, LOG_LEVEL_DEBUG);
    (void)written();
    log_event(EV_REQUEST_DONE, "req-1", "issuing1", "delivered \"%s\"", "CN=Ada");
    (void)err_set(&why, ERR_BUSY, "HTTP 503");
    why.number = 503;
    why.where = "x.c:1";
    log_err(EV_ATTEMPT_FAILED, NULL, "cloud", &why);
    assert_string_equal(timeless(written()),
        "{\"time\":\"TIME\",\"level\":\"info\",\"event\":\"PkcsRequestSuccess\","
        "\"id\":1000,\"admin\":true,\"request\":\"req-1\",\"peer\":\"issuing1\","
        "\"message\":\"delivered \\\"CN=Ada\\\"\"}\n"
        "{\"time\":\"TIME\",\"level\":\"warning\","
        "\"event\":\"PkcsIssuedFailedAttempt\",\"id\":1051,\"peer\":\"cloud\","
        "\"message\":\"HTTP 503 (peer asked us to wait)\",\"class\":\"ERR_BUSY\",\"number\":503,"
        "\"at\":\"x.c:1\"}\n");
}

static void auto_is_json_where_nobody_looks(void **state)
{
    (void)state;
    log_open(LOG_AUTO, LOG_LEVEL_INFO); /* standard error is a pipe here */
    (void)written();
    log_event(EV_STARTED, NULL, NULL, "auto");
    assert_int_equal(written()[0], '{');
}

static void levels_cut(void **state)
{
    static const size_t expected[] = { [LOG_LEVEL_SILENT] = 0,
        [LOG_LEVEL_ERROR] = 1,
        [LOG_LEVEL_WARNING] = 2,
        [LOG_LEVEL_INFO] = 3,
        [LOG_LEVEL_DEBUG] = 4 };

    (void)state;
    for (int least = LOG_LEVEL_SILENT; least <= LOG_LEVEL_DEBUG; least++) {
        log_open(LOG_HUMAN, (enum log_level)least);
        (void)written();
        log_event(EV_HELD, NULL, NULL, "level %d", least);        /* error */
        log_event(EV_RESUBMITTED, NULL, NULL, "level %d", least); /* warning */
        log_event(EV_PENDING, NULL, NULL, "level %d", least);     /* info */
        log_event(EV_STEP, NULL, NULL, "level %d", least);        /* debug */
        assert_int_equal(lines(written()), expected[least]);
    }
}

/* Nothing from outside moves the cursor, breaks a line or forges another. */
static void text_from_outside_is_cleaned(void **state)
{
    static const char evil[] =
        "\x1b[31mred\r\n{\"level\":\"info\"}\t\x01\x7f\xc2\x9b[2J\xe2\x80\xae"
        "abc\xff\xfe end";
    const char *out;

    (void)state;
    for (int format = LOG_HUMAN; format <= LOG_JSON; format++) {
        log_open((enum log_format)format, LOG_LEVEL_INFO);
        (void)written();
        log_event(EV_ISSUE_FAILED, NULL, "issuing1", "%s%d", evil, format);
        out = written();
        assert_int_equal(lines(out), 1);
        for (const char *c = out; *c != '\0'; c++)
            assert_true(((unsigned char)*c >= 0x20 && *c != 0x7f) || (*c == '\n' && c[1] == '\0'));
        assert_null(strstr(out, "\xc2\x9b"));
        assert_null(strstr(out, "\xe2\x80\xae"));
        assert_null(strchr(out, '\xff'));
        assert_non_null(strstr(out, "?[31mred??"));
        assert_non_null(strstr(out, " end"));
    }
}

/* An id of a request and the name of a peer may come from outside too. */
static void ids_and_peers_are_cleaned(void **state)
{
    const char *out;

    (void)state;
    for (int format = LOG_HUMAN; format <= LOG_JSON; format++) {
        log_open((enum log_format)format, LOG_LEVEL_INFO);
        (void)written();
        log_event(EV_REQUEST, "id\x1b[0m\n2030 error Forged", "ca\r\nx", "text %d", format);
        out = written();
        assert_int_equal(lines(out), 1);
        assert_null(strchr(out, 0x1b));
        assert_null(strchr(out, '\r'));
    }
}

/* The longest line fits into a pipe at once, whatever has to be escaped in it, and none is lost. */
static void long_lines(void **state)
{
    static const char fills[] = { 'x', '"', '\\' };
    char text[5000];
    const char *out;

    (void)state;
    for (int format = LOG_HUMAN; format <= LOG_JSON; format++)
        for (size_t i = 0; i < sizeof fills; i++) {
            log_open((enum log_format)format, LOG_LEVEL_INFO);
            (void)written();
            memset(text, fills[i], sizeof text);
            text[sizeof text - 1] = '\0';
            log_event(EV_REQUEST, "0f8fad5b-d9cb-469f-a165-70867728950e", "issuing1", "%d%s",
                format, text);
            out = written();
            assert_int_equal(lines(out), 1);
            assert_int_equal(out[strlen(out) - 1], '\n');
            assert_in_range(strlen(out), 500, 2048);
            if (format == LOG_JSON) {
                struct err e = { 0 };
                struct json *j = json_parse(view_text(out), 4096, &e);

                assert_non_null(j);
                json_free(j);
            }
        }
}

static void repeats_are_counted(void **state)
{
    uint64_t before = log_dropped();

    (void)state;
    log_open(LOG_HUMAN, LOG_LEVEL_INFO);
    (void)written();
    for (int i = 0; i < 1000; i++)
        log_event(EV_PEER_DOWN, NULL, "issuing1", "no answer");
    assert_int_equal(lines(written()), 1);
    log_event(EV_PEER_DOWN, NULL, "issuing2", "no answer"); /* another peer is another line */
    log_event(EV_PEER_DOWN, "req-1", "issuing1", "no answer");
    log_event(EV_HELD, NULL, "issuing1", "no answer");
    assert_true(lines(written()) >= 3);
    fake_pass_s(59);
    log_event(EV_PEER_DOWN, NULL, "issuing1", "no answer");
    assert_int_equal(lines(written()), 0);
    fake_pass_s(1);
    log_event(EV_PEER_DOWN, NULL, "issuing1", "no answer");
    assert_non_null(strstr(written(), "1000 lines repeated or lost"));
    assert_int_equal(log_dropped() - before, 1000);
}

/* The reader has gone to sleep: lines are lost and counted, the service goes on at once; and when there
 * is room again the reader learns how many. */
static void a_full_pipe_never_blocks(void **state)
{
    uint64_t before = log_dropped();
    char says[80];
    size_t got;

    (void)state;
    (void)fcntl(ends[0], F_SETPIPE_SZ, 4096);
    (void)alarm(10); /* blocked for ever: the test would not end */
    for (int i = 0; i < 500; i++)
        log_event(EV_REQUEST, NULL, NULL, "line %d", i);
    (void)alarm(0);
    assert_true(log_dropped() - before >= 300);
    got = lines(written());
    assert_int_equal(got + (log_dropped() - before), 500);
    (void)fcntl(ends[0], F_SETPIPE_SZ, 65536);
    (void)snprintf(says, sizeof says, ": %d lines repeated or lost", (int)(500 - got));
    log_event(EV_REQUEST, NULL, NULL, "there is room again");
    assert_non_null(strstr(written(), says));
    log_event(EV_REQUEST, NULL, NULL, "and from now on nothing is lost");
    assert_null(strstr(written(), "lost since"));
}

static void a_closed_pipe_is_survived(void **state)
{
    uint64_t before = log_dropped();
    void (*was)(int) = signal(SIGPIPE, SIG_IGN); /* as the loop has it */

    (void)state;
    log_open(LOG_JSON, LOG_LEVEL_INFO);
    (void)close(ends[0]);
    for (int i = 0; i < 10; i++)
        log_event(EV_REQUEST, NULL, NULL, "nobody reads %d", i);
    assert_int_equal(log_dropped() - before, 10);
    (void)signal(SIGPIPE, was);
}

#define TEST(fn) cmocka_unit_test_setup_teardown(fn, begin, end)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(levels_and_names),
        TEST(lines_for_people),
        TEST(one_json_object_a_line),
        TEST(auto_is_json_where_nobody_looks),
        TEST(levels_cut),
        TEST(text_from_outside_is_cleaned),
        TEST(ids_and_peers_are_cleaned),
        TEST(long_lines),
        TEST(repeats_are_counted),
        TEST(a_full_pipe_never_blocks),
        TEST(a_closed_pipe_is_survived),
    };

    return cmocka_run_group_tests_name("agent_log", tests, NULL, NULL);
}
