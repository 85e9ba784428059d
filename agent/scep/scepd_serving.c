/*
 * see scepd_inner.h.  Can each endpoint serve?  The health URL must say 503 within seconds when it cannot, so the CA
 * is looked at every few seconds, unless it has just answered somebody: its list of certificates is asked for, which
 * costs it little and is what GetCACert needs anyway.
 */
#include "agent/base/clock.h"
#include "agent/scep/scepd_inner.h"
#include "certs/chain.h"

enum { CERTS_MAX = 1 << 20, PROBE_TIMEOUT_MS = 4000, LOOK_MOST_S = 60 };

/* ---- the verdict --------------------------------------------------------------------------------------------- */

static int check(struct endpoint *p, struct err *e)
{
    struct peer_state ca;

    if (p->ra == NULL)
        return err_set(e, ERR_CONFIG, "the registration authority has no certificates yet");
    if (clock_now() > ra_expires_at(p->ra))
        return err_set(e, ERR_EXPIRED, "a certificate of the registration authority has expired");
    if (p->plugin != NULL && plugin_serving(p->plugin, e) != 0)
        return err_wrap(e, "plugin \"%s\"", p->conf->plugin);
    peer_state(p->ca->peer, &ca);
    if (ca.failing_since != 0) {
        *e = ca.why;
        return err_wrap(e, "ca \"%s\"", p->conf->ca);
    }
    return 0;
}

/* An issuer that was not known before belongs into GetCACert, and its certificates may be renewed. */
static void refresh_ra(struct scepd *s, struct endpoint *p)
{
    struct ra *r;
    struct err e;

    if (p->ra == NULL || p->issuers_known == p->ca->issuers.len)
        return;
    p->issuers_known = p->ca->issuers.len;
    if ((r = ra_again(p->ra, p->conf, p->ca, s->a->lib, &e)) == NULL)
        log_err(EV_SCEP_NOT_SERVING, NULL, p->conf->name, &e);
    else
        scepd_set_ra(p, r);
}

void serving_look(struct scepd *s)
{
    for (size_t i = 0; i < s->count; i++) {
        struct endpoint *p = &s->endpoints[i];
        struct err e = { 0 };
        bool serving = check(p, &e) == 0;

        refresh_ra(s, p);
        if (serving && !p->serving)
            log_event(EV_SCEP_SERVING, NULL, p->conf->name, "devices can enrol");
        else if (!serving && (p->serving || p->not_serving.cls != e.cls))
            log_err(EV_SCEP_NOT_SERVING, NULL, p->conf->name, &e);
        p->serving = serving;
        p->not_serving = e;
    }
}

/* ---- the look at the CA ----------------------------------------------------------------------------------------- */

static int learn(struct endpoint *p, struct lib *l, const struct http_reply *reply, struct err *e)
{
    struct buf sent = BUF_INIT(CERTS_MAX), certs = BUF_INIT(CERTS_MAX);
    size_t count = 0;
    int rc = -1;

    if (p->ca->driver->judge_chain(p->ca, reply, &sent, e) == 0
        && chain_read(l, buf_view(&sent), &certs, &count, e) == 0
        && ca_learn(p->ca, buf_view(&certs), e) == 0)
        rc = 0;
    buf_free(&sent);
    buf_free(&certs);
    return rc;
}

static void on_probe(void *arg, const struct result *r)
{
    struct endpoint *p = arg;
    struct err e;

    p->probe = NULL;
    if (r->err != NULL)
        peer_failed(p->ca->peer, r->err, -1);
    else if (learn(p, p->s->a->lib, r->http, &e) == 0)
        peer_ok(p->ca->peer);
    else
        peer_failed(p->ca->peer, &e, r->http->retry_after_s);
    serving_look(p->s);
}

/* Endpoints of one CA share its look, as often as the most curious of them wants. */
static int64_t curiosity(const struct scepd *s, const struct ca *ca)
{
    int64_t least = 0;

    for (size_t i = 0; i < s->count; i++) {
        int64_t wants = s->endpoints[i].conf->ca_probe;

        if (s->endpoints[i].ca == ca && wants > 0 && (least == 0 || wants < least))
            least = wants;
    }
    return least;
}

/* Is there reason to ask it?  Once in any case: what it says of itself is needed. */
static bool wants_look(const struct endpoint *p, const struct peer_state *st)
{
    int64_t every = curiosity(p->s, p->ca);

    if (p->probe != NULL)
        return false;
    if (st->last_ok_at == 0)
        return every > 0 || st->failing_since == 0;
    return every > 0 && (st->failing_since != 0 || clock_now() - st->last_ok_at >= every);
}

static void probe(struct endpoint *p)
{
    struct ca_ask ask = { .id = "", .template_name = p->conf->general_template, .reference = "" };
    struct peer_state st;
    struct http_req q;
    struct err e;

    peer_state(p->ca->peer, &st);
    if (!wants_look(p, &st))
        return;
    if (p->ca->driver->chain(p->ca, &ask, &q, &e) != 0) {
        peer_failed(p->ca->peer, &e, -1);
        return;
    }
    q.timeout_ms = PROBE_TIMEOUT_MS;
    p->probe = io_http(p->ca->io, &q, on_probe, p, &e);
    if (p->probe == NULL)
        peer_failed(p->ca->peer, &e, -1);
}

static bool looked_at(const struct scepd *s, size_t i)
{
    for (size_t n = 0; n < i; n++)
        if (s->endpoints[n].ca == s->endpoints[i].ca)
            return true;
    return false;
}

/* As often as the most curious endpoint wants; a plugin is asked now and then in any case. */
static int64_t interval_s(const struct scepd *s)
{
    int64_t least = LOOK_MOST_S;

    for (size_t i = 0; i < s->count; i++)
        if (s->endpoints[i].conf->ca_probe > 0 && s->endpoints[i].conf->ca_probe < least)
            least = s->endpoints[i].conf->ca_probe;
    return least;
}

static void on_look(void *arg, const struct result *r)
{
    struct scepd *s = arg;

    (void)r;
    s->look = io_timer((uint64_t)interval_s(s) * 1000, on_look, s);
    for (size_t i = 0; i < s->count; i++)
        if (!looked_at(s, i))
            probe(&s->endpoints[i]);
    serving_look(s);
}

void serving_start(struct scepd *s)
{
    s->look = io_timer(1, on_look, s);
}

void serving_stop(struct scepd *s)
{
    io_cancel(s->look);
    s->look = NULL;
    for (size_t i = 0; i < s->count; i++) {
        io_cancel(s->endpoints[i].probe);
        s->endpoints[i].probe = NULL;
    }
}
