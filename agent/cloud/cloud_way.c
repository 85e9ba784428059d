/* see cloud_way.h.  A message by an identity is a chain: perhaps a token, the request, perhaps both once more. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "agent/cloud/cloud_way.h"
#include "agent/cloud/token.h"
#include "certs/mem.h"

enum { CONNECTIONS = 32, BEARER_MAX = 8192, URL_LEN = 4096, BEARER_LEN = 7 };

struct cloud_way {
    struct io_peer *io;
    struct tokens *tokens; /* CONNECTOR_JWT */
    struct connector who;
    bool by_identity;
    unsigned posts;
    cloud_way_fn *told;
    void *arg;
};

struct post {
    struct cloud_way *way;
    struct op *chain;
    struct token_wait *token; /* one of these is under way */
    struct op *http;
    char *url, *activity;
    struct buf body, bearer;
    unsigned timeout_ms;
    bool again;
};

struct io_peer *cloud_way_peer(const struct cloud_way *w)
{
    return w->io;
}

const struct connector *cloud_way_who(const struct cloud_way *w)
{
    return w->by_identity ? &w->who : NULL;
}

/* ---- opening and closing ---------------------------------------------------------------------------------------- */

static int copy_who(struct cloud_way *w, const struct connector *who, struct err *e)
{
    w->by_identity = true;
    w->who = *who;
    w->who.certificate = (struct buf)BUF_INIT(who->certificate.max);
    w->who.key = (struct buf)BUF_SECRET(who->key.max);
    buf_add_view(&w->who.certificate, buf_view(&who->certificate));
    buf_add_view(&w->who.key, buf_view(&who->key));
    return buf_check(&w->who.certificate, e) != 0 || buf_check(&w->who.key, e) != 0 ? -1 : 0;
}

static int open_peer(struct cloud_way *w, const struct cloud_way_conf *c, struct err *e)
{
    struct io_peer_conf pc = { .name = "cloud",
        .trust_file = c->cloud->trust,
        .secrets = c->secrets,
        .conf = c->cloud->all,
        .proxy = c->cloud->proxy,
        .proxy_credential = c->cloud->proxy_credential,
        .connections_max = CONNECTIONS };

    if (!w->by_identity) {
        pc.certificate_file = c->cloud->client_certificate;
        pc.key_file = c->cloud->client_key;
        pc.auth = c->cloud->token_file != NULL ? IO_AUTH_BEARER : IO_AUTH_NONE;
        pc.secret_file = c->cloud->token_file;
    } else if (w->who.method == CONNECTOR_MTLS) {
        pc.certificate = buf_view(&w->who.certificate);
        pc.key = buf_view(&w->who.key);
    }
    return (w->io = io_peer_new(&pc, e)) != NULL ? 0 : -1;
}

static int open_tokens(struct cloud_way *w, const struct cloud_way_conf *c, struct err *e)
{
    struct token_client client = { .id = w->who.client_id,
        .certificate = buf_view(&w->who.certificate),
        .key = buf_view(&w->who.key) };

    if (!w->by_identity || w->who.method != CONNECTOR_JWT)
        return 0;
    return (w->tokens = tokens_open(c->lib, w->io, &client, e)) != NULL ? 0 : -1;
}

void cloud_way_free(struct cloud_way *w)
{
    if (w == NULL)
        return;
    tokens_close(w->tokens);
    io_peer_free(w->io);
    connector_free(&w->who);
    free(w);
}

struct cloud_way *cloud_way_new(const struct cloud_way_conf *c, struct err *e)
{
    struct cloud_way *w = xcalloc(1, sizeof *w);

    w->told = c->told;
    w->arg = c->arg;
    if ((c->who == NULL || copy_who(w, c->who, e) == 0) && open_peer(w, c, e) == 0
        && open_tokens(w, c, e) == 0)
        return w;
    cloud_way_free(w);
    return NULL;
}

bool cloud_way_is_idle(const struct cloud_way *w)
{
    return w->posts == 0;
}

