/* Access tokens that cannot be had: what is said, who asks again and when. */
#include "test/t.h"
#include "test/unit/agent_token.h"

static void refused_client(void **state)
{
    struct want w;

    (void)state;
    serve(401, JSON,
        "{\"error\":\"invalid_client\",\"error_description\":\"AADSTS7000215: Invalid client "
        "secret provided. Trace ID: 1\"}");
    get(&w);
    assert_true(w.failed);
    assert_int_equal(w.err.cls, ERR_AUTH);
    assert_non_null(strstr(w.err.msg, "invalid_client"));
    serve_token("first", LONG_LIFE);
    get(&w); /* no storm: nobody asks again for a minute */
    assert_true(w.failed);
    assert_int_equal(w.err.cls, ERR_AUTH);
    assert_int_equal(atomic_load(&asked), 1);
}

static void retry_after(void **state)
{
    struct want w;

    (void)state;
    serve(429, JSON "Retry-After: 1\r\n", "{}");
    get(&w);
    assert_int_equal(w.err.cls, ERR_BUSY);
    serve_token("first", LONG_LIFE);
    get(&w);
    assert_int_equal(w.err.cls, ERR_BUSY);
    assert_int_equal(atomic_load(&asked), 1);
    pass(1100);
    get(&w);
    is_token(&w, "first");
}

/* What is no token, and what is no answer of a token endpoint. */
static void nonsense(void **state)
{
    static const struct {
        int status;
        const char *headers, *body;
        enum err_class cls;
    } cases[] = {
        { 200, "Content-Type: text/html\r\n", "<p>Please sign in to the guest network",
            ERR_INTERCEPTED },
        { 302, "Location: https://127.0.0.1/elsewhere\r\n", "", ERR_CONFIG },
        { 200, JSON, "{\"token_type\":\"Bearer\",\"expires_in\":3600,\"access_token\":\"a b\"}",
            ERR_PROTO },
        { 200, JSON, "{\"token_type\":\"Bearer\",\"expires_in\":3600}", ERR_PROTO },
        { 200, JSON, "{\"token_type\":\"Bearer\",", ERR_PROTO },
        { 500, JSON, "{}", ERR_NET },
    };
    struct want w;
    char scope[20];

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        serve(cases[i].status, cases[i].headers, cases[i].body);
        (void)snprintf(scope, sizeof scope, "scope-%zu", i);
        want_at(&w, "/token", scope);
        io_run();
        assert_true(w.failed);
        if (w.err.cls != cases[i].cls)
            fail_msg("case %zu: %s %s", i, err_name(w.err.cls), w.err.msg);
    }
}

/* SR-17, SR-18: the secret is in no message, and in no file that others may read. */
static void secrets_stay_secret(void **state)
{
    struct token_client c = { .id = "client-1" };
    struct err e = { 0 };
    struct want w;

    (void)state;
    serve(401, JSON,
        "{\"error\":\"invalid_client\",\"error_description\":\"hunter2-and-more is wrong\"}");
    get(&w);
    assert_true(w.failed);
    assert_null(strstr(w.err.msg, "hunter2"));
    assert_non_null(strstr(w.err.msg, "**** is wrong")); /* io_scrub.h */
    want_at(&w, ":1/", "scope-b");                       /* not a URL at all */
    io_run();
    assert_true(w.failed);
    assert_null(strstr(w.err.msg, "hunter2"));
    dir_write("open", "hunter2-and-more\n", 0640);
    c.secret_file = dir_path("open");
    assert_null(tokens_open(NULL, peer, &c, &e));
    assert_int_equal(e.cls, ERR_CONFIG);
    assert_non_null(strstr(e.msg, "chmod 600"));
    assert_null(strstr(e.msg, "hunter2"));
}

static void neither_or_both(void **state)
{
    struct token_client c = { .id = "client-1" };
    struct err e = { 0 };

    (void)state;
    assert_null(tokens_open(NULL, peer, &c, &e));
    assert_int_equal(e.cls, ERR_CONFIG);
    c.secret_file = dir_path("secret");
    c.certificate_file = dir_path("client.pem");
    assert_null(tokens_open(NULL, peer, &c, &e));
    c = (struct token_client){ .secret_file = dir_path("secret") };
    assert_null(tokens_open(NULL, peer, &c, &e));
}

static void the_old_one_serves_while_renewing_fails(void **state)
{
    struct want w;

    (void)state;
    serve_token("first", "3");
    get(&w);
    serve(503, JSON "Retry-After: 600\r\n", "{}");
    pass(1600);
    get(&w);
    is_token(&w, "first");
    get(&w);
    is_token(&w, "first");
    assert_int_equal(atomic_load(&asked), 2); /* Retry-After holds for renewals, too */
    pass(1500);
    get(&w);
    assert_true(w.failed); /* now it is over */
    assert_int_equal(w.err.cls, ERR_BUSY);
    assert_int_equal(atomic_load(&asked), 2);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        T(refused_client),
        T(retry_after),
        T(nonsense),
        T(secrets_stay_secret),
        T(neither_or_both),
        T(the_old_one_serves_while_renewing_fails),
    };

    return cmocka_run_group_tests_name("agent_token_fail", tests, NULL, NULL);
}
