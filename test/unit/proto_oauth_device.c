/* Device codes: forms, every member of the answer, every answer to a poll. */
#include "test/t.h"
#include "proto/oauth_device.h"
#include "proto/oauth_error.h"

enum { ROOM = 1 << 16, NOW = 1760000000 };

#define ENDPOINT "https://login.example/t/token"

static struct err e;
static struct lib *lib;
static const struct oauth_client person = { .id = "certferry-sign-in" };

/* RFC 8628 3.2's own example. */
static const char rfc[] =
    "{\"device_code\":\"GmRhmhcxhwAzkoEqiMEg_DnyEysNkuNhszIySk9eS\",\"user_code\":\"WDJB-MJHT\","
    "\"verification_uri\":\"https://example.com/device\",\"verification_uri_complete\":"
    "\"https://example.com/device?user_code=WDJB-MJHT\",\"expires_in\":1800,\"interval\":5}";
static const char entra[] =
    "{\"user_code\":\"HJKL23XYZ\",\"device_code\":\"HAQABAAEAAAD\",\"verification_uri\":"
    "\"https://microsoft.com/"
    "devicelogin\",\"expires_in\":\"900\",\"interval\":\"7\",\"message\":\"To sign "
    "in,\\u001b[31m use a web browser.\"}";

static struct oauth_device parsed(const char *body)
{
    struct oauth_device d = OAUTH_DEVICE_INIT;

    T_OK(oauth_device_parse(200, view_text(body), &d, &e));
    return d;
}

/* ---- the code ---- */

static void forms(void **state)
{
    struct buf out = BUF_SECRET(ROOM);
    struct oauth_device d = parsed(rfc);
    struct oauth_client nobody = { .id = "" };
    struct oauth_client basic = { .id = "a", .secret = view_text("s"), .basic = true };

    (void)state;
    T_OK(oauth_device_form(lib, &person, ENDPOINT, "ccp.enroll", NOW, &out, &e));
    assert_string_equal(buf_text(&out), "client_id=certferry-sign-in&scope=ccp.enroll");
    buf_reset(&out);
    T_OK(oauth_device_poll_form(lib, &person, ENDPOINT, &d, NOW, &out, &e));
    assert_string_equal(buf_text(&out),
        "grant_type=urn%3Aietf%3Aparams%3Aoauth%3Agrant-type%3Adevice_code&device_code="
        "GmRhmhcxhwAzkoEqiMEg_DnyEysNkuNhszIySk9eS&client_id=certferry-sign-in");
    buf_reset(&out);
    T_OK(oauth_device_form(lib, &basic, ENDPOINT, "x", NOW, &out, &e));
    assert_string_equal(buf_text(&out), "scope=x");
    buf_reset(&out);
    T_ERR(oauth_device_form(lib, &nobody, ENDPOINT, "x", NOW, &out, &e), ERR_CONFIG);
    T_ERR(oauth_device_poll_form(lib, &nobody, ENDPOINT, &d, NOW, &out, &e), ERR_CONFIG);
    assert_int_equal(out.len, 0);
    oauth_device_free(&d);
    T_ERR_SAYS(oauth_device_poll_form(lib, &person, ENDPOINT, &d, NOW, &out, &e), ERR_CONFIG,
        "used already");
    buf_free(&out);
}

static void codes(void **state)
{
    struct oauth_device d = parsed(rfc);

    (void)state;
    assert_string_equal(buf_text(&d.code), "GmRhmhcxhwAzkoEqiMEg_DnyEysNkuNhszIySk9eS");
    assert_true(d.code.secret);
    assert_string_equal(d.user_code, "WDJB-MJHT");
    assert_string_equal(d.url, "https://example.com/device");
    assert_string_equal(d.url_complete, "https://example.com/device?user_code=WDJB-MJHT");
    assert_string_equal(d.message, "");
    assert_int_equal(d.expires_in_s, 1800);
    assert_int_equal(d.interval_s, 5);
    oauth_device_free(&d);
    d = parsed(entra);
    assert_string_equal(d.url_complete, "");
    assert_string_equal(d.message, "To sign in,?[31m use a web browser.");
    assert_int_equal(d.expires_in_s, 900);
    assert_int_equal(d.interval_s, 7);
    oauth_device_free(&d);
}

