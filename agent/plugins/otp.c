/*
 * otp.c - one-time passwords, as NDES hands them out at mscep_admin.
 *
 * A password is kept as its SHA-256 only, under "otp/", with the endpoint and the template it was made for,
 * until it expires or a certificate was issued for it.  Looking up a digest tells a guesser nothing by its
 * time.  That one password serves one key only, also while two requests race, is the host's reservation.
 *
 * Instead there may be one password for everybody that never ends.  Whoever learns it gets any certificate the
 * endpoint gives; so it must be asked for twice.
 */
#include "agent/plugins/kit.h"

enum { CHALLENGE_BYTES_MAX = 32, SINGLE_MIN = 16, BINDING = 512 };
static const uint32_t not_found = 0x80070490, no_challenge = 0x80096004;

struct otp {
    const struct certferry_host *h;
    long bytes, max, minutes;
    bool single;
};

/* ---- keys and values of the space ---------------------------------------------------------------------- */

static int otp_key(const struct otp *p, const char *challenge, char *key, size_t size)
{
    static const char prefix[] = "otp/";
    struct certferry_bytes in = { (const uint8_t *)challenge, strlen(challenge) };

    memcpy(key, prefix, sizeof prefix);
    return p->h->sha256(p->h->ctx, in, key + sizeof prefix - 1, size - sizeof prefix + 1) < 0 ? -1
                                                                                              : 0;
}

/* What a password is good for; the template may be empty: for every one of the endpoint. */
static int binding(const char *endpoint, const char *template_name, char *out, size_t size)
{
    struct kit_text t = kit_text(out, size);

    kit_add(&t, endpoint);
    kit_add(&t, "\n");
    kit_add(&t, template_name != NULL ? template_name : "");
    return t.cut ? -1 : 0;
}

/* ---- generate ---------------------------------------------------------------------------------------------- */

static int make(struct otp *p, char *out, size_t size)
{
    uint8_t random[CHALLENGE_BYTES_MAX];

    if (size < (size_t)p->bytes * 2 + 1 || p->h->random(p->h->ctx, random, (size_t)p->bytes) != 0)
        return -1;
    for (long i = 0; i < p->bytes; i++)
        (void)snprintf(out + 2 * i, 3, "%02X", random[i]);
    return 0;
}

static int otp_generate(void *self, const char *endpoint, const char *template_name,
    const char *params, char *out, size_t size, char *why, size_t why_size)
{
    struct otp *p = self;
    char key[80], value[BINDING];
    int held = p->h->count(p->h->ctx, "otp/");

    (void)params;
    if (p->single) {
        (void)snprintf(why, why_size, "There is one password for all; it is not shown here.");
        return 0;
    }
    if (held >= p->max) {
        (void)snprintf(why, why_size, "The password cache is full.");
        return 0;
    }
    if (held < 0 || binding(endpoint, template_name, value, sizeof value) != 0
        || make(p, out, size) != 0 || otp_key(p, out, key, sizeof key) != 0
        || p->h->add(p->h->ctx, key, value, p->h->now(p->h->ctx) + p->minutes * 60) != 1) {
        (void)snprintf(why, why_size, "A password cannot be made at the moment.");
        return -1;
    }
    (void)snprintf(why, why_size,
        "This password can be used only once and will expire within %ld minutes.",
        (long)p->minutes);
    return 1;
}

/* ---- verify, notify -------------------------------------------------------------------------------------------- */

static void refuse(struct certferry_verdict *v, uint32_t hresult, const char *why)
{
    kit_deny(v, why, NULL);
    v->hresult = hresult;
}

static void check_single(struct otp *p, const char *challenge, struct certferry_verdict *v)
{
    const char *secret = p->h->secret(p->h->ctx, "single");

    if (secret != NULL && strlen(secret) >= SINGLE_MIN
        && p->h->same(p->h->ctx, secret, challenge) == 1)
        kit_allow(v, NULL);
    else
        refuse(v, not_found, "this is not the password");
}

static void check_one_time(
    struct otp *p, const struct certferry_request *r, struct certferry_verdict *v)
{
    char key[80], value[BINDING], exact[BINDING], any[BINDING];
    int found = otp_key(p, r->challenge, key, sizeof key) != 0
                    ? -1
                    : p->h->get(p->h->ctx, key, value, sizeof value);

    if (found < 0)
        kit_later(v, 10, "the passwords cannot be read", NULL);
    else if (found == 0)
        refuse(v, not_found,
            "the password is unknown: it may have expired, or have been used already");
    else if (binding(r->endpoint, r->template_name, exact, sizeof exact) != 0
             || binding(r->endpoint, NULL, any, sizeof any) != 0)
        refuse(v, not_found, "the name of the endpoint or template is too long");
    else if (strcmp(value, exact) == 0 || strcmp(value, any) == 0)
        kit_allow(v, NULL);
    else
        refuse(v, not_found, "the password was made for another endpoint or template");
}

