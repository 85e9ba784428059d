#ifndef TEST_SIM_PAST_H
#define TEST_SIM_PAST_H
#include "test/sim/scenario.h"

/*
 * past.h - a store that is older than the world: a backup is taken at one HTTP request and put back at a later one.
 *
 * What was known at the backup and what had been done at the restore is remembered in the world's ledger, so that the
 * promises can be held against the second life.  With a twin the first life goes on beside it: it sends heartbeats, and
 * halfway it ends what it had.
 */
struct agent;

void past_backup(struct world *w, const char *dir);
void past_restore(struct world *w, const char *dir); /* no agent runs */

/* past_turn - the twin lives; when it is over an administrator says so.  NULL, or what is wrong */
const char *past_turn(struct world *w, struct agent *a);
/* past_over - nothing more of it will happen */
bool past_over(const struct world *w, const struct agent *a);

/* past_request - may the second life have done that?  NULL, or what is wrong.
 * past_excuses - a certificate whose key went with the first life: nobody can list it. */
const char *past_request(const struct world *w, const struct world_request *r);
bool past_excuses(const struct world *w, const struct world_cert *c);
#endif
