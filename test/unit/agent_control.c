/* What commands see of a store without a service, and the envelope of every answer. */
#include "test/t.h"
#include "test/unit/agent_control_ask.h"

static void what_is_no_command(void **state)
{
    (void)state;
    bad("", ERR_PROTO, EXIT_FAILED, "");
    bad("{", ERR_PROTO, EXIT_FAILED, "");
    bad("{\"command\":\"status\"} x", ERR_PROTO, EXIT_FAILED, "");
    bad("\xff\xfe", ERR_PROTO, EXIT_FAILED, "");
    bad("[]", ERR_PROTO, EXIT_FAILED, "command");
    bad("{}", ERR_PROTO, EXIT_FAILED, "command: missing");
    bad("{\"command\":7}", ERR_PROTO, EXIT_FAILED, "command: not a string");
    bad("{\"command\":\"reboot\"}", ERR_INPUT, EXIT_USAGE, "unknown command \"reboot\"");
    bad("{\"command\":\"Status\"}", ERR_INPUT, EXIT_USAGE, "unknown command \"Status\"");
    bad("{\"command\":\"status\",\"command\":\"status\"}", ERR_PROTO, EXIT_FAILED, "");
}

static void too_much_is_refused(void **state)
{
    struct buf big = BUF_INIT(1 << 20);

    (void)state;
    buf_add_text(&big, "{\"command\":\"");
    for (int i = 0; i < 70000; i++)
        buf_add_byte(&big, 'x');
    buf_add_text(&big, "\"}");
    bad(buf_text(&big), ERR_TOO_LARGE, EXIT_FAILED, "");
    buf_free(&big);
}

/* ---- status ---- */

static void status_without_a_service(void **state)
{
    struct request held = row("h", "ca1", 1200000000), ready = row("r", "ca1", 1300000000);
    struct orphan o = { .request_id = "h", .reason = "x", .at = 1 };
    const struct json *d;
    struct err e = { 0 };

    (void)state;
    held.state = REQUEST_HELD;
    insert(&held);
    insert(&ready);
    T_OK(store_add_orphan(store, &o, &e));
    commit();
    d = good("{\"command\":\"status\"}", "certferry.status/1");
    assert_string_equal(text(d, "version"), CERTFERRY_VERSION);
    assert_string_equal(text(d, "health"), "stopped");
    assert_string_equal(text(d, "store"), dir_root);
    assert_true(number(d, "storeFree") > 0);
    assert_int_equal(number(member(d, "requests"), "held"), 1);
    assert_int_equal(number(member(d, "requests"), "ready"), 1);
    assert_int_equal(number(member(d, "requests"), "delivered"), 0);
    assert_int_equal(number(d, "orphans"), 1);
    assert_int_equal(number(d, "duplicatesPossible"), 1);
    assert_string_equal(text(d, "oldestOpen"), "2008-01-10T21:20:00Z");
    assert_null(json_get(d, "peers"));
    assert_null(json_get(d, "pid"));
}

/* ---- requests ---- */

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

static void lists(void **state)
{
    struct request r;

    (void)state;
    assert_string_equal(listed("{\"command\":\"requests.list\"}"), "");
    r = row("a", "ca1", 10);
    insert(&r);
    r = row("b", "ca1", 20);
    r.state = REQUEST_HELD;
    insert(&r);
    r = row("c", "ca1", 30);
    r.state = REQUEST_DELIVERED;
    insert(&r);
    commit();
    assert_string_equal(listed("{\"command\":\"requests.list\"}"), "b a");
    assert_string_equal(listed("{\"command\":\"requests.list\",\"all\":true}"), "c b a");
    assert_string_equal(listed("{\"command\":\"requests.list\",\"all\":true,\"limit\":1}"), "c");
    assert_string_equal(listed("{\"command\":\"requests.list\",\"state\":\"held\"}"), "b");
    assert_string_equal(listed("{\"command\":\"requests.list\",\"state\":\"delivered\"}"), "c");
    bad("{\"command\":\"requests.list\",\"state\":\"stuck\"}", ERR_INPUT, EXIT_USAGE,
        "\"stuck\" is no state; there are ready, retrying, pending, held,");
    bad("{\"command\":\"requests.list\",\"limit\":0}", ERR_PROTO, EXIT_FAILED, "limit");
    bad("{\"command\":\"requests.list\",\"all\":1}", ERR_PROTO, EXIT_FAILED, "all");
}

