/*
 * see scepd_inner.h.  What becomes of an opened message: a poll finds its request; the same request again joins the
 * one there is; else a job begins.  Nothing of a stranger is written to the store here: the job does that when the
 * plugin has said yes, or has asked for time.
 */
#include <stdio.h>
#include <string.h>
#include "agent/base/clock.h"
#include "agent/scep/scepd_inner.h"

enum { ATTEMPTS_MOST = 20, LIFE_S = 30 * 86400 };

static void refuse(struct visit *v, enum scep_fail fail, enum err_class cls, const char *why)
{
    struct err e;

    (void)err_set(&e, cls, "%s", why);
    visit_refuse(v, fail, &e);
}

/* ---- CertPoll ------------------------------------------------------------------------------------------------ */

static void poll(struct visit *v)
{
    struct job *j = jobs_find_alias(v->s->a->jobs, v->alias);
    struct request r;
    struct err e;
    int got;

    if (j != NULL) {
        visit_wait(v, j->r.id);
        return;
    }
    if ((got = store_find_alias(v->s->a->store, v->alias, &r, &e)) < 0) {
        log_err(EV_STORE_FAILED, NULL, NULL, &e);
        visit_say(v, SCEP_PENDING, SCEP_NO_FAIL, 0, view_of(NULL, 0));
        return;
    }
    if (got == 0) {
        refuse(v, SCEP_BAD_CERT_ID, ERR_GONE, "a poll for a transaction that is not known");
        return;
    }
    if (request_is_final(r.state) && r.state != REQUEST_DELIVERED)
        refuse(v, SCEP_BAD_REQUEST, ERR_GONE, "a poll for a request that was refused");
    else if (!judge_row(v, &r))
        refuse(v, SCEP_BAD_CERT_ID, ERR_GONE, "a poll for a certificate that is no longer kept");
}

/* ---- the same request again ------------------------------------------------------------------------------------- */

/* What is in the way of a new request with this id; false: nothing, the id is free. */
static bool join(struct visit *v, const char *id, bool *taken)
{
    struct request r;
    struct err e;
    int got;

    *taken = false;
    if (jobs_find(v->s->a->jobs, id) != NULL) {
        visit_wait(v, id);
        return true;
    }
    if ((got = store_get(v->s->a->store, id, &r, &e)) < 0) {
        log_err(EV_STORE_FAILED, NULL, NULL, &e);
        visit_say(v, SCEP_PENDING, SCEP_NO_FAIL, 0, view_of(NULL, 0));
        return true;
    }
    if (got == 0)
        return false;
    *taken = true;
    if (!request_is_final(r.state)
        || (r.state == REQUEST_DELIVERED && clock_now() - r.ended_at <= v->p->conf->resend))
        return judge_row(v, &r);
    return false; /* it has ended, or is too old: another attempt */
}

/* ---- a new one --------------------------------------------------------------------------------------------------- */

static const char *template_of(const struct conf_scep *c, char use)
{
    return use == 's'   ? c->signature_template
           : use == 'e' ? c->encryption_template
                        : c->general_template;
}

/* A proven renewal must be of a certificate that was issued here, unless others are welcome; and from the template
 * that the new one is for, which might serve another use. */
static bool is_ours(struct visit *v, const struct work_scep_open *w)
{
    const struct conf_scep *c = v->p->conf;
    struct request r;
    struct err e;

    if (c->renewal_foreign)
        return true;
    if (store_find_serial(v->s->a->store, c->ca, w->signer_serial, &r, &e) != 1
        || strcmp(r.kind, job_scep.name) != 0 || r.state != REQUEST_DELIVERED)
        return false;
    return template_of(c, w->template_use) != NULL
           && strcmp(r.template_name, template_of(c, w->template_use)) == 0;
}

