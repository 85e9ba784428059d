/* What an answer means; Retry-After and dates; forms, headers, URLs. */
#include "test/t.h"
#include "proto/http.h"

static struct http_reply reply(int status, const char *type, const char *body)
{
    return (struct http_reply){ .status = status,
        .body = view_text(body),
        .content_type = type,
        .location = "",
        .authenticate = "",
        .retry_after_s = -1 };
}

static const char *const json[] = { "application/json", NULL };

static void statuses(void **state)
{
    static const struct {
        int status;
        enum err_class cls;
    } rows[] = {
        { 301, ERR_CONFIG },
        { 302, ERR_CONFIG },
        { 303, ERR_CONFIG },
        { 307, ERR_CONFIG },
        { 308, ERR_CONFIG },
        { 304, ERR_CONFIG },
        { 400, ERR_INPUT },
        { 401, ERR_AUTH },
        { 403, ERR_FORBIDDEN },
        { 404, ERR_GONE },
        { 405, ERR_INPUT },
        { 407, ERR_PROXY },
        { 408, ERR_NET },
        { 409, ERR_CONFLICT },
        { 410, ERR_GONE },
        { 413, ERR_TOO_LARGE },
        { 414, ERR_TOO_LARGE },
        { 415, ERR_INPUT },
        { 422, ERR_INPUT },
        { 429, ERR_BUSY },
        { 431, ERR_TOO_LARGE },
        { 499, ERR_INPUT },
        { 500, ERR_NET },
        { 502, ERR_NET },
        { 503, ERR_BUSY },
        { 504, ERR_NET },
        { 599, ERR_NET },
        { 0, ERR_PROTO },
        { 100, ERR_PROTO },
        { 199, ERR_PROTO },
        { 600, ERR_PROTO },
        { 999, ERR_PROTO },
    };
    struct err e = { 0 };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct http_reply r = reply(rows[i].status, "application/json", "{}");

        e = (struct err){ 0 };
        assert_int_equal(http_judge(&r, json, &e), -1);
        if (e.cls != rows[i].cls || e.number != (uint32_t)rows[i].status)
            fail_msg("HTTP %d: %s, number %u", rows[i].status, err_name(e.cls), e.number);
    }
}

static void types(void **state)
{
    struct http_reply r = reply(200, "Application/JSON; charset=utf-8", "{}");
    struct err e = { 0 };

    (void)state;
    T_OK(http_judge(&r, json, &e));
    r = reply(200, "text/html", "<html>");
    T_ERR_SAYS(
        http_judge(&r, json, &e), ERR_INTERCEPTED, "type \"text/html\", not \"application/json\"");
    assert_int_equal(e.number, 200);
    T_OK(http_judge(&r, NULL, &e));
    r = reply(200, "", "<html>");
    T_ERR(http_judge(&r, json, &e), ERR_INTERCEPTED);
    r.content_type = NULL;
    T_ERR(http_judge(&r, json, &e), ERR_INTERCEPTED);
    r = reply(204, "text/html", "");
    T_OK(http_judge(&r, json, &e));
    assert_true(http_type_is("text/html", "text/html"));
    assert_true(http_type_is(" TEXT/html ;x=y", "text/html"));
    assert_false(http_type_is("text/html2", "text/html"));
    assert_false(http_type_is("text/htm", "text/html"));
    assert_false(http_type_is("", "text/html"));
}

static void redirects(void **state)
{
    static const struct {
        const char *location, *says;
    } rows[] = {
        { "https://evil.example/certsrv/?x=1", "redirected to evil.example;" },
        { "http://169.254.169.254/latest", "redirected to 169.254.169.254;" },
        { "https://user:secret@evil.example:8443/x", "redirected to evil.example:8443;" },
        { "//evil.example/x", "redirected to evil.example;" },
        { "/login", "within the server" },
        { "login?next=https://a.example/", "within the server" },
        { "", "within the server" },
        { "https://a\r\nb\x1b[31m.example/", "redirected to a??b?[31m.example;" },
    };
    struct err e = { 0 };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct http_reply r = reply(302, "text/html", "moved");

        r.location = rows[i].location;
        T_ERR_SAYS(http_judge(&r, json, &e), ERR_CONFIG, rows[i].says);
        assert_null(strstr(e.msg, "secret"));
    }
}

