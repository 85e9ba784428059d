#ifndef AGENT_STORE_COPY_H
#define AGENT_STORE_COPY_H
#include "agent/store/store.h"

/*
 * store_copy.h - the whole database into one new file, a few pages at a time, while it goes on being used; and back.
 *
 * A copy is a database like the store's, as the store is when the last page has been copied, with one table more:
 * files that belong to it (the sealed secrets).  What was sealed is sealed in it, under the same master key.
 *
 * fails    ERR_STORE: the message has the file and SQLite's words
 * Threads: the store's.
 */
struct store_copy;

/* store_copy_begin - path: a new file, 0600.  fails also ERR_CONFLICT: there is one */
struct store_copy *store_copy_begin(struct store *s, const char *path, struct err *e) MUST;
/* store_copy_step - returns 1: there is more, or something is uncommitted, come again; 0: all is copied; -1 */
int store_copy_step(struct store_copy *c, int pages, struct err *e) MUST;
/* store_copy_attach - after the last step: a file that belongs to it. */
int store_copy_attach(struct store_copy *c, const char *name, struct view data, struct err *e) MUST;
/* store_copy_end - durable when it returns 0; frees c.  store_copy_drop - give up: the file is removed; NULL is fine */
int store_copy_end(struct store_copy *c, int64_t now, struct err *e) MUST;
void store_copy_drop(struct store_copy *c);
int store_copy_percent(const struct store_copy *c);

/*
 * store_copy_unpack - the copy at path becomes a store's database again: checked, its files given to fn and taken out of
 * it.  at: when it was made, UTC seconds; open: requests that were open then.
 * fails ERR_INPUT: no copy of ours; ERR_STORE: damaged, of a newer version; and what fn fails with
 */
typedef int store_copy_fn(void *arg, const char *name, struct view data, struct err *e);
struct store_copy_facts {
    int64_t at, open;
    size_t files;
};
int store_copy_unpack(const char *path, struct store_copy_facts *facts, store_copy_fn *fn,
    void *arg, struct err *e) MUST;
#endif
