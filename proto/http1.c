/*
 * see http1.h
 *
 * A head is collected until http1_scan says that it is whole; then llhttp reads it in one go, with its
 * strict rules, so that everything it points at stands in `head`.  Of a body llhttp reads lengths and
 * chunks, but only as far as the last chunk's line: what may follow is CR LF and nothing else.
 */
#include "proto/http1_scan.h"
#include "certs/mem.h"
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <llhttp.h>

enum { HEAD_ROOM = 64, VERSION_LEN = 9 /* " HTTP/1.1" */ };

enum phase { IN_HEAD, IN_BODY, LAST_CR, LAST_LF, DONE, DEAD };

struct http1 {
    struct http1_limits lim;
    enum phase phase;
    int status; /* why it is DEAD */
    llhttp_t parser;
    struct http1_scan scan;
    struct buf head, body;
    struct buf kept; /* what came behind a request */
    size_t kept_at;  /* how much of it is used */
    size_t raw_len;  /* bytes of the body as it is transferred */

    /* what the head said */
    struct view target, name;
    struct buf authorization, forwarded_for, user_agent;
    bool host, coding, authorized, http10, keep_alive;
    bool expects; /* "100-continue", which has not been answered */
};

static int on_target(llhttp_t *p, const char *at, size_t len);
static int on_name(llhttp_t *p, const char *at, size_t len);
static int on_value(llhttp_t *p, const char *at, size_t len);
static int on_head(llhttp_t *p);
static int on_chunk(llhttp_t *p);
static int on_extension(llhttp_t *p, const char *at, size_t len);
static int on_body(llhttp_t *p, const char *at, size_t len);
static int on_end(llhttp_t *p);

static const llhttp_settings_t settings = {
    .on_url = on_target,
    .on_header_field = on_name,
    .on_header_value = on_value,
    .on_headers_complete = on_head,
    .on_chunk_header = on_chunk,
    .on_chunk_extension_name = on_extension,
    .on_body = on_body,
    .on_message_complete = on_end,
};

/* ---- life ---- */

static void start(struct http1 *h)
{
    buf_free(&h->head);
    buf_free(&h->body);
    buf_free(&h->authorization);
    buf_free(&h->forwarded_for);
    buf_free(&h->user_agent);
    h->scan = (struct http1_scan){ 0 };
    h->target = h->name = (struct view){ 0 };
    h->host = h->coding = h->authorized = h->http10 = h->keep_alive = h->expects = false;
    h->raw_len = 0;
    h->phase = IN_HEAD;
    llhttp_init(&h->parser, HTTP_REQUEST, &settings);
    h->parser.data = h;
}

struct http1 *http1_new(const struct http1_limits *lim)
{
    struct http1 *h = xcalloc(1, sizeof *h);
    size_t head_max = HTTP1_TARGET_MAX + HTTP1_HEADERS_MAX + HEAD_ROOM;

    h->lim = *lim;
    h->head = (struct buf)BUF_INIT(head_max);
    h->body = (struct buf)BUF_INIT(lim->body_max);
    h->kept = (struct buf)BUF_INIT(head_max + lim->body_max);
    h->authorization = (struct buf)BUF_SECRET(HTTP1_HEADERS_MAX);
    h->forwarded_for = (struct buf)BUF_INIT(HTTP1_HEADERS_MAX);
    h->user_agent = (struct buf)BUF_INIT(HTTP1_HEADERS_MAX);
    start(h);
    return h;
}

void http1_free(struct http1 *h)
{
    if (h == NULL)
        return;
    start(h);
    buf_free(&h->kept);
    free(h);
}

/* Returns what every callback of llhttp ends it with. */
static int refuse(struct http1 *h, int status)
{
    if (h->phase != DEAD)
        h->status = status;
    h->phase = DEAD;
    return -1;
}

/* ---- what llhttp says of a head ---- */

static int on_target(llhttp_t *p, const char *at, size_t len)
{
    struct http1 *h = p->data;

    h->target = view_of(at, len);
    return len > HTTP1_TARGET_MAX ? refuse(h, 414) : 0;
}

static int on_name(llhttp_t *p, const char *at, size_t len)
{
    struct http1 *h = p->data;

    h->name = view_of(at, len);
    return 0;
}

static bool is_text(struct view v, const char *text)
{
    return v.len == strlen(text) && strncasecmp((const char *)v.p, text, v.len) == 0;
}

static struct view trimmed(struct view v)
{
    while (v.len != 0 && (v.p[v.len - 1] == ' ' || v.p[v.len - 1] == '\t'))
        v.len--;
    return view_of(v.p, v.len);
}

/* A password lives on in a buf that is wiped, and nowhere else. */
static int take_authorization(struct http1 *h, struct view value)
{
    if (h->authorized)
        return refuse(h, 400);
    h->authorized = true;
    buf_add_view(&h->authorization, value);
    if (value.len != 0)
        mem_wipe(h->head.p + (value.p - h->head.p), value.len);
    return 0;
}