#define SHORT                                                                      \
    "{\"device_code\":\"c\",\"user_code\":\"u\",\"verification_uri\":\"https://h/" \
    "d\",\"expires_in\":9"

static void intervals(void **state)
{
    static const struct {
        const char *body;
        int64_t interval_s;
    } rows[] = {
        /* RFC 8628 3.2: "If no value is provided, clients MUST use 5 as the default." */
        { SHORT "}", 5 },
        { SHORT ",\"interval\":null}", 5 },
        { SHORT ",\"interval\":1}", 1 },
        { SHORT ",\"interval\":0}", 1 },
        { SHORT ",\"interval\":99999999999}", OAUTH_INTERVAL_MAX_S },
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct oauth_device d = parsed(rows[i].body);

        assert_int_equal(d.interval_s, rows[i].interval_s);
        oauth_device_free(&d);
    }
}

static void no_codes(void **state)
{
    static const struct {
        int status;
        const char *body;
        enum err_class cls;
        const char *says;
    } rows[] = {
        { 200, "{}", ERR_PROTO, "device_code: missing" },
        { 200, "{\"device_code\":\"\"}", ERR_PROTO, "device_code: empty" },
        { 200, "{\"device_code\":\"a b\"}", ERR_PROTO, "device_code: only visible" },
        { 200, "{\"device_code\":\"c\"}", ERR_PROTO, "user_code: missing" },
        { 200, "{\"device_code\":\"c\",\"user_code\":\"\\u001b[2J\"}", ERR_PROTO,
            "user_code: only" },
        { 200, "{\"device_code\":\"c\",\"user_code\":\"u\",\"expires_in\":9}", ERR_PROTO,
            "verification_uri: missing" },
        { 200,
            "{\"device_code\":\"c\",\"user_code\":\"u\",\"verification_uri\":\"http://h/\","
            "\"expires_in\":9}",
            ERR_PROTO, "verification_uri: URL: it must begin with https" },
        { 200, SHORT ",\"verification_uri_complete\":\"javascript:x\"}", ERR_PROTO,
            "verification_uri_complete" },
        { 200, SHORT ",\"interval\":-1}", ERR_PROTO, "interval" },
        { 200, SHORT ",\"interval\":\"x\"}", ERR_PROTO, "interval" },
        { 200,
            "{\"device_code\":\"c\",\"user_code\":\"u\",\"verification_uri\":\"https://h/\","
            "\"expires_in\":0}",
            ERR_PROTO, "expires_in: missing or 0" },
        { 200, "[]", ERR_INTERCEPTED, "device endpoint" },
        { 200, "<html>", ERR_INTERCEPTED, "device endpoint" },
        { 404, "", ERR_CONFIG, "is this the device endpoint?" },
        { 401, "{\"error\":\"invalid_client\"}", ERR_AUTH, "invalid_client" },
        { 400, "{\"error\":\"unauthorized_client\"}", ERR_FORBIDDEN, "unauthorized_client" },
        { 503, "", ERR_BUSY, "device endpoint" },
    };
    struct oauth_device d = OAUTH_DEVICE_INIT;

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        T_ERR_SAYS(oauth_device_parse(rows[i].status, view_text(rows[i].body), &d, &e), rows[i].cls,
            rows[i].says);
        assert_null(d.code.p);
        assert_int_equal(d.expires_in_s, 0);
    }
}

/* ---- the answer ---- */

static void not_yet(void **state)
{
    struct oauth_device d = parsed(rfc);
    struct oauth_token t = { 0 };

    (void)state;
    assert_int_equal(
        oauth_device_answer(&d, 400, view_text("{\"error\":\"authorization_pending\"}"), &t, &e),
        0);
    assert_int_equal(d.interval_s, 5);
    /* RFC 8628 3.5: "the interval MUST be increased by 5 seconds for this and all subsequent requests." */
    for (int64_t want = 10; want <= 20; want += 5) {
        assert_int_equal(
            oauth_device_answer(&d, 400, view_text("{\"error\":\"slow_down\"}"), &t, &e), 0);
        assert_int_equal(d.interval_s, want);
    }
    assert_int_equal(oauth_device_answer(&d, 400,
                         view_text("{\"error\":\"authorization_pending\",\"error_description\":"
                                   "\"AADSTS70016: OAuth 2.0 device flow error.\"}"),
                         &t, &e),
        0);
    assert_int_equal(d.interval_s, 20);
    oauth_device_slower(&d);
    assert_int_equal(d.interval_s, 40);
    for (int i = 0; i < 10; i++)
        oauth_device_slower(&d);
    assert_int_equal(d.interval_s, OAUTH_INTERVAL_MAX_S);
    assert_null(t.access.p);
    assert_true(d.code.len > 0);
    oauth_device_free(&d);
}

