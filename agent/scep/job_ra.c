/* see job_ra.h.  The table of steps, and the steps that are its own. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "agent/base/clock.h"
#include "agent/base/crash.h"
#include "agent/requests/audit.h"
#include "agent/requests/job_ca.h"
#include "agent/scep/job_ra.h"
#include "agent/scep/ra_renew.h"
#include "agent/scep/ra_stock.h"
#include "agent/scep/work_ra.h"
#include "certs/chain.h"
#include "certs/mem.h"
#include "proto/json.h"

enum { ITEM_MAX = 4096 };
enum { S_KEY, S_CSR, S_FIND, S_SUBMIT, S_COLLECT, S_ISSUER, S_CHECK, S_INSTALL, S_END, S_COUNT };

struct ra_job { /* a job's ctx */
    struct ra_item item;
    struct endpoint *p; /* NULL: its section is gone */
};

static struct ra_job *ra_of(const struct job *j)
{
    return j->ctx;
}

/* ---- BLOB_ITEM ---------------------------------------------------------------------------------------------- */

void ra_item_write(struct buf *out, const struct ra_item *i)
{
    struct json_out o = { .to = out };

    json_open(&o, NULL, '{');
    json_put_int(&o, "v", 1);
    json_put_text(&o, "endpoint", i->endpoint);
    json_put_int(&o, "generation", i->generation);
    json_put_text(&o, "use", i->use == 's' ? "signing" : "encryption");
    json_put_text(&o, "subject", i->subject);
    json_close(&o, '}');
}

int ra_item_parse(struct view text, struct ra_item *i, struct err *e)
{
    struct json *root = json_parse(text, ITEM_MAX, e);
    const char *endpoint, *use, *subject;
    int rc = -1;

    if (root == NULL)
        return -1;
    if (json_text(root, "endpoint", true, sizeof i->endpoint - 1, &endpoint, e) == 0
        && json_text(root, "use", true, 16, &use, e) == 0
        && json_text(root, "subject", true, sizeof i->subject - 1, &subject, e) == 0
        && json_int(root, "generation", true, 1, INT64_MAX, &i->generation, e) == 0) {
        (void)snprintf(i->endpoint, sizeof i->endpoint, "%s", endpoint);
        (void)snprintf(i->subject, sizeof i->subject, "%s", subject);
        i->use = strcmp(use, "signing") == 0 ? 's' : 'e';
        rc = 0;
    }
    json_free(root);
    return rc;
}

/* ---- on workers: key, csr, check ------------------------------------------------------------------------------ */

static struct work_ra *work_for(
    struct job *j, int (*run)(struct lib *l, struct io_work *w, struct err *e))
{
    struct work_ra *w = work_ra_new(j->r.id, &j->a->vault, run);
    const struct ra_job *c = ra_of(j);

    w->use = c->item.use;
    (void)snprintf(w->template_name, sizeof w->template_name, "%s", j->r.template_name);
    (void)snprintf(w->subject, sizeof w->subject, "%s", c->item.subject);
    buf_add_view(&w->data_key, buf_view(&j->blob[BLOB_DATA_KEY]));
    buf_add_view(&w->key, buf_view(&j->blob[BLOB_KEY]));
    buf_add_view(&w->csr, buf_view(&j->blob[BLOB_CSR]));
    return w;
}

static bool key_done(const struct job *j)
{
    return job_has(j, BLOB_KEY);
}

/* Not from the pool: once a year is no reason to keep keys of this size in stock. */
static enum verdict key_begin(struct job *j)
{
    struct work_ra *w = work_for(j, work_ra_key);

    w->keygen = conf_keygen(j->a->conf);
    return job_work(j, &w->work);
}

static enum verdict key_end(struct job *j, const struct result *r)
{
    struct work_ra *w = (struct work_ra *)r->work;

    crash_point(3);
    if (job_worked(j, r) != V_NEXT)
        return V_FAILED;
    job_put(j, BLOB_DATA_KEY, &w->data_key);
    job_put(j, BLOB_KEY, &w->key);
    return V_NEXT;
}

