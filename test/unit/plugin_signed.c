/* signed: every member that is looked at here, the edges of time, and one use of a jti however it is sealed. */
#include "agent/plugins/signed.c"
#include "test/unit/plugin_host.h"

static int begin_test(void **state)
{
    (void)state;
    host_new();
    host_set("audience", "connector:2b7c");
    host_open();
    return 0;
}
static int end_test(void **state)
{
    (void)state;
    host_close();
    return 0;
}

/* now is 1767225600 */
static const char text[] =
    "{\"v\":1,\"jti\":\"6f1f\",\"aud\":\"connector:2b7c\",\"iat\":1767225600,"
    "\"exp\":1767229200,\"profile\":\"wifi\",\"subject\":\"CN=alice\"}";
static const char sealed[] = "sealed:~{\"v\":1,\"jti\":\"6f1f\",\"aud\":\"connector:2b7c\","
                             "\"iat\":1767225600,\"exp\":1767229200,\"profile\":\"wifi\","
                             "\"subject\":\"CN=alice\"}";
static const char sealed_otherwise[] =
    "sealed:another way~{\"v\":1,\"jti\":\"6f1f\",\"aud\":\"connector:2b7c\","
    "\"iat\":1767225600,\"exp\":1767229200,\"profile\":\"wifi\",\"subject\":\"CN=alice\"}";

static enum certferry_answer verify(const char *challenge)
{
    struct certferry_request r = host_request(challenge);

    host_fresh();
    return host_call(&r, NULL, NULL);
}

static void allows_with_claims(void **state)
{
    (void)state;
    assert_int_equal(verify(sealed), CERTFERRY_ALLOW);
    assert_string_equal(host.v.claims, text);
}

static void refuses(void **state)
{
    static const struct {
        const char *challenge, *says;
    } rows[] = { { NULL, "there is no challenge" }, { "", "there is no challenge" },
        { "foreign", "not of our cloud" }, { "sealed:~", "not of our cloud" },
        { "sealed:~x", "unknown version" }, { "sealed:~{}", "unknown version" },
        { "sealed:~{\"v\":2}", "unknown version" }, { "sealed:~{\"v\":1}", "somebody else" },
        { "sealed:~{\"v\":1,\"aud\":\"connector:2b7\"}", "somebody else" },
        { "sealed:~{\"v\":1,\"aud\":[\"connector:2b7c\"]}", "somebody else" },
        { "sealed:~{\"v\":1,\"aud\":\"connector:2b7c\"}", "another endpoint" },
        { "sealed:~{\"v\":1,\"aud\":\"connector:2b7c\",\"profile\":\"vpn\"}", "another endpoint" },
        { "sealed:~{\"v\":1,\"aud\":\"connector:2b7c\",\"profile\":\"wifi\",\"iat\":1767225600}",
            "begins and ends" },
        { "sealed:~{\"v\":1,\"aud\":\"connector:2b7c\",\"profile\":\"wifi\",\"exp\":1767229200}",
            "begins and ends" },
        { "sealed:~{\"v\":1,\"aud\":\"connector:2b7c\",\"profile\":\"wifi\",\"iat\":1,"
          "\"exp\":9223372036854775807}",
            "begins and ends" },
        { "sealed:~{\"v\":1,\"aud\":\"connector:2b7c\",\"profile\":\"wifi\",\"iat\":-1,"
          "\"exp\":1767229200}",
            "begins and ends" },
        { "sealed:~{\"v\":1,\"aud\":\"connector:2b7c\",\"profile\":\"wifi\",\"iat\":1.5,"
          "\"exp\":1767229200}",
            "begins and ends" },
        { "sealed:~{\"v\":1,\"aud\":\"connector:2b7c\",\"profile\":\"wifi\",\"iat\":1767225600,"
          "\"exp\":1767229200}",
            "no jti" },
        { "sealed:~{\"v\":1,\"aud\":\"connector:2b7c\",\"profile\":\"wifi\",\"iat\":1767225600,"
          "\"exp\":1767229200,\"jti\":\"\"}",
            "no jti" } };

    (void)state;
    for (size_t i = 0; i < KIT_COUNT(rows); i++) {
        assert_int_equal(verify(rows[i].challenge), CERTFERRY_DENY);
        host_says(rows[i].says);
        assert_true(host.v.hresult != 0);
        assert_null(host.v.claims);
    }
    assert_int_equal(host_count(&host, ""), 0);
}

