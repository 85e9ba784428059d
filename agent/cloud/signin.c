/* see signin.h.  Where the cloud is, what its authorization server can, and the order of it all. */
#include <stdio.h>
#include "agent/cloud/signin_inner.h"

enum { CONNECTIONS = 2, ANSWER_MAX = 256 << 10, TIMEOUT_MS = 30000 };

/* ---- one question ------------------------------------------------------------------------------------------------ */

struct question {
    struct signin *s;
    signin_judge *judge;
    struct err *e;
    int rc;
};

static void on_answer(void *arg, const struct result *r)
{
    struct question *q = arg;

    if (r->err != NULL)
        *q->e = *r->err;
    else
        q->rc = q->judge(q->s, r->http, q->e);
}

int signin_ask(struct signin *s, struct http_req *http, signin_judge *judge, struct err *e)
{
    struct question q = { s, judge, e, -1 };

    http->max_reply = ANSWER_MAX;
    http->timeout_ms = TIMEOUT_MS;
    if (io_http(s->io, http, on_answer, &q, e) == NULL)
        return -1;
    io_run();
    return q.rc;
}

void signin_show(struct signin *s, enum signin_stage stage)
{
    s->stage = stage;
    if (s->show != NULL)
        s->show(s->arg, s, stage);
}

/* ---- where things are ---------------------------------------------------------------------------------------------- */

static const char *const json_types[] = { "application/json", NULL };

/* It is not there: it may be at the next address. */
static bool is_elsewhere(const struct err *e)
{
    return e->cls == ERR_GONE || e->cls == ERR_INPUT || e->cls == ERR_INTERCEPTED
           || e->cls == ERR_AUTH || e->cls == ERR_FORBIDDEN || e->cls == ERR_CONFIG;
}

/* A page, or the way to one: as doctor sees it (NET-06), somebody answers in the cloud's place. */
static bool is_in_between(const struct err *e)
{
    return e->cls == ERR_INTERCEPTED
           || (e->cls == ERR_CONFIG && e->number >= 300 && e->number <= 399);
}

typedef int url_fn(const char *base, unsigned which, struct buf *out, struct err *e);

/* The first address that answers; of those that do not, what the first one said. */
static int ask_each(
    struct signin *s, const char *base, url_fn *url_of, signin_judge *judge, struct err *e)
{
    struct err first = { 0 };
    int got;

    for (unsigned which = 0;; which++) {
        struct buf url = BUF_INIT(2048);
        struct http_req q = {
            .method = "GET", .header = { { "Accept", "application/json" } }, .header_count = 1
        };

        if ((got = url_of(base, which, &url, e)) == 1) {
            q.url = buf_text(&url);
            got = signin_ask(s, &q, judge, e) == 0 ? 2 : is_elsewhere(e) ? 1 : -1;
        }
        buf_free(&url);
        if (got != 1)
            break;
        if (which == 0)
            first = *e;
    }
    if (got == 0)
        *e = first;
    return got == 2 ? 0 : -1;
}

static int judge_discovery(struct signin *s, const struct http_reply *r, struct err *e)
{
    return http_judge(r, json_types, e) == 0 ? ccp_discovery_parse(r->body, &s->at, e) : -1;
}

static int discover(struct signin *s, struct err *e)
{
    signin_show(s, SIGNIN_DISCOVERY);
    if (ask_each(s, s->to.cloud, ccp_discovery_url, judge_discovery, e) != 0) {
        if (!is_elsewhere(e))
            return err_wrap(e, "%s", s->to.cloud);
        e->cls = is_in_between(e) ? ERR_INTERCEPTED : ERR_CONFIG;
        return err_wrap(e, "%s says nothing of a policy cloud", s->to.cloud);
    }
    if (s->at.requests[0] == '\0')
        (void)snprintf(s->at.requests, sizeof s->at.requests, "%s", s->to.cloud);
    if (s->at.agents[0] == '\0')
        (void)snprintf(s->at.agents, sizeof s->at.agents, "%s", s->at.requests);
    return 0;
}

static int judge_server(struct signin *s, const struct http_reply *r, struct err *e)
{
    return http_judge(r, json_types, e) == 0
               ? oauth_metadata_parse(r->body, s->at.issuer, &s->server, e)
               : -1;
}

