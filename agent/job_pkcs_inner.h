#ifndef AGENT_JOB_PKCS_INNER_H
#define AGENT_JOB_PKCS_INNER_H
#include "agent/agent.h"
#include "agent/job_pkcs.h"

/*
 * job_pkcs_inner.h - between the job_pkcs*.c files: the steps, and what they share.
 *
 * In order: key, csr (workers), find, submit (the CA), notice (the cloud), collect, issuer (the CA),
 * wrap (a worker), report (the cloud).  The table is in job_pkcs.c.
 */
enum {
    S_KEY,
    S_CSR,
    S_FIND,
    S_SUBMIT,
    S_NOTICE,
    S_COLLECT,
    S_ISSUER,
    S_WRAP,
    S_REPORT,
    S_END,
    S_COUNT
};

struct pkcs { /* a job's ctx */
    struct ccp_item item;
    struct ca *ca; /* NULL: it has none, and can only be reported */
};

static inline struct pkcs *pkcs_of(const struct job *j)
{
    return j->ctx;
}

/* pkcs_add_orphan - a certificate of this request exists, or may exist, and will not be delivered. */
void pkcs_add_orphan(struct job *j, const char *reason);

bool pkcs_key_done(const struct job *j);
enum verdict pkcs_key_begin(struct job *j);
enum verdict pkcs_key_end(struct job *j, const struct result *r);
bool pkcs_csr_done(const struct job *j);
enum verdict pkcs_csr_begin(struct job *j);
enum verdict pkcs_csr_end(struct job *j, const struct result *r);
bool pkcs_wrap_done(const struct job *j);
enum verdict pkcs_wrap_begin(struct job *j);
enum verdict pkcs_wrap_end(struct job *j, const struct result *r);
enum verdict pkcs_find_end(struct job *j, const struct result *r);
bool pkcs_find_done(const struct job *j);
enum verdict pkcs_find_begin(struct job *j);
bool pkcs_submit_done(const struct job *j);
void pkcs_submit_before(struct job *j);
enum verdict pkcs_submit_begin(struct job *j);
enum verdict pkcs_submit_end(struct job *j, const struct result *r);
bool pkcs_collect_done(const struct job *j);
void pkcs_collect_before(struct job *j);
enum verdict pkcs_collect_begin(struct job *j);
enum verdict pkcs_collect_end(struct job *j, const struct result *r);
bool pkcs_issuer_done(const struct job *j);
enum verdict pkcs_issuer_begin(struct job *j);
enum verdict pkcs_issuer_end(struct job *j, const struct result *r);
bool pkcs_notice_done(const struct job *j);
enum verdict pkcs_notice_begin(struct job *j);
enum verdict pkcs_notice_end(struct job *j, const struct result *r);
void pkcs_report_before(struct job *j);
enum verdict pkcs_report_begin(struct job *j);
enum verdict pkcs_report_end(struct job *j, const struct result *r);
#endif
