/* see cli.h.  The tables of commands and options, errors, and who answers a question. */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "agent/agent.h"
#include "agent/clock.h"
#include "agent/cli.h"
#include "agent/finding.h"
#include "agent/fs.h"
#include "certs/mem.h"

const struct command cli_commands[] = {
    { "run", NULL, "",
        "Run the service in the foreground until SIGTERM or SIGINT; SIGHUP reads the "
        "configuration.",
        cmd_run },
    { "once", NULL, "",
        "Take what the cloud has, finish it, and exit. Requests that wait for approval stay.",
        cmd_once },
    { "check", NULL, "", "Check the configuration and every file it names. Contacts nobody.",
        cmd_check },
    { "status", NULL, "", "What the service is doing, and how its peers answer.", cmd_status },
    { "requests", "list", "", "Open requests; with --all also those that have ended.",
        cmd_requests_list },
    { "requests", "show", "ID", "Everything about one request, with its history.",
        cmd_requests_show },
    { "requests", "retry", "ID", "Try a held or waiting request again now.", cmd_requests_retry },
    { "requests", "cancel", "ID",
        "End a request here. Its key is destroyed; a certificate it may have becomes an "
        "orphan.",
        cmd_requests_cancel },
    { "orphans", "list", "", "Certificates that were, or may have been, issued and reached nobody.",
        cmd_orphans_list },
    { "ra", "show", "",
        "Certificates of the registration authorities: thumbprints, validity, what is being "
        "renewed.",
        cmd_ra_show },
    { "ra", "renew", "ENDPOINT",
        "Enrol new certificates for the registration authority of this scep section now. What "
        "devices "
        "encrypt to the old one is still read.",
        cmd_ra_renew },
    { "doctor", NULL, "",
        "Check the running service from outside, row by row: what is wrong, what was seen, what to "
        "do. Changes nothing.",
        cmd_doctor },
    { "scep", "info", "URL",
        "Look at any SCEP server: capabilities, certificates, what monitoring sees, long URLs.",
        cmd_scep_info },
    { "scep", "test", "URL",
        "Rehearse an enrolment at any SCEP server, with the challenge of --challenge-file; "
        "without one, with a challenge that is made up and must be refused.",
        cmd_scep_test },
    { "plugin", "list", "", "Challenge plugins: those configured, and those shipped.",
        cmd_plugin_list },
    { "plugin", "test", "NAME",
        "Open a configured plugin with its settings, and say whether it can judge.",
        cmd_plugin_test },
    { "version", NULL, "", "Versions of the program and of the libraries it runs with.",
        cmd_version },
    { "help", NULL, "", "This list.", cmd_help },
    { "manual", NULL, "PART",
        "Print a part of the manual pages, made from the program's own tables.", cmd_manual },
    { NULL, NULL, NULL, NULL, NULL },
};

const struct cli_option cli_options[] = {
    { "--config", "FILE", "Configuration file; default " CONF_DEFAULT_PATH "." },
    { "--json", NULL, "Machine-readable output: one JSON document with schema, data and error." },
    { "--quiet", NULL, "Nothing on standard error but errors." },
    { "--all", NULL, "requests list: ended requests too." },
    { "--state", "STATE", "requests list: only those in this state." },
    { "--wait", "SECONDS",
        "once: how long to wait for requests that are not finished; default 10. scep test: how "
        "long to poll while the CA has not decided; default 30." },
    { "--challenge-file", "FILE",
        "scep test: the challenge is the first line of this file, readable by you alone. A "
        "certificate is issued." },
    { "--subject", "SUBJECT", "scep test: subject of the request; default CN=certferry-test." },
    { "--trust", "FILE",
        "scep, doctor: PEM file with the only roots trusted for https; default those of the "
        "system." },
    { "--url", "URL",
        "doctor: the public address of the service, as \"https://scep.contoso.example\"; default "
        "its own listeners." },
    { "--only", "CODE", "doctor: only the rows with this code or beginning, as SCEP-02 or SCEP." },
    { "--generate", NULL,
        "plugin test: let it make a challenge, for the first endpoint that uses it. The service "
        "must not be running." },
    { NULL, NULL, NULL },
};

int cmd_help(struct cli *c)
{
    (void)c;
    (void)printf("certferry %s - a certificate connector\n\n", CERTFERRY_VERSION);
    for (const struct command *k = cli_commands; k->noun != NULL; k++) {
        char name[64];

        (void)snprintf(name, sizeof name, "%s%s%s%s%s", k->noun, k->verb ? " " : "",
            k->verb ? k->verb : "", k->args[0] != '\0' ? " " : "", k->args);
        if (k->run != cmd_manual)
            (void)printf("  %-20s %s\n", name, k->help);
    }
    (void)printf("\n");
    for (const struct cli_option *o = cli_options; o->name != NULL; o++) {
        char name[40];

        (void)snprintf(
            name, sizeof name, "%s%s%s", o->name, o->value ? " " : "", o->value ? o->value : "");
        (void)printf("  %-20s %s\n", name, o->help);
    }
    return EXIT_OK;
}

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

/* ---- asking -------------------------------------------------------------------------------------------------- */

static int ask_store(
    struct conf *conf, struct view request, bool changes, struct buf *reply, struct err *e)
{
    struct agent a = { .conf = conf, .lock = -1 };
    char path[4096];
    int rc = -1;

