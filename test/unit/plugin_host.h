#ifndef TEST_PLUGIN_HOST_H
#define TEST_PLUGIN_HOST_H
/*
 * plugin_host.h - a host for one shipped plugin, in memory: settings, a space, a clock the test moves.
 *
 * The test includes the plugin's .c file.
 */
#include <stdbool.h>
#include "test/unit/plugin_help.h"

enum { ROWS = 40 };
struct host {
    struct certferry_host h;
    const struct certferry_plugin *p;
    void *self;
    int64_t now;
    const char *settings[ROWS][2], *secrets[ROWS][2];
    struct {
        char key[201], value[4097];
        int64_t expires_at;
        bool used;
    } space[ROWS];
    bool space_fails, random_fails;
    unsigned guids, randoms;
    char why[200], log[1000];
    /* one request on its way */
    struct certferry_verdict v;
    unsigned round;
};
static struct host host;

/* What a plugin asked with has the challenge in it; answered, it is not kept until another request comes. */
#define HOST_FORGETS(type) \
    assert_int_equal(host_left(((type *)host.self)->body, sizeof(((type *)host.self)->body)), 0)
static inline size_t host_left(const char *body, size_t size)
{
    size_t left = 0;

    for (size_t i = 0; i < size; i++)
        left += body[i] != '\0';
    return left;
}

/* ---- settings, space ------------------------------------------------------------------------------------ */

static const char *host_value(const char *rows[][2], const char *name)
{
    for (size_t i = 0; i < ROWS && rows[i][0] != NULL; i++)
        if (strcmp(rows[i][0], name) == 0)
            return rows[i][1];
    return NULL;
}
static const char *host_setting(void *ctx, const char *name)
{
    return host_value(((struct host *)ctx)->settings, name);
}
static const char *host_secret(void *ctx, const char *name)
{
    return host_value(((struct host *)ctx)->secrets, name);
}
static const char *host_setting_name(void *ctx, size_t i)
{
    return ((struct host *)ctx)->settings[i][0];
}
static const char *host_secret_name(void *ctx, size_t i)
{
    return ((struct host *)ctx)->secrets[i][0];
}

static int host_row(struct host *t, const char *key)
{
    assert_true(strlen(key) <= 200);
    for (int i = 0; i < ROWS; i++)
        if (t->space[i].used && strcmp(t->space[i].key, key) == 0
            && (t->space[i].expires_at == 0 || t->space[i].expires_at > t->now))
            return i;
    return -1;
}
static int host_get(void *ctx, const char *key, char *out, size_t size)
{
    struct host *t = ctx;
    int i = host_row(t, key);

    if (t->space_fails)
        return -1;
    if (i < 0)
        return 0;
    if (strlen(t->space[i].value) >= size)
        return -1;
    memcpy(out, t->space[i].value, strlen(t->space[i].value) + 1);
    return 1;
}
static int host_put(void *ctx, const char *key, const char *value, int64_t expires_at)
{
    struct host *t = ctx;
    int i = host_row(t, key);

    assert_true(strlen(value) <= 4096);
    if (t->space_fails)
        return -1;
    for (int k = 0; i < 0 && k < ROWS; k++)
        if (!t->space[k].used || (t->space[k].expires_at != 0 && t->space[k].expires_at <= t->now))
            i = k;
    assert_true(i >= 0);
    t->space[i].used = true;
    t->space[i].expires_at = expires_at;
    memcpy(t->space[i].key, key, strlen(key) + 1);
    memcpy(t->space[i].value, value, strlen(value) + 1);
    return 0;
}
static int host_add(void *ctx, const char *key, const char *value, int64_t expires_at)
{
    struct host *t = ctx;

    if (t->space_fails)
        return -1;
    if (host_row(t, key) >= 0)
        return 0;
    return host_put(ctx, key, value, expires_at) == 0 ? 1 : -1;
}
static int host_drop(void *ctx, const char *key)
{
    struct host *t = ctx;
    int i = host_row(t, key);

    if (t->space_fails)
        return -1;
    if (i >= 0)
        t->space[i].used = false;
    return 0;
}
static int host_count(void *ctx, const char *prefix)
{
    struct host *t = ctx;
    int n = 0;

    for (int i = 0; i < ROWS; i++)
        n += t->space[i].used && strncmp(t->space[i].key, prefix, strlen(prefix)) == 0
             && host_row(t, t->space[i].key) == i;
    return t->space_fails ? -1 : n;
}

