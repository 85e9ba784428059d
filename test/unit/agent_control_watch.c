/* Commands on a store: what is stuck, hold and release, all of a state, orphans that are dealt with. */
#include "test/t.h"
#include "test/unit/agent_control_ask.h"

static const char *listed(const char *request)
{
    static char out[400];
    const struct json *d = member(good(request, "certferry.requests/1"), "requests");
    size_t len = 0;

    out[0] = '\0';
    for (size_t i = 0; i < json_count(d); i++)
        len += (size_t)snprintf(
            out + len, sizeof out - len, "%s%s", len > 0 ? " " : "", text(json_at(d, i), "id"));
    return out;
}

static void put(const char *id, enum request_state s, int64_t next_in, int64_t age, int64_t tries)
{
    struct request r = row(id, "ca1", clock_now() + next_in);

    r.state = s;
    r.received_at = clock_now() - age;
    r.tries = tries;
    insert(&r);
}

static void what_is_stuck(void **state)
{
    (void)state;
    put("held", REQUEST_HELD, 600, 10, 0);
    put("overdue", REQUEST_READY, -700, 800, 0);
    put("failing", REQUEST_RETRYING, 60, 4000, 5);
    put("due", REQUEST_READY, -500, 4000, 0);
    put("young", REQUEST_RETRYING, 60, 300, 5);
    put("approval", REQUEST_PENDING, -9000, 90000, 0);
    put("done", REQUEST_DELIVERED, -9000, 90000, 0);
    commit();
    assert_string_equal(
        listed("{\"command\":\"requests.list\",\"stuck\":true}"), "failing overdue held");
    assert_int_equal(number(good("{\"command\":\"status\"}", "certferry.status/1"), "stuck"), 3);
}

static void since(void **state)
{
    char request[100];

    (void)state;
    put("old", REQUEST_READY, 5, 9000, 0);
    put("new", REQUEST_READY, 6, 100, 0);
    commit();
    (void)snprintf(request, sizeof request, "{\"command\":\"requests.list\",\"since\":%lld}",
        (long long)clock_now() - 3600);
    assert_string_equal(listed(request), "new");
}

static struct request stored(const char *id)
{
    struct request r;
    struct err e = { 0 };

    assert_int_equal(store_get(store, id, &r, &e), 1);
    return r;
}

static void hold_and_release(void **state)
{
    struct request r = row("r", "ca1", clock_now());

    (void)state;
    r.expires_at = clock_now() + 500;
    insert(&r);
    commit();
    bad("{\"command\":\"requests.release\",\"id\":\"r\"}", ERR_CONFLICT, EXIT_CONFLICT,
        "is not held");
    (void)good("{\"command\":\"requests.hold\",\"id\":\"r\"}", "certferry.request/1");
    r = stored("r");
    assert_int_equal(r.state, REQUEST_HELD);
    assert_int_equal(r.next_at, r.expires_at + 1); /* it ends when its time has come, not before */
    assert_int_equal(r.why.cls, ERR_OPERATOR);
    (void)good("{\"command\":\"requests.release\",\"id\":\"r\"}", "certferry.request/1");
    r = stored("r");
    assert_int_equal(r.state, REQUEST_READY);
    assert_in_range(r.next_at, clock_now() - 2, clock_now());
    bad("{\"command\":\"requests.hold\",\"id\":\"x\"}", ERR_GONE, EXIT_NOT_FOUND, "no request x");
    put("done", REQUEST_DELIVERED, 0, 10, 0);
    commit();
    bad("{\"command\":\"requests.hold\",\"id\":\"done\"}", ERR_CONFLICT, EXIT_CONFLICT,
        "has ended");
}

static void all_of_a_state(void **state)
{
    (void)state;
    put("h1", REQUEST_HELD, 600, 10, 0);
    put("h2", REQUEST_HELD, 600, 10, 3);
    put("p", REQUEST_PENDING, 600, 10, 0);
    commit();
    assert_int_equal(number(good("{\"command\":\"requests.retry-all\",\"state\":\"held\"}",
                                "certferry.retried/1"),
                         "count"),
        2);
    assert_int_equal(stored("h1").state, REQUEST_READY);
    assert_int_equal(stored("h2").state, REQUEST_READY);
    assert_int_equal(stored("h2").tries, 0);
    assert_int_equal(stored("p").state, REQUEST_PENDING);
    bad("{\"command\":\"requests.retry-all\",\"state\":\"delivered\"}", ERR_INPUT, EXIT_USAGE,
        "can be tried again");
    bad("{\"command\":\"requests.retry-all\"}", ERR_PROTO, EXIT_FAILED, "state: missing");
}

/* ---- orphans ---- */

static void orphan(const char *request, const char *serial)
{
    struct orphan o = { .at = clock_now() };
    struct err e = { 0 };

    (void)snprintf(o.request_id, sizeof o.request_id, "%s", request);
    (void)snprintf(o.serial, sizeof o.serial, "%s", serial);
    (void)snprintf(o.ca, sizeof o.ca, "ca1");
    (void)snprintf(o.reason, sizeof o.reason, "x");
    T_OK(store_add_orphan(store, &o, &e));
    commit();
}

static size_t orphans(const char *request)
{
    return json_count(member(good(request, "certferry.orphans/1"), "orphans"));
}

static void dealt_with(void **state)
{
    const struct json *d;

    (void)state;
    (void)snprintf(a.actor, sizeof a.actor, "uid 5");
    orphan("r1", "AB");
    orphan("r1", "");
    orphan("r2", "CD");
    d = member(
        good("{\"command\":\"orphans.adopt\",\"request\":\"r1\",\"note\":\"revoked\\u001b\"}",
            "certferry.orphans/1"),
        "orphans");
    assert_int_equal(json_count(d), 2);
    assert_string_equal(text(json_at(d, 0), "settled"), "uid 5: revoked?");
    assert_int_equal(orphans("{\"command\":\"orphans.list\"}"), 1);
    assert_int_equal(orphans("{\"command\":\"orphans.list\",\"all\":true}"), 3);
    assert_int_equal(orphans("{\"command\":\"orphans.list\",\"request\":\"r1\"}"), 2);
    assert_int_equal(number(good("{\"command\":\"status\"}", "certferry.status/1"), "orphans"), 1);
    bad("{\"command\":\"orphans.adopt\",\"request\":\"r1\"}", ERR_GONE, EXIT_NOT_FOUND,
        "no orphan of a request r1");
    orphan("r1", "AB"); /* found again: it stays dealt with */
    assert_int_equal(orphans("{\"command\":\"orphans.list\"}"), 1);
}

static void nobody_can_revoke_yet(void **state)
{
    (void)state;
    orphan("r1", "AB");
    orphan("r2", "");
    bad("{\"command\":\"orphans.revoke\",\"request\":\"r1\"}", ERR_DENIED, EXIT_REFUSED_BY_CA,
        "takes no revocations from here; its serial number is AB");
    bad("{\"command\":\"orphans.revoke\",\"request\":\"r2\"}", ERR_CONFLICT, EXIT_CONFLICT,
        "not known whether a certificate exists");
    bad("{\"command\":\"orphans.revoke\",\"request\":\"r3\"}", ERR_GONE, EXIT_NOT_FOUND, "r3");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(what_is_stuck),
        TEST(since),
        TEST(hold_and_release),
        TEST(all_of_a_state),
        TEST(dealt_with),
        TEST(nobody_can_revoke_yet),
    };

    return cmocka_run_group_tests_name("agent_control_watch", tests, NULL, NULL);
}
