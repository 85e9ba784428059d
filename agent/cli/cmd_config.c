/* config get, list, explain, path, validate: what the service would use, and who said so.  See conf_key.h. */
#include <stdio.h>
#include <string.h>
#include "agent/cli/cli.h"
#include "agent/conf/conf_key.h"

enum { DATA_MAX = 1 << 20, VALUE_MAX = 64 << 10, NAME_LEN = 200, ORIGIN_LEN = 4400 };

/* Also of a configuration that still lacks something: that is said, and no reason to show nothing. */
static struct conf *load(const struct cli *c, int *code)
{
    struct err e, missing;
    struct conf *conf = conf_load_incomplete(c->config, &missing, &e);

    if (conf == NULL)
        *code = cli_fail(c, &e, "mend the line; certferry.conf(5) has every option");
    else if (missing.cls != ERR_NONE)
        cli_warn(c, "INCOMPLETE", "certferry config validate", "%s", missing.msg);
    return conf;
}

static const char *title_of(const struct conf_key *k)
{
    return conf_has_titles(k->section) ? k->title : NULL;
}

/* ---- get ------------------------------------------------------------------------------------------------- */

static void put_setting(
    const struct conf *conf, const struct conf_option *o, const char *title, struct json_out *out)
{
    const struct conf_origin *at = conf_origin(conf, o, title);
    char name[NAME_LEN];

    conf_key_name(o, title, name, sizeof name);
    json_open(out, NULL, '{');
    json_put_text(out, "key", name);
    json_put_text(out, "section", o->section);
    json_put_text(out, "title", title);
    json_put_text(out, "option", o->key);
    conf_value_json(conf, o, title, out);
    json_put_bool(out, "secret", o->type == CONF_SECRET);
    json_open(out, "origin", '{');
    json_put_text(out, "layer", conf_layer_name(at));
    if (at != NULL && at->layer == CONF_FROM_ENVIRONMENT)
        json_put_text(out, "variable", at->file);
    else if (at != NULL)
        json_put_text(out, "file", at->file);
    if (at != NULL && at->line > 0)
        json_put_int(out, "line", at->line);
    json_close(out, '}');
    json_close(out, '}');
}

static int get(struct cli *c, const struct conf *conf, const struct conf_key *k)
{
    struct buf text = BUF_INIT(VALUE_MAX), data = BUF_INIT(DATA_MAX);
    struct json_out o = { .to = &data };
    struct err e;
    int code = EXIT_OK;

    if (!conf_value_text(conf, k->option, title_of(k), &text)) {
        (void)err_set(
            &e, ERR_GONE, "there is no section %s \"%s\" in %s", k->section, k->title, c->config);
        code = cli_fail(c, &e, "certferry config list, which shows what there is");
    } else if (c->json) {
        put_setting(conf, k->option, title_of(k), &o);
        cli_envelope("certferry.config.value/1", &data, NULL, EXIT_OK);
    } else {
        (void)printf("%s\n", buf_text(&text));
    }
    buf_free(&text);
    buf_free(&data);
    return code;
}

int cmd_config_get(struct cli *c)
{
    struct conf_key k;
    struct conf *conf;
    struct err e;
    int code;

    if (conf_key_parse(c->args[0], &k, &e) != 0)
        return cli_fail(c, &e, "certferry config list --all, which shows every option");
    if (k.option == NULL || conf_has_titles(k.section) != (k.title[0] != '\0')) {
        (void)err_set(&e, ERR_INPUT, "%s: %s", c->args[0],
            k.option == NULL ? "a section, not an option" : "which one?  Its section has a name");
        return cli_fail(c, &e, "name it as section.key, or section.name.key");
    }
    if ((conf = load(c, &code)) == NULL)
        return code;
    code = get(c, conf, &k);
    conf_free(conf);
    return code;
}

/* ---- list ------------------------------------------------------------------------------------------------ */

typedef void setting_fn(
    const struct conf *conf, const struct conf_option *o, const char *title, void *arg);

