#ifndef SANDBOX_JWS_H
#define SANDBOX_JWS_H
#include <openssl/evp.h>
#include <openssl/x509.h>
#include "test/sandbox/js.h"

/* jws.h - signed JSON (RFC 7515, compact form) and public keys as JSON (RFC 7517), checked with OpenSSL. */
struct jws {
    struct json_object *header, *payload;
    struct str signed_text, signature;
};
bool jws_read(const char *text, struct jws *j); /* false: it is none; nothing is left to free */
void jws_free(struct jws *j);

/* jws_good - is it signed by this key, with PS256, RS256 or ES256 as its header says? */
bool jws_good(const struct jws *j, EVP_PKEY *key);

/* jws_names - does the header name this certificate by x5t#S256, and by x5t if that is there? */
bool jws_names(const struct jws *j, X509 *x);

/* jwk_key - RSA, or EC on P-256.  NULL: neither */
EVP_PKEY *jwk_key(struct json_object *jwk);
#endif
