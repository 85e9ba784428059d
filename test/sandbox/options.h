#ifndef SANDBOX_OPTIONS_H
#define SANDBOX_OPTIONS_H
#include "test/sandbox/sandbox.h"

/* options.h - the command line of the server.  false: said on stderr what is wrong. */
bool options_read(int argc, char **argv, struct options *o);
void usage(void);
#endif
