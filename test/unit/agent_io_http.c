/* HTTP requests over real sockets: what is sent, what is an answer, what is an error. */
#include "test/t.h"
#include "test/live/fetch.h"

#define HEAD "HTTP/1.1 200 OK\r\n"

static const struct server_answer answers[] = {
    { "/echo", NULL, THEN_KEEP, 0 },
    { "/hello", HEAD "Content-Type: text/plain; charset=utf-8\r\nContent-Length: 5\r\n\r\nhello",
        THEN_KEEP, 0 },
    { "/empty", "HTTP/1.1 204 No Content\r\n\r\n", THEN_KEEP, 0 },
    { "/moved",
        "HTTP/1.1 302 Found\r\nLocation: https://127.0.0.1/hello\r\n"
        "Content-Length: 0\r\n\r\n",
        THEN_KEEP, 0 },
    { "/moved-here", "HTTP/1.1 307 Temporary\r\nLocation: /hello\r\nContent-Length: 0\r\n\r\n",
        THEN_KEEP, 0 },
    { "/refused",
        "HTTP/1.1 401 Unauthorized\r\nWWW-Authenticate: Negotiate\r\n"
        "www-authenticate: NTLM\r\nWWW-Authenticate: Basic realm=\"the CA\"\r\n"
        "Content-Length: 0\r\n\r\n",
        THEN_KEEP, 0 },
    { "/error", "HTTP/1.1 500 Oops\r\nContent-Type: text/html\r\nContent-Length: 6\r\n\r\nsorry!",
        THEN_KEEP, 0 },
    { "/quotes",
        "HTTP/1.1 400 Bad\r\nContent-Type: application/json\r\nContent-Length: 46\r\n\r\n"
        "{\"error_description\":\"no: hunter2\\/and~more!\"}",
        THEN_KEEP, 0 },
    { "/busy",
        "HTTP/1.1 503 Busy\r\nRetry-After: 120\r\n"
        "Date: Sun, 06 Nov 1994 08:49:37 GMT\r\nContent-Length: 0\r\n\r\n",
        THEN_KEEP, 0 },
    { "/busy-until",
        "HTTP/1.1 429 Slow\r\nRetry-After: Sun, 06 Nov 1994 08:51:37 GMT\r\n"
        "Date: Sun, 06 Nov 1994 08:49:37 GMT\r\nContent-Length: 0\r\n\r\n",
        THEN_KEEP, 0 },
    { "/busy-nonsense",
        "HTTP/1.1 503 Busy\r\nRetry-After: soon\r\nDate: today\r\n"
        "Content-Length: 0\r\n\r\n",
        THEN_KEEP, 0 },
    { "/busy-long", "HTTP/1.1 503 Busy\r\nRetry-After: 315360000\r\nContent-Length: 0\r\n\r\n",
        THEN_KEEP, 0 },
    { "/chunks", HEAD "Transfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n",
        THEN_KEEP, 0 },
    { "/until-close", HEAD "Connection: close\r\n\r\nall of it", THEN_CLOSE, 0 },
    { "/continue", "HTTP/1.1 100 Continue\r\n\r\n" HEAD "Content-Length: 2\r\n\r\nok", THEN_KEEP,
        0 },
    { "/bare", HEAD "Content-Length: 2\r\n\r\nok", THEN_KEEP, 0 },
    { NULL, NULL, THEN_KEEP, 0 },
};

static int begin(void **state)
{
    (void)state;
    return fetch_begin(answers);
}

static int end(void **state)
{
    (void)state;
    return fetch_end();
}

static void a_good_answer(void **state)
{
    struct fetch f;

    (void)state;
    fetch_path(&f, "/hello");
    assert_false(f.failed);
    assert_true(f.sent);
    assert_int_equal(f.status, 200);
    assert_string_equal(f.type, "text/plain; charset=utf-8");
    assert_string_equal(f.location, "");
    assert_string_equal(f.authenticate, "");
    assert_int_equal(f.retry_after_s, -1);
    assert_int_equal(f.date, 0);
    fetch_body_is(&f, "hello");
}

static void bodies_in_every_framing(void **state)
{
    static const char *const cases[][2] = { { "/chunks", "abcde" }, { "/until-close", "all of it" },
        { "/continue", "ok" }, { "/bare", "ok" } };
    struct fetch f;

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        fetch_path(&f, cases[i][0]);
        assert_false(f.failed);
        assert_int_equal(f.status, 200);
        fetch_body_is(&f, cases[i][1]);
        assert_string_equal(f.type, "");
    }
}

