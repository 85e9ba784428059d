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
    (void)fprintf(stderr, "error: %s%s%s\n  fix:  certferry help\n", what, which != NULL ? " " : "",
        which != NULL ? which : "");
    return EXIT_USAGE;
}

/* 1 taken, 2 taken with its value, 0 not an option, -1 wrong */
static int take_option(struct cli *c, char **argv)
{
    const struct {
        const char *name, **to;
    } texts[] = { { "--config", &c->config }, { "--state", &c->state },
        { "--subject", &c->subject }, { "--challenge-file", &c->challenge_file },
        { "--trust", &c->trust }, { "--url", &c->url }, { "--only", &c->only } };
    const char *a = argv[0], *value = argv[1];
    char *end;

    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++)
        if (strcmp(a, texts[i].name) == 0)
            return (*texts[i].to = value) != NULL ? 2 : -1;
    if (strcmp(a, "--json") == 0)
        c->json = true;
    else if (strcmp(a, "--quiet") == 0)
        c->quiet = true;
    else if (strcmp(a, "--all") == 0)
        c->all = true;
    else if (strcmp(a, "--generate") == 0)
        c->generate = true;
    else if (strcmp(a, "--wait") != 0)
        return a[0] == '-' && a[1] != '\0' ? -1 : 0;
    else if (value == NULL)
        return -1;
    else
        return c->wait_s = strtoll(value, &end, 10), *end == '\0' && c->wait_s >= 0 ? 2 : -1;
    return 1;
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

int main(int argc, char **argv)
{
    struct cli c = { .config = CONF_DEFAULT_PATH, .wait_s = -1 };
    const struct command *k;
    bool noun_known = false;
    int used, words, code;

    (void)unsetenv("SSLKEYLOGFILE"); /* libcurl would write session keys there */
    (void)mem_watch_openssl();       /* before anything of OpenSSL runs */
    c.memory_locked = mem_secret_start(SECRET_ARENA);
    if ((c.args = calloc((size_t)argc + 1, sizeof *c.args)) == NULL)
        return EXIT_FAILED;
    for (int i = 1; i < argc; i += used == 2 ? 2 : 1) {
        if ((used = take_option(&c, &argv[i])) < 0) {
            free(c.args);
            return usage("not an option, or its value is missing:", argv[i]);
        }
        if (used == 0)
            c.args[c.arg_count++] = argv[i];
    }
    if (c.arg_count == 0) {
        (void)cmd_help(&c);
        code = EXIT_USAGE;
    } else if ((k = find(&c, &noun_known)) == NULL) {
        code = usage(noun_known ? "no such verb for" : "no such command:", c.args[0]);
    } else {
        words = k->verb != NULL ? 2 : 1;
        for (int i = words; i <= c.arg_count; i++)
            c.args[i - words] = c.args[i];
        c.arg_count -= words;
        if (c.arg_count != (k->args[0] != '\0' ? 1 : 0))
            code =
                usage(k->args[0] != '\0' ? "this command needs" : "this command takes no argument;",
                    k->args[0] != '\0' ? k->args : NULL);
        else
            code = k->run(&c);
    }
    if (fflush(stdout) != 0 && code == EXIT_OK)
        code = EXIT_FAILED;
    free(c.args);
    return code;
}