/* Every option of every section there is, or those that were set. */
static void each(const struct conf *conf, bool all, setting_fn *fn, void *arg)
{
    for (size_t s = 0; conf_section_help[s][0] != NULL; s++)
        for (size_t n = 0; n < conf_section_count(conf, conf_section_help[s][0]); n++) {
            const char *title = conf_section_title(conf, conf_section_help[s][0], n);

            for (size_t i = 0; i < conf_option_count; i++)
                if (strcmp(conf_options[i].section, conf_section_help[s][0]) == 0
                    && (all || conf_origin(conf, &conf_options[i], title) != NULL))
                    fn(conf, &conf_options[i], title, arg);
        }
}

static void add_json(
    const struct conf *conf, const struct conf_option *o, const char *title, void *arg)
{
    put_setting(conf, o, title, arg);
}

static void add_row(
    const struct conf *conf, const struct conf_option *o, const char *title, void *arg)
{
    struct buf value = BUF_INIT(VALUE_MAX);
    char name[NAME_LEN], origin[ORIGIN_LEN];
    const char *row[] = { name, "", origin };

    conf_key_name(o, title, name, sizeof name);
    conf_origin_text(conf_origin(conf, o, title), origin, sizeof origin);
    (void)conf_value_text(conf, o, title, &value);
    row[1] = buf_text(&value);
    cli_table_row(arg, row);
    buf_free(&value);
}

int cmd_config_list(struct cli *c)
{
    static const char *const heads[] = { "KEY", "VALUE", "ORIGIN" };
    bool all = cli_given(c, "--all") != NULL, origin = cli_given(c, "--origin") != NULL;
    struct conf *conf;
    int code = EXIT_OK;

    if ((conf = load(c, &code)) == NULL)
        return code;
    if (c->json) {
        struct buf data = BUF_INIT(DATA_MAX);
        struct json_out o = { .to = &data };

        json_open(&o, NULL, '{');
        json_put_text(&o, "file", conf->path);
        json_open(&o, "settings", '[');
        each(conf, all, add_json, &o);
        json_close(&o, ']');
        json_close(&o, '}');
        cli_envelope("certferry.config/1", &data, NULL, EXIT_OK);
        buf_free(&data);
    } else {
        struct cli_table *t = cli_table_new(heads, origin ? 3 : 2);

        each(conf, all, add_row, t);
        cli_table_print(t);
    }
    conf_free(conf);
    return EXIT_OK;
}

/* ---- explain --------------------------------------------------------------------------------------------- */

static void explain_text(const struct conf *conf, const struct conf_option *o, const char *title)
{
    struct buf value = BUF_INIT(VALUE_MAX);
    char name[NAME_LEN], type[300], origin[ORIGIN_LEN], variable[200];

    conf_key_name(o, title, name, sizeof name);
    conf_type_text(o, type, sizeof type);
    conf_environment_name(o,
        title != NULL                 ? title
        : conf_has_titles(o->section) ? "NAME"
                                      : NULL,
        variable, sizeof variable);
    (void)printf("%s\n  %s\n  type:         %s\n", name, o->help, type);
    (void)printf("  default:      %s\n", o->fallback == NULL      ? "none; must be set"
                                         : o->fallback[0] == '\0' ? "not set"
                                                                  : o->fallback);
    (void)printf("  environment:  %s\n", variable);
    if (conf != NULL && conf_value_text(conf, o, title, &value)) {
        conf_origin_text(conf_origin(conf, o, title), origin, sizeof origin);
        (void)printf("  in use:       %s\n  set by:       %s\n",
            value.len > 0 ? buf_text(&value) : "not set", origin);
    }
    buf_free(&value);
}

