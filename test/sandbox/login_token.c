/* see signin.h: the token endpoint: polls of a device code, client credentials */
#include "test/sandbox/jws.h"
#include "test/sandbox/jwt.h"
#include "test/sandbox/sandbox.h"
#include "test/sandbox/signin.h"
#include <inttypes.h>
#include <string.h>

#define ASSERTION_TYPE "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"

enum { LIFE_S = 3599, EARLY_MS = 50, SLOWER_MS = 5000 };

/* ---- what is granted ---- */

/* A person's grant has everything that a store must not keep. */
static struct grant *give(
    struct exchange *x, const char *scope, const char *way, struct agent *agent)
{
    int64_t life_s =
        hit_has(&x->hit, FAULT_SHORT_TOKEN) ? x->hit.argument[FAULT_SHORT_TOKEN] : LIFE_S;
    struct grant *g = signin_grant(x->sandbox->signin, scope, way, agent, life_s);
    char refresh[TOKEN_TEXT] = "";

    if (strcmp(way, "person") == 0)
        signin_random("rt.", refresh);
    answer(x, 200, "application/json; charset=utf-8");
    str_f(&x->reply.body,
        "{\"token_type\":\"Bearer\",\"scope\":\"%s\",\"expires_in\":%" PRId64
        ",\"access_token\":\"%s\"",
        scope, life_s, g->access);
    if (refresh[0] != '\0')
        str_f(&x->reply.body, ",\"refresh_token\":\"%s\",\"id_token\":\"id%s\"", refresh,
            refresh + 2);
    str_puts(&x->reply.body, "}");
    ledger_begin(x->sandbox->ledger, "sign-in");
    ledger_text(x->sandbox->ledger, "way", way);
    ledger_text(x->sandbox->ledger, "scope", scope);
    ledger_text(x->sandbox->ledger, "agentId", agent == NULL ? NULL : agent->id);
    ledger_text(x->sandbox->ledger, "accessToken", g->access);
    ledger_text(x->sandbox->ledger, "refreshToken", refresh[0] == '\0' ? NULL : refresh);
    ledger_end(x->sandbox->ledger);
    return g;
}

/* ---- a device code ---- */

/* What the faults say, or NULL. */
static const char *by_fault(const struct hit *h)
{
    static const struct {
        enum fault_what what;
        const char *error;
    } rows[] = {
        { FAULT_AUTH_PENDING, "authorization_pending" },
        { FAULT_SLOW_DOWN, "slow_down" },
        { FAULT_ACCESS_DENIED, "access_denied" },
        { FAULT_DECLINED, "authorization_declined" },
        { FAULT_EXPIRED_TOKEN, "expired_token" },
        { FAULT_BAD_CODE, "bad_verification_code" },
        { FAULT_INVALID_GRANT, "invalid_grant" },
    };

    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        if (hit_has(h, rows[i].what))
            return rows[i].error;
    }
    return NULL;
}

/* Asked twice for what was granted: somebody else has the code, so that nobody keeps what came of it. */
static const char *used_again(struct exchange *x, struct device_code *d)
{
    d->grant->expires_at_ms = 0;
    ledger_begin(x->sandbox->ledger, "refused");
    ledger_text(x->sandbox->ledger, "path", x->path);
    ledger_int(x->sandbox->ledger, "status", 400);
    ledger_text(x->sandbox->ledger, "why", "a device code was used again: its grant is revoked");
    ledger_end(x->sandbox->ledger);
    return "invalid_grant";
}

/* NULL: it is approved. */
static const char *by_state(struct exchange *x, struct device_code *d, bool early)
{
    if (d->state == CODE_USED)
        return used_again(x, d);
    if (d->state == CODE_EXPIRED || clock_ms() >= d->expires_at_ms)
        return "expired_token";
    if (early)
        return "slow_down";
    if (d->state == CODE_DENIED)
        return "access_denied";
    if (d->state == CODE_OPEN && d->approve_after >= 0 && d->approve_after-- == 0)
        d->state = CODE_APPROVED;
    return d->state == CODE_APPROVED ? NULL : "authorization_pending";
}

static void note_poll(
    struct exchange *x, const struct device_code *d, const char *error, int64_t since_ms)
{
    ledger_begin(x->sandbox->ledger, "poll");
    ledger_text(x->sandbox->ledger, "userCode", d->user_code);
    ledger_text(x->sandbox->ledger, "answer", error == NULL ? "granted" : error);
    ledger_int(x->sandbox->ledger, "sinceMs", since_ms);
    ledger_int(x->sandbox->ledger, "intervalMs", d->interval_ms);
    ledger_end(x->sandbox->ledger);
}

static void refuse_poll(struct exchange *x, const char *error)
{
    answer(x, 400, "application/json; charset=utf-8");
    str_f(&x->reply.body, "{\"error\":\"%s\",\"error_description\":\"What the server says.\"}",
        error);
}

