/* manual PART: the parts of the manual pages that are tables in the program, as scdoc source. */
#include <stdio.h>
#include <string.h>
#include "agent/cli.h"
#include "agent/conf.h"
#include "agent/metrics.h"

static void commands(void)
{
    for (const struct command *k = cli_commands; k->noun != NULL; k++)
        if (k->run != cmd_manual)
            (void)printf("*%s%s%s*%s%s%s\n\t%s\n\n", k->noun, k->verb ? " " : "",
                k->verb ? k->verb : "", k->args[0] != '\0' ? " _" : "", k->args,
                k->args[0] != '\0' ? "_" : "", k->help);
}

static void options(void)
{
    for (const struct cli_option *o = cli_options; o->name != NULL; o++)
        (void)printf("*%s*%s%s%s\n\t%s\n\n", o->name, o->value ? " _" : "",
            o->value ? o->value : "", o->value ? "_" : "", o->help);
}

static const char *type_name(const struct conf_option *o)
{
    static const char *const names[] = { [CONF_TEXT] = "text",
        [CONF_TEXT_OR_EMPTY] = "text",
        [CONF_FILE] = "path",
        [CONF_SECRET] = "path or secret:NAME",
        [CONF_PROXY] = "proxy",
        [CONF_INT] = "number",
        [CONF_BOOL] = "true or false",
        [CONF_LIST] = "list of texts",
        [CONF_CHOICE] = "one of" };

    return names[o->type];
}

static void configuration(void)
{
    for (size_t s = 0; conf_section_help[s][0] != NULL; s++) {
        (void)printf("## %s\n\n%s\n\n", conf_section_help[s][0], conf_section_help[s][1]);
        for (size_t i = 0; i < conf_option_count; i++) {
            const struct conf_option *o = &conf_options[i];

            if (strcmp(o->section, conf_section_help[s][0]) != 0)
                continue;
            (void)printf("*%s* (%s%s%s", o->key, type_name(o), o->choices ? " " : "",
                o->choices ? o->choices : "");
            if (o->type == CONF_INT)
                (void)printf(", %lld to %lld%s%s", (long long)o->min, (long long)o->max,
                    o->unit ? " " : "", o->unit ? o->unit : "");
            (void)printf("%s%s)\n\t%s\n\n",
                o->fallback == NULL ? ", must be set"
                : o->fallback[0]    ? ", default "
                                    : "",
                o->fallback != NULL ? o->fallback : "", o->help);
        }
    }
}

static const char *title_sample(const char *section)
{
    static const char *const titles[][2] = { { "ca", " \"issuing1\"" },
        { "listen", " \"devices\"" }, { "scep", " \"ndes\"" }, { "plugin", " \"intune\"" } };

    for (size_t i = 0; i < sizeof titles / sizeof titles[0]; i++)
        if (strcmp(titles[i][0], section) == 0)
            return titles[i][1];
    return "";
}

/* Every option, commented out unless it must be set. */
static void sample(void)
{
    for (size_t s = 0; conf_section_help[s][0] != NULL; s++) {
        const char *name = conf_section_help[s][0];

        (void)printf("# %s\n%s%s {\n", conf_section_help[s][1], name, title_sample(name));
        for (size_t i = 0; i < conf_option_count; i++) {
            const struct conf_option *o = &conf_options[i];
            bool quoted = o->type != CONF_INT && o->type != CONF_BOOL && o->type != CONF_LIST;

            if (strcmp(o->section, name) == 0)
                (void)printf("    # %s\n    %s%s = %s%s%s\n", o->help,
                    o->fallback == NULL ? "" : "# ", o->key, quoted ? "\"" : "",
                    o->type == CONF_LIST  ? "{\"User\"}"
                    : o->fallback != NULL ? o->fallback
                                          : "",
                    quoted ? "\"" : "");
        }
        (void)printf("}\n\n");
    }
}

static void metrics(void)
{
    static const char *const types[] = { [METRIC_INFO] = "info",
        [METRIC_GAUGE] = "gauge",
        [METRIC_COUNTER] = "counter",
        [METRIC_HISTOGRAM] = "histogram" };

    for (int i = 0; i < METRIC_COUNT; i++) {
        enum metric m = (enum metric)i;

        (void)printf("*%s* (%s%s%s%s%s)\n\t%s\n\n", metric_name(m), types[metric_type(m)],
            metric_label(m, 0)[0] != '\0' ? "; " : "", metric_label(m, 0),
            metric_label(m, 1)[0] != '\0' ? ", " : "", metric_label(m, 1), metric_help(m));
    }
}

int cmd_manual(struct cli *c)
{
    static const struct {
        const char *name;
        void (*print)(void);
    } parts[] = { { "commands", commands }, { "options", options },
        { "configuration", configuration }, { "sample", sample }, { "metrics", metrics } };

    for (size_t i = 0; i < sizeof parts / sizeof parts[0]; i++)
        if (strcmp(parts[i].name, c->args[0]) == 0) {
            parts[i].print();
            return EXIT_OK;
        }
    (void)fprintf(stderr, "error: no such part: %s\n", c->args[0]);
    return EXIT_USAGE;
}
