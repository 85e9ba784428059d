#ifndef CERTS_VERIFY_H
#define CERTS_VERIFY_H
#include "certs/lib.h"

/*
 * verify.h - signatures of others: is this one, made with the key of this SubjectPublicKeyInfo?
 *
 * Algorithms   RSA PKCS#1 v1.5 with SHA-1, SHA-256, SHA-384 or SHA-512; RSA-PSS (RFC 4055) with the same
 *              hash in its mask and a salt of any length; ECDSA with the same hashes (RFC 5758).
 *              In CMS the signature algorithm may be plain rsaEncryption: then `digest` decides.
 *              MD5, MD2 and everything else is ERR_UNSUPPORTED.
 * Keys         what spki.h reads; RSA of 1024 to 16384 bits whose exponent is odd and above 1.
 * Threads: any, with that thread's lib.
 */
enum digest { DIGEST_NONE, DIGEST_SHA1, DIGEST_SHA256, DIGEST_SHA384, DIGEST_SHA512 };

const char *digest_name(enum digest d); /* "sha256"; "none" */

/* digest_read - from an AlgorithmIdentifier of a hash (parameters absent or NULL).
 * fails ERR_UNSUPPORTED: the message has the OID; ERR_PROTO */
int digest_read(struct view algorithm, enum digest *d, struct err *e) MUST;

/*
 * digest_read_rsa - what the parameters of RSA-PSS and RSA-OAEP begin with (RFC 4055 3.1, 4.1): [0] a hash, [1]
 * MGF1 with the same; both are SHA-1 if they do not stand there.  Takes them off the front of *params.
 * fails ERR_UNSUPPORTED: another hash, or two; ERR_PROTO
 */
int digest_read_rsa(struct view *params, enum digest *d, struct err *e) MUST;

/* digest_md - the lib's own; NULL for DIGEST_NONE. */
const EVP_MD *digest_md(const struct lib *l, enum digest d);

/* digest_oid - dotted; NULL for DIGEST_NONE. */
const char *digest_oid(enum digest d);

/* digest_of - the hash of bytes; out has 64 bytes, *len says how many count. */
int digest_of(
    struct lib *l, enum digest d, struct view in, uint8_t out[64], size_t *len, struct err *e) MUST;

/*
 * verify_signature - did the holder of `spki` sign `tbs`?
 *
 * algorithm   AlgorithmIdentifier DER
 * digest      of CMS's digestAlgorithm; DIGEST_NONE: the algorithm alone names it (certificates, CSRs)
 * used        if not NULL: the hash that was used
 * fails       ERR_MISMATCH the signature is wrong; ERR_UNSUPPORTED the algorithm, or it does not fit the key;
 *             ERR_PROTO cannot be read; ERR_CRYPTO, ERR_NOMEM
 */
int verify_signature(struct lib *l, struct view spki, struct view algorithm, enum digest digest,
    struct view tbs, struct view signature, enum digest *used, struct err *e) MUST;
#endif
