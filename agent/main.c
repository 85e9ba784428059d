/* certferry: which command, with which options.  See cli.h. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "agent/cli.h"
#include "agent/conf.h"
#include "certs/mem.h"

enum { SECRET_ARENA = 512 << 10 }; /* bytes that are never swapped out */

static int usage(const char *what, const char *which)
{
    (void)fprintf(stderr, "error: %s%s%s\n  fix:  certferry help\n", what,
        which[0] != '\0' ? " " : "", which);
    return EXIT_USAGE;
}

/* Options may stand anywhere.  Returns how many words were taken, 0: this is no option, -1: wrong */
static int take_option(struct cli *c, char **argv)
{
    size_t at = cli_option_at(argv[0]);
    const struct cli_option *o = &cli_options[at];
    int64_t s;

    if (argv[0][0] != '-' || argv[0][1] == '\0')
        return 0;
    if (o->name == NULL || (o->value != NULL && argv[1] == NULL)
        || (o->value != NULL && strcmp(o->value, "DURATION") == 0
            && cli_duration(argv[1], &s) != 0))
        return -1;
    c->given[at] = o->value != NULL ? argv[1] : "";
    return o->value != NULL ? 2 : 1;
}

static const struct command *find(const struct cli *c, bool *noun_known)
{
    for (const struct command *k = cli_commands; k->noun != NULL; k++) {
        if (strcmp(k->noun, c->args[0]) != 0)
            continue;
        *noun_known = true;
        if (k->verb == NULL || (c->arg_count > 1 && strcmp(k->verb, c->args[1]) == 0))
            return k;
    }
    return NULL;
}

/* "KEY VALUE": two; "[TOPIC]": none or one; a last word with "..." stands for any number. */
static bool count_fits(const char *args, int count)
{
    int least = 0, most = 0;

    for (const char *p = args; *p != '\0'; p += strcspn(p, " "), p += *p == ' ') {
        most++;
        least += *p != '[';
    }
    if (strstr(args, "...") != NULL)
        most = 1000;
    return count >= least && count <= most;
}

static int run(struct cli *c)
{
    const struct command *k = c->command;
    int words = k->verb != NULL ? 2 : 1;
    char takes[200];

    for (size_t i = 0; cli_options[i].name != NULL; i++)
        if (c->given[i] != NULL && !cli_takes(k, cli_options[i].name)) {
            (void)snprintf(takes, sizeof takes, "%s%s%s does not take", k->noun,
                k->verb != NULL ? " " : "", k->verb != NULL ? k->verb : "");
            return usage(takes, cli_options[i].name);
        }
    for (int i = words; i <= c->arg_count; i++)
        c->args[i - words] = c->args[i];
    c->arg_count -= words;
    if (!count_fits(k->args, c->arg_count))
        return usage(
            k->args[0] != '\0' ? "this command needs" : "this command takes no argument", k->args);
    return k->run(c);
}

int main(int argc, char **argv)
{
    struct cli c = { .config = CONF_DEFAULT_PATH };
    bool noun_known = false;
    int used, code;

    (void)unsetenv("SSLKEYLOGFILE"); /* libcurl would write session keys there */
    (void)mem_watch_openssl();       /* before anything of OpenSSL runs */
    c.memory_locked = mem_secret_start(SECRET_ARENA);
    if ((c.args = calloc((size_t)argc + 1, sizeof *c.args)) == NULL)
        return EXIT_FAILED;
    for (int i = 1; i < argc; i += used == 0 ? 1 : used) {
        if ((used = take_option(&c, &argv[i])) < 0) {
            free(c.args);
            return usage("not an option, or its value is missing or wrong:", argv[i]);
        }
        if (used == 0)
            c.args[c.arg_count++] = argv[i];
    }
    if (cli_given(&c, "--config") != NULL)
        c.config = cli_given(&c, "--config");
    c.json = cli_given(&c, "--json") != NULL;
    c.quiet = cli_given(&c, "--quiet") != NULL;
    if (c.arg_count == 0) {
        (void)cmd_help(&c);
        code = EXIT_USAGE;
    } else if ((c.command = find(&c, &noun_known)) == NULL) {
        code = usage(noun_known ? "no such verb for" : "no such command:", c.args[0]);
    } else {
        code = run(&c);
    }
    if (fflush(stdout) != 0 && code == EXIT_OK)
        code = EXIT_FAILED;
    free(c.args);
    return code;
}
