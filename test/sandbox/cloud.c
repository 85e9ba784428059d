/* see cloud.h: who may ask, discovery, download */
#include "test/sandbox/cloud.h"
#include "test/sandbox/demo.h"
#include "test/sandbox/item.h"
#include "test/sandbox/journal.h"
#include "test/sandbox/sandbox.h"
#include "test/sandbox/signin.h"
#include "test/sandbox/wire.h"
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

enum { BATCH_MAX = 4 << 20, BATCH_STOP = 3 << 20 };

#define ROOT "/ccp/"

bool cloud_owns(const char *path)
{
    return strncmp(path, ROOT, strlen(ROOT)) == 0 || strcmp(path, "/.well-known/ccp") == 0;
}

void json_answer(struct exchange *x, int status)
{
    answer(x, status, "application/json; charset=utf-8");
}

void cloud_refuse(struct exchange *x, int status, const char *code, const char *message)
{
    json_error(x, status, code, message, -1);
    ledger_begin(x->sandbox->ledger, "refused");
    ledger_text(x->sandbox->ledger, "path", x->path);
    ledger_int(x->sandbox->ledger, "status", status);
    ledger_text(x->sandbox->ledger, "why", message);
    ledger_end(x->sandbox->ledger);
}

/* ---- discovery ---- */

static void discovery(struct exchange *x)
{
    const struct sandbox *s = x->sandbox;
    struct str issuer = { 0 }, base = { 0 };
    struct hit *h = &x->hit;

    if (wire_before(x, AT_CCP_DISCOVERY, x->path))
        return;
    if (hit_has(h, FAULT_NOT_FOUND)) {
        answer_text(x, 404, "Nothing is here.\n");
        return;
    }
    if (s->signin != NULL && s->signin->issuer != NULL)
        str_puts(&issuer, s->signin->issuer);
    else if (s->signin != NULL)
        login_issuer(x, &issuer);
    str_puts(&base, hit_has(h, FAULT_PLAIN_HTTP) ? "http" : "https");
    str_puts(&base, strchr(s->base, ':'));
    json_answer(x, 200);
    str_f(&x->reply.body,
        "{\"value\":[{\"providerName\":\"CcpAgentService\",\"uri\":\"%s/ccp\"},"
        "{\"providerName\":\"CcpRequestService\",\"uri\":\"%s/ccp\"}]",
        base.p, base.p);
    if (issuer.len > 0 && !hit_has(h, FAULT_NO_ISSUER))
        str_f(&x->reply.body, ",\"issuer\":\"%s\"", issuer.p);
    str_puts(&x->reply.body, "}");
    if (!wire_broke(x))
        journal_add(s->journal, "/.well-known/ccp", 200, &x->reply.body);
    wire_after(x);
    str_free(&issuer);
    str_free(&base);
}

/* ---- download ---- */

struct wish {
    int64_t max, wait_s;
    bool pkcs;
};

static bool read_wish(struct exchange *x, struct json_object *body, struct wish *w)
{
    struct json_object *p = js_get(body, "downloadParameters"), *types = js_get(p, "requestTypes");

    *w = (struct wish){ 0 };
    if (!js_is_object(p) || !js_int(p, "maxRequests", &w->max) || w->max < 1 || w->max > 100) {
        cloud_refuse(x, 400, "ParameterDataInvalidError", "maxRequests: 1 to 100");
        return false;
    }
    if (js_has(p, "waitSeconds")
        && (!js_int(p, "waitSeconds", &w->wait_s) || w->wait_s < 0 || w->wait_s > 60)) {
        cloud_refuse(x, 400, "ParameterDataInvalidError", "waitSeconds: 0 to 60");
        return false;
    }
    if (js_count(types) == 0) {
        cloud_refuse(x, 400, "ParameterDataInvalidError", "requestTypes: at least one");
        return false;
    }
    for (size_t i = 0; i < js_count(types); i++) {
        const char *type = js_string(js_at(types, i));

        w->pkcs = w->pkcs || (type != NULL && strcmp(type, "pkcsIssue") == 0);
    }
    return true;
}

