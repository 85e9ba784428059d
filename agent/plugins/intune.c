/*
 * intune.c - Intune judges the challenge: its public validation service (frontend.h).
 *
 * The service's address is different for each tenant and may change: it is asked of Graph and kept a day
 * in the plugin's space.  The same few moves serve verify and notify; `struct step` says where one is, and
 * lives in the request's memo, so that any number of requests can be on their way at once.
 */
#include <ctype.h>
#include "agent/plugins/intune_open.h"

static const char service_name[] = "ScepRequestValidationFEService";
static const char endpoints_path[] =
    "/v1.0/servicePrincipals/appId=0000000a-0000-0000-c000-000000000000/endpoints";

/* ---- where a request is ------------------------------------------------------------------------------------- */

enum question { NOTHING = 0, DISCOVER = 'd', SERVICE = 's' };

struct step {
    enum question asked;
    bool token, map; /* has been renewed once already */
    unsigned uri;    /* which of the addresses */
    unsigned round;
};

static void step_save(const struct step *s, char *memo)
{
    (void)snprintf(memo, CERTFERRY_MEMO_SIZE, "%c%c%c%c", (char)s->asked, s->token ? '1' : '0',
        s->map ? '1' : '0', (char)('0' + s->uri));
}

/* Without an answer the step begins anew: also after a restart, whose question was lost. */
static struct step step_load(const char *memo, const struct certferry_reply *reply, unsigned round)
{
    struct step s = { .round = round };

    if (reply == NULL || (memo[0] != DISCOVER && memo[0] != SERVICE))
        return s;
    s.asked = memo[0] == DISCOVER ? DISCOVER : SERVICE;
    s.token = memo[1] == '1';
    s.map = memo[2] == '1';
    s.uri = memo[3] > '0' && memo[3] < '0' + URIS_MAX ? (unsigned)(memo[3] - '0') : 0;
    return s;
}

/* ---- asking --------------------------------------------------------------------------------------------------- */

/* Nothing can be judged until an administrator does something; the device keeps its chance. */
static void cannot(struct intune *in, struct certferry_verdict *v, const char *a, const char *b)
{
    kit_later(v, 60, a, b);
    (void)snprintf(in->cannot, sizeof in->cannot, "%s", v->why);
    in->cannot_until = in->h->now(in->h->ctx) + CANNOT_S;
}

/* Retry-After holds for all requests, not only for the one that was told. */
static void busy(struct intune *in, enum question q, int64_t told_s)
{
    if (told_s > 0)
        in->busy_until[q == SERVICE] =
            in->h->now(in->h->ctx) + (told_s > BUSY_S ? BUSY_S : told_s) + 1;
}

static bool is_busy(struct intune *in, enum question q, struct certferry_verdict *v)
{
    int64_t rest_s = in->busy_until[q == SERVICE] - in->h->now(in->h->ctx);

    if (rest_s <= 0)
        return false;
    kit_later(v, rest_s, q == SERVICE ? "Intune" : "Graph", " is busy and has asked for a pause");
    return true;
}

/* Returns NULL if no question may be asked any more. */
static struct certferry_ask *ask(
    struct intune *in, struct step *s, enum question q, struct certferry_verdict *v)
{
    struct certferry_ask *a = &v->ask;

    if (is_busy(in, q, v))
        return NULL;
    if (s->round + 1 >= CERTFERRY_ROUNDS_MAX
        || in->h->guid(in->h->ctx, in->id, sizeof in->id) < 0) {
        kit_later(v, 30, "too many questions for one answer", NULL);
        return NULL;
    }
    s->asked = q;
    step_save(s, v->memo);
    *a = (struct certferry_ask){ .url = in->url, .token_url = in->token_url };
    kit_ask_header(a, "client-request-id", in->id);
    kit_ask_header(a, "Accept", "application/json");
    v->answer = CERTFERRY_ASK;
    return a;
}

