/* see metrics_report.h.  The values. */
#include "agent/control/metrics_report.h"
#include <string.h>
#include "agent/base/clock.h"
#include "agent/base/fs.h"
#include "agent/base/log.h"
#include "agent/base/metrics.h"
#include "agent/scep/scepd.h"
#include "agent/service/health.h"
#include "proto/json.h"

struct open_now {
    int64_t count[REQUEST_STATE_COUNT], oldest_at[REQUEST_STATE_COUNT];
};

static void on_waiting(void *arg, const struct store_waiting *w)
{
    struct open_now *o = arg;

    o->count[w->state] += w->count;
    if (o->oldest_at[w->state] == 0 || w->oldest_at < o->oldest_at[w->state])
        o->oldest_at[w->state] = w->oldest_at;
}

static int put_requests(struct agent *a, struct buf *to, struct err *e)
{
    struct open_now o = { 0 };
    int64_t now = clock_now(), stuck;

    if (store_waiting(a->store, on_waiting, &o, e) != 0
        || store_count_stuck(a->store, now, &stuck, e) != 0)
        return -1;
    metrics_family(to, METRIC_OPEN);
    for (int s = REQUEST_READY; s < REQUEST_DELIVERED; s++)
        metrics_sample(
            to, METRIC_OPEN, request_state_name((enum request_state)s), NULL, o.count[s]);
    metrics_family(to, METRIC_OLDEST);
    for (int s = REQUEST_READY; s < REQUEST_DELIVERED; s++)
        metrics_sample(to, METRIC_OLDEST, request_state_name((enum request_state)s), NULL,
            o.oldest_at[s] != 0 && o.oldest_at[s] < now ? now - o.oldest_at[s] : 0);
    metrics_family(to, METRIC_STUCK);
    metrics_sample(to, METRIC_STUCK, NULL, NULL, stuck);
    return 0;
}

static int put_orphans(struct agent *a, struct buf *to, struct err *e)
{
    struct store_orphan_counts c;

    if (store_count_orphans(a->store, 0, &c, e) != 0)
        return -1;
    metrics_family(to, METRIC_ORPHANS);
    metrics_sample(to, METRIC_ORPHANS, "true", NULL, c.all - c.possible);
    metrics_sample(to, METRIC_ORPHANS, "false", NULL, c.possible);
    return 0;
}

/* ---- peers and plugins ---------------------------------------------------------------------------------------------- */

typedef void peer_fn(struct buf *to, const struct peer_state *s);

static void put_up(struct buf *to, const struct peer_state *s)
{
    if (s->last_ok_at != 0 || s->failing_since != 0)
        metrics_sample(to, METRIC_PEER_UP, s->name, NULL, s->failing_since == 0);
}

static void put_last(struct buf *to, const struct peer_state *s)
{
    if (s->last_ok_at != 0)
        metrics_sample(to, METRIC_PEER_LAST, s->name, NULL, s->last_ok_at);
}

static void each_peer(struct agent *a, enum metric m, peer_fn *fn, struct buf *to)
{
    struct peer_state s;

    metrics_family(to, m);
    if (a->conf->cloud.url != NULL) { /* also while there is nobody to be there: it is not up */
        peer_state(a->cloud.peer, &s);
        fn(to, &s);
    }
    for (size_t i = 0; i < a->ca_count; i++) {
        peer_state(a->cas[i]->peer, &s);
        fn(to, &s);
    }
}

/* We have something to show, and the cloud has not refused it: being unreachable is another matter (peer_up). */
static void put_signed_in(struct agent *a, struct buf *to)
{
    const struct conf_cloud *c = &a->conf->cloud;

    metrics_family(to, METRIC_SIGNED_IN);
    if (c->url != NULL)
        metrics_sample(to, METRIC_SIGNED_IN, NULL, NULL,
            !a->cloud.needs_sign_in
                && (cloud_who(&a->cloud) != NULL || c->client_certificate != NULL
                    || c->token_file != NULL));
}

