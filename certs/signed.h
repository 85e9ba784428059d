#ifndef CERTS_SIGNED_H
#define CERTS_SIGNED_H
#include "certs/der.h"
#include "certs/key.h"
#include "certs/verify.h"

/*
 * signed.h - CMS SignedData (RFC 5652 5) with one signer and signed attributes: read, verified, written.
 *
 * Read by hand, because what a stranger sends must not reach OpenSSL's CMS parser (its advisories of 2023
 * to 2026): exactly one SignerInfo with signed attributes, named by issuer and serial number or by key
 * identifier; content type id-data; nothing unlisted.  The reader takes DER: give it what ber_to_der wrote.
 */
enum { SIGNED_CERTS_MAX = 16, SIGNED_ATTRS_MAX = 32 };

struct signed_data {
    bool has_content;    /* eContent present */
    struct view content; /* its octets (pieces joined by ber_to_der) */
    struct view
        certs; /* the CertificateSet's inside: DER certificates one behind the other; may be empty */
    struct view issuer,
        serial;         /* of SignerIdentifier: DER Name, INTEGER content; empty if by key id */
    struct view key_id; /* or its subjectKeyIdentifier */
    enum digest digest;
    struct view digest_algorithm, signature_algorithm; /* AlgorithmIdentifiers */
    struct view attrs;                                 /* inside of the [0] of signed attributes */
    struct view attrs_whole; /* with the tag, as signed once the tag is made SET */
    struct view signature;
};

/* signed_parse - views point into `der`.  Verifies nothing.  Threads: pure.
 * fails ERR_PROTO: not such a message; ERR_UNSUPPORTED: the digest algorithm (the rest is filled in, so that
 * an answer can be written) */
int signed_parse(struct view der, struct signed_data *s, struct err *e) MUST;

/* signed_attr - the one value of an attribute.  returns 1 found, 0 absent, -1 ERR_PROTO: present twice, or
 * with no or several values */
int signed_attr(
    const struct signed_data *s, const char *oid, struct der *value, struct err *e) MUST;

/* signed_signer - the certificate in it that the SignerIdentifier names.  A SubjectKeyIdentifier is matched
 * with the certificate's.  fails ERR_PROTO: none, or several that differ */
int signed_signer(const struct signed_data *s, struct view *certificate, struct err *e) MUST;

/* signed_verify - messageDigest, contentType and the signature, with the key of `certificate`.  Says nothing
 * about that certificate.  fails ERR_MISMATCH, ERR_UNSUPPORTED, ERR_PROTO, ERR_CRYPTO, ERR_NOMEM */
int signed_verify(
    struct lib *l, const struct signed_data *s, struct view certificate, struct err *e) MUST;

/* ---- writing ------------------------------------------------------------------------------------------- */

struct signed_attr_out {
    const char *oid;
    struct view value; /* DER */
};

struct signed_out {
    struct view content; /* octets of eContent; has_content false: absent */
    bool has_content;
    enum digest digest;      /* SHA1 and up */
    struct key *key;         /* the signer's; RSA or EC */
    struct view certificate; /* the signer's, DER: names it */
    bool include_certificate;
    const struct signed_attr_out
        *attrs; /* besides contentType and messageDigest, which it adds itself */
    size_t attr_count;
};

/*
 * signed_write - append the DER ContentInfo.  Definite lengths, attributes in DER SET order, RSA keys under
 * the plain rsaEncryption identifier that every SCEP client understands.
 * fails ERR_INPUT: not a certificate; ERR_CRYPTO, ERR_NOMEM.   Threads: any, with that thread's lib.
 */
int signed_write(struct lib *l, const struct signed_out *s, struct buf *out, struct err *e) MUST;

/* signed_certs_only - append a degenerate SignedData with these DER certificates (one behind the other), in
 * exactly this order: Apple takes the first as the issued one.  crl: one DER CRL, or empty. */
int signed_certs_only(
    struct view certificates, struct view crl, struct buf *out, struct err *e) MUST;
#endif
