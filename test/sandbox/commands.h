#ifndef SANDBOX_COMMANDS_H
#define SANDBOX_COMMANDS_H
#include "test/sandbox/dir.h"

/* commands.h - the subcommands; each returns the exit status. */
int cmd_ctl(int argc, char **argv);   /* ctl.c: argv[0] is DIR */
int cmd_check(int argc, char **argv); /* check.c: argv[0] is DIR */
int cmd_table(int argc, char **argv); /* table.c: argv[0] is DIR */

/*
 * tls_client.c: one request to the sandbox that left `ready` in DIR.
 * body NULL: none.  false: `why`; true: *status and the body of the answer
 */
bool tls_ask(const char *dir, const char *method, const char *path, const struct str *body,
    int *status, struct str *out, char why[DIR_WHY]);
#endif
