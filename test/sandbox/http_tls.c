/* see http_tls.h and http.h; what GnuTLS says of a client certificate is remembered per connection */
#include "test/sandbox/http_tls.h"
#include "test/sandbox/http.h"
#include <gnutls/gnutls.h>
#include <netinet/in.h>
#include <openssl/crypto.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>

struct peer {
    bool asked, trusted;
};

void tls_on_connection(
    void *cls, struct MHD_Connection *c, void **state, enum MHD_ConnectionNotificationCode what)
{
    (void)cls;
    (void)c;
    if (what == MHD_CONNECTION_NOTIFY_STARTED)
        *state = need(calloc(1, sizeof(struct peer)));
    else
        free(*state);
}

static bool verify(struct MHD_Connection *c)
{
    const union MHD_ConnectionInfo *info =
        MHD_get_connection_info(c, MHD_CONNECTION_INFO_GNUTLS_SESSION);
    unsigned status = 0, count = 0;

    if (info == NULL || info->tls_session == NULL)
        return false;
    if (gnutls_certificate_get_peers(info->tls_session, &count) == NULL || count == 0)
        return false;
    return gnutls_certificate_verify_peers2(info->tls_session, &status) == 0 && status == 0;
}

bool http_client_certificate(struct exchange *x)
{
    const union MHD_ConnectionInfo *info =
        MHD_get_connection_info(x->connection, MHD_CONNECTION_INFO_SOCKET_CONTEXT);
    struct peer *p = info == NULL ? NULL : info->socket_context;

    if (p == NULL)
        return verify(x->connection);
    if (!p->asked)
        p->trusted = verify(x->connection);
    p->asked = true;
    return p->trusted;
}

bool http_client_der(struct exchange *x, struct str *out)
{
    const union MHD_ConnectionInfo *info =
        MHD_get_connection_info(x->connection, MHD_CONNECTION_INFO_GNUTLS_SESSION);
    const gnutls_datum_t *peers;
    unsigned count = 0;

    if (info == NULL || info->tls_session == NULL)
        return false;
    peers = gnutls_certificate_get_peers(info->tls_session, &count);
    if (peers == NULL || count == 0)
        return false;
    str_add(out, peers[0].data, peers[0].size);
    return true;
}

bool http_loopback(struct exchange *x)
{
    const union MHD_ConnectionInfo *info =
        MHD_get_connection_info(x->connection, MHD_CONNECTION_INFO_CLIENT_ADDRESS);
    struct sockaddr_in in;

    if (info == NULL || info->client_addr == NULL || info->client_addr->sa_family != AF_INET)
        return false;
    memcpy(&in, info->client_addr, sizeof in);
    return ntohl(in.sin_addr.s_addr) >> 24 == 127;
}

bool http_peer_gone(struct exchange *x)
{
    const union MHD_ConnectionInfo *info =
        MHD_get_connection_info(x->connection, MHD_CONNECTION_INFO_CONNECTION_FD);
    struct pollfd p = { .events = POLLRDHUP };

    if (info == NULL)
        return false;
    p.fd = info->connect_fd;
    return poll(&p, 1, 0) > 0 && (p.revents & (POLLRDHUP | POLLHUP | POLLERR)) != 0;
}

static bool same_secret(const char *a, size_t len, const struct str *b)
{
    return len == b->len && CRYPTO_memcmp(a, b->p, len) == 0;
}

bool http_bearer(struct exchange *x, const struct str *token)
{
    const char *h = http_header(x, "Authorization");

    return h != NULL && strncmp(h, "Bearer ", 7) == 0 && same_secret(h + 7, strlen(h + 7), token);
}

bool http_basic(struct exchange *x, const struct str *login)
{
    const char *h = http_header(x, "Authorization");
    struct str plain = { 0 };
    bool ok = h != NULL && strncmp(h, "Basic ", 6) == 0 && b64_read(h + 6, strlen(h + 6), &plain)
              && same_secret(str_text(&plain), plain.len, login);

    str_free(&plain);
    return ok;
}
