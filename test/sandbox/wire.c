/* see wire.h */
#include "test/sandbox/wire.h"
#include "test/sandbox/intune.h"
#include "test/sandbox/sandbox.h"
#include <inttypes.h>
#include <openssl/rand.h>
#include <string.h>

void json_error(
    struct exchange *x, int status, const char *code, const char *message, int64_t retry_after_s)
{
    answer(x, status, "application/json; charset=utf-8");
    str_puts(&x->reply.body, "{\"error\":{\"code\":");
    str_json(&x->reply.body, code);
    str_puts(&x->reply.body, ",\"message\":");
    str_json(&x->reply.body, message);
    if (retry_after_s >= 0)
        str_f(&x->reply.body, ",\"retryAfter\":%" PRId64, retry_after_s);
    str_puts(&x->reply.body, "}}");
    x->reply.retry_after_s = retry_after_s;
}

static void page(struct exchange *x, int status, const char *title, const char *text)
{
    answer(x, status, "text/html; charset=utf-8");
    str_f(&x->reply.body,
        "<!DOCTYPE html>\r\n<html><head><title>%s</title></head>\r\n<body><h1>%s</h1>\r\n"
        "<p>%s</p></body></html>\r\n",
        title, title, text);
}

/* An error status as the service in question would word it. */
static void refuse(struct exchange *x, unsigned at, int status, int64_t retry_after_s)
{
    static const struct {
        int status;
        const char *code, *text;
    } words[] = {
        { 500, "RetryableServiceException", "500 - Internal server error." },
        { 503, "ServiceUnavailableException", "503 - Service unavailable." },
        { 429, "ServiceTooBusyException", "429 - Too many requests." },
        { 401, "AuthenticationException", "401 - Unauthorized: Access is denied." },
        { 403, "AuthenticationException", "403 - Forbidden: Access is denied." },
    };

    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++) {
        if (words[i].status != status)
            continue;
        if ((at & AT_CLOUD) != 0)
            json_error(x, status, words[i].code, words[i].text, retry_after_s);
        else if ((at & AT_INTUNE) != 0)
            intune_error(
                x, status, status < 500 ? "BadRequest" : "InternalServerError", retry_after_s);
        else if ((at & AT_ADCS) != 0)
            page(x, status, words[i].text, "The server cannot do this now.");
        else
            answer_text(x, status, words[i].text);
    }
    x->reply.retry_after_s = retry_after_s;
    if (status == 401)
        x->reply.authenticate = (at & AT_JSON) != 0 ? "Bearer" : "Basic realm=\"sandbox\"";
}

bool wire_before(struct exchange *x, unsigned at, const char *subject)
{
    struct hit *h = &x->hit;

    faults_take(x->sandbox->faults, at, subject, h);
    if (hit_has(h, FAULT_DELAY))
        x->reply.delay_ms = h->argument[FAULT_DELAY];
    if (hit_has(h, FAULT_DROP_BEFORE)) {
        answer(x, 500, NULL);
        x->reply.cut = CUT_ALL;
    } else if (hit_has(h, FAULT_HTTP_500)) {
        refuse(x, at, 500, -1);
    } else if (hit_has(h, FAULT_HTTP_503)) {
        refuse(x, at, 503, h->argument[FAULT_HTTP_503]);
    } else if (hit_has(h, FAULT_HTTP_429)) {
        refuse(x, at, 429, h->argument[FAULT_HTTP_429]);
    } else if (hit_has(h, FAULT_HTTP_401)) {
        refuse(x, at, 401, -1);
    } else if (hit_has(h, FAULT_HTTP_403)) {
        refuse(x, at, 403, -1);
    } else if (hit_has(h, FAULT_HTML)) {
        page(x, 200, "Welcome to the guest network", "Please accept the terms of use to go on.");
    } else if (hit_has(h, FAULT_REDIRECT)) {
        page(x, 302, "Moved", "Please sign in at the portal.");
        x->reply.location = "https://portal.contoso.example/login";
    } else {
        return false;
    }
    return true;
}

static void garble(struct str *body)
{
    unsigned char noise[997];

    need(RAND_bytes(noise, sizeof noise) == 1 ? noise : NULL);
    str_cut(body, 0);
    str_add(body, noise, sizeof noise);
}

/* The first member once more, with nothing in it, before the real one. */
static void double_member(struct str *body)
{
    size_t end = body->len < 3 || body->p[0] != '{' ? 0 : strcspn(body->p + 2, "\"") + 2;
    struct str out = { 0 };

    if (end == 0 || end >= body->len)
        return;
    str_puts(&out, "{");
    str_add(&out, body->p + 1, end);
    str_puts(&out, ":null,");
    str_add(&out, body->p + 1, body->len - 1);
    str_free(body);
    *body = out;
}

void wire_after(struct exchange *x)
{
    struct hit *h = &x->hit;
    struct reply *r = &x->reply;

    if (hit_has(h, FAULT_GARBAGE))
        garble(&r->body);
    if (hit_has(h, FAULT_DUPLICATE))
        double_member(&r->body);
    if (hit_has(h, FAULT_BAD_JSON) && r->body.len > 0)
        r->body.p[r->body.len - 1] = ',';
    if (hit_has(h, FAULT_TRUNCATE)) {
        r->cut = CUT_BODY;
        r->cut_at = (size_t)(h->argument[FAULT_TRUNCATE] < 0 ? 0 : h->argument[FAULT_TRUNCATE]);
        if (r->cut_at >= r->body.len)
            r->cut_at = r->body.len == 0 ? 0 : r->body.len - 1;
    }
    if (hit_has(h, FAULT_DROP_AFTER) || hit_has(h, FAULT_LOST_TWICE))
        r->cut = CUT_ALL;
}

bool wire_broke(const struct exchange *x)
{
    return x->hit.set != 0;
}
