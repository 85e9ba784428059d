#ifndef AGENT_RA_H
#define AGENT_RA_H
#include "agent/ca/ca.h"

/*
 * ra.h - the registration authority of one SCEP endpoint: its certificates and keys, and what GetCACert says.
 *
 * Never changed once made, so worker threads read it without a lock; a renewal makes a new one, and the old one
 * lives as long as the service (ra_free is called when the last worker has ended).  The keys are for SCEP
 * messages and nothing else: no TLS, no enrolment at the CA.
 */
enum { RA_PREVIOUS_MAX = 8 };

struct ra_pair {
    struct buf certificate; /* DER */
    struct buf key;         /* PKCS#8, secret */
    int64_t not_before_at, not_after_at;
};

struct ra {
    struct ra_pair signing, encryption; /* the same twice when one certificate serves both */
    bool single;
    struct ra_pair previous[RA_PREVIOUS_MAX]; /* what devices may still encrypt to; newest first */
    size_t previous_count;
    struct buf ca_certs;     /* DER CA certificates for GetCACert and for renewals */
    struct buf get_ca_cert;  /* the body */
    const char *get_ca_type; /* and its media type */
    struct buf get_next_ca;  /* empty: there is none */
    struct ra *older;        /* a list, for freeing */
};

/*
 * ra_open - from the files of the section, or from what the service has enrolled.
 *
 * enrolled   pairs from the store, signing first, then encryption, then previous ones; count 0: the
 *            section's files
 * fails ERR_CONFIG: a file is missing, readable by others, not RSA, below 2048 bits, key and certificate do not
 *       belong together, key usage does not fit (signing: digitalSignature; encryption: keyEncipherment), expired
 */
struct ra *ra_open(const struct conf_scep *conf, const struct ca *ca, struct lib *l,
    struct ra_pair *enrolled, size_t count, struct err *e) MUST;
/* ra_again - the same certificates and keys, with what is known of the CA now. */
struct ra *ra_again(const struct ra *r, const struct conf_scep *conf, const struct ca *ca,
    struct lib *l, struct err *e) MUST;
void ra_free(struct ra *r); /* and those older */
void ra_pair_free(struct ra_pair *p);

int64_t ra_expires_at(const struct ra *r); /* the sooner end of the two in use */
#endif
