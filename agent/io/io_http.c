/* see io.h.  One transfer: its options, its limits, and which class of error its end is. */
#include <arpa/inet.h>
#include <stdlib.h>
#include <string.h>
#include "agent/base/io_address.h"
#include "agent/base/metrics.h"
#include "agent/io/io_curl.h"
#include "agent/io/io_peer.h"
#include "agent/io/io_scrub.h"
#include "agent/io/io_uv.h"
#include "certs/mem.h"

/* No low-speed limit: curl would wake up every second to measure, and the whole transfer has a limit. */
enum { CONNECT_TIMEOUT_MS = 15000, CONNECTION_LIFE_S = 3600 };

struct transfer {
    struct op op;
    struct io_peer *peer;
    CURL *easy;
    struct curl_slist *headers;
    struct buf body, reply;
    size_t body_at; /* how much of it curl has taken */
    bool answered;  /* the status of the answer to it has come */
    bool head_ended;
    uint64_t began_us;
    bool begun; /* the way stood, and the request was about to be sent */
    struct proxy_way way;
    char *host; /* of the URL, for the check of addresses */
    unsigned port;
    char error[CURL_ERROR_SIZE];
    char vetoed[IO_ADDRESS_TEXT];
};

static CURLM *multi;
static size_t under_way;
static long
    connections; /* at most, over all peers; each keeps to its own number of requests in flight */

static void transfer_free(struct transfer *t)
{
    if (t->easy != NULL) {
        (void)curl_multi_remove_handle(multi, t->easy);
        io_peer_put(t->peer, t->easy);
        if (--under_way == 0)
            io_curl_busy(false);
    }
    curl_slist_free_all(t->headers);
    buf_free(&t->body);
    buf_free(&t->reply);
    free(t->host);
    free(t);
}

static void transfer_cancel(struct op *op)
{
    transfer_free((struct transfer *)op);
}

static size_t on_send(char *p, size_t one, size_t n, void *arg)
{
    struct transfer *t = arg;
    size_t left = t->body.len - t->body_at, len = left < one * n ? left : one * n;

    if (t->body_at == 0)
        t->answered = false;
    if (len > 0)
        memcpy(p, t->body.p + t->body_at, len);
    t->body_at += len;
    return len;
}

/*
 * curl wants to send the body again.  It may when the server has asked for credentials.  It may not when
 * a connection that was in use before ended without an answer: the server may have acted on the body, and
 * whether a CA gets the same CSR twice is not for an HTTP client to decide.
 */
static int on_rewind(void *arg, curl_off_t offset, int origin)
{
    struct transfer *t = arg;

    if (offset != 0 || origin != SEEK_SET || (t->body_at > 0 && !t->answered))
        return CURL_SEEKFUNC_FAIL;
    t->body_at = 0;
    return CURL_SEEKFUNC_OK;
}

static size_t on_head(char *p, size_t one, size_t n, void *arg)
{
    struct transfer *t = arg;
    size_t len = one * n;
    const char *status = len > 5 && memcmp(p, "HTTP/", 5) == 0 ? memchr(p, ' ', len - 1) : NULL;

    if (!t->begun)
        return len;                         /* the proxy's answer to CONNECT */
    if (status != NULL && status[1] != '1') /* 1xx is not the answer yet */
        t->answered = true;
    t->head_ended = p[0] == '\r' || p[0] == '\n';
    return len;
}

static size_t on_body(char *p, size_t one, size_t n, void *arg)
{
    struct transfer *t = arg;

    buf_add(&t->reply, p, one * n);
    return t->reply.bad ? CURL_WRITEFUNC_ERROR : one * n;
}

static bool is_literal(const char *host)
{
    unsigned char a[16];

    return host[0] == '[' || inet_pton(AF_INET, host, a) == 1 || inet_pton(AF_INET6, host, a) == 1
           || strcmp(host, "localhost") == 0;
}

/* A name that resolves to this machine or to a metadata service is an attack on us, not a peer.  A proxy's address is
 * its administrator's: this machine is as good as any; what the proxy makes of the name is not seen from here. */
static curl_socket_t on_open_socket(void *arg, curlsocktype purpose, struct curl_sockaddr *a)
{
    struct transfer *t = arg;
    struct io_address to;

    (void)purpose;
    if (t->way.url[0] == '\0' && !io_peer_limits(t->peer)->local && !is_literal(t->host)
        && io_address_of(&to, &a->addr) && io_address_is_local(&to)) {
        io_address_text(&to, t->vetoed);
        return CURL_SOCKET_BAD;
    }
    return socket(a->family, a->socktype | SOCK_CLOEXEC, a->protocol);
}

