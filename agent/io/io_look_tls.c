/* see io_look.h.  The proxy, TLS and one HEAD, as libcurl does them; what it says on the way is listened to. */
#include <curl/curl.h>
#include <stdio.h>
#include <string.h>
#include "agent/io/io_look_tls.h"
#include "certs/chain.h"

enum { CHAIN_BYTES_MAX = 256 << 10 };

struct hearing {
    struct io_look *k;
};

/* "SSL connection using TLSv1.3 / TLS_AES_256_GCM_SHA384": the words have stood there since 2014. */
static void hear_text(struct io_look *k, const char *text, size_t len)
{
    static const char words[] = "SSL connection using ";
    const char *at = len > sizeof words ? memmem(text, len, words, sizeof words - 1) : NULL;
    size_t room;

    if (at == NULL)
        return;
    at += sizeof words - 1;
    room = len - (size_t)(at - text);
    (void)snprintf(k->version, sizeof k->version, "%.*s",
        (int)strcspn(at, " /\r\n") < (int)room ? (int)strcspn(at, " /\r\n") : (int)room, at);
    err_clean(k->version);
}

static void hear_header(struct hearing *h, const char *line, size_t len)
{
    static const char name[] = "proxy-authenticate:";
    struct io_look *k = h->k;
    size_t at = strlen(k->proxy_offers), skip = sizeof name - 1;

    if (len <= skip || strncasecmp(line, name, skip) != 0)
        return;
    while (skip < len && line[skip] == ' ')
        skip++;
    (void)snprintf(k->proxy_offers + at, sizeof k->proxy_offers - at, "%s%.*s", at > 0 ? ", " : "",
        (int)strcspn(line + skip, " \r\n"), line + skip);
    err_clean(k->proxy_offers);
}

static int on_debug(CURL *c, curl_infotype type, char *data, size_t len, void *arg)
{
    struct hearing *h = arg;
    char line[1024];

    (void)c;
    if (type != CURLINFO_TEXT && type != CURLINFO_HEADER_IN)
        return 0;
    (void)snprintf(
        line, sizeof line, "%.*s", (int)(len < sizeof line ? len : sizeof line - 1), data);
    if (type == CURLINFO_TEXT)
        hear_text(h->k, line, strlen(line));
    else
        hear_header(h, line, strlen(line));
    return 0;
}

static size_t on_nothing(char *p, size_t one, size_t n, void *arg)
{
    (void)p;
    (void)arg;
    return one * n;
}

/* ---- options ------------------------------------------------------------------------------------------------------ */

static long auth_of(const char *name)
{
    static const struct {
        const char *name;
        unsigned long bits;
    } rows[] = { { "basic", CURLAUTH_BASIC }, { "digest", CURLAUTH_DIGEST },
        { "ntlm", CURLAUTH_NTLM }, { "negotiate", CURLAUTH_NEGOTIATE } };

    for (size_t i = 0; name != NULL && i < sizeof rows / sizeof rows[0]; i++)
        if (strcmp(rows[i].name, name) == 0)
            return (long)rows[i].bits;
    return (long)CURLAUTH_ANY;
}

static unsigned set_proxy(CURL *c, const struct io_look *k)
{
    unsigned bad = 0;

    bad |= curl_easy_setopt(c, CURLOPT_PROXY, k->proxy);
    bad |= curl_easy_setopt(c, CURLOPT_NOPROXY, "");
    if (k->proxy[0] == '\0')
        return bad;
    if (strncmp(k->proxy, "socks5:", 7) == 0) /* names are the proxy's to resolve */
        bad |= curl_easy_setopt(c, CURLOPT_PROXYTYPE, (long)CURLPROXY_SOCKS5_HOSTNAME);
    bad |= curl_easy_setopt(c, CURLOPT_HTTPPROXYTUNNEL, 1L);
    bad |= curl_easy_setopt(c, CURLOPT_PROXYAUTH, auth_of(k->proxy_auth));
    if (k->proxy_credential != NULL)
        bad |= curl_easy_setopt(c, CURLOPT_PROXYUSERPWD, k->proxy_credential);
    if (k->proxy_trust != NULL) {
        bad |= curl_easy_setopt(c, CURLOPT_PROXY_CAINFO, k->proxy_trust);
        bad |= curl_easy_setopt(c, CURLOPT_PROXY_CAPATH, NULL);
    }
    return bad;
}

/* How far one look goes.  Our certificate is never shown to a host that does not verify. */
enum with {
    PROVED,
    UNPROVED,
    BLIND
}; /* verified, with our certificate; without it; not verified */