static void granted(void **state)
{
    struct oauth_device d = parsed(rfc);
    struct oauth_token t = { 0 };

    (void)state;
    assert_int_equal(
        oauth_device_answer(&d, 200,
            view_text("{\"token_type\":\"Bearer\",\"access_token\":\"at\",\"expires_in\":60,"
                      "\"refresh_token\":\"rt\",\"id_token\":\"id\"}"),
            &t, &e),
        1);
    assert_string_equal(buf_text(&t.access), "at");
    assert_int_equal(t.expires_in_s, 60);
    assert_int_equal(d.code.len, 0); /* so that nobody polls again */
    buf_free(&t.access);
    oauth_device_free(&d);
}

static void refused(void **state)
{
    static const struct {
        int status;
        const char *body;
        enum err_class cls;
        enum oauth_reason reason;
    } rows[] = {
        { 400, "{\"error\":\"access_denied\"}", ERR_DENIED, OAUTH_DECLINED },
        { 400, "{\"error\":\"authorization_declined\"}", ERR_DENIED, OAUTH_DECLINED },
        { 400, "{\"error\":\"expired_token\"}", ERR_EXPIRED, OAUTH_CODE_EXPIRED },
        { 400, "{\"error\":\"bad_verification_code\"}", ERR_AUTH, OAUTH_CODE_UNKNOWN },
        { 400, "{\"error\":\"invalid_grant\"}", ERR_AUTH, OAUTH_GRANT },
        { 400,
            "{\"error\":\"invalid_grant\",\"error_description\":\"AADSTS53003: Access has been "
            "blocked "
            "by Conditional Access policies.\"}",
            ERR_FORBIDDEN, OAUTH_CONDITIONAL },
        { 401,
            "{\"error\":\"invalid_client\",\"error_description\":\"AADSTS7000218: The request body "
            "must "
            "contain the following parameter: client_assertion or client_secret.\"}",
            ERR_FORBIDDEN, OAUTH_PUBLIC_CLIENT },
        { 429, "{\"error\":\"slow_down\"}", ERR_BUSY, OAUTH_SLOW_DOWN },
        { 500, "{\"error\":\"server_error\"}", ERR_NET, OAUTH_THROTTLED },
        { 400, "{\"error\":\"temporarily_unavailable\"}", ERR_BUSY, OAUTH_THROTTLED },
        { 407, "{\"error\":\"authorization_pending\"}", ERR_PROXY, OAUTH_PENDING },
        { 302, "{\"error\":\"authorization_pending\"}", ERR_CONFIG, OAUTH_PENDING },
        { 200, "<html>", ERR_INTERCEPTED, OAUTH_NO_REASON },
        { 200, "{}", ERR_PROTO, OAUTH_NO_REASON },
    };
    struct oauth_device d = parsed(rfc);
    struct oauth_token t = { 0 };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct oauth_error why;

        T_ERR(
            oauth_device_answer(&d, rows[i].status, view_text(rows[i].body), &t, &e), rows[i].cls);
        assert_int_equal(
            oauth_error_read(view_text(rows[i].body), &why), rows[i].reason != OAUTH_NO_REASON);
        assert_int_equal(why.reason, rows[i].reason);
        assert_int_equal(d.interval_s, 5);
        assert_null(t.access.p);
    }
    oauth_device_free(&d);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(forms),
        cmocka_unit_test(codes),
        cmocka_unit_test(intervals),
        cmocka_unit_test(no_codes),
        cmocka_unit_test(not_yet),
        cmocka_unit_test(granted),
        cmocka_unit_test(refused),
    };
    int failed;

    if ((lib = lib_new(&e)) == NULL)
        return 1;
    failed = cmocka_run_group_tests(tests, NULL, NULL);
    lib_free(lib);
    return failed;
}
