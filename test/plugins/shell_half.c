/* Has no verify. */
#include "test/plugins/shell.h"

SHELL_TABLE(table.verify = NULL)