/* ---- clock, chance, log ---------------------------------------- */

static long host_guid(void *ctx, char *out, size_t size)
{
    char text[40];

    (void)snprintf(
        text, sizeof text, "00000000-0000-4000-8000-%012u", ++((struct host *)ctx)->guids);
    return host_give(text, out, size);
}
static void host_log(void *ctx, enum certferry_level level, const char *message)
{
    (void)level;
    (void)snprintf(((struct host *)ctx)->log, sizeof host.log, "%s", message);
}
static int64_t host_now(void *ctx)
{
    return ((struct host *)ctx)->now;
}
static int host_random(void *ctx, void *out, size_t n)
{
    struct host *t = ctx;

    for (size_t i = 0; i < n; i++)
        ((uint8_t *)out)[i] = (uint8_t)(0xa0 + t->randoms + i);
    t->randoms++;
    return t->random_fails ? -1 : 0;
}

/* ---- a host, and requests through it ---------------------------------------------------------------------------- */

static void host_new(void)
{
    memset(&host, 0, sizeof host);
    host.now = 1767225600; /* 2026-01-01 */
    host.h = (struct certferry_host){ .abi = CERTFERRY_PLUGIN_ABI,
        .size = sizeof host.h,
        .ctx = &host,
        .log = host_log,
        .now = host_now,
        .random = host_random,
        .setting = host_setting,
        .secret = host_secret,
        .get = host_get,
        .put = host_put,
        .add = host_add,
        .drop = host_drop,
        .count = host_count,
        .json_get = host_json_get,
        .json_quote = host_json_quote,
        .base64 = host_base64,
        .sha256 = host_sha256,
        .guid = host_guid,
        .same = host_same,
        .unseal = host_unseal,
        .unbase64 = host_unbase64,
        .hmac_sha256 = host_hmac,
        .setting_name = host_setting_name,
        .secret_name = host_secret_name };
    host.p = certferry_plugin_v1();
    assert_int_equal(host.p->abi, CERTFERRY_PLUGIN_ABI);
    assert_int_equal(host.p->size, sizeof *host.p);
}

static void host_row_set(const char *rows[][2], const char *name, const char *value)
{
    size_t i = 0;

    while (rows[i][0] != NULL && strcmp(rows[i][0], name) != 0)
        i++;
    rows[i][0] = name;
    rows[i][1] = value;
}
static void host_set(const char *name, const char *value)
{
    host_row_set(host.settings, name, value);
}
static void host_set_secret(const char *name, const char *value)
{
    host_row_set(host.secrets, name, value);
}

static void host_open(void)
{
    if (host.p->open(&host.h, &host.self, host.why, sizeof host.why) != 0)
        fail_msg("open: %s", host.why);
}
static void host_close(void)
{
    host.p->close(host.self);
    host.self = NULL;
}
/* The plugin must not open, and say this. */
static void host_refuses(const char *says)
{
    void *self = NULL;

    host.why[0] = '\0';
    assert_int_equal(host.p->open(&host.h, &self, host.why, sizeof host.why), -1);
    if (strstr(host.why, says) == NULL)
        fail_msg("\"%s\" does not say \"%s\"", host.why, says);
}

static const char *const host_sans[] = { "DNS a.contoso.example", "UPN ada@contoso.example",
    "DNS b.contoso.example", "IP 192.0.2.9", "URI tag:x", "EMAIL ada@contoso.example" };
static const char *const host_ekus[] = { "1.3.6.1.5.5.7.3.2" };
static struct certferry_request host_request(const char *challenge)
{
    static const uint8_t der[] = { 0x30, 0x03, 0x02, 0x01, 0x05 };

