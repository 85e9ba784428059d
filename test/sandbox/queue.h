#ifndef SANDBOX_QUEUE_H
#define SANDBOX_QUEUE_H
#include "test/sandbox/clock.h"
#include "test/sandbox/ledger.h"
#include "test/sandbox/map.h"

/*
 * queue.h - the cloud's book: requests, who holds which lease, what came of them.
 *
 * A request of --load has no JSON of its own: it is written anew whenever it is needed, from its
 * number, so that a hundred thousand of them cost no more than this struct each.
 */
enum outcome { OUTCOME_NONE, DELIVERED, DENIED, FAILED };

struct request {
    struct request *next, *prev; /* in `ready` or `leased` */
    char id[64];
    char *cn;
    char *item; /* JSON object without lease members; NULL: from load_number */
    unsigned load_number;
    enum { READY = 1, LEASED, CLOSED } state;
    char lease[GUID_TEXT]; /* "" = void */
    int64_t lease_until_ms;
    int64_t attempt;
    int64_t handed_at_ms; /* first time; 0: never */
    int64_t expires_at;
    enum outcome outcome;
    unsigned char digest[32]; /* of the accepted final result */
    char error_code[40];
    char *verdict; /* of the device, or NULL */
    unsigned conflicts;
};

struct request_list {
    struct request *first, *last;
    size_t count;
};

struct queue {
    struct ledger *ledger;
    int64_t lease_ms;
    struct request **all;
    size_t count, cap;
    struct request_list ready, leased;
    struct map by_id, by_cn;
};
struct queue *queue_new(struct ledger *l, int64_t lease_s);
void queue_free(struct queue *q);

/* queue_add - takes over cn and item.  NULL: the id is there already (both are freed) */
struct request *queue_add(
    struct queue *q, const char *id, char *cn, char *item, int64_t expires_at);
struct request *queue_find(const struct queue *q, const char *id); /* any case */
struct request *queue_by_cn(const struct queue *q, const char *cn);

/* queue_expire - leases whose time is over become ready again; all of them when `force`. */
void queue_expire(struct queue *q, bool force);

/* queue_peek - the n-th request that could be handed out now, NULL when there are not as many. */
struct request *queue_peek(const struct queue *q, size_t n);
/* queue_lease - the first ready request under a new lease; NULL: none */
struct request *queue_lease(struct queue *q);

bool queue_holds(const struct request *r, const char *lease); /* is this its lease, unexpired? */
void queue_extend(struct queue *q, struct request *r);
void queue_release(struct queue *q, struct request *r); /* ready again */
void queue_void(struct queue *q, struct request *r);    /* the lease is void, nobody has it yet */
void queue_close(struct queue *q, struct request *r, enum outcome outcome);
#endif
