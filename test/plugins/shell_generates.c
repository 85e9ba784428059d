/* Says that it generates, and cannot. */
#include "test/plugins/shell.h"

SHELL_TABLE(table.flags = CERTFERRY_GENERATES)
