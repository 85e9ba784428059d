/* see store.h.  Orphans, counts, settings, leases. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "agent/store/store_sql.h"

enum { NUMBER_MAX = 32 };

int store_add_orphan(struct store *s, const struct orphan *o, struct err *e)
{
    sqlite3_stmt *q = sql_write(s, SQL_ADD_ORPHAN, e);
    const char *const texts[] = { o->serial, o->spki, o->request_id, o->ca, o->subject, o->reason };

    if (q == NULL)
        return -1;
    for (int i = 0; i < 6; i++)
        sql_text(q, i + 1, texts[i]);
    sql_int(q, 7, o->at);
    return sql_run(s, q, e);
}

int store_drop_orphan(struct store *s, const char *request_id, const char *serial, struct err *e)
{
    sqlite3_stmt *q = sql_write(s, SQL_DROP_ORPHAN, e);

    if (q == NULL)
        return -1;
    sql_text(q, 1, request_id);
    sql_text(q, 2, serial);
    return sql_run(s, q, e);
}

int store_orphans(struct store *s, bool settled, store_orphan_fn *fn, void *arg, struct err *e)
{
    sqlite3_stmt *q = sql_use(s, SQL_ORPHANS, e);
    int got;

    if (q == NULL)
        return -1;
    sql_int(q, 1, settled);
    while ((got = sql_step(s, q, e)) == 1) {
        struct orphan o = { .at = sqlite3_column_int64(q, 6),
            .settled_at = sqlite3_column_int64(q, 7) };

        sql_column(q, 0, o.serial, sizeof o.serial);
        sql_column(q, 1, o.spki, sizeof o.spki);
        sql_column(q, 2, o.request_id, sizeof o.request_id);
        sql_column(q, 3, o.ca, sizeof o.ca);
        sql_column(q, 4, o.subject, sizeof o.subject);
        sql_column(q, 5, o.reason, sizeof o.reason);
        sql_column(q, 8, o.settled, sizeof o.settled);
        fn(arg, &o);
    }
    return got;
}

int store_counts(struct store *s, struct store_counts *out, struct err *e)
{
    struct store_orphan_counts orphans;
    struct store_counts c = { 0 };
    sqlite3_stmt *q;
    int got;

    if ((q = sql_use(s, SQL_COUNT_STATES, e)) == NULL)
        return -1;
    while ((got = sql_step(s, q, e)) == 1)
        c.by_state[request_state_named((const char *)sqlite3_column_text(q, 0))] =
            sqlite3_column_int64(q, 1);
    if (got != 0 || store_count_orphans(s, 0, &orphans, e) != 0)
        return -1;
    c.orphans = orphans.all;
    c.duplicates_possible = orphans.possible;
    if ((q = sql_use(s, SQL_OLDEST, e)) == NULL || sql_step(s, q, e) != 1)
        return -1;
    c.oldest_open_at = sqlite3_column_int64(q, 0);
    (void)sqlite3_reset(q);
    *out = c;
    return 0;
}

int store_newest(struct store *s, int64_t *out, struct err *e)
{
    sqlite3_stmt *q = sql_use(s, SQL_NEWEST, e);

    if (q == NULL || sql_step(s, q, e) != 1)
        return -1;
    *out = sqlite3_column_int64(q, 0);
    (void)sqlite3_reset(q);
    return 0;
}

int store_meta_get(struct store *s, const char *key, char *out, size_t size, struct err *e)
{
    sqlite3_stmt *q = sql_use(s, SQL_META_GET, e);
    int got;

    if (q == NULL)
        return -1;
    sql_text(q, 1, key);
    if ((got = sql_step(s, q, e)) == 1) {
        sql_column(q, 0, out, size);
        (void)sqlite3_reset(q);
    }
    return got;
}

int store_meta_put(struct store *s, const char *key, const char *value, struct err *e)
{
    sqlite3_stmt *q = sql_write(s, SQL_META_PUT, e);

    if (q == NULL)
        return -1;
    sql_text(q, 1, key);
    sql_text(q, 2, value);
    return sql_run(s, q, e);
}

int store_meta_get_int(struct store *s, const char *key, int64_t *out, struct err *e)
{
    char text[NUMBER_MAX] = "0";

    if (store_meta_get(s, key, text, sizeof text, e) < 0)
        return -1;
    *out = strtoll(text, NULL, 10);
    return 0;
}

int store_meta_put_int(struct store *s, const char *key, int64_t v, struct err *e)
{
    char text[NUMBER_MAX];

    (void)snprintf(text, sizeof text, "%lld", (long long)v);
    return store_meta_put(s, key, text, e);
}

/* ---- leases --------------------------------------------------------------------------------------------- */

int store_end_leases(struct store *s, int64_t now, struct err *e)
{
    sqlite3_stmt *q = sql_write(s, SQL_END_LEASES, e);

    if (q == NULL)
        return -1;
    sql_int(q, 1, now);
    return sql_run(s, q, e);
}
