#ifndef CERTS_CSR_CHECK_H
#define CERTS_CSR_CHECK_H
#include "certs/cert.h"
#include "certs/check.h"
#include "certs/csr_read.h"

/*
 * csr_check.h - may a stranger's request be passed on, and is what came back what it asked for?
 *
 * Whoever holds one valid challenge can ask for any name (CERT VU#971035), and a request can carry
 * extensions that make a CA issue something else (ESC1 to ESC16).  So everything in it is compared with what
 * is allowed here, and everything unlisted is refused, not dropped.
 *
 * Threads: any, with that thread's lib.
 */

/* What an endpoint allows whatever the challenge says. */
struct csr_limits {
    unsigned key_usage;      /* bits that may be asked for (KU_ of template.h) */
    const char *const *ekus; /* dotted OIDs that may be asked for */
    size_t eku_count;
    const char *const
        *extensions; /* OIDs besides KU, EKU, SAN, SKI and basicConstraints without cA */
    size_t extension_count;
    const char *const *attributes; /* OIDs besides challengePassword, extensionRequest */
    size_t attribute_count;
};

/*
 * csr_check_limits - nothing in it that the endpoint does not allow.  Always refused, also when listed:
 * cA TRUE, anyExtendedKeyUsage, Certificate Request Agent 1.3.6.1.4.1.311.20.2.1 as EKU, keyCertSign, cRLSign,
 * the SID extension 1.3.6.1.4.1.311.25.2 and a SAN URI tag:microsoft.com,2022-09-14:sid: unless `sid` (the
 * claims') is exactly that SID (then it need not be listed), application policies, template names and OIDs
 * (1.3.6.1.4.1.311.20.2, .21.7, .21.10), the name-value attribute 1.3.6.1.4.1.311.13.2.1, every critical extension
 * but those named above, a SAN of another kind than the five of template.h; a request with neither subject nor SAN.
 * fails ERR_INPUT: the message names what; ERR_PROTO
 */
#define CSR_SID_VOUCHED "*" /* as `sid`: somebody has compared it already; any is fine */
int csr_check_limits(
    const struct csr *c, const struct csr_limits *lim, const char *sid, struct err *e) MUST;

/*
 * csr_check_claims - the request against what its challenge entitles to: subject as a multiset of RDNs
 * (value and type, case as name_equal), SANs both ways (UPN without regard to case), EKU set equal, key usage equal,
 * key type and size equal, hash at least as strong.  A member of the claims that is empty or zero claims nothing,
 * except: claims with a subject or SANs allow no others, so that with either of them alone the other has to be
 * empty.  A SID that is claimed must be in the request: in the forms of sid_encoding, as SID_NONE in any;
 * a SID that is not, not.
 *
 * claims   template.h: subject, sans, sid, key_usage, ekus, key, hash; the other members do not count
 * c        csr_verify has passed
 * fails    ERR_MISMATCH: the message names the first field that differs and both values
 */
struct csr_claims {
    struct template t;
    bool has_subject, has_sans; /* an empty subject or list was claimed, as opposed to nothing */
};
int csr_check_claims(const struct csr *c, const struct csr_claims *claims, struct err *e) MUST;

/*
 * csr_check_renewal - may the holder of `old` (its key has signed the message) renew it with this request?
 *
 * Subject equal; SANs of the request a subset of the old ones; EKU the same where asked for; `old` valid at
 * `now` (SR-06); signed by one of `issuers` (DER CA certificates one behind the other) by key, not by name only;
 * not a CA; not self-signed; at least `window` percent of its life over, 0 = any time.  A SID extension in the
 * request has to be that of `old`.
 * fails ERR_MISMATCH, ERR_EXPIRED (not valid at this time; too early), ERR_TRUST (issuer), ERR_PROTO
 */
int csr_check_renewal(struct lib *l, const struct csr *c, const struct cert *old,
    struct view issuers, int64_t now, unsigned window, struct err *e) MUST;

/* csr_renewal_sid - the SID in `old`, as text, which csr_check_limits then allows; false: it has none.  One that
 * names two different ones has none. */
bool csr_renewal_sid(const struct cert *old, struct buf *out);

/*
 * csr_check_issued - like check_issued, with the request itself as the measure: public key, subject (unless
 * policy says the CA decides), SANs both ways, SID extension, EKU set and key usage where the request has them and
 * never more than `lim` (no EKU at all is more than some), no CA, validity, path.  Fails as check_issued.
 */
int csr_check_issued(struct lib *l, const struct csr *c, const struct csr_limits *lim,
    struct view chain, const struct check_policy *p, struct err *e) MUST;

/* csr_check_signed_by - is `certificate` issued in the name and signed with the key of one of `issuers`, and not
 * by way of SHA-1?  Does not look at validity.  fails ERR_TRUST, ERR_PROTO (issuers), ERR_CRYPTO, ERR_NOMEM */
int csr_check_signed_by(
    struct lib *l, const struct cert *certificate, struct view issuers, struct err *e) MUST;
#endif
