/* see talk.h */
#include "test/scep/talk.h"
#include <arpa/inet.h>
#include <errno.h>
#include <netdb.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

enum { PATIENCE_S = 40, ANSWER_MAX = 4 << 20 };

struct line {
    int fd;
    SSL_CTX *ctx;
    SSL *ssl;
};

bool target_read(const char *url, struct target *t)
{
    const char *p = strstr(url, "://");
    size_t host;

    *t = (struct target){ .tls = strncmp(url, "https:", 6) == 0 };
    if (p == NULL)
        return false;
    p += 3;
    host = strcspn(p, ":/");
    if (host == 0 || host >= sizeof t->host)
        return false;
    memcpy(t->host, p, host);
    p += host;
    t->port = t->tls ? 443 : 80;
    if (*p == ':')
        t->port = (unsigned)strtoul(p + 1, (char **)&p, 10);
    copy_n(t->path, sizeof t->path, *p == '\0' ? "/" : p);
    t->path[strcspn(t->path, "\r\n")] = '\0';
    return t->port > 0 && t->port < 65536;
}

static int dial(const struct target *t, char why[WHY])
{
    struct addrinfo hints = { .ai_family = AF_UNSPEC, .ai_socktype = SOCK_STREAM }, *list = NULL;
    struct timeval patience = { .tv_sec = PATIENCE_S };
    char port[8];
    int fd = -1;

    snprintf(port, sizeof port, "%u", t->port);
    if (getaddrinfo(t->host, port, &hints, &list) != 0) {
        snprintf(why, WHY, "%s: no such host", t->host);
        return -1;
    }
    fd = socket(list->ai_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd >= 0) {
        setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
        setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof patience);
    }
    if (fd < 0 || connect(fd, list->ai_addr, list->ai_addrlen) != 0) {
        snprintf(why, WHY, "%s:%u: %s", t->host, t->port, strerror(errno));
        if (fd >= 0)
            close(fd);
        fd = -1;
    }
    freeaddrinfo(list);
    return fd;
}

static bool shake_hands(const struct target *t, struct line *l, char why[WHY])
{
    if (!t->tls)
        return true;
    l->ctx = need(SSL_CTX_new(TLS_client_method()));
    l->ssl = need(SSL_new(l->ctx));
    if (t->trust != NULL && SSL_CTX_load_verify_locations(l->ctx, t->trust, NULL) == 1) {
        SSL_free(l->ssl);
        SSL_CTX_set_verify(l->ctx, SSL_VERIFY_PEER, NULL);
        l->ssl = need(SSL_new(l->ctx));
    }
    SSL_set_fd(l->ssl, l->fd);
    SSL_set_tlsext_host_name(l->ssl, t->host);
    if (SSL_connect(l->ssl) == 1)
        return true;
    snprintf(why, WHY, "TLS: %s", ERR_reason_error_string(ERR_peek_last_error()));
    ERR_clear_error();
    return false;
}

static void hang_up(struct line *l)
{
    SSL_free(l->ssl);
    SSL_CTX_free(l->ctx);
    if (l->fd >= 0)
        close(l->fd);
}

/* As far as it is taken: a service may have heard enough before the end. */
static void say(struct line *l, const struct str *request)
{
    for (size_t sent = 0; sent < request->len;) {
        size_t left = request->len - sent, part = left > 16384 ? 16384 : left;
        struct pollfd answered = { .fd = l->fd, .events = POLLIN };
        ssize_t n = l->ssl != NULL ? SSL_write(l->ssl, request->p + sent, (int)part)
                                   : send(l->fd, request->p + sent, part, MSG_NOSIGNAL);

        if (n <= 0 || (sent > 0 && l->ssl == NULL && poll(&answered, 1, 0) > 0))
            break;
        sent += (size_t)n;
    }
    ERR_clear_error();
}

