/* see agent.h.  Opening everything in order, the end of each turn, draining, closing in reverse. */
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include "agent/agent.h"
#include "agent/base/clock.h"
#include "agent/base/fs.h"
#include "agent/base/log.h"
#include "agent/base/metrics.h"
#include "agent/control/control_report.h"
#include "agent/control/metrics_report.h"
#include "agent/requests/audit.h"
#include "agent/requests/job.h"
#include "agent/requests/job_pkcs.h"
#include "agent/requests/keypool.h"
#include "agent/requests/lease.h"
#include "agent/requests/poll.h"
#include "agent/requests/sched.h"
#include "agent/scep/job_ra.h"
#include "agent/scep/job_scep.h"
#include "agent/scep/scepd.h"
#include "agent/service/backup.h"
#include "agent/service/connector_renew.h"
#include "agent/service/heartbeat.h"
#include "agent/service/held.h"
#include "agent/service/notify.h"
#include "agent/service/reconcile.h"
#include "agent/service/reload.h"
#include "agent/service/rotate.h"
#include "agent/service/takeover.h"
#include "agent/service/watchdog.h"
#include "certs/mem.h"

enum { DRAIN_MS = 30000, GRACE_MS = 1000, HOUSEKEEPING_MS = 600000, IDLE_MS = 1000 };

static void on_turn(void *arg);

struct ca *agent_ca(const struct agent *a, const char *name)
{
    for (size_t i = 0; name != NULL && i < a->ca_count; i++)
        if (strcmp(a->cas[i]->conf->name, name) == 0)
            return a->cas[i];
    return NULL;
}

/* An exchange of the master key that was cut short, or that the service manager began with two credentials. */
static void finish_rotation(struct agent *a)
{
    char path[4096];
    enum vault_place place =
        vault_place(a->conf->store.dir, a->conf->store.master_key, path, sizeof path);
    bool pending = a->vault.pending;
    struct rotated r;
    struct err e;

    if (rotate_finish(a, &r, &e) != 0)
        log_err(EV_STORE_FAILED, NULL, NULL, &e); /* both keys stay in use */
    else if (pending)
        log_event(EV_OPERATOR, NULL, NULL,
            "the exchange of the master key is finished: %zu keys of requests and %zu secrets were "
            "sealed again, %zu do not open%s",
            r.data_keys, r.secrets, r.unreadable,
            place == VAULT_CREDENTIAL ? "; take the credential certferry.master.old away" : "");
}

int agent_open_store(struct agent *a, struct err *e)
{
    char path[4096];
    bool fresh;

    if (fs_private_dir(a->conf->store.dir, e) != 0)
        return -1;
    fs_join(path, sizeof path, a->conf->store.dir, "lock");
    if ((a->lock = fs_lock_again(path, takeover_lock())) < 0 && (a->lock = fs_lock(path, e)) < 0)
        return -1;
    fs_join(path, sizeof path, a->conf->store.dir, "certferry.db");
    fresh = fs_readable(path, false, e) != 0;
    if (restore_unfinished(a->conf, e) != 0
        || vault_open(&a->vault, a->lib, a->conf->store.dir, a->conf->store.master_key, fresh, e)
               != 0
        || (a->secrets = secrets_open(a->conf->store.dir, &a->vault, a->lib, e)) == NULL
        || secrets_prove(a->secrets, e) != 0)
        return -1;
    if ((a->store = store_open(a->conf->store.dir, false, e)) == NULL)
        return -1;
    finish_rotation(a);
    return 0;
}

void agent_close_store(struct agent *a)
{
    store_close(a->store);
    secrets_close(a->secrets);
    vault_close(&a->vault);
    fs_unlock(a->lock);
}

static int open_cas(struct agent *a, struct err *e)
{
    a->cas = xcalloc(a->conf->ca_count, sizeof(struct ca *));
    for (; a->ca_count < a->conf->ca_count; a->ca_count++)
        if ((a->cas[a->ca_count] = ca_open(&a->conf->cas[a->ca_count], a->lib, a->secrets, e))
            == NULL)
            return -1;
    return 0;
}

