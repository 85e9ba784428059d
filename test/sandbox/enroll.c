/* see signin.h: agents/enroll and agents/renew */
#include "test/sandbox/cloud.h"
#include "test/sandbox/jws.h"
#include "test/sandbox/sandbox.h"
#include "test/sandbox/signin.h"
#include "test/sandbox/wire.h"
#include <openssl/ec.h>
#include <openssl/err.h>
#include <stdlib.h>
#include <string.h>

enum { EXPIRED_S = -60 };

/* ---- by whose leave ---- */

static bool has_word(const char *text, const char *word)
{
    size_t len = strlen(word);

    for (const char *p = text; p != NULL && (p = strstr(p, word)) != NULL; p += len) {
        if ((p == text || p[-1] == ' ') && (p[len] == ' ' || p[len] == '\0'))
            return true;
    }
    return false;
}

static bool is_audience(struct json_object *claims)
{
    const char *one = js_text(claims, "aud");
    struct json_object *many = js_get(claims, "aud");

    if (one != NULL)
        return strcmp(one, SIGNIN_AUDIENCE) == 0;
    for (size_t i = 0; i < js_count(many); i++) {
        const char *text = js_string(js_at(many, i));

        if (text != NULL && strcmp(text, SIGNIN_AUDIENCE) == 0)
            return true;
    }
    return false;
}

static bool signed_by_issuer(const struct signin *s, const struct jws *j)
{
    struct json_object *keys = js_get(s->jwks, "keys");
    bool good = false;

    for (size_t i = 0; !good && i < js_count(keys); i++) {
        EVP_PKEY *key = jwk_key(js_at(keys, i));

        good = jws_good(j, key);
        EVP_PKEY_free(key);
    }
    return good;
}

/* Of the issuer elsewhere (RFC 9068, as far as it matters).  NULL: good; else what is wrong */
static const char *check_foreign(const struct signin *s, const char *token)
{
    const char *why = NULL, *issuer;
    int64_t exp = 0;
    struct jws j;

    if (s->issuer == NULL || !jws_read(token, &j))
        return "not a token that is known here, or its time is over";
    issuer = js_text(j.payload, "iss");
    if (!signed_by_issuer(s, &j))
        why = "the token's signature is not the issuer's";
    else if (issuer == NULL || strcmp(issuer, s->issuer) != 0)
        why = "the token has another iss";
    else if (!js_int(j.payload, "exp", &exp) || exp <= wall_s())
        why = "the token's time is over";
    else if (!is_audience(j.payload))
        why = "the token has another aud than " SIGNIN_AUDIENCE;
    else if (!has_word(js_text(j.payload, "scope"), SCOPE_ENROLL))
        why = "the token has not the scope " SCOPE_ENROLL;
    jws_free(&j);
    return why;
}

static struct bootstrap *bootstrap_of(const struct signin *s, const char *token)
{
    for (size_t i = 0; i < s->bootstrap_count; i++) {
        if (strcmp(s->bootstrap[i]->text, token) == 0)
            return s->bootstrap[i];
    }
    return NULL;
}

/* "person", "secret", "assertion", "bootstrap", "issuer"; NULL: refused.  A bootstrap token is used up by success only,
 * which *b is for. */
static const char *leave(struct exchange *x, struct bootstrap **b)
{
    struct signin *s = x->sandbox->signin;
    const char *header = http_header(x, "Authorization"), *why = NULL;
    const char *token = header != NULL && strncmp(header, "Bearer ", 7) == 0 ? header + 7 : NULL;
    const struct grant *g = token == NULL ? NULL : signin_find(s, token);

    *b = token == NULL ? NULL : bootstrap_of(s, token);
    if (token == NULL)
        why = "no token: sign in first";
    else if (*b != NULL && (*b)->used)
        why = "this bootstrap token was used already";
    else if (g != NULL && strcmp(g->scope, SCOPE_ENROLL) != 0)
        why = "the token has not the scope " SCOPE_ENROLL;
    else if (*b == NULL && g == NULL)
        why = check_foreign(s, token);
    if (why == NULL)
        return *b != NULL ? "bootstrap" : g != NULL ? g->way : "issuer";
    cloud_refuse(x, *b != NULL || g != NULL ? 403 : 401, "AuthenticationException", why);
    if (x->reply.status == 401)
        x->reply.authenticate = "Bearer";
    return NULL;
}

/* ---- what is asked ---- */

static void bad(struct exchange *x, const char *why)
{
    cloud_refuse(x, 400, "ParameterDataInvalidError", why);
}

