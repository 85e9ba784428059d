/* see conf.h, conf_secrets.  Which secrets a configuration names, and where. */
#include <stdio.h>
#include <string.h>
#include "agent/conf/conf_value.h"

/* The sections with a title that may name secrets: their structs, which begin with the title. */
static size_t sections_of(const struct conf *c, const char *name, const char **first, size_t *size)
{
    if (strcmp(name, "ca") == 0) {
        *first = (const char *)c->cas;
        *size = sizeof *c->cas;
        return c->ca_count;
    }
    if (strcmp(name, "scep") == 0) {
        *first = (const char *)c->sceps;
        *size = sizeof *c->sceps;
        return c->scep_count;
    }
    if (strcmp(name, "plugin") == 0) {
        *first = (const char *)c->plugins;
        *size = sizeof *c->plugins;
        return c->plugin_count;
    }
    *first = (const char *)c; /* no title: offsets are into struct conf */
    *size = 0;
    return 1;
}

static void one_option(
    const struct conf *c, const struct conf_option *o, conf_secret_fn *fn, void *arg)
{
    const char *base;
    char what[200];
    size_t size, n = sections_of(c, o->section, &base, &size);

    for (size_t i = 0; i < n; i++) {
        const char *at = base + i * size;
        const char *ref = *(char *const *)(const void *)(at + o->offset);

        if (ref == NULL)
            continue;
        if (size != 0)
            (void)snprintf(what, sizeof what, "%s \"%s\".%s", o->section,
                *(char *const *)(const void *)at, o->key);
        else
            (void)snprintf(what, sizeof what, "%s.%s", o->section, o->key);
        fn(arg, what, ref);
    }
}

static void one_plugin(const struct conf_plugin *p, conf_secret_fn *fn, void *arg)
{
    char what[300];

    for (size_t i = 0; i < p->secrets.count; i++) {
        const char *entry = p->secrets.at[i], *is = strchr(entry, '=');

        if (is == NULL)
            continue;
        (void)snprintf(
            what, sizeof what, "plugin \"%s\".secrets %.*s", p->name, (int)(is - entry), entry);
        fn(arg, what, is + 1);
    }
}

void conf_secrets(const struct conf *c, conf_secret_fn *fn, void *arg)
{
    for (size_t i = 0; i < conf_option_count; i++)
        if (conf_options[i].type == CONF_SECRET)
            one_option(c, &conf_options[i], fn, arg);
    for (size_t i = 0; i < c->plugin_count; i++)
        one_plugin(&c->plugins[i], fn, arg);
}
