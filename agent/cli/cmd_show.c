/* requests, version: what a person sees of the answers of control.h. */
#include <stdio.h>
#include <string.h>
#include "agent/base/io.h"
#include "agent/cli/cli.h"
#include "agent/store/store.h"
#include "certs/lib.h"

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
    json_put_bool(&o, "stuck", cli_given(c, "--stuck") != NULL);
    if (cli_given(c, "--since") != NULL)
        json_put_int(&o, "since", io_wall_s() - cli_seconds(c, "--since", 0));
    json_close(&o, '}');
    code = cli_ask(c, buf_text(&q), false, &answer);
    buf_free(&q);
    if (answer != NULL && !c->json) {
        const struct json *list = json_get(json_get(answer, "data"), "requests");
        struct cli_table *t = cli_table_new(heads, 8);
        int64_t now = cli_time(answer, "time");

        for (size_t i = 0; i < json_count(list); i++) {
            const struct json *r = json_at(list, i);
            char age[40], next[40];
            const char *const row[] = { cli_text(r, "id"), cli_text(r, "state"),
                cli_text(r, "step"), cli_text(r, "waitsFor"),
                cli_ago(cli_time(r, "received"), now, age, sizeof age),
                cli_ago(cli_time(r, "next"), now, next, sizeof next), cli_text(r, "ca"),
                cli_text(r, "subject") };

            cli_table_row(t, row);
        }
        if (json_count(list) == 0)
            (void)fprintf(stderr, "no request%s\n",
                cli_given(c, "--stuck") != NULL ? " is stuck"
                : cli_given(c, "--all") != NULL ? ""
                                                : " is open; --all lists those that have ended");
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
        if (cli_text(r, rows[i][1])[0] != '\0')
            (void)printf("%-13s %s\n", rows[i][0], cli_text(r, rows[i][1]));
    (void)printf("%-13s %lld failed since the last step forward; submitted: %lld\n", "Attempts",
        (long long)cli_number(r, "attempts"), (long long)cli_number(r, "submissions"));
}

/* A reason stays with the request until the next one: it is said once. */
static void print_history(const struct json *h)
{
    const char *before = "";

    for (size_t i = 0; i < json_count(h); i++) {
        const char *text = cli_text(json_at(h, i), "text");
        bool again = text[0] == '\0' || strcmp(text, before) == 0;

        if (again)
            (void)printf(
                "%s  %s\n", cli_text(json_at(h, i), "time"), cli_text(json_at(h, i), "event"));
        else
            (void)printf("%s  %-12s %s\n", cli_text(json_at(h, i), "time"),
                cli_text(json_at(h, i), "event"), text);
        before = text;
    }
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
        print_history(h);
    }
    json_free(answer);
    return code;
}

static int changed(struct cli *c, const char *command, const char *said)
{
    struct json *answer;
    int code = one(c, command, true, &answer);

    if (answer != NULL && !c->json)
        (void)printf("request %s %s\n", cli_text(json_get(answer, "data"), "id"), said);
    json_free(answer);
    return code;
}

static int retry_all(struct cli *c)
{
    struct buf q = BUF_INIT(1024);
    struct json_out o = { .to = &q };
    struct json *answer;
    int code;

    json_open(&o, NULL, '{');
    json_put_text(&o, "command", "requests.retry-all");
    json_put_text(&o, "state", cli_given(c, "--state"));
    json_close(&o, '}');
    code = cli_ask(c, buf_text(&q), true, &answer);
    buf_free(&q);
    if (answer != NULL && !c->json)
        (void)printf("%lld requests are tried again now\n",
            (long long)cli_number(json_get(answer, "data"), "count"));
    json_free(answer);
    return code == EXIT_NO_SERVICE ? EXIT_OK : code;
}

int cmd_requests_retry(struct cli *c)
{
    bool all = cli_given(c, "--all") != NULL;

    if ((c->arg_count == 0) != all || all != (cli_given(c, "--state") != NULL))
        return cli_usage(c, "requests retry takes an ID, or --all with --state");
    if (all)
        return retry_all(c);
    return changed(c, "requests.retry", "is tried again now");
}

int cmd_requests_hold(struct cli *c)
{
    return changed(c, "requests.hold", "is held until: certferry requests release");
}

int cmd_requests_release(struct cli *c)
{
    return changed(c, "requests.release", "goes on now");
}

int cmd_requests_cancel(struct cli *c)
{
    return cli_sure(c) ? changed(c, "requests.cancel", "is cancelled") : EXIT_INTERRUPTED;
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
