/* see reconcile.h.  What it knows stands in the store's meta values, so a restart changes nothing about it. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "agent/agent.h"
#include "agent/base/clock.h"
#include "agent/base/fs.h"
#include "agent/base/log.h"
#include "agent/requests/sched.h"
#include "agent/service/heartbeat.h"
#include "agent/service/reconcile_inner.h"
#include "certs/mem.h"
#include "certs/text.h"

enum {
    DAY_S = 86400,
    SOON_S = 5,
    HEAR_S = 5, /* the other one has noticed us, and speaks */
    MACHINE_MAX = 256,
    VALUE_MAX = 96
};

static const char *const state_names[] = { [RECONCILE_CHECKING] = "checking",
    [RECONCILE_NORMAL] = "normal",
    [RECONCILE_COMPARING] = "comparing",
    [RECONCILE_QUIET] = "quiet",
    [RECONCILE_CLONE] = "clone" };

enum reconcile_state reconcile_state(const struct reconcile *r)
{
    return r->state;
}

bool reconcile_holds(const struct reconcile *r, const struct request *q)
{
    switch (r->state) {
    case RECONCILE_NORMAL:
        return false;
    case RECONCILE_CHECKING: /* devices do not wait for the cloud */
        return q->lease[0] != '\0' && q->received_at <= r->inherited;
    default:
        return q->received_at <= r->since;
    }
}

/* ---- what is kept --------------------------------------------------------------------------------------------------- */

/* CHECKING and NORMAL are the same at the next start: it checks. */
static int keep(struct reconcile *r, struct err *e)
{
    struct store *s = r->a->store;
    const char *name = r->state <= RECONCILE_NORMAL ? "" : state_names[r->state];

    return store_meta_put(s, "reconcile/state", name, e) == 0
                   && store_meta_put_int(s, "reconcile/since", r->since, e) == 0
                   && store_meta_put(s, "reconcile/why", r->why, e) == 0
               ? 0
               : -1;
}

static void enter(struct reconcile *r, enum reconcile_state state)
{
    struct err e;

    r->state = state;
    if (keep(r, &e) != 0)
        log_err(EV_STORE_FAILED, NULL, "cloud", &e);
    sched_kick(r->a->sched);
}

/* ---- another file, another machine ------------------------------------------------------------------------------------ */

/* A machine without an id has an empty one; want of memory is no other machine. */
static int read_mark(const struct agent *a, char out[VALUE_MAX], struct err *e)
{
    struct buf id = BUF_INIT(MACHINE_MAX);
    char path[4096];
    char file[FS_MARK_LEN];
    int rc = fs_read("/etc/machine-id", &id, e);

    if (rc != 0 && e->cls != ERR_NOMEM) {
        buf_reset(&id);
        rc = 0;
    }
    fs_join(path, sizeof path, a->conf->store.dir, "certferry.db");
    fs_mark(path, file);
    (void)snprintf(out, VALUE_MAX, "%016llx %s",
        (unsigned long long)text_hash(TEXT_HASH, buf_text(&id)), file);
    buf_free(&id);
    return rc;
}

static int check_mark(struct reconcile *r, bool *moved, struct err *e)
{
    struct store *s = r->a->store;
    char kept[VALUE_MAX] = "", now[VALUE_MAX];
    int got = store_meta_get(s, "reconcile/mark", kept, sizeof kept, e);

    if (got < 0 || read_mark(r->a, now, e) != 0)
        return -1;
    *moved = got == 1 && strcmp(kept, now) != 0;
    return got == 1 ? 0 : store_meta_put(s, "reconcile/mark", now, e);
}

/* Together with the state that follows from it: a crash between the two would forget that it had moved. */
static int settle_mark(struct reconcile *r, struct err *e)
{
    char now[VALUE_MAX];

    return read_mark(r->a, now, e) == 0 ? store_meta_put(r->a->store, "reconcile/mark", now, e)
                                        : -1;
}

/* ---- beginning and ending ------------------------------------------------------------------------------------------------ */

static int new_epoch(struct reconcile *r, struct err *e)
{
    char epoch[40];

    return guid_new(r->a->lib, epoch, e) == 0 ? store_meta_put(r->a->store, "epoch", epoch, e) : -1;
}

