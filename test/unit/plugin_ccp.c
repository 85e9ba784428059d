/* ccp: what is sent to the cloud, what its answers mean, and that claims go on or refuse. */
#include "agent/plugins/ccp.c"
#include "test/unit/plugin_host.h"

static const char success[] = "{\"code\":\"Success\"}";

static int begin_test(void **state)
{
    (void)state;
    host_new();
    host_set("url", "https://cloud.example/ccp/");
    host_set("token_url", "https://login.example/token");
    host_set("token_scope", "ccp");
    host_open();
    return 0;
}
static int end_test(void **state)
{
    (void)state;
    host_close();
    return 0;
}

static struct certferry_request asked(void)
{
    struct certferry_request r = host_request("blob");

    host_fresh();
    assert_int_equal(host_call(&r, NULL, NULL), CERTFERRY_ASK);
    return r;
}

static void validates(void **state)
{
    struct certferry_request r = asked();

    (void)state;
    assert_string_equal(host.v.ask.method, "POST");
    assert_string_equal(host.v.ask.url, "https://cloud.example/ccp/scep/validateRequest");
    assert_string_equal(host.v.ask.token_url, "https://login.example/token");
    assert_string_equal(host.v.ask.token_scope, "ccp");
    assert_string_equal(host_sent("request.certificateRequest"), "MAMCAQU=");
    assert_string_equal(host_sent("request.transactionId"), "9F3A\"0C");
    assert_int_equal(host_answer(&r, NULL, 200, success), CERTFERRY_ALLOW);
    HOST_FORGETS(struct ccp);
    assert_null(host.v.claims);
}

static void claims(void **state)
{
    static const char *const bad[] = { "\"x\"", "[]", "true", "1", "\"\"" };
    struct certferry_request r = asked();
    char body[200], *large = calloc(1, ANSWER + 100);

    (void)state;
    assert_int_equal(
        host_answer(&r, NULL, 200, "{\"code\":\"Success\",\"claims\":{\"subject\":\"CN=Ada\"}}"),
        CERTFERRY_ALLOW);
    assert_string_equal(host.v.claims, "{\"subject\":\"CN=Ada\"}");
    asked();
    assert_int_equal(
        host_answer(&r, NULL, 200, "{\"code\":\"Success\",\"claims\":null}"), CERTFERRY_ALLOW);
    assert_null(host.v.claims);
    for (size_t i = 0; i < KIT_COUNT(bad); i++) {
        (void)snprintf(body, sizeof body, "{\"code\":\"Success\",\"claims\":%s}", bad[i]);
        asked();
        assert_int_equal(host_answer(&r, NULL, 200, body), CERTFERRY_DENY);
        host_says("claims");
    }
    /* What does not fit is refused as a whole; what fits is not lost, however it is written. */
    (void)snprintf(large, ANSWER, "{\"code\":\"Success\",\"claims\":{\"subject\":\"");
    memset(large + strlen(large), '/', ANSWER - strlen(large) - 4);
    memcpy(large + strlen(large), "\"}}", 4);
    asked();
    assert_int_equal(host_answer(&r, NULL, 200, large), CERTFERRY_ALLOW);
    assert_true(strlen(host.v.claims) > strlen(large)); /* "\\/" for every "/" */
    memcpy(large + strlen(large), " ", 2);
    asked();
    assert_int_equal(host_answer(&r, NULL, 200, large), CERTFERRY_DENY);
    free(large);
}

