/*
 * see cloud.h: results/upload
 *
 * The digest of a result leaves its leaseId out: the lease may be another one when the same result is
 * posted again, what the device gets may not.
 */
#include "test/sandbox/cloud.h"
#include "test/sandbox/device.h"
#include "test/sandbox/item.h"
#include "test/sandbox/sandbox.h"
#include "test/sandbox/scan.h"
#include "test/sandbox/wire.h"
#include <openssl/crypto.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { RESULTS_MAX = 100, MESSAGE_MAX = 255 };

struct post {
    struct exchange *x;
    struct sandbox *s;
    struct request *request;
    struct json_object *item, *result;
    unsigned char digest[SHA256_LEN];
    bool succeeded, pending, duplicate;
    const char *state, *error_code;
    const char *answer; /* errorCode for `rejected`; NULL: accepted */
    char why[160];
};

static bool reject(struct post *p, const char *code, const char *why)
{
    p->answer = code;
    copy_n(p->why, sizeof p->why, why);
    return false;
}

/* ---- is it a result at all? ---- */

static bool among(const char *word, const char *const *list)
{
    for (; word != NULL && *list != NULL; list++) {
        if (strcmp(word, *list) == 0)
            return true;
    }
    return false;
}

static bool words_ok(struct post *p)
{
    static const char *const codes[] = { "None", "NonRetryableServiceException",
        "DataSerializationError", "ParameterDataInvalidError", "CryptographyError",
        "CertificateNotFoundError", "ConflictError", "NotSupportedError", "PayloadTooLargeError",
        "IssuancePending", "DeniedByCA", "TemplateNotFound", "VariableMissing", "PolicyMismatch",
        "RetryableServiceException", "ServiceUnavailableException", "ServiceTooBusyException",
        "AuthenticationException", "CAUnreachable", NULL };
    static const char *const states[] = { "issued", "issuePending", "requestSubmitFailed",
        "issueFailed", "revoked", NULL };

    if (!among(p->error_code, codes))
        return reject(p, "ParameterDataInvalidError", "errorCode: missing or unknown");
    if (!among(p->state, states))
        return reject(
            p, "ParameterDataInvalidError", "certificateIssuanceState: missing or unknown");
    return true;
}

static bool echo_ok(struct post *p, const char *member)
{
    const char *sent = js_text(p->item, member), *back = js_text(p->result, member);

    if (sent == NULL || (back != NULL && strcmp(sent, back) == 0))
        return true;
    p->answer = "ParameterDataInvalidError";
    snprintf(p->why, sizeof p->why, "%s: not as in the request", member);
    return false;
}

static bool shape_ok(struct post *p)
{
    const char *message = js_text(p->result, "errorMessage");
    const char *activity = js_text(p->result, "activityId");
    int64_t hresult = 0;

    if (!js_bool(p->result, "succeeded", &p->succeeded))
        return reject(p, "ParameterDataInvalidError", "succeeded: missing");
    if (!js_int(p->result, "hResult", &hresult) || hresult < 0 || hresult > 0xffffffff)
        return reject(p, "ParameterDataInvalidError", "hResult: not an unsigned 32-bit number");
    if (message != NULL && utf8_len(message) > MESSAGE_MAX)
        return reject(p, "ParameterDataInvalidError", "errorMessage: longer than 255");
    if (activity == NULL || !guid_ok(activity))
        return reject(p, "ParameterDataInvalidError", "activityId: missing or not a GUID");
    return words_ok(p) && echo_ok(p, "requestType") && echo_ok(p, "requestContext");
}

/* The members must not contradict each other. */
static bool sense_ok(struct post *p)
{
    bool none = strcmp(p->error_code, "None") == 0;
    const char *message = js_text(p->result, "errorMessage");

    p->pending = strcmp(p->state, "issuePending") == 0;
    if (p->succeeded != none)
        return reject(
            p, "ParameterDataInvalidError", "succeeded and errorCode contradict each other");
    if (p->succeeded && strcmp(p->state, "issued") != 0)
        return reject(p, "ParameterDataInvalidError", "succeeded, but not issued");
    if (p->succeeded && message != NULL && *message != '\0')
        return reject(p, "ParameterDataInvalidError", "succeeded, with an errorMessage");
    if (!p->succeeded && !p->pending && (message == NULL || *message == '\0'))
        return reject(p, "ParameterDataInvalidError", "failed, without an errorMessage");
    if (p->pending != (strcmp(p->error_code, "IssuancePending") == 0))
        return reject(
            p, "ParameterDataInvalidError", "issuePending goes with IssuancePending only");
    return true;
}

