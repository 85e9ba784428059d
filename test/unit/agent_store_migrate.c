/* Stores that an earlier version left behind, with data in every table: all of it is there afterwards. */
#include "test/t.h"
#include "agent/store/store_sql.h"
#include "test/unit/agent_clock.h"
#include "test/unit/agent_store_rows.h"

static void sql(sqlite3 *db, const char *text)
{
    char *why = NULL;

    if (sqlite3_exec(db, text, NULL, NULL, &why) != SQLITE_OK)
        fail_msg("%s: %s", text, why);
}

/* A store of that version, without data. */
static sqlite3 *old_store(int version)
{
    sqlite3 *db = NULL;
    char text[60];

    assert_int_equal(sqlite3_open(dir_path("certferry.db"), &db), SQLITE_OK);
    sql(db, "PRAGMA journal_mode=WAL");
    for (int i = 0; i < version; i++)
        sql(db, store_migrations[i]);
    (void)snprintf(text, sizeof text, "PRAGMA user_version=%d", version);
    sql(db, text);
    return db;
}

static int64_t number(const char *text)
{
    sqlite3_stmt *q = NULL;
    int64_t v;

    assert_int_equal(sqlite3_prepare_v2(store->db, text, -1, &q, NULL), SQLITE_OK);
    assert_int_equal(sqlite3_step(q), SQLITE_ROW);
    v = sqlite3_column_int64(q, 0);
    (void)sqlite3_finalize(q);
    return v;
}

static int start(void **state)
{
    return dir_make(state);
}

/* ---- what is looked at ---- */

static struct request got_request(const char *id)
{
    struct request r = { 0 };
    struct err e = { 0 };

    assert_int_equal(store_get(store, id, &r, &e), 1);
    return r;
}

static void blob_is(const char *id, enum blob which, const char *want)
{
    struct buf blobs[BLOB_COUNT];
    struct err e = { 0 };

    for (int b = 0; b < BLOB_COUNT; b++)
        blobs[b] = (struct buf)BUF_INIT(10000);
    T_OK(store_get_blobs(store, id, blobs, &e));
    assert_true(view_equal(buf_view(&blobs[which]), view_text(want)));
    for (int b = 0; b < BLOB_COUNT; b++)
        buf_free(&blobs[b]);
}

static char lines[1000];

static void add_history(void *arg, int64_t at, const char *event, const char *text)
{
    size_t len = strlen(lines);

    (void)arg;
    (void)snprintf(lines + len, sizeof lines - len, "%lld %s %s|", (long long)at, event, text);
}

static void add_orphan(void *arg, const struct orphan *o)
{
    size_t len = strlen(lines);

    (void)arg;
    (void)snprintf(lines + len, sizeof lines - len, "%s %s %s %lld %lld%s|", o->serial, o->spki,
        o->request_id, (long long)o->at, (long long)o->settled_at, o->settled);
}

static const char *history(const char *id)
{
    struct err e = { 0 };

    lines[0] = '\0';
    T_OK(store_history(store, id, add_history, NULL, &e));
    return lines;
}

static const char *orphans(void)
{
    struct err e = { 0 };

    lines[0] = '\0';
    T_OK(store_orphans(store, false, add_orphan, NULL, &e));
    return lines;
}

/* It goes on: every table takes what a service writes. */
static void goes_on(const char *id)
{
    struct request r = got_request(id), fresh = row("fresh", "ca", 9);
    struct err e = { 0 };

    T_OK(store_update(store, &r, "goes on", &e));
    T_OK(store_put_blob(store, id, BLOB_NOTES, view_text("notes"), &e));
    insert(&fresh);
    assert_int_equal(store_reserve(store, "challenge", "fresh", 1, &e), 1);
    T_OK(store_note_put(store, "plugin", "key", "value", 0, &e));
    sql(store->db, "INSERT INTO audit VALUES (1, 2, 'e', 'a', 's', 'd', 'h')");
    assert_int_equal(store_settle_orphans(store, "b", "", 77, "revoked", &e), 1);
    commit();
    reopen();
    blob_is(id, BLOB_NOTES, "notes");
    assert_true(has("fresh"));
    assert_non_null(strstr(history(id), " goes on "));
    assert_string_equal(orphans(), "");
    assert_int_equal(number("PRAGMA user_version"), store_version);
}

/* ---- version 1 ---- */

