#ifndef AGENT_KEYPOOL_H
#define AGENT_KEYPOOL_H
#include "certs/key.h"

/*
 * keypool.h - RSA keys made ahead, by threads that have nothing else to do.
 *
 * A size is kept in stock from the first time it is asked for, up to `pool` keys.  Keys lie in secret
 * memory and die with the process: a key becomes a request's only once it is stored with it.
 */
struct agent;
struct keypool;

struct keypool *keypool_open(struct agent *a);
void keypool_close(struct keypool *p);

/* keypool_take - a key, or NULL if none is ready (or none is kept of this type). */
struct key *keypool_take(struct keypool *p, enum key_type t);
#endif
