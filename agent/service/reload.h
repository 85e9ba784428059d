#ifndef AGENT_RELOAD_H
#define AGENT_RELOAD_H
#include <stdint.h>

/*
 * reload.h - a changed configuration is taken over whole, or not at all.
 *
 * First another process of the same program opens everything that the configuration names (certferry check).  If it
 * finds something wrong, the old one stays in use.  If nothing has changed but certificates of listeners and of
 * registration authorities, these are read again.  Else the addresses that are new are bound, what is under way is
 * finished as before an end, and the program starts anew in this process (takeover.h): the listening sockets stay open
 * all the time, so whoever knocks waits a little longer; the store stays locked.
 *
 * Not taken over, refused: another folder of the store, another master key.  They need a restart.
 */
struct agent;
struct op;

/* reload_begin - returns its number; one that is under way begins again */
int64_t reload_begin(struct agent *a);
void reload_stop(struct agent *a); /* forget what is under way: we end */
struct json_out;
void reload_report(const struct agent *a,
    struct json_out *o); /* "config": {path, last_reload} of a status document */
#endif
