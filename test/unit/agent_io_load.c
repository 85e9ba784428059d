/* Many requests at once, over real sockets: few connections, used again and again. */
#include "test/t.h"
#include "test/live/fetch.h"

enum { MANY = 200, FEW = 4 };

static const struct server_answer answers[] = {
    { "/hello", "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello", THEN_KEEP, 0 },
    { "/goodbye", "HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 3\r\n\r\nbye",
        THEN_CLOSE, 0 },
    { "/hang", "", THEN_HANG, 0 },
    { NULL, NULL, THEN_KEEP, 0 },
};

static int begin(void **state)
{
    (void)state;
    if (fetch_begin(answers) != 0)
        return -1;
    io_peer_free(peer);
    io_close(); /* the peer of fetch_begin may have more connections than this test wants */
    if (io_open(1, &(struct err){ 0 }) != 0)
        return -1;
    peer = peer_with((struct io_peer_conf){ .http1 = true, .connections_max = FEW });
    return 0;
}

static int end(void **state)
{
    (void)state;
    return fetch_end();
}

struct count {
    int good, bad, left_to_start;
    const char *path;
};

static void counted(void *arg, const struct result *r)
{
    struct count *c = arg;
    struct http_req q;

    if (r->err == NULL && r->http->status == 200)
        c->good++;
    else
        c->bad++;
    if (c->left_to_start > 0) {
        c->left_to_start--;
        q = fetch_get(server_url(&server, c->path));
        assert_non_null(io_http(peer, &q, counted, c, &(struct err){ 0 }));
    }
}

static void start_many(struct count *c, const char *method)
{
    struct http_req q = fetch_get(server_url(&server, c->path));
    struct err e;

    q.method = method;
    q.timeout_ms = 30000;
    if (strcmp(method, "POST") == 0)
        q.body = view_text("a body");
    for (int i = 0; i < MANY; i++)
        assert_non_null(io_http(peer, &q, counted, c, &e));
}

static void two_hundred_over_four_connections(void **state)
{
    struct count c = { .path = "/hello" };

    (void)state;
    start_many(&c, "GET");
    io_run();
    assert_int_equal(c.good, MANY);
    assert_in_range(atomic_load(&server.accepted), 1, FEW);
    assert_int_equal(atomic_load(&server.requests), MANY);
    start_many(&c, "POST"); /* later: the same connections are still there */
    io_run();
    assert_int_equal(c.good, 2 * MANY);
    assert_int_equal(c.bad, 0);
    assert_in_range(atomic_load(&server.accepted), 1, FEW);
    assert_int_equal(atomic_load(&server.requests), 2 * MANY);
}

static void each_starts_the_next(void **state)
{
    struct count c = { .path = "/hello", .left_to_start = MANY };

    (void)state;
    start_many(&c, "POST");
    io_run();
    assert_int_equal(c.good, 2 * MANY);
    assert_int_equal(c.bad, 0);
    assert_in_range(atomic_load(&server.accepted), 1, FEW);
}

/* Servers that close each time: still never more at once than allowed, and all get their answer. */
static void connections_that_end(void **state)
{
    struct count c = { .path = "/goodbye" };

    (void)state;
    start_many(&c, "GET");
    io_run();
    assert_int_equal(c.good, MANY);
    assert_int_equal(atomic_load(&server.accepted), MANY);
}

/* All connections are taken by requests that get no answer: the others wait, time out, say they were
 * not sent, and the peer recovers. */
static void waiting_for_a_place(void **state)
{
    struct fetch hung[FEW], waiting;
    struct http_req q = fetch_get(server_url(&server, "/hang"));

    (void)state;
    q.timeout_ms = 600;
    for (size_t i = 0; i < FEW; i++)
        fetch_start(&hung[i], peer, &q);
    q.url = server_url(&server, "/hello");
    q.timeout_ms = 300;
    fetch_start(&waiting, peer, &q);
    io_run();
    for (size_t i = 0; i < FEW; i++) {
        assert_int_equal(hung[i].calls, 1);
        assert_true(hung[i].failed && hung[i].sent);
    }
    assert_int_equal(waiting.calls, 1);
    assert_true(waiting.failed);
    assert_int_equal(waiting.err.cls, ERR_NET);
    assert_false(waiting.sent);
    fetch_path(&waiting, "/hello");
    assert_false(waiting.failed);
}

static void stop_all(void *arg, const struct result *r)
{
    struct op **ops = arg;

    (void)r;
    for (size_t i = 0; i < MANY; i++) {
        io_cancel(ops[i]);
        ops[i] = NULL;
    }
}

static void never(void *arg, const struct result *r)
{
    (void)arg;
    (void)r;
    fail_msg("the callback of a cancelled request");
}

/* Two hundred cancelled at once, most of them still waiting for a connection. */
static void all_cancelled(void **state)
{
    static struct op *ops[MANY];
    struct http_req q = fetch_get(server_url(&server, "/hang"));
    struct fetch f;
    struct err e;

    (void)state;
    for (size_t i = 0; i < MANY; i++)
        ops[i] = io_http(peer, &q, never, NULL, &e);
    assert_non_null(io_timer(200, stop_all, ops));
    io_run();
    assert_null(ops[0]);
    fetch_path(&f, "/hello");
    assert_false(f.failed);
}

#define TEST(fn) cmocka_unit_test_setup_teardown(fn, begin, end)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(two_hundred_over_four_connections),
        TEST(each_starts_the_next),
        TEST(connections_that_end),
        TEST(waiting_for_a_place),
        TEST(all_cancelled),
    };

    return cmocka_run_group_tests_name("agent_io_load", tests, NULL, NULL);
}
