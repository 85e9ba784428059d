/*
 * see job_pkcs.h.  The steps of a pkcsIssue request, in order; the table is at the end.
 *
 * key, csr and wrap run on worker threads; submit, collect and issuer talk to the CA, report to the cloud.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "agent/agent.h"
#include "agent/clock.h"
#include "agent/crash.h"
#include "agent/job_pkcs.h"
#include "agent/keypool.h"
#include "agent/log.h"
#include "agent/work_pkcs.h"
#include "certs/chain.h"
#include "certs/csr.h"
#include "certs/mem.h"
#include "certs/text.h"

enum { CLOUD_TIMEOUT_MS = 60000, PENDING_CAP_S = 21600, DAY_S = 86400 };

enum { S_KEY, S_CSR, S_FIND, S_SUBMIT, S_NOTICE, S_COLLECT, S_ISSUER, S_WRAP, S_REPORT, S_END, S_COUNT };

struct pkcs {
    struct ccp_item item;
    struct ca *ca; /* NULL: it has none, and can only be reported */
};

static struct pkcs *self(const struct job *j)
{
    return j->ctx;
}

static struct peer *peer_ca(const struct job *j)
{
    return self(j)->ca->peer;
}

static struct peer *peer_cloud(const struct job *j)
{
    return j->a->cloud.peer;
}

static struct work_pkcs *work_for(struct job *j, int (*run)(struct lib *l, struct io_work *w, struct err *e))
{
    struct work_pkcs *w = work_pkcs_new(j->r.id, &j->a->vault, buf_view(&j->blob[BLOB_ITEM]), run);

    buf_add_view(&w->data_key, buf_view(&j->blob[BLOB_DATA_KEY]));
    buf_add_view(&w->key, buf_view(&j->blob[BLOB_KEY]));
    buf_add_view(&w->csr, buf_view(&j->blob[BLOB_CSR]));
    return w;
}

static enum verdict work(struct job *j, struct work_pkcs *w)
{
    return job_ask(j, io_work(&w->work, false, job_wake, j));
}

static enum verdict worked(struct job *j, const struct result *r)
{
    if (r->err == NULL)
        return V_NEXT;
    j->why = *r->err;
    return V_FAILED;
}

/* ---- KEY: the subscriber's key pair.  Output: data_key and key, sealed. ------------------------------- */

static bool key_done(const struct job *j)
{
    return job_has(j, BLOB_KEY);
}

static enum verdict key_begin(struct job *j)
{
    struct work_pkcs *w = work_for(j, work_pkcs_key);

    w->key_type = self(j)->item.template.key;
    w->keygen = conf_keygen(j->a->conf);
    w->from_pool = keypool_take(j->a->keypool, w->key_type);
    return work(j, w);
}

static enum verdict key_end(struct job *j, const struct result *r)
{
    struct work_pkcs *w = (struct work_pkcs *)r->work;

    crash_point(3);
    if (worked(j, r) != V_NEXT)
        return V_FAILED;
    job_put(j, BLOB_DATA_KEY, &w->data_key);
    job_put(j, BLOB_KEY, &w->key);
    return V_NEXT;
}

/* ---- CSR: the request for the CA.  Output: csr. --------------------------------------------------------- */

static bool csr_done(const struct job *j)
{
    return job_has(j, BLOB_CSR);
}

static enum verdict csr_begin(struct job *j)
{
    struct work_pkcs *w = work_for(j, work_pkcs_csr);
    const char *how = self(j)->ca->conf->template_in_csr;

    w->template_name = strcmp(how, "name") == 0;
    w->template_pair = strcmp(how, "pair") == 0;
    return work(j, w);
}

static enum verdict csr_end(struct job *j, const struct result *r)
{
    struct work_pkcs *w = (struct work_pkcs *)r->work;

    if (worked(j, r) != V_NEXT)
        return V_FAILED;
    job_put(j, BLOB_CSR, &w->csr);
    return V_NEXT;
}

