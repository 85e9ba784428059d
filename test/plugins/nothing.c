/* Its entry gives nothing. */
#include "agent/certferry_plugin.h"

const struct certferry_plugin *certferry_plugin_v1(void)
{
    return NULL;
}
