#ifndef AGENT_CONF_WRITE_H
#define AGENT_CONF_WRITE_H
#include "agent/conf.h"

/*
 * conf_write.h - settings that commands change: drop-ins of their own, conf.d/50-NAME.conf beside the administrator's
 * file, which no command ever touches.  `config set` writes 90-config, `proxy set` 60-proxy, `sign-in` 50-sign-in.
 *
 * A change is tried first: the whole configuration is loaded with it, and only then the file is replaced (new file,
 * fsync, rename, fsync of the folder).  A wrong one changes nothing and says file:line: key: what is wrong.
 */
struct conf_change {
    const char *section, *title; /* title NULL: the section has none */
    const char *key, *value; /* value NULL: unset; a list: words separated by spaces or commas */
};

/* conf_change - all of them or none.  conf_path: the main file.  fails ERR_CONFIG, ERR_INPUT: no such option */
int conf_change(const char *conf_path, const char *drop_in, const struct conf_change *changes,
    size_t count, struct err *e) MUST;
#endif
