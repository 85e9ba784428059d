/* see intune.h: the token endpoint (client credentials) and who may use what it gave out */
#include "test/sandbox/clock.h"
#include "test/sandbox/intune.h"
#include "test/sandbox/jwt.h"
#include "test/sandbox/sandbox.h"
#include "test/sandbox/wire.h"
#include <inttypes.h>
#include <openssl/rand.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define TAIL           "/oauth2/v2.0/token"
#define SCOPE_END      "/.default"
#define ASSERTION_TYPE "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"

enum { LIFE_S = 3599 };

bool token_owns(const char *path)
{
    size_t len = strlen(path);

    return len > strlen(TAIL) && strcmp(path + len - strlen(TAIL), TAIL) == 0;
}

static void refuse(struct exchange *x, int status, const char *error, const char *why)
{
    answer(x, status, "application/json; charset=utf-8");
    str_puts(&x->reply.body, "{\"error\":");
    str_json(&x->reply.body, error);
    str_puts(&x->reply.body, ",\"error_description\":");
    str_json(&x->reply.body, why);
    str_puts(&x->reply.body, ",\"error_codes\":[0],\"correlation_id\":\"\"}");
    ledger_begin(x->sandbox->ledger, "refused");
    ledger_text(x->sandbox->ledger, "path", x->path);
    ledger_int(x->sandbox->ledger, "status", status);
    ledger_text(x->sandbox->ledger, "why", why);
    ledger_end(x->sandbox->ledger);
}

/* The resource is what stands before the last slash of "https://api.manage.microsoft.com//.default": its
 * own slash at the end belongs to it, and without it the token is for somebody else. */
static enum audience audience_of(const struct exchange *x, const char *scope)
{
    size_t len = strlen(scope), end = strlen(SCOPE_END);
    static const char *const graph[] = { "https://graph.microsoft.com",
        "https://graph.microsoft.us", "https://dod-graph.microsoft.us" };
    static const char *const intune[] = { "https://api.manage.microsoft.com/",
        "https://api.manage.microsoft.us/" };
    struct str resource = { 0 };
    enum audience a = AUDIENCE_NONE;

    if (len <= end || strcmp(scope + len - end, SCOPE_END) != 0)
        return AUDIENCE_NONE;
    str_add(&resource, scope, len - end);
    if (strcmp(resource.p, x->sandbox->base) == 0)
        a = AUDIENCE_GRAPH;
    for (size_t i = 0; i < sizeof graph / sizeof graph[0]; i++)
        a = strcmp(resource.p, graph[i]) == 0 ? AUDIENCE_GRAPH : a;
    for (size_t i = 0; i < sizeof intune / sizeof intune[0]; i++)
        a = strcmp(resource.p, intune[i]) == 0 ? AUDIENCE_INTUNE : a;
    str_free(&resource);
    return a;
}

static bool first_time(void *intune, const char *jti)
{
    return intune_once(intune, jti);
}

/* Secret or assertion, never both.  NULL: it is the client; else what is wrong */
static const char *check_client(struct exchange *x, const char *form)
{
    struct sandbox *s = x->sandbox;
    struct str secret = { 0 }, assertion = { 0 }, audience = { 0 };
    bool has_secret = form_value(form, "client_secret", &secret);
    bool has_assertion = form_value(form, "client_assertion", &assertion);
    const char *why = NULL;

    str_f(&audience, "%s%s", s->base, x->path);
    if (!form_is(form, "client_id", INTUNE_APP))
        why = "AADSTS700016: no application with this client_id";
    else if (has_secret == has_assertion)
        why = "AADSTS7000218: client_secret or client_assertion, one of both";
    else if (has_secret && strcmp(str_text(&secret), str_text(&s->setup.intune_secret)) != 0)
        why = "AADSTS7000215: this is not the client secret";
    else if (has_assertion && !form_is(form, "client_assertion_type", ASSERTION_TYPE))
        why = "AADSTS50027: client_assertion_type";
    else if (has_assertion)
        why = jwt_check(&(struct jwt_rule){ s->setup.intune_app, audience.p, INTUNE_APP, false,
                            first_time, s->intune },
            str_text(&assertion));
    str_free(&secret);
    str_free(&assertion);
    str_free(&audience);
    return why;
}

