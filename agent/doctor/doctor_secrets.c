/* see doctor_perm.h.  From the table of options, so that an option that is added is looked at. */
#include <string.h>
#include "agent/doctor/doctor_perm.h"

struct walk {
    void (*fn)(void *arg, const char *path);
    void *arg;
};

static void one(const struct walk *w, const char *path)
{
    if (path != NULL && path[0] != '\0' && strncmp(path, "secret:", 7) != 0)
        w->fn(w->arg, path);
}

/* "key", "client_key", "ra_encryption_key", "key2"; not "master_key", which has a row of its own */
static bool is_key(const struct conf_option *o)
{
    size_t len = strlen(o->key);

    if (o->type != CONF_FILE || strcmp(o->key, "master_key") == 0)
        return false;
    return (len >= 3 && strcmp(o->key + len - 3, "key") == 0) || strcmp(o->key, "key2") == 0;
}

static void of_section(const struct walk *w, const char *section, const void *base)
{
    for (size_t i = 0; i < conf_option_count; i++) {
        const struct conf_option *o = &conf_options[i];

        if (strcmp(o->section, section) == 0 && is_key(o))
            one(w, *(char *const *)(const void *)((const char *)base + o->offset));
    }
}

static void on_secret(void *arg, const char *what, const char *ref)
{
    (void)what;
    one(arg, ref);
}

void doctor_each_secret(const struct conf *c, void (*fn)(void *arg, const char *path), void *arg)
{
    struct walk w = { fn, arg };

    conf_secrets(c, on_secret, &w);
    of_section(&w, "cloud", c);
    if (c->cloud.client_certificate != NULL && c->cloud.client_key == NULL)
        one(&w, c->cloud.client_certificate); /* then the key is in it */
    for (size_t i = 0; i < c->ca_count; i++) {
        of_section(&w, "ca", &c->cas[i]);
        if (c->cas[i].client_certificate != NULL && c->cas[i].client_key == NULL)
            one(&w, c->cas[i].client_certificate);
    }
    for (size_t i = 0; i < c->listen_count; i++)
        of_section(&w, "listen", &c->listens[i]);
    for (size_t i = 0; i < c->scep_count; i++) {
        of_section(&w, "scep", &c->sceps[i]);
        for (size_t k = 0; k < c->sceps[i].ra_previous.count; k++)
            one(&w, c->sceps[i].ra_previous.at[k]);
    }
    for (size_t i = 0; i < c->plugin_count; i++)
        of_section(&w, "plugin", &c->plugins[i]);
}
