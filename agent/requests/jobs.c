/*
 * see job.h.  Which jobs are in memory: found by id, loaded from the store, dropped; and what steps may
 * do with their job.
 */
#include <assert.h>
#include <stdlib.h>
#include <string.h>
#include "agent/agent.h"
#include "agent/requests/job_inner.h"
#include "agent/requests/sched.h"
#include "certs/mem.h"
#include "certs/text.h"

enum { BLOB_MAX = 1 << 20 };

static struct job **bucket_of(const struct jobs *js, const char *id)
{
    return (struct job **)(uintptr_t)&js->bucket[text_hash(TEXT_HASH, id) % JOBS_BUCKETS];
}

struct job *jobs_find(const struct jobs *js, const char *id)
{
    struct job *j = *bucket_of(js, id);

    while (j != NULL && strcmp(j->r.id, id) != 0)
        j = j->next_in_bucket;
    return j;
}

struct job *jobs_find_alias(const struct jobs *js, const char *alias)
{
    for (size_t b = 0; b < JOBS_BUCKETS; b++)
        for (struct job *j = js->bucket[b]; j != NULL; j = j->next_in_bucket)
            if (j->r.alias[0] != '\0' && strcmp(j->r.alias, alias) == 0)
                return j;
    return NULL;
}

void jobs_each(struct jobs *js, void (*fn)(void *arg, struct job *j), void *arg)
{
    for (size_t b = 0; b < JOBS_BUCKETS; b++)
        for (struct job *j = js->bucket[b]; j != NULL; j = j->next_in_bucket)
            fn(arg, j);
}

size_t jobs_active(const struct jobs *js)
{
    return js->active;
}

static void unstage(struct jobs *js, struct job *j)
{
    struct job **p = &js->staged;

    if (j->staged == STAGED_NO)
        return;
    while (*p != j)
        p = &(*p)->next_staged;
    *p = j->next_staged;
    j->staged = STAGED_NO;
    js->staged_count--;
}

static void leave_place(struct jobs *js, struct job *j)
{
    if (j->placed) {
        sched_left(js->a->sched, j->r.ca);
        return;
    }
    js->unvouched--;
    if (!j->unsaved)
        sched_kick(js->a->sched); /* it was stored, and will be due */
}

void jobs_vouched(struct job *j)
{
    if (j->placed)
        return;
    j->placed = true;
    j->a->jobs->unvouched--;
    sched_joined(j->a->sched, j->r.ca);
}

size_t jobs_unvouched(const struct jobs *js)
{
    return js->unvouched;
}

void jobs_drop(struct job *j)
{
    struct jobs *js = j->a->jobs;
    struct job **p = bucket_of(js, j->r.id);

    io_cancel(j->op);
    unstage(js, j);
    while (*p != j)
        p = &(*p)->next_in_bucket;
    *p = j->next_in_bucket;
    js->active--;
    leave_place(js, j);
    j->kind->close(j);
    for (size_t b = 0; b < BLOB_COUNT; b++)
        buf_free(&j->blob[b]);
    free(j);
}

/* ---- starting and stopping ------------------------------------------------------------------------------- */

/* A cancelled request stands at "report", whatever its kind calls that. */
static int step_named(const struct job_kind *k, const char *name)
{
    if (strcmp(name, "report") == 0)
        return k->report;
    for (int i = 0; i < k->count; i++)
        if (strcmp(k->steps[i].name, name) == 0)
            return i;
    return -1;
}

static const struct job_kind *kind_named(const struct jobs *js, const char *name)
{
    const struct job_kind *const *k = js->rules->kinds;

    while (*k != NULL && strcmp((*k)->name, name) != 0)
        k++;
    return *k;
}

/* In memory, with empty blobs. */
static struct job *admit(struct jobs *js, const struct request *r, const struct job_kind *kind)
{
    struct job *j = xcalloc(1, sizeof *j);
    struct job **p = bucket_of(js, r->id);