static int on_begin(void *arg, char *to, char *from, int to_port, int from_port)
{
    struct transfer *t = arg;

    (void)to;
    (void)from;
    (void)to_port;
    (void)from_port;
    t->begun = true;
    return CURL_PREREQFUNC_OK;
}

/* Whoever inspects TLS on the way shows a certificate of its own: its issuer says who that is. */
static int not_trusted(const struct transfer *t, const char *why, struct err *e)
{
    const char *name = io_peer_name(t->peer);
    char issuer[IO_ISSUER_TEXT];

    io_peer_issuer(t->peer, issuer);
    if (issuer[0] == '\0')
        return err_set(e, ERR_TRUST, "%s: %s", name, why);
    return err_set(
        e, ERR_TRUST, "%s: %.90s; issuer of the certificate seen: %s", name, why, issuer);
}

/* Before the request was sent: the way's fault? */
static bool is_the_way(const struct transfer *t, CURLcode rc, const char *why, struct err *e)
{
    char destination[300], issuer[IO_ISSUER_TEXT];

    (void)snprintf(destination, sizeof destination, "%s:%u", t->host, t->port);
    if (t->begun || !io_way_failed(io_peer_way(t->peer), &t->way, t->easy, rc, destination, why, e))
        return false;
    io_peer_issuer(t->peer, issuer); /* it was the proxy's */
    (void)err_wrap(e, "%s", io_peer_name(t->peer));
    return true;
}

static int class_of(const struct transfer *t, CURLcode rc, struct err *e)
{
    const char *name = io_peer_name(t->peer);
    const char *why = t->error[0] != '\0' ? t->error : curl_easy_strerror(rc);
    bool no_answer = rc == CURLE_OK || rc == CURLE_SEND_FAIL_REWIND; /* see on_rewind */
    enum err_class cls = ERR_NET;

    if (t->reply.bad || rc == CURLE_FILESIZE_EXCEEDED)
        return err_set(e, t->reply.bad ? t->reply.why : ERR_TOO_LARGE,
            "%s: the answer is larger than %zu bytes", name, t->reply.max);
    if (is_the_way(t, rc, why, e))
        return -1;
    if (no_answer)
        return err_set(e, ERR_NET, "%s: the connection ended before the answer was whole", name);
    if (t->vetoed[0] != '\0')
        return err_set(e, ERR_CONFIG, "%s: %s resolves to %s, which no peer can have", name,
            t->host, t->vetoed);
    switch (rc) {
    case CURLE_PEER_FAILED_VERIFICATION:
    case CURLE_SSL_ISSUER_ERROR:
    case CURLE_SSL_INVALIDCERTSTATUS:
        return not_trusted(t, why, e);
    case CURLE_SSL_CERTPROBLEM:
    case CURLE_SSL_CACERT_BADFILE:
    case CURLE_URL_MALFORMAT:
        cls = ERR_CONFIG;
        break;
    case CURLE_OUT_OF_MEMORY:
        cls = ERR_NOMEM;
        break;
    default:
        break;
    }
    return err_set(e, cls, "%s: %s", name, why);
}

/* status 0: there was no answer */
static void count(const struct transfer *t, int status, int64_t date)
{
    static const char *const classes[] = { "none", "1xx", "2xx", "3xx", "4xx", "5xx" };
    const char *name = io_peer_name(t->peer);

    metric_time(METRIC_HTTP, metric_now_us() - t->began_us, name,
        classes[status >= 100 && status < 600 ? status / 100 : 0]);
    if (date != 0)
        metric_set(METRIC_CLOCK, date - io_wall_s(), name);
}

/* An answer may repeat our credential, and what it says is shown to people. */
static void scrub(struct transfer *t, long status)
{
    size_t least = status >= 400 ? IO_SCRUB_REFUSAL : IO_SCRUB_ANSWER;

    io_scrub_credential(&t->reply, io_peer_secret(t->peer), least);
    for (const struct curl_slist *h = t->headers; h != NULL; h = h->next)
        io_scrub_header(&t->reply, h->data, least);
    if (status >= 400)
        io_scrub_form(&t->reply, buf_view(&t->body));
}

