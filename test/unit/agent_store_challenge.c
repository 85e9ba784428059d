/* The store and SCEP: challenges that serve once, what plugins note, transactions and serial numbers. */
#include "test/t.h"
#include "agent/store/store_sql.h"
#include "test/unit/agent_store_rows.h"

static int reserve(const char *digest, const char *id)
{
    struct err e = { 0 };
    int got = store_reserve(store, digest, id, 1000, &e);

    if (got < 0)
        fail_msg("%s: %s", digest, e.msg);
    return got;
}

static int taken(const char *digest, const char *id)
{
    struct err e = { 0 };
    int got = store_reserved(store, digest, id, &e);

    if (got < 0)
        fail_msg("%s: %s", digest, e.msg);
    return got;
}

/* ---- challenges ---- */

static void a_challenge_is_one_requests(void **state)
{
    (void)state;
    assert_int_equal(taken("c1", "a"), 0); /* nobody's */
    assert_int_equal(reserve("c1", "a"), 1);
    assert_int_equal(reserve("c1", "a"), 1); /* still its own */
    assert_int_equal(reserve("c1", "b"), 0);
    assert_int_equal(taken("c1", "a"), 0);
    assert_int_equal(taken("c1", "b"), 1);
    assert_int_equal(reserve("C1", "b"), 1); /* another text is another challenge */
    assert_int_equal(reserve("c1 ", "b"), 1);
    commit();
    reopen();
    assert_int_equal(reserve("c1", "b"), 0);
    assert_int_equal(reserve("c1", "a"), 1);
}

static void a_reservation_is_of_its_transaction(void **state)
{
    (void)state;
    assert_int_equal(reserve("c1", "a"), 1);
    store_rollback(store);
    assert_int_equal(taken("c1", "b"), 0);
    assert_int_equal(reserve("c1", "b"), 1);
    reopen(); /* not committed either */
    assert_int_equal(reserve("c1", "c"), 1);
    commit();
    reopen();
    assert_int_equal(taken("c1", "a"), 1);
}

static void released_with_its_request(void **state)
{
    struct err e = { 0 };

    (void)state;
    assert_int_equal(reserve("c1", "a"), 1);
    assert_int_equal(reserve("c2", "a"), 1);
    assert_int_equal(reserve("c3", "b"), 1);
    commit();
    T_OK(store_release(store, "c1", "a", &e));
    T_OK(store_release(store, "c1", "a", &e));      /* twice is once */
    T_OK(store_release(store, "c2", "nobody", &e)); /* it is another's */
    T_OK(store_release(store, "c3", "a", &e));
    commit();
    reopen();
    assert_int_equal(reserve("c1", "z"), 1);
    assert_int_equal(reserve("c2", "z"), 0);
    assert_int_equal(reserve("c3", "z"), 0);
}

/* ---- notes ---- */

static char value[5000];

static int note(const char *plugin, const char *key, int64_t now)
{
    struct err e = { 0 };
    int got = store_note_get(store, plugin, key, now, value, sizeof value, &e);

    if (got < 0)
        fail_msg("%s: %s", key, e.msg);
    return got;
}

static int add(const char *key, const char *text, int64_t expires_at, int64_t now)
{
    struct err e = { 0 };
    int got = store_note_add(store, "p", key, text, expires_at, now, &e);

    if (got < 0)
        fail_msg("%s: %s", key, e.msg);
    return got;
}

static int64_t count(const char *plugin, const char *prefix, int64_t now)
{
    struct err e = { 0 };
    int64_t n = -1;

    T_OK(store_note_count(store, plugin, prefix, now, &n, &e));
    return n;
}

