/* Events as the journal gets them, on a socket of ours in its place; and that each event has its text. */
#include "test/t.h"
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include "agent/base/clock.h"
#include "agent/base/log.h"
#include "test/unit/agent_clock.h"
#include "test/unit/agent_dir.h"

static int journal = -1;

static int begin(void **state)
{
    struct sockaddr_un at = { .sun_family = AF_UNIX };

    if (dir_make(state) != 0)
        return -1;
    clock_start();
    (void)snprintf(at.sun_path, sizeof at.sun_path, "%s", dir_path("journal"));
    journal = socket(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK, 0);
    if (bind(journal, (struct sockaddr *)&at, sizeof at) != 0 || !log_journal_open(at.sun_path))
        return -1;
    fake_wall_s += 1000; /* nothing repeats what the last test said */
    clock_start();
    log_open(LOG_JOURNAL, LOG_LEVEL_DEBUG);
    return 0;
}

static int end(void **state)
{
    (void)close(journal);
    log_open(LOG_HUMAN, LOG_LEVEL_SILENT);
    return dir_remove(state);
}

static const char *received(void)
{
    static char all[65536];
    ssize_t n = recv(journal, all, sizeof all - 1, 0);

    all[n > 0 ? n : 0] = '\0';
    return all;
}

static void fields(void **state)
{
    struct err why;

    (void)state;
    log_event(EV_REQUEST_DONE, "req-1", "issuing1", "delivered");
    assert_string_equal(received(),
        "MESSAGE=PkcsRequestSuccess: delivered\nPRIORITY=6\nSYSLOG_IDENTIFIER=certferry\n"
        "MESSAGE_ID=c3a71e5a9b0f4d0d8d36f0ca000003e8\nCC_EVENT=PkcsRequestSuccess\n"
        "CC_EVENT_ID=1000\nCC_CHANNEL=Admin\nCC_REQUEST_ID=req-1\nCC_PEER=issuing1\n");
    (void)err_set(&why, ERR_BUSY, "HTTP 503");
    why.number = 503;
    why.where = "x.c:1";
    log_err(EV_ATTEMPT_FAILED, NULL, "cloud", &why);
    assert_string_equal(received(),
        "MESSAGE=PkcsIssuedFailedAttempt: HTTP 503 (peer asked us to wait)\nPRIORITY=4\n"
        "SYSLOG_IDENTIFIER=certferry\nMESSAGE_ID=c3a71e5a9b0f4d0d8d36f0ca0000041b\n"
        "CC_EVENT=PkcsIssuedFailedAttempt\nCC_EVENT_ID=1051\nCC_CHANNEL=Operational\n"
        "CC_PEER=cloud\nCC_CLASS=ERR_BUSY\nCC_NUMBER=503\nCC_AT=x.c:1\n");
}

/* A line end in a value would begin a field of the sender's choice. */
static void no_field_can_be_forged(void **state)
{
    const char *t;

    (void)state;
    log_event(EV_REQUEST, "id\nPRIORITY=0", "ca\nCC_EVENT=Forged", "text\nMESSAGE_ID=x\r\x1b[0m");
    t = received();
    assert_null(strstr(t, "\nPRIORITY=0"));
    assert_null(strstr(t, "\nCC_EVENT=Forged"));
    assert_null(strstr(t, "\nMESSAGE_ID=x"));
    assert_non_null(strstr(t, "CC_REQUEST_ID=id?PRIORITY=0\n"));
}

/* The journal's socket is full: the service goes on, and what was lost is counted. */
static void it_never_waits(void **state)
{
    uint64_t before = log_dropped();

    (void)state;
    (void)alarm(10);
    for (int i = 0; i < 20000; i++)
        log_event(EV_REQUEST, NULL, NULL, "line %d", i);
    (void)alarm(0);
    assert_true(log_dropped() > before);
    while (received()[0] != '\0')
        ;
    log_event(EV_REQUEST, NULL, NULL, "there is room again");
    assert_non_null(strstr(received(), "CC_EVENT=LogLinesDropped"));
    assert_non_null(strstr(received(), "there is room again"));
}

