/* The schema as a list of steps forward, and every statement.  See store_sql.h. */
#include "agent/store/store_sql.h"

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
    /* SCEP: transactions, renewals, challenges, what plugins note.  And requests get a number: what belongs to one
     * (blob, history) is kept under it, at the end of its table, and a write finds the pages of the last one. */
    "ALTER TABLE request RENAME TO request_1;"
    "CREATE TABLE request (row INTEGER PRIMARY KEY,"
    " id TEXT NOT NULL UNIQUE, kind TEXT NOT NULL, step TEXT NOT NULL, state TEXT NOT NULL,"
    " open INTEGER NOT NULL, ca TEXT NOT NULL, template TEXT NOT NULL, subject TEXT NOT NULL,"
    " lease TEXT NOT NULL, activity TEXT NOT NULL, lease_expires_at INTEGER NOT NULL,"
    " attempt INTEGER NOT NULL, created_at INTEGER NOT NULL, expires_at INTEGER NOT NULL,"
    " received_at INTEGER NOT NULL, next_at INTEGER NOT NULL, ended_at INTEGER NOT NULL,"
    " tries INTEGER NOT NULL, submits INTEGER NOT NULL, noticed INTEGER NOT NULL, failed INTEGER "
    "NOT NULL,"
    " reference TEXT NOT NULL, serial TEXT NOT NULL, digest TEXT NOT NULL,"
    " why_class TEXT NOT NULL, why_number INTEGER NOT NULL, why TEXT NOT NULL,"
    " alias TEXT NOT NULL);"
    "INSERT INTO request SELECT rowid, *, '' FROM request_1 ORDER BY rowid;"
    "ALTER TABLE history RENAME TO history_1;"
    "CREATE TABLE history (request INTEGER NOT NULL, n INTEGER NOT NULL, at INTEGER NOT NULL,"
    " event TEXT NOT NULL, text TEXT NOT NULL, PRIMARY KEY (request, n)) WITHOUT ROWID;"
    "INSERT INTO history SELECT r.rowid, h.rowid, h.at, h.event, h.text"
    " FROM history_1 AS h JOIN request_1 AS r ON r.id=h.id;"
    "ALTER TABLE blob RENAME TO blob_1;"
    "CREATE TABLE blob (slot INTEGER PRIMARY KEY, data BLOB NOT NULL);" /* request.row*16 + enum blob */
    "INSERT INTO blob SELECT r.rowid*16 + CASE b.name WHEN 'item' THEN 0 WHEN 'data_key' THEN 1"
    " WHEN 'key' THEN 2 WHEN 'csr' THEN 3 WHEN 'chain' THEN 4 WHEN 'result' THEN 7 END, b.data"
    " FROM blob_1 AS b JOIN request_1 AS r ON r.id=b.id;"
    "DROP TABLE request_1; DROP TABLE history_1; DROP TABLE blob_1;"
    "CREATE INDEX request_due ON request (ca, next_at) WHERE open;"
    "CREATE INDEX request_next ON request (next_at) WHERE open;"
    "CREATE INDEX request_lease ON request (lease_expires_at) WHERE open AND lease_expires_at>0;"
    "CREATE INDEX request_ended ON request (ended_at) WHERE NOT open;"
    /* Of what has no order of its own, a piece is enough to find it, and the index stays small. */
    "CREATE INDEX request_alias ON request (substr(alias,1,12)) WHERE alias<>'';"
    "CREATE INDEX request_serial ON request (substr(serial,-12)) WHERE serial<>'';"
    "CREATE TABLE challenge (digest TEXT PRIMARY KEY, request_id TEXT NOT NULL,"
    " at INTEGER NOT NULL) WITHOUT ROWID;"
    "CREATE TABLE note (plugin TEXT NOT NULL, key TEXT NOT NULL, value TEXT NOT NULL,"
    " expires_at INTEGER NOT NULL, PRIMARY KEY (plugin, key)) WITHOUT ROWID;"
    /* the certificates of registration authorities; use: 's' signing, 'e' encryption */
    "CREATE TABLE ra_pair (endpoint TEXT NOT NULL, generation INTEGER NOT NULL, use TEXT NOT NULL,"
    " request_id TEXT NOT NULL, path BLOB NOT NULL, data_key BLOB NOT NULL, key BLOB NOT NULL,"
    " not_before_at INTEGER NOT NULL, not_after_at INTEGER NOT NULL,"
    " installed_at INTEGER NOT NULL, replaced_at INTEGER NOT NULL,"
    " PRIMARY KEY (endpoint, generation, use));",
    /* Watching: decisions on security, each record chained to the one before; and orphans somebody has dealt with. */
    "CREATE TABLE audit (n INTEGER PRIMARY KEY, at INTEGER NOT NULL, event TEXT NOT NULL,"
    " actor TEXT NOT NULL, subject TEXT NOT NULL, detail TEXT NOT NULL, hash TEXT NOT NULL);"
    "ALTER TABLE orphan ADD COLUMN settled_at INTEGER NOT NULL DEFAULT 0;"
    "ALTER TABLE orphan ADD COLUMN settled TEXT NOT NULL DEFAULT '';",
};
const int store_version = (int)(sizeof store_migrations / sizeof store_migrations[0]);