static void ask_discover(struct intune *in, struct step *s, struct certferry_verdict *v)
{
    struct certferry_ask *a = ask(in, s, DISCOVER, v);

    if (a == NULL)
        return;
    (void)snprintf(in->url, sizeof in->url, "%s%s", in->graph_url, endpoints_path);
    a->method = "GET";
    a->token_scope = in->graph_scope;
}

/* The address number `want` of those in our space.  1, 0: there is none, -1 */
static int address(struct intune *in, unsigned want, char *out, size_t size)
{
    char list[URIS_MAX * (URI_MAX + 1) + 1];
    char *p = list, *end;
    int found = in->h->get(in->h->ctx, in->key, list, sizeof list);

    if (found != 1)
        return found;
    for (; want > 0 && (end = strchr(p, '\n')) != NULL; want--)
        p = end + 1;
    p[strcspn(p, "\n")] = '\0';
    if (want > 0 || p[0] == '\0' || strlen(p) >= size)
        return 0;
    memcpy(out, p, strlen(p) + 1);
    return 1;
}

/* What is asked: validateRequest without an outcome, else the notification of it. */
struct subject {
    const struct certferry_request *r;
    const struct certferry_outcome *o;
};

static void ask_service(
    struct intune *in, struct step *s, const struct subject *about, struct certferry_verdict *v)
{
    struct frontend_self self = { in->provider, in->ca_configuration };
    struct kit_text body = kit_text(in->body, sizeof in->body);
    struct certferry_ask *a = ask(in, s, SERVICE, v);

    if (a == NULL)
        return;
    if (about->o == NULL)
        frontend_validate(&body, in->h, about->r, &self);
    else
        frontend_notification(&body, in->h, about->r, about->o, &self);
    if (body.cut) {
        kit_deny(v, "the request is too large to be sent", NULL);
        return;
    }
    (void)snprintf(in->url + strlen(in->url), sizeof in->url - strlen(in->url), "/ScepActions/%s",
        about->o == NULL                            ? "validateRequest"
        : about->o->disposition == CERTFERRY_ISSUED ? "successNotification"
                                                    : "failureNotification");
    a->method = "POST";
    a->token_scope = in->intune_scope;
    a->body = (struct certferry_bytes){ (const uint8_t *)in->body, body.n };
    kit_ask_header(a, "Content-Type", "application/json; charset=utf-8");
    kit_ask_header(a, "api-version", in->api_version);
    kit_ask_header(a, "UserAgent", in->provider); /* so spelt: what Intune's log shows */
}

static void begin(
    struct intune *in, struct step *s, const struct subject *about, struct certferry_verdict *v)
{
    int found = address(in, s->uri, in->url, URI_MAX + 1);

    if (found < 0)
        kit_later(v, 30, "the service's address cannot be read", NULL);
    else if (found == 0)
        ask_discover(in, s, v);
    else
        ask_service(in, s, about, v);
}

/* ---- discovery -------------------------------------------------------------------------------------------------- */

static bool same_name(const char *a, const char *b)
{
    for (; *a != '\0' && tolower((unsigned char)*a) == tolower((unsigned char)*b); a++, b++)
        ;
    return *a == *b;
}

/* Entry i's address if it is the service's.  1, 0: another service, -1: there is no such entry */
static int entry_uri(struct intune *in, const char *json, size_t i, char *uri, size_t size)
{
    const struct certferry_host *h = in->h;
    char path[32], name[80];
    size_t n;

    (void)snprintf(path, sizeof path, "value.%zu", i);
    if (h->json_get(h->ctx, json, path, in->entry, sizeof in->entry) < 0)
        return -1;
    if (h->json_get(h->ctx, in->entry, "providerName", name, sizeof name) == -1
        && h->json_get(h->ctx, in->entry, "serviceName", name, sizeof name) < 0)
        return 0;
    if (!same_name(name, service_name) || h->json_get(h->ctx, in->entry, "uri", uri, size) <= 0
        || !kit_is_url(uri))
        return 0;
    for (n = strlen(uri); n > 9 && uri[n - 1] == '/'; n--)
        uri[n - 1] = '\0';
    return 1;
}