static void otp_verify(void *self, const struct certferry_request *r,
    const struct certferry_reply *reply, unsigned round, struct certferry_verdict *v)
{
    struct otp *p = self;

    (void)reply;
    (void)round;
    if (r->challenge != NULL && r->challenge[0] != '\0') {
        if (p->single)
            check_single(p, r->challenge, v);
        else
            check_one_time(p, r, v);
    } else if (r->signing_cert.n > 0) {
        kit_allow(v, NULL); /* a renewal: the certificate it has is the proof */
    } else {
        refuse(v, no_challenge, "there is no password");
    }
}

/* After a failure it stays: the device may try again with the same key until it expires. */
static void otp_notify(void *self, const struct certferry_request *r,
    const struct certferry_outcome *o, const struct certferry_reply *reply, unsigned round,
    struct certferry_verdict *v)
{
    struct otp *p = self;
    char key[80];

    (void)reply;
    (void)round;
    kit_allow(v, NULL);
    if (p->single || o->disposition != CERTFERRY_ISSUED || r->challenge == NULL
        || r->challenge[0] == '\0')
        return;
    if (otp_key(p, r->challenge, key, sizeof key) != 0 || p->h->drop(p->h->ctx, key) < 0)
        kit_later(v, 10, "the password cannot be removed", NULL);
}

/* ---- opening, and the table ---------------------------------------------------------------------------------------- */

/* What open() leaves in flags is for the section it opened: the host copies them. */
static struct certferry_plugin table;

static int open_single(struct otp *p, char *why, size_t why_size)
{
    static const char accept[] = "i_accept_that_everybody_with_this_password_gets_any_certificate";
    const char *secret = p->h->secret(p->h->ctx, "single");
    bool accepted = false;

    if (kit_setting_yes(p->h, "single_password", &p->single, why, why_size) != 0
        || kit_setting_yes(p->h, accept, &accepted, why, why_size) != 0)
        return -1;
    if (!p->single)
        return secret == NULL && !accepted ? 0
                                           : kit_refuse(why, why_size, "single_password",
                                               "is not yes, but the rest is there");
    if (!accepted) {
        (void)snprintf(why, why_size,
            "single_password: whoever learns it, from any device, gets any certificate of the "
            "endpoint in anybody's name, and nothing shows which; set %s=yes if that is meant",
            accept);
        return -1;
    }
    if (secret == NULL || strlen(secret) < SINGLE_MIN)
        return kit_refuse(
            why, why_size, "single", "a secret file with at least 16 characters is needed");
    return 0;
}

static int open_settings(struct otp *p, char *why, size_t why_size)
{
    p->bytes = 16;
    p->max = 5;
    p->minutes = 60;
    if (kit_setting_number(
            p->h, "challenge_bytes", &p->bytes, 8, CHALLENGE_BYTES_MAX, why, why_size)
            != 0
        || kit_setting_number(p->h, "challenge_max", &p->max, 1, 100000, why, why_size) != 0
        || kit_setting_number(p->h, "ttl_minutes", &p->minutes, 1, 10080, why, why_size) != 0
        || open_single(p, why, why_size) != 0)
        return -1;
    table.flags = p->single ? CERTFERRY_MANY_USES : CERTFERRY_GENERATES;
    table.notify = p->single ? NULL : otp_notify; /* nothing is used up */
    return 0;
}

static int otp_open(const struct certferry_host *h, void **self, char *why, size_t why_size)
{
    static const char *const settings[] = { "challenge_bytes", "challenge_max", "ttl_minutes",
        "single_password", "i_accept_that_everybody_with_this_password_gets_any_certificate",
        NULL };
    static const char *const secrets[] = { "single", NULL };
    struct otp *p = calloc(1, sizeof *p);

    if (p == NULL)
        return kit_refuse(why, why_size, "otp", "no memory");
    p->h = h;
    if (kit_known(h, settings, secrets, why, why_size) != 0
        || open_settings(p, why, why_size) != 0) {
        free(p);
        return -1;
    }
    *self = p;
    return 0;
}

static struct certferry_plugin table = {
    .abi = CERTFERRY_PLUGIN_ABI,
    .size = sizeof table,
    .name = "otp",
    .version = KIT_VERSION,
    .summary = "one-time passwords from mscep_admin, bound to endpoint and template",
    .flags = CERTFERRY_GENERATES,
    .open = otp_open,
    .close = free,
    .generate = otp_generate,
    .verify = otp_verify,
    .notify = otp_notify,
};

const struct certferry_plugin *certferry_plugin_v1(void)
{
    return &table;
}
