/* The HTTP listener over real sockets: requests in order, deadlines, caps, clients that come and go. */
#include "test/unit/agent_listen.h"
#include <sys/resource.h>
#include <sys/wait.h>

#define GET(path) "GET " path " HTTP/1.1\r\nHost: x\r\n\r\n"

/* ---- requests and answers ---------------------------------------------------------------------------- */

static void one_connection_many_requests(void **state)
{
    struct client c;

    (void)state;
    listen_with(listen_conf());
    assert_true(io_listen_port(listening) > 1024);
    assert_false(io_listen_is_tls(listening));
    assert_true(io_listen_expires_at(listening) == 0);
    client_open(&c);
    client_say(&c, GET("/a"));
    HEARS(&c, "GET /a#1 0 127.0.0.1");
    client_say(&c, "POST /b HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n\r\nhello");
    HEARS(&c, "POST /b#2 5 127.0.0.1");
    client_say(&c, "HEAD /c HTTP/1.1\r\nHost: x\r\n\r\n" GET("/d"));
    assert_true(client_hears(&c, "GET /d#4"));
    assert_non_null(strstr(buf_text(&c.in), "Content-Length: 21\r\n"));
    assert_null(strstr(buf_text(&c.in), "HEAD /c")); /* only its length */
    client_close(&c);
    wait_connections(0);
}

static void when_it_closes(void **state)
{
    static const struct {
        const char *request;
        bool open;
    } cases[] = {
        { GET("/a"), true },
        { GET("/close"), false },
        { "GET /a HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n", false },
        { "GET /a HTTP/1.0\r\n\r\n", false },
        { "GET /a HTTP/1.0\r\nConnection: keep-alive\r\n\r\n", true },
    };

    (void)state;
    listen_with(listen_conf());
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct client c;

        client_open(&c);
        client_say(&c, cases[i].request);
        HEARS(&c, "GET /");
        assert_int_equal(client_is_open(&c), cases[i].open);
        assert_false(c.reset);
        client_close(&c);
    }
    wait_connections(0);
}

static void byte_by_byte(void **state)
{
    static const char text[] = "POST /b HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n\r\nhello";
    struct client c;

    (void)state;
    listen_with(listen_conf());
    client_open(&c);
    for (size_t i = 0; i < sizeof text - 1; i++) {
        client_send(&c, text + i, 1);
        run_for(1);
    }
    HEARS(&c, "POST /b#1 5");
    client_close(&c);
}

static void a_long_line_and_a_large_body(void **state)
{
    static char line[61000], body[100000];
    struct client c;
    char head[100];

    (void)state;
    listen_with(listen_conf());
    client_open(&c);
    memset(line, 'A', sizeof line);
    client_say(&c, "GET /scep?message=");
    client_send(&c, line, sizeof line);
    client_say(&c, " HTTP/1.1\r\nHost: x\r\n\r\n");
    HEARS(&c, "GET /scep#1");
    assert_int_equal(query_len, sizeof line + 8);
    (void)snprintf(head, sizeof head,
        "POST /b HTTP/1.1\r\nHost: x\r\nContent-Length: %zu\r\n"
        "Expect: 100-continue\r\n\r\n",
        sizeof body);
    client_say(&c, head);
    HEARS(&c, "HTTP/1.1 100 Continue\r\n\r\n");
    client_send(&c, body, sizeof body);
    HEARS(&c, "POST /b#2 100000");
    client_close(&c);
}

/* The second is read only after the answer to the first, and never within the call that answers. */
static void pipelining(void **state)
{
    struct client c;

    (void)state;
    listen_with(listen_conf());
    client_open(&c);
    client_say(&c, GET("/a") GET("/hold") GET("/b") GET("/hold") GET("/c"));
    HEARS(&c, "GET /a#1");
    wait_held(1);
    run_for(20);
    assert_int_equal(asked, 2);
    listen_answer(held[0], "first of those held");
    assert_int_equal(asked, 2);
    HEARS(&c, "first of those held");
    wait_held(2);
    assert_int_equal(asked, 4);
    client_say(&c, GET("/d")); /* stays in the kernel */
    run_for(20);
    assert_int_equal(asked, 4);
    listen_answer(held[1], "second of those held");
    HEARS(&c, "GET /d#6");
    client_close(&c);
}

