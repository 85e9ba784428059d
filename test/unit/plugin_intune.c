/* intune: what is sent, and what every code and status means. */
#include "test/unit/plugin_intune.h"

static void discovers_and_validates(void **state)
{
    struct certferry_request r = host_request("blob");

    (void)state;
    assert_int_equal(host_call(&r, NULL, NULL), CERTFERRY_ASK);
    assert_string_equal(host.v.ask.method, "GET");
    assert_string_equal(host.v.ask.url, "https://graph.microsoft.com/v1.0/servicePrincipals/"
                                        "appId=0000000a-0000-0000-c000-000000000000/endpoints");
    assert_string_equal(host.v.ask.token_url,
        "https://login.microsoftonline.com/contoso.example/oauth2/v2.0/token");
    assert_string_equal(host.v.ask.token_scope, "https://graph.microsoft.com/.default");
    assert_string_equal(host_header("client-request-id"), "00000000-0000-4000-8000-000000000001");

    assert_int_equal(host_answer(&r, NULL, 200, list_one), CERTFERRY_ASK);
    assert_string_equal(host.v.ask.method, "POST");
    assert_string_equal(
        host.v.ask.url, "https://fef.example/RACerts/S/ScepActions/validateRequest");
    assert_string_equal(host.v.ask.token_scope, "https://api.manage.microsoft.com//.default");
    assert_string_equal(host_header("client-request-id"), "00000000-0000-4000-8000-000000000002");
    assert_string_equal(host_header("api-version"), "2018-02-20");
    assert_string_equal(host_header("Content-Type"), "application/json; charset=utf-8");
    assert_string_equal(host_header("UserAgent"), "certferry/" KIT_VERSION);
    assert_string_equal(host_body(),
        "{\"request\":{\"transactionId\":\"9F3A\\\"0C\",\"certificateRequest\":\"MAMCAQU=\","
        "\"callerInfo\":\"certferry\\/" KIT_VERSION "\"}}");
    assert_int_equal(host_answer(&r, NULL, 200, success), CERTFERRY_ALLOW);
    HOST_FORGETS(struct intune);
    assert_null(host.v.claims);

    /* The address is kept a day. */
    host_fresh();
    assert_int_equal(host_call(&r, NULL, NULL), CERTFERRY_ASK);
    assert_string_equal(host.v.ask.method, "POST");
    host.now += 86400;
    host_fresh();
    assert_int_equal(host_call(&r, NULL, NULL), CERTFERRY_ASK);
    assert_string_equal(host.v.ask.method, "GET");
}

static void no_challenge(void **state)
{
    struct certferry_request r = host_request(NULL);

    (void)state;
    assert_int_equal(host_call(&r, NULL, NULL), CERTFERRY_DENY);
    assert_int_equal(host.v.hresult, 0x80096004);
    r.challenge = "";
    assert_int_equal(host_call(&r, NULL, NULL), CERTFERRY_DENY);
}

static void every_code(void **state)
{
    static const struct {
        const char *code;
        enum certferry_fail fail;
    } rows[] = { { "Unknown", 2 }, { "CertificateRequestDecodingFailed", 1 },
        { "ChallengePasswordMissing", 2 }, { "ChallengeDeserializationError", 2 },
        { "ChallengeDecryptionError", 2 }, { "ChallengeDecodingError", 2 },
        { "ChallengeInvalidTimestamp", 3 }, { "ChallengeExpired", 3 }, { "SubjectNameMissing", 2 },
        { "SubjectNameMismatch", 2 }, { "SubjectAltNameMissing", 2 },
        { "SubjectAltNameMismatch", 2 }, { "KeyUsageMismatch", 2 }, { "KeyLengthMismatch", 0 },
        { "EnhancedKeyUsageMissing", 2 }, { "EnhancedKeyUsageMismatch", 2 },
        { "AadKeyIdentifierListMissing", 2 }, { "RegisteredKeyMismatch", 2 },
        { "SigningCertThumbprintMismatch", 2 }, { "ScepProfileNoLongerTargetedToTheClient", 2 },
        { "SignatureValidationFailed", 1 }, { "BadCertificateRequestIdInChallenge", 2 },
        { "BadDeviceIdInChallenge", 2 }, { "BadUserIdInChallenge", 2 }, { "SomethingNew", 2 },
        { "success", 2 }, { "Success ", 2 } };
    char body[300];

    (void)state;
    for (size_t i = 0; i < KIT_COUNT(rows); i++) {
        struct certferry_request r = asked();

        (void)snprintf(
            body, sizeof body, "{\"Code\":\"%s\",\"errorDescription\":\"a\\r\\nb\"}", rows[i].code);
        assert_int_equal(host_answer(&r, NULL, 200, body), CERTFERRY_DENY);
        assert_int_equal(host.v.fail, rows[i].fail);
        assert_true(host.v.hresult >= 0x80000000);
        host_says(rows[i].code);
        host_says(": a  b");
    }
}

