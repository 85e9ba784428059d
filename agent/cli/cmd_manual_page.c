/* manual page NOUN: the page of a noun's commands, as scdoc source; see cmd_manual.h. */
#include <stdio.h>
#include <string.h>
#include "agent/cli/cli.h"
#include "agent/cli/cmd_manual.h"

/* Nouns with verbs: what they are about, and what belongs to know before the first one. */
static const struct group {
    const char *noun, *title, *text;
    const char *examples; /* lines; NULL: none */
} groups[] = {
    { "requests", "requests for certificates, as the service keeps them",
        "Each request has a state, a reason, somebody it waits for and a time; the states are in "
        "certferry(1). What these commands change, a running service takes over at once; without "
        "one "
        "they work on the store.",
        "certferry requests list --state held\ncertferry requests show "
        "0b54b1a2-9b0c-4f6e-8a5e-9d3c3f7f2b11\n" },
    { "orphans", "certificates that reached nobody",
        "A certificate that was issued and could not be delivered, or that may have been issued "
        "because an answer of the CA was lost, stays in this list until somebody has dealt with "
        "it.",
        NULL },
    { "ra", "certificates of the registration authorities",
        "A SCEP endpoint signs its answers, and devices encrypt to it, with certificates of a "
        "registration authority: from files, or enrolled from the CA and renewed by the service.",
        NULL },
    { "scep", "any SCEP server, seen as a device would see it",
        "These commands need no service and no configuration. They look at our own endpoints, at "
        "NDES, or at any other SCEP server, stage by stage; each stage is PASS, WARN, FAIL or "
        "SKIP.",
        "certferry scep info http://ndes.contoso.example/certsrv/mscep/mscep.dll\n" },
    { "plugin", "challenge plugins",
        "A plugin decides whether the challenge in a SCEP request is good; see "
        "certferry-plugin(5). "
        "Here it is opened by the command, not by the service.",
        NULL },
    { "proxy", "the way out",
        "Through which proxy the cloud, CAs and other services are reached: one rule, the same for "
        "the service and every command. The proxy's credential is a secret of its own and goes to "
        "that proxy only.",
        NULL },
    { "config", "the configuration, value by value",
        "KEY is section.key, or section.name.key for a section with a name: cloud.url, "
        "ca.issuing1.url. The form that errors print, ca \"issuing1\".url, is taken, too. The "
        "first of "
        "these that says something counts: the environment (CERTFERRY_SECTION_KEY), the drop-ins "
        "in "
        "conf.d from the last name to the first, the file, the default. Commands write drop-ins of "
        "their own and never the administrator's file. Values of a list are several words, or one "
        "with commas.",
        "certferry config list --origin\ncertferry config explain cloud.poll_interval\n"
        "certferry config set ca.issuing1.templates ContosoUser WiFiUser\n"
        "certferry config set cloud.wait 20 --dry-run\n" },
    { "secret", "what the service keeps sealed",
        "Passwords, tokens and client secrets, each under a name. An option of the configuration "
        "that takes a file with a secret takes secret:NAME, too. No command prints a value, and "
        "none takes one as an argument.",
        "certferry secret set proxy --file proxy.txt\n" },
    { "keys", "the keys that seal the store",
        "The master key seals the keys of requests and the secrets; it is kept by the service "
        "manager or in a file.",
        NULL },
    { "store", "the store in one file, and back",
        "What the service knows, with its secrets and its identity, as it is at one moment; sealed "
        "as "
        "in the store, under the master key, which is not in it. See BACKUPS in certferry(1).",
        "certferry store backup /var/backups/certferry-$(date +%F)\n"
        "certferry service stop\n"
        "certferry store restore /var/backups/certferry-2026-11-19\n" },
    { "service", "the service, at the service manager",
        "Install, start, stop and look at the service; a reload takes over a changed configuration "
        "whole, or keeps the old one and says why.",
        NULL },
    { "ca", "upstream CAs", "What the configured CAs answer and offer.", NULL },
    { "logs", "what the service writes", "Events are in certferry-events(7).", NULL },
    { "audit", "the log of decisions",
        "Each record is chained to the one before it, so that one that is changed or taken out is "
        "found.",
        NULL },
    { "db", "the store", "The database in which requests are kept until they are done.", NULL },
    { "try", "rehearsals",
        "A request is taken through every stage up to the CA, and what each does is said.",
        "certferry try pkcs --ca issuing1 --template ContosoUser\n" },
};