#define COLUMNS                                                                                 \
    "id, kind, step, state, ca, template, subject, lease, activity, lease_expires_at, attempt," \
    " created_at, expires_at, received_at, next_at, ended_at, tries, submits, noticed,"         \
    " failed, reference, serial, digest, why_class, why_number, why, alias"

/* ?1 is now.  Held; overdue for ten minutes; or failing, and here for an hour. */
#define STUCK                                                \
    "(state='held' OR (state<>'pending' AND next_at<?1-600)" \
    " OR (state='retrying' AND tries>0 AND received_at<?1-3600))"

#define ROW   "(SELECT row FROM request WHERE id=?1)"
#define SLOTS ROW "*16"

/* An update writes to every index with a column it sets, changed or not: alias is set once, serial by itself. */
const char *const store_sql[SQL_COUNT] = {
    [SQL_INSERT] =
        "INSERT OR IGNORE INTO request (" COLUMNS ", open) VALUES"
        " (?1,?2,?3,?4,?5,?6,?7,?8,?9,?10,?11,?12,?13,?14,?15,?16,?17,?18,?19,?20,?21,?22,"
        "?23,?24,?25,?26,?27,?28)",
    [SQL_UPDATE] =
        "UPDATE request SET kind=?2, step=?3, state=?4, ca=?5, template=?6, subject=?7,"
        " lease=?8, activity=?9, lease_expires_at=?10, attempt=?11, created_at=?12,"
        " expires_at=?13, received_at=?14, next_at=?15, ended_at=?16, tries=?17, submits=?18,"
        " noticed=?19, failed=?20, reference=?21, digest=?23, why_class=?24,"
        " why_number=?25, why=?26, open=?28 WHERE id=?1",
    [SQL_SET_SERIAL] = "UPDATE request SET serial=?2 WHERE id=?1 AND serial<>?2",
    [SQL_GET] = "SELECT " COLUMNS " FROM request WHERE id=?1",
    [SQL_PUT_BLOB] = "INSERT OR REPLACE INTO blob (slot, data)"
                     " SELECT row*16+?2, ?3 FROM request WHERE id=?1",
    [SQL_DROP_BLOB] = "DELETE FROM blob WHERE slot=" SLOTS "+?2",
    [SQL_KEEP_BLOB] = "DELETE FROM blob WHERE slot>=" SLOTS " AND slot<" SLOTS "+16"
                      " AND slot<>" SLOTS "+?2",
    [SQL_GET_BLOBS] = "SELECT slot%16, data FROM blob WHERE slot>=" SLOTS " AND slot<" SLOTS "+16",
    [SQL_DUE] = "SELECT " COLUMNS " FROM request WHERE open AND ca=?1 AND next_at<=?2"
                " ORDER BY next_at LIMIT ?3",
    [SQL_NEXT_AT] = "SELECT min(next_at) FROM request WHERE open AND next_at>?1",
    [SQL_COUNT_DUE] = "SELECT count(*) FROM request WHERE open AND next_at<=?1",
    [SQL_CAS] = "SELECT DISTINCT ca FROM request WHERE open",
    [SQL_LIST] =
        "SELECT " COLUMNS " FROM request WHERE open OR NOT ?1 ORDER BY created_at DESC, row DESC"
        " LIMIT ?2",
    [SQL_LIST_STATE] =
        "SELECT " COLUMNS " FROM request WHERE state=?1 ORDER BY created_at DESC, row DESC"
        " LIMIT ?2",
    [SQL_LEASES] = "SELECT " COLUMNS " FROM request WHERE open AND lease_expires_at>0"
                   " AND lease_expires_at<?1 ORDER BY lease_expires_at LIMIT ?2",
    [SQL_SHIFT] = "UPDATE request SET next_at=max(0, next_at+?1) WHERE open",
    [SQL_END_LEASES] = "UPDATE request SET lease_expires_at=?1 WHERE open AND lease_expires_at>?1",
    [SQL_EXPIRE_BLOBS] =
        "DELETE FROM blob WHERE slot IN (WITH w(n) AS (VALUES (0),(1),(2),(3),(4),(5),(6),(7))"
        " SELECT row*16+n FROM request, w WHERE NOT open AND ended_at<?1 AND ended_at>=?2"
        " AND ended_at>0)",
    [SQL_ADD_HISTORY] = "INSERT INTO history (request, n, at, event, text) SELECT row, (SELECT"
                        " coalesce(max(n),0)+1 FROM history WHERE request=row), ?2, ?3, ?4 FROM "
                        "request WHERE id=?1",
    [SQL_HISTORY] = "SELECT at, event, text FROM history WHERE request=" ROW " ORDER BY n",
    [SQL_ADD_ORPHAN] =
        "INSERT OR IGNORE INTO orphan (serial, spki, request_id, ca, subject, reason, at)"
        " VALUES (?1,?2,?3,?4,?5,?6,?7)",
    [SQL_ORPHANS] =
        "SELECT serial, spki, request_id, ca, subject, reason, at, settled_at, settled FROM orphan"
        " WHERE settled_at=0 OR ?1 ORDER BY at",
    [SQL_SETTLE_ORPHANS] = "UPDATE orphan SET settled_at=?3, settled=?4 WHERE request_id=?1"
                           " AND (serial=?2 OR ?2='') AND settled_at=0",
    [SQL_DROP_ORPHAN] = "DELETE FROM orphan WHERE request_id=?1 AND serial=?2",
    [SQL_COUNT_STATES] = "SELECT state, count(*) FROM request GROUP BY state",
    [SQL_COUNT_ORPHANS] = "SELECT count(*), coalesce(sum(serial=''),0) FROM orphan"
                          " WHERE settled_at=0 AND at>=?1",
    [SQL_WAITING] = "SELECT kind, state, step, ca, count(*), min(received_at) FROM request"
                    " INDEXED BY request_next WHERE open GROUP BY kind, state, step, ca",
    [SQL_STUCK] = "SELECT " COLUMNS " FROM request INDEXED BY request_next WHERE open AND " STUCK
                  " ORDER BY received_at LIMIT ?2",
    [SQL_COUNT_STUCK] =
        "SELECT count(*) FROM request INDEXED BY request_next WHERE open AND " STUCK,
    [SQL_RECENT] = "SELECT state, count(*) FROM request INDEXED BY request_ended WHERE NOT open"
                   " AND ended_at>=?1 GROUP BY state",
    [SQL_ENDED] = "SELECT " COLUMNS " FROM request INDEXED BY request_ended WHERE NOT open"
                  " ORDER BY ended_at DESC LIMIT ?1",
    [SQL_AUDIT_ADD] = "INSERT INTO audit (n, at, event, actor, subject, detail, hash)"
                      " VALUES (?1,?2,?3,?4,?5,?6,?7)",
    [SQL_AUDIT_LAST] = "SELECT n, hash FROM audit ORDER BY n DESC LIMIT 1",
    [SQL_AUDIT_LIST] = "SELECT n, at, event, actor, subject, detail, hash FROM audit WHERE n>=?1"
                       " ORDER BY n",
    [SQL_OLDEST] = "SELECT min(created_at) FROM request WHERE open",
    [SQL_NEWEST] = "SELECT max(received_at) FROM request WHERE open",
    [SQL_FIND_ALIAS] =
        "SELECT " COLUMNS " FROM request WHERE substr(alias,1,12)=substr(?1,1,12) AND alias=?1"
        " AND alias<>'' ORDER BY received_at DESC, row DESC LIMIT 1",
    [SQL_FIND_SERIAL] =
        "SELECT " COLUMNS " FROM request WHERE substr(serial,-12)=substr(?1,-12) AND serial=?1"
        " AND serial<>'' AND ca=?2 ORDER BY received_at DESC, row DESC LIMIT 1",
    [SQL_RESERVE] = "INSERT OR IGNORE INTO challenge (digest, request_id, at) VALUES (?1,?2,?3)",
    [SQL_RESERVED_FOR] = "SELECT request_id FROM challenge WHERE digest=?1",
    [SQL_RELEASE] = "DELETE FROM challenge WHERE digest=?1 AND request_id=?2",
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
    [SQL_KEY_NEXT] =
        "SELECT b.slot, r.id, b.data FROM blob AS b JOIN request AS r ON r.row=b.slot/16"
        " WHERE b.slot>?1 AND b.slot%16=?2 ORDER BY b.slot LIMIT 1",
    [SQL_KEY_SET] = "UPDATE blob SET data=?2 WHERE slot=?1",
    [SQL_RA_KEY_NEXT] = "SELECT rowid, request_id, data_key FROM ra_pair WHERE rowid>?1"
                        " ORDER BY rowid LIMIT 1",
    [SQL_RA_KEY_SET] = "UPDATE ra_pair SET data_key=?2 WHERE rowid=?1",
    [SQL_META_GET] = "SELECT value FROM meta WHERE key=?1",
    [SQL_META_PUT] = "INSERT INTO meta (key, value) VALUES (?1,?2)"
                     " ON CONFLICT (key) DO UPDATE SET value=excluded.value",
};
