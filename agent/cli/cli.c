/* see cli.h.  What was given, help, errors. */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "agent/base/fs_mode.h"
#include "agent/base/io.h"
#include "agent/cli/cli.h"
#include "agent/conf/conf.h"
#include "agent/probe/finding.h"

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

bool cli_hidden(const struct command *k)
{
    return k->run == cmd_manual || k->run == cmd_complete;
}

int64_t cli_seconds(const struct cli *c, const char *option, int64_t fallback)
{
    const char *text = cli_given(c, option);
    int64_t s;

    return text != NULL && cli_duration(text, &s) == 0 ? s : fallback;
}

/* ---- errors and envelopes ----------------------------------------------------------------------------------------- */

/* Warnings wait for the envelope: as JSON, objects with commas between. */
static struct buf warnings = BUF_INIT(64 << 10);
static struct json_out warnings_out = { .to = &warnings };

void cli_warn(const struct cli *c, const char *code, const char *fix, const char *fmt, ...)
{
    char what[400];
    va_list ap;

    va_start(ap, fmt);
    (void)vsnprintf(what, sizeof what, fmt, ap);
    va_end(ap);
    err_clean(what);
    if (c->json) {
        json_open(&warnings_out, NULL, '{');
        json_put_text(&warnings_out, "code", code);
        json_put_text(&warnings_out, "message", what);
        json_put_text(&warnings_out, "fix", fix);
        json_close(&warnings_out, '}');
    } else if (!c->quiet) {
        (void)fprintf(stderr, "warning[%s] %s\n  fix:  %s\n", code, what, fix);
    }
}

/* Every command's: data NULL, error NULL: null. */
struct envelope_error {
    const char *code, *message, *fix;
    int exit;
};

static void print_envelope(
    const char *schema, bool ok, struct buf *data, const struct envelope_error *error)
{
    struct buf b = BUF_INIT((data != NULL ? data->len : 0) + warnings.len + 8192);
    struct json_out o = { .to = &b };
    struct buf list = BUF_INIT(warnings.len + 2);

    buf_printf(&list, "[%s]", buf_text(&warnings));
    json_open(&o, NULL, '{');
    json_put_text(&o, "schema", schema);
    json_put_time(&o, "time", io_wall_s());
    json_put_bool(&o, "ok", ok);
    if (data != NULL)
        json_put_raw(&o, "data", buf_view(data));
    else
        json_put_null(&o, "data");
    json_put_raw(&o, "warnings", buf_view(&list));
    if (error == NULL) {
        json_put_null(&o, "error");
    } else {
        json_open(&o, "error", '{');
        json_put_text(&o, "code", error->code);
        json_put_int(&o, "exit", error->exit);
        json_put_text(&o, "message", error->message);
        json_put_text(&o, "fix", error->fix);
        json_close(&o, '}');
    }
    json_close(&o, '}');
    (void)printf("%s\n", buf_text(&b));
    buf_free(&b);
    buf_free(&list);
    buf_free(&warnings);
    warnings_out.comma = false;
}

/* The class as it is meant on the command line, where nobody knows of requests. */
static const char *said(enum err_class cls)
{
    switch (cls) {
    case ERR_INPUT:
        return "that is not valid";
    case ERR_GONE:
        return "there is no such thing";
    case ERR_CONFLICT:
        return "the state of things does not allow it";
    default:
        return err_text(cls);
    }
}

/* Whom the store belongs to is the right user: what is closed to him is wrong. */
static bool owns_store(const struct cli *c)
{
    char dir[4096];
    struct fs_mode m;

    conf_store_dir(c->config, dir, sizeof dir);
    fs_mode(dir, &m);
    return m.there && m.uid == fs_mode_self();
}

bool cli_may_not(const struct cli *c, const struct err *e)
{
    return geteuid() != 0 && (e->cls == ERR_CONFIG || e->cls == ERR_STORE)
           && (e->number == EACCES || e->number == EPERM) && !owns_store(c);
}

/* Nothing is wrong with the configuration or the store: only the wrong user asks.  The service's own codes are for its
 * manager, who does not ask as somebody else. */
static bool is_wrong_user(const struct cli *c, int code, const struct err *e)
{
    return cli_may_not(c, e) && code != EXIT_DAEMON_CONFIG && code != EXIT_TRY_AGAIN;
}

