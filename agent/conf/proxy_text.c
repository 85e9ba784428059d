/* see proxy.h.  How a proxy and an exception are written: what is accepted, what is assumed, what is refused. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include "agent/base/io_address.h"
#include "agent/conf/proxy.h"

enum { NAME_MOST = 253, PORT_DIGITS = 5 };

/* A port, all of text[0..len).  0: it is none */
static unsigned port_of(const char *text, size_t len)
{
    char digits[PORT_DIGITS + 1];
    unsigned long port;

    if (len == 0 || len > PORT_DIGITS || strspn(text, "0123456789") < len)
        return 0;
    memcpy(digits, text, len);
    digits[len] = '\0';
    port = strtoul(digits, NULL, 10);
    return port <= 65535 ? (unsigned)port : 0;
}

/* Letters, digits, '-', '_' and dots that are not side by side. */
static bool is_name(const char *text, size_t len)
{
    static const char allowed[] =
        "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_.";

    if (len == 0 || len > NAME_MOST || text[0] == '.' || text[0] == '-'
        || strspn(text, allowed) < len)
        return false;
    for (size_t i = 1; i < len; i++)
        if (text[i] == '.' && text[i - 1] == '.')
            return false;
    return true;
}

/* ---- a proxy --------------------------------------------------------------------------------------------------- */

static const struct scheme {
    const char *word, *meant;
    unsigned port; /* where none is given */
} schemes[] = {
    { "http", "http", 80 }, { "https", "https", 443 }, { "socks5", "socks5", 1080 },
    { "socks5h", "socks5", 1080 }, /* curl's name for: the proxy resolves names */
};

struct spelled {
    const struct scheme *scheme;
    bool scheme_given, port_given, six;
    char host[NAME_MOST + 1];
    unsigned port;
};

static int read_scheme(const char **at, struct spelled *s, struct err *e)
{
    const char *end = strstr(*at, "://");

    s->scheme = &schemes[0];
    if (end == NULL)
        return 0;
    for (size_t i = 0; i < sizeof schemes / sizeof schemes[0]; i++)
        if (strlen(schemes[i].word) == (size_t)(end - *at)
            && strncasecmp(schemes[i].word, *at, (size_t)(end - *at)) == 0) {
            s->scheme = &schemes[i];
            s->scheme_given = true;
            *at = end + 3;
            return 0;
        }
    return err_set(
        e, ERR_CONFIG, "\"%.20s\": a proxy begins with http://, https:// or socks5://", *at);
}

static int read_host(const char **at, struct spelled *s, struct err *e)
{
    const char *begin = *at;
    size_t len;

    if (begin[0] == '[') {
        struct io_address a;
        const char *end = strchr(begin, ']');

        if (end == NULL || !io_address_parse(&a, view_of(begin, (size_t)(end + 1 - begin)))
            || memchr(begin, ':', (size_t)(end - begin)) == NULL)
            return err_set(e, ERR_CONFIG, "no IPv6 address stands in the brackets");
        io_address_text(&a, s->host);
        s->six = strchr(s->host, ':') != NULL;
        *at = end + 1;
        return 0;
    }
    len = strcspn(begin, ":/?#");
    if (begin[len] == ':' && strchr(begin + len + 1, ':') != NULL)
        return err_set(e, ERR_CONFIG,
            "more than one \":\"; a proxy is one host:port, an IPv6 address stands in brackets");
    if (!is_name(begin, len))
        return err_set(e, ERR_CONFIG, "no host name; a proxy is http://host:port");
    for (size_t i = 0; i < len; i++)
        s->host[i] = (char)(begin[i] >= 'A' && begin[i] <= 'Z' ? begin[i] + 32 : begin[i]);
    *at = begin + len;
    return 0;
}

/* What may have been meant is a password, so what stands where the port should is not repeated. */
static int read_port(const char **at, struct spelled *s, struct err *e)
{
    size_t len;

    s->port = s->scheme->port;
    if (**at != ':') {
        if (!s->scheme_given && **at == '\0')
            return err_set(e, ERR_CONFIG, "\"%.80s\": which port? as %.80s:3128", s->host, s->host);
        return 0;
    }
    len = strcspn(*at + 1, "/?#");
    s->port_given = true;
    if ((s->port = port_of(*at + 1, len)) == 0)
        return err_set(
            e, ERR_CONFIG, "what follows \"%.80s:\" is no port; it is 1 to 65535", s->host);
    *at += 1 + len;
    return 0;
}

static int read_end(const char *at, struct err *e)
{
    size_t len = strlen(at);

    if (len == 0 || strcmp(at, "/") == 0)
        return 0;
    if (len > 4 && (strcasecmp(at + len - 4, ".pac") == 0 || strcasecmp(at + len - 4, ".dat") == 0))
        return err_set(e, ERR_CONFIG,
            "a script (PAC) is not run; name the proxy that it chooses, as http://host:port");
    return err_set(e, ERR_CONFIG, "something stands behind host and port; a proxy has no path");
}

static void say_assumed(const struct spelled *s, const char *url, char *note, size_t size)
{
    note[0] = '\0';
    if (!s->scheme_given)
        (void)snprintf(note, size, "read as %s", url);
    else if (!s->port_given)
        (void)snprintf(note, size, "port %u is assumed", s->port);
}

