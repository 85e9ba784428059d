/* see scenario.h: one history, and the promises held against what it left. */
#include <openssl/evp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include "agent/agent.h"
#include "agent/base/fs.h"
#include "agent/base/log.h"
#include "agent/store/store_sql.h"
#include "test/sim/past.h"

enum {
    START_S = 1800000000,
    LONGEST_S = 40 * 86400,
    STEP_AFTER_S = 1800,
    STARTS_MAX = 12,
    CALLS_MAX = 4000,
    EXTRA_CALLS = 80
};

char history_plugin[4096];

struct running {
    struct world *w;
    struct history *h;
    struct agent *a;
    const char *dir;
    bool refuse_commit, restore;
};

static void wrong(struct history *h, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
static void wrong(struct history *h, const char *fmt, ...)
{
    va_list ap;

    if (h->wrong[0] != '\0')
        return; /* the first one tells */
    va_start(ap, fmt);
    (void)vsnprintf(h->wrong, sizeof h->wrong, fmt, ap);
    va_end(ap);
}

static enum fault fault_at(const struct history *h, bool turn, size_t k)
{
    for (int i = 0; i < 2; i++)
        if (h->at[i] == k && h->fault[i] != FAULT_NONE && (h->fault[i] >= FAULT_CRASH_TURN) == turn)
            return h->fault[i];
    return FAULT_NONE;
}

/* ---- faults on the wire ------------------------------------------------------------------------------------------- */

static void peer(
    void *arg, const char *method, const char *url, struct view body, struct sim_answer *out)
{
    struct running *r = arg;
    enum fault f = fault_at(r->h, false, ++r->h->calls);

    if (r->h->calls == r->h->backup_at)
        past_backup(r->w, r->dir);
    if (r->h->calls == r->h->restore_at && r->w->past == PAST_KEPT) {
        r->restore = true;
        sim_crash();
        return;
    }

    if (fault_instead(f, r->w, url, out))
        return;
    world_answer(r->w, method, url, body, out);
    if (r->w->restarts_left > 0 && strstr(url, "certnew.cer") != NULL) {
        r->w->restarts_left--;
        sim_crash();
    }
    fault_after(f, url, out);
}

/* ---- turns ---------------------------------------------------------------------------------------------------------- */

static int on_commit(void *arg)
{
    struct running *r = arg;

    return r->refuse_commit;
}

static bool all_done(struct running *r)
{
    struct store_counts c;
    struct err e;

    for (size_t i = 0; i < r->w->request_count; i++)
        if (!r->w->requests[i].done)
            return false;
    if (!past_over(r->w, r->a) || store_dirty(r->a->store) || sim_pending(false) > 0
        || store_counts(r->a->store, &c, &e) != 0)
        return false;
    for (int s = REQUEST_READY; s < REQUEST_DELIVERED; s++)
        if (c.by_state[s] > 0)
            return false;
    return true;
}

static void step(struct world *w)
{
    if (w->stepped || w->step_s == 0)
        return;
    w->stepped = true;
    sim_step_wall(w->step_s);
}

static void before_turn(void *arg)
{
    struct running *r = arg;
    enum fault f;
    const char *why = past_turn(r->w, r->a);

    if (why != NULL)
        wrong(r->h, "%s", why);
    world_device(r->w);
    if (!r->w->step_between && sim_world_s() > START_S + STEP_AFTER_S)
        step(r->w);
    if (io_wall_s() > START_S + LONGEST_S || r->h->calls > CALLS_MAX + 20 * r->w->request_count) {
        wrong(r->h, "%zu HTTP requests and no end", r->h->calls);
        io_stop();
        return;
    }
    if (all_done(r)) {
        io_stop();
        return;
    }
    r->refuse_commit = false;
    if (!store_dirty(r->a->store))
        return;
    f = fault_at(r->h, true, ++r->h->turns);
    if (f == FAULT_CRASH_TURN)
        sim_crash();
    r->refuse_commit = f == FAULT_STORE_FULL;
}

/* ---- the promises --------------------------------------------------------------------------------------------------- */

struct check {
    struct world *w;
    struct history *h;
    struct store *store;
};

static void hex_of(const uint8_t *p, char out[65])
{
    for (int i = 0; i < 32; i++)
        (void)snprintf(out + 2 * i, 3, "%02X", p[i]);
}

struct listed {
    const struct world_cert *cert;
    bool found;
};

static void on_orphan(void *arg, const struct orphan *o)
{
    struct listed *l = arg;
    char spki[65];

    hex_of(l->cert->spki, spki);
    if (strcmp(o->serial, l->cert->serial) == 0
        || (o->serial[0] == '\0' && strcmp(o->spki, spki) == 0))
        l->found = true;
}

static void check_certificates(struct check *c)
{
    struct err e;

    for (size_t i = 0; i < c->w->cert_count; i++) {
        const struct world_cert *x = &c->w->certs[i];
        struct listed l = { .cert = x };

        if ((x->request->succeeded && strcmp(x->request->serial, x->serial) == 0)
            || past_excuses(c->w, x))
            continue;
        if (store_orphans(c->store, true, on_orphan, &l, &e) != 0 || !l.found)
            wrong(c->h, "I2: a certificate of %s is neither delivered nor listed (%ld issued)",
                x->request->name, (long)x->request->issued);
    }
}

/* What the device has must not be on the list of those that reach nobody: somebody would revoke it. */
static void on_listed(void *arg, const struct orphan *o)
{
    struct check *c = arg;

    for (size_t i = 0; i < c->w->request_count; i++) {
        const struct world_request *r = &c->w->requests[i];

        if (c->w->past < PAST_RESTORED && r->succeeded && r->serial[0] != '\0'
            && strcmp(o->serial, r->serial) == 0)
            wrong(c->h, "%s has its certificate, and it is listed as an orphan", r->name);
    }
}

static void on_row(void *arg, const struct request *r)
{
    struct check *c = arg;

    if (!request_is_final(r->state))
        wrong(c->h, "%s has not ended in the store: state %ld", r->id, (long)r->state);
}

static size_t served(const struct world *w, const char *challenge)
{
    size_t n = 0;

    for (size_t i = 0; i < w->request_count; i++)
        n += w->requests[i].succeeded && strcmp(w->requests[i].challenge, challenge) == 0;
    return n;
}

/* A device that asks by SCEP. */
static void check_device(struct check *c, const struct world_request *r)
{
    struct err e;

    if (r->trouble[0] != '\0')
        wrong(c->h, "%s: %s", r->name, r->trouble);
    if (r->spki_count > 1)
        wrong(c->h, "I1: %s has %ld keys", r->name, (long)r->spki_count);
    if (r->either ? served(c->w, r->challenge) != 1 : r->succeeded != r->expect_success)
        wrong(c->h, "%s %s", r->name, r->succeeded ? "was delivered" : "failed");
    if (!r->succeeded && r->spki_count > 0)
        wrong(c->h, "%s was refused, and the CA has seen it", r->name);
    if (r->succeeded && !r->replayed)
        wrong(c->h, "%s did not get its certificate again", r->name);
    if (store_list(c->store, REQUEST_NONE, false, 100, on_row, c, &e) != 0)
        wrong(c->h, "the store cannot be read");
}

/* Whoever is killed and begun again at once has time enough to keep what was lent. */
static bool could_extend(const struct history *h)
{
    for (int i = 0; i < 2; i++)
        if (h->fault[i] != FAULT_NONE && h->fault[i] != FAULT_CRASH_BEFORE
            && h->fault[i] != FAULT_CRASH_AFTER && h->fault[i] != FAULT_CRASH_TURN)
            return false;
    return true;
}

static void check_request(struct check *c, const struct world_request *r)
{
    struct buf blobs[BLOB_COUNT];
    struct request row;
    const char *why = past_request(c->w, r);
    bool old = c->w->past >= PAST_RESTORED;
    int got;
    struct err e;

    if (why != NULL)
        wrong(c->h, "%s %s", r->name, why);
    if (r->spki_count > 1 + (size_t)r->leases_lost && !old)
        wrong(c->h, "I1: %s has %ld keys", r->name, (long)r->spki_count);
    if (r->post_count > 1 && !old) /* the first life's is forgotten */
        wrong(c->h, "I3: %s has %ld different results", r->name, (long)r->post_count);
    if (r->leases_lost > 0 && could_extend(c->h) && !old)
        wrong(c->h, "the lease of %s was not extended in time", r->name);
    if (r->leases > 1 && !old && c->h->fault[1] == FAULT_NONE
        && (c->h->fault[0] == FAULT_NONE || c->h->fault[0] == FAULT_HTTP_404))
        wrong(c->h, "%s was lent %ld times", r->name, (long)r->leases);
    if (r->accepted != 1)
        wrong(c->h, "I4: %s was accepted %ld times", r->name, (long)r->accepted);
    if (r->succeeded != r->expect_success)
        wrong(c->h, "%s %s", r->name, r->succeeded ? "was delivered" : "failed");
    if (!r->expect_success && strcmp(r->code, r->expect_code) != 0)
        wrong(c->h, "another errorCode: %s", r->code);
    for (int b = 0; b < BLOB_COUNT; b++)
        blobs[b] = (struct buf)BUF_INIT(1 << 20);
    got = store_get(c->store, r->id, &row, &e);
    if (got == 0 && (r->done_then || r->by_twin)) /* it came after the backup */
        return;
    if (got != 1 || store_get_blobs(c->store, r->id, blobs, &e) != 0)
        wrong(c->h, "%s is not in the store", r->name);
    else if (!request_is_final(row.state))
        wrong(c->h, "%s has not ended in the store: state %ld", r->name, (long)row.state);
    else if (r->succeeded && row.state != REQUEST_DELIVERED && !old)
        wrong(c->h, "%s was delivered, but the store says %s", r->name,
            request_state_name(row.state));
    else if (blobs[BLOB_KEY].len > 0 || blobs[BLOB_DATA_KEY].len > 0)
        wrong(c->h, "I8: the key of %s is still there", r->name);
    for (int b = 0; b < BLOB_COUNT; b++)
        buf_free(&blobs[b]);
}

static void on_open(void *arg, const struct request *r)
{
    if (r->state == REQUEST_NONE || r->next_at == 0 || r->step[0] == '\0')
        wrong(arg, "I5: %s waits for nothing", r->id);
}

/* ---- running ---------------------------------------------------------------------------------------------------------- */

static void remove_store(const char *dir)
{
    static const char *const files[] = { "certferry.db", "certferry.db-wal", "certferry.db-shm",
        "lock" };
    char path[4096];

    for (size_t i = 0; i < sizeof files / sizeof files[0]; i++) {
        (void)snprintf(path, sizeof path, "%s/state/%s", dir, files[i]);
        (void)unlink(path);
    }
}

static void write_heartbeat(const struct world *w, const char *dir)
{
    char path[4096];
    struct err e;

    (void)snprintf(path, sizeof path, "%s/conf.d/heartbeat.conf", dir);
    if (!w->heartbeat)
        (void)unlink(path);
    else if (fs_replace(path, view_text("cloud { agent_id = \"sim\" heartbeat = 60 }\n"), 0600, &e)
             != 0)
        abort();
}

/* Only worlds with devices have endpoints: they cost looks at the clock. */
static void write_scep(const struct world *w, const char *dir)
{
    char path[4096], text[4096];
    struct err e;

    (void)snprintf(path, sizeof path, "%s/conf.d", dir);
    (void)mkdir(path, 0700);
    (void)snprintf(path, sizeof path, "%s/conf.d/scep.conf", dir);
    if (!w->scep) {
        (void)unlink(path);
        return;
    }
    (void)snprintf(text, sizeof text,
        "listen \"devices\" { address = \"127.0.0.1:0\" }\n"
        "plugin \"ccp\" { path = \"%s\" settings = {\"url=https://cloud.sim/ccp\"} }\n"
        "scep \"adcs\" { ca = \"adcs\" paths = {\"/adcs/mscep.dll\"} general_template = \"User\"\n"
        "  plugin = \"ccp\" ra_certificate = \"ra.pem\" ra_key = \"ra.key\" ca_probe = 0\n"
        "  failures_per_minute = 0 resend = 86400 }\n"
        "scep \"est\" { ca = \"est\" paths = {\"/est/mscep.dll\"} general_template = \"User\"\n"
        "  plugin = \"ccp\" ra_certificate = \"ra.pem\" ra_key = \"ra.key\" ca_probe = 0\n"
        "  failures_per_minute = 0 resend = 86400 }\n",
        history_plugin);
    if (fs_replace(path, view_text(text), 0600, &e) != 0)
        abort();
}

static bool start(struct running *r, const char *dir)
{
    char path[4096];
    struct err e;
    struct conf *conf;

    (void)snprintf(path, sizeof path, "%s/certferry.conf", dir);
    if ((conf = conf_load(path, &e)) == NULL || agent_open(r->a, conf, &e) != 0) {
        wrong(r->h, "cannot start: %s", e.msg);
        conf_free(conf);
        return false;
    }
    jitter_seed(r->h->starts + 1);
    (void)sqlite3_commit_hook(r->a->store->db, on_commit, r);
    sim_before_turn(before_turn, r);
    if (agent_listen(r->a, &e) != 0)
        wrong(r->h, "cannot listen: %s", e.msg);
    agent_start(r->a);
    io_run();
    return true;
}

static void count_orphan(void *arg, const struct orphan *o)
{
    (void)o;
    ++*(size_t *)arg;
}

void history_run(struct world *w, const char *dir, struct history *h)
{
    struct agent a;
    struct running r = { .w = w, .h = h, .a = &a, .dir = dir };
    struct check c = { .w = w, .h = h };
    bool again = true;
    struct err e;

    world_reset(w);
    write_scep(w, dir);
    write_heartbeat(w, dir);
    remove_store(dir);
    sim_open(peer, &r, START_S);
    sim_step_wall(w->clock_s);
    while (again && h->wrong[0] == '\0') {
        again = false;
        if (h->starts == 1 && w->step_between)
            step(w);
        if (++h->starts > STARTS_MAX + w->restarts)
            wrong(h, "started %zu times", h->starts);
        else if (start(&r, dir)) {
            again = sim_crashed();
            if (!again) {
                c.store = a.store;
                for (size_t i = 0; i < w->request_count; i++)
                    w->requests[i].scep ? check_device(&c, &w->requests[i])
                                        : check_request(&c, &w->requests[i]);
                check_certificates(&c);
                if (store_orphans(a.store, false, on_listed, &c, &e) != 0
                    || store_orphans(a.store, true, count_orphan, &h->orphans, &e) != 0)
                    wrong(h, "orphans cannot be listed");
            } else if (store_list(a.store, REQUEST_NONE, true, 100, on_open, h, &e) != 0) {
                wrong(h, "the store cannot be read");
            }
            agent_close(&a);
            if (r.restore) {
                past_restore(w, dir);
                h->turns_then = h->turns;
            }
            r.restore = false;
        }
    }
    sim_before_turn(NULL, NULL);
}

int history_prepare(const char *dir, struct err *e)
{
    static const char conf[] =
        "cloud { url = \"https://cloud.sim/ccp\" poll_interval = 30 wait = 0 }\n"
        "ca \"adcs\" { type = \"adcs\" url = \"https://ca.sim/certsrv/\" anchors = \"root.pem\"\n"
        "  templates = {\"User\", \"Other\"} validity_max = 400 }\n"
        "ca \"est\" { type = \"est\" url = \"https://ca.sim\" anchors = \"root.pem\"\n"
        "  templates = {\"User\", \"Other\"} validity_max = 400 }\n"
        "keys { pool = 0 }\n"
        "pkcs12 { iterations = 1 }\n"
        "store { dir = \"state\" master_key = \"master.key\" min_free_mib = 0 }\n";
    char path[4096];

    log_open(LOG_JSON, LOG_LEVEL_SILENT);
    (void)snprintf(path, sizeof path, "%s/certferry.conf", dir);
    if (fs_replace(path, view_text(conf), 0600, e) != 0)
        return -1;
    (void)snprintf(path, sizeof path, "%s/master.key", dir);
    return fs_create_secret(path, view_text("0123456789abcdef0123456789abcdef"), e);
}
