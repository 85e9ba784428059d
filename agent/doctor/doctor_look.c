/* see doctor_look.h */
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include "agent/cloud/cloud.h"
#include "agent/cloud/connector.h"
#include "agent/doctor/doctor_look.h"
#include "certs/mem.h"

enum { ENDS_MAX = CONF_CA_MAX + 2 };

bool doctor_place(const char *url, char *host, size_t size, unsigned *port, bool *tls)
{
    const char *at = strstr(url, "://"), *end, *colon;

    if (at == NULL)
        return false;
    *tls = strncasecmp(url, "https:", 6) == 0;
    *port = *tls ? 443 : 80;
    at += 3;
    end = at + strcspn(at, "/?#");
    colon = memrchr(at, ':', (size_t)(end - at));
    if (*at == '[') {
        const char *close = memchr(at, ']', (size_t)(end - at));

        if (close == NULL)
            return false;
        colon = close[1] == ':' ? close + 1 : NULL;
        (void)snprintf(host, size, "%.*s", (int)(close - at - 1), at + 1);
    } else {
        (void)snprintf(host, size, "%.*s", (int)((colon != NULL ? colon : end) - at), at);
    }
    if (colon != NULL)
        *port = (unsigned)strtoul(colon + 1, NULL, 10);
    for (char *c = host; *c != '\0'; c++)
        *c = (char)tolower((unsigned char)*c);
    return host[0] != '\0' && *port > 0 && *port < 65536;
}

static bool same_text(const char *a, const char *b)
{
    return a == b || (a != NULL && b != NULL && strcmp(a, b) == 0);
}

static struct doctor_end *find(
    struct doctor *d, const char *host, unsigned port, bool tls, const char *trust)
{
    for (size_t i = 0; i < d->end_count; i++) {
        struct doctor_end *p = &d->ends[i];

        if (strcmp(p->host, host) == 0 && p->port == port && p->look.tls == tls
            && same_text(p->trust, trust))
            return p;
    }
    return NULL;
}

struct doctor_end *doctor_end(struct doctor *d, const char *url, const char *trust)
{
    char host[256];
    unsigned port;
    bool tls;

    return doctor_place(url, host, sizeof host, &port, &tls) ? find(d, host, port, tls, trust)
                                                             : NULL;
}

void doctor_broken(struct doctor_end *p, const char *code, const char *about)
{
    if (p->broken[0] == '\0')
        (void)snprintf(p->broken, sizeof p->broken, "needs %s of %s", code, about);
}

/* ---- who is there to look at ---------------------------------------------------------------------------------------- */

struct user { /* one section that reaches a place */
    const char *name, *url, *trust, *setting, *own_way, *own_credential, *certificate, *key;
};

static void join(struct doctor_end *p, const char *name)
{
    size_t at = strlen(p->about);

    if (at > 0 && p->about[at - 1] == ')')
        at--;
    (void)snprintf(
        p->about + at, sizeof p->about - at, "%s%s)", strchr(p->about, '(') ? ", " : " (", name);
}

static void add(struct doctor *d, const struct user *u)
{
    char host[256];
    unsigned port;
    bool tls;
    struct doctor_end *p;

    if (!doctor_place(u->url, host, sizeof host, &port, &tls))
        return; /* the configuration's check has said so */
    if ((p = find(d, host, port, tls, u->trust)) == NULL) {
        if (d->end_count == ENDS_MAX)
            return;
        p = &d->ends[d->end_count++];
        *p = (struct doctor_end){ .port = port, .trust = u->trust, .setting = u->setting };
        (void)snprintf(p->host, sizeof p->host, "%s", host);
        (void)snprintf(p->about, sizeof p->about, "%s:%u", host, port);
        (void)snprintf(p->target, sizeof p->target, "%s:%u", host, port);
        p->look.tls = tls;
        doctor_way(d, p, u->own_way, u->own_credential);
    }
    join(p, u->name);
    if (p->look.certificate == NULL) {
        p->look.certificate = u->certificate;
        p->look.key = u->key;
    }
}

static bool wants_either(const struct doctor *d, const char *a, const char *b)
{
    return doctor_wants(d, "NET-") || doctor_wants(d, "TLS-") || doctor_wants(d, "TIME-")
           || doctor_wants(d, a) || doctor_wants(d, b);
}

