/* see health.h */
#include "agent/service/health.h"
#include "agent/base/clock.h"
#include "agent/base/fs.h"
#include "agent/scep/scepd.h"
#include "agent/secrets/identity.h"
#include "agent/service/connector_renew.h"
#include "agent/service/reconcile.h"
#include "proto/json.h"

enum { CERTIFICATE_MAX = 1 << 16 };

struct look {
    enum health worst;
    health_fn *fn;
    void *arg;
};

static void found(struct look *l, const struct health_cause *c)
{
    enum health h = c->stops ? HEALTH_DOWN : HEALTH_DEGRADED;

    if (h > l->worst)
        l->worst = h;
    if (l->fn != NULL)
        l->fn(l->arg, c);
}

static bool look_at_peer(struct look *l, const struct peer *p, const char *part, bool stops)
{
    struct peer_state s;

    peer_state(p, &s);
    if (s.failing_since == 0)
        return true;
    found(l, &(struct health_cause){ .part = part,
                 .name = s.name,
                 .stops = stops,
                 .why = &s.why,
                 .since = s.failing_since,
                 .next_try_at = s.next_try_at });
    return false;
}

static bool is_failing(const struct ca *ca)
{
    struct peer_state s;

    peer_state(ca->peer, &s);
    return s.failing_since != 0;
}

static void look_at_cas(struct look *l, const struct agent *a)
{
    size_t failing = 0;

    for (size_t i = 0; i < a->ca_count; i++)
        failing += is_failing(a->cas[i]);
    for (size_t i = 0; i < a->ca_count; i++)
        (void)look_at_peer(l, a->cas[i]->peer, "ca", failing == a->ca_count);
}

static void look_at_store(struct look *l, const struct agent *a, int64_t held)
{
    int64_t free_bytes = fs_free_bytes(a->conf->store.dir);
    struct err e;

    if (free_bytes >= 0 && free_bytes >> 20 < a->conf->store.min_free_mib) {
        (void)err_set(&e, ERR_STORE, "%lld MiB free, store.min_free_mib is %lld; free some space",
            (long long)(free_bytes >> 20), (long long)a->conf->store.min_free_mib);
        found(l, &(struct health_cause){ .part = "store", .name = "", .stops = true, .why = &e });
    }
    if (held > 0) {
        (void)err_set(
            &e, ERR_OPERATOR, "%lld held; certferry requests list --state held", (long long)held);
        found(l, &(struct health_cause){ .part = "requests", .name = "", .why = &e });
    }
}

/* The connector's certificate ends sooner or later: it is time to look before it is too late. */
static void look_at_renewal(struct look *l, const struct agent *a)
{
    struct err why;
    int64_t since, next_try_at;

    if (connector_renew_fails(a->renew, &why, &since, &next_try_at))
        found(l, &(struct health_cause){ .part = "renewal",
                     .name = "",
                     .why = &why,
                     .since = since,
                     .next_try_at = next_try_at });
}

static void look_at_reconcile(struct look *l, const struct agent *a)
{
    struct err e;

    if (a->reconcile == NULL || reconcile_state(a->reconcile) <= RECONCILE_NORMAL)
        return;
    (void)err_set(&e, ERR_OPERATOR,
        "requests from before wait until they have been compared with the cloud; certferry "
        "reconcile");
    found(l, &(struct health_cause){ .part = "reconcile", .name = "", .why = &e });
}

enum health health_look(const struct agent *a, int64_t held, health_fn *fn, void *arg)
{
    struct look l = { .worst = HEALTH_OK, .fn = fn, .arg = arg };
    struct err e;

    if (a->jobs == NULL)
        return HEALTH_STOPPED;
    if (a->draining) {
        (void)err_set(&e, ERR_BUSY, "stopping: requests finish their step");
        found(
            &l, &(struct health_cause){ .part = "service", .name = "", .stops = true, .why = &e });
    }
    if (a->conf->cloud.url != NULL)
        (void)look_at_peer(&l, a->cloud.peer, "cloud", true);
    if (a->cloud.needs_sign_in)
        found(&l, &(struct health_cause){
                      .part = "identity", .name = "", .stops = true, .why = &a->cloud.why });
    look_at_renewal(&l, a);
    look_at_reconcile(&l, a);
    look_at_cas(&l, a);
    for (size_t i = 0; a->scepd != NULL && i < a->conf->scep_count; i++) {
        const struct endpoint *p = scepd_endpoint(a->scepd, a->conf->sceps[i].name);

        if (!p->serving)
            found(&l,
                &(struct health_cause){
                    .part = "scep", .name = p->conf->name, .stops = true, .why = &p->not_serving });
    }
    look_at_store(&l, a, held);
    return l.worst;
}

const char *health_name(enum health h)
{
    static const char *const names[] = { [HEALTH_OK] = "ok",
        [HEALTH_DEGRADED] = "degraded",
        [HEALTH_DOWN] = "degraded",
        [HEALTH_STOPPED] = "stopped" };

    return names[h];
}

void health_write_cause(void *arg, const struct health_cause *c)
{
    struct json_out *o = arg;

    json_open(o, NULL, '{');
    json_put_text(o, "part", c->part);
    json_put_text(o, "name", c->name[0] != '\0' ? c->name : NULL);
    json_put_bool(o, "stops", c->stops);
    json_put_text(o, "class", err_name(c->why->cls));
    json_put_text(o, "message", c->why->msg);
    json_put_time(o, "since", c->since);
    json_put_time(o, "nextTry", c->next_try_at);
    json_close(o, '}');
}

/* ---- certificates --------------------------------------------------------------------------------------------------- */

static int64_t end_of(struct lib *l, const char *file)
{
    struct buf der = BUF_INIT(CERTIFICATE_MAX);
    int64_t at = 0;
    struct cert c;
    struct err e;

    if (identity_certificate(l, file, &der, &e) == 0 && cert_parse(buf_view(&der), &c, &e) == 0)
        at = c.not_after_at;
    buf_free(&der);
    return at;
}

static void tell(
    health_certificate_fn *fn, void *arg, const char *purpose, const char *name, int64_t at)
{
    if (at != 0)
        fn(arg, purpose, name, at);
}

void health_certificates(const struct agent *a, struct lib *l, health_certificate_fn *fn, void *arg)
{
    const struct conf *c = a->conf;
    const struct connector *who = cloud_who(&a->cloud);

    if (who != NULL)
        tell(fn, arg, "connector", "cloud", who->not_after_at);
    else if (c->cloud.client_certificate != NULL)
        tell(fn, arg, "cloud_client", "cloud", end_of(l, c->cloud.client_certificate));
    for (size_t i = 0; i < c->ca_count; i++)
        if (c->cas[i].client_certificate != NULL)
            tell(fn, arg, "ca_client", c->cas[i].name, end_of(l, c->cas[i].client_certificate));
    for (size_t i = 0; i < c->scep_count; i++) {
        const struct endpoint *p =
            a->scepd != NULL ? scepd_endpoint(a->scepd, c->sceps[i].name) : NULL;

        if (p != NULL && p->ra != NULL)
            tell(fn, arg, "scep_ra", c->sceps[i].name, ra_expires_at(p->ra));
        else if (c->sceps[i].ra_certificate != NULL)
            tell(fn, arg, "scep_ra", c->sceps[i].name, end_of(l, c->sceps[i].ra_certificate));
    }
    for (size_t i = 0; i < c->listen_count; i++)
        if (c->listens[i].certificate != NULL)
            tell(fn, arg, "listener", c->listens[i].name, end_of(l, c->listens[i].certificate));
}