/* ---- asking the CA ------------------------------------------------------------------------------------------ */

typedef int ca_describe(struct ca *ca, const struct ca_ask *ask, struct http_req *q, struct err *e);

static enum verdict ask_ca(struct job *j, ca_describe *describe)
{
    struct ca *ca = self(j)->ca;
    const struct template *t = &self(j)->item.template;
    const struct ca_ask ask = { .id = j->r.id, .template_name = t->name, .validity_s = t->validity_s,
        .csr = buf_view(&j->blob[BLOB_CSR]), .reference = j->r.reference };
    struct http_req q;

    if (describe(ca, &ask, &q, &j->why) != 0)
        return V_FAILED;
    return job_ask(j, io_http(ca->io, &q, job_wake, j, &j->why));
}

/* Tell the breaker; an answer about this one request says that the CA is there. */
static void told(struct job *j, const struct result *r, bool ok)
{
    const struct err *why = &j->why;

    if (ok || why->cls == ERR_DENIED || why->cls == ERR_TEMPLATE || why->cls == ERR_INPUT || why->cls == ERR_GONE)
        peer_ok(peer_ca(j));
    else
        peer_failed(peer_ca(j), why, why->cls == ERR_BUSY && r->http != NULL ? r->http->retry_after_s : -1);
}

/* The certificates as the CA sent them become DER, one behind the other. */
static enum verdict take_certificates(struct job *j, struct ca_issue *issue)
{
    struct buf chain = BUF_INIT(1 << 20);
    size_t count = 0;
    enum verdict v = V_FAILED;

    if (chain_read(j->a->lib, buf_view(&issue->certificates), &chain, &count, &j->why) == 0) {
        job_put(j, BLOB_CHAIN, &chain);
        log_event(EV_ISSUED, j->r.id, j->r.ca, "certificate received%s%s",
            j->r.reference[0] != '\0' ? ", CA request " : "", j->r.reference);
        v = V_NEXT;
    }
    buf_free(&chain);
    return v;
}

static int64_t pending_wait(struct job *j, const struct ca_issue *issue)
{
    int64_t first = self(j)->ca->conf->pending_interval;
    int64_t wait_s = first << (j->r.tries < 12 ? j->r.tries : 12);

    if (issue->wait_s > 0)
        return issue->wait_s;
    return wait_s < PENDING_CAP_S ? wait_s : first > PENDING_CAP_S ? first : PENDING_CAP_S;
}

static enum verdict pending(struct job *j, const struct ca_issue *issue)
{
    if (j->r.noticed == 0) {
        j->r.noticed = 1;
        log_event(EV_PENDING, j->r.id, j->r.ca, "waits for approval at the CA, CA request %s", j->r.reference);
    }
    j->wait_s = pending_wait(j, issue);
    j->r.tries++;
    return V_LATER;
}

/* What a submit, a collect or a find has brought. */
static enum verdict judge(struct job *j, const struct result *r)
{
    struct ca *ca = self(j)->ca;
    struct ca_issue issue = { .certificates = BUF_INIT(1 << 20) };
    enum verdict v = V_FAILED;
    enum ca_answer answer;

