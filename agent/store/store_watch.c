/* see store.h.  What those ask who watch: what waits for whom, what is stuck, what has ended lately; the audit log. */
#include <string.h>
#include "agent/store/store_sql.h"

/* ---- requests --------------------------------------------------------------------------------------------------- */

int store_waiting(struct store *s, store_waiting_fn *fn, void *arg, struct err *e)
{
    sqlite3_stmt *q = sql_use(s, SQL_WAITING, e);
    int got;

    if (q == NULL)
        return -1;
    while ((got = sql_step(s, q, e)) == 1) {
        const struct store_waiting w = { .kind = (const char *)sqlite3_column_text(q, 0),
            .state = request_state_named((const char *)sqlite3_column_text(q, 1)),
            .step = (const char *)sqlite3_column_text(q, 2),
            .ca = (const char *)sqlite3_column_text(q, 3),
            .count = sqlite3_column_int64(q, 4),
            .oldest_at = sqlite3_column_int64(q, 5) };

        fn(arg, &w);
    }
    return got;
}

int store_count_stuck(struct store *s, int64_t now, int64_t *out, struct err *e)
{
    sqlite3_stmt *q = sql_use(s, SQL_COUNT_STUCK, e);

    if (q == NULL)
        return -1;
    sql_int(q, 1, now);
    if (sql_step(s, q, e) != 1)
        return -1;
    *out = sqlite3_column_int64(q, 0);
    (void)sqlite3_reset(q);
    return 0;
}

int store_count_orphans(
    struct store *s, int64_t since, struct store_orphan_counts *out, struct err *e)
{
    sqlite3_stmt *q = sql_use(s, SQL_COUNT_ORPHANS, e);

    if (q == NULL)
        return -1;
    sql_int(q, 1, since);
    if (sql_step(s, q, e) != 1)
        return -1;
    out->all = sqlite3_column_int64(q, 0);
    out->possible = sqlite3_column_int64(q, 1);
    (void)sqlite3_reset(q);
    return 0;
}

int store_recent(struct store *s, int64_t since, struct store_recent *out, struct err *e)
{
    sqlite3_stmt *q = sql_use(s, SQL_RECENT, e);
    int got;

    *out = (struct store_recent){ 0 };
    if (q == NULL)
        return -1;
    sql_int(q, 1, since);
    while ((got = sql_step(s, q, e)) == 1)
        out->by_state[request_state_named((const char *)sqlite3_column_text(q, 0))] =
            sqlite3_column_int64(q, 1);
    return got != 0 ? -1 : store_count_orphans(s, since, &out->orphans, e);
}

/* ---- orphans ------------------------------------------------------------------------------------------------------ */

int store_settle_orphans(struct store *s, const char *request_id, const char *serial, int64_t now,
    const char *how, struct err *e)
{
    sqlite3_stmt *q = sql_write(s, SQL_SETTLE_ORPHANS, e);

    if (q == NULL)
        return -1;
    sql_text(q, 1, request_id);
    sql_text(q, 2, serial);
    sql_int(q, 3, now);
    sql_text(q, 4, how);
    return sql_run(s, q, e) == 0 ? sqlite3_changes(s->db) : -1;
}

/* ---- audit -------------------------------------------------------------------------------------------------------- */

int store_audit_add(struct store *s, const struct store_audit *r, struct err *e)
{
    sqlite3_stmt *q = sql_write(s, SQL_AUDIT_ADD, e);

    if (q == NULL)
        return -1;
    sql_int(q, 1, r->n);
    sql_int(q, 2, r->at);
    sql_text(q, 3, r->event);
    sql_text(q, 4, r->actor);
    sql_text(q, 5, r->subject);
    sql_text(q, 6, r->detail);
    sql_text(q, 7, r->hash);
    return sql_run(s, q, e);
}

int store_audit_last(struct store *s, int64_t *n, char *hash, size_t size, struct err *e)
{
    sqlite3_stmt *q = sql_use(s, SQL_AUDIT_LAST, e);
    int got;

    if (q == NULL)
        return -1;
    if ((got = sql_step(s, q, e)) == 1) {
        *n = sqlite3_column_int64(q, 0);
        sql_column(q, 1, hash, size);
        (void)sqlite3_reset(q);
    }
    return got;
}

static const char *column(sqlite3_stmt *q, int at)
{
    const unsigned char *t = sqlite3_column_text(q, at);

    return t != NULL ? (const char *)t : "";
}

int store_audit_list(struct store *s, int64_t from, store_audit_fn *fn, void *arg, struct err *e)
{
    sqlite3_stmt *q = sql_use(s, SQL_AUDIT_LIST, e);
    bool more = true;
    int got = 0;

    if (q == NULL)
        return -1;
    sql_int(q, 1, from);
    while (more && (got = sql_step(s, q, e)) == 1) {
        const struct store_audit r = { .n = sqlite3_column_int64(q, 0),
            .at = sqlite3_column_int64(q, 1),
            .event = column(q, 2),
            .actor = column(q, 3),
            .subject = column(q, 4),
            .detail = column(q, 5),
            .hash = column(q, 6) };

        more = fn(arg, &r);
    }
    (void)sqlite3_reset(q);
    return got < 0 ? -1 : 0;
}
