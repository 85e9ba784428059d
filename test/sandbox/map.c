/* see map.h; open addressing, at most half full */
#include "test/sandbox/map.h"
#include "test/sandbox/text.h"
#include <stdlib.h>
#include <string.h>

static uint64_t hash_of(const void *key, size_t len)
{
    const unsigned char *b = key;
    uint64_t h = 0xcbf29ce484222325u;

    for (size_t i = 0; i < len; i++)
        h = (h ^ b[i]) * 0x100000001b3u;
    return h ^ h >> 29;
}

static struct map_slot *slot_for(const struct map *m, const void *key, size_t len, uint64_t hash)
{
    size_t i = (size_t)hash & (m->cap - 1);

    while (m->slot[i].key != NULL
           && (m->slot[i].hash != hash || m->slot[i].key_len != len
               || memcmp(m->slot[i].key, key, len) != 0))
        i = (i + 1) & (m->cap - 1);
    return &m->slot[i];
}

static void grow(struct map *m)
{
    struct map old = *m;

    m->cap = old.cap == 0 ? 64 : 2 * old.cap;
    m->slot = need(calloc(m->cap, sizeof *m->slot));
    for (size_t i = 0; i < old.cap; i++) {
        if (old.slot[i].key != NULL)
            *slot_for(m, old.slot[i].key, old.slot[i].key_len, old.slot[i].hash) = old.slot[i];
    }
    free(old.slot);
}

void map_put(struct map *m, const void *key, size_t key_len, void *value)
{
    uint64_t hash = hash_of(key, key_len);
    struct map_slot *s;

    if (2 * (m->count + 1) > m->cap)
        grow(m);
    s = slot_for(m, key, key_len, hash);
    if (s->key == NULL) {
        *s = (struct map_slot){ key, key_len, hash, NULL };
        m->count++;
    }
    s->value = value;
}

void *map_get(const struct map *m, const void *key, size_t key_len)
{
    if (m->cap == 0)
        return NULL;
    return slot_for(m, key, key_len, hash_of(key, key_len))->value;
}

void map_put_text(struct map *m, const char *key, void *value)
{
    map_put(m, key, strlen(key), value);
}

void *map_get_text(const struct map *m, const char *key)
{
    return map_get(m, key, strlen(key));
}

void map_done(struct map *m)
{
    free(m->slot);
    *m = (struct map){ 0 };
}
