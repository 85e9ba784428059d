/* status, requests, orphans, version: what a person sees of the answers of control.h. */
#include <stdio.h>
#include <string.h>
#include "agent/cli.h"
#include "agent/io.h"
#include "agent/store.h"
#include "certs/lib.h"

static const char *text(const struct json *o, const char *name)
{
    const char *v = "";
    struct err e;

    (void)!json_text(o, name, false, 4096, &v, &e);
    return v;
}

static int64_t number(const struct json *o, const char *name)
{
    int64_t v = 0;
    struct err e;

    (void)!json_int(o, name, false, INT64_MIN, INT64_MAX, &v, &e);
    return v;
}

static int64_t at(const struct json *o, const char *name)
{
    int64_t v = 0;
    struct err e;

    (void)!json_time(o, name, false, &v, &e);
    return v;
}

/* ---- status ------------------------------------------------------------------------------------------------ */

static void print_peer(const struct json *p, int64_t now)
{
    char ago[40], since[40], next[40];

    if (strcmp(text(p, "state"), "failing") == 0)
        (void)printf("  %-12s %-5s FAILING for %s, next try in %s\n               %s\n",
            text(p, "name"), text(p, "type"),
            cli_ago(at(p, "failingSince"), now, since, sizeof since),
            cli_ago(at(p, "nextTry"), now, next, sizeof next), text(p, "message"));
    else if (at(p, "lastOk") != 0)
        (void)printf("  %-12s %-5s ok, last answer %s ago, %lld answers\n", text(p, "name"),
            text(p, "type"), cli_ago(at(p, "lastOk"), now, ago, sizeof ago),
            (long long)number(p, "answers"));
    else
        (void)printf("  %-12s %-5s not asked yet\n", text(p, "name"), text(p, "type"));
}

static void print_identity(const struct json *d)
{
    bool needs = false;
    struct err e;

    (void)!json_bool(d, "needsSignIn", false, &needs, &e);
    if (needs)
        (void)printf("NEEDS SIGN-IN since %s: %s\n  fix:  certferry sign-in\n", text(d, "since"),
            text(d, "reason"));
    else if (text(d, "agentId")[0] != '\0')
        (void)printf("Signed in    agent %s, certificate until %s, %lld days left\n",
            text(d, "agentId"), text(d, "notAfter"), (long long)number(d, "daysLeft"));
}

static void print_status(const struct json *d, int64_t now)
{
    const struct json *r = json_get(d, "requests"), *peers = json_get(d, "peers");
    char ago[40];

    if (peers == NULL)
        (void)printf("certferry %s  no service is running; this is what its store holds\n",
            text(d, "version"));
    else
        (void)printf("certferry %s  running for %s (pid %lld)  health: %s\n", text(d, "version"),
            cli_ago(now - number(d, "uptime_s"), now, ago, sizeof ago), (long long)number(d, "pid"),
            text(d, "health"));
    for (size_t i = 0; i < json_count(peers); i++)
        print_peer(json_at(peers, i), now);
    print_identity(json_get(d, "identity"));
    (void)printf(
        "Open         %lld ready, %lld retrying, %lld pending at the CA, %lld held   oldest %s\n",
        (long long)number(r, "ready"), (long long)number(r, "retrying"),
        (long long)number(r, "pending"), (long long)number(r, "held"),
        cli_ago(at(d, "oldestOpen"), now, ago, sizeof ago));
    (void)printf("Ended        %lld delivered, %lld rejected, %lld superseded, %lld cancelled\n",
        (long long)number(r, "delivered"), (long long)number(r, "rejected"),
        (long long)number(r, "superseded"), (long long)number(r, "cancelled"));
    (void)printf("Orphans      %lld, of which %lld only possible\n",
        (long long)number(d, "orphans"), (long long)number(d, "duplicatesPossible"));
    (void)printf("Store        %s, %lld MiB free\n", text(d, "store"),
        (long long)(number(d, "storeFree") >> 20));
    if (strcmp(text(d, "masterKey"), "beside the store") == 0)
        (void)printf(
            "Master key   WARNING: a plain file beside the store, so a copy of that folder opens "
            "itself; certferry(1), KEYS\n");
}

int cmd_status(struct cli *c)
{
    struct json *answer = NULL;
    int code = cli_ask(c, "{\"command\":\"status\"}", false, &answer);
    const struct json *d;

    if (answer != NULL && !c->json)
        print_status(json_get(answer, "data"), at(answer, "time"));
    if (answer != NULL && code == EXIT_OK && (d = json_get(answer, "data")) != NULL
        && strcmp(text(d, "health"), "ok") != 0)
        code = EXIT_DEGRADED;
    json_free(answer);
    return code;
}

/* ---- requests ---------------------------------------------------------------------------------------------- */

