#ifndef CERTS_CHECK_H
#define CERTS_CHECK_H
#include "certs/chain.h"
#include "certs/template.h"

/*
 * check.h - is this certificate what was asked for?
 *
 * Every CA was seen to issue something else than the request without an error: dropped names, another
 * profile, another key.  So nothing is delivered before check_issued has passed.
 *
 * Threads: any, with that thread's lib, which caches the parsed anchors.
 */
struct check_policy {
    struct view anchors; /* DER CA certificates, one behind the other: where every path must end */
    int64_t now;         /* UTC seconds */
    int64_t skew_s;      /* tolerated clock difference, seconds */
    int64_t validity_max_s; /* longest life; 0 = the template's validity_s, none if that is 0 too */
    bool subject_by_ca;     /* the CA's template builds the subject: do not compare it */
};

/*
 * check_issued - hold the leaf of `chain` (leaf first) against the template and the request's key.
 *
 * Compares, in this order: public key; subject; every SAN both ways; SID extension, present exactly if
 * asked for; EKU set if asked for (never anyExtendedKeyUsage or Certificate Request Agent
 * 1.3.6.1.4.1.311.20.2.1 unless asked), and the same rule for application policies; key usage if asked
 * for, never the signing of certificates or CRLs; no CA:TRUE, no unknown critical extension; template
 * extension, if present, names the template; validity: begun, not over, not longer than policy (a
 * beginning dated back by up to an hour is not counted, nor are two days of uneven months and leap
 * years against the template's validity_s); path to an anchor with valid signatures (RFC 5280 6) of at
 * least 112 bits (no SHA-1, no RSA below 2048), intermediates from the chain.
 *
 * An anchor need not be a root: a path may end in any certificate listed.
 *
 * fails    ERR_MISMATCH the message names the first field that differs and both values
 *          ERR_TRUST    no path to an anchor, or the anchors are no list of CA certificates (the request
 *                       waits for an administrator: HOLD)
 *          ERR_PROTO    not a certificate, or an extension that cannot be read
 *          ERR_NOMEM, ERR_CRYPTO
 */
int check_issued(struct lib *l, const struct template *t, struct view spki, struct view chain,
    const struct check_policy *p, struct err *e) MUST;
#endif
