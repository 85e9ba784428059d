/* see io_way.h */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "agent/base/fs.h"
#include "agent/io/io_way.h"
#include "agent/secrets/secret.h"
#include "certs/mem.h"

enum { CREDENTIAL_MAX = 4096, CURL_TEXT = 320, SCHEMES_MOST = 6 };

/* ---- opening --------------------------------------------------------------------------------------------------- */

static long schemes_named(const char *auth, bool credential)
{
    if (strcmp(auth, "basic") == 0)
        return (long)CURLAUTH_BASIC;
    if (strcmp(auth, "digest") == 0)
        return (long)CURLAUTH_DIGEST;
    if (strcmp(auth, "ntlm") == 0)
        return (long)CURLAUTH_NTLM;
    if (strcmp(auth, "negotiate") == 0)
        return (long)CURLAUTH_NEGOTIATE;
    /* Not Negotiate: curl would prefer it to a password, and fail without a ticket. */
    return credential ? (long)(CURLAUTH_BASIC | CURLAUTH_DIGEST | CURLAUTH_NTLM) : 0;
}

static int read_login(struct io_login *l, struct secrets *s, const char *ref, struct err *e)
{
    struct buf line = BUF_SECRET(CREDENTIAL_MAX);
    const uint8_t *colon;
    int rc = -1;

    if (ref == NULL)
        return 0;
    if (secret_read(s, ref, &line, e) != 0) {
        err_wrap(e, "the proxy's credential");
        goto done;
    }
    if (line.len == 0 || (colon = memchr(line.p, ':', line.len)) == NULL || colon == line.p) {
        err_set(
            e, ERR_CONFIG, "the proxy's credential: %s: its first line is not user:password", ref);
        goto done;
    }
    buf_add(&l->user, line.p, (size_t)(colon - line.p));
    buf_add(&l->password, colon + 1, line.len - (size_t)(colon + 1 - line.p));
    if (buf_check(&l->user, e) == 0 && buf_check(&l->password, e) == 0)
        rc = 0;
done:
    buf_free(&line);
    return rc;
}

int io_way_open(struct io_way *w, const struct io_peer_conf *c, struct err *e)
{
    bool own = c->proxy != NULL && c->proxy[0] != '\0';

    *w = (struct io_way){ .conf = c->conf, .own = c->proxy, .own_credential = c->proxy_credential };
    w->section.user = w->section.password = (struct buf)BUF_SECRET(CREDENTIAL_MAX);
    w->other.user = w->other.password = (struct buf)BUF_SECRET(CREDENTIAL_MAX);
    if (c->conf == NULL || (own && strcmp(c->proxy, "none") == 0)
        || (!own && (c->conf->proxy.url == NULL || strcmp(c->conf->proxy.url, "none") == 0)))
        return 0; /* whatever stands beside it is not used */
    w->trust = xstrdup(c->conf->proxy.trust);
    if (w->trust != NULL && fs_readable(w->trust, false, e) != 0)
        return err_wrap(e, "proxy.trust");
    if (read_login(&w->section, c->secrets, c->conf->proxy.credential, e) != 0)
        return -1;
    return read_login(&w->other, c->secrets, c->proxy_credential, e);
}

void io_way_close(struct io_way *w)
{
    buf_free(&w->section.user);
    buf_free(&w->section.password);
    buf_free(&w->other.user);
    buf_free(&w->other.password);
    free(w->trust);
    *w = (struct io_way){ 0 };
}

/* ---- one transfer ---------------------------------------------------------------------------------------------- */

static bool is_scheme(const struct proxy_way *way, const char *scheme)
{
    return strncmp(way->url, scheme, strlen(scheme)) == 0 && way->url[strlen(scheme)] == ':';
}

static const char *auth_of(const struct io_way *w)
{
    return w->conf->proxy.auth != NULL ? w->conf->proxy.auth : "any";
}

/* The login that belongs to this way; NULL: none does. */
static const struct io_login *login_of(const struct io_way *w, const struct proxy_way *way)
{
    const char *ref =
        w->conf != NULL ? proxy_credential(w->conf, w->own, w->own_credential, way) : NULL;

    if (ref == NULL)
        return NULL;
    return ref == w->own_credential ? &w->other : &w->section;
}

