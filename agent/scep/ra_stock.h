#ifndef AGENT_RA_STOCK_H
#define AGENT_RA_STOCK_H
#include "agent/scep/scepd.h"
#include "agent/store/store.h"

/*
 * ra_stock.h - what the store has of the certificates that were enrolled for a registration authority.
 *
 * A generation is a signing and an encryption certificate; it is whole, and in use, once both are there.  The
 * encryption certificates before it are still read (ra.h, previous): each until it ends, for RA_KEPT_S at least, the
 * newest RA_PREVIOUS_MAX of them.  Signing keys before it are destroyed.
 *
 * Threads: the loop's.  fails ERR_STORE, where nothing else is said
 */
enum { RA_KEPT_S = 90 * 86400 };

struct ra_stock {
    int64_t current;  /* the newest whole generation; 0 = none */
    bool half[2];     /* of the one after it: signing, encryption are there */
    int64_t renew_at; /* two thirds of the life of the sooner one of the current generation */
    int64_t ends_at;  /* the sooner end */
    bool stale;       /* there are replaced ones to forget */
};
int ra_stock_read(
    struct store *s, const char *endpoint, int64_t now, struct ra_stock *out, struct err *e) MUST;

/* ra_stock_renew_at - when two thirds of this life are over. */
int64_t ra_stock_renew_at(int64_t not_before_at, int64_t not_after_at);

/* ra_stock_id - the n-th request for a half of a generation: "ra-devices-2-s", "ra-devices-2-s-3".  The name of an
 * endpoint that is too long for that is cut and has a hash of the whole behind it. */
void ra_stock_id(const char *endpoint, int64_t generation, char use, int attempt, char out[40]);

/* ra_stock_last - the last request for it.  returns its number, 0 there is none, -1 */
int ra_stock_last(struct store *s, const char *endpoint, int64_t generation, char use,
    struct request *out, struct err *e) MUST;

/* ra_stock_keep - a certificate for good, in the open transaction; if its generation is whole with it, it replaces
 * the one before. */
int ra_stock_keep(struct store *s, const struct store_ra *r, struct err *e) MUST;

/* ra_stock_forget - destroy what nobody may encrypt to any more, in the open transaction. */
int ra_stock_forget(struct store *s, const char *endpoint, int64_t now, struct err *e) MUST;

/*
 * ra_stock_load - from now on the endpoint uses what is in the store; what it had stays if there is no whole
 * generation, or it has ended.
 *
 * fails    ERR_CONFIG: a key does not open with this master key, ra_subject is no name; or as ra_open
 */
int ra_stock_load(struct endpoint *p, struct err *e) MUST;
#endif