static void thousands_in_one_packet(void **state)
{
    static char text[3000 * 18 + 1];
    struct client c;

    (void)state;
    for (size_t i = 0; i < 3000; i++)
        memcpy(text + i * 18, "GET / HTTP/1.1\r\n\r\n", 18);
    listen_with(listen_conf());
    client_open(&c);
    client_say(&c, text);
    HEARS(&c, "GET /#3000 ");
    client_close(&c);
}

static void what_is_no_request(void **state)
{
    static const struct {
        const char *text, *status;
    } bad[] = {
        { "\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03 hello\r\n\r\n", "HTTP/1.1 " },
        { "GET / HTTP/1.1\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nxx", "HTTP/1.1 400 " },
        { "POST / HTTP/1.1\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
            "HTTP/1.1 400 " },
        { "POST / HTTP/1.1\r\nTransfer-Encoding: gzip\r\n\r\n", "HTTP/1.1 501 " },
        { "GET / HTTP/3.1\r\n\r\n", "HTTP/1.1 505 " },
        { "POST / HTTP/1.1\r\nContent-Length: 100001\r\n\r\n", "HTTP/1.1 413 " },
    };

    (void)state;
    listen_with(listen_conf());
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        static char more[200000];
        struct client c;

        client_open(&c);
        client_say(&c, bad[i].text);
        if (strstr(bad[i].status, "413") != NULL)
            client_send(&c, more, sizeof more); /* it does not wait for the answer */
        assert_true(client_ends(&c));
        assert_false(c.reset);
        HEARS(&c, bad[i].status);
        client_close(&c);
    }
    assert_int_equal(asked, 0);
    wait_connections(0);
}

static void a_large_answer_to_a_slow_reader(void **state)
{
    struct client c;

    (void)state;
    listen_with(listen_conf());
    client_open(&c);
    client_say(&c, GET("/big") GET("/after"));
    run_for(50);
    assert_int_equal(asked, 1); /* nothing is read while the answer is not out */
    for (int i = 0; i < 4000 && c.in.len < BIG; i++) {
        client_look(&c);
        run_for(1);
    }
    assert_true(c.in.len >= BIG);
    HEARS(&c, "GET /after#2");
    client_close(&c);
}

/* ---- deadlines ------------------------------------------------------------------------------------------- */

static void deadlines(void **state)
{
    struct io_listen_conf conf = listen_conf();
    struct client silent, slow, idle, busy, deaf;
    uint64_t begun;

    (void)state;
    conf.request_s = 1;
    conf.idle_s = 2;
    listen_with(conf);
    client_open(&silent);
    client_open(&slow);
    client_open(&idle);
    client_open(&busy);
    client_open(&deaf);
    begun = io_now_ms();
    client_say(&idle, GET("/a"));
    client_say(&busy, GET("/hold"));
    (void)setsockopt(deaf.fd, SOL_SOCKET, SO_RCVBUF, &(int){ 4096 }, sizeof(int));
    client_say(&deaf, GET("/big"));
    wait_connections(5);
    wait_held(1);
    for (int i = 0; i < 100 && io_listen_connections(listening) > 2; i++) {
        client_say(&slow, i == 0 ? "GET /" : "a"); /* one byte and one more */
        run_for(20);
    }
    assert_int_equal(io_listen_connections(listening), 2);
    assert_in_range(io_now_ms() - begun, 900, 1500);
    assert_true(client_ends(&silent) && client_ends(&slow));
    assert_true(client_is_open(&idle) && client_is_open(&busy));
    wait_connections(1);
    assert_in_range(io_now_ms() - begun, 1900, 2500);
    assert_true(client_ends(&idle));
    assert_true(client_is_open(&busy)); /* the delay is ours */
    listen_answer(held[0], "at last");
    HEARS(&busy, "at last");
    client_close(&silent);
    client_close(&slow);
    client_close(&idle);
    client_close(&busy);
    client_close(&deaf);
}

