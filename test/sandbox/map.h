#ifndef SANDBOX_MAP_H
#define SANDBOX_MAP_H
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * map.h - from bytes to a pointer.  Keys are borrowed: they must live as long as the map.  Nothing is
 * ever taken out; putting a key again replaces its value.
 */
struct map_slot {
    const void *key;
    size_t key_len;
    uint64_t hash;
    void *value;
};
struct map {
    struct map_slot *slot;
    size_t cap, count;
};

void map_put(struct map *m, const void *key, size_t key_len, void *value);
void *map_get(const struct map *m, const void *key, size_t key_len); /* NULL: not there */
void map_put_text(struct map *m, const char *key, void *value);
void *map_get_text(const struct map *m, const char *key);
void map_done(struct map *m); /* frees the table, not the values */
#endif
