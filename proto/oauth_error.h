#ifndef PROTO_OAUTH_ERROR_H
#define PROTO_OAUTH_ERROR_H
#include "certs/buf.h"

/*
 * oauth_error.h - why an authorization server refuses (RFC 6749 5.2, RFC 8628 3.5), and what an administrator does
 * about it.  Entra ID says most of it in a number, "AADSTS50076", within error_description.
 *
 * Columns: identifier; stable name, for --json and explain; class; what it is, for people; what to do.
 */
#define OAUTH_REASONS(X)                                                                           \
    X(OAUTH_REFUSED, "refused", ERR_AUTH, "the authorization server refused",                      \
        "look for the error at the identity provider, in its sign-in log")                         \
    X(OAUTH_PENDING, "pending", ERR_BUSY, "nobody has answered the sign-in yet", "wait")           \
    X(OAUTH_SLOW_DOWN, "slow-down", ERR_BUSY, "the server wants us to ask less often", "wait")     \
    X(OAUTH_DECLINED, "declined", ERR_DENIED, "the sign-in was declined",                          \
        "sign in again and approve it; if you did not start it, tell your security team")          \
    X(OAUTH_CODE_EXPIRED, "code-expired", ERR_EXPIRED, "the code was not used in time",            \
        "start sign-in again and enter the new code before it ends")                               \
    X(OAUTH_CODE_UNKNOWN, "code-unknown", ERR_AUTH, "the server does not know the device code",    \
        "start sign-in again; the issuer must be the same tenant for the whole sign-in")           \
    X(OAUTH_GRANT, "grant-invalid", ERR_AUTH, "the grant is no longer valid", "sign in again")     \
    X(OAUTH_CLIENT, "client-unknown", ERR_AUTH, "the server does not know this client",            \
        "check the client id and the tenant of the issuer")                                        \
    X(OAUTH_SECRET_WRONG, "secret-wrong", ERR_AUTH, "the client's secret is wrong",                \
        "store the secret's value, not its id, again")                                             \
    X(OAUTH_SECRET_EXPIRED, "secret-expired", ERR_AUTH, "the client's secret has expired",         \
        "make a new secret at the identity provider and store it")                                 \
    X(OAUTH_CERTIFICATE, "certificate-unregistered", ERR_AUTH,                                     \
        "the client's certificate is not registered at the server",                                \
        "register the certificate with the application, or use the one that is")                   \
    X(OAUTH_ASSERTION, "assertion-invalid", ERR_AUTH, "the signed assertion was not accepted",     \
        "check that the key is the certificate's, and the issuer's address")                       \
    X(OAUTH_CLOCK, "clock", ERR_AUTH, "the assertion's time is not the server's time",             \
        "set this machine's clock (timedatectl; chronyc tracking)")                                \
    X(OAUTH_SCOPE, "scope", ERR_CONFIG, "the scope is not known there",                            \
        "check the scope the cloud asks for and the application's exposed permissions")            \
    X(OAUTH_FLOW, "flow-blocked", ERR_FORBIDDEN, "this way of signing in is switched off",         \
        "allow it for this client, or sign in with a certificate or a bootstrap token")            \
    X(OAUTH_PUBLIC_CLIENT, "public-client", ERR_FORBIDDEN,                                         \
        "the application does not allow public clients",                                           \
        "switch on 'Allow public client flows' for the application")                               \
    X(OAUTH_CONSENT, "consent", ERR_FORBIDDEN, "consent is missing",                               \
        "an administrator of the tenant grants consent to the application")                        \
    X(OAUTH_ROLE, "role", ERR_FORBIDDEN, "the account has no role that allows this",               \
        "assign the user or its group to the application, or sign in with one that is")            \
    X(OAUTH_LICENCE, "licence", ERR_FORBIDDEN, "the account or tenant has no licence for this",    \
        "assign a licence to the account, or sign in with an account that has one")                \
    X(OAUTH_CONDITIONAL, "conditional-access", ERR_FORBIDDEN, "Conditional Access blocks it",      \
        "exempt this sign-in from the policy, or use a certificate instead of a device code")      \
    X(OAUTH_FACTOR, "second-factor", ERR_FORBIDDEN, "a second factor is wanted",                   \
        "complete it in the browser; for the service use a certificate, which needs none")         \
    X(OAUTH_ACCOUNT, "account", ERR_AUTH, "the account is disabled, locked or not in this tenant", \
        "sign in with an account of this tenant that is enabled")                                  \
    X(OAUTH_PASSWORD, "password-expired", ERR_AUTH,                                                \
        "the account's password has expired or changed",                                           \
        "set a new password in the browser, then sign in again")                                   \
    X(OAUTH_TENANT, "tenant", ERR_CONFIG, "there is no such tenant",                               \
        "check the issuer: the tenant's id or a domain of it")                                     \
    X(OAUTH_THROTTLED, "throttled", ERR_BUSY, "the server is busy or counts too many requests",    \
        "wait; it is asked again by itself")

enum oauth_reason {
    OAUTH_NO_REASON,
#define X(id, name, cls, fact, fix) id,
    OAUTH_REASONS(X)
#undef X
        OAUTH_REASON_COUNT
};

struct oauth_error {
    enum oauth_reason reason; /* never OAUTH_NO_REASON once read */
    uint32_t aadsts;          /* 0: none */
    char code[48];            /* "error" as sent: "invalid_grant" */
    char said[128];           /* the first sentence of error_description, clean; "" */
};

/* oauth_error_parse - returns 1; 0: JSON, but no OAuth error.  fails ERR_PROTO: not JSON; ERR_TOO_LARGE, ERR_NOMEM */
int oauth_error_parse(struct view body, struct oauth_error *out, struct err *e) MUST;
/* oauth_error_read - the same in brief; false: it is none, *out is empty then. */
bool oauth_error_read(struct view body, struct oauth_error *out);

/* oauth_error_set - as an err: "invalid_client: AADSTS7000222: ..." in the class of its reason; number: the AADSTS
 * code, else `status`.  Returns -1. */
int oauth_error_set(const struct oauth_error *o, int status, struct err *e);

/* oauth_reason_of - of an AADSTS number (struct err's, say); OAUTH_NO_REASON: not one that we know */
enum oauth_reason oauth_reason_of(uint32_t aadsts);

const char *oauth_reason_name(enum oauth_reason r); /* "secret-expired"; never NULL */
const char *oauth_reason_fact(enum oauth_reason r);
const char *oauth_reason_fix(enum oauth_reason r);
#endif