/* Whatever the status: an answer, judged elsewhere. */
static void every_status_is_an_answer(void **state)
{
    static const struct {
        const char *path;
        int status;
    } cases[] = { { "/empty", 204 }, { "/moved", 302 }, { "/moved-here", 307 }, { "/refused", 401 },
        { "/nowhere", 404 }, { "/error", 500 }, { "/busy", 503 } };
    struct fetch f;

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        fetch_path(&f, cases[i].path);
        assert_false(f.failed);
        assert_int_equal(f.status, cases[i].status);
    }
}

static void redirects_are_not_followed(void **state)
{
    struct fetch f;

    (void)state;
    fetch_path(&f, "/moved");
    assert_string_equal(f.location, "https://127.0.0.1/hello");
    fetch_path(&f, "/moved-here");
    assert_string_equal(f.location, "/hello");
    assert_int_equal(f.body.len, 0);
    assert_int_equal(atomic_load(&server.requests), 2); /* and nothing was asked for behind them */
}

static void headers_of_an_answer(void **state)
{
    struct fetch f;

    (void)state;
    fetch_path(&f, "/refused");
    assert_string_equal(f.authenticate, "Negotiate, NTLM, Basic");
    fetch_path(&f, "/busy");
    assert_int_equal(f.retry_after_s, 120);
    assert_int_equal(f.date, 784111777);
    assert_string_equal(f.authenticate, ""); /* nothing of the last answer lingers */
    fetch_path(&f, "/busy-until");           /* measured with the server's own clock */
    assert_int_equal(f.retry_after_s, 120);
    fetch_path(&f, "/busy-nonsense");
    assert_int_equal(f.retry_after_s, -1);
    assert_int_equal(f.date, 0);
    fetch_path(&f, "/busy-long");
    assert_int_equal(f.retry_after_s, 3600);
    fetch_path(&f, "/error");
    assert_string_equal(f.type, "text/html");
}

/* ---- what is sent ---- */

static void expect_line(const char *request, const char *line)
{
    if (strcasestr(request, line) == NULL)
        fail_msg("no \"%s\" in\n%s", line, request);
}

static void a_post_as_described(void **state)
{
    static const char body[] = "binary \0 body\r\n\xff with everything";
    struct http_req q = fetch_get(server_url(&server, "/echo?a=b&c=%20d"));
    struct fetch f;
    char length[40];

    (void)state;
    q.method = "POST";
    q.body = view_of(body, sizeof body);
    q.header[0] = (struct http_header){ "Content-Type", "application/pkcs10" };
    q.header[1] = (struct http_header){ "X-Activity", "tab\there; \"quotes\"" };
    q.header_count = 2;
    fetch(&f, peer, &q);
    assert_false(f.failed);
    assert_int_equal(strncmp(server.last, "POST /echo?a=b&c=%20d HTTP/1.1\r\n", 32), 0);
    expect_line(server.last, "\r\nContent-Type: application/pkcs10\r\n");
    expect_line(server.last, "\r\nX-Activity: tab\there; \"quotes\"\r\n");
    (void)snprintf(length, sizeof length, "\r\nContent-Length: %zu\r\n", sizeof body);
    expect_line(server.last, length);
    assert_null(strcasestr(server.last, "\r\nExpect:"));
    assert_null(strcasestr(server.last, "\r\nAuthorization:"));
    assert_null(strcasestr(server.last, "\r\nCookie:"));
    assert_memory_equal(server.last + server.last_len - sizeof body, body, sizeof body);
    assert_memory_equal(f.body.p + f.body.len - sizeof body, body, sizeof body);
}

/* A secret in the body of a form goes nowhere further, as one in a header does. */
static void a_refusal_that_quotes_the_form(void **state)
{
    struct http_req q = fetch_get(server_url(&server, "/quotes"));
    struct fetch f;

    (void)state;
    q.method = "POST";
    q.body = view_text("client_id=me&client_secret=hunter2%2Fand~more");
    fetch(&f, peer, &q);
    assert_false(f.failed);
    expect_line(server.last, "client_secret=hunter2%2Fand~more");
    fetch_body_is(&f, "{\"error_description\":\"no: *****************!\"}");
}

