/* What a plugin asks, and how it is carried out.  agent_plugin_question.c has what may not be asked. */
#include "test/t.h"
#include "test/unit/agent_plugin.h"

#define JSON "Content-Type: application/json\r\n"

static char token_text[400], api_text[300];
static struct server_answer token_answer = { "/token", token_text, THEN_KEEP, 0 },
                            api_answer = { "/api", api_text, THEN_KEEP, 0 };
static atomic_int tokens_asked, api_asked;
static char api_request[8000];

static const struct server_answer *choose(const char *request)
{
    if (strstr(request, " /token ") != NULL) {
        atomic_fetch_add(&tokens_asked, 1);
        return &token_answer;
    }
    atomic_fetch_add(&api_asked, 1);
    (void)snprintf(api_request, sizeof api_request, "%s", request);
    return &api_answer;
}

static void serve(char *text, size_t size, int status, const char *body)
{
    (void)snprintf(text, size, "HTTP/1.1 %d Answer\r\n" JSON "Content-Length: %zu\r\n\r\n%s",
        status, strlen(body), body);
}

static void serve_token(const char *token)
{
    char body[200];

    (void)snprintf(body, sizeof body,
        "{\"token_type\":\"Bearer\",\"expires_in\":3600,\"access_token\":\"%s\"}", token);
    serve(token_text, sizeof token_text, 200, body);
}

static struct plugin *plugin;

static int begin(void **state)
{
    int rc = plugin_begin(state);

    server.choose = choose;
    atomic_store(&tokens_asked, 0);
    atomic_store(&api_asked, 0);
    token_answer.then = api_answer.then = THEN_KEEP;
    token_answer.filler = api_answer.filler = 0;
    serve_token("first");
    serve(api_text, sizeof api_text, 200, "{\"code\":\"Success\"}");
    dir_write("secret", "hunter2\n", 0600);
    section.client_id = (char *)(uintptr_t) "me";
    section.client_secret_file = strdup(dir_path("secret"));
    plugin = plugin_opened("shell");
    return rc;
}

static int end(void **state)
{
    plugin_close(plugin);
    free(section.client_secret_file);
    return plugin_end(state);
}

/* ---- carried out ---- */

struct got {
    struct op *op;
    int calls, status;
    bool failed, stop;
    struct err err;
    char body[100];
    size_t len;
};

static void on_got(void *arg, const struct result *r)
{
    struct got *g = arg;

    assert_non_null(g->op); /* never before plugin_ask returned */
    g->op = NULL;
    g->calls++;
    if (g->stop)
        io_stop();
    if ((g->failed = r->err != NULL)) {
        g->err = *r->err;
        return;
    }
    g->status = r->http->status;
    g->len = r->http->body.len;
    (void)snprintf(g->body, sizeof g->body, "%.*s", (int)r->http->body.len,
        r->http->body.len > 0 ? (const char *)r->http->body.p : "");
}

static void start(struct got *g, const struct certferry_ask *ask)
{
    struct err e = { 0 };

    *g = (struct got){ 0 };
    if ((g->op = plugin_ask(plugin, ask, on_got, g, &e)) == NULL)
        fail_msg("%s", e.msg);
    assert_int_equal(g->calls, 0);
}

static void ask(struct got *g, const struct certferry_ask *what)
{
    start(g, what);
    io_run();
    assert_int_equal(g->calls, 1);
}

static struct certferry_ask with_token(void)
{
    struct certferry_ask a = { .method = "POST",
        .url = server_url(&server, "/api"),
        .token_url = server_url(&server, "/token"),
        .token_scope = "api/.default",
        .body = { (const uint8_t *)"{}", 2 } };

    return a;
}

static void without_a_token(void **state)
{
    struct certferry_ask a = with_token();
    struct got g;

    (void)state;
    a.token_url = NULL;
    a.header_count = 1;
    a.header[0] = (struct certferry_header){ "Authorization", "Basic eDp5" }; /* its own */
    ask(&g, &a);
    assert_int_equal(g.status, 200);
    assert_string_equal(g.body, "{\"code\":\"Success\"}");
    assert_non_null(strstr(api_request, "POST /api HTTP/1.1\r\n"));
    assert_non_null(strstr(api_request, "\r\nAuthorization: Basic eDp5\r\n"));
    assert_non_null(strstr(api_request, "\r\n\r\n{}"));
    assert_int_equal(atomic_load(&tokens_asked), 0);
}

