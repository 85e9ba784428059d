#ifndef AGENT_CMD_SIGNIN_INNER_H
#define AGENT_CMD_SIGNIN_INNER_H
#include "agent/cli/cli.h"
#include "agent/cloud/cloud.h"
#include "agent/cloud/signin.h"

/* cmd_signin_inner.h - between cmd_signin.c and cmd_whoami.c: questions whose answers are not printed as they are. */
int cmd_signin_ask(struct cli *c, struct view request, struct json **answer); /* an exit code */
const char *cmd_signin_text(const struct json *o, const char *name);          /* "": none */
bool cmd_signin_yes(const struct json *o, const char *name);
#endif
