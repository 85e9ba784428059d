/* help: commands, and topics that belong to all of them. */
#include <stdio.h>
#include <string.h>
#include "agent/cli/cli.h"
#include "agent/conf/conf.h"

enum { DATA_MAX = 1 << 20 };

/* ---- commands ---------------------------------------------------------------------------------------------------- */

/* A name, and beside it a text that is broken between words. */
static void print_row(const char *name, const char *text)
{
    enum { INDENT = 27, WIDTH = 80 };
    size_t at = (size_t)printf("  %-*s", INDENT - 3, name), len;

    for (; *text != '\0'; text += len, text += strspn(text, " ")) {
        len = strcspn(text, " ");
        if (at > INDENT - 1 && at + 1 + len > WIDTH) {
            (void)printf("\n%*s", INDENT - 1, "");
            at = INDENT - 1;
        }
        at += (size_t)printf(" %.*s", (int)len, text);
    }
    (void)printf("\n");
}

static void print_option(const struct cli_option *o)
{
    char name[48];

    (void)snprintf(
        name, sizeof name, "%s%s%s", o->name, o->value ? " " : "", o->value ? o->value : "");
    print_row(name, o->help);
}

/* whole: all that there is to say; else the first sentence */
static void print_command(const struct command *k, bool whole)
{
    char name[64], text[400];
    const char *end = strstr(k->help, ". ");

    (void)snprintf(name, sizeof name, "%s%s%s%s%s", k->noun, k->verb ? " " : "",
        k->verb ? k->verb : "", k->args[0] != '\0' ? " " : "", k->args);
    (void)snprintf(text, sizeof text, "%.*s",
        whole || end == NULL ? (int)sizeof text - 1 : (int)(end + 1 - k->help), k->help);
    print_row(name, text);
}

static bool is_meant(const struct command *k, const struct cli *c)
{
    return strcmp(k->noun, c->args[0]) == 0
           && (c->arg_count < 2 || (k->verb != NULL && strcmp(k->verb, c->args[1]) == 0));
}

static bool print_meant(const struct cli *c)
{
    bool any = false;

    for (const struct command *k = cli_commands; k->noun != NULL; k++)
        if (is_meant(k, c)) {
            any = true;
            print_command(k, true);
            for (size_t i = CLI_OPTIONS_OF_ALL; cli_options[i].name != NULL; i++)
                if (cli_takes(k, cli_options[i].name))
                    print_option(&cli_options[i]);
        }
    return any;
}

/* ---- topics ------------------------------------------------------------------------------------------------------ */

static void exit_codes(void)
{
#define X(id, number, text) (void)printf("  %3d  %s\n", number, text);
    EXIT_CODES(X)
#undef X
    (void)printf("\ncertferry explain EXIT-6: more about one.\n");
}

static void options(void)
{
    for (size_t i = 0; cli_options[i].name != NULL; i++)
        print_option(&cli_options[i]);
    print_row("--", "What follows are no options, whatever it looks like.");
}

static void configuration(void)
{
    for (size_t s = 0; conf_section_help[s][0] != NULL; s++)
        print_row(conf_section_help[s][0], conf_section_help[s][1]);
    (void)printf(
        "\ncertferry config explain SECTION: its options.  certferry config list --origin: "
        "what is set, and where.\n"
        "The file, then conf.d/*.conf beside it in the order of their names, then the "
        "environment (certferry help environment); the last one wins.\n");
}

static void environment(void)
{
    (void)printf(
        "  CERTFERRY_SECTION_KEY       sets an option: CERTFERRY_LOG_LEVEL=debug\n"
        "  CERTFERRY_SECTION_NAME_KEY  of a section with a name, in capitals, _ for all but "
        "letters and digits:\n"
        "                              CERTFERRY_CA_ISSUING1_URL for ca \"issuing1\".url\n\n"
        "Entries of a list stand between blanks or commas.  Variables win over files.  No secret "
        "belongs into one: options that\nname a secret take secret:NAME or a file.\n");
}

static void json(void)
{
    (void)printf("With --json a command prints one document:\n\n"
                 "  schema    certferry.WHAT/1; members are added to it, never taken away\n"
                 "  time      when it was made, UTC\n"
                 "  ok        false: error says why\n"
                 "  data      what was asked for, or null\n"
                 "  warnings  array of code, message, fix\n"
                 "  error     null, or code, exit, message, fix\n\n"
                 "Times are RFC 3339 in UTC.  certferry explain CODE says what a code means.\n");
}

