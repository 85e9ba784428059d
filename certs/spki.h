#ifndef CERTS_SPKI_H
#define CERTS_SPKI_H
#include "certs/lib.h"

/*
 * spki.h - somebody else's public key, from its SubjectPublicKeyInfo (RFC 3279 2.3.1, RFC 5480 2).
 *
 * Reads: RSA of any size; EC on P-256, P-384 or P-521 with a named curve, the point uncompressed or
 * compressed.  Our own key pairs are key.h's.
 *
 * Why not d2i_PUBKEY or d2i_X509: the numbers are lying there, and OpenSSL 3.0 takes 85 us to find them by
 * way of its decoders, against 2 to 10.
 */
struct spki {
    bool ec;
    struct view modulus, exponent; /* RSA: big-endian, no leading zero bytes */
    size_t bits;                   /* RSA: of the modulus */
    const char *group;             /* EC: OpenSSL's name of the curve */
    size_t field_len;              /* EC: bytes of a coordinate */
    struct view point;             /* EC: octets as they stand there */
};

/*
 * spki_parse - every view points into `der`, which must outlive the struct.  Threads: pure.
 *
 * fails    ERR_PROTO       cannot be read, or has something behind it
 *          ERR_UNSUPPORTED neither RSA nor EC; no named curve, or another one
 */
int spki_parse(struct view der, struct spki *s, struct err *e) MUST;

/*
 * spki_key - the key for OpenSSL; freed with EVP_PKEY_free before l is.
 *
 * NULL: ERR_CRYPTO the point is not on its curve, or the library refused; ERR_TOO_LARGE RSA numbers of more
 * than 8 KiB; ERR_NOMEM.  What is too small or has exponent 1 is for the caller to refuse.
 */
EVP_PKEY *spki_key(struct lib *l, const struct spki *s, struct err *e) MUST;

/* For spki.c: an RSA key seen not long ago on this thread, with a reference of its own, or NULL; and keeping one. */
EVP_PKEY *spki_kept(struct lib *l, const struct spki *s);
void spki_keep(struct lib *l, const struct spki *s, EVP_PKEY *key);
#endif
