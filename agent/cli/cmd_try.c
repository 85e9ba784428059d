/* try pkcs, try scep: rehearsals, see rehearse.h and scep_probe.h. */
#include <stdio.h>
#include <string.h>
#include "agent/cli/cli.h"
#include "agent/conf/conf.h"
#include "agent/probe/rehearse.h"
#include "agent/probe/scep_client.h"
#include "agent/probe/scep_own.h"
#include "agent/secrets/secret.h"

enum { DATA_MAX = 1 << 20 };

static void on_stage(void *arg, enum rehearse_stage s, const struct finding *f)
{
    const struct cli *c = arg;

    if (!c->json && (!c->quiet || f->grade == GRADE_FAIL))
        finding_print(f, rehearse_stage_text(s));
    (void)fflush(stdout);
}

static void json(const struct rehearse *r, int code)
{
    struct buf data = BUF_INIT(DATA_MAX);
    struct json_out o = { .to = &data };

    json_open(&o, NULL, '{');
    json_put_text(&o, "ca", r->ca_conf->name);
    json_put_text(&o, "template", r->template_name);
    json_put_bool(&o, "submitted", r->submit);
    json_put_text(&o, "serialNumber", r->serial[0] != '\0' ? r->serial : NULL);
    json_open(&o, "stages", '[');
    for (int i = 0; i < REHEARSE_STAGE_COUNT; i++) {
        json_open(&o, NULL, '{');
        json_put_text(&o, "name", rehearse_stage_text((enum rehearse_stage)i));
        finding_json(&r->found[i], &o);
        json_close(&o, '}');
    }
    json_close(&o, ']');
    json_close(&o, '}');
    cli_envelope("certferry.try-pkcs/1", &data, rehearse_worst(r), code);
    buf_free(&data);
}

static int code_of(const struct rehearse *r)
{
    const struct finding *worst = rehearse_worst(r);

    return worst != NULL ? (int)exit_code_of(worst->cls) : r->pending ? EXIT_TIMEOUT : EXIT_OK;
}

static int rehearse_with(struct cli *c, const struct conf *conf, struct lib *l)
{
    const char *name = cli_given(c, "--ca"), *template_name = cli_given(c, "--template"),
               *subject = cli_given(c, "--subject");
    struct rehearse r = { .conf = conf,
        .lib = l,
        .subject = subject != NULL ? subject : "CN=certferry-test",
        .submit = cli_given(c, "--submit") != NULL,
        .on_stage = on_stage,
        .arg = c };
    struct vault keys = { 0 };
    struct err e;
    int code;

    r.ca_conf = name != NULL ? conf_ca(conf, name) : conf->ca_count > 0 ? &conf->cas[0] : NULL;
    if (r.ca_conf == NULL) {
        (void)err_set(
            &e, ERR_GONE, "no section ca \"%.63s\" in %s", name != NULL ? name : "", c->config);
        return cli_fail(c, &e, "certferry config list, which shows every section");
    }
    r.template_name = template_name != NULL            ? template_name
                      : r.ca_conf->templates.count > 0 ? r.ca_conf->templates.at[0]
                                                       : "";
    r.secrets = cli_secrets(c, conf, l, &keys);
    rehearse_run(&r);
    code = code_of(&r);
    if (c->json)
        json(&r, code);
    rehearse_free(&r);
    secrets_close(r.secrets);
    vault_close(&keys);
    return code;
}

static int with_conf(
    struct cli *c, int (*fn)(struct cli *c, const struct conf *conf, struct lib *l))
{
    struct err e;
    struct conf *conf = conf_load(c->config, &e);
    struct lib *l;
    int code;

    if (conf == NULL)
        return cli_fail(c, &e, "certferry check --config %s", c->config);
    if ((code = cli_io(c, &l)) == 0) {
        code = fn(c, conf, l);
        cli_io_end(l);
    }
    conf_free(conf);
    return code;
}

int cmd_try_pkcs(struct cli *c)
{
    return with_conf(c, rehearse_with);
}

/* ---- try scep ---------------------------------------------------------------------------------------------------------- */

static const struct conf_scep *endpoint(const struct conf *conf, const char *name)
{
    for (size_t i = 0; i < conf->scep_count; i++)
        if (name == NULL || strcmp(conf->sceps[i].name, name) == 0)
            return &conf->sceps[i];
    return NULL;
}

static int at_own(struct cli *c, const struct conf *conf, struct lib *l)
{
    const char *name = c->arg_count > 0 ? c->args[0] : NULL;
    const struct conf_scep *s = endpoint(conf, name);
    struct scep_own own;
    struct err e;

    if (s == NULL) {
        if (conf->scep_count == 0)
            (void)err_set(&e, ERR_GONE, "no section scep is in %s", c->config);
        else
            (void)err_set(&e, ERR_GONE, "no section scep \"%.63s\" in %s; there is \"%s\"", name,
                c->config, conf->sceps[0].name);
        return cli_fail(c, &e,
            conf->scep_count == 0 ? "certferry.conf(5), section scep; certferry config explain scep"
                                  : "certferry ra show, which lists each");
    }
    (void)err_set(&e, ERR_CONFIG, "%s has no section listen", c->config);
    for (size_t i = 0; i < conf->listen_count; i++)
        if (scep_own(l, s, &conf->listens[i], &own, &e) == 0) {
            const char *trust = cli_given(c, "--trust");
            const struct scep_client_conf to = { own.url, trust != NULL ? trust : own.trust,
                own.address, 0 };

            return cli_scep_test(c, l, &to);
        }
    return cli_fail(c, &e, "certferry scep test URL");
}

int cmd_try_scep(struct cli *c)
{
    return with_conf(c, at_own);
}