/* What could be handed out now, for faults that match a name. */
static void subjects(struct exchange *x, int64_t max, struct str *out)
{
    str_add(out, "", 0);
    for (size_t i = 0; i < (size_t)max && faults_any(x->sandbox->faults, AT_DOWNLOAD); i++) {
        const struct request *r = queue_peek(x->sandbox->queue, i);

        if (r == NULL)
            break;
        str_f(out, "%s%s %s", i > 0 ? " " : "", r->id, r->cn);
    }
}

static void hand_out(struct exchange *x, struct request *r)
{
    struct sandbox *s = x->sandbox;
    char *text = item_text(s, r), until[TIME_TEXT];

    time_write(wall_s() + (r->lease_until_ms - clock_ms()) / 1000, until);
    str_add(&x->reply.body, text, strlen(text) - 1);
    str_f(&x->reply.body,
        ",\"leaseId\":\"%s\",\"leaseExpiresDateTime\":\"%s\",\"attempt\":%" PRId64 "}", r->lease,
        until, r->attempt);
    free(text);
    if (hit_has(&x->hit, FAULT_STALE_LEASE))
        queue_void(s->queue, r);
}

static bool wait_for_work(struct exchange *x, const struct wish *w)
{
    int64_t end_ms = x->started_at_ms + w->wait_s * 1000, now_ms = clock_ms();
    const struct request *next = x->sandbox->queue->leased.first;

    if (now_ms >= end_ms)
        return false;
    x->again_at_ms = next != NULL && next->lease_until_ms < end_ms ? next->lease_until_ms : end_ms;
    if (x->again_at_ms <= now_ms)
        x->again_at_ms = now_ms + 1;
    return true;
}

static void download(struct exchange *x, struct json_object *body)
{
    struct sandbox *s = x->sandbox;
    struct wish w;
    struct str subject = { 0 };
    size_t before = s->queue->ready.count;
    bool done;

    if (!read_wish(x, body, &w))
        return;
    queue_expire(s->queue, false);
    if (w.pkcs && before < (size_t)w.max)
        load_more(s, (size_t)w.max - before);
    subjects(x, w.max, &subject);
    done = wire_before(x, AT_DOWNLOAD, str_text(&subject));
    str_free(&subject);
    if (done)
        return;
    if ((!w.pkcs || queue_peek(s->queue, 0) == NULL) && wait_for_work(x, &w))
        return;
    json_answer(x, 200);
    if (clock_ms() > x->started_at_ms + 100 && http_peer_gone(x)) {
        x->reply.cut = CUT_ALL; /* nobody would get what is handed out now */
        return;
    }
    str_puts(&x->reply.body, "{\"value\":[");
    for (int64_t i = 0; w.pkcs && i < w.max && x->reply.body.len < BATCH_STOP; i++) {
        struct request *r = queue_lease(s->queue);

        if (r == NULL)
            break;
        if (i > 0)
            str_puts(&x->reply.body, ",");
        hand_out(x, r);
    }
    str_f(&x->reply.body, "],\"pollAfterSeconds\":%d}",
        queue_peek(s->queue, 0) != NULL || s->load_given < s->opt.load ? 0 : 1);
}

/* ---- who asks, and what ---- */

static bool traceparent_ok(const char *t)
{
    if (t == NULL || strlen(t) != 55 || strncmp(t, "00-", 3) != 0)
        return false;
    return strspn(t + 3, "0123456789abcdef") == 32 && t[35] == '-'
           && strspn(t + 36, "0123456789abcdef") == 16 && t[52] == '-'
           && strspn(t + 53, "0123456789abcdef") == 2 && strspn(t + 3, "0") < 32
           && strspn(t + 36, "0") < 16;
}