static void put_scep(struct agent *a, struct buf *to)
{
    struct err e;

    metrics_family(to, METRIC_PLUGIN_UP);
    for (size_t i = 0; i < a->conf->plugin_count; i++)
        for (size_t n = 0; n < a->conf->scep_count; n++) { /* the first endpoint that uses it */
            const struct endpoint *p = scepd_endpoint(a->scepd, a->conf->sceps[n].name);

            if (p->plugin != NULL && plugin_conf(p->plugin) == &a->conf->plugins[i]) {
                metrics_sample(to, METRIC_PLUGIN_UP, a->conf->plugins[i].name, NULL,
                    plugin_serving(p->plugin, &e) == 0);
                break;
            }
        }
    metrics_family(to, METRIC_SCEP_SERVING);
    for (size_t n = 0; n < a->conf->scep_count; n++)
        metrics_sample(to, METRIC_SCEP_SERVING, a->conf->sceps[n].name, NULL,
            scepd_endpoint(a->scepd, a->conf->sceps[n].name)->serving);
}

static void put_service(struct agent *a, struct buf *to)
{
    metrics_family(to, METRIC_START_TIME);
    metrics_sample(to, METRIC_START_TIME, NULL, NULL, a->started_at);
    each_peer(a, METRIC_PEER_UP, put_up, to);
    each_peer(a, METRIC_PEER_LAST, put_last, to);
    put_signed_in(a, to);
    if (a->scepd != NULL)
        put_scep(a, to);
}

/* ---- certificates ----------------------------------------------------------------------------------------------------- */

static void on_certificate(void *arg, const char *purpose, const char *name, int64_t not_after_at)
{
    metrics_sample(arg, METRIC_NOT_AFTER, purpose, name, not_after_at);
}

static void put_certificates(struct agent *a, struct buf *to)
{
    struct err e;
    struct lib *l = a->lib != NULL ? a->lib : lib_new(&e);

    if (l == NULL)
        return;
    metrics_family(to, METRIC_NOT_AFTER);
    health_certificates(a, l, on_certificate, to);
    if (a->lib == NULL)
        lib_free(l);
}

/* ---- all ---------------------------------------------------------------------------------------------------------------- */

int metrics_write(struct agent *a, struct buf *to, struct err *e)
{
    static const enum metric counted[] = { METRIC_REQUESTS, METRIC_STAGE, METRIC_DUPLICATES,
        METRIC_HTTP, METRIC_RETRIES, METRIC_INTERCEPTED, METRIC_SCEP, METRIC_CHALLENGE,
        METRIC_CLOCK, METRIC_COMMIT, METRIC_LAG, METRIC_RELOAD };
    int64_t free_bytes = fs_free_bytes(a->conf->store.dir);
    size_t start = to->len;

    metrics_family(to, METRIC_BUILD);
    metrics_sample(to, METRIC_BUILD, CERTFERRY_VERSION, NULL, 1);
    if (put_requests(a, to, e) != 0 || put_orphans(a, to, e) != 0) {
        buf_truncate(to, start);
        return -1;
    }
    if (a->jobs != NULL) {
        put_service(a, to);
        for (size_t i = 0; i < sizeof counted / sizeof counted[0]; i++)
            metrics_kept(to, counted[i]);
        metrics_family(to, METRIC_LOG_DROPPED);
        metrics_sample(to, METRIC_LOG_DROPPED, NULL, NULL, (int64_t)log_dropped());
    }
    put_certificates(a, to);
    if (free_bytes >= 0) {
        metrics_family(to, METRIC_STORE_FREE);
        metrics_sample(to, METRIC_STORE_FREE, NULL, NULL, free_bytes);
    }
    metrics_end(to);
    return buf_finish(to, start, e);
}

/* ---- /ready --------------------------------------------------------------------------------------------------------------- */

int metrics_ready(struct agent *a, struct buf *json, bool *ready, struct err *e)
{
    struct open_now n = { 0 };
    struct json_out o = { .to = json };
    enum health h;

    if (store_waiting(a->store, on_waiting, &n, e) != 0)
        return -1;
    json_open(&o, NULL, '{');
    json_open(&o, "causes", '[');
    h = health_look(a, n.count[REQUEST_HELD], health_write_cause, &o);
    json_close(&o, ']');
    *ready = h == HEALTH_OK || h == HEALTH_DEGRADED;
    json_put_bool(&o, "ready", *ready);
    json_put_text(&o, "health", health_name(h));
    json_close(&o, '}');
    buf_add_byte(json, '\n');
    return buf_check(json, e);
}
