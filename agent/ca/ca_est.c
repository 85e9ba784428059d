/*
 * EST as an upstream CA, see ca.h and proto/est.h.
 *
 * EST has no request id: a pending request is collected by sending the same bytes again, so the
 * reference is a constant and collect is submit.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "agent/ca/ca.h"
#include "certs/mem.h"
#include "proto/est.h"

enum { BODY_MAX = 64 << 10, URL_MAX_LEN = 2048 };

struct est {
    struct ca ca;
    struct buf url, body;
};

static struct est *self(struct ca *ca)
{
    return (struct est *)ca;
}

static struct ca *est_open(const struct conf_ca *conf, struct err *e)
{
    struct est *s = xcalloc(1, sizeof *s);

    (void)conf;
    (void)e;
    s->url = (struct buf)BUF_INIT(URL_MAX_LEN);
    s->body = (struct buf)BUF_INIT(BODY_MAX);
    return &s->ca;
}

static void est_close(struct ca *ca)
{
    struct est *s = self(ca);

    buf_free(&s->url);
    buf_free(&s->body);
    free(s);
}

static int url_for(struct est *s, const struct ca_ask *ask, const char *operation, struct err *e)
{
    const char *label = s->ca.conf->label; /* NULL: this server has none */

    if (label != NULL && strcmp(label, "{template}") == 0)
        label = ask->template_name;
    buf_reset(&s->url);
    if (est_url(s->ca.conf->url, label, operation, &s->url, e) != 0)
        return -1;
    return buf_check(&s->url, e);
}

static int est_submit(struct ca *ca, const struct ca_ask *ask, struct http_req *q, struct err *e)
{
    struct est *s = self(ca);

    if (url_for(s, ask, "simpleenroll", e) != 0)
        return -1;
    buf_reset(&s->body);
    est_body(ask->csr, &s->body);
    if (buf_check(&s->body, e) != 0)
        return -1;
    ca_request(ca, q, "POST", buf_text(&s->url), buf_view(&s->body));
    q->header[q->header_count++] = (struct http_header){ "Content-Type", EST_CSR_TYPE };
    return 0;
}

static int est_chain(struct ca *ca, const struct ca_ask *ask, struct http_req *q, struct err *e)
{
    struct est *s = self(ca);

    if (url_for(s, ask, "cacerts", e) != 0)
        return -1;
    ca_request(ca, q, "GET", buf_text(&s->url), (struct view){ 0 });
    return 0;
}

static enum ca_answer est_judge(
    struct ca *ca, const struct http_reply *r, struct ca_issue *issue, struct err *e)
{
    enum est_outcome outcome;

    (void)ca;
    if (est_enroll_judge(r, &outcome, &issue->certificates, &issue->wait_s, e) != 0)
        return CA_ERROR;
    (void)snprintf(issue->reference, sizeof issue->reference, "by its CSR");
    return outcome == EST_ISSUED ? CA_ISSUED : CA_PENDING;
}

static int est_judge_chain(
    struct ca *ca, const struct http_reply *r, struct buf *out, struct err *e)
{
    (void)ca;
    return est_cacerts_judge(r, out, e);
}

const struct ca_driver ca_est = {
    .kind = "est",
    .collect_submits = true,
    .open = est_open,
    .close = est_close,
    .submit = est_submit,
    .collect = est_submit,
    .chain = est_chain,
    .judge = est_judge,
    .judge_chain = est_judge_chain,
};
