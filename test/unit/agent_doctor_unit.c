/* SVC-02: what systemd says of the unit.  The text is what `systemctl show` of systemd 252 printed in a container. */
#include "test/t.h"
#include "agent/doctor/doctor_unit.h"
#include "certs/text.h"

enum { PID = 140 };
static const int64_t second_us = 1000000, start_us = 18334025680;

static const char good[] = "Restart=always\n"
                           "WatchdogUSec=1min\n"
                           "MainPID=140\n"
                           "NRestarts=0\n"
                           "ExecMainStartTimestampMonotonic=18334025680\n"
                           "CapabilityBoundingSet=\n"
                           "User=certferry\n"
                           "PrivateTmp=yes\n"
                           "PrivateDevices=yes\n"
                           "ProtectKernelTunables=yes\n"
                           "ProtectKernelModules=yes\n"
                           "ProtectControlGroups=yes\n"
                           "ProtectHome=yes\n"
                           "ProtectSystem=strict\n"
                           "NoNewPrivileges=yes\n"
                           "SystemCallFilter=_llseek _newselect accept accept4 access\n"
                           "LockPersonality=yes\n"
                           "MemoryDenyWriteExecute=yes\n"
                           "RestrictSUIDSGID=yes\n"
                           "LoadState=loaded\n"
                           "NeedDaemonReload=no\n";

/* The good output with one line exchanged (to NULL: without it), after_s after the start. */
static struct finding judge(const char *from, const char *to, int64_t after_s)
{
    struct buf b = BUF_INIT(4096);
    struct finding f;
    const char *at = from != NULL ? strstr(good, from) : NULL;

    if (at == NULL) {
        assert_null(from);
        buf_add_text(&b, good);
    } else {
        buf_add(&b, good, (size_t)(at - good));
        if (to != NULL)
            buf_printf(&b, "%s\n", to);
        buf_add_text(&b, strchr(at, '\n') + 1);
    }
    finding_set(&f, GRADE_PASS, ERR_NONE, "health: ok");
    doctor_unit_judge(&f, buf_text(&b), PID, start_us + after_s * second_us);
    buf_free(&b);
    return f;
}

static void all_is_well(void **state)
{
    struct finding f = judge(NULL, NULL, 60);

    (void)state;
    assert_int_equal(f.grade, GRADE_PASS);
    assert_string_equal(
        f.fact, "health: ok; no restart within 24 hours; watchdog 1min; sandbox whole");
    assert_string_equal(f.fix, "");
}

static void what_is_wrong(void **state)
{
    static const struct {
        const char *from, *to, *fact, *fix;
    } cases[] = {
        { "NRestarts=", "NRestarts=1", "systemd: 1 since somebody started it, the last 1 min ago",
            "journalctl" },
        { "WatchdogUSec=", "WatchdogUSec=0", "no watchdog", "WatchdogSec=60" },
        { "WatchdogUSec=", "WatchdogUSec=infinity", "no watchdog", "WatchdogSec=60" },
        { "Restart=", "Restart=no", "nobody starts it again", "Restart=always" },
        { "NeedDaemonReload=", "NeedDaemonReload=yes", "was changed", "daemon-reload" },
        { "ProtectSystem=", "ProtectSystem=full", "not whole: ProtectSystem=full",
            "systemctl cat" },
        { "CapabilityBoundingSet=", "CapabilityBoundingSet=cap_net_admin",
            "CapabilityBoundingSet=cap_net_admin", "systemctl cat" },
        { "SystemCallFilter=", "SystemCallFilter=", "SystemCallFilter=", "systemctl cat" },
        { "User=", "User=", "runs as root", "User=certferry" },
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct finding f = judge(cases[i].from, cases[i].to, 60);

        if (f.grade != GRADE_WARN || strstr(f.fact, cases[i].fact) == NULL
            || strstr(f.fix, cases[i].fix) == NULL)
            fail_msg("%s: %s %s (%s)", cases[i].to, grade_name(f.grade), f.fact, f.fix);
    }
}

static void restarts_are_forgotten_after_a_day(void **state)
{
    struct finding f = judge("NRestarts=", "NRestarts=7", 3 * 3600);

    (void)state;
    assert_int_equal(f.grade, GRADE_WARN);
    assert_non_null(strstr(f.fact, "7 since somebody started it, the last 3 h ago"));
    assert_int_equal(judge("NRestarts=", "NRestarts=7", 24 * 3600 - 1).grade, GRADE_WARN);
    assert_int_equal(judge("NRestarts=", "NRestarts=7", 24 * 3600).grade, GRADE_PASS);
}

/* An older systemd, or one that does not say everything: what is not known is not judged. */
static void what_is_not_said(void **state)
{
    struct finding f;

    (void)state;
    f = judge("NRestarts=", NULL, 60);
    assert_int_equal(f.grade, GRADE_PASS);
    assert_null(strstr(f.fact, "restart"));
    f = judge("ProtectHome=", NULL, 60);
    assert_int_equal(f.grade, GRADE_PASS);
    f = judge("ExecMainStart", "ExecMainStartTimestampMonotonic=", 60);
    assert_int_equal(f.grade, GRADE_PASS);
    assert_null(strstr(f.fact, "restart"));
}

static void another_process_is_not_the_units(void **state)
{
    static const char *const pids[] = { "MainPID=0", "MainPID=141", "MainPID=140 ", "MainPID=" };

    (void)state;
    for (size_t i = 0; i < sizeof pids / sizeof pids[0]; i++) {
        struct finding f = judge("MainPID=", pids[i], 60);

        assert_int_equal(f.grade, GRADE_PASS);
        assert_string_equal(f.fact, "health: ok; not started by systemd");
    }
    assert_string_equal(judge("MainPID=", NULL, 60).fact, "health: ok; not started by systemd");
}

/* Lines without end, values without end: nothing is read beyond the text. */
static void odd_text(void **state)
{
    static const char *const texts[] = { "", "\n\n", "MainPID", "MainPID=140", "MainPID=140\nUser",
        "MainPID=140\nWatchdogUSec=", "=\n=\nMainPID=140\nNRestarts=99999999999999999999999" };

    (void)state;
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        struct finding f;

        finding_set(&f, GRADE_PASS, ERR_NONE, "health: ok");
        doctor_unit_judge(&f, texts[i], PID, 1);
        assert_true(f.fact[0] != '\0');
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(all_is_well),
        cmocka_unit_test(what_is_wrong),
        cmocka_unit_test(restarts_are_forgotten_after_a_day),
        cmocka_unit_test(what_is_not_said),
        cmocka_unit_test(another_process_is_not_the_units),
        cmocka_unit_test(odd_text),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
