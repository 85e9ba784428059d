#ifndef AGENT_IO_EXEC_H
#define AGENT_IO_EXEC_H
#include "agent/base/io.h"

/*
 * io_exec.h - run one program: bytes in, bytes out, a deadline.
 *
 * No arguments, no shell, an environment of PATH and LANG only (both as given for our own program), / as its folder, every descriptor but 0-2 closed,
 * its own session, limits on memory and CPU time, no core dump.  It dies with us.  At the deadline, or when it writes
 * more than allowed, its process group is killed and the result is ERR_NET or ERR_TOO_LARGE; what it left running
 * when it ended is killed as well.  What it writes to standard error is the message's tail, cleaned.
 */
struct io_exec_conf {
    const char *program; /* absolute; checked by the caller (fs_trusted_file, fs_executable) */
    struct view input;   /* copied; it need not read it */
    size_t output_max;
    unsigned timeout_ms;
    unsigned memory_mib; /* of address space; 0 = no limit */
    /* For our own program only; NULL-ended. */
    const char *const *arguments;   /* after its name; NULL: none */
    const char *const *environment; /* NULL: PATH and LANG */
};
/* The result: r->http with status = exit code (128 + n when killed by signal n), body = standard output and
 * location = the last line it wrote to standard error.
 * fails ERR_CONFIG: it cannot be started; ERR_NOMEM */
struct op *io_exec(const struct io_exec_conf *c, io_fn *fn, void *arg, struct err *e) MUST;
#endif