/* What is no answer of the service never allows. */
static void garbage(void **state)
{
    static const char *const bodies[] = { "", "<html>", "{}", "{\"code\":null}", "{\"code\":\"\"}",
        "[\"Success\"]", "\"Success\"", "{\"code\":\"Success\"} {\"code\":\"Success\"}",
        "{\"code\":{\"code\":\"Success\"}}", "{\"code\":\"Success\"" };
    char *large = calloc(1, 300 << 10);
    struct certferry_request r;
    struct certferry_reply reply;

    (void)state;
    for (size_t i = 0; i < KIT_COUNT(bodies); i++) {
        r = asked();
        assert_int_equal(host_answer(&r, NULL, 200, bodies[i]), CERTFERRY_DENY);
    }
    r = asked();
    memset(large, ' ', (300 << 10) - 1);
    memcpy(large, success, strlen(success));
    assert_int_equal(host_answer(&r, NULL, 200, large), CERTFERRY_DENY);
    free(large);
    r = asked();
    reply = host_reply(200, success);
    reply.body = (struct certferry_bytes){ (const uint8_t *)"{\"code\":\"Success\"}\0x", 20 };
    assert_int_equal(host_call(&r, NULL, &reply), CERTFERRY_DENY);
    for (int status = 201; status < 300; status++) {
        r = asked();
        assert_int_equal(host_answer(&r, NULL, status, success), CERTFERRY_DENY);
    }
}

static void statuses(void **state)
{
    static const struct {
        int status;
        enum certferry_answer answer;
    } rows[] = { { 400, CERTFERRY_DENY }, { 405, CERTFERRY_DENY }, { 413, CERTFERRY_DENY },
        { 408, CERTFERRY_LATER }, { 429, CERTFERRY_LATER }, { 500, CERTFERRY_LATER },
        { 503, CERTFERRY_LATER }, { 599, CERTFERRY_LATER }, { 403, CERTFERRY_LATER },
        { 0, CERTFERRY_DENY }, { 100, CERTFERRY_DENY } };

    (void)state;
    for (size_t i = 0; i < KIT_COUNT(rows); i++) {
        struct certferry_request r = asked();

        assert_int_equal(host_answer(&r, NULL, rows[i].status, success), rows[i].answer);
    }
}