static bool csr_done(const struct job *j)
{
    return job_has(j, BLOB_CSR);
}

static enum verdict csr_begin(struct job *j)
{
    struct work_ra *w = work_for(j, work_ra_csr);

    w->in_csr_name = strcmp(j->ca->conf->template_in_csr, "name") == 0;
    w->in_csr_pair = strcmp(j->ca->conf->template_in_csr, "pair") == 0;
    return job_work(j, &w->work);
}

static enum verdict csr_end(struct job *j, const struct result *r)
{
    struct work_ra *w = (struct work_ra *)r->work;

    if (job_worked(j, r) != V_NEXT)
        return V_FAILED;
    job_put(j, BLOB_CSR, &w->csr);
    return V_NEXT;
}

static bool check_done(const struct job *j)
{
    return job_has(j, BLOB_RESULT);
}

static enum verdict check_begin(struct job *j)
{
    struct work_ra *w = work_for(j, work_ra_check);

    buf_add_view(&w->chain, buf_view(&j->blob[BLOB_CHAIN]));
    buf_add_view(&w->issuers, buf_view(&j->ca->issuers));
    buf_add_view(&w->anchors, buf_view(&j->ca->anchors));
    w->now = clock_now();
    w->subject_by_ca = strcmp(j->ca->conf->subject, "ca") == 0;
    return job_work(j, &w->work);
}

static enum verdict check_end(struct job *j, const struct result *r)
{
    struct work_ra *w = (struct work_ra *)r->work;

    crash_point(10);
    if (job_worked(j, r) != V_NEXT)
        return V_FAILED;
    (void)snprintf(j->r.serial, sizeof j->r.serial, "%s", w->serial);
    (void)snprintf(j->r.digest, sizeof j->r.digest, "%s", w->digest);
    job_put(j, BLOB_RESULT, &w->path);
    return V_NEXT;
}

/* ---- INSTALL: into the store's own table, in the transaction of the end. ---------------------------------------- */

static enum verdict install_begin(struct job *j)
{
    const struct ra_item *i = &ra_of(j)->item;
    struct view rest = buf_view(&j->blob[BLOB_RESULT]), leaf;
    struct store_ra r = { .generation = i->generation,
        .use = i->use,
        .path = buf_view(&j->blob[BLOB_RESULT]),
        .data_key = buf_view(&j->blob[BLOB_DATA_KEY]),
        .key = buf_view(&j->blob[BLOB_KEY]),
        .installed_at = clock_now() };
    struct cert c;

    if (chain_next(&rest, &leaf, &j->why) != 1 || cert_parse(leaf, &c, &j->why) != 0)
        return V_FAILED;
    r.not_before_at = c.not_before_at;
    r.not_after_at = c.not_after_at;
    (void)snprintf(r.endpoint, sizeof r.endpoint, "%s", i->endpoint);
    (void)snprintf(r.request_id, sizeof r.request_id, "%s", j->r.id);
    return ra_stock_keep(j->a->store, &r, &j->why) == 0 ? V_NEXT : V_FAILED;
}

/* Never waits for anything: begin has answered already. */
static enum verdict install_end(struct job *j, const struct result *r)
{
    return job_worked(j, r);
}

/* ---- END ---------------------------------------------------------------------------------------------------------- */

static void ra_failing(struct job *j)
{
    struct view rest = buf_view(&j->blob[BLOB_CHAIN]), leaf;
    struct buf serial = BUF_INIT(64);
    struct cert c;
    struct err e;

    if (chain_next(&rest, &leaf, &e) == 1 && cert_parse(leaf, &c, &e) == 0) {
        cert_serial_hex(&c, &serial);
        (void)snprintf(j->r.serial, sizeof j->r.serial, "%s", buf_text(&serial));
        job_add_orphan(j, j->r.why.msg);
    } else if (j->r.submits > 0 && j->r.why.cls != ERR_DENIED && j->r.why.cls != ERR_TEMPLATE) {
        job_add_orphan(j, "the request was given up after a submission whose outcome is unknown");
    }
    buf_free(&serial);
}

