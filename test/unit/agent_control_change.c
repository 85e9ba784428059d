/* What commands change in a store without a service, and what they may not. */
#include "test/t.h"
#include "test/unit/agent_control_ask.h"

static struct request stored(const char *id)
{
    struct request r = { 0 };
    struct err e = { 0 };

    reopen(); /* what is answered is durable */
    a.store = store;
    assert_int_equal(store_get(store, id, &r, &e), 1);
    return r;
}

static void retry_now(void **state)
{
    struct request r = row("a", "ca1", 2000000000);
    const struct json *d;

    (void)state;
    r.state = REQUEST_HELD;
    r.tries = 9;
    r.submits = 5;
    (void)snprintf(r.step, sizeof r.step, "submit");
    insert(&r);
    commit();
    d = good("{\"command\":\"requests.retry\",\"id\":\"a\"}", "certferry.request/1");
    assert_string_equal(text(d, "state"), "ready");
    r = stored("a");
    assert_int_equal(r.state, REQUEST_READY);
    assert_string_equal(r.step, "submit");
    assert_in_range(r.next_at, clock_now() - 2, clock_now());
    assert_int_equal(r.tries, 0);
    assert_int_equal(r.submits, 1); /* not 0: what may have been issued is not forgotten */
    bad("{\"command\":\"requests.retry\",\"id\":\"b\"}", ERR_GONE, EXIT_NOT_FOUND, "no request b");
    bad("{\"command\":\"requests.retry\"}", ERR_PROTO, EXIT_FAILED, "id: missing");
}

static void cancel_before_anything_was_sent(void **state)
{
    struct request r = row("a", "ca1", 2000000000);
    struct store_counts c;
    struct err e = { 0 };

    (void)state;
    insert(&r);
    commit();
    (void)good("{\"command\":\"requests.cancel\",\"id\":\"a\"}", "certferry.request/1");
    r = stored("a");
    assert_true(r.failed); /* the cloud is told before it ends */
    assert_false(request_is_final(r.state));
    assert_string_equal(r.step, "report");
    assert_int_equal(r.why.cls, ERR_OPERATOR);
    T_OK(store_counts(store, &c, &e));
    assert_int_equal(c.orphans, 0);
    bad("{\"command\":\"requests.cancel\",\"id\":\"a\"}", ERR_CONFLICT, EXIT_CONFLICT, "already");
    bad("{\"command\":\"requests.cancel\",\"id\":\"b\"}", ERR_GONE, EXIT_NOT_FOUND, "no request b");
}

/* I2: what the CA may have issued is in the list of orphans. */
static void cancel_after_a_submission(void **state)
{
    struct request r = row("a", "ca1", 2000000000);
    const struct json *d;

    (void)state;
    r.submits = 1;
    (void)snprintf(r.subject, sizeof r.subject, "CN=Ada");
    insert(&r);
    commit();
    (void)good("{\"command\":\"requests.cancel\",\"id\":\"a\"}", "certferry.request/1");
    (void)stored("a");
    d = member(good("{\"command\":\"orphans.list\"}", "certferry.orphans/1"), "orphans");
    assert_int_equal(json_count(d), 1);
    assert_string_equal(text(json_at(d, 0), "request"), "a");
    assert_string_equal(text(json_at(d, 0), "ca"), "ca1");
    assert_string_equal(text(json_at(d, 0), "subject"), "CN=Ada");
    assert_non_null(strstr(text(json_at(d, 0), "reason"), "cancelled by an administrator"));
    assert_null(json_get(json_at(d, 0), "serialNumber"));
}

/* I3: a result that may have been delivered is not taken back. I7: an ended request never goes back. */
static void too_late(void **state)
{
    struct request r = row("a", "ca1", 1);
    char request[100], says[100];

    (void)state;
    (void)snprintf(r.digest, sizeof r.digest, "AB");
    (void)snprintf(r.step, sizeof r.step, "report");
    insert(&r);
    commit();
    bad("{\"command\":\"requests.cancel\",\"id\":\"a\"}", ERR_CONFLICT, EXIT_CONFLICT,
        "may have been delivered");
    assert_false(stored("a").failed);
    for (int s = REQUEST_DELIVERED; s < REQUEST_STATE_COUNT; s++) {
        const char *id = request_state_name((enum request_state)s);

        r = row(id, "ca1", 0);
        r.state = (enum request_state)s;
        r.ended_at = 7;
        insert(&r);
        commit();
        (void)snprintf(says, sizeof says, "(%s)", id);
        (void)snprintf(
            request, sizeof request, "{\"command\":\"requests.retry\",\"id\":\"%s\"}", id);
        bad(request, ERR_CONFLICT, EXIT_CONFLICT, says);
        (void)snprintf(
            request, sizeof request, "{\"command\":\"requests.cancel\",\"id\":\"%s\"}", id);
        bad(request, ERR_CONFLICT, EXIT_CONFLICT, says);
        r = stored(id);
        assert_int_equal(r.state, s);
        assert_int_equal(r.ended_at, 7);
        assert_int_equal(r.next_at, 0);
    }
}

static void a_change_that_cannot_be_stored(void **state)
{
    struct request r = row("a", "ca1", 1);
    struct err e = { 0 };

    (void)state;
    insert(&r);
    commit();
    store_close(store);
    a.store = store = store_open(dir_root, true, &e);
    assert_non_null(store);
    bad("{\"command\":\"requests.retry\",\"id\":\"a\"}", ERR_STORE, EXIT_STORAGE, "certferry.db");
    bad("{\"command\":\"requests.cancel\",\"id\":\"a\"}", ERR_STORE, EXIT_STORAGE, "certferry.db");
    assert_false(stored("a").failed);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(retry_now),
        TEST(cancel_before_anything_was_sent),
        TEST(cancel_after_a_submission),
        TEST(too_late),
        TEST(a_change_that_cannot_be_stored),
    };

    return cmocka_run_group_tests_name("agent_control_change", tests, NULL, NULL);
}