static bool key_ok(EVP_PKEY *key)
{
    return key != NULL
           && ((EVP_PKEY_is_a(key, "RSA") && EVP_PKEY_get_bits(key) >= 2048)
               || (EVP_PKEY_is_a(key, "EC") && EVP_PKEY_get_bits(key) >= 256));
}

/* The request's key, once its owner has shown that he has it; NULL: refused. */
static EVP_PKEY *read_csr(struct exchange *x, struct json_object *body)
{
    const char *text = js_text(body, "csr"), *why = NULL;
    struct str der = { 0 };
    const unsigned char *p;
    X509_REQ *req = NULL;
    EVP_PKEY *key = NULL;

    if (text == NULL || strpbrk(text, " \r\n\t") != NULL || !b64_read(text, strlen(text), &der))
        why = "csr: missing, or not base64";
    p = (const unsigned char *)der.p;
    if (why == NULL
        && ((req = d2i_X509_REQ(NULL, &p, (long)der.len)) == NULL
            || (const char *)p != der.p + der.len))
        why = "csr: not one PKCS#10 request";
    if (why == NULL && X509_REQ_verify(req, X509_REQ_get0_pubkey(req)) != 1)
        why = "csr: its signature is wrong";
    if (why == NULL && !key_ok(X509_REQ_get0_pubkey(req)))
        why = "csr: RSA of 2048 bits or EC of 256 at least";
    if (why == NULL)
        EVP_PKEY_up_ref(key = X509_REQ_get0_pubkey(req));
    else
        bad(x, why);
    X509_REQ_free(req);
    str_free(&der);
    ERR_clear_error();
    return key;
}

static bool text_ok(struct json_object *body, const char *name, size_t max)
{
    const char *text = js_text(body, name);

    return text != NULL && text[0] != '\0' && strlen(text) <= max;
}

static bool encryption_key_ok(struct json_object *k)
{
    const char *use = js_text(k, "use"), *spki = js_text(k, "spki"), *id = js_text(k, "keyId");
    struct str der = { 0 };
    const unsigned char *p;
    EVP_PKEY *key = NULL;

    if (spki != NULL && b64_read(spki, strlen(spki), &der)) {
        p = (const unsigned char *)der.p;
        key = d2i_PUBKEY(NULL, &p, (long)der.len);
    }
    EVP_PKEY_free(key);
    str_free(&der);
    ERR_clear_error();
    return key != NULL && id != NULL && id[0] != '\0' && use != NULL
           && (strcmp(use, "escrow") == 0 || strcmp(use, "pfxImport") == 0);
}

/* NULL: as described in proto/ccp.md. */
static const char *wrong_with(struct json_object *body)
{
    static const char *const known[] = { "csr", "agentName", "machineName", "agentVersion",
        "features", "encryptionKeys", NULL };
    struct json_object *features = js_get(body, "features"), *keys = js_get(body, "encryptionKeys");
    struct js_member m;
    void *it = NULL;

    while (js_each(body, &it, &m)) {
        size_t i = 0;

        while (known[i] != NULL && strcmp(known[i], m.name) != 0)
            i++;
        if (known[i] == NULL)
            return "a member that proto/ccp.md does not have";
    }
    if (!text_ok(body, "agentName", 255) || !text_ok(body, "machineName", 255)
        || !text_ok(body, "agentVersion", 63))
        return "agentName, machineName, agentVersion: text of 1 to 255 (63) bytes";
    if (!js_is_array(features) || js_count(features) == 0)
        return "features: at least one";
    for (size_t i = 0; i < js_count(features); i++) {
        if (js_string(js_at(features, i)) == NULL)
            return "features: not a string";
    }
    if (!js_is_array(keys))
        return "encryptionKeys: not an array";
    for (size_t i = 0; i < js_count(keys); i++) {
        if (!encryption_key_ok(js_at(keys, i)))
            return "encryptionKeys: keyId, use (escrow, pfxImport) and spki";
    }
    return NULL;
}

/* ---- what is answered ---- */

static void put_certificate(struct str *out, X509 *x)
{
    unsigned char *der = NULL;
    int len = i2d_X509(x, &der);

    need(len > 0 ? der : NULL);
    str_puts(out, "\"");
    str_b64(out, der, (size_t)len);
    str_puts(out, "\"");
    OPENSSL_free(der);
}

