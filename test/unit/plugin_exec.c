/* exec: what the program reads, and that everything but one right answer to this question refuses. */
#include "agent/plugins/exec.c"
#include "test/unit/plugin_host.h"

#define ID_1 "00000000-0000-4000-8000-000000000001"

static int begin_test(void **state)
{
    (void)state;
    host_new();
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
    struct certferry_request r = host_request("secret");

    host_fresh();
    host.guids = 0;
    assert_int_equal(host_call(&r, NULL, NULL), CERTFERRY_ASK);
    return r;
}

static void reads(void **state)
{
    static const uint8_t der[] = { 0x30, 0x00 };
    struct certferry_request r = asked();

    (void)state;
    assert_null(host.v.ask.method);
    assert_int_equal(host.v.ask.program, 1);
    assert_string_equal(host_body(),
        "{\"v\":1,\"id\":\"" ID_1
        "\",\"what\":\"verify\",\"endpoint\":\"wifi\",\"ca\":\"issuing1\","
        "\"template\":\"WiFiUser\",\"transactionId\":\"9F3A\\\"0C\",\"remoteAddress\":\"192.0.2."
        "7\","
        "\"challenge\":\"secret\",\"pkcs10\":\"MAMCAQU=\",\"signingCert\":null,\"spki\":\"MAMCAQ=="
        "\","
        "\"subject\":\"CN=Ada, O=Contoso\",\"sans\":[\"DNS a.contoso.example\","
        "\"UPN ada@contoso.example\",\"DNS b.contoso.example\",\"IP 192.0.2.9\",\"URI tag:x\","
        "\"EMAIL ada@contoso.example\"],\"ekus\":[\"1.3.6.1.5.5.7.3.2\"],\"keyUsage\":5,"
        "\"keyType\":\"rsa\",\"keyBits\":2048,\"hash\":\"sha256\"}\n");
    r.signing_cert = (struct certferry_bytes){ der, 2 };
    r.challenge = NULL;
    assert_int_equal(host_call(&r, NULL, NULL), CERTFERRY_ASK);
    assert_string_equal(host_sent("signingCert"), "MAA=");
    assert_string_equal(host_sent("challenge"), "");
}

static void allows(void **state)
{
    struct certferry_request r = asked();

    (void)state;
    assert_int_equal(host_answer(&r, NULL, 0, "\n{\"v\":1,\"id\":\"" ID_1 "\",\"allow\":true}\n"),
        CERTFERRY_ALLOW);
    HOST_FORGETS(struct exec);
    assert_null(host.v.claims);
    r = asked();
    assert_int_equal(
        host_answer(&r, NULL, 0,
            "{\"v\":1,\"id\":\"" ID_1 "\",\"allow\":true,\"claims\":{\"sid\":\"S-1\"}}"),
        CERTFERRY_ALLOW);
    assert_string_equal(host.v.claims, "{\"sid\":\"S-1\"}");
}

static void refuses(void **state)
{
    static const char *const outputs[] = { "", "\n", "yes", "true", "[]", "{}", "{\"allow\":true}",
        "{\"v\":1,\"allow\":true}", "{\"id\":\"" ID_1 "\",\"allow\":true}",
        "{\"v\":2,\"id\":\"" ID_1 "\",\"allow\":true}",
        "{\"v\":null,\"id\":\"" ID_1 "\",\"allow\":true}",
        "{\"v\":1,\"id\":\"00000000-0000-4000-8000-000000000002\",\"allow\":true}",
        "{\"v\":1,\"id\":\"\",\"allow\":true}", "{\"v\":1,\"id\":\"" ID_1 "\"}",
        "{\"v\":1,\"id\":\"" ID_1 "\",\"allow\":null}", "{\"v\":1,\"id\":\"" ID_1 "\",\"allow\":1}",
        "{\"v\":1,\"id\":\"" ID_1 "\",\"allow\":\"yes\"}",
        "{\"v\":1,\"id\":\"" ID_1 "\",\"allow\":false}",
        "{\"v\":1,\"id\":\"" ID_1 "\",\"allow\":true",
        "{\"v\":1,\"id\":\"" ID_1 "\",\"allow\":true} x",
        "{\"v\":1,\"id\":\"" ID_1 "\",\"allow\":true}{\"v\":1,\"id\":\"" ID_1 "\",\"allow\":true}",
        "{\"v\":1,\"id\":\"" ID_1 "\",\"allow\":true}\n{\"v\":1,\"id\":\"" ID_1
        "\",\"allow\":false}\n",
        "warning\n{\"v\":1,\"id\":\"" ID_1 "\",\"allow\":true}",
        "[{\"v\":1,\"id\":\"" ID_1 "\",\"allow\":true}]",
        "{\"v\":1,\"id\":\"" ID_1 "\",\"allow\":true,\"claims\":\"x\"}",
        "{\"v\":1,\"id\":\"" ID_1 "\",\"allow\":true,\"claims\":[]}" };
    static const char good[] = "{\"v\":1,\"id\":\"" ID_1 "\",\"allow\":true}";
    static const int codes[] = { -1, 1, 2, 127, 137, 255, 200 };
    char *large = calloc(1, ANSWER + 1);
    struct certferry_request r;

    (void)state;
    for (size_t i = 0; i < KIT_COUNT(outputs); i++) {
        r = asked();
        if (host_answer(&r, NULL, 0, outputs[i]) != CERTFERRY_DENY)
            fail_msg("allowed: %s", outputs[i]);
        assert_true(host.v.why[0] != '\0');
    }
    for (size_t i = 0; i < KIT_COUNT(codes); i++) {
        r = asked();
        assert_int_equal(host_answer(&r, NULL, codes[i], good), CERTFERRY_DENY);
    }
    r = asked();
    memset(large, ' ', ANSWER);
    memcpy(large, good, strlen(good));
    assert_int_equal(host_answer(&r, NULL, 0, large), CERTFERRY_DENY);
    free(large);
    r = asked(); /* an answer without a question */
    host_fresh();
    assert_int_equal(
        host_answer(&r, NULL, 0, "{\"v\":1,\"id\":\"\",\"allow\":true}"), CERTFERRY_DENY);
}

