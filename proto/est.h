#ifndef PROTO_EST_H
#define PROTO_EST_H
#include "proto/http.h"

/*
 * est.h - Enrolment over Secure Transport (RFC 7030, clarified by RFC 8951).
 * Threads: pure.
 */

/* est_url - <base>/.well-known/est[/<label>]/<operation>; base is scheme://host[:port].
 * fails ERR_INPUT: base is no URL or has a path; a label that is "." or "..", longer than 255 bytes or
 * with one of / \ ? # % or a control character */
int est_url(const char *base, const char *label, const char *operation, struct buf *out,
    struct err *e) MUST;

/* est_body - base64 of the DER, 64 columns, final newline: what every server seen accepts. */
void est_body(struct view csr, struct buf *out);
#define EST_CSR_TYPE "application/pkcs10"

enum est_outcome { EST_ISSUED = 1, EST_PENDING };

/*
 * est_enroll_judge - the answer to simpleenroll.
 *
 * EST_ISSUED   *cms is the decoded certs-only message, appended
 * EST_PENDING  202; *wait_s is its Retry-After clamped to 5..86400, or 60
 * fails        as http_judge, but
 *              ERR_DENIED      400, 409, 415, 422 and other 4xx that mean this request; with the
 *                              first line of a plain text body
 *              ERR_TEMPLATE    404: the server does not know the label
 *              ERR_UNSUPPORTED it demands tls-unique proof of possession (RFC 7030 3.5)
 *              ERR_PROTO       the body is not base64 of a SEQUENCE
 */
int est_enroll_judge(const struct http_reply *r, enum est_outcome *out, struct buf *cms,
    int64_t *wait_s, struct err *e) MUST;

/* est_cacerts_judge - the answer to cacerts: the decoded certs-only message, appended.  fails as above */
int est_cacerts_judge(const struct http_reply *r, struct buf *cms, struct err *e) MUST;
#endif