static void a_journal_that_is_gone(void **state)
{
    uint64_t before = log_dropped();

    (void)state;
    (void)remove(dir_path("journal"));
    log_event(EV_REQUEST, NULL, NULL, "nobody hears this");
    assert_int_equal(log_dropped() - before, 1);
    assert_false(log_journal_open(dir_path("journal")));
}

static void is_standard_error_the_journals(void **state)
{
    struct stat st;
    char stream[64];

    (void)state;
    assert_int_equal(fstat(STDERR_FILENO, &st), 0);
    (void)snprintf(stream, sizeof stream, "%llu:%llu", (unsigned long long)st.st_dev,
        (unsigned long long)st.st_ino);
    assert_true(log_journal_is_stderr(stream));
    (void)snprintf(stream, sizeof stream, "%llu:%llu", (unsigned long long)st.st_dev,
        (unsigned long long)st.st_ino + 1);
    assert_false(log_journal_is_stderr(stream));
    assert_false(log_journal_is_stderr("8"));
    assert_false(log_journal_is_stderr(NULL));
}

/* ---- what each event means ---- */

static void every_event_is_explained(void **state)
{
    (void)state;
    for (int i = 0; i < LOG_EVENT_COUNT; i++) {
        struct event_help h, again;
        char number[16];

        event_help_at((enum log_event)i, &h);
        if (h.means == NULL || h.todo == NULL || h.means[strlen(h.means) - 1] != '.')
            fail_msg("%d %s has no text", h.number, h.name);
        if ((strcmp(h.level, "error") == 0) && strcmp(h.todo, "Nothing.") == 0)
            fail_msg("%s is an error, and nothing is to be done?", h.name);
        (void)snprintf(number, sizeof number, "%d", h.number);
        assert_true(event_help(number, &again) && again.means == h.means);
        assert_true(event_help(h.name, &again) && again.means == h.means);
    }
}

/* A number means one event, in the range of its kind. */
static void numbers_are_in_their_ranges(void **state)
{
    static const struct {
        const char *begins;
        int from, to;
    } ranges[] = { { "Pkcs", 1000, 1999 }, { "Scep", 4000, 4119 }, { "Ra", 4120, 4199 },
        { "Plugin", 4900, 4999 }, { "Peer", 5000, 5999 }, { "Store", 8000, 8999 } };

    (void)state;
    for (int i = 0; i < LOG_EVENT_COUNT; i++) {
        struct event_help h, other;

        event_help_at((enum log_event)i, &h);
        for (size_t n = 0; n < sizeof ranges / sizeof ranges[0]; n++)
            if (strncmp(h.name, ranges[n].begins, strlen(ranges[n].begins)) == 0
                && (h.number < ranges[n].from || h.number > ranges[n].to))
                fail_msg("%s has number %d", h.name, h.number);
        for (int k = 0; k < i; k++) {
            event_help_at((enum log_event)k, &other);
            if (other.number == h.number)
                fail_msg("%s and %s have the same number", h.name, other.name);
        }
    }
}

static void what_is_no_event(void **state)
{
    struct event_help h;

    (void)state;
    assert_false(event_help("999999", &h));
    assert_false(event_help("", &h));
    assert_false(event_help("1000x", &h));
    assert_true(event_help("pkcsrequestsuccess", &h));
}

#define TEST(fn) cmocka_unit_test_setup_teardown(fn, begin, end)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(fields),
        TEST(no_field_can_be_forged),
        TEST(it_never_waits),
        TEST(a_journal_that_is_gone),
        TEST(is_standard_error_the_journals),
        cmocka_unit_test(every_event_is_explained),
        cmocka_unit_test(numbers_are_in_their_ranges),
        cmocka_unit_test(what_is_no_event),
    };

    return cmocka_run_group_tests_name("agent_log_journal", tests, NULL, NULL);
}