/* I5: every open request says what it waits for, why, and until when. */
static void whom_each_waits_for(void **state)
{
    static const struct {
        enum request_state s;
        const char *step, *owner;
    } cases[] = {
        { REQUEST_READY, "key", "us" },
        { REQUEST_RETRYING, "submit", "ca" },
        { REQUEST_RETRYING, "collect", "ca" },
        { REQUEST_RETRYING, "report", "cloud" },
        { REQUEST_RETRYING, "notice", "cloud" },
        { REQUEST_PENDING, "collect", "ca" },
        { REQUEST_HELD, "submit", "administrator" },
        { REQUEST_DELIVERED, "end", "nobody" },
        { REQUEST_CANCELLED, "end", "nobody" },
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        char id[8], request[100];
        const struct json *d;
        struct request r;

        (void)snprintf(id, sizeof id, "r%zu", i);
        r = row(id, "ca1", 1300000000);
        r.state = cases[i].s;
        (void)snprintf(r.step, sizeof r.step, "%s", cases[i].step);
        insert(&r);
        (void)snprintf(
            request, sizeof request, "{\"command\":\"requests.show\",\"id\":\"%s\"}", id);
        d = member(good(request, "certferry.request/1"), "request");
        assert_string_equal(text(d, "waitsFor"), cases[i].owner);
        assert_string_equal(text(d, "state"), request_state_name(cases[i].s));
        assert_string_equal(text(d, "step"), cases[i].step);
    }
}

static void one_request_with_its_history(void **state)
{
    struct request r = row("a", "ca \"1\"", 1300000000);
    const struct json *d, *h;
    struct err e = { 0 };

    (void)state;
    (void)snprintf(r.template_name, sizeof r.template_name, "User");
    (void)snprintf(r.subject, sizeof r.subject, "CN=Ada \"x\" \xc3\x84");
    (void)snprintf(r.reference, sizeof r.reference, "83");
    (void)snprintf(r.serial, sizeof r.serial, "4711");
    (void)snprintf(r.activity, sizeof r.activity, "guid");
    r.expires_at = 1400000000;
    r.submits = 2;
    r.tries = 3;
    insert(&r);
    (void)err_set(&r.why, ERR_BUSY, "HTTP 503");
    T_OK(store_update(store, &r, "retrying", &e));
    commit();
    d = good("{\"command\":\"requests.show\",\"id\":\"a\"}", "certferry.request/1");
    h = member(d, "history");
    assert_int_equal(json_count(h), 2);
    assert_string_equal(text(json_at(h, 0), "event"), "received");
    assert_string_equal(text(json_at(h, 1), "event"), "retrying");
    assert_string_equal(text(json_at(h, 1), "text"), "ERR_BUSY: HTTP 503");
    d = member(d, "request");
    assert_string_equal(text(d, "type"), "pkcsIssue");
    assert_string_equal(text(d, "ca"), "ca \"1\"");
    assert_string_equal(text(d, "template"), "User");
    assert_string_equal(text(d, "subject"), "CN=Ada \"x\" \xc3\x84");
    assert_string_equal(text(d, "caReference"), "83");
    assert_string_equal(text(d, "serialNumber"), "4711");
    assert_string_equal(text(d, "activity"), "guid");
    assert_string_equal(text(d, "expires"), "2014-05-13T16:53:20Z");
    assert_string_equal(text(d, "class"), "ERR_BUSY");
    assert_string_equal(text(d, "reason"), "HTTP 503");
    assert_int_equal(number(d, "submissions"), 2);
    assert_int_equal(number(d, "attempts"), 3);
    assert_null(json_get(d, "ended"));
    bad("{\"command\":\"requests.show\",\"id\":\"b\"}", ERR_GONE, EXIT_NOT_FOUND, "no request b");
    bad("{\"command\":\"requests.show\"}", ERR_PROTO, EXIT_FAILED, "id: missing");
    bad("{\"command\":\"requests.show\",\"id\":\"0123456789012345678901234567890123456789\"}",
        ERR_PROTO, EXIT_FAILED, "id");
}

static void exit_codes(void **state)
{
    static const struct {
        enum err_class cls;
        enum exit_code code;
    } codes[] = { { ERR_NET, 4 }, { ERR_BUSY, 4 }, { ERR_INTERCEPTED, 4 }, { ERR_PROXY, 4 },
        { ERR_AUTH, 5 }, { ERR_FORBIDDEN, 5 }, { ERR_CONFIG, 6 }, { ERR_DENIED, 8 },
        { ERR_TEMPLATE, 8 }, { ERR_MISMATCH, 8 }, { ERR_STORE, 9 }, { ERR_TRUST, 10 },
        { ERR_GONE, 13 }, { ERR_CONFLICT, 14 }, { ERR_INPUT, 2 }, { ERR_CRYPTO, 1 },
        { ERR_NOMEM, 1 } };

    (void)state;
    for (size_t i = 0; i < sizeof codes / sizeof codes[0]; i++)
        assert_int_equal(exit_code_of(codes[i].cls), codes[i].code);
    for (int c = ERR_NONE + 1; c < ERR_CLASS_COUNT; c++)
        assert_int_not_equal(exit_code_of((enum err_class)c), EXIT_OK);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(what_is_no_command),
        TEST(too_much_is_refused),
        TEST(status_without_a_service),
        TEST(lists),
        TEST(whom_each_waits_for),
        TEST(one_request_with_its_history),
        cmocka_unit_test(exit_codes),
    };

    return cmocka_run_group_tests_name("agent_control", tests, NULL, NULL);
}
