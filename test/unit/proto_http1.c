/* Requests as a server reads them: whole, byte by byte, one behind the other, and all that is refused. */
#include "test/t.h"
#include "certs/buf.h"
#include "certs/mem.h"
#include "proto/http1.h"

enum { BODY_MAX = 1000 };

static const struct http1_limits limits = { .body_max = BODY_MAX };

static void note(struct buf *log, const struct http1_request *r)
{
    buf_printf(log, "[%s %.*s", r->method, (int)r->path.len, (const char *)r->path.p);
    if (r->query.len != 0)
        buf_printf(log, " ? %.*s", (int)r->query.len, (const char *)r->query.p);
    if (r->authorization[0] != '\0')
        buf_printf(log, " auth=%s", r->authorization);
    if (r->forwarded_for[0] != '\0')
        buf_printf(log, " for=%s", r->forwarded_for);
    if (r->user_agent[0] != '\0')
        buf_printf(log, " ua=%s", r->user_agent);
    if (r->body.len != 0)
        buf_printf(log, " body=%.*s", (int)r->body.len, (const char *)r->body.p);
    buf_printf(log, "%s%s]", r->keep_alive ? " keep" : "", r->http10 ? " 1.0" : "");
}

/* Everything that comes out of these bytes when they come `piece` by piece. */
static void talk(struct view in, size_t piece, struct buf *log)
{
    struct http1 *h = http1_new(&limits);
    struct http1_request r;
    int status = 0;

    for (size_t at = 0; at < in.len; at += piece) {
        struct view part = view_of(in.p + at, in.len - at < piece ? in.len - at : piece);
        enum http1_state s = http1_read(h, part, &r, &status);

        for (; s == HTTP1_REQUEST; s = http1_read(h, (struct view){ 0 }, &r, &status))
            note(log, &r);
        if (s == HTTP1_CONTINUE)
            buf_add_text(log, "(100)");
        if (s == HTTP1_BAD) {
            buf_printf(log, "<%d>", status);
            break;
        }
    }
    if (http1_idle(h))
        buf_add_text(log, ".");
    http1_free(h);
}

static void says(struct view in, const char *want)
{
    static const size_t pieces[] = { 1 << 20, 1, 2, 7 };

    for (size_t i = 0; i < sizeof pieces / sizeof pieces[0]; i++) {
        struct buf log = BUF_INIT(1 << 20);

        talk(in, pieces[i], &log);
        if (strcmp(buf_text(&log), want) != 0)
            fail_msg("%.*s in pieces of %zu: %.200s, not %.200s",
                (int)(in.len < 200 ? in.len : 200), (const char *)in.p, pieces[i], buf_text(&log),
                want);
        buf_free(&log);
    }
}

struct row {
    const char *in, *out;
};

static void rows(const struct row *r, size_t count)
{
    for (size_t i = 0; i < count; i++)
        says(view_text(r[i].in), r[i].out);
}

#define ROWS(t) rows(t, sizeof(t) / sizeof(t)[0])