    if (r->err != NULL) {
        j->why = *r->err;
        told(j, r, false);
        return V_FAILED;
    }
    answer = ca->driver->judge(ca, r->http, &issue, &j->why);
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

static bool has_answer(const struct job *j)
{
    return job_has(j, BLOB_CHAIN) || j->r.reference[0] != '\0';
}

static bool find_done(const struct job *j)
{
    return j->r.submits == 0 || has_answer(j) || self(j)->ca->driver->find == NULL;
}

static enum verdict find_begin(struct job *j)
{
    return ask_ca(j, self(j)->ca->driver->find);
}

/* ---- SUBMIT: never repeated unasked.  Output: chain or reference. ------------------------------------------- */

static void spki_hex(struct job *j, char out[72])
{
    struct buf hex = BUF_INIT(72);
    struct view spki;
    uint8_t hash[32];
    struct err e;

    out[0] = '\0';
    if (csr_spki(buf_view(&j->blob[BLOB_CSR]), &spki, &e) == 0 && lib_sha256(j->a->lib, spki, hash, &e) == 0) {
        hex_add(&hex, view_of(hash, sizeof hash));
        (void)snprintf(out, 72, "%s", buf_text(&hex));
    }
    buf_free(&hex);
}

static void add_orphan(struct job *j, const char *reason)
{
    struct orphan o = { .at = clock_now() };
    struct err e;

    (void)snprintf(o.serial, sizeof o.serial, "%s", j->r.serial);
    (void)snprintf(o.request_id, sizeof o.request_id, "%s", j->r.id);
    (void)snprintf(o.ca, sizeof o.ca, "%s", j->r.ca);
    (void)snprintf(o.subject, sizeof o.subject, "%s", j->r.subject);
    (void)snprintf(o.reason, sizeof o.reason, "%s", reason);
    spki_hex(j, o.spki);
    if (store_add_orphan(j->a->store, &o, &e) != 0)
        log_err(EV_STORE_FAILED, j->r.id, j->r.ca, &e);
    log_event(EV_ORPHAN, j->r.id, j->r.ca, "%s%s: %s", o.serial[0] != '\0' ? "certificate " : "a certificate may exist",
        o.serial, reason);
}

static void submit_before(struct job *j)
{
    j->r.submits++;
}

/* Send the CSR.  If it was sent before and nobody knows what became of that, it is the same CSR, only so
 * many times, and on record. */
static enum verdict send_csr(struct job *j, ca_describe *describe)
{
    int64_t again = j->r.submits - 1, most = self(j)->ca->conf->max_duplicates;
    enum verdict v;

    if (again > most) {
        j->r.submits--;
        (void)err_set(&j->why, ERR_OPERATOR,
            "the outcome of %lld submissions is unknown and the CA cannot be asked; look there, then retry or "
            "cancel the request",
            (long long)again);
        return V_FAILED;
    }
    if (again > 0) {
        j->a->count.resubmitted++;
        log_event(EV_RESUBMITTED, j->r.id, j->r.ca, "the same CSR again: the outcome of the last one is unknown");
        add_orphan(j, "submitted more than once because an outcome was unknown; the CA may have issued twice");
    }
    crash_point(5);
    crash_soon(6);
    if ((v = ask_ca(j, describe)) == V_FAILED)
        j->r.submits--; /* nothing was sent */
    return v;
}

static enum verdict submit_begin(struct job *j)
{
    crash_point(4);
    return send_csr(j, self(j)->ca->driver->submit);
}

/* Answers that say the CA has not taken the request at all. */
static bool not_taken(const struct result *r, enum err_class cls)
{
    if (r->err != NULL)
        return !r->sent;
    return cls == ERR_BUSY || cls == ERR_AUTH || cls == ERR_FORBIDDEN || cls == ERR_PROXY || cls == ERR_CONFIG
        || cls == ERR_TOO_LARGE || cls == ERR_GONE || cls == ERR_INPUT;
}

/* After the CSR was sent: what is known about it now? */
static void settle(struct job *j, const struct result *r, enum verdict v)
{
    bool collects_by_csr = self(j)->ca->driver->collect_submits;

    if ((v == V_FAILED && not_taken(r, j->why.cls)) || (v == V_LATER && collects_by_csr))
        j->r.submits--; /* refused unseen, or pending where only a collect can issue */
}

static enum verdict submit_end(struct job *j, const struct result *r)
{
    enum verdict v;

    crash_point(7);
    v = judge(j, r);
    settle(j, r, v);
    return v == V_LATER ? V_NEXT : v; /* pending: its id is stored before anything else is done */
}

/* ---- NOTICE: tell the cloud once that the CA has not decided.  No more than a courtesy. ----------------------- */

static bool notice_done(const struct job *j)
{
    return j->r.noticed != 1 || job_has(j, BLOB_CHAIN);
}

static enum verdict notice_begin(struct job *j)
{
    struct buf result = BUF_INIT(64 << 10), body = BUF_INIT(64 << 10);
    struct op *op = NULL;

