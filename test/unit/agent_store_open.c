/* Opening the store: versions, migrations, damaged files, other programs, a killed service. */
#include "test/t.h"
#include <signal.h>
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

static sqlite3 *raw(const char *name)
{
    sqlite3 *db = NULL;

    assert_int_equal(sqlite3_open(dir_path(name), &db), SQLITE_OK);
    return db;
}

static int try_open(bool read_only, struct err *e)
{
    struct store *s = store_open(dir_root, read_only, e);

    store_close(s);
    return s != NULL ? 0 : -1;
}

/* ---- versions ---- */

static void a_newer_schema_is_left_alone(void **state)
{
    static const char *const modes[] = { "WAL", "DELETE" };
    struct buf before = BUF_INIT(1 << 20), after = BUF_INIT(1 << 20);
    struct err e;
    char text[100];

    (void)state;
    for (size_t i = 0; i < 2; i++) {
        sqlite3 *db = raw("certferry.db");

        (void)snprintf(text, sizeof text, "PRAGMA journal_mode=%s", modes[i]);
        sql(db, text);
        (void)snprintf(text, sizeof text, "PRAGMA user_version=%d", store_version + 1);
        sql(db, text);
        (void)sqlite3_close(db);
        dir_read("certferry.db", &before);
        for (int read_only = 0; read_only < 2; read_only++) {
            T_ERR_SAYS(try_open(read_only == 1, &e), ERR_STORE, "this program knows");
            assert_int_equal(store_problem(NULL), STORE_NEWER);
            dir_read("certferry.db", &after);
            assert_true(view_equal(buf_view(&before), buf_view(&after)));
        }
    }
    buf_free(&before);
    buf_free(&after);
}

static size_t tables(sqlite3 *db)
{
    sqlite3_stmt *q = NULL;
    size_t n;

    assert_int_equal(sqlite3_prepare_v2(
                         db, "SELECT count(*) FROM sqlite_schema WHERE type='table'", -1, &q, NULL),
        SQLITE_OK);
    assert_int_equal(sqlite3_step(q), SQLITE_ROW);
    n = (size_t)sqlite3_column_int(q, 0);
    (void)sqlite3_finalize(q);
    return n;
}

/* Killed in the middle of the first migration: it has not happened, and happens at the next start. */
static void a_migration_is_whole_or_not_at_all(void **state)
{
    struct request a = row("a", "ca", 1);
    pid_t child;
    int status;

    (void)state;
    if ((child = fork()) == 0) {
        sqlite3 *db = NULL;

        (void)(sqlite3_open(dir_path("certferry.db"), &db) == SQLITE_OK
               && sqlite3_exec(db, "PRAGMA journal_mode=WAL; BEGIN", NULL, NULL, NULL) == SQLITE_OK
               && sqlite3_exec(db, store_migrations[0], NULL, NULL, NULL) == SQLITE_OK
               && sqlite3_exec(db, "PRAGMA user_version=1", NULL, NULL, NULL) == SQLITE_OK
               && sqlite3_db_cacheflush(db) == SQLITE_OK && kill(getpid(), SIGKILL));
        _exit(1);
    }
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFSIGNALED(status));
    store = store_in(dir_root);
    assert_int_equal(
        tables(store->db), 9); /* challenge, note, ra_pair of the second, audit of the third */
    insert(&a);
    commit();
    reopen();
    assert_true(has("a"));
}

static void a_migration_that_fails_leaves_nothing(void **state)
{
    sqlite3 *db = raw("certferry.db");
    struct err e;

    (void)state;
    sql(db, "CREATE TABLE history (somebody_elses INTEGER)"); /* the third of five */
    (void)sqlite3_close(db);
    T_ERR_SAYS(try_open(false, &e), ERR_STORE, "already exists");
    db = raw("certferry.db");
    assert_int_equal(tables(db), 1);
    (void)sqlite3_close(db);
}

/* ---- damage and rivals ---- */

static void garbage_is_not_a_store(void **state)
{
    struct buf now = BUF_INIT(1 << 20);
    static uint8_t junk[20000];
    struct err e;

    (void)state;
    for (size_t i = 0; i < sizeof junk; i++)
        junk[i] = (uint8_t)(i * 131 + i / 251);
    dir_put("certferry.db", junk, sizeof junk, 0600);
    for (int read_only = 0; read_only < 2; read_only++) {
        T_ERR_SAYS(try_open(read_only == 1, &e), ERR_STORE, "restore a backup, do not delete it");
        assert_int_equal(store_problem(NULL), STORE_CORRUPT);
    }
    dir_read("certferry.db", &now); /* never replaced by an empty one */
    assert_true(view_equal(buf_view(&now), view_of(junk, sizeof junk)));
    buf_free(&now);
}