/* The service may be listed more than once: the last one counts, the others stand behind it. */
static int discovered(struct intune *in, const char *json)
{
    char uris[URIS_MAX][URI_MAX + 1], uri[URI_MAX + 1], list[URIS_MAX * (URI_MAX + 1) + 1];
    struct kit_text t = kit_text(list, sizeof list);
    size_t count = 0;
    int is;

    for (size_t i = 0; i < 500 && (is = entry_uri(in, json, i, uri, sizeof uri)) >= 0; i++) {
        if (is == 0 || (count > 0 && strcmp(uris[0], uri) == 0))
            continue;
        memmove(uris[1], uris[0], sizeof uris - sizeof uris[0]);
        memcpy(uris[0], uri, sizeof uri);
        count += count < URIS_MAX;
    }
    for (size_t i = 0; i < count; i++) {
        kit_add(&t, i > 0 ? "\n" : "");
        kit_add(&t, uris[i]);
    }
    if (count == 0)
        return 0;
    return in->h->put(in->h->ctx, in->key, list, in->h->now(in->h->ctx) + KEEP_S) == 0 ? 1 : -1;
}

static void judge_discovery(struct intune *in, struct step *s, const struct subject *about,
    const char *json, struct certferry_verdict *v)
{
    int found;

    if (json == NULL || in->h->json_get(in->h->ctx, json, "value", in->entry, sizeof in->entry) < 0
        || in->entry[0] != '[') {
        cannot(in, v, "Graph's answer is no list of services", NULL);
        return;
    }
    if ((found = discovered(in, json)) < 0)
        kit_later(v, 30, "the service's address cannot be kept", NULL);
    else if (found == 0)
        cannot(in, v,
            "Graph does not list ScepRequestValidationFEService: no licence, or "
            "scep_challenge_provider "
            "is not granted",
            NULL);
    else {
        s->uri = 0;
        s->token = false;
        begin(in, s, about, v);
    }
}

/* ---- judging ------------------------------------------------------------------------------------------------------ */

/* The address does not answer: the next one, then a new list, then later. */
static void gone(struct intune *in, struct step *s, const struct subject *about,
    const struct certferry_reply *reply, struct certferry_verdict *v)
{
    char says[160];

    if (s->asked == SERVICE && reply->status < 0 && s->uri + 1 < URIS_MAX
        && address(in, s->uri + 1, in->url, URI_MAX + 1) == 1) {
        s->uri++;
        ask_service(in, s, about, v);
        return;
    }
    if (s->asked == SERVICE)
        (void)in->h->drop(in->h->ctx, in->key); /* if it stays, it is dropped the next time */
    if (s->asked == SERVICE && !s->map) {
        s->map = true;
        s->token = false;
        ask_discover(in, s, v);
    } else if (s->asked == DISCOVER && reply->status == 404)
        cannot(in, v, "Graph does not know Intune in this tenant", NULL);
    else if (reply->needs_help)
        cannot(in, v, "Intune cannot be asked: ", reply->error);
    else
        kit_later(v, 30, "Intune: ", frontend_says(reply, says, sizeof says));
}

static void repeat(
    struct intune *in, struct step *s, const struct subject *about, struct certferry_verdict *v)
{
    s->token = true;
    if (s->asked == DISCOVER)
        ask_discover(in, s, v);
    else
        begin(in, s, about, v);
}

static void judge_ok(struct intune *in, struct step *s, const struct subject *about,
    const char *json, struct certferry_verdict *v)
{
    if (s->asked == DISCOVER) {
        judge_discovery(in, s, about, json, v);
        return;
    }
    switch (frontend_judge(in->h, json, v)) {
    case 1:
        kit_allow(v, NULL); /* Intune has compared the request with the challenge itself */
        break;
    case -1:
        if (about->o != NULL) /* a page of some proxy: not noted, but not refused either */
            kit_later(v, 60, "Intune: ", "the answer has no code");
        return;
    }
    in->cannot[0] = '\0';
}