static void good(void **state)
{
    static const struct row table[] = {
        { "GET /scep?operation=GetCACaps HTTP/1.1\r\nHost: a\r\n\r\n",
            "[GET /scep ? operation=GetCACaps keep]." },
        { "GET /scep HTTP/1.1\r\n\r\n", "[GET /scep keep]." }, /* strongSwan has no Host */
        { "GET /s HTTP/1.0\r\nUser-Agent: Cisco PKI\r\n\r\n", "[GET /s ua=Cisco PKI 1.0]." },
        { "GET /s HTTP/1.0\r\nConnection: keep-alive\r\n\r\n", "[GET /s keep 1.0]." },
        { "GET /s HTTP/1.1\r\nConnection: close\r\n\r\n", "[GET /s]." },
        { "\r\n\r\nGET /s HTTP/1.1\r\n\r\n", "[GET /s keep]." },
        { "GET http://h:80/a/b?x=1 HTTP/1.1\r\nHost: h\r\n\r\n", "[GET /a/b ? x=1 keep]." },
        { "GET http://h?x HTTP/1.1\r\nHost: h\r\n\r\n", "[GET / ? x keep]." },
        { "GET /??operation=x?y HTTP/1.1\r\n\r\n", "[GET / ? ?operation=x?y keep]." },
        { "GET /a?u=http://x/ HTTP/1.1\r\n\r\n", "[GET /a ? u=http://x/ keep]." },
        { "GET /a? HTTP/1.1\r\n\r\n", "[GET /a keep]." },
        { "HEAD /a HTTP/1.1\r\n\r\n", "[HEAD /a keep]." },
        { "OPTIONS * HTTP/1.1\r\n\r\n", "[OPTIONS * keep]." },
        { "POST /a HTTP/1.1\r\nContent-Length: 5\r\n\r\nhelloGET /b HTTP/1.1\r\n\r\n",
            "[POST /a body=hello keep][GET /b keep]." },
        { "POST /a HTTP/1.1\r\nContent-Length:0\r\n\r\n", "[POST /a keep]." },
        { "POST /a HTTP/1.1\r\n\r\nGET /b HTTP/1.1\r\n\r\n", "[POST /a keep][GET /b keep]." },
        { "POST /a HTTP/1.1\r\nTransfer-Encoding: Chunked\r\n\r\n5\r\nhello\r\nA\r\n0123456789\r\n"
          "0\r\n\r\nGET /b HTTP/1.1\r\n\r\n",
            "[POST /a body=hello0123456789 keep][GET /b keep]." },
        { "GET /a HTTP/1.1\r\nAuthorization:  Basic YTpi \t\r\n\r\n",
            "[GET /a auth=Basic YTpi keep]." },
        { "GET /a HTTP/1.1\r\nX-Forwarded-For: 1.2.3.4\r\nx-forwarded-for: ::1, b\r\n\r\n",
            "[GET /a for=1.2.3.4, ::1, b keep]." },
        { "GET /a HTTP/1.1\r\nUpgrade: h2c\r\nConnection: Upgrade\r\n\r\nGET /b HTTP/1.1\r\n\r\n",
            "[GET /a keep][GET /b keep]." },
        { "GET /a HTTP/1.1\r\nX: \r\nY:z\r\n\r\n", "[GET /a keep]." },
        { "GET /a HTTP/1.1\r\nX: caf\xc3\xa9\r\n\r\n", "[GET /a keep]." },
        { "", "." },
        { "GET /a HTTP/1.1\r\n\r", "" }, /* more to come */
        { "POST /a HTTP/1.1\r\nContent-Length: 5\r\n\r\nhell", "" },
        { "POST /a HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n", "" },
        { "GET /a HTTP/1.1\r\n\r\nG", "[GET /a keep]" },
    };

    (void)state;
    ROWS(table);
}

