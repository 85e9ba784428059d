#ifndef SANDBOX_JWT_H
#define SANDBOX_JWT_H
#include <openssl/x509.h>
#include <stdbool.h>

/* jwt.h - a client assertion, as Entra checks it (RFC 7523 3; algorithms of RFC 7518 3.3 to 3.5). */
struct jwt_rule {
    X509 *registered; /* whose thumbprint must be in the header, whose key has signed */
    const char *audience, *client;            /* aud; iss and sub */
    bool any_alg;                             /* RS256 and ES256 too, not PS256 alone */
    bool (*once)(void *arg, const char *jti); /* false: it was here before */
    void *arg;
};
/* jwt_check - NULL: it is good; else what is wrong */
const char *jwt_check(const struct jwt_rule *r, const char *jwt);
#endif