static void explain_json(
    const struct conf *conf, const struct conf_option *o, const char *title, struct json_out *out)
{
    char type[300];

    conf_type_text(o, type, sizeof type);
    json_open(out, NULL, '{');
    json_put_text(out, "section", o->section);
    json_put_text(out, "option", o->key);
    json_put_text(out, "type", type);
    json_put_bool(out, "required", o->fallback == NULL);
    json_put_text(out, "default", o->fallback);
    json_put_text(out, "unit", o->unit);
    if (o->type == CONF_INT) {
        json_put_int(out, "min", o->min);
        json_put_int(out, "max", o->max);
    }
    json_put_text(out, "help", o->help);
    json_open(out, "settings", '[');
    for (size_t i = 0; conf != NULL && i < conf_section_count(conf, o->section); i++) {
        const char *at = conf_section_title(conf, o->section, i);

        if (title == NULL || at == NULL || strcmp(at, title) == 0)
            put_setting(conf, o, at, out);
    }
    json_close(out, ']');
    json_close(out, '}');
}

/* Without a name: once for each section of the kind, or once for none. */
static void explain_one(const struct conf *conf, const struct conf_option *o, const char *title)
{
    size_t n = conf != NULL ? conf_section_count(conf, o->section) : 0;

    if (title != NULL || !conf_has_titles(o->section) || n == 0)
        explain_text(conf, o, title);
    else
        for (size_t i = 0; i < n; i++)
            explain_text(conf, o, conf_section_title(conf, o->section, i));
}

static void explain(struct cli *c, const struct conf *conf, const struct conf_key *k)
{
    const char *title = k->title[0] != '\0' ? k->title : NULL;
    struct buf data = BUF_INIT(DATA_MAX);
    struct json_out o = { .to = &data };

    json_open(&o, NULL, '{');
    json_open(&o, "options", '[');
    for (size_t i = 0; i < conf_option_count; i++) {
        if (strcmp(conf_options[i].section, k->section) != 0
            || (k->option != NULL && k->option != &conf_options[i]))
            continue;
        if (c->json)
            explain_json(conf, &conf_options[i], title, &o);
        else
            explain_one(conf, &conf_options[i], title);
    }
    json_close(&o, ']');
    json_close(&o, '}');
    if (c->json)
        cli_envelope("certferry.config.explain/1", &data, NULL, EXIT_OK);
    buf_free(&data);
}

/* What an option means does not depend on a configuration that loads. */
int cmd_config_explain(struct cli *c)
{
    struct err e, missing;
    struct conf_key k;
    struct conf *conf;

    if (conf_key_parse(c->args[0], &k, &e) != 0)
        return cli_fail(c, &e, "certferry config list --all, which shows every option");
    if ((conf = conf_load_incomplete(c->config, &missing, &e)) == NULL)
        cli_warn(c, "UNREADABLE", "certferry config validate", "%s", e.msg);
    explain(c, conf, &k);
    conf_free(conf);
    return EXIT_OK;
}

/* ---- path, validate -------------------------------------------------------------------------------------- */

int cmd_config_path(struct cli *c)
{
    struct buf data = BUF_INIT(DATA_MAX);
    struct json_out o = { .to = &data };
    struct conf *conf;
    int code = EXIT_OK;

    if ((conf = load(c, &code)) == NULL)
        return code;
    json_open(&o, NULL, '{');
    json_put_text(&o, "file", conf->path);
    json_open(&o, "dropIns", '[');
    for (size_t i = 1; i < conf->files.count; i++)
        json_put_text(&o, NULL, conf->files.at[i]);
    json_close(&o, ']');
    json_close(&o, '}');
    if (c->json)
        cli_envelope("certferry.config.path/1", &data, NULL, EXIT_OK);
    for (size_t i = 0; !c->json && i < conf->files.count; i++)
        (void)printf("%s\n", conf->files.at[i]);
    buf_free(&data);
    conf_free(conf);
    return EXIT_OK;
}

static void warn_of_variable(void *arg, const char *name)
{
    cli_warn(arg, "VARIABLE", "certferry config explain KEY, which shows an option's variable",
        "%s: no option has this variable", name);
}

int cmd_config_validate(struct cli *c)
{
    struct err e, missing;
    struct conf *conf;

    if (c->arg_count > 0)
        c->config = c->args[0];
    if ((conf = conf_load_incomplete(c->config, &missing, &e)) != NULL)
        (void)conf_environment_unknown(conf, warn_of_variable, c);
    conf_free(conf);
    return cmd_check(c);
}
