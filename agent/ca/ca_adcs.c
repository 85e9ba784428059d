/*
 * AD CS web enrolment as an upstream CA, see ca.h and proto/adcs.h.
 *
 * A submit answers with a page and a request id, never with the certificate: it is fetched by id.  A
 * pending id is never submitted again.  The CA issues a second certificate for a CSR sent twice.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "agent/ca/ca.h"
#include "certs/chain.h"
#include "certs/mem.h"
#include "proto/adcs.h"

enum { BODY_MAX = 128 << 10, URL_MAX_LEN = 2048 };

struct adcs {
    struct ca ca;
    struct buf url, body, attributes;
};

static struct adcs *self(struct ca *ca)
{
    return (struct adcs *)ca;
}

static struct ca *adcs_open(const struct conf_ca *conf, struct err *e)
{
    struct adcs *a = xcalloc(1, sizeof *a);

    (void)conf;
    (void)e;
    a->url = (struct buf)BUF_INIT(URL_MAX_LEN);
    a->body = (struct buf)BUF_INIT(BODY_MAX);
    a->attributes = (struct buf)BUF_INIT(4096);
    return &a->ca;
}

static void adcs_close(struct ca *ca)
{
    struct adcs *a = self(ca);

    buf_free(&a->url);
    buf_free(&a->body);
    buf_free(&a->attributes);
    free(a);
}

/* The pages choose their form by the name of the browser. */
static void describe(struct adcs *a, struct http_req *q, const char *method, struct view body)
{
    ca_request(&a->ca, q, method, buf_text(&a->url), body);
    q->header[q->header_count++] = (struct http_header){ "User-Agent",
        "Mozilla/5.0 (compatible; certferry/" CERTFERRY_VERSION ")" };
}

static int adcs_submit(struct ca *ca, const struct ca_ask *ask, struct http_req *q, struct err *e)
{
    struct adcs *a = self(ca);

    buf_reset(&a->url);
    buf_reset(&a->body);
    buf_reset(&a->attributes);
    http_url_join(&a->url, ca->conf->url, ADCS_SUBMIT_PATH);
    if (adcs_attributes(ask->template_name, ask->validity_s, &a->attributes, e) != 0)
        return -1;
    adcs_submit_body(ask->csr, buf_view(&a->attributes), &a->body);
    if (buf_check(&a->url, e) != 0 || buf_check(&a->body, e) != 0)
        return -1;
    describe(a, q, "POST", buf_view(&a->body));
    q->header[q->header_count++] =
        (struct http_header){ "Content-Type", "application/x-www-form-urlencoded" };
    return 0;
}

static int get_page(struct adcs *a, const char *path, struct http_req *q, struct err *e)
{
    buf_reset(&a->url);
    http_url_join(&a->url, a->ca.conf->url, path);
    if (buf_check(&a->url, e) != 0)
        return -1;
    describe(a, q, "GET", (struct view){ 0 });
    return 0;
}

static int fetch(
    struct adcs *a, const char *page, const char *id, struct http_req *q, struct err *e)
{
    char path[256];

    if (!adcs_id_ok(id))
        return err_set(e, ERR_PROTO, "\"%s\" is not a request id of AD CS", id);
    (void)snprintf(path, sizeof path, "%s?ReqID=%s&Enc=bin", page, id);
    return get_page(a, path, q, e);
}

static int adcs_collect(struct ca *ca, const struct ca_ask *ask, struct http_req *q, struct err *e)
{
    return fetch(self(ca), "certnew.cer", ask->reference, q, e);
}

static int adcs_chain(struct ca *ca, const struct ca_ask *ask, struct http_req *q, struct err *e)
{
    if (ask->reference[0] == '\0') /* of no request: the CA's own; -1 is its newest certificate */
        return get_page(self(ca), "certnew.p7b?ReqID=CACert&Renewal=-1&Enc=bin", q, e);
    return fetch(self(ca), "certnew.p7b", ask->reference, q, e);
}

static enum ca_answer refused(const struct adcs_answer *p, struct err *e)
{
    (void)err_set(e, p->hresult != 0 ? adcs_class(p->hresult) : ERR_DENIED, "CA request %s: %s",
        p->id[0] != '\0' ? p->id : "without id", p->message);
    e->number = p->hresult;
    return CA_ERROR;
}

/* AD CS says in a page with 200 that it does not know a request.  404 says that its pages are not there. */
static int judge_http(const struct http_reply *r, struct err *e)
{
    if (http_judge(r, NULL, e) == 0)
        return 0;
    if (e->cls == ERR_GONE) {
        e->cls = ERR_CONFIG;
        (void)err_wrap(e, "AD CS web enrolment is not at this address");
    }
    return -1;
}

/* One judge for both pages: a certificate is a certificate, whichever request it answers. */
static enum ca_answer adcs_judge(
    struct ca *ca, const struct http_reply *r, struct ca_issue *issue, struct err *e)
{
    struct adcs_answer page = { 0 };
    struct view certificate = { 0 };

    (void)ca;
    if (judge_http(r, e) != 0)
        return CA_ERROR;
    if (adcs_fetch_parse(r->body, &certificate, &page, e) != 0)
        return CA_ERROR;
    if (certificate.len > 0) {
        buf_add_view(&issue->certificates, certificate);
        return buf_check(&issue->certificates, e) == 0 ? CA_ISSUED : CA_ERROR;
    }
    (void)snprintf(issue->reference, sizeof issue->reference, "%s", page.id);
    switch (page.outcome) {
    case ADCS_ISSUED:
        return CA_ACCEPTED;
    case ADCS_PENDING:
        return CA_PENDING;
    case ADCS_UNKNOWN_ID:
        (void)err_set(e, ERR_GONE, "the CA does not know the request: %s", page.message);
        e->number = page.hresult;
        return CA_ERROR;
    case ADCS_DENIED:
        break;
    }
    return refused(&page, e);
}

static int adcs_judge_chain(
    struct ca *ca, const struct http_reply *r, struct buf *out, struct err *e)
{
    (void)ca;
    if (judge_http(r, e) != 0)
        return -1;
    buf_add_view(out, r->body);
    return buf_check(out, e);
}

const struct ca_driver ca_adcs = {
    .kind = "adcs",
    .sets_validity = true,
    .open = adcs_open,
    .close = adcs_close,
    .submit = adcs_submit,
    .collect = adcs_collect,
    .chain = adcs_chain,
    .judge = adcs_judge,
    .judge_chain = adcs_judge_chain,
};
