/* proxy show, proxy test: the way out as the service takes it, and whether it is open. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "agent/base/log.h"
#include "agent/cli/cli.h"
#include "agent/cli/cmd_proxy_inner.h"
#include "agent/conf/conf_key.h"
#include "agent/probe/finding.h"
#include "agent/secrets/secret.h"
#include "certs/mem.h"

enum { DATA_MAX = 1 << 20, VALUE_MAX = 64 << 10 };

/* ---- for all of them ---------------------------------------------------------------------------------------------- */

int proxy_open(struct cli *c, struct proxy_command *p)
{
    struct err missing, e;

    *p = (struct proxy_command){ .c = c };
    log_open(LOG_HUMAN, LOG_LEVEL_ERROR);
    if ((p->conf = conf_load_incomplete(c->config, &missing, &e)) == NULL)
        return cli_fail(c, &e, "certferry config validate --config %s", c->config);
    p->list = xcalloc(DESTINATIONS_MAX, sizeof *p->list);
    return EXIT_OK;
}

/* What a test needs: the loop, and the secrets of the store. */
int proxy_open_io(struct proxy_command *p)
{
    int code = cli_io(p->c, &p->lib);

    if (code == EXIT_OK)
        p->secrets = cli_secrets(p->c, p->conf, p->lib, &p->vault);
    return code;
}

void proxy_close(struct proxy_command *p)
{
    secrets_close(p->secrets);
    if (p->lib != NULL)
        vault_close(&p->vault);
    cli_io_end(p->lib);
    free(p->list);
    conf_free(p->conf);
}

const struct destination *proxy_try_all(struct proxy_command *p, const struct conf *conf)
{
    const struct destination *worst = NULL;

    for (size_t i = 0; i < p->count; i++) {
        struct destination *d = &p->list[i];

        destination_try(conf, p->secrets, d);
        if (d->why.cls != ERR_NONE && worst == NULL)
            worst = d;
    }
    return worst;
}

void proxy_put_list(const struct proxy_command *p, struct json_out *o)
{
    json_open(o, "destinations", '[');
    for (size_t i = 0; i < p->count; i++) {
        json_open(o, NULL, '{');
        destination_json(&p->list[i], o);
        json_close(o, '}');
    }
    json_close(o, ']');
}

static const char *way_text(const struct destination *d)
{
    if (d->way.url[0] != '\0')
        return d->way.url;
    return d->why.cls == ERR_NONE || d->tried ? "straight" : "none can be found";
}

/* A failure is three lines of its own; the same one of several destinations is said once for each. */
void proxy_print_tried(const struct proxy_command *p)
{
    static const char *const heads[] = { "DESTINATION", "WAY", "BECAUSE OF", "RESULT" };
    struct cli_table *t = cli_table_new(heads, 4);

    for (size_t i = 0; i < p->count; i++) {
        const struct destination *d = &p->list[i];
        char result[80];

        if (d->why.cls != ERR_NONE)
            (void)snprintf(result, sizeof result, "FAIL %s", err_name(d->why.cls) + 4);
        else if (d->status != 0)
            (void)snprintf(
                result, sizeof result, "ok, answered %d in %lld ms", d->status, (long long)d->ms);
        else
            (void)snprintf(result, sizeof result, "ok, TLS stands (%lld ms)", (long long)d->ms);
        cli_table_row(t, (const char *const[]){ d->name, way_text(d), d->way.why, result });
    }
    cli_table_print(t);
    (void)fflush(stdout); /* before what is said of it */
}

int proxy_fail_tried(const struct proxy_command *p)
{
    int code = EXIT_OK;
    char fix[300];

    for (size_t i = 0; i < p->count; i++) {
        const struct destination *d = &p->list[i];
        int its;

        if (d->why.cls == ERR_NONE)
            continue;
        destination_fix(d, fix, sizeof fix);
        its = cli_fail(p->c, &d->why, "%s", fix);
        code = code == EXIT_OK ? its : code;
    }
    return code;
}

/* ---- show ----------------------------------------------------------------------------------------------------------- */

static void print_settings(const struct conf *conf)
{
    static const char *const heads[] = { "SETTING", "VALUE", "FROM" };
    struct cli_table *t = cli_table_new(heads, 3);
    struct buf value = BUF_INIT(VALUE_MAX);
    char name[80], origin[4400];

    for (size_t i = 0; i < conf_option_count; i++) {
        const struct conf_option *o = &conf_options[i];

        if (strcmp(o->section, "proxy") != 0)
            continue;
        buf_reset(&value);
        (void)!conf_value_text(conf, o, NULL, &value);
        (void)snprintf(name, sizeof name, "proxy.%s", o->key);
        conf_origin_text(conf_origin(conf, o, NULL), origin, sizeof origin);
        cli_table_row(
            t, (const char *const[]){ name, value.len > 0 ? buf_text(&value) : "-", origin });
    }
    cli_table_print(t);
    buf_free(&value);
}

