#ifndef AGENT_JOB_CA_H
#define AGENT_JOB_CA_H
#include "agent/agent.h"
#include "agent/requests/job.h"

/*
 * job_ca.h - the steps of every job that wants a certificate of a CA: find, submit, collect, issuer.
 *
 * In: j->ca, j->template_name, j->validity_s (set by the kind's open) and BLOB_CSR.
 * Out: r.reference, BLOB_CHAIN (as the CA sent it); r.submits counts what the CA may have seen.
 */

/* job_add_orphan - a certificate of this request exists, or may exist, and will reach nobody. */
void job_add_orphan(struct job *j, const char *reason);

struct peer *job_ca_peer(const struct job *j);

bool job_ca_find_done(const struct job *j);
enum verdict job_ca_find_begin(struct job *j);
enum verdict job_ca_find_end(struct job *j, const struct result *r);
bool job_ca_submit_done(const struct job *j);
void job_ca_submit_before(struct job *j);
enum verdict job_ca_submit_begin(struct job *j);
enum verdict job_ca_submit_end(struct job *j, const struct result *r);
bool job_ca_collect_done(const struct job *j);
void job_ca_collect_before(struct job *j);
enum verdict job_ca_collect_begin(struct job *j);
enum verdict job_ca_collect_end(struct job *j, const struct result *r);
bool job_ca_issuer_done(const struct job *j);
enum verdict job_ca_issuer_begin(struct job *j);
enum verdict job_ca_issuer_end(struct job *j, const struct result *r);

/* The rows of these steps in a kind's table; find_at: the index of its find step. */
#define JOB_CA_FIND(at)                                                                       \
    {                                                                                         \
        "find", job_ca_find_done, NULL, job_ca_find_begin, job_ca_find_end, job_ca_peer, (at) \
    }
#define JOB_CA_SUBMIT(find_at)                                                   \
    {                                                                            \
        "submit", job_ca_submit_done, job_ca_submit_before, job_ca_submit_begin, \
            job_ca_submit_end, job_ca_peer, (find_at)                            \
    }
#define JOB_CA_COLLECT(find_at)                                                      \
    {                                                                                \
        "collect", job_ca_collect_done, job_ca_collect_before, job_ca_collect_begin, \
            job_ca_collect_end, job_ca_peer, (find_at)                               \
    }
#define JOB_CA_ISSUER(at)                                                                        \
    {                                                                                            \
        "issuer", job_ca_issuer_done, NULL, job_ca_issuer_begin, job_ca_issuer_end, job_ca_peer, \
            (at)                                                                                 \
    }
#endif