static unsigned set_blob(CURL *c, CURLoption o, struct view v)
{
    struct curl_blob b = { (void *)(uintptr_t)v.p, v.len, CURL_BLOB_COPY };

    return curl_easy_setopt(c, o, &b);
}

static unsigned set_tls(CURL *c, const struct io_look *k, enum with with)
{
    bool verify = with != BLIND;
    unsigned bad = 0;

    bad |= curl_easy_setopt(c, CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2);
    bad |= curl_easy_setopt(c, CURLOPT_SSL_VERIFYPEER, verify ? 1L : 0L);
    bad |= curl_easy_setopt(c, CURLOPT_SSL_VERIFYHOST, verify ? 2L : 0L);
    bad |= curl_easy_setopt(c, CURLOPT_CERTINFO, 1L);
    if (k->trust != NULL) {
        bad |= curl_easy_setopt(c, CURLOPT_CAINFO, k->trust);
        bad |= curl_easy_setopt(c, CURLOPT_CAPATH, NULL);
    }
    if (with == PROVED && k->certificate_pem.len > 0) {
        bad |= set_blob(c, CURLOPT_SSLCERT_BLOB, k->certificate_pem);
        bad |= set_blob(c, CURLOPT_SSLKEY_BLOB, k->key_pem);
    } else if (with == PROVED && k->certificate != NULL) {
        bad |= curl_easy_setopt(c, CURLOPT_SSLCERT, k->certificate);
        bad |= curl_easy_setopt(c, CURLOPT_SSLKEY, k->key != NULL ? k->key : k->certificate);
    }
    return bad;
}

static unsigned set_options(
    CURL *c, const struct io_look *k, struct hearing *h, char *url, size_t size, enum with with)
{
    unsigned bad = 0;

    (void)snprintf(url, size, strchr(k->host, ':') != NULL ? "%s://[%s]:%u/" : "%s://%s:%u/",
        k->tls ? "https" : "http", k->host, k->port);
    bad |= curl_easy_setopt(c, CURLOPT_URL, url);
    bad |= curl_easy_setopt(c, CURLOPT_NOBODY, 1L);
    bad |= curl_easy_setopt(c, CURLOPT_FILETIME, 0L);
    bad |= curl_easy_setopt(c, CURLOPT_WRITEFUNCTION, on_nothing);
    bad |= curl_easy_setopt(c, CURLOPT_FOLLOWLOCATION, 0L);
    bad |= curl_easy_setopt(c, CURLOPT_NETRC, (long)CURL_NETRC_IGNORED);
    bad |= curl_easy_setopt(c, CURLOPT_PROTOCOLS_STR, "https,http");
    bad |= curl_easy_setopt(c, CURLOPT_TIMEOUT_MS, (long)IO_LOOK_HTTP_MS);
    bad |= curl_easy_setopt(c, CURLOPT_CONNECTTIMEOUT_MS, (long)IO_LOOK_HTTP_MS);
    bad |= curl_easy_setopt(c, CURLOPT_NOSIGNAL, 1L);
    bad |= curl_easy_setopt(c, CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1);
    bad |= curl_easy_setopt(c, CURLOPT_DEBUGFUNCTION, on_debug);
    bad |= curl_easy_setopt(c, CURLOPT_DEBUGDATA, h);
    bad |= curl_easy_setopt(c, CURLOPT_VERBOSE, 1L);
    bad |= set_proxy(c, k);
    bad |= set_tls(c, k, with);
    return bad;
}

/* The address that has answered: the name is not asked for again. */
static struct curl_slist *answered_at(const struct io_look *k)
{
    bool proxied = k->proxy[0] != '\0';
    char line[400];

    for (size_t i = 0; i < k->count; i++)
        if (k->address[i].ok) {
            (void)snprintf(line, sizeof line, "%s:%u:%s%s%s", proxied ? k->proxy_host : k->host,
                proxied ? k->proxy_port : k->port, k->address[i].v6 ? "[" : "", k->address[i].text,
                k->address[i].v6 ? "]" : "");
            return curl_slist_append(NULL, line);
        }
    return NULL;
}

/* ---- what came of it ---------------------------------------------------------------------------------------------- */

static void keep_chain(struct lib *l, CURL *c, struct io_look *k)
{
    struct curl_certinfo *all = NULL;
    struct err e;
    size_t count;

    if (curl_easy_getinfo(c, CURLINFO_CERTINFO, &all) != CURLE_OK || all == NULL
        || k->chain.len > 0)
        return;
    for (int i = 0; i < all->num_of_certs && i < CHAIN_MAX; i++)
        for (struct curl_slist *s = all->certinfo[i]; s != NULL; s = s->next)
            if (strncmp(s->data, "Cert:", 5) == 0)
                (void)!chain_read(l, view_text(s->data + 5), &k->chain, &count, &e);
}

