/* see scep_probe_inner.h.  A rehearsal: a real request, with a challenge that is good or made up. */
#include <stdio.h>
#include <string.h>
#include "agent/probe/scep_probe_inner.h"
#include "certs/name.h"
#include "certs/text.h"

enum { MESSAGE_MAX = 128 << 10, MADE_UP = 24 };

/* ---- the request ---------------------------------------------------------------------------------------------------- */

static int open_enrol(struct scep_probe *p, struct err *e)
{
    struct buf hex = BUF_SECRET(2 * MADE_UP + 1);
    uint8_t random[MADE_UP];
    int rc;

    if (p->challenge != NULL)
        return scep_enrol_open(&p->enrol, p->lib, p->subject, p->challenge, e);
    if (lib_random(p->lib, random, sizeof random, e) != 0)
        return -1;
    hex_add(&hex, view_of(random, sizeof random));
    rc = scep_enrol_open(&p->enrol, p->lib, p->subject, buf_text(&hex), e);
    buf_free(&hex);
    return rc;
}

void probe_make_request(struct scep_probe *p, const struct http_reply *r, struct finding *f)
{
    struct err e;

    (void)r;
    if (open_enrol(p, &e) == 0) {
        finding_set(f, GRADE_PASS, ERR_NONE, "RSA key of 2048 bits, subject %s, challenge %s",
            p->subject, p->challenge != NULL ? "from the file" : "made up");
        return;
    }
    finding_set(f, GRADE_FAIL, e.cls, "%s", e.msg);
    finding_fix(f, "give another --subject, as \"CN=name,O=organization\"");
}

/* ---- sent ------------------------------------------------------------------------------------------------------------- */

static bool by_post(struct scep_probe *p)
{
    return strstr(buf_text(&p->caps), "POSTPKIOperation") != NULL
           || strstr(buf_text(&p->caps), "SCEPStandard") != NULL;
}

int probe_send(struct scep_probe *p, io_fn *fn, struct err *e)
{
    struct buf message = BUF_INIT(MESSAGE_MAX);

    if (scep_enrol_message(
            &p->enrol, p->pending ? SCEP_CERT_POLL : SCEP_PKCS_REQ, &p->certs, &message, e)
        == 0)
        p->op = by_post(p)
                    ? scep_client_post(p->client, buf_view(&message), fn, p, e)
                    : scep_client_get(p->client, "PKIOperation", buf_view(&message), fn, p, e);
    buf_free(&message);
    return p->op != NULL ? 0 : -1;
}

/* What came is judged at once, for whether to poll depends on it; the stages behind this one tell of it. */
void probe_judge_send(struct scep_probe *p, const struct http_reply *r, struct finding *f)
{
    static const char *const types[] = { "application/x-pki-message", NULL };
    struct finding *reply = &p->found[SCEP_STAGE_REPLY];
    struct err e = { 0 };
    bool was_pending = p->pending;

    p->pending = false;
    if (!probe_answered(r, types, f))
        return;
    finding_set(f, GRADE_PASS, ERR_NONE, "HTTP %d, %zu bytes, sent by %s", r->status, r->body.len,
        by_post(p) ? "POST" : "GET");
    scep_outcome_free(&p->outcome);
    if (scep_enrol_answer(&p->enrol, &p->certs, r->body, &p->outcome, &e) != 0) {
        finding_set(reply, GRADE_FAIL, e.cls == ERR_MISMATCH ? ERR_PROTO : e.cls, "%s", e.msg);
        finding_fix(reply, "%s",
            e.cls == ERR_TRUST ? "the server must sign with a certificate of GetCACert"
                               : "look into the log of the server; compare with another client");
        return;
    }
    finding_set(
        reply, GRADE_PASS, ERR_NONE, "signed by the server, with our transactionID and nonce");
    if (p->outcome.answer.status != SCEP_PENDING)
        return;
    p->pending = true;
    if (!was_pending)
        p->polls_until_ms = io_now_ms() + (uint64_t)p->wait_s * 1000;
}

bool probe_polls(struct scep_probe *p)
{
    return p->pending && io_now_ms() < p->polls_until_ms;
}

void probe_judge_reply(struct scep_probe *p, const struct http_reply *r, struct finding *f)
{
    (void)p; /* found when it came */
    (void)r;
    (void)f;
}

