#ifndef PROTO_OAUTH_METADATA_H
#define PROTO_OAUTH_METADATA_H
#include "proto/oauth.h"

/*
 * oauth_metadata.h - what an authorization server says about itself (RFC 8414; OpenID Connect Discovery 1.0).
 */
enum { OAUTH_URL_MAX = 511 };

struct oauth_metadata {
    char issuer[OAUTH_URL_MAX + 1];
    char token_url[OAUTH_URL_MAX + 1];
    char device_url[OAUTH_URL_MAX + 1]; /* "": no device flow here */
    /* token_endpoint_auth_methods_supported; without it the server has client_secret_basic alone (RFC 8414 2) */
    bool basic, post, key, none; /* key: private_key_jwt */
    /* token_endpoint_auth_signing_alg_values_supported; all false: it does not say */
    bool ps256, rs256, es256, es384, es512;
};

/*
 * oauth_metadata_url - the which-th (0, 1, ...) URL at which the metadata of `issuer` may be, appended:
 *   https://HOST/.well-known/oauth-authorization-server/PATH   RFC 8414 3.1
 *   https://HOST/PATH/.well-known/openid-configuration         OpenID Connect Discovery 4
 *
 * returns  1, or 0: there are no more; the next one is tried after an answer that is none (404, 400, not JSON)
 * fails    ERR_CONFIG: the issuer is no https URL, or has a query or fragment (RFC 8414 2)
 */
int oauth_metadata_url(const char *issuer, unsigned which, struct buf *out, struct err *e) MUST;

/*
 * oauth_metadata_parse - the body of a 200 with application/json; ccp_judge or http_judge came before.
 *
 * issuer   the one that was asked for: the answer's own must be the same, octet for octet (RFC 8414 3.3), or a
 *          server could speak for another; a trailing "/" in one of them alone is another name
 * fails    ERR_CONFIG  another issuer (the message has it; Entra's "common" and "organizations" have a template
 *                      there: the tenant must be named); no token endpoint
 *          ERR_PROTO   not as described; an endpoint that is no https URL
 *          ERR_TOO_LARGE, ERR_NOMEM
 */
int oauth_metadata_parse(
    struct view body, const char *issuer, struct oauth_metadata *out, struct err *e) MUST;

/*
 * oauth_metadata_fit - set how the client signs in there: c->basic and c->rs256.
 *
 * fails  ERR_CONFIG: the server takes neither of the ways that this client can; the message says which it takes
 */
int oauth_metadata_fit(const struct oauth_metadata *m, struct oauth_client *c, struct err *e) MUST;
#endif
