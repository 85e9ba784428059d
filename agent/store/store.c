/* see store.h.  The connection: opening, migrating, committing, and what a failure means. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "agent/base/fs.h"
#include "agent/base/metrics.h"
#include "agent/store/store_sql.h"
#include "certs/mem.h"

enum { CHECKPOINT_PAGES = 4000, BUSY_MS = 2000 };

static enum store_problem open_problem;

enum store_problem store_problem(const struct store *s)
{
    return s != NULL ? s->problem : open_problem;
}

/* ---- errors ---------------------------------------------------------------------------------------- */

static enum store_problem problem_of(int code)
{
    switch (code & 0xff) {
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
        return STORE_LOCKED;
    case SQLITE_FULL:
        return STORE_FULL;
    case SQLITE_CORRUPT:
    case SQLITE_NOTADB:
        return STORE_CORRUPT;
    default:
        return STORE_OTHER;
    }
}

int sql_fail(struct store *s, struct err *e)
{
    static const char *const help[] = {
        [STORE_FINE] = "",
        [STORE_LOCKED] = "; another program has it open",
        [STORE_FULL] = "; free some space, nothing is lost",
        [STORE_CORRUPT] = "; stop the service and restore a backup, do not delete it",
        [STORE_NEWER] = "",
        [STORE_OTHER] = "",
    };

    s->problem = problem_of(sqlite3_extended_errcode(s->db));
    return err_set(e, ERR_STORE, "%s: %s (%d)%s", s->path, sqlite3_errmsg(s->db),
        sqlite3_extended_errcode(s->db), help[s->problem]);
}

/* ---- statements ------------------------------------------------------------------------------------- */

sqlite3_stmt *sql_use(struct store *s, enum sql which, struct err *e)
{
    sqlite3_stmt **q = &s->stmt[which];

    if (*q == NULL
        && sqlite3_prepare_v3(s->db, store_sql[which], -1, SQLITE_PREPARE_PERSISTENT, q, NULL)
               != SQLITE_OK) {
        (void)sql_fail(s, e);
        return NULL;
    }
    (void)sqlite3_reset(*q);
    return *q;
}

sqlite3_stmt *sql_write(struct store *s, enum sql which, struct err *e)
{
    sqlite3_stmt *q;

    if (!s->open_txn) {
        if (sqlite3_exec(s->db, "BEGIN IMMEDIATE", NULL, NULL, NULL) != SQLITE_OK) {
            (void)sql_fail(s, e);
            return NULL;
        }
        s->open_txn = true;
    }
    q = sql_use(s, which, e);
    if (q == NULL)
        store_rollback(s);
    return q;
}

int sql_step(struct store *s, sqlite3_stmt *q, struct err *e)
{
    switch (sqlite3_step(q)) {
    case SQLITE_ROW:
        return 1;
    case SQLITE_DONE:
        (void)sqlite3_reset(q);
        return 0;
    default:
        (void)sql_fail(s, e);
        (void)sqlite3_reset(q);
        return -1;
    }
}

int sql_run(struct store *s, sqlite3_stmt *q, struct err *e)
{
    if (sql_step(s, q, e) >= 0) {
        (void)sqlite3_reset(q);
        return 0;
    }
    store_rollback(s);
    return -1;
}

void sql_text(sqlite3_stmt *q, int at, const char *text)
{
    (void)sqlite3_bind_text(q, at, text, -1, SQLITE_TRANSIENT);
}

void sql_int(sqlite3_stmt *q, int at, int64_t v)
{
    (void)sqlite3_bind_int64(q, at, v);
}

void sql_blob(sqlite3_stmt *q, int at, struct view v)
{
    (void)sqlite3_bind_blob64(q, at, v.len > 0 ? (const void *)v.p : "", v.len, SQLITE_TRANSIENT);
}

void sql_column(sqlite3_stmt *q, int at, char *out, size_t size)
{
    const unsigned char *t = sqlite3_column_text(q, at);

    (void)snprintf(out, size, "%s", t != NULL ? (const char *)t : "");
}

