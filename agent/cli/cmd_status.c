/* status: asked once, watched, waited for, or written as a page. */
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>
#include "agent/base/fs.h"
#include "agent/base/io.h"
#include "agent/cli/cli.h"
#include "agent/cli/status.h"
#include "agent/conf/conf.h"

enum {
    SCREEN_MAX = 4 << 20,
    WATCH_MS = 2000,
    WAIT_MS = 500,
    WAIT_S = 60,
    ANSWER_MAX = 64 << 20,
    PAGE_MODE = 0644
};

static const char question[] = "{\"command\":\"status\"}";

static int code_of(const struct json *answer, int code)
{
    const struct json *d = json_get(answer, "data");

    return code == EXIT_OK && d != NULL && strcmp(cli_text(d, "health"), "ok") != 0 ? EXIT_DEGRADED
                                                                                    : code;
}

static void show(const struct json *answer, const char *before)
{
    struct buf b = BUF_INIT(SCREEN_MAX);

    buf_add_text(&b, before);
    status_text(json_get(answer, "data"), cli_time(answer, "time"), &b);
    (void)fputs(buf_text(&b), stdout);
    (void)fflush(stdout);
    buf_free(&b);
}

static int once(struct cli *c)
{
    struct json *answer = NULL;
    int code = cli_ask(c, question, false, &answer);

    if (answer != NULL && !c->json)
        show(answer, "");
    code = code_of(answer, code);
    json_free(answer);
    return code;
}

/* ---- a page ----------------------------------------------------------------------------------------------------- */

static int page(struct cli *c, const char *path)
{
    struct buf b = BUF_INIT(SCREEN_MAX);
    struct json *answer = NULL;
    int code = cli_ask(c, question, false, &answer);
    struct err e;

    if (answer != NULL) {
        status_html(json_get(answer, "data"), cli_time(answer, "time"), &b);
        if (buf_check(&b, &e) != 0 || fs_replace(path, buf_view(&b), PAGE_MODE, &e) != 0)
            code = cli_fail(c, &e, "may this user write into the folder of %s?", path);
        else
            code = code_of(answer, code);
    }
    buf_free(&b);
    json_free(answer);
    return code;
}

/* ---- watching --------------------------------------------------------------------------------------------------- */

static int watch(struct cli *c)
{
    struct json *answer = NULL;
    int code;

    if (c->json || isatty(STDOUT_FILENO) == 0) {
        (void)fprintf(stderr,
            "error: --watch needs a terminal\n  fix:  certferry status --json, as "
            "often as you like\n");
        return EXIT_USAGE;
    }
    for (;;) {
        code = cli_ask(c, question, false, &answer);
        if (answer == NULL)
            return code;
        show(answer, "\033[H\033[J");
        json_free(answer);
        (void)poll(NULL, 0, WATCH_MS);
    }
}

/* ---- waiting ---------------------------------------------------------------------------------------------------- */

/* Nothing to do but to wait for a CA's or an administrator's decision. */
static bool is_idle(const struct json *d)
{
    const struct json *r = json_get(d, "requests");

    return cli_number(d, "working") == 0 && cli_number(r, "ready") == 0
           && cli_number(r, "retrying") == 0;
}

/* What is still in the way; "" = it is as wanted. */
static void look(const char *store_dir, bool idle, char *why, size_t size)
{
    struct buf reply = BUF_INIT(ANSWER_MAX);
    const struct json *d = NULL;
    struct json *answer = NULL;
    struct err e = { 0 };

    if (control_ask(store_dir, view_text(question), &reply, &e) == 0)
        answer = json_parse(buf_view(&reply), ANSWER_MAX, &e);
    if (answer != NULL)
        d = json_get(answer, "data");
    if (d == NULL)
        (void)snprintf(why, size, "%s", e.cls == ERR_GONE ? "no service is running" : e.msg);
    else if (!cli_true(d, "ready"))
        (void)snprintf(why, size, "%s %s: %s", cli_text(json_at(json_get(d, "causes"), 0), "part"),
            cli_text(json_at(json_get(d, "causes"), 0), "name"),
            cli_text(json_at(json_get(d, "causes"), 0), "message"));
    else if (idle && !is_idle(d))
        (void)snprintf(why, size, "%lld requests ready, %lld retrying",
            (long long)cli_number(json_get(d, "requests"), "ready"),
            (long long)cli_number(json_get(d, "requests"), "retrying"));
    else
        why[0] = '\0';
    json_free(answer);
    buf_free(&reply);
}

static int wait_for(struct cli *c, const char *what)
{
    bool idle = strcmp(what, "idle") == 0, tell = !c->quiet && !c->json && isatty(STDERR_FILENO);
    int64_t until;
    char why[300] = "", told[300] = "";
    struct conf *conf;
    struct err e;

    if (!idle && strcmp(what, "ready") != 0)
        return cli_usage(c, "status --wait takes ready or idle");
    if ((conf = conf_load(c->config, &e)) == NULL)
        return cli_fail(c, &e, "certferry check --config %s", c->config);
    until = io_wall_s() + cli_seconds(c, "--timeout", WAIT_S);
    for (;;) {
        look(conf->store.dir, idle, why, sizeof why);
        if (why[0] == '\0' || io_wall_s() >= until)
            break;
        if (tell && strcmp(why, told) != 0)
            (void)fprintf(stderr, "waiting: %s\n", why);
        (void)snprintf(told, sizeof told, "%s", why);
        (void)poll(NULL, 0, WAIT_MS);
    }
    conf_free(conf);
    if (why[0] == '\0')
        return once(c);
    (void)err_set(&e, ERR_BUSY, "not %s after %lld s: %s", what,
        (long long)cli_seconds(c, "--timeout", WAIT_S), why);
    return cli_fail_as(c, EXIT_TIMEOUT, &e, "certferry doctor");
}

int cmd_status(struct cli *c)
{
    if (cli_given(c, "--wait") != NULL)
        return wait_for(c, cli_given(c, "--wait"));
    if (cli_given(c, "--watch") != NULL)
        return watch(c);
    return cli_given(c, "--html") != NULL ? page(c, cli_given(c, "--html")) : once(c);
}