static bool allowed(struct exchange *x)
{
    struct sandbox *s = x->sandbox;

    if (s->signin != NULL)
        return agent_caller(x) != NULL;
    if (http_client_certificate(x)
        || (!s->opt.need_client_cert && http_bearer(x, &s->setup.bearer)))
        return true;
    cloud_refuse(x, 401, "AuthenticationException",
        s->opt.need_client_cert
            ? "no client certificate of the connector"
            : "neither a client certificate of the connector nor the bearer token");
    x->reply.authenticate = "Bearer";
    return false;
}

static bool headers_ok(struct exchange *x)
{
    const char *version = http_header(x, "ccp-version"), *id = http_header(x, "client-request-id");
    const char *type = http_header(x, "Content-Type");

    if (version == NULL || strcmp(version, "1") != 0)
        cloud_refuse(x, 400, "NotSupportedError", "ccp-version: missing or not 1");
    else if (id == NULL || !guid_ok(id))
        cloud_refuse(
            x, 400, "ParameterDataInvalidError", "client-request-id: missing or not a GUID");
    else if (!traceparent_ok(http_header(x, "traceparent")))
        cloud_refuse(x, 400, "ParameterDataInvalidError", "traceparent: missing or not W3C");
    else if (strcmp(x->method, "POST") != 0)
        cloud_refuse(x, 405, "NotSupportedError", "only POST");
    else if (type == NULL || strncmp(type, "application/json", 16) != 0)
        cloud_refuse(x, 415, "NotSupportedError", "Content-Type: not application/json");
    else if (x->too_large || x->body.len > BATCH_MAX)
        cloud_refuse(x, 413, "PayloadTooLargeError", "larger than 4 MiB");
    else
        return true;
    return false;
}

static const struct {
    const char *path;
    void (*serve)(struct exchange *, struct json_object *);
} operations[] = {
    { ROOT "requests/download", download },
    { ROOT "requests/extend", cloud_extend },
    { ROOT "requests/release", cloud_release },
    { ROOT "results/upload", cloud_upload },
    { ROOT "agents/heartbeat", cloud_heartbeat },
    { ROOT "agents/enroll", cloud_enroll },
    { ROOT "agents/renew", cloud_renew },
};

static void operate(struct exchange *x, void (*serve)(struct exchange *, struct json_object *))
{
    char why[128] = "";
    struct json_object *body = NULL;
    struct journal *j = x->sandbox->journal;

    if ((serve != cloud_enroll && !allowed(x)) || !headers_ok(x))
        return;
    body = js_parse(str_text(&x->body), x->body.len, why, sizeof why);
    if (!js_is_object(body)) {
        cloud_refuse(x, 400, "DataSerializationError", why[0] == '\0' ? "not an object" : why);
    } else {
        if (!x->journalled)
            journal_add(j, x->path + strlen(ROOT) - 1, 0, &x->body);
        x->journalled = true;
        serve(x, body);
        if (x->reply.status != 0) {
            if (!wire_broke(x))
                journal_add(j, x->path + strlen(ROOT) - 1, x->reply.status, &x->reply.body);
            wire_after(x);
        }
    }
    js_free(body);
}

void cloud_serve(struct exchange *x)
{
    if (strcmp(x->path, ROOT ".well-known/ccp") == 0 || strcmp(x->path, "/.well-known/ccp") == 0) {
        discovery(x);
        return;
    }
    for (size_t i = 0; i < sizeof operations / sizeof operations[0]; i++) {
        bool identity = operations[i].serve == cloud_enroll || operations[i].serve == cloud_renew;

        if (strcmp(operations[i].path, x->path) == 0 && (!identity || x->sandbox->signin != NULL)) {
            operate(x, operations[i].serve);
            return;
        }
    }
    cloud_refuse(x, 404, "NotSupportedError", "no such operation");
}