static void notes_are_kept(void **state)
{
    struct err e = { 0 };

    (void)state;
    assert_int_equal(note("p", "k", 5), 0);
    T_OK(store_note_put(store, "p", "k", "one", 0, &e));
    T_OK(store_note_put(store, "q", "k", "another plugin's", 0, &e));
    T_OK(store_note_put(store, "p", "'; DROP TABLE note; --", "\xc3\xa4\n\"'", 0, &e));
    commit();
    reopen();
    assert_int_equal(note("p", "k", INT64_MAX), 1); /* 0 = never */
    assert_string_equal(value, "one");
    assert_int_equal(note("q", "k", 5), 1);
    assert_string_equal(value, "another plugin's");
    assert_int_equal(note("p", "'; DROP TABLE note; --", 5), 1);
    assert_string_equal(value, "\xc3\xa4\n\"'");
    assert_int_equal(note("p", "K", 5), 0);
    T_OK(store_note_put(store, "p", "k", "", 0, &e)); /* replaces; an empty value is one */
    assert_int_equal(note("p", "k", 5), 1);
    assert_string_equal(value, "");
    T_OK(store_note_drop(store, "p", "k", &e));
    T_OK(store_note_drop(store, "p", "k", &e));
    assert_int_equal(note("p", "k", 5), 0);
    assert_int_equal(note("q", "k", 5), 1);
}

static void notes_expire(void **state)
{
    struct err e = { 0 };

    (void)state;
    T_OK(store_note_put(store, "p", "k", "one", 100, &e));
    assert_int_equal(note("p", "k", 99), 1);
    assert_int_equal(note("p", "k", 100), 0); /* at that second it is over */
    assert_int_equal(count("p", "", 99), 1);
    assert_int_equal(count("p", "", 100), 0);
    T_OK(store_note_put(store, "p", "for ever", "two", 0, &e));
    T_OK(store_expire(store, 101, &e)); /* and in the end the row goes, too */
    assert_int_equal(note("p", "k", 99), 0);
    assert_int_equal(note("p", "for ever", 99), 1);
}

static void added_once(void **state)
{
    (void)state;
    assert_int_equal(add("k", "one", 100, 50), 1);
    assert_int_equal(add("k", "two", 200, 99), 0);
    assert_int_equal(note("p", "k", 60), 1);
    assert_string_equal(value, "one");
    assert_int_equal(add("k", "three", 200, 100), 1); /* the first has expired */
    assert_int_equal(note("p", "k", 150), 1);
    assert_string_equal(value, "three");
    assert_int_equal(add("never", "one", 0, 50), 1);
    assert_int_equal(add("never", "two", 0, INT64_MAX), 0);
}

static void counted_by_their_beginning(void **state)
{
    static const char *const keys[] = { "otp/1", "otp/2", "otp", "ot_/3", "%", "otp%", "OTP/4" };
    struct err e = { 0 };

    (void)state;
    for (size_t i = 0; i < sizeof keys / sizeof keys[0]; i++)
        T_OK(store_note_put(store, "p", keys[i], "x", 0, &e));
    T_OK(store_note_put(store, "q", "otp/5", "x", 0, &e));
    assert_int_equal(count("p", "otp/", 1), 2);
    assert_int_equal(count("p", "otp", 1), 4);
    assert_int_equal(count("p", "ot_", 1), 1); /* no pattern, a text */
    assert_int_equal(count("p", "%", 1), 1);
    assert_int_equal(count("p", "", 1), 7);
    assert_int_equal(count("q", "", 1), 1);
    assert_int_equal(count("nobody", "", 1), 0);
}

/* ---- transactions and serial numbers ---- */

static void insert_named(
    const char *id, const char *ca, const char *alias, const char *serial, int64_t at)
{
    struct request r = row(id, ca, at);

    (void)snprintf(r.alias, sizeof r.alias, "%s", alias);
    (void)snprintf(r.serial, sizeof r.serial, "%s", serial);
    r.received_at = at;
    insert(&r);
}

static const char *by_alias(const char *alias)
{
    static struct request r;
    struct err e = { 0 };
    int got = store_find_alias(store, alias, &r, &e);

    assert_in_range(got, 0, 1);
    return got == 1 ? r.id : "none";
}

