#ifndef TEST_LIVE_TLS_SERVER_H
#define TEST_LIVE_TLS_SERVER_H
/*
 * tls_server.h - an HTTPS server for tests: 127.0.0.1, a free port, a thread for each connection, and
 * an answer for each path, byte for byte as the test gives it.
 */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <pthread.h>
#include <stdatomic.h>
#include <strings.h>
#include <sys/socket.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include "test/live/tls_certs.h"

enum { SERVER_CONNECTIONS = 256, SERVER_REQUEST_MAX = 1 << 17 };

enum server_then {
    THEN_KEEP,  /* wait for the next request */
    THEN_CLOSE, /* say goodbye and close */
    THEN_DROP,  /* close without a word, as a cut cable would */
    THEN_HANG,  /* keep the connection and say nothing more */
};

struct server_answer {
    const char *path, *text; /* the whole answer; NULL: 200 with what was asked as its body */
    enum server_then then;
    size_t filler; /* so many bytes more */
};

struct server {
    SSL_CTX *tls;
    const struct server_answer *answers;
    /* Asked first, if there is one; NULL: the answers decide. */
    const struct server_answer *(*choose)(const char *request);
    int listener;
    unsigned port;
    pthread_t acceptor;
    struct server_connection {
        struct server *s;
        pthread_t thread;
        int fd;
    } connections[SERVER_CONNECTIONS];
    size_t connection_count;
    pthread_mutex_t lock;
    atomic_int accepted, requests, closed;
    char last[SERVER_REQUEST_MAX]; /* the last request, head and body */
    size_t last_len;
};

static inline const char *server_url(const struct server *s, const char *path)
{
    static char urls[4][300];
    static unsigned next;
    char *u = urls[next++ % 4];

    (void)snprintf(u, sizeof urls[0], "https://127.0.0.1:%u%s", s->port, path);
    return u;
}

/* One request, head and body; 0: the client has gone. */
static inline size_t server_read(SSL *ssl, char *text)
{
    size_t len = 0, need = 0;

    while (need == 0 || len < need) {
        int n = SSL_read(ssl, text + len, (int)(SERVER_REQUEST_MAX - 1 - len));
        const char *end, *length;

        if (n <= 0)
            return 0;
        len += (size_t)n;
        text[len] = '\0';
        if (need != 0 || (end = strstr(text, "\r\n\r\n")) == NULL)
            continue;
        length = strcasestr(text, "\r\nContent-Length: ");
        need = (size_t)(end + 4 - text)
               + (length != NULL && length < end ? strtoul(length + 18, NULL, 10) : 0);
    }
    return len;
}

static inline const struct server_answer *server_find(const struct server *s, const char *request)
{
    static const struct server_answer none = { "",
        "HTTP/1.1 404 Not Found\r\n"
        "Content-Length: 0\r\n\r\n",
        THEN_KEEP, 0 };
    const char *path = strchr(request, ' ') + 1;
    const struct server_answer *chosen = s->choose != NULL ? s->choose(request) : NULL;

    if (chosen != NULL)
        return chosen;
    for (const struct server_answer *a = s->answers; a->path != NULL; a++)
        if (strncmp(path, a->path, strlen(a->path)) == 0 && strcspn(path, " ?") == strlen(a->path))
            return a;
    return &none;
}

static inline void server_write(SSL *ssl, const char *p, size_t len)
{
    if (len > 0)
        (void)SSL_write(ssl, p, (int)len);
}

static inline void server_answer(
    SSL *ssl, const struct server_answer *a, const char *request, size_t len)
{
    static const char filler[1000];
    X509 *client = SSL_get0_peer_certificate(ssl);
    char head[300], who[100] = "nobody";

    if (a->text != NULL) {
        server_write(ssl, a->text, strlen(a->text));
        for (size_t sent = 0; sent < a->filler; sent += sizeof filler)
            server_write(
                ssl, filler, a->filler - sent < sizeof filler ? a->filler - sent : sizeof filler);
        return;
    }
    if (client != NULL)
        (void)X509_NAME_get_text_by_NID(
            X509_get_subject_name(client), NID_commonName, who, sizeof who);
    (void)snprintf(head, sizeof head,
        "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nLocation: %s\r\nContent-Length: "
        "%zu\r\n\r\n",
        who, len); /* who the client is goes where a test can see it */
    server_write(ssl, head, strlen(head));
    server_write(ssl, request, len);
}