static void from_the_first(void **state)
{
    sqlite3 *db = old_store(1);
    struct request r;
    char value[20];
    struct err e = { 0 };

    (void)state;
    sql(db,
        "INSERT INTO meta VALUES ('epoch','E'), ('counter','41');"
        "INSERT INTO request VALUES "
        "('gone','pkcsIssue','key','ready',1,'ca','T','CN=x','','',0,0,0,"
        "0,0,0,0,0,0,0,0,'','','','',0,'');"
        "INSERT INTO request VALUES ('a','pkcsIssue','collect','pending',1,'ca1','User','CN=ada',"
        "'lease-7','act',1001,2,1002,1003,1004,1005,0,3,1,2,0,'ref-9','','','Network',28,'cut');"
        "INSERT INTO request VALUES ('b','pkcsIssue','end','rejected',0,'ca2','User','CN=bob',"
        "'lease-8','act2',0,1,2,3,4,0,2005,0,1,0,1,'','0A0B','D1','',0,'');"
        "DELETE FROM request WHERE id='gone';" /* numbers have gaps */
        "INSERT INTO blob VALUES ('b','result',x'7231'), ('a','item','{}'), ('a','data_key','dk'),"
        "('a','key','k'), ('a','csr','c'), ('a','chain','ch'), ('nobody','key','lost');"
        "INSERT INTO history VALUES ('a',11,'received',''), ('b',12,'received',''),"
        "('a',13,'submit','text'), ('nobody',14,'received',''), ('b',15,'rejected','why');"
        "INSERT INTO orphan VALUES ('','SPKI','b','ca2','CN=bob','perhaps',2004)");
    (void)sqlite3_close(db);
    store = store_in(dir_root);
    r = got_request("a");
    assert_int_equal(r.state, REQUEST_PENDING);
    assert_string_equal(r.step, "collect");
    assert_string_equal(r.lease, "lease-7");
    assert_string_equal(r.reference, "ref-9");
    assert_string_equal(r.alias, "");
    assert_string_equal(r.why.msg, "cut");
    assert_true(r.lease_expires_at == 1001 && r.attempt == 2 && r.created_at == 1002
                && r.expires_at == 1003 && r.received_at == 1004 && r.next_at == 1005
                && r.tries == 3 && r.submits == 1 && r.noticed == 2 && !r.failed);
    blob_is("a", BLOB_ITEM, "{}");
    blob_is("a", BLOB_DATA_KEY, "dk");
    blob_is("a", BLOB_KEY, "k");
    blob_is("a", BLOB_CSR, "c");
    blob_is("a", BLOB_CHAIN, "ch");
    r = got_request("b");
    assert_true(r.state == REQUEST_REJECTED && r.failed && r.ended_at == 2005);
    assert_string_equal(r.serial, "0A0B");
    assert_string_equal(r.digest, "D1");
    blob_is("b", BLOB_RESULT, "r1");
    blob_is("b", BLOB_KEY, "");
    assert_int_equal(number("SELECT count(*) FROM blob"), 6); /* nobody's is gone */
    assert_string_equal(history("a"), "11 received |13 submit text|");
    assert_string_equal(history("b"), "12 received |15 rejected why|");
    assert_string_equal(orphans(), " SPKI b 2004 0|");
    assert_int_equal(store_meta_get(store, "counter", value, sizeof value, &e), 1);
    assert_string_equal(value, "41");
    assert_int_equal(store_find_serial(store, "ca2", "0A0B", &r, &e), 1);
    goes_on("a");
}

/* ---- version 2 ---- */

static void add_ra(void *arg, const struct store_ra *r)
{
    ++*(int *)arg;
    assert_int_equal(r->generation, 3);
    assert_int_equal(r->use, 's');
    assert_true(view_equal(r->key, view_text("sealed")));
}

static void from_the_second(void **state)
{
    sqlite3 *db = old_store(2);
    struct request r;
    char value[20];
    int pairs = 0;
    struct err e = { 0 };

    (void)state;
    sql(db,
        "INSERT INTO meta VALUES ('epoch','E');"
        "INSERT INTO request VALUES "
        "(5,'a','scep','notify','retrying',1,'ca1','User','CN=dev','','',"
        "0,0,1,2,3,4,0,1,1,0,0,'ref','0C','D2','Busy',0,'later','alias-of-a');"
        "INSERT INTO request VALUES (9,'b','pkcsIssue','end','superseded',0,'ca2','User','CN=bob',"
        "'l','',0,1,2,3,4,0,2005,0,1,0,0,'','','','',0,'','');"
        "INSERT INTO blob VALUES (5*16+5,'signer'), (5*16+6,'n'), (5*16+7,'result');"
        "INSERT INTO history VALUES (5,1,11,'received',''), (5,2,12,'ask',''), "
        "(9,1,13,'received','');"
        "INSERT INTO orphan VALUES ('0D','SPKI','b','ca2','CN=bob','lost',2004);"
        "INSERT INTO challenge VALUES ('digest','a',10);"
        "INSERT INTO note VALUES ('otp','k','v',0);"
        "INSERT INTO ra_pair VALUES ('dev',3,'s','ra-dev-3-s','path','dk','sealed',1,2,3,0)");
    (void)sqlite3_close(db);
    store = store_in(dir_root);
    r = got_request("a");
    assert_true(r.state == REQUEST_RETRYING && r.submits == 1);
    assert_int_equal(store_find_alias(store, "alias-of-a", &r, &e), 1);
    assert_int_equal(store_find_serial(store, "ca1", "0C", &r, &e), 1);
    blob_is("a", BLOB_SIGNER, "signer");
    blob_is("a", BLOB_RESULT, "result");
    assert_string_equal(history("a"), "11 received |12 ask |");
    assert_string_equal(orphans(), "0D SPKI b 2004 0|");
    assert_int_equal(store_reserved(store, "digest", "b", &e), 1);
    assert_int_equal(store_reserved(store, "digest", "a", &e), 0);
    assert_int_equal(store_note_get(store, "otp", "k", 1, value, sizeof value, &e), 1);
    T_OK(store_ra_list(store, "dev", add_ra, &pairs, &e));
    assert_int_equal(pairs, 1);
    assert_int_equal(number("SELECT count(*) FROM audit"), 0);
    goes_on("a");
}

/* A command looks into it before the service has: nothing is changed, and it is said what to do. */
static void an_old_one_read_only(void **state)
{
    struct err e = { 0 };

    (void)state;
    for (int version = 1; version < store_version; version++) {
        sqlite3 *db = old_store(version);
        struct store *s;

        (void)sqlite3_close(db);
        s = store_open(dir_root, true, &e);
        assert_null(s);
        assert_int_equal(e.cls, ERR_STORE);
        assert_non_null(strstr(e.msg, "start the service once"));
        (void)unlink(dir_path("certferry.db"));
    }
}

#define TEST(fn) cmocka_unit_test_setup_teardown(fn, start, store_remove)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(from_the_first),
        TEST(from_the_second),
        TEST(an_old_one_read_only),
    };

    return cmocka_run_group_tests_name("agent_store_migrate", tests, NULL, NULL);
}
