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
 * commands  status; requests.list {state, all, limit}; requests.show {id}; requests.retry {id},
 *           requests.cancel {id}; orphans.list; ra.show {endpoint}; ra.renew {endpoint};
 *           secret.set {name}
 *
 * What is secret stands behind the object, in base64 after one byte CONTROL_SECRET: no JSON library copies it.
 */
struct agent;
enum { CONTROL_SECRET = 0x1e };

/* control_answer - one request, one answer; a->jobs is NULL when no service runs. */
void control_answer(void *agent, struct view request, struct buf *reply);

/*
 * control_ask - ask the service that uses this store.
 * fails ERR_GONE: none is running; ERR_CONFIG: it is there and does not let us; ERR_NET: no answer
 */
int control_ask(const char *store_dir, struct view request, struct buf *reply, struct err *e) MUST;
void control_path(const char *store_dir, char *out, size_t size);

/* Exit codes of every command; documented in certferry(1). */
enum exit_code {
    EXIT_OK = 0,
    EXIT_FAILED = 1,
    EXIT_USAGE = 2,
    EXIT_DEGRADED = 3,
    EXIT_NETWORK = 4,
    EXIT_AUTH = 5,
    EXIT_CONFIG = 6,
    EXIT_NO_SERVICE = 7,
    EXIT_REFUSED_BY_CA = 8,
    EXIT_STORAGE = 9,
    EXIT_TRUST = 10,
    EXIT_TIMEOUT = 11,
    EXIT_PERMISSION = 12,
    EXIT_NOT_FOUND = 13,
    EXIT_CONFLICT = 14,
    EXIT_BUG = 70,
    EXIT_TRY_AGAIN = 75,
    EXIT_DAEMON_CONFIG = 78,
    EXIT_INTERRUPTED = 130
};
enum exit_code exit_code_of(enum err_class cls);
#endif
