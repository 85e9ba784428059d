/* see store.h.  Requests, their blobs and history. */
#include <assert.h>
#include <stdio.h>
#include <string.h>
#include "agent/base/clock.h"
#include "agent/store/store_sql.h"

static const char *const state_names[REQUEST_STATE_COUNT] = {
    [REQUEST_NONE] = "none",
    [REQUEST_READY] = "ready",
    [REQUEST_RETRYING] = "retrying",
    [REQUEST_PENDING] = "pending",
    [REQUEST_HELD] = "held",
    [REQUEST_DELIVERED] = "delivered",
    [REQUEST_REJECTED] = "rejected",
    [REQUEST_SUPERSEDED] = "superseded",
    [REQUEST_CANCELLED] = "cancelled",
};
static const char *const blob_names[BLOB_COUNT] = {
#define X(id, name) [id] = name,
    REQUEST_BLOBS(X)
#undef X
};

const char *request_state_name(enum request_state s)
{
    return state_names[s];
}

enum request_state request_state_named(const char *name)
{
    for (size_t i = 1; i < REQUEST_STATE_COUNT; i++)
        if (strcmp(state_names[i], name) == 0)
            return (enum request_state)i;
    return REQUEST_NONE;
}

bool request_is_final(enum request_state s)
{
    return s >= REQUEST_DELIVERED;
}

const char *blob_name(enum blob b)
{
    return blob_names[b];
}

/* ---- row <-> statement -------------------------------------------------------------------------------- */

static void bind_row(sqlite3_stmt *q, const struct request *r)
{
    const char *const texts[] = { r->id, r->kind, r->step, state_names[r->state], r->ca,
        r->template_name, r->subject, r->lease, r->activity };
    const int64_t numbers[] = { r->lease_expires_at, r->attempt, r->created_at, r->expires_at,
        r->received_at, r->next_at, r->ended_at, r->tries, r->submits, r->noticed, r->failed };
    int at = 0;

    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++)
        sql_text(q, ++at, texts[i]);
    for (size_t i = 0; i < sizeof numbers / sizeof numbers[0]; i++)
        sql_int(q, ++at, numbers[i]);
    sql_text(q, ++at, r->reference);
    sql_text(q, ++at, r->serial);
    sql_text(q, ++at, r->digest);
    sql_text(q, ++at, err_name(r->why.cls));
    sql_int(q, ++at, r->why.number);
    sql_text(q, ++at, r->why.cls != ERR_NONE ? r->why.msg : "");
    sql_text(q, ++at, r->alias);
    sql_int(q, ++at, !request_is_final(r->state));
}

static enum err_class class_named(const char *name)
{
    for (int c = ERR_NONE; c < ERR_CLASS_COUNT; c++)
        if (strcmp(err_name((enum err_class)c), name) == 0)
            return (enum err_class)c;
    return ERR_NONE;
}

static void read_row(sqlite3_stmt *q, struct request *r)
{
    char text[40];
    int at = 0;

    *r = (struct request){ 0 };
    sql_column(q, at++, r->id, sizeof r->id);
    sql_column(q, at++, r->kind, sizeof r->kind);
    sql_column(q, at++, r->step, sizeof r->step);
    sql_column(q, at++, text, sizeof text);
    r->state = request_state_named(text);
    sql_column(q, at++, r->ca, sizeof r->ca);
    sql_column(q, at++, r->template_name, sizeof r->template_name);
    sql_column(q, at++, r->subject, sizeof r->subject);
    sql_column(q, at++, r->lease, sizeof r->lease);
    sql_column(q, at++, r->activity, sizeof r->activity);
    r->lease_expires_at = sqlite3_column_int64(q, at++);
    r->attempt = sqlite3_column_int64(q, at++);
    r->created_at = sqlite3_column_int64(q, at++);
    r->expires_at = sqlite3_column_int64(q, at++);
    r->received_at = sqlite3_column_int64(q, at++);
    r->next_at = sqlite3_column_int64(q, at++);
    r->ended_at = sqlite3_column_int64(q, at++);
    r->tries = sqlite3_column_int64(q, at++);
    r->submits = sqlite3_column_int64(q, at++);
    r->noticed = sqlite3_column_int64(q, at++);
    r->failed = sqlite3_column_int64(q, at++) != 0;
    sql_column(q, at++, r->reference, sizeof r->reference);
    sql_column(q, at++, r->serial, sizeof r->serial);
    sql_column(q, at++, r->digest, sizeof r->digest);
    sql_column(q, at++, text, sizeof text);
    r->why.cls = class_named(text);
    r->why.number = (uint32_t)sqlite3_column_int64(q, at++);
    sql_column(q, at++, r->why.msg, sizeof r->why.msg);
    r->why.where = "stored";
    sql_column(q, at++, r->alias, sizeof r->alias);
}

static int each_row(
    struct store *s, sqlite3_stmt *q, store_request_fn *fn, void *arg, struct err *e)
{
    struct request r;
    int got;

    while ((got = sql_step(s, q, e)) == 1) {
        read_row(q, &r);
        fn(arg, &r);
    }
    return got;
}

