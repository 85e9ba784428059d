/* The audit log: whatever is changed in it afterwards is named. */
#include "test/t.h"
#include <sqlite3.h>
#include "agent/requests/audit.h"
#include "test/unit/agent_control_ask.h"

static void add(enum audit_event ev, const char *subject)
{
    struct err e = { 0 };

    T_OK(audit_add(&a, ev, "uid 7", subject, "detail", &e));
}

static void three(void)
{
    add(AUDIT_STARTED, "1.2.3");
    add(AUDIT_SECRET_SET, "proxy");
    add(AUDIT_REQUEST_HOLD, "r1");
    commit();
}

static struct audit_verdict verified(void)
{
    struct audit_verdict v = { 0 };
    struct err e = { 0 };

    T_OK(audit_verify(&a, &v, &e));
    return v;
}

/* What somebody with a SQLite shell does. */
static void tamper(const char *sql)
{
    sqlite3 *db = NULL;
    char *why = NULL;

    store_close(store);
    assert_int_equal(sqlite3_open(dir_path("certferry.db"), &db), SQLITE_OK);
    if (sqlite3_exec(db, sql, NULL, NULL, &why) != SQLITE_OK)
        fail_msg("%s: %s", sql, why);
    (void)sqlite3_close(db);
    store = store_in(dir_root);
    a.store = store;
}

static int64_t found(const char *head)
{
    struct audit_verdict v = { .look_for = head };
    struct err e = { 0 };

    T_OK(audit_verify(&a, &v, &e));
    return v.found_at;
}

static void empty_is_whole(void **state)
{
    struct audit_verdict v = verified();

    (void)state;
    assert_int_equal(v.records, 0);
    assert_int_equal(v.broken_at, 0);
    assert_string_equal(v.head, "");
}

static void whole_and_its_head(void **state)
{
    struct audit_verdict v;
    char head[AUDIT_HASH_LEN + 1];
    struct err e = { 0 };
    int64_t n;

    (void)state;
    three();
    v = verified();
    assert_int_equal(v.records, 3);
    assert_int_equal(v.broken_at, 0);
    T_OK(audit_head(&a, &n, head, &e));
    assert_int_equal(n, 3);
    assert_string_equal(v.head, head);
    assert_int_equal(strlen(head), AUDIT_HASH_LEN);
}

static void every_change_is_named(void **state)
{
    static const struct {
        const char *sql;
        int64_t at;
        const char *says;
    } cases[] = {
        { "UPDATE audit SET detail='other' WHERE n=2", 2, "record 2 was changed" },
        { "UPDATE audit SET subject='other' WHERE n=1", 1, "record 1 was changed" },
        { "UPDATE audit SET actor='uid 0' WHERE n=3", 3, "record 3 was changed" },
        { "UPDATE audit SET event='secret.deleted' WHERE n=2", 2, "record 2 was changed" },
        { "UPDATE audit SET at=at-1 WHERE n=2", 2, "record 2 was changed" },
        { "UPDATE audit SET hash=upper(hex(zeroblob(32))) WHERE n=1", 1, "record 1 was changed" },
        { "DELETE FROM audit WHERE n=2", 2, "record 2 is missing; 3 follows" },
        { "DELETE FROM audit WHERE n=1", 1, "record 1 is missing; 2 follows" },
        { "DELETE FROM audit WHERE n=2; UPDATE audit SET n=2 WHERE n=3", 2,
            "record 2 was changed" },
        /* a text moved over the border between two fields */
        { "UPDATE audit SET actor='uid 7r', subject='1' WHERE n=3", 3, "record 3 was changed" },
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct audit_verdict v;

        tamper("DELETE FROM audit");
        three();
        assert_int_equal(verified().broken_at, 0);
        tamper(cases[i].sql);
        v = verified();
        if (v.broken_at != cases[i].at || strstr(v.why, cases[i].says) == NULL)
            fail_msg("%s: %lld %s", cases[i].sql, (long long)v.broken_at, v.why);
    }
}

/* The end cut off is whole in itself: that is what the head is told to others for. */
static void the_end_cut_off_shows_in_the_head(void **state)
{
    char before[AUDIT_HASH_LEN + 1];

    (void)state;
    three();
    memcpy(before, verified().head, sizeof before);
    tamper("DELETE FROM audit WHERE n=3");
    assert_int_equal(verified().broken_at, 0);
    assert_string_not_equal(verified().head, before);
    assert_int_equal(found(before), 0);
    assert_int_equal(found(verified().head), 2);
}

/* No record without what it records, and the other way round. */
static void it_is_part_of_the_transaction(void **state)
{
    struct err e = { 0 };

    (void)state;
    add(AUDIT_STARTED, "1");
    store_rollback(store);
    assert_int_equal(verified().records, 0);
    add(AUDIT_STARTED, "1");
    T_OK(store_commit(store, &e));
    assert_int_equal(verified().records, 1);
}

static void texts_are_cleaned_and_cut(void **state)
{
    char long_text[2000];

    (void)state;
    memset(long_text, 'x', sizeof long_text);
    long_text[sizeof long_text - 1] = '\0';
    add(AUDIT_CONFIG_CHANGED, "a\x1b[31m\n\"b");
    add(AUDIT_CONFIG_CHANGED, long_text);
    commit();
    assert_int_equal(verified().broken_at, 0);
    assert_string_equal(
        text(json_at(
                 member(good("{\"command\":\"audit.export\"}", "certferry.audit/1"), "records"), 0),
            "subject"),
        "a?[31m?\"b");
}

/* ---- commands ---- */

static void commands(void **state)
{
    const struct json *d;

    (void)state;
    (void)snprintf(a.actor, sizeof a.actor, "uid 5");
    d = good("{\"command\":\"audit.add\",\"event\":\"secret.set\",\"subject\":\"proxy\"}",
        "certferry.audit-record/1");
    assert_int_equal(number(d, "n"), 1);
    bad("{\"command\":\"audit.add\",\"event\":\"challenge.accepted\"}", ERR_INPUT, EXIT_USAGE,
        "no event a command may record");
    bad("{\"command\":\"audit.add\",\"event\":\"nonsense\"}", ERR_INPUT, EXIT_USAGE, "nonsense");
    d = member(good("{\"command\":\"audit.export\"}", "certferry.audit/1"), "records");
    assert_int_equal(json_count(d), 1);
    assert_string_equal(text(json_at(d, 0), "actor"), "uid 5");
    assert_string_equal(text(json_at(d, 0), "event"), "secret.set");
    d = member(good("{\"command\":\"audit.export\",\"since\":9000000000}", "certferry.audit/1"),
        "records");
    assert_int_equal(json_count(d), 0);
    tamper("UPDATE audit SET subject='x'");
    d = good("{\"command\":\"audit.verify\"}", "certferry.audit-verdict/1");
    assert_int_equal(number(d, "brokenAt"), 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(empty_is_whole),
        TEST(whole_and_its_head),
        TEST(every_change_is_named),
        TEST(the_end_cut_off_shows_in_the_head),
        TEST(it_is_part_of_the_transaction),
        TEST(texts_are_cleaned_and_cut),
        TEST(commands),
    };

    return cmocka_run_group_tests_name("agent_audit", tests, NULL, NULL);
}
