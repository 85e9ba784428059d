/* see heartbeat.h */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "agent/agent.h"
#include "agent/base/clock.h"
#include "agent/base/log.h"
#include "agent/requests/audit.h"
#include "agent/service/health.h"
#include "agent/service/heartbeat.h"
#include "agent/service/reconcile.h"
#include "certs/mem.h"

enum { LEAST_S = 60, TIMEOUT_MS = 30000, LEAP = 64, CERTIFICATES = 64 };

struct heartbeat {
    struct agent *a;
    struct op *op; /* the message under way, or the timer until the next */
    int64_t counter;
};

static void beat(void *arg, const struct result *r);

static void later(struct heartbeat *h, int64_t s)
{
    h->op = io_timer((uint64_t)s * 1000, beat, h);
}

/* As the cloud wishes, but no slower than we are to be noticed. */
static int64_t pause_s(const struct heartbeat *h, int64_t wish_s)
{
    int64_t ours = h->a->conf->cloud.heartbeat;

    if (wish_s < 0 || wish_s > ours)
        return ours;
    return wish_s < LEAST_S && ours > LEAST_S ? LEAST_S : wish_s > 0 ? wish_s : 1;
}

static void on_answer(void *arg, const struct result *r)
{
    struct heartbeat *h = arg;
    struct ccp_heartbeat_reply reply = { .poll_after_s = -1, .highest_counter = -1 };
    int64_t wanted_s = -1;
    struct err e;

    h->op = NULL;
    if (cloud_judge(&h->a->cloud, r, &e) != 0
        || ccp_heartbeat_parse(r->http->body, &reply, &e) != 0)
        log_err(EV_HEARTBEAT_FAILED, NULL, "cloud", &e);
    else {
        wanted_s = reconcile_told(h->a->reconcile, h->counter, reply.highest_counter);
        e.cls = ERR_NONE;
    }
    if (e.cls != ERR_NONE)
        wanted_s = reconcile_untold(h->a->reconcile, &e);
    later(h, wanted_s >= 0 ? wanted_s : pause_s(h, reply.poll_after_s));
}

/* The epoch is made with the store; the counter is durable before it is sent. */
static int next_counter(struct heartbeat *h, char epoch[40], struct err *e)
{
    struct store *st = h->a->store;
    char text[24] = "0";
    int got;

    if ((got = store_meta_get(st, "epoch", epoch, 40, e)) < 0
        || store_meta_get(st, "counter", text, sizeof text, e) < 0)
        return -1;
    if (got == 0
        && (guid_new(h->a->lib, epoch, e) != 0 || store_meta_put(st, "epoch", epoch, e) != 0))
        return -1;
    /* By leaps: two copies that count one by one could keep step and never notice each other. */
    h->counter = strtoll(text, NULL, 10)
                 + (reconcile_listens(h->a->reconcile) ? 0 : 1 + (int64_t)jitter(LEAP));
    (void)snprintf(text, sizeof text, "%lld", (long long)h->counter);
    return store_meta_put(st, "counter", text, e) == 0 ? store_commit(st, e) : -1;
}

struct own {
    struct ccp_own_certificate at[CERTIFICATES];
    size_t count;
};

/* Under the cloud's names; a listener's certificate is not its business. */
static void on_certificate(void *arg, const char *purpose, const char *name, int64_t not_after_at)
{
    static const char *const named[][2] = { { "connector", "cloud" }, { "cloud_client", "cloud" },
        { "ca_client", "ca" }, { "scep_ra", "scepRa" } };
    struct own *o = arg;

    (void)name;
    for (size_t i = 0; i < sizeof named / sizeof named[0] && o->count < CERTIFICATES; i++)
        if (strcmp(named[i][0], purpose) == 0)
            o->at[o->count++] = (struct ccp_own_certificate){ named[i][1], not_after_at };
}

static int write_body(struct heartbeat *h, struct buf *body, struct err *e)
{
    struct agent *a = h->a;
    const struct ccp_metric metrics[] = {
        { "pkcsRequests", (int64_t)a->count.delivered, (int64_t)a->count.rejected },
    };
    struct own own = { .count = 0 };
    char epoch[40] = "", head[AUDIT_HASH_LEN + 1] = "";
    int64_t records = 0;
    bool alone = !store_dirty(a->store);

    /* A head is told only when it cannot be lost any more; while others write, the next heartbeat has it. */
    if (next_counter(h, epoch, e) != 0
        || (alone && (store_commit(a->store, e) != 0 || audit_head(a, &records, head, e) != 0)))
        return -1;
    health_certificates(a, a->lib, on_certificate, &own);
    ccp_heartbeat_write(body, &(struct ccp_heartbeat){ .agent_id = cloud_agent_id(&a->cloud),
                                  .state = a->draining ? "draining" : "running",
                                  .version = CERTFERRY_VERSION,
                                  .epoch = epoch,
                                  .counter = h->counter,
                                  .certificates = own.at,
                                  .certificate_count = own.count,
                                  .audit_head = records > 0 ? head : NULL,
                                  .audit_count = records,
                                  .metrics = metrics,
                                  .metric_count = sizeof metrics / sizeof metrics[0] });
    return buf_check(body, e);
}

static void beat(void *arg, const struct result *r)
{
    struct heartbeat *h = arg;
    char activity[40];
    struct buf body = BUF_INIT(16384);
    struct err e;

    (void)r;
    h->op = NULL;
    if (guid_new(h->a->lib, activity, &e) == 0 && write_body(h, &body, &e) == 0)
        h->op = cloud_post(&h->a->cloud, "agents/heartbeat", activity, buf_view(&body), TIMEOUT_MS,
            on_answer, h, &e);
    buf_free(&body);
    if (h->op == NULL) {
        log_err(EV_HEARTBEAT_FAILED, NULL, "cloud", &e);
        later(h, pause_s(h, -1));
    }
}

struct heartbeat *heartbeat_start(struct agent *a)
{
    struct heartbeat *h;

    if (cloud_agent_id(&a->cloud) == NULL || a->once)
        return NULL;
    h = xcalloc(1, sizeof *h);
    h->a = a;
    h->op = io_timer(0, beat, h);
    return h;
}

void heartbeat_now(struct agent *a)
{
    struct heartbeat *h = a->heartbeat;

    if (h == NULL) {
        a->heartbeat = heartbeat_start(a);
        return;
    }
    io_cancel(h->op); /* one under way may be of another identity */
    h->op = io_timer(0, beat, h);
}

void heartbeat_stop(struct heartbeat *h)
{
    if (h == NULL)
        return;
    io_cancel(h->op);
    free(h);
}