/* All headers it may have, and ours on top; its buffers are used for something else before the answer. */
static void after_a_token(void **state)
{
    char method[8] = "POST", url[300], token_url[300], scope[20] = "api/.default", body[40] = "{}",
         names[CERTFERRY_HEADERS_MAX][8], values[CERTFERRY_HEADERS_MAX][8];
    struct certferry_ask a = with_token();
    struct got g;

    (void)state;
    (void)snprintf(url, sizeof url, "%s", a.url);
    (void)snprintf(token_url, sizeof token_url, "%s", a.token_url);
    a.method = method;
    a.url = url;
    a.token_url = token_url;
    a.token_scope = scope;
    a.body.p = (const uint8_t *)body;
    a.header_count = CERTFERRY_HEADERS_MAX;
    for (size_t i = 0; i < CERTFERRY_HEADERS_MAX; i++) {
        (void)snprintf(names[i], sizeof names[i], "X-%zu", i);
        (void)snprintf(values[i], sizeof values[i], "v%zu", i);
        a.header[i] = (struct certferry_header){ names[i], values[i] };
    }
    start(&g, &a);
    memset(method, 'x', sizeof method);
    memset(url, 'x', sizeof url);
    memset(token_url, 'x', sizeof token_url);
    memset(scope, 'x', sizeof scope);
    memset(body, 'x', sizeof body);
    memset(names, 'x', sizeof names);
    memset(values, 'x', sizeof values);
    memset(&a, 'x', sizeof a);
    io_run();
    assert_int_equal(g.calls, 1);
    assert_int_equal(g.status, 200);
    assert_non_null(strstr(api_request, "POST /api HTTP/1.1\r\n"));
    assert_non_null(strstr(api_request, "\r\nAuthorization: Bearer first\r\n"));
    assert_non_null(strstr(api_request, "\r\nX-0: v0\r\n"));
    assert_non_null(strstr(api_request, "\r\nX-7: v7\r\n"));
    assert_non_null(strstr(api_request, "\r\n\r\n{}"));
}

static void a_refused_token_is_dropped(void **state)
{
    static const int refusals[] = { 401, 403 };
    struct certferry_ask a = with_token();
    struct got g;

    (void)state;
    for (int i = 0; i < 2; i++) {
        a.token_scope = i == 0 ? "scope-a" : "scope-b";
        serve_token("first");
        serve(api_text, sizeof api_text, refusals[i], "{}");
        ask(&g, &a);
        assert_int_equal(g.status, refusals[i]); /* the plugin hears of it all the same */
        serve_token("second");
        serve(api_text, sizeof api_text, 200, "{}");
        ask(&g, &a);
        assert_int_equal(g.status, 200);
        assert_non_null(strstr(api_request, "Bearer second"));
    }
    assert_int_equal(atomic_load(&tokens_asked), 4);
}

static void no_token(void **state)
{
    struct certferry_ask a = with_token();
    struct got g;

    (void)state;
    serve(token_text, sizeof token_text, 401,
        "{\"error\":\"invalid_client\",\"error_description\":\"AADSTS7000215: no.\"}");
    ask(&g, &a);
    assert_true(g.failed);
    assert_int_equal(g.err.cls, ERR_AUTH);
    assert_non_null(strstr(g.err.msg, "invalid_client"));
    assert_null(strstr(g.err.msg, "hunter2"));
    assert_int_equal(atomic_load(&api_asked), 0);
}

