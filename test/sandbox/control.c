/* see control.h */
#include "test/sandbox/control.h"
#include "test/sandbox/intune.h"
#include "test/sandbox/item.h"
#include "test/sandbox/park.h"
#include "test/sandbox/queue.h"
#include "test/sandbox/sandbox.h"
#include "test/sandbox/signin.h"
#include <fcntl.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define ROOT "/sandbox/"

bool control_owns(const char *path)
{
    return strncmp(path, ROOT, strlen(ROOT)) == 0;
}

static struct str *json(struct exchange *x, int status)
{
    answer(x, status, "application/json; charset=utf-8");
    return &x->reply.body;
}

static void bad(struct exchange *x, const char *why)
{
    struct str *out = json(x, 400);

    str_puts(out, "{\"error\":");
    str_json(out, why);
    str_puts(out, "}\n");
}

/* ---- requests ---- */

static bool add_one(
    struct exchange *x, struct json_object *partial, struct str *ids, struct str *why)
{
    struct sandbox *s = x->sandbox;

    if (!js_is_object(partial)) {
        str_puts(why, "a request is a JSON object");
        return false;
    }
    if (!item_add(s, item_from(s, partial), why))
        return false;
    str_f(ids, "%s\"%s\"", ids->len > 0 ? "," : "", s->queue->all[s->queue->count - 1]->id);
    return true;
}

static void add_requests(struct exchange *x, struct json_object *body)
{
    struct str ids = { 0 }, why = { 0 };
    bool ok = true;

    if (js_is_array(body)) {
        for (size_t i = 0; ok && i < js_count(body); i++)
            ok = add_one(x, js_at(body, i), &ids, &why);
    } else {
        ok = add_one(x, body, &ids, &why);
    }
    if (ok)
        str_f(json(x, 200), "{\"value\":[%s]}\n", str_text(&ids));
    else
        bad(x, why.p);
    str_free(&ids);
    str_free(&why);
    park_wake_all(x->sandbox->park);
}

static const char *state_name(const struct request *r)
{
    static const char *const outcomes[] = { [OUTCOME_NONE] = "closed",
        [DELIVERED] = "delivered",
        [DENIED] = "denied",
        [FAILED] = "failed" };

    return r->state == READY ? "ready" : r->state == LEASED ? "leased" : outcomes[r->outcome];
}

static void show_request(struct exchange *x, const char *id)
{
    const struct request *r = queue_find(x->sandbox->queue, id);
    struct str *out;
    char *item;

    if (r == NULL) {
        answer_text(x, 404, "There is no such request.\n");
        return;
    }
    item = item_text(x->sandbox, r);
    out = json(x, 200);
    str_f(out, "{\"requestId\":\"%s\",\"state\":\"%s\",\"attempt\":%" PRId64 ",\"leaseId\":\"%s\"",
        r->id, state_name(r), r->attempt, r->lease);
    str_puts(out, ",\"cn\":");
    str_json(out, r->cn);
    str_puts(out, ",\"verdict\":");
    str_json(out, r->verdict);
    str_f(out, ",\"errorCode\":\"%s\",\"conflicts\":%u,\"digest\":\"", r->error_code, r->conflicts);
    if (r->state == CLOSED)
        str_hex(out, r->digest, sizeof r->digest, false);
    str_f(out, "\",\"item\":%s}\n", item);
    free(item);
}

/* ---- the rest ---- */

static void approve(struct exchange *x, struct json_object *body)
{
    const char *cn = js_text(body, "cn");
    bool all = js_is(body, "all");
    int64_t id = -1;

    js_int(body, "id", &id);
    if (!all && cn == NULL && id < 0)
        bad(x, "cn, id or all: which request is approved?");
    else
        str_f(json(x, 200), "{\"value\":%zu}\n", ca_approve(&x->sandbox->ca, cn, id, all));
}

static void set_faults(struct exchange *x, struct json_object *body)
{
    struct str why = { 0 };

    if (faults_add(x->sandbox->faults, body, &why))
        str_puts(json(x, 200), "{\"value\":true}\n");
    else
        bad(x, why.p);
    str_free(&why);
}

static void clear_faults(struct exchange *x, struct json_object *body)
{
    (void)body;
    faults_clear(x->sandbox->faults);
    str_puts(json(x, 200), "{\"value\":true}\n");
}

static void list_faults(struct exchange *x, struct json_object *body)
{
    (void)body;
    faults_list(x->sandbox->faults, json(x, 200));
}

