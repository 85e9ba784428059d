/*
 * see plugin.h: carrying out what a plugin asks.
 *
 * A question without a token is one op of io.h and nothing more.  With a token it is a chain: the token, then the
 * request, both within one deadline; so it holds copies of all the plugin gave, which may not outlive this call.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "agent/base/fs.h"
#include "agent/challenge/plugin_inner.h"
#include "certs/mem.h"
#include "certs/text.h"

enum {
    ANSWER_MAX = 256 << 10,
    BODY_MAX = 1 << 20,
    URL_MOST = 4096,
    VALUE_MOST = 4096,
    NAME_MOST = 64,
    SCOPE_MOST = 1024,
    BEARER_MAX = 8192,
};

struct question {
    struct plugin *p;
    struct op *chain;
    struct token_wait *token; /* one of these three is under way */
    struct op *http;
    struct op *deadline; /* while the token is awaited; a request has its own */
    uint64_t ends_at_ms;
    struct http_req q; /* its texts are ours */
    char *token_url, *token_scope;
    struct buf body, bearer;
};

/* ---- may it be asked? ------------------------------------------------------------------------------------- */

static bool is_token_char(char c)
{
    return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z')
           || (c != '\0' && strchr("!#$%&'*+-.^_`|~", c) != NULL);
}

/* What frames the message or names its hop is not the plugin's to say. */
static bool is_ours(const char *name)
{
    static const char *const ours[] = { "Host", "Content-Length", "Transfer-Encoding", "Connection",
        "Keep-Alive", "TE", "Trailer", "Upgrade", "Expect", "Proxy-Authorization",
        "Proxy-Connection" };

    for (size_t i = 0; i < sizeof ours / sizeof ours[0]; i++)
        if (strcasecmp(name, ours[i]) == 0)
            return true;
    return false;
}

static int check_header(const struct certferry_header *h, bool with_token, struct err *e)
{
    size_t len = h->name != NULL ? strnlen(h->name, NAME_MOST + 1) : 0;

    if (len == 0 || len > NAME_MOST)
        return err_set(e, ERR_INPUT, "a header without a name, or with too long a one");
    for (size_t i = 0; i < len; i++)
        if (!is_token_char(h->name[i]))
            return err_set(e, ERR_INPUT, "a header's name has a character that none may have");
    if (is_ours(h->name) || (with_token && strcasecmp(h->name, "Authorization") == 0))
        return err_set(e, ERR_INPUT, "header %s is the host's to set", h->name);
    if (h->value == NULL || h->value[0] == '\0' || strnlen(h->value, VALUE_MOST + 1) > VALUE_MOST
        || !http_header_ok(h->value))
        return err_set(e, ERR_INPUT,
            "header %s: its value is empty, too long, or has a control character", h->name);
    return 0;
}

static int check_url(const char *url, struct err *e)
{
    if (strnlen(url, URL_MOST + 1) > URL_MOST)
        return err_set(e, ERR_INPUT, "a URL of more than %d bytes", URL_MOST);
    return http_url_ok(url, e);
}

static int check_token(const struct plugin *p, const struct certferry_ask *ask, struct err *e)
{
    if (ask->token_url == NULL)
        return 0;
    if (p->tokens == NULL)
        return err_set(e, ERR_CONFIG, "an access token is needed: client_id is not set");
    if (ask->token_scope == NULL || ask->token_scope[0] == '\0'
        || strnlen(ask->token_scope, SCOPE_MOST + 1) > SCOPE_MOST
        || !http_header_ok(ask->token_scope))
        return err_set(e, ERR_INPUT, "the access token's scope is missing or no scope");
    if (check_url(ask->token_url, e) != 0)
        return err_wrap(e, "token_url");
    return 0;
}

static int check_program(const struct plugin *p, struct err *e)
{
    if (p->conf->program == NULL)
        return err_set(e, ERR_CONFIG, "a program is needed: program is not set");
    return fs_trusted_file(p->conf->program, e) != 0 ? -1 : fs_executable(p->conf->program, e);
}

int plugin_ask_check(const struct plugin *p, const struct certferry_ask *ask, struct err *e)
{
    if ((ask->method != NULL) == (ask->program != 0))
        return err_set(e, ERR_INPUT, "neither a request nor a program, or both");
    if (ask->body.n > BODY_MAX || (ask->body.n > 0 && ask->body.p == NULL))
        return err_set(e, ERR_INPUT, "a body of %zu bytes", ask->body.n);
    if (ask->program != 0)
        return check_program(p, e);
    if (strcmp(ask->method, "GET") != 0 && strcmp(ask->method, "POST") != 0)
        return err_set(e, ERR_INPUT, "its method is neither GET nor POST");
    if (strcmp(ask->method, "GET") == 0 && ask->body.n > 0)
        return err_set(e, ERR_INPUT, "a GET with a body");
    if (ask->url == NULL)
        return err_set(e, ERR_INPUT, "a request without a URL");
    if (ask->header_count > CERTFERRY_HEADERS_MAX)
        return err_set(e, ERR_INPUT, "%zu headers", ask->header_count);
    for (size_t i = 0; i < ask->header_count; i++)
        if (check_header(&ask->header[i], ask->token_url != NULL, e) != 0)
            return -1;
    return check_url(ask->url, e) != 0 ? -1 : check_token(p, ask, e);
}

/* ---- a request after its token ---------------------------------------------------------------------------- */

_Static_assert((int)HTTP_HEADER_MAX > (int)CERTFERRY_HEADERS_MAX, "Authorization comes on top");

