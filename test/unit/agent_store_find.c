/* The store: which requests are due, leased, listed, ended; history, orphans, counts, settings. */
#include "test/t.h"
#include "agent/base/clock.h"
#include "test/unit/agent_clock.h"
#include "test/unit/agent_store_rows.h"

static void end(const char *id, enum request_state s, int64_t at)
{
    struct request r;
    struct err e = { 0 };

    assert_int_equal(store_get(store, id, &r, &e), 1);
    r.state = s;
    r.ended_at = at;
    r.next_at = 0;
    T_OK(store_update(store, &r, request_state_name(s), &e));
}

/* Five requests: two CAs, one ended. */
static void some(void)
{
    const struct request rows[] = { row("a", "ca1", 30), row("b", "ca1", 10), row("c", "ca2", 20),
        row("d", "ca1", 20), row("e", "ca1", 5) };

    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        insert(&rows[i]);
    end("e", REQUEST_DELIVERED, 40);
    commit();
}

static const char *due(const char *ca, int64_t now, size_t limit)
{
    struct err e = { 0 };

    ids[0] = '\0';
    T_OK(store_due(store, ca, now, limit, add_id, NULL, &e));
    return ids;
}

static void due_soonest_first(void **state)
{
    (void)state;
    some();
    assert_string_equal(due("ca1", 9, 10), "");
    assert_string_equal(due("ca1", 10, 10), "b");
    assert_string_equal(due("ca1", 100, 10), "b d a");
    assert_string_equal(due("ca1", 100, 2), "b d");
    assert_string_equal(due("ca1", 100, 0), "");
    assert_string_equal(due("ca2", 100, 10), "c");
    assert_string_equal(due("ca3", 100, 10), "");
}

static int64_t next_at(int64_t now)
{
    struct err e = { 0 };
    int64_t out = -1;

    T_OK(store_next_at(store, now, &out, &e));
    return out;
}

static int64_t count_due(int64_t now)
{
    struct err e = { 0 };
    int64_t out = -1;

    T_OK(store_count_due(store, now, &out, &e));
    return out;
}

static void the_soonest_of_all(void **state)
{
    (void)state;
    assert_int_equal(next_at(0), 0);
    assert_int_equal(count_due(1000), 0);
    some();
    assert_int_equal(next_at(0), 10);
    assert_int_equal(next_at(9), 10);
    assert_int_equal(next_at(10), 20);
    assert_int_equal(next_at(30), 0);
    assert_int_equal(count_due(9), 0);
    assert_int_equal(count_due(20), 3);
    assert_int_equal(count_due(1000), 4);
}

static void add_name(void *arg, const char *name)
{
    (void)arg;
    (void)snprintf(ids + strlen(ids), sizeof ids - strlen(ids), "<%s>", name);
}

static void cas_that_are_needed(void **state)
{
    struct request ended = row("z", "ca0", 1);
    struct err e = { 0 };

    (void)state;
    some();
    ended.state = REQUEST_REJECTED;
    insert(&ended);
    ids[0] = '\0';
    T_OK(store_cas(store, add_name, NULL, &e));
    assert_true(strcmp(ids, "<ca1><ca2>") == 0 || strcmp(ids, "<ca2><ca1>") == 0);
}

static const char *list(enum request_state s, bool open_only, size_t limit)
{
    struct err e = { 0 };

    ids[0] = '\0';
    T_OK(store_list(store, s, open_only, limit, add_id, NULL, &e));
    return ids;
}

static void listed_newest_first(void **state)
{
    (void)state;
    some();
    assert_string_equal(
        list(REQUEST_NONE, true, 100), "a d c b"); /* d came after c, in the same second */
    assert_string_equal(list(REQUEST_NONE, false, 100), "a d c b e");
    assert_string_equal(list(REQUEST_NONE, false, 3), "a d c");
    assert_string_equal(list(REQUEST_READY, false, 100), "a d c b");
    assert_string_equal(list(REQUEST_DELIVERED, false, 100), "e");
    assert_string_equal(list(REQUEST_HELD, false, 100), "");
}