/* Some services refuse with 200 and a text. */
static void an_answer_that_quotes_our_token(void **state)
{
    struct http_req q = fetch_get(server_url(&server, "/echo"));
    struct fetch f;

    (void)state;
    q.header[0] = (struct http_header){ "Authorization", "Bearer a-token-of-an-hour" };
    q.header_count = 1;
    fetch(&f, peer, &q);
    assert_int_equal(f.status, 200);
    expect_line(server.last, "Bearer a-token-of-an-hour");
    assert_null(memmem(f.body.p, f.body.len, "a-token-of", 10));
    assert_non_null(memmem(f.body.p, f.body.len, "Bearer ******************", 25));
}

/* Handles are used again: nothing of one request may be in the next. */
static void one_request_after_the_other(void **state)
{
    struct http_req get = fetch_get(server_url(&server, "/echo")), post = get;
    struct fetch f;

    (void)state;
    post.method = "POST";
    post.body = view_text("the body of the post");
    post.header[0] = (struct http_header){ "X-Secret", "of the post" };
    post.header_count = 1;
    for (int i = 0; i < 3; i++) {
        fetch(&f, peer, &post);
        assert_int_equal(strncmp(server.last, "POST ", 5), 0);
        expect_line(server.last, "X-Secret: of the post");
        expect_line(server.last, "\r\n\r\nthe body of the post");
        fetch(&f, peer, &get);
        assert_int_equal(strncmp(server.last, "GET ", 4), 0);
        assert_null(strcasestr(server.last, "X-Secret"));
        assert_null(strcasestr(server.last, "Content-Length"));
        assert_int_equal(strcmp(server.last + server.last_len - 4, "\r\n\r\n"), 0);
    }
    post.body = (struct view){ 0 };
    post.header_count = 0;
    fetch(&f, peer, &post);
    expect_line(server.last, "\r\nContent-Length: 0\r\n");
    assert_int_equal(atomic_load(&server.accepted), 1); /* all over one connection */
}

/* A large body, larger than any buffer on the way. */
static void a_large_body(void **state)
{
    struct http_req q = fetch_get(server_url(&server, "/echo"));
    struct buf body = BUF_INIT(1 << 20);
    struct fetch f;

    (void)state;
    for (int i = 0; i < 100000; i++)
        buf_add_byte(&body, (uint8_t)(i * 7 + i / 256));
    q.method = "POST";
    q.body = buf_view(&body);
    q.max_reply = 200000;
    fetch(&f, peer, &q);
    assert_false(f.failed);
    assert_true(f.body.len > body.len);
    assert_memory_equal(f.body.p + f.body.len - body.len, body.p, body.len);
    buf_free(&body);
}

/* ---- what is not even begun ---- */

static void refused_before_it_is_sent(void **state)
{
    static const char *const urls[] = { "http://127.0.0.1/", "file:///etc/passwd", "127.0.0.1",
        "https://user:pass@127.0.0.1/", "https://", "https://a b/", "ftp://127.0.0.1/", "" };
    struct http_req q;
    struct err e;

    (void)state;
    for (size_t i = 0; i < sizeof urls / sizeof urls[0]; i++) {
        q = fetch_get(urls[i]);
        e = (struct err){ 0 };
        assert_null(io_http(peer, &q, fetched, NULL, &e));
        assert_int_equal(e.cls, ERR_INPUT);
    }
    q = fetch_get(server_url(&server, "/echo"));
    q.header[0] = (struct http_header){ "X-Name", "a\r\nX-Evil: b" };
    q.header_count = 1;
    assert_null(io_http(peer, &q, fetched, NULL, &e));
    assert_int_equal(e.cls, ERR_INPUT);
    assert_non_null(strstr(e.msg, "X-Name"));
    io_run(); /* nothing is pending: it returns at once */
    assert_int_equal(atomic_load(&server.accepted), 0);
}

#define TEST(fn) cmocka_unit_test_setup_teardown(fn, begin, end)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_good_answer),
        TEST(bodies_in_every_framing),
        TEST(every_status_is_an_answer),
        TEST(redirects_are_not_followed),
        TEST(headers_of_an_answer),
        TEST(a_post_as_described),
        TEST(a_refusal_that_quotes_the_form),
        TEST(an_answer_that_quotes_our_token),
        TEST(one_request_after_the_other),
        TEST(a_large_body),
        TEST(refused_before_it_is_sent),
    };

    return cmocka_run_group_tests_name("agent_io_http", tests, NULL, NULL);
}
