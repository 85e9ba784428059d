/* see cli.h.  What was typed wrong, and what was probably meant. */
#include <stdio.h>
#include <string.h>
#include "agent/cli/cli.h"
#include "agent/conf/conf_key.h"

/* The best so far, of what looks like the word at all. */
static void weigh(const char *typed, const char *word, size_t *best, const char **meant)
{
    size_t score = conf_likeness(typed, word);

    if (score > *best) {
        *best = score;
        *meant = word;
    }
}

int cli_no_command(const struct cli *c, const char *noun)
{
    const char *meant = NULL;
    size_t best = 0;

    for (const struct command *k = cli_commands; k->noun != NULL; k++)
        if (!cli_hidden(k))
            weigh(noun, k->noun, &best, &meant);
    return meant != NULL ? cli_usage(c, "no such command: %.60s; did you mean %s?", noun, meant)
                         : cli_usage(c, "no such command: %.60s", noun);
}

int cli_no_verb(const struct cli *c, const char *noun, const char *verb)
{
    char list[200] = "";
    size_t at = 0;

    for (const struct command *k = cli_commands; k->noun != NULL && at < sizeof list; k++)
        if (k->verb != NULL && strcmp(k->noun, noun) == 0)
            at +=
                (size_t)snprintf(list + at, sizeof list - at, "%s%s", at > 0 ? ", " : "", k->verb);
    return verb != NULL ? cli_usage(c, "%s: no such verb: %.60s; there are %s", noun, verb, list)
                        : cli_usage(c, "%s: a verb is missing; there are %s", noun, list);
}

int cli_no_option(const struct cli *c, const char *option, const char *value)
{
    const struct cli_option *o = &cli_options[cli_option_at(option)];
    const char *meant = NULL;
    size_t best = 0, name = strcspn(option, "=");
    char bare[64];

    if (o->name != NULL && value == NULL)
        return cli_usage(c, "%s takes %s, and nothing stands behind it", o->name, o->value);
    if (o->name != NULL)
        return cli_usage(c, "%s: \"%.60s\" is not a time, as 90s, 15m, 2h or 7d%s%s", option, value,
            strchr(o->value, '|') != NULL ? ", nor one of " : "",
            strchr(o->value, '|') != NULL ? strchr(o->value, '|') + 1 : "");
    (void)snprintf(bare, sizeof bare, "%.*s", (int)name, option);
    if (cli_options[cli_option_at(bare)].name != NULL) /* its value may be a secret */
        return cli_usage(c, "%s: its value is the next word, without \"=\"", bare);
    for (size_t i = 0; cli_options[i].name != NULL && strlen(bare) > 3; i++)
        weigh(bare + 2, cli_options[i].name + 2, &best, &meant);
    return meant != NULL ? cli_usage(c, "no such option: %s; did you mean --%s?", bare, meant)
                         : cli_usage(c, "no such option: %s", bare);
}
