#ifndef SANDBOX_WIRE_H
#define SANDBOX_WIRE_H
#include "test/sandbox/http.h"

/*
 * wire.h - faults that need not know what is being talked about: answers instead of the answer, cuts,
 * waits, and answers that are broken afterwards.
 */

/* wire_before - which faults hit this call (into x->hit)?  true: the reply is filled, nothing more
 * is to be done.  subject: see faults_take */
bool wire_before(struct exchange *x, unsigned at, const char *subject);

/* wire_after - the reply is filled; break it as x->hit says. */
void wire_after(struct exchange *x);

/* wire_broke - did a fault change what the peer sees of this exchange? */
bool wire_broke(const struct exchange *x);

/* json_error - {"error":{...}} of CCP; retry_after_s -1: none */
void json_error(
    struct exchange *x, int status, const char *code, const char *message, int64_t retry_after_s);
#endif
