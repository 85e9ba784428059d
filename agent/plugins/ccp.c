/*
 * ccp.c - a CCP policy cloud judges the challenge: Intune's messages (frontend.h) below scep/ of its address.
 *
 * An answer may carry "claims": what the challenge entitles to.  The host compares the request with them.
 */
#include "agent/plugins/frontend.h"

enum { ANSWER = 16 << 10 };

struct ccp {
    const struct certferry_host *h;
    char url[400], token_url[400], token_scope[300], provider[128], ca_configuration[128];
    char cannot[200];
    char target[450], id[40], body[FRONTEND_BODY], answer[ANSWER];
    char claims[8 * ANSWER]; /* however the host writes them, what was read fits */
};

static void cannot(struct ccp *c, struct certferry_verdict *v, const char *a, const char *b)
{
    kit_later(v, 60, a, b);
    (void)snprintf(c->cannot, sizeof c->cannot, "%s", v->why);
}

static void ask(struct ccp *c, const struct certferry_request *r, const struct certferry_outcome *o,
    struct certferry_verdict *v)
{
    struct frontend_self self = { c->provider, c->ca_configuration };
    struct kit_text body = kit_text(c->body, sizeof c->body);
    const char *action = "validateRequest";

    if (o == NULL) {
        frontend_validate(&body, c->h, r, &self);
    } else {
        frontend_notification(&body, c->h, r, o, &self);
        action = o->disposition == CERTFERRY_ISSUED ? "successNotification" : "failureNotification";
    }
    if (body.cut || c->h->guid(c->h->ctx, c->id, sizeof c->id) < 0) {
        kit_deny(v, "the request is too large to be sent", NULL);
        return;
    }
    (void)snprintf(c->target, sizeof c->target, "%s/scep/%s", c->url, action);
    v->ask = (struct certferry_ask){ .method = "POST",
        .url = c->target,
        .token_url = c->token_url[0] != '\0' ? c->token_url : NULL,
        .token_scope = c->token_url[0] != '\0' ? c->token_scope : NULL,
        .body = { (const uint8_t *)c->body, body.n } };
    kit_ask_header(&v->ask, "Content-Type", "application/json; charset=utf-8");
    kit_ask_header(&v->ask, "Accept", "application/json");
    kit_ask_header(&v->ask, "client-request-id", c->id);
    kit_ask_header(&v->ask, "UserAgent", c->provider);
    v->answer = CERTFERRY_ASK;
}

static void judge_ok(struct ccp *c, bool notify, const char *json, struct certferry_verdict *v)
{
    int claims, said = frontend_judge(c->h, json, v);

    if (said < 0) {
        if (notify) /* not noted, but not refused either */
            kit_later(v, 60, "the cloud: ", "the answer has no code");
        return;
    }
    c->cannot[0] = '\0';
    if (said == 0)
        return;
    if (notify)
        kit_allow(v, NULL);
    else if ((claims = kit_claims(c->h, json, "claims", c->claims, sizeof c->claims)) < 0)
        kit_deny(v, "the claims of the cloud's answer cannot be read", NULL);
    else
        kit_allow(v, claims == 1 ? c->claims : NULL);
}

/* One question; asked once more after a 401, with a new token: the memo says that it was. */
static void step(struct ccp *c, const struct certferry_request *r,
    const struct certferry_outcome *o, const struct certferry_reply *reply,
    struct certferry_verdict *v)
{
    const char *json;
    char says[160];

    if (reply == NULL) {
        v->memo[0] = '0';
        ask(c, r, o, v);
        return;
    }
    kit_asked(c->body, reply);
    json = kit_reply_text(reply, c->answer, sizeof c->answer);
    frontend_says(reply, says, sizeof says);
    switch (frontend_status(reply->status)) {
    case FRONTEND_OK:
        if (frontend_page(reply)) {
            kit_later(v, 30, "something in between answers for the cloud: ", reply->content_type);
            return;
        }
        judge_ok(c, o != NULL, json, v);
        return;
    case FRONTEND_TOKEN:
        if (v->memo[0] == '0' && c->token_url[0] != '\0') {
            v->memo[0] = '1';
            ask(c, r, o, v);
            return;
        }
        cannot(c, v, "the cloud does not know us: ", says);
        return;
    case FRONTEND_FORBIDDEN:
        cannot(c, v, "the cloud does not let us: ", says);
        return;
    case FRONTEND_GONE:
    case FRONTEND_BUSY:
        kit_later(v, frontend_wait(c->h, reply, json), "the cloud: ", says);
        return;
    case FRONTEND_NEVER:
        kit_deny(v, "the cloud refuses: ", says);
        return;
    }
}

static void ccp_verify(void *self, const struct certferry_request *r,
    const struct certferry_reply *reply, unsigned round, struct certferry_verdict *v)
{
    (void)round;
    step(self, r, NULL, reply, v);
}

static void ccp_notify(void *self, const struct certferry_request *r,
    const struct certferry_outcome *o, const struct certferry_reply *reply, unsigned round,
    struct certferry_verdict *v)
{
    (void)round;
    step(self, r, o, reply, v);
}

static void ccp_close(void *self)
{
    kit_close(self, sizeof(struct ccp));
}

static int ccp_serving(void *self, char *why, size_t why_size)
{
    struct ccp *c = self;

    if (c->cannot[0] == '\0')
        return 0;
    (void)snprintf(why, why_size, "%s", c->cannot);
    return -1;
}

static int open_settings(struct ccp *c, char *why, size_t size)
{
    const struct certferry_host *h = c->h;

    if (kit_setting_url(h, "url", NULL, c->url, sizeof c->url, why, size) != 0
        || kit_setting_url(h, "token_url", "", c->token_url, sizeof c->token_url, why, size) != 0
        || kit_setting(h, "token_scope", "", c->token_scope, sizeof c->token_scope, why, size) != 0
        || kit_setting(h, "provider_name", "certferry/" KIT_VERSION, c->provider,
               sizeof c->provider, why, size)
               != 0
        || kit_setting(h, "ca_configuration", "", c->ca_configuration, sizeof c->ca_configuration,
               why, size)
               != 0)
        return -1;
    if ((c->token_url[0] == '\0') != (c->token_scope[0] == '\0'))
        return kit_refuse(
            why, size, "token_scope", "goes with token_url, neither without the other");
    return 0;
}

static int ccp_open(const struct certferry_host *h, void **self, char *why, size_t why_size)
{
    static const char *const settings[] = { "url", "token_url", "token_scope", "provider_name",
        "ca_configuration", NULL };
    static const char *const secrets[] = { NULL };
    struct ccp *c = calloc(1, sizeof *c);

    if (c == NULL)
        return kit_refuse(why, why_size, "ccp", "no memory");
    c->h = h;
    if (kit_known(h, settings, secrets, why, why_size) != 0
        || open_settings(c, why, why_size) != 0) {
        free(c);
        return -1;
    }
    *self = c;
    return 0;
}

static const struct certferry_plugin table = {
    .abi = CERTFERRY_PLUGIN_ABI,
    .size = sizeof table,
    .name = "ccp",
    .version = KIT_VERSION,
    .summary = "asks a CCP policy cloud whether the challenge is good, and tells it how it ended",
    .open = ccp_open,
    .close = ccp_close,
    .verify = ccp_verify,
    .notify = ccp_notify,
    .serving = ccp_serving,
};

const struct certferry_plugin *certferry_plugin_v1(void)
{
    return &table;
}
