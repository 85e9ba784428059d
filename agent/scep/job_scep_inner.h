#ifndef AGENT_JOB_SCEP_INNER_H
#define AGENT_JOB_SCEP_INNER_H
#include "agent/agent.h"
#include "agent/requests/job_ca.h"
#include "agent/scep/job_scep.h"
#include "agent/scep/scepd.h"

/*
 * job_scep_inner.h - between the job_scep*.c files.  job_scep.c: the table, beginning and end; job_scep_ask.c: the
 * plugin is asked and told; job_scep_request.c: the request as a plugin sees it, and BLOB_ITEM.
 */
struct scep { /* a job's ctx */
    struct scep_item item;
    struct endpoint *p; /* NULL: its section is gone */
    struct csr csr;     /* views into BLOB_CSR */
    bool allowed;       /* the plugin has said yes, and hears how it ends */
    bool passed;        /* and so have we: claims, limits, challenge */
    unsigned round;
    char memo[CERTFERRY_MEMO_SIZE];
    enum scep_fail fail; /* what a refusal says */

    /* the request as the plugin sees it; the texts are here */
    struct certferry_request seen;
    struct buf texts;
    const char *sans[CSR_SANS_MAX], *ekus[CSR_EKUS_MAX];
};

static inline struct scep *scep_of(const struct job *j)
{
    return j->ctx;
}

/* scep_see - fill c->seen from the job.  fails ERR_PROTO, ERR_NOMEM */
int scep_see(struct job *j, struct scep *c, struct err *e) MUST;

bool scep_ask_done(const struct job *j);
enum verdict scep_ask_begin(struct job *j);
enum verdict scep_ask_end(struct job *j, const struct result *r);
bool scep_notify_done(const struct job *j);
void scep_notify_before(struct job *j);
enum verdict scep_notify_begin(struct job *j);
enum verdict scep_notify_end(struct job *j, const struct result *r);
#endif
