#ifndef AGENT_JOB_INNER_H
#define AGENT_JOB_INNER_H
#include "agent/requests/job.h"

/* job_inner.h - between job.c (the driver: moving) and jobs.c (which jobs are in memory). */
enum { JOBS_BUCKETS = 1024 };

struct jobs {
    struct agent *a;
    const struct jobs_rules *rules;
    struct job *bucket[JOBS_BUCKETS];
    size_t active, staged_count;
    size_t unvouched;   /* of the active ones: see jobs_vouched */
    struct job *staged; /* the order does not matter */
    struct op *gather;  /* timer: commit when it fires */
};

/* job_expired - its time is over, and why says so: it can only report that. */
bool job_expired(struct job *j);
/* job_run - take a verdict and go on until the job waits, is staged, or is gone. */
void job_run(struct job *j, enum verdict v);
/* job_enter - begin at j->step; the verdict is for job_run. */
enum verdict job_enter(struct job *j);
#endif
