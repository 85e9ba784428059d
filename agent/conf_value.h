#ifndef AGENT_CONF_VALUE_H
#define AGENT_CONF_VALUE_H
#include <confuse.h>
#include "agent/conf.h"

/* conf_value.h - between conf.c (files and sections), conf_text.c (what is in a file) and conf_value.c
 * (values). */

/* conf_text - the file at path for cfg_parse_buf: comments are blanked, lines stay where they are.
 * out is initialised and freed by the caller, also after a failure.
 * fails ERR_CONFIG: not readable, over 1 MiB; a quote, comment or brace that is not closed; a NUL; ${...} */
int conf_text(const char *path, struct buf *out, struct err *e) MUST;

struct place { /* where a value came from, for messages */
    const char *file;
    int line;
    const char *section, *title;
};

/* conf_bad - -1 and ERR_CONFIG "file:line: section "title".key: what" */
int conf_bad(const struct place *p, const char *key, struct err *e, const char *what);

/* base: struct conf, or the struct of a section with a title. */
int conf_set_defaults(const char *section, char *base, struct err *e) MUST;
/* conf_set - the value that sec has for key, checked and copied.  fails ERR_CONFIG */
int conf_set(const char *key, char *base, cfg_t *sec, const char *dir, const struct place *p,
    struct err *e) MUST;

/* conf_check - what only makes sense together (conf_check.c).  fails ERR_CONFIG */
int conf_check(const struct conf *c, struct err *e) MUST;
#endif
