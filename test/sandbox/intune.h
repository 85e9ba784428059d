#ifndef SANDBOX_INTUNE_H
#define SANDBOX_INTUNE_H
#include "test/sandbox/challenge.h"
#include "test/sandbox/http.h"
#include "test/sandbox/map.h"

/*
 * intune.h - the services of Intune and Entra that a SCEP validator talks to: token endpoint, Graph's
 * service discovery, ScepActions.  There with --scep only.
 *
 * Everything that arrives is held against what was sent before: tokens against the audience they were
 * made for, each client-request-id against all others, notifications against the validated request and
 * against the certificate in the CA's book.  What does not fit is answered with an error of the service
 * and is a `refused` line of the ledger: a test wants none of these.
 */
#define INTUNE_TENANT "5a1d0c5e-7e57-4b0c-9d3f-3f8b1c0a9e21"
#define INTUNE_APP    "c0ffee5e-7e57-4a77-8a11-6d1f0b2c4e90"

enum audience { AUDIENCE_NONE, AUDIENCE_GRAPH, AUDIENCE_INTUNE };

struct intune {
    struct map tokens;  /* text to struct token */
    struct map once;    /* client-request-ids and jtis that were used */
    struct map by_text; /* challenges: text to struct challenge */
    char **texts;       /* keys of `once`, to free */
    struct token **token;
    struct challenge **challenge;
    size_t text_count, token_count, challenge_count;
    unsigned home; /* which scale unit the tenant lives on; moves with the fault "moved" */
};
struct intune *intune_new(void);
void intune_free(struct intune *i);

/* intune_once - false: this text was here before */
bool intune_once(struct intune *i, const char *text);

/* A token that was given out (face_token.c). */
struct token {
    char text[65];
    enum audience audience;
    int64_t expires_at;
};
/* token_check - the Authorization header holds a token for this audience; else the 401 is filled in. */
bool token_check(struct exchange *x, enum audience audience);
void token_expire(struct exchange *x); /* the one in this request */

bool token_owns(const char *path); /* /{tenant}/oauth2/v2.0/token */
void token_serve(struct exchange *x);
bool intune_owns(const char *path); /* /v1.0/servicePrincipals/..., .../ScepActions/... */
void intune_serve(struct exchange *x);

/* intune_error - an error as Graph and Intune word it; retry_after_s -1: none. */
void intune_error(struct exchange *x, int status, const char *code, int64_t retry_after_s);
/* intune_refuse - the same, with a line in the ledger that says why. */
void intune_refuse(struct exchange *x, int status, const char *code, const char *why);

/* notified.c: the two notifications; `n` is the body's `notification`.  A code, or CODE_NONE: refused. */
struct json_object;
enum code notified_success(struct exchange *x, struct json_object *n);
enum code notified_failure(struct exchange *x, struct json_object *n);
#endif
