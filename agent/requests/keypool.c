/* see keypool.h.  One key is being made at a time for each size in use; the next begins when it is done. */
#include <stdlib.h>
#include "agent/agent.h"
#include "agent/requests/keypool.h"
#include "certs/mem.h"

struct stock {
    struct key **keys;
    size_t count, most;
    struct op *making;
    struct keypool *pool;
    enum key_type type;
};

struct keypool {
    struct agent *a;
    struct stock stock[KEY_TYPE_COUNT];
};

struct making {
    struct io_work work;
    enum key_type type;
    enum keygen how;
    struct key *key;
};

static void fill(struct stock *s);

static int make(struct lib *l, struct io_work *w, struct err *e)
{
    struct making *m = (struct making *)w;

    m->key = key_new(l, m->type, m->how, e);
    return m->key != NULL ? 0 : -1;
}

static void making_free(struct io_work *w)
{
    key_free(((struct making *)w)->key);
    free(w);
}

static void on_made(void *arg, const struct result *r)
{
    struct stock *s = arg;
    struct making *m = (struct making *)r->work;

    s->making = NULL;
    if (m->key != NULL && s->count < s->most) {
        s->keys[s->count++] = m->key;
        m->key = NULL;
    }
    if (r->err == NULL)
        fill(s);
}

static void fill(struct stock *s)
{
    struct making *m;

    if (s->making != NULL || s->count >= s->most || s->pool->a->once || s->pool->a->draining)
        return;
    m = xcalloc(1, sizeof *m);
    m->work = (struct io_work){ .run = make, .free = making_free };
    m->type = s->type;
    m->how = conf_keygen(s->pool->a->conf);
    s->making = io_work(&m->work, true, on_made, s);
}

struct key *keypool_take(struct keypool *p, enum key_type t)
{
    struct stock *s = &p->stock[t];
    struct key *k = NULL;

    if (!key_type_is_rsa(t) || p->a->conf->keys.pool == 0)
        return NULL;
    if (s->keys == NULL) {
        s->most = (size_t)p->a->conf->keys.pool;
        s->keys = xcalloc(s->most, sizeof(struct key *));
    }
    if (s->count > 0)
        k = s->keys[--s->count];
    fill(s);
    return k;
}

struct keypool *keypool_open(struct agent *a)
{
    struct keypool *p = xcalloc(1, sizeof *p);

    p->a = a;
    for (size_t t = 0; t < KEY_TYPE_COUNT; t++)
        p->stock[t] = (struct stock){ .pool = p, .type = (enum key_type)t };
    return p;
}

void keypool_close(struct keypool *p)
{
    if (p == NULL)
        return;
    for (size_t t = 0; t < KEY_TYPE_COUNT; t++) {
        struct stock *s = &p->stock[t];

        io_cancel(s->making);
        while (s->count > 0)
            key_free(s->keys[--s->count]);
        free(s->keys);
    }
    free(p);
}
