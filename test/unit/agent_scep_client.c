/* scep_client.h and the peers of io.h it needs: plain HTTP, long URLs, an address of its own; over real sockets. */
#include "test/unit/agent_listen.h"
#include "agent/probe/scep_client.h"
#include "proto/scep_query.h"

static struct err e;

static struct got {
    bool failed;
    enum err_class cls;
    int status;
} got;

static void on_answer(void *arg, const struct result *r)
{
    (void)arg;
    got.failed = r->err != NULL;
    got.cls = r->err != NULL ? r->err->cls : ERR_NONE;
    got.status = r->http != NULL ? r->http->status : 0;
    io_stop();
}

/* The last request, as the server saw it. */
static struct seen {
    char method[8], path[100], query[200];
    size_t query_len;
    uint8_t message[300];
    size_t message_len;
} seen;

static void on_asked(
    void *arg, struct io_exchange *x, const struct http1_request *q, const char *remote)
{
    struct http1_answer a = { .status = 200, .type = "text/plain", .body = view_text("AES") };
    struct buf message = BUF_INIT(1 << 20);
    struct scep_query s;

    (void)arg;
    (void)remote;
    memset(&seen, 0, sizeof seen);
    (void)snprintf(seen.method, sizeof seen.method, "%s", q->method);
    (void)snprintf(seen.path, sizeof seen.path, "%.*s", (int)q->path.len, (const char *)q->path.p);
    seen.query_len = q->query.len;
    (void)snprintf(seen.query, sizeof seen.query, "%.*s",
        q->query.len < 60 ? (int)q->query.len : 60, (const char *)q->query.p);
    scep_query_parse(q->query, &s);
    if (s.message.len != 0 && scep_query_message(s.message, &message, &e) == 0
        && message.len <= sizeof seen.message) {
        memcpy(seen.message, message.p, message.len);
        seen.message_len = message.len;
    } else if (q->body.len != 0 && q->body.len <= sizeof seen.message) {
        memcpy(seen.message, q->body.p, q->body.len);
        seen.message_len = q->body.len;
    }
    if (view_equal(q->path, view_text("/moved"))) {
        a.status = 302;
        a.extra = "Location: http://127.0.0.1:1/elsewhere";
    }
    io_answer(x, &a);
    buf_free(&message);
}

static char url[100], address[40];

static struct scep_client *client_of(const char *host, const char *path, const char *at)
{
    struct io_listen_conf c = listen_conf();
    struct scep_client_conf conf = { .url = url, .address = at };
    struct scep_client *s;

    if (listening == NULL)
        listening = io_listen_open(&c, on_asked, NULL, &e);
    assert_non_null(listening);
    (void)snprintf(url, sizeof url, "http://%s:%u%s", host, io_listen_port(listening), path);
    (void)snprintf(address, sizeof address, "127.0.0.1:%u", io_listen_port(listening));
    s = scep_client_new(&conf, &e);
    assert_non_null(s);
    return s;
}

static void answered(struct op *op, int status)
{
    if (op == NULL)
        fail_msg("%s", e.msg);
    io_run();
    assert_false(got.failed);
    assert_int_equal(got.status, status);
}

static const struct view nothing = { NULL, 0 };

static void questions_are_asked(void **state)
{
    struct scep_client *c = client_of("127.0.0.1", "/scep", NULL);

    (void)state;
    answered(scep_client_get(c, NULL, nothing, on_answer, NULL, &e), 200);
    assert_string_equal(seen.path, "/scep");
    assert_int_equal(seen.query_len, 0);
    answered(scep_client_get(c, "GetCACaps", nothing, on_answer, NULL, &e), 200);
    assert_string_equal(seen.query, "operation=GetCACaps");
    scep_client_free(c);
}

static void a_message_arrives_either_way(void **state)
{
    struct scep_client *c = client_of("127.0.0.1", "/scep", NULL);
    uint8_t all[256];

    (void)state;
    for (size_t i = 0; i < sizeof all; i++)
        all[i] = (uint8_t)i;
    answered(
        scep_client_get(c, "PKIOperation", view_of(all, sizeof all), on_answer, NULL, &e), 200);
    assert_string_equal(seen.method, "GET");
    assert_int_equal(seen.message_len, sizeof all);
    assert_memory_equal(seen.message, all, sizeof all);
    answered(scep_client_post(c, view_of(all, sizeof all), on_answer, NULL, &e), 200);
    assert_string_equal(seen.method, "POST");
    assert_string_equal(seen.query, "operation=PKIOperation");
    assert_memory_equal(seen.message, all, sizeof all);
    scep_client_free(c);
}

