/* see ra_renew.h */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "agent/base/clock.h"
#include "agent/requests/sched.h"
#include "agent/scep/job_ra.h"
#include "agent/scep/ra_renew.h"
#include "agent/scep/ra_stock.h"
#include "agent/scep/scepd_inner.h"
#include "proto/json.h"

enum { LOOK_MS = 300000, REFUSED_S = 900, REFUSED_CAP_S = 86400, DAY_S = 86400, KEY_LEN = 100 };

static void key_of(const char *endpoint, const char *what, char out[KEY_LEN])
{
    (void)snprintf(out, KEY_LEN, "ra/%s/%s", endpoint, what);
}

int ra_renew_wish(struct store *s, const char *endpoint, struct err *e)
{
    char key[KEY_LEN];

    key_of(endpoint, "wish", key);
    return store_meta_put(s, key, "yes", e);
}

int ra_renew_wished(struct store *s, const char *endpoint, struct err *e)
{
    char key[KEY_LEN], value[8];
    int got;

    key_of(endpoint, "wish", key);
    got = store_meta_get(s, key, value, sizeof value, e);
    return got == 1 ? value[0] != '\0' : got;
}

static int fulfilled(struct store *s, const char *endpoint, struct err *e)
{
    char key[KEY_LEN];

    key_of(endpoint, "wish", key);
    return store_meta_put(s, key, "", e);
}

/* ---- alarms -------------------------------------------------------------------------------------------------- */

/* How many days of warning are due: 30, 14, 7, 1, or 0 for none. */
static int warning_of(int64_t left_s)
{
    static const int steps[] = { 30, 14, 7, 1 };
    int due = 0;

    for (size_t i = 0; i < sizeof steps / sizeof steps[0]; i++)
        if (left_s <= (int64_t)steps[i] * DAY_S)
            due = steps[i];
    return due;
}

/* When the sooner one of the two comes into the part of its life in which its end is news. */
static int64_t worth_saying_at(const struct ra *r, bool enrolled)
{
    const struct ra_pair *p =
        r->signing.not_after_at < r->encryption.not_after_at ? &r->signing : &r->encryption;

    return enrolled ? ra_stock_renew_at(p->not_before_at, p->not_after_at)
                    : p->not_before_at + (p->not_after_at - p->not_before_at) / 2;
}

static int alarm_once(struct endpoint *p, struct err *e)
{
    struct store *s = p->s->a->store;
    bool enrolled = p->conf->ra_certificate == NULL;
    int64_t now = clock_now(), end = ra_expires_at(p->ra);
    int due = now >= worth_saying_at(p->ra, enrolled) ? warning_of(end - now) : 0;
    char key[KEY_LEN], said[48] = "", say[48], text[24];

    if (due == 0)
        return 0;
    key_of(p->conf->name, "alarm", key);
    (void)snprintf(say, sizeof say, "%lld %d", (long long)end, due);
    if (store_meta_get(s, key, said, sizeof said, e) < 0)
        return -1;
    if (strcmp(said, say) == 0)
        return 0;
    time_text(end, text);
    log_event(EV_RA_EXPIRES, NULL, p->conf->name,
        "a certificate of the registration authority ends %s, %lld days from now; %s", text,
        (long long)(end - now) / DAY_S,
        enrolled ? "its renewal has not succeeded yet: certferry ra show"
                 : "replace the files, then reload the service");
    return store_meta_put(s, key, say, e);
}

/* ---- beginning ----------------------------------------------------------------------------------------------- */

static const char *template_of(const struct conf_scep *c, char use)
{
    return use == 's' ? c->ra_signing_template : c->ra_encryption_template;
}

static int begin(struct endpoint *p, int64_t generation, char use, int attempt, struct err *e)
{
    struct agent *a = p->s->a;
    struct ra_item item = { .generation = generation, .use = use };
    struct buf json = BUF_INIT(4096);
    struct request r = { .state = REQUEST_READY,
        .attempt = attempt,
        .created_at = clock_now(),
        .received_at = clock_now(),
        .next_at = clock_now() };
    int rc = -1;

    (void)snprintf(item.endpoint, sizeof item.endpoint, "%s", p->conf->name);
    (void)snprintf(item.subject, sizeof item.subject, "%s", p->conf->ra_subject);
    ra_item_write(&json, &item);
    ra_stock_id(p->conf->name, generation, use, attempt, r.id);
    (void)snprintf(r.kind, sizeof r.kind, "%s", job_ra.name);
    (void)snprintf(r.step, sizeof r.step, "%s", job_ra.steps[0].name);
    (void)snprintf(r.ca, sizeof r.ca, "%s", p->conf->ca);
    (void)snprintf(r.template_name, sizeof r.template_name, "%s", template_of(p->conf, use));
    (void)snprintf(r.subject, sizeof r.subject, "%s", p->conf->ra_subject);
    if (guid_new(a->lib, r.activity, e) == 0 && buf_check(&json, e) == 0
        && store_insert(a->store, &r, buf_view(&json), e) >= 0) {
        log_event(EV_RA_BEGUN, r.id, r.ca,
            "endpoint %s, generation %lld: %s certificate, template %s", p->conf->name,
            (long long)generation, use == 's' ? "signing" : "encryption", r.template_name);
        sched_kick(a->sched);
        rc = 0;
    }
    buf_free(&json);
    return rc;
}

