#ifndef TEST_SIM_IO_H
#define TEST_SIM_IO_H
#include "agent/io/io_listen.h"

/*
 * sim_io.h - the simulator's side of agent/base/io.h: a virtual clock, and peers that answer when asked.
 *
 * sim_io.c defines every symbol of io.h, so the whole agent runs on it unchanged, in one thread and the
 * same way every time.  Work finishes at once, answers after a few virtual milliseconds, timers when
 * nothing else is left to do.
 */
struct sim_answer { /* what a peer does with a request */
    bool lost;      /* no answer: ERR_NET */
    bool sent;      /* with lost: the request had left */
    int status;
    const char *type;      /* Content-Type */
    int64_t retry_after_s; /* -1 = none */
    struct buf body;
};

/* The world answers; `out` is empty, status 0 must be changed unless it is lost. */
typedef void sim_peer_fn(
    void *arg, const char *method, const char *url, struct view body, struct sim_answer *out);

void sim_open(
    sim_peer_fn *peer, void *arg, int64_t wall_s); /* once for a history, not once for a start */
void sim_close(void);

void sim_crash(void);   /* the process is gone: io_run returns at once, no turn is taken */
bool sim_crashed(void); /* since the last io_open */
void sim_step_wall(int64_t by_s); /* the system's clock jumps; that of everybody else does not */
int64_t sim_world_s(void);        /* what time it is for everybody else */
size_t sim_pending(bool timers);  /* operations not finished; with or without timers */

/*
 * sim_ask - a device asks the listener of that name; the agent has the request when this returns.
 *
 * fn       is called once, perhaps before this returns: with the answer, or with NULL if nobody listens there or the
 *          listener was closed before it answered; what it gets is valid during the call
 * returns  the client, for sim_hang_up; NULL if fn was called already
 */
typedef void sim_answered_fn(void *arg, const struct http1_answer *a);
struct io_exchange *sim_ask(const char *listener, const struct http1_request *q, const char *remote,
    sim_answered_fn *fn, void *arg);
void sim_hang_up(struct io_exchange *x); /* fn will not be called */

/* Called before each turn of the loop, the moment before a commit; may call sim_crash. */
void sim_before_turn(void (*fn)(void *arg), void *arg);
#endif