static void fix_for_user(const struct cli *c, char *out, size_t size)
{
    const struct command *k = c->command;

    (void)snprintf(out, size, "sudo certferry %s%s%s ..., or as the service's user", k->noun,
        k->verb != NULL ? " " : "", k->verb != NULL ? k->verb : "");
}

__attribute__((format(printf, 4, 0))) static int fail(
    const struct cli *c, int code, const struct err *e, const char *fix, va_list ap)
{
    const char *name = err_name(e->cls), *what = said(e->cls);
    char help[400];

    if (code == EXIT_NO_SERVICE && !c->json) {
        name = "ERR_SERVICE";
        what = "no service is running";
    }
    if (is_wrong_user(c, code, e)) {
        name = "ERR_PERMISSION";
        what = "this user may not";
        code = EXIT_PERMISSION;
        fix_for_user(c, help, sizeof help);
    } else {
        (void)vsnprintf(help, sizeof help, fix, ap);
    }
    if (c->json) {
        const struct envelope_error error = { name, e->msg, help, code };

        print_envelope("certferry.error/1", false, NULL, &error);
    } else {
        (void)fprintf(
            stderr, "error[%s] %s\n  seen: %s\n  fix:  %s\n", name + 4, what, e->msg, help);
    }
    return code;
}

int cli_fail(const struct cli *c, const struct err *e, const char *fix, ...)
{
    va_list ap;
    int code;

    va_start(ap, fix);
    code = fail(c, (int)exit_code_of(e->cls), e, fix, ap);
    va_end(ap);
    return code;
}

int cli_fail_as(const struct cli *c, int code, const struct err *e, const char *fix, ...)
{
    va_list ap;

    va_start(ap, fix);
    (void)fail(c, code, e, fix, ap);
    va_end(ap);
    return code;
}

/* The help that is nearest to what was typed. */
static void help_for(const struct cli *c, char *out, size_t size)
{
    const struct command *k = c->command;

    (void)snprintf(out, size, "certferry help");
    for (const struct command *n = cli_commands; k == NULL && n->noun != NULL; n++)
        if (c->arg_count > 0 && strcmp(n->noun, c->args[0]) == 0)
            (void)snprintf(out, size, "certferry help %s", n->noun);
    if (k != NULL)
        (void)snprintf(out, size, "certferry help %s%s%s", k->noun, k->verb != NULL ? " " : "",
            k->verb != NULL ? k->verb : "");
}

int cli_usage(const struct cli *c, const char *fmt, ...)
{
    char what[400], fix[100];
    va_list ap;

    va_start(ap, fmt);
    (void)vsnprintf(what, sizeof what, fmt, ap);
    va_end(ap);
    err_clean(what);
    help_for(c, fix, sizeof fix);
    if (c->json) {
        const struct envelope_error error = { "USAGE", what, fix, EXIT_USAGE };

        print_envelope("certferry.error/1", false, NULL, &error);
    } else {
        (void)fprintf(stderr, "error: %s\n  fix:  %s\n", what, fix);
    }
    return EXIT_USAGE;
}

void cli_envelope(const char *schema, struct buf *data, const struct finding *worst, int code)
{
    if (worst == NULL) {
        print_envelope(schema, true, data, NULL);
    } else {
        const struct envelope_error error = { err_name(worst->cls), worst->fact, worst->fix, code };

        print_envelope(schema, false, data, &error);
    }
}

bool cli_sure(const struct cli *c)
{
    const struct command *k = c->command;
    char answer[16] = "";

    if (isatty(STDIN_FILENO) == 0 || cli_given(c, "--yes") != NULL
        || cli_given(c, "--dry-run") != NULL)
        return true;
    (void)fprintf(stderr, "%s%s%s%s%s: %s\nGo on? [y/N] ", k->noun, k->verb != NULL ? " " : "",
        k->verb != NULL ? k->verb : "", c->arg_count > 0 ? " " : "",
        c->arg_count > 0 ? c->args[0] : "", k->help);
    (void)fflush(stderr);
    if (fgets(answer, sizeof answer, stdin) != NULL
        && (strcmp(answer, "y\n") == 0 || strcmp(answer, "yes\n") == 0))
        return true;
    (void)fprintf(stderr, "nothing was done\n");
    return false;
}
