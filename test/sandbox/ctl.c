/* see commands.h: `ctl DIR ...`, the control endpoints by hand */
#include "test/sandbox/commands.h"
#include "test/sandbox/clock.h"
#include "test/sandbox/js.h"
#include "test/sandbox/options.h"
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int ask(const char *dir, const char *method, const char *path, const struct str *body)
{
    struct str out = { 0 };
    char why[DIR_WHY] = "";
    int status = 0, rc = 1;

    if (!tls_ask(dir, method, path, body, &status, &out, why)) {
        fprintf(stderr, "certferry-sandbox: %s\n", why);
    } else {
        fputs(str_text(&out), status < 300 ? stdout : stderr);
        if (out.len == 0 || out.p[out.len - 1] != '\n')
            fputs("\n", status < 300 ? stdout : stderr);
        rc = status < 300 ? 0 : 1;
    }
    str_free(&out);
    return rc;
}

static int ask_text(const char *dir, const char *path, const char *body)
{
    struct str s = { 0 };
    int rc;

    str_puts(&s, body);
    rc = ask(dir, "POST", path, &s);
    str_free(&s);
    return rc;
}

static int do_get(const char *dir, const char *path)
{
    return ask(dir, "GET", path, NULL);
}

static int do_post(const char *dir, const char *path)
{
    return ask(dir, "POST", path, NULL);
}

static int do_delete(const char *dir, const char *path)
{
    return ask(dir, "DELETE", path, NULL);
}

static int do_requests(const char *dir, const char *file)
{
    struct str body = { 0 };
    char why[DIR_WHY];
    int rc = 1;

    if (file_read(file, &body, why))
        rc = ask(dir, "POST", "/sandbox/requests", &body);
    else
        fprintf(stderr, "certferry-sandbox: %s\n", why);
    str_free(&body);
    return rc;
}

static int do_faults(const char *dir, const char *json)
{
    return ask_text(dir, "/sandbox/faults", json);
}

static int do_challenge(const char *dir, const char *claims)
{
    return ask_text(dir, "/sandbox/scep-challenge", claims);
}

static int do_approve(const char *dir, const char *who)
{
    struct str body = { 0 };
    int rc;

    if (strcmp(who, "all") == 0) {
        str_puts(&body, "{\"all\":true}");
    } else {
        str_puts(&body, "{\"cn\":");
        str_json(&body, who);
        str_puts(&body, "}");
    }
    rc = ask_text(dir, "/sandbox/approve", body.p);
    str_free(&body);
    return rc;
}

/* {"NAME":"WORD"...} to PATH. */
static int ask_word(
    const char *dir, const char *path, const char *name, const char *word, const char *more)
{
    struct str body = { 0 };
    int rc;

    str_f(&body, "{\"%s\":", name);
    str_json(&body, word);
    str_f(&body, "%s}", more);
    rc = ask_text(dir, path, body.p);
    str_free(&body);
    return rc;
}

static int do_approve_code(const char *dir, const char *code)
{
    return ask_word(dir, "/sandbox/device", "userCode", code, ",\"answer\":\"approve\"");
}

static int do_deny_code(const char *dir, const char *code)
{
    return ask_word(dir, "/sandbox/device", "userCode", code, ",\"answer\":\"deny\"");
}

static int do_expire_code(const char *dir, const char *code)
{
    return ask_word(dir, "/sandbox/device", "userCode", code, ",\"answer\":\"expire\"");
}

static int do_revoke(const char *dir, const char *agent)
{
    return ask_word(dir, "/sandbox/revoke", "agentId", agent, "");
}

static int do_counter(const char *dir, const char *n)
{
    struct str body = { 0 };
    int rc;

    str_f(&body, "{\"highestCounter\":%lld}", strtoll(n, NULL, 10));
    rc = ask_text(dir, "/sandbox/counter", body.p);
    str_free(&body);
    return rc;
}

static int do_request(const char *dir, const char *id)
{
    struct str path = { 0 };
    int rc;

    str_f(&path, "/sandbox/request/%.63s", id);
    rc = ask(dir, "GET", path.p, NULL);
    str_free(&path);
    return rc;
}

/* How many requests are open; -1: nobody could be asked. */
static int64_t open_requests(const char *dir, char why[DIR_WHY])
{
    struct str out = { 0 };
    struct json_object *o = NULL;
    int64_t n = -1;
    int status = 0;

    if (tls_ask(dir, "GET", "/sandbox/summary", NULL, &status, &out, why) && status == 200)
        o = js_parse(str_text(&out), out.len, why, DIR_WHY);
    js_int(o, "open", &n);
    js_free(o);
    str_free(&out);
    return n;
}

static int do_wait(const char *dir, const char *seconds)
{
    int64_t until_ms = clock_ms() + strtoll(seconds, NULL, 10) * 1000, n;
    char why[DIR_WHY] = "";

    while ((n = open_requests(dir, why)) > 0 && clock_ms() < until_ms)
        poll(NULL, 0, 200);
    if (n == 0)
        return do_get(dir, "/sandbox/summary");
    if (n < 0)
        fprintf(stderr, "certferry-sandbox: %s\n", why);
    else
        fprintf(stderr, "certferry-sandbox: %lld requests are still open\n", (long long)n);
    return 1;
}

static const struct {
    const char *name;
    int words; /* after the name */
    int (*run)(const char *dir, const char *word);
    const char *word; /* when the command line has none */
} commands[] = {
    { "summary", 0, do_get, "/sandbox/summary" },
    { "ledger", 0, do_get, "/sandbox/ledger" },
    { "faults", 0, do_get, "/sandbox/faults" },
    { "faults", 1, do_faults, NULL },
    { "clear-faults", 0, do_delete, "/sandbox/faults" },
    { "requests", 1, do_requests, NULL },
    { "request", 1, do_request, NULL },
    { "approve", 1, do_approve, NULL },
    { "scep-challenge", 1, do_challenge, NULL },
    { "expire-leases", 0, do_post, "/sandbox/expire-leases" },
    { "wait", 1, do_wait, NULL },
    { "stop", 0, do_post, "/sandbox/stop" },
    { "approve-code", 1, do_approve_code, NULL },
    { "deny-code", 1, do_deny_code, NULL },
    { "expire-code", 1, do_expire_code, NULL },
    { "bootstrap", 0, do_post, "/sandbox/bootstrap" },
    { "agents", 0, do_get, "/sandbox/agents" },
    { "revoke", 1, do_revoke, NULL },
    { "counter", 1, do_counter, NULL },
};

int cmd_ctl(int argc, char **argv)
{
    for (size_t i = 0; argc >= 2 && i < sizeof commands / sizeof commands[0]; i++) {
        if (strcmp(commands[i].name, argv[1]) == 0 && commands[i].words == argc - 2)
            return commands[i].run(argv[0], argc == 3 ? argv[2] : commands[i].word);
    }
    usage();
    return 2;
}