/* ---- writing -------------------------------------------------------------------------------------------- */

static int add_history(struct store *s, const struct request *r, const char *event, struct err *e)
{
    sqlite3_stmt *q = sql_write(s, SQL_ADD_HISTORY, e);
    char text[sizeof r->why.msg + 48];

    if (q == NULL)
        return -1;
    if (r->why.cls != ERR_NONE)
        (void)snprintf(text, sizeof text, "%s: %s", err_name(r->why.cls), r->why.msg);
    else
        text[0] = '\0';
    sql_text(q, 1, r->id);
    sql_int(q, 2, clock_now());
    sql_text(q, 3, event);
    sql_text(q, 4, text);
    return sql_run(s, q, e);
}

int store_put_blob(struct store *s, const char *id, enum blob b, struct view data, struct err *e)
{
    sqlite3_stmt *q = sql_write(s, data.len > 0 ? SQL_PUT_BLOB : SQL_DROP_BLOB, e);

    if (q == NULL)
        return -1;
    sql_text(q, 1, id);
    sql_int(q, 2, b);
    if (data.len > 0)
        sql_blob(q, 3, data);
    if (sql_run(s, q, e) != 0)
        return -1;
    assert(data.len == 0 || sqlite3_changes(s->db) == 1); /* of a request that is not there */
    return 0;
}

int store_insert(struct store *s, const struct request *r, struct view item, struct err *e)
{
    sqlite3_stmt *q = sql_write(s, SQL_INSERT, e);

    if (q == NULL)
        return -1;
    bind_row(q, r);
    if (sql_run(s, q, e) != 0)
        return -1;
    if (sqlite3_changes(s->db) == 0)
        return 0;
    if (store_put_blob(s, r->id, BLOB_ITEM, item, e) != 0 || add_history(s, r, "received", e) != 0)
        return -1;
    return 1;
}

int store_insert_as(struct store *s, const struct request *r, const char *event, struct err *e)
{
    sqlite3_stmt *q = sql_write(s, SQL_INSERT, e);

    if (q == NULL)
        return -1;
    bind_row(q, r);
    if (sql_run(s, q, e) != 0)
        return -1;
    assert(sqlite3_changes(s->db) == 1);
    if (add_history(s, r, "received", e) != 0)
        return -1;
    return event != NULL ? add_history(s, r, event, e) : 0;
}

int store_keep_result(struct store *s, const char *id, struct err *e)
{
    sqlite3_stmt *q = sql_write(s, SQL_KEEP_BLOB, e);

    if (q == NULL)
        return -1;
    sql_text(q, 1, id);
    sql_int(q, 2, BLOB_RESULT);
    return sql_run(s, q, e);
}

static int set_serial(struct store *s, const struct request *r, struct err *e)
{
    sqlite3_stmt *q = sql_write(s, SQL_SET_SERIAL, e);

    if (q == NULL)
        return -1;
    sql_text(q, 1, r->id);
    sql_text(q, 2, r->serial);
    return sql_run(s, q, e);
}

int store_update(struct store *s, const struct request *r, const char *event, struct err *e)
{
    sqlite3_stmt *q = sql_write(s, SQL_UPDATE, e);

    if (q == NULL)
        return -1;
    bind_row(q, r);
    if (sql_run(s, q, e) != 0 || set_serial(s, r, e) != 0)
        return -1;
    return event != NULL ? add_history(s, r, event, e) : 0;
}

static int run_number(struct store *s, enum sql which, int64_t v, struct err *e)
{
    sqlite3_stmt *q = sql_write(s, which, e);

    if (q == NULL)
        return -1;
    sql_int(q, 1, v);
    return sql_run(s, q, e);
}

int store_shift(struct store *s, int64_t by_s, struct err *e)
{
    return run_number(s, SQL_SHIFT, by_s, e);
}

int store_expire(struct store *s, int64_t before, struct err *e)
{
    sqlite3_stmt *q = sql_write(s, SQL_EXPIRE_BLOBS, e);

    if (q == NULL)
        return -1;
    sql_int(q, 1, before);
    sql_int(q, 2, s->expired_to); /* not all that ever ended, again and again */
    if (sql_run(s, q, e) != 0)
        return -1;
    s->expired_to = before;
    return run_number(s, SQL_NOTE_EXPIRE, before, e);
}

/* ---- reading -------------------------------------------------------------------------------------------- */

static int get_one(struct store *s, sqlite3_stmt *q, struct request *out, struct err *e)
{
    int got = sql_step(s, q, e);

    if (got == 1) {
        read_row(q, out);
        (void)sqlite3_reset(q);
    }
    return got;
}

int store_get(struct store *s, const char *id, struct request *out, struct err *e)
{
    sqlite3_stmt *q = sql_use(s, SQL_GET, e);

    if (q == NULL)
        return -1;
    sql_text(q, 1, id);
    return get_one(s, q, out, e);
}

int store_find_alias(struct store *s, const char *alias, struct request *out, struct err *e)
{
    sqlite3_stmt *q = sql_use(s, SQL_FIND_ALIAS, e);

    if (q == NULL)
        return -1;
    sql_text(q, 1, alias);
    return get_one(s, q, out, e);
}

