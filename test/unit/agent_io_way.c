/* The way of a transfer over real sockets: through a proxy that is here, and whose fault each failure is. */
#include "test/t.h"
#include "agent/conf/conf.h"
#include "certs/text.h"
#include "test/live/fetch.h"

static const struct server_answer answers[] = {
    { "/echo", NULL, THEN_KEEP, 0 },
    { NULL, NULL, THEN_KEEP, 0 },
};

/* ---- a proxy: answers CONNECT with a text, or with a tunnel to the server, whatever the name ---- */

enum { HEAD_MAX = 4096, HEADS = 8 };

static struct {
    int listener;
    unsigned port;
    pthread_t thread;
    const char *text; /* NULL: a tunnel; "": close without a word */
    char heads[HEADS][HEAD_MAX];
    atomic_int count;
} proxy;

static void relay(int a, int b)
{
    fd_set set;
    char data[8192];

    for (;;) {
        int from;
        ssize_t n;

        FD_ZERO(&set);
        FD_SET(a, &set);
        FD_SET(b, &set);
        if (select((a > b ? a : b) + 1, &set, NULL, NULL, NULL) < 0)
            return;
        from = FD_ISSET(a, &set) ? a : b;
        if ((n = read(from, data, sizeof data)) <= 0
            || write(from == a ? b : a, data, (size_t)n) != n)
            return;
    }
}

