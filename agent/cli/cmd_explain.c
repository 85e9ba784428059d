/* explain: what a code means and what to do.  See explain.h. */
#include <stdio.h>
#include <string.h>
#include "agent/cli/cli.h"
#include "agent/cli/explain.h"

enum { DATA_MAX = 1 << 20 };

struct asked {
    const char *code; /* NULL: every one */
    size_t found;
    bool json;
    enum explain_kind last;
    struct json_out *out;
};

static void put(struct json_out *o, const struct explanation *x)
{
    json_open(o, NULL, '{');
    json_put_text(o, "code", x->code);
    json_put_text(o, "kind", explain_kind_name(x->kind));
    json_put_text(o, "number", x->number[0] != '\0' ? x->number : NULL);
    json_put_text(o, "title", x->title);
    json_put_text(o, "means", x->means);
    json_put_text(o, "todo", x->todo);
    json_close(o, '}');
}

static void print(const struct asked *a, const struct explanation *x)
{
    if (a->code == NULL) {
        if (x->kind != a->last)
            (void)printf("%s%s\n", a->found > 0 ? "\n" : "", explain_kind_name(x->kind));
        (void)printf("  %-30s %s\n", x->code, x->title);
        return;
    }
    (void)printf("%s%s (%s%s%s): %s\n  %s\n  do:  %s\n", a->found > 0 ? "\n" : "", x->code,
        explain_kind_name(x->kind), x->number[0] != '\0' ? " " : "", x->number, x->title, x->means,
        x->todo);
}

static void one(void *arg, const struct explanation *x)
{
    struct asked *a = arg;

    if (a->code != NULL && !explain_is(x, a->code))
        return;
    if (a->json)
        put(a->out, x);
    else
        print(a, x);
    a->last = x->kind;
    a->found++;
}

int cmd_explain(struct cli *c)
{
    struct buf data = BUF_INIT(DATA_MAX);
    struct json_out o = { .to = &data };
    struct asked a = { c->arg_count > 0 ? c->args[0] : NULL, 0, c->json, EXPLAIN_NONE, &o };
    struct err e;
    int code = EXIT_OK;

    json_open(&o, NULL, '{');
    json_open(&o, "codes", '[');
    explain_each(one, &a);
    json_close(&o, ']');
    json_close(&o, '}');
    if (a.found == 0) {
        (void)err_set(&e, ERR_GONE, "there is no code %.60s", a.code);
        code = cli_fail(c, &e,
            "certferry explain, which lists every code; an option: certferry "
            "config explain KEY");
    } else if (c->json) {
        cli_envelope("certferry.explain/1", &data, NULL, EXIT_OK);
    }
    buf_free(&data);
    return code;
}
