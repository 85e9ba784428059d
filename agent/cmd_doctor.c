/* doctor: what a person sees of doctor.h. */
#include <stdio.h>
#include <string.h>
#include "agent/cli.h"
#include "agent/conf.h"
#include "agent/doctor.h"

enum { DATA_MAX = 4 << 20 };

static void print(const struct cli *c, const struct doctor *d)
{
    const struct doctor_row *worst = doctor_worst(d);
    const char *about = "";

    for (size_t i = 0; i < d->count; i++) {
        const struct doctor_row *r = &d->rows[i];

        if (c->quiet && r->found.grade != GRADE_FAIL)
            continue;
        if (strcmp(about, r->about) != 0)
            (void)printf("%s%s\n", i > 0 ? "\n" : "", r->about);
        about = r->about;
        finding_print(&r->found, r->code);
    }
    (void)printf("\nSUMMARY: %zu pass, %zu warn, %zu fail, %zu skipped%s%s\n",
        d->grades[GRADE_PASS], d->grades[GRADE_WARN], d->grades[GRADE_FAIL], d->grades[GRADE_SKIP],
        worst != NULL ? ": first fix " : "", worst != NULL ? worst->code : "");
}

static void json(const struct doctor *d, int code)
{
    const struct doctor_row *worst = doctor_worst(d);
    struct buf data = BUF_INIT(DATA_MAX);
    struct json_out o = { .to = &data };

    json_open(&o, NULL, '{');
    json_put_int(&o, "pass", (int64_t)d->grades[GRADE_PASS]);
    json_put_int(&o, "warn", (int64_t)d->grades[GRADE_WARN]);
    json_put_int(&o, "fail", (int64_t)d->grades[GRADE_FAIL]);
    json_put_int(&o, "skip", (int64_t)d->grades[GRADE_SKIP]);
    json_open(&o, "rows", '[');
    for (size_t i = 0; i < d->count; i++) {
        json_open(&o, NULL, '{');
        json_put_text(&o, "row", d->rows[i].code);
        json_put_text(&o, "check", doctor_text(d->rows[i].code));
        json_put_text(&o, "about", d->rows[i].about);
        finding_json(&d->rows[i].found, &o);
        json_close(&o, '}');
    }
    json_close(&o, ']');
    json_close(&o, '}');
    cli_envelope("certferry.doctor/1", &data, worst != NULL ? &worst->found : NULL, code);
    buf_free(&data);
}

static int examine(struct cli *c, const struct conf *conf, struct lib *l)
{
    struct doctor d = { .conf = conf,
        .lib = l,
        .url = cli_given(c, "--url"),
        .trust = cli_given(c, "--trust"),
        .only = cli_given(c, "--only") };
    struct err e;
    int code = EXIT_OK;

    if (!doctor_run(&d)) {
        (void)err_set(&e, ERR_INPUT, "no row has a code that begins with \"%.40s\"", d.only);
        return cli_fail(c, &e, "certferry doctor, which shows every code");
    }
    code = doctor_worst(&d) != NULL ? EXIT_FAILED : EXIT_OK;
    if (c->json)
        json(&d, code);
    else
        print(c, &d);
    doctor_free(&d);
    return code;
}

int cmd_doctor(struct cli *c)
{
    struct err e;
    struct conf *conf = conf_load(c->config, &e);
    const char *url = cli_given(c, "--url");
    struct lib *l;
    int code;

    if (conf == NULL)
        return cli_fail(c, &e, "certferry check --config %s", c->config);
    if (url != NULL && http_url_check(url, true, 1000, &e) != 0)
        code = cli_fail(c, &e, "give --url as https://scep.contoso.example");
    else if ((code = cli_io(c, &l)) == 0) {
        code = examine(c, conf, l);
        cli_io_end(l);
    }
    conf_free(conf);
    return code;
}
