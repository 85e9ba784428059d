#ifndef SANDBOX_SIGNIN_H
#define SANDBOX_SIGNIN_H
#include "test/sandbox/agents.h"
#include "test/sandbox/http.h"
#include "test/sandbox/js.h"
#include "test/sandbox/map.h"

/*
 * signin.h - with --sign-in: an authorization server, and a cloud whose connectors must enrol.
 *
 * The server's issuer is BASE/login.  Its clients: SIGNIN_PUBLIC (device code, no secret), SIGNIN_APP (client
 * credentials, by login-secret.txt or by an assertion with login-app.pem), and, with `--sign-in jwt`, each enrolled
 * connector under its agentId.
 */
#define SIGNIN_PUBLIC   "certferry-sign-in"
#define SIGNIN_APP      "certferry-automation"
#define SIGNIN_AUDIENCE "urn:certferry:cloud" /* of tokens from an issuer elsewhere */
#define SCOPE_ENROLL    "ccp.enroll"
#define SCOPE_AGENT     "ccp.agent"

enum { TOKEN_TEXT = 72 };

struct grant {
    char access[TOKEN_TEXT];
    const char *scope;   /* SCOPE_ENROLL, SCOPE_AGENT */
    const char *way;     /* "person", "secret", "assertion", "connector" */
    struct agent *agent; /* with SCOPE_AGENT */
    int64_t expires_at_ms;
};

enum code_state { CODE_OPEN, CODE_APPROVED, CODE_DENIED, CODE_EXPIRED, CODE_USED };
struct device_code {
    char code[TOKEN_TEXT], user_code[16];
    enum code_state state;
    int64_t expires_at_ms, asked_at_ms, interval_ms;
    int64_t approve_after; /* polls; -1: a person does */
    struct grant *grant;   /* once used */
};

struct bootstrap {
    char text[TOKEN_TEXT];
    bool used;
};

struct signin {
    struct map once; /* jtis that were used */
    char **texts;
    struct grant **grant;
    struct device_code **device;
    struct bootstrap **bootstrap;
    size_t text_count, grant_count, device_count, bootstrap_count;
    struct agents agents;
    const char *issuer;       /* elsewhere; NULL: our own */
    struct json_object *jwks; /* its keys */
};

struct options;
/* signin_new - reads the file with the other issuer's keys, if there is one.  NULL: `why` */
struct signin *signin_new(const struct options *o, const char *bootstrap, char *why, size_t room);
void signin_free(struct signin *s);

void signin_random(const char *before, char out[TOKEN_TEXT]); /* 32 bytes as hexadecimal digits */
bool signin_once(void *signin, const char *jti);              /* false: it was here before */
struct grant *signin_grant(
    struct signin *s, const char *scope, const char *way, struct agent *agent, int64_t life_s);
struct grant *signin_find(const struct signin *s, const char *access); /* NULL: unknown or over */
const char *signin_bootstrap(struct signin *s, const char *text); /* a new one; NULL: made up */
struct device_code *signin_device(const struct signin *s, const char *code); /* NULL: unknown */

/* The authorization server: face_login.c the metadata and device codes, login_token.c tokens. */
bool login_owns(const char *path);
void login_serve(struct exchange *x);
void login_token(struct exchange *x, const char *form);
void login_refuse(struct exchange *x, int status, const char *error, const char *why);
void login_issuer(const struct exchange *x, struct str *out);
/* login_aadsts - an error as Entra ID words it: the fault aadsts */
void login_aadsts(struct exchange *x);

/* enroll.c: the two operations, and who else may call. */
void cloud_enroll(struct exchange *x, struct json_object *body);
void cloud_renew(struct exchange *x, struct json_object *body);

/* signin_control.c: what a test or a person does; each answers. */
void control_device(struct exchange *x, struct json_object *body);
void control_bootstrap(struct exchange *x, struct json_object *body);
void control_counter(struct exchange *x, struct json_object *body);
void control_revoke(struct exchange *x, struct json_object *body);
void control_agents(struct exchange *x, struct json_object *body);
#endif