static void long_urls_are_as_long_as_said(void **state)
{
    struct scep_client *c = client_of("127.0.0.1", "/scep", NULL);
    size_t before = strlen(url) + 1;

    (void)state;
    answered(scep_client_long(c, 30000, on_answer, NULL, &e), 200);
    assert_int_equal(seen.query_len + before, 30000);
    answered(scep_client_long(c, 61440, on_answer, NULL, &e), 200);
    assert_int_equal(seen.query_len + before, 61440);
    assert_null(scep_client_long(c, 200000, on_answer, NULL, &e));
    assert_int_equal(e.cls, ERR_TOO_LARGE);
    scep_client_free(c);
}

static void redirects_are_not_followed(void **state)
{
    struct scep_client *c = client_of("127.0.0.1", "/moved", NULL);

    (void)state;
    answered(scep_client_get(c, NULL, nothing, on_answer, NULL, &e), 302);
    scep_client_free(c);
}

/* The name is asked for, the address is where. */
static void an_address_of_its_own(void **state)
{
    struct scep_client *c = client_of("127.0.0.1", "/scep", NULL);

    (void)state;
    scep_client_free(c);
    c = client_of("scep.contoso.example", "/scep", address);
    answered(scep_client_get(c, NULL, nothing, on_answer, NULL, &e), 200);
    scep_client_free(c);
}

static void urls_that_are_none(void **state)
{
    static const char *const bad[] = { "scep.contoso.example/scep", "ftp://scep.contoso.example/",
        "http://", "http://user@scep.contoso.example/",
        "http://scep.contoso.example/scep?operation=x", "https://scep.contoso.example/#x", "" };

    (void)state;
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        assert_null(scep_client_new(&(struct scep_client_conf){ .url = bad[i] }, &e));
        assert_int_equal(e.cls, ERR_INPUT);
    }
    assert_null(scep_client_new(
        &(struct scep_client_conf){ .url = "https://h/", .trust = "/nowhere/roots.pem" }, &e));
    assert_int_equal(e.cls, ERR_CONFIG);
}

/* Nobody else may speak plain HTTP, reach this machine by a name, or use so long a URL (SR-23). */
static void other_peers_stay_as_they_were(void **state)
{
    static char longer[3000];
    struct io_peer *p =
        io_peer_new(&(struct io_peer_conf){ .name = "other", .connections_max = 1 }, &e);
    struct http_req q = {
        .method = "GET", .url = "http://127.0.0.1:1/", .max_reply = 10, .timeout_ms = 1000
    };

    (void)state;
    assert_non_null(p);
    assert_null(io_http(p, &q, on_answer, NULL, &e));
    assert_int_equal(e.cls, ERR_INPUT);
    memset(longer, 'a', sizeof longer - 1);
    memcpy(longer, "https://h/", 10);
    q.url = longer;
    assert_null(io_http(p, &q, on_answer, NULL, &e));
    assert_int_equal(e.cls, ERR_INPUT);
    io_peer_free(p);
}

static void no_credential_over_plain_http(void **state)
{
    struct io_peer_conf c = {
        .name = "scep", .connections_max = 1, .plain_http = true, .secret_file = "x"
    };

    (void)state;
    for (int auth = IO_AUTH_BASIC; auth <= IO_AUTH_BEARER; auth++) {
        c.auth = (enum io_auth)auth;
        assert_null(io_peer_new(&c, &e));
        assert_int_equal(e.cls, ERR_CONFIG);
    }
    c.auth = IO_AUTH_NONE;
    c.certificate_file = "x";
    assert_null(io_peer_new(&c, &e));
    assert_int_equal(e.cls, ERR_CONFIG);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        LISTEN_TEST(questions_are_asked),
        LISTEN_TEST(a_message_arrives_either_way),
        LISTEN_TEST(long_urls_are_as_long_as_said),
        LISTEN_TEST(redirects_are_not_followed),
        LISTEN_TEST(an_address_of_its_own),
        LISTEN_TEST(urls_that_are_none),
        LISTEN_TEST(other_peers_stay_as_they_were),
        LISTEN_TEST(no_credential_over_plain_http),
    };

    return cmocka_run_group_tests_name("scep_client", tests, NULL, NULL);
}
