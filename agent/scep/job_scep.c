/* see job_scep.h.  The table of steps, the check of what was issued, beginning and end. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "agent/base/clock.h"
#include "agent/base/crash.h"
#include "agent/requests/audit.h"
#include "agent/scep/job_scep_inner.h"
#include "certs/chain.h"
#include "certs/mem.h"

enum { DAY_S = 86400 };
enum { S_ASK, S_FIND, S_SUBMIT, S_COLLECT, S_ISSUER, S_CHECK, S_NOTIFY, S_END, S_COUNT };

static struct peer *peer_asked(const struct job *j)
{
    return scep_of(j)->p->asked;
}

/* ---- CHECK: is it what was asked for?  Output: result. ------------------------------------------------------ */

static bool check_done(const struct job *j)
{
    return job_has(j, BLOB_RESULT);
}

static enum verdict check_begin(struct job *j)
{
    struct work_scep_check *w = work_scep_check_new();

    w->rules = &scep_of(j)->p->rules;
    buf_add_view(&w->csr, buf_view(&j->blob[BLOB_CSR]));
    buf_add_view(&w->chain, buf_view(&j->blob[BLOB_CHAIN]));
    buf_add_view(&w->issuers, buf_view(&j->ca->issuers));
    buf_add_view(&w->anchors, buf_view(&j->ca->anchors));
    w->now = clock_now();
    w->validity_max_s = j->ca->conf->validity_max * DAY_S;
    w->subject_by_ca = strcmp(j->ca->conf->subject, "ca") == 0;
    return job_work(j, &w->work);
}

static enum verdict check_end(struct job *j, const struct result *r)
{
    struct work_scep_check *w = (struct work_scep_check *)r->work;

    if (job_worked(j, r) != V_NEXT)
        return V_FAILED;
    (void)snprintf(j->r.serial, sizeof j->r.serial, "%s", w->serial);
    (void)snprintf(j->r.digest, sizeof j->r.digest, "%s", w->digest);
    job_put(j, BLOB_RESULT, &w->result);
    job_clear(j, BLOB_CHAIN);
    crash_point(18);
    return V_NEXT;
}

/* ---- END ----------------------------------------------------------------------------------------------------- */

/* The serial number of what the CA has sent, if it has. */
static void learn_serial(struct job *j)
{
    struct view rest = buf_view(&j->blob[job_has(j, BLOB_RESULT) ? BLOB_RESULT : BLOB_CHAIN]), leaf;
    struct buf serial = BUF_INIT(64);
    struct cert c;
    struct err e;

    if (chain_next(&rest, &leaf, &e) == 1 && cert_parse(leaf, &c, &e) == 0) {
        cert_serial_hex(&c, &serial);
        (void)snprintf(j->r.serial, sizeof j->r.serial, "%s", buf_text(&serial));
    }
    buf_free(&serial);
}

static bool may_exist(const struct job *j)
{
    bool refused = j->r.why.cls == ERR_DENIED || j->r.why.cls == ERR_TEMPLATE;

    return j->r.submits > (refused ? 1 : 0); /* the refusal is of one of them, the last */
}

static void scep_failing(struct job *j)
{
    learn_serial(j);
    if (j->r.serial[0] != '\0')
        job_add_orphan(j, j->r.why.msg);
    else if (may_exist(j))
        job_add_orphan(j, "the request was given up after a submission whose outcome is unknown");
}

/* Without a certificate anywhere its challenge may serve again. */
static void release(struct job *j)
{
    struct err e;

    if (!j->unsaved && j->r.serial[0] == '\0' && !may_exist(j)
        && store_release(j->a->store, scep_of(j)->item.challenge, j->r.id, &e) != 0)
        log_err(EV_STORE_FAILED, j->r.id, j->r.ca, &e);
}

/* What was decided about its challenge; of a stranger's request nothing is written. */
static void record(struct job *j)
{
    const struct scep *c = scep_of(j);
    struct err e;

    if (!j->unsaved
        && audit_add(j->a, c->allowed ? AUDIT_CHALLENGE_ACCEPTED : AUDIT_CHALLENGE_REFUSED,
               "service", j->r.id, c->item.endpoint, &e)
               != 0)
        log_err(EV_STORE_FAILED, j->r.id, j->r.ca, &e);
}