static void tells_success(void **state)
{
    struct certferry_request r = asked();
    struct certferry_outcome o = host_outcome(true);

    (void)state;
    assert_int_equal(host_answer(&r, NULL, 200, success), CERTFERRY_ALLOW);
    assert_int_equal(host_call(&r, &o, NULL), CERTFERRY_ASK);
    assert_string_equal(
        host.v.ask.url, "https://fef.example/RACerts/S/ScepActions/successNotification");
    assert_string_equal(host_sent("notification.transactionId"), "9F3A\"0C");
    assert_string_equal(host_sent("notification.certificateRequest"), "MAMCAQU=");
    assert_string_equal(host_sent("notification.callerInfo"), "certferry/" KIT_VERSION);
    assert_string_equal(host_sent("notification.certificateThumbprint"), "5B1ED2");
    assert_string_equal(host_sent("notification.certificateSerialNumber"), "4A00000012C7");
    assert_string_equal(
        host_sent("notification.certificateExpirationDateUtc"), "2026-05-01T10:20:30.000Z");
    assert_string_equal(
        host_sent("notification.issuingCertificateAuthority"), "CN=Contoso Issuing CA 1");
    assert_string_equal(host_sent("notification.caConfiguration"), "issuing1");
    assert_string_equal(host_sent("notification.certificateAuthority"), "issuing1");
    assert_int_equal(host_answer(&r, &o, 200, success), CERTFERRY_ALLOW);

    assert_int_equal(host_call(&r, &o, NULL), CERTFERRY_ASK);
    assert_int_equal(host_answer(&r, &o, 200, "{\"code\":\"Unknown\"}"), CERTFERRY_DENY);
    assert_int_equal(host_call(&r, &o, NULL), CERTFERRY_ASK);
    assert_int_equal(host_answer(&r, &o, 200, "<html>"), CERTFERRY_LATER);
    assert_int_equal(host_call(&r, &o, NULL), CERTFERRY_ASK);
    assert_int_equal(host_answer(&r, &o, 500, ""), CERTFERRY_LATER);
}

static void tells_failure(void **state)
{
    struct certferry_request r = asked();
    struct certferry_outcome o = host_outcome(false);
    char longer[400];

    (void)state;
    assert_int_equal(host_call(&r, &o, NULL), CERTFERRY_ASK);
    assert_string_equal(
        host.v.ask.url, "https://fef.example/RACerts/S/ScepActions/failureNotification");
    assert_string_equal(host_sent("notification.hResult"), "2148091904");
    assert_string_equal(host_sent("notification.errorDescription"), "The CA refused the template.");
    assert_string_equal(host_sent("notification.certificateThumbprint"), "");

    o.hresult = 0; /* both are needed */
    o.description = "";
    assert_int_equal(host_call(&r, &o, NULL), CERTFERRY_ASK);
    assert_string_equal(host_sent("notification.hResult"), "2147500037");
    assert_true(strlen(host_sent("notification.errorDescription")) > 10);

    memset(longer, 'x', sizeof longer - 1); /* 255 bytes, whole characters */
    longer[sizeof longer - 1] = '\0';
    memcpy(longer + 254, "\xc3\xa9", 2);
    o.description = longer;
    assert_int_equal(host_call(&r, &o, NULL), CERTFERRY_ASK);
    assert_int_equal(strlen(host_sent("notification.errorDescription")), 254);
    assert_int_equal(host_answer(&r, &o, 200, success), CERTFERRY_ALLOW);
}

static void too_large(void **state)
{
    struct certferry_request r = asked();
    uint8_t *der = calloc(1, 200 << 10);

    (void)state;
    r.pkcs10 = (struct certferry_bytes){ der, 200 << 10 };
    host_fresh();
    assert_int_equal(host_call(&r, NULL, NULL), CERTFERRY_DENY);
    host_says("too large");
    free(der);
}

/* The date's arithmetic, at its edges. */
static void times(void **state)
{
    static const struct {
        int64_t at;
        const char *text;
    } rows[] = { { 0, "1970-01-01T00:00:00.000Z" }, { 951782399, "2000-02-28T23:59:59.000Z" },
        { 951782400, "2000-02-29T00:00:00.000Z" }, { 4107542400, "2100-03-01T00:00:00.000Z" },
        { 1735689599, "2024-12-31T23:59:59.000Z" }, { 253402300799, "9999-12-31T23:59:59.000Z" },
        { -1, "1969-12-31T23:59:59.000Z" } };
    char text[40];

    (void)state;
    for (size_t i = 0; i < KIT_COUNT(rows); i++) {
        kit_time(rows[i].at, text, sizeof text);
        assert_string_equal(text, rows[i].text);
    }
}