/* An identity that was made here is shown to the cloud, as the service does. */
static void add_identity(struct doctor *d)
{
    const struct conf_cloud *c = &d->conf->cloud;
    struct doctor_end *p = doctor_end(d, c->url, c->trust);
    struct err e;

    d->who = xcalloc(1, sizeof *d->who);
    if (p == NULL || d->secrets == NULL
        || connector_load(d->secrets, CONNECTOR_NOW, d->who, &e) != 1
        || d->who->method != CONNECTOR_MTLS || !cloud_is_mine(d->who, c->url))
        return;
    p->look.certificate_pem = buf_view(&d->who->certificate);
    p->look.key_pem = buf_view(&d->who->key);
}

static void add_all(struct doctor *d)
{
    const struct conf *c = d->conf;
    char name[100];

    if (c->cloud.url != NULL && wants_either(d, "CLOUD-", "AUTH-"))
        add(d, &(struct user){ "cloud", c->cloud.url, c->cloud.trust, "cloud.trust", c->cloud.proxy,
                   c->cloud.proxy_credential, c->cloud.client_certificate, c->cloud.client_key });
    if (d->end_count > 0)
        add_identity(d);
    for (size_t i = 0; i < c->ca_count && wants_either(d, "CA-", "CA-"); i++) {
        const struct conf_ca *ca = &c->cas[i];

        (void)snprintf(name, sizeof name, "ca \"%s\"", ca->name);
        add(d, &(struct user){ name, ca->url, ca->trust, "trust of its section ca", ca->proxy,
                   ca->proxy_credential, ca->client_certificate, ca->client_key });
    }
    if (d->url != NULL) /* from outside: devices have no proxy of ours */
        add(d, &(struct user){
                   "the public name", d->url, d->trust, "--trust", "none", NULL, NULL, NULL });
}

/* ---- all at once ------------------------------------------------------------------------------------------------------ */

struct look_work {
    struct io_work work;
    struct doctor_end *end; /* nobody else touches it until this is done */
};

static size_t looking;

static int look_run(struct lib *l, struct io_work *w, struct err *e)
{
    struct doctor_end *p = ((struct look_work *)w)->end;

    (void)e;
    io_look(l, &p->look);
    return 0;
}

static void look_free(struct io_work *w)
{
    free(w);
}

static void on_looked(void *arg, const struct result *r)
{
    (void)arg;
    (void)r;
    if (--looking == 0)
        io_stop();
}

static void look_at(struct doctor *d, struct doctor_end *p)
{
    struct look_work *w = xcalloc(1, sizeof *w);
    struct io_look *k = &p->look;

    k->host = p->host;
    k->port = p->port;
    k->trust = p->trust;
    k->proxy = p->way.url;
    k->proxy_host = p->proxy_host;
    k->proxy_port = p->proxy_port;
    k->proxy_auth = d->conf->proxy.auth;
    k->proxy_trust = d->conf->proxy.trust;
    if (p->credential.len > 0)
        k->proxy_credential = buf_text(&p->credential);
    w->work = (struct io_work){ look_run, look_free };
    w->end = p;
    looking++;
    (void)!io_work(&w->work, false, on_looked, NULL);
}

void doctor_looks(struct doctor *d)
{
    if (d->ends != NULL)
        return;
    d->ends = xcalloc(ENDS_MAX, sizeof *d->ends);
    add_all(d);
    for (size_t i = 0; i < d->end_count; i++)
        if (d->ends[i].way_why.cls == ERR_NONE)
            look_at(d, &d->ends[i]);
    if (looking > 0 && d->on_wait != NULL)
        d->on_wait(d->arg, "looking at every peer", looking);
    if (looking > 0)
        io_run();
}

void doctor_looks_free(struct doctor *d)
{
    for (size_t i = 0; i < d->end_count; i++) {
        buf_free(&d->ends[i].look.chain);
        buf_free(&d->ends[i].credential);
    }
    if (d->who != NULL)
        connector_free(d->who);
    free(d->who);
    d->who = NULL;
    free(d->ends);
    d->ends = NULL;
    d->end_count = 0;
}
