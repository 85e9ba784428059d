/* see probe.h */
#include <stdio.h>
#include <string.h>
#include "test/plugins/probe.h"

static struct probe probe;
static struct certferry_plugin table;
CERTFERRY_EXPORT int probe_closed;

static int probe_open(const struct certferry_host *host, void **self, char *why, size_t why_size)
{
    const char *how = host->setting(host->ctx, "open");

    probe = (struct probe){ .host = host };
    probe_closed = 0;
    table.flags = CERTFERRY_GENERATES;
    *self = &probe;
    if (how == NULL)
        return 0;
    if (strcmp(how, "learn") == 0)
        table.flags |= CERTFERRY_MANY_USES;
    else if (strcmp(how, "flags") == 0)
        table.flags = 0x80;
    else if (strcmp(how, "says") == 0)
        (void)snprintf(why, why_size, "tenant is\nmissing");
    else if (strcmp(how, "shouts") == 0)
        memset(why, 'x', why_size);
    return strcmp(how, "learn") == 0 || strcmp(how, "flags") == 0 ? 0 : -1;
}

static void probe_close(void *self)
{
    (void)self;
    probe_closed++;
}

static int probe_generate(void *self, const char *endpoint, const char *template_name,
    const char *params, char *out, size_t size, char *why, size_t why_size)
{
    (void)self;
    if (strcmp(template_name, "full") == 0) {
        (void)snprintf(why, why_size, "The password cache is full.");
        return 0;
    }
    if (strcmp(template_name, "broken") == 0)
        return -1;
    if (strcmp(template_name, "long") == 0)
        memset(out, 'A', size);
    else if (strcmp(template_name, "line") == 0)
        (void)snprintf(out, size, "A\nB");
    else if (strcmp(template_name, "number") == 0)
        return 7;
    else if (strcmp(template_name, "empty") != 0)
        (void)snprintf(out, size, "%s/%s/%s", endpoint, template_name, params);
    return 1;
}

static void fill(struct certferry_verdict *v, const char *how)
{
    if (strcmp(how, "garbage") == 0) {
        v->answer = (enum certferry_answer)77;
    } else if (strcmp(how, "endless") == 0) {
        memset(v->why, 'w', sizeof v->why);
        memset(v->memo, 'm', sizeof v->memo);
    } else if (strcmp(how, "control") == 0) {
        (void)snprintf(v->why, sizeof v->why, "no\nway\x1b[31m");
        v->fail = (enum certferry_fail)9;
        v->hresult = 0x80070490;
    } else if (strcmp(how, "later") == 0 || strcmp(how, "much later") == 0) {
        v->answer = CERTFERRY_LATER;
        v->later_s = how[0] == 'm' ? 4000000000u : 0;
    } else if (strcmp(how, "http") == 0) {
        v->answer = CERTFERRY_ASK;
        v->ask.method = "GET";
        v->ask.url = "http://127.0.0.1/";
    } else if (strcmp(how, "https") == 0) {
        v->answer = CERTFERRY_ASK;
        v->ask.method = "GET";
        v->ask.url = "https://127.0.0.1/";
    } else if (how[0] == '{' || how[0] == '[') {
        v->answer = CERTFERRY_ALLOW;
        v->claims = how;
    } else if (strcmp(how, "allow") == 0) {
        v->answer = CERTFERRY_ALLOW;
        v->size = 0;
    } else if (strcmp(how, "mixed") == 0) {
        v->claims = "{}";
        v->later_s = 5;
        v->ask.url = "https://127.0.0.1/";
    }
}

static void probe_verify(void *self, const struct certferry_request *r,
    const struct certferry_reply *reply, unsigned round, struct certferry_verdict *v)
{
    struct probe *p = self;

    (void)reply;
    p->round = round;
    (void)snprintf(p->memo_seen, sizeof p->memo_seen, "%.15s", v->memo);
    fill(v, r->challenge);
}

static void probe_notify(void *self, const struct certferry_request *r,
    const struct certferry_outcome *o, const struct certferry_reply *reply, unsigned round,
    struct certferry_verdict *v)
{
    (void)o;
    probe_verify(self, r, reply, round, v);
    ((struct probe *)self)->notified++;
}

static int probe_serving(void *self, char *why, size_t why_size)
{
    struct probe *p = self;

    p->serving_calls++;
    (void)snprintf(why, why_size, "the key has expired");
    return p->serving_rc;
}

static struct certferry_plugin table = { CERTFERRY_PLUGIN_ABI, sizeof table, "probe", "1",
    "misbehaves on demand", CERTFERRY_GENERATES, probe_open, probe_close, probe_generate,
    probe_verify, probe_notify, probe_serving };

const struct certferry_plugin *certferry_plugin_v1(void)
{
    return &table;
}
