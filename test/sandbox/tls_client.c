/* see commands.h: a small HTTPS client for `ctl`; one request, one connection */
#include "test/sandbox/commands.h"
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static bool read_base(const char *dir, struct str *host_port, char why[DIR_WHY])
{
    struct str ready = { 0 };
    bool ok = dir_read(dir, "ready", &ready, why);

    if (ok && strncmp(ready.p, "https://", 8) == 0)
        str_add(host_port, ready.p + 8, strcspn(ready.p + 8, "/\r\n"));
    else if (ok)
        snprintf(why, DIR_WHY, "%s/ready: not a URL", dir);
    else
        snprintf(why, DIR_WHY, "no sandbox runs in %s (there is no file `ready`)", dir);
    ok = ok && host_port->len > 0;
    str_free(&ready);
    return ok;
}

static SSL_CTX *make_ctx(const char *dir, char why[DIR_WHY])
{
    SSL_CTX *ctx = need(SSL_CTX_new(TLS_client_method()));
    struct str trust = { 0 };

    str_f(&trust, "%s/tls-ca.pem", dir);
    SSL_CTX_set_verify(ctx, SSL_VERIFY_PEER, NULL);
    if (SSL_CTX_load_verify_locations(ctx, trust.p, NULL) != 1) {
        snprintf(why, DIR_WHY, "%s: not readable", trust.p);
        SSL_CTX_free(ctx);
        ctx = NULL;
    }
    str_free(&trust);
    return ctx;
}

static BIO *dial(SSL_CTX *ctx, const char *host_port, char why[DIR_WHY])
{
    BIO *b = need(BIO_new_ssl_connect(ctx));
    SSL *ssl = NULL;

    BIO_get_ssl(b, &ssl);
    SSL_set_mode(ssl, SSL_MODE_AUTO_RETRY);
    SSL_set1_host(ssl, "localhost");
    BIO_set_conn_hostname(b, host_port);
    if (BIO_do_connect(b) == 1)
        return b;
    snprintf(why, DIR_WHY, "%s: %s", host_port, ERR_reason_error_string(ERR_peek_last_error()));
    BIO_free_all(b);
    return NULL;
}

static bool exchange(BIO *b, const struct str *request, struct str *answer)
{
    char block[16384];
    size_t sent = 0;
    int n;

    while (sent < request->len) {
        n = BIO_write(b, request->p + sent, (int)(request->len - sent));
        if (n <= 0)
            return false;
        sent += (size_t)n;
    }
    while ((n = BIO_read(b, block, sizeof block)) > 0)
        str_add(answer, block, (size_t)n);
    return answer->len > 0;
}

bool tls_ask(const char *dir, const char *method, const char *path, const struct str *body,
    int *status, struct str *out, char why[DIR_WHY])
{
    struct str host = { 0 }, request = { 0 }, answer = { 0 };
    SSL_CTX *ctx = NULL;
    BIO *b = NULL;
    bool ok = false;
    char *end;

    if (!read_base(dir, &host, why) || (ctx = make_ctx(dir, why)) == NULL
        || (b = dial(ctx, host.p, why)) == NULL)
        goto done;
    str_f(&request,
        "%s %s HTTP/1.1\r\nHost: %s\r\nX-Sandbox: 1\r\nConnection: close\r\n"
        "Content-Type: application/json\r\nContent-Length: %zu\r\n\r\n",
        method, path, host.p, body == NULL ? 0 : body->len);
    if (body != NULL)
        str_add(&request, str_text(body), body->len);
    if (!exchange(b, &request, &answer) || sscanf(answer.p, "HTTP/1.1 %3d", status) != 1
        || (end = strstr(answer.p, "\r\n\r\n")) == NULL) {
        snprintf(why, DIR_WHY, "%s: no answer", host.p);
        goto done;
    }
    str_puts(out, end + 4);
    ok = true;
done:
    BIO_free_all(b);
    SSL_CTX_free(ctx);
    str_free(&host);
    str_free(&request);
    str_free(&answer);
    return ok;
}
