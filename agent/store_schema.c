/* The schema as a list of steps forward, and every statement.  See store_sql.h. */
#include "agent/store_sql.h"

/* request and blob have row ids: their keys are random, and clustered by them every write hit another page. */
const char *const store_migrations[] = {
    "CREATE TABLE meta (key TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;"
    "CREATE TABLE request ("
    " id TEXT PRIMARY KEY, kind TEXT NOT NULL, step TEXT NOT NULL, state TEXT NOT NULL,"
    " open INTEGER NOT NULL, ca TEXT NOT NULL, template TEXT NOT NULL, subject TEXT NOT NULL,"
    " lease TEXT NOT NULL, activity TEXT NOT NULL, lease_expires_at INTEGER NOT NULL,"
    " attempt INTEGER NOT NULL, created_at INTEGER NOT NULL, expires_at INTEGER NOT NULL,"
    " received_at INTEGER NOT NULL, next_at INTEGER NOT NULL, ended_at INTEGER NOT NULL,"
    " tries INTEGER NOT NULL, submits INTEGER NOT NULL, noticed INTEGER NOT NULL, failed INTEGER "
    "NOT NULL,"
    " reference TEXT NOT NULL, serial TEXT NOT NULL, digest TEXT NOT NULL,"
    " why_class TEXT NOT NULL, why_number INTEGER NOT NULL, why TEXT NOT NULL);"
    "CREATE INDEX request_due ON request (ca, next_at) WHERE open;"
    "CREATE INDEX request_next ON request (next_at) WHERE open;"
    "CREATE INDEX request_lease ON request (lease_expires_at) WHERE open;"
    "CREATE INDEX request_ended ON request (ended_at) WHERE NOT open;"
    "CREATE TABLE blob (id TEXT NOT NULL, name TEXT NOT NULL, data BLOB NOT NULL,"
    " PRIMARY KEY (id, name));"
    "CREATE TABLE history (id TEXT NOT NULL, at INTEGER NOT NULL, event TEXT NOT NULL,"
    " text TEXT NOT NULL);"
    "CREATE INDEX history_id ON history (id);"
    "CREATE TABLE orphan (serial TEXT NOT NULL, spki TEXT NOT NULL, request_id TEXT NOT NULL,"
    " ca TEXT NOT NULL, subject TEXT NOT NULL, reason TEXT NOT NULL, at INTEGER NOT NULL,"
    " PRIMARY KEY (request_id, serial)) WITHOUT ROWID;",
    /* SCEP: transactions, renewals, challenges, what plugins note */
    "ALTER TABLE request ADD COLUMN alias TEXT NOT NULL DEFAULT '';"
    "DROP INDEX request_lease;" /* a request without a lease costs it no page */
    "CREATE INDEX request_lease ON request (lease_expires_at) WHERE open AND lease_expires_at>0;"
    "CREATE INDEX request_alias ON request (alias) WHERE alias<>'';"
    "CREATE INDEX request_serial ON request (serial) WHERE serial<>'';"
    "CREATE TABLE challenge (digest TEXT PRIMARY KEY, request_id TEXT NOT NULL,"
    " at INTEGER NOT NULL) WITHOUT ROWID;"
    "CREATE INDEX challenge_request ON challenge (request_id);"
    "CREATE TABLE note (plugin TEXT NOT NULL, key TEXT NOT NULL, value TEXT NOT NULL,"
    " expires_at INTEGER NOT NULL, PRIMARY KEY (plugin, key)) WITHOUT ROWID;"
    /* the certificates of registration authorities; use: 's' signing, 'e' encryption */
    "CREATE TABLE ra_pair (endpoint TEXT NOT NULL, generation INTEGER NOT NULL, use TEXT NOT NULL,"
    " request_id TEXT NOT NULL, path BLOB NOT NULL, data_key BLOB NOT NULL, key BLOB NOT NULL,"
    " not_before_at INTEGER NOT NULL, not_after_at INTEGER NOT NULL,"
    " installed_at INTEGER NOT NULL, replaced_at INTEGER NOT NULL,"
    " PRIMARY KEY (endpoint, generation, use));",
};
const int store_version = (int)(sizeof store_migrations / sizeof store_migrations[0]);

