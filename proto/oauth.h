#ifndef PROTO_OAUTH_H
#define PROTO_OAUTH_H
#include "certs/key.h"
#include "proto/json.h"

/*
 * oauth.h - OAuth 2.0 as a client without a person uses it: client credentials (RFC 6749 4.4), with a secret or
 * with private_key_jwt (RFC 7523 2.2, RFC 7515).
 */
struct oauth_client {
    const char *id;
    struct view secret;      /* or empty */
    struct key *key;         /* with certificate: private_key_jwt, PS256 for RSA */
    struct view certificate; /* DER; its thumbprints become x5t and x5t#S256 */
    bool basic;              /* the secret goes into a header, see oauth_basic, not into the form */
    bool rs256;              /* an RSA key signs with PKCS#1 v1.5: servers that know no PS256 */
};

/* oauth_basic - append the value of the Authorization header of a client with `basic` (RFC 6749 2.3.1); `out` is a
 * secret buf.  fails ERR_NOMEM, ERR_TOO_LARGE */
int oauth_basic(const struct oauth_client *c, struct buf *out, struct err *e) MUST;

/*
 * oauth_token_form - append the form body of a token request; `out` is a secret buf.
 *
 * audience  the token endpoint's URL, exactly; now: UTC seconds; the assertion's id is made here
 * fails     ERR_CONFIG no id, or neither secret nor key; ERR_UNSUPPORTED a key that signs no assertions (Ed25519);
 *           ERR_CRYPTO, ERR_NOMEM, ERR_TOO_LARGE
 */
int oauth_token_form(struct lib *l, const struct oauth_client *c, const char *audience,
    const char *scope, int64_t now, struct buf *out, struct err *e) MUST;

struct oauth_token {
    struct buf access; /* secret; the caller frees it */
    int64_t expires_in_s;
};
/*
 * oauth_token_parse - the answer, success or error.
 *
 * fails  ERR_AUTH        invalid_client, unauthorized_client ...: the message has error, AADSTS code and the first
 *                        sentence of its description; e->number is that code, or the HTTP status
 *        ERR_CONFIG      a redirection, or a refusal that is none of OAuth's: another URL than the endpoint's
 *        ERR_BUSY, ERR_NET, ERR_PROXY, ERR_INTERCEPTED (200 with a page instead of JSON), ERR_PROTO, ERR_NOMEM
 */
int oauth_token_parse(int status, struct view body, struct oauth_token *t, struct err *e) MUST;
#endif
