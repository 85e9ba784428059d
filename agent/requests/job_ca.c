/*
 * see job_ca.h.
 *
 * What must not happen twice is a submission.  r.submits counts the times the CA may have seen the CSR; it
 * is raised and stored before the CSR is sent and lowered only when an answer proves that nothing was taken.
 */
#include <stdio.h>
#include <string.h>
#include "agent/base/clock.h"
#include "agent/base/crash.h"
#include "agent/base/log.h"
#include "agent/base/metrics.h"
#include "agent/requests/job_ca.h"
#include "agent/requests/orphan.h"
#include "certs/chain.h"

enum { PENDING_CAP_S = 21600 };

void job_add_orphan(struct job *j, const char *reason)
{
    struct err e;

    if (orphan_record(j->a, &j->r, buf_view(&j->blob[BLOB_CSR]), reason, &e) != 0)
        log_err(EV_STORE_FAILED, j->r.id, j->r.ca, &e);
}

struct peer *job_ca_peer(const struct job *j)
{
    return j->ca->peer;
}

/* ---- asking the CA ------------------------------------------------------------------------------------------ */

typedef int ca_describe(struct ca *ca, const struct ca_ask *ask, struct http_req *q, struct err *e);

static enum verdict ask_ca(struct job *j, ca_describe *describe)
{
    struct ca *ca = j->ca;
    const struct ca_ask ask = { .id = j->r.id,
        .template_name = j->template_name,
        .validity_s = j->validity_s,
        .csr = buf_view(&j->blob[BLOB_CSR]),
        .reference = j->r.reference };
    struct http_req q;

    if (describe(ca, &ask, &q, &j->why) != 0)
        return V_FAILED;
    return job_ask(j, io_http(ca->io, &q, job_wake, j, &j->why));
}

/* Tell the breaker; an answer about this one request says that the CA is there. */
static void told(struct job *j, const struct result *r, bool ok)
{
    const struct err *why = &j->why;

    if (ok || why->cls == ERR_DENIED || why->cls == ERR_TEMPLATE || why->cls == ERR_INPUT
        || why->cls == ERR_GONE)
        peer_ok(j->ca->peer);
    else
        peer_failed(j->ca->peer, why,
            why->cls == ERR_BUSY && r->http != NULL ? r->http->retry_after_s : -1);
}

/* What cannot be read says nothing about the request: the CA may have issued it.  That is no answer, whatever came. */
static void no_answer(struct err *why)
{
    if (why->cls != ERR_PROTO)
        return;
    why->cls = ERR_NET;
    (void)err_wrap(why, "the CA's answer cannot be read");
}

/* The certificates as the CA sent them become DER, one behind the other. */
static enum verdict take_certificates(struct job *j, struct ca_issue *issue)
{
    struct buf chain = BUF_INIT(1 << 20);
    size_t count = 0;
    enum verdict v = V_FAILED;

    if (chain_read(j->a->lib, buf_view(&issue->certificates), &chain, &count, &j->why) == 0) {
        job_put(j, BLOB_CHAIN, &chain);
        log_event(j->kind->says.issued, j->r.id, j->r.ca,
            "certificate received; the CA's reference: %s",
            j->r.reference[0] != '\0' ? j->r.reference : "none");
        v = V_NEXT;
    } else {
        no_answer(&j->why);
    }
    buf_free(&chain);
    return v;
}

static int64_t pending_wait(struct job *j, const struct ca_issue *issue)
{
    int64_t first = j->ca->conf->pending_interval;
    int64_t wait_s = first << (j->r.tries < 12 ? j->r.tries : 12);

    if (issue->wait_s > 0)
        return issue->wait_s + 1; /* never sooner: the second that has begun does not count */
    return wait_s < PENDING_CAP_S ? wait_s : first > PENDING_CAP_S ? first : PENDING_CAP_S;
}

