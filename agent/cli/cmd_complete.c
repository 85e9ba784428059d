/* complete: what may stand in place of the last word.  Scripts for shells ask here (cmd_completion.c), so that they
 * know what the tables know.  Each line is a word, a tab, what it is; ":files": the names of files. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "agent/cli/cli.h"
#include "agent/cli/cmd_manual.h"
#include "agent/cli/explain.h"
#include "agent/conf/conf_key.h"
#include "agent/doctor/doctor.h"
#include "certs/text.h"

enum { HELP_MAX = 400 };

struct words {
    struct cli *cli;
    const char *now; /* the word that is typed */
    const struct command *command;
    const char *noun;
    const char *option; /* whose value it is; NULL: it is an argument */
    bool has_verbs;
    char *const *args; /* behind noun and verb, without options */
    int arg_count;
};

/* A word or a help may be somebody else's, a cloud's or a device's: a line end in it would offer another word. */
static void offer(const struct words *w, const char *word, const char *help)
{
    char about[HELP_MAX];
    const char *end = strstr(help, ". ");
    size_t len = end != NULL ? (size_t)(end - help) : strlen(help);

    if (len > 0 && help[len - 1] == '.')
        len--;
    (void)snprintf(
        about, sizeof about, "%.*s", (int)(len < sizeof about ? len : sizeof about - 1), help);
    err_clean(about);
    if (word != NULL && strncmp(word, w->now, strlen(w->now)) == 0
        && !text_has_control(view_text(word)))
        (void)printf("%s\t%s\n", word, about);
}

static void offer_list(const struct words *w, const char *const *list, const char *help)
{
    for (; *list != NULL; list++)
        offer(w, *list, help);
}

/* ---- commands and options ---------------------------------------------------------------------------------------- */

static void nouns(const struct words *w)
{
    const char *last = "";

    for (const struct command *k = cli_commands; k->noun != NULL; k++) {
        if (!cli_hidden(k) && strcmp(last, k->noun) != 0)
            offer(w, k->noun, k->verb == NULL ? k->help : manual_title(k->noun));
        last = k->noun;
    }
}

static void verbs(const struct words *w)
{
    for (const struct command *k = cli_commands; k->noun != NULL; k++)
        if (strcmp(k->noun, w->noun) == 0 && k->verb != NULL)
            offer(w, k->verb, k->help);
}

static void options(const struct words *w)
{
    for (size_t i = 0; cli_options[i].name != NULL; i++)
        if (i < CLI_OPTIONS_OF_ALL
            || (w->command != NULL && cli_takes(w->command, cli_options[i].name)))
            offer(w, cli_options[i].name, cli_options[i].help);
}

/* ---- what the configuration and the service know ----------------------------------------------------------------- */

static void keys_of(const struct words *w, const struct conf *conf, const struct conf_option *o)
{
    size_t n = conf != NULL                  ? conf_section_count(conf, o->section)
               : conf_has_titles(o->section) ? 0
                                             : 1;
    char name[200];

    for (size_t i = 0; i < n; i++) {
        conf_key_name(
            o, conf != NULL ? conf_section_title(conf, o->section, i) : NULL, name, sizeof name);
        offer(w, name, o->help);
    }
}

static void keys(const struct words *w)
{
    struct err e, missing;
    struct conf *conf = conf_load_incomplete(w->cli->config, &missing, &e);

    for (size_t i = 0; i < conf_option_count; i++)
        keys_of(w, conf, &conf_options[i]);
    if (w->command->run == cmd_config_explain)
        for (size_t s = 0; conf_section_help[s][0] != NULL; s++)
            offer(w, conf_section_help[s][0], conf_section_help[s][1]);
    conf_free(conf);
}

