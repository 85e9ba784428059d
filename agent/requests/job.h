#ifndef AGENT_JOB_H
#define AGENT_JOB_H
#include "agent/base/io.h"
#include "agent/base/log.h"
#include "agent/store/request.h"

/*
 * job.h - one request on its way through the steps of its kind.
 *
 * Everything that takes several operations is a table of steps and one driver (job.c) that alone
 * moves, stores, retries and ends jobs.  The driver stores the step, and what the steps before it put
 * into the job, before anything of it leaves this machine: a network step begins only after the commit
 * that recorded it, and the jobs that move at about the same time share that commit.
 *
 * A job is in memory only while it works.  One that must wait is written and forgotten; sched.c loads
 * it when its time has come, exactly as after a restart.  So a restart is a retry without the wait.
 *
 * Rules for steps: one operation at a time, in j->op; outputs go into the job before V_NEXT; a step
 * whose output exists is skipped by `done`; after a call that may end the job, touch nothing.
 */
struct agent;
struct job;
struct peer;

enum verdict {
    V_WAIT,   /* an operation is in flight; end() will judge it */
    V_NEXT,   /* the step's output is in the job */
    V_LATER,  /* not a failure: this step again in j->wait_s */
    V_FAILED, /* j->why says what failed; its class decides: again, hold, or report it */
};

struct step {
    const char *name;                     /* stored; never renamed */
    bool (*done)(const struct job *j);    /* skip it?  NULL = never */
    void (*before)(struct job *j);        /* what must be stored with it; NULL = nothing */
    enum verdict (*begin)(struct job *j); /* start ONE operation */
    enum verdict (*end)(struct job *j, const struct result *r); /* judge its result */
    struct peer *(*peer)(const struct job *j); /* whom it asks; NULL = nobody, local work */
    int resume;                                /* where to go on after a failure or restart */
};

struct job_kind {
    const char *name;
    const struct step *steps;
    int count;                                 /* the last one is the end; it has no begin */
    int report;                                /* the step that reports, a failure too */
    int (*open)(struct job *j, struct err *e); /* understand the blobs; a failure is the job's */
    void (*parked)(
        struct job *j); /* what j is now is stored, and it leaves memory; NULL = nobody cares */
    void (*close)(struct job *j);   /* free ctx; NULL ctx is fine */
    void (*failing)(struct job *j); /* it will report j->r.why: what else must be recorded? */
    /* Set the final state.  unreported: why even the report was refused; NULL = it was taken. */
    void (*ending)(struct job *j, const struct err *unreported);
    struct { /* what its events are called */
        enum log_event step, pending, issued, attempt_failed, held, resubmitted;
    } says;
};

enum job_staged { STAGED_NO, STAGED_BEGIN, STAGED_UNLOAD };

struct job {
    /* Stored. */
    struct request r;
    struct buf blob[BLOB_COUNT];
    uint32_t dirty;  /* bit per blob that is not in the store as it is here */
    uint32_t stored; /* bit per blob the store has */

    /* Not stored. */
    struct agent *a;
    const struct job_kind *kind;
    void *ctx;     /* of the kind */
    struct ca *ca; /* set by the kind's open; NULL: it has none, and can only be reported */
    const char *template_name; /* the same; borrowed from ctx or r */
    int64_t validity_s;        /* the same; 0 = the template's own */
    bool unsaved;              /* its first write inserts it */
    bool placed;               /* it has one of its CA's places: see jobs_vouched */
    int step;
    struct err why;         /* the failure of this attempt; r.why is the request's */
    uint64_t began_us;      /* the step under way, for the metrics */
    int64_t wait_s;         /* set by a step that answers V_LATER */
    struct op *op;          /* the one thing we wait for; NULL when not waiting */
    enum job_staged staged; /* what follows the next commit */
    struct job *next_staged, *next_in_bucket;
};

/* --- the jobs in memory --- */
struct jobs;

/* What stands above us and we ask, given when the service is put together. */
struct jobs_rules {
    const struct job_kind *const *kinds; /* ends with NULL */
    /* May it not be submitted now?  NULL: everything may. */
    bool (*holds)(const struct agent *a, const struct request *r);
};
struct jobs *jobs_open(struct agent *a, const struct jobs_rules *rules); /* rules are borrowed */
void jobs_close(struct jobs *js); /* stops them all; the store has what they need */
size_t jobs_active(const struct jobs *js);
struct job *jobs_find(const struct jobs *js, const char *id); /* NULL: not in memory */
void jobs_each(struct jobs *js, void (*fn)(void *arg, struct job *j), void *arg); /* drops none */
struct job *jobs_find_alias(const struct jobs *js, const char *alias);

/* jobs_start - load a request and go on with it.  It is in memory when this returns 0, or already
 * gone again.  fails ERR_STORE */
int jobs_start(struct jobs *js, const struct request *r, struct err *e) MUST;

/* jobs_begin - go on with a request that is not in the store yet; blobs are moved out of `blob`.  Its first
 * write inserts it.  If it ends as refused before that it leaves no trace but `parked`. */
void jobs_begin(struct jobs *js, const struct request *r, struct buf blob[BLOB_COUNT]);

/* jobs_vouched - somebody has said that this may be issued: from now on it has one of its CA's places.  A job of
 * jobs_begin has none before, or strangers could take all of them and nobody else's request were loaded.
 * jobs_unvouched - how many there are of those. */
void jobs_vouched(struct job *j);
size_t jobs_unvouched(const struct jobs *js);

/* jobs_turn - commit what moved and let it go on; called at the end of each turn of the loop. */
void jobs_turn(struct jobs *js);

/* jobs_drop - stop one and forget it, without writing. */
void jobs_drop(struct job *j);

/* --- for steps --- */
void job_put(struct job *j, enum blob b, struct buf *data); /* moves data in, marks it dirty */
void job_clear(struct job *j, enum blob b);
bool job_has(const struct job *j, enum blob b);
enum verdict job_ask(struct job *j, struct op *op);      /* V_WAIT, or V_FAILED if op is NULL */
enum verdict job_work(struct job *j, struct io_work *w); /* on a worker; takes w */
enum verdict job_worked(struct job *j, const struct result *r); /* V_NEXT, or V_FAILED and why */
io_fn job_wake; /* the callback of every operation */
#endif
