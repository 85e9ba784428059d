/* Where each value came from, and as it was written there; see conf.h. */
#include <stdlib.h>
#include <string.h>
#include "agent/conf/conf_value.h"
#include "certs/mem.h"

static bool same_title(const char *a, const char *b)
{
    return a == NULL || b == NULL ? a == b : strcmp(a, b) == 0;
}

static struct conf_origin *find(
    const struct conf *c, const struct conf_option *o, const char *title)
{
    for (size_t i = 0; i < c->origin_count; i++)
        if (c->origins[i].option == o && same_title(c->origins[i].title, title))
            return &c->origins[i];
    return NULL;
}

const struct conf_origin *conf_origin(
    const struct conf *c, const struct conf_option *o, const char *title)
{
    return find(c, o, conf_has_titles(o->section) ? title : NULL);
}

/* There is no end of them but that of the sections: 112 at most, times their options. */
static struct conf_origin *add(struct conf *c)
{
    enum { STEP = 64 };

    if (c->origin_count == c->origin_room) {
        struct conf_origin *more = xcalloc(c->origin_room += STEP, sizeof *more);

        if (c->origin_count > 0)
            memcpy(more, c->origins, c->origin_count * sizeof *more);
        free(c->origins);
        c->origins = more;
    }
    return &c->origins[c->origin_count++];
}

static void empty(struct conf_origin *at)
{
    free(at->title);
    free(at->file);
    conf_list_free(&at->raw);
}

void conf_origin_drop(struct conf *c, const struct conf_option *o, const char *title)
{
    struct conf_origin *at = find(c, o, title);

    if (at == NULL)
        return;
    empty(at);
    *at = c->origins[--c->origin_count];
}

void conf_origin_note(struct conf *c, const struct conf_option *o, const struct place *p,
    enum conf_layer layer, const struct conf_list *raw)
{
    const char *title = conf_has_titles(o->section) ? p->title : NULL;
    struct conf_origin *at = find(c, o, title);

    if (at == NULL) {
        at = add(c);
        at->option = o;
        at->title = xstrdup(title);
    }
    at->layer = layer;
    at->line = p->line;
    free(at->file);
    at->file = xstrdup(p->file);
    conf_list_free(&at->raw);
    at->raw.at = xcalloc(raw->count > 0 ? raw->count : 1, sizeof *at->raw.at);
    for (; at->raw.count < raw->count; at->raw.count++)
        at->raw.at[at->raw.count] = xstrdup(raw->at[at->raw.count]);
}

void conf_origin_forget(struct conf *c)
{
    for (size_t i = 0; i < c->origin_count; i++)
        empty(&c->origins[i]);
    free(c->origins);
    c->origins = NULL;
    c->origin_count = c->origin_room = 0;
}
