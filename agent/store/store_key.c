/* see store.h, store_rewrap.  Row by row, with no statement open while fn runs and the row is written. */
#include <stdio.h>
#include "agent/store/store_sql.h"

enum { DATA_KEY_MAX = 4096 };

struct row {
    int64_t at;
    char id[64];
    struct buf data_key;
};

/* The row after r->at.  returns 1, 0: none, -1 */
static int next_row(struct store *s, enum sql which, struct row *r, struct err *e)
{
    sqlite3_stmt *q = sql_use(s, which, e);
    const void *p;
    int got;

    if (q == NULL)
        return -1;
    sql_int(q, 1, r->at);
    if (which == SQL_KEY_NEXT)
        sql_int(q, 2, BLOB_DATA_KEY);
    if ((got = sql_step(s, q, e)) != 1)
        return got;
    r->at = sqlite3_column_int64(q, 0);
    sql_column(q, 1, r->id, sizeof r->id);
    buf_reset(&r->data_key);
    if ((p = sqlite3_column_blob(q, 2)) != NULL)
        buf_add(&r->data_key, p, (size_t)sqlite3_column_bytes(q, 2));
    (void)sqlite3_reset(q);
    return buf_check(&r->data_key, e) == 0 ? 1 : -1;
}

static int set_row(struct store *s, enum sql which, const struct row *r, struct err *e)
{
    sqlite3_stmt *q = sql_write(s, which, e);

    if (q == NULL)
        return -1;
    sql_int(q, 1, r->at);
    sql_blob(q, 2, buf_view(&r->data_key));
    return sql_run(s, q, e);
}

static int rewrap(
    struct store *s, enum sql next, enum sql set, store_rewrap_fn *fn, void *arg, struct err *e)
{
    struct row r = { .at = -1, .data_key = BUF_INIT(DATA_KEY_MAX) };
    int got;

    while ((got = next_row(s, next, &r, e)) == 1) {
        int changed = fn(arg, r.id, &r.data_key, e);

        if (changed < 0 || (changed == 1 && set_row(s, set, &r, e) != 0)) {
            got = -1;
            break;
        }
    }
    buf_free(&r.data_key);
    return got;
}

int store_rewrap(struct store *s, store_rewrap_fn *fn, void *arg, struct err *e)
{
    if (rewrap(s, SQL_KEY_NEXT, SQL_KEY_SET, fn, arg, e) != 0)
        return -1;
    return rewrap(s, SQL_RA_KEY_NEXT, SQL_RA_KEY_SET, fn, arg, e);
}