unsigned io_way_set(const struct io_way *w, const struct proxy_way *way, CURL *c)
{
    const struct io_login *l = login_of(w, way);
    const char *auth = w->conf != NULL ? auth_of(w) : "any";
    bool negotiate = l == NULL && way->url[0] != '\0' && strcmp(auth, "negotiate") == 0;
    const char *user = negotiate ? "" : NULL, *password = user;
    char url[CURL_TEXT];
    unsigned bad = 0;

    /* curl's socks5:// resolves names here; socks5h:// leaves that to the proxy */
    if (is_scheme(way, "socks5"))
        (void)snprintf(url, sizeof url, "socks5h%s", way->url + 6);
    else
        (void)snprintf(url, sizeof url, "%s", way->url);
    if (l != NULL) {
        user = buf_text((struct buf *)(uintptr_t)&l->user);
        password = buf_text((struct buf *)(uintptr_t)&l->password);
    }
    bad |= curl_easy_setopt(c, CURLOPT_PROXY, url);
    bad |= curl_easy_setopt(c, CURLOPT_NOPROXY, ""); /* else the environment's */
    bad |= curl_easy_setopt(c, CURLOPT_HTTPPROXYTUNNEL, way->url[0] != '\0' ? 1L : 0L);
    bad |= curl_easy_setopt(c, CURLOPT_HEADEROPT, (long)CURLHEADER_SEPARATE);
    bad |= curl_easy_setopt(c, CURLOPT_PROXYUSERNAME, user);
    bad |= curl_easy_setopt(c, CURLOPT_PROXYPASSWORD, password);
    bad |= curl_easy_setopt(c, CURLOPT_PROXYAUTH, schemes_named(auth, l != NULL));
    bad |= curl_easy_setopt(c, CURLOPT_SOCKS5_AUTH, (long)CURLAUTH_BASIC);
    bad |= curl_easy_setopt(c, CURLOPT_PROXY_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2);
    if (w->trust != NULL) {
        bad |= curl_easy_setopt(c, CURLOPT_PROXY_CAINFO, w->trust);
        bad |= curl_easy_setopt(c, CURLOPT_PROXY_CAPATH, NULL);
    }
    return bad;
}

/* ---- whose fault ----------------------------------------------------------------------------------------------- */

void io_schemes(CURL *c, const char *header, unsigned origin, char *out, size_t size)
{
    struct curl_header *h;
    char scheme[20];
    size_t at = 0;

    out[0] = '\0';
    for (size_t i = 0;
         i < SCHEMES_MOST && curl_easy_header(c, header, i, origin, -1, &h) == CURLHE_OK; i++) {
        (void)snprintf(scheme, sizeof scheme, "%.*s", (int)strcspn(h->value, " "), h->value);
        if (strstr(out, scheme) != NULL)
            continue;
        if (at + strlen(scheme) + 3 > size)
            break;
        at += (size_t)snprintf(out + at, size - at, "%s%s", at > 0 ? ", " : "", scheme);
    }
}

/* Is one of the schemes among those we may use?  None at all is no list to judge by. */
static bool is_usable(const char *schemes, const char *auth)
{
    if (schemes[0] == '\0')
        return true;
    if (strcmp(auth, "any") == 0)
        return strcasestr(schemes, "basic") != NULL || strcasestr(schemes, "digest") != NULL
               || strcasestr(schemes, "ntlm") != NULL;
    return strcasestr(schemes, auth) != NULL;
}

static int no_login(
    const struct io_way *w, const struct proxy_way *way, CURL *c, long status, struct err *e)
{
    const char *auth = auth_of(w);
    char schemes[60];

    io_schemes(c, "Proxy-Authenticate", CURLH_CONNECT, schemes, sizeof schemes);
    if (!is_usable(schemes, auth))
        return err_set(e, ERR_PROXY,
            "proxy %.80s offers only %s, which proxy.auth = \"%s\" does not use (%ld)", way->url,
            schemes, auth, status);
    if (strcmp(auth, "negotiate") == 0)
        return err_set(e, ERR_PROXY,
            "proxy %.80s does not take the service's Kerberos ticket, or there is none (%ld)",
            way->url, status);
    return err_set(e, ERR_PROXY, "proxy %.80s %s (%ld)%s%s", way->url,
        login_of(w, way) == NULL ? "wants a user and a password, none is configured"
                                 : "refuses the user and password it was given",
        status, schemes[0] != '\0' ? "; it offers " : "", schemes);
}

static int refused(const struct io_way *w, const struct proxy_way *way, CURL *c, long status,
    const char *destination, struct err *e)
{
    if (status == 407 || status == 401) /* tinyproxy says 401 to a wrong password */
        (void)no_login(w, way, c, status, e);
    else if (status >= 500)
        (void)err_set(e, ERR_NET, "proxy %.60s cannot reach %.80s (it answered %ld to CONNECT)",
            way->url, destination, status);
    else
        (void)err_set(e, ERR_PROXY,
            "the policy of proxy %.60s does not allow %.80s (it answered %ld to CONNECT)", way->url,
            destination, status);
    e->number = (uint32_t)status;
    return -1;
}

