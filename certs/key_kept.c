/* see key.h.  A few keys that stay parsed, one shelf a thread. */
#include <stdlib.h>
#include "certs/key.h"
#include "certs/mem.h"

enum { PLACES = 8 };

struct key_shelf {
    struct key *key[PLACES]; /* the one used last first */
};

static void shelf_free(struct key_shelf *s)
{
    for (size_t i = 0; i < PLACES; i++)
        key_free(s->key[i]);
    free(s);
}

/* The i-th becomes the first. */
static struct key *first(struct key_shelf *s, size_t i, struct key *k)
{
    for (; i > 0; i--)
        s->key[i] = s->key[i - 1];
    return s->key[0] = k;
}

struct key *key_kept(struct lib *l, struct view pkcs8, struct err *e)
{
    struct key *k;

    if (l->shelf == NULL) {
        if ((l->shelf = mem_try(1, sizeof *l->shelf)) == NULL) {
            (void)err_set(e, ERR_NOMEM, "a shelf for keys");
            return NULL;
        }
        l->shelf_free = shelf_free;
    }
    for (size_t i = 0; i < PLACES; i++) {
        struct view v = l->shelf->key[i] != NULL ? key_pkcs8(l->shelf->key[i]) : view_of(NULL, 0);

        if (v.len == pkcs8.len && v.len != 0 && mem_equal(v.p, pkcs8.p, v.len))
            return first(l->shelf, i, l->shelf->key[i]);
    }
    if ((k = key_parse(l, pkcs8, e)) == NULL)
        return NULL;
    key_free(l->shelf->key[PLACES - 1]);
    return first(l->shelf, PLACES - 1, k);
}