static void on_transfer_done(CURL *easy, CURLcode rc)
{
    struct transfer *t;
    struct err e = { 0 };
    struct http_reply h = { 0 };
    struct result r = { .sent = true };
    char schemes[120];
    long status = 0, sent = 0;

    (void)curl_easy_getinfo(easy, CURLINFO_PRIVATE, (char **)&t);
    (void)curl_easy_getinfo(easy, CURLINFO_REQUEST_SIZE, &sent);
    r.sent = t->begun && sent > 0; /* to a proxy, CONNECT was */
    if (rc == CURLE_OK && t->head_ended) {
        (void)curl_easy_getinfo(easy, CURLINFO_RESPONSE_CODE, &status);
        io_schemes(easy, "WWW-Authenticate", CURLH_HEADER, schemes, sizeof schemes);
        scrub(t, status);
        h.status = (int)status;
        h.body = buf_view(&t->reply);
        h.content_type = io_curl_header(easy, "Content-Type");
        h.location = io_curl_header(easy, "Location");
        h.authenticate = schemes;
        h.date = http_date(io_curl_header(easy, "Date"));
        h.retry_after_s =
            http_retry_after(io_curl_header(easy, "Retry-After"), h.date, io_wall_s());
        r.http = &h;
    } else {
        (void)class_of(t, rc, &e);
        r.err = &e;
    }
    count(t, h.status, h.date);
    t->op.fn(t->op.arg, &r);
    transfer_free(t);
}

static int add_headers(struct transfer *t, const struct http_req *q, struct err *e)
{
    struct buf line = BUF_INIT(8192);
    int rc = -1;

    t->headers = curl_slist_append(NULL, "Expect:");
    for (size_t i = 0; i < q->header_count; i++) {
        struct curl_slist *more;

        if (!http_header_ok(q->header[i].value)) {
            err_set(e, ERR_INPUT, "header %s: a control character in its value", q->header[i].name);
            goto done;
        }
        buf_reset(&line);
        buf_printf(&line, "%s: %s", q->header[i].name, q->header[i].value);
        if (buf_check(&line, e) != 0)
            goto done;
        if ((more = curl_slist_append(t->headers, buf_text(&line))) == NULL) {
            err_set(e, ERR_NOMEM, "a request header");
            goto done;
        }
        t->headers = more;
    }
    rc = 0;
done:
    buf_free(&line);
    return rc;
}

static int take_place(struct transfer *t, const char *url)
{
    CURLU *u = curl_url();
    char *host = NULL, *port = NULL;

    if (u != NULL && curl_url_set(u, CURLUPART_URL, url, 0) == CURLUE_OK
        && curl_url_get(u, CURLUPART_HOST, &host, 0) == CURLUE_OK
        && curl_url_get(u, CURLUPART_PORT, &port, CURLU_DEFAULT_PORT) == CURLUE_OK) {
        t->host = xstrdup(host);
        t->port = (unsigned)strtoul(port, NULL, 10);
    }
    curl_free(host);
    curl_free(port);
    curl_url_cleanup(u);
    return t->host != NULL ? 0 : -1;
}

/* As the rule wants the host: without the brackets of an IPv6 address. */
static int find_way(struct transfer *t, struct err *e)
{
    const struct io_way *w = io_peer_way(t->peer);
    size_t len = strlen(t->host);
    char host[300];

    if (w->conf == NULL)
        return 0;
    if (t->host[0] == '[')
        (void)snprintf(host, sizeof host, "%.*s", (int)(len - 2), t->host + 1);
    else
        (void)snprintf(host, sizeof host, "%s", t->host);
    return proxy_way(w->conf, w->own, host, t->port, &t->way, e) == 0
               ? 0
               : err_wrap(e, "%s", io_peer_name(t->peer));
}

