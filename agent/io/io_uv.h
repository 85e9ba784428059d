#ifndef AGENT_IO_UV_H
#define AGENT_IO_UV_H
#include <uv.h>
#include "agent/base/io.h"

/* io_uv.h - shared by the io_*.c files and nobody else: the loop, and what an op is. */

struct op {
    io_fn *fn;
    void *arg;
    void (*cancel)(struct op *op); /* stop it; frees it, now or when its thread or handle is done */
};

extern uv_loop_t io_loop;

int io_http_open(struct err *e) MUST;
void io_http_close(void);
int io_work_open(unsigned workers, struct err *e) MUST;
void io_work_close(void);
#endif