static void scep_ending(struct job *j, const struct err *unreported)
{
    static const enum blob over[] = { BLOB_ITEM, BLOB_CSR, BLOB_SIGNER, BLOB_CHAIN, BLOB_NOTES };
    struct scep *c = scep_of(j);
    struct err e;

    if (unreported != NULL && !j->r.failed) { /* issued, and the plugin does not take it */
        j->r.failed = true;
        j->r.why = *unreported;
        learn_serial(j);
        job_add_orphan(j, unreported->msg);
        log_err(EV_SCEP_UNNOTIFIED, j->r.id, j->r.ca, unreported);
    } else if (j->r.failed) {
        release(j);
        log_err(c->allowed ? EV_SCEP_FAILED : EV_SCEP_REFUSED, j->r.id, j->r.ca, &j->r.why);
    }
    record(j);
    if (j->r.failed) {
        j->r.state = j->r.why.cls == ERR_OPERATOR ? REQUEST_CANCELLED : REQUEST_REJECTED;
        j->a->count.rejected++;
    } else {
        j->r.state = REQUEST_DELIVERED;
        if (j->r.submits > 1 /* else none was listed */
            && store_drop_orphan(j->a->store, j->r.id, j->r.serial, &e) != 0)
            log_err(EV_STORE_FAILED, j->r.id, j->r.ca, &e);
        log_event(EV_SCEP_DONE, j->r.id, j->r.ca, "%s, serial %s, endpoint %s", j->r.subject,
            j->r.serial, c->item.endpoint);
        j->a->count.delivered++;
    }
    for (size_t i = 0; i < sizeof over / sizeof over[0]; i++)
        if (job_has(j, over[i]))
            job_clear(j, over[i]);
}

void job_scep_said(const struct job *j, enum scep_fail *fail, uint32_t *hresult)
{
    const struct scep *c = scep_of(j);

    *fail = c != NULL ? c->fail : SCEP_BAD_REQUEST;
    *hresult =
        c != NULL && c->allowed ? err_hresult(&j->r.why) : 0; /* before, every refusal is alike */
}

const char *job_scep_remote(const struct job *j)
{
    return j->ctx != NULL ? scep_of(j)->item.remote : "";
}

/* ---- the kind -------------------------------------------------------------------------------------------------- */

static void read_notes(const struct job *j, struct scep *c)
{
    struct view notes = buf_view(&j->blob[BLOB_NOTES]);

    if (notes.len == 0)
        return;
    c->passed = notes.p[0] == 'A';
    c->allowed = c->passed || notes.p[0] == 'a';
    memcpy(c->memo, notes.p + 1, notes.len - 1 < sizeof c->memo ? notes.len - 1 : sizeof c->memo);
}

static int understand(struct job *j, struct err *e)
{
    struct scep *c = scep_of(j);

    c->fail = SCEP_BAD_REQUEST;
    j->ca = agent_ca(j->a, j->r.ca);
    j->template_name = j->r.template_name;
    if (scep_item_parse(buf_view(&j->blob[BLOB_ITEM]), &c->item, e) != 0)
        return -1;
    c->p = j->a->scepd != NULL ? scepd_endpoint(j->a->scepd, c->item.endpoint) : NULL;
    read_notes(j, c);
    if (scep_see(j, c, e) != 0) {
        c->allowed = false; /* there is nothing to show the plugin */
        return -1;
    }
    if (c->p == NULL || j->ca == NULL)
        return err_set(
            e, ERR_INPUT, "scep \"%s\" or its CA is no longer configured", c->item.endpoint);
    return 0;
}

static int scep_open(struct job *j, struct err *e)
{
    j->ctx = xcalloc(1, sizeof(struct scep));
    if (understand(j, e) == 0)
        return 0;
    if (!j->r.failed && (scep_of(j)->p == NULL || j->ca == NULL))
        j->step = S_ASK; /* whoever the step it stands at would ask is not there */
    return -1;
}

static void scep_close(struct job *j)
{
    struct scep *c = scep_of(j);

    if (c == NULL)
        return;
    if (j->a->scepd != NULL)
        scepd_unreserve(j->a->scepd, c->item.challenge, j->r.id);
    csr_free(&c->csr);
    buf_free(&c->texts);
    free(c);
}

static void scep_parked(struct job *j)
{
    if (j->a->scepd != NULL)
        scepd_parked(j->a->scepd, j);
}

static const struct step steps[S_COUNT] = {
    [S_ASK] = { "ask", scep_ask_done, NULL, scep_ask_begin, scep_ask_end, NULL, S_ASK },
    [S_FIND] = JOB_CA_FIND(S_FIND),
    [S_SUBMIT] = JOB_CA_SUBMIT(S_FIND),
    [S_COLLECT] = JOB_CA_COLLECT(S_FIND),
    [S_ISSUER] = JOB_CA_ISSUER(S_ISSUER),
    [S_CHECK] = { "check", check_done, NULL, check_begin, check_end, NULL, S_ISSUER },
    [S_NOTIFY] = { "notify", scep_notify_done, scep_notify_before, scep_notify_begin,
        scep_notify_end, peer_asked, S_NOTIFY },
    [S_END] = { "end", NULL, NULL, NULL, NULL, NULL, S_END },
};

const struct job_kind job_scep = {
    .name = "scep",
    .steps = steps,
    .count = S_COUNT,
    .report = S_NOTIFY,
    .open = scep_open,
    .parked = scep_parked,
    .close = scep_close,
    .failing = scep_failing,
    .ending = scep_ending,
    .says = { EV_SCEP_STEP, EV_SCEP_PENDING, EV_SCEP_ISSUED, EV_SCEP_ATTEMPT_FAILED, EV_SCEP_HELD,
        EV_SCEP_RESUBMITTED },
};