static void tunnel(int client)
{
    static const char ok[] = "HTTP/1.1 200 OK\r\n\r\n";
    struct sockaddr_in to = { .sin_family = AF_INET,
        .sin_port = htons((in_port_t)server.port),
        .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
    int out = socket(AF_INET, SOCK_STREAM, 0);

    if (connect(out, (struct sockaddr *)&to, sizeof to) == 0
        && write(client, ok, sizeof ok - 1) == (ssize_t)(sizeof ok - 1))
        relay(client, out);
    (void)close(out);
}

static size_t read_head(int fd, char *head)
{
    size_t len = 0;

    while (len < HEAD_MAX - 1 && read(fd, head + len, 1) == 1) {
        head[++len] = '\0';
        if (len >= 4 && memcmp(head + len - 4, "\r\n\r\n", 4) == 0)
            return len;
    }
    return 0;
}

static void *proxy_run(void *arg)
{
    int fd;

    while ((fd = accept(proxy.listener, NULL, NULL)) >= 0) { /* one at a time is enough */
        char *head = proxy.heads[atomic_load(&proxy.count) % HEADS];

        if (proxy.text != NULL && proxy.text[0] > 0
            && proxy.text[0] < ' ') { /* SOCKS has no head */
            (void)!write(fd, proxy.text, strlen(proxy.text));
            (void)!read(fd, head, HEAD_MAX);
        } else if (read_head(fd, head) > 0) {
            atomic_fetch_add(&proxy.count, 1);
            if (proxy.text == NULL)
                tunnel(fd);
            else if (proxy.text[0] != '\0')
                (void)!write(fd, proxy.text, strlen(proxy.text));
        }
        (void)shutdown(fd, SHUT_RDWR);
        (void)close(fd);
    }
    return arg;
}

static int begin(void **state)
{
    struct sockaddr_in a = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
    socklen_t len = sizeof a;

    (void)state;
    proxy.text = NULL;
    atomic_store(&proxy.count, 0);
    proxy.listener = socket(AF_INET, SOCK_STREAM, 0);
    assert_int_equal(bind(proxy.listener, (struct sockaddr *)&a, sizeof a), 0);
    assert_int_equal(listen(proxy.listener, 8), 0);
    assert_int_equal(getsockname(proxy.listener, (struct sockaddr *)&a, &len), 0);
    proxy.port = ntohs(a.sin_port);
    assert_int_equal(pthread_create(&proxy.thread, NULL, proxy_run, NULL), 0);
    return fetch_begin(answers);
}

static int end(void **state)
{
    int rc = fetch_end();

    (void)state;
    (void)shutdown(proxy.listener, SHUT_RDWR);
    (void)pthread_join(proxy.thread, NULL);
    (void)close(proxy.listener);
    return rc;
}

/* ---- one request through it ---- */

static char proxy_url[100];
static struct conf conf;

static struct io_peer *through(const char *scheme, const char *credential)
{
    (void)snprintf(proxy_url, sizeof proxy_url, "%s://127.0.0.1:%u", scheme, proxy.port);
    conf =
        (struct conf){ .proxy = { .url = proxy_url, .credential = (char *)(uintptr_t)credential } };
    return peer_with((struct io_peer_conf){ .conf = &conf, .http1 = true });
}

static void fetch_from(struct fetch *f, struct io_peer *p, const char *host)
{
    struct http_req q;
    char url[200];

    (void)snprintf(url, sizeof url, "https://%s:%u/echo", host, server.port);
    q = fetch_get(url);
    q.timeout_ms = 2000;
    fetch(f, p, &q);
}

static void fails(const char *scheme, const char *credential, const char *text, enum err_class cls,
    const char *says)
{
    struct io_peer *p = through(scheme, credential);
    struct fetch f;

    proxy.text = text;
    fetch_from(&f, p, "127.0.0.1");
    if (!f.failed || f.err.cls != cls || strstr(f.err.msg, says) == NULL)
        fail_msg("%s \"%s\", not %s \"%s\"", err_name(f.err.cls), f.err.msg, err_name(cls), says);
    assert_non_null(strstr(f.err.msg, "issuing1: "));
    assert_false(f.sent); /* what the proxy got is not the request */
    assert_int_equal(atomic_load(&server.requests), 0);
    io_peer_free(p);
}

static void a_proxy_on_this_machine(void **state)
{
    struct io_peer *p = through("http", NULL);
    struct fetch f;

    (void)state;
    fetch_from(&f, p, "127.0.0.1");
    assert_false(f.failed);
    assert_true(f.sent);
    assert_int_equal(f.status, 200);
    assert_int_equal(atomic_load(&proxy.count), 1);
    assert_non_null(strstr(proxy.heads[0], "CONNECT 127.0.0.1:"));
    fetch_from(&f, p, "127.0.0.1"); /* the tunnel is used again */
    assert_false(f.failed);
    assert_int_equal(atomic_load(&proxy.count), 1);
    io_peer_free(p);
}

/* Where a name leads is the proxy's to know: that one of its own addresses is local says nothing. */
static void names_are_resolved_by_the_proxy(void **state)
{
    struct io_peer *p = through("http", NULL);
    struct fetch f;

    (void)state;
    fetch_from(&f, p, "ca01.peer.example");
    assert_false(f.failed);
    assert_non_null(strstr(proxy.heads[0], "CONNECT ca01.peer.example:"));
    io_peer_free(p);
}

static void exceptions_go_straight(void **state)
{
    char *entries[] = { "127.0.0.0/8" };
    struct io_peer *p = through("http", NULL);
    struct fetch f;

    (void)state;
    conf.proxy.no_proxy = (struct conf_list){ entries, 1 };
    fetch_from(&f, p, "127.0.0.1");
    assert_false(f.failed);
    assert_int_equal(atomic_load(&proxy.count), 0);
    io_peer_free(p);
}

static void a_way_that_cannot_be_meant(void **state)
{
    char *entries[] = { "*.x" };
    struct io_peer *p = through("http", NULL);
    struct http_req q = fetch_get(server_url(&server, "/echo"));
    struct err e;

    (void)state;
    conf.proxy.no_proxy = (struct conf_list){ entries, 1 };
    assert_null(io_http(p, &q, fetched, NULL, &e));
    assert_int_equal(e.cls, ERR_CONFIG);
    io_peer_free(p);
}

static void what_a_proxy_refuses(void **state)
{
    static const char login[] = "HTTP/1.1 407 No\r\nProxy-Authenticate: Negotiate\r\n"
                                "Proxy-Authenticate: Basic realm=\"x\"\r\nConnection: close\r\n"
                                "Content-Length: 0\r\n\r\n";

    static const char ticket[] = "HTTP/1.1 407 No\r\nProxy-Authenticate: Negotiate\r\n"
                                 "Content-Length: 0\r\n\r\n";

    (void)state;
    dir_write("login", "agent:s3cret", 0600);
    fails("http", dir_path("login"), ticket, ERR_PROXY,
        "offers only Negotiate, which proxy.auth = \"any\" does not use (407)");
    fails("http", NULL, login, ERR_PROXY,
        "wants a user and a password, none is configured (407); it offers Negotiate, Basic");
    fails("http", dir_path("login"), login, ERR_PROXY,
        "refuses the user and password it was given (407); it offers Negotiate, Basic");
    fails("http", dir_path("login"), "HTTP/1.1 401 No\r\nContent-Length: 0\r\n\r\n", ERR_PROXY,
        "refuses the user and password it was given (401)");
    fails("http", NULL, "HTTP/1.1 403 No\r\nContent-Length: 0\r\n\r\n", ERR_PROXY,
        "does not allow 127.0.0.1:");
    fails("http", NULL, "HTTP/1.1 302 Found\r\nLocation: /\r\nContent-Length: 0\r\n\r\n", ERR_PROXY,
        "it answered 302 to CONNECT");
    fails("http", NULL, "HTTP/1.1 503 No\r\nContent-Length: 0\r\n\r\n", ERR_NET,
        "cannot reach 127.0.0.1:");
    fails("https", NULL, "HTTP/1.1 400 No\r\n\r\n", ERR_PROXY_DOWN, "does not answer");
}

static void what_a_proxy_does_not_answer(void **state)
{
    (void)state;
    dir_write("login", "agent:s3cret", 0600);
    fails("socks5", NULL, "\x04\x02\x05\x05 what?", ERR_PROXY_DOWN, "as a SOCKS5 proxy does");
    fails("socks5", NULL, "\x05\x02\x05\x05 what?", ERR_PROXY, "none is configured");
    fails("socks5", NULL, "\x05\xff", ERR_PROXY, "none is configured");
    fails("socks5", dir_path("login"), "\x05\xff", ERR_PROXY, "takes no user and password");
    fails("socks5", dir_path("login"), "\x05\x02\x01\x01", ERR_PROXY,
        "refuses the user and password it was given");
    fails("http", NULL, "", ERR_PROXY_DOWN, "does not answer: ");
    fails("http", NULL, "SSH-2.0-OpenSSH_9.2\r\n", ERR_PROXY_DOWN, "does not answer: ");
    fails("socks5", NULL, "HTTP/1.1 400 No\r\n\r\n", ERR_PROXY_DOWN, "does not answer: ");
    (void)shutdown(proxy.listener, SHUT_RDWR);
    (void)close(proxy.listener);
    fails("http", NULL, "", ERR_PROXY_DOWN, "does not answer: Connection refused");
    fails("socks5", NULL, "", ERR_PROXY_DOWN, "does not answer: Connection refused");
}

static void credentials_that_are_none(void **state)
{
    static const char *const lines[] = { "agent", ":s3cret", "" };
    struct err e;

    (void)state;
    (void)snprintf(proxy_url, sizeof proxy_url, "http://127.0.0.1:%u", proxy.port);
    for (size_t i = 0; i < sizeof lines / sizeof lines[0]; i++) {
        struct io_peer_conf c = { .name = "cloud", .conf = &conf, .connections_max = 1 };

        dir_write("login", lines[i], 0600);
        conf = (struct conf){ .proxy = { .url = proxy_url,
                                  .credential = (char *)(uintptr_t)dir_path("login") } };
        T_ERR_SAYS((io_peer_new(&c, &e) != NULL ? 0 : -1), ERR_CONFIG, "the proxy's credential");
        assert_null(strstr(e.msg, "s3cret"));
        c.proxy = "none"; /* then it is nobody's */
        io_peer_free(io_peer_new(&c, &e));
    }
}

/* Both in one connection cache, curl would find the first one's tunnel for the second. */
static void connections_end_with_their_peer(void **state)
{
    struct io_peer *p = through("http", NULL), *q;
    struct fetch f;

    (void)state;
    fetch_from(&f, p, "127.0.0.1");
    assert_false(f.failed);
    io_peer_free(p);
    q = through("http", NULL);
    fetch_from(
        &f, q, "127.0.0.1"); /* the proxy serves one connection at a time: the first has ended */
    assert_false(f.failed);
    assert_int_equal(atomic_load(&proxy.count), 2);
    io_peer_free(q);
}

static void the_issuer_of_what_is_not_trusted(void **state)
{
    struct io_peer *p =
        peer_with((struct io_peer_conf){ .trust_file = dir_path("other.pem"), .http1 = true });
    struct fetch f;

    (void)state;
    fetch_from(&f, p, "127.0.0.1");
    assert_int_equal(f.err.cls, ERR_TRUST);
    assert_non_null(strstr(f.err.msg, "issuer of the certificate seen: CN=Test Root"));
    io_peer_free(p);
}

#define TEST(fn) cmocka_unit_test_setup_teardown(fn, begin, end)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_proxy_on_this_machine),
        TEST(names_are_resolved_by_the_proxy),
        TEST(exceptions_go_straight),
        TEST(a_way_that_cannot_be_meant),
        TEST(what_a_proxy_refuses),
        TEST(what_a_proxy_does_not_answer),
        TEST(credentials_that_are_none),
        TEST(connections_end_with_their_peer),
        TEST(the_issuer_of_what_is_not_trusted),
    };

    return cmocka_run_group_tests_name("agent_io_way", tests, NULL, NULL);
}
