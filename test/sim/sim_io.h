#ifndef TEST_SIM_IO_H
#define TEST_SIM_IO_H
#include "agent/io.h"

/*
 * sim_io.h - the simulator's side of agent/io.h: a virtual clock, and peers that answer when asked.
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
void sim_step_wall(int64_t by_s); /* the system's clock jumps */
size_t sim_pending(bool timers);  /* operations not finished; with or without timers */

/* Called before each turn of the loop, the moment before a commit; may call sim_crash. */
void sim_before_turn(void (*fn)(void *arg), void *arg);
#endif