static void statuses(void **state)
{
    static const struct {
        int status;
        enum certferry_answer answer;
        bool reported;
    } rows[] = { { 400, CERTFERRY_DENY, false }, { 204, CERTFERRY_DENY, false },
        { 403, CERTFERRY_LATER, true }, { 404, CERTFERRY_LATER, false },
        { 302, CERTFERRY_LATER, false }, { 429, CERTFERRY_LATER, false },
        { 500, CERTFERRY_LATER, false }, { -1, CERTFERRY_LATER, false } };
    struct certferry_request r;

    (void)state;
    for (size_t i = 0; i < KIT_COUNT(rows); i++) {
        end_test(NULL);
        begin_test(NULL);
        r = asked();
        assert_int_equal(host_answer(&r, NULL, rows[i].status, success), rows[i].answer);
        assert_int_equal(
            host.p->serving(host.self, host.why, sizeof host.why) != 0, rows[i].reported);
    }
    r = asked();
    assert_int_equal(
        host_answer(&r, NULL, 200, "{\"code\":\"KeyLengthMismatch\"}"), CERTFERRY_DENY);
    assert_int_equal(host.v.fail, CERTFERRY_BAD_ALG);
    r = asked();
    assert_int_equal(host_answer(&r, NULL, 200, "{}"), CERTFERRY_DENY);
}

static void new_token_once(void **state)
{
    struct certferry_request r = asked();

    (void)state;
    assert_int_equal(host_answer(&r, NULL, 401, ""), CERTFERRY_ASK);
    assert_int_equal(host_answer(&r, NULL, 401, ""), CERTFERRY_LATER);
    assert_int_equal(host.p->serving(host.self, host.why, sizeof host.why), -1);
    r = asked();
    assert_int_equal(host_answer(&r, NULL, 401, ""), CERTFERRY_ASK);
    assert_int_equal(host_answer(&r, NULL, 200, success), CERTFERRY_ALLOW);
    assert_int_equal(host.p->serving(host.self, host.why, sizeof host.why), 0);
}

static void tells(void **state)
{
    struct certferry_request r = asked();
    struct certferry_outcome issued = host_outcome(true), failed = host_outcome(false);

    (void)state;
    assert_int_equal(host_call(&r, &issued, NULL), CERTFERRY_ASK);
    assert_string_equal(host.v.ask.url, "https://cloud.example/ccp/scep/successNotification");
    assert_string_equal(host_sent("notification.certificateThumbprint"), "5B1ED2");
    assert_int_equal(host_answer(&r, &issued, 200, success), CERTFERRY_ALLOW);
    assert_int_equal(host_call(&r, &issued, NULL), CERTFERRY_ASK);
    assert_int_equal(host_answer(&r, &issued, 200, "{\"code\":\"Unknown\"}"), CERTFERRY_DENY);
    assert_int_equal(host_call(&r, &issued, NULL), CERTFERRY_ASK);
    assert_int_equal(host_answer(&r, &issued, 200, "{}"), CERTFERRY_LATER);
    assert_int_equal(host_call(&r, &failed, NULL), CERTFERRY_ASK);
    assert_string_equal(host.v.ask.url, "https://cloud.example/ccp/scep/failureNotification");
    assert_string_equal(host_sent("notification.hResult"), "2148091904");
    assert_int_equal(host_answer(&r, &failed, 200, success), CERTFERRY_ALLOW);
}

static void settings(void **state)
{
    struct certferry_request r;

    (void)state;
    host_close();
    host_new();
    host_refuses("url: is needed");
    host_set("url", "https://");
    host_refuses("url: must be https");
    host_set("url", "https://cloud.example/a b");
    host_refuses("url: must be https");
    host_set("url", "https://cloud.example");
    host_set("token_scope", "x");
    host_refuses("goes with token_url");
    host.settings[1][0] = NULL;
    host_set("token_url", "https://login.example");
    host_refuses("goes with token_url");
    host.settings[1][0] = NULL;
    host_open();
    r = asked();
    assert_null(host.v.ask.token_url);
    assert_null(host.v.ask.token_scope);
    assert_int_equal(host_answer(&r, NULL, 401, ""), CERTFERRY_LATER);
}

int main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, begin_test, end_test)
    const struct CMUnitTest tests[] = { T(validates), T(claims), T(statuses), T(new_token_once),
        T(tells), T(settings) };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
