/* webhook: the bodies, their signature, and that only {"allow": true} allows. */
#include "agent/plugins/webhook.c"
#include "test/unit/plugin_host.h"

static int begin_test(void **state)
{
    (void)state;
    host_new();
    host_set("url", "https://hook.example/validate");
    host_set("notify_url", "https://hook.example/notify");
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
    struct certferry_request r = host_request("secret\"1");

    host_fresh();
    assert_int_equal(host_call(&r, NULL, NULL), CERTFERRY_ASK);
    return r;
}

static void sends(void **state)
{
    struct certferry_request r = asked();

    (void)state;
    assert_string_equal(host.v.ask.method, "POST");
    assert_string_equal(host.v.ask.url, "https://hook.example/validate");
    assert_string_equal(host_header("Content-Type"), "application/json");
    assert_null(host_header("X-Smallstep-Signature"));
    assert_null(host_header("Authorization"));
    assert_string_equal(host_body(),
        "{\"timestamp\":\"2026-01-01T00:00:00.000Z\",\"provisionerName\":\"wifi\","
        "\"x509CertificateRequest\":{\"raw\":\"MAMCAQU=\",\"publicKey\":\"MAMCAQ==\","
        "\"publicKeyAlgorithm\":\"RSA\",\"dnsNames\":[\"a.contoso.example\",\"b.contoso.example\"],"
        "\"emailAddresses\":[\"ada@contoso.example\"],\"ipAddresses\":[\"192.0.2.9\"],"
        "\"uris\":[\"tag:x\"]},\"scepChallenge\":\"secret\\\"1\","
        "\"scepTransactionID\":\"9F3A\\\"0C\"}");
    assert_int_equal(host_answer(&r, NULL, 200, "{\"allow\":true}"), CERTFERRY_ALLOW);
    HOST_FORGETS(struct webhook);
    assert_null(host.v.claims);
    r.challenge = NULL;
    assert_int_equal(host_call(&r, NULL, NULL), CERTFERRY_ASK);
    assert_string_equal(host_sent("scepChallenge"), "");
}

static void only_allow_allows(void **state)
{
    static const char *const bodies[] = { "", "{}", "{\"allow\":false}", "{\"allow\":null}",
        "{\"allow\":1}", "{\"allow\":\"yes\"}", "{\"allow\":{}}", "{\"allow\":[true]}", "true",
        "{\"data\":{\"allow\":true}}", "{\"allow\":true}{\"allow\":true}", "<html>",
        "{\"allow\":true" };
    struct certferry_request r;

    (void)state;
    for (size_t i = 0; i < KIT_COUNT(bodies); i++) {
        r = asked();
        assert_int_equal(host_answer(&r, NULL, 200, bodies[i]), CERTFERRY_DENY);
    }
}

static void statuses(void **state)
{
    static const struct {
        int status;
        enum certferry_answer answer;
    } rows[] = { { 201, CERTFERRY_ALLOW }, { 302, CERTFERRY_DENY }, { 400, CERTFERRY_DENY },
        { 401, CERTFERRY_DENY }, { 403, CERTFERRY_DENY }, { 404, CERTFERRY_DENY },
        { 408, CERTFERRY_LATER }, { 429, CERTFERRY_LATER }, { 500, CERTFERRY_LATER },
        { 502, CERTFERRY_LATER }, { -1, CERTFERRY_LATER } };
    struct certferry_request r;
    struct certferry_reply reply = host_reply(503, "");

    (void)state;
    for (size_t i = 0; i < KIT_COUNT(rows); i++) {
        r = asked();
        assert_int_equal(host_answer(&r, NULL, rows[i].status, "{\"allow\":true}"), rows[i].answer);
    }
    r = asked();
    reply.retry_after_s = 5;
    assert_int_equal(host_call(&r, NULL, &reply), CERTFERRY_LATER);
    assert_int_equal(host.v.later_s, 5);
}

static void claims(void **state)
{
    struct certferry_request r = asked();

    (void)state;
    assert_int_equal(
        host_answer(&r, NULL, 200,
            "{\"allow\":true,\"data\":{\"role\":\"x\",\"claims\":{\"hash\":\"sha256\"}}}"),
        CERTFERRY_ALLOW);
    assert_string_equal(host.v.claims, "{\"hash\":\"sha256\"}");
    r = asked();
    assert_int_equal(
        host_answer(&r, NULL, 200, "{\"allow\":true,\"data\":\"text\"}"), CERTFERRY_ALLOW);
    assert_null(host.v.claims);
    r = asked();
    assert_int_equal(
        host_answer(&r, NULL, 200, "{\"allow\":true,\"data\":{\"claims\":\"x\"}}"), CERTFERRY_DENY);
}

