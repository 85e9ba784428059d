/*
 * mine.c - a challenge plugin to begin with: a shared secret, and only host names of one domain.
 *
 *     cc -shared -fPIC -o mine.so mine.c
 *
 * It needs the header alone; certferry-plugin(5) is the manual.
 */
#if __has_include(<certferry/plugin.h>)
#include <certferry/plugin.h>
#else
#include "certferry_plugin.h" /* of the source tree: -I .../agent */
#endif
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

struct mine {
    const struct certferry_host *host;
    char domain[256]; /* ".contoso.example" */
};

/* A name we do not know might be a restriction, misspelt: then we had better not start. */
static int only_known(const struct certferry_host *h, char *why, size_t size)
{
    const char *name;

    for (size_t i = 0; (name = h->setting_name(h->ctx, i)) != NULL; i++)
        if (strcmp(name, "domain") != 0) {
            snprintf(why, size, "%s: there is no such setting", name);
            return -1;
        }
    return 0;
}

static int mine_open(const struct certferry_host *h, void **self, char *why, size_t size)
{
    const char *domain = h->setting(h->ctx, "domain"), *secret = h->secret(h->ctx, "challenge");
    struct mine *m;

    if (only_known(h, why, size) != 0)
        return -1;
    if (domain == NULL || strlen(domain) + 2 > sizeof m->domain) {
        snprintf(why, size, "domain: is needed");
        return -1;
    }
    if (secret == NULL || strlen(secret) < 16) {
        snprintf(why, size, "challenge: a secret of at least 16 characters is needed");
        return -1;
    }
    if ((m = calloc(1, sizeof *m)) == NULL) {
        snprintf(why, size, "no memory");
        return -1;
    }
    m->host = h;
    snprintf(m->domain, sizeof m->domain, ".%s", domain);
    *self = m;
    return 0;
}

static void mine_close(void *self)
{
    free(self);
}

/* "DNS a.contoso.example" ends in ".contoso.example" */
static int is_ours(const struct mine *m, const char *san)
{
    size_t n = strlen(san), d = strlen(m->domain);

    return strncmp(san, "DNS ", 4) == 0 && n > 4 + d && strcasecmp(san + n - d, m->domain) == 0;
}

/* The verdict is DENY until something else is put there: a return in the middle is a refusal. */
static void mine_verify(void *self, const struct certferry_request *r,
    const struct certferry_reply *reply, unsigned round, struct certferry_verdict *v)
{
    struct mine *m = self;
    const struct certferry_host *h = m->host;
    const char *secret = h->secret(h->ctx, "challenge");

    (void)reply; /* the answer to a question; we ask none */
    (void)round;
    if (secret == NULL || r->challenge == NULL || h->same(h->ctx, secret, r->challenge) != 1) {
        snprintf(v->why, sizeof v->why, "wrong challenge");
        return;
    }
    if (r->san_count == 0) {
        snprintf(v->why, sizeof v->why, "no host name");
        return;
    }
    for (size_t i = 0; i < r->san_count; i++)
        if (!is_ours(m, r->sans[i])) {
            snprintf(v->why, sizeof v->why, "%.150s is not below our domain", r->sans[i]);
            return;
        }
    v->answer = CERTFERRY_ALLOW;
    /* What else must hold, the host compares: here the purpose. */
    v->claims = "{\"eku\":[\"1.3.6.1.5.5.7.3.1\"]}";
}

static void mine_notify(void *self, const struct certferry_request *r,
    const struct certferry_outcome *o, const struct certferry_reply *reply, unsigned round,
    struct certferry_verdict *v)
{
    struct mine *m = self;
    char text[300];

    (void)reply;
    (void)round;
    snprintf(text, sizeof text, "%s for %s",
        o->disposition == CERTFERRY_ISSUED ? o->serial : "no certificate", r->remote_address);
    m->host->log(m->host->ctx, CERTFERRY_INFO, text);
    v->answer = CERTFERRY_ALLOW; /* the device may have it */
}

static const struct certferry_plugin table = {
    .abi = CERTFERRY_PLUGIN_ABI,
    .size = sizeof table,
    .name = "mine",
    .version = "1",
    .summary = "a shared secret, and host names of one domain",
    .flags =
        CERTFERRY_MANY_USES, /* one secret for all devices; leave it out for one-time challenges */
    .open = mine_open,
    .close = mine_close,
    .verify = mine_verify,
    .notify = mine_notify,
};

const struct certferry_plugin *certferry_plugin_v1(void)
{
    return &table;
}
