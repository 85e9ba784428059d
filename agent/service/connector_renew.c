/* see connector_renew.h */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "agent/agent.h"
#include "agent/base/clock.h"
#include "agent/base/crash.h"
#include "agent/base/log.h"
#include "agent/secrets/identity.h"
#include "agent/service/connector_renew.h"
#include "agent/service/heartbeat.h"
#include "certs/mem.h"

enum {
    LOOK_MS = 300000,
    SOON_MS = 2000, /* a life of minutes, as in tests, has thirds of seconds */
    TIMEOUT_MS = 60000,
    DAY_S = 86400,
    AGAIN_S = 900,
    AGAIN_CAP_S = DAY_S,
    PKCS8_MAX = 16384,
    CSR_MAX = 16384,
    BODY_MAX = 64 << 10
};

struct connector_renew {
    struct agent *a;
    struct op *timer;
    struct op *op;   /* the key being made, or the question under way */
    struct key *key; /* while the question is under way */
    unsigned failures;
    int64_t again_at, failing_since; /* 0: it does not fail */
    struct err why;
};

/* ---- the key, on a worker ------------------------------------------------------------------------------------------ */

struct key_work {
    struct io_work work; /* first */
    enum key_type type;
    enum keygen how;
    char name[64];
    struct buf pkcs8, csr;
};

static void work_free(struct io_work *base)
{
    struct key_work *w = (struct key_work *)base;

    buf_free(&w->pkcs8);
    buf_free(&w->csr);
    free(w);
}

static int work_run(struct lib *l, struct io_work *base, struct err *e)
{
    struct key_work *w = (struct key_work *)base;
    struct key *k = key_new(l, w->type, w->how, e);
    int rc = k != NULL ? connector_csr(l, k, w->name, &w->csr, e) : -1;

    if (rc == 0) {
        buf_add_view(&w->pkcs8, key_pkcs8(k));
        rc = buf_check(&w->pkcs8, e);
    }
    key_free(k);
    return rc;
}

/* The new key is of the old one's kind: the cloud took that. */
static enum key_type type_of(struct agent *a, const struct connector *who)
{
    struct identity i = { 0 };
    enum key_type t = KEY_P256;
    struct err e;

    if (identity_read(&i, a->lib, view_of(NULL, 0), buf_view(&who->key), &e) == 0)
        t = key_type(i.key);
    identity_close(&i);
    return t;
}

/* ---- the answer ------------------------------------------------------------------------------------------------------ */

static void failed(struct connector_renew *r, const struct err *e)
{
    int64_t pause_s = AGAIN_S;

    for (unsigned i = 0; i < r->failures && pause_s < AGAIN_CAP_S; i++)
        pause_s *= 2;
    if (r->failures++ == 0)
        r->failing_since = clock_now();
    r->why = *e;
    r->again_at = clock_now() + (pause_s < AGAIN_CAP_S ? pause_s : AGAIN_CAP_S);
    log_err(EV_IDENTITY_UNRENEWED, NULL, "cloud", e);
}

static int keep_next(struct agent *a, const struct connector *who, const struct ccp_identity *got,
    const struct key *key, struct err *e)
{
    struct connector next = { 0 };
    int rc = -1;

    (void)snprintf(next.cloud, sizeof next.cloud, "%s", who->cloud);
    (void)snprintf(next.agents, sizeof next.agents, "%s", who->agents);
    if (connector_give(&next, got, key, clock_now(), e) == 0) {
        if (next.token_url[0] == '\0') /* it stays as it was said before */
            (void)snprintf(next.token_url, sizeof next.token_url, "%s", who->token_url);
        rc = connector_keep(a->secrets, CONNECTOR_NEXT, &next, e);
    }
    connector_free(&next);
    return rc;
}

static void on_answer(void *arg, const struct result *res)
{
    struct connector_renew *r = arg;
    struct agent *a = r->a;
    const struct connector *who = cloud_who(&a->cloud);
    struct ccp_identity got = CCP_IDENTITY_INIT;
    struct err e = { 0 };
    bool ok = false;

    r->op = NULL;
    crash_point(29);
    if (who == NULL)
        (void)err_set(&e, ERR_GONE, "signed out meanwhile");
    else if (cloud_judge(&a->cloud, res, &e) == 0
             && ccp_identity_parse(
                    res->http->body, key_spki(r->key), who->agent_id, clock_now(), &got, &e)
                    == 0
             && keep_next(a, who, &got, r->key, &e) == 0 && cloud_try_next(&a->cloud, &e) == 1) {
        crash_point(30);
        r->failures = 0;
        r->again_at = 0;
        heartbeat_now(a);
        ok = true;
    }
    if (!ok)
        failed(r, &e);
    ccp_identity_free(&got);
    key_free(r->key);
    r->key = NULL;
}

