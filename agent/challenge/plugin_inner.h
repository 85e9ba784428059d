#ifndef AGENT_PLUGIN_INNER_H
#define AGENT_PLUGIN_INNER_H
#include "agent/agent.h"
#include "agent/challenge/plugin.h"
#include "agent/cloud/token.h"
#include "agent/secrets/identity.h"

/* plugin_inner.h - between plugin.c (the table), plugin_posix.c (the shared object), plugin_host.c (what it is
 * offered), plugin_ask.c (what it asks) and plugin_program.c (the programs that are asked). */

enum { PLUGIN_CLAIMS_MAX = 64 << 10, PLUGIN_JSON_MAX = 512 << 10 };

struct plugin_secret {
    char *name;
    struct buf value; /* with a NUL behind it */
};

struct plugin {
    struct agent *a;
    const struct conf_plugin *conf; /* borrowed */
    void *library;
    struct certferry_plugin table; /* a copy, as long as the host knows it */
    void *self;
    bool opened;
    struct certferry_host host;
    char **setting_names; /* as many as the section has settings */
    struct plugin_secret *secrets;
    size_t secret_count;
    struct identity decryption; /* unseal: key NULL if there is none */
    struct buf signer;          /* DER */
    struct io_peer *io;
    struct tokens *tokens; /* NULL: the section has no client_id */
    size_t programs;       /* that run */
    struct turn *turns;    /* programs that wait until fewer run */
    struct op *kick;       /* and what starts them */
    uint64_t serving_at_ms;
    bool serving_asked, serving;
    struct err serving_why;
};

/* plugin_load - returns the handle of the shared object and its entry.  fails ERR_CONFIG */
typedef const struct certferry_plugin *plugin_entry_fn(void);
void *plugin_load(const char *path, plugin_entry_fn **entry, struct err *e) MUST;
void plugin_unload(void *library); /* NULL is fine */

/* plugin_host_open - settings, secrets and certificates of the section, and p->host.  fails ERR_CONFIG */
int plugin_host_open(struct plugin *p, struct err *e) MUST;
void plugin_host_close(struct plugin *p);

void plugin_helpers(
    struct certferry_host *h); /* those that need no state but p->a->lib and the keys */

/* plugin_ask_check - is the question one that may be asked?  fails ERR_INPUT, ERR_CONFIG */
int plugin_ask_check(const struct plugin *p, const struct certferry_ask *ask, struct err *e) MUST;

/* plugin_program - run the section's program, checked already, as soon as fewer than 16 of this section run.  One op;
 * input is copied; timeout_ms counts from its start.  fails as io_exec does */
struct op *plugin_program(struct plugin *p, struct view input, unsigned timeout_ms, io_fn *fn,
    void *arg, struct err *e) MUST;
#endif