static enum verdict pending(struct job *j, const struct ca_issue *issue)
{
    if (j->r.noticed == 0) {
        j->r.noticed = 1;
        log_event(j->kind->says.pending, j->r.id, j->r.ca,
            "waits for approval; the CA's reference: %s", j->r.reference);
    }
    j->wait_s = pending_wait(j, issue);
    j->r.tries++;
    return V_LATER;
}

/* What a find, a submit or a collect has brought: one judge for all three. */
enum verdict job_ca_find_end(struct job *j, const struct result *r)
{
    struct ca *ca = j->ca;
    struct ca_issue issue = { .certificates = BUF_INIT(1 << 20) };
    enum verdict v = V_FAILED;
    enum ca_answer answer;

    if (r->err != NULL) {
        j->why = *r->err;
        told(j, r, false);
        return V_FAILED;
    }
    answer = ca->driver->judge(ca, r->http, &issue, &j->why);
    if (answer == CA_ERROR)
        no_answer(&j->why);
    told(j, r, answer != CA_ERROR);
    if (issue.reference[0] != '\0')
        (void)snprintf(j->r.reference, sizeof j->r.reference, "%s", issue.reference);
    switch (answer) {
    case CA_ISSUED:
        v = take_certificates(j, &issue);
        break;
    case CA_ACCEPTED:
    case CA_UNKNOWN:
        v = V_NEXT;
        break;
    case CA_PENDING:
        v = pending(j, &issue);
        break;
    case CA_ERROR:
        break;
    }
    buf_free(&issue.certificates);
    return v;
}

/* ---- FIND: has the CA already seen it?  Only after a submission whose outcome is unknown. ------------------- */

bool job_ca_submit_done(const struct job *j)
{
    return job_has(j, BLOB_CHAIN) || j->r.reference[0] != '\0';
}

bool job_ca_find_done(const struct job *j)
{
    return j->r.submits == 0 || job_ca_submit_done(j) || j->ca == NULL
           || j->ca->driver->find == NULL;
}

enum verdict job_ca_find_begin(struct job *j)
{
    return ask_ca(j, j->ca->driver->find);
}

/* ---- SUBMIT: never repeated unasked.  Output: chain or reference. ------------------------------------------- */

void job_ca_submit_before(struct job *j)
{
    j->r.submits++;
}

/* Send the CSR.  If it was sent before and nobody knows what became of that, it is the same CSR, only so
 * many times, and on record. */
static enum verdict send_csr(struct job *j, ca_describe *describe)
{
    int64_t again = j->r.submits - 1, most = j->ca->conf->max_duplicates;
    enum verdict v;

    if (again > most) {
        j->r.submits--;
        (void)err_set(&j->why, ERR_OPERATOR,
            "the outcome of %lld submissions is unknown and the CA cannot be asked; look there, "
            "then retry or "
            "cancel the request",
            (long long)again);
        return V_FAILED;
    }
    if (again > 0) {
        j->a->count.resubmitted++;
        metric_add(METRIC_DUPLICATES, NULL, NULL);
        log_event(j->kind->says.resubmitted, j->r.id, j->r.ca,
            "the same CSR again: the outcome of the last one is unknown");
        job_add_orphan(j, "submitted more than once because an outcome was unknown; the CA may "
                          "have issued twice");
    }
    crash_point(5);
    crash_soon(6);
    if ((v = ask_ca(j, describe)) == V_FAILED)
        j->r.submits--; /* nothing was sent */
    return v;
}

enum verdict job_ca_submit_begin(struct job *j)
{
    crash_point(4);
    return send_csr(j, j->ca->driver->submit);
}

/* Answers that say the CA has not taken the request at all. */
static bool not_taken(const struct result *r, enum err_class cls)
{
    if (r->err != NULL)
        return !r->sent;
    return cls == ERR_BUSY || cls == ERR_AUTH || cls == ERR_FORBIDDEN || cls == ERR_PROXY
           || cls == ERR_CONFIG || cls == ERR_TOO_LARGE || cls == ERR_GONE || cls == ERR_INPUT;
}

