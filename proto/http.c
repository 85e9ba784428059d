/* see http.h: what an answer means, headers and URLs */
#include "proto/http.h"
#include <stdio.h>
#include <string.h>
#include <strings.h>

enum { URL_MAX = 2048, HOST_SHOWN = 80 };

static bool letter_or_digit(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
}

/* ---- judging an answer ---- */

static const struct {
    int status;
    enum err_class cls;
    const char *text;
} statuses[] = {
    { 401, ERR_AUTH, "our credentials were refused" },
    { 403, ERR_FORBIDDEN, "not allowed" },
    { 404, ERR_GONE, "not found" },
    { 407, ERR_PROXY, "the proxy wants credentials" },
    { 408, ERR_NET, "the server gave up waiting for us" },
    { 409, ERR_CONFLICT, "conflict" },
    { 410, ERR_GONE, "gone" },
    { 413, ERR_TOO_LARGE, "what we sent is too large" },
    { 414, ERR_TOO_LARGE, "the URL is too long" },
    { 429, ERR_BUSY, "too many requests" },
    { 431, ERR_TOO_LARGE, "the headers are too large" },
    { 503, ERR_BUSY, "service unavailable" },
};

/* The host a Location names; a relative one has none. */
static struct view location_host(const char *location)
{
    size_t scheme = strcspn(location, "/?#");
    const char *host = location + scheme, *user_end;
    size_t len;

    if (strncmp(host, "//", 2) != 0 || (scheme != 0 && location[scheme - 1] != ':'))
        return (struct view){ 0 };
    host += 2;
    len = strcspn(host, "/?#");
    user_end = memchr(host, '@', len);
    if (user_end != NULL) {
        len -= (size_t)(user_end + 1 - host);
        host = user_end + 1;
    }
    return view_of(host, len);
}

static int redirected(const struct http_reply *r, struct err *e)
{
    struct view host = location_host(r->location != NULL ? r->location : "");
    int len = host.len < HOST_SHOWN ? (int)host.len : HOST_SHOWN;

    if (len == 0)
        return err_set(e, ERR_CONFIG,
            "HTTP %d: redirected within the server; redirects are never followed, correct the URL",
            r->status);
    return err_set(e, ERR_CONFIG,
        "HTTP %d: redirected to %.*s; redirects are never followed, correct the URL", r->status,
        len, (const char *)host.p);
}

static int refused(const struct http_reply *r, struct err *e)
{
    for (size_t i = 0; i < sizeof statuses / sizeof statuses[0]; i++) {
        if (statuses[i].status != r->status)
            continue;
        if (r->status == 401 && r->authenticate != NULL && r->authenticate[0] != '\0')
            return err_set(e, ERR_AUTH, "HTTP 401: %s (the server offers %.80s)", statuses[i].text,
                r->authenticate);
        return err_set(e, statuses[i].cls, "HTTP %d: %s", r->status, statuses[i].text);
    }
    if (r->status >= 300 && r->status < 400)
        return redirected(r, e);
    if (r->status >= 400 && r->status < 500)
        return err_set(e, ERR_INPUT, "HTTP %d: the server does not take the request", r->status);
    if (r->status >= 500 && r->status < 600)
        return err_set(e, ERR_NET, "HTTP %d: the server failed", r->status);
    return err_set(e, ERR_PROTO, "HTTP %d is no answer", r->status);
}

static bool one_of(const char *content_type, const char *const *types)
{
    for (; *types != NULL; types++)
        if (http_type_is(content_type, *types))
            return true;
    return false;
}

int http_judge(const struct http_reply *r, const char *const *types, struct err *e)
{
    const char *type = r->content_type != NULL ? r->content_type : "";

    if (r->status < 200 || r->status > 299) {
        (void)refused(r, e);
        e->number = (uint32_t)r->status;
        return -1;
    }
    if (types == NULL || r->body.len == 0 || one_of(type, types))
        return 0;
    err_set(e, ERR_INTERCEPTED,
        "HTTP %d with a body of type \"%.60s\", not \"%s\": a portal or proxy may have answered",
        r->status, type, types[0] != NULL ? types[0] : "");
    e->number = (uint32_t)r->status;
    return -1;
}

bool http_type_is(const char *content_type, const char *type)
{
    size_t len = strlen(type);

    while (*content_type == ' ' || *content_type == '\t')
        content_type++;
    if (strncasecmp(content_type, type, len) != 0)
        return false;
    content_type += len;
    while (*content_type == ' ' || *content_type == '\t')
        content_type++;
    return *content_type == '\0' || *content_type == ';';
}

bool http_header_ok(const char *value)
{
    if (value == NULL)
        return false;
    for (; *value != '\0'; value++)
        if (((uint8_t)*value < 0x20 && *value != '\t') || *value == 0x7f)
            return false;
    return true;
}

/* ---- forms and URLs ---- */

void http_add_encoded(struct buf *out, struct view v)
{
    for (size_t i = 0; i < v.len; i++) {
        char c = (char)v.p[i];

        if (letter_or_digit(c) || c == '-' || c == '.' || c == '_' || c == '~')
            buf_add_byte(out, v.p[i]);
        else
            buf_printf(out, "%%%02X", v.p[i]);
    }
}

