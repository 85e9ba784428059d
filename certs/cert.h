#ifndef CERTS_CERT_H
#define CERTS_CERT_H
#include "certs/lib.h"

/*
 * cert.h - an X.509 certificate (RFC 5280 4.1) read into its parts.
 *
 * cert_parse slices the DER without decoding keys; every view points into the bytes given, which must
 * outlive the struct.  It verifies nothing: check.h does.  Lists of certificates: chain.h.
 * Threads: pure.
 */
struct cert {
    struct view der, tbs;
    struct view serial; /* INTEGER content, big-endian, without leading zero byte; empty for 0 */
    struct view issuer, subject; /* DER Names */
    struct view spki;
    struct view signature_algorithm;     /* AlgorithmIdentifier */
    struct view signature;               /* its bits, without the count byte */
    int64_t not_before_at, not_after_at; /* UTC seconds */

    /* Extension values (inside the OCTET STRING); len 0 = absent. */
    struct view key_usage, eku, san, basic_constraints, sid, template_name, template_oid;
    struct view app_policies; /* 1.3.6.1.4.1.311.21.10 */
    struct view ski, aki;     /* key identifiers: the bytes themselves */
    bool ca;                  /* basicConstraints cA TRUE */

    /* A critical extension that readers need not know, so that some will refuse the certificate: any
     * but key usage, EKU, SAN, basic constraints, AKI, SKI, CDP, AIA and policies of RFC 5280. */
    bool unknown_critical;
    struct view unknown_critical_oid; /* the first one's OID content */
};

/*
 * cert_parse - fails ERR_PROTO: not a DER certificate of version 1 to 3, trailing bytes, a duplicate or
 * malformed extension, a serial number over 20 bytes, two different signature algorithms
 */
int cert_parse(struct view der, struct cert *c, struct err *e) MUST;

/* cert_key_usage - KeyUsage bits, bit n of RFC 5280 4.2.1.3 as 1 << n.  fails ERR_PROTO */
int cert_key_usage(const struct cert *c, unsigned *bits, struct err *e) MUST;

/* cert_self_issued - are issuer and subject the same name? */
bool cert_self_issued(const struct cert *c);

/* cert_serial_hex - as results and lists have it: upper case, no leading zeros; "0" for zero. */
void cert_serial_hex(const struct cert *c, struct buf *out);

/* cert_thumbprint - SHA-1 of the certificate in upper case hexadecimal. */
int cert_thumbprint(struct lib *l, struct view der, struct buf *out, struct err *e) MUST;
#endif
