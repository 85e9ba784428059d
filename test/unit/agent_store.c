/* The store: what is written is what is read, and which requests it finds when. */
#include "test/t.h"
#include "agent/base/clock.h"
#include "test/unit/agent_clock.h"
#include "test/unit/agent_store_rows.h"

/* ---- every member survives ---- */

static void fill(char *to, size_t size, char with)
{
    memset(to, with, size - 1);
    to[size - 1] = '\0';
}

/* Every member has a value that no other has, texts as long as they may be. */
static struct request full_row(void)
{
    struct request r = { .state = REQUEST_PENDING };
    int64_t *const numbers[] = { &r.lease_expires_at, &r.attempt, &r.created_at, &r.expires_at,
        &r.received_at, &r.next_at, &r.ended_at, &r.tries, &r.submits, &r.noticed };

    fill(r.id, sizeof r.id, 'a');
    fill(r.kind, sizeof r.kind, 'b');
    fill(r.step, sizeof r.step, 'c');
    fill(r.ca, sizeof r.ca, 'd');
    fill(r.template_name, sizeof r.template_name, 'e');
    fill(r.subject, sizeof r.subject, 'f');
    fill(r.lease, sizeof r.lease, 'g');
    fill(r.activity, sizeof r.activity, 'h');
    fill(r.reference, sizeof r.reference, 'i');
    fill(r.serial, sizeof r.serial, 'j');
    fill(r.digest, sizeof r.digest, 'k');
    fill(r.alias, sizeof r.alias, 'm');
    for (size_t i = 0; i < sizeof numbers / sizeof numbers[0]; i++)
        *numbers[i] = INT64_MAX - (int64_t)i;
    r.failed = true;
    r.why = (struct err){ .cls = ERR_TEMPLATE, .number = 0xfffffffe, .where = "x.c:1" };
    fill(r.why.msg, sizeof r.why.msg, 'l');
    return r;
}

