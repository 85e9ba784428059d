#ifndef AGENT_RECONCILE_H
#define AGENT_RECONCILE_H
#include "agent/store/request.h"
#include "proto/json.h"

/*
 * reconcile.h - is this store the only one that lives under our identity, and the newest?
 *
 * A backup that was restored, or a copy of the machine, knows requests that are further on than it remembers, and would
 * submit them again.  Two things tell: the cloud has seen a higher counter than ours (heartbeat.h), or the store is
 * another file or on another machine than when it was last open.  Until the first heartbeat after a start is answered,
 * requests from before it wait with their submission.  Then, if one of the two is so:
 *
 *   comparing  every open request is compared with the cloud: its lease is extended, and where that is refused the
 *              request is superseded; an outcome that may be unknown counts as unknown, so that the CA is asked first
 *   quiet      a little more than a heartbeat's pause, in which another service would show itself
 *   normal     a new epoch has begun; what is left goes on
 *
 * If another one shows itself, or it happens again within a day, two services share one identity: clone.  That stays
 * until an administrator signs in again or says that this is the one that lives (reconcile_claim).  In none of these
 * states anything from before is submitted; what the cloud hands out meanwhile is ours alone, and goes on.
 */
enum reconcile_state {
    RECONCILE_CHECKING,
    RECONCILE_NORMAL,
    RECONCILE_COMPARING,
    RECONCILE_QUIET,
    RECONCILE_CLONE
};

struct agent;
struct reconcile;

/* reconcile_open - with the store and the cloud; fails ERR_STORE: NULL */
struct reconcile *reconcile_open(struct agent *a, struct err *e) MUST;
void reconcile_close(struct reconcile *r); /* NULL is fine */
void reconcile_start(struct reconcile *r); /* the service runs from now on */

enum reconcile_state reconcile_state(const struct reconcile *r);
/* reconcile_holds - may this request not be submitted now? */
bool reconcile_holds(const struct reconcile *r, const struct request *q);

/* reconcile_listens - the next heartbeat repeats the counter of the last one: whatever another service has sent since
 * then is higher, and we hear of it for certain. */
bool reconcile_listens(const struct reconcile *r);

/* reconcile_told - a heartbeat with this counter was answered; highest: -1 = the cloud does not say.
 * reconcile_untold - it was not; cls says why.  returns when the next one is wanted, seconds; -1 = as usual */
int64_t reconcile_told(struct reconcile *r, int64_t counter, int64_t highest);
int64_t reconcile_untold(struct reconcile *r, const struct err *why);

/* reconcile_claim - an administrator says that this is the one that lives: compare, and go on without the quiet time.
 * reconcile_renewed - somebody has signed in: another identity, so nobody shares it.  fail ERR_STORE */
int reconcile_claim(struct reconcile *r, struct err *e) MUST;
int reconcile_renewed(struct reconcile *r, struct err *e) MUST;

/* reconcile_report - the member "reconcile" of status: {"state", "since", "why"} */
void reconcile_report(const struct reconcile *r, struct json_out *o);
#endif