    if (changes) { /* nobody else may begin while we write */
        fs_join(path, sizeof path, conf->store.dir, "lock");
        if ((a.lock = fs_lock(path, e)) < 0)
            return -1;
    }
    if ((a.store = store_open(conf->store.dir, !changes, e)) != NULL) {
        control_answer(&a, request, reply);
        rc = 0;
    }
    store_close(a.store);
    fs_unlock(a.lock);
    return rc;
}

static int finish(struct cli *c, struct buf *reply, bool from_store, struct json **answer)
{
    struct err e = { 0 };
    struct json *j = json_parse(buf_view(reply), (size_t)64 << 20, &e);
    const struct json *error;
    const char *message = "", *name = "", *fix = "";
    int64_t code = EXIT_FAILED;
    bool ok = false;

    if (j == NULL || json_bool(j, "ok", true, &ok, &e) != 0) {
        json_free(j);
        return cli_fail(c, &e, "the service may be of another version; restart it");
    }
    if (c->json)
        (void)printf("%s\n", buf_text(reply));
    if (ok) {
        *answer = j;
        return from_store ? EXIT_NO_SERVICE : EXIT_OK;
    }
    if ((error = json_get(j, "error")) != NULL) {
        (void)!json_text(error, "message", false, 400, &message, &e);
        (void)!json_text(error, "code", false, 40, &name, &e);
        (void)!json_text(error, "fix", false, 400, &fix, &e);
        (void)!json_int(error, "exit", false, 0, 255, &code, &e);
    }
    if (!c->json)
        (void)fprintf(
            stderr, "error[%s] %s\n  fix:  %s\n", strlen(name) > 4 ? name + 4 : name, message, fix);
    json_free(j);
    return (int)code;
}

int cli_ask(struct cli *c, const char *request, bool changes, struct json **answer)
{
    struct buf reply = BUF_INIT((size_t)64 << 20);
    struct view q = view_text(request);
    bool from_store = false;
    struct conf *conf;
    struct err e = { 0 };
    int code;

    *answer = NULL;
    if ((conf = conf_load(c->config, &e)) == NULL)
        return cli_fail(c, &e, "certferry check --config %s", c->config);
    code = control_ask(conf->store.dir, q, &reply, &e);
    if (code != 0 && e.cls == ERR_GONE) {
        from_store = true;
        clock_start();
        code = ask_store(conf, q, changes, &reply, &e);
    }
    if (code != 0)
        code = cli_fail(c, &e, "is store.dir in %s right, and may this user read it?", c->config);
    else
        code = finish(c, &reply, from_store, answer);
    buf_free(&reply);
    conf_free(conf);
    return code;
}

/* ---- asking others --------------------------------------------------------------------------------------------- */

int cli_io(const struct cli *c, struct lib **l)
{
    struct err e;

    if ((*l = lib_new(&e)) != NULL && io_open(1, &e) == 0) {
        clock_start();
        return 0;
    }
    lib_free(*l);
    *l = NULL;
    return cli_fail(c, &e, "free some memory, then try again");
}

void cli_io_end(struct lib *l)
{
    if (l != NULL)
        io_close();
    lib_free(l);
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

/* ---- tables -------------------------------------------------------------------------------------------------- */

struct cli_table {
    size_t columns, rows, room;
    char **cells;
};

struct cli_table *cli_table_new(const char *const *heads, size_t columns)
{
    struct cli_table *t = xcalloc(1, sizeof *t);

    t->columns = columns;
    cli_table_row(t, heads);
    return t;
}

void cli_table_row(struct cli_table *t, const char *const *cells)
{
    if (t->rows == t->room) {
        char **more = xcalloc((t->room * 2 + 16) * t->columns, sizeof *more);

        if (t->rows > 0)
            memcpy(more, t->cells, t->rows * t->columns * sizeof *more);
        free(t->cells);
        t->cells = more;
        t->room = t->room * 2 + 16;
    }
    for (size_t i = 0; i < t->columns; i++)
        t->cells[t->rows * t->columns + i] = xstrdup(cells[i] != NULL ? cells[i] : "");
    t->rows++;
}

void cli_table_print(struct cli_table *t)
{
    for (size_t r = 0; r < t->rows; r++) {
        for (size_t i = 0; i < t->columns; i++) {
            size_t width = 0;

            for (size_t k = 0; k < t->rows; k++)
                if (strlen(t->cells[k * t->columns + i]) > width)
                    width = strlen(t->cells[k * t->columns + i]);
            if (i + 1 < t->columns)
                (void)printf("%-*s  ", (int)width, t->cells[r * t->columns + i]);
            else
                (void)printf("%s\n", t->cells[r * t->columns + i]);
        }
    }
    for (size_t i = 0; i < t->rows * t->columns; i++)
        free(t->cells[i]);
    free(t->cells);
    free(t);
}

const char *cli_ago(int64_t at, int64_t now, char *out, size_t size)
{
    long long s = at > now ? at - now : now - at;

    if (at == 0)
        (void)snprintf(out, size, "-");
    else if (s < 120)
        (void)snprintf(out, size, "%lld s", s);
    else if (s < 7200)
        (void)snprintf(out, size, "%lld min", s / 60);
    else if (s < 172800)
        (void)snprintf(out, size, "%lld h %lld min", s / 3600, s / 60 % 60);
    else
        (void)snprintf(out, size, "%lld d %lld h", s / 86400, s / 3600 % 24);
    return out;
}
