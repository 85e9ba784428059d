#ifndef AGENT_JOB_RA_H
#define AGENT_JOB_RA_H
#include "agent/requests/job.h"

/*
 * job_ra.h - a certificate for the registration authority of a SCEP endpoint: kind raEnrol.
 *
 * ra_renew.h begins two for each generation, one for signing and one for encryption; the steps: key, csr (workers),
 * find, submit, collect, issuer (the CA), check (a worker), install, end.  install puts certificate and sealed key
 * where they outlive the request; it is committed together with the end.  With the second of a generation both are
 * used at once, after that commit: devices never encrypt to a key that a crash could take away.
 *
 * BLOB_ITEM  {"v":1,"endpoint","generation","use","subject"}      BLOB_RESULT  certificate and its issuers, DER
 */
extern const struct job_kind job_ra;

struct ra_item { /* BLOB_ITEM */
    char endpoint[64], subject[1024];
    int64_t generation;
    char use; /* 's' signing, 'e' encryption */
};
void ra_item_write(struct buf *out, const struct ra_item *i);
int ra_item_parse(struct view json, struct ra_item *i, struct err *e) MUST;
#endif
