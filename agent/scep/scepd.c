/* see scepd.h.  Opening, closing, and what there is one of for each section. */
#include <stdlib.h>
#include <string.h>
#include "agent/base/clock.h"
#include "agent/scep/ra_renew.h"
#include "agent/scep/ra_stock.h"
#include "agent/scep/scepd_inner.h"
#include "certs/mem.h"
#include "certs/text.h"
#include "proto/json.h"

enum { CAPS_MAX = 512, ADMIN_MAX = 1024, WORDS_MAX = 64, WAITING_MOST = 5000 };

struct endpoint *scepd_endpoint(const struct scepd *s, const char *name)
{
    for (size_t i = 0; i < s->count; i++)
        if (strcmp(s->endpoints[i].conf->name, name) == 0)
            return &s->endpoints[i];
    return NULL;
}

bool scepd_idle(const struct scepd *s)
{
    return s->visits == 0;
}

size_t scepd_connections(const struct scepd *s)
{
    size_t n = 0;

    for (size_t i = 0; i < s->listener_count; i++)
        n += io_listen_connections(s->listeners[i].io);
    return n;
}

bool scepd_all_asked(const struct scepd *s)
{
    return scepd_connections(s) <= s->visits;
}

void scepd_set_ra(struct endpoint *p, struct ra *r)
{
    struct ra *old = p->ra;

    p->ra = r;
    if (old != NULL) { /* a worker may be reading it */
        old->older = p->s->retired;
        p->s->retired = old;
    }
}

/* ---- challenges that jobs in memory have ---------------------------------------------------------------------- */

static struct reserved **place_of(struct scepd *s, const char *challenge)
{
    return &s->reserved[text_hash(TEXT_HASH, challenge) % SCEPD_BUCKETS];
}

bool scepd_reserve(struct scepd *s, const char *challenge, const char *job)
{
    struct reserved **list = place_of(s, challenge), *r;

    for (r = *list; r != NULL; r = r->next)
        if (strcmp(r->challenge, challenge) == 0)
            return strcmp(r->job, job) == 0;
    r = xcalloc(1, sizeof *r);
    memcpy(r->challenge, challenge, strlen(challenge));
    memcpy(r->job, job, strlen(job));
    r->next = *list;
    *list = r;
    return true;
}

void scepd_unreserve(struct scepd *s, const char *challenge, const char *job)
{
    for (struct reserved **p = place_of(s, challenge); *p != NULL; p = &(*p)->next)
        if (strcmp((*p)->challenge, challenge) == 0 && strcmp((*p)->job, job) == 0) {
            struct reserved *r = *p;

            *p = r->next;
            free(r);
            return;
        }
}

/* ---- room ----------------------------------------------------------------------------------------------------- */

bool scepd_has_room(struct scepd *s)
{
    struct store_counts c;
    struct err e;

    if (s->waiting_at != clock_now()) { /* counting reads the whole index */
        if (store_counts(s->a->store, &c, &e) != 0) {
            log_err(EV_STORE_FAILED, NULL, NULL, &e);
            return false;
        }
        s->waiting_at = clock_now();
        s->waiting_count = c.by_state[REQUEST_PENDING];
    }
    return s->waiting_count++ < WAITING_MOST;
}

/* ---- rules ------------------------------------------------------------------------------------------------------ */

static int key_usage_of(const struct conf_scep *c, unsigned *bits, struct err *e)
{
    static const struct {
        const char *name;
        unsigned bit;
    } known[] = { { "digitalSignature", KU_DIGITAL_SIGNATURE },
        { "nonRepudiation", KU_NON_REPUDIATION }, { "keyEncipherment", KU_KEY_ENCIPHERMENT },
        { "dataEncipherment", KU_DATA_ENCIPHERMENT }, { "keyAgreement", KU_KEY_AGREEMENT } };

    *bits = 0;
    for (size_t i = 0; i < c->key_usage.count; i++) {
        size_t n = 0, count = sizeof known / sizeof known[0];

        while (n < count && strcmp(known[n].name, c->key_usage.at[i]) != 0)
            n++;
        if (n == count)
            return err_set(e, ERR_CONFIG,
                "scep \"%s\".key_usage: \"%s\" is none of digitalSignature, nonRepudiation, "
                "keyEncipherment, dataEncipherment, keyAgreement",
                c->name, c->key_usage.at[i]);
        *bits |= known[n].bit;
    }
    return 0;
}

static const char *const *list_of(const struct conf_list *l)
{
    return (const char *const *)(const void *)l->at;
}

