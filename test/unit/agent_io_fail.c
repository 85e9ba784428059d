/* HTTP requests that do not end well, over real sockets: which class each is, and whether it was sent. */
#include "test/t.h"
#include "test/live/fetch.h"

#define HEAD "HTTP/1.1 200 OK\r\n"

enum { MOST = 100000 }; /* fetch_get's max_reply */

static const struct server_answer answers[] = {
    { "/hello", HEAD "Content-Length: 5\r\n\r\nhello", THEN_KEEP, 0 },
    { "/hang", "", THEN_HANG, 0 },
    { "/slow-body", HEAD "Content-Length: 50\r\n\r\nonly this", THEN_HANG, 0 },
    { "/no-answer", "", THEN_CLOSE, 0 },
    { "/no-answer-drop", "", THEN_DROP, 0 },
    { "/cut-head", HEAD "Content-Le", THEN_CLOSE, 0 },
    { "/cut-body", HEAD "Content-Length: 50\r\n\r\nonly this", THEN_CLOSE, 0 },
    { "/cut-body-drop", HEAD "Content-Length: 50\r\n\r\nonly this", THEN_DROP, 0 },
    { "/cut-chunks", HEAD "Transfer-Encoding: chunked\r\n\r\n9\r\nonly this\r\n", THEN_CLOSE, 0 },
    { "/cut-chunk", HEAD "Transfer-Encoding: chunked\r\n\r\n50\r\nonly this", THEN_DROP, 0 },
    { "/bad-chunks", HEAD "Transfer-Encoding: chunked\r\n\r\nxyz\r\nonly this\r\n", THEN_CLOSE, 0 },
    { "/garbage", "220 mail.contoso.example ESMTP\r\n", THEN_CLOSE, 0 },
    { "/zeros", "", THEN_CLOSE, 5000 },
    { "/most", HEAD "Content-Length: 100000\r\n\r\n", THEN_KEEP, MOST },
    { "/more", HEAD "Content-Length: 100001\r\n\r\n", THEN_CLOSE, MOST + 1 },
    { "/more-said", HEAD "Content-Length: 99999999999\r\n\r\n", THEN_HANG, 0 },
    { "/more-unsaid", HEAD "Connection: close\r\n\r\n", THEN_CLOSE, MOST + 1 },
    { "/more-chunked", HEAD "Transfer-Encoding: chunked\r\n\r\n186A1\r\n", THEN_HANG, MOST + 1 },
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

static void failed(const struct fetch *f, enum err_class cls, bool sent)
{
    if (!f->failed || f->err.cls != cls || f->sent != sent)
        fail_msg(
            "failed %d: %s \"%s\", sent %d", f->failed, err_name(f->err.cls), f->err.msg, f->sent);
    assert_int_equal(strncmp(f->err.msg, "issuing1: ", 10), 0); /* says which peer */
}

/* Part of an answer is no answer. */
static void cut_and_garbled_answers(void **state)
{
    static const char *const paths[] = { "/no-answer", "/no-answer-drop", "/cut-head", "/cut-body",
        "/cut-body-drop", "/cut-chunks", "/cut-chunk", "/bad-chunks", "/garbage", "/zeros" };
    struct fetch f;

    (void)state;
    for (size_t i = 0; i < sizeof paths / sizeof paths[0]; i++) {
        fetch_path(&f, paths[i]);
        if (!f.failed || f.err.cls != ERR_NET)
            fail_msg("%s: %s", paths[i], f.failed ? err_name(f.err.cls) : "taken for an answer");
        failed(&f, ERR_NET, true);
    }
}

static void too_large_an_answer(void **state)
{
    static const char *const paths[] = { "/more", "/more-said", "/more-unsaid", "/more-chunked" };
    struct fetch f;

    (void)state;
    fetch_path(&f, "/most"); /* exactly as much as may be */
    assert_false(f.failed);
    assert_int_equal(f.body.len, MOST);
    for (size_t i = 0; i < sizeof paths / sizeof paths[0]; i++) {
        fetch_path(&f, paths[i]);
        if (!f.failed || f.err.cls != ERR_TOO_LARGE)
            fail_msg("%s: %s %s", paths[i], err_name(f.err.cls), f.err.msg);
        failed(&f, ERR_TOO_LARGE, true);
        assert_non_null(strstr(f.err.msg, "100000"));
    }
}

static void time_runs_out(void **state)
{
    static const char *const paths[] = { "/hang", "/slow-body" };
    struct fetch f;

    (void)state;
    for (size_t i = 0; i < 2; i++) {
        struct http_req q = fetch_get(server_url(&server, paths[i]));
        uint64_t begun = io_now_ms();

        q.timeout_ms = 250;
        fetch(&f, peer, &q);
        failed(&f, ERR_NET, true);
        assert_in_range(io_now_ms() - begun, 240, 2000);
    }
}

/* Nobody listens: proof that nothing was sent. */
static void nobody_listens(void **state)
{
    struct sockaddr_in a = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    socklen_t len = sizeof a;
    struct http_req q;
    struct fetch f;
    char url[60];

    (void)state;
    assert_int_equal(bind(fd, (struct sockaddr *)&a, sizeof a), 0); /* ours, but not listening */
    assert_int_equal(getsockname(fd, (struct sockaddr *)&a, &len), 0);
    (void)snprintf(url, sizeof url, "https://127.0.0.1:%u/", ntohs(a.sin_port));
    q = fetch_get(url);
    q.method = "POST";
    q.body = view_text("a CSR");
    fetch(&f, peer, &q);
    failed(&f, ERR_NET, false);
    (void)close(fd);
}

/* A port that speaks no TLS has not seen the request either. */
static void no_tls_there(void **state)
{
    struct sockaddr_in a = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    socklen_t len = sizeof a;
    struct http_req q;
    struct fetch f;
    char url[60];

    (void)state;
    assert_int_equal(bind(fd, (struct sockaddr *)&a, sizeof a), 0);
    assert_int_equal(listen(fd, 1), 0); /* takes the connection and says nothing */
    assert_int_equal(getsockname(fd, (struct sockaddr *)&a, &len), 0);
    (void)snprintf(url, sizeof url, "https://127.0.0.1:%u/", ntohs(a.sin_port));
    q = fetch_get(url);
    q.timeout_ms = 200;
    fetch(&f, peer, &q);
    failed(&f, ERR_NET, false);
    (void)close(fd);
}

/*
 * The CA takes a request over a connection that was used before, and the answer is lost.  Whether it is
 * sent again is for the job to decide, which counts submissions: not for the HTTP client.
 */
static void never_sent_twice(void **state)
{
    static const char *const paths[] = { "/no-answer", "/no-answer-drop" };
    struct http_req q;
    struct fetch f;

    (void)state;
    for (size_t i = 0; i < 2; i++) {
        int before;

        fetch_path(&f, "/hello"); /* now there is a connection to use again */
        assert_false(f.failed);
        before = atomic_load(&server.requests);
        q = fetch_get(server_url(&server, paths[i]));
        q.method = "POST";
        q.body = view_text("a CSR");
        fetch(&f, peer, &q);
        failed(&f, ERR_NET, true);
        assert_int_equal(atomic_load(&server.requests), before + 1);
    }
}

/* ---- cancelling ---- */

static void not_called(void *arg, const struct result *r)
{
    (void)r;
    (*(int *)arg)++;
}

static void until_closed(int n)
{
    for (int i = 0; i < 500 && atomic_load(&server.closed) < n; i++)
        (void)usleep(10000);
    assert_int_equal(atomic_load(&server.closed), n);
}

static void stop_waiting(void *arg, const struct result *r)
{
    struct op **op = arg;

    (void)r;
    io_cancel(*op);
    *op = NULL;
}

static void cancelled_in_flight(void **state)
{
    struct http_req q = fetch_get(server_url(&server, "/hang"));
    struct err e = { 0 };
    struct op *op, *timer;
    struct fetch f;
    int calls = 0;

    (void)state;
    op = io_http(peer, &q, not_called, &calls, &e);
    assert_non_null(op);
    io_cancel(op); /* before anything was done */
    io_run();
    assert_int_equal(atomic_load(&server.accepted), 0);
    op = io_http(peer, &q, not_called, &calls, &e);
    timer = io_timer(150, stop_waiting, &op); /* by then the server has the request */
    assert_true(op != NULL && timer != NULL);
    io_run();
    assert_null(op);
    until_closed(1); /* the connection was ended with it */
    assert_int_equal(atomic_load(&server.requests), 1);
    assert_int_equal(calls, 0);
    fetch_path(&f, "/hello"); /* and the peer is as good as before */
    assert_false(f.failed);
    io_cancel(NULL);
}

struct pair {
    struct fetch f;
    struct op *other;
};

static void cancel_other(void *arg, const struct result *r)
{
    struct pair *p = arg;

    p->f.calls++;
    p->f.failed = r->err != NULL;
    io_cancel(p->other);
    p->other = NULL;
}

/* A callback may cancel other requests, whether they are under way or just finished. */
static void cancelled_from_a_callback(void **state)
{
    static const char *const others[] = { "/hang", "/hello" };
    struct err e = { 0 };

    (void)state;
    for (size_t i = 0; i < 2; i++) {
        struct http_req q = fetch_get(server_url(&server, "/hello"));
        struct http_req other = fetch_get(server_url(&server, others[i]));
        struct pair p = { 0 };
        int calls = 0;

        assert_non_null(io_http(peer, &q, cancel_other, &p, &e));
        p.other = io_http(peer, &other, not_called, &calls, &e);
        assert_non_null(p.other);
        io_run();
        if (calls == 0) /* the other one was not the first to finish */
            assert_int_equal(p.f.calls, 1);
        assert_int_equal(calls + (p.f.calls == 1), 1);
    }
}

struct chain {
    int left, done;
};

static void next_one(void *arg, const struct result *r)
{
    struct chain *c = arg;
    struct http_req q = fetch_get(server_url(&server, "/hello"));
    struct err e;

    assert_null(r->err);
    c->done++;
    if (--c->left > 0)
        assert_non_null(io_http(peer, &q, next_one, c, &e));
}

static void started_from_a_callback(void **state)
{
    struct http_req q = fetch_get(server_url(&server, "/hello"));
    struct chain c = { .left = 20 };
    struct err e;

    (void)state;
    assert_non_null(io_http(peer, &q, next_one, &c, &e));
    io_run();
    assert_int_equal(c.done, 20);
    assert_int_equal(atomic_load(&server.accepted), 1);
}

#define TEST(fn) cmocka_unit_test_setup_teardown(fn, begin, end)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(cut_and_garbled_answers),
        TEST(too_large_an_answer),
        TEST(time_runs_out),
        TEST(nobody_listens),
        TEST(no_tls_there),
        TEST(never_sent_twice),
        TEST(cancelled_in_flight),
        TEST(cancelled_from_a_callback),
        TEST(started_from_a_callback),
    };

    return cmocka_run_group_tests_name("agent_io_fail", tests, NULL, NULL);
}
