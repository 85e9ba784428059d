#ifndef TEST_UNIT_AGENT_TOKEN_H
#define TEST_UNIT_AGENT_TOKEN_H
/* agent_token.h - a token endpoint that answers as the test says, and people who want tokens. */
#include "agent/cloud/token.h"
#include "test/live/fetch.h"

#define JSON      "Content-Type: application/json\r\n"
#define LONG_LIFE "3600"
enum { WAITERS = 200 };

static char answer_text[600];
static struct server_answer answer = { "/token", answer_text, THEN_KEEP, 0 };
static const struct server_answer none[] = { { NULL, NULL, THEN_KEEP, 0 } };
static struct tokens *tokens;
static atomic_int asked;

/* The server's next answers. */
static inline const struct server_answer *choose(const char *request)
{
    (void)request;
    atomic_fetch_add(&asked, 1);
    return &answer;
}

static inline void serve(int status, const char *headers, const char *body)
{
    (void)snprintf(answer_text, sizeof answer_text,
        "HTTP/1.1 %d Answer\r\n%sContent-Length: %zu\r\n\r\n%s", status, headers, strlen(body),
        body);
}

static inline void serve_token(const char *token, const char *life)
{
    char body[300];

    (void)snprintf(body, sizeof body,
        "{\"token_type\":\"Bearer\",\"expires_in\":%s,\"access_token\":\"%s\"}", life, token);
    serve(200, JSON, body);
}

static inline int begin(void **state)
{
    struct token_client c = { .id = "client-1" };
    struct err e = { 0 };

    (void)state;
    if (fetch_begin(none) != 0)
        return -1;
    server.choose = choose;
    atomic_store(&asked, 0);
    dir_write("secret", "hunter2-and-more\n", 0600);
    c.secret_file = dir_path("secret");
    if ((tokens = tokens_open(NULL, peer, &c, &e)) == NULL)
        fail_msg("%s", e.msg);
    serve_token("first", LONG_LIFE);
    return 0;
}

static inline int end(void **state)
{
    (void)state;
    tokens_close(tokens);
    return fetch_end();
}

struct want {
    struct token_wait *wait;
    int calls;
    bool failed;
    struct err err;
    char token[100];
};

static inline void on_token(void *arg, const struct err *why, struct view token)
{
    struct want *w = arg;

    assert_non_null(w->wait); /* never before token_get returned */
    w->wait = NULL;
    w->calls++;
    if ((w->failed = why != NULL)) {
        w->err = *why;
        assert_int_equal(token.len, 0);
        return;
    }
    (void)snprintf(w->token, sizeof w->token, "%.*s", (int)token.len, (const char *)token.p);
}

static inline void want_at(struct want *w, const char *path, const char *scope)
{
    *w = (struct want){ 0 };
    w->wait = token_get(tokens, server_url(&server, path), scope, on_token, w);
    assert_int_equal(w->calls, 0);
}

static inline void want(struct want *w)
{
    want_at(w, "/token", "scope-a");
}

static inline void get(struct want *w)
{
    want(w);
    io_run();
    assert_int_equal(w->calls, 1);
}

static inline void is_token(const struct want *w, const char *token)
{
    if (w->failed)
        fail_msg("%s", w->err.msg);
    assert_string_equal(w->token, token);
}

static inline void drop(const char *token)
{
    token_drop(tokens, server_url(&server, "/token"), "scope-a", view_text(token));
}

static inline void nothing(void *arg, const struct result *r)
{
    (void)arg;
    (void)r;
}

static inline void pass(uint64_t ms)
{
    assert_non_null(io_timer(ms, nothing, NULL));
    io_run();
}

#define T(fn) cmocka_unit_test_setup_teardown(fn, begin, end)
#endif