static int fill_rules(struct endpoint *p, struct err *e)
{
    const struct conf_scep *c = p->conf;

    p->rules = (struct scep_rules){ .endpoint = c->name,
        .limits = { .ekus = list_of(&c->ekus),
            .eku_count = c->ekus.count,
            .extensions = list_of(&c->extensions),
            .extension_count = c->extensions.count,
            .attributes = list_of(&c->attributes),
            .attribute_count = c->attributes.count },
        .rsa_min_bits = (unsigned)c->rsa_min_bits,
        .renewal_window = (unsigned)c->renewal_window,
        .sha1 = c->sha1,
        .des3 = c->des3,
        .renewal = c->renewal,
        .ndes = c->ndes };
    return key_usage_of(c, &p->rules.limits.key_usage, e);
}

/* ---- opening ---------------------------------------------------------------------------------------------------- */

static struct plugin *plugin_of(struct scepd *s, const char *name, struct err *e)
{
    const struct conf_plugin *conf = conf_plugin(s->a->conf, name);
    struct plugin *p;

    for (size_t i = 0; i < s->plugin_count; i++)
        if (plugin_conf(s->plugins[i]) == conf)
            return s->plugins[i];
    if ((p = plugin_open(s->a, conf, e)) != NULL)
        s->plugins[s->plugin_count++] = p;
    return p;
}

static int open_endpoint(
    struct scepd *s, struct endpoint *p, const struct conf_scep *conf, struct err *e)
{
    struct scep_caps caps = { .next_ca = conf->next_ca != NULL,
        .des3 = conf->des3,
        .sha1 = conf->sha1,
        .renewal = conf->renewal,
        .ndes = conf->ndes };

    p->s = s;
    p->conf = conf;
    p->caps = (struct buf)BUF_INIT(CAPS_MAX);
    p->admin = (struct buf)BUF_SECRET(ADMIN_MAX);
    p->ca = agent_ca(s->a, conf->ca);
    p->asked = peer_new(conf->name);
    p->serving = true; /* until somebody has looked */
    scep_caps_write(&p->caps, &caps);
    if (fill_rules(p, e) != 0)
        return -1;
    if (conf->admin_password != NULL
        && secret_read(s->a->secrets, conf->admin_password, &p->admin, e) != 0)
        return err_wrap(e, "scep \"%s\".admin_password", conf->name);
    if (conf->ra_certificate == NULL
            ? s->a->store != NULL && ra_stock_load(p, e) != 0
            : (p->ra = ra_open(conf, p->ca, s->a->lib, NULL, 0, e)) == NULL)
        return -1;
    return conf->plugin == NULL || (p->plugin = plugin_of(s, conf->plugin, e)) != NULL ? 0 : -1;
}

static void listen_conf(const struct conf_listen *c, struct io_listen_conf *out)
{
    *out = (struct io_listen_conf){ .name = c->name,
        .address = c->address,
        .certificate_file = { c->certificate, c->certificate2 },
        .key_file = { c->key, c->key2 },
        .connections_max = (unsigned)c->connections_max,
        .connections_per_address = (unsigned)c->connections_per_address,
        .request_s = (unsigned)c->request_timeout,
        .idle_s = (unsigned)c->idle_timeout,
        .body_max = (size_t)c->body_max_kib << 10 };
    for (size_t i = 0; i < c->trusted_proxies.count && i < IO_LISTEN_PROXIES_MAX; i++)
        out->trusted_proxy[i] = c->trusted_proxies.at[i];
}

struct scepd *scepd_open(struct agent *a, struct err *e)
{
    struct scepd *s = xcalloc(1, sizeof *s);

    s->a = a;
    s->limit = limit_new();
    s->endpoints = xcalloc(a->conf->scep_count, sizeof *s->endpoints);
    s->plugins = xcalloc(a->conf->plugin_count + 1, sizeof(struct plugin *));
    for (; s->count < a->conf->scep_count; s->count++)
        if (open_endpoint(s, &s->endpoints[s->count], &a->conf->sceps[s->count], e) != 0) {
            s->count++; /* what it has is freed, too */
            scepd_close(s);
            scepd_free(s);
            return NULL;
        }
    return s;
}

int scepd_check(struct agent *a, struct err *e)
{
    struct scepd *s = scepd_open(a, e);
    int rc = s != NULL ? 0 : -1;

    for (size_t i = 0; rc == 0 && i < a->conf->listen_count; i++) {
        struct io_listen_conf c;

        listen_conf(&a->conf->listens[i], &c);
        rc = io_listen_check(&c, e);
    }
    if (s != NULL)
        scepd_close(s);
    scepd_free(s);
    return rc;
}