void http_add_form(struct buf *out, const char *name, struct view value)
{
    if (out->len != 0)
        buf_add_byte(out, '&');
    http_add_encoded(out, view_text(name));
    buf_add_byte(out, '=');
    http_add_encoded(out, value);
}

/* [RFC 4291 text], loosely: the resolver has the last word. */
static size_t bracketed(const char *host)
{
    size_t len = 1 + strspn(host + 1, "0123456789abcdefABCDEF:.");

    return len > 3 && host[len] == ']' ? len + 1 : 0;
}

static size_t host_len(const char *host)
{
    size_t len = 0;

    if (host[0] == '[')
        return bracketed(host);
    while (letter_or_digit(host[len]) || host[len] == '-' || host[len] == '.' || host[len] == '_')
        len++;
    return len;
}

static bool is_quad(const char *host, size_t len)
{
    size_t at = 0;

    for (int part = 0; part < 4; part++) {
        size_t digits = 0;
        unsigned n = 0;

        while (
            at + digits < len && digits < 4 && host[at + digits] >= '0' && host[at + digits] <= '9')
            n = n * 10 + (unsigned)(host[at + digits++] - '0');
        if (digits == 0 || n > 255 || (digits > 1 && host[at] == '0'))
            return false;
        at += digits;
        if (part < 3 && (at == len || host[at++] != '.'))
            return false;
    }
    return at == len;
}

/* 2130706433, 0x7f.1, 010.0.0.1, 127.0.0.1.: an address to one library, a name or another address to the next, and whoever
 * decides on the way there would decide about another host than is asked. */
static bool is_odd_address(const char *host, size_t len)
{
    size_t end = len > 0 && host[len - 1] == '.' ? len - 1 : len, at = end, digits;

    while (at > 0 && host[at - 1] != '.')
        at--;
    if (end - at > 2 && host[at] == '0' && (host[at + 1] == 'x' || host[at + 1] == 'X'))
        digits = 2 + strspn(host + at + 2, "0123456789abcdefABCDEF");
    else
        digits = strspn(host + at, "0123456789");
    return host[0] != '[' && end > at && digits >= end - at && !is_quad(host, len);
}

/* ":1" to ":65535", or nothing. */
static bool port_ok(const char *p, size_t len)
{
    unsigned port = 0;

    if (len == 0)
        return true;
    if (p[0] != ':' || len < 2 || len > 6)
        return false;
    for (size_t i = 1; i < len; i++) {
        if (p[i] < '0' || p[i] > '9')
            return false;
        port = port * 10 + (unsigned)(p[i] - '0');
    }
    return port >= 1 && port <= 65535;
}

int http_url_check(const char *url, bool plain, size_t max, struct err *e)
{
    bool http = plain && url != NULL && strncasecmp(url, "http://", 7) == 0;
    const char *host;
    size_t authority, len;

    if (url == NULL || (!http && strncasecmp(url, "https://", 8) != 0))
        return err_set(
            e, ERR_INPUT, "URL: it must begin with https://%s", plain ? " or http://" : "");
    if (strlen(url) > max)
        return err_set(e, ERR_INPUT, "URL: longer than %zu characters", max);
    for (const char *p = url; *p != '\0'; p++)
        if (*p <= 0x20 || *p >= 0x7f || strchr("\"<>\\^`{|}", *p) != NULL)
            return err_set(e, ERR_INPUT, "URL: character %zu (0x%02x) is not allowed",
                (size_t)(p - url) + 1, (uint8_t)*p);
    if (strchr(url, '#') != NULL)
        return err_set(e, ERR_INPUT, "URL: a fragment (#) is not allowed");
    host = url + (http ? 7 : 8);
    authority = strcspn(host, "/?");
    if (memchr(host, '@', authority) != NULL)
        return err_set(e, ERR_INPUT, "URL: a user name or password in it is not allowed");
    len = host_len(host);
    if (len == 0)
        return err_set(e, ERR_INPUT, "URL: it names no host");
    /* user:pass/word@host: what is no port may be the beginning of a password, which is not repeated. */
    if ((len > authority || !port_ok(host + len, authority - len)) && strchr(host, '@') != NULL)
        return err_set(e, ERR_INPUT, "URL: a user name or password in it is not allowed");
    if (len > authority || !port_ok(host + len, authority - len))
        return err_set(e, ERR_INPUT, "URL: \"%.*s\" is not host or host:port",
            authority < HOST_SHOWN ? (int)authority : HOST_SHOWN, host);
    if (is_odd_address(host, len))
        return err_set(e, ERR_INPUT,
            "URL: \"%.*s\" is no name; an IPv4 address is four numbers, as 192.0.2.1",
            len < HOST_SHOWN ? (int)len : HOST_SHOWN, host);
    return 0;
}

int http_url_ok(const char *url, struct err *e)
{
    return http_url_check(url, false, URL_MAX, e);
}

void http_url_join(struct buf *out, const char *base, const char *path)
{
    size_t len = strlen(base);

    while (len > 0 && base[len - 1] == '/')
        len--;
    while (*path == '/')
        path++;
    buf_add(out, base, len);
    buf_add_byte(out, '/');
    buf_add_text(out, path);
}
