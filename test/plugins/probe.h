#ifndef TEST_PLUGINS_PROBE_H
#define TEST_PLUGINS_PROBE_H
#include "agent/certferry_plugin.h"

/* probe.h - a plugin that misbehaves on demand, and what the test sees of it through plugin->self.  Which way it
 * is to go wrong it takes from the setting "open", the challenge, or the template's name. */
struct probe {
    const struct certferry_host *host;
    int serving_calls, serving_rc, notified;
    unsigned round;
    char memo_seen[16];
};
extern int probe_closed; /* dlsym */
#endif