static bool holds(const struct agent *a, const struct request *r)
{
    return reconcile_holds(a->reconcile, r);
}

int agent_open(struct agent *a, struct conf *conf, struct err *e)
{
    static const struct job_kind *const kinds[] = { &job_pkcs, &job_scep, &job_ra, NULL };
    static const struct jobs_rules rules = { .kinds = kinds, .holds = holds };
    uint64_t seed;

    *a = (struct agent){ .conf = conf, .lock = -1 };
    a->reload.stamp =
        conf_stamp(conf); /* before anything is read: what changes from now on is a change */
    if ((a->lib = lib_new(e)) == NULL || lib_random(a->lib, &seed, sizeof seed, e) != 0
        || io_open((unsigned)conf->keys.workers, e) != 0)
        goto failed;
    a->io_open = true;
    jitter_seed(seed);
    clock_start();
    if (agent_open_store(a, e) != 0
        || cloud_open(&a->cloud, &conf->cloud, a->secrets, a->lib, e) != 0 || open_cas(a, e) != 0)
        goto failed;
    a->keypool = keypool_open(a);
    a->jobs = jobs_open(a, &rules);
    a->sched = sched_open(a);
    a->poll = poll_open(a);
    a->lease = lease_open(a);
    if ((a->reconcile = reconcile_open(a, e)) == NULL)
        goto failed;
    if (conf->scep_count > 0 && (a->scepd = scepd_open(a, e)) == NULL)
        goto failed;
    a->started_at = clock_now();
    return 0;
failed:
    a->conf = NULL; /* the caller's still */
    agent_close(a);
    return -1;
}

/* What nobody waits for: a stepped clock, results whose grace is over, the write-ahead log. */
static void housekeeping(struct agent *a)
{
    int64_t step = clock_check();
    struct err e;

    if (step != 0) {
        log_event(EV_CLOCK_MOVED, NULL, NULL,
            "the system's clock was stepped by %lld s; the schedule moves along", (long long)step);
        if (store_shift(a->store, step, &e) != 0)
            log_err(EV_STORE_FAILED, NULL, NULL, &e);
        lease_doubt(a->lease);
    }
    if (store_expire(a->store, clock_now() - a->conf->store.grace, &e) != 0)
        log_err(EV_STORE_FAILED, NULL, NULL, &e);
}

static void on_housekeeping(void *arg, const struct result *r)
{
    struct agent *a = arg;

    (void)r;
    housekeeping(a);
    audit_tell_head(a);
    report_keep(a);
    a->chores = io_timer(HOUSEKEEPING_MS, on_housekeeping, a);
}

static bool nothing_left(struct agent *a)
{
    int64_t next = sched_next_at(a->sched);

    if (poll_drained(a->poll, NULL) && a->patience_until == 0)
        a->patience_until = clock_now() + a->patience_s;
    return poll_drained(a->poll, NULL) && sched_idle(a->sched) && !store_dirty(a->store)
           && (next == 0 || next > a->patience_until);
}

/* Not at once: under load of single requests that would be a write of the whole log for each of them. */
static void on_idle(void *arg, const struct result *r)
{
    struct agent *a = arg;

    (void)r;
    a->idle = NULL;
    store_idle(a->store);
}

/* Who was let in before the end has asked, or had the time to: from now on nothing new is taken. */
static void settle(struct agent *a)
{
    a->draining = true;
    if (a->scepd != NULL)
        scepd_stop(a->scepd);
}

static bool are_served(const struct agent *a)
{
    return scepd_idle(a->scepd) && (a->grace == NULL || scepd_connections(a->scepd) == 0);
}