/* ---- caps --------------------------------------------------------------------------------------------------- */

static struct sockaddr_in from(unsigned last)
{
    return (
        struct sockaddr_in){ .sin_family = AF_INET, .sin_addr.s_addr = htonl(0x7f000000u + last) };
}

static void many_from_one_address(void **state)
{
    struct io_listen_conf conf = listen_conf();
    struct sockaddr_in two = from(2);
    struct client c[4], other;

    (void)state;
    conf.connections_per_address = 3;
    listen_with(conf);
    for (size_t i = 0; i < 3; i++) {
        client_open(&c[i]);
        client_say(&c[i], GET("/hold"));
    }
    wait_held(3);
    client_open(&c[3]);
    assert_true(client_ends(&c[3]));
    HEARS(&c[3], "HTTP/1.1 503 ");
    client_close(&c[3]);
    client_connect(&other, &two);
    client_say(&other, GET("/a"));
    HEARS(&other, "127.0.0.2");
    listen_answer(held[0], "done"); /* now one of them idles, and makes way */
    HEARS(&c[0], "done");
    client_open(&c[3]);
    client_say(&c[3], GET("/b"));
    HEARS(&c[3], "GET /b#5");
    assert_true(client_ends(&c[0]));
    listen_answer(held[1], "done");
    HEARS(&c[1], "done");
    for (size_t i = 0; i < 4; i++)
        client_close(&c[i]);
    client_close(&other);
    wait_connections(1); /* it closed in good order: for all we know it still listens */
    io_on_gone(held[2], on_gone, &gone);
}

static void many_from_everywhere(void **state)
{
    struct io_listen_conf conf = listen_conf();
    struct client c[4], more;

    (void)state;
    conf.connections_max = 4;
    listen_with(conf);
    for (size_t i = 0; i < 4; i++) {
        client_open(&c[i]);
        client_say(&c[i], i == 2 ? GET("/a") : GET("/hold"));
    }
    wait_held(3);
    HEARS(&c[2], "GET /a");
    client_open(&more); /* in the idle one's place */
    client_say(&more, GET("/hold"));
    wait_held(4);
    assert_true(client_ends(&c[2]));
    client_close(&c[2]);
    client_open(&c[2]);
    assert_true(client_ends(&c[2]));
    HEARS(&c[2], "Retry-After: ");
    for (size_t i = 0; i < 4; i++) {
        listen_answer(held[i], "done");
        client_close(&c[i]);
    }
    client_close(&more);
    wait_connections(0);
}

/* Descriptors run out: those who knock wait, and are served when there are some again. */
static void no_descriptors(void **state)
{
    struct rlimit before, none;
    struct client c, d;
    int spare;

    (void)state;
    listen_with(listen_conf());
    client_open(&d);
    client_say(&d, GET("/hold"));
    wait_held(1);
    assert_int_equal(getrlimit(RLIMIT_NOFILE, &before), 0);
    client_open(&c);
    spare = dup(0);
    (void)close(spare);
    none = before;
    none.rlim_cur = (rlim_t)spare;
    client_say(&c, GET("/a"));
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &none), 0);
    run_for(20);
    assert_in_range(turns_in(300), 1, 20); /* it pauses */
    assert_int_equal(asked, 1);
    listen_answer(held[0], "others are served");
    HEARS(&d, "others are served");
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &before), 0);
    HEARS(&c, "GET /a#2");
    client_close(&c);
    client_close(&d);
}

/* ---- who goes away --------------------------------------------------------------------------------------------- */

