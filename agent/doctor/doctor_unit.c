/* see doctor_unit.h */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "agent/doctor/doctor_unit.h"
#include "agent/io/io_look.h"
#include "agent/service/systemd.h"

enum { VALUE_LEN = 400, SHOWN_MAX = 65536 };

static const int64_t hour_us = (int64_t)3600 * 1000000, minute_us = (int64_t)60 * 1000000;

/* The unit has them; an administrator may have taken some away. */
static const struct {
    const char *name, *value; /* value NULL: not empty */
} sandbox[] = {
    { "NoNewPrivileges", "yes" },
    { "CapabilityBoundingSet", "" },
    { "ProtectSystem", "strict" },
    { "ProtectHome", "yes" },
    { "PrivateTmp", "yes" },
    { "PrivateDevices", "yes" },
    { "ProtectKernelTunables", "yes" },
    { "ProtectKernelModules", "yes" },
    { "ProtectControlGroups", "yes" },
    { "MemoryDenyWriteExecute", "yes" },
    { "RestrictSUIDSGID", "yes" },
    { "LockPersonality", "yes" },
    { "SystemCallFilter", NULL },
};
enum { SANDBOX = sizeof sandbox / sizeof sandbox[0] };

#define ASKED                                                                           \
    "--property=LoadState,MainPID,NRestarts,Restart,WatchdogUSec,NeedDaemonReload,User" \
    ",ExecMainStartTimestampMonotonic"

/* false: systemd did not say it.  A longer value is cut. */
static bool value_of(const char *shown, const char *name, char out[VALUE_LEN])
{
    size_t n = strlen(name);

    for (const char *line = shown; line != NULL && *line != '\0';
         line = strchr(line, '\n'), line += line != NULL)
        if (strncmp(line, name, n) == 0 && line[n] == '=') {
            (void)snprintf(out, VALUE_LEN, "%.*s", (int)strcspn(line + n + 1, "\n"), line + n + 1);
            return true;
        }
    out[0] = '\0';
    return false;
}

static int64_t number_of(const char *shown, const char *name)
{
    char value[VALUE_LEN], *end;
    long long n;

    if (!value_of(shown, name, value))
        return -1;
    n = strtoll(value, &end, 10);
    return end == value || *end != '\0' ? -1 : (int64_t)n;
}

static bool is(const char *shown, const char *name, const char *wanted)
{
    char value[VALUE_LEN];

    return value_of(shown, name, value) && strcmp(value, wanted) == 0;
}

/* systemd counts since somebody last started the unit; what was more than a day ago is no matter any more. */
static void judge_restarts(struct finding *f, const char *shown, int64_t now_us)
{
    int64_t count = number_of(shown, "NRestarts"), ago_us;
    int64_t at_us = number_of(shown, "ExecMainStartTimestampMonotonic");

    if (count < 0 || at_us <= 0)
        return;
    ago_us = now_us > at_us ? now_us - at_us : 0;
    if (count == 0 || ago_us >= 24 * hour_us) {
        finding_worse(f, GRADE_PASS, ERR_NONE, NULL, "no restart within 24 hours");
        return;
    }
    finding_worse(f, GRADE_WARN, ERR_NONE, "journalctl -u certferry -p warning; certferry logs",
        "restarts by systemd: %lld since somebody started it, the last %lld %s ago",
        (long long)count, (long long)(ago_us / (ago_us < 2 * hour_us ? minute_us : hour_us)),
        ago_us < 2 * hour_us ? "min" : "h");
}

/* Who would notice that it stands still, or has ended? */
static void judge_watch(struct finding *f, const char *shown)
{
    char value[VALUE_LEN];

    if (value_of(shown, "WatchdogUSec", value)) {
        if (value[0] == '\0' || strcmp(value, "0") == 0 || strcmp(value, "infinity") == 0)
            finding_worse(f, GRADE_WARN, ERR_NONE,
                "systemctl edit certferry: [Service] WatchdogSec=60",
                "no watchdog: nobody notices when it stands still");
        else
            finding_worse(f, GRADE_PASS, ERR_NONE, NULL, "watchdog %.40s", value);
    }
    if (is(shown, "Restart", "no"))
        finding_worse(f, GRADE_WARN, ERR_NONE, "systemctl edit certferry: [Service] Restart=always",
            "nobody starts it again when it ends");
    if (is(shown, "NeedDaemonReload", "yes"))
        finding_worse(f, GRADE_WARN, ERR_NONE,
            "systemctl daemon-reload, then: systemctl restart certferry",
            "its unit file was changed since systemd read it");
}

static void judge_sandbox(struct finding *f, const char *shown)
{
    char missing[VALUE_LEN] = "", value[VALUE_LEN];
    size_t count = 0, asked = 0, at;

    for (size_t i = 0; i < SANDBOX; i++) {
        if (!value_of(shown, sandbox[i].name, value))
            continue;
        asked++;
        if (sandbox[i].value != NULL ? strcmp(value, sandbox[i].value) == 0 : value[0] != '\0')
            continue;
        at = strlen(missing);
        if (count++ < 4)
            (void)snprintf(missing + at, sizeof missing - at, "%s%s=%.40s", at > 0 ? ", " : "",
                sandbox[i].name, value);
    }
    if (is(shown, "User", "") || is(shown, "User", "root"))
        finding_worse(f, GRADE_WARN, ERR_NONE, "systemctl edit certferry: [Service] User=certferry",
            "it runs as root");
    if (count > 0)
        finding_worse(f, GRADE_WARN, ERR_NONE,
            "systemctl cat certferry shows what changed it; systemd-analyze security certferry",
            "its sandbox is not whole: %s%s", missing, count > 4 ? " ..." : "");
    else if (asked > 0)
        finding_worse(f, GRADE_PASS, ERR_NONE, NULL, "sandbox whole");
}

void doctor_unit_judge(struct finding *f, const char *shown, int64_t pid, int64_t now_us)
{
    if (number_of(shown, "MainPID") != pid) {
        finding_worse(f, GRADE_PASS, ERR_NONE, NULL, "not started by systemd");
        return;
    }
    judge_restarts(f, shown, now_us);
    judge_watch(f, shown);
    judge_sandbox(f, shown);
}

void doctor_unit(struct finding *f, int64_t pid)
{
    struct buf shown = BUF_INIT(SHOWN_MAX);
    char what[1024] = ASKED;
    struct err e;

    if (!systemd_runs())
        return;
    for (size_t i = 0; i < SANDBOX; i++)
        (void)snprintf(what + strlen(what), sizeof what - strlen(what), ",%s", sandbox[i].name);
    if (systemd_show(what, &shown, &e) == 0 && buf_check(&shown, &e) == 0)
        doctor_unit_judge(f, buf_text(&shown), pid, (int64_t)io_look_ms() * 1000);
    else
        finding_worse(f, GRADE_PASS, ERR_NONE, NULL, "systemd does not say how it has been");
    buf_free(&shown);
}