/* Whoever has changed what was refused does not wait for the end of a pause. */
static bool is_another(const struct conf_scep *c, char use, const struct request *r)
{
    return strcmp(r->ca, c->ca) != 0 || strcmp(r->template_name, template_of(c, use)) != 0
           || strncmp(r->subject, c->ra_subject, sizeof r->subject - 1) != 0;
}

/* One half of the next generation: 1 something was begun, 0 nothing is to do, -1. */
static int begin_half(
    struct endpoint *p, int64_t generation, char use, bool due, bool wished, struct err *e)
{
    struct request r;
    int n = ra_stock_last(p->s->a->store, p->conf->name, generation, use, &r, e);
    int64_t pause_s = REFUSED_S;

    if (n < 0 || (n == 0 && !due) || (n > 0 && !request_is_final(r.state)))
        return n < 0 ? -1 : 0;
    for (int i = 1; i < n && pause_s < REFUSED_CAP_S; i++)
        pause_s *= 2;
    if (n > 0 && !wished && !is_another(p->conf, use, &r)
        && clock_now() < r.ended_at + (pause_s < REFUSED_CAP_S ? pause_s : REFUSED_CAP_S))
        return 0;
    return begin(p, generation, use, n + 1, e) == 0 ? 1 : -1;
}

/* Has the next generation been begun, for whatever reason? */
static int is_begun(struct endpoint *p, const struct ra_stock *st, struct err *e)
{
    struct request r;
    int n = ra_stock_last(p->s->a->store, p->conf->name, st->current + 1, 's', &r, e);

    if (n != 0)
        return n < 0 ? -1 : 1;
    n = ra_stock_last(p->s->a->store, p->conf->name, st->current + 1, 'e', &r, e);
    return n < 0 ? -1 : n > 0;
}

static int enrol(struct endpoint *p, struct err *e)
{
    struct store *s = p->s->a->store;
    const char *name = p->conf->name;
    int64_t now = clock_now();
    struct ra_stock st;
    int wished, begun;
    bool due;

    if (ra_stock_read(s, name, now, &st, e) != 0 || (wished = ra_renew_wished(s, name, e)) < 0
        || (begun = is_begun(p, &st, e)) < 0)
        return -1;
    due = st.current == 0 || now >= st.renew_at || wished == 1 || begun == 1;
    for (int i = 0; i < 2; i++)
        if (!st.half[i] && begin_half(p, st.current + 1, "se"[i], due, wished == 1, e) < 0)
            return -1;
    if (wished == 1 && fulfilled(s, name, e) != 0)
        return -1;
    return st.stale ? ra_stock_forget(s, name, now, e) : 0;
}

/* ---- looking -------------------------------------------------------------------------------------------------- */

void ra_renew_look(struct scepd *s)
{
    struct err e;

    if (s->a->draining)
        return;
    for (size_t i = 0; i < s->count; i++) {
        struct endpoint *p = &s->endpoints[i];

        if ((p->conf->ra_certificate == NULL && enrol(p, &e) != 0)
            || (p->ra != NULL && alarm_once(p, &e) != 0))
            log_err(EV_STORE_FAILED, NULL, p->conf->name, &e);
    }
}

void ra_renew_ended(struct endpoint *p)
{
    struct err e;

    if (ra_stock_load(p, &e) != 0)
        log_err(EV_SCEP_NOT_SERVING, NULL, p->conf->name, &e);
    serving_look(p->s);
    ra_renew_look(p->s);
}

static void on_look(void *arg, const struct result *r)
{
    struct scepd *s = arg;

    (void)r;
    s->renewal = io_timer(LOOK_MS, on_look, s);
    ra_renew_look(s);
}

void ra_renew_start(struct scepd *s)
{
    s->renewal = io_timer(1, on_look, s);
}

void ra_renew_stop(struct scepd *s)
{
    io_cancel(s->renewal);
    s->renewal = NULL;
}