static void reset(struct client *c)
{
    (void)setsockopt(c->fd, SOL_SOCKET, SO_LINGER, &(struct linger){ 1, 0 }, sizeof(struct linger));
    client_close(c);
}

static void gone_before_the_answer(void **state)
{
    struct client c;

    (void)state;
    listen_with(listen_conf());
    for (size_t i = 0; i < 3; i++) {
        client_open(&c);
        client_say(&c, GET("/hold"));
        wait_held(i + 1);
        if (i < 2)
            io_on_gone(held[i], on_gone, &gone);
        if (i == 1) { /* first half, then altogether */
            (void)shutdown(c.fd, SHUT_WR);
            run_for(20);
            assert_int_equal(gone, 1);
        }
        reset(&c);
        wait_for(&gone, i < 2 ? i + 1 : 2);
    }
    wait_connections(0);
    listen_answer(held[2], "nobody wanted to know"); /* and nobody gets it */
}

static void half_closed_clients_get_their_answer(void **state)
{
    struct client c;

    (void)state;
    listen_with(listen_conf());
    client_open(&c);
    client_say(&c, GET("/hold") GET("/next"));
    (void)shutdown(c.fd, SHUT_WR);
    wait_held(1);
    io_on_gone(held[0], on_gone, &gone);
    run_for(30);
    listen_answer(held[0], "still there");
    HEARS(&c, "GET /next#2");
    assert_true(client_ends(&c) && !c.reset);
    assert_int_equal(gone, 0);
    client_close(&c);
    client_open(&c); /* half a request and no more */
    client_say(&c, "GET / HT");
    (void)shutdown(c.fd, SHUT_WR);
    assert_true(client_ends(&c));
    client_close(&c);
    wait_connections(0);
}

static void urgent_bytes(void **state)
{
    struct client c;

    (void)state;
    listen_with(listen_conf());
    client_open(&c);
    client_say(&c, GET("/hold"));
    wait_held(1);
    assert_int_equal(send(c.fd, "!", 1, MSG_OOB), 1);
    (void)shutdown(c.fd, SHUT_WR);
    run_for(20);
    assert_in_range(turns_in(50), 1, 10);
    listen_answer(held[0], "unmoved");
    HEARS(&c, "unmoved");
    client_close(&c);
}

static void closed_with_unanswered_ones(void **state)
{
    struct client c[3];

    (void)state;
    listen_with(listen_conf());
    for (size_t i = 0; i < 3; i++) {
        client_open(&c[i]);
        client_say(&c[i], GET("/hold"));
        wait_held(i + 1);
    }
    io_on_gone(held[0], on_gone, &gone);
    io_on_gone(held[1], on_gone, &gone);
    io_listen_close(listening);
    listening = NULL;
    assert_int_equal(gone, 2);
    run_for(10);
    listen_answer(held[2], "too late"); /* was not told, so answers */
    for (size_t i = 0; i < 3; i++) {
        assert_true(client_ends(&c[i]));
        client_close(&c[i]);
    }
}

static void stopping(void **state)
{
    struct client idle, busy;
    unsigned port;
    struct sockaddr_in a = from(1);
    int fd = socket(AF_INET, SOCK_STREAM, 0);

    (void)state;
    listen_with(listen_conf());
    port = io_listen_port(listening);
    client_open(&idle);
    client_say(&idle, GET("/a"));
    HEARS(&idle, "GET /a");
    client_open(&busy);
    client_say(&busy, GET("/hold"));
    wait_held(1);
    io_listen_stop(listening);
    io_listen_stop(listening);
    assert_true(client_ends(&idle));
    a.sin_port = htons((uint16_t)port);
    assert_int_equal(connect(fd, (struct sockaddr *)&a, sizeof a), -1);
    (void)close(fd);
    assert_int_equal(io_listen_connections(listening), 1);
    listen_answer(held[0], "the last one");
    HEARS(&busy, "Connection: close");
    assert_true(client_ends(&busy));
    client_close(&idle);
    client_close(&busy);
    wait_connections(0);
}

