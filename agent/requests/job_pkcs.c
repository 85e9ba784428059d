/*
 * see job_pkcs.h.  The table of steps, what is recorded when a request fails or ends, and what is refused
 * before anything is done.  The steps themselves: job_pkcs_local.c, job_ca.c, job_pkcs_cloud.c.
 */
#include <stdio.h>
#include <stdlib.h>
#include "agent/base/clock.h"
#include "agent/base/crash.h"
#include "agent/base/log.h"
#include "agent/requests/job_pkcs_inner.h"
#include "agent/requests/orphan.h"
#include "certs/chain.h"
#include "certs/mem.h"

static struct peer *peer_cloud(const struct job *j)
{
    return j->a->cloud.peer;
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
        job_add_orphan(j, j->r.why.msg);
    } else if (orphan_possible(&j->r) && j->r.why.cls != ERR_DENIED
               && j->r.why.cls != ERR_TEMPLATE) {
        job_add_orphan(j, "the request was given up after a submission whose outcome is unknown");
    }
    buf_free(&serial);
    destroy_key(j);
}

static void pkcs_ending(struct job *j, const struct err *unreported)
{
    crash_point(15);
    if (unreported != NULL) {
        j->r.state = unreported->cls == ERR_CONFLICT ? REQUEST_SUPERSEDED
                     : unreported->cls == ERR_GONE   ? REQUEST_CANCELLED
                                                     : REQUEST_REJECTED;
        if (!j->r.failed)
            job_add_orphan(j, unreported->msg);
        log_err(EV_REQUEST_FAILED, j->r.id, j->r.ca, unreported);
        j->a->count.rejected++;
    } else if (j->r.failed) {
        j->r.state = j->r.why.cls == ERR_OPERATOR ? REQUEST_CANCELLED : REQUEST_REJECTED;
        log_err(EV_REQUEST_FAILED, j->r.id, j->r.ca, &j->r.why);
        j->a->count.rejected++;
    } else {
        struct err e;

        j->r.state = REQUEST_DELIVERED;
        if (store_drop_orphan(j->a->store, j->r.id, j->r.serial, &e) != 0)
            log_err(EV_STORE_FAILED, j->r.id, j->r.ca, &e);
        log_event(EV_REQUEST_DONE, j->r.id, j->r.ca,
            "delivered, serial %s, %lld s after it was received", j->r.serial,
            (long long)(clock_now() - j->r.received_at));
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
        return err_set(e, ERR_TEMPLATE, "template \"%s\" is not listed for CA \"%s\"",
            item->template.name, item->ca_name);
    if (item->recipient_count != 1)
        return err_set(
            e, ERR_UNSUPPORTED, "%zu recipients; exactly one is supported", item->recipient_count);
    if (item->escrow)
        return err_set(e, ERR_UNSUPPORTED, "escrow is asked for and no escrow key is configured");
    return 0;
}

/* The configuration may be another one than when it was taken.  A result that is made goes to its device all the same;
 * what the CA has seen waits for an administrator, who lists it again or cancels it: refused, its certificate would be
 * nobody's. */
static int still_allowed(const struct job *j, struct err *e)
{
    if (job_has(j, BLOB_RESULT) || job_pkcs_policy(j->a, &pkcs_of(j)->item, e) == 0)
        return 0;
    if (!orphan_possible(&j->r))
        return -1;
    e->cls = ERR_CONFIG;
    return err_wrap(e, "the CA has it already, and may not be asked any more");
}

static int pkcs_open(struct job *j, struct err *e)
{
    struct pkcs *p = xcalloc(1, sizeof *p);

    j->ctx = p;
    if (ccp_item_parse(buf_view(&j->blob[BLOB_ITEM]), &p->item, e) != 0)
        return -1;
    j->ca = agent_ca(j->a, p->item.ca_name);
    j->template_name = p->item.template.name;
    j->validity_s = p->item.template.validity_s;
    return still_allowed(j, e);
}

static void pkcs_close(struct job *j)
{
    if (j->ctx == NULL)
        return;
    ccp_item_free(&pkcs_of(j)->item);
    free(j->ctx);
}

static const struct step steps[S_COUNT] = {
    [S_KEY] = { "key", pkcs_key_done, NULL, pkcs_key_begin, pkcs_key_end, NULL, S_KEY },
    [S_CSR] = { "csr", pkcs_csr_done, NULL, pkcs_csr_begin, pkcs_csr_end, NULL, S_KEY },
    [S_FIND] = JOB_CA_FIND(S_FIND),
    [S_SUBMIT] = JOB_CA_SUBMIT(S_FIND),
    [S_NOTICE] = { "notice", pkcs_notice_done, NULL, pkcs_notice_begin, pkcs_notice_end, peer_cloud,
        S_FIND },
    [S_COLLECT] = JOB_CA_COLLECT(S_FIND),
    [S_ISSUER] = JOB_CA_ISSUER(S_ISSUER),
    [S_WRAP] = { "wrap", pkcs_wrap_done, NULL, pkcs_wrap_begin, pkcs_wrap_end, NULL, S_ISSUER },
    [S_REPORT] = { "report", NULL, pkcs_report_before, pkcs_report_begin, pkcs_report_end,
        peer_cloud, S_REPORT },
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
    .says = { EV_STEP, EV_PENDING, EV_ISSUED, EV_ATTEMPT_FAILED, EV_HELD, EV_RESUBMITTED },
};
