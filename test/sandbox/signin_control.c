/* see signin.h: what a test or a person does to the sign-in */
#include "test/sandbox/sandbox.h"
#include "test/sandbox/signin.h"
#include <inttypes.h>
#include <string.h>

static void say(struct exchange *x, int status, const char *text)
{
    answer(x, status, "application/json; charset=utf-8");
    str_puts(&x->reply.body, text);
}

static void bad(struct exchange *x, const char *why)
{
    say(x, 400, "{\"error\":");
    str_json(&x->reply.body, why);
    str_puts(&x->reply.body, "}\n");
}

static bool there(struct exchange *x)
{
    if (x->sandbox->signin != NULL)
        return true;
    bad(x, "started without --sign-in");
    return false;
}

/* ---- a person at the page of a device code ---- */

static struct device_code *newest_open(const struct signin *s)
{
    for (size_t i = s->device_count; i-- > 0;) {
        if (s->device[i]->state == CODE_OPEN)
            return s->device[i];
    }
    return NULL;
}

void control_device(struct exchange *x, struct json_object *body)
{
    static const struct {
        const char *what;
        enum code_state state;
    } answers[] = { { "approve", CODE_APPROVED }, { "deny", CODE_DENIED },
        { "expire", CODE_EXPIRED } };
    const char *code = js_text(body, "userCode"), *what = js_text(body, "answer");
    struct device_code *d;

    if (!there(x))
        return;
    d = code == NULL || strcmp(code, "any") == 0 ? newest_open(x->sandbox->signin)
                                                 : signin_device(x->sandbox->signin, code);
    if (d == NULL || d->state != CODE_OPEN) {
        bad(x, "no such device code waits for an answer");
        return;
    }
    for (size_t i = 0; what != NULL && i < sizeof answers / sizeof answers[0]; i++) {
        if (strcmp(answers[i].what, what) == 0) {
            d->state = answers[i].state;
            ledger_begin(x->sandbox->ledger, "device-answer");
            ledger_text(x->sandbox->ledger, "userCode", d->user_code);
            ledger_text(x->sandbox->ledger, "answer", what);
            ledger_end(x->sandbox->ledger);
            say(x, 200, "{\"value\":true}\n");
            return;
        }
    }
    bad(x, "answer is approve, deny or expire");
}

/* ---- tokens and connectors ---- */

void control_bootstrap(struct exchange *x, struct json_object *body)
{
    (void)body;
    if (!there(x))
        return;
    answer(x, 200, "text/plain; charset=utf-8");
    str_f(&x->reply.body, "%s\n", signin_bootstrap(x->sandbox->signin, NULL));
}

/* What the cloud says it has seen: more than a connector knows of means that its store is an old one. */
void control_counter(struct exchange *x, struct json_object *body)
{
    int64_t n;

    if (!js_int(body, "highestCounter", &n) || n < 0) {
        bad(x, "highestCounter: a number");
        return;
    }
    x->sandbox->highest_counter = n;
    for (size_t i = 0; x->sandbox->signin != NULL && i < x->sandbox->signin->agents.count; i++)
        x->sandbox->signin->agents.agent[i]->highest_counter = n;
    say(x, 200, "{\"value\":true}\n");
}

void control_revoke(struct exchange *x, struct json_object *body)
{
    const char *id = js_text(body, "agentId");
    size_t n = 0;

    if (!there(x))
        return;
    for (size_t i = 0; i < x->sandbox->signin->agents.count; i++) {
        struct agent *a = x->sandbox->signin->agents.agent[i];

        if (id == NULL || strcmp(id, "all") == 0 || strcmp(id, a->id) == 0) {
            a->revoked = true;
            n++;
        }
    }
    say(x, 200, "");
    str_f(&x->reply.body, "{\"value\":%zu}\n", n);
}

void control_agents(struct exchange *x, struct json_object *body)
{
    struct str *out = &x->reply.body;

    (void)body;
    if (!there(x))
        return;
    say(x, 200, "{\"value\":[");
    for (size_t i = 0; i < x->sandbox->signin->agents.count; i++) {
        const struct agent *a = x->sandbox->signin->agents.agent[i];
        size_t good = 0;

        for (size_t n = 0; n < a->certificate_count; n++)
            good += agent_good(a, &a->certificate[n]) == NULL;
        str_f(out,
            "%s{\"agentId\":\"%s\",\"revoked\":%s,\"certificates\":%zu,\"good\":%zu,"
            "\"epochs\":%zu,\"highestCounter\":%" PRId64 ",\"auditCount\":%" PRId64 "}",
            i > 0 ? "," : "", a->id, a->revoked ? "true" : "false", a->certificate_count, good,
            a->epoch_count, a->highest_counter, a->audit_count);
    }
    str_puts(out, "]}\n");
}