/* since: what was received up to then may be another service's as well. */
static void begin(struct reconcile *r, int64_t since, const char *why)
{
    struct err e;

    r->since = since;
    r->caught_up = false;
    (void)snprintf(r->why, sizeof r->why, "%s", why);
    log_event(EV_RECONCILE, NULL, "cloud",
        "%s; requests from before are compared with the cloud, and nothing of them is submitted "
        "until it is certain that no other service works on them",
        why);
    if (new_epoch(r, &e) != 0 || settle_mark(r, &e) != 0)
        log_err(EV_STORE_FAILED, NULL, "cloud", &e);
    enter(r, RECONCILE_COMPARING);
    reconcile_compare(r);
}

static void clone(struct reconcile *r, const char *why)
{
    reconcile_compare_stop(r);
    if (r->state <= RECONCILE_NORMAL) /* else it has a beginning */
        r->since = clock_now();
    (void)snprintf(r->why, sizeof r->why, "%s", why);
    log_event(EV_CLONE, NULL, "cloud",
        "%s: two services live under one identity. Requests from before wait here. Stop the other "
        "one, then: certferry reconcile --this-one; or sign in again, so that each has its own",
        why);
    enter(r, RECONCILE_CLONE);
}

static void finish(struct reconcile *r)
{
    struct err e;

    log_event(EV_RECONCILED, NULL, "cloud",
        "%zu requests compared, %zu of them ended elsewhere; the rest goes on", r->compared,
        r->gone);
    if (store_meta_put_int(r->a->store, "reconcile/ended", clock_now(), &e) != 0)
        log_err(EV_STORE_FAILED, NULL, "cloud", &e);
    r->why[0] = '\0';
    enter(r, RECONCILE_NORMAL);
}

void reconcile_compared(struct reconcile *r)
{
    if (r->state != RECONCILE_COMPARING)
        return;
    r->quiet_until = clock_now() + (r->claimed ? 0 : r->a->conf->cloud.heartbeat * 5 / 4 + HEAR_S);
    enter(r, RECONCILE_QUIET);
    if (r->claimed || r->a->heartbeat == NULL) /* nobody would be heard */
        finish(r);
    r->claimed = false;
}

bool reconcile_listens(const struct reconcile *r)
{
    switch (r->state) {
    case RECONCILE_CHECKING:
        return true;
    case RECONCILE_COMPARING:
    case RECONCILE_QUIET: /* the first one speaks, so that whoever else lives hears of us */
        return r->caught_up;
    default:
        return false;
    }
}

/* ---- heartbeats ------------------------------------------------------------------------------------------------------------ */

/* Ours is not the highest: we go on above it. */
static void behind(struct reconcile *r, int64_t counter, int64_t highest)
{
    int64_t ended = 0;
    char why[200];
    struct err e;

    if (store_meta_put_int(r->a->store, "counter", highest, &e) != 0
        || store_meta_get_int(r->a->store, "reconcile/ended", &ended, &e) != 0)
        log_err(EV_STORE_FAILED, NULL, "cloud", &e);
    (void)snprintf(why, sizeof why,
        "the cloud has seen counter %lld of this connector, this store is at %lld: a backup was "
        "restored, or there is a copy of this machine",
        (long long)highest, (long long)counter);
    switch (r->state) {
    case RECONCILE_CHECKING:
    case RECONCILE_NORMAL:
        if (ended != 0 && clock_now() - ended < DAY_S)
            clone(r, "the cloud hears of another service for the second time within a day");
        else
            begin(r, clock_now(), why);
        break;
    case RECONCILE_COMPARING:
    case RECONCILE_QUIET:
        if (r->caught_up)
            clone(r, "another service sends heartbeats while this one compares");
        break;
    case RECONCILE_CLONE:
        break;
    }
}

static void at_front(struct reconcile *r)
{
    r->caught_up = true;
    if (r->state == RECONCILE_CHECKING)
        enter(r, RECONCILE_NORMAL);
    else if (r->state == RECONCILE_QUIET && clock_now() >= r->quiet_until)
        finish(r);
}

