#ifndef AGENT_IO_LOCAL_H
#define AGENT_IO_LOCAL_H
#include "certs/buf.h"

/*
 * io_local.h - the control socket: one line in, one document out, then it is closed.
 *
 * A Unix socket with mode 0600 (a named pipe on Windows); a client of another user than ours or root is cut, whatever
 * the mode has become.  At most 8 at a time; a client that sends nothing for 5 seconds, or more than 128 KiB, is cut.
 * What was sent is wiped when it is answered.
 */
typedef void io_local_fn(void *arg, struct view request, struct buf *reply);

/* io_local_open - listen.  A stale socket is replaced; the caller holds the store's lock, so no other
 * service can be using it.  fails ERR_CONFIG */
int io_local_open(const char *path, io_local_fn *fn, void *arg, struct err *e) MUST;
/* io_local_peer - the user id of the client whose request is being answered; -1: none is, or it is not known */
int64_t io_local_peer(void);
void io_local_close(void); /* nothing to do is fine */
#endif