static void refused(void **state)
{
    static const struct row table[] = {
        /* two readers could see different lengths */
        { "POST / HTTP/1.1\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n", "<400>" },
        { "POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\nContent-Length: 5\r\n\r\n", "<400>" },
        { "POST / HTTP/1.1\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\n", "<400>" },
        { "POST / HTTP/1.1\r\nContent-Length: 5, 6\r\n\r\n", "<400>" },
        { "POST / HTTP/1.1\r\nContent-Length: +5\r\n\r\n", "<400>" },
        { "POST / HTTP/1.1\r\nContent-Length: 0x5\r\n\r\n", "<400>" },
        { "POST / HTTP/1.1\r\nContent-Length: -1\r\n\r\n", "<400>" },
        { "POST / HTTP/1.1\r\nContent-Length: 5 5\r\n\r\n", "<400>" },
        { "POST / HTTP/1.1\r\nContent-Length: 99999999999999999999\r\n\r\n", "<400>" },
        { "POST / HTTP/1.1\r\nContent-Length : 5\r\n\r\n", "<400>" },
        { "POST / HTTP/1.1\r\nTransfer-Encoding: chunked, identity\r\n\r\n", "<400>" },
        { "POST / HTTP/1.1\r\nTransfer-Encoding: gzip, chunked\r\n\r\n", "<501>" },
        { "POST / HTTP/1.1\r\nTransfer-Encoding: identity\r\n\r\n", "<501>" },
        { "POST / HTTP/1.1\r\nTransfer-Encoding: xchunked\r\n\r\n", "<501>" },
        { "POST / HTTP/1.1\r\nTransfer-Encoding:\r\n\r\n", "<400>" },
        { "POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n",
            "<400>" },
        { "POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n", "<400>" },
        /* lines */
        { "GET / HTTP/1.1\nHost: a\r\n\r\n", "<400>" },
        { "GET / HTTP/1.1\r\nHost: a\n\r\n", "<400>" },
        { "GET / HTTP/1.1\r\nHost: a\r\n\n", "<400>" },
        { "GET / HTTP/1.1\r\nHost: a\rX: b\r\n\r\n", "<400>" },
        { "GET / HTTP/1.1\r\nX: a\r\n b\r\n\r\n", "<400>" },
        { "GET / HTTP/1.1\r\nX: a\r\n\tb\r\n\r\n", "<400>" },
        { "GET / HTTP/1.1\r\n X: a\r\n\r\n", "<400>" },
        { "GET / HTTP/1.1\r\nno colon\r\n\r\n", "<400>" },
        { "GET / HTTP/1.1\r\n: empty\r\n\r\n", "<400>" },
        { "GET / HTTP/1.1\r\nX\x01: a\r\n\r\n", "<400>" },
        { "GET / HTTP/1.1\r\nX: a\x7f\r\n\r\n", "<400>" },
        { "\r\n\r\n\r\n\r\n\r\nGET / HTTP/1.1\r\n\r\n", "<400>" },
        { "\nGET / HTTP/1.1\r\n\r\n", "<400>" },
        { " GET / HTTP/1.1\r\n\r\n", "<400>" },
        { "\x16\x03\x01\x02", "<400>" }, /* TLS */
        /* the request line */
        { "GET /\r\n\r\n", "<400>" },
        { "GET / HTTP/0.9\r\n\r\n", "<505>" },
        { "GET / HTTP/1.2\r\n\r\n", "<505>" },
        { "GET / HTTP/2.0\r\n\r\n", "<505>" },
        { "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", "<505>" },
        { "GET / RTSP/1.0\r\n\r\n", "<400>" },
        { "GET  / HTTP/1.1\r\n\r\n", "<400>" },
        { "GET /  HTTP/1.1\r\n\r\n", "<400>" },
        { "GET / HTTP/1.1 \r\n\r\n", "<400>" },
        { "GET /a b HTTP/1.1\r\n\r\n", "<400>" },
        { "GET\t/ HTTP/1.1\r\n\r\n", "<400>" },
        { "GET /\x01 HTTP/1.1\r\n\r\n", "<400>" },
        { "BREW / HTTP/1.1\r\n\r\n", "<501>" },
        { "CONNECT a:1 HTTP/1.1\r\n\r\n", "<501>" },
        { "ABCDEFGHIJKLMNOPQRSTUVWXYZABCDEFGHIJ / HTTP/1.1\r\n\r\n", "<400>" },
        /* said twice */
        { "GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n", "<400>" },
        { "GET / HTTP/1.1\r\nAuthorization: a\r\nAuthorization: b\r\n\r\n", "<400>" },
        /* chunks */
        { "POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n5;a=b\r\nhello\r\n0\r\n\r\n",
            "<400>" },
        { "POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n5;\nhello\r\n0\r\n\r\n", "<400>" },
        { "POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n5\nhello\r\n0\r\n\r\n", "<400>" },
        { "POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n5 \r\nhello\r\n0\r\n\r\n",
            "<400>" },
        { "POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello!\r\n0\r\n\r\n",
            "<400>" },
        { "POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello0\r\n\r\n", "<400>" },
        { "POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n0\r\nX: y\r\n\r\n", "<400>" },
        { "POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\n", "<400>" },
        { "POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n0\n\r\n", "<400>" },
        { "POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n0x5\r\n", "<400>" },
        { "POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n\r\n", "<400>" },
        { "POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\nfffffffffffffffff\r\n", "<400>" },
        { "POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n3e9\r\n", "<413>" },
        { "POST / HTTP/1.1\r\nContent-Length: 1001\r\n\r\n", "<413>" },
        { "POST / HTTP/1.1\r\nContent-Length: 1001\r\nExpect: 100-continue\r\n\r\n", "<413>" },
        /* one that is good in front */
        { "GET /a HTTP/1.1\r\n\r\nGET / HTTP/3.0\r\n\r\n", "[GET /a keep]<505>" },
    };
    static const char nul[] = "GET / HTTP/1.1\r\nX: a\0b\r\n\r\n";
    static const char nul_name[] = "GET / HTTP/1.1\r\nX\0: b\r\n\r\n";
    static const char nul_line[] = "GET /\0 HTTP/1.1\r\n\r\n";

    (void)state;
    ROWS(table);
    says(view_of(nul, sizeof nul - 1), "<400>");
    says(view_of(nul_name, sizeof nul_name - 1), "<400>");
    says(view_of(nul_line, sizeof nul_line - 1), "<400>");
}

