#ifndef AGENT_IO_KEPT_H
#define AGENT_IO_KEPT_H
#include <stdbool.h>
#include <stddef.h>
#include "certs/err.h"

/*
 * io_kept.h - listening sockets by the name and address of their listener: the open ones, those that the next program
 * in this process is to have, and those that the one before us left.
 *
 * io_listen_socket notes what it opens and takes what was left; for a reload io_kept_want finds each socket that the
 * new configuration needs among the open ones, or binds it, so that a wrong address is known before anything ends.
 */
enum { IO_KEPT_MAX = 40 };

/* io_kept_left - what the one before us wrote with io_kept_text. */
void io_kept_left(const char *text);
/* io_kept_take - the socket left for this listener; -1: none */
int io_kept_take(const char *name, const char *address);
void io_kept_close(void); /* what nobody took */

void io_kept_opened(const char *name, const char *address, int fd);
void io_kept_closed(int fd);

/* io_kept_want - one more the next one needs.  fails as io_listen_socket does; then io_kept_forget */
int io_kept_want(const char *name, const char *address, struct err *e) MUST;
void io_kept_forget(void);
/* io_kept_text - from now on they stay open when another program starts.  false: too long */
bool io_kept_text(char *out, size_t size) MUST;
#endif
