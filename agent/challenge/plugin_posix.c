/*
 * see plugin_inner.h.  Every symbol is resolved at once, so that a plugin that lacks one is refused at the start
 * and not in the middle of a request; none becomes visible to other plugins.
 */
#include <dlfcn.h>
#include <string.h>
#include "agent/challenge/plugin_inner.h"

static void *refused(void *library, const char *path, struct err *e)
{
    const char *why = dlerror();

    (void)err_set(e, ERR_CONFIG, "%s: %s", path, why != NULL ? why : "cannot be loaded");
    plugin_unload(library);
    return NULL;
}

void *plugin_load(const char *path, plugin_entry_fn **entry, struct err *e)
{
    void *library = dlopen(path, RTLD_NOW | RTLD_LOCAL), *symbol;

    if (library == NULL || (symbol = dlsym(library, CERTFERRY_PLUGIN_ENTRY)) == NULL)
        return refused(library, path, e);
    memcpy(entry, &symbol, sizeof symbol); /* ISO C has no cast from void * to a function */
    return library;
}

void plugin_unload(void *library)
{
    if (library != NULL)
        (void)dlclose(library);
}
