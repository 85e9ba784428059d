/* see cli.h.  What was given, help, errors. */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "agent/cli.h"
#include "agent/finding.h"
#include "agent/io.h"

/* ---- what was given -------------------------------------------------------------------------------------------- */

size_t cli_option_at(const char *name)
{
    size_t i = 0;

    while (cli_options[i].name != NULL && strcmp(cli_options[i].name, name) != 0)
        i++;
    return i;
}

const char *cli_given(const struct cli *c, const char *option)
{
    return c->given[cli_option_at(option)];
}

bool cli_takes(const struct command *k, const char *option)
{
    const char *at = k->options;
    size_t len = strlen(option);

    if (cli_option_at(option) < CLI_OPTIONS_OF_ALL)
        return true;
    while ((at = strstr(at, option)) != NULL) {
        if (at[len] == '\0' || at[len] == ' ')
            return true;
        at += len;
    }
    return false;
}

/* "90", "90s", "5min", "2h", "1d" */
int cli_duration(const char *text, int64_t *out)
{
    static const struct {
        const char *name;
        int64_t s;
    } units[] = { { "", 1 }, { "s", 1 }, { "min", 60 }, { "m", 60 }, { "h", 3600 },
        { "d", 86400 } };
    char *end;
    long long n = strtoll(text, &end, 10);

    if (end == text || n < 0 || n > 1000000000)
        return -1;
    for (size_t i = 0; i < sizeof units / sizeof units[0]; i++)
        if (strcmp(end, units[i].name) == 0) {
            *out = n * units[i].s;
            return 0;
        }
    return -1;
}

int64_t cli_seconds(const struct cli *c, const char *option, int64_t fallback)
{
    const char *text = cli_given(c, option);
    int64_t s;

    return text != NULL && cli_duration(text, &s) == 0 ? s : fallback;
}

/* ---- help ------------------------------------------------------------------------------------------------------ */

static void print_option(const struct cli_option *o)
{
    char name[48];

    (void)snprintf(
        name, sizeof name, "%s%s%s", o->name, o->value ? " " : "", o->value ? o->value : "");
    (void)printf("  %-24s %s\n", name, o->help);
}

static void print_command(const struct command *k)
{
    char name[64];

    (void)snprintf(name, sizeof name, "%s%s%s%s%s", k->noun, k->verb ? " " : "",
        k->verb ? k->verb : "", k->args[0] != '\0' ? " " : "", k->args);
    (void)printf("  %-24s %s\n", name, k->help);
}

static bool is_meant(const struct command *k, const struct cli *c)
{
    return strcmp(k->noun, c->args[0]) == 0
           && (c->arg_count < 2 || (k->verb != NULL && strcmp(k->verb, c->args[1]) == 0));
}

static int help_of(const struct cli *c)
{
    bool any = false;

    for (const struct command *k = cli_commands; k->noun != NULL; k++)
        if (is_meant(k, c)) {
            any = true;
            print_command(k);
            for (size_t i = CLI_OPTIONS_OF_ALL; cli_options[i].name != NULL; i++)
                if (cli_takes(k, cli_options[i].name))
                    print_option(&cli_options[i]);
        }
    if (any)
        return EXIT_OK;
    (void)fprintf(stderr, "error: no such command: %s\n  fix:  certferry help\n", c->args[0]);
    return EXIT_USAGE;
}

int cmd_help(struct cli *c)
{
    if (c->arg_count > 0)
        return help_of(c);
    (void)printf("certferry %s - a certificate connector\n\n", CERTFERRY_VERSION);
    for (const struct command *k = cli_commands; k->noun != NULL; k++)
        if (k->run != cmd_manual)
            print_command(k);
    (void)printf("\n");
    for (size_t i = 0; i < CLI_OPTIONS_OF_ALL; i++)
        print_option(&cli_options[i]);
    (void)printf("\ncertferry help COMMAND: its own options.\n");
    return EXIT_OK;
}

/* ---- errors ---------------------------------------------------------------------------------------------------- */

int cli_fail(const struct cli *c, const struct err *e, const char *fix, ...)
{
    enum exit_code code = exit_code_of(e->cls);
    char help[400];
    va_list ap;

    va_start(ap, fix);
    (void)vsnprintf(help, sizeof help, fix, ap);
    va_end(ap);
    if (c->json) {
        struct buf b = BUF_INIT(8192);
        struct json_out o = { .to = &b };

        json_open(&o, NULL, '{');
        json_put_text(&o, "schema", "certferry.error/1");
        json_put_bool(&o, "ok", false);
        json_put_null(&o, "data");
        json_open(&o, "error", '{');
        json_put_text(&o, "code", err_name(e->cls));
        json_put_int(&o, "exit", code);
        json_put_text(&o, "message", e->msg);
        json_put_text(&o, "fix", help);
        json_close(&o, '}');
        json_close(&o, '}');
        (void)printf("%s\n", buf_text(&b));
        buf_free(&b);
    } else {
        (void)fprintf(stderr, "error[%s] %s\n  seen: %s\n  fix:  %s\n", err_name(e->cls) + 4,
            err_text(e->cls), e->msg, help);
    }
    return (int)code;
}

void cli_envelope(const char *schema, struct buf *data, const struct finding *worst, int code)
{
    struct buf b = BUF_INIT(data->len + 8192);
    struct json_out o = { .to = &b };

    json_open(&o, NULL, '{');
    json_put_text(&o, "schema", schema);
    json_put_time(&o, "time", io_wall_s());
    json_put_bool(&o, "ok", worst == NULL);
    json_put_raw(&o, "data", buf_view(data));
    json_open(&o, "warnings", '[');
    json_close(&o, ']');
    if (worst == NULL) {
        json_put_null(&o, "error");
    } else {
        json_open(&o, "error", '{');
        json_put_text(&o, "code", err_name(worst->cls));
        json_put_int(&o, "exit", code);
        json_put_text(&o, "message", worst->fact);
        json_put_text(&o, "fix", worst->fix);
        json_close(&o, '}');
    }
    json_close(&o, '}');
    (void)printf("%s\n", buf_text(&b));
    buf_free(&b);
}
