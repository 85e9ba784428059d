#ifndef AGENT_EXPLAIN_TEXT_H
#define AGENT_EXPLAIN_TEXT_H
#include "agent/cli/explain.h"

/* explain_text.h - the sentences of explain.h; explain.c puts them beside the codes. */
struct explain_text {
    const char *code, *means, *todo;
};
struct explain_warning {
    const char *code, *means, *todo, *title;
};
extern const struct explain_text explain_errors[ERR_CLASS_COUNT]; /* by class */
extern const struct explain_text explain_doctor[];                /* by group: "SCEP"; NULL-ended */
extern const struct explain_text explain_exits[];                 /* by number; NULL-ended */
extern const struct explain_warning explain_warnings[];           /* NULL-ended */
#endif
