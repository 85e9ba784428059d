/* Has a flag from the future. */
#include "test/plugins/shell.h"

SHELL_TABLE(table.flags = 1u << 20)