static void authentication(void **state)
{
    struct http_reply r = reply(401, "text/html", "no");
    struct err e = { 0 };

    (void)state;
    r.authenticate = "Negotiate, NTLM";
    T_ERR_SAYS(http_judge(&r, json, &e), ERR_AUTH, "the server offers Negotiate, NTLM");
    r.authenticate = NULL;
    T_ERR_SAYS(http_judge(&r, json, &e), ERR_AUTH, "HTTP 401: our credentials were refused");
}

static void dates(void **state)
{
    static const char *const good[] = { "Sun, 06 Nov 1994 08:49:37 GMT",
        "Sunday, 06-Nov-94 08:49:37 GMT", "Sun Nov  6 08:49:37 1994" };
    static const char *const bad[] = { "", "06 Nov 1994 08:49:37 GMT",
        "Sun, 6 Nov 1994 08:49:37 GMT", "Sun, 06 Nov 1994 08:49:37 UTC",
        "Sun, 06 Nov 1994 08:49:37 GMT ", "Sun, 31 Feb 1994 08:49:37 GMT",
        "Sun, 06 Nov 1994 24:49:37 GMT", "Sun, 06 Noe 1994 08:49:37 GMT",
        "Xyz, 06 Nov 1994 08:49:37 GMT", "Sunday, 06 Nov 1994 08:49:37 GMT",
        "Sun, 06-Nov-94 08:49:37 GMT", "Sun Nov 6 08:49:37 1994", "Sun Nov  6 08:49:37 1994 GMT",
        "Sunday Nov  6 08:49:37 1994", "Sun, 06 Nov 1069 08:49:37 GMT", "1994-11-06T08:49:37Z",
        "3600" };

    (void)state;
    for (size_t i = 0; i < sizeof good / sizeof good[0]; i++)
        assert_int_equal(http_date(good[i]), 784111777);
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        if (http_date(bad[i]) != 0)
            fail_msg("\"%s\" was taken", bad[i]);
    assert_int_equal(http_date(NULL), 0);
    assert_int_equal(http_date("Thursday, 01-Jan-70 00:00:01 GMT"), 1);
    assert_int_equal(http_date("Saturday, 01-Jan-00 00:00:00 GMT"), 946684800);
    assert_int_equal(http_date("Sat Jan 15 12:00:00 2000"), 947937600);
}

static void retry_after(void **state)
{
    const char *later = "Sun, 06 Nov 1994 08:50:37 GMT"; /* a minute behind 784111777 */

    (void)state;
    assert_int_equal(http_retry_after("30", 0, 0), 30);
    assert_int_equal(http_retry_after("0", 0, 0), 1);
    assert_int_equal(http_retry_after("3600", 0, 0), 3600);
    assert_int_equal(http_retry_after("3601", 0, 0), 3600);
    assert_int_equal(http_retry_after("99999999999999999999999999", 0, 0), 3600);
    assert_int_equal(http_retry_after(later, 784111777, 0), 60);
    assert_int_equal(http_retry_after(later, 0, 784111777), 60);
    /* the server's clock is the measure, even when ours says otherwise */
    assert_int_equal(http_retry_after(later, 784111777, 784111777 + 86400), 60);
    assert_int_equal(http_retry_after(later, 784111777 + 3600, 0), 1);
    assert_int_equal(http_retry_after("Fri, 31 Dec 9999 23:59:59 GMT", 784111777, 0), 3600);
    assert_int_equal(http_retry_after("-5", 0, 0), -1);
    assert_int_equal(http_retry_after("+5", 0, 0), -1);
    assert_int_equal(http_retry_after("5.5", 0, 0), -1);
    assert_int_equal(http_retry_after("5 s", 0, 0), -1);
    assert_int_equal(http_retry_after("soon", 0, 0), -1);
    assert_int_equal(http_retry_after("", 0, 0), -1);
    assert_int_equal(http_retry_after(NULL, 0, 0), -1);
}

