/*
 * see scep_load.h: one connection, HTTP/1.1 over TCP or TLS.
 *
 * Addresses 127.0.1.x, because a client that leaves its connections to the kernel's TIME_WAIT runs out of ports
 * after thirty thousand from one; and because devices do come from many addresses.
 */
#include "test/bench/scep_load.h"
#include "test/sandbox/text.h"
#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <openssl/ssl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

enum { ADDRESSES = 200, HEAD_MAX = 512, ANSWER_MAX = 1 << 17, LIMIT_S = 60 };

#ifndef IP_BIND_ADDRESS_NO_PORT
#define IP_BIND_ADDRESS_NO_PORT 24
#endif

struct wire {
    const struct sending *s;
    SSL_CTX *ctx;
    SSL *ssl;
    int fd; /* -1: not connected */
    char *answer;
    size_t len;
};

struct wire *wire_new(const struct sending *s)
{
    struct wire *w = need(calloc(1, sizeof *w));

    w->s = s;
    w->fd = -1;
    w->answer = need(malloc(ANSWER_MAX + 1));
    if (s->tls) { /* whose certificate it is does not matter to the server's cost */
        w->ctx = need(SSL_CTX_new(TLS_client_method()));
        (void)SSL_CTX_set_session_cache_mode(w->ctx, SSL_SESS_CACHE_OFF);
    }
    return w;
}

static void hang_up(struct wire *w)
{
    SSL_free(w->ssl);
    w->ssl = NULL;
    if (w->fd >= 0)
        (void)close(w->fd);
    w->fd = -1;
}

void wire_free(struct wire *w)
{
    hang_up(w);
    SSL_CTX_free(w->ctx);
    free(w->answer);
    free(w);
}

static bool dial(struct wire *w, unsigned who)
{
    const struct timeval limit = { .tv_sec = LIMIT_S };
    const int yes = 1;
    struct sockaddr_in from = { .sin_family = AF_INET }, to = from;

    from.sin_addr.s_addr = htonl(0x7f000101u + who % ADDRESSES);
    to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    to.sin_port = htons((uint16_t)w->s->port);
    w->fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (w->fd < 0 || setsockopt(w->fd, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, &yes, sizeof yes) != 0
        || setsockopt(w->fd, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof yes) != 0
        || setsockopt(w->fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit) != 0
        || bind(w->fd, (const struct sockaddr *)&from, sizeof from) != 0
        || connect(w->fd, (const struct sockaddr *)&to, sizeof to) != 0)
        return false;
    if (w->ctx == NULL)
        return true;
    w->ssl = need(SSL_new(w->ctx));
    return SSL_set_fd(w->ssl, w->fd) == 1 && SSL_connect(w->ssl) == 1;
}

/* ---- the request ---- */

static bool put(struct wire *w, const void *bytes, size_t len)
{
    const char *p = bytes;

    while (len > 0) {
        ssize_t n = w->ssl != NULL ? SSL_write(w->ssl, p, (int)len) : write(w->fd, p, len);

        if (n <= 0)
            return false;
        p += n;
        len -= (size_t)n;
    }
    return true;
}

static bool post(struct wire *w, const uint8_t *message, size_t len)
{
    static const char form[] =
        "POST %s?operation=PKIOperation HTTP/1.1\r\nHost: 127.0.0.1:%u\r\n"
        "Content-Type: application/x-pki-message\r\n%sContent-Length: %zu\r\n\r\n";
    char all[HEAD_MAX + MESSAGE_MAX];
    int n = snprintf(all, HEAD_MAX, form, w->s->path, w->s->port,
        w->s->keep ? "" : "Connection: close\r\n", len);

    if (n < 0 || n >= HEAD_MAX || len > MESSAGE_MAX)
        return false;
    memcpy(all + n, message, len); /* one write: one packet or two, as a client's library would */
    return put(w, all, (size_t)n + len);
}

/* ---- the answer ---- */

static const char *header(const char *head, const char *name)
{
    size_t len = strlen(name);

    for (const char *line = head; (line = strstr(line, "\r\n")) != NULL && line[2] != '\r';) {
        line += 2;
        if (strncasecmp(line, name, len) == 0 && line[len] == ':')
            return line + len + 1 + strspn(line + len + 1, " ");
    }
    return NULL;
}

/* Is all there that will come?  At the end of the connection it is, whatever was promised. */
static bool complete(const struct wire *w)
{
    const char *end = strstr(w->answer, "\r\n\r\n"), *value;
    size_t head, have;

    if (end == NULL)
        return false;
    head = (size_t)(end - w->answer) + 4;
    have = w->len - head;
    if ((value = header(w->answer, "Content-Length")) != NULL)
        return have >= strtoul(value, NULL, 10);
    if (header(w->answer, "Transfer-Encoding") != NULL)
        return have >= 5 && memcmp(w->answer + w->len - 5, "0\r\n\r\n", 5) == 0;
    return false;
}

static bool get(struct wire *w)
{
    w->len = 0;
    while (w->len < ANSWER_MAX) {
        ssize_t n = w->ssl != NULL
                        ? SSL_read(w->ssl, w->answer + w->len, (int)(ANSWER_MAX - w->len))
                        : read(w->fd, w->answer + w->len, ANSWER_MAX - w->len);

        if (n <= 0)
            return w->len > 0;
        w->len += (size_t)n;
        w->answer[w->len] = '\0'; /* the head has no NUL of its own */
        if (complete(w))
            return true;
    }
    return false;
}

/* The attribute pkiStatus: its OID, a SET, a PrintableString of one character. */
static char status_in(const char *bytes, size_t len)
{
    static const char oid[] = "\x06\x0a\x60\x86\x48\x01\x86\xf8\x45\x01\x09\x03\x31\x03\x13\x01";
    const char *at = memmem(bytes, len, oid, sizeof oid - 1);

    return at != NULL && (size_t)(at - bytes) + sizeof oid - 1 < len ? at[sizeof oid - 1] : '?';
}

struct outcome wire_ask(struct wire *w, unsigned who, const uint8_t *message, size_t len)
{
    struct outcome o = { 0, '?' };
    const char *closes;

    if ((w->fd >= 0 || dial(w, who)) && post(w, message, len) && get(w)
        && strncmp(w->answer, "HTTP/1.1 ", 9) == 0) {
        o.http = (int)strtol(w->answer + 9, NULL, 10);
        o.status = status_in(w->answer, w->len);
    }
    closes = o.http != 0 ? header(w->answer, "Connection") : NULL;
    if (!w->s->keep || o.http == 0 || (closes != NULL && strncasecmp(closes, "close", 5) == 0))
        hang_up(w);
    return o;
}
