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
    struct view anchors; /* DER certificates one behind the other: the only roots trusted */
    int64_t now;         /* UTC seconds */
    int64_t skew_s;      /* tolerated clock difference, seconds */
    int64_t
        validity_max_s; /* longest life accepted; 0 = template's validity_s, and none if that is 0 */
    bool subject_by_ca; /* the CA's template builds the subject: do not compare it */
};

/*
 * check_issued - hold the leaf of `chain` (leaf first) against the template and the request's key.
 *
 * Compares: public key; subject; every SAN both ways; SID in the form asked; EKU set (never
 * anyExtendedKeyUsage or Certificate Request Agent 1.3.6.1.4.1.311.20.2.1 unless asked); key usage
 * if asked; no CA:TRUE, no unknown critical extension; template extension, if present, names the
 * template; validity: begun, not over, not longer than policy; path to an anchor with valid
 * signatures (RFC 5280 6), intermediates from the chain.
 *
 * fails    ERR_MISMATCH the message names the first field that differs and both values
 *          ERR_TRUST    no path to an anchor (the request waits for an administrator: HOLD)
 *          ERR_PROTO    not a certificate
 */
int check_issued(struct lib *l, const struct template *t, struct view spki, struct view chain,
    const struct check_policy *p, struct err *e) MUST;
#endif