/* A run of one character between two texts. */
static void long_one(const char *front, size_t count, const char *behind, const char *want)
{
    struct buf in = BUF_INIT(1 << 20), log = BUF_INIT(1 << 20);
    size_t pieces[] = { 1 << 20, 1, 4096 };

    buf_add_text(&in, front);
    for (size_t i = 0; i < count; i++)
        buf_add_byte(&in, 'a');
    buf_add_text(&in, behind);
    for (size_t i = 0; i < 3; i++) {
        buf_reset(&log);
        talk(buf_view(&in), pieces[i], &log);
        if (strncmp(buf_text(&log), want, strlen(want)) != 0)
            fail_msg("%s, %zu characters: %.60s", front, count, buf_text(&log));
    }
    buf_free(&in);
    buf_free(&log);
}

static void lengths(void **state)
{
    (void)state;
    long_one("GET /?message=", 65536, " HTTP/1.1\r\n\r\n", "[GET / ? message=aaaa");
    long_one("GET /", HTTP1_TARGET_MAX - 1, " HTTP/1.1\r\n\r\n", "[GET /aaaa");
    long_one("GET /", HTTP1_TARGET_MAX, " HTTP/1.1\r\n\r\n", "<414>");
    long_one("GET /", 400000, " HTTP/1.1\r\n\r\n", "<414>");
    long_one("GET / HTTP/1.1\r\nX: ", HTTP1_HEADERS_MAX - 7, "\r\n\r\n", "[GET / keep]");
    long_one("GET / HTTP/1.1\r\nX: ", HTTP1_HEADERS_MAX - 6, "\r\n\r\n", "<431>");
    long_one("GET / HTTP/1.1\r\n", 400000, "", "<431>");
    long_one("GET / HTTP/1.1\r\nX-Forwarded-For: ", 32000, "\r\n\r\n", "[GET / for=aaa");
    long_one("POST / HTTP/1.1\r\nContent-Length: 1000\r\n\r\n", 1000, "", "[POST / body=aaa");
    long_one("POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n3e8\r\n", 1000, "\r\n0\r\n\r\n",
        "[POST / body=aaa");
    long_one(
        "POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n3e8\r\n", 1000, "\r\n1\r\n", "<413>");
}

/* A length written with zeros without end is no body without end. */
static void zeros(void **state)
{
    struct buf in = BUF_INIT(1 << 20);

    (void)state;
    buf_add_text(&in, "POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n");
    for (size_t i = 0; i < 100000; i++)
        buf_add_byte(&in, '0');
    says(buf_view(&in), "<413>");
    buf_free(&in);
}

static void expecting(void **state)
{
    static const char head[] =
        "POST / HTTP/1.1\r\nExpect: 100-Continue\r\nContent-Length: 2\r\n\r\n";
    struct buf log = BUF_INIT(1000);

    (void)state;
    for (size_t piece = 1; piece <= sizeof head - 1; piece += sizeof head - 2) {
        buf_reset(&log);
        talk(view_text(head), piece, &log);
        assert_string_equal(buf_text(&log), "(100)");
    }
    buf_reset(&log);
    talk(view_text("POST / HTTP/1.1\r\nExpect: 100-continue\r\nContent-Length: 2\r\n\r\nok"), 1000,
        &log);
    assert_string_equal(buf_text(&log), "[POST / body=ok keep].");
    buf_reset(&log);
    talk(view_text("GET / HTTP/1.1\r\nExpect: 100-continue\r\n\r\n"), 1000, &log);
    assert_string_equal(buf_text(&log), "[GET / keep].");
    buf_reset(&log);
    talk(view_text("POST / HTTP/1.0\r\nExpect: 100-continue\r\nContent-Length: 2\r\n\r\n"), 1000,
        &log);
    assert_string_equal(buf_text(&log), "");
    buf_free(&log);
}

/* Once refused, a connection says nothing else any more. */
static void dead(void **state)
{
    struct http1 *h = http1_new(&limits);
    struct http1_request r;
    int status = 0;

    (void)state;
    assert_int_equal(http1_read(h, view_text("GET / HTTP/3.0\r\n\r\n"), &r, &status), HTTP1_BAD);
    status = 0;
    assert_int_equal(http1_read(h, view_text("GET / HTTP/1.1\r\n\r\n"), &r, &status), HTTP1_BAD);
    assert_int_equal(status, 505);
    assert_int_equal(http1_read(h, (struct view){ 0 }, &r, &status), HTTP1_BAD);
    assert_false(http1_idle(h));
    http1_free(h);
    http1_free(NULL);
}