/* "chunked" and nothing else: whoever is in front of us may read a list in another way. */
static int take_coding(struct http1 *h, struct view value)
{
    bool again = h->coding;

    h->coding = true;
    if (again || value.len == 0)
        return refuse(h, 400);
    return is_text(value, "chunked") ? 0 : refuse(h, 501);
}

static int on_value(llhttp_t *p, const char *at, size_t len)
{
    struct http1 *h = p->data;
    struct view value = trimmed(view_of(at, len));

    if (is_text(h->name, "authorization"))
        return take_authorization(h, value);
    if (is_text(h->name, "transfer-encoding"))
        return take_coding(h, value);
    if (is_text(h->name, "host")) {
        if (h->host)
            return refuse(h, 400);
        h->host = true;
    } else if (is_text(h->name, "expect")) {
        h->expects = is_text(value, "100-continue");
    } else if (is_text(h->name, "x-forwarded-for")) {
        if (h->forwarded_for.len != 0 && value.len != 0)
            buf_add_text(&h->forwarded_for, ", ");
        buf_add_view(&h->forwarded_for, value);
    } else if (is_text(h->name, "user-agent") && h->user_agent.len == 0) {
        buf_add_view(&h->user_agent, value);
    }
    return 0;
}

/* How the request line ends.  llhttp knows other protocols, too.  returns 0 or the status to refuse with */
static int judge_version(struct http1 *h)
{
    struct view line = view_of(h->head.p + h->scan.line_at, h->scan.line_len);
    const char *version;

    if (line.len < VERSION_LEN)
        return 400;
    version = (const char *)line.p + line.len - VERSION_LEN;
    if (strncmp(version, " HTTP/", 6) != 0 || version[7] != '.')
        return 400;
    h->http10 = version[8] == '0';
    return version[6] == '1' && (version[8] == '0' || version[8] == '1') ? 0 : 505;
}

/* "METHOD target HTTP/1.x", with one blank each, whatever llhttp lets pass. */
static int judge_line(const struct http1 *h)
{
    size_t method = strlen(llhttp_method_name(h->parser.method));

    if (h->scan.line_len != method + 1 + h->target.len + VERSION_LEN)
        return 400;
    return h->parser.method == HTTP_CONNECT ? 501 : 0;
}

static int on_head(llhttp_t *p)
{
    struct http1 *h = p->data;
    int status = judge_line(h);

    if (status != 0)
        return refuse(h, status);
    if (h->coding && (h->http10 || (p->flags & F_CONTENT_LENGTH) != 0))
        return refuse(h, 400);
    if ((p->flags & F_CONTENT_LENGTH) != 0 && p->content_length > h->lim.body_max)
        return refuse(h, 413);
    h->keep_alive = llhttp_should_keep_alive(p) != 0;
    h->phase = IN_BODY;
    return 0;
}

/* ---- and of a body ---- */

static int on_chunk(llhttp_t *p)
{
    struct http1 *h = p->data;

    if (p->content_length > h->lim.body_max - h->body.len)
        return refuse(h, 413);
    if (p->content_length != 0)
        return 0;
    h->phase = LAST_CR;
    return HPE_PAUSED;
}

static int on_extension(llhttp_t *p, const char *at, size_t len)
{
    (void)at;
    (void)len;
    return refuse(p->data, 400);
}

static int on_body(llhttp_t *p, const char *at, size_t len)
{
    struct http1 *h = p->data;

    buf_add(&h->body, at, len);
    return 0;
}

static int on_end(llhttp_t *p)
{
    struct http1 *h = p->data;

    h->phase = DONE;
    return HPE_PAUSED;
}

/* Give llhttp some bytes; returns how many it took. */
static size_t parse(struct http1 *h, struct view in)
{
    const char *p = (const char *)in.p;
    llhttp_errno_t rc = llhttp_execute(&h->parser, p, in.len);

    switch (rc) {
    case HPE_OK:
        return in.len;
    case HPE_PAUSED:
    case HPE_PAUSED_UPGRADE: /* an offer that we do not take up */
        if (h->phase == DONE || h->phase == LAST_CR)
            return (size_t)(llhttp_get_error_pos(&h->parser) - p);
        break;
    case HPE_INVALID_METHOD:
        refuse(h, 501);
        break;
    default:
        break;
    }
    refuse(h, 400);
    return 0;
}

/* ---- the bytes ---- */

static size_t eat_head(struct http1 *h, struct view in)
{
    size_t used = 0;
    int rc = http1_scan(&h->scan, in, &used);

    if (rc > 1) {
        refuse(h, rc);
        return used;
    }
    buf_add(&h->head, in.p, used);
    if (rc == 1 && !h->head.bad) {
        if ((rc = judge_version(h)) != 0)
            refuse(h, rc);
        else if (parse(h, buf_view(&h->head)) != h->head.len || h->phase == IN_HEAD)
            refuse(h, 400); /* llhttp sees another end of it */
    }
    return used;
}

