/* orphans: certificates that exist, or may, and reached nobody. */
#include <stdio.h>
#include <string.h>
#include "agent/cli/cli.h"

static int ask(struct cli *c, const char *command, bool changes, struct json **answer)
{
    struct buf q = BUF_INIT(4096);
    struct json_out o = { .to = &q };
    int code;

    json_open(&o, NULL, '{');
    json_put_text(&o, "command", command);
    json_put_text(&o, "request", c->arg_count > 0 ? c->args[0] : NULL);
    json_put_text(&o, "note", cli_given(c, "--note"));
    json_put_bool(&o, "all", cli_given(c, "--all") != NULL);
    json_close(&o, '}');
    code = cli_ask(c, buf_text(&q), changes, answer);
    buf_free(&q);
    return code == EXIT_NO_SERVICE ? EXIT_OK : code;
}

int cmd_orphans_list(struct cli *c)
{
    static const char *const heads[] = { "SERIAL", "CA", "REQUEST", "SUBJECT", "AGE", "WHY" };
    struct json *answer;
    int code = ask(c, "orphans.list", false, &answer);

    if (answer != NULL && !c->json) {
        const struct json *list = json_get(json_get(answer, "data"), "orphans");
        struct cli_table *t = cli_table_new(heads, 6);

        for (size_t i = 0; i < json_count(list); i++) {
            const struct json *r = json_at(list, i);
            const char *serial = cli_text(r, "serialNumber");
            bool settled = cli_text(r, "settled")[0] != '\0';
            char age[40];
            const char *const row[] = { serial[0] != '\0' ? serial : "(possible)",
                cli_text(r, "ca"), cli_text(r, "request"), cli_text(r, "subject"),
                cli_ago(cli_time(r, "time"), cli_time(answer, "time"), age, sizeof age),
                settled ? cli_text(r, "settled") : cli_text(r, "reason") };

            cli_table_row(t, row);
        }
        if (json_count(list) == 0)
            (void)fprintf(stderr, "no orphans%s\n",
                cli_given(c, "--all") != NULL ? "" : "; --all lists those that are dealt with");
        cli_table_print(t);
    }
    json_free(answer);
    return code;
}

static void print(const struct json *answer)
{
    static const char *const rows[][2] = { { "Serial", "serialNumber" },
        { "Public key", "publicKeySha256" }, { "CA", "ca" }, { "Request", "request" },
        { "Subject", "subject" }, { "Since", "time" }, { "Why", "reason" },
        { "Dealt with", "settledAt" }, { "By", "settled" } };
    const struct json *list = json_get(json_get(answer, "data"), "orphans");

    for (size_t i = 0; i < json_count(list); i++) {
        if (i > 0)
            (void)printf("\n");
        for (size_t n = 0; n < sizeof rows / sizeof rows[0]; n++)
            if (cli_text(json_at(list, i), rows[n][1])[0] != '\0')
                (void)printf("%-11s %s\n", rows[n][0], cli_text(json_at(list, i), rows[n][1]));
    }
}

static int shown(struct cli *c, const char *command, bool changes)
{
    struct json *answer;
    int code = ask(c, command, changes, &answer);

    if (answer != NULL && !c->json)
        print(answer);
    json_free(answer);
    return code;
}

int cmd_orphans_show(struct cli *c)
{
    return shown(c, "orphans.list", false);
}

int cmd_orphans_adopt(struct cli *c)
{
    return shown(c, "orphans.adopt", true);
}

int cmd_orphans_revoke(struct cli *c)
{
    return shown(c, "orphans.revoke", true);
}