static void put_settings(const struct conf *conf, struct json_out *o)
{
    char origin[4400];

    json_open(o, "settings", '[');
    for (size_t i = 0; i < conf_option_count; i++) {
        const struct conf_option *k = &conf_options[i];

        if (strcmp(k->section, "proxy") != 0)
            continue;
        json_open(o, NULL, '{');
        json_put_text(o, "option", k->key);
        conf_value_json(conf, k, NULL, o);
        conf_origin_text(conf_origin(conf, k, NULL), origin, sizeof origin);
        json_put_text(o, "origin", origin);
        json_close(o, '}');
    }
    json_close(o, ']');
}

static void print_ways(const struct proxy_command *p)
{
    static const char *const heads[] = { "DESTINATION", "URL", "WAY", "BECAUSE OF", "CREDENTIAL" };
    struct cli_table *t = cli_table_new(heads, 5);

    for (size_t i = 0; i < p->count; i++) {
        const struct destination *d = &p->list[i];

        cli_table_row(t, (const char *const[]){ d->name, d->url, way_text(d), d->way.why,
                             d->credential != NULL ? d->credential : "-" });
    }
    (void)printf("\n");
    cli_table_print(t);
}

static bool asks_environment(const struct conf *c)
{
    return c->proxy.url != NULL && strcmp(c->proxy.url, "auto") == 0;
}

int cmd_proxy_show(struct cli *c)
{
    struct buf data = BUF_INIT(DATA_MAX);
    struct json_out o = { .to = &data };
    struct proxy_command p;
    int code = proxy_open(c, &p);

    if (code != EXIT_OK)
        return code;
    p.count = destination_list(p.conf, p.list);
    if (asks_environment(p.conf))
        cli_warn(c, "ENVIRONMENT", "look at it with: systemctl show certferry -p Environment",
            "proxy.url is auto: what is shown here follows this command's environment, which the "
            "service may not have%s%s",
            proxy_conflict() != NULL ? "; " : "", proxy_conflict() != NULL ? proxy_conflict() : "");
    if (c->json) {
        json_open(&o, NULL, '{');
        put_settings(p.conf, &o);
        proxy_put_list(&p, &o);
        json_close(&o, '}');
        cli_envelope("certferry.proxy/1", &data, NULL, EXIT_OK);
    } else {
        print_settings(p.conf);
        if (p.count > 0)
            print_ways(&p);
        for (size_t i = 0; i < p.count && code == EXIT_OK; i++)
            if (p.list[i].why.cls != ERR_NONE)
                code = cli_fail(c, &p.list[i].why, "certferry config validate");
    }
    proxy_close(&p);
    buf_free(&data);
    return code;
}

/* ---- test ----------------------------------------------------------------------------------------------------------- */

int proxy_report(struct proxy_command *p, const struct destination *worst, const char *schema)
{
    struct buf data = BUF_INIT(DATA_MAX);
    struct json_out o = { .to = &data };
    struct finding f = { 0 };
    int code = EXIT_OK;

    if (!p->c->json) {
        proxy_print_tried(p);
        return proxy_fail_tried(p);
    }
    if (worst != NULL) {
        char fix[300];

        destination_fix(worst, fix, sizeof fix);
        finding_set(&f, GRADE_FAIL, worst->why.cls, "%s", worst->why.msg);
        finding_fix(&f, "%s", fix);
        code = (int)exit_code_of(worst->why.cls);
    }
    json_open(&o, NULL, '{');
    proxy_put_list(p, &o);
    json_close(&o, '}');
    cli_envelope(schema, &data, worst != NULL ? &f : NULL, code);
    buf_free(&data);
    return code;
}

int cmd_proxy_test(struct cli *c)
{
    struct proxy_command p;
    struct err e;
    int code = proxy_open(c, &p);

    if (code != EXIT_OK)
        return code;
    if (c->arg_count > 0 && destination_of(p.conf, c->args[0], &p.list[0], &e) != 0)
        code = cli_fail(c, &e, "name a destination, as https://login.example.com");
    else if ((p.count = c->arg_count > 0 ? 1 : destination_list(p.conf, p.list)) == 0) {
        (void)err_set(&e, ERR_CONFIG, "neither a cloud nor a CA is configured yet");
        code = cli_fail(c, &e, "certferry proxy test URL");
    } else if ((code = proxy_open_io(&p)) == EXIT_OK)
        code = proxy_report(&p, proxy_try_all(&p, p.conf), "certferry.proxy.test/1");
    proxy_close(&p);
    return code;
}
