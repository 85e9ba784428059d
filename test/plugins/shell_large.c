/* Made for a later host of the same ABI, whose table is longer. */
#include "test/plugins/shell.h"

SHELL_TABLE(table.size += 64)
