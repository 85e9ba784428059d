#ifndef AGENT_CMD_MANUAL_H
#define AGENT_CMD_MANUAL_H
#include "agent/cli/cli.h"

/* cmd_manual.h - manual pages from the tables, as scdoc source on standard output. */
void manual_text(const char *text); /* whatever it holds, as it stands */
void manual_command(const struct command *k);
void manual_option(const struct cli_option *o);

void manual_nouns(void);            /* those that have a page, one a line */
bool manual_page(const char *noun); /* false: no noun with verbs */
bool manual_has_text(const char *noun);
const char *manual_examples(const char *noun); /* lines */
const char *manual_title(const char *noun);    /* "challenge plugins"; "": it has no text */
#endif