static void ra_ending(struct job *j, const struct err *unreported)
{
    static const enum blob over[] = { BLOB_KEY, BLOB_DATA_KEY, BLOB_CSR, BLOB_CHAIN, BLOB_RESULT };
    const struct ra_item *i = &ra_of(j)->item;
    struct err e;

    (void)unreported; /* nobody else has to take it */
    crash_point(15);
    if (j->r.failed) {
        j->r.state = j->r.why.cls == ERR_OPERATOR ? REQUEST_CANCELLED : REQUEST_REJECTED;
        log_err(EV_RA_FAILED, j->r.id, j->r.ca, &j->r.why);
    } else {
        j->r.state = REQUEST_DELIVERED;
        if (store_drop_orphan(j->a->store, j->r.id, j->r.serial, &e) != 0)
            log_err(EV_STORE_FAILED, j->r.id, j->r.ca, &e);
        log_event(EV_RA_RENEWED, j->r.id, j->r.ca,
            "endpoint %s, generation %lld: %s certificate, serial %s", i->endpoint,
            (long long)i->generation, i->use == 's' ? "signing" : "encryption", j->r.serial);
        if (audit_add(j->a, AUDIT_RA_INSTALLED, "service", i->endpoint, j->r.serial, &e) != 0)
            log_err(EV_STORE_FAILED, j->r.id, j->r.ca, &e);
    }
    for (size_t n = 0; n < sizeof over / sizeof over[0]; n++)
        if (job_has(j, over[n]))
            job_clear(j, over[n]);
    crash_point(16);
}

/* ---- the kind ------------------------------------------------------------------------------------------------------ */

static int ra_job_open(struct job *j, struct err *e)
{
    struct ra_job *c = xcalloc(1, sizeof *c);

    j->ctx = c;
    j->ca = agent_ca(j->a, j->r.ca);
    j->template_name = j->r.template_name;
    if (ra_item_parse(buf_view(&j->blob[BLOB_ITEM]), &c->item, e) != 0)
        return -1;
    c->p = j->a->scepd != NULL ? scepd_endpoint(j->a->scepd, c->item.endpoint) : NULL;
    if (c->p == NULL || j->ca == NULL || c->p->conf->ra_signing_template == NULL)
        return err_set(e, ERR_INPUT, "scep \"%s\" no longer enrols its certificates from ca \"%s\"",
            c->item.endpoint, j->r.ca);
    return 0;
}

static void ra_job_close(struct job *j)
{
    free(j->ctx);
}

/* Only what is committed is used. */
static void ra_parked(struct job *j)
{
    if (request_is_final(j->r.state) && ra_of(j)->p != NULL)
        ra_renew_ended(ra_of(j)->p);
}

static const struct step steps[S_COUNT] = {
    [S_KEY] = { "key", key_done, NULL, key_begin, key_end, NULL, S_KEY },
    [S_CSR] = { "csr", csr_done, NULL, csr_begin, csr_end, NULL, S_KEY },
    [S_FIND] = JOB_CA_FIND(S_FIND),
    [S_SUBMIT] = JOB_CA_SUBMIT(S_FIND),
    [S_COLLECT] = JOB_CA_COLLECT(S_FIND),
    [S_ISSUER] = JOB_CA_ISSUER(S_ISSUER),
    [S_CHECK] = { "check", check_done, NULL, check_begin, check_end, NULL, S_ISSUER },
    [S_INSTALL] = { "install", NULL, NULL, install_begin, install_end, NULL, S_ISSUER },
    [S_END] = { "end", NULL, NULL, NULL, NULL, NULL, S_END },
};

const struct job_kind job_ra = {
    .name = "raEnrol",
    .steps = steps,
    .count = S_COUNT,
    .report = S_END,
    .open = ra_job_open,
    .parked = ra_parked,
    .close = ra_job_close,
    .failing = ra_failing,
    .ending = ra_ending,
    .says = { EV_RA_STEP, EV_RA_PENDING, EV_RA_ISSUED, EV_RA_ATTEMPT_FAILED, EV_RA_HELD,
        EV_RA_RESUBMITTED },
};