/* Bytes of a second request, handed in while the first is not yet answered, are not lost. */
static void ahead(void **state)
{
    struct http1 *h = http1_new(&limits);
    struct http1_request r;
    int status = 0;

    (void)state;
    assert_int_equal(
        http1_read(h, view_text("GET /a HTTP/1.1\r\n\r\nGET /b HT"), &r, &status), HTTP1_REQUEST);
    assert_false(http1_idle(h));
    assert_int_equal(
        http1_read(h, view_text("TP/1.1\r\n\r\nGET /c HTTP/1.1\r\n\r\nG"), &r, &status),
        HTTP1_REQUEST);
    assert_true(view_equal(r.path, view_text("/b")));
    assert_int_equal(
        http1_read(h, view_text("ET /d HTTP/1.1\r\n\r\n"), &r, &status), HTTP1_REQUEST);
    assert_true(view_equal(r.path, view_text("/c")));
    assert_int_equal(http1_read(h, (struct view){ 0 }, &r, &status), HTTP1_REQUEST);
    assert_true(view_equal(r.path, view_text("/d")));
    assert_true(http1_idle(h));
    assert_int_equal(http1_read(h, (struct view){ 0 }, &r, &status), HTTP1_MORE);
    assert_true(http1_idle(h));
    http1_free(h);
}

static void no_memory(void **state)
{
    static const char in[] = "POST /a HTTP/1.1\r\nX-Forwarded-For: 1\r\nUser-Agent: u\r\n"
                             "Authorization: x\r\nContent-Length: 2\r\n\r\nokGET";
    unsigned long n = 0, needed;

    (void)state;
    do {
        struct http1 *h = http1_new(&limits);
        struct http1_request r;
        int status = 0;
        enum http1_state s;

        mem_fail_after(++n);
        s = http1_read(h, view_text(in), &r, &status);
        needed = mem_count();
        mem_fail_after(0);
        if (n <= needed) {
            assert_int_equal(s, HTTP1_BAD);
            assert_int_equal(status, 503);
        } else {
            assert_int_equal(s, HTTP1_REQUEST);
        }
        http1_free(h);
    } while (n <= needed);
    assert_true(n > 5);
}

/* The same while something is kept from before. */
static void no_memory_ahead(void **state)
{
    unsigned long n = 0, needed;

    (void)state;
    do {
        struct http1 *h = http1_new(&limits);
        struct http1_request r;
        int status = 0;
        enum http1_state s;

        assert_int_equal(http1_read(h, view_text("GET /a HTTP/1.1\r\n\r\nGET /b HTTP/1.1\r\n\r\nG"),
                             &r, &status),
            HTTP1_REQUEST);
        assert_int_equal(http1_read(h, (struct view){ 0 }, &r, &status), HTTP1_REQUEST);
        mem_fail_after(++n);
        s = http1_read(h, view_text("ET /c HTTP/1.1\r\n\r\nGET"), &r, &status);
        needed = mem_count();
        mem_fail_after(0);
        assert_int_equal(s, n <= needed ? HTTP1_BAD : HTTP1_REQUEST);
        if (s == HTTP1_BAD)
            assert_int_equal(status, 503);
        http1_free(h);
    } while (n <= needed);
    assert_true(n > 2);
}

/* More is sent ahead than anybody needs to: no memory without end. */
static void too_far_ahead(void **state)
{
    struct http1 *h = http1_new(&limits);
    struct buf in = BUF_INIT(1 << 20);
    struct http1_request r;
    int status = 0;

    (void)state;
    while (in.len < 200000)
        buf_add_text(&in, "GET /a HTTP/1.1\r\n\r\n");
    assert_int_equal(http1_read(h, buf_view(&in), &r, &status), HTTP1_BAD);
    assert_int_equal(status, 413);
    buf_free(&in);
    http1_free(h);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(good),
        cmocka_unit_test(refused),
        cmocka_unit_test(lengths),
        cmocka_unit_test(zeros),
        cmocka_unit_test(expecting),
        cmocka_unit_test(dead),
        cmocka_unit_test(ahead),
        cmocka_unit_test(no_memory),
        cmocka_unit_test(no_memory_ahead),
        cmocka_unit_test(too_far_ahead),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