static void clouds_and_settings(void **state)
{
    struct certferry_request r = host_request("blob");

    (void)state;
    host_close();
    host_new();
    host_refuses("tenant: is needed");
    host_set("tenant", "a/b");
    host_refuses("GUID or a domain");
    host_set("tenant", "");
    host_refuses("is empty");
    host_set("tenant", "contoso.example");
    host_set("cloud", "mars");
    host_refuses("cloud: must be");
    host_set("cloud", "china");
    host_refuses("intune_resource: is needed");
    host_set("cloud", "dod");
    host_set("graph_url", "http://graph.example");
    host_refuses("graph_url: must be https://");
    host_set("graph_url", "https://127.0.0.1:8443/graph/");
    host_set("login_url", "https://127.0.0.1:8443/login");
    host_set("intune_resource", "https://intune.example/");
    host_set("provider_name", "a\nb");
    host_refuses("control character");
    host_set("provider_name", "Probe/1");
    host_set("api_versoin", "x");
    host_refuses("api_versoin: there is no such setting");
    host.settings[6][0] = "api_version"; /* the row of the misspelt one */
    host.settings[6][1] = "5019-05-05";
    host.settings[7][0] = NULL;
    host_set("ca_configuration", "ca-eu-1");
    host_set_secret("x", "y");
    host_refuses("no such secret");
    host.secrets[0][0] = NULL;
    host_open();
    assert_int_equal(host_call(&r, NULL, NULL), CERTFERRY_ASK);
    assert_string_equal(
        host.v.ask.token_url, "https://127.0.0.1:8443/login/contoso.example/oauth2/v2.0/token");
    assert_string_equal(host.v.ask.token_scope, "https://127.0.0.1:8443/graph/.default");
    assert_int_equal(host_answer(&r, NULL, 200, list_one), CERTFERRY_ASK);
    assert_string_equal(host.v.ask.token_scope, "https://intune.example//.default");
    assert_string_equal(host_header("api-version"), "5019-05-05");
    assert_string_equal(host_header("UserAgent"), "Probe/1");
    host.h.abi = 2;
    host_refuses("older");
}

/* Microsoft's own addresses, of each cloud. */
static void clouds_of_microsoft(void **state)
{
    static const struct {
        const char *cloud, *resource, *graph, *login, *scope;
    } rows[] = { { "global", NULL, "https://graph.microsoft.com",
                     "https://login.microsoftonline.com",
                     "https://api.manage.microsoft.com//.default" },
        { "gcchigh", NULL, "https://graph.microsoft.us", "https://login.microsoftonline.us",
            "https://api.manage.microsoft.us//.default" },
        { "dod", NULL, "https://dod-graph.microsoft.us", "https://login.microsoftonline.us",
            "https://api.manage.microsoft.us//.default" },
        { "china", "https://intune.example/", "https://microsoftgraph.chinacloudapi.cn",
            "https://login.partner.microsoftonline.cn", "https://intune.example//.default" } };
    struct certferry_request r = host_request("blob");
    char text[300];

    (void)state;
    for (size_t i = 0; i < KIT_COUNT(rows); i++) {
        host_close();
        host_new();
        host_set("tenant", "contoso.example");
        host_set("cloud", rows[i].cloud);
        if (rows[i].resource != NULL)
            host_set("intune_resource", rows[i].resource);
        host_open();
        assert_int_equal(host_call(&r, NULL, NULL), CERTFERRY_ASK);
        (void)snprintf(text, sizeof text, "%s%s", rows[i].graph, endpoints_path);
        assert_string_equal(host.v.ask.url, text);
        (void)snprintf(text, sizeof text, "%s/.default", rows[i].graph);
        assert_string_equal(host.v.ask.token_scope, text);
        (void)snprintf(text, sizeof text, "%s/contoso.example/oauth2/v2.0/token", rows[i].login);
        assert_string_equal(host.v.ask.token_url, text);
        assert_int_equal(host_answer(&r, NULL, 200, list_one), CERTFERRY_ASK);
        assert_string_equal(host.v.ask.token_scope, rows[i].scope);
        assert_string_equal(host.v.ask.token_url, text);
    }
}

int main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, begin_test, end_test)
    const struct CMUnitTest tests[] = { T(discovers_and_validates), T(no_challenge), T(every_code),
        T(garbage), T(statuses), T(tells_success), T(tells_failure), T(too_large), T(times),
        T(clouds_and_settings), T(clouds_of_microsoft) };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