static const char *by_serial(const char *ca, const char *serial)
{
    static struct request r;
    struct err e = { 0 };
    int got = store_find_serial(store, ca, serial, &r, &e);

    assert_in_range(got, 0, 1);
    return got == 1 ? r.id : "none";
}

static void the_newest_of_a_transaction(void **state)
{
    struct request r;
    struct err e = { 0 };

    (void)state;
    insert_named("a", "one", "t1", "", 10);
    insert_named("b", "one", "t1", "", 30);
    insert_named("c", "one", "t1", "", 20);
    insert_named("d", "one", "t2", "", 5);
    insert_named("e", "one", "", "", 50);
    commit();
    reopen();
    assert_string_equal(by_alias("t1"), "b");
    assert_string_equal(by_alias("t2"), "d");
    assert_string_equal(by_alias("t3"), "none");
    assert_string_equal(by_alias(""), "none"); /* what has none is not found by none */
    insert_named("f", "one", "t1", "", 30);    /* of the same second: the later one */
    assert_string_equal(by_alias("t1"), "f");
    assert_int_equal(store_get(store, "d", &r, &e), 1);
    (void)snprintf(r.alias, sizeof r.alias, "t4");
    T_OK(store_update(store, &r, NULL, &e)); /* it is set once */
    assert_string_equal(by_alias("t2"), "d");
    assert_string_equal(by_alias("t4"), "none");
}

static void a_serial_number_is_of_a_ca(void **state)
{
    (void)state;
    insert_named("a", "one", "", "0A", 10);
    insert_named("b", "two", "", "0A", 20);
    insert_named("c", "one", "", "0B", 10);
    insert_named("d", "one", "", "0B", 20);
    insert_named("e", "one", "", "", 30);
    assert_string_equal(by_serial("one", "0A"), "a");
    assert_string_equal(by_serial("two", "0A"), "b");
    assert_string_equal(by_serial("one", "0B"), "d");
    assert_string_equal(by_serial("two", "0B"), "none");
    assert_string_equal(by_serial("one", "0a"), "none");
    assert_string_equal(by_serial("one", ""), "none");
}

/* ---- a store of the version before ---- */

static void old_store(void)
{
    sqlite3 *db = NULL;
    char *why = NULL;

    assert_int_equal(sqlite3_open(dir_path("certferry.db"), &db), SQLITE_OK);
    if (sqlite3_exec(db, store_migrations[0], NULL, NULL, &why) != SQLITE_OK
        || sqlite3_exec(db,
               "INSERT INTO request VALUES ('a', 'pkcsIssue', 'csr', 'retrying', 1, 'one', 'User',"
               " 'CN=a', 'lease', 'activity', 1, 2, 3, 4, 5, 6, 7, 8, 9, 1, 0, 'ref', '0A', "
               "'digest',"
               " 'ERR_NET', 7, 'why');"
               "INSERT INTO blob VALUES ('a', 'key', x'0102');"
               "INSERT INTO blob VALUES ('a', 'result', x'040506');"
               "INSERT INTO history VALUES ('a', 3, 'received', 'long ago');"
               "INSERT INTO history VALUES ('a', 4, 'went on', '');"
               "INSERT INTO meta VALUES ('epoch', '9');"
               "PRAGMA user_version=1",
               NULL, NULL, &why)
               != SQLITE_OK)
        fail_msg("%s", why);
    (void)sqlite3_close(db);
}

static char lines[200];

static void add_line(void *arg, int64_t at, const char *event, const char *text)
{
    (void)arg;
    (void)snprintf(lines + strlen(lines), sizeof lines - strlen(lines), "%lld %s %s|",
        (long long)at, event, text);
}