int64_t reconcile_told(struct reconcile *r, int64_t counter, int64_t highest)
{
    if (highest > counter)
        behind(r, counter, highest);
    else
        at_front(r);
    switch (r->state) {
    case RECONCILE_COMPARING:
        return r->caught_up ? -1 : 1;
    case RECONCILE_QUIET:
        return !r->caught_up                      ? 1
               : r->quiet_until - clock_now() > 0 ? r->quiet_until - clock_now()
                                                  : 1;
    default:
        return -1;
    }
}

/* A cloud that knows no heartbeat will never say anything; one that is away cannot be asked for work either. */
int64_t reconcile_untold(struct reconcile *r, const struct err *why)
{
    bool never = why->cls == ERR_GONE || why->cls == ERR_INPUT || why->cls == ERR_UNSUPPORTED;

    if (r->state != RECONCILE_CHECKING)
        return -1;
    if (never)
        enter(r, RECONCILE_NORMAL);
    return never ? -1 : SOON_S;
}

/* ---- an administrator -------------------------------------------------------------------------------------------------------- */

int reconcile_claim(struct reconcile *r, struct err *e)
{
    if (r->state == RECONCILE_NORMAL || r->state == RECONCILE_CHECKING)
        return err_set(e, ERR_CONFLICT, "there is nothing to decide: no other service was seen");
    r->claimed = true;
    begin(
        r, clock_now(), "an administrator says that this is the only service under this identity");
    heartbeat_now(r->a);
    return 0;
}

int reconcile_renewed(struct reconcile *r, struct err *e)
{
    if (store_meta_put_int(r->a->store, "reconcile/ended", 0, e) != 0)
        return -1;
    if (r->state == RECONCILE_CLONE) {
        r->claimed = true;
        begin(r, clock_now(), "somebody has signed in again: nobody shares this identity");
    }
    return 0;
}

void reconcile_report(const struct reconcile *r, struct json_out *o)
{
    json_open(o, "reconcile", '{');
    json_put_text(o, "state", state_names[r->state]);
    if (r->state > RECONCILE_NORMAL) {
        json_put_time(o, "since", r->since);
        json_put_text(o, "why", r->why);
    }
    if (r->state == RECONCILE_QUIET)
        json_put_time(o, "until", r->quiet_until);
    json_close(o, '}');
}

/* ---- opening --------------------------------------------------------------------------------------------------------------------- */

static int load(struct reconcile *r, struct err *e)
{
    struct store *s = r->a->store;
    char name[VALUE_MAX] = "";

    if (store_meta_get(s, "reconcile/state", name, sizeof name, e) < 0
        || store_meta_get_int(s, "reconcile/since", &r->since, e) != 0
        || store_newest(s, &r->inherited, e) != 0
        || store_meta_get(s, "reconcile/why", r->why, sizeof r->why, e) < 0
        || check_mark(r, &r->moved, e) != 0)
        return -1;
    if (strcmp(name, state_names[RECONCILE_CLONE]) == 0)
        r->state = RECONCILE_CLONE;
    else if (name[0] != '\0')
        r->state = RECONCILE_COMPARING; /* from the beginning */
    return 0;
}

struct reconcile *reconcile_open(struct agent *a, struct err *e)
{
    struct reconcile *r = xcalloc(1, sizeof *r);

    r->a = a;
    r->state = a->conf->cloud.url == NULL ? RECONCILE_NORMAL : RECONCILE_CHECKING;
    if (r->state == RECONCILE_NORMAL || load(r, e) == 0)
        return r;
    reconcile_close(r);
    return NULL;
}

void reconcile_start(struct reconcile *r)
{
    int64_t before = r->inherited != 0 ? r->inherited : r->a->started_at - 1;

    if (r->state == RECONCILE_CLONE)
        clone(r, r->why);
    else if (r->state == RECONCILE_COMPARING)
        begin(r, before, r->why);
    else if (r->moved)
        begin(r, before,
            "the store is another file, or on another machine, than when it was last used: a "
            "backup was restored, or this is a copy");
    else if (r->state == RECONCILE_CHECKING && r->a->heartbeat == NULL)
        r->state = RECONCILE_NORMAL; /* nobody will tell us */
}

void reconcile_close(struct reconcile *r)
{
    if (r == NULL)
        return;
    reconcile_compare_stop(r);
    free(r);
}
