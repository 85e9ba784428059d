/* Its table is shorter than the host's. */
#include "test/plugins/shell.h"

SHELL_TABLE(table.size -= 8)