/* ---- transactions ----------------------------------------------------------------------------------- */

bool store_dirty(const struct store *s)
{
    return s->open_txn;
}

void store_rollback(struct store *s)
{
    if (s->open_txn) {
        (void)sqlite3_exec(s->db, "ROLLBACK", NULL, NULL, NULL);
        s->lost = true;
    }
    s->open_txn = false;
}

bool store_lost(struct store *s)
{
    bool lost = s->lost;

    s->lost = false;
    return lost;
}

int store_commit(struct store *s, struct err *e)
{
    uint64_t began = metric_now_us();

    if (!s->open_txn)
        return 0;
    if (sqlite3_exec(s->db, "COMMIT", NULL, NULL, NULL) != SQLITE_OK) {
        (void)sql_fail(s, e);
        store_rollback(s);
        return -1;
    }
    s->open_txn = false;
    s->problem = STORE_FINE;
    metric_time(METRIC_COMMIT, metric_now_us() - began, NULL, NULL);
    return 0;
}

void store_idle(struct store *s)
{
    if (!s->open_txn)
        (void)sqlite3_wal_checkpoint_v2(s->db, NULL, SQLITE_CHECKPOINT_TRUNCATE, NULL, NULL);
}

int store_check(struct store *s, struct err *e)
{
    sqlite3_stmt *q = NULL;
    int rc = -1;

    if (sqlite3_prepare_v2(s->db, "PRAGMA quick_check(1)", -1, &q, NULL) != SQLITE_OK) {
        (void)sql_fail(s, e);
    } else if (sqlite3_step(q) != SQLITE_ROW) {
        (void)sql_fail(s, e);
    } else if (strcmp((const char *)sqlite3_column_text(q, 0), "ok") != 0) {
        s->problem = STORE_CORRUPT;
        (void)err_set(e, ERR_STORE, "%s: %s; stop the service and restore a backup", s->path,
            (const char *)sqlite3_column_text(q, 0));
    } else {
        rc = 0;
    }
    (void)sqlite3_finalize(q);
    return rc;
}

/* ---- opening ------------------------------------------------------------------------------------------ */

static int version_of(struct store *s, int *out, struct err *e)
{
    sqlite3_stmt *q = NULL;

    if (sqlite3_prepare_v2(s->db, "PRAGMA user_version", -1, &q, NULL) != SQLITE_OK
        || sqlite3_step(q) != SQLITE_ROW) {
        (void)sql_fail(s, e);
        (void)sqlite3_finalize(q);
        return -1;
    }
    *out = sqlite3_column_int(q, 0);
    (void)sqlite3_finalize(q);
    return 0;
}

/* Refuses a file of a newer version before anything of it is changed, its journal mode included. */
static int refuse_newer(struct store *s, int *at, struct err *e)
{
    if (sqlite3_exec(s->db, "PRAGMA locking_mode=EXCLUSIVE", NULL, NULL, NULL) != SQLITE_OK)
        return sql_fail(s, e);
    if (version_of(s, at, e) != 0)
        return -1;
    if (*at <= store_version)
        return 0;
    s->problem = STORE_NEWER;
    return err_set(e, ERR_STORE, "%s: made by a newer version (schema %d, this program knows %d)",
        s->path, *at, store_version);
}

/* Each migration is one transaction with its number, so an interrupted one has not happened. */
static int migrate(struct store *s, int at, struct err *e)
{
    for (; at < store_version; at++) {
        char version[64];

        (void)snprintf(version, sizeof version, "PRAGMA user_version=%d", at + 1);
        if (sqlite3_exec(s->db, "BEGIN IMMEDIATE", NULL, NULL, NULL) != SQLITE_OK
            || sqlite3_exec(s->db, store_migrations[at], NULL, NULL, NULL) != SQLITE_OK
            || sqlite3_exec(s->db, version, NULL, NULL, NULL) != SQLITE_OK
            || sqlite3_exec(s->db, "COMMIT", NULL, NULL, NULL) != SQLITE_OK) {
            (void)sql_fail(s, e);
            (void)sqlite3_exec(s->db, "ROLLBACK", NULL, NULL, NULL);
            return -1;
        }
    }
    return 0;
}

