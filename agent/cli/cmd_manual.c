/* manual PART: the parts of the manual pages that are tables in the program, as scdoc source. */
#include <stdio.h>
#include <string.h>
#include "agent/base/log.h"
#include "agent/base/metrics.h"
#include "agent/cli/cmd_manual.h"
#include "agent/conf/conf_key.h"
#include "agent/doctor/doctor.h"
#include "agent/requests/audit.h"

static void commands(void)
{
    for (const struct command *k = cli_commands; k->noun != NULL; k++) {
        if (cli_hidden(k))
            continue;
        manual_command(k);
        (void)printf("\n\t");
        manual_text(k->help);
        (void)printf("\n\n");
    }
}

static void options(void)
{
    for (const struct cli_option *o = cli_options; o->name != NULL; o++)
        manual_option(o);
    (void)printf("*--*\n\tWhat follows are no options, whatever it looks like.\n\n");
}

static void exit_codes(void)
{
#define X(id, number, text)                  \
    (void)printf("*%d*\n\t", (int)(number)); \
    manual_text(text);                       \
    (void)printf("\n\n");
    EXIT_CODES(X)
#undef X
}

static void pages(void)
{
    const char *last = "";

    for (const struct command *k = cli_commands; k->noun != NULL; k++) {
        if (k->verb != NULL && !cli_hidden(k) && strcmp(last, k->noun) != 0)
            (void)printf("%s*certferry-%s*(1)", last[0] != '\0' ? ", " : "", k->noun);
        if (k->verb != NULL)
            last = k->noun;
    }
    (void)printf("\n");
}

static void option(const struct conf_option *o)
{
    char type[300];

    conf_type_text(o, type, sizeof type);
    (void)printf("*%s* (", o->key);
    manual_text(type);
    if (o->fallback == NULL) {
        (void)printf(", must be set");
    } else if (o->fallback[0] != '\0') {
        (void)printf(", default ");
        manual_text(o->fallback);
    }
    (void)printf(")\n\t");
    manual_text(o->help);
    (void)printf("\n\n");
}

static void configuration(void)
{
    for (size_t s = 0; conf_section_help[s][0] != NULL; s++) {
        (void)printf("## %s\n\n", conf_section_help[s][0]);
        manual_text(conf_section_help[s][1]);
        (void)printf("\n\n");
        for (size_t i = 0; i < conf_option_count; i++)
            if (strcmp(conf_options[i].section, conf_section_help[s][0]) == 0)
                option(&conf_options[i]);
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

static void checks(void)
{
    for (const struct doctor_code *k = doctor_codes; k->code != NULL; k++) {
        (void)printf("*%s*\n\t", k->code);
        manual_text(k->text);
        (void)printf("\n\n");
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

static void events(void)
{
    for (int i = 0; i < LOG_EVENT_COUNT; i++) {
        struct event_help h;

        event_help_at((enum log_event)i, &h);
        (void)printf("*%d %s* (%s, %s)\n\t%s++\n_To do:_ %s\n\n", h.number, h.name, h.level,
            h.admin ? "Admin" : "Operational", h.means, h.todo);
    }
}

static void audit(void)
{
    for (int i = 0; i < AUDIT_EVENT_COUNT; i++)
        (void)printf("*%s*\n\t%s\n\n", audit_event_name((enum audit_event)i),
            audit_event_help((enum audit_event)i));
}

int cmd_manual(struct cli *c)
{
    static const struct {
        const char *name;
        void (*print)(void);
    } parts[] = { { "commands", commands }, { "options", options },
        { "configuration", configuration }, { "exit-codes", exit_codes }, { "nouns", manual_nouns },
        { "pages", pages }, { "sample", sample }, { "metrics", metrics }, { "checks", checks },
        { "events", events }, { "audit", audit } };

    if (c->arg_count > 1)
        return strcmp(c->args[0], "page") == 0 && manual_page(c->args[1])
                   ? EXIT_OK
                   : cli_usage(c, "no such page: %.40s", c->args[1]);
    for (size_t i = 0; i < sizeof parts / sizeof parts[0]; i++)
        if (strcmp(parts[i].name, c->args[0]) == 0) {
            parts[i].print();
            return EXIT_OK;
        }
    return cli_usage(c, "no such part: %.40s", c->args[0]);
}
