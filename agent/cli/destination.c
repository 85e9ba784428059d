/* see destination.h */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "agent/base/io.h"
#include "agent/cli/destination.h"
#include "agent/doctor/doctor_look.h"

enum { TIMEOUT_MS = 20000, ANSWER_MAX = 1 << 20 };

/* ---- what there is ---------------------------------------------------------------------------------------------- */

static int find(const struct conf *c, struct destination *d, struct err *e)
{
    bool tls;

    if (!doctor_place(d->url, d->host, sizeof d->host, &d->port, &tls))
        return err_set(e, ERR_INPUT, "%.80s: no URL with a host", d->url);
    if (proxy_way(c, d->own, d->host, d->port, &d->way, e) != 0)
        return -1;
    d->credential = proxy_credential(c, d->own, d->own_credential, &d->way);
    return 0;
}

static struct destination *add(
    struct destination *list, size_t *n, const char *name, const char *url)
{
    struct destination *d = &list[*n];

    *d = (struct destination){ 0 };
    (void)snprintf(d->name, sizeof d->name, "%s", name);
    (void)snprintf(d->url, sizeof d->url, "%s", url);
    (*n)++;
    return d;
}

/* "url=https://...", "token_url=https://..." */
static const char *url_in(const char *setting)
{
    const char *is = strchr(setting, '=');

    return is != NULL && strncmp(is + 1, "https://", 8) == 0 ? is + 1 : NULL;
}

static void add_plugin(const struct conf_plugin *p, struct destination *list, size_t *n)
{
    char name[160];

    for (size_t i = 0; i < p->settings.count && *n < DESTINATIONS_MAX; i++) {
        const char *setting = p->settings.at[i], *url = url_in(setting);

        if (url == NULL)
            continue;
        (void)snprintf(name, sizeof name, "plugin \"%s\" %.*s", p->name,
            (int)(strchr(setting, '=') - setting), setting);
        add(list, n, name, url)->trust = p->trust;
    }
}

size_t destination_list(const struct conf *c, struct destination list[DESTINATIONS_MAX])
{
    struct destination *d;
    char name[100];
    size_t n = 0;

    if (c->cloud.url != NULL) {
        d = add(list, &n, "cloud", c->cloud.url);
        d->own = c->cloud.proxy;
        d->own_credential = c->cloud.proxy_credential;
        d->trust = c->cloud.trust;
        d->certificate = c->cloud.client_certificate;
        d->key = c->cloud.client_key;
    }
    for (size_t i = 0; i < c->ca_count; i++) {
        const struct conf_ca *ca = &c->cas[i];

        if (ca->url == NULL)
            continue;
        (void)snprintf(name, sizeof name, "ca \"%s\"", ca->name);
        d = add(list, &n, name, ca->url);
        d->own = ca->proxy;
        d->own_credential = ca->proxy_credential;
        d->trust = ca->trust;
        d->certificate = ca->client_certificate;
        d->key = ca->client_key;
    }
    for (size_t i = 0; i < c->plugin_count; i++)
        add_plugin(&c->plugins[i], list, &n);
    for (size_t i = 0; i < n; i++)
        (void)!find(c, &list[i], &list[i].why);
    return n;
}

int destination_of(const struct conf *c, const char *url, struct destination *out, struct err *e)
{
    size_t n = 0;

    if (http_url_ok(url, e) != 0)
        return -1;
    (void)add(out, &n, url, url);
    return find(c, out, e);
}

/* ---- whether it works --------------------------------------------------------------------------------------------- */

struct attempt {
    struct destination *d;
    uint64_t began_ms;
};

static void on_answer(void *arg, const struct result *r)
{
    struct attempt *a = arg;
    struct destination *d = a->d;

    d->ms = (int64_t)(io_now_ms() - a->began_ms);
    /* What comes after the request was sent is not about the way: a server may want our certificate. */
    d->works = r->err == NULL || r->err->cls == ERR_TOO_LARGE
               || (r->err->cls == ERR_NET
                   && (r->sent || strstr(r->err->msg, " alert ") != NULL)); /* TLS was spoken */
    if (r->http != NULL)
        d->status = r->http->status;
    if (!d->works)
        d->why = *r->err;
}

