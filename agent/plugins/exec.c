/*
 * exec.c - a program of the administrator's judges: one JSON object on its standard input, one on its output.
 *
 * It runs once for each question, with a deadline and limits, as the host sees to it.  Its answer counts only
 * if it is exactly one object with "v":1 and the id of this question, and the program has ended with 0.  All
 * else is a refusal: a crash, a timeout, too much output, two answers, an answer to another question.
 */
#include "agent/plugins/kit.h"

enum { BODY = 256 << 10, ANSWER = 32 << 10 };

struct exec {
    const struct certferry_host *h;
    bool notify; /* the program is told how it ended */
    char body[BODY], answer[ANSWER];
    char claims[8 * ANSWER]; /* however the host writes them, what was read fits */
};

/* ---- the question ---------------------------------------------------------------------------------------- */

static void add_list(struct kit_text *t, const struct certferry_host *h, const char *name,
    const char *const *list, size_t count)
{
    kit_name(t, h, name);
    kit_add(t, "[");
    for (size_t i = 0; i < count; i++) {
        kit_add(t, i > 0 ? "," : "");
        kit_quote(t, h, list[i]);
    }
    kit_add(t, "]");
}

static void add_request(
    struct kit_text *t, const struct certferry_host *h, const struct certferry_request *r)
{
    kit_member(t, h, "endpoint", r->endpoint);
    kit_member(t, h, "ca", r->ca);
    kit_member(t, h, "template", r->template_name);
    kit_member(t, h, "transactionId", r->transaction_id);
    kit_member(t, h, "remoteAddress", r->remote_address);
    kit_member(t, h, "challenge", r->challenge);
    kit_member_base64(t, h, "pkcs10", r->pkcs10);
    if (r->signing_cert.n > 0)
        kit_member_base64(t, h, "signingCert", r->signing_cert);
    else
        kit_member(t, h, "signingCert", NULL);
    kit_member_base64(t, h, "spki", r->spki);
    kit_member(t, h, "subject", r->subject);
    add_list(t, h, "sans", r->sans, r->san_count);
    add_list(t, h, "ekus", r->ekus, r->eku_count);
    kit_member_number(t, h, "keyUsage", r->key_usage);
    kit_member(t, h, "keyType", r->key_type);
    kit_member_number(t, h, "keyBits", r->key_bits);
    kit_member(t, h, "hash", r->hash);
}

static void add_outcome(
    struct kit_text *t, const struct certferry_host *h, const struct certferry_outcome *o)
{
    bool issued = o->disposition == CERTFERRY_ISSUED;

    kit_member(t, h, "disposition", issued ? "issued" : "failed");
    if (issued) {
        kit_member_base64(t, h, "certificate", o->certificate);
        kit_member(t, h, "thumbprint", o->thumbprint);
        kit_member(t, h, "serial", o->serial);
        kit_member_number(t, h, "notAfter", o->not_after_at);
        kit_member(t, h, "issuer", o->issuer);
    } else {
        kit_member_number(t, h, "hresult", o->hresult);
        kit_member(t, h, "description", o->description);
    }
}

/* The id is in the memo: the answer is told from another question's, even after other requests came between. */
static void ask(struct exec *x, const struct certferry_request *r,
    const struct certferry_outcome *o, struct certferry_verdict *v)
{
    const struct certferry_host *h = x->h;
    struct kit_text t = kit_text(x->body, sizeof x->body);

    if (h->guid(h->ctx, v->memo, sizeof v->memo) < 0) {
        kit_deny(v, "the question has no id", NULL);
        return;
    }
    kit_add(&t, "{");
    kit_member_number(&t, h, "v", 1);
    kit_member(&t, h, "id", v->memo);
    kit_member(&t, h, "what", o == NULL ? "verify" : "notify");
    add_request(&t, h, r);
    if (o != NULL)
        add_outcome(&t, h, o);
    kit_add(&t, "}\n");
    if (t.cut) {
        kit_deny(v, "the request is too large for the program", NULL);
        return;
    }
    v->ask = (struct certferry_ask){ .program = 1, .body = { (const uint8_t *)x->body, t.n } };
    v->answer = CERTFERRY_ASK;
}

/* ---- the answer ------------------------------------------------------------------------------------------- */

static bool is(struct exec *x, const char *json, const char *name, const char *value)
{
    char text[64];

    return x->h->json_get(x->h->ctx, json, name, text, sizeof text) >= 0
           && strcmp(text, value) == 0;
}

/* The member as a number of min..max; otherwise: there is none, or it is not one */
static long number(
    struct exec *x, const char *json, const char *name, long min, long max, long otherwise)
{
    char text[24], *end;
    long n;

