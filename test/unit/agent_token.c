/* Access tokens: how often they are asked for, how long they are kept, who is told. */
#include "test/t.h"
#include "agent/base/fs.h"
#include "test/unit/agent_token.h"

/* SR-30: however many want it, it is asked for once. */
static void one_request_for_all(void **state)
{
    static struct want all[WAITERS];

    (void)state;
    for (size_t i = 0; i < WAITERS; i++)
        want(&all[i]);
    io_run();
    for (size_t i = 0; i < WAITERS; i++) {
        assert_int_equal(all[i].calls, 1);
        is_token(&all[i], "first");
    }
    get(&all[0]);
    is_token(&all[0], "first");
    assert_int_equal(atomic_load(&asked), 1);
}

static void what_is_sent(void **state)
{
    struct want w;

    (void)state;
    get(&w);
    assert_non_null(strstr(server.last, "POST /token HTTP/1.1\r\n"));
    assert_non_null(
        strcasestr(server.last, "\r\nContent-Type: application/x-www-form-urlencoded\r\n"));
    assert_non_null(strstr(server.last, "grant_type=client_credentials"));
    assert_non_null(strstr(server.last, "client_id=client-1"));
    assert_non_null(strstr(server.last, "client_secret=hunter2-and-more"));
    assert_non_null(strstr(server.last, "scope=scope-a"));
}

/* The same with a certificate: no secret, an assertion instead. */
static void by_certificate(void **state)
{
    struct err e = { 0 };
    struct lib *l = lib_new(&e);
    struct token_client c = { .id = "client-1",
        .certificate_file = dir_path("client.pem"),
        .key_file = dir_path("client.key") };
    struct tokens *other = tokens;
    struct want w;

    (void)state;
    tokens = tokens_open(l, peer, &c, &e);
    assert_non_null(tokens);
    get(&w);
    is_token(&w, "first");
    assert_non_null(strstr(server.last, "client_assertion="));
    assert_null(strstr(server.last, "client_secret"));
    tokens_close(tokens);
    tokens = other;
    lib_free(l);
}

/* And with one that is no file: without a certificate the assertion names none. */
static void by_key_from_memory(void **state)
{
    struct err e = { 0 };
    struct lib *l = lib_new(&e);
    struct buf key = BUF_SECRET(8192);
    struct token_client c = { .id = "client-1" };
    struct tokens *other = tokens;
    struct want w;

    (void)state;
    T_OK(fs_read(dir_path("client.key"), &key, &e));
    c.key = buf_view(&key);
    tokens = tokens_open(l, peer, &c, &e);
    assert_non_null(tokens);
    buf_free(&key);
    get(&w);
    is_token(&w, "first");
    assert_non_null(strstr(server.last, "client_assertion=eyJhbGciOiJFUzI1NiIsInR5cCI6IkpXVCJ9."));
    tokens_close(tokens);
    tokens = other;
    lib_free(l);
}

static void each_scope_has_its_own(void **state)
{
    struct want w;

    (void)state;
    get(&w);
    serve_token("second", LONG_LIFE);
    want_at(&w, "/token", "scope-b");
    io_run();
    is_token(&w, "second");
    want_at(&w, "/token?tenant=2", "scope-a");
    io_run();
    is_token(&w, "second");
    get(&w);
    is_token(&w, "first");
    assert_int_equal(atomic_load(&asked), 3);
}

static void only_so_many(void **state)
{
    struct want w;
    char scope[20];

    (void)state;
    for (int i = 0; i <= TOKENS_MAX; i++) {
        (void)snprintf(scope, sizeof scope, "scope-%d", i);
        want_at(&w, "/token", scope);
        io_run();
        assert_int_equal(w.calls, 1);
        assert_int_equal(w.failed, i == TOKENS_MAX);
    }
    assert_int_equal(w.err.cls, ERR_CONFIG);
}