static void says_why(void **state)
{
    struct certferry_request r = asked();

    (void)state;
    assert_int_equal(
        host_answer(&r, NULL, 0,
            "{\"v\":1,\"id\":\"" ID_1 "\",\"allow\":false,\"failInfo\":3,\"hresult\":2148091904,"
            "\"why\":\"not\\ntoday\"}"),
        CERTFERRY_DENY);
    assert_int_equal(host.v.fail, CERTFERRY_BAD_TIME);
    assert_int_equal(host.v.hresult, 0x80094800);
    host_says("not today");
    r = asked();
    assert_int_equal(
        host_answer(&r, NULL, 0, "{\"v\":1,\"id\":\"" ID_1 "\",\"allow\":false,\"failInfo\":9}"),
        CERTFERRY_DENY);
    assert_int_equal(host.v.fail, CERTFERRY_BAD_REQUEST);
    r = asked();
    assert_int_equal(host_answer(&r, NULL, 0,
                         "{\"v\":1,\"id\":\"" ID_1 "\",\"allow\":false,\"laterSeconds\":45}"),
        CERTFERRY_LATER);
    assert_int_equal(host.v.later_s, 45);
    r = asked();
    assert_int_equal(host_answer(&r, NULL, 0,
                         "{\"v\":1,\"id\":\"" ID_1 "\",\"allow\":false,\"laterSeconds\":-1}"),
        CERTFERRY_DENY);
}

static void tells(void **state)
{
    struct certferry_request r = asked();
    struct certferry_outcome issued = host_outcome(true), failed = host_outcome(false);
    char answer[200];

    (void)state;
    assert_int_equal(host_call(&r, &issued, NULL), CERTFERRY_ASK);
    assert_string_equal(host_sent("what"), "notify");
    assert_string_equal(host_sent("disposition"), "issued");
    assert_string_equal(host_sent("certificate"), "MAMCAQY=");
    assert_string_equal(host_sent("thumbprint"), "5B1ED2");
    assert_string_equal(host_sent("serial"), "4A00000012C7");
    assert_string_equal(host_sent("notAfter"), "1777630830");
    (void)snprintf(
        answer, sizeof answer, "{\"v\":1,\"id\":\"%s\",\"allow\":true}", host_sent("id"));
    assert_int_equal(host_answer(&r, &issued, 0, answer), CERTFERRY_ALLOW);
    assert_int_equal(host_call(&r, &issued, NULL), CERTFERRY_ASK);
    assert_int_equal(host_answer(&r, &issued, 0, answer), CERTFERRY_DENY); /* the old id */
    assert_int_equal(host_call(&r, &failed, NULL), CERTFERRY_ASK);
    assert_string_equal(host_sent("disposition"), "failed");
    assert_string_equal(host_sent("hresult"), "2148091904");
    assert_string_equal(host_sent("certificate"), "");

    host_close();
    host_set("notify", "no");
    host_open();
    assert_int_equal(host_call(&r, &issued, NULL), CERTFERRY_ALLOW);
    host_set("notify", "perhaps");
    host_refuses("yes or no");
    host_set("notify", "no");
    host_set("program", "/bin/true");
    host_refuses("no such setting");
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
    const struct CMUnitTest tests[] = { T(reads), T(allows), T(refuses), T(says_why), T(tells),
        T(too_large) };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
