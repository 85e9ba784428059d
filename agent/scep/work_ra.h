#ifndef AGENT_WORK_RA_H
#define AGENT_WORK_RA_H
#include "agent/base/io.h"
#include "agent/secrets/vault.h"
#include "certs/key.h"

/*
 * work_ra.h - the cryptography of a raEnrol request, for worker threads: key, CSR, check of what was issued.
 *
 * Each work holds copies of all its inputs and its outputs, and knows nothing of the job.
 */
struct work_ra {
    struct io_work work; /* first */
    char id[40];
    struct vault vault;
    char use; /* 's' signing: KU digitalSignature; 'e' encryption: KU keyEncipherment */
    char template_name[128], subject[1024]; /* subject as name_parse wants it */
    enum keygen keygen;                     /* key: in */
    bool in_csr_name, in_csr_pair;          /* csr: in; the template inside the request */

    struct buf data_key, key;           /* sealed; key: out, csr: in */
    struct buf csr;                     /* csr: out, check: in */
    struct buf chain, issuers, anchors; /* check: in; chain as the CA sent it */
    int64_t now;
    bool subject_by_ca;
    struct buf path;             /* check: out; DER, the certificate first, then its issuers */
    char serial[64], digest[72]; /* check: out; upper hex, SHA-256 of the certificate */
};
struct work_ra *work_ra_new(const char *id, const struct vault *v,
    int (*run)(struct lib *l, struct io_work *w, struct err *e));

/* What run can be. */
int work_ra_key(struct lib *l, struct io_work *w, struct err *e);
int work_ra_csr(struct lib *l, struct io_work *w, struct err *e);
int work_ra_check(struct lib *l, struct io_work *w, struct err *e);
#endif
