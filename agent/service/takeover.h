#ifndef AGENT_TAKEOVER_H
#define AGENT_TAKEOVER_H
#include <stdbool.h>
#include <stdint.h>

/*
 * takeover.h - the program starts anew in its own process: same process id, listening sockets and the lock of the store
 * kept, everything else gone.  takeover_posix.c here.
 *
 * Order: takeover_hold, takeover_keep_lock, close everything, takeover().  In the new one: takeover_open before the
 * configuration is read, takeover_go once signals are listened to.
 * What is handed on is in the environment under CERTFERRY_TAKEOVER, and is taken out of it by takeover_open.
 */
struct takeover {
    bool taken;         /* we took over from ourselves */
    int lock_fd;        /* of the store; -1: none */
    int64_t number, at; /* of the reload that led here */
    char sockets[8192]; /* see io_kept.h */
};

void takeover_open(struct takeover *t);
int takeover_lock(void); /* the lock that was handed on, once; -1: none */

/* takeover_program_find - at the start, before the file can be exchanged; takeover_open does it, too
 * takeover_program - the file of this program as it was started, absolute; NULL: the system does not say */
void takeover_program_find(void);
const char *takeover_program(void);

/* Signals that come between hold and go are not lost and end nobody. */
void takeover_hold(void);
void takeover_go(void);

int takeover_keep_lock(int lock_fd); /* a copy that stays open; -1: cannot */

/* takeover - never returns when it works.  t->taken is set for the new one; quiet: --quiet was given */
void takeover(const struct takeover *t, const char *conf_path, bool quiet);
#endif
