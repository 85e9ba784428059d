/*
 * signed.c - challenges signed by the policy cloud and encrypted to us: judged here, without asking anybody.
 *
 * The signed text is JSON: {"v":1, "jti", "aud", "iat", "exp", "profile", and what the request must be}.  Here
 * we look at who it is for and when; everything in it goes on as claims, and the host compares the
 * request with them.
 *
 * One sealed text can be written in many ways: another alphabet or padding of the base64, other wrapping of the
 * same signed part.  To the host these are different challenges, so its reservation is not enough: jti is
 * reserved here, for one key, and spent when its certificate was issued.
 */
#include "agent/plugins/kit.h"

enum { SKEW_S = 300, TEXT = 64 << 10 };
static const uint32_t not_found = 0x80070490, no_challenge = 0x80096004, used = 0x800B0110;

struct sealed {
    const struct certferry_host *h;
    char audience[200];
    bool renewal; /* a renewal needs no challenge */
    char text[TEXT];
};

static void refuse(struct certferry_verdict *v, uint32_t hresult, const char *a, const char *b)
{
    kit_deny(v, a, b);
    v->hresult = hresult;
}

/* A whole number of seconds; -1: there is none */
static int64_t time_at(struct sealed *s, const char *name)
{
    char text[24], *end;
    long long n;

    if (s->h->json_get(s->h->ctx, s->text, name, text, sizeof text) <= 0)
        return -1;
    n = strtoll(text, &end, 10);
    return text[0] >= '0' && text[0] <= '9' && *end == '\0' && n < INT64_MAX - SKEW_S ? n : -1;
}

static bool is(struct sealed *s, const char *name, const char *value)
{
    char text[256];

    return s->h->json_get(s->h->ctx, s->text, name, text, sizeof text) >= 0
           && strcmp(text, value) == 0;
}

static bool in_time(struct sealed *s, struct certferry_verdict *v)
{
    int64_t now = s->h->now(s->h->ctx), from = time_at(s, "iat"), to = time_at(s, "exp");

    if (from < 0 || to < 0)
        refuse(v, not_found, "the challenge does not say when it begins and ends", NULL);
    else if (now > to + SKEW_S)
        refuse(v, not_found, "the challenge has expired", NULL);
    else if (now < from - SKEW_S)
        refuse(v, not_found, "the challenge is of the future: is one of the clocks wrong?", NULL);
    else
        return true;
    v->fail = CERTFERRY_BAD_TIME;
    return false;
}

/* ---- one use of a jti ------------------------------------------------------------------------------------ */

static const char spent[] = "issued";

static int jti_key(struct sealed *s, char *key, size_t size)
{
    char jti[256];
    long n = s->h->json_get(s->h->ctx, s->text, "jti", jti, sizeof jti);

    if (n <= 0)
        return -1;
    memcpy(key, "jti/", 5);
    n = s->h->sha256(
        s->h->ctx, (struct certferry_bytes){ (const uint8_t *)jti, (size_t)n }, key + 4, size - 4);
    return n < 0 ? -1 : 0;
}

static void reserve(
    struct sealed *s, const struct certferry_request *r, struct certferry_verdict *v)
{
    const struct certferry_host *h = s->h;
    char key[80], mine[80], whose[80];
    int added;

    if (jti_key(s, key, sizeof key) != 0 || h->sha256(h->ctx, r->spki, mine, sizeof mine) < 0) {
        refuse(v, not_found, "the challenge has no jti", NULL);
        return;
    }
    added = h->add(h->ctx, key, mine, time_at(s, "exp") + 2 * SKEW_S);
    if (added == 0 && h->get(h->ctx, key, whose, sizeof whose) != 1)
        added = -1;
    if (added < 0)
        kit_later(v, 10, "what was used before cannot be read", NULL);
    else if (added == 0 && strcmp(whose, mine) != 0)
        refuse(v, used,
            strcmp(whose, spent) == 0 ? "the challenge has been used"
                                      : "the challenge was used with another key",
            NULL);
    else
        kit_allow(v, s->text);
}

/* ---- the table's functions ---------------------------------------------------------------------------------- */

static bool opens(struct sealed *s, const struct certferry_request *r)
{
    return s->h->unseal(s->h->ctx, r->challenge, s->text, sizeof s->text) > 0;
}

static void sealed_verify(void *self, const struct certferry_request *r,
    const struct certferry_reply *reply, unsigned round, struct certferry_verdict *v)
{
    struct sealed *s = self;

    (void)reply;
    (void)round;
    if (r->challenge == NULL || r->challenge[0] == '\0') {
        if (s->renewal && r->signing_cert.n > 0)
            kit_allow(v, NULL);
        else
            refuse(v, no_challenge, "there is no challenge", NULL);
    } else if (!opens(s, r)) {
        refuse(v, not_found, "the challenge is not of our cloud, or not for us", NULL);
    } else if (!is(s, "v", "1")) {
        refuse(v, not_found, "the challenge is of an unknown version", NULL);
    } else if (!is(s, "aud", s->audience)) {
        refuse(v, not_found, "the challenge is for somebody else than ", s->audience);
    } else if (!is(s, "profile", r->endpoint)) {
        refuse(v, not_found, "the challenge is for another endpoint than ", r->endpoint);
    } else if (in_time(s, v)) {
        reserve(s, r, v);
    }
}

static void sealed_notify(void *self, const struct certferry_request *r,
    const struct certferry_outcome *o, const struct certferry_reply *reply, unsigned round,
    struct certferry_verdict *v)
{
    struct sealed *s = self;
    char key[80];

    (void)reply;
    (void)round;
    kit_allow(v, NULL);
    if (o->disposition != CERTFERRY_ISSUED || r->challenge == NULL || r->challenge[0] == '\0')
        return; /* after a failure it stays reserved for its key */
    if (!opens(s, r) || jti_key(s, key, sizeof key) != 0
        || s->h->put(s->h->ctx, key, spent, time_at(s, "exp") + 2 * SKEW_S) != 0)
        kit_later(v, 10, "that the challenge was used cannot be noted", NULL);
}

static int sealed_open(const struct certferry_host *h, void **self, char *why, size_t why_size)
{
    static const char *const settings[] = { "audience", "renewal_without_challenge", NULL };
    static const char *const secrets[] = { NULL };
    struct sealed *s = calloc(1, sizeof *s);

    if (s == NULL)
        return kit_refuse(why, why_size, "signed", "no memory");
    s->h = h;
    if (kit_known(h, settings, secrets, why, why_size) != 0
        || kit_setting(h, "audience", NULL, s->audience, sizeof s->audience, why, why_size) != 0
        || kit_setting_yes(h, "renewal_without_challenge", &s->renewal, why, why_size) != 0) {
        free(s);
        return -1;
    }
    *self = s;
    return 0;
}

static const struct certferry_plugin table = {
    .abi = CERTFERRY_PLUGIN_ABI,
    .size = sizeof table,
    .name = "signed",
    .version = KIT_VERSION,
    .summary = "challenges signed by the policy cloud and encrypted to this connector",
    .open = sealed_open,
    .close = free,
    .verify = sealed_verify,
    .notify = sealed_notify,
};

const struct certferry_plugin *certferry_plugin_v1(void)
{
    return &table;
}