static void forms(void **state)
{
    struct buf out = BUF_INIT(1000);

    (void)state;
    http_add_form(&out, "Mode", view_text("newreq"));
    http_add_form(&out, "a b", view_text("1+2/3=\r\n&\xc3\xa9~-._"));
    http_add_form(&out, "empty", view_text(""));
    assert_string_equal(buf_text(&out), "Mode=newreq&a%20b=1%2B2%2F3%3D%0D%0A%26%C3%A9~-._&empty=");
    buf_free(&out);
}

static void headers(void **state)
{
    (void)state;
    assert_true(http_header_ok(""));
    assert_true(http_header_ok("Basic dXNlcjpwYXNz\tx"));
    assert_true(http_header_ok("Gr\xc3\xbc\xc3\x9f"
                               "e"));
    assert_false(http_header_ok("a\r\nX-Evil: 1"));
    assert_false(http_header_ok("a\nb"));
    assert_false(http_header_ok("a\x7f"));
    assert_false(http_header_ok("\x1b[0m"));
    assert_false(http_header_ok(NULL));
}

static void urls(void **state)
{
    static const char *const good[] = { "https://ca.contoso.example", "https://ca.contoso.example/",
        "HTTPS://ca:8443/certsrv/", "https://127.0.0.1:1/x?y=z", "https://[::1]:65535/ccp",
        "https://[2001:db8::1]", "https://ca_1.example/a%20b" };
    static const struct {
        const char *url, *says;
    } bad[] = {
        { "http://ca.example/", "must begin with https://" },
        { "ca.example", "must begin with https://" },
        { "", "must begin with https://" },
        { "file:///etc/passwd", "must begin with https://" },
        { "https://", "names no host" },
        { "https:///path", "names no host" },
        { "https://:443/", "names no host" },
        { "https://user@ca.example/", "user name or password" },
        { "https://user:pw@ca.example/", "user name or password" },
        { "https://ca.example/#top", "fragment" },
        { "https://ca.example/a b", "character 21 (0x20)" },
        { "https://ca.example/\n", "character 20 (0x0a)" },
        { "https://c\xc3\xa4.example/", "(0xc3)" },
        { "https://ca.example\\@evil.example/", "(0x5c)" },
        { "https://ca.example:0/", "is not host or host:port" },
        { "https://ca.example:65536/", "is not host or host:port" },
        { "https://ca.example:44a/", "is not host or host:port" },
        { "https://ca.example:/", "is not host or host:port" },
        { "https://ca.example:123456/", "is not host or host:port" },
        { "https://ca%2eexample/", "is not host or host:port" },
        { "https://[::1/", "names no host" },
        { "https://[::1]x/", "is not host or host:port" },
        { "https://[]/", "names no host" },
    };
    char longer[3000];
    struct err e = { 0 };

    (void)state;
    for (size_t i = 0; i < sizeof good / sizeof good[0]; i++)
        T_OK(http_url_ok(good[i], &e));
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        T_ERR_SAYS(http_url_ok(bad[i].url, &e), ERR_INPUT, bad[i].says);
    T_ERR(http_url_ok(NULL, &e), ERR_INPUT);
    memset(longer, 'a', sizeof longer);
    memcpy(longer, "https://", 8);
    longer[sizeof longer - 1] = '\0';
    T_ERR_SAYS(http_url_ok(longer, &e), ERR_INPUT, "longer than 2048");
}

static void joining(void **state)
{
    static const char *const rows[][3] = {
        { "https://a/ccp", "requests/download", "https://a/ccp/requests/download" },
        { "https://a/ccp/", "requests/download", "https://a/ccp/requests/download" },
        { "https://a//", "/x", "https://a/x" },
        { "https://a", "", "https://a/" },
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct buf out = BUF_INIT(100);

        http_url_join(&out, rows[i][0], rows[i][1]);
        assert_string_equal(buf_text(&out), rows[i][2]);
        buf_free(&out);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(statuses),
        cmocka_unit_test(types),
        cmocka_unit_test(redirects),
        cmocka_unit_test(authentication),
        cmocka_unit_test(dates),
        cmocka_unit_test(retry_after),
        cmocka_unit_test(forms),
        cmocka_unit_test(headers),
        cmocka_unit_test(urls),
        cmocka_unit_test(joining),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