    ccp_result_write(&result,
        &(struct ccp_result){ .head = &self(j)->item.head,
            .context = self(j)->item.context,
            .issuance_state = "issuePending",
            .activity_id = j->r.activity,
            .ca = j->r.ca });
    ccp_upload_write(&body, j->r.lease, buf_view(&result));
    if (buf_check(&result, &j->why) == 0 && buf_check(&body, &j->why) == 0)
        op = cloud_post(&j->a->cloud, "results/upload", j->r.activity, buf_view(&body), CLOUD_TIMEOUT_MS, job_wake,
            j, &j->why);
    buf_free(&result);
    buf_free(&body);
    return job_ask(j, op);
}

static enum verdict notice_end(struct job *j, const struct result *r)
{
    struct err e;

    if (cloud_judge(&j->a->cloud, r, &e) == 0)
        j->r.noticed = 2;
    else
        log_err(EV_UPLOAD_FAILED, j->r.id, "cloud", &e);
    return j->wait_s > 0 ? V_LATER : V_NEXT;
}

/* ---- COLLECT: until issued or refused; days if need be.  Output: chain. ------------------------------------- */

static bool collect_done(const struct job *j)
{
    return job_has(j, BLOB_CHAIN);
}

static void collect_before(struct job *j)
{
    if (self(j)->ca->driver->collect_submits)
        j->r.submits++;
}

static enum verdict collect_begin(struct job *j)
{
    const struct ca_driver *d = self(j)->ca->driver;

    crash_point(8);
    return d->collect_submits ? send_csr(j, d->collect) : ask_ca(j, d->collect);
}

static enum verdict collect_end(struct job *j, const struct result *r)
{
    enum verdict v = judge(j, r);

    if (self(j)->ca->driver->collect_submits)
        settle(j, r, v);
    if (v == V_NEXT && !job_has(j, BLOB_CHAIN)) { /* issued, and asked again where it is */
        j->wait_s = self(j)->ca->conf->pending_interval;
        return V_LATER;
    }
    return v;
}

/* ---- ISSUER: the CA's own certificates, when the leaf's issuer is not known yet. ---------------------------- */

static bool issuer_done(const struct job *j)
{
    struct view rest = buf_view(&j->blob[BLOB_CHAIN]), leaf;
    struct err e;

    if (chain_next(&rest, &leaf, &e) != 1)
        return true; /* wrap says what is wrong with it */
    return rest.len > 0 || ca_knows_issuer(self(j)->ca, leaf);
}

static enum verdict issuer_begin(struct job *j)
{
    crash_point(9);
    return ask_ca(j, self(j)->ca->driver->chain);
}

static enum verdict issuer_end(struct job *j, const struct result *r)
{
    struct ca *ca = self(j)->ca;
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

/* ---- WRAP: check what was issued, build what the device gets.  Output: result, never rebuilt. ---------------- */

static bool wrap_done(const struct job *j)
{
    return job_has(j, BLOB_RESULT);
}

static enum verdict wrap_begin(struct job *j)
{
    struct work_pkcs *w = work_for(j, work_pkcs_wrap);
    const struct ca *ca = self(j)->ca;

    buf_add_view(&w->chain, buf_view(&j->blob[BLOB_CHAIN]));
    buf_add_view(&w->issuers, buf_view(&ca->issuers));
    buf_add_view(&w->anchors, buf_view(&ca->anchors));
    w->now = clock_now();
    w->validity_max_s = ca->conf->validity_max * DAY_S;
    w->subject_by_ca = strcmp(ca->conf->subject, "ca") == 0;
    w->include_root = j->a->conf->pkcs12.include_root;
    w->iterations = (unsigned)j->a->conf->pkcs12.iterations;
    (void)snprintf(w->activity, sizeof w->activity, "%s", j->r.activity);
    (void)snprintf(w->ca, sizeof w->ca, "%s", j->r.ca);
    return work(j, w);
}

static enum verdict wrap_end(struct job *j, const struct result *r)
{
    struct work_pkcs *w = (struct work_pkcs *)r->work;