static void give(struct exchange *x, enum audience a)
{
    struct intune *i = x->sandbox->intune;
    struct token *t = need(calloc(1, sizeof *t));
    int64_t life_s =
        hit_has(&x->hit, FAULT_TOKEN_SHORT) ? x->hit.argument[FAULT_TOKEN_SHORT] : LIFE_S;
    unsigned char bytes[24];
    struct str hex = { 0 };

    need(RAND_bytes(bytes, sizeof bytes) == 1 ? bytes : NULL);
    str_puts(&hex, "eyJ0.");
    str_hex(&hex, bytes, sizeof bytes, false);
    copy_n(t->text, sizeof t->text, hex.p);
    str_free(&hex);
    t->audience = a;
    t->expires_at = wall_s() + life_s;
    i->token = need(realloc(i->token, (i->token_count + 1) * sizeof(struct token *)));
    i->token[i->token_count++] = t;
    map_put_text(&i->tokens, t->text, t);
    answer(x, 200, "application/json; charset=utf-8");
    str_f(&x->reply.body,
        "{\"token_type\":\"Bearer\",\"expires_in\":%" PRId64 ",\"ext_expires_in\":%" PRId64
        ",\"access_token\":\"%s\"}",
        life_s, life_s, t->text);
    ledger_begin(x->sandbox->ledger, "token");
    ledger_text(x->sandbox->ledger, "audience", a == AUDIENCE_GRAPH ? "graph" : "intune");
    ledger_end(x->sandbox->ledger);
}

static void judge(struct exchange *x, const char *form)
{
    struct str scope = { 0 };
    enum audience a;
    const char *why;

    if (!form_once(form))
        refuse(x, 400, "invalid_request", "AADSTS900144: a field is there twice");
    else if (!form_is(form, "grant_type", "client_credentials"))
        refuse(x, 400, "unsupported_grant_type", "AADSTS70003: grant_type");
    else if (hit_has(&x->hit, FAULT_CLIENT_UNKNOWN))
        refuse(x, 401, "invalid_client", "AADSTS700027: The certificate is not registered.");
    else if ((why = check_client(x, form)) != NULL)
        refuse(x, 401, "invalid_client", why);
    else if (!form_value(form, "scope", &scope) || strstr(scope.p, SCOPE_END) == NULL)
        refuse(x, 400, "invalid_scope", "AADSTS1002012: scope does not end in /.default");
    else if ((a = audience_of(x, scope.p)) == AUDIENCE_NONE)
        refuse(x, 400, "invalid_resource", "AADSTS500011: no such resource");
    else
        give(x, a);
    str_free(&scope);
}

void token_serve(struct exchange *x)
{
    const char *type = http_header(x, "Content-Type");

    if (wire_before(x, AT_TOKEN, ""))
        return;
    if (strcmp(x->method, "POST") != 0)
        answer_text(x, 405, "POST a form here.\n");
    else if (strncmp(x->path, "/" INTUNE_TENANT "/", strlen(INTUNE_TENANT) + 2) != 0)
        refuse(x, 400, "invalid_request", "AADSTS90002: no such tenant");
    else if (type == NULL || strncasecmp(type, "application/x-www-form-urlencoded", 33) != 0)
        refuse(x, 400, "invalid_request", "AADSTS900144: not a form");
    else
        judge(x, str_text(&x->body));
    wire_after(x);
}

static struct token *token_of(struct exchange *x)
{
    const char *header = http_header(x, "Authorization");

    return header == NULL || strncmp(header, "Bearer ", 7) != 0
               ? NULL
               : map_get_text(&x->sandbox->intune->tokens, header + 7);
}

bool token_check(struct exchange *x, enum audience audience)
{
    const struct token *t = token_of(x);

    if (t != NULL && t->audience == audience && t->expires_at > wall_s())
        return true;
    /* A token whose time is over is no mistake of the client: it may have been taken away. */
    if (t != NULL && t->audience == audience)
        intune_error(x, 401, "InvalidAuthenticationToken", -1);
    else
        intune_refuse(x, 401, "InvalidAuthenticationToken",
            t == NULL ? "no token of ours" : "the token is for another audience");
    x->reply.authenticate = "Bearer";
    return false;
}

void token_expire(struct exchange *x)
{
    struct token *t = token_of(x);

    if (t != NULL)
        t->expires_at = 0;
}