static void values(const struct words *w)
{
    static const char *const yes_no[] = { "true", "false", NULL };
    char one[64];
    struct conf_key k;
    struct err e;

    if (w->arg_count < 1 || conf_key_parse(w->args[0], &k, &e) != 0 || k.option == NULL)
        return;
    if (k.option->type == CONF_BOOL)
        offer_list(w, yes_no, "");
    else if (k.option->type == CONF_FILE || k.option->type == CONF_SECRET)
        (void)printf(":files\n");
    for (const char *c = k.option->choices; c != NULL && *c != '\0';
         c += strcspn(c, "|"), c += *c == '|') {
        (void)snprintf(one, sizeof one, "%.*s", (int)strcspn(c, "|"), c);
        offer(w, one, "");
    }
}

static void titles(const struct words *w, const char *section)
{
    struct err e, missing;
    struct conf *conf = conf_load_incomplete(w->cli->config, &missing, &e);

    for (size_t i = 0; conf != NULL && i < conf_section_count(conf, section); i++)
        offer(w, conf_section_title(conf, section, i), section);
    conf_free(conf);
}

static void templates(const struct words *w)
{
    struct err e, missing;
    struct conf *conf = conf_load_incomplete(w->cli->config, &missing, &e);

    for (size_t i = 0; conf != NULL && i < conf->ca_count; i++)
        for (size_t t = 0; t < conf->cas[i].templates.count; t++)
            offer(w, conf->cas[i].templates.at[t], conf->cas[i].name);
    conf_free(conf);
}

/* Those that the configuration names: the others only the service can list. */
static void secrets(const struct words *w)
{
    static const char prefix[] = "secret:";
    struct err e, missing;
    struct conf *conf = conf_load_incomplete(w->cli->config, &missing, &e);
    char name[200];

    for (size_t i = 0; conf != NULL && i < conf->origin_count; i++) {
        const struct conf_origin *at = &conf->origins[i];

        conf_key_name(at->option, at->title, name, sizeof name);
        if (at->option->type == CONF_SECRET
            && strncmp(at->raw.at[0], prefix, sizeof prefix - 1) == 0)
            offer(w, at->raw.at[0] + sizeof prefix - 1, name);
    }
    conf_free(conf);
}

static void cas(const struct words *w)
{
    titles(w, "ca");
}

static void plugins(const struct words *w)
{
    titles(w, "plugin");
}

static void endpoints(const struct words *w)
{
    titles(w, "scep");
}

static void ids(const struct words *w)
{
    struct json *answer = NULL;
    const struct json *list;

    w->cli->json = false;
    (void)cli_ask(w->cli, "{\"command\":\"requests.list\",\"all\":true}", false, &answer);
    list = json_get(json_get(answer, "data"), "requests");
    for (size_t i = 0; i < json_count(list); i++) {
        const struct json *r = json_at(list, i);
        const char *subject = json_string(json_get(r, "subject"));

        offer(w, json_string(json_get(r, "id")), subject != NULL ? subject : "");
    }
    json_free(answer);
}

static void code(void *arg, const struct explanation *x)
{
    offer(arg, x->code, x->title);
}

static void rows(const struct words *w)
{
    for (const struct doctor_code *k = doctor_codes; k->code != NULL; k++)
        offer(w, k->code, k->text);
}

static void topics(const struct words *w)
{
    if (w->arg_count == 0)
        nouns(w);
    for (size_t i = 0; w->arg_count == 0 && cli_topic(i) != NULL; i++)
        offer(w, cli_topic(i), "");
    for (const struct command *k = cli_commands; w->arg_count == 1 && k->noun != NULL; k++)
        if (strcmp(k->noun, w->args[0]) == 0 && k->verb != NULL)
            offer(w, k->verb, k->help);
}

/* ---- by what stands in the tables -------------------------------------------------------------------------------- */

static void states(const struct words *w)
{
    static const char *const list[] = { "ready", "retrying", "pending", "held", "delivered",
        "rejected", "superseded", "cancelled", NULL };

    offer_list(w, list, "");
}

static void shells(const struct words *w)
{
    static const char *const list[] = { "bash", "zsh", "fish", NULL };

    offer_list(w, list, "");
}

