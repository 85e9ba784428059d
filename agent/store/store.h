#ifndef AGENT_STORE_H
#define AGENT_STORE_H
#include "agent/store/request.h"

/*
 * store.h - what must survive: requests, their blobs and history, orphans.  The one door to SQLite.
 *
 * WAL with synchronous=FULL: what store_commit() has returned 0 for survives a power cut.  Writes
 * collect in one transaction until store_commit(): once per turn of the loop for every job that moved.
 * Any failed write rolls the transaction back as a whole; store_lost() tells, and whoever had staged
 * something drops it and loads it again (a restart is a retry).
 *
 * fails    ERR_STORE: the message says locked, full, corrupt, newer version ... and what to do
 * Threads: the loop's.
 */
struct store;

enum store_problem {
    STORE_FINE,
    STORE_LOCKED,
    STORE_FULL,
    STORE_CORRUPT,
    STORE_NEWER,
    STORE_OTHER
};

/* store_open - dir is made if missing (0700).  read_only: for commands while no service runs. */
struct store *store_open(const char *dir, bool read_only, struct err *e) MUST;
void store_close(struct store *s); /* rolls back what is not committed; NULL is fine */
enum store_problem store_problem(const struct store *s); /* of the last failure; NULL: of open */

/* store_commit - make everything written since the last commit durable.  Nothing to do: 0 at once. */
int store_commit(struct store *s, struct err *e) MUST;
bool store_dirty(const struct store *s);
void store_rollback(struct store *s);
bool store_lost(struct store *s); /* was something rolled back since the last call? */

/* --- requests --- */

/* store_insert - a new request with its item.  returns 1 inserted, 0 it exists already, -1 */
int store_insert(struct store *s, const struct request *r, struct view item, struct err *e) MUST;

/* store_update - the row as it now is, and a line of history if event is not NULL; id and alias stay as inserted. */
int store_update(struct store *s, const struct request *r, const char *event, struct err *e) MUST;

/* store_insert_as - a new request as a job has it: the row, "received" and `event` in its history, no item.
 * One that exists already is a bug. */
int store_insert_as(
    struct store *s, const struct request *r, const char *event, struct err *e) MUST;

/* store_keep_result - forget every blob but the result. */
int store_keep_result(struct store *s, const char *id, struct err *e) MUST;

/* store_put_blob - replaces; an empty view deletes. */
int store_put_blob(
    struct store *s, const char *id, enum blob b, struct view data, struct err *e) MUST;

/* store_get - returns 1 found, 0 none, -1.  store_get_blobs fills out[BLOB_COUNT]. */
int store_get(struct store *s, const char *id, struct request *out, struct err *e) MUST;
int store_get_blobs(
    struct store *s, const char *id, struct buf out[BLOB_COUNT], struct err *e) MUST;

/* store_find_alias - the newest request with this alias.  store_find_serial - the newest one that brought the
 * certificate with this serial number from this CA.  returns 1 found, 0 none, -1 */
int store_find_alias(struct store *s, const char *alias, struct request *out, struct err *e) MUST;
int store_find_serial(
    struct store *s, const char *ca, const char *serial, struct request *out, struct err *e) MUST;

typedef void store_request_fn(void *arg, const struct request *r);

/* store_due - open requests of this CA whose next_at has come, soonest first, at most `limit`. */
int store_due(struct store *s, const char *ca, int64_t now, size_t limit, store_request_fn *fn,
    void *arg, struct err *e) MUST;

/* store_next_at - the soonest next_at after `now` of any open request; 0 = there is none. */
int store_next_at(struct store *s, int64_t now, int64_t *out, struct err *e) MUST;

/* store_count_due - open requests that could run now, all CAs. */
int store_count_due(struct store *s, int64_t now, int64_t *out, struct err *e) MUST;

/* store_cas - the names of CAs that open requests need. */
typedef void store_name_fn(void *arg, const char *name);
int store_cas(struct store *s, store_name_fn *fn, void *arg, struct err *e) MUST;

/* store_list - newest first, of those of one second whichever came last; state REQUEST_NONE = all, open_only leaves finals out. */
int store_list(struct store *s, enum request_state state, bool open_only, size_t limit,
    store_request_fn *fn, void *arg, struct err *e) MUST;

