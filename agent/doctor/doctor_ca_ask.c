/* see doctor_ca.h.  The questions: AD CS has a page with a list; EST has a label for each template. */
#include <stdio.h>
#include <string.h>
#include "agent/doctor/doctor_ca.h"
#include "certs/chain.h"
#include "proto/adcs.h"

enum { CHAIN_BYTES_MAX = 1 << 20 };

static size_t under_way;

static void next(struct doctor_ca *x);

static void ended(struct doctor_ca *x)
{
    x->ms = (int64_t)(io_look_ms() - x->since_ms);
    if (--under_way == 0)
        io_stop();
}

static bool is_est(const struct doctor_ca *x)
{
    return strcmp(x->conf->type, "est") == 0;
}

/* Does the label of the URL name the template? */
static bool by_label(const struct doctor_ca *x)
{
    return is_est(x) && x->conf->label != NULL && strcmp(x->conf->label, "{template}") == 0;
}

/* ---- AD CS: the list ------------------------------------------------------------------------------------------------------ */

static void on_listed(void *arg, struct view name)
{
    struct doctor_ca *x = arg;

    for (size_t i = 0; i < x->conf->templates.count && i < DOCTOR_TEMPLATES_MAX; i++)
        if (view_equal(name, view_text(x->conf->templates.at[i])))
            x->known[i] = DOCTOR_TEMPLATE_YES;
}

static void on_list(void *arg, const struct result *r)
{
    struct doctor_ca *x = arg;
    struct err e = { 0 };

    x->op = NULL;
    if (r->err != NULL) {
        e = *r->err;
    } else if (http_judge(r->http, NULL, &e) == 0) {
        x->listed = adcs_templates(r->http->body, on_listed, x);
        for (size_t i = 0; x->listed && i < x->conf->templates.count; i++)
            if (x->known[i] == DOCTOR_TEMPLATE_UNASKED)
                x->known[i] = DOCTOR_TEMPLATE_NO;
    }
    if (!x->listed)
        (void)snprintf(x->asked_why, sizeof x->asked_why, "%s",
            e.cls != ERR_NONE ? e.msg : "its page of an advanced request has no list of templates");
    ended(x);
}

static void ask_list(struct doctor_ca *x)
{
    struct buf url = BUF_INIT(2048);
    struct http_req q;
    struct err e;

    http_url_join(&url, x->conf->url, ADCS_TEMPLATES_PATH);
    if (buf_check(&url, &e) == 0) {
        ca_request(x->ca, &q, "GET", buf_text(&url), (struct view){ 0 });
        q.timeout_ms = DOCTOR_ANSWER_MS;
        q.header[q.header_count++] = (struct http_header){ "User-Agent",
            "Mozilla/5.0 (compatible; certferry/" CERTFERRY_VERSION ")" };
        x->op = io_http(x->ca->io, &q, on_list, x, &e);
    }
    buf_free(&url);
    if (x->op == NULL) {
        (void)snprintf(x->asked_why, sizeof x->asked_why, "%s", e.msg);
        ended(x);
    }
}

/* ---- the CA's own certificates, under each label --------------------------------------------------------------------------- */

static void keep(struct doctor_ca *x, struct view raw)
{
    size_t count;

    if (x->chain.len == 0 && chain_read(x->lib, raw, &x->chain, &count, &x->why) == 0)
        (void)!ca_learn(x->ca, buf_view(&x->chain), &x->why);
}

static void on_chain(void *arg, const struct result *r)
{
    struct doctor_ca *x = arg;
    struct buf raw = BUF_INIT(CHAIN_BYTES_MAX);
    struct err e = { 0 };

    x->op = NULL;
    x->answered = r->err == NULL;
    if (r->err != NULL)
        e = *r->err;
    else if (x->ca->driver->judge_chain(x->ca, r->http, &raw, &e) == 0)
        keep(x, buf_view(&raw));
    buf_free(&raw);
    if (by_label(x)) {
        x->known[x->at] = e.cls == ERR_NONE                            ? DOCTOR_TEMPLATE_YES
                          : e.cls == ERR_TEMPLATE || e.cls == ERR_GONE ? DOCTOR_TEMPLATE_NO
                                                                       : DOCTOR_TEMPLATE_UNASKED;
        x->listed = x->listed || x->known[x->at] != DOCTOR_TEMPLATE_UNASKED;
    }
    if (e.cls != ERR_NONE && x->known[x->at] != DOCTOR_TEMPLATE_NO) {
        x->why = e;
        ended(x);
        return;
    }
    x->at++;
    next(x);
}

static void ask_chain(struct doctor_ca *x)
{
    const struct ca_ask ask = { .id = "doctor",
        .template_name = x->conf->templates.count > 0 ? x->conf->templates.at[x->at] : "",
        .reference = "" };
    struct http_req q;

    if (x->ca->driver->chain(x->ca, &ask, &q, &x->why) == 0) {
        q.timeout_ms = DOCTOR_ANSWER_MS;
        x->op = io_http(x->ca->io, &q, on_chain, x, &x->why);
    }
    if (x->op == NULL)
        ended(x);
}

static void next(struct doctor_ca *x)
{
    size_t questions = by_label(x) ? x->conf->templates.count : 1;

    if (x->at < questions)
        ask_chain(x);
    else if (!is_est(x))
        ask_list(x);
    else
        ended(x);
}

static void on_begin(void *arg, const struct result *r)
{
    struct doctor_ca *x = arg;

    (void)r;
    x->op = NULL;
    x->since_ms = io_look_ms();
    next(x);
}

void doctor_ca_ask(struct doctor *d, struct doctor_ca *cas, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (cas[i].ca != NULL && cas[i].end != NULL && cas[i].end->broken[0] == '\0') {
            under_way++;
            cas[i].op = io_timer(0, on_begin, &cas[i]);
        }
    if (under_way == 0)
        return;
    if (d->on_wait != NULL)
        d->on_wait(d->arg, "asking every CA", under_way);
    io_run();
}
