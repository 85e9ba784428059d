/* The EST driver: the requests it describes, byte for byte, and what it makes of the answers. */
#include "test/t.h"
#include "agent/ca/ca.h"
#include "test/unit/agent_ca_driver.h"

static const uint8_t csr[] = { 0x30, 0x03, 0x02, 0x01, 0x05 };
static const char cms[] = "application/pkcs7-mime; smime-type=certs-only";

static int begin(void **state)
{
    static char label[] = "{template}"; /* the default */

    (void)state;
    open_driver(&ca_est, "https://est.contoso.example:8443");
    section.label = label;
    return 0;
}

static struct ca_ask asking(const char *template_name)
{
    return (struct ca_ask){ .id = "req-1",
        .template_name = template_name,
        .csr = view_of(csr, sizeof csr),
        .reference = "same-csr" };
}

static void enroll(void **state)
{
    struct ca_ask ask = asking("ContosoUser");
    struct err e = { 0 };

    (void)state;
    for (int i = 0; i < 3; i++) { /* to collect is to send the same bytes again */
        T_OK((i == 1 ? ca_est.collect : ca_est.submit)(ca, &ask, &q, &e));
        assert_string_equal(q.method, "POST");
        assert_string_equal(
            q.url, "https://est.contoso.example:8443/.well-known/est/ContosoUser/simpleenroll");
        assert_int_equal(q.header_count, 1);
        assert_string_equal(header("Content-Type"), "application/pkcs10");
        assert_int_equal(q.timeout_ms, 77000);
        assert_in_range(q.max_reply, 100000, 1 << 20);
        body_is("MAMCAQU=\n");
    }
}

static void the_label(void **state)
{
    static char label[] = "devices";
    struct ca_ask ask = asking("Wi-Fi User");
    struct err e = { 0 };

    (void)state;
    T_OK(ca_est.submit(ca, &ask, &q, &e));
    assert_string_equal(
        q.url, "https://est.contoso.example:8443/.well-known/est/Wi-Fi%20User/simpleenroll");
    section.label = label;
    T_OK(ca_est.submit(ca, &ask, &q, &e));
    assert_string_equal(
        q.url, "https://est.contoso.example:8443/.well-known/est/devices/simpleenroll");
    section.label = NULL;
    T_OK(ca_est.submit(ca, &ask, &q, &e));
    assert_string_equal(q.url, "https://est.contoso.example:8443/.well-known/est/simpleenroll");
}

static void names_that_would_break_out(void **state)
{
    static const char *const names[] = { "User\r\nX-Admin: yes", "User\n", "a/../b", "..", "a?b=c",
        "a#b", "a%2fb", "a\\b" };
    struct err e;

    (void)state;
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        struct ca_ask ask = asking(names[i]);

        T_ERR(ca_est.submit(ca, &ask, &q, &e), ERR_INPUT);
        T_ERR(ca_est.chain(ca, &ask, &q, &e), ERR_INPUT);
    }
}

static void too_large_a_csr(void **state)
{
    static uint8_t big[100000];
    struct ca_ask ask = asking("ContosoUser");
    struct err e = { 0 };

    (void)state;
    ask.csr = view_of(big, sizeof big);
    T_ERR(ca_est.submit(ca, &ask, &q, &e), ERR_TOO_LARGE);
    ask = asking("ContosoUser");
    T_OK(ca_est.submit(ca, &ask, &q, &e));
    body_is("MAMCAQU=\n");
}

static void chain(void **state)
{
    struct ca_ask ask = asking("ContosoUser");
    struct http_reply r = reply(200, cms, view_text("MAMC\r\nAQU="));
    struct buf out = BUF_INIT(100);
    struct err e = { 0 };

    (void)state;
    T_OK(ca_est.chain(ca, &ask, &q, &e));
    assert_string_equal(q.method, "GET");
    assert_string_equal(
        q.url, "https://est.contoso.example:8443/.well-known/est/ContosoUser/cacerts");
    assert_int_equal(q.body.len, 0);
    assert_int_equal(q.header_count, 0);
    T_OK(ca_est.judge_chain(ca, &r, &out, &e));
    assert_true(view_equal(buf_view(&out), view_of(csr, sizeof csr)));
    r.content_type = "text/html";
    T_ERR(ca_est.judge_chain(ca, &r, &out, &e), ERR_INTERCEPTED);
    r = reply(404, "text/plain", (struct view){ 0 });
    T_ERR(ca_est.judge_chain(ca, &r, &out, &e), ERR_TEMPLATE);
    buf_free(&out);
}