static void topics(void);
static const struct topic {
    const char *name, *help;
    void (*print)(void);
} topic_list[] = {
    { "exit-codes", "What the number means that a command ends with.", exit_codes },
    { "options", "Every option of every command.", options },
    { "configuration", "Sections of the configuration, and where it is read from.", configuration },
    { "environment", "Options from the environment.", environment },
    { "json", "What --json prints.", json },
    { "topics", "This list.", topics },
};

static void topics(void)
{
    for (size_t i = 0; i < sizeof topic_list / sizeof topic_list[0]; i++)
        print_row(topic_list[i].name, topic_list[i].help);
}

const char *cli_topic(size_t i)
{
    return i < sizeof topic_list / sizeof topic_list[0] ? topic_list[i].name : NULL;
}

static bool print_topic(const char *name)
{
    for (size_t i = 0; i < sizeof topic_list / sizeof topic_list[0]; i++)
        if (strcmp(topic_list[i].name, name) == 0) {
            topic_list[i].print();
            return true;
        }
    return false;
}

/* A section of the configuration: its options. */
static bool print_section(const char *name)
{
    bool any = false;

    for (size_t i = 0; i < conf_option_count; i++)
        if (strcmp(conf_options[i].section, name) == 0) {
            any = true;
            print_row(conf_options[i].key, conf_options[i].help);
        }
    if (any)
        (void)printf(
            "\ncertferry config explain %s: values, defaults, where they are set.\n", name);
    return any;
}

/* ---- all of it --------------------------------------------------------------------------------------------------- */

static void put_options(struct json_out *o, const struct command *k)
{
    json_open(o, "options", '[');
    for (size_t i = 0; cli_options[i].name != NULL; i++)
        if (k == NULL ? i < CLI_OPTIONS_OF_ALL
                      : i >= CLI_OPTIONS_OF_ALL && cli_takes(k, cli_options[i].name)) {
            json_open(o, NULL, '{');
            json_put_text(o, "name", cli_options[i].name);
            json_put_text(o, "value", cli_options[i].value);
            json_put_text(o, "help", cli_options[i].help);
            json_close(o, '}');
        }
    json_close(o, ']');
}

static int as_json(struct cli *c)
{
    struct buf data = BUF_INIT(DATA_MAX);
    struct json_out o = { .to = &data };
    bool any = false;

    json_open(&o, NULL, '{');
    json_open(&o, "commands", '[');
    for (const struct command *k = cli_commands; k->noun != NULL; k++) {
        if (cli_hidden(k) || (c->arg_count > 0 && !is_meant(k, c)))
            continue;
        any = true;
        json_open(&o, NULL, '{');
        json_put_text(&o, "noun", k->noun);
        json_put_text(&o, "verb", k->verb);
        json_put_text(&o, "args", k->args);
        json_put_text(&o, "help", k->help);
        put_options(&o, k);
        json_close(&o, '}');
    }
    json_close(&o, ']');
    put_options(&o, NULL);
    json_close(&o, '}');
    if (any)
        cli_envelope("certferry.help/1", &data, NULL, EXIT_OK);
    buf_free(&data);
    return any ? EXIT_OK : cli_no_command(c, c->args[0]);
}

int cmd_help(struct cli *c)
{
    if (c->json)
        return as_json(c);
    if (c->arg_count > 0) {
        if (print_meant(c)
            || (c->arg_count == 1 && (print_topic(c->args[0]) || print_section(c->args[0]))))
            return EXIT_OK;
        c->command = NULL;
        return cli_usage(c, "no such command or topic: %.60s", c->args[0]);
    }
    (void)printf("certferry %s - a certificate connector\n\n", CERTFERRY_VERSION);
    for (const struct command *k = cli_commands; k->noun != NULL; k++)
        if (!cli_hidden(k))
            print_command(k, false);
    (void)printf("\n");
    for (size_t i = 0; i < CLI_OPTIONS_OF_ALL; i++)
        print_option(&cli_options[i]);
    (void)printf("\ncertferry help COMMAND: its own options.  certferry help topics: exit-codes, "
                 "environment and more.\n");
    return EXIT_OK;
}
