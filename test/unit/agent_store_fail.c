/* The store when a write or a read fails: nothing half done, and the right problem named. */
#include "test/t.h"
#include <sys/wait.h>
#include "agent/store/store_sql.h"
#include "test/unit/agent_clock.h"
#include "test/unit/agent_store_rows.h"

static void sql(sqlite3 *db, const char *text)
{
    char *why = NULL;

    if (sqlite3_exec(db, text, NULL, NULL, &why) != SQLITE_OK)
        fail_msg("%s: %s", text, why);
}

static int try_open(bool read_only, struct err *e)
{
    struct store *s = store_open(dir_root, read_only, e);

    store_close(s);
    return s != NULL ? 0 : -1;
}

static int refuse_commit(void *arg)
{
    int *times = arg;

    return (*times)-- > 0;
}

/* One commit fails: everything of it is gone, somebody is told, the next one works. */
static void a_failed_commit_loses_all_of_it(void **state)
{
    struct request a = row("a", "ca", 1), b = row("b", "ca", 1), got;
    struct err e = { 0 };
    int times = 1;

    (void)state;
    insert(&a);
    commit();
    (void)sqlite3_commit_hook(store->db, refuse_commit, &times);
    insert(&b);
    a.next_at = 50;
    T_OK(store_update(store, &a, "moved", &e));
    T_ERR_SAYS(store_commit(store, &e), ERR_STORE, "certferry.db: ");
    assert_false(store_dirty(store));
    assert_true(store_lost(store));
    assert_false(store_lost(store));
    assert_int_not_equal(store_problem(store), STORE_FINE);
    assert_false(has("b"));
    assert_int_equal(store_get(store, "a", &got, &e), 1);
    assert_int_equal(got.next_at, 1);
    insert(&b);
    commit();
    assert_int_equal(store_problem(store), STORE_FINE);
    assert_false(store_lost(store));
    reopen();
    assert_true(has("b"));
}

static void limit_pages(int more)
{
    char text[100];
    sqlite3_stmt *q = NULL;

    assert_int_equal(sqlite3_prepare_v2(store->db, "PRAGMA page_count", -1, &q, NULL), SQLITE_OK);
    assert_int_equal(sqlite3_step(q), SQLITE_ROW);
    (void)snprintf(text, sizeof text, "PRAGMA max_page_count=%d", sqlite3_column_int(q, 0) + more);
    (void)sqlite3_finalize(q);
    sql(store->db, text);
}

/* The disk is full in the middle of a transaction; later there is space again: no restart. */
static void a_full_disk(void **state)
{
    static uint8_t big[200000];
    struct request a = row("a", "ca", 1), b = row("b", "ca", 1);
    struct err e = { 0 };

    (void)state;
    insert(&a);
    commit();
    limit_pages(3);
    insert(&b);
    T_ERR_SAYS(store_put_blob(store, "b", BLOB_CHAIN, view_of(big, sizeof big), &e), ERR_STORE,
        "free some space, nothing is lost");
    assert_int_equal(store_problem(store), STORE_FULL);
    assert_false(store_dirty(store));
    assert_true(store_lost(store));
    assert_false(has("b"));
    commit(); /* nothing of the lost transaction is in it */
    limit_pages(1000);
    insert(&b);
    T_OK(store_put_blob(store, "b", BLOB_CHAIN, view_of(big, sizeof big), &e));
    commit();
    assert_int_equal(store_problem(store), STORE_FINE);
    reopen();
    assert_true(has("a") && has("b"));
}

/* A statement that cannot even be prepared is a failed write like any other: a request without its
 * item must not be committed. */
static void half_an_insert_is_none(void **state)
{
    struct request a = row("a", "ca", 1);
    struct err e = { 0 };

    (void)state;
    sql(store->db, "ALTER TABLE blob RENAME TO hidden");
    T_ERR(store_insert(store, &a, view_text("{}"), &e), ERR_STORE);
    assert_false(store_dirty(store));
    assert_true(store_lost(store));
    commit();
    sql(store->db, "ALTER TABLE hidden RENAME TO blob");
    reopen();
    assert_false(has("a"));
}

static void a_failed_read_loses_nothing(void **state)
{
    struct request a = row("a", "ca", 1);
    struct buf out[BLOB_COUNT] = { 0 };
    struct err e = { 0 };

    (void)state;
    insert(&a);
    commit();
    sql(store->db, "ALTER TABLE blob RENAME TO hidden");
    T_ERR(store_get_blobs(store, "a", out, &e), ERR_STORE);
    assert_false(store_lost(store));
    sql(store->db, "ALTER TABLE hidden RENAME TO blob");
    assert_true(has("a"));
}

static void read_only_does_not_write(void **state)
{
    struct request a = row("a", "ca", 1), b = row("b", "ca", 1);
    struct err e = { 0 };

    (void)state;
    insert(&a);
    commit();
    store_close(store);
    store = store_open(dir_root, true, &e);
    assert_non_null(store);
    assert_true(has("a"));
    T_ERR_SAYS(store_insert(store, &b, view_text("{}"), &e), ERR_STORE, "readonly");
    assert_false(has("b"));
    assert_false(store_dirty(store));
}

static void nothing_to_read(void **state)
{
    struct err e;

    (void)state;
    T_ERR(try_open(true, &e), ERR_STORE);
    assert_int_equal(access(dir_path("certferry.db"), F_OK), -1); /* and none was made */
}

/* A file we may read but not write is refused at once, not at the first request. */
static void a_file_we_may_not_write(void **state)
{
    struct err e = { 0 };
    pid_t child;
    int status;

    (void)state;
    if (geteuid() != 0)
        skip(); /* needs another user */
    store_close(store);
    store = NULL;
    assert_int_equal(chmod(dir_path("certferry.db"), 0400), 0);
    assert_int_equal(chown(dir_path("certferry.db"), 4711, 4711), 0);
    assert_int_equal(chown(dir_root, 4711, 4711), 0);
    if ((child = fork()) == 0) {
        if (setuid(4711) != 0)
            _exit(3);
        _exit(store_open(dir_root, false, &e) != NULL ? 2 : e.cls == ERR_STORE ? 0 : 1);
    }
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFEXITED(status));
    assert_int_equal(WEXITSTATUS(status), 0);
    assert_int_equal(chown(dir_root, 0, 0), 0);
}

#define WITH_STORE(fn) cmocka_unit_test_setup_teardown(fn, store_make, store_remove)
#define WITHOUT(fn)    cmocka_unit_test_setup_teardown(fn, dir_make, store_remove)

int main(void)
{
    const struct CMUnitTest tests[] = {
        WITH_STORE(a_failed_commit_loses_all_of_it),
        WITH_STORE(a_full_disk),
        WITH_STORE(half_an_insert_is_none),
        WITH_STORE(a_failed_read_loses_nothing),
        WITH_STORE(read_only_does_not_write),
        WITHOUT(nothing_to_read),
        WITH_STORE(a_file_we_may_not_write),
    };

    return cmocka_run_group_tests_name("agent_store_fail", tests, NULL, NULL);
}
