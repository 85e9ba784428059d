#ifndef AGENT_PLUGIN_H
#define AGENT_PLUGIN_H
#include "agent/base/io.h"
#include "agent/certferry_plugin.h"
#include "agent/conf/conf.h"

/*
 * plugin.h - one loaded challenge plugin (certferry_plugin.h): the shared object, its section, what the host
 * offers it.
 *
 * Loaded only if the file and every folder above it belong to root or to us and nobody else may write them,
 * it is no symbolic link to elsewhere that others may write, and its ABI is ours.  `path` may be a bare name: then it is
 * looked for in the folder of shipped plugins.
 */
struct agent;
struct plugin;

/* plugin_open - fails ERR_CONFIG: the message says which rule, whose file, and what open() said */
struct plugin *plugin_open(struct agent *a, const struct conf_plugin *conf, struct err *e) MUST;
void plugin_close(struct plugin *p); /* after every op of plugin_ask is gone; NULL is fine */

/* plugin_file - which shared object: the one `path` names.  fails ERR_CONFIG */
int plugin_file(const struct conf_plugin *conf, char *out, size_t size, struct err *e) MUST;

const struct certferry_plugin *plugin_table(const struct plugin *p);
const struct conf_plugin *plugin_conf(const struct plugin *p);
/* plugin_serving - fails with its reason; asked at most every few seconds */
int plugin_serving(struct plugin *p, struct err *e) MUST;

/* plugin_generate - a challenge.  returns 1, 0 refused (why has the plugin's words), -1 */
int plugin_generate(struct plugin *p, const char *endpoint, const char *template_name,
    const char *params, struct buf *out, char why[200], struct err *e) MUST;

/* plugin_verify, plugin_notify - one round: v->memo is the caller's, all else is set here.  An answer that
 * makes no sense is a DENY that says so. */
void plugin_verify(struct plugin *p, const struct certferry_request *r,
    const struct certferry_reply *reply, unsigned round, struct certferry_verdict *v);
void plugin_notify(struct plugin *p, const struct certferry_request *r,
    const struct certferry_outcome *o, const struct certferry_reply *reply, unsigned round,
    struct certferry_verdict *v);

/* plugin_ask - carry out v->ask: token first if one is wanted, then the request or the program.  One op, as every
 * op of io.h; the result is the answer.  A 401 or 403 drops the token.
 * fails ERR_CONFIG, ERR_INPUT: a question that is not allowed */
struct op *plugin_ask(
    struct plugin *p, const struct certferry_ask *ask, io_fn *fn, void *arg, struct err *e) MUST;

extern const char *const plugin_folder; /* of the shipped ones */
#endif
