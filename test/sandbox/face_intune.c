/* see intune.h: Graph's discovery, ScepActions, and the book of both */
#include "test/sandbox/ca.h"
#include "test/sandbox/clock.h"
#include "test/sandbox/intune.h"
#include "test/sandbox/sandbox.h"
#include "test/sandbox/wire.h"
#include <inttypes.h>
#include <openssl/err.h>
#include <stdlib.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#define DISCOVERY   "/v1.0/servicePrincipals/appId=0000000a-0000-0000-c000-000000000000/endpoints"
#define SERVICE     "ScepRequestValidationFEService"
#define GATEWAY     "/RACerts/" SERVICE "/Gateway/StatelessScepRequestValidationService"
#define API_VERSION "2018-02-20"

enum { HOME_TEXT = 128 };

struct intune *intune_new(void)
{
    struct intune *i = need(calloc(1, sizeof *i));

    i->home = 1;
    return i;
}

void intune_free(struct intune *i)
{
    if (i == NULL)
        return;
    for (size_t n = 0; n < i->text_count; n++)
        free(i->texts[n]);
    for (size_t n = 0; n < i->token_count; n++)
        free(i->token[n]);
    for (size_t n = 0; n < i->challenge_count; n++)
        challenge_free(i->challenge[n]);
    map_done(&i->tokens);
    map_done(&i->once);
    map_done(&i->by_text);
    free(i->texts);
    free(i->token);
    free(i->challenge);
    free(i);
}

bool intune_once(struct intune *i, const char *text)
{
    char *copy;

    if (map_get_text(&i->once, text) != NULL)
        return false;
    copy = need_copy(text);
    i->texts = need(realloc(i->texts, (i->text_count + 1) * sizeof(char *)));
    i->texts[i->text_count++] = copy;
    map_put_text(&i->once, copy, copy);
    return true;
}

void intune_error(struct exchange *x, int status, const char *code, int64_t retry_after_s)
{
    struct str inner = { 0 };

    str_puts(&inner, "{\"_version\":3,\"Message\":\"An error has occurred - Operation ID (for "
                     "customer support): "
                     "00000000-0000-0000-0000-000000000000 - Activity ID: sandbox - Url: \","
                     "\"CustomApiErrorPhrase\":\"\",\"RetryAfter\":");
    if (retry_after_s >= 0)
        str_f(&inner, "%" PRId64, retry_after_s);
    else
        str_puts(&inner, "null");
    str_puts(&inner, ",\"ErrorSourceService\":\"\",\"HttpHeaders\":\"{}\"}");
    answer(x, status, "application/json; charset=utf-8");
    str_puts(&x->reply.body, "{\"error\":{\"code\":");
    str_json(&x->reply.body, code);
    str_puts(&x->reply.body, ",\"message\":");
    str_json(&x->reply.body, inner.p);
    str_puts(&x->reply.body, "}}");
    x->reply.retry_after_s = retry_after_s;
    str_free(&inner);
}

void intune_refuse(struct exchange *x, int status, const char *code, const char *why)
{
    intune_error(x, status, code, -1);
    ledger_begin(x->sandbox->ledger, "refused");
    ledger_text(x->sandbox->ledger, "path", x->path);
    ledger_int(x->sandbox->ledger, "status", status);
    ledger_text(x->sandbox->ledger, "why", why);
    ledger_end(x->sandbox->ledger);
}

static bool fresh_request_id(struct exchange *x)
{
    const char *id = http_header(x, "client-request-id");

    if (id == NULL || !guid_ok(id))
        intune_refuse(x, 400, "BadRequest", "client-request-id is no GUID");
    else if (!intune_once(x->sandbox->intune, id))
        intune_refuse(x, 400, "BadRequest", "this client-request-id was here before");
    else
        return true;
    return false;
}

/* ---- discovery ---- */

static void list_service(struct exchange *x, const char *host, unsigned home, bool old_name)
{
    struct str *out = &x->reply.body;

    str_f(out, "%s{\"capability\":\"" SERVICE "\",\"id\":\"%08x\",",
        out->p[out->len - 1] == '[' ? "" : ",", home);
    str_puts(out, old_name
                      ? "\"providerName\":null,\"serviceName\":\"scepRequestValidationFEService\""
                      : "\"providerName\":\"" SERVICE "\"");
    str_f(out, ",\"uri\":\"%s/msu%02u" GATEWAY "\"}", host, home);
}