    crash_point(10);
    if (worked(j, r) != V_NEXT)
        return V_FAILED;
    (void)snprintf(j->r.serial, sizeof j->r.serial, "%s", w->serial);
    (void)snprintf(j->r.digest, sizeof j->r.digest, "%s", w->digest);
    job_put(j, BLOB_RESULT, &w->result);
    return V_NEXT;
}

/* ---- REPORT: the certificate, or the reason there is none.  May be sent twice; the bytes are the same. ------- */

static void report_before(struct job *j)
{
    struct buf result = BUF_INIT(64 << 10);
    static const char *const states[] = { "requestSubmitFailed", "issueFailed" };

    if (job_has(j, BLOB_RESULT))
        return;
    ccp_result_write(&result,
        &(struct ccp_result){ .head = &self(j)->item.head,
            .context = self(j)->item.context,
            .issuance_state = states[j->r.submits > 0],
            .activity_id = j->r.activity,
            .why = &j->r.why,
            .ca = j->r.ca });
    if (!result.bad)
        job_put(j, BLOB_RESULT, &result);
    buf_free(&result);
}

static enum verdict report_begin(struct job *j)
{
    struct buf body = BUF_INIT(CCP_BATCH_MAX);
    struct op *op = NULL;

    crash_point(12);
    ccp_upload_write(&body, j->r.lease, buf_view(&j->blob[BLOB_RESULT]));
    if (buf_check(&body, &j->why) == 0)
        op = cloud_post(&j->a->cloud, "results/upload", j->r.activity, buf_view(&body), CLOUD_TIMEOUT_MS, job_wake,
            j, &j->why);
    crash_soon(13);
    buf_free(&body);
    return job_ask(j, op);
}

static enum verdict report_end(struct job *j, const struct result *r)
{
    crash_point(14);
    if (cloud_judge(&j->a->cloud, r, &j->why) != 0 || ccp_upload_parse(r->http->body, j->r.id, &j->why) != 0)
        return V_FAILED;
    log_event(EV_UPLOADED, j->r.id, "cloud", "%s", j->r.failed ? "reason of the failure" : "certificate");
    return V_NEXT;
}

/* ---- END: what is left behind ------------------------------------------------------------------------------- */

static void destroy_key(struct job *j)
{
    job_clear(j, BLOB_KEY);
    job_clear(j, BLOB_DATA_KEY);
}

/* It will report a failure.  A certificate that exists nevertheless must not be forgotten. */
static void pkcs_failing(struct job *j)
{
    struct view rest = buf_view(&j->blob[BLOB_CHAIN]), leaf;
    struct buf serial = BUF_INIT(64);
    struct cert c;
    struct err e;

    log_err(EV_ISSUE_FAILED, j->r.id, j->r.ca, &j->r.why);
    if (chain_next(&rest, &leaf, &e) == 1 && cert_parse(leaf, &c, &e) == 0) {
        cert_serial_hex(&c, &serial);
        (void)snprintf(j->r.serial, sizeof j->r.serial, "%s", buf_text(&serial));
        add_orphan(j, j->r.why.msg);
    } else if (j->r.submits > 0 && j->r.why.cls != ERR_DENIED && j->r.why.cls != ERR_TEMPLATE) {
        add_orphan(j, "the request was given up after a submission whose outcome is unknown");
    }
    buf_free(&serial);
    destroy_key(j);
}

static void pkcs_ending(struct job *j, const struct err *unreported)
{
    crash_point(15);
    if (unreported != NULL) {
        j->r.state = unreported->cls == ERR_CONFLICT ? REQUEST_SUPERSEDED
            : unreported->cls == ERR_GONE           ? REQUEST_CANCELLED
                                              : REQUEST_REJECTED;
        if (!j->r.failed)
            add_orphan(j, unreported->msg);
        log_err(EV_REQUEST_FAILED, j->r.id, j->r.ca, unreported);
        j->a->count.rejected++;
    } else if (j->r.failed) {
        j->r.state = REQUEST_REJECTED;
        log_err(EV_REQUEST_FAILED, j->r.id, j->r.ca, &j->r.why);
        j->a->count.rejected++;
    } else {
        j->r.state = REQUEST_DELIVERED;
        log_event(EV_REQUEST_DONE, j->r.id, j->r.ca, "delivered, serial %s, %lld s after it was received",
            j->r.serial, (long long)(clock_now() - j->r.received_at));
        j->a->count.delivered++;
    }
    destroy_key(j);
    job_clear(j, BLOB_CSR);
    crash_point(16);
}

/* ---- the kind ------------------------------------------------------------------------------------------------ */

int job_pkcs_policy(const struct agent *a, const struct ccp_item *item, struct err *e)
{
    const struct ca *ca = agent_ca(a, item->ca_name);

    if (ca == NULL)
        return err_set(e, ERR_CONFIG, "CA \"%s\" is not configured here", item->ca_name);
    if (!conf_ca_offers(ca->conf, item->template.name))
        return err_set(e, ERR_TEMPLATE, "template \"%s\" is not listed for CA \"%s\"", item->template.name,
            item->ca_name);
    if (item->recipient_count != 1)
        return err_set(e, ERR_UNSUPPORTED, "%zu recipients; exactly one is supported", item->recipient_count);
    if (item->escrow)
        return err_set(e, ERR_UNSUPPORTED, "escrow is asked for and no escrow key is configured");
    return 0;
}

static int pkcs_open(struct job *j, struct err *e)
{
    struct pkcs *p = xcalloc(1, sizeof *p);

    j->ctx = p;
    if (ccp_item_parse(buf_view(&j->blob[BLOB_ITEM]), &p->item, e) != 0)
        return -1;
    p->ca = agent_ca(j->a, p->item.ca_name);
    return job_pkcs_policy(j->a, &p->item, e);
}

static void pkcs_close(struct job *j)
{
    if (j->ctx == NULL)
        return;
    ccp_item_free(&self(j)->item);
    free(j->ctx);
}

static const struct step steps[S_COUNT] = {
    [S_KEY] = { "key", key_done, NULL, key_begin, key_end, NULL, S_KEY },
    [S_CSR] = { "csr", csr_done, NULL, csr_begin, csr_end, NULL, S_KEY },
    [S_FIND] = { "find", find_done, NULL, find_begin, judge, peer_ca, S_FIND },
    [S_SUBMIT] = { "submit", has_answer, submit_before, submit_begin, submit_end, peer_ca, S_FIND },
    [S_NOTICE] = { "notice", notice_done, NULL, notice_begin, notice_end, peer_cloud, S_COLLECT },
    [S_COLLECT] = { "collect", collect_done, collect_before, collect_begin, collect_end, peer_ca, S_NOTICE },
    [S_ISSUER] = { "issuer", issuer_done, NULL, issuer_begin, issuer_end, peer_ca, S_ISSUER },
    [S_WRAP] = { "wrap", wrap_done, NULL, wrap_begin, wrap_end, NULL, S_ISSUER },
    [S_REPORT] = { "report", NULL, report_before, report_begin, report_end, peer_cloud, S_REPORT },
    [S_END] = { "end", NULL, NULL, NULL, NULL, NULL, S_END },
};

const struct job_kind job_pkcs = {
    .name = "pkcsIssue",
    .steps = steps,
    .count = S_COUNT,
    .report = S_REPORT,
    .open = pkcs_open,
    .close = pkcs_close,
    .failing = pkcs_failing,
    .ending = pkcs_ending,
};