static void tells(void **state)
{
    struct certferry_request r = asked();
    struct certferry_outcome issued = host_outcome(true), failed = host_outcome(false);

    (void)state;
    assert_int_equal(host_call(&r, &issued, NULL), CERTFERRY_ASK);
    assert_string_equal(host.v.ask.url, "https://hook.example/notify");
    assert_string_equal(host_sent("x509Certificate.raw"), "MAMCAQY=");
    assert_string_equal(host_sent("x509CertificateRequest.raw"), "MAMCAQU=");
    assert_string_equal(host_sent("scepChallenge"), "");
    assert_int_equal(host_answer(&r, &issued, 200, "{\"allow\":true}"), CERTFERRY_ALLOW);
    assert_int_equal(host_call(&r, &issued, NULL), CERTFERRY_ASK);
    assert_int_equal(host_answer(&r, &issued, 200, "{\"allow\":false}"), CERTFERRY_DENY);
    assert_int_equal(host_call(&r, &issued, NULL), CERTFERRY_ASK);
    assert_int_equal(host_answer(&r, &issued, 503, ""), CERTFERRY_LATER);
    assert_int_equal(host_call(&r, &failed, NULL), CERTFERRY_ASK);
    assert_string_equal(host_sent("scepErrorCode"), "2148091904");
    assert_string_equal(host_sent("scepErrorDescription"), "The CA refused the template.");
    assert_string_equal(host_sent("x509Certificate"), "");
}

static void signatures(void **state)
{
    struct certferry_request r;
    struct certferry_outcome issued = host_outcome(true);
    char expected[80];

    (void)state;
    host_close();
    host_set_secret("signing", "0123456789abcdef0123456789abcdef");
    host_set_secret("notify_signing", "fedcba98765432100123456789abcdef");
    host_set_secret("bearer", "token-1");
    host_set("webhook_id", "7d3c");
    host_open();
    r = asked();
    host_hmac(NULL,
        (struct certferry_bytes){ (const uint8_t *)"0123456789abcdef0123456789abcdef", 32 },
        host.v.ask.body, expected, sizeof expected);
    assert_string_equal(host_header("X-Smallstep-Signature"), expected);
    assert_string_equal(host_header("X-Smallstep-Webhook-ID"), "7d3c");
    assert_string_equal(host_header("Authorization"), "Bearer token-1");
    assert_int_equal(host_call(&r, &issued, NULL), CERTFERRY_ASK);
    host_hmac(NULL,
        (struct certferry_bytes){ (const uint8_t *)"fedcba98765432100123456789abcdef", 32 },
        host.v.ask.body, expected, sizeof expected);
    assert_string_equal(host_header("X-Smallstep-Signature"), expected);
    assert_null(host_header("X-Smallstep-Webhook-ID"));
}

static void settings(void **state)
{
    struct certferry_request r;
    struct certferry_outcome issued = host_outcome(true);

    (void)state;
    host_close();
    host_new();
    host_refuses("url: is needed");
    host_set("url", "https://hook.example");
    host_set_secret("signing", "!");
    host_refuses("signing: must be base64");
    host_set_secret("signing", "short");
    host_refuses("16 to 128");
    host_set_secret("signing", "0123456789abcdef");
    host_set("notify_webhook_id", "x");
    host_refuses("notify_url: is needed");
    host.settings[1][0] = NULL;
    host_set("token_url", "https://login.example/token");
    host_refuses("goes with token_url");
    host_set("token_scope", "hook");
    host_set_secret("bearer", "x");
    host_refuses("not both");
    host.secrets[1][0] = NULL;
    host_open();
    r = asked();
    assert_string_equal(host.v.ask.token_url, "https://login.example/token");
    assert_int_equal(host_answer(&r, NULL, 401, ""), CERTFERRY_ASK);
    assert_int_equal(host_answer(&r, NULL, 401, ""), CERTFERRY_DENY);
    assert_int_equal(host_call(&r, &issued, NULL), CERTFERRY_ALLOW); /* nobody to tell */
}

static void too_large(void **state)
{
    struct certferry_request r = host_request("x");
    uint8_t *der = calloc(1, 300 << 10);

    (void)state;
    r.pkcs10 = (struct certferry_bytes){ der, 300 << 10 };
    assert_int_equal(host_call(&r, NULL, NULL), CERTFERRY_DENY);
    host_says("too large");
    free(der);
}

int main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, begin_test, end_test)
    const struct CMUnitTest tests[] = { T(sends), T(only_allow_allows), T(statuses), T(claims),
        T(tells), T(signatures), T(settings), T(too_large) };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
