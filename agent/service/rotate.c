/* see rotate.h */
#include "agent/base/clock.h"
#include "agent/base/crash.h"
#include "agent/requests/job.h"
#include "agent/service/rotate.h"

/* No work takes so long: what a worker has sealed is at most one key old. */
enum { PAUSE_S = 600 };

struct counting {
    struct agent *a;
    struct rotated *out;
};

static int renew_row(void *arg, const char *request_id, struct buf *data_key, struct err *e)
{
    struct counting *c = arg;
    int got = vault_renew(&c->a->vault, c->a->lib, request_id, data_key, e);

    if (got < 0 && e->cls != ERR_CRYPTO)
        return -1;
    c->out->data_keys += got == 1;
    c->out->unreadable += got < 0;
    crash_point(24);
    return got == 1;
}

/* A job's own copy goes back into the store with its next step. */
static void renew_job(void *arg, struct job *j)
{
    struct agent *a = arg;
    struct err e;

    if (job_has(j, BLOB_DATA_KEY))
        (void)!vault_renew(&a->vault, a->lib, j->r.id, &j->blob[BLOB_DATA_KEY], &e);
}

int rotate_finish(struct agent *a, struct rotated *out, struct err *e)
{
    const struct conf *c = a->conf;
    struct counting counting = { a, out };

    *out = (struct rotated){ 0 };
    if (a->vault.pending) {
        if (secrets_renew(a->secrets, &out->secrets, &out->unreadable, e) != 0
            || store_rewrap(a->store, renew_row, &counting, e) != 0)
            return -1;
        if (a->jobs != NULL)
            jobs_each(a->jobs, renew_job, a);
        if (store_commit(a->store, e) != 0)
            return -1;
        crash_point(25);
    }
    return vault_settle(&a->vault, c->store.dir, c->store.master_key, e);
}

int rotate(struct agent *a, struct rotated *out, struct err *e)
{
    const struct conf *c = a->conf;

    if (!a->vault.pending && a->rotated_at != 0 && clock_now() - a->rotated_at < PAUSE_S)
        return err_set(e, ERR_CONFLICT,
            "the master key was exchanged %lld s ago; again in %d minutes at the earliest",
            (long long)(clock_now() - a->rotated_at), PAUSE_S / 60);
    if (!a->vault.pending
        && vault_use_new(&a->vault, a->lib, c->store.dir, c->store.master_key, e) != 0)
        return -1;
    a->rotated_at = clock_now();
    return rotate_finish(a, out, e);
}