static void scep_challenge(struct exchange *x, struct json_object *body)
{
    struct intune *i = x->sandbox->intune;
    struct json_object *claims = i == NULL ? NULL : js_copy(body);
    struct challenge *c =
        claims == NULL ? NULL : challenge_new((unsigned)i->challenge_count + 1, claims);

    if (c == NULL) {
        js_free(claims);
        bad(x, i == NULL ? "started without --scep" : "claims nobody understands");
        return;
    }
    i->challenge =
        need(realloc(i->challenge, (i->challenge_count + 1) * sizeof(struct challenge *)));
    i->challenge[i->challenge_count++] = c;
    map_put_text(&i->by_text, c->text, c);
    ledger_begin(x->sandbox->ledger, "scep-challenge");
    ledger_int(x->sandbox->ledger, "challengeId", c->id);
    ledger_text(x->sandbox->ledger, "subject", js_text(c->claims, "subject"));
    ledger_end(x->sandbox->ledger);
    answer(x, 200, "text/plain; charset=utf-8");
    str_puts(&x->reply.body, c->text);
}

static void expire_leases(struct exchange *x, struct json_object *body)
{
    size_t n = x->sandbox->queue->leased.count;

    (void)body;
    queue_expire(x->sandbox->queue, true);
    park_wake_all(x->sandbox->park);
    str_f(json(x, 200), "{\"value\":%zu}\n", n);
}

static void summary(struct exchange *x, struct json_object *body)
{
    (void)body;
    ledger_flush(x->sandbox->ledger); /* who has seen the summary finds the same in the file */
    summary_write(x->sandbox, json(x, 200));
    str_puts(&x->reply.body, "\n");
}

static void send_ledger(struct exchange *x, struct json_object *body)
{
    (void)body;
    ledger_flush(x->sandbox->ledger);
    answer(x, 200, "application/jsonl; charset=utf-8");
    x->reply.file = open(ledger_path(x->sandbox->ledger), O_RDONLY | O_CLOEXEC);
    if (x->reply.file < 0)
        answer_text(x, 500, "The ledger cannot be read.\n");
}

enum { GOODBYE_MS = 50 }; /* for this answer to get out */

static void stop(struct exchange *x, struct json_object *body)
{
    (void)body;
    str_puts(json(x, 200), "{\"value\":true}\n");
    x->sandbox->stop_at_ms = clock_ms() + GOODBYE_MS;
}

static const struct {
    const char *method, *path;
    void (*serve)(struct exchange *, struct json_object *);
    bool body;
} commands[] = {
    { "POST", ROOT "requests", add_requests, true },
    { "POST", ROOT "approve", approve, true },
    { "POST", ROOT "faults", set_faults, true },
    { "DELETE", ROOT "faults", clear_faults, false },
    { "GET", ROOT "faults", list_faults, false },
    { "POST", ROOT "scep-challenge", scep_challenge, true },
    { "POST", ROOT "expire-leases", expire_leases, false },
    { "POST", ROOT "stop", stop, false },
    { "POST", ROOT "device", control_device, true },
    { "POST", ROOT "bootstrap", control_bootstrap, false },
    { "POST", ROOT "counter", control_counter, true },
    { "POST", ROOT "revoke", control_revoke, true },
    { "GET", ROOT "agents", control_agents, false },
    { "GET", ROOT "summary", summary, false },
    { "GET", ROOT "ledger", send_ledger, false },
};

static void command(struct exchange *x, size_t i)
{
    char why[128] = "";
    struct json_object *body = NULL;

    if (commands[i].body) {
        body = js_parse(str_text(&x->body), x->body.len, why, sizeof why);
        if (body == NULL) {
            bad(x, why);
            return;
        }
    }
    commands[i].serve(x, body);
    js_free(body);
}

void control_serve(struct exchange *x)
{
    const char *mark = http_header(x, "X-Sandbox");
    size_t prefix = strlen(ROOT "request/");

    if (mark == NULL || strcmp(mark, "1") != 0 || !http_loopback(x)) {
        answer_text(x, 403, "Control is for this machine, with the header X-Sandbox: 1.\n");
        return;
    }
    for (size_t i = 0; i < sizeof commands / sizeof commands[0]; i++) {
        if (http_is(x, commands[i].method, commands[i].path)) {
            command(x, i);
            return;
        }
    }
    if (strcmp(x->method, "GET") == 0 && strncmp(x->path, ROOT "request/", prefix) == 0)
        show_request(x, x->path + prefix);
    else
        answer_text(x, 404, "There is no such command.\n");
}