/* ---- may it be recorded? ---- */

static bool allowed(struct post *p)
{
    struct request *r = p->request;

    if (hit_has(&p->x->hit, FAULT_STALE_LEASE))
        queue_void(p->s->queue, r);
    if (r->state == CLOSED) {
        p->duplicate = CRYPTO_memcmp(r->digest, p->digest, SHA256_LEN) == 0;
        if (p->duplicate)
            return true;
        r->conflicts++;
        ledger_begin(p->s->ledger, "conflicting-result");
        ledger_text(p->s->ledger, "requestId", r->id);
        ledger_hex(p->s->ledger, "digest", p->digest, SHA256_LEN, false);
        ledger_hex(p->s->ledger, "first", r->digest, SHA256_LEN, false);
        ledger_end(p->s->ledger);
        return reject(p, "ConflictError", "the request has another result already");
    }
    if (js_text(p->result, "leaseId") == NULL)
        return reject(p, "ParameterDataInvalidError", "leaseId: missing");
    if (!queue_holds(r, js_text(p->result, "leaseId")))
        return reject(p, "ConflictError", "the lease is void");
    return true;
}

/* ---- record it ---- */

static void deliver(struct post *p)
{
    struct sandbox *s = p->s;
    const char *type = js_text(p->item, "requestType"), *serial;
    struct str verdict = { 0 };
    struct ca_entry *e;

    if (type == NULL || strcmp(type, "pkcsIssue") != 0) {
        str_f(&verdict, "no device knows what %s delivers", type == NULL ? "this" : type);
    } else {
        bool open = s->results++ % (uint64_t)s->opt.open_every == 0;

        device_judge(s, p->item, p->result, open, &verdict);
    }
    p->request->verdict = verdict.p;
    serial = js_text(p->result, "certificateSerialNumber");
    e = serial == NULL ? NULL : ca_by_serial(&s->ca, serial);
    if (e != NULL && (strcmp(verdict.p, "ok") == 0 || strcmp(verdict.p, "sealed") == 0))
        e->delivered = true;
    if (!s->opt.quiet && strcmp(verdict.p, "ok") != 0 && strcmp(verdict.p, "sealed") != 0)
        fprintf(
            stderr, "certferry-sandbox: %s (%s): %s\n", p->request->cn, p->request->id, verdict.p);
}

static void record(struct post *p)
{
    struct request *r = p->request;

    if (p->duplicate)
        return;
    if (p->pending) {
        queue_extend(p->s->queue, r);
        return;
    }
    memcpy(r->digest, p->digest, SHA256_LEN);
    copy_n(r->error_code, sizeof r->error_code, p->error_code);
    if (p->succeeded)
        deliver(p);
    queue_close(p->s->queue, r,
        p->succeeded                               ? DELIVERED
        : strcmp(p->error_code, "DeniedByCA") == 0 ? DENIED
                                                   : FAILED);
}

static void note(struct post *p)
{
    struct ledger *l = p->s->ledger;
    struct request *r = p->request;

    ledger_begin(l, "result");
    ledger_text(l, "requestId", r == NULL ? js_text(p->result, "requestId") : r->id);
    ledger_hex(l, "digest", p->digest, SHA256_LEN, false);
    ledger_bool(l, "succeeded", p->succeeded);
    ledger_text(l, "state", p->state);
    ledger_text(l, "errorCode", p->error_code);
    ledger_text(l, "errorMessage", js_text(p->result, "errorMessage"));
    ledger_text(l, "serial", js_text(p->result, "certificateSerialNumber"));
    ledger_text(l, "profile", js_text(js_get(p->result, "pfx"), "profile"));
    ledger_bool(l, "accepted", p->answer == NULL);
    ledger_bool(l, "duplicate", p->duplicate);
    if (p->answer != NULL) {
        ledger_text(l, "answer", p->answer);
        ledger_text(l, "why", p->why);
    } else if (r->verdict != NULL && p->succeeded) {
        ledger_text(l, "verdict", r->verdict);
    }
    if (r != NULL && r->handed_at_ms != 0)
        ledger_int(l, "ms", clock_ms() - r->handed_at_ms);
    ledger_end(l);
}