static void poll_code(struct exchange *x, const char *form)
{
    struct str code = { 0 };
    struct device_code *d =
        form_value(form, "device_code", &code) ? signin_device(x->sandbox->signin, code.p) : NULL;
    const char *error;
    int64_t since_ms;

    str_free(&code);
    if (!form_is(form, "client_id", SIGNIN_PUBLIC)) {
        login_refuse(x, 401, "invalid_client", "client_id: not who asked for the code");
        return;
    }
    if (d == NULL) {
        login_refuse(x, 400, "invalid_grant", "device_code: unknown");
        return;
    }
    since_ms = clock_ms() - d->asked_at_ms;
    d->asked_at_ms = clock_ms();
    error = by_fault(&x->hit);
    if (error == NULL)
        error = by_state(x, d, since_ms < d->interval_ms - EARLY_MS);
    note_poll(x, d, error, since_ms);
    if (error != NULL && strcmp(error, "slow_down") == 0)
        d->interval_ms += SLOWER_MS;
    if (error != NULL) {
        refuse_poll(x, error);
        return;
    }
    d->state = CODE_USED;
    d->grant = give(x, SCOPE_ENROLL, "person", NULL);
}

/* ---- client credentials ---- */

struct proof {
    struct str id, secret, assertion;
    bool basic;
};

/* RFC 6749 2.3.1: both parts of it are encoded as in a form. */
static void read_basic(struct exchange *x, struct proof *p)
{
    const char *h = http_header(x, "Authorization");
    struct str plain = { 0 }, pair = { 0 };
    char *colon;

    if (h != NULL && strncmp(h, "Basic ", 6) == 0 && b64_read(h + 6, strlen(h + 6), &plain)
        && (colon = strchr(str_text(&plain), ':')) != NULL) {
        *colon = '\0';
        str_f(&pair, "i=%s&s=%s", plain.p, colon + 1);
        p->basic = form_value(pair.p, "i", &p->id) && form_value(pair.p, "s", &p->secret);
    }
    str_free(&plain);
    str_free(&pair);
}

static const char *check_assertion(
    struct exchange *x, const char *form, const struct proof *p, X509 *registered)
{
    struct str audience = { 0 };
    const char *why = "AADSTS50027: client_assertion_type";

    login_issuer(x, &audience);
    str_puts(&audience, "/token");
    if (form_is(form, "client_assertion_type", ASSERTION_TYPE))
        why = jwt_check(&(struct jwt_rule){ registered, audience.p, str_text(&p->id), true,
                            signin_once, x->sandbox->signin },
            str_text(&p->assertion));
    str_free(&audience);
    return why;
}

/* NULL: it is the application; else what is wrong. */
static const char *check_app(struct exchange *x, const char *form, const struct proof *p)
{
    const struct setup *s = &x->sandbox->setup;

    if ((p->secret.len > 0) == (p->assertion.len > 0))
        return "AADSTS7000218: client_secret or client_assertion, one of both";
    if (p->assertion.len > 0)
        return check_assertion(x, form, p, s->login_app);
    return strcmp(p->secret.p, s->login_secret.p) == 0
               ? NULL
               : "AADSTS7000215: Invalid client secret provided.";
}

/* With the certificate that its header names, of those it has. */
static const char *check_agent(
    struct exchange *x, const char *form, const struct proof *p, struct agent *a)
{
    const char *why = "AADSTS700027: no certificate of this connector has this thumbprint";
    struct jws j;

    if (x->sandbox->opt.sign_in != SIGN_IN_JWT || !jws_read(str_text(&p->assertion), &j))
        return "AADSTS700027: a connector signs an assertion";
    for (size_t i = 0; i < a->certificate_count; i++) {
        struct agent_certificate *c = &a->certificate[i];

        if (!jws_names(&j, c->x))
            continue;
        why = agent_good(a, c);
        if (why == NULL)
            why = check_assertion(x, form, p, c->x);
        if (why == NULL)
            agent_used(x, a, c);
        break;
    }
    jws_free(&j);
    return why;
}

static void client_credentials(struct exchange *x, const char *form)
{
    struct signin *s = x->sandbox->signin;
    struct proof p = { { 0 }, { 0 }, { 0 }, false };
    struct agent *agent = NULL;
    const char *why, *scope = SCOPE_ENROLL;

    read_basic(x, &p);
    if (!p.basic) {
        form_value(form, "client_id", &p.id);
        form_value(form, "client_secret", &p.secret);
        form_value(form, "client_assertion", &p.assertion);
    }
    if (strcmp(str_text(&p.id), SIGNIN_APP) == 0) {
        why = check_app(x, form, &p);
    } else if ((agent = agents_find(&s->agents, str_text(&p.id))) != NULL) {
        why = check_agent(x, form, &p, agent);
        scope = SCOPE_AGENT;
    } else {
        why = "AADSTS700016: no application with this client_id";
    }
    if (why != NULL)
        login_refuse(x, 401, "invalid_client", why);
    else if (!form_is(form, "scope", scope))
        login_refuse(x, 400, "invalid_scope", "AADSTS70011: not a scope of this client");
    else
        give(x, scope,
            agent != NULL         ? "connector"
            : p.assertion.len > 0 ? "assertion"
                                  : "secret",
            agent);
    str_free(&p.id);
    str_free(&p.secret);
    str_free(&p.assertion);
}

void login_token(struct exchange *x, const char *form)
{
    if (hit_has(&x->hit, FAULT_AADSTS))
        login_aadsts(x);
    else if (form_is(form, "grant_type", "urn:ietf:params:oauth:grant-type:device_code"))
        poll_code(x, form);
    else if (!form_is(form, "grant_type", "client_credentials"))
        login_refuse(x, 400, "unsupported_grant_type", "AADSTS70003: grant_type");
    else if (by_fault(&x->hit) != NULL)
        login_refuse(x, 400, by_fault(&x->hit), "What the server says.");
    else
        client_credentials(x, form);
}