int scepd_start(struct scepd *s, struct err *e)
{
    for (size_t i = 0; i < s->a->conf->listen_count; i++) {
        struct scepd_listener *l = &s->listeners[s->listener_count];
        struct io_listen_conf c;

        listen_conf(&s->a->conf->listens[i], &c);
        l->s = s;
        if ((l->io = io_listen_open(&c, scepd_route, l, e)) == NULL)
            return -1;
        s->listener_count++;
        log_event(EV_SCEP_SERVING, NULL, c.name, "listens on port %u%s", io_listen_port(l->io),
            io_listen_is_tls(l->io) ? ", TLS" : "");
    }
    serving_start(s);
    ra_renew_start(s);
    return 0;
}

int scepd_reload(struct scepd *s, struct err *e)
{
    for (size_t i = 0; i < s->listener_count; i++)
        if (io_listen_is_tls(s->listeners[i].io) && io_listen_reload(s->listeners[i].io, e) != 0)
            return -1;
    for (size_t i = 0; i < s->count; i++) {
        struct endpoint *p = &s->endpoints[i];
        struct ra *r;

        if (p->conf->ra_certificate == NULL)
            continue;
        if ((r = ra_open(p->conf, p->ca, s->a->lib, NULL, 0, e)) == NULL)
            return -1;
        scepd_set_ra(p, r);
    }
    return 0;
}

/* ---- closing ----------------------------------------------------------------------------------------------------- */

void scepd_stop(struct scepd *s)
{
    s->stopping = true;
    scepd_close_doors(s);
}

void scepd_close_doors(struct scepd *s)
{
    for (size_t i = 0; i < s->listener_count; i++)
        io_listen_stop(s->listeners[i].io);
}

void scepd_close(struct scepd *s)
{
    serving_stop(s);
    ra_renew_stop(s);
    for (size_t i = 0; i < s->listener_count; i++)
        io_listen_close(s->listeners[i].io); /* the visits go with their clients */
    s->listener_count = 0;
    for (size_t i = 0; i < s->plugin_count; i++)
        plugin_close(s->plugins[i]);
    s->plugin_count = 0;
}

void scepd_free(struct scepd *s)
{
    if (s == NULL)
        return;
    for (size_t i = 0; i < s->count; i++) {
        struct endpoint *p = &s->endpoints[i];

        ra_free(p->ra);
        peer_free(p->asked);
        buf_free(&p->caps);
        buf_free(&p->admin);
    }
    for (size_t b = 0; b < SCEPD_BUCKETS; b++)
        while (s->reserved[b] != NULL)
            scepd_unreserve(s, s->reserved[b]->challenge, s->reserved[b]->job);
    ra_free(s->retired);
    limit_free(s->limit);
    free(s->endpoints);
    free(s->plugins);
    free(s);
}

/* ---- status ------------------------------------------------------------------------------------------------------ */

void scepd_report(const struct scepd *s, struct json_out *o)
{
    json_open(o, "scep", '[');
    for (size_t i = 0; i < s->count; i++) {
        const struct endpoint *p = &s->endpoints[i];

        json_open(o, NULL, '{');
        json_put_text(o, "endpoint", p->conf->name);
        json_put_text(o, "ca", p->conf->ca);
        json_put_text(o, "plugin", p->conf->plugin != NULL ? p->conf->plugin : "none");
        json_put_bool(o, "serving", p->serving);
        if (!p->serving)
            json_put_text(o, "why", p->not_serving.msg);
        if (p->ra != NULL)
            json_put_time(o, "raExpiresAt", ra_expires_at(p->ra));
        json_put_int(o, "accepted", (int64_t)p->accepted);
        json_put_int(o, "refused", (int64_t)p->refused);
        json_put_int(o, "issued", (int64_t)p->issued);
        json_put_int(o, "pending", (int64_t)p->pending);
        json_put_int(o, "replayed", (int64_t)p->replayed);
        json_close(o, '}');
    }
    json_close(o, ']');
    json_open(o, "listeners", '[');
    for (size_t i = 0; i < s->listener_count; i++) {
        const struct io_listen *l = s->listeners[i].io;

        json_open(o, NULL, '{');
        json_put_text(o, "name", s->a->conf->listens[i].name);
        json_put_int(o, "port", io_listen_port(l));
        json_put_bool(o, "tls", io_listen_is_tls(l));
        json_put_int(o, "connections", (int64_t)io_listen_connections(l));
        json_put_time(o, "certificateExpiresAt", io_listen_expires_at(l));
        json_close(o, '}');
    }
    json_close(o, ']');
}