/* ---- through a proxy --------------------------------------------------------------------------------------------- */

static void the_client_behind_a_proxy(void **state)
{
    struct io_listen_conf conf = listen_conf();
    struct sockaddr_in stranger = from(9);
    struct client c[3], d;

    (void)state;
    conf.trusted_proxy[0] = "127.0.0.1";
    conf.trusted_proxy[1] = "10.0.0.0/8";
    conf.connections_per_address = 1;
    listen_with(conf);
    for (size_t i = 0; i < 3; i++) { /* a proxy speaks for many */
        client_open(&c[i]);
        client_say(&c[i], "GET /hold HTTP/1.1\r\nX-Forwarded-For: 1.2.3.4\r\n\r\n");
    }
    wait_held(3);
    for (size_t i = 0; i < 3; i++)
        listen_answer(held[i], "done");
    HEARS(&c[0], "done");
    client_say(&c[0], "GET /a HTTP/1.1\r\nX-Forwarded-For: 6.6.6.6, 192.0.2.7, 10.1.1.1\r\n\r\n");
    HEARS(&c[0], "/a#4 0 192.0.2.7");
    client_say(&c[0], "GET /a HTTP/1.1\r\n\r\n");
    HEARS(&c[0], "/a#5 0 127.0.0.1");
    client_connect(&d, &stranger);
    client_say(&d, "GET /a HTTP/1.1\r\nX-Forwarded-For: 192.0.2.7\r\n\r\n");
    HEARS(&d, "/a#6 0 127.0.0.9");
    for (size_t i = 0; i < 3; i++)
        client_close(&c[i]);
    client_close(&d);
}

/* ---- where it listens ----------------------------------------------------------------------------------------------- */

static void refused(struct io_listen_conf c, enum err_class cls, const char *text)
{
    struct err e = { 0 };

    assert_null(io_listen_open(&c, on_request, &asked, &e));
    if (e.cls != cls || strstr(e.msg, text) == NULL)
        fail_msg("%s \"%s\", not %s", err_name(e.cls), e.msg, text);
    assert_non_null(strstr(e.msg, "devices"));
}

static void what_cannot_be_opened(void **state)
{
    static const char *const bad[] = { "", "80", ":80", "localhost:80", "127.0.0.1",
        "127.0.0.1:", "127.0.0.1:65536", "127.0.0.1:8o", "::1:80", "[::1]", "[127.0.0.1]:80" };
    struct io_listen_conf c = listen_conf();
    char taken[30];

    (void)state;
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        c.address = bad[i];
        refused(c, ERR_CONFIG, bad[i]);
    }
    c = listen_conf();
    c.trusted_proxy[0] = "10.0.0.0/33";
    refused(c, ERR_CONFIG, "trusted_proxies: \"10.0.0.0/33\"");
    listen_with(listen_conf());
    c = listen_conf();
    (void)snprintf(taken, sizeof taken, "127.0.0.1:%u", io_listen_port(listening));
    c.address = taken;
    refused(c, ERR_NET, "in use");
    assert_null(getenv("LISTEN_PID"));
    c.address = "systemd:http";
    refused(c, ERR_CONFIG, "systemd:http");
}

static void both_families_at_once(void **state)
{
    struct io_listen_conf conf = listen_conf();
    struct sockaddr_in6 a = { .sin6_family = AF_INET6, .sin6_addr = IN6ADDR_LOOPBACK_INIT };
    struct client four, six = { .in = BUF_INIT(10000) };

    (void)state;
    if ((six.fd = socket(AF_INET6, SOCK_STREAM, 0)) < 0)
        skip();
    conf.address = "[::]:0";
    listen_with(conf);
    a.sin6_port = htons((uint16_t)io_listen_port(listening));
    client_open(&four);
    client_say(&four, GET("/a"));
    HEARS(&four, " 127.0.0.1"); /* not ::ffff:127.0.0.1 */
    if (connect(six.fd, (struct sockaddr *)&a, sizeof a) == 0) {
        client_say(&six, GET("/a"));
        HEARS(&six, " ::1");
    }
    client_close(&four);
    client_close(&six);
}

