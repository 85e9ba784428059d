/*
 * The steps of a pkcsIssue request that run on worker threads: key, csr, wrap.  See job_pkcs_inner.h;
 * the cryptography itself is work_pkcs.c.
 */
#include <stdio.h>
#include <string.h>
#include "agent/base/clock.h"
#include "agent/base/crash.h"
#include "agent/requests/job_pkcs_inner.h"
#include "agent/requests/keypool.h"
#include "agent/requests/work_pkcs.h"

enum { DAY_S = 86400 };

static struct work_pkcs *work_for(
    struct job *j, int (*run)(struct lib *l, struct io_work *w, struct err *e))
{
    struct work_pkcs *w = work_pkcs_new(j->r.id, &j->a->vault, buf_view(&j->blob[BLOB_ITEM]), run);

    buf_add_view(&w->data_key, buf_view(&j->blob[BLOB_DATA_KEY]));
    buf_add_view(&w->key, buf_view(&j->blob[BLOB_KEY]));
    buf_add_view(&w->csr, buf_view(&j->blob[BLOB_CSR]));
    return w;
}

/* ---- KEY: the subscriber's key pair.  Output: data_key and key, sealed. ------------------------------- */

bool pkcs_key_done(const struct job *j)
{
    return job_has(j, BLOB_KEY);
}

enum verdict pkcs_key_begin(struct job *j)
{
    struct work_pkcs *w = work_for(j, work_pkcs_key);

    w->key_type = pkcs_of(j)->item.template.key;
    w->keygen = conf_keygen(j->a->conf);
    w->from_pool = keypool_take(j->a->keypool, w->key_type);
    return job_work(j, &w->work);
}

enum verdict pkcs_key_end(struct job *j, const struct result *r)
{
    struct work_pkcs *w = (struct work_pkcs *)r->work;

    crash_point(3);
    if (job_worked(j, r) != V_NEXT)
        return V_FAILED;
    job_put(j, BLOB_DATA_KEY, &w->data_key);
    job_put(j, BLOB_KEY, &w->key);
    return V_NEXT;
}

/* ---- CSR: the request for the CA.  Output: csr. --------------------------------------------------------- */

bool pkcs_csr_done(const struct job *j)
{
    return job_has(j, BLOB_CSR);
}

enum verdict pkcs_csr_begin(struct job *j)
{
    struct work_pkcs *w = work_for(j, work_pkcs_csr);
    const char *how = j->ca->conf->template_in_csr;

    w->template_name = strcmp(how, "name") == 0;
    w->template_pair = strcmp(how, "pair") == 0;
    return job_work(j, &w->work);
}

enum verdict pkcs_csr_end(struct job *j, const struct result *r)
{
    struct work_pkcs *w = (struct work_pkcs *)r->work;

    if (job_worked(j, r) != V_NEXT)
        return V_FAILED;
    job_put(j, BLOB_CSR, &w->csr);
    return V_NEXT;
}

/* ---- WRAP: check what was issued, build what the device gets.  Output: result, never rebuilt. ---------------- */

bool pkcs_wrap_done(const struct job *j)
{
    return job_has(j, BLOB_RESULT);
}

enum verdict pkcs_wrap_begin(struct job *j)
{
    struct work_pkcs *w = work_for(j, work_pkcs_wrap);
    const struct ca *ca = j->ca;

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
    return job_work(j, &w->work);
}

enum verdict pkcs_wrap_end(struct job *j, const struct result *r)
{
    struct work_pkcs *w = (struct work_pkcs *)r->work;

    crash_point(10);
    if (job_worked(j, r) != V_NEXT)
        return V_FAILED;
    (void)snprintf(j->r.serial, sizeof j->r.serial, "%s", w->serial);
    (void)snprintf(j->r.digest, sizeof j->r.digest, "%s", w->digest);
    job_put(j, BLOB_RESULT, &w->result);
    return V_NEXT;
}
