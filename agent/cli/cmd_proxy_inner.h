#ifndef AGENT_CMD_PROXY_INNER_H
#define AGENT_CMD_PROXY_INNER_H
#include "agent/cli/cli.h"
#include "agent/cli/destination.h"
#include "agent/secrets/vault.h"

/* cmd_proxy_inner.h - between cmd_proxy.c (what looks) and cmd_proxy_set.c (what changes). */
struct proxy_command {
    struct cli *c;
    struct conf *conf; /* as it is; perhaps incomplete */
    struct lib *lib;
    struct vault vault;
    struct secrets *secrets;
    struct destination *list;
    size_t count;
};

/* Both: 0, or the exit code of what was said.  proxy_close after either, unless proxy_open failed. */
int proxy_open(struct cli *c, struct proxy_command *p);
int proxy_open_io(struct proxy_command *p);
void proxy_close(struct proxy_command *p);

/* proxy_try_all - p->list under this configuration; the first that fails, or NULL. */
const struct destination *proxy_try_all(struct proxy_command *p, const struct conf *conf);
/* proxy_report - the table and each failure, or the envelope; the exit code */
int proxy_report(struct proxy_command *p, const struct destination *worst, const char *schema);
void proxy_print_tried(const struct proxy_command *p);
int proxy_fail_tried(const struct proxy_command *p);
void proxy_put_list(const struct proxy_command *p, struct json_out *o);
#endif
