/*
 * webhook.c - a web server of the administrator's judges: the bodies that step-ca's webhooks send.
 *
 *   url         asked first (SCEPCHALLENGE): {timestamp, provisionerName, x509CertificateRequest, scepChallenge,
 *               scepTransactionID} -> {"allow": true, "data": {"claims": {...}}}
 *   notify_url  told how it ended (NOTIFYING): x509Certificate, or scepErrorCode and scepErrorDescription
 *
 * With a secret the body is signed: X-Smallstep-Signature is its HMAC-SHA256.
 */
#include "agent/plugins/kit.h"

enum { BODY = 256 << 10, ANSWER = 16 << 10, KEY = 128 };

struct hook { /* each of the two has an address and a key of its own */
    char url[500], id[64];
    uint8_t key[KEY];
    size_t key_len; /* 0 = not signed */
};

struct webhook {
    const struct certferry_host *h;
    struct hook verify, notify; /* notify.url "": nobody to tell */
    char provisioner[128], token_url[400], token_scope[300];
    char bearer[4096]; /* "Bearer ..." of the secret "bearer"; "" = none */
    char signature[80], body[BODY], answer[ANSWER];
    char claims[8 * ANSWER]; /* however the host writes them, what was read fits */
};

/* ---- bodies ------------------------------------------------------------------------------------------------ */

/* The names of one kind, without it: "DNS a.example" is "a.example" in dnsNames. */
static void add_sans(struct kit_text *t, const struct certferry_host *h, const char *name,
    const struct certferry_request *r, const char *kind)
{
    const char *comma = "";
    size_t n = strlen(kind);

    kit_name(t, h, name);
    kit_add(t, "[");
    for (size_t i = 0; i < r->san_count; i++)
        if (strncmp(r->sans[i], kind, n) == 0 && r->sans[i][n] == ' ') {
            kit_add(t, comma);
            kit_quote(t, h, r->sans[i] + n + 1);
            comma = ",";
        }
    kit_add(t, "]");
}

/* No subject: as text it could be misread; whoever judges names reads them in raw. */
static void add_request(
    struct kit_text *t, const struct certferry_host *h, const struct certferry_request *r)
{
    kit_name(t, h, "x509CertificateRequest");
    kit_add(t, "{");
    kit_member_base64(t, h, "raw", r->pkcs10);
    kit_member_base64(t, h, "publicKey", r->spki);
    kit_member(t, h, "publicKeyAlgorithm", strcmp(r->key_type, "ec") == 0 ? "ECDSA" : "RSA");
    add_sans(t, h, "dnsNames", r, "DNS");
    add_sans(t, h, "emailAddresses", r, "EMAIL");
    add_sans(t, h, "ipAddresses", r, "IP");
    add_sans(t, h, "uris", r, "URI");
    kit_add(t, "}");
}

static void add_outcome(
    struct kit_text *t, const struct certferry_host *h, const struct certferry_outcome *o)
{
    if (o->disposition == CERTFERRY_ISSUED) {
        kit_name(t, h, "x509Certificate");
        kit_add(t, "{");
        kit_member_base64(t, h, "raw", o->certificate);
        kit_add(t, "}");
    } else {
        kit_member_number(t, h, "scepErrorCode", o->hresult);
        kit_member(t, h, "scepErrorDescription", o->description);
    }
}

static void body_for(struct webhook *w, struct kit_text *t, const struct certferry_request *r,
    const struct certferry_outcome *o)
{
    char at[40];

    kit_time(w->h->now(w->h->ctx), at, sizeof at);
    kit_add(t, "{");
    kit_member(t, w->h, "timestamp", at);
    kit_member(
        t, w->h, "provisionerName", w->provisioner[0] != '\0' ? w->provisioner : r->endpoint);
    add_request(t, w->h, r);
    if (o != NULL)
        add_outcome(t, w->h, o);
    else if (r->challenge != NULL)
        kit_member(t, w->h, "scepChallenge", r->challenge);
    kit_member(t, w->h, "scepTransactionID", r->transaction_id);
    kit_add(t, "}");
}