static inline void *server_serve(void *arg)
{
    struct server_connection *c = arg;
    struct server *s = c->s;
    SSL *ssl = SSL_new(s->tls);
    char *request = malloc(SERVER_REQUEST_MAX);
    enum server_then then = THEN_KEEP;
    size_t len;

    (void)SSL_set_fd(ssl, c->fd);
    if (SSL_accept(ssl) != 1)
        then = THEN_DROP;
    while (then == THEN_KEEP && (len = server_read(ssl, request)) > 0) {
        const struct server_answer *a = server_find(s, request);

        pthread_mutex_lock(&s->lock);
        memcpy(s->last, request, len + 1);
        s->last_len = len;
        pthread_mutex_unlock(&s->lock);
        atomic_fetch_add(&s->requests, 1);
        server_answer(ssl, a, request, len);
        then = a->then;
    }
    if (then == THEN_HANG)
        (void)SSL_read(ssl, request, 1);
    if (then == THEN_CLOSE)
        (void)SSL_shutdown(ssl);
    SSL_free(ssl);
    free(request);
    (void)shutdown(c->fd, SHUT_RDWR); /* closed when the server stops: the number stays ours */
    atomic_fetch_add(&s->closed, 1);
    ERR_clear_error();
    return NULL;
}

static inline void *server_accept(void *arg)
{
    struct server *s = arg;

    for (;;) {
        int fd = accept(s->listener, NULL, NULL);
        struct server_connection *c = &s->connections[s->connection_count];

        if (fd < 0)
            return NULL;
        if (s->connection_count == SERVER_CONNECTIONS) {
            (void)close(fd);
            continue;
        }
        (void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &(int){ 1 }, sizeof(int));
        atomic_fetch_add(&s->accepted, 1);
        c->s = s;
        c->fd = fd;
        if (pthread_create(&c->thread, NULL, server_serve, c) == 0)
            s->connection_count++;
        else
            (void)close(fd);
    }
}

static inline int server_any_client(int ok, X509_STORE_CTX *store)
{
    (void)ok;
    (void)store;
    return 1;
}

static inline void server_start(
    struct server *s, const struct server_answer *answers, X509 *certificate, EVP_PKEY *key)
{
    struct sockaddr_in a = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
    socklen_t len = sizeof a;

    *s = (struct server){ .answers = answers, .listener = socket(AF_INET, SOCK_STREAM, 0) };
    s->tls = SSL_CTX_new(TLS_server_method());
    assert_int_equal(SSL_CTX_use_certificate(s->tls, certificate), 1);
    assert_int_equal(SSL_CTX_use_PrivateKey(s->tls, key), 1);
    (void)SSL_CTX_set_session_id_context(s->tls, (const unsigned char *)"test", 4);
    SSL_CTX_set_verify(s->tls, SSL_VERIFY_PEER, server_any_client);
    assert_int_equal(bind(s->listener, (struct sockaddr *)&a, sizeof a), 0);
    assert_int_equal(listen(s->listener, SERVER_CONNECTIONS), 0);
    assert_int_equal(getsockname(s->listener, (struct sockaddr *)&a, &len), 0);
    s->port = ntohs(a.sin_port);
    (void)pthread_mutex_init(&s->lock, NULL);
    assert_int_equal(pthread_create(&s->acceptor, NULL, server_accept, s), 0);
}

static inline void server_stop(struct server *s)
{
    (void)shutdown(s->listener, SHUT_RDWR);
    (void)pthread_join(s->acceptor, NULL);
    (void)close(s->listener);
    for (size_t i = 0; i < s->connection_count; i++) {
        (void)shutdown(s->connections[i].fd, SHUT_RDWR);
        (void)pthread_join(s->connections[i].thread, NULL);
        (void)close(s->connections[i].fd);
    }
    SSL_CTX_free(s->tls);
    (void)pthread_mutex_destroy(&s->lock);
}
#endif