static void same(const struct request *a, const struct request *b)
{
#define TEXT(member)                       \
    if (strcmp(a->member, b->member) != 0) \
    fail_msg(#member ": \"%s\", not \"%s\"", a->member, b->member)
#define NUMBER(member)          \
    if (a->member != b->member) \
    fail_msg(#member ": %lld, not %lld", (long long)a->member, (long long)b->member)
    TEXT(id);
    TEXT(kind);
    TEXT(step);
    NUMBER(state);
    TEXT(ca);
    TEXT(template_name);
    TEXT(subject);
    TEXT(lease);
    TEXT(activity);
    NUMBER(lease_expires_at);
    NUMBER(attempt);
    NUMBER(created_at);
    NUMBER(expires_at);
    NUMBER(received_at);
    NUMBER(next_at);
    NUMBER(ended_at);
    NUMBER(tries);
    NUMBER(submits);
    NUMBER(noticed);
    NUMBER(failed);
    TEXT(reference);
    TEXT(serial);
    TEXT(digest);
    TEXT(alias);
    NUMBER(why.cls);
    NUMBER(why.number);
    TEXT(why.msg);
}

static void every_member_survives(void **state)
{
    struct request r = full_row(), first, got = { 0 };
    struct err e = { 0 };

    (void)state;
    insert(&r);
    commit();
    reopen();
    assert_int_equal(store_get(store, r.id, &got, &e), 1);
    same(&got, &r);
    assert_int_equal(store_get(store, "another", &got, &e), 0);
    first = row("b", "ca2", -5); /* and the same by an update, of all but the id and alias */
    (void)snprintf(first.alias, sizeof first.alias, "%s", r.alias);
    insert(&first);
    (void)snprintf(r.id, sizeof r.id, "b");
    T_OK(store_update(store, &r, NULL, &e));
    commit();
    reopen();
    assert_int_equal(store_get(store, "b", &got, &e), 1);
    same(&got, &r);
    T_OK(store_update(store, &first, NULL, &e)); /* and back */
    assert_int_equal(store_get(store, "b", &got, &e), 1);
    same(&got, &first);
}

/* Texts are data: quotes, percent signs and UTF-8 come back as they were. */
static void texts_are_data(void **state)
{
    struct request r = row("id'; DROP TABLE request; --", "ca \"x\" %s %n", 1), got;
    struct err e = { 0 };

    (void)state;
    (void)snprintf(r.subject, sizeof r.subject,
        "CN=\xc3\x84"
        "da,O='%%s'\\");
    insert(&r);
    commit();
    reopen();
    assert_int_equal(store_get(store, r.id, &got, &e), 1);
    same(&got, &r);
}

static void every_state_survives(void **state)
{
    struct err e = { 0 };
    struct request r, got;

    (void)state;
    for (int s = REQUEST_READY; s < REQUEST_STATE_COUNT; s++) {
        const char *name = request_state_name((enum request_state)s);

        r = row(name, "ca", 1);
        r.state = (enum request_state)s;
        insert(&r);
        assert_int_equal(store_get(store, name, &got, &e), 1);
        assert_int_equal(got.state, s);
        assert_int_equal(request_state_named(name), s);
        assert_int_equal(request_is_final((enum request_state)s), s >= REQUEST_DELIVERED);
    }
    assert_int_equal(request_state_named("none of them"), REQUEST_NONE);
}

static void every_class_survives(void **state)
{
    struct err e = { 0 };

    (void)state;
    for (int c = ERR_NONE; c < ERR_CLASS_COUNT; c++) {
        struct request r = row(err_name((enum err_class)c), "ca", 1), got;

        if (c != ERR_NONE)
            (void)err_set(&r.why, (enum err_class)c, "because");
        insert(&r);
        assert_int_equal(store_get(store, r.id, &got, &e), 1);
        assert_int_equal(got.why.cls, c);
        assert_string_equal(got.why.msg, c != ERR_NONE ? "because" : "");
    }
}

static void twice_is_once(void **state)
{
    struct request r = row("a", "ca", 1), got;
    struct buf blobs[BLOB_COUNT];
    struct err e = { 0 };

    (void)state;
    insert(&r);
    r.next_at = 99;
    assert_int_equal(store_insert(store, &r, view_text("another item"), &e), 0);
    assert_int_equal(store_get(store, "a", &got, &e), 1);
    assert_int_equal(got.next_at, 1);
    for (size_t b = 0; b < BLOB_COUNT; b++)
        blobs[b] = (struct buf)BUF_INIT(100);
    T_OK(store_get_blobs(store, "a", blobs, &e));
    assert_string_equal(buf_text(&blobs[BLOB_ITEM]), "{}");
    buf_free(&blobs[BLOB_ITEM]);
}

/* ---- blobs ---- */

static void blobs_survive(void **state)
{
    struct request r = row("a", "ca", 1), other = row("b", "ca", 1);
    struct buf out[BLOB_COUNT];
    struct err e = { 0 };
    uint8_t bytes[3000];

    (void)state;
    insert(&r);
    insert(&other);
    for (size_t i = 0; i < sizeof bytes; i++)
        bytes[i] = (uint8_t)i;
    for (int b = 0; b < BLOB_COUNT; b++) {
        out[b] = (struct buf)BUF_INIT(4000);
        buf_add_text(&out[b], "left over");
        T_OK(store_put_blob(store, "a", (enum blob)b, view_text("first"), &e));
        T_OK(
            store_put_blob(store, "a", (enum blob)b, view_of(bytes, sizeof bytes - (size_t)b), &e));
    }
    T_OK(store_put_blob(store, "b", BLOB_KEY, view_text("of b"), &e));
    commit();
    reopen();
    T_OK(store_get_blobs(store, "a", out, &e));
    for (int b = 0; b < BLOB_COUNT; b++)
        assert_true(view_equal(buf_view(&out[b]), view_of(bytes, sizeof bytes - (size_t)b)));
    T_OK(store_put_blob(store, "a", BLOB_KEY, (struct view){ 0 }, &e)); /* I8: keys die */
    T_OK(store_put_blob(store, "a", BLOB_CSR, (struct view){ 0 }, &e));
    T_OK(store_put_blob(store, "a", BLOB_CSR, (struct view){ 0 }, &e));
    for (int b = 0; b < BLOB_COUNT; b++)
        buf_reset(&out[b]);
    T_OK(store_get_blobs(store, "a", out, &e));
    assert_int_equal(out[BLOB_KEY].len, 0);
    assert_int_equal(out[BLOB_CSR].len, 0);
    assert_int_equal(out[BLOB_CHAIN].len, sizeof bytes - BLOB_CHAIN);
    for (int b = 0; b < BLOB_COUNT; b++) /* what does not fit is said, not cut */
        buf_free(&out[b]);
    out[BLOB_CHAIN] = (struct buf)BUF_INIT(100);
    T_ERR(store_get_blobs(store, "a", out, &e), ERR_TOO_LARGE);
    for (int b = 0; b < BLOB_COUNT; b++)
        buf_free(&out[b]);
}

static void blob_names_are_stable(void **state)
{
    (void)state;
    assert_string_equal(blob_name(BLOB_ITEM), "item");
    assert_string_equal(blob_name(BLOB_DATA_KEY), "data_key");
    assert_string_equal(blob_name(BLOB_KEY), "key");
    assert_string_equal(blob_name(BLOB_CSR), "csr");
    assert_string_equal(blob_name(BLOB_CHAIN), "chain");
    assert_string_equal(blob_name(BLOB_SIGNER), "signer");
    assert_string_equal(blob_name(BLOB_NOTES), "notes");
    assert_string_equal(blob_name(BLOB_RESULT), "result");
}

/* A destroyed key is nowhere in the files, once the log was emptied. */
static void what_is_deleted_is_overwritten(void **state)
{
    static const char secret[] = "SEALED-KEY-BYTES-THAT-MUST-GO-AWAY-0123456789";
    struct request r = row("a", "ca", 1);
    struct buf db = BUF_INIT(4 << 20);
    struct err e = { 0 };

    (void)state;
    insert(&r);
    T_OK(store_put_blob(store, "a", BLOB_KEY, view_text(secret), &e));
    commit();
    store_idle(store);
    dir_read("certferry.db", &db);
    assert_non_null(memmem(db.p, db.len, secret, sizeof secret - 1));
    T_OK(store_put_blob(store, "a", BLOB_KEY, (struct view){ 0 }, &e));
    store_idle(store); /* in the middle of a transaction: nothing happens */
    commit();
    store_idle(store);
    dir_read("certferry.db", &db);
    assert_null(memmem(db.p, db.len, secret, sizeof secret - 1));
    dir_read("certferry.db-wal", &db);
    assert_int_equal(db.len, 0);
    buf_free(&db);
}

/* ---- transactions ---- */

static void uncommitted_writes_vanish(void **state)
{
    struct request a = row("a", "ca", 1), b = row("b", "ca", 1), got;
    struct err e = { 0 };

    (void)state;
    assert_false(store_dirty(store));
    commit(); /* nothing to do */
    insert(&a);
    assert_true(store_dirty(store));
    commit();
    assert_false(store_dirty(store));
    insert(&b);
    a.next_at = 77;
    T_OK(store_update(store, &a, "changed", &e));
    assert_true(has("b")); /* visible to ourselves */
    reopen();
    assert_false(has("b"));
    assert_int_equal(store_get(store, "a", &got, &e), 1);
    assert_int_equal(got.next_at, 1);
    insert(&b);
    store_rollback(store);
    assert_false(store_dirty(store));
    assert_true(store_lost(store));
    assert_false(store_lost(store)); /* told once */
    assert_false(has("b"));
    store_rollback(store); /* nothing to roll back: nothing lost */
    assert_false(store_lost(store));
}

#define TEST(fn) cmocka_unit_test_setup_teardown(fn, store_make, store_remove)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(every_member_survives),
        TEST(texts_are_data),
        TEST(every_state_survives),
        TEST(every_class_survives),
        TEST(twice_is_once),
        TEST(blobs_survive),
        cmocka_unit_test(blob_names_are_stable),
        TEST(what_is_deleted_is_overwritten),
        TEST(uncommitted_writes_vanish),
    };

    return cmocka_run_group_tests_name("agent_store", tests, NULL, NULL);
}