static unsigned set_options(struct transfer *t, const struct http_req *q)
{
    CURL *c = t->easy;
    unsigned bad = 0;

    bad |= curl_easy_setopt(c, CURLOPT_PRIVATE, t);
    bad |= curl_easy_setopt(c, CURLOPT_ERRORBUFFER, t->error);
    bad |= curl_easy_setopt(c, CURLOPT_URL, q->url);
    bad |= curl_easy_setopt(c, CURLOPT_CUSTOMREQUEST, q->method);
    bad |= curl_easy_setopt(c, CURLOPT_HTTPHEADER, t->headers);
    if (strcmp(q->method, "POST") == 0) {
        bad |= curl_easy_setopt(c, CURLOPT_POST, 1L);
        bad |= curl_easy_setopt(c, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)q->body.len);
        bad |= curl_easy_setopt(c, CURLOPT_READFUNCTION, on_send);
        bad |= curl_easy_setopt(c, CURLOPT_READDATA, t);
        bad |= curl_easy_setopt(c, CURLOPT_SEEKFUNCTION, on_rewind);
        bad |= curl_easy_setopt(c, CURLOPT_SEEKDATA, t);
    }
    bad |= curl_easy_setopt(c, CURLOPT_HEADERFUNCTION, on_head);
    bad |= curl_easy_setopt(c, CURLOPT_HEADERDATA, t);
    bad |= curl_easy_setopt(c, CURLOPT_WRITEFUNCTION, on_body);
    bad |= curl_easy_setopt(c, CURLOPT_WRITEDATA, t);
    bad |= curl_easy_setopt(c, CURLOPT_MAXFILESIZE_LARGE, (curl_off_t)q->max_reply);
    bad |= curl_easy_setopt(c, CURLOPT_TIMEOUT_MS, (long)q->timeout_ms);
    bad |= curl_easy_setopt(c, CURLOPT_CONNECTTIMEOUT_MS, (long)CONNECT_TIMEOUT_MS);
    bad |= curl_easy_setopt(c, CURLOPT_MAXLIFETIME_CONN, (long)CONNECTION_LIFE_S);
    bad |= curl_easy_setopt(c, CURLOPT_OPENSOCKETFUNCTION, on_open_socket);
    bad |= curl_easy_setopt(c, CURLOPT_OPENSOCKETDATA, t);
    bad |= curl_easy_setopt(
        c, CURLOPT_PROTOCOLS_STR, io_peer_limits(t->peer)->plain_http ? "https,http" : "https");
    bad |= curl_easy_setopt(c, CURLOPT_FOLLOWLOCATION, 0L);
    bad |= curl_easy_setopt(c, CURLOPT_NETRC, (long)CURL_NETRC_IGNORED);
    bad |= curl_easy_setopt(c, CURLOPT_PREREQFUNCTION, on_begin);
    bad |= curl_easy_setopt(c, CURLOPT_PREREQDATA, t);
    bad |= io_way_set(io_peer_way(t->peer), &t->way, c);
    bad |= curl_easy_setopt(c, CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2);
    bad |= curl_easy_setopt(c, CURLOPT_NOSIGNAL, 1L);
    return bad;
}

struct op *io_http(struct io_peer *p, const struct http_req *q, io_fn *fn, void *arg, struct err *e)
{
    const struct io_peer_limits *most = io_peer_limits(p);
    struct transfer *t = xcalloc(1, sizeof *t);

    t->op = (struct op){ .fn = fn, .arg = arg, .cancel = transfer_cancel };
    t->peer = p;
    t->began_us = metric_now_us();
    t->reply = (struct buf)BUF_INIT(q->max_reply);
    t->body = (struct buf)BUF_INIT(q->body.len);
    buf_add_view(&t->body, q->body);
    if (buf_check(&t->body, e) != 0
        || http_url_check(q->url, most->plain_http, most->url_max, e) != 0
        || add_headers(t, q, e) != 0)
        goto failed;
    if (take_place(t, q->url) != 0) {
        err_set(e, ERR_CONFIG, "%s: not a usable URL: %s", io_peer_name(p), q->url);
        goto failed;
    }
    if (find_way(t, e) != 0 || (t->easy = io_peer_get(p, e)) == NULL)
        goto failed;
    if (set_options(t, q) != 0) {
        io_peer_put(p, t->easy);
        t->easy = NULL;
        err_set(e, ERR_NOMEM, "%s: the HTTP client refused an option", io_peer_name(p));
        goto failed;
    }
    if (under_way++ == 0)
        io_curl_busy(true);
    if (curl_multi_add_handle(multi, t->easy) != CURLM_OK) {
        err_set(e, ERR_NOMEM, "%s: the HTTP client refused the request", io_peer_name(p));
        goto failed;
    }
    return &t->op;
failed:
    transfer_free(t);
    return NULL;
}

void io_http_allow(long more)
{
    connections += more;
    if (multi == NULL)
        return; /* check: nothing will be sent */
    (void)curl_multi_setopt(multi, CURLMOPT_MAX_TOTAL_CONNECTIONS, connections);
    (void)curl_multi_setopt(multi, CURLMOPT_MAXCONNECTS, connections);
}

int io_http_open(struct err *e)
{
    if ((multi = io_curl_open(on_transfer_done, e)) == NULL)
        return -1;
    connections = 0;
    under_way = 0;
    return 0;
}

void io_http_close(void)
{
    io_curl_close();
    curl_global_cleanup();
    multi = NULL;
}

const char *io_versions(void)
{
    static char text[80];

    (void)snprintf(text, sizeof text, "libcurl %s, libuv %s",
        curl_version_info(CURLVERSION_NOW)->version, uv_version_string());
    return text;
}
