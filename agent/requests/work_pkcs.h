#ifndef AGENT_WORK_PKCS_H
#define AGENT_WORK_PKCS_H
#include "agent/base/io.h"
#include "agent/secrets/vault.h"
#include "certs/key.h"

/*
 * work_pkcs.h - the cryptography of a pkcsIssue request, for worker threads.
 *
 * Each work holds copies of all its inputs and its outputs, and knows nothing of the job.  It reads the
 * item again from its JSON: that costs microseconds, and nothing is shared between threads.
 */
struct work_pkcs {
    struct io_work work; /* first */
    char id[40];
    struct vault vault;
    struct buf item; /* JSON */

    /* key: in */
    enum key_type key_type;
    enum keygen keygen;
    struct key *from_pool; /* or NULL: generate */
    /* csr, wrap: in; key: out */
    struct buf data_key, key; /* sealed */
    /* wrap: in; csr: out */
    struct buf csr;
    bool template_pair, template_name; /* csr: in */

    /* wrap: in */
    struct buf chain;   /* the leaf and whatever the CA sent with it, DER */
    struct buf issuers; /* intermediates the CA has sent before, DER */
    struct buf anchors; /* DER */
    int64_t now, validity_max_s;
    bool subject_by_ca, include_root;
    unsigned iterations;
    char activity[40], ca[64];
    /* wrap: out */
    struct buf result; /* JSON, without the lease */
    char digest[72], serial[64];
    bool platform_guessed;
};

struct work_pkcs *work_pkcs_new(const char *id, const struct vault *v, struct view item,
    int (*run)(struct lib *l, struct io_work *w, struct err *e));

/* What run can be. */
int work_pkcs_key(struct lib *l, struct io_work *w, struct err *e);
int work_pkcs_csr(struct lib *l, struct io_work *w, struct err *e);
int work_pkcs_wrap(struct lib *l, struct io_work *w, struct err *e);
#endif