/* ---- a message --------------------------------------------------------------------------------------------------- */

static void post_free(struct post *p)
{
    p->way->posts--;
    token_cancel(p->token);
    io_cancel(p->http);
    buf_free(&p->body);
    buf_free(&p->bearer);
    free(p->url);
    free(p->activity);
    free(p);
}

static void post_cancel(void *self)
{
    post_free(self);
}

static void end(struct post *p, const struct result *r)
{
    p->way->told(p->way->arg, p->way, r);
    io_chain_end(p->chain, r);
    post_free(p);
}

static void on_http(void *arg, const struct result *r);

static struct op *ask(struct post *p, struct err *e)
{
    struct ccp_headers storage;
    struct http_req q = { .method = "POST",
        .url = p->url,
        .body = buf_view(&p->body),
        .max_reply = CCP_BATCH_MAX,
        .timeout_ms = p->timeout_ms };

    ccp_headers(&q, p->activity, &storage);
    if (p->bearer.len > 0)
        q.header[q.header_count++] = (struct http_header){ "Authorization", buf_text(&p->bearer) };
    return io_http(p->way->io, &q, on_http, p, e);
}

static void on_token(void *arg, const struct err *why, struct view token)
{
    struct post *p = arg;
    struct err e;

    p->token = NULL;
    if (why == NULL) {
        buf_reset(&p->bearer);
        buf_add_text(&p->bearer, "Bearer ");
        buf_add_view(&p->bearer, token);
        if (buf_check(&p->bearer, &e) == 0 && (p->http = ask(p, &e)) != NULL)
            return;
        why = &e;
    }
    end(p, &(struct result){ .err = why });
}

static void get_token(struct post *p)
{
    const struct connector *who = &p->way->who;

    p->token = token_get(p->way->tokens, who->token_url, who->scope, on_token, p);
}

static void on_http(void *arg, const struct result *r)
{
    struct post *p = arg;
    struct view token = buf_view(&p->bearer);

    p->http = NULL;
    if (p->way->tokens != NULL && !p->again && r->err == NULL && r->http->status == 401) {
        p->again = true;
        token_drop(p->way->tokens, p->way->who.token_url, p->way->who.scope,
            view_of(token.p + BEARER_LEN, token.len - BEARER_LEN));
        get_token(p);
        return;
    }
    end(p, r);
}

/* Nothing to be told, nothing to be fetched: no more than the request. */
static struct op *post_plainly(struct cloud_way *w, const char *url, const char *activity,
    struct view body, unsigned timeout_ms, io_fn *fn, void *arg, struct err *e)
{
    struct ccp_headers storage;
    struct http_req q = { .method = "POST",
        .url = url,
        .body = body,
        .max_reply = CCP_BATCH_MAX,
        .timeout_ms = timeout_ms };

    ccp_headers(&q, activity, &storage);
    return io_http(w->io, &q, fn, arg, e);
}

struct op *cloud_way_post(struct cloud_way *w, const char *url, const char *activity,
    struct view body, unsigned timeout_ms, io_fn *fn, void *arg, struct err *e)
{
    struct post *p;

    if (!w->by_identity)
        return post_plainly(w, url, activity, body, timeout_ms, fn, arg, e);
    p = xcalloc(1, sizeof *p);
    *p = (struct post){ .way = w,
        .url = xstrdup(url),
        .activity = xstrdup(activity),
        .body = BUF_INIT(body.len + 1),
        .bearer = BUF_SECRET(BEARER_MAX),
        .timeout_ms = timeout_ms };
    w->posts++;
    buf_add_view(&p->body, body);
    if (buf_check(&p->body, e) != 0 || (w->tokens == NULL && (p->http = ask(p, e)) == NULL)) {
        post_free(p);
        return NULL;
    }
    if (w->tokens != NULL)
        get_token(p);
    p->chain = io_chain(post_cancel, p, fn, arg);
    return p->chain;
}