static const struct group *group_of(const char *noun)
{
    for (size_t i = 0; i < sizeof groups / sizeof groups[0]; i++)
        if (strcmp(groups[i].noun, noun) == 0)
            return &groups[i];
    return NULL;
}

bool manual_has_text(const char *noun)
{
    return group_of(noun) != NULL;
}

const char *manual_title(const char *noun)
{
    const struct group *g = group_of(noun);

    return g != NULL ? g->title : "";
}

const char *manual_examples(const char *noun)
{
    const struct group *g = group_of(noun);

    return g != NULL && g->examples != NULL ? g->examples : "";
}

void manual_text(const char *text)
{
    for (; *text != '\0'; text++)
        if (strchr("*_\\", *text) != NULL)
            (void)printf("\\%c", *text);
        else
            (void)putchar(*text);
}

void manual_command(const struct command *k)
{
    (void)printf("*%s%s%s*", k->noun, k->verb != NULL ? " " : "", k->verb != NULL ? k->verb : "");
    if (k->args[0] != '\0')
        (void)printf(" _%s_", k->args);
}

void manual_option(const struct cli_option *o)
{
    (void)printf("*%s*%s%s%s\n\t", o->name, o->value != NULL ? " _" : "",
        o->value != NULL ? o->value : "", o->value != NULL ? "_" : "");
    manual_text(o->help);
    (void)printf("\n\n");
}

static void commands_of(const char *noun)
{
    for (const struct command *k = cli_commands; k->noun != NULL; k++) {
        if (strcmp(k->noun, noun) != 0)
            continue;
        manual_command(k);
        for (size_t i = CLI_OPTIONS_OF_ALL; cli_options[i].name != NULL; i++)
            if (cli_takes(k, cli_options[i].name))
                (void)printf(" \\[*%s*%s%s%s\\]", cli_options[i].name,
                    cli_options[i].value != NULL ? " _" : "",
                    cli_options[i].value != NULL ? cli_options[i].value : "",
                    cli_options[i].value != NULL ? "_" : "");
        (void)printf("\n\t");
        manual_text(k->help);
        (void)printf("\n\n");
    }
}

/* Their own first, then those of every command. */
static void options_of(const char *noun)
{
    for (int own = 1; own >= 0; own--)
        for (size_t i = 0; cli_options[i].name != NULL; i++) {
            bool taken = false;

            for (const struct command *k = cli_commands; k->noun != NULL; k++)
                taken = taken || (strcmp(k->noun, noun) == 0 && cli_takes(k, cli_options[i].name));
            if (taken && (i >= CLI_OPTIONS_OF_ALL) == (own == 1))
                manual_option(&cli_options[i]);
        }
}

void manual_nouns(void)
{
    const char *last = "";

    for (const struct command *k = cli_commands; k->noun != NULL; k++) {
        if (k->verb != NULL && !cli_hidden(k) && strcmp(last, k->noun) != 0)
            (void)printf("%s\n", k->noun);
        last = k->noun;
    }
}

bool manual_page(const char *noun)
{
    const struct group *g = group_of(noun);
    bool any = false;

    for (const struct command *k = cli_commands; k->noun != NULL; k++)
        any = any || (strcmp(k->noun, noun) == 0 && k->verb != NULL);
    if (!any)
        return false;
    (void)printf("certferry-%s(1)\n\n# NAME\n\ncertferry-%s - %s\n\n# SYNOPSIS\n\n", noun, noun,
        g != NULL ? g->title : "commands of certferry(1)");
    (void)printf("*certferry %s* _VERB_ \\[_ARGUMENT_\\] \\[_OPTIONS_\\]\n\n", noun);
    if (g != NULL) {
        (void)printf("# DESCRIPTION\n\n");
        manual_text(g->text);
        (void)printf("\n\n");
    }
    (void)printf("# COMMANDS\n\n");
    commands_of(noun);
    (void)printf("# OPTIONS\n\n");
    options_of(noun);
    if (g != NULL && g->examples != NULL)
        (void)printf("# EXAMPLES\n\n```\n%s```\n\n", g->examples);
    (void)printf("# EXIT STATUS\n\nAs of every command, see *certferry*(1); *certferry explain* "
                 "_CODE_ says more.\n\n# SEE ALSO\n\n*certferry*(1), *certferry.conf*(5)\n");
    return true;
}
