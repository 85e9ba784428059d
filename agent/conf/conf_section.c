/* The structs of sections, see conf.h and conf_value.h: where each value of each section is kept. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "agent/conf/conf_value.h"
#include "certs/mem.h"
#include "certs/text.h"

/* Sections with a title may stand several times; their structs begin with the title. */
static const struct titled {
    const char *section;
    size_t size, array, count, most;
} titled[] = {
#define TITLED(name, type, array, count, most)                                                 \
    {                                                                                          \
        name, sizeof(struct type), offsetof(struct conf, array), offsetof(struct conf, count), \
            most                                                                               \
    }
    TITLED("ca", conf_ca, cas, ca_count, CONF_CA_MAX),
    TITLED("listen", conf_listen, listens, listen_count, CONF_SECTIONS_MAX),
    TITLED("scep", conf_scep, sceps, scep_count, CONF_SECTIONS_MAX),
    TITLED("plugin", conf_plugin, plugins, plugin_count, CONF_SECTIONS_MAX),
#undef TITLED
};
enum { TITLED_COUNT = sizeof titled / sizeof titled[0] };

static const struct titled *titled_named(const char *section)
{
    for (size_t i = 0; i < TITLED_COUNT; i++)
        if (strcmp(titled[i].section, section) == 0)
            return &titled[i];
    return NULL;
}

static char **array_of(const struct conf *c, const struct titled *t)
{
    return (char **)(uintptr_t)((const char *)c + t->array);
}

static size_t *count_of(const struct conf *c, const struct titled *t)
{
    return (size_t *)(uintptr_t)((const char *)c + t->count);
}

static char *title_of(const char *base)
{
    return *(char *const *)(const void *)base;
}

bool conf_has_titles(const char *section)
{
    return titled_named(section) != NULL;
}

size_t conf_section_count(const struct conf *c, const char *section)
{
    const struct titled *t = titled_named(section);

    return t != NULL ? *count_of(c, t) : 1;
}

char *conf_section_at(const struct conf *c, const char *section, size_t i)
{
    const struct titled *t = titled_named(section);

    return t != NULL ? *array_of(c, t) + i * t->size : (char *)(uintptr_t)c;
}

const char *conf_section_title(const struct conf *c, const char *section, size_t i)
{
    return conf_has_titles(section) ? title_of(conf_section_at(c, section, i)) : NULL;
}

char *conf_section_find(const struct conf *c, const char *section, const char *title)
{
    for (size_t i = 0; i < conf_section_count(c, section); i++)
        if (!conf_has_titles(section)
            || (title != NULL && strcmp(conf_section_title(c, section, i), title) == 0))
            return conf_section_at(c, section, i);
    return NULL;
}

char *conf_section_make(struct conf *c, const struct place *p, struct err *e)
{
    const struct titled *t = titled_named(p->section);
    char *base = conf_section_find(c, p->section, p->title);
    char what[80];

    if (base != NULL)
        return base;
    if (p->title == NULL || p->title[0] == '\0' || strlen(p->title) > CONF_NAME_MAX
        || text_has_control(view_text(p->title))) {
        (void)snprintf(
            what, sizeof what, "a %s section needs a name of 1 to 63 characters", t->section);
        (void)conf_bad(p, "", e, what);
        return NULL;
    }
    if (*count_of(c, t) == t->most) {
        (void)snprintf(what, sizeof what, "more than %zu %s sections", t->most, t->section);
        (void)conf_bad(p, "", e, what);
        return NULL;
    }
    base = conf_section_at(c, t->section, (*count_of(c, t))++);
    *(char **)(void *)base = xstrdup(p->title);
    return conf_set_defaults(t->section, base, e) == 0 ? base : NULL;
}

/* ---- beginning and end of it all ------------------------------------------------------------------------- */

struct conf *conf_new(const char *path, struct err *e)
{
    struct conf *c = xcalloc(1, sizeof *c);

    c->path = xstrdup(path);
    for (size_t t = 0; t < TITLED_COUNT; t++)
        *array_of(c, &titled[t]) = xcalloc(titled[t].most, titled[t].size);
    for (size_t s = 0; conf_section_help[s][0] != NULL; s++)
        if (titled_named(conf_section_help[s][0]) == NULL
            && conf_set_defaults(conf_section_help[s][0], (char *)c, e) != 0) {
            conf_free(c);
            return NULL;
        }
    return c;
}

void conf_list_free(struct conf_list *l)
{
    for (size_t i = 0; i < l->count; i++)
        free(l->at[i]);
    free(l->at);
    *l = (struct conf_list){ 0 };
}

static void free_section(const char *section, char *base)
{
    for (size_t i = 0; i < conf_option_count; i++) {
        const struct conf_option *o = &conf_options[i];

        if (strcmp(o->section, section) != 0 || o->type == CONF_INT || o->type == CONF_BOOL)
            continue;
        if (o->type == CONF_LIST)
            conf_list_free((struct conf_list *)(void *)(base + o->offset));
        else
            free(*(char **)(void *)(base + o->offset));
    }
}

void conf_free(struct conf *c)
{
    if (c == NULL)
        return;
    for (size_t t = 0; t < TITLED_COUNT; t++) {
        for (size_t i = 0; i < *count_of(c, &titled[t]); i++) {
            char *base = conf_section_at(c, titled[t].section, i);

            free_section(titled[t].section, base);
            free(title_of(base));
        }
        free(*array_of(c, &titled[t]));
    }
    for (size_t s = 0; conf_section_help[s][0] != NULL; s++)
        if (titled_named(conf_section_help[s][0]) == NULL)
            free_section(conf_section_help[s][0], (char *)c);
    conf_origin_forget(c);
    conf_list_free(&c->files);
    free(c->path);
    free(c);
}
