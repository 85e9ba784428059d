#ifndef CERTS_KEY_JWS_H
#define CERTS_KEY_JWS_H
#include "certs/key.h"

/*
 * key_jws.h - signatures as JSON Web Signature has them (RFC 7515, RFC 7518 3.4 and 3.5).
 *
 * RSA: PSS with SHA-256, MGF1 with the same, a salt of 32 bytes (PS256), not PKCS#1 v1.5 unless
 * RS256 is asked for by name: some servers know nothing else.  EC: r and s one behind the other, each as long as the
 * field, with the curve's hash (ES256, ES384, ES512).
 */

/* key_jws_name - the "alg" of a key: "PS256"; NULL: this kind of key has none here (Ed25519). */
const char *key_jws_name(const struct key *k);

/*
 * key_jws_sign - append the signature over `tbs`, raw bytes.
 *
 * fails    ERR_UNSUPPORTED a key without a name; ERR_CRYPTO, ERR_NOMEM
 * Threads: as key_sign.
 */
int key_jws_sign(
    struct lib *l, struct key *k, struct view tbs, struct buf *out, struct err *e) MUST;

/* key_jws_sign_rs256 - the same with PKCS#1 v1.5 and SHA-256.  fails also ERR_UNSUPPORTED: not an RSA key */
int key_jws_sign_rs256(
    struct lib *l, struct key *k, struct view tbs, struct buf *out, struct err *e) MUST;
#endif
