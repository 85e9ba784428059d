/* Calls what nobody has: to be refused when it is loaded, not when it is asked. */
#include "agent/certferry_plugin.h"

int nobody_has_this(void);

const struct certferry_plugin *certferry_plugin_v1(void)
{
    return nobody_has_this() != 0 ? NULL : (const struct certferry_plugin *)0;
}