static void discovery(struct exchange *x)
{
    struct sandbox *s = x->sandbox;
    const struct hit *h = &x->hit;
    const char *dead = "https://127.0.0.1:1";
    bool old_name, twice, right_last;

    if (wire_before(x, AT_DISCOVERY, "") || !token_check(x, AUDIENCE_GRAPH) || !fresh_request_id(x))
        return;
    old_name = hit_has(h, FAULT_SERVICE_NAME);
    twice = hit_has(h, FAULT_SERVICE_TWICE);
    right_last = twice && h->argument[FAULT_SERVICE_TWICE] == 0;
    answer(x, 200, "application/json; charset=utf-8");
    str_puts(&x->reply.body, "{\"@odata.context\":\"sandbox\",\"value\":[");
    if (right_last)
        list_service(x, dead, s->intune->home, old_name);
    if (!hit_has(h, FAULT_NO_SERVICE))
        list_service(x, s->base, s->intune->home, old_name);
    if (twice && !right_last)
        list_service(x, dead, s->intune->home, old_name);
    str_f(&x->reply.body,
        "%s{\"providerName\":\"PkiConnectorFEService\",\"uri\":\"%s/msu%02u/RACerts/Other\"}]}",
        x->reply.body.p[x->reply.body.len - 1] == '[' ? "" : ",", s->base, s->intune->home);
    wire_after(x);
}

/* ---- ScepActions ---- */

struct seen {
    X509_REQ *req;
    struct str der, challenge;
};

static void seen_done(struct seen *v)
{
    X509_REQ_free(v->req);
    str_free(&v->der);
    str_free(&v->challenge);
}

/* The request as the service reads it.  A code, or CODE_SUCCESS with everything in *v. */
static enum code read_csr(struct json_object *o, struct seen *v)
{
    const char *text = js_text(o, "certificateRequest");
    const unsigned char *p;

    if (text == NULL || strpbrk(text, " \r\n\t") != NULL || !b64_read(text, strlen(text), &v->der)
        || v->der.len == 0)
        return CODE_DECODING;
    p = (const unsigned char *)v->der.p;
    v->req = d2i_X509_REQ(NULL, &p, (long)v->der.len);
    ERR_clear_error();
    if (v->req == NULL || p != (const unsigned char *)v->der.p + v->der.len
        || X509_REQ_verify(v->req, X509_REQ_get0_pubkey(v->req)) != 1) {
        ERR_clear_error();
        return CODE_DECODING;
    }
    return challenge_password(v->req, &v->challenge) ? CODE_SUCCESS : CODE_MISSING;
}

/* First judged, then written down whether this challenge was here before with another request: that the
 * connector never lets that come to two certificates is what the ledger is to show. */
static enum code validate(struct exchange *x, struct json_object *o)
{
    struct intune *i = x->sandbox->intune;
    struct ledger *l = x->sandbox->ledger;
    const char *transaction = js_text(o, "transactionId");
    unsigned char digest[SHA256_LEN];
    struct seen v = { 0 };
    struct challenge *c = NULL;
    enum code code = read_csr(o, &v);

    if (code == CODE_SUCCESS) {
        c = map_get_text(&i->by_text, v.challenge.p);
        code = c == NULL ? CODE_DECRYPTION : challenge_judge(c, v.req);
    }
    if (hit_has(&x->hit, FAULT_INTUNE_CODE))
        code = (enum code)x->hit.argument[FAULT_INTUNE_CODE];
    sha256(str_text(&v.der), v.der.len, digest);
    ledger_begin(l, "scep-validate");
    ledger_int(l, "challengeId", c == NULL ? 0 : c->id);
    ledger_text(l, "transactionId", transaction);
    ledger_hex(l, "csrSha256", digest, sizeof digest, false);
    ledger_text(l, "code", code_name(code));
    if (c != NULL && c->transaction != NULL)
        ledger_bool(l, "otherRequest", memcmp(c->csr_sha256, digest, sizeof digest) != 0);
    ledger_end(l);
    if (c != NULL && code == CODE_SUCCESS && c->state != CHALLENGE_ISSUED) {
        memcpy(c->csr_sha256, digest, sizeof digest);
        free(c->transaction);
        c->transaction = need_copy(transaction);
        c->state = CHALLENGE_VALIDATED;
    }
    seen_done(&v);
    return code;
}

static const struct action {
    const char *name, *wrapper;
    unsigned at;
    enum code (*run)(struct exchange *x, struct json_object *o);
    const char *members[10]; /* that must be there, as text; hResult is a number */
} actions[] = {
    { "validateRequest", "request", AT_VALIDATE, validate,
        { "transactionId", "certificateRequest", "callerInfo" } },
    { "successNotification", "notification", AT_NOTIFY_SUCCESS, notified_success,
        { "transactionId", "certificateRequest", "certificateThumbprint", "certificateSerialNumber",
            "certificateExpirationDateUtc", "issuingCertificateAuthority", "callerInfo" } },
    { "failureNotification", "notification", AT_NOTIFY_FAILURE, notified_failure,
        { "transactionId", "certificateRequest", "errorDescription", "callerInfo" } },
};

