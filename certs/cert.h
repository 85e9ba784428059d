#ifndef CERTS_CERT_H
#define CERTS_CERT_H
#include "certs/lib.h"

/*
 * cert.h - an X.509 certificate read into its parts, and lists of certificates.
 *
 * cert_parse slices the DER without decoding keys; every view points into the bytes given, which must
 * outlive the struct.  It verifies nothing: chain.h and check.h do.
 * Threads: pure.
 */
struct cert {
    struct view der, tbs;
    struct view serial; /* INTEGER content, big-endian, without leading zero byte */
    struct view issuer, subject; /* DER Names */
    struct view spki;
    struct view signature_algorithm, signature; /* AlgorithmIdentifier; bits without the count byte */
    int64_t not_before_at, not_after_at;        /* UTC seconds */

    /* Extension values (inside the OCTET STRING); len 0 = absent. */
    struct view key_usage, eku, san, basic_constraints, sid, template_name, template_oid;
    bool ca; /* basicConstraints cA TRUE */
    bool unknown_critical; /* a critical extension none of the above nor AKI, SKI, CDP, AIA, policies */
};

/* cert_parse - fails ERR_PROTO: not a DER certificate, trailing bytes, a duplicate extension */
int cert_parse(struct view der, struct cert *c, struct err *e) MUST;

/* What goes into results and lists. */
void cert_serial_hex(const struct cert *c, struct buf *out); /* upper case, no leading zeros; "0" for zero */
int cert_thumbprint(struct lib *l, struct view der, struct buf *out, struct err *e) MUST; /* SHA-1, upper hex */

/*
 * A chain is a list of DER certificates, stored one behind the other: leaf first, then upwards.
 * chain_next takes the first off *rest.  returns 1, 0 at the end, -1 ERR_PROTO
 */
int chain_next(struct view *rest, struct view *der, struct err *e) MUST;

/*
 * chain_read - certificates in whatever form a CA or a file has them: DER, PEM (one or many), or a
 * certs-only CMS SignedData (RFC 5652 5.2, degenerate), DER or BER, bare or in PEM armour.
 *
 * out      appended: DER certificates, in the order found
 * count    how many there were, 1..32
 * fails    ERR_PROTO: none of these forms, or no certificate in it
 */
int chain_read(struct lib *l, struct view in, struct buf *out, size_t *count, struct err *e) MUST;

/*
 * chain_order - from `pool` (any order) pick the certificate whose key is `spki` and the path above it.
 *
 * out      appended: the leaf, then its issuers as far as the pool has them, without a self-issued root
 * fails    ERR_MISMATCH: no certificate with that key
 */
int chain_order(struct view pool, struct view spki, struct buf *out, struct err *e) MUST;
#endif