/* How long the answer is in full, once its head is there; 0: as long as it lasts. */
static size_t whole_length(const struct str *s)
{
    const char *end = s->len == 0 ? NULL : strstr(s->p, "\r\n\r\n"), *length;

    if (end == NULL)
        return 0;
    length = strcasestr(s->p, "\r\nContent-Length:");
    if (length == NULL || length > end)
        return 0;
    return (size_t)(end + 4 - s->p) + strtoul(length + 17, NULL, 10);
}

static int64_t now_us(void)
{
    struct timespec t;

    (void)clock_gettime(CLOCK_MONOTONIC, &t);
    return (int64_t)t.tv_sec * 1000000 + t.tv_nsec / 1000;
}

static void listen_to(struct line *l, struct str *answer, int64_t *first_us)
{
    char block[16384];

    while (answer->len < ANSWER_MAX) {
        size_t whole = whole_length(answer);
        ssize_t n;

        if (whole > 0 && answer->len >= whole)
            break;
        n = l->ssl != NULL ? SSL_read(l->ssl, block, sizeof block)
                           : recv(l->fd, block, sizeof block, 0);
        if (n <= 0)
            break;
        if (answer->len == 0)
            *first_us = now_us();
        str_add(answer, block, (size_t)n);
    }
    ERR_clear_error();
}

static void unchunk(struct str *body)
{
    struct str out = { 0 };
    const char *p = str_text(body), *end = p + body->len;

    while (p < end) {
        char *data;
        size_t n = strtoul(p, &data, 16);

        data = strstr(data, "\r\n");
        if (n == 0 || data == NULL || n > (size_t)(end - data - 2))
            break;
        str_add(&out, data + 2, n);
        p = data + 2 + n + 2;
    }
    str_free(body);
    *body = out;
}

static bool split(struct str *answer, struct response *r)
{
    char *end = answer->len == 0 ? NULL : strstr(answer->p, "\r\n\r\n"), *type;

    if (end == NULL || sscanf(answer->p, "HTTP/1.%*1[01] %3d", &r->status) != 1)
        return false;
    str_add(&r->head, answer->p, (size_t)(end + 2 - answer->p));
    str_add(&r->body, end + 4, answer->len - (size_t)(end + 4 - answer->p));
    type = strcasestr(r->head.p, "\r\nContent-Type:");
    if (type != NULL) {
        type += 15;
        type += strspn(type, " ");
        copy_n(r->type, sizeof r->type, type);
        r->type[strcspn(r->type, "\r\n")] = '\0';
    }
    if (strcasestr(r->head.p, "\r\nTransfer-Encoding: chunked") != NULL)
        unchunk(&r->body);
    return true;
}

bool talk(const struct target *t, const struct str *request, struct response *r, char why[WHY])
{
    struct line l = { .fd = dial(t, why) };
    struct str answer = { 0 };
    int64_t sent_us, first_us = 0;
    bool ok = false;

    *r = (struct response){ 0 };
    if (l.fd >= 0 && shake_hands(t, &l, why)) {
        say(&l, request);
        sent_us = now_us();
        listen_to(&l, &answer, &first_us);
        r->us = first_us - sent_us;
        ok = split(&answer, r);
        if (!ok)
            snprintf(why, WHY, "no answer (%zu bytes)", answer.len);
    }
    hang_up(&l);
    str_free(&answer);
    return ok;
}

void response_free(struct response *r)
{
    str_free(&r->head);
    str_free(&r->body);
}

void get_request(const struct target *t, const char *query, struct str *out)
{
    str_f(out, "GET %s%s%s HTTP/1.1\r\nHost: %s:%u\r\nConnection: close\r\n\r\n", t->path,
        query[0] == '\0' ? "" : "?", query, t->host, t->port);
}

void post_request(const struct target *t, const char *query, const char *type,
    const struct str *body, struct str *out)
{
    str_f(out, "POST %s?%s HTTP/1.1\r\nHost: %s:%u\r\nConnection: close\r\n", t->path, query,
        t->host, t->port);
    if (type != NULL)
        str_f(out, "Content-Type: %s\r\n", type);
    str_f(out, "Content-Length: %zu\r\n\r\n", body->len);
    str_add(out, str_text(body), body->len);
}
