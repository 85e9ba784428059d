/* logs: where the service's events are, and how much it says. */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>
#include "agent/cli/cli.h"
#include "agent/conf/conf.h"

enum { WORDS_MAX = 32 };

/* Where else they can be: whoever started the service has its standard error. */
static int elsewhere(const struct cli *c, const char *why)
{
    struct err e;

    (void)err_set(&e, ERR_GONE,
        "no journal to read: %s; log.format decides where events go (certferry config get "
        "log.format)",
        why);
    return cli_fail(c, &e,
        "look where standard error of certferry run goes; under systemd: journalctl -u certferry");
}

/* No shell: the words are arguments, and journalctl takes our place. */
int cmd_logs(struct cli *c)
{
    static const char program[] = "/usr/bin/journalctl";
    const char *argv[WORDS_MAX + 8];
    char since[40];
    int n = 0;

    if (access("/run/systemd/journal/socket", F_OK) != 0)
        return elsewhere(c, "systemd's journal does not run here");
    if (access(program, X_OK) != 0)
        return elsewhere(c, "journalctl is not installed");
    argv[n++] = program;
    argv[n++] = "--unit=certferry";
    if (isatty(STDOUT_FILENO) == 0)
        argv[n++] = "--no-pager";
    if (c->json)
        argv[n++] = "--output=json";
    if (cli_given(c, "--since") != NULL) {
        (void)snprintf(
            since, sizeof since, "--since=-%llds", (long long)cli_seconds(c, "--since", 0));
        argv[n++] = since;
    }
    argv[n++] = "--"; /* what follows are matches, never options */
    for (int i = 0; i < c->arg_count && i < WORDS_MAX; i++)
        argv[n++] = c->args[i];
    argv[n] = NULL;
    (void)fflush(stdout);
    (void)execv(program, (char *const *)(const void *)argv);
    return elsewhere(c, strerror(errno));
}

static void print_level(const struct json *data)
{
    const struct json *log = json_get(data, "log");
    const char *level = cli_text(log, "level"), *configured = cli_text(log, "configured");
    const char *until = cli_text(log, "until");

    (void)printf("log level: %s -> %s", cli_text(data, "before"), level);
    if (strcmp(level, configured) == 0)
        (void)printf(", as configured\n");
    else if (until[0] != '\0')
        (void)printf(", until %s, then %s\n", until, configured);
    else
        (void)printf(", until the service begins anew, or: certferry logs level %s\n", configured);
}

int cmd_logs_level(struct cli *c)
{
    struct buf q = BUF_INIT(4096);
    struct json_out o = { .to = &q };
    struct json *answer;
    int code;

    json_open(&o, NULL, '{');
    json_put_text(&o, "command", "log.level");
    json_put_text(&o, "level", c->args[0]);
    json_put_int(&o, "for_s", cli_seconds(c, "--for", 0));
    json_close(&o, '}');
    code = cli_ask(c, buf_text(&q), false, &answer);
    buf_free(&q);
    if (answer != NULL && !c->json)
        print_level(json_get(answer, "data"));
    json_free(answer);
    return code;
}