static void step(struct intune *in, const struct subject *about,
    const struct certferry_reply *reply, unsigned round, struct certferry_verdict *v)
{
    struct step s = step_load(v->memo, reply, round);
    const char *json;
    char says[160];

    kit_asked(in->body, reply);
    if (s.asked == NOTHING) {
        begin(in, &s, about, v);
        return;
    }
    json = kit_reply_text(reply, in->answer, sizeof in->answer);
    frontend_says(reply, says, sizeof says);
    switch (frontend_status(reply->status)) {
    case FRONTEND_OK:
        if (frontend_page(reply)) {
            kit_later(v, 30, "something in between answers for Intune: ", reply->content_type);
            return;
        }
        judge_ok(in, &s, about, json, v);
        return;
    case FRONTEND_TOKEN:
        if (!s.token)
            repeat(in, &s, about, v);
        else
            cannot(in, v, "the access token is refused: ", says);
        return;
    case FRONTEND_FORBIDDEN:
        cannot(in, v,
            s.asked == DISCOVER ? "Graph refuses: is Application.Read.All granted? "
                                : "Intune refuses: is scep_challenge_provider granted? ",
            says);
        return;
    case FRONTEND_GONE:
        gone(in, &s, about, reply, v);
        return;
    case FRONTEND_BUSY:
        kit_later(v, frontend_wait(in->h, reply, json), "Intune is busy: ", says);
        busy(in, s.asked, frontend_told(in->h, reply, json));
        return;
    case FRONTEND_NEVER:
        if (s.asked == DISCOVER) /* says nothing about this request */
            cannot(in, v, "Graph refuses: ", says);
        else
            kit_deny(v, "Intune refuses: ", says);
        return;
    }
}

/* ---- the table ------------------------------------------------------------------------------------------------------ */

static void intune_verify(void *self, const struct certferry_request *r,
    const struct certferry_reply *reply, unsigned round, struct certferry_verdict *v)
{
    if (r->challenge == NULL
        || r->challenge[0] == '\0') { /* Intune gives one for renewals as well */
        kit_deny(v, "there is no challenge", NULL);
        v->hresult = FRONTEND_NO_CHALLENGE;
        return;
    }
    step(self, &(struct subject){ r, NULL }, reply, round, v);
}

static void intune_notify(void *self, const struct certferry_request *r,
    const struct certferry_outcome *o, const struct certferry_reply *reply, unsigned round,
    struct certferry_verdict *v)
{
    step(self, &(struct subject){ r, o }, reply, round, v);
}

static void intune_close(void *self)
{
    kit_close(self, sizeof(struct intune));
}

static int intune_serving(void *self, char *why, size_t why_size)
{
    struct intune *in = self;

    if (in->cannot[0] == '\0' || in->h->now(in->h->ctx) >= in->cannot_until)
        return 0;
    (void)snprintf(why, why_size, "%s", in->cannot);
    return -1;
}

static int intune_open(const struct certferry_host *h, void **self, char *why, size_t why_size)
{
    static const char *const settings[] = { "tenant", "cloud", "provider_name", "api_version",
        "login_url", "graph_url", "intune_resource", "ca_configuration", NULL };
    static const char *const secrets[] = { NULL };
    struct intune *in = calloc(1, sizeof *in);

    if (in == NULL)
        return kit_refuse(why, why_size, "intune", "no memory");
    in->h = h;
    if (kit_known(h, settings, secrets, why, why_size) != 0
        || open_settings(in, why, why_size) != 0) {
        free(in);
        return -1;
    }
    *self = in;
    return 0;
}

static const struct certferry_plugin table = {
    .abi = CERTFERRY_PLUGIN_ABI,
    .size = sizeof table,
    .name = "intune",
    .version = KIT_VERSION,
    .summary = "asks Microsoft Intune whether the challenge is good, and tells it how it ended",
    .flags = CERTFERRY_COMPARES, /* subject, names, SID: Intune holds them against the profile */
    .open = intune_open,
    .close = intune_close,
    .verify = intune_verify,
    .notify = intune_notify,
    .serving = intune_serving,
};

const struct certferry_plugin *certferry_plugin_v1(void)
{
    return &table;
}