    if (x->h->json_get(x->h->ctx, json, name, text, sizeof text) <= 0 || text[0] < '0'
        || text[0] > '9')
        return otherwise;
    n = strtol(text, &end, 10);
    return *end == '\0' && n >= min && n <= max ? n : otherwise;
}

static void refused(struct exec *x, const char *json, struct certferry_verdict *v)
{
    char why[1000];
    long later = number(x, json, "laterSeconds", 1, 3600, 0);

    if (x->h->json_get(x->h->ctx, json, "why", why, sizeof why) <= 0)
        (void)snprintf(why, sizeof why, "without a reason that can be shown");
    if (later > 0) {
        kit_later(v, later, "the program: ", why);
        return;
    }
    kit_deny(v, "the program: ", why);
    v->fail = (enum certferry_fail)number(
        x, json, "failInfo", CERTFERRY_BAD_ALG, CERTFERRY_BAD_CERT_ID, CERTFERRY_BAD_REQUEST);
    v->hresult = (uint32_t)number(x, json, "hresult", 0, 0xffffffffL, 0);
}

/* Why it is no answer to our question; NULL: it is one */
static const char *flaw(struct exec *x, const char *json, const char *id)
{
    if (json == NULL || json[strspn(json, " \t\r\n")] != '{')
        return "the program's answer is no JSON object";
    if (!is(x, json, "v", "1"))
        return "the program's answer is not version 1, or not one JSON object";
    if (id[0] == '\0' || !is(x, json, "id", id))
        return "the program's answer has the id of another question";
    if (!is(x, json, "allow", "true") && !is(x, json, "allow", "false"))
        return "the program does not say whether it allows";
    return NULL;
}

static void judge(
    struct exec *x, const struct certferry_reply *reply, bool notify, struct certferry_verdict *v)
{
    const char *json = kit_reply_text(reply, x->answer, sizeof x->answer), *why;
    char says[160], id[40];
    int claims;

    (void)snprintf(id, sizeof id, "%.36s", v->memo);
    if (reply->status != 0) {
        if (reply->status < 0)
            (void)snprintf(says, sizeof says, "no answer: %s", reply->error);
        else
            (void)snprintf(says, sizeof says, "it ended with %d", reply->status);
        kit_deny(v, "the program: ", says);
    } else if ((why = flaw(x, json, id)) != NULL) {
        kit_deny(v, why, NULL);
    } else if (!is(x, json, "allow", "true")) {
        refused(x, json, v);
    } else if (notify) {
        kit_allow(v, NULL);
    } else if ((claims = kit_claims(x->h, json, "claims", x->claims, sizeof x->claims)) < 0) {
        kit_deny(v, "the program's claims cannot be read", NULL);
    } else {
        kit_allow(v, claims == 1 ? x->claims : NULL);
    }
}

/* ---- the table --------------------------------------------------------------------------------------------- */

static void exec_verify(void *self, const struct certferry_request *r,
    const struct certferry_reply *reply, unsigned round, struct certferry_verdict *v)
{
    (void)round;
    kit_asked(((struct exec *)self)->body, reply);
    if (reply == NULL)
        ask(self, r, NULL, v);
    else
        judge(self, reply, false, v);
}

static void exec_notify(void *self, const struct certferry_request *r,
    const struct certferry_outcome *o, const struct certferry_reply *reply, unsigned round,
    struct certferry_verdict *v)
{
    struct exec *x = self;

    (void)round;
    kit_asked(x->body, reply);
    if (!x->notify)
        kit_allow(v, NULL);
    else if (reply == NULL)
        ask(x, r, o, v);
    else
        judge(x, reply, true, v);
}

static void exec_close(void *self)
{
    kit_close(self, sizeof(struct exec));
}

static int exec_open(const struct certferry_host *h, void **self, char *why, size_t why_size)
{
    static const char *const settings[] = { "notify", NULL };
    static const char *const secrets[] = { NULL };
    struct exec *x = calloc(1, sizeof *x);

    if (x == NULL)
        return kit_refuse(why, why_size, "exec", "no memory");
    x->h = h;
    x->notify = true;
    if (kit_known(h, settings, secrets, why, why_size) != 0
        || kit_setting_yes(h, "notify", &x->notify, why, why_size) != 0) {
        free(x);
        return -1;
    }
    *self = x;
    return 0;
}

static const struct certferry_plugin table = {
    .abi = CERTFERRY_PLUGIN_ABI,
    .size = sizeof table,
    .name = "exec",
    .version = KIT_VERSION,
    .summary = "asks a program: JSON on its standard input, a verdict on its output",
    .open = exec_open,
    .close = exec_close,
    .verify = exec_verify,
    .notify = exec_notify,
};

const struct certferry_plugin *certferry_plugin_v1(void)
{
    return &table;
}
