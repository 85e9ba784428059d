#ifndef AGENT_EXPLAIN_H
#define AGENT_EXPLAIN_H
#include "certs/err.h"

/*
 * explain.h - what the codes mean that commands, logs and doctor print, and what to do; offline.
 *
 * Codes: classes of errors ("NET", "ERR_NET"), rows of doctor ("SCEP-01"), events ("PkcsOrphan", "1055", "EVENT-6"),
 * records of the audit log ("config.changed"),
 * exit codes ("6", "EXIT-6"), warnings of commands ("OVERRIDDEN").  Case does not count.  The lists are those of err.h,
 * doctor.c, log.h and control.h; here stands only what they do not say.
 */
enum explain_kind {
    EXPLAIN_NONE,
    EXPLAIN_ERROR,
    EXPLAIN_DOCTOR,
    EXPLAIN_EVENT,
    EXPLAIN_AUDIT,
    EXPLAIN_EXIT,
    EXPLAIN_WARNING,
    EXPLAIN_KIND_COUNT
};

struct explanation {
    enum explain_kind kind;
    char code[48];     /* as it is printed: "NET", "SCEP-01", "PkcsOrphan", "EXIT-6" */
    char number[16];   /* of an event or an exit code; else "" */
    const char *title; /* "no usable answer" */
    const char *means; /* sentences; never NULL */
    const char *todo;  /* never NULL */
};

const char *explain_kind_name(enum explain_kind kind); /* "error", "audit" ... */

/* explain_each - everything there is, kind by kind; its texts live until fn returns. */
typedef void explain_fn(void *arg, const struct explanation *x);
void explain_each(explain_fn *fn, void *arg);

/* explain_is - is this what `code` names? */
bool explain_is(const struct explanation *x, const char *code);
#endif