int store_find_serial(
    struct store *s, const char *ca, const char *serial, struct request *out, struct err *e)
{
    sqlite3_stmt *q = sql_use(s, SQL_FIND_SERIAL, e);

    if (q == NULL)
        return -1;
    sql_text(q, 1, serial);
    sql_text(q, 2, ca);
    return get_one(s, q, out, e);
}

int store_get_blobs(struct store *s, const char *id, struct buf out[BLOB_COUNT], struct err *e)
{
    sqlite3_stmt *q = sql_use(s, SQL_GET_BLOBS, e);
    int got;

    if (q == NULL)
        return -1;
    sql_text(q, 1, id);
    while ((got = sql_step(s, q, e)) == 1) {
        int64_t b = sqlite3_column_int64(q, 0);

        if (b >= BLOB_COUNT) /* of a newer version, which stored no higher number */
            continue;
        buf_reset(&out[b]);
        buf_add(&out[b], sqlite3_column_blob(q, 1), (size_t)sqlite3_column_bytes(q, 1));
        if (buf_check(&out[b], e) != 0) {
            (void)sqlite3_reset(q);
            return -1;
        }
    }
    return got;
}

int store_due(struct store *s, const char *ca, int64_t now, size_t limit, store_request_fn *fn,
    void *arg, struct err *e)
{
    sqlite3_stmt *q = sql_use(s, SQL_DUE, e);

    if (q == NULL)
        return -1;
    sql_text(q, 1, ca);
    sql_int(q, 2, now);
    sql_int(q, 3, (int64_t)limit);
    return each_row(s, q, fn, arg, e);
}

static int one_number(struct store *s, sqlite3_stmt *q, int64_t *out, struct err *e)
{
    int got = sql_step(s, q, e);

    if (got < 0)
        return -1;
    *out = got == 1 ? sqlite3_column_int64(q, 0) : 0;
    (void)sqlite3_reset(q);
    return 0;
}

int store_next_at(struct store *s, int64_t now, int64_t *out, struct err *e)
{
    sqlite3_stmt *q = sql_use(s, SQL_NEXT_AT, e);

    if (q == NULL)
        return -1;
    sql_int(q, 1, now);
    return one_number(s, q, out, e);
}

int store_count_due(struct store *s, int64_t now, int64_t *out, struct err *e)
{
    sqlite3_stmt *q = sql_use(s, SQL_COUNT_DUE, e);

    if (q == NULL)
        return -1;
    sql_int(q, 1, now);
    return one_number(s, q, out, e);
}

int store_cas(struct store *s, store_name_fn *fn, void *arg, struct err *e)
{
    sqlite3_stmt *q = sql_use(s, SQL_CAS, e);
    int got;

    if (q == NULL)
        return -1;
    while ((got = sql_step(s, q, e)) == 1)
        fn(arg, (const char *)sqlite3_column_text(q, 0));
    return got;
}

int store_list(struct store *s, enum request_state state, bool open_only, size_t limit,
    store_request_fn *fn, void *arg, struct err *e)
{
    sqlite3_stmt *q = sql_use(s, state == REQUEST_NONE ? SQL_LIST : SQL_LIST_STATE, e);

    if (q == NULL)
        return -1;
    if (state == REQUEST_NONE)
        sql_int(q, 1, open_only);
    else
        sql_text(q, 1, state_names[state]);
    sql_int(q, 2, (int64_t)limit);
    return each_row(s, q, fn, arg, e);
}

int store_leases(
    struct store *s, int64_t before, size_t limit, store_request_fn *fn, void *arg, struct err *e)
{
    sqlite3_stmt *q = sql_use(s, SQL_LEASES, e);

    if (q == NULL)
        return -1;
    sql_int(q, 1, before);
    sql_int(q, 2, (int64_t)limit);
    return each_row(s, q, fn, arg, e);
}

int store_history(struct store *s, const char *id, store_history_fn *fn, void *arg, struct err *e)
{
    sqlite3_stmt *q = sql_use(s, SQL_HISTORY, e);
    int got;

    if (q == NULL)
        return -1;
    sql_text(q, 1, id);
    while ((got = sql_step(s, q, e)) == 1)
        fn(arg, sqlite3_column_int64(q, 0), (const char *)sqlite3_column_text(q, 1),
            (const char *)sqlite3_column_text(q, 2));
    return got;
}

int store_stuck(
    struct store *s, int64_t now, size_t limit, store_request_fn *fn, void *arg, struct err *e)
{
    sqlite3_stmt *q = sql_use(s, SQL_STUCK, e);

    if (q == NULL)
        return -1;
    sql_int(q, 1, now);
    sql_int(q, 2, (int64_t)limit);
    return each_row(s, q, fn, arg, e);
}

int store_ended(struct store *s, size_t limit, store_request_fn *fn, void *arg, struct err *e)
{
    sqlite3_stmt *q = sql_use(s, SQL_ENDED, e);

    if (q == NULL)
        return -1;
    sql_int(q, 1, (int64_t)limit);
    return each_row(s, q, fn, arg, e);
}