/* ---- asking -------------------------------------------------------------------------------------------------- */

static void ask(struct webhook *w, const struct hook *hook, const struct certferry_request *r,
    const struct certferry_outcome *o, struct certferry_verdict *v)
{
    struct kit_text t = kit_text(w->body, sizeof w->body);
    struct certferry_bytes key = { hook->key, hook->key_len }, body;

    body_for(w, &t, r, o);
    body = (struct certferry_bytes){ (const uint8_t *)w->body, t.n };
    if (t.cut) {
        kit_deny(v, "the request is too large to be sent", NULL);
        return;
    }
    if (key.n > 0
        && w->h->hmac_sha256(w->h->ctx, key, body, w->signature, sizeof w->signature) < 0) {
        kit_deny(v, "the body cannot be signed", NULL);
        return;
    }
    v->ask = (struct certferry_ask){ .method = "POST",
        .url = hook->url,
        .token_url = w->token_url[0] != '\0' ? w->token_url : NULL,
        .token_scope = w->token_url[0] != '\0' ? w->token_scope : NULL,
        .body = body };
    kit_ask_header(&v->ask, "Content-Type", "application/json");
    if (key.n > 0)
        kit_ask_header(&v->ask, "X-Smallstep-Signature", w->signature);
    if (hook->id[0] != '\0')
        kit_ask_header(&v->ask, "X-Smallstep-Webhook-ID", hook->id);
    if (w->bearer[0] != '\0')
        kit_ask_header(&v->ask, "Authorization", w->bearer);
    v->answer = CERTFERRY_ASK;
}

/* ---- judging --------------------------------------------------------------------------------------------------- */

static bool passes_by_itself(int status)
{
    return status < 0 || status == 408 || status == 429 || status >= 500;
}

static void judge(struct webhook *w, const struct certferry_reply *reply, bool notify,
    struct certferry_verdict *v)
{
    const char *json = kit_reply_text(reply, w->answer, sizeof w->answer);
    char allow[8], says[160];
    int claims;

    if (reply->status < 0)
        (void)snprintf(says, sizeof says, "no answer: %s", reply->error);
    else
        (void)snprintf(says, sizeof says, "HTTP %d", reply->status);
    if (passes_by_itself(reply->status)) {
        kit_later(v, reply->retry_after_s >= 0 ? reply->retry_after_s : 30, "the web hook: ", says);
    } else if (reply->status < 200 || reply->status > 299) {
        kit_deny(v, "the web hook: ", says);
    } else if (json == NULL || w->h->json_get(w->h->ctx, json, "allow", allow, sizeof allow) <= 0) {
        kit_deny(v, "the web hook does not say whether it allows", NULL);
    } else if (strcmp(allow, "true") != 0) {
        kit_deny(v, "the web hook does not allow it", NULL);
    } else if (notify) {
        kit_allow(v, NULL);
    } else if ((claims = kit_claims(w->h, json, "data.claims", w->claims, sizeof w->claims)) < 0) {
        kit_deny(v, "the claims of the web hook cannot be read", NULL);
    } else {
        kit_allow(v, claims == 1 ? w->claims : NULL);
    }
}

/* memo[0] is '1' once a new token has been asked for */
static void step(struct webhook *w, const struct hook *hook, const struct certferry_request *r,
    const struct certferry_outcome *o, const struct certferry_reply *reply,
    struct certferry_verdict *v)
{
    kit_asked(w->body, reply);
    if (reply == NULL) {
        v->memo[0] = '0';
        ask(w, hook, r, o, v);
    } else if (reply->status == 401 && w->token_url[0] != '\0' && v->memo[0] == '0') {
        v->memo[0] = '1';
        ask(w, hook, r, o, v);
    } else {
        judge(w, reply, o != NULL, v);
    }
}

static void webhook_verify(void *self, const struct certferry_request *r,
    const struct certferry_reply *reply, unsigned round, struct certferry_verdict *v)
{
    struct webhook *w = self;

    (void)round;
    step(w, &w->verify, r, NULL, reply, v);
}