/* Chunks of one byte under lengths with a thousand zeros would be no end of work for no body. */
static size_t eat_body(struct http1 *h, struct view in)
{
    size_t most = 2 * h->lim.body_max + HTTP1_HEADERS_MAX - h->raw_len, used;

    if (most == 0) {
        refuse(h, 413);
        return 0;
    }
    used = parse(h, view_of(in.p, in.len < most ? in.len : most));
    h->raw_len += used;
    h->expects = false;
    return used;
}

static size_t eat(struct http1 *h, struct view in)
{
    switch (h->phase) {
    case IN_HEAD:
        return eat_head(h, in);
    case IN_BODY:
        return eat_body(h, in);
    case LAST_CR: /* trailers are not taken */
    case LAST_LF:
        if (in.p[0] != (h->phase == LAST_CR ? '\r' : '\n'))
            refuse(h, 400);
        else
            h->phase = h->phase == LAST_CR ? LAST_LF : DONE;
        return 1;
    default:
        return 0;
    }
}

static bool is_bad(const struct http1 *h)
{
    return h->head.bad || h->body.bad || h->kept.bad || h->authorization.bad || h->forwarded_for.bad
           || h->user_agent.bad;
}

/* What has been kept and what has come, as one. */
static struct view gather(struct http1 *h, struct view in)
{
    struct buf rest = BUF_INIT(h->kept.max);

    if (h->kept.len == 0)
        return in;
    if (in.len != 0 && h->kept_at != 0) {
        buf_add(&rest, h->kept.p + h->kept_at, h->kept.len - h->kept_at);
        buf_take(&h->kept, &rest);
        h->kept_at = 0;
    }
    buf_add_view(&h->kept, in);
    if (h->kept.bad)
        return (struct view){ 0 };
    return view_of(h->kept.p + h->kept_at, h->kept.len - h->kept_at);
}

static void keep(struct http1 *h, struct view in, size_t used)
{
    if (h->kept.len != 0)
        h->kept_at += used;
    else if (used < in.len)
        buf_add(&h->kept, in.p + used, in.len - used);
    if (h->kept_at == h->kept.len && !h->kept.bad) {
        buf_free(&h->kept);
        h->kept_at = 0;
    }
}

/* RFC 9112 3.2.2: of an absolute form its path counts. */
static void fill(struct http1 *h, struct http1_request *out)
{
    const char *target = (const char *)h->target.p, *end = target + h->target.len, *p, *query;
    size_t scheme = 0;

    while (scheme < h->target.len && strchr("/?:", target[scheme]) == NULL)
        scheme++;
    p = target;
    if (h->target.len - scheme > 3 && strncmp(target + scheme, "://", 3) == 0)
        for (p = target + scheme + 3; p < end && *p != '/' && *p != '?';)
            p++;
    query = memchr(p, '?', (size_t)(end - p));
    *out = (struct http1_request){ .method = llhttp_method_name(h->parser.method),
        .path = view_of(p, (size_t)((query != NULL ? query : end) - p)),
        .authorization = buf_text(&h->authorization),
        .forwarded_for = buf_text(&h->forwarded_for),
        .user_agent = buf_text(&h->user_agent),
        .body = buf_view(&h->body),
        .keep_alive = h->keep_alive,
        .http10 = h->http10 };
    if (query != NULL)
        out->query = view_of(query + 1, (size_t)(end - query - 1));
    if (out->path.len == 0)
        out->path = view_text("/");
}

enum http1_state http1_read(struct http1 *h, struct view in, struct http1_request *out, int *status)
{
    size_t used = 0;

    if (h->phase == DONE)
        start(h);
    in = gather(h, in);
    while (used < in.len && h->phase != DONE && h->phase != DEAD && !is_bad(h))
        used += eat(h, view_of(in.p + used, in.len - used));
    if (h->phase != DEAD)
        keep(h, in, used);
    if (is_bad(h))
        refuse(h, h->kept.bad && h->kept.why == ERR_TOO_LARGE ? 413 : 503);
    switch (h->phase) {
    case DEAD:
        *status = h->status;
        return HTTP1_BAD;
    case DONE:
        fill(h, out);
        return HTTP1_REQUEST;
    default:
        if (h->phase != IN_BODY || !h->expects || h->http10)
            return HTTP1_MORE;
        h->expects = false;
        return HTTP1_CONTINUE;
    }
}

bool http1_idle(const struct http1 *h)
{
    return h->kept.len == 0 && (h->phase == DONE || (h->phase == IN_HEAD && h->head.len == 0));
}
