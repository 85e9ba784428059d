#ifndef CERTS_CHECK_QUICK_H
#define CERTS_CHECK_QUICK_H
#include "certs/check_cache.h"

/*
 * check_quick.h - a leaf that differs from one with a proven path only where it does not matter for the
 * path; for check_path.c only.
 *
 * All that a CA issues from one template is alike: same version, signature algorithm, issuer and
 * extensions, down to the byte.  What X509_verify_cert said of the first such leaf, with the same issuers and
 * anchors at hand and no certificate of these having begun or ended since, it would say of the second, if only
 *   - its signature fits the issuer's key,
 *   - serial number, subject, key, SAN and SKI, which are its own, are well-formed, and
 *   - its key is strong enough, and it is valid itself.
 * That is all that is judged here.  What is not understood, and every failure, means "not the quick way":
 * X509_verify_cert is asked, and it alone says no.
 */
struct check_signature; /* an algorithm whose signatures are verified here */

struct check_case {
    uint8_t like[CHECK_DIGEST_LEN]; /* the description: everything that has to be the same */
    const struct check_signature *how;
};

/*
 * check_quick_case - describe the leaf of `a`.
 *
 * anchors_digest  SHA-256 of the anchors
 * returns         false: this leaf is not for the quick way
 */
bool check_quick_case(
    const struct ask *a, const uint8_t *anchors_digest, struct check_case *c) MUST;

/* check_quick_signed - does the leaf's signature fit this key? */
bool check_quick_signed(const struct ask *a, const struct check_case *c, EVP_PKEY *key) MUST;

/*
 * check_quick_window - the time around `at` in which none of the issuers and anchors begins or ends:
 * between *after_at and *before_at, neither included.  false: one of them does so at that very second
 */
bool check_quick_window(
    const struct ask *a, int64_t at, int64_t *after_at, int64_t *before_at) MUST;
#endif
