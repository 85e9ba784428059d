#ifndef AGENT_IO_LOOK_TLS_H
#define AGENT_IO_LOOK_TLS_H
#include "agent/io/io_look.h"

/* io_look_tls.h - between io_look.c and io_look_tls.c: what is above a connection. */
void io_look_tls(struct lib *l, struct io_look *k);
#endif
