/* see signin.h.  An access token for the enrolment: a person's by a device code, or a client's. */
#include "agent/base/clock.h"
#include "agent/cloud/signin_inner.h"
#include "agent/secrets/identity.h"

enum { FORM_MAX = 64 << 10, AUTHORIZATION_MAX = 16 << 10 };

/* Who asks: with a certificate if there is one, else by the secret, else nobody in particular. */
struct asker {
    struct oauth_client client;
    struct identity identity;
    struct buf authorization;
};

static void asker_done(struct asker *k)
{
    identity_close(&k->identity);
    buf_free(&k->authorization);
}

static int asker_init(struct asker *k, struct signin *s, struct err *e)
{
    *k = (struct asker){ .client = { .id = s->to.client_id, .secret = s->to.secret },
        .authorization = BUF_SECRET(AUTHORIZATION_MAX) };
    if (s->to.certificate_file == NULL)
        return 0;
    if (identity_open(&k->identity, s->lib, s->to.certificate_file, s->to.key_file, e) != 0)
        return -1;
    k->client.key = k->identity.key;
    k->client.certificate = buf_view(&k->identity.certificate);
    return 0;
}

/* To one of the server's endpoints; what it says about a refusal stays in s->refused. */
static int post(struct signin *s, struct asker *k, const char *url, const struct buf *form,
    signin_judge *judge, struct err *e)
{
    struct http_req q = { .method = "POST",
        .url = url,
        .header = { { "Content-Type", "application/x-www-form-urlencoded" },
            { "Accept", "application/json" } },
        .header_count = 2,
        .body = buf_view(form) };

    if (k->client.basic && k->authorization.len == 0
        && oauth_basic(&k->client, &k->authorization, e) != 0)
        return -1;
    if (k->client.basic)
        q.header[q.header_count++] =
            (struct http_header){ "Authorization", buf_text(&k->authorization) };
    return signin_ask(s, &q, judge, e);
}

/* JSON with any error status; with a good one it must say that it is JSON. */
static int judge_type(struct signin *s, const struct http_reply *r, struct err *e)
{
    static const char *const types[] = { "application/json", NULL };

    if (r->status >= 400) {
        if (!oauth_error_read(r->body, &s->refused))
            s->refused.reason = OAUTH_NO_REASON;
        return 0;
    }
    return http_judge(r, types, e);
}

static int keep(struct signin *s, struct oauth_token *got, struct err *e)
{
    buf_take(&s->token, &got->access);
    return buf_check(&s->token, e);
}

/* ---- a client ---------------------------------------------------------------------------------------------------- */

static int judge_client(struct signin *s, const struct http_reply *r, struct err *e)
{
    struct oauth_token got = { .access = BUF_SECRET(SIGNIN_TOKEN_MAX) };
    int rc = -1;

    if (judge_type(s, r, e) == 0 && oauth_token_parse(r->status, r->body, &got, e) == 0)
        rc = keep(s, &got, e);
    buf_free(&got.access);
    return rc;
}

int signin_by_client(struct signin *s, struct err *e)
{
    struct buf form = BUF_SECRET(FORM_MAX);
    struct asker k;
    int rc = -1;

    signin_show(s, SIGNIN_TOKEN_WAIT);
    if (asker_init(&k, s, e) == 0 && oauth_metadata_fit(&s->server, &k.client, e) == 0
        && oauth_token_form(
               s->lib, &k.client, s->server.token_url, s->to.scope, clock_now(), &form, e)
               == 0)
        rc = post(s, &k, s->server.token_url, &form, judge_client, e);
    buf_free(&form);
    asker_done(&k);
    return rc;
}

/* ---- a person ---------------------------------------------------------------------------------------------------- */

static int judge_device(struct signin *s, const struct http_reply *r, struct err *e)
{
    return judge_type(s, r, e) == 0 ? oauth_device_parse(r->status, r->body, &s->device, e) : -1;
}

static int ask_code(struct signin *s, struct asker *k, struct err *e)
{
    struct buf form = BUF_SECRET(FORM_MAX);
    int rc = -1;

    if (s->server.device_url[0] == '\0')
        rc = err_set(e, ERR_CONFIG, "%s has no sign-in by device code", s->server.issuer);
    else if (oauth_device_form(
                 s->lib, &k->client, s->server.token_url, s->to.scope, clock_now(), &form, e)
             == 0)
        rc = post(s, k, s->server.device_url, &form, judge_device, e);
    buf_free(&form);
    return rc;
}

/* 0 while nobody has answered: the token stays empty. */
static int judge_poll(struct signin *s, const struct http_reply *r, struct err *e)
{
    struct oauth_token got = { .access = BUF_SECRET(SIGNIN_TOKEN_MAX) };
    int rc = -1, answer;

    if (judge_type(s, r, e) == 0) {
        answer = oauth_device_answer(&s->device, r->status, r->body, &got, e);
        rc = answer == 1 ? keep(s, &got, e) : answer;
    }
    buf_free(&got.access);
    return rc;
}

static int poll_once(struct signin *s, struct asker *k, struct err *e)
{
    struct buf form = BUF_SECRET(FORM_MAX);
    int rc = -1;

    if (oauth_device_poll_form(
            s->lib, &k->client, s->server.token_url, &s->device, clock_now(), &form, e)
        == 0)
        rc = post(s, k, s->server.token_url, &form, judge_poll, e);
    buf_free(&form);
    return rc;
}

static void on_waited(void *arg, const struct result *r)
{
    (void)arg;
    (void)r;
}

static void wait_s(int64_t s)
{
    if (io_timer((uint64_t)s * 1000, on_waited, NULL) != NULL)
        io_run();
}

/* What says nothing about the code is asked again, less often; everything else is the end. */
static bool is_no_answer(const struct err *e)
{
    return e->cls == ERR_NET || e->cls == ERR_BUSY || e->cls == ERR_INTERCEPTED;
}

static int poll_until(struct signin *s, struct asker *k, struct err *e)
{
    uint64_t ends_at_ms = io_now_ms() + (uint64_t)s->device.expires_in_s * 1000;

    while (s->token.len == 0) {
        if (io_now_ms() + (uint64_t)s->device.interval_s * 1000 > ends_at_ms) {
            s->refused.reason = OAUTH_CODE_EXPIRED;
            return err_set(
                e, ERR_EXPIRED, "nobody used it within %lld s", (long long)s->device.expires_in_s);
        }
        wait_s(s->device.interval_s);
        if (poll_once(s, k, e) == 0)
            continue;
        if (!is_no_answer(e))
            return -1;
        oauth_device_slower(&s->device);
    }
    return 0;
}

int signin_by_device(struct signin *s, struct err *e)
{
    struct asker k;
    int rc = -1;

    if (asker_init(&k, s, e) == 0 && ask_code(s, &k, e) == 0) {
        signin_show(s, SIGNIN_TOKEN_WAIT);
        rc = poll_until(s, &k, e);
    }
    if (rc == 0)
        s->refused.reason = OAUTH_NO_REASON;
    asker_done(&k);
    return rc;
}
