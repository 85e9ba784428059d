/* see store.h.  The certificates of registration authorities, with their sealed keys. */
#include "agent/store/store_sql.h"
#include <stdio.h>

int store_ra_put(struct store *s, const struct store_ra *r, struct err *e)
{
    sqlite3_stmt *q = sql_write(s, SQL_RA_PUT, e);
    const char use[2] = { r->use, '\0' };

    if (q == NULL)
        return -1;
    sql_text(q, 1, r->endpoint);
    sql_int(q, 2, r->generation);
    sql_text(q, 3, use);
    sql_text(q, 4, r->request_id);
    sql_blob(q, 5, r->path);
    sql_blob(q, 6, r->data_key);
    sql_blob(q, 7, r->key);
    sql_int(q, 8, r->not_before_at);
    sql_int(q, 9, r->not_after_at);
    sql_int(q, 10, r->installed_at);
    return sql_run(s, q, e);
}

static struct view blob_at(sqlite3_stmt *q, int at)
{
    const void *p = sqlite3_column_blob(q, at);

    return view_of(p, p != NULL ? (size_t)sqlite3_column_bytes(q, at) : 0);
}

static void read_pair(sqlite3_stmt *q, struct store_ra *r)
{
    char use[2];

    r->generation = sqlite3_column_int64(q, 0);
    sql_column(q, 1, use, sizeof use);
    r->use = use[0];
    sql_column(q, 2, r->request_id, sizeof r->request_id);
    r->path = blob_at(q, 3);
    r->data_key = blob_at(q, 4);
    r->key = blob_at(q, 5);
    r->not_before_at = sqlite3_column_int64(q, 6);
    r->not_after_at = sqlite3_column_int64(q, 7);
    r->installed_at = sqlite3_column_int64(q, 8);
    r->replaced_at = sqlite3_column_int64(q, 9);
}

int store_ra_list(struct store *s, const char *endpoint, store_ra_fn *fn, void *arg, struct err *e)
{
    sqlite3_stmt *q = sql_use(s, SQL_RA_LIST, e);
    struct store_ra r = { 0 };
    int got;

    if (q == NULL)
        return -1;
    (void)snprintf(r.endpoint, sizeof r.endpoint, "%s", endpoint);
    sql_text(q, 1, endpoint);
    while ((got = sql_step(s, q, e)) == 1) {
        read_pair(q, &r);
        fn(arg, &r);
    }
    return got;
}

int store_ra_replace(
    struct store *s, const char *endpoint, int64_t generation, int64_t now, struct err *e)
{
    sqlite3_stmt *q = sql_write(s, SQL_RA_DROP_SIGNING, e);

    if (q == NULL)
        return -1;
    sql_text(q, 1, endpoint);
    sql_int(q, 2, generation);
    if (sql_run(s, q, e) != 0 || (q = sql_write(s, SQL_RA_REPLACE, e)) == NULL)
        return -1;
    sql_text(q, 1, endpoint);
    sql_int(q, 2, generation);
    sql_int(q, 3, now);
    return sql_run(s, q, e);
}

int store_ra_forget(
    struct store *s, const char *endpoint, int64_t now, int64_t since, size_t most, struct err *e)
{
    sqlite3_stmt *q = sql_write(s, SQL_RA_FORGET, e);

    if (q == NULL)
        return -1;
    sql_text(q, 1, endpoint);
    sql_int(q, 2, now);
    sql_int(q, 3, since);
    sql_int(q, 4, (int64_t)most);
    return sql_run(s, q, e);
}
