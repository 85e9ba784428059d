#ifndef AGENT_JOB_PKCS_INNER_H
#define AGENT_JOB_PKCS_INNER_H
#include "agent/agent.h"
#include "agent/requests/job_ca.h"
#include "agent/requests/job_pkcs.h"

/*
 * job_pkcs_inner.h - between the job_pkcs*.c files: the steps of its own, and what they share.
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
};

static inline struct pkcs *pkcs_of(const struct job *j)
{
    return j->ctx;
}

bool pkcs_key_done(const struct job *j);
enum verdict pkcs_key_begin(struct job *j);
enum verdict pkcs_key_end(struct job *j, const struct result *r);
bool pkcs_csr_done(const struct job *j);
enum verdict pkcs_csr_begin(struct job *j);
enum verdict pkcs_csr_end(struct job *j, const struct result *r);
bool pkcs_wrap_done(const struct job *j);
enum verdict pkcs_wrap_begin(struct job *j);
enum verdict pkcs_wrap_end(struct job *j, const struct result *r);
bool pkcs_notice_done(const struct job *j);
enum verdict pkcs_notice_begin(struct job *j);
enum verdict pkcs_notice_end(struct job *j, const struct result *r);
void pkcs_report_before(struct job *j);
enum verdict pkcs_report_begin(struct job *j);
enum verdict pkcs_report_end(struct job *j, const struct result *r);
#endif
