#ifndef AGENT_STORE_SQL_H
#define AGENT_STORE_SQL_H
#include <sqlite3.h>
#include "agent/store/store.h"

/*
 * store_sql.h - between the store*.c files: the connection, prepared statements, errors.
 *
 * A statement is prepared once and kept by its number.  Use: sql_use, bind, sql_step ..., sql_done.
 */
enum sql {
    SQL_INSERT,
    SQL_UPDATE,
    SQL_SET_SERIAL,
    SQL_GET,
    SQL_PUT_BLOB,
    SQL_DROP_BLOB,
    SQL_KEEP_BLOB,
    SQL_GET_BLOBS,
    SQL_DUE,
    SQL_NEXT_AT,
    SQL_COUNT_DUE,
    SQL_CAS,
    SQL_LIST,
    SQL_LIST_STATE,
    SQL_LEASES,
    SQL_SHIFT,
    SQL_END_LEASES,
    SQL_EXPIRE_BLOBS,
    SQL_ADD_HISTORY,
    SQL_HISTORY,
    SQL_ADD_ORPHAN,
    SQL_ORPHANS,
    SQL_SETTLE_ORPHANS,
    SQL_DROP_ORPHAN,
    SQL_COUNT_STATES,
    SQL_COUNT_ORPHANS,
    SQL_WAITING,
    SQL_STUCK,
    SQL_COUNT_STUCK,
    SQL_RECENT,
    SQL_ENDED,
    SQL_AUDIT_ADD,
    SQL_AUDIT_LAST,
    SQL_AUDIT_LIST,
    SQL_OLDEST,
    SQL_NEWEST,
    SQL_FIND_ALIAS,
    SQL_FIND_SERIAL,
    SQL_RESERVE,
    SQL_RESERVED_FOR,
    SQL_RELEASE,
    SQL_NOTE_GET,
    SQL_NOTE_PUT,
    SQL_NOTE_ADD,
    SQL_NOTE_DROP,
    SQL_NOTE_COUNT,
    SQL_NOTE_EXPIRE,
    SQL_RA_PUT,
    SQL_RA_LIST,
    SQL_RA_REPLACE,
    SQL_RA_DROP_SIGNING,
    SQL_RA_FORGET,
    SQL_KEY_NEXT,
    SQL_KEY_SET,
    SQL_RA_KEY_NEXT,
    SQL_RA_KEY_SET,
    SQL_META_GET,
    SQL_META_PUT,
    SQL_COUNT
};

struct store {
    sqlite3 *db;
    sqlite3_stmt *stmt[SQL_COUNT];
    bool open_txn, lost;
    enum store_problem problem;
    int64_t expired_to; /* what ended before has no blobs any more */
    char path[4096];
};

extern const char *const store_sql[SQL_COUNT];
extern const char *const store_migrations[];
extern const int store_version; /* how many migrations there are */

/* sql_use - the statement, prepared and reset; NULL: ERR_STORE */
sqlite3_stmt *sql_use(struct store *s, enum sql which, struct err *e) MUST;
/* sql_write - the same inside the transaction, which is begun if there is none. */
sqlite3_stmt *sql_write(struct store *s, enum sql which, struct err *e) MUST;
/* sql_step - 1 a row, 0 done, -1 ERR_STORE */
int sql_step(struct store *s, sqlite3_stmt *q, struct err *e) MUST;
/* sql_run - step to the end of a statement without rows, reset it; a failure rolls everything back */
int sql_run(struct store *s, sqlite3_stmt *q, struct err *e) MUST;
int sql_fail(struct store *s, struct err *e); /* -1 and ERR_STORE from the connection's state */

void sql_text(sqlite3_stmt *q, int at, const char *text);
void sql_int(sqlite3_stmt *q, int at, int64_t v);
void sql_blob(sqlite3_stmt *q, int at, struct view v);
void sql_column(sqlite3_stmt *q, int at, char *out, size_t size);
#endif