static void issued(void **state)
{
    struct http_reply r = reply(200, cms, view_text("MAMCAQU=\n"));
    struct err e;

    (void)state;
    assert_int_equal(judge(&r, &e), CA_ISSUED);
    assert_true(view_equal(buf_view(&issue_out.certificates), view_of(csr, sizeof csr)));
}

static void pending(void **state)
{
    static const int64_t waits[][2] = { { -1, 60 }, { 1, 5 }, { 300, 300 }, { 90000, 86400 } };
    struct err e;

    (void)state;
    for (size_t i = 0; i < sizeof waits / sizeof waits[0]; i++) {
        struct http_reply r = reply(202, "text/plain", view_text("in the queue"));

        r.retry_after_s = waits[i][0];
        assert_int_equal(judge(&r, &e), CA_PENDING);
        assert_int_equal(issue_out.wait_s, waits[i][1]);
        assert_true(issue_out.reference[0] != '\0'); /* what makes the job collect, not submit */
        assert_int_equal(issue_out.certificates.len, 0);
    }
}

static const struct {
    int status;
    const char *type, *body;
    enum err_class cls;
    const char *says;
} failures[] = {
    { 200, "text/html", "<html>Welcome</html>", ERR_INTERCEPTED, "portal or proxy" },
    { 200, "application/pkcs7-mime", "<html>Welcome</html>", ERR_PROTO, "" },
    { 200, "application/pkcs7-mime", "", ERR_PROTO, "" },
    { 204, "application/pkcs7-mime", "", ERR_PROTO, "HTTP 204" },
    { 302, "text/html", "", ERR_CONFIG, "redirected" },
    { 400, "text/plain", "policy says no\nmore", ERR_DENIED, "HTTP 400: policy says no" },
    { 401, "text/plain", "who?", ERR_AUTH, "HTTP 401" },
    { 403, "text/plain", "not you", ERR_FORBIDDEN, "not you" },
    { 404, "text/html", "<h1>Not found</h1>", ERR_TEMPLATE, "label or operation" },
    { 409, "text/plain", "twice", ERR_DENIED, "twice" },
    { 422, "text/plain", "tls-unique missing", ERR_UNSUPPORTED, "proof of possession" },
    { 413, "text/plain", "", ERR_TOO_LARGE, "" },
    { 429, "text/plain", "", ERR_BUSY, "" },
    { 500, "text/plain", "oops", ERR_NET, "" },
    { 503, "text/plain", "", ERR_BUSY, "" },
};

static void refused(void **state)
{
    struct err e;

    (void)state;
    for (size_t i = 0; i < sizeof failures / sizeof failures[0]; i++) {
        struct http_reply r =
            reply(failures[i].status, failures[i].type, view_text(failures[i].body));
        enum ca_answer got = judge(&r, &e);

        if (got != CA_ERROR || e.cls != failures[i].cls || strstr(e.msg, failures[i].says) == NULL)
            fail_msg("HTTP %d: answer %d, %s \"%s\"", failures[i].status, (int)got, err_name(e.cls),
                e.msg);
        assert_int_equal(issue_out.certificates.len, 0);
        assert_string_equal(issue_out.reference, "");
    }
}

#define TEST(fn) cmocka_unit_test_setup_teardown(fn, begin, close_driver)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(enroll),
        TEST(the_label),
        TEST(names_that_would_break_out),
        TEST(too_large_a_csr),
        TEST(chain),
        TEST(issued),
        TEST(pending),
        TEST(refused),
    };

    return cmocka_run_group_tests_name("agent_ca_est", tests, NULL, NULL);
}
