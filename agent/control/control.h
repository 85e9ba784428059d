#ifndef AGENT_CONTROL_H
#define AGENT_CONTROL_H
#include "certs/buf.h"

/*
 * control.h - what commands ask and change, over the control socket of the running service or, when
 * none runs, directly on the store.
 *
 * A request is a JSON object with "command"; the answer is the envelope every --json output has:
 *   {"schema","time","ok","data","warnings","error":{"code","exit","message","fix"}}
 *
 * commands  status; requests.list {state, stuck, since, all, limit}; requests.show {id}; requests.retry {id},
 *           requests.cancel {id}, requests.hold {id}, requests.release {id}, requests.retry-all {state};
 *           orphans.list {all, request}, orphans.adopt {request, serial, note}, orphans.revoke {request};
 *           metrics; audit.verify, audit.export {from, since}, audit.add {event, subject};
 *           ra.show {endpoint}; ra.renew {endpoint}; secret.set {name}; keys.rotate;
 *           identity.show, identity.keep, identity.drop; reconcile.show, reconcile.claim;
 *           log.level {level, for_s};
 *           reload: its number, whose end is config.last_reload of a later status (reload.h); stop
 *
 * What is secret stands behind the object, in base64 after one byte CONTROL_SECRET: no JSON library copies it.
 */
struct agent;
enum { CONTROL_SECRET = 0x1e };

/* control_answer - one request, one answer; a->jobs is NULL when no service runs; a->actor is who asks. */
void control_answer(void *agent, struct view request, struct buf *reply);

/*
 * control_ask - ask the service that uses this store.
 * fails ERR_GONE: none is running; ERR_CONFIG: it is there and does not let us; ERR_NET: no answer
 */
int control_ask(const char *store_dir, struct view request, struct buf *reply, struct err *e) MUST;
void control_path(const char *store_dir, char *out, size_t size);

/* Exit codes of every command: identifier, number, what certferry(1) says. */
#define EXIT_CODES(X)                                                                             \
    X(EXIT_OK, 0, "success")                                                                      \
    X(EXIT_FAILED, 1, "unclassified failure; doctor: a row is FAIL")                              \
    X(EXIT_USAGE, 2, "usage")                                                                     \
    X(EXIT_DEGRADED, 3, "degraded: it works, with warnings")                                      \
    X(EXIT_NETWORK, 4, "network, DNS or proxy")                                                   \
    X(EXIT_AUTH, 5, "not signed in, or credentials refused")                                      \
    X(EXIT_CONFIG, 6, "configuration invalid")                                                    \
    X(EXIT_NO_SERVICE, 7, "no service is running; what is printed comes from the store")          \
    X(EXIT_REFUSED_BY_CA, 8, "refused by the CA")                                                 \
    X(EXIT_STORAGE, 9, "local store or disk")                                                     \
    X(EXIT_TRUST, 10, "TLS or trust")                                                             \
    X(EXIT_TIMEOUT, 11, "not done when the time of --wait or --timeout was over")                 \
    X(EXIT_PERMISSION, 12, "this user may not")                                                   \
    X(EXIT_NOT_FOUND, 13, "no such request, key, section, template, plugin or URL")               \
    X(EXIT_CONFLICT, 14, "the state of things does not allow it")                                 \
    X(EXIT_BUG, 70, "a fault of the program itself")                                              \
    X(EXIT_TRY_AGAIN, 75, "run: try again later: another service holds the store, disk full")     \
    X(EXIT_DAEMON_CONFIG, 78, "run: mend configuration or store first; restarting does not help") \
    X(EXIT_INTERRUPTED, 130, "interrupted")
enum exit_code {
#define X(id, number, text) id = (number),
    EXIT_CODES(X)
#undef X
};
enum exit_code exit_code_of(enum err_class cls);
#endif