static void the_version_before_is_taken_over(void **state)
{
    struct buf blobs[BLOB_COUNT];
    struct request r;
    struct err e = { 0 };
    char epoch[8];

    (void)state;
    old_store();
    store = store_in(dir_root);
    assert_int_equal(store_get(store, "a", &r, &e), 1);
    assert_string_equal(r.alias, "");
    assert_string_equal(r.subject, "CN=a");
    assert_int_equal(r.state, REQUEST_RETRYING);
    assert_int_equal(r.why.cls, ERR_NET);
    assert_int_equal(r.next_at, 6);
    for (size_t b = 0; b < BLOB_COUNT; b++)
        blobs[b] = (struct buf)BUF_INIT(100);
    T_OK(store_get_blobs(store, "a", blobs, &e));
    assert_int_equal(blobs[BLOB_KEY].len, 2);
    assert_int_equal(blobs[BLOB_RESULT].len, 3);
    assert_int_equal(blobs[BLOB_CSR].len, 0);
    lines[0] = '\0';
    T_OK(store_history(store, "a", add_line, NULL, &e));
    assert_string_equal(lines, "3 received long ago|4 went on |");
    for (size_t b = 0; b < BLOB_COUNT; b++)
        buf_free(&blobs[b]);
    assert_int_equal(store_meta_get(store, "epoch", epoch, sizeof epoch, &e), 1);
    assert_string_equal(epoch, "9");
    assert_string_equal(by_serial("one", "0A"), "a");
    assert_string_equal(by_alias(""), "none");
    assert_int_equal(reserve("c1", "a"), 1); /* and what is new works */
    T_OK(store_note_put(store, "p", "k", "v", 0, &e));
    T_OK(store_update(store, &r, "went on", &e));
    insert_named("b", "one", "t1", "", 10);
    commit();
    reopen();
    assert_string_equal(by_alias("t1"), "b");
    assert_int_equal(note("p", "k", 1), 1);
}

/* What a statement reads has to stay a few pages however much there is. */
static void nothing_is_found_by_reading_everything(void **state)
{
    static const enum sql quick[] = { SQL_INSERT, SQL_UPDATE, SQL_SET_SERIAL, SQL_GET, SQL_PUT_BLOB,
        SQL_DROP_BLOB, SQL_KEEP_BLOB, SQL_GET_BLOBS, SQL_DUE, SQL_NEXT_AT, SQL_COUNT_DUE,
        SQL_LEASES, SQL_EXPIRE_BLOBS, SQL_ADD_HISTORY, SQL_HISTORY, SQL_FIND_ALIAS, SQL_FIND_SERIAL,
        SQL_RESERVE, SQL_RESERVED_FOR, SQL_RELEASE, SQL_NOTE_GET, SQL_NOTE_PUT, SQL_NOTE_DROP,
        SQL_OLDEST };

    (void)state;
    for (size_t i = 0; i < sizeof quick / sizeof quick[0]; i++) {
        char text[2000];
        sqlite3_stmt *q = NULL;

        (void)snprintf(text, sizeof text, "EXPLAIN QUERY PLAN %s", store_sql[quick[i]]);
        assert_int_equal(sqlite3_prepare_v2(store->db, text, -1, &q, NULL), SQLITE_OK);
        while (sqlite3_step(q) == SQLITE_ROW) {
            const char *step = (const char *)sqlite3_column_text(q, 3);

            if (strncmp(step, "SCAN", 4) == 0 && strstr(step, "CONSTANT ROW") == NULL
                && strstr(step, "USING") == NULL && strcmp(step, "SCAN w") != 0)
                fail_msg("%s: %s", store_sql[quick[i]], step);
        }
        (void)sqlite3_finalize(q);
    }
}

#define TEST(fn) cmocka_unit_test_setup_teardown(fn, store_make, store_remove)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_challenge_is_one_requests),
        TEST(a_reservation_is_of_its_transaction),
        TEST(released_with_its_request),
        TEST(nothing_is_found_by_reading_everything),
        TEST(notes_are_kept),
        TEST(notes_expire),
        TEST(added_once),
        TEST(counted_by_their_beginning),
        TEST(the_newest_of_a_transaction),
        TEST(a_serial_number_is_of_a_ca),
        cmocka_unit_test_setup_teardown(the_version_before_is_taken_over, dir_make, store_remove),
    };

    return cmocka_run_group_tests_name("agent_store_challenge", tests, NULL, NULL);
}
