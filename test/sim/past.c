/* see past.h */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "agent/agent.h"
#include "agent/base/fs.h"
#include "agent/service/reconcile.h"
#include "agent/store/store_sql.h"
#include "test/sim/past.h"

enum { TWIN_BEAT_S = 60, TWIN_LEAP = 40 };

static void path_of(char out[4096], const char *dir, const char *name)
{
    (void)snprintf(out, 4096, "%s/%s", dir, name);
}

/* ---- the backup ------------------------------------------------------------------------------------------------------ */

/* The bytes as they are, like a power cut: what was not committed is not in them. */
static void copy_file(const char *dir, const char *from, const char *to)
{
    struct buf bytes = BUF_INIT(64 << 20);
    char path[4096];
    struct err e;
    FILE *f;

    path_of(path, dir, from);
    if (fs_read(path, &bytes, &e) != 0)
        buf_reset(&bytes);
    path_of(path, dir, to);
    if ((f = fopen(path, "w")) == NULL || fwrite(bytes.p, 1, bytes.len, f) != bytes.len
        || fclose(f) != 0)
        abort();
    buf_free(&bytes);
}

static bool knows_key(sqlite3 *db, const char *id)
{
    sqlite3_stmt *q = NULL;
    bool found;

    if (sqlite3_prepare_v2(db,
            "SELECT 1 FROM blob JOIN request ON row=slot/16 WHERE slot%16=?1 AND id=?2", -1, &q,
            NULL)
        != SQLITE_OK)
        abort();
    (void)sqlite3_bind_int(q, 1, BLOB_CSR);
    (void)sqlite3_bind_text(q, 2, id, -1, SQLITE_TRANSIENT);
    found = sqlite3_step(q) == SQLITE_ROW;
    (void)sqlite3_finalize(q);
    return found;
}

void past_backup(struct world *w, const char *dir)
{
    char to[4096];
    sqlite3 *db = NULL;

    copy_file(dir, "state/certferry.db", "backup.db");
    copy_file(dir, "state/certferry.db-wal", "backup.db-wal");
    path_of(to, dir, "backup.db");
    if (sqlite3_open(to, &db) != SQLITE_OK)
        abort();
    for (size_t i = 0; i < w->request_count; i++) {
        w->requests[i].key_kept = knows_key(db, w->requests[i].id);
        w->requests[i].leases_then = w->requests[i].leases;
    }
    (void)sqlite3_close(db); /* now all of it is in the one file */
    w->past = PAST_KEPT;
}

/* ---- the restore ----------------------------------------------------------------------------------------------------- */

/* Another connector had it meanwhile, and is gone. */
static void lend_elsewhere(struct world *w, struct world_request *r)
{
    r->leases++;
    (void)snprintf(r->lease, sizeof r->lease, "lease-%d", r->leases);
    r->lease_expires_at = sim_world_s() + w->lease_s;
}

/* In place the file is the same one, as after the snapshot of a whole machine: only the counter tells. */
void past_restore(struct world *w, const char *dir)
{
    static const char *const rest[] = { "state/certferry.db-wal", "state/certferry.db-shm" };
    struct buf bytes = BUF_INIT(64 << 20);
    char from[4096], to[4096];
    struct err e;
    FILE *f;

    path_of(from, dir, "backup.db");
    for (size_t i = 0; i < 2; i++) {
        path_of(to, dir, rest[i]);
        (void)unlink(to);
    }
    path_of(to, dir, "state/certferry.db");
    if (!w->in_place)
        (void)unlink(to);
    if (fs_read(from, &bytes, &e) != 0 || (f = fopen(to, w->in_place ? "r+" : "w")) == NULL)
        abort();
    if (fwrite(bytes.p, 1, bytes.len, f) != bytes.len || ftruncate(fileno(f), (off_t)bytes.len) != 0
        || fclose(f) != 0)
        abort();
    buf_free(&bytes);
    w->past = PAST_RESTORED;
    w->certs_then = w->cert_count;
    w->restored_at = w->twin_next_at = io_wall_s();
    for (size_t i = 0; i < w->request_count; i++) {
        struct world_request *r = &w->requests[i];

        r->done_then = r->done;
        r->handed_out_then = r->handed_out;
        r->submitted_then = r->submitted;
        if (w->lent_elsewhere && r->handed_out && !r->done)
            lend_elsewhere(w, r);
    }
}

/* ---- the twin -------------------------------------------------------------------------------------------------------- */

static void end_by_twin(struct world_request *r)
{
    if (!r->handed_out_then || r->done)
        return;
    r->done = r->succeeded = r->by_twin = true;
    r->accepted++;
}

const char *past_turn(struct world *w, struct agent *a)
{
    int64_t now = io_wall_s(), end_at = w->restored_at + w->twin_s;
    struct err e;

    if (w->past == PAST_NONE || w->past == PAST_KEPT)
        return reconcile_state(a->reconcile) > RECONCILE_NORMAL
                   ? "the store is compared, and it is neither old nor a copy"
                   : NULL;
    if (w->twin_s == 0 || w->past == PAST_OVER)
        return NULL;
    for (; w->twin_next_at <= now && w->twin_next_at < end_at; w->twin_next_at += TWIN_BEAT_S)
        w->highest += TWIN_LEAP;
    if (now >= w->restored_at + w->twin_s / 2)
        for (size_t i = 0; i < w->request_count; i++)
            end_by_twin(&w->requests[i]);
    if (now < end_at)
        return NULL;
    w->past = PAST_OVER;
    if (reconcile_state(a->reconcile) != RECONCILE_CLONE)
        return "a twin lived beside it and was not noticed";
    return reconcile_claim(a->reconcile, &e) == 0 ? NULL : "an administrator was not believed";
}

bool past_over(const struct world *w, const struct agent *a)
{
    if (!w->heartbeat)
        return true;
    return reconcile_state(a->reconcile) == RECONCILE_NORMAL
           && (w->past != PAST_RESTORED || w->twin_s == 0);
}

/* ---- the promises ---------------------------------------------------------------------------------------------------- */

const char *past_request(const struct world *w, const struct world_request *r)
{
    bool lent_again = r->leases != r->leases_then;

    if (w->past < PAST_RESTORED)
        return NULL;
    if (r->done_then && r->submitted != r->submitted_then)
        return "was submitted again although it had been delivered before the restore";
    if (r->by_twin && r->submitted != r->submitted_then)
        return "was submitted by two services";
    if (r->spki_count > (r->key_kept && !lent_again ? 1u : 2u) + (size_t)r->leases_lost)
        return "has too many keys";
    return NULL;
}

bool past_excuses(const struct world *w, const struct world_cert *c)
{
    bool first_life = (size_t)(c - w->certs) < w->certs_then;

    return w->past >= PAST_RESTORED && first_life
           && (!c->request->key_kept || c->request->done_then || w->twin_s > 0);
}
