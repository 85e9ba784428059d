#ifndef AGENT_STORE_H
#define AGENT_STORE_H
#include "agent/request.h"

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

/* store_update - the row as it now is, and a line of history if event is not NULL. */
int store_update(struct store *s, const struct request *r, const char *event, struct err *e) MUST;

/* store_put_blob - replaces; an empty view deletes. */
int store_put_blob(
    struct store *s, const char *id, enum blob b, struct view data, struct err *e) MUST;

/* store_get - returns 1 found, 0 none, -1.  store_get_blobs fills out[BLOB_COUNT]. */
int store_get(struct store *s, const char *id, struct request *out, struct err *e) MUST;
int store_get_blobs(
    struct store *s, const char *id, struct buf out[BLOB_COUNT], struct err *e) MUST;

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

/* store_list - newest first; state REQUEST_NONE = all, open_only leaves finals out. */
int store_list(struct store *s, enum request_state state, bool open_only, size_t limit,
    store_request_fn *fn, void *arg, struct err *e) MUST;

/* store_leases - open requests whose lease ends before `before`. */
int store_leases(struct store *s, int64_t before, size_t limit, store_request_fn *fn, void *arg,
    struct err *e) MUST;

/* store_shift - the clock was stepped: move every next_at along. */
int store_shift(struct store *s, int64_t by_s, struct err *e) MUST;

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
int store_orphans(struct store *s, store_orphan_fn *fn, void *arg, struct err *e) MUST;

/* --- counts and settings --- */
struct store_counts {
    int64_t by_state[REQUEST_STATE_COUNT];
    int64_t orphans, duplicates_possible;
    int64_t oldest_open_at; /* 0 = none open */
};
int store_counts(struct store *s, struct store_counts *out, struct err *e) MUST;

/* store_meta_get - returns 1 found, 0 none.  Values are short texts: "epoch", "counter". */
int store_meta_get(struct store *s, const char *key, char *out, size_t size, struct err *e) MUST;
int store_meta_put(struct store *s, const char *key, const char *value, struct err *e) MUST;

/* store_idle - checkpoint off the hot path; call when nothing else is to do. */
void store_idle(struct store *s);

const char *store_library(void); /* "SQLite 3.40.1" */

/* store_check - SQLite's own check of the whole file.  fails ERR_STORE: what it found */
int store_check(struct store *s, struct err *e) MUST;
#endif