void destination_try(const struct conf *c, struct secrets *s, struct destination *d)
{
    struct io_peer_conf pc = { .name = d->name,
        .trust_file = d->trust,
        .certificate_file = d->certificate,
        .key_file = d->key,
        .secrets = s,
        .conf = c,
        .proxy = d->own,
        .proxy_credential = d->own_credential,
        .connections_max = 1 };
    struct http_req q = {
        .method = "GET", .url = d->url, .max_reply = ANSWER_MAX, .timeout_ms = TIMEOUT_MS
    };
    struct attempt a = { d, io_now_ms() };
    struct io_peer *p = NULL;

    if (d->why.cls != ERR_NONE)
        return;
    d->tried = true;
    if ((p = io_peer_new(&pc, &d->why)) != NULL && io_http(p, &q, on_answer, &a, &d->why) != NULL)
        io_run();
    io_peer_free(p);
}

/* ---- what is said ------------------------------------------------------------------------------------------------- */

void destination_fix(const struct destination *d, char *out, size_t size)
{
    const char *proxy = d->way.url;
    uint32_t number = d->why.number;

    switch (d->why.cls) {
    case ERR_PROXY:
        if (strstr(d->why.msg, "offers only") != NULL)
            (void)snprintf(out, size,
                "certferry config set proxy.auth negotiate, or another one that it offers");
        else if (number != 0 && number != 407 && number != 401)
            (void)snprintf(out, size,
                "let the proxy allow CONNECT to %s:%u; or past it: certferry proxy set %s "
                "--no-proxy %s",
                d->host, d->port, proxy, d->host);
        else if (strstr(d->why.msg, "certificate of proxy") != NULL)
            (void)snprintf(out, size,
                "name the roots of its certificate: certferry config set proxy.trust FILE");
        else if (strstr(d->why.msg, "name of proxy") != NULL
                 || strstr(d->why.msg, "speak TLS") != NULL)
            (void)snprintf(out, size, "correct it: certferry proxy set http://HOST:PORT");
        else
            (void)snprintf(out, size,
                "certferry proxy set %s --credentials-file FILE, with user:password in a file of "
                "mode 0600",
                proxy);
        break;
    case ERR_PROXY_DOWN:
        (void)snprintf(out, size,
            "is it running there?  Another one: certferry proxy set http://HOST:PORT; none: "
            "certferry proxy clear");
        break;
    case ERR_TRUST:
        (void)snprintf(out, size,
            "if a proxy opens TLS, let it pass %s unopened; else name the right roots: option "
            "trust of the section",
            d->host);
        break;
    case ERR_CONFIG:
        (void)snprintf(out, size, "certferry config validate; certferry proxy show");
        break;
    default:
        (void)snprintf(out, size, "certferry doctor --only NET shows how far it gets");
        break;
    }
}

void destination_json(const struct destination *d, struct json_out *o)
{
    char fix[300];

    json_put_text(o, "name", d->name);
    json_put_text(o, "url", d->url);
    if (d->way.url[0] != '\0')
        json_put_text(o, "proxy", d->way.url);
    else
        json_put_null(o, "proxy");
    json_put_text(o, "why", d->way.why);
    if (d->credential != NULL)
        json_put_text(o, "credential", d->credential);
    else
        json_put_null(o, "credential");
    if (d->tried) {
        json_put_bool(o, "works", d->works);
        json_put_int(o, "status", d->status);
        json_put_int(o, "ms", d->ms);
    }
    if (d->why.cls == ERR_NONE) {
        json_put_null(o, "error");
        return;
    }
    destination_fix(d, fix, sizeof fix);
    json_open(o, "error", '{');
    json_put_text(o, "code", err_name(d->why.cls));
    json_put_text(o, "message", d->why.msg);
    json_put_text(o, "fix", fix);
    json_close(o, '}');
}