/* ---- the verdict -------------------------------------------------------------------------------------------------------- */

static const char *fix_of_fail(enum scep_fail fail, bool expected)
{
    switch (fail) {
    case SCEP_BAD_ALG:
        return "the server takes neither AES nor SHA-256 although devices need them; update it, or "
               "its settings";
    case SCEP_BAD_MESSAGE_CHECK:
        return "look into the log of the server: it could not verify the message";
    case SCEP_BAD_TIME:
        return "compare the clocks of this machine and of the server";
    default:
        return expected ? "look into the log of the server"
                        : "get a new challenge: it may be spent, expired, or for another subject; "
                          "the log of the server says why";
    }
}

static void refused(struct scep_probe *p, struct finding *f)
{
    const struct scep_answer *a = &p->outcome.answer;
    bool expected = p->challenge == NULL, proper = expected && a->fail == SCEP_BAD_REQUEST;
    char number[32] = "";

    if (a->hresult != 0)
        (void)snprintf(number, sizeof number, ", 0x%08x", a->hresult);
    finding_set(f, proper ? GRADE_PASS : GRADE_FAIL, ERR_CHALLENGE, "refused: failInfo %d, %s%s%s",
        (int)a->fail, scep_fail_text(a->fail), number,
        proper ? "; so it must be with a challenge that is made up" : "");
    if (!proper)
        finding_fix(f, "%s", fix_of_fail(a->fail, expected));
}

void probe_judge_verdict(struct scep_probe *p, const struct http_reply *r, struct finding *f)
{
    bool expected = p->challenge == NULL;

    (void)r;
    switch (p->outcome.answer.status) {
    case SCEP_FAILURE:
        refused(p, f);
        return;
    case SCEP_PENDING:
        finding_set(f, GRADE_WARN, ERR_NONE, "pending%s",
            expected ? ", with a challenge that is made up: it has not been judged yet" : "");
        finding_fix(f, "approve it at the CA, or wait longer with --wait");
        return;
    case SCEP_SUCCESS:
        break;
    }
    finding_set(f, expected ? GRADE_FAIL : GRADE_PASS, ERR_CHALLENGE, "issued%s",
        expected ? ", with a challenge that is made up: whoever reaches this URL gets a certificate"
                 : "");
    if (expected)
        finding_fix(f, "revoke the certificate below; set plugin in section scep");
}

/* ---- the certificate ---------------------------------------------------------------------------------------------------- */

static void judge_leaf(struct scep_probe *p, struct finding *f)
{
    const struct cert *c = &p->outcome.leaf;
    const struct cert *issuer = scep_certs_issuer(p->lib, &p->certs, c);
    struct buf subject = BUF_INIT(4096), serial = BUF_INIT(64);
    char until[24];

    name_text(c->subject, &subject);
    cert_serial_hex(c, &serial);
    time_text(c->not_after_at, until);
    finding_set(f, GRADE_PASS, ERR_NONE, "%s, serial number %s, until %s, over our key",
        buf_text(&subject), buf_text(&serial), until);
    if (p->outcome.leaf_at != 0)
        finding_worse(f, GRADE_WARN, ERR_NONE, "send it alone, or first",
            "it is not the first in the reply: Apple devices take the first for theirs");
    if (issuer == NULL)
        finding_worse(f, GRADE_WARN, ERR_NONE, "add the CA that issues to GetCACert",
            "no CA of GetCACert signed it");
    buf_free(&subject);
    buf_free(&serial);
}

/* Also after a challenge that was made up: what should not have been issued is named, so that it can be revoked. */
void probe_judge_issued(struct scep_probe *p, const struct http_reply *r, struct finding *f)
{
    struct err e;

    (void)r;
    if (p->outcome.answer.status != SCEP_SUCCESS) {
        if (p->challenge == NULL)
            *f = (struct finding){ 0 };
        else
            finding_set(f, GRADE_SKIP, ERR_NONE, "there is none");
    } else if (scep_enrol_certificate(&p->enrol, &p->outcome, &e) != 0) {
        finding_set(f, GRADE_FAIL, e.cls, "%s", e.msg);
        finding_fix(f, "the certificate is issued but no device can use this reply; update the "
                       "server");
    } else {
        judge_leaf(p, f);
    }
}