static void on_turn(void *arg)
{
    struct agent *a = arg;
    bool was_busy = a->busy;

    if (a->cloud.came_back) {
        a->cloud.came_back = false;
        held_release(a);
    }
    do { /* a job that ends makes room for another */
        watchdog_in("the poller");
        poll_turn(a->poll);
        watchdog_in("the scheduler");
        sched_turn(a->sched);
        watchdog_in("requests and their commit to the store");
        jobs_turn(a->jobs);
    } while (sched_wants_turn(a->sched));
    watchdog_turn(a->watchdog);
    if (a->ending && !a->draining && (a->grace == NULL || scepd_all_asked(a->scepd)))
        settle(a);
    a->busy = jobs_active(a->jobs) > 0;
    if (a->busy) {
        io_cancel(a->idle);
        a->idle = NULL;
    } else if (was_busy) {
        a->idle = io_timer(IDLE_MS, on_idle, a);
    }
    if ((a->once && nothing_left(a))
        || (a->draining && !a->busy && !store_dirty(a->store)
            && (a->scepd == NULL || are_served(a))))
        io_stop();
}

int agent_listen(struct agent *a, struct err *e)
{
    metric_set(METRIC_RELOAD, 1, NULL);
    if (metrics_listen(a, &a->metrics, e) != 0)
        return -1;
    return a->scepd != NULL ? scepd_start(a->scepd, e) : 0;
}

void agent_start(struct agent *a)
{
    housekeeping(a);
    a->chores = io_timer(HOUSEKEEPING_MS, on_housekeeping, a);
    lease_doubt(a->lease);
    a->heartbeat = heartbeat_start(a);
    if (a->conf->cloud.url != NULL && !a->once)
        a->renew = connector_renew_start(a);
    reconcile_start(a->reconcile);
    io_on_turn(on_turn, a);
    a->watchdog = watchdog_start(a);
    log_event(EV_STARTED, NULL, NULL, "certferry %s, %zu CAs, store %s", CERTFERRY_VERSION,
        a->ca_count, a->conf->store.dir);
}

static void on_grace_over(void *arg, const struct result *r)
{
    (void)r;
    ((struct agent *)arg)->grace = NULL;
}

static void on_drained_too_long(void *arg, const struct result *r)
{
    (void)arg;
    (void)r;
    io_stop();
}

void agent_drain(struct agent *a)
{
    if (a->ending)
        return;
    a->ending = true;
    if (!a->reload.take_over)
        notify_stopping("finishing what is under way");
    log_event(EV_STOPPING, NULL, NULL, "%zu requests finish their step", jobs_active(a->jobs));
    a->deadline = io_timer(DRAIN_MS, on_drained_too_long, a);
    poll_close(a->poll); /* the poll under way may last a minute */
    a->poll = poll_open(a);
    if (a->scepd == NULL) {
        settle(a);
        return;
    }
    scepd_close_doors(a->scepd);
    a->grace = io_timer(GRACE_MS, on_grace_over, a);
}

void agent_close(struct agent *a)
{
    struct conf *conf = a->conf;
    struct scepd *scepd = a->scepd;

    if (a->jobs != NULL) {
        io_on_turn(NULL, NULL);
        io_cancel(a->chores);
        io_cancel(a->idle);
        io_cancel(a->deadline);
        io_cancel(a->grace);
        io_cancel(a->log_level.op);
        reload_stop(a);
        backup_stop(a);
        watchdog_stop(a->watchdog);
        heartbeat_stop(a->heartbeat);
        metrics_close(a->metrics);
        connector_renew_stop(a->renew);
        reconcile_close(a->reconcile);
        lease_close(a->lease);
        poll_close(a->poll);
        jobs_close(a->jobs);
        if (scepd != NULL)
            scepd_close(scepd);
        sched_close(a->sched);
        keypool_close(a->keypool);
    }
    for (size_t i = 0; i < a->ca_count; i++)
        ca_close(a->cas[i]);
    free(a->cas);
    cloud_close(&a->cloud);
    agent_close_store(a);
    if (a->io_open)
        io_close();
    scepd_free(scepd); /* no worker reads it any more */
    lib_free(a->lib);
    conf_free(conf);
    *a = (struct agent){ .lock = -1 };
}
