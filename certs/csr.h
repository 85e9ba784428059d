#ifndef CERTS_CSR_H
#define CERTS_CSR_H
#include "certs/template.h"

/*
 * csr.h - a PKCS#10 request (RFC 2986) from a template and a key.
 *
 * Extensions, in this order, each only if the template has it: keyUsage (critical), extKeyUsage,
 * subjectAltName (critical if the subject is empty, RFC 5280 4.2.1.6), the SID extension
 * 1.3.6.1.4.1.311.25.2, the template name and the template OID.
 *
 * Checks: every field that template.h and name.h check.  Does not check that the CA will accept it.
 * Threads: any, with that thread's lib.
 */

/*
 * csr_build - append the DER request, signed by k.
 *
 * fails    ERR_INPUT  neither subject nor SAN; a value that cannot be encoded
 *          ERR_UNSUPPORTED the template names no hash
 *          ERR_CRYPTO the library refused
 */
int csr_build(
    struct lib *l, const struct template *t, struct key *k, struct buf *out, struct err *e) MUST;

/* csr_spki - the SubjectPublicKeyInfo inside a DER request.  fails ERR_PROTO */
int csr_spki(struct view csr, struct view *spki, struct err *e) MUST;

/* The single extension values and the attribute, as [MS-WCCE] 2.2.2.7 gives them; bytes are tested. */
void csr_write_template_name(struct buf *out, const char *name);
int csr_write_template_oid(
    struct buf *out, const char *oid, uint32_t major, uint32_t minor, struct err *e) MUST;
void csr_write_sid(struct buf *out, const char *sid);
void csr_write_pair(struct buf *out, const char *name, const char *value);
#endif