/* ---- the question ---------------------------------------------------------------------------------------------------- */

static int ask(struct connector_renew *r, const struct key_work *w, struct err *e)
{
    struct agent *a = r->a;
    struct buf body = BUF_INIT(BODY_MAX);
    char activity[40];

    ccp_renew_write(&body, buf_view(&w->csr));
    if (buf_check(&body, e) == 0 && guid_new(a->lib, activity, e) == 0
        && (r->key = key_parse(a->lib, buf_view(&w->pkcs8), e)) != NULL)
        r->op = cloud_post(
            &a->cloud, "agents/renew", activity, buf_view(&body), TIMEOUT_MS, on_answer, r, e);
    buf_free(&body);
    if (r->op == NULL) {
        key_free(r->key);
        r->key = NULL;
    }
    return r->op != NULL ? 0 : -1;
}

static void on_key(void *arg, const struct result *res)
{
    struct connector_renew *r = arg;
    struct err e;

    r->op = NULL;
    if (res->err != NULL)
        failed(r, res->err);
    else if (ask(r, (const struct key_work *)res->work, &e) != 0)
        failed(r, &e);
}

static void begin(struct connector_renew *r, const struct connector *who)
{
    struct key_work *w = xcalloc(1, sizeof *w);

    w->work = (struct io_work){ .run = work_run, .free = work_free };
    w->type = type_of(r->a, who);
    w->how = conf_keygen(r->a->conf);
    (void)snprintf(w->name, sizeof w->name, "%s", who->agent_id);
    w->pkcs8 = (struct buf)BUF_SECRET(PKCS8_MAX);
    w->csr = (struct buf)BUF_INIT(CSR_MAX);
    r->op = io_work(&w->work, false, on_key, r);
}

/* ---- alarms ------------------------------------------------------------------------------------------------------------ */

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

static int alarm_once(struct agent *a, const struct connector *who, struct err *e)
{
    int64_t now = clock_now(), end = who->not_after_at;
    int64_t patience_s = (end - who->not_before_at) / 24; /* it is being renewed: no news yet */
    int due = now >= connector_renew_at(who) + patience_s ? warning_of(end - now) : 0;
    char said[48] = "", say[48], text[24];

    if (due == 0 || end <= now)
        return 0;
    (void)snprintf(say, sizeof say, "%lld %d", (long long)end, due);
    if (store_meta_get(a->store, "identity/alarm", said, sizeof said, e) < 0)
        return -1;
    if (strcmp(said, say) == 0)
        return 0;
    time_text(end, text);
    log_event(EV_IDENTITY_EXPIRES, NULL, "cloud",
        "the connector's certificate ends %s, %lld days from now, and its renewal has not "
        "succeeded "
        "yet; after that somebody has to sign in again",
        text, (long long)(end - now) / DAY_S);
    return store_meta_put(a->store, "identity/alarm", say, e);
}

/* ---- looking ------------------------------------------------------------------------------------------------------------- */

static bool is_due(const struct connector_renew *r, const struct connector *who)
{
    struct agent *a = r->a;
    int64_t now = clock_now();

    return r->op == NULL && a->cloud.next == NULL && !a->cloud.needs_sign_in && !a->draining
           && now >= connector_renew_at(who) && now < who->not_after_at && now >= r->again_at;
}

static uint64_t next_look_ms(const struct connector *who)
{
    int64_t life_s = who != NULL ? who->not_after_at - who->not_before_at : DAY_S;

    return life_s < DAY_S ? SOON_MS : LOOK_MS;
}

static void look(void *arg, const struct result *res)
{
    struct connector_renew *r = arg;
    struct agent *a = r->a;
    const struct connector *who = cloud_who(&a->cloud);
    struct err e;

    (void)res;
    r->timer = io_timer(next_look_ms(who), look, r);
    cloud_look(&a->cloud);
    if (who == NULL)
        return;
    if (is_due(r, who))
        begin(r, who);
    if (alarm_once(a, who, &e) != 0)
        log_err(EV_STORE_FAILED, NULL, "cloud", &e);
}

struct connector_renew *connector_renew_start(struct agent *a)
{
    struct connector_renew *r = xcalloc(1, sizeof *r);

    r->a = a;
    r->timer = io_timer(1, look, r);
    return r;
}

bool connector_renew_fails(
    const struct connector_renew *r, struct err *why, int64_t *since, int64_t *next_try_at)
{
    if (r == NULL || r->failures == 0)
        return false;
    *why = r->why;
    *since = r->failing_since;
    *next_try_at = r->again_at;
    return true;
}

void connector_renew_stop(struct connector_renew *r)
{
    if (r == NULL)
        return;
    io_cancel(r->timer);
    io_cancel(r->op);
    key_free(r->key);
    free(r);
}