static void keep_date(CURL *c, struct io_look *k)
{
    struct curl_header *date;

    if (curl_easy_header(c, "Date", 0, CURLH_HEADER, -1, &date) != CURLHE_OK)
        return;
    k->date = http_date(date->value);
    k->date_seen_at = io_wall_s();
}

/* The numbers are those of X509_verify_cert. */
static enum io_look_tls verdict_of(CURLcode rc, long verify)
{
    if (rc != CURLE_PEER_FAILED_VERIFICATION)
        return IO_TLS_REFUSED;
    switch (verify) {
    case 0:
    case 1: /* what libcurl has there before anything was verified */
        return IO_TLS_NAME;
    case 9:
        return IO_TLS_NOT_YET;
    case 10:
        return IO_TLS_EXPIRED;
    case 2:
    case 18:
    case 19:
    case 20:
    case 21:
    case 24:
        return IO_TLS_ISSUER;
    case 62:
        return IO_TLS_NAME;
    default:
        return IO_TLS_REFUSED;
    }
}

static void judge(CURL *c, CURLcode rc, const char *why, struct io_look *k)
{
    curl_off_t handshake = 0;
    long verify = 0, proxy_error = 0;

    (void)curl_easy_getinfo(c, CURLINFO_HTTP_CONNECTCODE, &k->proxy_status);
    (void)curl_easy_getinfo(c, CURLINFO_PROXY_ERROR, &proxy_error);
    (void)curl_easy_getinfo(c, CURLINFO_APPCONNECT_TIME_T, &handshake);
    (void)curl_easy_getinfo(c, CURLINFO_SSL_VERIFYRESULT, &verify);
    (void)snprintf(
        k->http_why, sizeof k->http_why, "%s", why[0] != '\0' ? why : curl_easy_strerror(rc));
    err_clean(k->http_why);
    k->proxy_failed = k->proxy[0] != '\0' && rc != CURLE_OK
                      && (k->proxy_status >= 400 || proxy_error != 0 || rc == CURLE_PROXY
                          || (k->proxy_status == 0 && k->version[0] == '\0'
                              && strncmp(k->proxy, "http", 4) == 0));
    if (k->proxy_failed || !k->tls)
        return;
    if (rc == CURLE_OK || handshake > 0) /* after it, a wish for our certificate may end it */
        k->verdict = IO_TLS_OK;
    else if (rc == CURLE_SSL_CONNECT_ERROR || rc == CURLE_OPERATION_TIMEDOUT
             || rc == CURLE_RECV_ERROR || rc == CURLE_SEND_ERROR || rc == CURLE_GOT_NOTHING)
        k->verdict = IO_TLS_NO_TLS;
    else
        k->verdict = verdict_of(rc, verify);
}

static CURLcode once(struct lib *l, struct io_look *k, struct curl_slist *at, enum with with)
{
    struct hearing h = { .k = k };
    CURL *c = curl_easy_init();
    CURLcode rc = CURLE_FAILED_INIT;
    char url[400], why[CURL_ERROR_SIZE] = "";

    if (c == NULL)
        return rc;
    if (set_options(c, k, &h, url, sizeof url, with) == 0
        && curl_easy_setopt(c, CURLOPT_RESOLVE, at) == CURLE_OK
        && curl_easy_setopt(c, CURLOPT_ERRORBUFFER, why) == CURLE_OK)
        rc = curl_easy_perform(c);
    if (with != BLIND)
        judge(c, rc, why, k);
    keep_chain(l, c, k);
    keep_date(c, k);
    curl_easy_cleanup(c);
    return rc;
}

void io_look_tls(struct lib *l, struct io_look *k)
{
    struct curl_slist *at = answered_at(k);
    uint64_t from = io_look_ms();

    k->chain = (struct buf)BUF_INIT(CHAIN_BYTES_MAX);
    if (once(l, k, at, PROVED) == CURLE_SSL_CERTPROBLEM) /* ours cannot be used: others say so */
        (void)once(l, k, at, UNPROVED);
    if (k->tls && !k->proxy_failed && k->verdict != IO_TLS_OK && k->verdict != IO_TLS_NO_TLS)
        (void)once(l, k, at, BLIND);
    k->tls_ms = (int64_t)(io_look_ms() - from);
    curl_slist_free_all(at);
}

const char *io_look_curl(void)
{
    return curl_version_info(CURLVERSION_NOW)->version;
}
