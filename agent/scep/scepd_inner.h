#ifndef AGENT_SCEPD_INNER_H
#define AGENT_SCEPD_INNER_H
#include "agent/agent.h"
#include "agent/scep/job_scep.h"
#include "agent/scep/scepd.h"

/*
 * scepd_inner.h - between scepd.c (opening, endpoints), scepd_route.c (what a URL asks for), scepd_page.c (pages),
 * scepd_visit.c (one PKIOperation), scepd_judge.c (what becomes of it), scepd_serving.c (can we?) and
 * scepd_limit.c (too many refusals).
 */
enum { SCEPD_BUCKETS = 256, SCEPD_LISTENS_MAX = CONF_SECTIONS_MAX };

struct visit {
    struct scepd *s;
    struct endpoint *p;
    struct io_exchange *x; /* NULL: the client is gone */
    struct op *op;         /* the work or timer under way; NULL while it waits for a job */
    struct op *patience;   /* timer: until PENDING is said */
    char remote[64];
    uint64_t began_ms;
    bool judged;       /* the message was opened, and counted if it was refused */
    bool floor;        /* a refusal that must take its time ... */
    bool asked;        /* ... which the plugin has taken already */
    struct buf answer; /* the CertRep, while the floor is waited for */

    /* what the worker found */
    struct buf der, csr;
    struct scep_request q;
    enum cms_content cipher;
    bool renewal;
    char id[40], alias[72], challenge[72], subject[200], template_use;
    char job[40];       /* the request it waits for */
    struct visit *next; /* of those that wait */
};

struct scepd_listener {
    struct scepd *s;
    struct io_listen *io;
};

/* A challenge that a job in memory has, before the store says so. */
struct reserved {
    char challenge[72], job[40];
    struct reserved *next;
};

struct scepd_limit;

struct scepd {
    struct agent *a;
    struct endpoint *endpoints;
    size_t count;
    struct plugin **plugins; /* one for each section that an endpoint names */
    size_t plugin_count;
    struct scepd_listener listeners[SCEPD_LISTENS_MAX];
    size_t listener_count;
    struct visit *waiting[SCEPD_BUCKETS]; /* by job */
    struct reserved *reserved[SCEPD_BUCKETS];
    size_t visits;
    struct scepd_limit *limit;
    int64_t waiting_at, waiting_count; /* requests that wait in the store, when counted last */
    struct op *look;                   /* timer: can we serve? */
    struct op *renewal;                /* timer: does an RA need new certificates? */
    struct ra *retired;                /* replaced RAs; workers may still read them */
    bool stopping;
};

/* scepd_route - the listeners' callback; arg is the struct scepd_listener. */
io_request_fn scepd_route;

/* scepd_page.c */
void page_health(struct endpoint *p, struct io_exchange *x);
void page_admin(struct scepd_listener *l, struct endpoint *p, struct io_exchange *x,
    const struct http1_request *q, const char *remote);
void page_status(struct io_exchange *x, int status);

/* scepd_visit.c */
void visit_begin(struct scepd *s, struct endpoint *p, struct io_exchange *x, struct view message,
    const char *remote);
/* visit_say - FAILURE, PENDING or SUCCESS (certificates: DER, leaf first); the visit ends with it. */
void visit_say(struct visit *v, enum scep_status status, enum scep_fail fail, uint32_t hresult,
    struct view certificates);
void visit_refuse(
    struct visit *v, enum scep_fail fail, const struct err *why); /* says it, and logs why */
void visit_wait(
    struct visit *v, const char *job); /* for this request's end, at most `wait` seconds */
void visit_free(struct visit *v);

/* scepd_judge.c - an opened message: poll, join, renew, begin. */
void judge(struct visit *v, struct work_scep_open *w);
/* judge_row - say what the stored request r is; false: it cannot be told from the row, wait for it */
bool judge_row(struct visit *v, const struct request *r);

/* scepd_serving.c */
void serving_start(struct scepd *s);
void serving_stop(struct scepd *s);
void serving_look(struct scepd *s);

/* scepd_limit.c */
struct scepd_limit *limit_new(void);
void limit_free(struct scepd_limit *l);
bool limit_over(struct scepd_limit *l, const char *remote, int64_t most, int64_t now);
void limit_count(struct scepd_limit *l, const char *remote, int64_t now);
#endif