static void digest_of(const struct slice *raw, unsigned char out[SHA256_LEN])
{
    struct slice lease;
    struct str rest = { 0 };

    if (scan_member(raw->p, raw->len, "leaseId", &lease)) {
        const char *after = lease.p + lease.len;

        str_add(&rest, raw->p, (size_t)(lease.p - raw->p));
        str_add(&rest, after, (size_t)(raw->p + raw->len - after));
    } else {
        str_add(&rest, raw->p, raw->len);
    }
    sha256(rest.p, rest.len, out);
    str_free(&rest);
}

static void one_result(struct post *p, const struct slice *raw)
{
    const char *id = js_text(p->result, "requestId");
    char *text = NULL, why[64];

    p->state = js_text(p->result, "certificateIssuanceState");
    p->error_code = js_text(p->result, "errorCode");
    p->request = id == NULL ? NULL : queue_find(p->s->queue, id);
    digest_of(raw, p->digest);
    if (p->request == NULL) {
        reject(p, "CertificateNotFoundError", "no such request");
    } else {
        text = item_text(p->s, p->request);
        p->item = js_parse(text, strlen(text), why, sizeof why);
        if (shape_ok(p) && sense_ok(p) && allowed(p))
            record(p);
    }
    note(p);
    js_free(p->item);
    free(text);
}

/* ---- the answer ---- */

static void subjects(struct exchange *x, struct json_object *results, struct str *out)
{
    str_add(out, "", 0);
    for (size_t i = 0; i < js_count(results); i++) {
        const char *id = js_text(js_at(results, i), "requestId");
        const struct request *r = id == NULL ? NULL : queue_find(x->sandbox->queue, id);

        str_f(out, "%s %s ", id == NULL ? "" : id, r == NULL ? "" : r->cn);
    }
}

/* A conflict that is all there is to say is said by the status, too. */
static void answer_all(
    struct exchange *x, size_t count, const struct str *rejected, const struct post *last)
{
    bool conflict =
        count == 1 && last->answer != NULL && strcmp(last->answer, "ConflictError") == 0;

    json_answer(x, conflict ? 409 : 200);
    str_f(&x->reply.body, "{\"value\":%s", conflict ? "false" : "true");
    if (rejected->len > 0)
        str_f(&x->reply.body, ",\"rejected\":[%s]", rejected->p);
    if (conflict) {
        str_f(&x->reply.body, ",\"error\":{\"code\":\"%s\",\"message\":", last->answer);
        str_json(&x->reply.body, last->why);
        str_f(&x->reply.body, ",\"requestId\":\"%s\"}", last->request->id);
    }
    str_puts(&x->reply.body, "}");
}

void cloud_upload(struct exchange *x, struct json_object *body)
{
    struct json_object *results = js_get(body, "results");
    size_t count = js_count(results), seen = 0;
    struct slice *raw;
    struct str subject = { 0 }, rejected = { 0 };
    struct post p = { 0 };

    if (count < 1 || count > RESULTS_MAX) {
        cloud_refuse(x, 400, "ParameterDataInvalidError", "results: 1 to 100");
        return;
    }
    queue_expire(x->sandbox->queue, false);
    subjects(x, results, &subject);
    raw = need(calloc(count, sizeof *raw));
    if (!wire_before(x, AT_UPLOAD, subject.p)
        && scan_json(x->body.p, x->body.len, "results", raw, count, &seen) && seen == count) {
        for (size_t i = 0; i < count; i++) {
            p = (struct post){ .x = x, .s = x->sandbox, .result = js_at(results, i) };
            one_result(&p, &raw[i]);
            if (p.answer == NULL)
                continue;
            str_puts(&rejected, rejected.len > 0 ? "," : "");
            str_puts(&rejected, "{\"requestId\":");
            str_json(&rejected, js_text(p.result, "requestId"));
            str_f(&rejected, ",\"errorCode\":\"%s\",\"message\":", p.answer);
            str_json(&rejected, p.why);
            str_puts(&rejected, "}");
        }
        answer_all(x, count, &rejected, &p);
    }
    free(raw);
    str_free(&subject);
    str_free(&rejected);
}
