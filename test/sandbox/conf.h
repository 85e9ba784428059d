#ifndef SANDBOX_CONF_H
#define SANDBOX_CONF_H
#include "test/sandbox/dir.h"

/* conf.h - certferry.conf for an agent that is to talk to this sandbox. */
bool conf_write(const char *dir, unsigned port, char why[DIR_WHY]);
#endif
