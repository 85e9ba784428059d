/* see store_copy.h */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "agent/base/fs.h"
#include "agent/store/store_copy.h"
#include "agent/store/store_sql.h"
#include "certs/mem.h"

struct store_copy {
    struct store *from;
    sqlite3 *to;
    sqlite3_backup *pages; /* NULL: all are copied */
    int percent;
    char path[4096];
};

static int fail(sqlite3 *db, const char *path, struct err *e)
{
    return err_set(
        e, ERR_STORE, "%s: %s (%d)", path, sqlite3_errmsg(db), sqlite3_extended_errcode(db));
}

static int run(sqlite3 *db, const char *path, const char *sql, struct err *e)
{
    return sqlite3_exec(db, sql, NULL, NULL, NULL) == SQLITE_OK ? 0 : fail(db, path, e);
}

/* ---- there -------------------------------------------------------------------------------------------------- */

struct store_copy *store_copy_begin(struct store *s, const char *path, struct err *e)
{
    struct store_copy *c;

    if (fs_create_secret(path, (struct view){ 0 }, e) != 0)
        return NULL;
    c = xcalloc(1, sizeof *c);
    c->from = s;
    (void)snprintf(c->path, sizeof c->path, "%s", path);
    if (sqlite3_open_v2(path, &c->to, SQLITE_OPEN_READWRITE, NULL) != SQLITE_OK
        || (c->pages = sqlite3_backup_init(c->to, "main", s->db, "main")) == NULL) {
        (void)fail(c->to, path, e);
        store_copy_drop(c);
        return NULL;
    }
    return c;
}

/* One file when it is closed, and a place for the others. */
static int copied(struct store_copy *c, struct err *e)
{
    int rc = sqlite3_backup_finish(c->pages);

    c->pages = NULL;
    c->percent = 100;
    if (rc != SQLITE_OK)
        return fail(c->to, c->path, e);
    return run(c->to, c->path,
        "PRAGMA journal_mode=DELETE; PRAGMA synchronous=FULL; BEGIN;"
        "CREATE TABLE attachment (name TEXT PRIMARY KEY, data BLOB NOT NULL)",
        e);
}

int store_copy_step(struct store_copy *c, int pages, struct err *e)
{
    int all;

    if (store_dirty(c->from)) /* half of a transaction is not copied */
        return 1;
    switch (sqlite3_backup_step(c->pages, pages)) {
    case SQLITE_DONE:
        return copied(c, e);
    case SQLITE_OK:
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
        all = sqlite3_backup_pagecount(c->pages);
        c->percent = all > 0 ? (int)(100LL * (all - sqlite3_backup_remaining(c->pages)) / all) : 0;
        return 1;
    default:
        return fail(c->to, c->path, e);
    }
}

int store_copy_percent(const struct store_copy *c)
{
    return c->percent;
}

int store_copy_attach(struct store_copy *c, const char *name, struct view data, struct err *e)
{
    sqlite3_stmt *q = NULL;
    int rc = -1;

    if (sqlite3_prepare_v2(
            c->to, "INSERT INTO attachment (name, data) VALUES (?1, ?2)", -1, &q, NULL)
        == SQLITE_OK) {
        sql_text(q, 1, name);
        sql_blob(q, 2, data);
        rc = sqlite3_step(q) == SQLITE_DONE ? 0 : -1;
    }
    if (rc != 0)
        (void)fail(c->to, c->path, e);
    (void)sqlite3_finalize(q);
    return rc;
}

int store_copy_end(struct store_copy *c, int64_t now, struct err *e)
{
    char sql[120];

    (void)snprintf(sql, sizeof sql,
        "INSERT OR REPLACE INTO meta (key, value) VALUES ('copied_at', '%lld'); COMMIT",
        (long long)now);
    if (run(c->to, c->path, sql, e) != 0) {
        store_copy_drop(c);
        return -1;
    }
    (void)sqlite3_close(c->to);
    free(c);
    return 0;
}

void store_copy_drop(struct store_copy *c)
{
    struct err e;

    if (c == NULL)
        return;
    (void)sqlite3_backup_finish(c->pages);
    (void)sqlite3_close(c->to);
    (void)!fs_remove(c->path, &e);
    free(c);
}

