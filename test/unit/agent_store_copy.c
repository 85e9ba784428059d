/* A copy of the store: made page by page while the store is written to, and unpacked again; what is none is refused. */
#include <sqlite3.h>
#include <sys/stat.h>
#include "test/t.h"
#include "agent/store/store_copy.h"
#include "test/unit/agent_store_rows.h"

static char path[4200];
static struct store_copy_facts facts;
static struct buf files = BUF_INIT(10000);

static int begin(void **state)
{
    int rc = store_make(state);

    (void)snprintf(path, sizeof path, "%s/copy", dir_root);
    buf_reset(&files);
    return rc;
}

static int end(void **state)
{
    buf_free(&files);
    return store_remove(state);
}

static void many(const char *prefix, int count)
{
    for (int i = 0; i < count; i++) {
        char id[40];
        struct request r;

        (void)snprintf(id, sizeof id, "%s-%d", prefix, i);
        r = row(id, "ca1", i);
        insert(&r);
    }
    commit();
}

static struct store_copy *start(void)
{
    struct err e = { 0 };
    struct store_copy *c = store_copy_begin(store, path, &e);

    if (c == NULL)
        fail_msg("store_copy_begin: %s", e.msg);
    return c;
}

static void finish(struct store_copy *c)
{
    struct err e = { 0 };
    int got;

    while ((got = store_copy_step(c, 4, &e)) == 1)
        continue;
    assert_int_equal(got, 0);
    T_OK(store_copy_attach(c, "a", view_text("first"), &e));
    T_OK(store_copy_attach(c, "b", view_text("second"), &e));
    T_OK(store_copy_end(c, 1234, &e));
}

static int take(void *arg, const char *name, struct view data, struct err *e)
{
    (void)arg;
    (void)e;
    buf_printf(&files, "%s=%.*s ", name, (int)data.len, (const char *)data.p);
    return 0;
}

static int refuse(void *arg, const char *name, struct view data, struct err *e)
{
    (void)arg;
    (void)data;
    return err_set(e, ERR_INPUT, "%s is not wanted", name);
}

static int64_t rows_of(const char *sql)
{
    sqlite3 *db = NULL;
    sqlite3_stmt *q = NULL;
    int64_t n = -1;

    assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
    if (sqlite3_prepare_v2(db, sql, -1, &q, NULL) == SQLITE_OK && sqlite3_step(q) == SQLITE_ROW)
        n = sqlite3_column_int64(q, 0);
    (void)sqlite3_finalize(q);
    (void)sqlite3_close(db);
    return n;
}

static void change(const char *sql)
{
    sqlite3 *db = NULL;

    assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
    assert_int_equal(sqlite3_exec(db, sql, NULL, NULL, NULL), SQLITE_OK);
    (void)sqlite3_close(db);
}

static void there_and_back(void **state)
{
    struct err e = { 0 };
    struct stat st;

    (void)state;
    many("a", 50);
    finish(start());
    assert_int_equal(stat(path, &st), 0);
    assert_int_equal(st.st_mode & 07777, 0600);
    T_OK(store_copy_unpack(path, &facts, take, NULL, &e));
    assert_string_equal(buf_text(&files), "a=first b=second ");
    assert_int_equal(facts.at, 1234);
    assert_int_equal(facts.open, 50);
    assert_int_equal(facts.files, 2);
    assert_int_equal(rows_of("SELECT count(*) FROM request"), 50);
    assert_int_equal(rows_of("SELECT count(*) FROM sqlite_master WHERE name='attachment'"), 0);
    assert_int_equal(rows_of("SELECT value FROM meta WHERE key='backup_at'"), 1234);
    T_ERR(store_copy_unpack(path, &facts, take, NULL, &e), ERR_INPUT); /* it is a store now */
}

/* What is committed before the last page is in it; half of a transaction never is. */
static void written_meanwhile(void **state)
{
    struct request r = row("late", "ca1", 1);
    struct err e = { 0 };
    struct store_copy *c;

    (void)state;
    many("a", 200);
    c = start();
    assert_int_equal(store_copy_step(c, 4, &e), 1);
    assert_in_range(store_copy_percent(c), 1, 99);
    many("b", 200);
    insert(&r);
    for (int i = 0; i < 1000; i++)
        assert_int_equal(store_copy_step(c, 4, &e), 1);
    store_rollback(store);
    finish(c);
    assert_int_equal(rows_of("SELECT count(*) FROM request"), 400);
    T_OK(store_copy_unpack(path, &facts, take, NULL, &e));
}

static void given_up(void **state)
{
    struct err e = { 0 };
    struct stat st;
    struct store_copy *c;

    (void)state;
    many("a", 200);
    c = start();
    assert_int_equal(store_copy_step(c, 4, &e), 1);
    store_copy_drop(c);
    store_copy_drop(NULL);
    assert_int_equal(stat(path, &st), -1);
    many("b", 2); /* the store does not mind */
}

static void never_over_another_file(void **state)
{
    struct err e = { 0 };

    (void)state;
    finish(start());
    assert_null(store_copy_begin(store, path, &e));
    assert_int_equal(e.cls, ERR_CONFLICT);
    T_OK(store_copy_unpack(path, &facts, take, NULL, &e)); /* that one is as it was */
}

static void refused(const char *sql, enum err_class cls)
{
    struct err e = { 0 };

    finish(start());
    change(sql);
    T_ERR(store_copy_unpack(path, &facts, take, NULL, &e), cls);
    assert_int_equal(remove(path), 0);
}

static void what_is_none(void **state)
{
    struct err e = { 0 };

    (void)state;
    many("a", 3);
    refused("DELETE FROM meta WHERE key='copied_at'", ERR_INPUT);
    refused("DROP TABLE attachment", ERR_INPUT);
    refused("PRAGMA user_version=99", ERR_STORE);
    refused("CREATE VIEW v AS SELECT 1", ERR_INPUT);
    refused("CREATE TRIGGER t AFTER UPDATE ON request BEGIN DELETE FROM orphan; END", ERR_INPUT);
    T_ERR(store_copy_unpack(path, &facts, take, NULL, &e), ERR_STORE); /* there is none */
}

static void a_file_that_is_refused_ends_it(void **state)
{
    struct err e = { 0 };

    (void)state;
    finish(start());
    T_ERR(store_copy_unpack(path, &facts, refuse, NULL, &e), ERR_INPUT);
    assert_string_equal(e.msg, "a is not wanted");
    T_OK(store_copy_unpack(path, &facts, take, NULL, &e)); /* and nothing was taken out of it */
    assert_string_equal(buf_text(&files), "a=first b=second ");
}

static void damaged(void **state)
{
    struct err e = { 0 };
    FILE *f;

    (void)state;
    many("a", 400);
    finish(start());
    f = fopen(path, "r+");
    assert_non_null(f);
    assert_int_equal(fseek(f, 3 * 4096, SEEK_SET), 0);
    for (int i = 0; i < 5 * 4096; i++)
        assert_int_not_equal(fputc(i * 7 & 0xff, f), EOF);
    assert_int_equal(fclose(f), 0);
    T_ERR(store_copy_unpack(path, &facts, take, NULL, &e), ERR_STORE);
}

#define TEST(fn) cmocka_unit_test_setup_teardown(fn, begin, end)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(there_and_back),
        TEST(written_meanwhile),
        TEST(given_up),
        TEST(never_over_another_file),
        TEST(what_is_none),
        TEST(a_file_that_is_refused_ends_it),
        TEST(damaged),
    };

    return cmocka_run_group_tests_name("agent_store_copy", tests, NULL, NULL);
}
