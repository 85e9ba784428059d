/* see rehearse_ca.h.  The CA, as the jobs ask it: submit, collect, the issuers; one question after the other. */
#include <stdio.h>
#include <string.h>
#include "agent/probe/rehearse_ca.h"
#include "certs/cert.h"
#include "certs/chain.h"

enum { ROUNDS = 3 };

struct question {
    struct rehearse *r;
    struct ca_issue issue;
    enum ca_answer answer;
    bool issuers; /* the question is for the CA's certificates */
    struct err why;
};

static void on_answer(void *arg, const struct result *r)
{
    struct question *q = arg;
    struct ca *ca = q->r->ca;

    q->answer = CA_ERROR;
    if (r->err != NULL)
        q->why = *r->err;
    else if (!q->issuers)
        q->answer = ca->driver->judge(ca, r->http, &q->issue, &q->why);
    else if (ca->driver->judge_chain(ca, r->http, &q->issue.certificates, &q->why) == 0)
        q->answer = CA_ISSUED;
    io_stop();
}

typedef int describe_fn(struct ca *ca, const struct ca_ask *ask, struct http_req *q, struct err *e);

static int ask(struct question *q, describe_fn *describe, struct err *e)
{
    struct rehearse *r = q->r;
    const struct ca_ask what = { .id = "certferry-try",
        .template_name = r->template_name,
        .csr = buf_view(&r->csr),
        .reference = r->reference };
    struct http_req req;

    if (describe(r->ca, &what, &req, e) != 0 || io_http(r->ca->io, &req, on_answer, q, e) == NULL)
        return -1;
    io_run();
    if (q->answer == CA_ERROR) {
        *e = q->why;
        return -1;
    }
    if (q->issue.reference[0] != '\0')
        (void)snprintf(r->reference, sizeof r->reference, "%s", q->issue.reference);
    return 0;
}

static void would(struct finding *f, const struct http_req *q)
{
    finding_set(
        f, GRADE_SKIP, ERR_NONE, "would send %s %s, %zu bytes", q->method, q->url, q->body.len);
    finding_fix(f, "--submit does it, and a certificate is issued");
}

/* The serial number first: whatever happens next, it can be revoked. */
static int note_serial(struct rehearse *r, struct err *e)
{
    struct view rest = buf_view(&r->chain), der;
    struct buf serial = BUF_INIT(64);
    struct cert c;

    while (chain_next(&rest, &der, e) == 1)
        if (cert_parse(der, &c, e) == 0 && view_equal(c.spki, key_spki(r->key))) {
            cert_serial_hex(&c, &serial);
            (void)snprintf(r->serial, sizeof r->serial, "%s", buf_text(&serial));
            buf_free(&serial);
            return 0;
        }
    return err_set(e, ERR_MISMATCH, "none of the CA's certificates is over our key");
}

static int take(struct rehearse *r, struct question *q, struct err *e)
{
    size_t count;

    return chain_read(r->lib, buf_view(&q->issue.certificates), &r->chain, &count, e) == 0
                   && note_serial(r, e) == 0
               ? 0
               : -1;
}

static int learn_issuers(struct rehearse *r, struct err *e)
{
    struct question q = { .r = r, .issuers = true, .issue = { .certificates = BUF_INIT(1 << 20) } };
    struct buf der = BUF_INIT(1 << 20);
    size_t count;
    int rc = -1;

    if (ask(&q, r->ca->driver->chain, e) == 0
        && chain_read(r->lib, buf_view(&q.issue.certificates), &der, &count, e) == 0)
        rc = ca_learn(r->ca, buf_view(&der), e);
    buf_free(&der);
    buf_free(&q.issue.certificates);
    return rc;
}

static int submit(struct rehearse *r, struct finding *f, struct err *e)
{
    struct question q = { .r = r, .issue = { .certificates = BUF_INIT(1 << 20) } };
    struct view rest, leaf;
    int rc = ask(&q, r->ca->driver->submit, e);

    for (int i = 0; rc == 0 && q.answer == CA_ACCEPTED && i < ROUNDS; i++)
        rc = ask(&q, r->ca->driver->collect, e);
    if (rc == 0 && (q.answer == CA_PENDING || q.answer == CA_ACCEPTED)) {
        r->pending = true;
        finding_set(
            f, GRADE_WARN, ERR_NONE, "the CA has not decided; its reference: %s", r->reference);
        finding_fix(f, "deny it at the CA; with approval the service works too, but waits");
    } else if (rc == 0) {
        rc = take(r, &q, e);
    }
    buf_free(&q.issue.certificates);
    if (rc != 0 || r->pending)
        return rc;
    rest = buf_view(&r->chain);
    if (chain_next(&rest, &leaf, e) == 1 && !ca_knows_issuer(r->ca, leaf)
        && learn_issuers(r, e) != 0)
        return -1;
    finding_set(f, GRADE_PASS, ERR_NONE, "issued: serial number %s", r->serial);
    finding_fix(f, "revoke it at the CA, it was a rehearsal");
    return 0;
}

int rehearse_ca(struct rehearse *r, struct finding *f, struct err *e)
{
    const struct ca_ask what = { .id = "certferry-try",
        .template_name = r->template_name,
        .csr = buf_view(&r->csr),
        .reference = "" };
    struct http_req q;

    if (r->submit)
        return submit(r, f, e);
    if (r->ca->driver->submit(r->ca, &what, &q, e) != 0)
        return -1;
    would(f, &q);
    return 0;
}