static void fill_request(struct visit *v, const struct work_scep_open *w, const char *template_name,
    const char *id, struct request *r)
{
    struct err e;

    *r = (struct request){ .state = REQUEST_READY,
        .created_at = clock_now(),
        .received_at = clock_now(),
        .next_at = clock_now(),
        .expires_at = clock_now() + LIFE_S };
    (void)snprintf(r->id, sizeof r->id, "%s", id);
    (void)snprintf(r->alias, sizeof r->alias, "%s", v->alias);
    (void)snprintf(r->kind, sizeof r->kind, "%s", job_scep.name);
    (void)snprintf(r->step, sizeof r->step, "%s", job_scep.steps[0].name);
    (void)snprintf(r->ca, sizeof r->ca, "%s", v->p->conf->ca);
    (void)snprintf(r->template_name, sizeof r->template_name, "%s", template_name);
    (void)snprintf(r->subject, sizeof r->subject, "%s", w->subject);
    if (guid_new(v->s->a->lib, r->activity, &e) != 0)
        (void)snprintf(r->activity, sizeof r->activity, "%s", id);
}

static void begin(struct visit *v, const struct work_scep_open *w, bool renewal, const char *id)
{
    const char *template_name = template_of(v->p->conf, w->template_use);
    struct scep_item item = { .renewal = renewal, .ec = w->ec, .key_bits = (int64_t)w->key_bits };
    struct buf blob[BLOB_COUNT];
    struct request r;

    for (size_t b = 0; b < BLOB_COUNT; b++)
        blob[b] = (struct buf)BUF_INIT(1 << 20);
    blob[BLOB_CSR] = (struct buf)BUF_SECRET(1 << 20); /* the challenge is in it */
    (void)snprintf(item.endpoint, sizeof item.endpoint, "%s", v->p->conf->name);
    (void)snprintf(item.transaction, sizeof item.transaction, "%s", v->q.transaction);
    (void)snprintf(item.remote, sizeof item.remote, "%s", v->remote);
    (void)snprintf(item.challenge, sizeof item.challenge, "%s", w->challenge);
    (void)snprintf(item.hash, sizeof item.hash, "%s", digest_name(w->hash));
    scep_item_write(&blob[BLOB_ITEM], &item);
    buf_add_view(&blob[BLOB_CSR], buf_view(&v->csr));
    buf_add_view(&blob[BLOB_SIGNER], v->q.signer);
    fill_request(v, w, template_name, id, &r);
    v->p->accepted++;
    log_event(EV_SCEP_RECEIVED, id, v->p->conf->name, "%s from %s%s", w->subject, v->remote,
        renewal ? ", a renewal" : "");
    visit_wait(v, id); /* before the job begins: it may end at once */
    jobs_begin(v->s->a->jobs, &r, blob);
    for (size_t b = 0; b < BLOB_COUNT; b++)
        buf_free(&blob[b]);
}

void judge(struct visit *v, struct work_scep_open *w)
{
    bool many =
        v->p->plugin == NULL || (plugin_table(v->p->plugin)->flags & CERTFERRY_MANY_USES) != 0;
    bool renewal = w->renewal && is_ours(v, w);
    char id[40];
    bool taken = true;

    if (v->q.type == SCEP_CERT_POLL) {
        poll(v);
        return;
    }
    for (int n = 1; taken; n++) {
        if (n > ATTEMPTS_MOST) {
            refuse(v, SCEP_BAD_REQUEST, ERR_CONFLICT, "the same request too many times");
            return;
        }
        (void)snprintf(id, sizeof id, "%s-%d", w->id, n);
        if (join(v, id, &taken))
            return;
    }
    if (v->q.type == SCEP_RENEWAL_REQ && !renewal) {
        refuse(v, SCEP_BAD_REQUEST, ERR_MISMATCH, "a renewal of a certificate not issued here");
        return;
    }
    if (template_of(v->p->conf, w->template_use) == NULL) {
        refuse(v, SCEP_BAD_REQUEST, ERR_TEMPLATE, "no template for the key usage asked for");
        return;
    }
    if (!many && w->challenge[0] != '\0' && !scepd_reserve(v->s, w->challenge, id)) {
        refuse(
            v, SCEP_BAD_REQUEST, ERR_CHALLENGE, "the challenge is being used by another request");
        return;
    }
    begin(v, w, renewal, id);
}
