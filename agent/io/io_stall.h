#ifndef AGENT_IO_STALL_H
#define AGENT_IO_STALL_H
#include <stdint.h>

/*
 * io_stall.h - a thread that notices when the loop stands still.
 *
 * io_stall_beat says that it does not.  After limit_ms without one fn(arg, silent_ms) is called, on that thread, once for
 * each standstill; it must not touch what belongs to the loop.
 */
struct io_stall;
typedef void io_stall_fn(void *arg, uint64_t silent_ms);

struct io_stall *io_stall_start(
    uint64_t limit_ms, io_stall_fn *fn, void *arg); /* NULL: no thread to be had */
void io_stall_beat(struct io_stall *s);             /* NULL is fine, for the next one as well */
void io_stall_stop(struct io_stall *s);
#endif
