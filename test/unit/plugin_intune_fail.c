/* intune: which question follows when something does not work, and that there is an end. */
#include "test/unit/plugin_intune.h"

/* The service has moved: its address is asked once more, and then no more. */
static void moved(void **state)
{
    static const int statuses[] = { 404, 421, 302, -1 };
    struct certferry_request r;

    (void)state;
    for (size_t i = 0; i < KIT_COUNT(statuses); i++) {
        r = asked();
        assert_int_equal(host_answer(&r, NULL, statuses[i], ""), CERTFERRY_ASK);
        assert_string_equal(host.v.ask.method, "GET");
        assert_int_equal(host_answer(&r, NULL, 200, list_two), CERTFERRY_ASK);
        assert_string_equal(host.v.ask.url, "https://new.example/S/ScepActions/validateRequest");
        assert_int_equal(host_answer(&r, NULL, 404, ""), CERTFERRY_LATER);
        assert_int_equal(host.v.later_s, 30);
        assert_int_equal(host_count(&host, "services "), 0);
    }
}

/* Listed twice: the last one, then the others, if there is no answer. */
static void second_address(void **state)
{
    struct certferry_request r = host_request("blob");

    (void)state;
    assert_int_equal(host_call(&r, NULL, NULL), CERTFERRY_ASK);
    assert_int_equal(host_answer(&r, NULL, 200, list_two), CERTFERRY_ASK);
    assert_string_equal(host.v.ask.url, "https://new.example/S/ScepActions/validateRequest");
    assert_int_equal(host_answer(&r, NULL, -1, ""), CERTFERRY_ASK);
    assert_string_equal(host.v.ask.url, "https://old.example/S/ScepActions/validateRequest");
    assert_int_equal(host_answer(&r, NULL, 200, success), CERTFERRY_ALLOW);
}

/* All of them silent: each is tried once, then the list is asked anew, and the rounds come to an end. */
static void many_addresses(void **state)
{
    static const char list[] =
        "{\"value\":[{\"providerName\":\"ScepRequestValidationFEService\",\"uri\":\"https://"
        "1.example\"},"
        "{\"providerName\":\"ScepRequestValidationFEService\",\"uri\":\"https://2.example\"},"
        "{\"providerName\":\"ScepRequestValidationFEService\",\"uri\":\"https://3.example\"}]}";
    static const char *const hosts[] = { "https://graph", "https://3", "https://3", "https://2",
        "https://1", "https://graph", "https://3" };
    static const int answers[] = { 200, 401, -1, -1, -1, 200, 401 };
    struct certferry_request r = host_request("blob");

    (void)state;
    assert_int_equal(host_call(&r, NULL, NULL), CERTFERRY_ASK);
    for (size_t i = 0; i < KIT_COUNT(hosts); i++) {
        assert_int_equal(host.v.answer, CERTFERRY_ASK);
        assert_int_equal(strncmp(host.v.ask.url, hosts[i], strlen(hosts[i])), 0);
        host_answer(&r, NULL, answers[i], list);
    }
    assert_int_equal(host.v.answer, CERTFERRY_LATER);
    host_says("too many questions");
}

static void discovery_fails(void **state)
{
    static const struct {
        int status;
        const char *body, *says;
        bool reported;
    } rows[] = { { 200, "{\"value\":[]}", "does not list", true },
        { 200, "{\"value\":[{\"providerName\":\"x\",\"uri\":\"https://x.example\"}]}", "not list",
            true },
        { 200, "{}", "no list", true }, { 200, "<html>", "no list", true },
        { 200, "{\"value\":{}}", "no list", true }, { 403, "", "Application.Read.All", true },
        { 400, "", "HTTP 400", true }, { 404, "", "does not know Intune", true },
        { 503, "", "HTTP 503", false }, { -1, "", "connection refused", false } };
    struct certferry_request r = host_request("blob");

    (void)state;
    for (size_t i = 0; i < KIT_COUNT(rows); i++) {
        end_test(NULL);
        begin_test(NULL);
        assert_int_equal(host_call(&r, NULL, NULL), CERTFERRY_ASK);
        assert_int_equal(host_answer(&r, NULL, rows[i].status, rows[i].body), CERTFERRY_LATER);
        host_says(rows[i].says);
        assert_int_equal(
            host.p->serving(host.self, host.why, sizeof host.why) != 0, rows[i].reported);
    }
}

/* However the answers alternate there is an end. */
static void ends(void **state)
{
    struct certferry_request r = asked();
    unsigned n = 0;

    (void)state;
    while (host.v.answer == CERTFERRY_ASK && n++ < 20)
        host_answer(&r, NULL,
            strcmp(host.v.ask.method, "GET") == 0 ? 200
            : n % 2                               ? 401
                                                  : 404,
            list_one);
    assert_int_equal(host.v.answer, CERTFERRY_LATER);
    assert_true(n < CERTFERRY_ROUNDS_MAX);
}

static void new_token_once(void **state)
{
    struct certferry_request r = asked();

    (void)state;
    assert_int_equal(host_answer(&r, NULL, 401, ""), CERTFERRY_ASK);
    assert_string_equal(host.v.ask.method, "POST");
    assert_int_equal(host_answer(&r, NULL, 401, ""), CERTFERRY_LATER);
    assert_int_equal(host.v.later_s, 60);
    assert_int_equal(host.p->serving(host.self, host.why, sizeof host.why), -1);
    assert_non_null(strstr(host.why, "token"));
}