static void welcome(struct exchange *x, const struct agent *a, X509 *certificate)
{
    struct sandbox *s = x->sandbox;
    struct str issuer = { 0 }, *out = &x->reply.body;
    char other[GUID_TEXT];

    guid_new(other);
    login_issuer(x, &issuer);
    json_answer(x, 200);
    str_f(out, "{\"agentId\":\"%s\",\"certificate\":",
        hit_has(&x->hit, FAULT_OTHER_AGENT) ? other : a->id);
    put_certificate(out, certificate);
    str_puts(out, ",\"caChain\":[");
    put_certificate(out, s->setup.cloud_ca);
    if (hit_has(&x->hit, FAULT_ODD_METHOD))
        str_puts(out, "],\"authentication\":{\"method\":\"carrierPigeon\"}");
    else if (s->opt.sign_in == SIGN_IN_JWT)
        str_f(out,
            "],\"authentication\":{\"method\":\"private_key_jwt\",\"tokenEndpoint\":\"%s/token\","
            "\"clientId\":\"%s\",\"scope\":\"" SCOPE_AGENT "\"}",
            issuer.p, a->id);
    else
        str_puts(out, "],\"authentication\":{\"method\":\"mtls\"}");
    str_puts(out, ",\"pollAfterSeconds\":1}");
    str_free(&issuer);
}

/* Faults can make it one for another key, or one that has ended. */
static struct agent_certificate *certify(struct exchange *x, struct agent *a, EVP_PKEY *key)
{
    bool wrong = hit_has(&x->hit, FAULT_WRONG_KEY), ended = hit_has(&x->hit, FAULT_EXPIRED);
    EVP_PKEY *other = wrong ? EVP_EC_gen("P-256") : NULL;
    struct agent_certificate *c = agent_certify(a, &x->sandbox->setup, wrong ? other : key,
        ended ? EXPIRED_S : x->sandbox->opt.certificate_s);

    EVP_PKEY_free(other);
    return need(c);
}

static void note(
    struct exchange *x, const char *event, const struct agent *a, const struct agent_certificate *c)
{
    char serial[SERIAL_HEX];

    serial_hex(c->x, serial);
    ledger_begin(x->sandbox->ledger, event);
    ledger_text(x->sandbox->ledger, "agentId", a->id);
    ledger_text(x->sandbox->ledger, "serial", serial);
    ledger_int(x->sandbox->ledger, "lifeMs", c->until_ms - c->from_ms);
}

void cloud_enroll(struct exchange *x, struct json_object *body)
{
    struct bootstrap *b;
    const char *way, *why = wrong_with(body), *name = js_text(body, "agentName");
    struct agent_certificate *c;
    struct agent *a;
    EVP_PKEY *key;

    if (wire_before(x, AT_ENROLL, name == NULL ? "" : name) || (way = leave(x, &b)) == NULL)
        return;
    if (hit_has(&x->hit, FAULT_NO_LICENCE)) {
        cloud_refuse(x, 403, "AuthenticationException", "the account has no licence for this");
        return;
    }
    if (why != NULL) {
        bad(x, why);
        return;
    }
    if ((key = read_csr(x, body)) == NULL)
        return;
    a = agents_add(&x->sandbox->signin->agents);
    c = certify(x, a, key);
    EVP_PKEY_free(key);
    if (b != NULL)
        b->used = true;
    note(x, "enrolled", a, c);
    ledger_text(x->sandbox->ledger, "way", way);
    ledger_text(x->sandbox->ledger, "agentName", name);
    ledger_text(x->sandbox->ledger, "machineName", js_text(body, "machineName"));
    ledger_text(x->sandbox->ledger, "version", js_text(body, "agentVersion"));
    ledger_end(x->sandbox->ledger);
    welcome(x, a, c->x);
}

/* How much of the newest certificate's life is over, in per cent. */
static int64_t age(const struct agent *a)
{
    const struct agent_certificate *c = &a->certificate[a->certificate_count - 1];

    return 100 * (wall_ms() - c->from_ms) / (c->until_ms - c->from_ms);
}

void cloud_renew(struct exchange *x, struct json_object *body)
{
    struct agent *a = agent_caller(x);
    struct agent_certificate *c;
    int64_t percent;
    struct js_member m;
    void *it = NULL;
    EVP_PKEY *key;

    if (a == NULL || wire_before(x, AT_RENEW, a->id))
        return;
    while (js_each(body, &it, &m)) {
        if (strcmp(m.name, "csr") != 0) {
            bad(x, "a member that proto/ccp.md does not have");
            return;
        }
    }
    if ((key = read_csr(x, body)) == NULL)
        return;
    percent = age(a);
    c = certify(x, a, key);
    EVP_PKEY_free(key);
    note(x, "renewed", a, c);
    ledger_int(x->sandbox->ledger, "age", percent);
    ledger_end(x->sandbox->ledger);
    welcome(x, a, c->x);
}
