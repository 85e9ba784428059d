/*
 * see io.h.  One peer's trust, identity, credentials and way out, and a small stock of curl handles that have
 * them set.  Credentials are read from their file when the peer is made and live in secret memory;
 * curl gets them by its own copy, which it frees with the handle.
 *
 * Connections and TLS sessions are the peer's own: a tunnel that was opened with one credential is of no use to
 * whoever has another, and none of them outlives the peer (curl would compare the proxy, not who signed in there).
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "agent/base/fs.h"
#include "agent/io/io_peer.h"
#include "agent/secrets/secret.h"
#include "certs/mem.h"

enum { STOCK = 16, URL_MAX = 2048, PEM_MAX = 64 << 10 };

struct io_peer {
    char *name, *trust, *certificate, *key;
    struct buf certificate_pem, key_pem; /* instead of files */
    enum io_auth auth;
    struct buf secret;
    bool http1;
    struct io_peer_limits limits;
    struct io_way way;
    CURLSH *pool; /* NULL until something is sent */
    char issuer[IO_ISSUER_TEXT];
    long connections;
    struct curl_slist *connect_to; /* NULL: as the URL says */
    CURL *stock[STOCK];
    size_t stocked;
};

const char *io_peer_name(const struct io_peer *p)
{
    return p->name;
}

const struct io_peer_limits *io_peer_limits(const struct io_peer *p)
{
    return &p->limits;
}

const struct io_way *io_peer_way(const struct io_peer *p)
{
    return &p->way;
}

void io_peer_issuer(struct io_peer *p, char out[IO_ISSUER_TEXT])
{
    memcpy(out, p->issuer, sizeof p->issuer);
    p->issuer[0] = '\0';
}

struct view io_peer_secret(const struct io_peer *p)
{
    return buf_view(&p->secret);
}

static int set_limits(struct io_peer *p, const struct io_peer_conf *c, struct err *e)
{
    char all[80]; /* every host and port */

    p->limits = (struct io_peer_limits){ .plain_http = c->plain_http,
        .local = c->local || c->address != NULL,
        .url_max = c->url_max != 0 ? c->url_max : URL_MAX };
    if (c->plain_http
        && (c->auth != IO_AUTH_NONE || c->certificate_file != NULL || c->certificate.len > 0))
        return err_set(e, ERR_CONFIG, "%s: credentials are never sent over plain HTTP", c->name);
    if (c->address == NULL)
        return 0;
    (void)snprintf(all, sizeof all, "::%s", c->address);
    if ((p->connect_to = curl_slist_append(NULL, all)) == NULL)
        return err_set(e, ERR_NOMEM, "%s: the address", c->name);
    return 0;
}

static int check_files(const struct io_peer_conf *c, struct err *e)
{
    if (c->trust_file != NULL && fs_readable(c->trust_file, false, e) != 0)
        return err_wrap(e, "%s: trust", c->name);
    /* Without a file of its own the key is in the certificate's. */
    if (c->certificate_file != NULL
        && fs_readable(c->certificate_file, c->key_file == NULL, e) != 0)
        return err_wrap(e, "%s: client certificate", c->name);
    if (c->key_file != NULL && fs_readable(c->key_file, true, e) != 0)
        return err_wrap(e, "%s: client key", c->name);
    return 0;
}

static int copy_identity(struct io_peer *p, const struct io_peer_conf *c, struct err *e)
{
    p->certificate_pem = (struct buf)BUF_INIT(PEM_MAX);
    p->key_pem = (struct buf)BUF_SECRET(PEM_MAX);
    buf_add_view(&p->certificate_pem, c->certificate);
    buf_add_view(&p->key_pem, c->key);
    if (buf_check(&p->certificate_pem, e) != 0 || buf_check(&p->key_pem, e) != 0)
        return err_wrap(e, "%s: client certificate", c->name);
    return 0;
}

struct io_peer *io_peer_new(const struct io_peer_conf *c, struct err *e)
{
    struct io_peer *p = xcalloc(1, sizeof *p);

    p->name = xstrdup(c->name);
    p->trust = xstrdup(c->trust_file);
    p->certificate = xstrdup(c->certificate_file);
    p->key = xstrdup(c->key_file);
    p->auth = c->auth;
    p->http1 = c->http1;
    p->secret = (struct buf)BUF_SECRET(16384);
    io_http_allow(p->connections = (long)c->connections_max);
    if (io_way_open(&p->way, c, e) != 0) {
        err_wrap(e, "%s", c->name);
        goto failed;
    }
    if (set_limits(p, c, e) != 0 || check_files(c, e) != 0 || copy_identity(p, c, e) != 0)
        goto failed;
    if ((c->auth == IO_AUTH_BASIC || c->auth == IO_AUTH_NTLM || c->auth == IO_AUTH_BEARER)
        && secret_read(c->secrets, c->secret_file, &p->secret, e) != 0) {
        err_wrap(e, "%s: credentials", c->name);
        goto failed;
    }
    return p;
failed:
    io_peer_free(p);
    return NULL;
}

