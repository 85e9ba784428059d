/* doctor: what a person sees of doctor.h. */
#include <stdio.h>
#include <string.h>
#include <unistd.h>
#include "agent/base/clock.h"
#include "agent/base/log.h"
#include "agent/cli/cli.h"
#include "agent/conf/conf.h"
#include "agent/doctor/doctor.h"
#include "agent/io/io_look.h"

enum { DATA_MAX = 4 << 20 };

/* ---- for people: each row as it is found ----------------------------------------------------------------------------------- */

struct paper {
    bool quiet, progress, waiting; /* waiting: a line that will be written over stands there */
    char about[400];
};

static void clear(struct paper *p)
{
    if (p->waiting)
        (void)fprintf(stderr, "\r\033[K");
    p->waiting = false;
}

static void on_wait(void *arg, const char *what, size_t of)
{
    struct paper *p = arg;

    if (!p->progress)
        return;
    clear(p);
    (void)fprintf(stderr, "%s (%zu) ...", what, of);
    (void)fflush(stderr);
    p->waiting = true;
}

static void on_row(void *arg, const struct doctor_row *r)
{
    struct paper *p = arg;
    const struct finding *f = &r->found;

    if (p->quiet && f->grade != GRADE_FAIL)
        return;
    clear(p);
    if (strcmp(p->about, r->about) != 0)
        (void)printf("\n%s%s", r->about, r->about[0] != '\0' ? "\n" : "");
    (void)snprintf(p->about, sizeof p->about, "%s", r->about);
    (void)printf(
        "%-4s  %-8s  %5lld ms  %s\n", grade_name(f->grade), r->code, (long long)r->ms, f->fact);
    if (f->fix[0] != '\0')
        (void)printf("%16sfix:  %s\n", "", f->fix);
    (void)fflush(stdout);
}

static void summary(const struct doctor *d)
{
    const struct doctor_row *worst = doctor_worst(d);

    (void)printf("\nSUMMARY: %zu pass, %zu warn, %zu fail, %zu skipped%s%s\n",
        d->grades[GRADE_PASS], d->grades[GRADE_WARN], d->grades[GRADE_FAIL], d->grades[GRADE_SKIP],
        worst != NULL ? ": first fix " : "", worst != NULL ? worst->code : "");
}

/* ---- for programs ------------------------------------------------------------------------------------------------------------ */

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
    json_put_text(&o, "firstFix", worst != NULL ? worst->code : NULL);
    json_open(&o, "rows", '[');
    for (size_t i = 0; i < d->count; i++) {
        json_open(&o, NULL, '{');
        json_put_text(&o, "row", d->rows[i].code);
        json_put_text(&o, "check", doctor_text(d->rows[i].code));
        json_put_text(&o, "about", d->rows[i].about);
        json_put_int(&o, "duration_ms", d->rows[i].ms);
        finding_json(&d->rows[i].found, &o);
        json_close(&o, '}');
    }
    json_close(&o, ']');
    json_close(&o, '}');
    cli_envelope("certferry.doctor/1", &data, worst != NULL ? &worst->found : NULL, code);
    buf_free(&data);
}

/* ---- the command --------------------------------------------------------------------------------------------------------------- */

static int report(struct cli *c, struct doctor *d)
{
    int code = doctor_worst(d) != NULL     ? EXIT_FAILED
               : d->grades[GRADE_WARN] > 0 ? EXIT_DEGRADED
                                           : EXIT_OK;

    if (c->json)
        json(d, code);
    else
        summary(d);
    return code;
}

static int examine(struct cli *c, struct conf *conf, const struct err *unread, struct lib *l)
{
    struct paper paper = { .quiet = c->quiet, .progress = isatty(2) && !c->quiet };
    struct doctor d = { .conf = conf,
        .lib = l,
        .url =
            cli_given(c, "--external") != NULL ? cli_given(c, "--external") : cli_given(c, "--url"),
        .trust = cli_given(c, "--trust"),
        .only = cli_given(c, "--only"),
        .fix = cli_given(c, "--fix") != NULL,
        .dry_run = cli_given(c, "--dry-run") != NULL,
        .on_row = c->json ? NULL : on_row,
        .on_wait = c->json ? NULL : on_wait,
        .arg = &paper };
    struct vault keys = { 0 };
    struct err e;
    int code;

    if (conf != NULL)
        d.secrets = cli_secrets(c, conf, l, &keys);
    if (conf == NULL) {
        doctor_unread(&d, unread);
    } else if (!doctor_run(&d)) {
        (void)err_set(&e, ERR_INPUT, "no row has a code that begins with \"%.40s\"", d.only);
        code = cli_fail(c, &e, "certferry doctor, which shows every code");
        goto done;
    }
    clear(&paper);
    code = report(c, &d);
done:
    doctor_free(&d);
    secrets_close(d.secrets);
    vault_close(&keys);
    return code;
}

static int open_io(struct cli *c, struct lib **l)
{
    struct err e;

    io_look_hasty();
    log_open(LOG_HUMAN, LOG_LEVEL_ERROR);
    if ((*l = lib_new(&e)) != NULL && io_open(DOCTOR_PARALLEL, &e) == 0) {
        clock_start();
        return 0;
    }
    lib_free(*l);
    *l = NULL;
    return cli_fail(c, &e, "free some memory, then try again");
}

int cmd_doctor(struct cli *c)
{
    struct err unread = { 0 }, e;
    const char *url =
        cli_given(c, "--external") != NULL ? cli_given(c, "--external") : cli_given(c, "--url");
    struct conf *conf;
    struct lib *l;
    int code;

    if (url != NULL && http_url_check(url, true, 1000, &e) != 0)
        return cli_fail(c, &e, "give --external as https://scep.contoso.example");
    if ((code = open_io(c, &l)) != 0)
        return code;
    conf = conf_load(c->config, &unread);
    code = examine(c, conf, &unread, l);
    cli_io_end(l);
    conf_free(conf);
    return code;
}
