#ifndef AGENT_CONF_VALUE_H
#define AGENT_CONF_VALUE_H
#include <confuse.h>
#include "agent/conf.h"

/* conf_value.h - between conf.c (files and sections) and conf_value.c (values). */

struct place { /* where a value came from, for messages */
    const char *file;
    int line;
    const char *section, *title;
};

/* conf_bad - -1 and ERR_CONFIG "file:line: section "title".key: what" */
int conf_bad(const struct place *p, const char *key, struct err *e, const char *what);

/* base: struct conf, or struct conf_ca for section "ca". */
int conf_set_defaults(const char *section, char *base, struct err *e) MUST;
int conf_read_section(
    const char *name, char *base, cfg_t *sec, const char *dir, struct err *e) MUST;
#endif
