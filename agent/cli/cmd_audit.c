/* audit: is the log whole, and what stands in it. */
#include <stdio.h>
#include <string.h>
#include "agent/base/io.h"
#include "agent/cli/cli.h"

enum { EXPORT_MAX = 64 << 20 };

static int ask_verdict(struct cli *c, struct json **answer)
{
    struct buf q = BUF_INIT(1024);
    struct json_out o = { .to = &q };
    int code;

    json_open(&o, NULL, '{');
    json_put_text(&o, "command", "audit.verify");
    json_put_text(&o, "head", c->arg_count > 0 ? c->args[0] : NULL);
    json_close(&o, '}');
    code = cli_ask(c, buf_text(&q), false, answer);
    buf_free(&q);
    return code == EXIT_NO_SERVICE ? EXIT_OK : code;
}

int cmd_audit_verify(struct cli *c)
{
    struct json *answer;
    int code = ask_verdict(c, &answer);
    const struct json *d = answer != NULL ? json_get(answer, "data") : NULL;
    bool cut = c->arg_count > 0 && !cli_true(d, "headFound");

    if (d != NULL && (!cli_true(d, "whole") || cut)) {
        code = EXIT_FAILED;
        if (!c->json)
            (void)fprintf(stderr,
                "error: the audit log is not as it was written\n  seen: %s\n  fix:  compare with "
                "the "
                "last export; somebody has changed the store, or put an older one in its place\n",
                cli_true(d, "whole") ? "it is whole, but has no record with this hash"
                                     : cli_text(d, "why"));
    } else if (d != NULL && !c->json) {
        (void)printf("whole: %lld records, head %s\n", (long long)cli_number(d, "records"),
            cli_text(d, "head")[0] != '\0' ? cli_text(d, "head") : "-");
    }
    json_free(answer);
    return code;
}

/* Lines on standard output, or the elements of one document. */
static void take(const struct json *list, struct buf *all)
{
    struct buf line = BUF_INIT(16384);

    for (size_t i = 0; i < json_count(list); i++) {
        buf_reset(&line);
        json_print(json_at(list, i), &line);
        if (all == NULL)
            (void)printf("%s\n", buf_text(&line));
        else
            buf_printf(all, "%s%s", all->len > 0 ? "," : "", buf_text(&line));
    }
    buf_free(&line);
}

static int document(struct cli *c, struct buf *records)
{
    struct buf data = BUF_INIT(records->len + 100);
    struct err e;
    int code = EXIT_OK;

    buf_printf(&data, "{\"records\":[%s]}", buf_text(records));
    if (buf_check(records, &e) != 0)
        code = cli_fail(c, &e, "certferry audit export without --json, or with --since");
    else
        cli_envelope("certferry.audit.export/1", &data, NULL, EXIT_OK);
    buf_free(&data);
    return code;
}

/* Piece by piece: the log may be longer than an answer can be. */
int cmd_audit_export(struct cli *c)
{
    struct buf all = BUF_INIT(EXPORT_MAX);
    int64_t from = 1;
    int code = EXIT_OK;

    c->answer_hidden = true;
    while (from != 0 && code == EXIT_OK) {
        struct buf q = BUF_INIT(1024);
        struct json_out o = { .to = &q };
        struct json *answer;

        json_open(&o, NULL, '{');
        json_put_text(&o, "command", "audit.export");
        json_put_int(&o, "from", from);
        if (cli_given(c, "--since") != NULL)
            json_put_int(&o, "since", io_wall_s() - cli_seconds(c, "--since", 0));
        json_close(&o, '}');
        code = cli_ask(c, buf_text(&q), false, &answer);
        buf_free(&q);
        if (code == EXIT_NO_SERVICE)
            code = EXIT_OK;
        from = 0;
        if (answer != NULL) {
            take(json_get(json_get(answer, "data"), "records"), c->json ? &all : NULL);
            from = cli_number(json_get(answer, "data"), "next");
        }
        json_free(answer);
    }
    c->answer_hidden = false;
    if (code == EXIT_OK && c->json)
        code = document(c, &all);
    buf_free(&all);
    return code;
}
