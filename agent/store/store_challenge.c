/* see store.h.  Challenges, each reserved for one request; and what plugins note. */
#include <string.h>
#include "agent/store/store_sql.h"

/* Who has it?  1, 0: nobody, -1 */
static int find_holder(
    struct store *s, const char *digest, char *holder, size_t size, struct err *e)
{
    sqlite3_stmt *q = sql_use(s, SQL_RESERVED_FOR, e);
    int got;

    if (q == NULL)
        return -1;
    sql_text(q, 1, digest);
    if ((got = sql_step(s, q, e)) == 1) {
        sql_column(q, 0, holder, size);
        (void)sqlite3_reset(q);
    }
    return got;
}

int store_reserved(struct store *s, const char *digest, const char *request_id, struct err *e)
{
    char holder[64];
    int got = find_holder(s, digest, holder, sizeof holder, e);

    return got == 1 ? strcmp(holder, request_id) != 0 : got;
}

int store_reserve(
    struct store *s, const char *digest, const char *request_id, int64_t now, struct err *e)
{
    sqlite3_stmt *q = sql_write(s, SQL_RESERVE, e);
    char holder[64];
    int got;

    if (q == NULL)
        return -1;
    sql_text(q, 1, digest);
    sql_text(q, 2, request_id);
    sql_int(q, 3, now);
    if (sql_run(s, q, e) != 0)
        return -1;
    if (sqlite3_changes(s->db) > 0)
        return 1;
    got = find_holder(s, digest, holder, sizeof holder, e);
    return got == 1 ? strcmp(holder, request_id) == 0 : got;
}

int store_release(struct store *s, const char *digest, const char *request_id, struct err *e)
{
    sqlite3_stmt *q = sql_write(s, SQL_RELEASE, e);

    if (q == NULL)
        return -1;
    sql_text(q, 1, digest);
    sql_text(q, 2, request_id);
    return sql_run(s, q, e);
}

/* ---- notes ------------------------------------------------------------------------------------------------- */

int store_note_get(struct store *s, const char *plugin, const char *key, int64_t now, char *out,
    size_t size, struct err *e)
{
    sqlite3_stmt *q = sql_use(s, SQL_NOTE_GET, e);
    int got;

    if (q == NULL)
        return -1;
    sql_text(q, 1, plugin);
    sql_text(q, 2, key);
    sql_int(q, 3, now);
    if ((got = sql_step(s, q, e)) == 1) {
        sql_column(q, 0, out, size);
        (void)sqlite3_reset(q);
    }
    return got;
}

int store_note_put(struct store *s, const char *plugin, const char *key, const char *value,
    int64_t expires_at, struct err *e)
{
    sqlite3_stmt *q = sql_write(s, SQL_NOTE_PUT, e);

    if (q == NULL)
        return -1;
    sql_text(q, 1, plugin);
    sql_text(q, 2, key);
    sql_text(q, 3, value);
    sql_int(q, 4, expires_at);
    return sql_run(s, q, e);
}

int store_note_add(struct store *s, const char *plugin, const char *key, const char *value,
    int64_t expires_at, int64_t now, struct err *e)
{
    sqlite3_stmt *q = sql_write(s, SQL_NOTE_ADD, e);

    if (q == NULL)
        return -1;
    sql_text(q, 1, plugin);
    sql_text(q, 2, key);
    sql_text(q, 3, value);
    sql_int(q, 4, expires_at);
    sql_int(q, 5, now);
    if (sql_run(s, q, e) != 0)
        return -1;
    return sqlite3_changes(s->db) > 0;
}

int store_note_drop(struct store *s, const char *plugin, const char *key, struct err *e)
{
    sqlite3_stmt *q = sql_write(s, SQL_NOTE_DROP, e);

    if (q == NULL)
        return -1;
    sql_text(q, 1, plugin);
    sql_text(q, 2, key);
    return sql_run(s, q, e);
}

int store_note_count(struct store *s, const char *plugin, const char *prefix, int64_t now,
    int64_t *out, struct err *e)
{
    sqlite3_stmt *q = sql_use(s, SQL_NOTE_COUNT, e);

    if (q == NULL)
        return -1;
    sql_text(q, 1, plugin);
    sql_text(q, 2, prefix);
    sql_int(q, 3, now);
    if (sql_step(s, q, e) != 1)
        return -1;
    *out = sqlite3_column_int64(q, 0);
    (void)sqlite3_reset(q);
    return 0;
}