    assert(jobs_find(js, r->id) == NULL);
    j->a = js->a;
    j->r = *r;
    j->kind = kind;
    for (size_t b = 0; b < BLOB_COUNT; b++)
        j->blob[b] = (struct buf)BUF_INIT(BLOB_MAX);
    j->blob[BLOB_CSR] = (struct buf)BUF_SECRET(BLOB_MAX); /* it may have a challenge in it */
    j->next_in_bucket = *p;
    *p = j;
    js->active++;
    return j;
}

/* Without its CA, which is no longer configured, a job cannot stand at a step that asks it; the first asks nobody, and
 * what is done already is passed over when it is parked. */
static void set_off(struct job *j)
{
    bool understood = j->kind->open(j, &j->why) == 0;

    if (understood || j->r.failed) {
        job_run(j, job_enter(j));
        return;
    }
    if (j->ca == NULL)
        j->step = 0;
    (void)job_expired(j); /* then it does not wait for a configuration that fits */
    job_run(j, V_FAILED);
}

int jobs_start(struct jobs *js, const struct request *r, struct err *e)
{
    const struct job_kind *kind = kind_named(js, r->kind);
    struct job *j;

    if (kind == NULL) {
        sched_left(js->a->sched, r->ca);
        return err_set(
            e, ERR_STORE, "request %s: its kind \"%s\" is unknown to this version", r->id, r->kind);
    }
    j = admit(js, r, kind);
    j->placed = true; /* sched has counted it */
    if (store_get_blobs(js->a->store, r->id, j->blob, e) != 0) {
        jobs_drop(j);
        return -1;
    }
    for (int b = 0; b < BLOB_COUNT; b++)
        j->stored |= j->blob[b].len > 0 ? 1u << b : 0;
    if ((j->step = step_named(j->kind, r->step)) < 0) {
        (void)err_set(
            e, ERR_STORE, "request %s: its step \"%s\" is unknown to this version", r->id, r->step);
        jobs_drop(j);
        return -1;
    }
    j->step = j->kind->steps[j->step].resume; /* a restart is a retry without the wait */
    set_off(j);
    return 0;
}

void jobs_begin(struct jobs *js, const struct request *r, struct buf blob[BLOB_COUNT])
{
    struct job *j = admit(js, r, kind_named(js, r->kind));

    js->unvouched++;
    j->unsaved = true;
    for (size_t b = 0; b < BLOB_COUNT; b++)
        if (blob[b].len > 0)
            job_put(j, (enum blob)b, &blob[b]);
    set_off(j);
}

struct jobs *jobs_open(struct agent *a, const struct jobs_rules *rules)
{
    struct jobs *js = xcalloc(1, sizeof *js);

    js->a = a;
    js->rules = rules;
    return js;
}

void jobs_close(struct jobs *js)
{
    if (js == NULL)
        return;
    io_cancel(js->gather);
    for (size_t b = 0; b < JOBS_BUCKETS; b++)
        while (js->bucket[b] != NULL)
            jobs_drop(js->bucket[b]);
    free(js);
}

/* ---- for steps ------------------------------------------------------------------------------------------- */

void job_put(struct job *j, enum blob b, struct buf *data)
{
    struct err e;

    buf_take(&j->blob[b], data);
    /* A worker that began before the master key was exchanged had the old one. */
    if (b == BLOB_DATA_KEY && j->a->vault.has_other)
        (void)!vault_renew(&j->a->vault, j->a->lib, j->r.id, &j->blob[b], &e);
    j->dirty |= 1u << b;
}

void job_clear(struct job *j, enum blob b)
{
    buf_free(&j->blob[b]);
    j->dirty |= 1u << b;
}

bool job_has(const struct job *j, enum blob b)
{
    return j->blob[b].len > 0;
}

enum verdict job_ask(struct job *j, struct op *op)
{
    j->op = op;
    return op != NULL ? V_WAIT : V_FAILED;
}

enum verdict job_work(struct job *j, struct io_work *w)
{
    return job_ask(j, io_work(w, false, job_wake, j));
}

enum verdict job_worked(struct job *j, const struct result *r)
{
    if (r->err == NULL)
        return V_NEXT;
    j->why = *r->err;
    return V_FAILED;
}