/* In a process of its own, whose descriptor 3 is the socket, as after exec by systemd. */
static int passed_socket(const char *name, const char *names, bool other_pid)
{
    struct io_listen_conf c = listen_conf();
    struct sockaddr_in a = from(1);
    struct client client;
    struct err e;
    char pid[20];
    int fd = socket(AF_INET, SOCK_STREAM, 0), rc = 1;

    if (bind(fd, (struct sockaddr *)&a, sizeof a) != 0 || listen(fd, 5) != 0 || dup2(fd, 4) != 4
        || dup2(2, 3) != 3)
        return 90;
    (void)snprintf(pid, sizeof pid, "%ld", (long)getpid() + other_pid);
    (void)setenv("LISTEN_PID", pid, 1);
    (void)setenv("LISTEN_FDS", "2", 1);
    (void)setenv("LISTEN_FDNAMES", names, 1);
    c.address = name;
    if (io_open(1, &e) != 0)
        return 91;
    for (int i = 0; i < 2; i++) { /* it can be opened again */
        if ((listening = io_listen_open(&c, on_request, &asked, &e)) == NULL) {
            rc = e.cls == ERR_CONFIG ? 2 : 92;
            break;
        }
        client_open(&client);
        client_say(&client, GET("/a"));
        rc = client_hears(&client, "GET /a") ? 0 : 93;
        client_close(&client);
        io_listen_close(listening);
    }
    io_close();
    return rc;
}

static void a_socket_from_the_service_manager(void **state)
{
    static const struct {
        const char *name, *names;
        bool other_pid;
        int rc;
    } cases[] = {
        { "systemd:http", "log:http", false, 0 },
        { "systemd:http", "log:http", true, 2 },   /* not meant for us */
        { "systemd:http", "http:log", false, 2 },  /* 3 is no socket */
        { "systemd:http", "http:http", false, 2 }, /* which one? */
        { "systemd:http", "log:https", false, 2 },
        { "systemd:http", "log", false, 2 },
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        int status = -1;
        pid_t pid = fork();

        if (pid == 0)
            _exit(passed_socket(cases[i].name, cases[i].names, cases[i].other_pid));
        assert_int_equal(waitpid(pid, &status, 0), pid);
        if (!WIFEXITED(status) || WEXITSTATUS(status) != cases[i].rc)
            fail_msg("case %zu: status %x", i, (unsigned)status);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_socket_from_the_service_manager),
        LISTEN_TEST(one_connection_many_requests),
        LISTEN_TEST(when_it_closes),
        LISTEN_TEST(byte_by_byte),
        LISTEN_TEST(a_long_line_and_a_large_body),
        LISTEN_TEST(pipelining),
        LISTEN_TEST(thousands_in_one_packet),
        LISTEN_TEST(what_is_no_request),
        LISTEN_TEST(a_large_answer_to_a_slow_reader),
        LISTEN_TEST(deadlines),
        LISTEN_TEST(many_from_one_address),
        LISTEN_TEST(many_from_everywhere),
        LISTEN_TEST(no_descriptors),
        LISTEN_TEST(gone_before_the_answer),
        LISTEN_TEST(half_closed_clients_get_their_answer),
        LISTEN_TEST(urgent_bytes),
        LISTEN_TEST(closed_with_unanswered_ones),
        LISTEN_TEST(stopping),
        LISTEN_TEST(the_client_behind_a_proxy),
        LISTEN_TEST(what_cannot_be_opened),
        LISTEN_TEST(both_families_at_once),
    };

    return cmocka_run_group_tests_name("agent_io_listen", tests, NULL, NULL);
}