static bool headers_good(struct exchange *x)
{
    const char *version = http_header(x, "api-version"), *type = http_header(x, "Content-Type");
    const char *agent = http_header(x, "UserAgent");

    if (version == NULL || strcmp(version, API_VERSION) != 0)
        intune_refuse(x, 400, "BadRequest", "api-version is not " API_VERSION);
    else if (type == NULL || strcasecmp(type, "application/json; charset=utf-8") != 0)
        intune_refuse(x, 400, "BadRequest", "the content type is not JSON in UTF-8");
    else if (agent != NULL && agent[0] == '\0')
        intune_refuse(x, 400, "BadRequest", "UserAgent is empty");
    else
        return fresh_request_id(x);
    return false;
}

static bool members_good(struct exchange *x, const struct action *a, struct json_object *o)
{
    struct js_member m;
    void *it = NULL;
    size_t have = 0, want = 0;
    char why[96];

    for (; a->members[want] != NULL; want++) {
        const char *text = js_text(o, a->members[want]);

        if (text != NULL && text[0] != '\0')
            continue;
        snprintf(why, sizeof why, "%s is no text", a->members[want]);
        intune_refuse(x, 400, "BadRequest", why);
        return false;
    }
    while (js_each(o, &it, &m)) {
        bool optional = strcmp(m.name, "caConfiguration") == 0
                        || strcmp(m.name, "certificateAuthority") == 0
                        || strcmp(m.name, "hResult") == 0;

        for (size_t i = 0; !optional && i < want; i++)
            optional = strcmp(m.name, a->members[i]) == 0;
        have += !optional;
    }
    if (have == 0)
        return true;
    intune_refuse(x, 400, "BadRequest", "a member that nobody knows");
    return false;
}

static void act(struct exchange *x, const struct action *a, struct json_object *root)
{
    struct json_object *o = js_get(root, a->wrapper);
    enum code code;

    if (!js_is_object(o)) {
        intune_refuse(x, 400, "BadRequest", "the body has not the one object it should have");
        return;
    }
    if (!members_good(x, a, o))
        return;
    code = a->run(x, o);
    if (code == CODE_NONE)
        return;
    answer(x, 200, "application/json; charset=utf-8");
    str_f(&x->reply.body,
        "{\"@odata.context\":\"sandbox\",\"code\":\"%s\",\"errorDescription\":\"%s\"}",
        code_name(code),
        code == CODE_SUCCESS ? "" : "SCEP sandbox refused, challengeExpInterval=60");
}

/* The common name in the request, for faults. */
static void subject_of(struct json_object *root, const struct action *a, char *cn, size_t room)
{
    const char *text = js_text(js_get(root, a->wrapper), "certificateRequest");
    struct str der = { 0 };

    cn[0] = '\0';
    if (text != NULL && b64_read(text, strlen(text), &der))
        ca_cn(&der, cn, room);
    str_free(&der);
}

static void run_action(struct exchange *x, const struct action *a)
{
    char why[128] = "", cn[256];
    struct json_object *root = js_parse(str_text(&x->body), x->body.len, why, sizeof why);

    subject_of(root, a, cn, sizeof cn);
    if (wire_before(x, a->at, cn))
        goto done;
    if (hit_has(&x->hit, FAULT_MOVED)) {
        x->sandbox->intune->home++;
        answer_text(x, 404, "Nobody lives here any more.\n");
        goto done;
    }
    if (hit_has(&x->hit, FAULT_TOKEN_EXPIRED))
        token_expire(x);
    if (!token_check(x, AUDIENCE_INTUNE) || !headers_good(x))
        goto done;
    if (root == NULL)
        intune_refuse(x, 400, "BadRequest", why);
    else
        act(x, a, root);
    wire_after(x);
done:
    js_free(root);
}

bool intune_owns(const char *path)
{
    return strncmp(path, "/v1.0/servicePrincipals/", 24) == 0 || strncmp(path, "/msu", 4) == 0;
}

void intune_serve(struct exchange *x)
{
    char home[HOME_TEXT];
    size_t len;

    if (http_is(x, "GET", DISCOVERY)) {
        discovery(x);
        return;
    }
    snprintf(home, sizeof home, "/msu%02u" GATEWAY "/ScepActions/", x->sandbox->intune->home);
    len = strlen(home);
    for (size_t i = 0; i < sizeof actions / sizeof actions[0]; i++) {
        if (strcmp(x->method, "POST") == 0 && strncmp(x->path, home, len) == 0
            && strcmp(x->path + len, actions[i].name) == 0) {
            run_action(x, &actions[i]);
            return;
        }
    }
    answer_text(x, 404, "There is nothing here.\n");
}