static void question_free(struct question *x)
{
    for (size_t i = 0; i < x->q.header_count; i++) {
        free((char *)(uintptr_t)x->q.header[i].name);
        text_wipe_free((char *)(uintptr_t)x->q.header[i].value); /* it may be an API's key */
    }
    free((char *)(uintptr_t)x->q.method);
    free((char *)(uintptr_t)x->q.url);
    free(x->token_url);
    free(x->token_scope);
    buf_free(&x->body);
    buf_free(&x->bearer);
    free(x);
}

static void question_cancel(void *self)
{
    struct question *x = self;

    token_cancel(x->token);
    io_cancel(x->http);
    io_cancel(x->deadline);
    question_free(x);
}

static void end(struct question *x, const struct result *r)
{
    io_cancel(x->deadline);
    io_chain_end(x->chain, r);
    question_free(x);
}

static void end_failed(struct question *x, const struct err *why)
{
    struct result r = { .err = why };

    end(x, &r);
}

static void on_deadline(void *arg, const struct result *r)
{
    struct question *x = arg;
    struct err e;

    (void)r;
    x->deadline = NULL;
    token_cancel(x->token);
    (void)err_set(&e, ERR_NET, "%s: no access token in time", x->p->conf->name);
    end_failed(x, &e);
}

static void on_http(void *arg, const struct result *r)
{
    static const char scheme[] = "Bearer ";
    struct question *x = arg;

    x->http = NULL;
    if (r->err == NULL && (r->http->status == 401 || r->http->status == 403))
        token_drop(x->p->tokens, x->token_url, x->token_scope,
            view_of(x->bearer.p + sizeof scheme - 1, x->bearer.len - (sizeof scheme - 1)));
    end(x, r);
}

static int send_with(struct question *x, struct view token, struct err *e)
{
    struct http_req q = x->q;
    uint64_t now = io_now_ms();

    buf_add_text(&x->bearer, "Bearer ");
    buf_add_view(&x->bearer, token);
    if (buf_check(&x->bearer, e) != 0)
        return -1;
    q.header[q.header_count++] = (struct http_header){ "Authorization", buf_text(&x->bearer) };
    q.body = buf_view(&x->body);
    q.timeout_ms = x->ends_at_ms > now ? (unsigned)(x->ends_at_ms - now) : 1;
    return (x->http = io_http(x->p->io, &q, on_http, x, e)) != NULL ? 0 : -1;
}

static void on_token(void *arg, const struct err *why, struct view token)
{
    struct question *x = arg;
    struct err e;

    x->token = NULL;
    io_cancel(x->deadline);
    x->deadline = NULL;
    if (why != NULL)
        end_failed(x, why);
    else if (send_with(x, token, &e) != 0)
        end_failed(x, &e);
}

static struct op *ask_with_token(struct plugin *p, const struct certferry_ask *ask,
    unsigned timeout_ms, io_fn *fn, void *arg, struct err *e)
{
    struct question *x = xcalloc(1, sizeof *x);

    x->p = p;
    x->body = (struct buf)BUF_SECRET(BODY_MAX);
    x->bearer = (struct buf)BUF_SECRET(BEARER_MAX);
    buf_add(&x->body, ask->body.p, ask->body.n);
    x->q.method = xstrdup(ask->method);
    x->q.url = xstrdup(ask->url);
    x->q.max_reply = ANSWER_MAX;
    for (; x->q.header_count < ask->header_count; x->q.header_count++)
        x->q.header[x->q.header_count] =
            (struct http_header){ xstrdup(ask->header[x->q.header_count].name),
                xstrdup(ask->header[x->q.header_count].value) };
    if (buf_check(&x->body, e) != 0) {
        question_free(x);
        return NULL;
    }
    x->token_url = xstrdup(ask->token_url);
    x->token_scope = xstrdup(ask->token_scope);
    x->ends_at_ms = io_now_ms() + timeout_ms;
    x->chain = io_chain(question_cancel, x, fn, arg);
    x->deadline = io_timer(timeout_ms, on_deadline, x);
    x->token = token_get(p->tokens, x->token_url, x->token_scope, on_token, x);
    return x->chain;
}

/* ---- plugin_ask ------------------------------------------------------------------------------------------- */

static struct op *ask_plain(struct plugin *p, const struct certferry_ask *ask, unsigned timeout_ms,
    io_fn *fn, void *arg, struct err *e)
{
    struct http_req q = { .method = ask->method,
        .url = ask->url,
        .header_count = ask->header_count,
        .body = view_of(ask->body.p, ask->body.n),
        .max_reply = ANSWER_MAX,
        .timeout_ms = timeout_ms };

    for (size_t i = 0; i < ask->header_count; i++)
        q.header[i] = (struct http_header){ ask->header[i].name, ask->header[i].value };
    return io_http(p->io, &q, fn, arg, e);
}

struct op *plugin_ask(
    struct plugin *p, const struct certferry_ask *ask, io_fn *fn, void *arg, struct err *e)
{
    unsigned most_ms = (unsigned)p->conf->timeout * 1000;
    unsigned timeout_ms =
        ask->timeout_ms == 0 || ask->timeout_ms > most_ms ? most_ms : ask->timeout_ms;

    if (plugin_ask_check(p, ask, e) != 0)
        return NULL;
    if (ask->program != 0)
        return plugin_program(p, view_of(ask->body.p, ask->body.n), timeout_ms, fn, arg, e);
    if (ask->token_url != NULL)
        return ask_with_token(p, ask, timeout_ms, fn, arg, e);
    return ask_plain(p, ask, timeout_ms, fn, arg, e);
}
