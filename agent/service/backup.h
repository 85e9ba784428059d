#ifndef AGENT_BACKUP_H
#define AGENT_BACKUP_H
#include "agent/agent.h"
#include "proto/json.h"

/*
 * backup.h - the store in one file, while the service goes on; and a store made of that file again.
 *
 * In it: every request with what is sealed of it, orphans, audit log, the secrets and the connector's identity, sealed.
 * Not in it: the master key, without which nobody can open what is sealed, and the configuration.
 *
 * backup_begin   into <store>/backup, some pages a turn; returns its number.  Where no service runs (a->jobs is NULL) it is
 *                done when this returns.  fails ERR_CONFLICT: one is under way; ERR_STORE
 * backup_report  {"number", "state": "running", "done" or "failed", "percent", "message", "at"}
 * backup_stop    give up
 *
 * Whoever asked moves <store>/backup to where it belongs.  meta "backup_at" of the store: when the last one was made.
 */
int64_t backup_begin(struct agent *a, struct err *e) MUST; /* -1: it failed */
void backup_report(const struct agent *a, struct json_out *o);
void backup_stop(struct agent *a);
/* backup_path - <store>/backup; out: 4096 bytes */
void backup_path(const struct conf *c, char *out);

/*
 * restore - <store>/restore.new/certferry.db, a copy of a backup, takes the place of the store.
 *
 * Checked first: it is a backup of ours, whole, of no newer version, and the master key that is here opens its
 * secrets.  What was there moves to <store>/before-restore-TIME.  Cut short, the store is not opened until it
 * is done again (restore_unfinished).  The caller holds the store's lock, and acts as its owner.
 *
 * fails ERR_INPUT: no backup; ERR_CONFIG: another master key; ERR_STORE.  Nothing is changed then
 */
struct restored {
    int64_t at, open; /* when the backup was made; requests that were open then */
    size_t secrets;   /* files of secrets/, our own included */
    bool
        proven; /* the master key that is here opens them; false: there is none that can be read here */
    char why[400];   /* why it is not proven */
    char kept[4200]; /* where that is what was there */
};
int restore(const struct conf *c, struct restored *out, struct err *e) MUST;
/* restore_place - where the caller puts the copy: the folder is made anew.  out: 4200 bytes */
int restore_place(const struct conf *c, char *out, struct err *e) MUST;
void restore_give_up(const struct conf *c);
/* restore_unfinished - 0, or ERR_STORE: one was cut short; the message says what to do */
int restore_unfinished(const struct conf *c, struct err *e) MUST;
#endif
