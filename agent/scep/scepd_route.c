/* see scepd_inner.h.  What a URL asks for, and the answers that need no thought. */
#include <stdio.h>
#include <string.h>
#include "agent/base/clock.h"
#include "agent/base/metrics.h"
#include "agent/scep/scepd_inner.h"
#include "proto/scep_query.h"

enum { MESSAGE_MAX = 128 << 10, STRANGERS_MOST = 2048 };

static struct endpoint *find(struct scepd *s, struct view path, bool *admin)
{
    for (size_t i = 0; i < s->count; i++) {
        const struct conf_list *paths = &s->endpoints[i].conf->paths;

        for (size_t n = 0; n < paths->count; n++) {
            char folder[300];
            const char *slash = strrchr(paths->at[n], '/');

            *admin = false;
            if (scep_path_same(path, paths->at[n]))
                return &s->endpoints[i];
            (void)snprintf(
                folder, sizeof folder, "%.*s_admin", (int)(slash - paths->at[n]), paths->at[n]);
            *admin = true;
            if (scep_path_same(path, folder))
                return &s->endpoints[i];
        }
    }
    return NULL;
}

static void answer(struct io_exchange *x, const char *operation_name, const char *type,
    struct view body, bool head)
{
    const struct http1_answer a = { .status = 200, .type = type, .body = body, .head = head };

    metric_add(METRIC_SCEP, operation_name, "served");
    io_answer(x, &a);
}

static void refuse(struct io_exchange *x, int status)
{
    metric_add(METRIC_SCEP, "PKIOperation", status == 503 ? "not_now" : "malformed");
    page_status(x, status);
}

static void pki_operation(struct scepd *s, struct endpoint *p, struct io_exchange *x,
    const struct http1_request *q, const struct scep_query *query, const char *remote)
{
    struct buf message = BUF_INIT(MESSAGE_MAX);
    struct err e;

    if (limit_over(s->limit, remote, p->conf->failures_per_minute, clock_now())) {
        const struct http1_answer a = { .status = 429, .extra = "Retry-After: 60" };

        metric_add(METRIC_SCEP, "PKIOperation", "too_many");
        io_answer(x, &a);
        return;
    }
    /* Jobs outlive their visits.  Decided before the message is opened, so it says nothing about what is in it. */
    if (jobs_unvouched(s->a->jobs) >= STRANGERS_MOST) {
        refuse(x, 503);
        return;
    }
    if (strcmp(q->method, "POST") == 0)
        buf_add_view(&message, q->body);
    else if (scep_query_message(query->message, &message, &e) != 0)
        buf_reset(&message);
    if (message.bad && message.why == ERR_TOO_LARGE)
        refuse(x, 413);
    else if (message.len == 0) {
        limit_count(s->limit, remote, clock_now());
        p->refused++;
        refuse(x, 400);
    } else
        visit_begin(s, p, x, buf_view(&message), remote);
    buf_free(&message);
}

static void operation(struct scepd *s, struct endpoint *p, struct io_exchange *x,
    const struct http1_request *q, const struct scep_query *query, const char *remote)
{
    bool head = strcmp(q->method, "HEAD") == 0;

    if (p->ra == NULL
        || (query->operation == SCEP_PKI_OPERATION && (s->stopping || s->a->draining))) {
        page_status(x, 503);
        return;
    }
    switch (query->operation) {
    case SCEP_GET_CA_CAPS:
        answer(x, "GetCACaps", "text/plain", buf_view(&p->caps), head);
        break;
    case SCEP_GET_CA_CERT:
        answer(x, "GetCACert", p->ra->get_ca_type, buf_view(&p->ra->get_ca_cert), head);
        break;
    case SCEP_GET_NEXT_CA_CERT:
        if (p->ra->get_next_ca.len == 0)
            page_status(x, 404);
        else
            answer(x, "GetNextCACert", "application/x-x509-next-ca-cert",
                buf_view(&p->ra->get_next_ca), head);
        break;
    case SCEP_PKI_OPERATION:
        if (head)
            page_status(x, 405);
        else
            pki_operation(s, p, x, q, query, remote);
        break;
    default:
        page_status(x, 400);
    }
}

void scepd_route(
    void *arg, struct io_exchange *x, const struct http1_request *q, const char *remote)
{
    struct scepd_listener *l = arg;
    bool admin, post = strcmp(q->method, "POST") == 0;
    struct endpoint *p = find(l->s, q->path, &admin);
    struct scep_query query;

    scep_query_parse(q->query, &query);
    if (post && query.operation == SCEP_OP_NONE)
        query.operation = SCEP_PKI_OPERATION; /* RFC 8894 4.3: POST has no other */
    if (p == NULL)
        page_status(x, 404);
    else if (!post && strcmp(q->method, "GET") != 0 && strcmp(q->method, "HEAD") != 0)
        page_status(x, 405);
    else if (post && (admin || query.operation != SCEP_PKI_OPERATION))
        page_status(x, 400);
    else if (admin)
        page_admin(l, p, x, q, remote);
    else if (query.operation == SCEP_OP_NONE)
        page_health(p, x);
    else
        operation(l->s, p, x, q, &query, remote);
}
