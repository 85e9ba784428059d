#ifndef PROTO_OAUTH_JWT_H
#define PROTO_OAUTH_JWT_H
#include "proto/oauth.h"

/*
 * oauth_jwt.h - the assertion that a client signs instead of sending a secret (RFC 7523 2.2, 3); for oauth.c
 * only.
 *
 * Good for ten minutes from `now` on.  Both thumbprints of the certificate stand in its header: Entra ID
 * takes x5t#S256 today and x5t from long ago.
 * fails ERR_UNSUPPORTED: an Ed25519 key; ERR_CRYPTO, ERR_NOMEM, ERR_TOO_LARGE
 */
int oauth_jwt_add(struct lib *l, const struct oauth_client *c, const char *audience, int64_t now,
    struct buf *out, struct err *e) MUST;
#endif