#define COLUMNS                                                                                 \
    "id, kind, step, state, ca, template, subject, lease, activity, lease_expires_at, attempt," \
    " created_at, expires_at, received_at, next_at, ended_at, tries, submits, noticed,"         \
    " failed, reference, serial, digest, why_class, why_number, why, alias"

/* An update writes to every index with a column it sets, changed or not; alias is set once. */
const char *const store_sql[SQL_COUNT] = {
    [SQL_INSERT] =
        "INSERT OR IGNORE INTO request (" COLUMNS ", open) VALUES"
        " (?1,?2,?3,?4,?5,?6,?7,?8,?9,?10,?11,?12,?13,?14,?15,?16,?17,?18,?19,?20,?21,?22,"
        "?23,?24,?25,?26,?27,?28)",
    [SQL_UPDATE] =
        "UPDATE request SET kind=?2, step=?3, state=?4, ca=?5, template=?6, subject=?7,"
        " lease=?8, activity=?9, lease_expires_at=?10, attempt=?11, created_at=?12,"
        " expires_at=?13, received_at=?14, next_at=?15, ended_at=?16, tries=?17, submits=?18,"
        " noticed=?19, failed=?20, reference=?21, serial=?22, digest=?23, why_class=?24,"
        " why_number=?25, why=?26, open=?28 WHERE id=?1",
    [SQL_GET] = "SELECT " COLUMNS " FROM request WHERE id=?1",
    [SQL_PUT_BLOB] = "INSERT INTO blob (id, name, data) VALUES (?1,?2,?3)"
                     " ON CONFLICT (id, name) DO UPDATE SET data=excluded.data",
    [SQL_DROP_BLOB] = "DELETE FROM blob WHERE id=?1 AND name=?2",
    [SQL_KEEP_RESULT] = "DELETE FROM blob WHERE id=?1 AND name<>'result'",
    [SQL_GET_BLOBS] = "SELECT name, data FROM blob WHERE id=?1",
    [SQL_DUE] = "SELECT " COLUMNS " FROM request WHERE open AND ca=?1 AND next_at<=?2"
                " ORDER BY next_at LIMIT ?3",
    [SQL_NEXT_AT] = "SELECT min(next_at) FROM request WHERE open AND next_at>?1",
    [SQL_COUNT_DUE] = "SELECT count(*) FROM request WHERE open AND next_at<=?1",
    [SQL_CAS] = "SELECT DISTINCT ca FROM request WHERE open",
    [SQL_LIST] = "SELECT " COLUMNS " FROM request WHERE open OR NOT ?1 ORDER BY created_at DESC, id"
                 " LIMIT ?2",
    [SQL_LIST_STATE] = "SELECT " COLUMNS " FROM request WHERE state=?1 ORDER BY created_at DESC, id"
                       " LIMIT ?2",
    [SQL_LEASES] = "SELECT " COLUMNS " FROM request WHERE open AND lease_expires_at>0"
                   " AND lease_expires_at<?1 ORDER BY lease_expires_at LIMIT ?2",
    [SQL_SHIFT] = "UPDATE request SET next_at=max(0, next_at+?1) WHERE open",
    [SQL_EXPIRE_BLOBS] = "DELETE FROM blob WHERE id IN (SELECT id FROM request WHERE NOT open"
                         " AND ended_at<?1 AND ended_at>=?2 AND ended_at>0)",
    [SQL_ADD_HISTORY] = "INSERT INTO history (id, at, event, text) VALUES (?1,?2,?3,?4)",
    [SQL_HISTORY] = "SELECT at, event, text FROM history WHERE id=?1 ORDER BY rowid",
    [SQL_ADD_ORPHAN] =
        "INSERT OR IGNORE INTO orphan (serial, spki, request_id, ca, subject, reason, at)"
        " VALUES (?1,?2,?3,?4,?5,?6,?7)",
    [SQL_ORPHANS] =
        "SELECT serial, spki, request_id, ca, subject, reason, at FROM orphan ORDER BY at",
    [SQL_DROP_ORPHAN] = "DELETE FROM orphan WHERE request_id=?1 AND serial=?2",
    [SQL_COUNT_STATES] = "SELECT state, count(*) FROM request GROUP BY state",
    [SQL_COUNT_ORPHANS] = "SELECT count(*), sum(serial='') FROM orphan",
    [SQL_OLDEST] = "SELECT min(created_at) FROM request WHERE open",
    [SQL_FIND_ALIAS] = "SELECT " COLUMNS " FROM request WHERE alias=?1 AND alias<>''"
                       " ORDER BY received_at DESC, rowid DESC LIMIT 1",
    [SQL_FIND_SERIAL] = "SELECT " COLUMNS " FROM request WHERE serial=?1 AND serial<>'' AND ca=?2"
                        " ORDER BY received_at DESC, rowid DESC LIMIT 1",
    [SQL_RESERVE] = "INSERT OR IGNORE INTO challenge (digest, request_id, at) VALUES (?1,?2,?3)",
    [SQL_RESERVED_FOR] = "SELECT request_id FROM challenge WHERE digest=?1",
    [SQL_RELEASE] = "DELETE FROM challenge WHERE request_id=?1",
    [SQL_NOTE_GET] = "SELECT value FROM note WHERE plugin=?1 AND key=?2"
                     " AND (expires_at=0 OR expires_at>?3)",
    [SQL_NOTE_PUT] = "INSERT INTO note (plugin, key, value, expires_at) VALUES (?1,?2,?3,?4)"
                     " ON CONFLICT (plugin, key) DO UPDATE SET value=excluded.value,"
                     " expires_at=excluded.expires_at",
    [SQL_NOTE_ADD] = "INSERT INTO note (plugin, key, value, expires_at) VALUES (?1,?2,?3,?4)"
                     " ON CONFLICT (plugin, key) DO UPDATE SET value=excluded.value,"
                     " expires_at=excluded.expires_at WHERE expires_at<>0 AND expires_at<=?5",
    [SQL_NOTE_DROP] = "DELETE FROM note WHERE plugin=?1 AND key=?2",
    [SQL_NOTE_COUNT] = "SELECT count(*) FROM note WHERE plugin=?1 AND substr(key,1,length(?2))=?2"
                       " AND (expires_at=0 OR expires_at>?3)",
    [SQL_NOTE_EXPIRE] = "DELETE FROM note WHERE expires_at<>0 AND expires_at<?1",
    [SQL_RA_PUT] =
        "INSERT OR REPLACE INTO ra_pair (endpoint, generation, use, request_id, path, data_key,"
        " key, not_before_at, not_after_at, installed_at, replaced_at)"
        " VALUES (?1,?2,?3,?4,?5,?6,?7,?8,?9,?10,0)",
    [SQL_RA_LIST] =
        "SELECT generation, use, request_id, path, data_key, key, not_before_at, not_after_at,"
        " installed_at, replaced_at FROM ra_pair WHERE endpoint=?1"
        " ORDER BY generation DESC, use DESC",
    [SQL_RA_REPLACE] = "UPDATE ra_pair SET replaced_at=?3 WHERE endpoint=?1 AND generation<?2"
                       " AND use='e' AND replaced_at=0",
    [SQL_RA_DROP_SIGNING] = "DELETE FROM ra_pair WHERE endpoint=?1 AND generation<?2 AND use='s'",
    [SQL_RA_FORGET] =
        "DELETE FROM ra_pair WHERE endpoint=?1 AND replaced_at<>0 AND ((not_after_at<?2 AND"
        " replaced_at<?3) OR generation NOT IN (SELECT generation FROM ra_pair WHERE endpoint=?1"
        " AND replaced_at<>0 ORDER BY generation DESC LIMIT ?4))",
    [SQL_META_GET] = "SELECT value FROM meta WHERE key=?1",
    [SQL_META_PUT] = "INSERT INTO meta (key, value) VALUES (?1,?2)"
                     " ON CONFLICT (key) DO UPDATE SET value=excluded.value",
};
