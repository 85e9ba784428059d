/* see scep_client.h */
#include <stdlib.h>
#include <string.h>
#include "agent/probe/scep_client.h"
#include "certs/mem.h"
#include "certs/text.h"

enum { URL_MOST = 128 << 10, ANSWER_MOST = 256 << 10, TIMEOUT_MS = 30000, CONNECTIONS = 2 };

struct scep_client {
    struct io_peer *io;
    char *url;
    unsigned timeout_ms;
};

struct scep_client *scep_client_new(const struct scep_client_conf *conf, struct err *e)
{
    const struct io_peer_conf pc = { .name = "scep",
        .trust_file = conf->trust,
        .connections_max = CONNECTIONS,
        .http1 = true, /* as devices speak it */
        .plain_http = true,
        .local = true,
        .url_max = URL_MOST,
        .address = conf->address };
    struct scep_client *c;

    if (http_url_check(conf->url, true, URL_MOST / 4, e) != 0)
        return NULL;
    if (strchr(conf->url, '?') != NULL) {
        (void)err_set(e, ERR_INPUT, "URL: it must end before the '?', the rest is added");
        return NULL;
    }
    c = xcalloc(1, sizeof *c);
    c->url = xstrdup(conf->url);
    c->timeout_ms = conf->timeout_ms != 0 ? conf->timeout_ms : TIMEOUT_MS;
    if ((c->io = io_peer_new(&pc, e)) != NULL)
        return c;
    scep_client_free(c);
    return NULL;
}

void scep_client_free(struct scep_client *c)
{
    if (c == NULL)
        return;
    io_peer_free(c->io);
    free(c->url);
    free(c);
}

static struct op *ask(struct scep_client *c, const char *method, struct buf *url, struct view body,
    io_fn *fn, void *arg, struct err *e)
{
    struct http_req q = { .method = method,
        .url = buf_text(url),
        .body = body,
        .max_reply = ANSWER_MOST,
        .timeout_ms = c->timeout_ms };

    if (buf_check(url, e) != 0)
        return NULL;
    if (body.len != 0) {
        q.header[0] = (struct http_header){ "Content-Type", "application/x-pki-message" };
        q.header_count = 1;
    }
    return io_http(c->io, &q, fn, arg, e);
}

struct op *scep_client_get(struct scep_client *c, const char *operation, struct view message,
    io_fn *fn, void *arg, struct err *e)
{
    struct buf url = BUF_INIT(URL_MOST), text = BUF_INIT(URL_MOST), query = BUF_INIT(URL_MOST);
    struct op *op = NULL;

    buf_add_text(&url, c->url);
    if (operation != NULL)
        buf_printf(&url, "?operation=%s", operation);
    if (message.len != 0) {
        base64_add(&text, message);
        buf_add_byte(&url, '&');
        http_add_form(&query, "message", buf_view(&text));
        buf_add_view(&url, buf_view(&query));
    }
    if (buf_check(&text, e) == 0 && buf_check(&query, e) == 0)
        op = ask(c, "GET", &url, view_of(NULL, 0), fn, arg, e);
    buf_free(&url);
    buf_free(&text);
    buf_free(&query);
    return op;
}

struct op *scep_client_long(struct scep_client *c, size_t len, io_fn *fn, void *arg, struct err *e)
{
    struct buf url = BUF_INIT(URL_MOST);
    struct op *op;

    buf_printf(&url, "%s?operation=GetCACaps&message=", c->url);
    while (url.len < len && !url.bad)
        buf_add_byte(&url, 'A');
    op = ask(c, "GET", &url, view_of(NULL, 0), fn, arg, e);
    buf_free(&url);
    return op;
}

struct op *scep_client_post(
    struct scep_client *c, struct view message, io_fn *fn, void *arg, struct err *e)
{
    struct buf url = BUF_INIT(URL_MOST);
    struct op *op;

    buf_printf(&url, "%s?operation=PKIOperation", c->url);
    op = ask(c, "POST", &url, message, fn, arg, e);
    buf_free(&url);
    return op;
}