/* What a word of the tables stands for; of another noun, another thing. */
static void by_kind(struct words *w, const char *kind)
{
    static const struct {
        const char *kind;
        void (*offer)(const struct words *w);
    } kinds[] = { { "ID", ids }, { "KEY", keys }, { "VALUE", values }, { "SHELL", shells },
        { "TOPIC", topics }, { "STATE", states } };
    static const struct {
        const char *whose, *kind; /* an option's or a noun's */
        void (*offer)(const struct words *w);
    } named[] = { { "--ca", "NAME", cas }, { "--template", "NAME", templates },
        { "plugin", "NAME", plugins }, { "secret", "NAME", secrets },
        { "ra", "ENDPOINT", endpoints }, { "try", "ENDPOINT", endpoints } };
    const char *whose = w->option != NULL ? w->option : w->noun;

    if (strcmp(kind, "FILE") == 0 || strcmp(kind, "DIR") == 0)
        (void)printf(":files\n");
    if (strcmp(kind, "CODE") == 0 && w->command->run == cmd_explain)
        explain_each(code, w);
    else if (strncmp(kind, "CODE", 4) == 0)
        rows(w);
    for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++)
        if (strcmp(kinds[i].kind, kind) == 0)
            kinds[i].offer(w);
    for (size_t i = 0; i < sizeof named / sizeof named[0]; i++)
        if (strcmp(named[i].whose, whose) == 0 && strcmp(named[i].kind, kind) == 0)
            named[i].offer(w);
}

/* The n-th of "KEY VALUE..." without brackets and dots; the last one for all that follow it if it has dots. */
static void argument(struct words *w)
{
    const char *at = w->command->args;
    char kind[32] = "";

    for (int n = 0; *at != '\0'; n++) {
        size_t len = strcspn(at, " ");
        bool more = strstr(at, "...") != NULL && strstr(at, "...") < at + len;

        if (n == w->arg_count || more) {
            at += strspn(at, "[");
            (void)snprintf(kind, sizeof kind, "%.*s", (int)strcspn(at, " .]"), at);
            by_kind(w, kind);
            return;
        }
        at += len;
        at += *at == ' ';
    }
}

/* Noun, verb and arguments of what was typed so far.  returns the option whose value is typed, or NULL */
static const struct cli_option *read_words(struct words *w, char **typed, int count)
{
    const struct cli_option *open = NULL;
    int kept = 0;

    for (int i = 0; i < count; i++) {
        const struct cli_option *o = &cli_options[cli_option_at(typed[i])];

        if (open != NULL) {
            if (strcmp(open->name, "--config") == 0)
                w->cli->config = typed[i];
            open = NULL;
        } else if (typed[i][0] != '-') {
            typed[kept++] = typed[i];
        } else if (o->name != NULL && o->value != NULL) {
            open = o;
        }
    }
    w->noun = kept > 0 ? typed[0] : NULL;
    for (const struct command *k = cli_commands; kept > 0 && k->noun != NULL; k++) {
        if (strcmp(k->noun, typed[0]) != 0)
            continue;
        w->has_verbs = w->has_verbs || k->verb != NULL;
        if (k->verb == NULL || (kept > 1 && strcmp(k->verb, typed[1]) == 0))
            w->command = k;
    }
    if (w->command != NULL) {
        w->args = typed + (w->command->verb != NULL ? 2 : 1);
        w->arg_count = kept - (w->command->verb != NULL ? 2 : 1);
    }
    return open;
}

int cmd_complete(struct cli *c)
{
    struct words w = { .cli = c, .now = "" };
    const struct cli_option *open;

    if (c->arg_count == 0)
        return EXIT_OK;
    w.now = c->args[c->arg_count - 1];
    open = read_words(&w, c->args, c->arg_count - 1);
    w.option = open != NULL ? open->name : NULL;
    if (open != NULL && w.noun != NULL && w.command != NULL)
        by_kind(&w, open->value);
    else if (open != NULL && strcmp(open->value, "FILE") == 0)
        (void)printf(":files\n");
    else if (open != NULL)
        return EXIT_OK;
    else if (w.now[0] == '-')
        options(&w);
    else if (w.noun == NULL)
        nouns(&w);
    else if (w.command != NULL)
        argument(&w);
    else if (w.has_verbs)
        verbs(&w);
    return EXIT_OK;
}