/* store_leases - open requests whose lease ends before `before`. */
int store_leases(struct store *s, int64_t before, size_t limit, store_request_fn *fn, void *arg,
    struct err *e) MUST;

/* store_shift - the clock was stepped: move every next_at along. */
int store_shift(struct store *s, int64_t by_s, struct err *e) MUST;

/* store_end_leases - nobody knows how much of them is left: no lease of an open request ends later than `now`. */
int store_end_leases(struct store *s, int64_t now, struct err *e) MUST;

/* store_expire - forget the blobs of requests that ended before `before`; the row stays as tombstone. */
int store_expire(struct store *s, int64_t before, struct err *e) MUST;

/* --- history --- */
typedef void store_history_fn(void *arg, int64_t at, const char *event, const char *text);
int store_history(
    struct store *s, const char *id, store_history_fn *fn, void *arg, struct err *e) MUST;

/* --- orphans --- */
int store_add_orphan(
    struct store *s, const struct orphan *o, struct err *e) MUST; /* twice is once */
/* store_drop_orphan - this certificate has been delivered after all; no such orphan is fine. */
int store_drop_orphan(
    struct store *s, const char *request_id, const char *serial, struct err *e) MUST;
typedef void store_orphan_fn(void *arg, const struct orphan *o);
/* store_orphans - settled: also those that an administrator has dealt with. */
int store_orphans(
    struct store *s, bool settled, store_orphan_fn *fn, void *arg, struct err *e) MUST;
/* store_settle_orphans - of this request; serial "" = all.  how: by whom, and what was done.  returns how many, -1 */
int store_settle_orphans(struct store *s, const char *request_id, const char *serial, int64_t now,
    const char *how, struct err *e) MUST;

/* --- challenges: each is spent on one request --- */

/* store_reserve - digest: of endpoint and challenge, hex.  returns 1: reserved for this request (also if it was
 * already), 0: another request has it, -1 */
int store_reserve(
    struct store *s, const char *digest, const char *request_id, int64_t now, struct err *e) MUST;
/* store_reserved - does another request have it?  returns 1, 0, -1 */
int store_reserved(struct store *s, const char *digest, const char *request_id, struct err *e) MUST;
/* store_release - the request ended without a certificate; another one may use its challenge. */
int store_release(struct store *s, const char *digest, const char *request_id, struct err *e) MUST;

/* --- small values of plugins; expires_at 0 = never --- */
int store_note_get(struct store *s, const char *plugin, const char *key, int64_t now, char *out,
    size_t size, struct err *e) MUST; /* 1 found, 0 none or expired, -1 */
int store_note_put(struct store *s, const char *plugin, const char *key, const char *value,
    int64_t expires_at, struct err *e) MUST;
int store_note_add(struct store *s, const char *plugin, const char *key, const char *value,
    int64_t expires_at, int64_t now, struct err *e) MUST; /* 1 added, 0 there is one, -1 */
int store_note_drop(struct store *s, const char *plugin, const char *key, struct err *e) MUST;
int store_note_count(struct store *s, const char *plugin, const char *prefix, int64_t now,
    int64_t *out, struct err *e) MUST;

/* --- certificates of registration authorities: they outlive the requests that brought them --- */
struct store_ra {
    char endpoint[64];
    int64_t generation;        /* 1, 2, ...: a signing and an encryption certificate each */
    char use;                  /* 's' signing, 'e' encryption */
    char request_id[40];       /* the keys are sealed under its name */
    struct view path;          /* DER, the certificate first, then its issuers */
    struct view data_key, key; /* sealed; of a list borrowed until the callback returns */
    int64_t not_before_at, not_after_at, installed_at;
    int64_t
        replaced_at; /* of an encryption certificate: since when there is a newer one; 0 = in use */
};

/* store_ra_put - keep it; one with the same endpoint, generation and use is replaced. */
int store_ra_put(struct store *s, const struct store_ra *r, struct err *e) MUST;
/* store_ra_list - newest generation first, signing before encryption. */
typedef void store_ra_fn(void *arg, const struct store_ra *r);
int store_ra_list(
    struct store *s, const char *endpoint, store_ra_fn *fn, void *arg, struct err *e) MUST;
/* store_ra_replace - this generation is in use now: the signing keys before it are destroyed, the encryption
 * certificates are replaced from now on. */