static void times(void **state)
{
    (void)state;
    host.now = 1767225600 - 301;
    assert_int_equal(verify(sealed), CERTFERRY_DENY);
    assert_int_equal(host.v.fail, CERTFERRY_BAD_TIME);
    host.now = 1767225600 - 300;
    assert_int_equal(verify(sealed), CERTFERRY_ALLOW);
    host.now = 1767229200 + 300;
    assert_int_equal(verify(sealed), CERTFERRY_ALLOW);
    host.now = 1767229200 + 301;
    assert_int_equal(verify(sealed), CERTFERRY_DENY);
    host_says("expired");
}

static void one_use(void **state)
{
    static const uint8_t other[] = { 1, 2, 3 };
    struct certferry_request r = host_request(sealed_otherwise);
    struct certferry_outcome failed = host_outcome(false), issued = host_outcome(true);

    (void)state;
    assert_int_equal(verify(sealed), CERTFERRY_ALLOW);
    r.spki = (struct certferry_bytes){ other, sizeof other };
    assert_int_equal(host_call(&r, NULL, NULL), CERTFERRY_DENY);
    host_says("another key");
    assert_int_equal(host.v.hresult, 0x800B0110);

    r = host_request(sealed);
    assert_int_equal(host_call(&r, &failed, NULL), CERTFERRY_ALLOW);
    assert_int_equal(verify(sealed_otherwise), CERTFERRY_ALLOW); /* its own key may try again */
    assert_int_equal(host_call(&r, &issued, NULL), CERTFERRY_ALLOW);
    assert_int_equal(verify(sealed), CERTFERRY_DENY);
    host_says("has been used");
    assert_int_equal(verify(sealed_otherwise), CERTFERRY_DENY);
    host.now = 1767229200 + 300; /* remembered as long as it could be shown */
    assert_int_equal(verify(sealed), CERTFERRY_DENY);
    host_says("has been used");
}

static void renewal(void **state)
{
    static const uint8_t der[] = { 0x30, 0x00 };
    struct certferry_request r = host_request(NULL);

    (void)state;
    r.signing_cert = (struct certferry_bytes){ der, 2 };
    assert_int_equal(host_call(&r, NULL, NULL), CERTFERRY_DENY);
    host_close();
    host_set("renewal_without_challenge", "yes");
    host_open();
    assert_int_equal(host_call(&r, NULL, NULL), CERTFERRY_ALLOW);
    r.challenge = "foreign";
    assert_int_equal(host_call(&r, NULL, NULL), CERTFERRY_DENY);
    r = host_request(NULL);
    assert_int_equal(host_call(&r, NULL, NULL), CERTFERRY_DENY);
}

static void space_fails(void **state)
{
    struct certferry_request r = host_request(sealed);
    struct certferry_outcome issued = host_outcome(true);

    (void)state;
    host.space_fails = true;
    assert_int_equal(verify(sealed), CERTFERRY_LATER);
    assert_int_equal(host_call(&r, &issued, NULL), CERTFERRY_LATER);
}

static void settings(void **state)
{
    (void)state;
    host_close();
    host_new();
    host_refuses("audience: is needed");
    host_set("audience", "");
    host_refuses("audience: is empty");
    host_set("audience", "x");
    host_set("profile", "x");
    host_refuses("profile: there is no such setting");
    host.settings[1][0] = NULL;
    host_open();
}

int main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, begin_test, end_test)
    const struct CMUnitTest tests[] = { T(allows_with_claims), T(refuses), T(times), T(one_use),
        T(renewal), T(space_fails), T(settings) };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