static void webhook_notify(void *self, const struct certferry_request *r,
    const struct certferry_outcome *o, const struct certferry_reply *reply, unsigned round,
    struct certferry_verdict *v)
{
    struct webhook *w = self;

    (void)round;
    if (w->notify.url[0] == '\0')
        kit_allow(v, NULL);
    else
        step(w, &w->notify, r, o, reply, v);
}

/* ---- opening ------------------------------------------------------------------------------------------------------ */

static int open_hook(const struct certferry_host *h, struct hook *hook, const char *const names[3],
    const char *url_fallback, char *why, size_t size)
{
    const char *secret = h->secret(h->ctx, names[2]);
    long n = 0;

    if (kit_setting_url(h, names[0], url_fallback, hook->url, sizeof hook->url, why, size) != 0
        || kit_setting(h, names[1], "", hook->id, sizeof hook->id, why, size) != 0)
        return -1;
    if (hook->url[0] == '\0' && (secret != NULL || hook->id[0] != '\0'))
        return kit_refuse(why, size, names[0], "is needed with the rest that is set");
    if (secret != NULL && (n = h->unbase64(h->ctx, secret, hook->key, sizeof hook->key)) < 16)
        return kit_refuse(why, size, names[2], "must be base64 of 16 to 128 bytes");
    hook->key_len = (size_t)n;
    return 0;
}

static int open_bearer(struct webhook *w, char *why, size_t size)
{
    const char *secret = w->h->secret(w->h->ctx, "bearer");

    if (secret == NULL)
        return 0;
    if (w->token_url[0] != '\0')
        return kit_refuse(why, size, "bearer", "or token_url, not both");
    if (secret[0] == '\0' || strlen(secret) >= sizeof w->bearer - 8)
        return kit_refuse(why, size, "bearer", "is empty or too long");
    (void)snprintf(w->bearer, sizeof w->bearer, "Bearer %s", secret);
    return 0;
}

static int open_settings(struct webhook *w, char *why, size_t size)
{
    static const char *const verify[] = { "url", "webhook_id", "signing" };
    static const char *const notify[] = { "notify_url", "notify_webhook_id", "notify_signing" };
    const struct certferry_host *h = w->h;

    if (open_hook(h, &w->verify, verify, NULL, why, size) != 0
        || open_hook(h, &w->notify, notify, "", why, size) != 0
        || kit_setting(h, "provisioner_name", "", w->provisioner, sizeof w->provisioner, why, size)
               != 0
        || kit_setting_url(h, "token_url", "", w->token_url, sizeof w->token_url, why, size) != 0
        || kit_setting(h, "token_scope", "", w->token_scope, sizeof w->token_scope, why, size) != 0)
        return -1;
    if ((w->token_url[0] == '\0') != (w->token_scope[0] == '\0'))
        return kit_refuse(
            why, size, "token_scope", "goes with token_url, neither without the other");
    return open_bearer(w, why, size);
}

static void webhook_close(void *self)
{
    kit_close(self, sizeof(struct webhook));
}

static int webhook_open(const struct certferry_host *h, void **self, char *why, size_t why_size)
{
    static const char *const settings[] = { "url", "webhook_id", "notify_url", "notify_webhook_id",
        "provisioner_name", "token_url", "token_scope", NULL };
    static const char *const secrets[] = { "signing", "notify_signing", "bearer", NULL };
    struct webhook *w = calloc(1, sizeof *w);

    if (w == NULL)
        return kit_refuse(why, why_size, "webhook", "no memory");
    w->h = h;
    if (kit_known(h, settings, secrets, why, why_size) != 0
        || open_settings(w, why, why_size) != 0) {
        webhook_close(w);
        return -1;
    }
    *self = w;
    return 0;
}

static const struct certferry_plugin table = {
    .abi = CERTFERRY_PLUGIN_ABI,
    .size = sizeof table,
    .name = "webhook",
    .version = KIT_VERSION,
    .summary = "asks a web server, with the bodies of step-ca's webhooks",
    .open = webhook_open,
    .close = webhook_close,
    .verify = webhook_verify,
    .notify = webhook_notify,
};

const struct certferry_plugin *certferry_plugin_v1(void)
{
    return &table;
}
