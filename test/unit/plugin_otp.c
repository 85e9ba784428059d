/* otp: passwords as NDES makes them, what they are good for, and the one for everybody. */
#include "agent/plugins/otp.c"
#include "test/unit/plugin_host.h"

static const char accept_name[] = "i_accept_that_everybody_with_this_password_gets_any_certificate";

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

static int generate(const char *template_name, char out[80])
{
    return host.p->generate(
        host.self, "wifi", template_name, "", out, 80, host.why, sizeof host.why);
}
static enum certferry_answer verify(const char *challenge)
{
    struct certferry_request r = host_request(challenge);

    host_fresh();
    return host_call(&r, NULL, NULL);
}

static void form(void **state)
{
    char password[80];

    (void)state;
    assert_int_equal(host.p->flags, CERTFERRY_GENERATES);
    assert_int_equal(generate("WiFiUser", password), 1);
    assert_int_equal(strlen(password), 32);
    assert_int_equal(strspn(password, "0123456789ABCDEF"), 32);
    /* The password itself is nowhere in the space. */
    for (int i = 0; i < ROWS; i++) {
        assert_null(strstr(host.space[i].key, password));
        assert_null(strstr(host.space[i].value, password));
    }
    assert_int_equal(host_count(&host, "otp/"), 1);
}

static void good_until_issued(void **state)
{
    char password[80];
    struct certferry_outcome failed = host_outcome(false), issued = host_outcome(true);
    struct certferry_request r;

    (void)state;
    assert_int_equal(generate("WiFiUser", password), 1);
    r = host_request(password);
    assert_int_equal(verify(password), CERTFERRY_ALLOW);
    assert_null(host.v.claims);
    assert_int_equal(verify(password), CERTFERRY_ALLOW); /* not spent by being verified */
    assert_int_equal(host_call(&r, &failed, NULL), CERTFERRY_ALLOW);
    assert_int_equal(verify(password), CERTFERRY_ALLOW);
    assert_int_equal(host_call(&r, &issued, NULL), CERTFERRY_ALLOW);
    assert_int_equal(verify(password), CERTFERRY_DENY);
    assert_int_equal(host.v.hresult, 0x80070490);
    assert_int_equal(host.v.fail, CERTFERRY_BAD_REQUEST);
    assert_int_equal(host_call(&r, &issued, NULL), CERTFERRY_ALLOW); /* told twice */
}

static void expires(void **state)
{
    char password[80];

    (void)state;
    assert_int_equal(generate("WiFiUser", password), 1);
    host.now += 3599;
    assert_int_equal(verify(password), CERTFERRY_ALLOW);
    host.now += 1;
    assert_int_equal(verify(password), CERTFERRY_DENY);
    assert_int_equal(host.v.hresult, 0x80070490);
}

static void bound(void **state)
{
    char password[80];
    struct certferry_request r;

    (void)state;
    assert_int_equal(generate("Vpn", password), 1);
    assert_int_equal(verify(password), CERTFERRY_DENY);
    assert_int_equal(generate("WiFiUser", password), 1);
    r = host_request(password);
    r.endpoint = "vpn";
    assert_int_equal(host_call(&r, NULL, NULL), CERTFERRY_DENY);
    assert_int_equal(verify(password), CERTFERRY_ALLOW);

    assert_int_equal(generate(NULL, password), 1); /* of the endpoint alone */
    assert_int_equal(verify(password), CERTFERRY_ALLOW);
    r = host_request(password);
    r.endpoint = "vpn";
    assert_int_equal(host_call(&r, NULL, NULL), CERTFERRY_DENY);
}

static void wrong(void **state)
{
    char password[80], other[80];

    (void)state;
    assert_int_equal(generate("WiFiUser", password), 1);
    assert_int_equal(verify("0123456789ABCDEF0123456789ABCDEF"), CERTFERRY_DENY);
    for (size_t i = 0; i <= strlen(password); i++) { /* every character counts, and the end */
        memcpy(other, password, sizeof other);
        other[i] = i == strlen(password) ? 'A' : other[i] == 'B' ? 'C' : 'B';
        other[strlen(password) + 1] = '\0';
        if (strcmp(other, password) != 0)
            assert_int_equal(verify(other), CERTFERRY_DENY);
    }
    password[31] = '\0';
    assert_int_equal(verify(password), CERTFERRY_DENY);
    assert_int_equal(verify(NULL), CERTFERRY_DENY);
    assert_int_equal(host.v.hresult, 0x80096004);
    assert_int_equal(verify(""), CERTFERRY_DENY);
}

