/* EST: addresses, the body every server takes, and what the answers mean. */
#include "test/t.h"
#include "certs/text.h"
#include "proto/est.h"

static struct http_reply reply(int status, const char *type, const char *body)
{
    return (struct http_reply){ .status = status,
        .body = view_text(body),
        .content_type = type,
        .location = "",
        .authenticate = "",
        .retry_after_s = -1 };
}

static const char cms_type[] = "application/pkcs7-mime";

static void urls(void **state)
{
    static const char *const good[][4] = {
        { "https://ca.example", NULL, "cacerts", "https://ca.example/.well-known/est/cacerts" },
        { "https://ca.example/", "", "cacerts", "https://ca.example/.well-known/est/cacerts" },
        { "https://ca.example:8443", "ContosoUser", "simpleenroll",
            "https://ca.example:8443/.well-known/est/ContosoUser/simpleenroll" },
        { "https://[::1]:8443/", "Wi-Fi_1.2~x", "simpleenroll",
            "https://[::1]:8443/.well-known/est/Wi-Fi_1.2~x/simpleenroll" },
        { "https://ca.example", "a b+\xc3\xa9", "simpleenroll",
            "https://ca.example/.well-known/est/a%20b%2B%C3%A9/simpleenroll" },
    };
    static const struct {
        const char *base, *label, *says;
    } bad[] = {
        { "http://ca.example", "x", "must begin with https://" },
        { "https://ca.example/est", "x", "has a path" },
        { "https://ca.example/.well-known/est", "x", "has a path" },
        { "https://ca.example?x", "x", "has a path" },
        { "https://ca.example", "a/b", "character 2 is not allowed" },
        { "https://ca.example", "a?b", "character 2 is not allowed" },
        { "https://ca.example", "a#b", "character 2 is not allowed" },
        { "https://ca.example", "a%2fb", "character 2 is not allowed" },
        { "https://ca.example", "a\\b", "character 2 is not allowed" },
        { "https://ca.example", "a\r\nX: y", "character 2 is not allowed" },
        { "https://ca.example", "\x7f", "character 1 is not allowed" },
        { "https://ca.example", "..", "is not a name" },
        { "https://ca.example", ".", "is not a name" },
    };
    char longer[300];
    struct buf out = BUF_INIT(1000);
    struct err e = { 0 };

    (void)state;
    for (size_t i = 0; i < sizeof good / sizeof good[0]; i++) {
        buf_reset(&out);
        T_OK(est_url(good[i][0], good[i][1], good[i][2], &out, &e));
        assert_string_equal(buf_text(&out), good[i][3]);
    }
    buf_reset(&out);
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        T_ERR_SAYS(est_url(bad[i].base, bad[i].label, "cacerts", &out, &e), ERR_INPUT, bad[i].says);
        assert_int_equal(out.len, 0);
    }
    memset(longer, 'x', sizeof longer);
    longer[sizeof longer - 1] = '\0';
    T_ERR_SAYS(
        est_url("https://ca.example", longer, "cacerts", &out, &e), ERR_INPUT, "at most 255");
    buf_free(&out);
}

/* 64 columns and a final newline: one server answers 400 to anything else. */
static void body(void **state)
{
    uint8_t csr[100];
    struct buf out = BUF_INIT(1000), back = BUF_INIT(1000);
    struct err e = { 0 };
    size_t line = 0;

    (void)state;
    memset(csr, 0x5a, sizeof csr);
    est_body(view_of(csr, sizeof csr), &out);
    assert_int_equal(out.len, 136 + 3);
    assert_int_equal(out.p[out.len - 1], '\n');
    for (size_t i = 0; i < out.len; i++) {
        line = out.p[i] == '\n' ? 0 : line + 1;
        assert_true(line <= 64 && out.p[i] != '\r');
    }
    T_OK(base64_parse_loose(buf_view(&out), &back, &e));
    assert_true(view_equal(buf_view(&back), view_of(csr, sizeof csr)));
    buf_free(&out);
    buf_free(&back);
}

/* The same message as different servers wrap it. */
static void issued(void **state)
{
    static const struct {
        const char *text;
        size_t len;
    } bodies[] = {
        { "MAMCAQU=", 8 },
        { "MAMC\r\nAQU=\r\n", 12 },
        { "MAMC\nAQU=\n\0", 11 }, /* a NUL that the length counts */
        { " MA MC\tAQ U=", 12 },
        { "MAMCAQU", 7 },
    };
    static const char *const types[] = { "application/pkcs7-mime; smime-type=certs-only",
        "application/pkcs7-mime", "Application/X-PKCS7-MIME" };
    struct err e = { 0 };

    (void)state;
    for (size_t i = 0; i < sizeof bodies / sizeof bodies[0]; i++) {
        struct http_reply r = reply(200, types[i % 3], "");
        struct buf cms = BUF_INIT(100);
        enum est_outcome outcome = 0;
        int64_t wait_s = 0;

        r.body = view_of(bodies[i].text, bodies[i].len);
        buf_add_text(&cms, "before");
        T_OK(est_enroll_judge(&r, &outcome, &cms, &wait_s, &e));
        assert_int_equal(outcome, EST_ISSUED);
        assert_true(view_equal(buf_view(&cms), view_of("before\x30\x03\x02\x01\x05", 11)));
        buf_reset(&cms);
        T_OK(est_cacerts_judge(&r, &cms, &e));
        assert_int_equal(cms.len, 5);
        buf_free(&cms);
    }
}

