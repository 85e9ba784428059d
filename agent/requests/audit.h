#ifndef AGENT_AUDIT_H
#define AGENT_AUDIT_H
#include "agent/agent.h"

/*
 * audit.h - the audit log: one record for each decision on security, each chained to the one before, in the store.
 *
 *   hash(n) = SHA-256(hash(n-1), n, at, event, actor, subject, detail)    every field with its length before it
 *
 * A record is part of the transaction of what it records: there is none without the other.  Changing or removing
 * one breaks the chain at that place, which `audit verify` names; cutting off the end shows when the head is
 * compared with one that was told to somebody else (the cloud's heartbeat, the log, an export).
 *
 * Nothing of a stranger is written: a SCEP request that is refused before it is kept leaves a line in the log and a
 * number in the metrics, no record.  No secret and no value of a setting is ever passed here, names only.
 */
/*  id                     name, what it means */
#define AUDIT_EVENTS(X)                                                                       \
    X(AUDIT_STARTED, "service.started", "The service began; detail: its version.")            \
    X(AUDIT_STOPPED, "service.stopped", "The service ended as asked.")                        \
    X(AUDIT_CHALLENGE_ACCEPTED, "challenge.accepted",                                         \
        "A SCEP request's challenge was accepted; subject: the request.")                     \
    X(AUDIT_CHALLENGE_REFUSED, "challenge.refused",                                           \
        "The challenge of a request that was kept was refused.")                              \
    X(AUDIT_RA_INSTALLED, "ra.installed", "A registration authority has new certificates.")   \
    X(AUDIT_RA_RENEW, "ra.renew", "An administrator asked for new certificates of an RA.")    \
    X(AUDIT_REQUEST_RETRY, "request.retry", "An administrator had a request tried again.")    \
    X(AUDIT_REQUEST_CANCEL, "request.cancel", "An administrator ended a request.")            \
    X(AUDIT_REQUEST_HOLD, "request.hold", "An administrator held a request.")                 \
    X(AUDIT_REQUEST_RELEASE, "request.release", "An administrator let a request go on.")      \
    X(AUDIT_ORPHAN_ADOPT, "orphan.adopt", "An administrator has dealt with an orphan.")       \
    X(AUDIT_CONFIG_RELOADED, "config.reloaded", "The configuration was read again.")          \
    X(AUDIT_CONFIG_REFUSED, "config.refused", "A configuration was not valid, and not used.") \
    X(AUDIT_RELOAD_ASKED, "reload.asked", "An administrator had the service reload.")         \
    X(AUDIT_STOP_ASKED, "stop.asked", "An administrator had the service stop.")               \
    X(AUDIT_LOG_LEVEL, "log.level",                                                           \
        "An administrator set the log level of the running service; subject: the level.")     \
    X(AUDIT_RECONCILE_CLAIMED, "reconcile.claimed",                                           \
        "An administrator said that this is the only service under its identity.")            \
    X(AUDIT_BACKUP, "store.backup", "A backup of the store was made.")                        \
    X(AUDIT_CONFIG_CHANGED, "config.changed", "A command changed a setting; names only.")     \
    X(AUDIT_RESTORED, "store.restored", "The store is that of a backup; when it was made.")   \
    X(AUDIT_SECRET_SET, "secret.set", "A secret was set; subject: its name.")                 \
    X(AUDIT_SECRET_DELETED, "secret.deleted", "A secret was deleted; subject: its name.")     \
    X(AUDIT_KEYS_ROTATED, "keys.rotated", "Secrets are sealed under a new master key.")       \
    X(AUDIT_SIGNED_IN, "sign-in", "The connector was enrolled; subject: its id.")             \
    X(AUDIT_SIGNED_OUT, "sign-out", "The connector's identity was deleted here.")

enum audit_event {
#define X(id, name, help) id,
    AUDIT_EVENTS(X)
#undef X
        AUDIT_EVENT_COUNT
};
const char *audit_event_name(enum audit_event ev);
const char *audit_event_help(enum audit_event ev);

enum { AUDIT_HASH_LEN = 64 };

/* audit_add - into the open transaction, which the caller commits.  actor: "service", "uid 0", a peer; fails ERR_STORE */
int audit_add(struct agent *a, enum audit_event ev, const char *actor, const char *subject,
    const char *detail, struct err *e) MUST;
/* audit_note - the same where there is nothing to be lost with it: commits, and a failure is logged. */
void audit_note(struct agent *a, enum audit_event ev, const char *actor, const char *subject,
    const char *detail);

/* audit_done - what an administrator (a->actor) has done to a file beside the store: recorded and committed at once.
 * fails ERR_STORE: it is done, and the message says so */
int audit_done(struct agent *a, enum audit_event ev, const char *subject, const char *detail,
    struct err *e) MUST;

/* audit_head - number and hash of the last record; 0 and "" when there is none */
int audit_head(struct agent *a, int64_t *n, char hash[AUDIT_HASH_LEN + 1], struct err *e) MUST;

struct audit_verdict {
    const char *look_for; /* a hash as typed; NULL = none */
    int64_t found_at;     /* the record that has it; 0 = none */
    int64_t records,
        broken_at; /* broken_at: number of the first record that is not as it was, 0 = none */
    char why[120], head[AUDIT_HASH_LEN + 1];
};
/* audit_verify - look_for is set by the caller */
int audit_verify(struct agent *a, struct audit_verdict *out, struct err *e) MUST;

/* audit_tell_head - into the log, if it has changed since it was told last: whoever keeps the log keeps the head. */
void audit_tell_head(struct agent *a);

/* ---- commands of control.h: audit.verify {head}, audit.export {from, since}, audit.add {event, subject, detail} ---- */
struct json;
struct json_out;
int control_audit_verify(
    struct agent *a, const struct json *q, struct json_out *o, struct err *e) MUST;
int control_audit_export(
    struct agent *a, const struct json *q, struct json_out *o, struct err *e) MUST;
int control_audit_add(
    struct agent *a, const struct json *q, struct json_out *o, struct err *e) MUST;
#endif
