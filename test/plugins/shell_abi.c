/* Made for another ABI. */
#include "test/plugins/shell.h"

SHELL_TABLE(table.abi = 2)