/* One deadline for the token and the request; the plugin's if it is shorter than the section's. */
static void in_time(void **state)
{
    struct certferry_ask a = with_token();
    struct got g;

    (void)state;
    a.timeout_ms = 300;
    api_answer.then = THEN_HANG;
    (void)snprintf(api_text, sizeof api_text, "HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\n");
    ask(&g, &a);
    assert_true(g.failed);
    assert_int_equal(g.err.cls, ERR_NET);

    a.token_scope = "scope-b";
    token_answer.then = THEN_HANG;
    (void)snprintf(token_text, sizeof token_text, "HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\n");
    start(&g, &a);
    g.stop = true; /* the request for the token goes on, for others */
    io_run();
    assert_int_equal(g.calls, 1);
    assert_true(g.failed);
    assert_int_equal(g.err.cls, ERR_NET);
    assert_non_null(strstr(g.err.msg, "no access token in time"));
}

static void too_long_an_answer(void **state)
{
    struct certferry_ask a = with_token();
    struct got g;

    (void)state;
    (void)snprintf(api_text, sizeof api_text, "HTTP/1.1 200 OK\r\nContent-Length: 300000\r\n\r\n");
    api_answer.filler = 300000;
    ask(&g, &a);
    assert_true(g.failed);
    assert_int_equal(g.err.cls, ERR_TOO_LARGE);
}

struct stop {
    struct got *got;
};

static void on_stop(void *arg, const struct result *r)
{
    struct got *g = ((struct stop *)arg)->got;

    (void)r;
    io_cancel(g->op);
    g->op = NULL;
}

/* At every moment: waiting for the token, between the two, waiting for the answer, and after it. */
static void cancelled_at_any_moment(void **state)
{
    struct certferry_ask a = with_token();
    char scope[20];

    (void)state;
    for (uint64_t ms = 0; ms < 40; ms++) {
        struct got g;
        struct stop s = { &g };

        (void)snprintf(scope, sizeof scope, "scope-%d", (int)(ms % TOKENS_MAX));
        a.token_scope = scope;
        start(&g, &a);
        if (ms == 0)
            on_stop(&s, NULL);
        else
            assert_non_null(io_timer(ms / 2, on_stop, &s));
        io_run();
        assert_int_equal(g.calls <= 1, 1);
        assert_null(g.op);
        if (ms == 0)
            assert_int_equal(g.calls, 0);
    }
}

/* 100 questions, one token. */
static void many_at_once(void **state)
{
    static struct got all[100];
    struct certferry_ask a = with_token();

    (void)state;
    for (size_t i = 0; i < 100; i++)
        start(&all[i], &a);
    io_run();
    for (size_t i = 0; i < 100; i++) {
        assert_int_equal(all[i].calls, 1);
        assert_int_equal(all[i].status, 200);
    }
    assert_int_equal(atomic_load(&tokens_asked), 1);
    assert_int_equal(atomic_load(&api_asked), 100);
}

/* ---- a program ---- */

static void a_program(void **state)
{
    struct certferry_ask a = { .program = 1, .body = { (const uint8_t *)"{\"v\":1}", 7 } };
    struct err e = { 0 };
    struct got g;

    (void)state;
    dir_write("judge", "#!/bin/sh\ncat\nexit 3\n", 0755);
    section.program = strdup(dir_path("judge"));
    ask(&g, &a);
    if (g.failed)
        fail_msg("%s", g.err.msg);
    assert_int_equal(g.status, 3);
    assert_string_equal(g.body, "{\"v\":1}");
    assert_int_equal(chmod(section.program, 0775), 0); /* looked at each time */
    assert_null(plugin_ask(plugin, &a, on_got, &g, &e));
    assert_int_equal(e.cls, ERR_CONFIG);
    assert_non_null(strstr(e.msg, "judge"));
    free(section.program);
    section.program = NULL;
}

#define T(fn) cmocka_unit_test_setup_teardown(fn, begin, end)

int main(void)
{
    const struct CMUnitTest tests[] = {
        T(without_a_token),
        T(after_a_token),
        T(a_refused_token_is_dropped),
        T(no_token),
        T(in_time),
        T(too_long_an_answer),
        T(cancelled_at_any_moment),
        T(many_at_once),
        T(a_program),
    };

    return cmocka_run_group_tests_name("agent_plugin_ask", tests, NULL, NULL);
}