int store_ra_replace(
    struct store *s, const char *endpoint, int64_t generation, int64_t now, struct err *e) MUST;
/* store_ra_forget - of the replaced ones keep those that have not ended before `now` or were replaced after
 * `since`, and of these the newest `most`; destroy the others. */
int store_ra_forget(struct store *s, const char *endpoint, int64_t now, int64_t since, size_t most,
    struct err *e) MUST;

/* --- every wrapped data key, of requests and of registration authorities --- */

/* store_rewrap - fn may exchange data_key: it returns 1 changed, 0 as it was, -1 stop.  Commit afterwards. */
typedef int store_rewrap_fn(void *arg, const char *request_id, struct buf *data_key, struct err *e);
int store_rewrap(struct store *s, store_rewrap_fn *fn, void *arg, struct err *e) MUST;

/* --- counts and settings --- */
struct store_counts {
    int64_t by_state[REQUEST_STATE_COUNT];
    int64_t orphans, duplicates_possible;
    int64_t oldest_open_at; /* 0 = none open */
};
int store_counts(struct store *s, struct store_counts *out, struct err *e) MUST;

/* store_newest - when the newest open request was received; 0 = none is open */
int store_newest(struct store *s, int64_t *out, struct err *e) MUST;

/* store_waiting - open requests by what they wait for; oldest_at: the first of them was received then. */
struct store_waiting {
    const char *kind, *step, *ca;
    enum request_state state;
    int64_t count, oldest_at;
};
typedef void store_waiting_fn(void *arg, const struct store_waiting *w);
int store_waiting(struct store *s, store_waiting_fn *fn, void *arg, struct err *e) MUST;
/* store_stuck - open requests that need somebody: held, overdue for ten minutes, or failing for an hour. */
int store_stuck(struct store *s, int64_t now, size_t limit, store_request_fn *fn, void *arg,
    struct err *e) MUST;
/* store_ended - those that ended last, newest first. */
int store_ended(struct store *s, size_t limit, store_request_fn *fn, void *arg, struct err *e) MUST;
int store_count_stuck(struct store *s, int64_t now, int64_t *out, struct err *e) MUST;
/* store_recent - what has ended since then, and the orphans since then. */
struct store_orphan_counts {
    int64_t all, possible; /* possible: it is not known whether a certificate exists */
};
struct store_recent {
    int64_t by_state[REQUEST_STATE_COUNT];
    struct store_orphan_counts orphans;
};
/* store_count_orphans - those nobody has dealt with, recorded since then; 0 = ever */
int store_count_orphans(
    struct store *s, int64_t since, struct store_orphan_counts *out, struct err *e) MUST;
int store_recent(struct store *s, int64_t since, struct store_recent *out, struct err *e) MUST;

/* --- the audit log: see audit.h, which chains it --- */
struct store_audit {
    int64_t n, at; /* n: 1, 2, ... */
    const char *event, *actor, *subject, *detail, *hash;
};
int store_audit_add(struct store *s, const struct store_audit *r, struct err *e) MUST;
/* store_audit_last - returns 1, 0: there is none, -1.  hash: 65 bytes at least */
int store_audit_last(struct store *s, int64_t *n, char *hash, size_t size, struct err *e) MUST;
/* store_audit_list - from record n on, in order; fn returns false to end it. */
typedef bool store_audit_fn(void *arg, const struct store_audit *r);
int store_audit_list(
    struct store *s, int64_t from, store_audit_fn *fn, void *arg, struct err *e) MUST;

/* store_meta_get - returns 1 found, 0 none.  Values are short texts: "epoch", "counter". */
int store_meta_get(struct store *s, const char *key, char *out, size_t size, struct err *e) MUST;
int store_meta_put(struct store *s, const char *key, const char *value, struct err *e) MUST;
/* The same of a number; none is 0. */
int store_meta_get_int(struct store *s, const char *key, int64_t *out, struct err *e) MUST;
int store_meta_put_int(struct store *s, const char *key, int64_t v, struct err *e) MUST;

/* store_idle - checkpoint off the hot path; call when nothing else is to do. */
void store_idle(struct store *s);

const char *store_library(void); /* "SQLite 3.40.1" */

/* store_check - SQLite's own check of the whole file.  fails ERR_STORE: what it found */
int store_check(struct store *s, struct err *e) MUST;
#endif
