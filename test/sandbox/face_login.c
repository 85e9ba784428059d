/* see signin.h: the authorization server's metadata (RFC 8414) and device codes (RFC 8628) */
#include "test/sandbox/sandbox.h"
#include "test/sandbox/signin.h"
#include "test/sandbox/wire.h"
#include <inttypes.h>
#include <openssl/rand.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define LOGIN    "/login"
#define RFC_8414 "/.well-known/oauth-authorization-server" LOGIN
#define OPENID   LOGIN "/.well-known/openid-configuration"

enum { CODE_LIFE_S = 600, INTERVAL_S = 1, UNSAID_INTERVAL_S = 5 };

bool login_owns(const char *path)
{
    return strncmp(path, LOGIN "/", strlen(LOGIN) + 1) == 0 || strcmp(path, RFC_8414) == 0;
}

void login_issuer(const struct exchange *x, struct str *out)
{
    str_f(out, "%s" LOGIN, x->sandbox->base);
}

void login_refuse(struct exchange *x, int status, const char *error, const char *why)
{
    answer(x, status, "application/json; charset=utf-8");
    str_puts(&x->reply.body, "{\"error\":");
    str_json(&x->reply.body, error);
    str_puts(&x->reply.body, ",\"error_description\":");
    str_json(&x->reply.body, why);
    str_puts(&x->reply.body, "}");
    ledger_begin(x->sandbox->ledger, "refused");
    ledger_text(x->sandbox->ledger, "path", x->path);
    ledger_int(x->sandbox->ledger, "status", status);
    ledger_text(x->sandbox->ledger, "error", error);
    ledger_text(x->sandbox->ledger, "why", why);
    ledger_end(x->sandbox->ledger);
}

void login_aadsts(struct exchange *x)
{
    int64_t code = x->hit.argument[FAULT_AADSTS];
    const char *error = code >= 700000 || code == 70001 || code == 70002 ? "invalid_client"
                        : code == 65001 || (code >= 50072 && code <= 50079) || code == 53003
                            ? "interaction_required"
                            : "invalid_grant";

    answer(x, error[8] == 'c' ? 401 : 400, "application/json; charset=utf-8");
    str_f(&x->reply.body,
        "{\"error\":\"%s\",\"error_description\":\"AADSTS%" PRId64
        ": What the service says about this. And more of it.\\r\\nTrace ID: 0\\r\\nCorrelation ID: "
        "0\\r\\nTimestamp: 2026-11-20 08:00:00Z\",\"error_codes\":[%" PRId64
        "],\"timestamp\":\"2026-11-20 08:00:00Z\",\"trace_id\":\"0\",\"correlation_id\":\"0\"}",
        error, code, code);
}

/* ---- metadata ---- */

static void metadata(struct exchange *x)
{
    struct str issuer = { 0 }, base = { 0 };
    struct hit *h = &x->hit;

    if (wire_before(x, AT_METADATA, x->path))
        return;
    if (hit_has(h, FAULT_NOT_FOUND)) {
        answer_text(x, 404, "Nothing is here.\n");
        return;
    }
    login_issuer(x, &issuer);
    str_puts(&base, hit_has(h, FAULT_PLAIN_HTTP) ? "http" : "https");
    str_puts(&base, strchr(issuer.p, ':'));
    answer(x, 200, "application/json");
    str_f(&x->reply.body, "{\"issuer\":\"%s%s\",\"token_endpoint\":\"%s/token\"", issuer.p,
        hit_has(h, FAULT_OTHER_ISSUER) ? "/other" : "", base.p);
    if (!hit_has(h, FAULT_NO_DEVICE))
        str_f(&x->reply.body, ",\"device_authorization_endpoint\":\"%s/devicecode\"", base.p);
    str_puts(&x->reply.body, hit_has(h, FAULT_ONLY_BASIC)
                                 ? ",\"token_endpoint_auth_methods_supported\":[\"none\","
                                   "\"client_secret_basic\"]"
                                 : ",\"token_endpoint_auth_methods_supported\":[\"none\","
                                   "\"client_secret_post\",\"client_secret_basic\","
                                   "\"private_key_jwt\"]");
    str_puts(&x->reply.body, hit_has(h, FAULT_ONLY_RS256)
                                 ? ",\"token_endpoint_auth_signing_alg_values_supported\":["
                                   "\"RS256\"]"
                                 : ",\"token_endpoint_auth_signing_alg_values_supported\":["
                                   "\"PS256\",\"RS256\",\"ES256\"]");
    str_puts(&x->reply.body,
        ",\"grant_types_supported\":[\"client_credentials\","
        "\"urn:ietf:params:oauth:grant-type:device_code\"],\"response_types_supported\":[],"
        "\"scopes_supported\":[\"" SCOPE_ENROLL "\",\"" SCOPE_AGENT "\"]}");
    wire_after(x);
    str_free(&issuer);
    str_free(&base);
}

/* ---- device codes ---- */

/* Letters that nobody takes for others: "WDJB-MJHT". */
static void make_user_code(char out[16])
{
    static const char letters[] = "BCDFGHJKLMNPQRSTVWXZ";
    unsigned char bytes[8];

    need(RAND_bytes(bytes, sizeof bytes) == 1 ? bytes : NULL);
    for (size_t i = 0; i < sizeof bytes; i++)
        out[i + (i >= 4)] = letters[bytes[i] % (sizeof letters - 1)];
    out[4] = '-';
    out[9] = '\0';
}

