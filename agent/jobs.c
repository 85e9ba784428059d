/*
 * see job.h.  Which jobs are in memory: found by id, loaded from the store, dropped; and what steps may
 * do with their job.
 */
#include <assert.h>
#include <stdlib.h>
#include <string.h>
#include "agent/agent.h"
#include "agent/job_inner.h"
#include "agent/job_pkcs.h"
#include "agent/sched.h"
#include "certs/mem.h"

enum { BLOB_MAX = 1 << 20 };

static struct job **bucket_of(const struct jobs *js, const char *id)
{
    uint64_t h = 14695981039346656037u;

    for (; *id != '\0'; id++)
        h = (h ^ (unsigned char)*id) * 1099511628211u;
    return (struct job **)(uintptr_t)&js->bucket[h % JOBS_BUCKETS];
}

struct job *jobs_find(const struct jobs *js, const char *id)
{
    struct job *j = *bucket_of(js, id);

    while (j != NULL && strcmp(j->r.id, id) != 0)
        j = j->next_in_bucket;
    return j;
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
    sched_left(j->a->sched, j->r.ca);
    j->kind->close(j);
    for (size_t b = 0; b < BLOB_COUNT; b++)
        buf_free(&j->blob[b]);
    free(j);
}

/* ---- starting and stopping ------------------------------------------------------------------------------- */

static int step_named(const struct job_kind *k, const char *name)
{
    for (int i = 0; i < k->count; i++)
        if (strcmp(k->steps[i].name, name) == 0)
            return i;
    return -1;
}

int jobs_start(struct jobs *js, const struct request *r, struct err *e)
{
    struct job *j = xcalloc(1, sizeof *j);
    struct job **p = bucket_of(js, r->id);

    assert(jobs_find(js, r->id) == NULL);
    j->a = js->a;
    j->r = *r;
    j->kind = &job_pkcs;
    for (size_t b = 0; b < BLOB_COUNT; b++)
        j->blob[b] = (struct buf)BUF_INIT(BLOB_MAX);
    j->next_in_bucket = *p;
    *p = j;
    js->active++;
    if (store_get_blobs(js->a->store, r->id, j->blob, e) != 0) {
        jobs_drop(j);
        return -1;
    }
    if ((j->step = step_named(j->kind, r->step)) < 0) {
        (void)err_set(
            e, ERR_STORE, "request %s: its step \"%s\" is unknown to this version", r->id, r->step);
        jobs_drop(j);
        return -1;
    }
    j->step = j->kind->steps[j->step].resume; /* a restart is a retry without the wait */
    if (j->kind->open(j, &j->why) != 0 && !j->r.failed)
        job_run(j, V_FAILED);
    else
        job_run(j, job_enter(j));
    return 0;
}

struct jobs *jobs_open(struct agent *a)
{
    struct jobs *js = xcalloc(1, sizeof *js);

    js->a = a;
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
    buf_take(&j->blob[b], data);
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
