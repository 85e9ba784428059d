/* Nothing is wrong with this one, and it has neither notify nor serving. */
#include "test/plugins/shell.h"

SHELL_TABLE((void)0)
