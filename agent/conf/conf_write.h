#ifndef AGENT_CONF_WRITE_H
#define AGENT_CONF_WRITE_H
#include "agent/conf/conf.h"

/*
 * conf_write.h - settings that commands change: drop-ins of their own, conf.d/50-NAME.conf beside the administrator's
 * file, which no command ever touches.  `config set` writes 90-config, `proxy set` 60-proxy, `sign-in` 50-sign-in.
 *
 * A change is tried first: the whole configuration is loaded with it, and only then the file is replaced (new file,
 * fsync, rename, fsync of the folder).  A wrong one changes nothing and says file:line: key: what is wrong.  What was
 * incomplete before (conf_load_incomplete) may stay so: it is completed one command at a time.
 *
 * A drop-in has mode and owner of the one it replaces, a new one those of the main file; where conf.d is closed to
 * others it is for the group that may enter it (the package's: root:certferry 0640), and nobody else.  One that sets
 * nothing any more is removed.  What somebody else wrote into it stays, but for comments and the order.
 */
struct conf_change {
    const char *section, *title; /* title NULL: the section has none */
    const char *key;
    const char *
        value; /* value NULL: unset; a list: words separated by spaces or commas, in double quotes if they
                          hold some */
};

/*
 * conf_change - all of them or none.
 *
 * conf_path  the main file
 * drop_in    "60-proxy" or "60-proxy.conf"
 * fails      ERR_CONFIG: it would not load any more, or a file cannot be read; ERR_INPUT: no such option; ERR_STORE: it
 *            cannot be written; ERR_BUSY: another command has been writing for ten seconds
 */
int conf_change(const char *conf_path, const char *drop_in, const struct conf_change *changes,
    size_t count, struct err *e) MUST;

/* conf_change_try - the same, but nothing is written.  out: the configuration as it would be, may be NULL */
int conf_change_try(const char *conf_path, const char *drop_in, const struct conf_change *changes,
    size_t count, struct conf **out, struct err *e) MUST;
#endif