static void forbidden_until_it_works(void **state)
{
    struct certferry_request r = asked();

    (void)state;
    assert_int_equal(host.p->serving(host.self, host.why, sizeof host.why), 0);
    assert_int_equal(host_answer(&r, NULL, 403, ""), CERTFERRY_LATER);
    assert_int_equal(host.v.later_s, 60);
    assert_int_equal(host.p->serving(host.self, host.why, sizeof host.why), -1);
    assert_non_null(strstr(host.why, "scep_challenge_provider"));
    r = asked();
    assert_int_equal(host_answer(&r, NULL, 200, "{\"code\":\"ChallengeExpired\"}"), CERTFERRY_DENY);
    assert_int_equal(host.p->serving(host.self, host.why, sizeof host.why), 0);
}

static void waits_as_told(void **state)
{
    struct certferry_request r = asked();
    struct certferry_reply reply = host_reply(503, "");

    (void)state;
    assert_int_equal(host_call(&r, NULL, &reply), CERTFERRY_LATER);
    assert_int_equal(host.v.later_s, 30);
    r = asked();
    reply = host_reply(429, "{\"error\":{\"code\":\"Busy\",\"message\":\"{\\\"Message\\\":"
                            "\\\"x\\\",\\\"RetryAfter\\\":120}\"}}");
    assert_int_equal(host_call(&r, NULL, &reply), CERTFERRY_LATER);
    assert_int_equal(host.v.later_s, 120);
    host.now += 121;
    r = asked();
    reply.retry_after_s = 7;
    assert_int_equal(host_call(&r, NULL, &reply), CERTFERRY_LATER);
    assert_int_equal(host.v.later_s, 7);
    host.now += 8;
    r = asked();
    reply.retry_after_s = 1000000;
    assert_int_equal(host_call(&r, NULL, &reply), CERTFERRY_LATER);
    assert_int_equal(host.v.later_s, 3600);
    host_says("HTTP 429");
}

/* What one was told holds for all, at the service that said it; a pause that nobody asked for does not. */
static void all_wait_as_told(void **state)
{
    struct certferry_request r = asked();
    struct certferry_reply reply = host_reply(503, "");
    struct certferry_outcome o = host_outcome(true);

    (void)state;
    assert_int_equal(host_call(&r, NULL, &reply), CERTFERRY_LATER);
    r = asked();
    reply = host_reply(429, "");
    reply.retry_after_s = 10;
    assert_int_equal(host_call(&r, NULL, &reply), CERTFERRY_LATER);
    host.now += 4;
    host_fresh();
    assert_int_equal(host_call(&r, NULL, NULL), CERTFERRY_LATER);
    assert_int_equal(host.v.later_s, 7); /* whole seconds, and not one too few */
    host_says("has asked for a pause");
    assert_int_equal(host_call(&r, &o, NULL), CERTFERRY_LATER);
    host.now += 7;
    r = asked();

    end_test(NULL);
    begin_test(NULL);
    assert_int_equal(host_call(&r, NULL, NULL), CERTFERRY_ASK);
    assert_int_equal(host_call(&r, NULL, &reply), CERTFERRY_LATER);
    host_fresh();
    assert_int_equal(host_call(&r, NULL, NULL), CERTFERRY_LATER);
    host_says("Graph is busy");
}

/* A secret that has run out hinders every answer: that is for people, not for patience. */
static void needs_help(void **state)
{
    struct certferry_request r = asked();
    struct certferry_reply reply = host_reply(-1, "");

    (void)state;
    reply.error = "access token: invalid_client";
    reply.needs_help = 1;
    assert_int_equal(host_call(&r, NULL, &reply), CERTFERRY_ASK);
    assert_int_equal(host_call(&r, NULL, &reply), CERTFERRY_LATER);
    host_says("access token: invalid_client");
    assert_int_equal(host.p->serving(host.self, host.why, sizeof host.why), -1);
    assert_non_null(strstr(host.why, "invalid_client"));
    host.now += 300; /* nobody has asked since: who knows? */
    assert_int_equal(host.p->serving(host.self, host.why, sizeof host.why), 0);
}

static void space_fails(void **state)
{
    struct certferry_request r = host_request("blob");

    (void)state;
    host.space_fails = true;
    assert_int_equal(host_call(&r, NULL, NULL), CERTFERRY_LATER);
    host.space_fails = false;
    assert_int_equal(host_call(&r, NULL, NULL), CERTFERRY_ASK);
    host.space_fails = true;
    assert_int_equal(host_answer(&r, NULL, 200, list_one), CERTFERRY_LATER);
}

/* A restart loses the question: round 0 again, with the memo as it was. */
static void after_a_restart(void **state)
{
    struct certferry_request r = asked();
    struct certferry_outcome o = host_outcome(true);

    (void)state;
    assert_int_equal(host_answer(&r, NULL, 401, ""), CERTFERRY_ASK);
    host_close();
    host_open();
    assert_int_equal(host_call(&r, NULL, NULL), CERTFERRY_ASK);
    assert_string_equal(host.v.ask.method, "POST");
    assert_int_equal(host_answer(&r, NULL, 401, ""), CERTFERRY_ASK);
    assert_int_equal(host_answer(&r, NULL, 200, success), CERTFERRY_ALLOW);
    assert_int_equal(host_call(&r, &o, NULL), CERTFERRY_ASK);
    assert_non_null(strstr(host.v.ask.url, "/successNotification"));
}

int main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, begin_test, end_test)
    const struct CMUnitTest tests[] = { T(moved), T(second_address), T(many_addresses),
        T(discovery_fails), T(ends), T(new_token_once), T(forbidden_until_it_works),
        T(waits_as_told), T(all_wait_as_told), T(needs_help), T(space_fails), T(after_a_restart) };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
