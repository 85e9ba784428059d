#ifndef CERTS_CHAIN_H
#define CERTS_CHAIN_H
#include "certs/cert.h"

/*
 * chain.h - lists of certificates.
 *
 * A chain is DER certificates, stored one behind the other: leaf first, then upwards.
 * Nothing here verifies a signature: check.h does.
 * Threads: pure.
 */
enum { CHAIN_MAX = 32, CHAIN_INPUT_MAX = 1 << 20 };

/* chain_next - take the first certificate off *rest.  returns 1, 0 at the end, -1 ERR_PROTO */
int chain_next(struct view *rest, struct view *der, struct err *e) MUST;

/*
 * chain_read - certificates in whatever form a CA or a file has them: DER, PEM (one or many), or a
 * certs-only CMS SignedData (RFC 5652 5.2, degenerate), DER or BER, bare or in PEM armour.  Blocks
 * under other PEM labels are skipped; one labelled CERTIFICATE may hold a SignedData, as AD CS sends it.
 *
 * l        not used: nothing in here needs OpenSSL any more
 * in       at most CHAIN_INPUT_MAX bytes
 * out      appended: DER certificates, in the order found; each passed cert_parse
 * count    how many there were, 1..CHAIN_MAX
 * fails    ERR_PROTO: none of these forms, no certificate in it, too much of it
 */
int chain_read(struct lib *l, struct view in, struct buf *out, size_t *count, struct err *e) MUST;

/*
 * chain_order - from `pool` (any order) pick the certificate whose key is `spki` and the path above it.
 *
 * An issuer is found by name and, where both sides have one, by key identifier; of several the one that
 * ends last is taken.
 * out      appended: the leaf, then its issuers as far as the pool has them, without a self-issued root
 * fails    ERR_MISMATCH: no certificate with that key; ERR_PROTO: pool is not a list of certificates
 */
int chain_order(struct view pool, struct view spki, struct buf *out, struct err *e) MUST;
#endif
