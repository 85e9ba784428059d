/* see backup.h.  The store in one file, while the service goes on. */
#include <stdio.h>
#include <string.h>
#include "agent/base/clock.h"
#include "agent/base/fs.h"
#include "agent/base/log.h"
#include "agent/requests/audit.h"
#include "agent/service/backup.h"
#include "agent/store/store_copy.h"

/* A mebibyte a turn: devices and the cloud are answered in between. */
enum { PAGES = 256, PAUSE_MS = 1, ALL_PAGES = -1, PATH_LEN = 4096 };

void backup_path(const struct conf *c, char *out)
{
    fs_join(out, PATH_LEN, c->store.dir, "backup");
}

static void partial_path(const struct conf *c, char *out)
{
    fs_join(out, PATH_LEN, c->store.dir, "backup.partial");
}

/* ---- the secrets, sealed as they are ----------------------------------------------------------------------------- */

struct secrets_into {
    struct store_copy *copy;
    char dir[PATH_LEN];
    struct err *e;
    int rc;
};

static void attach(void *arg, const char *name)
{
    struct secrets_into *s = arg;
    struct buf sealed = BUF_INIT(2 * SECRET_BYTES_MAX);
    char path[PATH_LEN];

    if (s->rc != 0 || !secret_name_ok(name)) /* what an interrupted write left is none */
        return;
    fs_join(path, sizeof path, s->dir, name);
    s->rc = fs_read(path, &sealed, s->e) == 0
                ? store_copy_attach(s->copy, name, buf_view(&sealed), s->e)
                : -1;
    buf_free(&sealed);
}

static int add_secrets(struct agent *a, struct err *e)
{
    struct secrets_into s = { .copy = a->backup.copy, .e = e };

    fs_join(s.dir, sizeof s.dir, a->conf->store.dir, "secrets");
    return fs_list(s.dir, attach, &s, e) == 0 ? s.rc : -1;
}

/* ---- one backup --------------------------------------------------------------------------------------------------- */

static int keep(struct agent *a, struct err *e)
{
    char partial[PATH_LEN], path[PATH_LEN];
    struct store_copy *copy = a->backup.copy;
    int64_t now = clock_now();

    if (add_secrets(a, e) != 0)
        return -1;
    a->backup.copy = NULL; /* it is gone, whatever comes of it */
    if (store_copy_end(copy, now, e) != 0)
        return -1;
    partial_path(a->conf, partial);
    backup_path(a->conf, path);
    if (fs_move(partial, path, e) != 0)
        return -1;
    if (store_meta_put_int(a->store, "backup_at", now, e) != 0)
        return -1;
    audit_note(a, AUDIT_BACKUP, a->backup.actor, NULL, NULL);
    return store_commit(a->store, e);
}

/* returns 1: there is more */
static int step(struct agent *a, int pages, struct err *e)
{
    int got = store_copy_step(a->backup.copy, pages, e);

    return got == 0 ? keep(a, e) : got;
}

static void give_up(struct agent *a)
{
    store_copy_drop(a->backup.copy);
    a->backup.copy = NULL;
}

static void on_turn(void *arg, const struct result *r)
{
    struct agent *a = arg;
    struct err e;
    int got = step(a, PAGES, &e);

    (void)r;
    a->backup.op = NULL;
    if (got == 1) {
        a->backup.op = io_timer(PAUSE_MS, on_turn, a);
    } else if (got == 0) {
        log_event(EV_OPERATOR, NULL, NULL, "a backup of the store was made");
    } else {
        a->backup.failed = true;
        (void)snprintf(a->backup.message, sizeof a->backup.message, "%s", e.msg);
        err_wrap(&e, "the backup was not made");
        log_err(EV_STORE_FAILED, NULL, NULL, &e);
        give_up(a);
    }
}

int64_t backup_begin(struct agent *a, struct err *e)
{
    struct backup *b = &a->backup;
    char partial[PATH_LEN];
    struct err none;
    int got = 1;

    if (b->copy != NULL)
        return err_set(e, ERR_CONFLICT, "a backup is being made, %d %% of it is there",
            store_copy_percent(b->copy));
    if (a->ending)
        return err_set(e, ERR_CONFLICT, "the service is ending");
    partial_path(a->conf, partial);
    (void)!fs_remove(partial, &none); /* of one that was cut short */
    if ((b->copy = store_copy_begin(a->store, partial, e)) == NULL)
        return -1;
    b->failed = false;
    (void)snprintf(b->actor, sizeof b->actor, "%s", a->actor);
    if (a->jobs != NULL) {
        b->op = io_timer(0, on_turn, a);
        return ++b->number;
    }
    while (got == 1)
        got = step(a, ALL_PAGES, e);
    if (got != 0) {
        give_up(a);
        return -1;
    }
    return ++b->number;
}

void backup_stop(struct agent *a)
{
    io_cancel(a->backup.op);
    a->backup.op = NULL;
    give_up(a);
}

void backup_report(const struct agent *a, struct json_out *o)
{
    const struct backup *b = &a->backup;

    json_open(o, NULL, '{');
    json_put_int(o, "number", b->number);
    json_put_text(o, "state", b->copy != NULL ? "running" : b->failed ? "failed" : "done");
    json_put_int(o, "percent", b->copy != NULL ? store_copy_percent(b->copy) : 100);
    if (b->failed)
        json_put_text(o, "message", b->message);
    json_close(o, '}');
}