static struct device_code *make_code(struct exchange *x, int64_t life_s, int64_t interval_s)
{
    struct signin *s = x->sandbox->signin;
    struct device_code *d = need(calloc(1, sizeof *d));

    signin_random("dc.", d->code);
    make_user_code(d->user_code);
    d->expires_at_ms = clock_ms() + life_s * 1000;
    d->asked_at_ms = clock_ms();
    d->interval_ms = interval_s * 1000;
    d->approve_after = hit_has(&x->hit, FAULT_APPROVED) ? x->hit.argument[FAULT_APPROVED] : -1;
    s->device = need(realloc(s->device, (s->device_count + 1) * sizeof(struct device_code *)));
    return s->device[s->device_count++] = d;
}

/* As RFC 8628 3.2 has it, or as Entra ID does: a text for the person, and no address with the code in it. */
static void tell_code(struct exchange *x, const struct device_code *d, int64_t life_s)
{
    bool entra = hit_has(&x->hit, FAULT_ENTRA);
    struct str page = { 0 };

    login_issuer(x, &page);
    str_puts(&page, "/device");
    answer(x, 200, "application/json; charset=utf-8");
    str_f(&x->reply.body,
        "{\"device_code\":\"%s\",\"user_code\":\"%s\",\"verification_uri\":\"%s\","
        "\"expires_in\":%" PRId64,
        d->code, d->user_code, page.p, life_s);
    if (!hit_has(&x->hit, FAULT_NO_INTERVAL))
        str_f(&x->reply.body, ",\"interval\":%" PRId64, d->interval_ms / 1000);
    if (entra)
        str_f(&x->reply.body,
            ",\"message\":\"To sign in, use a web browser to open the page %s and enter the code "
            "%s "
            "to authenticate.\"",
            page.p, d->user_code);
    else
        str_f(&x->reply.body, ",\"verification_uri_complete\":\"%s?user_code=%s\"", page.p,
            d->user_code);
    str_puts(&x->reply.body, "}");
    str_free(&page);
}

static bool scope_ok(const char *form)
{
    struct str scope = { 0 };
    bool enroll = false, others = false;

    if (form_value(form, "scope", &scope)) {
        for (char *save = NULL, *word = strtok_r(scope.p, " ", &save); word != NULL;
             word = strtok_r(NULL, " ", &save)) {
            if (strcmp(word, SCOPE_ENROLL) == 0)
                enroll = true;
            else
                others = true;
        }
    }
    str_free(&scope);
    return enroll && !others;
}

static void device_code(struct exchange *x, const char *form)
{
    struct hit *h = &x->hit;
    int64_t life_s, interval_s;
    struct device_code *d;

    if (hit_has(h, FAULT_AADSTS)) {
        login_aadsts(x);
        return;
    }
    if (!form_is(form, "client_id", SIGNIN_PUBLIC)) {
        login_refuse(x, 401, "invalid_client", "client_id: only " SIGNIN_PUBLIC " has this flow");
        return;
    }
    if (!scope_ok(form)) {
        login_refuse(x, 400, "invalid_scope", "scope: " SCOPE_ENROLL " and nothing else");
        return;
    }
    life_s = hit_has(h, FAULT_CODE_LIFE) ? h->argument[FAULT_CODE_LIFE] : CODE_LIFE_S;
    interval_s = hit_has(h, FAULT_INTERVAL)      ? h->argument[FAULT_INTERVAL]
                 : hit_has(h, FAULT_NO_INTERVAL) ? UNSAID_INTERVAL_S
                                                 : INTERVAL_S;
    d = make_code(x, life_s, interval_s);
    tell_code(x, d, life_s);
    ledger_begin(x->sandbox->ledger, "device-code");
    ledger_text(x->sandbox->ledger, "userCode", d->user_code);
    ledger_int(x->sandbox->ledger, "expiresIn", life_s);
    ledger_end(x->sandbox->ledger);
}

/* ---- which is it ---- */

static bool is_form(struct exchange *x)
{
    const char *type = http_header(x, "Content-Type");

    if (type != NULL && strncasecmp(type, "application/x-www-form-urlencoded", 33) == 0
        && form_once(str_text(&x->body)))
        return true;
    login_refuse(x, 400, "invalid_request", "not a form, or a field stands in it twice");
    return false;
}

void login_serve(struct exchange *x)
{
    bool post = strcmp(x->method, "POST") == 0;
    const char *form = str_text(&x->body);

    if (strcmp(x->path, RFC_8414) == 0 || strcmp(x->path, OPENID) == 0) {
        metadata(x);
    } else if (post && strcmp(x->path, LOGIN "/devicecode") == 0) {
        if (!wire_before(x, AT_DEVICE_CODE, "") && is_form(x)) {
            device_code(x, form);
            wire_after(x);
        }
    } else if (post && strcmp(x->path, LOGIN "/token") == 0) {
        bool poll = form_is(form, "grant_type", "urn:ietf:params:oauth:grant-type:device_code");

        if (!wire_before(x, poll ? AT_POLL : AT_LOGIN, "") && is_form(x)) {
            login_token(x, form);
            wire_after(x);
        }
    } else if (strcmp(x->path, LOGIN "/device") == 0) {
        answer_text(x, 200, "A person would enter the code here; ctl DIR approve-code does it.\n");
    } else {
        login_refuse(x, 404, "invalid_request", "nothing is here, or not by this method");
    }
}
