/* certferry: which command, with which options.  See cli.h. */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <unistd.h>
#include "agent/base/fs.h"
#include "agent/cli/cli.h"
#include "agent/conf/conf.h"
#include "certs/mem.h"

enum { SECRET_ARENA = 512 << 10 }; /* bytes that are never swapped out */

/* "DURATION", or "DURATION|ready|idle": one of the words will do. */
static bool value_fits(const char *wanted, const char *given)
{
    size_t len = strlen(given);
    int64_t s;

    if (strncmp(wanted, "DURATION", 8) != 0 || cli_duration(given, &s) == 0)
        return true;
    for (const char *p = strchr(wanted, '|'); p != NULL; p = strchr(p + 1, '|'))
        if (strncmp(p + 1, given, len) == 0 && (p[len + 1] == '|' || p[len + 1] == '\0'))
            return true;
    return false;
}

/* The word behind an option, unless it is the next option: then the value was forgotten. */
static const char *value_behind(char **argv)
{
    return argv[1] != NULL && cli_options[cli_option_at(argv[1])].name == NULL ? argv[1] : NULL;
}

/* Options may stand anywhere.  Returns how many words were taken, 0: this is no option, -1: wrong */
static int take_option(struct cli *c, char **argv)
{
    size_t at = cli_option_at(argv[0]);
    const struct cli_option *o = &cli_options[at];

    if (argv[0][0] != '-' || argv[0][1] == '\0')
        return 0;
    if (o->name == NULL || (o->value != NULL && value_behind(argv) == NULL)
        || (o->value != NULL && !value_fits(o->value, argv[1])))
        return -1;
    c->given[at] = o->value != NULL ? argv[1] : "";
    return o->value != NULL ? 2 : 1;
}

/* "logs level" is a verb, "logs CC_CHANNEL=Admin" the noun alone. */
static const struct command *find(const struct cli *c, bool *noun_known)
{
    const struct command *alone = NULL;

    for (const struct command *k = cli_commands; k->noun != NULL; k++) {
        if (strcmp(k->noun, c->args[0]) != 0)
            continue;
        *noun_known = true;
        if (k->verb == NULL)
            alone = k;
        else if (c->arg_count > 1 && strcmp(k->verb, c->args[1]) == 0)
            return k;
    }
    return alone;
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

/* An assertion has said its line; a script that called us needs a code that no failure of something else has. */
static void on_abort(int signum)
{
    static const char what[] = "error[BUG] a check inside the program itself failed\n"
                               "  fix:  certferry bugreport, and report it with what was asked\n";

    (void)signum;
    (void)!write(STDERR_FILENO, what, sizeof what - 1);
    _exit(EXIT_BUG);
}

/* The service keeps the signal as it is: the service manager sends it to one that is stuck, and reads how it ended. */
static void catch_bugs(const struct cli *c)
{
    if (c->command->run != cmd_run && c->command->run != cmd_once)
        (void)signal(SIGABRT, on_abort);
}

/* Root's commands believe what belongs to the service's user; a service that root runs does not. */
static void trust_service(const struct cli *c)
{
    char dir[4096];

    if (geteuid() != 0 || c->command->run == cmd_run || c->command->run == cmd_once)
        return;
    conf_store_dir(c->config, dir, sizeof dir);
    fs_trust_owner(dir);
}

static int run(struct cli *c)
{
    const struct command *k = c->command;
    int words = k->verb != NULL ? 2 : 1;

    for (size_t i = 0; cli_options[i].name != NULL; i++)
        if (c->given[i] != NULL && !cli_takes(k, cli_options[i].name))
            return cli_usage(c, "%s%s%s does not take %s", k->noun, k->verb != NULL ? " " : "",
                k->verb != NULL ? k->verb : "", cli_options[i].name);
    for (int i = words; i <= c->arg_count; i++)
        c->args[i - words] = c->args[i];
    c->arg_count -= words;
    if (!count_fits(k->args, c->arg_count))
        return cli_usage(c, "%s%s%s takes %s", k->noun, k->verb != NULL ? " " : "",
            k->verb != NULL ? k->verb : "", k->args[0] != '\0' ? k->args : "no argument");
    trust_service(c);
    catch_bugs(c);
    return k->run(c);
}

/* The words of the command line: options into c->given, others into c->args.  returns -1: said what is wrong */
static int read_words(struct cli *c, int argc, char **argv)
{
    bool only_words = false; /* behind "--" */
    int used;

    for (int i = 1; i < argc; i++) /* first, because it says how to complain */
        c->json = c->json || strcmp(argv[i], "--json") == 0;
    for (int i = 1; i < argc; i += used == 0 ? 1 : used) {
        used = 0;
        if (!only_words && strcmp(argv[i], "--") == 0)
            only_words = true;
        else if (!only_words && (used = take_option(c, &argv[i])) < 0)
            return cli_no_option(c, argv[i], value_behind(&argv[i]));
        else if (used == 0)
            c->args[c->arg_count++] = argv[i];
    }
    return 0;
}

/* Secrets pass through commands as they do through the service: nothing of ours ends up in a core file, and nobody
 * else's debugger looks in. */
static void no_core_dumps(void)
{
    const struct rlimit none = { 0, 0 };

    (void)setrlimit(RLIMIT_CORE, &none);
    (void)prctl(PR_SET_DUMPABLE, 0);
}

int main(int argc, char **argv)
{
    struct cli c = { .config = CONF_DEFAULT_PATH };
    bool noun_known = false;
    int code;

    no_core_dumps();
    /* Data and what is said about them keep their order where both go to one file. */
    (void)setvbuf(stdout, NULL, _IOLBF, 0);
    (void)unsetenv("SSLKEYLOGFILE"); /* libcurl would write session keys there */
    (void)mem_watch_openssl();       /* before anything of OpenSSL runs */
    c.memory_locked = mem_secret_start(SECRET_ARENA);
    conf_environment(environ);
    if ((c.args = calloc((size_t)argc + 1, sizeof *c.args)) == NULL)
        return EXIT_FAILED;
    if ((code = read_words(&c, argc, argv)) != 0) {
        free(c.args);
        return code;
    }
    if (cli_given(&c, "--config") != NULL)
        c.config = cli_given(&c, "--config");
    c.quiet = cli_given(&c, "--quiet") != NULL;
    if (c.arg_count == 0 && c.json) {
        code = cli_usage(&c, "no command");
    } else if (c.arg_count == 0) {
        (void)cmd_help(&c);
        code = EXIT_USAGE;
    } else if ((c.command = find(&c, &noun_known)) == NULL) {
        code = noun_known ? cli_no_verb(&c, c.args[0], c.arg_count > 1 ? c.args[1] : NULL)
                          : cli_no_command(&c, c.args[0]);
    } else {
        code = run(&c);
    }
    if (fflush(stdout) != 0 && code == EXIT_OK)
        code = EXIT_FAILED;
    free(c.args);
    return code;
}