static void full(void **state)
{
    char password[80], last[80];

    (void)state;
    for (int i = 0; i < 5; i++)
        assert_int_equal(generate("WiFiUser", last), 1);
    assert_int_equal(generate("WiFiUser", password), 0);
    assert_string_equal(host.why, "The password cache is full.");
    host.now += 3600;
    assert_int_equal(generate("WiFiUser", password), 1);
}

static void renewal(void **state)
{
    static const uint8_t der[] = { 0x30, 0x00 };
    struct certferry_request r = host_request(NULL);

    (void)state;
    r.signing_cert = (struct certferry_bytes){ der, 2 };
    assert_int_equal(host_call(&r, NULL, NULL), CERTFERRY_ALLOW);
    r.challenge = "";
    assert_int_equal(host_call(&r, NULL, NULL), CERTFERRY_ALLOW);
    r.challenge = "wrong";
    assert_int_equal(host_call(&r, NULL, NULL), CERTFERRY_DENY);
}

static void failures(void **state)
{
    char password[80];
    struct certferry_outcome issued = host_outcome(true);
    struct certferry_request r;

    (void)state;
    host.random_fails = true;
    assert_int_equal(generate("WiFiUser", password), -1);
    host.random_fails = false;
    assert_int_equal(generate("WiFiUser", password), 1);
    assert_int_equal(
        host.p->generate(host.self, "wifi", "x", "", password, 20, host.why, sizeof host.why), -1);
    host.space_fails = true;
    assert_int_equal(generate("WiFiUser", password), -1);
    assert_int_equal(verify(password), CERTFERRY_LATER);
    r = host_request(password);
    assert_int_equal(host_call(&r, &issued, NULL), CERTFERRY_LATER);
}

static void settings(void **state)
{
    char password[80];

    (void)state;
    host_close();
    host_new();
    host_set("challenge_bytes", "7");
    host_refuses("challenge_bytes: must be 8 to 32");
    host_set("challenge_bytes", "8x");
    host_refuses("must be 8 to 32");
    host_set("challenge_bytes", "-8");
    host_refuses("must be 8 to 32");
    host_set("challenge_bytes", "8");
    host_set("challenge_max", "1");
    host_set("ttl_minutes", "1");
    host_open();
    assert_int_equal(generate("WiFiUser", password), 1);
    assert_int_equal(strlen(password), 16);
    assert_int_equal(generate("WiFiUser", password), 0);
    host.now += 60;
    assert_int_equal(generate("WiFiUser", password), 1);
}

/* One password for all opens only if the risk was read. */
static void single(void **state)
{
    char password[80];

    (void)state;
    host_close();
    host_new();
    host_set("single_password", "yes");
    host_refuses("anybody's name");
    host_set(accept_name, "no");
    host_refuses("anybody's name");
    host_set(accept_name, "yes");
    host_refuses("at least 16");
    host_set_secret("single", "too short");
    host_refuses("at least 16");
    host_set_secret("single", "correct horse battery staple");
    host_set("single_password", "no");
    host_refuses("is not yes");
    host_set("single_password", "maybe");
    host_refuses("yes or no");
    host_set("single_password", "yes");
    host_open();
    assert_int_equal(host.p->flags, CERTFERRY_MANY_USES);
    assert_int_equal(generate("WiFiUser", password), 0);
    assert_null(host.p->notify); /* nothing is used up, so there is nothing to hear */
    for (int i = 0; i < 2; i++)
        assert_int_equal(verify("correct horse battery staple"), CERTFERRY_ALLOW);
    assert_int_equal(verify("correct horse battery stapler"), CERTFERRY_DENY);
    assert_int_equal(verify(NULL), CERTFERRY_DENY);
    host.secrets[0][0] = NULL; /* the file is gone */
    assert_int_equal(verify("correct horse battery staple"), CERTFERRY_DENY);

    /* The next section is of the other kind again. */
    host_close();
    host_new();
    host_open();
    assert_int_equal(host.p->flags, CERTFERRY_GENERATES);
    assert_non_null(host.p->notify);
}

int main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, begin_test, end_test)
    const struct CMUnitTest tests[] = { T(form), T(good_until_issued), T(expires), T(bound),
        T(wrong), T(full), T(renewal), T(failures), T(settings), T(single) };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
