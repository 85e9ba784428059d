#ifndef CERTS_CSR_READ_H
#define CERTS_CSR_READ_H
#include "certs/der.h"
#include "certs/verify.h"

/*
 * csr_read.h - somebody else's PKCS#10 request (RFC 2986), sliced into parts.  csr.h writes ours.
 *
 * The bytes are never changed or written again: they go to the CA as they came.  Attributes may stand in any
 * order (strongSwan's do), but none twice.
 */
enum { CSR_SANS_MAX = 64, CSR_EKUS_MAX = 32, CSR_LIST_MAX = 32 };

struct csr {
    struct view der, tbs;
    struct view subject; /* DER Name */
    struct view spki;
    struct view signature_algorithm, signature;

    /* attribute challengePassword, PKCS#9: any string type, to UTF-8; len 0 = absent */
    bool has_challenge;
    struct buf challenge; /* secret; csr_free */

    /* extensionRequest: values inside the OCTET STRINGs; len 0 = absent */
    struct view key_usage, eku, san, basic_constraints, ski;
    struct view sid; /* 1.3.6.1.4.1.311.25.2, which counts among the others as well */
    struct view other_oid[CSR_LIST_MAX]; /* OID contents of every other extension ... */
    bool other_critical[CSR_LIST_MAX];
    size_t other_count;
    struct view attribute_oid[CSR_LIST_MAX]; /* ... and of every other attribute */
    size_t attribute_count;

    /* from csr_verify */
    enum digest hash;
    bool ec;
    size_t key_bits;
};

/*
 * csr_parse - views point into `der`.  Threads: pure; allocates the challenge only.
 *
 * fails    ERR_PROTO: not a DER request; trailing bytes; an extension or attribute twice, both kinds of
 *          extension request (PKCS#9 and 1.3.6.1.4.1.311.2.1.14); a challenge that is empty, is no text or holds
 *          a NUL or another control character; a SAN that is empty, is no UTF-8, holds one of those or is an
 *          address of neither 4 nor 16 bytes; a subject that is no Name or has more than NAME_RDN_MAX parts; more SANs,
 *          EKUs or extensions than the limits above
 *          ERR_NOMEM
 */
int csr_parse(struct view der, struct csr *c, struct err *e) MUST;
void csr_free(struct csr *c);

/*
 * csr_verify - its own signature, and whether its key is worth a certificate; fills hash, ec, key_bits.
 *
 * rsa_min_bits   2048 unless the administrator says otherwise
 * fails    ERR_MISMATCH the signature is wrong; ERR_UNSUPPORTED key type, curve, hash (MD5; SHA-1 if !sha1),
 *          RSA too small or over 8192 bits or with an exponent below 65537, over 256 bits or even;
 *          ERR_PROTO, ERR_CRYPTO, ERR_NOMEM
 */
int csr_verify(struct lib *l, struct csr *c, unsigned rsa_min_bits, bool sha1, struct err *e) MUST;

/* csr_key_usage - KeyUsage bits as cert_key_usage; 0 = the request has none.  fails ERR_PROTO */
int csr_key_usage(const struct csr *c, unsigned *bits, struct err *e) MUST;

/* csr_eku_at - the i-th EKU's dotted OID appended; false: no such. */
bool csr_eku_at(const struct csr *c, size_t i, struct buf *out);
/* csr_san_at - the i-th GeneralName as "DNS host", "UPN ...", "IP 192.0.2.1" (san_text); false: no such. */
bool csr_san_at(const struct csr *c, size_t i, struct buf *out);
#endif