/* A page in the middle is overwritten: found at the start, not days later. */
static void a_damaged_page_is_found(void **state)
{
    struct buf db = BUF_INIT(4 << 20);
    struct err e;
    size_t found = 0;
    char id[20];

    (void)state;
    for (int i = 0; i < 300; i++) {
        (void)snprintf(id, sizeof id, "request-%d", i);
        struct request r = row(id, "ca", i);

        insert(&r);
    }
    commit();
    store_close(store);
    store = NULL;
    dir_read("certferry.db", &db);
    assert_true(db.len > 10 * 4096);
    for (size_t page = 1; page < db.len / 4096; page++) {
        struct buf hurt = BUF_INIT(4 << 20);

        buf_add_view(&hurt, buf_view(&db));
        memset(hurt.p + page * 4096, 0xa5, 200);
        dir_put("certferry.db", hurt.p, hurt.len, 0600);
        if (try_open(false, &e) != 0) {
            found++;
            assert_int_equal(e.cls, ERR_STORE);
            assert_int_equal(store_problem(NULL), STORE_CORRUPT);
            assert_non_null(strstr(e.msg, "restore a backup"));
        }
        (void)unlink(dir_path("certferry.db-wal"));
        buf_free(&hurt);
    }
    assert_int_equal(found, db.len / 4096 - 1);
    buf_free(&db);
}

static void a_check_of_the_whole(void **state)
{
    struct err e = { 0 };

    (void)state;
    T_OK(store_check(store, &e));
    sql(store->db, "PRAGMA writable_schema=ON; UPDATE sqlite_schema SET rootpage=2 "
                   "WHERE name='blob'");
    store_close(store);
    store = NULL;
    T_ERR(try_open(false, &e), ERR_STORE);
    assert_int_equal(store_problem(NULL), STORE_CORRUPT);
}

/* Somebody else has the file: said after two seconds, nothing broken. */
static void another_has_it_open(void **state)
{
    struct request a = row("a", "ca", 1);
    sqlite3 *db;
    struct err e = { 0 };

    (void)state;
    insert(&a);
    commit();
    db = raw("certferry.db"); /* while the service runs nobody else gets in */
    assert_int_equal(
        sqlite3_exec(db, "SELECT count(*) FROM request", NULL, NULL, NULL), SQLITE_BUSY);
    store_close(store);
    store = NULL;
    sql(db, "BEGIN EXCLUSIVE");
    T_ERR_SAYS(try_open(false, &e), ERR_STORE, "another program has it open");
    assert_int_equal(store_problem(NULL), STORE_LOCKED);
    sql(db, "ROLLBACK");
    (void)sqlite3_close(db);
    store = store_in(dir_root);
    assert_true(has("a"));
}

/* What had been committed when the process was killed is there; the rest is not. */
static void killed_in_a_transaction(void **state)
{
    struct request a = row("a", "ca", 1), b = row("b", "ca", 1);
    struct err e = { 0 };
    pid_t child;
    int status;

    (void)state;
    if ((child = fork()) == 0) {
        store = store_open(dir_root, false, &e);
        if (store != NULL && store_insert(store, &a, view_text("{}"), &e) == 1
            && store_commit(store, &e) == 0 && store_insert(store, &b, view_text("{}"), &e) == 1
            && sqlite3_db_cacheflush(store->db) == SQLITE_OK)
            (void)kill(getpid(), SIGKILL);
        _exit(1);
    }
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFSIGNALED(status));
    store = store_in(dir_root);
    assert_true(has("a"));
    assert_false(has("b"));
}

static void the_folder(void **state)
{
    struct err e = { 0 };
    struct store *s;
    struct stat st;

    (void)state;
    s = store_open(dir_path("made"), false, &e);
    assert_non_null(s);
    store_close(s);
    assert_int_equal(stat(dir_path("made"), &st), 0);
    assert_int_equal(st.st_mode & 07777, 0700);
    assert_int_equal(chmod(dir_root, 0755), 0);
    T_ERR_SAYS(try_open(false, &e), ERR_CONFIG, "others may enter it");
    assert_int_equal(chmod(dir_root, 0700), 0);
    store_close(NULL);
}

#define WITH_STORE(fn) cmocka_unit_test_setup_teardown(fn, store_make, store_remove)
#define WITHOUT(fn)    cmocka_unit_test_setup_teardown(fn, dir_make, store_remove)

int main(void)
{
    const struct CMUnitTest tests[] = {
        WITHOUT(a_newer_schema_is_left_alone),
        WITHOUT(a_migration_is_whole_or_not_at_all),
        WITHOUT(a_migration_that_fails_leaves_nothing),
        WITHOUT(garbage_is_not_a_store),
        WITH_STORE(a_damaged_page_is_found),
        WITH_STORE(a_check_of_the_whole),
        WITH_STORE(another_has_it_open),
        WITHOUT(killed_in_a_transaction),
        WITHOUT(the_folder),
    };

    return cmocka_run_group_tests_name("agent_store_open", tests, NULL, NULL);
}