/* After the CSR was sent: what is known about it now? */
static void settle(struct job *j, const struct result *r, enum verdict v)
{
    bool collects_by_csr = j->ca->driver->collect_submits;

    if ((v == V_FAILED && not_taken(r, j->why.cls)) || (v == V_LATER && collects_by_csr))
        j->r.submits--; /* refused unseen, or pending where only a collect can issue */
}

enum verdict job_ca_submit_end(struct job *j, const struct result *r)
{
    enum verdict v;

    crash_point(7);
    v = job_ca_find_end(j, r);
    settle(j, r, v);
    return v == V_LATER ? V_NEXT : v; /* pending: its id is stored before anything else is done */
}

/* ---- COLLECT: until issued or refused; days if need be.  Output: chain. ------------------------------------- */

bool job_ca_collect_done(const struct job *j)
{
    return job_has(j, BLOB_CHAIN);
}

void job_ca_collect_before(struct job *j)
{
    if (j->ca->driver->collect_submits)
        j->r.submits++;
}

enum verdict job_ca_collect_begin(struct job *j)
{
    const struct ca_driver *d = j->ca->driver;

    crash_point(8);
    return d->collect_submits ? send_csr(j, d->collect) : ask_ca(j, d->collect);
}

/* It was taken here before: a server that now does not know the place, or does not even look at what is asked, has not
 * decided about it. */
static bool undecided(const struct result *r, enum err_class cls)
{
    return r->http != NULL && r->http->status >= 400
           && (cls == ERR_INPUT || cls == ERR_TOO_LARGE || cls == ERR_TEMPLATE);
}

enum verdict job_ca_collect_end(struct job *j, const struct result *r)
{
    enum verdict v = job_ca_find_end(j, r);

    if (j->ca->driver->collect_submits)
        settle(j, r, v);
    if (v == V_FAILED && undecided(r, j->why.cls))
        j->why.cls = ERR_CONFIG;
    if (v == V_FAILED
        && j->why.cls == ERR_GONE) { /* it had it: back to the ladder, with the same CSR */
        j->r.reference[0] = '\0';
        (void)err_set(&j->why, ERR_NET, "the CA has forgotten a request that it had taken");
    }
    if (v == V_NEXT && !job_has(j, BLOB_CHAIN)) { /* issued, and asked again where it is */
        j->wait_s = j->ca->conf->pending_interval;
        return V_LATER;
    }
    return v;
}

/* ---- ISSUER: the CA's own certificates, when the leaf's issuer is not known yet. ---------------------------- */

bool job_ca_issuer_done(const struct job *j)
{
    struct view rest = buf_view(&j->blob[BLOB_CHAIN]), leaf;
    struct err e;

    if (chain_next(&rest, &leaf, &e) != 1)
        return true; /* wrap says what is wrong with it */
    return rest.len > 0 || (j->ca != NULL && ca_knows_issuer(j->ca, leaf));
}

enum verdict job_ca_issuer_begin(struct job *j)
{
    crash_point(9);
    return ask_ca(j, j->ca->driver->chain);
}

enum verdict job_ca_issuer_end(struct job *j, const struct result *r)
{
    struct ca *ca = j->ca;
    struct buf sent = BUF_INIT(1 << 20), certificates = BUF_INIT(1 << 20);
    size_t count = 0;
    enum verdict v = V_FAILED;

    if (r->err != NULL) {
        j->why = *r->err;
        told(j, r, false);
        return V_FAILED;
    }
    if (ca->driver->judge_chain(ca, r->http, &sent, &j->why) == 0
        && chain_read(j->a->lib, buf_view(&sent), &certificates, &count, &j->why) == 0
        && ca_learn(ca, buf_view(&certificates), &j->why) == 0)
        v = V_NEXT;
    else if (j->why.cls == ERR_PROTO || j->why.cls == ERR_GONE)
        j->why.cls = ERR_TRUST; /* the certificate exists: it must wait for help, not be given up */
    told(j, r, v == V_NEXT);
    buf_free(&sent);
    buf_free(&certificates);
    return v;
}
