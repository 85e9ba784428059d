#ifndef TEST_UNIT_AGENT_STORE_ROWS_H
#define TEST_UNIT_AGENT_STORE_ROWS_H
/* agent_store_rows.h - requests for tests of the store, and what reads them back as one line of text. */
#include "agent/store/store.h"
#include "test/unit/agent_dir.h"

static struct store *store;

static inline struct store *store_in(const char *dir)
{
    struct err e = { 0 };
    struct store *s = store_open(dir, false, &e);

    if (s == NULL)
        fail_msg("store_open: %s", e.msg);
    return s;
}

/* A folder with mode 0700 and an open store in it. */
static inline int store_make(void **state)
{
    if (dir_make(state) != 0)
        return -1;
    store = store_in(dir_root);
    return 0;
}

static inline int store_remove(void **state)
{
    store_close(store);
    store = NULL;
    return dir_remove(state);
}

static inline void reopen(void)
{
    store_close(store);
    store = store_in(dir_root);
}

static inline struct request row(const char *id, const char *ca, int64_t next_at)
{
    struct request r = { .state = REQUEST_READY, .next_at = next_at, .created_at = next_at };

    (void)snprintf(r.id, sizeof r.id, "%s", id);
    (void)snprintf(r.kind, sizeof r.kind, "pkcsIssue");
    (void)snprintf(r.step, sizeof r.step, "key");
    (void)snprintf(r.ca, sizeof r.ca, "%s", ca);
    return r;
}

static inline void insert(const struct request *r)
{
    struct err e = { 0 };

    if (store_insert(store, r, view_text("{}"), &e) != 1)
        fail_msg("%s was not inserted: %s", r->id, e.msg);
}

static inline void commit(void)
{
    struct err e = { 0 };

    T_OK(store_commit(store, &e));
}

static inline bool has(const char *id)
{
    struct request r;
    struct err e = { 0 };
    int got = store_get(store, id, &r, &e);

    assert_in_range(got, 0, 1);
    return got == 1;
}

/* For lists: the ids in order, "a b c". */
static char ids[2000];

static inline void add_id(void *arg, const struct request *r)
{
    size_t len = strlen(ids);

    (void)arg;
    (void)snprintf(ids + len, sizeof ids - len, "%s%s", len > 0 ? " " : "", r->id);
}
#endif