static int socks_failed(const struct io_way *w, const struct proxy_way *way, CURL *c,
    const char *destination, const char *why, struct err *e)
{
    long code = CURLPX_OK;

    (void)curl_easy_getinfo(c, CURLINFO_PROXY_ERROR, &code);
    switch (code) {
    case CURLPX_USER_REJECTED:
    case CURLPX_NO_AUTH:
        if (login_of(w, way) == NULL)
            return err_set(e, ERR_PROXY,
                "proxy %.80s wants a user and a password, none is configured", way->url);
        return code == CURLPX_NO_AUTH
                   ? err_set(e, ERR_PROXY, "proxy %.80s takes no user and password", way->url)
                   : err_set(e, ERR_PROXY, "proxy %.80s refuses the user and password it was given",
                       way->url);
    case CURLPX_REPLY_NOT_ALLOWED:
        return err_set(
            e, ERR_PROXY, "the policy of proxy %.80s does not allow %.80s", way->url, destination);
    case CURLPX_REPLY_HOST_UNREACHABLE:
    case CURLPX_REPLY_NETWORK_UNREACHABLE:
    case CURLPX_REPLY_CONNECTION_REFUSED:
    case CURLPX_REPLY_TTL_EXPIRED:
    case CURLPX_REPLY_GENERAL_SERVER_FAILURE:
        return err_set(
            e, ERR_NET, "proxy %.60s cannot reach %.80s: %.50s", way->url, destination, why);
    default:
        return err_set(e, ERR_PROXY_DOWN,
            "proxy %.80s does not answer as a SOCKS5 proxy does: %.60s", way->url, why);
    }
}

static bool is_tls(CURLcode rc)
{
    return rc == CURLE_PEER_FAILED_VERIFICATION || rc == CURLE_SSL_ISSUER_ERROR
           || rc == CURLE_SSL_INVALIDCERTSTATUS || rc == CURLE_SSL_CONNECT_ERROR
           || rc == CURLE_SSL_CACERT_BADFILE;
}

/* The proxy has been reached, or not, and has not answered. */
static int no_answer(
    const struct proxy_way *way, CURL *c, CURLcode rc, const char *why, struct err *e)
{
    long reason = 0;

    if (is_scheme(way, "https") && is_tls(rc))
        return rc == CURLE_SSL_CONNECT_ERROR
                   ? err_set(e, ERR_PROXY, "proxy %.80s does not speak TLS: %.80s", way->url, why)
                   : err_set(e, ERR_PROXY, "the certificate of proxy %.60s is not trusted: %.80s",
                       way->url, why);
    if (is_scheme(way, "https") && rc == CURLE_OPERATION_TIMEDOUT)
        return err_set(e, ERR_PROXY_DOWN,
            "proxy %.80s does not answer: %.60s; is it an http:// proxy?", way->url, why);
    (void)curl_easy_getinfo(c, CURLINFO_OS_ERRNO, &reason);
    return err_set(e, ERR_PROXY_DOWN, "proxy %.80s does not answer: %.90s", way->url,
        rc == CURLE_COULDNT_CONNECT && reason != 0 ? strerror((int)reason) : why);
}

bool io_way_failed(const struct io_way *w, const struct proxy_way *way, CURL *c, CURLcode rc,
    const char *destination, const char *why, struct err *e)
{
    curl_off_t connected_us = 0;
    long status = 0;

    if (way->url[0] == '\0')
        return false;
    (void)curl_easy_getinfo(c, CURLINFO_HTTP_CONNECTCODE, &status);
    if (rc == CURLE_COULDNT_RESOLVE_PROXY)
        (void)err_set(e, ERR_PROXY, "the name of proxy %.100s is not found", way->url);
    else if (rc == CURLE_PROXY)
        (void)socks_failed(w, way, c, destination, why, e);
    else if (status >= 300)
        (void)refused(w, way, c, status, destination, e);
    else if (status >= 200)
        return false; /* the tunnel stood */
    else if (is_scheme(way, "socks5")) {
        /* What it refuses has a code of its own; the time of the connection is set when its part is done. */
        (void)curl_easy_getinfo(c, CURLINFO_CONNECT_TIME_T, &connected_us);
        if (rc != CURLE_COULDNT_CONNECT && (rc != CURLE_OPERATION_TIMEDOUT || connected_us > 0))
            return false;
        (void)no_answer(way, c, rc, why, e);
    } else
        (void)no_answer(way, c, rc, why, e);
    return true;
}