static int find_server(struct signin *s, struct err *e)
{
    signin_show(s, SIGNIN_SERVER);
    if (s->at.issuer[0] == '\0')
        return err_set(e, ERR_CONFIG,
            "this cloud names no authorization server: nobody can sign in there, only bootstrap "
            "tokens and certificates are taken");
    if (ask_each(s, s->at.issuer, oauth_metadata_url, judge_server, e) != 0) {
        if (is_in_between(e))
            e->cls = ERR_INTERCEPTED;
        return err_wrap(e, "authorization server %s", s->at.issuer);
    }
    return 0;
}

/* ---- the order ------------------------------------------------------------------------------------------------------- */

static int get_token(struct signin *s, struct err *e)
{
    switch (s->to.way) {
    case SIGNIN_DEVICE:
        return signin_by_device(s, e);
    case SIGNIN_CLIENT:
        return signin_by_client(s, e);
    case SIGNIN_TOKEN:
        break;
    }
    buf_add_view(&s->token, s->to.secret);
    return buf_check(&s->token, e);
}

/* What the server means, before what it says; and a person's no is not the CA's. */
static int refused(struct signin *s, struct err *e)
{
    if (s->refused.reason == OAUTH_NO_REASON)
        return -1;
    if (e->cls == ERR_DENIED || e->cls == ERR_EXPIRED)
        e->cls = ERR_AUTH;
    return err_wrap(e, "%s", oauth_reason_fact(s->refused.reason));
}

int signin_run(struct signin *s, struct lib *l, struct err *e)
{
    const struct io_peer_conf pc = { .name = "cloud",
        .trust_file = s->to.trust,
        .secrets = s->to.secrets,
        .conf = s->to.conf,
        .proxy = s->to.conf != NULL ? s->to.conf->cloud.proxy : NULL,
        .proxy_credential = s->to.conf != NULL ? s->to.conf->cloud.proxy_credential : NULL,
        .connections_max = CONNECTIONS };
    int rc = -1;

    s->lib = l;
    s->token = (struct buf)BUF_SECRET(SIGNIN_TOKEN_MAX);
    s->device = (struct oauth_device)OAUTH_DEVICE_INIT;
    if ((s->io = io_peer_new(&pc, e)) == NULL || discover(s, e) != 0
        || (s->to.way != SIGNIN_TOKEN && find_server(s, e) != 0))
        return -1;
    if (get_token(s, e) != 0)
        return refused(s, e);
    rc = signin_enrol(s, e);
    buf_free(&s->token); /* it has served */
    oauth_device_free(&s->device);
    if (rc == 0)
        rc = signin_prove(s, e);
    if (rc == 0)
        signin_show(s, SIGNIN_DONE);
    return rc;
}

void signin_end(struct signin *s)
{
    buf_free(&s->token);
    oauth_device_free(&s->device);
    connector_free(&s->made);
    io_peer_free(s->io);
    s->io = NULL;
}

/* ---- advice ------------------------------------------------------------------------------------------------------------ */

const char *signin_fix(const struct signin *s, const struct err *e)
{
    if (s->refused.reason != OAUTH_NO_REASON)
        return oauth_reason_fix(s->refused.reason);
    if (s->stage == SIGNIN_ENROL && s->to.way == SIGNIN_TOKEN
        && (e->cls == ERR_AUTH || e->cls == ERR_FORBIDDEN))
        return "a bootstrap token works once and not for long: get a new one from the cloud";
    if (s->stage == SIGNIN_ENROL && (e->cls == ERR_AUTH || e->cls == ERR_FORBIDDEN))
        return "sign in as somebody who may enrol connectors at this cloud";
    switch (e->cls) {
    case ERR_CONFIG:
        return s->stage == SIGNIN_DISCOVERY
                   ? "give the cloud's address as its documentation has it: certferry sign-in "
                     "--cloud https://..."
                   : "choose another way in, see certferry help sign-in";
    case ERR_TRUST:
        return "if something opens TLS on the way, have the cloud's host left alone; if the cloud "
               "has "
               "a root of its own: --trust FILE";
    case ERR_EXPIRED:
        return "is this machine's clock right (timedatectl)? then start sign-in again";
    case ERR_INTERCEPTED:
        return "a portal or a proxy answers in the cloud's place: sign in there, or have the "
               "cloud's "
               "host let through (certferry proxy show); is the address right?";
    case ERR_NET:
    case ERR_PROXY:
    case ERR_PROXY_DOWN:
        return "certferry doctor --only net";
    default:
        return "try again; if it stays so, tell the people who run the cloud";
    }
}