int cmd_requests_list(struct cli *c)
{
    static const char *const heads[] = { "REQUEST", "STATE", "STEP", "WAITS FOR", "AGE", "NEXT",
        "CA", "SUBJECT" };
    struct buf q = BUF_INIT(1024);
    struct json_out o = { .to = &q };
    struct json *answer;
    int code;

    json_open(&o, NULL, '{');
    json_put_text(&o, "command", "requests.list");
    json_put_text(&o, "state", cli_given(c, "--state"));
    json_put_bool(&o, "all", cli_given(c, "--all") != NULL);
    json_close(&o, '}');
    code = cli_ask(c, buf_text(&q), false, &answer);
    buf_free(&q);
    if (answer != NULL && !c->json) {
        const struct json *list = json_get(json_get(answer, "data"), "requests");
        struct cli_table *t = cli_table_new(heads, 8);
        int64_t now = at(answer, "time");

        for (size_t i = 0; i < json_count(list); i++) {
            const struct json *r = json_at(list, i);
            char age[40], next[40];
            const char *const row[] = { text(r, "id"), text(r, "state"), text(r, "step"),
                text(r, "waitsFor"), cli_ago(at(r, "received"), now, age, sizeof age),
                cli_ago(at(r, "next"), now, next, sizeof next), text(r, "ca"), text(r, "subject") };

            cli_table_row(t, row);
        }
        if (json_count(list) == 0)
            (void)fprintf(stderr, "no request%s\n",
                cli_given(c, "--all") != NULL ? "" : " is open; --all lists those that have ended");
        cli_table_print(t);
    }
    json_free(answer);
    return code == EXIT_NO_SERVICE ? EXIT_OK : code;
}

static void print_request(const struct json *r)
{
    static const char *const rows[][2] = { { "Request", "id" }, { "Type", "type" },
        { "State", "state" }, { "Step", "step" }, { "Waits for", "waitsFor" },
        { "Subject", "subject" }, { "CA", "ca" }, { "Template", "template" },
        { "CA reference", "caReference" }, { "Serial", "serialNumber" }, { "Created", "created" },
        { "Received", "received" }, { "Expires", "expires" }, { "Next", "next" },
        { "Ended", "ended" }, { "Activity", "activity" }, { "Reason", "reason" } };

    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        if (text(r, rows[i][1])[0] != '\0')
            (void)printf("%-13s %s\n", rows[i][0], text(r, rows[i][1]));
    (void)printf("%-13s %lld failed since the last step forward; submitted %lld times\n",
        "Attempts", (long long)number(r, "attempts"), (long long)number(r, "submissions"));
}

static int one(struct cli *c, const char *command, bool changes, struct json **answer)
{
    struct buf q = BUF_INIT(4096);
    struct json_out o = { .to = &q };
    int code;

    json_open(&o, NULL, '{');
    json_put_text(&o, "command", command);
    json_put_text(&o, "id", c->args[0]);
    json_close(&o, '}');
    code = cli_ask(c, buf_text(&q), changes, answer);
    buf_free(&q);
    return code == EXIT_NO_SERVICE ? EXIT_OK : code;
}

int cmd_requests_show(struct cli *c)
{
    struct json *answer;
    int code = one(c, "requests.show", false, &answer);

    if (answer != NULL && !c->json) {
        const struct json *d = json_get(answer, "data"), *h = json_get(d, "history");

        print_request(json_get(d, "request"));
        (void)printf("\n");
        for (size_t i = 0; i < json_count(h); i++)
            (void)printf("%s  %-12s %s\n", text(json_at(h, i), "time"),
                text(json_at(h, i), "event"), text(json_at(h, i), "text"));
    }
    json_free(answer);
    return code;
}

static int changed(struct cli *c, const char *command, const char *said)
{
    struct json *answer;
    int code = one(c, command, true, &answer);

    if (answer != NULL && !c->json)
        (void)printf("request %s %s\n", text(json_get(answer, "data"), "id"), said);
    json_free(answer);
    return code;
}

int cmd_requests_retry(struct cli *c)
{
    return changed(c, "requests.retry", "is tried again now");
}

int cmd_requests_cancel(struct cli *c)
{
    return cli_sure(c) ? changed(c, "requests.cancel", "is cancelled") : EXIT_INTERRUPTED;
}

int cmd_orphans_list(struct cli *c)
{
    static const char *const heads[] = { "SERIAL", "CA", "REQUEST", "SUBJECT", "WHY" };
    struct json *answer;
    int code = cli_ask(c, "{\"command\":\"orphans.list\"}", false, &answer);

    if (answer != NULL && !c->json) {
        const struct json *list = json_get(json_get(answer, "data"), "orphans");
        struct cli_table *t = cli_table_new(heads, 5);

        for (size_t i = 0; i < json_count(list); i++) {
            const struct json *r = json_at(list, i);
            const char *const row[] = { text(r, "serialNumber")[0] != '\0' ? text(r, "serialNumber")
                                                                           : "(possible)",
                text(r, "ca"), text(r, "request"), text(r, "subject"), text(r, "reason") };

            cli_table_row(t, row);
        }
        cli_table_print(t);
    }
    json_free(answer);
    return code == EXIT_NO_SERVICE ? EXIT_OK : code;
}

int cmd_version(struct cli *c)
{
    struct buf data = BUF_INIT(4096);
    struct json_out o = { .to = &data };

    json_open(&o, NULL, '{');
    json_put_text(&o, "version", CERTFERRY_VERSION);
    json_put_text(&o, "openssl", lib_version());
    json_put_text(&o, "io", io_versions());
    json_put_text(&o, "store", store_library());
    json_close(&o, '}');
    if (c->json)
        cli_envelope("certferry.version/1", &data, NULL, EXIT_OK);
    else
        (void)printf("certferry %s\n%s, %s, %s\n", CERTFERRY_VERSION, lib_version(), io_versions(),
            store_library());
    buf_free(&data);
    return EXIT_OK;
}