/* A life of 2 s: from the middle on it is renewed, and meanwhile it serves. */
static void renewed_before_its_end(void **state)
{
    struct want w;

    (void)state;
    serve_token("first", "2");
    get(&w);
    get(&w);
    assert_int_equal(atomic_load(&asked), 1);
    serve_token("second", LONG_LIFE);
    pass(1100);
    get(&w);
    is_token(&w, "first");
    assert_int_equal(atomic_load(&asked), 2);
    get(&w);
    is_token(&w, "second");
    pass(1000);
    get(&w);
    is_token(&w, "second");
    assert_int_equal(atomic_load(&asked), 2);
}

/* 200 were refused with the same token: it is dropped once and asked for once. */
static void dropped_once(void **state)
{
    static struct want all[WAITERS];

    (void)state;
    get(&all[0]);
    serve_token("second", LONG_LIFE);
    drop("other");
    get(&all[0]);
    is_token(&all[0], "first");
    for (size_t i = 0; i < WAITERS; i++) {
        drop("first");
        want(&all[i]);
    }
    io_run();
    for (size_t i = 0; i < WAITERS; i++)
        is_token(&all[i], "second");
    drop("first"); /* a late one */
    get(&all[0]);
    is_token(&all[0], "second");
    assert_int_equal(atomic_load(&asked), 2);
    drop("second"); /* whoever refuses every token does not get a new one each time */
    get(&all[0]);
    is_token(&all[0], "second");
    assert_int_equal(atomic_load(&asked), 2);
}

/* Between token_get and the answer the token is dropped: the waiter gets the next one. */
static void dropped_while_on_its_way(void **state)
{
    struct want w;

    (void)state;
    get(&w);
    serve_token("second", LONG_LIFE);
    want(&w);
    drop("first");
    io_run();
    is_token(&w, "second");
}

static void cancelled(void **state)
{
    struct want a, b, c;

    (void)state;
    want(&a);
    want(&b);
    want(&c);
    token_cancel(b.wait);
    token_cancel(a.wait);
    io_run();
    assert_int_equal(a.calls + b.calls, 0);
    is_token(&c, "first");
    want(&a); /* known already: the answer is a timer away */
    token_cancel(a.wait);
    io_run();
    assert_int_equal(a.calls, 0);
    token_cancel(NULL);
}

static struct want second;

static void on_cancel_other(void *arg, const struct err *why, struct view token)
{
    on_token(arg, why, token);
    token_cancel(second.wait);
    second.wait = NULL;
}

/* One of those who are told cancels another, and one asks again at once. */
static void cancelled_from_a_callback(void **state)
{
    struct want first = { 0 };

    (void)state;
    want(&second);
    first.wait =
        token_get(tokens, server_url(&server, "/token"), "scope-a", on_cancel_other, &first);
    io_run();
    assert_int_equal(first.calls, 1);
    assert_int_equal(second.calls, 0);
}

static void on_again(void *arg, const struct err *why, struct view token)
{
    on_token(arg, why, token);
    if (second.calls == 0)
        want(&second);
}

static void asked_for_from_a_callback(void **state)
{
    struct want first = { 0 };

    (void)state;
    second = (struct want){ 0 };
    first.wait = token_get(tokens, server_url(&server, "/token"), "scope-a", on_again, &first);
    io_run();
    assert_int_equal(second.calls, 1);
    is_token(&second, "first");
    assert_int_equal(atomic_load(&asked), 1);
}

/* Closing with a request under way and people waiting: all is freed, nobody is told. */
static void closed_in_the_middle(void **state)
{
    struct want a, b;

    (void)state;
    want(&a);
    want(&b);
    tokens_close(tokens);
    tokens = NULL;
    io_run();
    assert_int_equal(a.calls + b.calls, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        T(one_request_for_all),
        T(what_is_sent),
        T(by_certificate),
        T(by_key_from_memory),
        T(each_scope_has_its_own),
        T(only_so_many),
        T(renewed_before_its_end),
        T(dropped_once),
        T(dropped_while_on_its_way),
        T(cancelled),
        T(cancelled_from_a_callback),
        T(asked_for_from_a_callback),
        T(closed_in_the_middle),
    };

    return cmocka_run_group_tests_name("agent_token", tests, NULL, NULL);
}