    return (struct certferry_request){ .size = sizeof(struct certferry_request),
        .endpoint = "wifi",
        .ca = "issuing1",
        .template_name = "WiFiUser",
        .transaction_id = "9F3A\"0C",
        .remote_address = "192.0.2.7",
        .challenge = challenge,
        .pkcs10 = { der, sizeof der },
        .spki = { der, 4 },
        .subject = "CN=Ada, O=Contoso",
        .sans = host_sans,
        .san_count = 6,
        .ekus = host_ekus,
        .eku_count = 1,
        .key_usage = 5,
        .key_type = "rsa",
        .key_bits = 2048,
        .hash = "sha256" };
}
static struct certferry_outcome host_outcome(bool issued)
{
    static const uint8_t der[] = { 0x30, 0x03, 0x02, 0x01, 0x06 };

    return issued ? (struct certferry_outcome){ .size = sizeof(struct certferry_outcome),
        .disposition = CERTFERRY_ISSUED,
        .certificate = { der, sizeof der },
        .thumbprint = "5B1ED2",
        .serial = "4A00000012C7",
        .not_after_at = 1777630830,
        .issuer = "CN=Contoso Issuing CA 1" }
                  : (struct certferry_outcome){ .size = sizeof(struct certferry_outcome),
                        .disposition = CERTFERRY_FAILED,
                        .hresult = 0x80094800,
                        .description = "The CA refused the template." };
}
static struct certferry_reply host_reply(int status, const char *body)
{
    return (struct certferry_reply){ .size = sizeof(struct certferry_reply),
        .status = status,
        .body = { (const uint8_t *)body, strlen(body) },
        .content_type = "application/json",
        .retry_after_s = -1,
        .error = status < 0 ? "connection refused" : "" };
}

/* One call as the host makes it: everything but the memo begins anew.  o: NULL for verify.  body: NULL for a
 * first round. */
static enum certferry_answer host_call(const struct certferry_request *r,
    const struct certferry_outcome *o, const struct certferry_reply *reply)
{
    struct certferry_verdict v = { .size = sizeof v, .fail = CERTFERRY_BAD_REQUEST };

    host.round = reply != NULL ? host.round + 1 : 0;
    memcpy(v.memo, host.v.memo, sizeof v.memo);
    if (o == NULL)
        host.p->verify(host.self, r, reply, host.round, &v);
    else
        host.p->notify(host.self, r, o, reply, host.round, &v);
    host.v = v;
    assert_non_null(memchr(v.why, '\0', sizeof v.why));
    return v.answer;
}
static enum certferry_answer host_answer(const struct certferry_request *r,
    const struct certferry_outcome *o, int status, const char *body)
{
    struct certferry_reply reply = host_reply(status, body);

    return host_call(r, o, &reply);
}
static void host_fresh(void) /* another request */
{
    memset(&host.v, 0, sizeof host.v);
}

static const char *host_header(const char *name)
{
    for (size_t i = 0; i < host.v.ask.header_count; i++)
        if (strcmp(host.v.ask.header[i].name, name) == 0)
            return host.v.ask.header[i].value;
    return NULL;
}
static const char *host_body(void) /* valid until the next call */
{
    static char text[1 << 20];

    assert_true(host.v.ask.body.n < sizeof text);
    if (host.v.ask.body.n > 0)
        memcpy(text, host.v.ask.body.p, host.v.ask.body.n);
    text[host.v.ask.body.n] = '\0';
    return text;
}
/* A member of the body asked with; "" if there is none. */
static const char *host_sent(const char *path)
{
    static char text[1 << 20];

    if (host_json_get(&host, host_body(), path, text, sizeof text) < 0)
        text[0] = '\0';
    return text;
}
static void host_says(const char *text)
{
    if (strstr(host.v.why, text) == NULL)
        fail_msg("\"%s\" does not say \"%s\"", host.v.why, text);
}

/* Some tests need less than all of it. */
static inline void host_unused(void)
{
    (void)host_set_secret;
    (void)host_outcome;
    (void)host_answer;
    (void)host_fresh;
    (void)host_header;
    (void)host_sent;
    (void)host_says;
    (void)host_set;
    (void)host_refuses;
    (void)host_close;
    (void)host_open;
}
#endif
