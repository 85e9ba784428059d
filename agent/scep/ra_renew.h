#ifndef AGENT_RA_RENEW_H
#define AGENT_RA_RENEW_H
#include "agent/scep/scepd.h"
#include "agent/store/store.h"

/*
 * ra_renew.h - when the certificates of a registration authority are enrolled.
 *
 * The next generation (ra_stock.h) is begun when there is none, when two thirds of the life of the sooner certificate
 * are over, or when an administrator says so: two requests of kind raEnrol.  The store alone says where a
 * renewal stands, so it goes on after a crash as after a pause.  A request that was refused is followed by another
 * one after 15 minutes, then 30, up to a day, or at once if the configuration has changed; what can be tried again
 * the request itself does.
 *
 * Certificates that end in 30, 14, 7 and 1 days are an alarm (EV_RA_EXPIRES), each once, those from files too; not
 * while more than half of their life is left, or their renewal is not due.
 */
void ra_renew_start(struct scepd *s); /* look now, and every five minutes */
void ra_renew_stop(struct scepd *s);
void ra_renew_look(struct scepd *s);
/* ra_renew_ended - a request for this endpoint has ended, and that is committed: use what it brought if that makes a
 * generation whole, and see what is next. */
void ra_renew_ended(struct endpoint *p);

/* ra_renew_wish - renew it at the next look, and what was refused now; the caller commits.  fails ERR_STORE */
int ra_renew_wish(struct store *s, const char *endpoint, struct err *e) MUST;
/* ra_renew_wished - returns 1 yes, 0 no, -1 ERR_STORE */
int ra_renew_wished(struct store *s, const char *endpoint, struct err *e) MUST;
#endif