static void leases_that_end_soon(void **state)
{
    static const int64_t expires[] = { 300, 100, 0, 200, 50 };
    struct err e = { 0 };

    (void)state;
    some();
    for (size_t i = 0; i < 5; i++) {
        struct request r;
        char id[2] = { (char)('a' + i), '\0' };

        assert_int_equal(store_get(store, id, &r, &e), 1);
        r.lease_expires_at = expires[i];
        T_OK(store_update(store, &r, NULL, &e));
    }
    ids[0] = '\0';
    T_OK(store_leases(store, 300, 100, add_id, NULL, &e)); /* not c: it has none; not e: it ended */
    assert_string_equal(ids, "b d");
    ids[0] = '\0';
    T_OK(store_leases(store, 1000, 2, add_id, NULL, &e));
    assert_string_equal(ids, "b d");
}

static void the_clock_was_stepped(void **state)
{
    struct request r;
    struct err e = { 0 };

    (void)state;
    some();
    T_OK(store_shift(store, 3600, &e));
    commit();
    assert_int_equal(next_at(0), 3610);
    assert_string_equal(due("ca1", 3620, 10), "b d");
    T_OK(store_shift(store, -3625, &e)); /* never below zero */
    assert_int_equal(count_due(0), 3);
    assert_int_equal(next_at(0), 5);
    assert_int_equal(store_get(store, "e", &r, &e), 1);
    assert_int_equal(r.next_at, 0);
    assert_int_equal(r.ended_at, 40);
}

/* The tombstone stays: I7, no resurrection. */
static void ended_requests_lose_their_blobs(void **state)
{
    struct buf out[BLOB_COUNT];
    struct err e = { 0 };

    (void)state;
    some();
    end("b", REQUEST_REJECTED, 60);
    for (const char *id = "abe"; *id != '\0'; id++)
        T_OK(store_put_blob(store, (char[]){ *id, '\0' }, BLOB_RESULT, view_text("result"), &e));
    T_OK(store_expire(store, 60, &e)); /* e ended before, b just then, a not at all */
    commit();
    for (const char *id = "abe"; *id != '\0'; id++) {
        for (int b = 0; b < BLOB_COUNT; b++)
            out[b] = (struct buf)BUF_INIT(100);
        T_OK(store_get_blobs(store, (char[]){ *id, '\0' }, out, &e));
        assert_int_equal(out[BLOB_RESULT].len, *id == 'e' ? 0 : 6);
        assert_int_equal(out[BLOB_ITEM].len, *id == 'e' ? 0 : 2);
        for (int b = 0; b < BLOB_COUNT; b++)
            buf_free(&out[b]);
    }
    assert_true(has("e"));
    struct request again = row("e", "ca1", 5);

    assert_int_equal(store_insert(store, &again, view_text("{}"), &e), 0);
}

/* ---- history, orphans, counts, settings ---- */

static void add_event(void *arg, int64_t at, const char *event, const char *text)
{
    (void)arg;
    (void)snprintf(ids + strlen(ids), sizeof ids - strlen(ids), "%lld %s (%s)\n",
        (long long)(at - clock_now()), event, text);
}

static void history_in_order(void **state)
{
    struct request r = row("a", "ca", 1), other = row("b", "ca", 1);
    struct err e = { 0 };

    (void)state;
    clock_start();
    insert(&r);
    insert(&other);
    fake_pass_s(3);
    (void)err_set(&r.why, ERR_BUSY, "HTTP 503");
    T_OK(store_update(store, &r, "retrying", &e));
    T_OK(store_update(store, &r, NULL, &e)); /* no event, no line */
    r.why.cls = ERR_NONE;
    T_OK(store_update(store, &r, "submit", &e));
    commit();
    reopen();
    ids[0] = '\0';
    T_OK(store_history(store, "a", add_event, NULL, &e));
    assert_string_equal(ids, "-3 received ()\n0 retrying (ERR_BUSY: HTTP 503)\n0 submit ()\n");
    ids[0] = '\0';
    T_OK(store_history(store, "none", add_event, NULL, &e));
    assert_string_equal(ids, "");
}

