#ifndef AGENT_SCEPD_H
#define AGENT_SCEPD_H
#include "agent/challenge/plugin.h"
#include "agent/io/io_listen.h"
#include "agent/scep/ra.h"
#include "agent/scep/work_scep.h"

/*
 * scepd.h - the SCEP server: listeners, endpoints, and the requests that wait for an answer.
 *
 *   bytes -> io_listen -> scepd_route -> caps, certificates, pages: at once
 *                                     -> PKIOperation: a visit (scepd_visit):
 *                                          open (worker) -> judge -> join a request or begin a job
 *                                          -> wait -> reply (worker) -> answer
 *
 * A visit is one exchange with one client; a job is one certificate.  Several visits may wait for one job
 * (devices send again), a job goes on when its visitors are gone, and a visit that has waited `wait` seconds is told
 * PENDING and polls.
 */
struct agent;
struct scepd;
struct job;
struct json_out;

enum { SCEP_TIMES = 64 };

struct endpoint { /* one scep section */
    struct scepd *s;
    const struct conf_scep *conf;
    struct ca *ca;
    struct plugin *plugin; /* NULL: challenge = "none" */
    struct peer *asked;    /* how what the plugin asks has been answering */
    struct ra *ra;         /* NULL: not enrolled yet */
    struct scep_rules rules;
    struct buf caps, admin; /* GetCACaps; user:password of the page, secret, empty = no page */
    size_t issuers_known;   /* how much of the CA's issuers `ra` knows */
    uint16_t refusal_ms[SCEP_TIMES]; /* how long the last refusals of the plugin took */
    size_t refusals;
    bool serving;
    struct err not_serving; /* why not */
    struct op *probe;
    uint64_t accepted, refused, issued, pending, replayed;
};

struct scepd *scepd_open(struct agent *a, struct err *e) MUST; /* opens RA files and plugins */
/* scepd_check - would it open and listen?  For an agent without a store; opens and closes all but what is in the store. */
int scepd_check(struct agent *a, struct err *e) MUST;
int scepd_start(struct scepd *s, struct err *e) MUST; /* begin to listen */
void scepd_stop(
    struct scepd *s); /* accept nothing new; answer those that wait with what is known */
void scepd_close(struct scepd *s); /* after jobs_close, before io_close */
void scepd_free(struct scepd *s);  /* after io_close: what workers read */
bool scepd_idle(const struct scepd *s);
void scepd_close_doors(struct scepd *s);     /* let nobody in any more; scepd_stop comes later */
bool scepd_all_asked(const struct scepd *s); /* those who are in wait for their answers */
size_t scepd_connections(const struct scepd *s);
int scepd_reload(struct scepd *s, struct err *e) MUST; /* server certificates and RA files */

struct endpoint *scepd_endpoint(const struct scepd *s, const char *name); /* NULL: no such */

/* scepd_reserve - this challenge is this job's while it is in memory; false: another one has it.
 * scepd_unreserve - no longer; a job that has none is fine. */
bool scepd_reserve(struct scepd *s, const char *challenge, const char *job);
void scepd_unreserve(struct scepd *s, const char *challenge, const char *job);

/* scepd_parked - a job of kind scep is as it is in the store now, and leaves memory. */
void scepd_parked(struct scepd *s, const struct job *j);

/* scepd_has_room - may one more request be kept that nobody has vouched for?
 * scepd_lost - this job is gone and nothing of it is kept: its visitors have to come again (HTTP 503). */
bool scepd_has_room(struct scepd *s);
void scepd_lost(struct scepd *s, const char *job);

/* scepd_set_ra - from now on use this one (takes it). */
void scepd_set_ra(struct endpoint *p, struct ra *r);

/* scepd_report - "scep": [{endpoint, serving, why, ra ...}] and "listeners": [{name, port, tls ...}] into a status document. */
void scepd_report(const struct scepd *s, struct json_out *o);
#endif