static void pending(void **state)
{
    static const int64_t rows[][2] = { { -1, 60 }, { 0, 5 }, { 1, 5 }, { 5, 5 }, { 600, 600 },
        { 3600, 3600 }, { 86400, 86400 }, { 86401, 86400 } };
    struct err e = { 0 };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct http_reply r = reply(202, "text/plain", i % 2 != 0 ? "come back later" : "");
        struct buf cms = BUF_INIT(100);
        enum est_outcome outcome = 0;
        int64_t wait_s = 0;

        r.retry_after_s = rows[i][0];
        T_OK(est_enroll_judge(&r, &outcome, &cms, &wait_s, &e));
        assert_int_equal(outcome, EST_PENDING);
        assert_int_equal(wait_s, rows[i][1]);
        assert_int_equal(cms.len, 0);
        r.content_type = cms_type;
        T_ERR_SAYS(
            est_cacerts_judge(&r, &cms, &e), ERR_PROTO, "HTTP 202 is no answer to this request");
        buf_free(&cms);
    }
}

static void refused(void **state)
{
    static const struct {
        int status;
        const char *body;
        enum err_class cls;
        const char *says;
    } rows[] = {
        { 400, "Invalid or corrupted pkcs10 request.\n", ERR_DENIED,
            "HTTP 400: Invalid or corrupted pkcs10 request." },
        { 400, "", ERR_DENIED, "HTTP 400" },
        { 401, "Proof of Possession Mismatch", ERR_UNSUPPORTED, "tls-unique proof of possession" },
        { 400, "missing tls-unique value", ERR_UNSUPPORTED, "tls-unique proof of possession" },
        { 401, "who are you", ERR_AUTH, "credentials were refused" },
        { 403, "triggered forbidden response", ERR_FORBIDDEN, "triggered forbidden response" },
        { 404, "The path specified is not recognized.", ERR_TEMPLATE, "does not know this label" },
        { 409, "already", ERR_DENIED, "already" },
        { 410, "", ERR_GONE, "gone" },
        { 413, "", ERR_TOO_LARGE, "too large" },
        { 415, "", ERR_DENIED, "HTTP 415" },
        { 422, "bad\x1b[31m name\r\nsecond line", ERR_DENIED, "HTTP 422: bad?[31m name" },
        { 422, "<html><title>No</title></html>", ERR_DENIED, "does not take the request" },
        { 429, "slow down", ERR_BUSY, "too many requests" },
        { 500, "An error has occurred during enrollment.", ERR_NET, "HTTP 500" },
        { 503, "", ERR_BUSY, "HTTP 503" },
        { 302, "", ERR_CONFIG, "never followed" },
        { 204, "", ERR_PROTO, "HTTP 204 is no answer" },
    };
    struct err e = { 0 };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct http_reply r = reply(rows[i].status, "text/plain", rows[i].body);
        struct buf cms = BUF_INIT(100);
        enum est_outcome outcome = 0;
        int64_t wait_s = 0;

        T_ERR_SAYS(est_enroll_judge(&r, &outcome, &cms, &wait_s, &e), rows[i].cls, rows[i].says);
        if (rows[i].status >= 300)
            assert_int_equal(e.number, rows[i].status);
        assert_null(strstr(e.msg, "second line"));
        assert_int_equal(cms.len, 0);
        assert_int_equal(outcome, 0);
        buf_free(&cms);
    }
}

static void not_a_message(void **state)
{
    static const char *const bodies[] = { "",
        "-----BEGIN PKCS7-----\nMAMCAQU=\n-----END PKCS7-----\n", "AAAA", "<html>", "MAMC=AQU",
        "M" };
    struct http_reply r = reply(200, "text/html", "<html>sign in</html>");
    struct buf cms = BUF_INIT(3);
    struct err e = { 0 };

    (void)state;
    T_ERR(est_cacerts_judge(&r, &cms, &e), ERR_INTERCEPTED);
    for (size_t i = 0; i < sizeof bodies / sizeof bodies[0]; i++) {
        r = reply(200, cms_type, bodies[i]);
        T_ERR(est_cacerts_judge(&r, &cms, &e), ERR_PROTO);
        assert_int_equal(cms.len, 0);
    }
    r = reply(200, cms_type, "MAMCAQU=");
    T_ERR(est_cacerts_judge(&r, &cms, &e), ERR_TOO_LARGE);
    buf_free(&cms);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(urls),
        cmocka_unit_test(body),
        cmocka_unit_test(issued),
        cmocka_unit_test(pending),
        cmocka_unit_test(refused),
        cmocka_unit_test(not_a_message),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