void io_peer_free(struct io_peer *p)
{
    if (p == NULL)
        return;
    while (p->stocked > 0)
        curl_easy_cleanup(p->stock[--p->stocked]);
    (void)curl_share_cleanup(p->pool); /* closes what is open */
    io_http_allow(-p->connections);
    curl_slist_free_all(p->connect_to);
    io_way_close(&p->way);
    buf_free(&p->secret);
    buf_free(&p->certificate_pem);
    buf_free(&p->key_pem);
    free(p->name);
    free(p->trust);
    free(p->certificate);
    free(p->key);
    free(p);
}

static unsigned set_credentials(CURL *c, struct io_peer *p)
{
    unsigned bad = 0;

    switch (p->auth) {
    case IO_AUTH_NONE:
        break;
    case IO_AUTH_BASIC:
        bad |= curl_easy_setopt(c, CURLOPT_HTTPAUTH, (long)CURLAUTH_BASIC);
        bad |= curl_easy_setopt(c, CURLOPT_USERPWD, buf_text(&p->secret));
        break;
    case IO_AUTH_NTLM:
        bad |= curl_easy_setopt(c, CURLOPT_HTTPAUTH, (long)CURLAUTH_NTLM);
        bad |= curl_easy_setopt(c, CURLOPT_USERPWD, buf_text(&p->secret));
        break;
    case IO_AUTH_NEGOTIATE: /* the ticket of the service's own account */
        bad |= curl_easy_setopt(c, CURLOPT_HTTPAUTH, (long)CURLAUTH_NEGOTIATE);
        bad |= curl_easy_setopt(c, CURLOPT_USERPWD, ":");
        break;
    case IO_AUTH_BEARER:
        bad |= curl_easy_setopt(c, CURLOPT_HTTPAUTH, (long)CURLAUTH_BEARER);
        bad |= curl_easy_setopt(c, CURLOPT_XOAUTH2_BEARER, buf_text(&p->secret));
        break;
    }
    bad |= curl_easy_setopt(c, CURLOPT_UNRESTRICTED_AUTH, 0L);
    return bad;
}

/* curl reads them where they are: the peer outlives its handles, and the key stays in secret memory. */
static unsigned set_identity(CURL *c, struct io_peer *p)
{
    struct curl_blob certificate = { p->certificate_pem.p, p->certificate_pem.len,
        CURL_BLOB_NOCOPY };
    struct curl_blob key = { p->key_pem.p, p->key_pem.len, CURL_BLOB_NOCOPY };
    unsigned bad = 0;

    if (certificate.len > 0) {
        bad |= curl_easy_setopt(c, CURLOPT_SSLCERT_BLOB, &certificate);
        bad |= curl_easy_setopt(c, CURLOPT_SSLKEY_BLOB, &key);
    } else if (p->certificate != NULL) {
        bad |= curl_easy_setopt(c, CURLOPT_SSLCERT, p->certificate);
        bad |= curl_easy_setopt(c, CURLOPT_SSLKEY, p->key != NULL ? p->key : p->certificate);
    }
    return bad;
}

static CURLSH *pool_of(struct io_peer *p)
{
    if (p->pool == NULL && (p->pool = curl_share_init()) != NULL) {
        (void)curl_share_setopt(p->pool, CURLSHOPT_SHARE, CURL_LOCK_DATA_CONNECT);
        (void)curl_share_setopt(p->pool, CURLSHOPT_SHARE, CURL_LOCK_DATA_SSL_SESSION);
    }
    return p->pool;
}

CURL *io_peer_get(struct io_peer *p, struct err *e)
{
    CURL *c;
    unsigned bad = 0;

    if (p->stocked > 0)
        return p->stock[--p->stocked];
    if (pool_of(p) == NULL || (c = curl_easy_init()) == NULL) {
        (void)err_set(e, ERR_NOMEM, "%s: an HTTP handle", p->name);
        return NULL;
    }
    if (p->trust != NULL) {
        bad |= curl_easy_setopt(c, CURLOPT_CAINFO, p->trust);
        bad |= curl_easy_setopt(c, CURLOPT_CAPATH, NULL);
    }
    bad |= set_identity(c, p);
    bad |= curl_easy_setopt(
        c, CURLOPT_HTTP_VERSION, (long)(p->http1 ? CURL_HTTP_VERSION_1_1 : CURL_HTTP_VERSION_2TLS));
    if (p->connect_to != NULL)
        bad |= curl_easy_setopt(c, CURLOPT_CONNECT_TO, p->connect_to);
    bad |= curl_easy_setopt(c, CURLOPT_SHARE, p->pool);
    bad |= io_issuer_watch(c, p->issuer);
    bad |= set_credentials(c, p);
    if (bad != 0) {
        curl_easy_cleanup(c);
        (void)err_set(
            e, ERR_CONFIG, "%s: this libcurl lacks an option the configuration needs", p->name);
        return NULL;
    }
    return c;
}

void io_peer_put(struct io_peer *p, CURL *easy)
{
    /* Whatever the last transfer set is set again by the next one; nothing of it may linger. */
    (void)curl_easy_setopt(easy, CURLOPT_ERRORBUFFER, NULL);
    (void)curl_easy_setopt(easy, CURLOPT_HTTPGET, 1L);
    (void)curl_easy_setopt(easy, CURLOPT_HTTPHEADER, NULL);
    if (p->stocked < STOCK)
        p->stock[p->stocked++] = easy;
    else
        curl_easy_cleanup(easy);
}