/* ---- and back ----------------------------------------------------------------------------------------------- */

/* The first column of its first row; fallback if there is none, or no such table. */
static int64_t number(sqlite3 *db, const char *sql, int64_t fallback)
{
    sqlite3_stmt *q = NULL;
    int64_t v = fallback;

    if (sqlite3_prepare_v2(db, sql, -1, &q, NULL) == SQLITE_OK && sqlite3_step(q) == SQLITE_ROW)
        v = sqlite3_column_int64(q, 0);
    (void)sqlite3_finalize(q);
    return v;
}

static int is_whole(sqlite3 *db, const char *path, struct err *e)
{
    sqlite3_stmt *q = NULL;
    char found[200] = "it cannot be read";

    if (sqlite3_prepare_v2(db, "PRAGMA integrity_check(1)", -1, &q, NULL) == SQLITE_OK
        && sqlite3_step(q) == SQLITE_ROW)
        sql_column(q, 0, found, sizeof found);
    (void)sqlite3_finalize(q);
    return strcmp(found, "ok") == 0 ? 0 : err_set(e, ERR_STORE, "%s is damaged: %s", path, found);
}

static int give_files(
    sqlite3 *db, const char *path, size_t *count, store_copy_fn *fn, void *arg, struct err *e)
{
    sqlite3_stmt *q = NULL;
    int rc = 0, got;

    if (sqlite3_prepare_v2(db, "SELECT name, data FROM attachment ORDER BY name", -1, &q, NULL)
        != SQLITE_OK)
        return fail(db, path, e);
    while (rc == 0 && (got = sqlite3_step(q)) != SQLITE_DONE) {
        char name[256];

        if (got != SQLITE_ROW) {
            rc = fail(db, path, e);
            break;
        }
        sql_column(q, 0, name, sizeof name);
        rc = fn(
            arg, name, view_of(sqlite3_column_blob(q, 1), (size_t)sqlite3_column_bytes(q, 1)), e);
        (*count)++;
    }
    (void)sqlite3_finalize(q);
    return rc;
}

static int unpack(sqlite3 *db, const char *path, struct store_copy_facts *facts, store_copy_fn *fn,
    void *arg, struct err *e)
{
    int64_t version = number(db, "PRAGMA user_version", 0);

    facts->at = number(db, "SELECT value FROM meta WHERE key='copied_at'", 0);
    if (facts->at == 0 || number(db, "SELECT count(*) FROM attachment", -1) < 0)
        return err_set(e, ERR_INPUT, "it is no backup that certferry store backup has made");
    if (version > store_version)
        return err_set(e, ERR_STORE,
            "it was made by a newer version (schema %lld, this program knows %d)",
            (long long)version, store_version);
    if (is_whole(db, path, e) != 0)
        return -1;
    if (number(db, "SELECT count(*) FROM sqlite_master WHERE type NOT IN ('table', 'index')", 1)
        != 0)
        return err_set(e, ERR_INPUT, "there is more in it than a store has: triggers or views");
    facts->open = number(db, "SELECT count(*) FROM request WHERE open", 0);
    if (give_files(db, path, &facts->files, fn, arg, e) != 0)
        return -1;
    return run(db, path,
        "PRAGMA secure_delete=ON; PRAGMA synchronous=FULL; BEGIN; DROP TABLE attachment;"
        "UPDATE OR REPLACE meta SET key='backup_at' WHERE key='copied_at'; COMMIT",
        e);
}

int store_copy_unpack(
    const char *path, struct store_copy_facts *facts, store_copy_fn *fn, void *arg, struct err *e)
{
    sqlite3 *db = NULL;
    int rc = -1;

    *facts = (struct store_copy_facts){ 0 };
    if (sqlite3_open_v2(path, &db, SQLITE_OPEN_READWRITE, NULL) != SQLITE_OK)
        (void)fail(db, path, e);
    else
        rc = unpack(db, path, facts, fn, arg, e);
    (void)sqlite3_close(db);
    return rc;
}