static int set_up(struct store *s, struct err *e)
{
    char pragmas[300];

    /* secure_delete: what is deleted is overwritten, a destroyed key above all. */
    (void)snprintf(pragmas, sizeof pragmas,
        "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL;"
        "PRAGMA secure_delete=ON; PRAGMA temp_store=MEMORY; PRAGMA cache_size=-2000;"
        "PRAGMA wal_autocheckpoint=%d; PRAGMA trusted_schema=OFF",
        CHECKPOINT_PAGES);
    if (sqlite3_exec(s->db, pragmas, NULL, NULL, NULL) != SQLITE_OK)
        return sql_fail(s, e);
    return 0;
}

/* ---- memory ---- */

static sqlite3_mem_methods plain;

static void wipe_free(void *p)
{
    mem_wipe(p, (size_t)plain.xSize(p));
    plain.xFree(p);
}

static void *wipe_realloc(void *p, int size)
{
    int had = plain.xSize(p);
    void *fresh;

    if (size <= had)
        return p;
    if ((fresh = plain.xMalloc(size)) == NULL)
        return NULL;
    memcpy(fresh, p, (size_t)had);
    wipe_free(p);
    return fresh;
}

/* What it frees has been in the store: until a request ends its CSR is, and the challenge in that. */
static void wipe_memory(void)
{
    sqlite3_mem_methods wiping;

    if (plain.xFree != NULL || sqlite3_config(SQLITE_CONFIG_GETMALLOC, &plain) != SQLITE_OK)
        return;
    wiping = plain;
    wiping.xFree = wipe_free;
    wiping.xRealloc = wipe_realloc;
    (void)sqlite3_config(SQLITE_CONFIG_MALLOC, &wiping);
}

struct store *store_open(const char *dir, bool read_only, struct err *e)
{
    struct store *s = xcalloc(1, sizeof *s);
    int version;

    open_problem = STORE_OTHER;
    wipe_memory();
    fs_join(s->path, sizeof s->path, dir, "certferry.db");
    if (!read_only && (fs_private_dir(dir, e) != 0 || fs_touch_private(s->path, e) != 0))
        goto failed;
    if (sqlite3_open_v2(s->path, &s->db,
            read_only ? SQLITE_OPEN_READWRITE : SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE, NULL)
        != SQLITE_OK) {
        (void)err_set(
            e, ERR_STORE, "%s: %s", s->path, s->db != NULL ? sqlite3_errmsg(s->db) : "no memory");
        goto failed;
    }
    (void)sqlite3_busy_timeout(s->db, BUSY_MS);
    if (read_only) {
        if (version_of(s, &version, e) != 0)
            goto failed;
        if (version != store_version) {
            s->problem = version > store_version ? STORE_NEWER : STORE_OTHER;
            (void)err_set(e, ERR_STORE, "%s: schema %d, this program knows %d%s", s->path, version,
                store_version,
                version < store_version ? ": start the service once, it brings the store up to date"
                                        : "");
            goto failed;
        }
        (void)sqlite3_exec(s->db, "PRAGMA query_only=ON", NULL, NULL, NULL);
        return s;
    }
    if (refuse_newer(s, &version, e) != 0 || set_up(s, e) != 0 || migrate(s, version, e) != 0
        || store_check(s, e) != 0)
        goto failed;
    return s;
failed:
    open_problem = s->problem != STORE_FINE ? s->problem : STORE_OTHER;
    store_close(s);
    return NULL;
}

void store_close(struct store *s)
{
    if (s == NULL)
        return;
    store_rollback(s);
    for (size_t i = 0; i < SQL_COUNT; i++)
        (void)sqlite3_finalize(s->stmt[i]);
    (void)sqlite3_close(s->db);
    free(s);
}

const char *store_library(void)
{
    return "SQLite " SQLITE_VERSION;
}
