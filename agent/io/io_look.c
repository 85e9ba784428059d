/* see io_look.h.  Names and connections; TLS is in io_look_tls.c. */
#include <arpa/inet.h>
#include <errno.h>
#include <netdb.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>
#include <uv.h>
#include "agent/io/io_look_tls.h"

uint64_t io_look_ms(void)
{
    return uv_hrtime() / 1000000;
}

/* glibc reads this when a thread first asks for a name: two seconds for each server, once. */
void io_look_hasty(void)
{
    (void)setenv("RES_OPTIONS", "timeout:2 attempts:1", 0);
}

static void keep(struct io_look *k, const struct addrinfo *a, struct sockaddr_storage *to)
{
    struct io_look_address *at = &k->address[k->count];
    const struct sockaddr_in *four = (const struct sockaddr_in *)(const void *)a->ai_addr;
    const struct sockaddr_in6 *six = (const struct sockaddr_in6 *)(const void *)a->ai_addr;

    if (k->count == IO_LOOK_ADDRESSES || (a->ai_family != AF_INET && a->ai_family != AF_INET6))
        return;
    at->v6 = a->ai_family == AF_INET6;
    (void)inet_ntop(a->ai_family,
        at->v6 ? (const void *)&six->sin6_addr : (const void *)&four->sin_addr, at->text,
        sizeof at->text);
    memcpy(&to[k->count++], a->ai_addr, a->ai_addrlen);
}

static void resolve(struct io_look *k, const char *host, unsigned port, struct sockaddr_storage *to)
{
    struct addrinfo hints = { .ai_socktype = SOCK_STREAM }, *all = NULL;
    uint64_t from = io_look_ms();
    char service[16];
    int rc;

    (void)snprintf(service, sizeof service, "%u", port);
    rc = getaddrinfo(host, service, &hints, &all);
    k->dns_ms = (int64_t)(io_look_ms() - from);
    if (rc != 0) {
        k->dns_silent = rc == EAI_AGAIN;
        (void)snprintf(k->dns_why, sizeof k->dns_why, "%s",
            rc == EAI_SYSTEM ? strerror(errno) : gai_strerror(rc));
        return;
    }
    for (const struct addrinfo *a = all; a != NULL; a = a->ai_next)
        keep(k, a, to);
    freeaddrinfo(all);
    if (k->count == 0)
        (void)snprintf(k->dns_why, sizeof k->dns_why, "it has neither an IPv4 nor an IPv6 address");
}

/* ---- a connection to each address, all at once ----------------------------------------------------------------------- */

static void ended(struct io_look *k, size_t i, int error, uint64_t from)
{
    struct io_look_address *a = &k->address[i];

    a->ms = (int64_t)(io_look_ms() - from);
    a->ok = error == 0;
    k->connects = k->connects || a->ok;
    if (!a->ok)
        (void)snprintf(a->why, sizeof a->why, "%s", strerror(error));
}

static void begin(
    struct io_look *k, size_t i, const struct sockaddr_storage *to, struct pollfd *p, uint64_t from)
{
    socklen_t len = k->address[i].v6 ? sizeof(struct sockaddr_in6) : sizeof(struct sockaddr_in);

    p->events = POLLOUT;
    p->fd = socket(to->ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (p->fd >= 0
        && (connect(p->fd, (const struct sockaddr *)to, len) == 0 || errno == EINPROGRESS))
        return; /* poll says how it ends */
    ended(k, i, errno, from);
    if (p->fd >= 0)
        (void)close(p->fd);
    p->fd = -1;
}

static void connect_all(struct io_look *k, const struct sockaddr_storage *to)
{
    struct pollfd p[IO_LOOK_ADDRESSES];
    uint64_t from = io_look_ms(), spent;
    size_t open = 0;

    for (size_t i = 0; i < k->count; i++) {
        begin(k, i, &to[i], &p[i], from);
        open += p[i].fd >= 0;
    }
    while (open > 0 && (spent = io_look_ms() - from) < IO_LOOK_TCP_MS
           && poll(p, (nfds_t)k->count, (int)(IO_LOOK_TCP_MS - spent)) != 0)
        for (size_t i = 0; i < k->count; i++)
            if (p[i].fd >= 0 && p[i].revents != 0) {
                int error = 0;
                socklen_t len = sizeof error;

                (void)getsockopt(p[i].fd, SOL_SOCKET, SO_ERROR, &error, &len);
                ended(k, i, error, from);
                (void)close(p[i].fd);
                p[i].fd = -1;
                open--;
            }
    for (size_t i = 0; i < k->count; i++)
        if (p[i].fd >= 0) {
            ended(k, i, ETIMEDOUT, from);
            (void)close(p[i].fd);
        }
}

void io_look(struct lib *l, struct io_look *k)
{
    struct sockaddr_storage to[IO_LOOK_ADDRESSES];
    bool proxied = k->proxy[0] != '\0';

    resolve(k, proxied ? k->proxy_host : k->host, proxied ? k->proxy_port : k->port, to);
    if (k->dns_why[0] != '\0')
        return;
    connect_all(k, to);
    if (k->connects && (k->tls || proxied))
        io_look_tls(l, k);
}