static void add_orphan(void *arg, const struct orphan *o)
{
    (void)arg;
    (void)snprintf(ids + strlen(ids), sizeof ids - strlen(ids), "%s|%s|%s|%s|%s|%s|%lld\n",
        o->serial, o->spki, o->request_id, o->ca, o->subject, o->reason, (long long)o->at);
}

static void orphans_once_each(void **state)
{
    struct orphan o = { .serial = "4711",
        .spki = "AB",
        .request_id = "a",
        .ca = "ca1",
        .subject = "CN=Ada",
        .reason = "lease lost",
        .at = 20 };
    struct store_counts c;
    struct err e = { 0 };

    (void)state;
    T_OK(store_add_orphan(store, &o, &e));
    o.at = 30;
    T_OK(store_add_orphan(store, &o, &e)); /* the same certificate: the first is kept */
    o.serial[0] = '\0';
    o.at = 10;
    T_OK(store_add_orphan(store, &o, &e)); /* one that may exist is another */
    T_OK(store_add_orphan(store, &o, &e));
    (void)snprintf(o.request_id, sizeof o.request_id, "b");
    o.at = 40;
    T_OK(store_add_orphan(store, &o, &e));
    commit();
    reopen();
    ids[0] = '\0';
    T_OK(store_orphans(store, true, add_orphan, NULL, &e));
    assert_string_equal(ids, "|AB|a|ca1|CN=Ada|lease lost|10\n"
                             "4711|AB|a|ca1|CN=Ada|lease lost|20\n"
                             "|AB|b|ca1|CN=Ada|lease lost|40\n");
    T_OK(store_counts(store, &c, &e));
    assert_int_equal(c.orphans, 3);
    assert_int_equal(c.duplicates_possible, 2);
}

static void counts(void **state)
{
    struct store_counts c;
    struct err e = { 0 };

    (void)state;
    T_OK(store_counts(store, &c, &e)); /* of an empty store */
    for (int s = 0; s < REQUEST_STATE_COUNT; s++)
        assert_int_equal(c.by_state[s], 0);
    assert_int_equal(c.orphans, 0);
    assert_int_equal(c.duplicates_possible, 0);
    assert_int_equal(c.oldest_open_at, 0);
    some();
    end("b", REQUEST_SUPERSEDED, 41);
    T_OK(store_counts(store, &c, &e));
    assert_int_equal(c.by_state[REQUEST_READY], 3);
    assert_int_equal(c.by_state[REQUEST_DELIVERED], 1);
    assert_int_equal(c.by_state[REQUEST_SUPERSEDED], 1);
    assert_int_equal(c.by_state[REQUEST_HELD], 0);
    assert_int_equal(c.oldest_open_at, 20);
}

static void settings(void **state)
{
    struct err e = { 0 };
    char out[8] = "before";

    (void)state;
    assert_int_equal(store_meta_get(store, "counter", out, sizeof out, &e), 0);
    assert_string_equal(out, "before");
    T_OK(store_meta_put(store, "counter", "1", &e));
    T_OK(store_meta_put(store, "counter", "22", &e));
    T_OK(store_meta_put(store, "epoch", "a longer text", &e));
    commit();
    reopen();
    assert_int_equal(store_meta_get(store, "counter", out, sizeof out, &e), 1);
    assert_string_equal(out, "22");
    assert_int_equal(store_meta_get(store, "epoch", out, sizeof out, &e), 1);
    assert_string_equal(out, "a longe"); /* cut, never beyond */
}

#define TEST(fn) cmocka_unit_test_setup_teardown(fn, store_make, store_remove)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(due_soonest_first),
        TEST(the_soonest_of_all),
        TEST(cas_that_are_needed),
        TEST(listed_newest_first),
        TEST(leases_that_end_soon),
        TEST(the_clock_was_stepped),
        TEST(ended_requests_lose_their_blobs),
        TEST(history_in_order),
        TEST(orphans_once_each),
        TEST(counts),
        TEST(settings),
    };

    return cmocka_run_group_tests_name("agent_store_find", tests, NULL, NULL);
}