int proxy_normalize(
    const char *text, char *out, size_t size, char *note, size_t note_size, struct err *e)
{
    struct spelled s = { 0 };
    const char *at = text;

    note[0] = '\0';
    if (strcasecmp(text, "none") == 0 || strcasecmp(text, "auto") == 0) {
        (void)snprintf(out, size, "%s", strcasecmp(text, "none") == 0 ? "none" : "auto");
        return 0;
    }
    if (strchr(text, '@') != NULL)
        return err_set(e, ERR_CONFIG,
            "a user or password is in it; those belong in proxy.credential, or --credentials-file");
    if (strchr(text, '=') != NULL || strchr(text, ';') != NULL)
        return err_set(e, ERR_CONFIG, "a list; name one proxy, as http://host:port");
    if (read_scheme(&at, &s, e) != 0 || read_host(&at, &s, e) != 0 || read_port(&at, &s, e) != 0
        || read_end(at, e) != 0)
        return -1;
    if ((size_t)snprintf(out, size, "%s://%s%s%s:%u", s.scheme->meant, s.six ? "[" : "", s.host,
            s.six ? "]" : "", s.port)
        >= size)
        return err_set(e, ERR_CONFIG, "a host name of %zu bytes", strlen(s.host));
    say_assumed(&s, out, note, note_size);
    return 0;
}

/* ---- an entry of no_proxy -------------------------------------------------------------------------------------- */

struct entry {
    char text[NAME_MOST + 2]; /* without port, brackets and leading dot */
    unsigned port;            /* 0: any */
    bool any, is_range;
    struct io_range range;
};

/* Where the part before the port ends: the one colon, or what follows the bracket. */
static size_t body_of(const char *text, const char **port)
{
    const char *colon = strchr(text, ':'), *bracket = text[0] == '[' ? strchr(text, ']') : NULL;

    *port = NULL;
    if (bracket != NULL) {
        if (bracket[1] != '\0')
            *port = bracket + 1;
        return (size_t)(bracket + 1 - text);
    }
    if (colon != NULL && strchr(colon + 1, ':') == NULL) {
        *port = colon;
        return (size_t)(colon - text);
    }
    return strlen(text);
}

static int entry_parse(const char *text, struct entry *n, struct err *e)
{
    const char *port;
    size_t len = body_of(text, &port);
    bool bracketed = text[0] == '[';
    struct err not_a_range;

    *n = (struct entry){ 0 };
    if (port != NULL && (port[0] != ':' || (n->port = port_of(port + 1, strlen(port + 1))) == 0))
        return err_set(e, ERR_CONFIG, "\"%.80s\": behind the : stands a port, 1 to 65535", text);
    if (len == 1 && text[0] == '*') {
        n->any = true;
        return 0;
    }
    if (memchr(text, '*', len) != NULL)
        return err_set(e, ERR_CONFIG,
            "\"%.80s\": no wildcards; corp.example stands for everything below it, too", text);
    if (bracketed && text[len - 1] != ']')
        return err_set(e, ERR_CONFIG, "\"%.80s\": a bracket is not closed", text);
    if (len < (bracketed ? 3u : 1u) || len >= sizeof n->text)
        return err_set(e, ERR_CONFIG, "an entry of %zu bytes", len);
    memcpy(n->text, text + bracketed, len - 2u * bracketed);
    if (bracketed || strchr(n->text, '/') != NULL || strchr(n->text, ':') != NULL) {
        n->is_range = true;
        return io_range_parse(&n->range, n->text, e);
    }
    if ((n->is_range = io_range_parse(&n->range, n->text, &not_a_range) == 0))
        return 0;
    if (n->text[0] == '.')
        memmove(n->text, n->text + 1, strlen(n->text));
    if (!is_name(n->text, strlen(n->text)))
        return err_set(e, ERR_CONFIG,
            "\"%.80s\" is no host name, no address and no range such as 10.0.0.0/8", text);
    return 0;
}

int proxy_no_check(const char *entry, struct err *e)
{
    struct entry n;

    return entry_parse(entry, &n, e);
}

/* A root's dot at the end says nothing. */
static size_t name_len(const char *name)
{
    size_t len = strlen(name);

    return len > 0 && name[len - 1] == '.' ? len - 1 : len;
}

static bool is_at_or_below(const char *host, const char *name)
{
    size_t host_len = name_len(host), len = name_len(name);

    if (host_len < len || len == 0 || strncasecmp(host + host_len - len, name, len) != 0)
        return false;
    return host_len == len || host[host_len - len - 1] == '.';
}

bool proxy_no(const char *entry, const char *host, unsigned port)
{
    struct io_address a;
    struct entry n;
    struct err e;

    if (entry_parse(entry, &n, &e) != 0 || (n.port != 0 && n.port != port))
        return false;
    if (n.any)
        return true;
    if (io_address_parse(&a, view_text(host)))
        return n.is_range && io_range_has(&n.range, 1, &a);
    return !n.is_range && is_at_or_below(host, n.text);
}
