/* see ca.h.  The table of drivers, and what every instance has. */
#include <stdlib.h>
#include <string.h>
#include "agent/base/fs.h"
#include "agent/ca/ca.h"
#include "certs/chain.h"
#include "certs/mem.h"
#include "certs/name.h"

enum { ANCHORS_MAX = 1 << 20, REPLY_MAX = 1 << 20, ISSUERS_MOST = 12 };

static const struct ca_driver *const drivers[] = { &ca_adcs, &ca_est };

const char *ca_kinds(void)
{
    return "adcs, est";
}

static const struct ca_driver *driver_of(const char *kind)
{
    for (size_t i = 0; i < sizeof drivers / sizeof drivers[0]; i++)
        if (strcmp(drivers[i]->kind, kind) == 0)
            return drivers[i];
    return NULL;
}

static int read_anchors(struct ca *ca, struct lib *l, struct err *e)
{
    struct buf file = BUF_INIT(ANCHORS_MAX);
    size_t count = 0;
    int rc = -1;

    if (fs_read(ca->conf->anchors, &file, e) != 0)
        goto done;
    if (chain_read(l, buf_view(&file), &ca->anchors, &count, e) != 0) {
        e->cls = ERR_CONFIG;
        err_wrap(e, "%s", ca->conf->anchors);
        goto done;
    }
    rc = 0;
done:
    buf_free(&file);
    return rc;
}

struct ca *ca_open(const struct conf_ca *conf, struct lib *l, struct secrets *s, struct err *e)
{
    const struct ca_driver *d = driver_of(conf->type);
    struct io_peer_conf pc = { .name = conf->name,
        .trust_file = conf->trust,
        .certificate_file = conf->client_certificate,
        .key_file = conf->client_key,
        .auth = conf_auth(conf),
        .secret_file = conf->credentials_file,
        .secrets = s,
        .conf = conf->all,
        .proxy = conf->proxy,
        .proxy_credential = conf->proxy_credential,
        .connections_max = (unsigned)conf->max_in_flight,
        .http1 = true };
    struct ca *ca;

    if (d == NULL) {
        (void)err_set(e, ERR_CONFIG, "ca \"%s\".type: \"%s\" is none of %s", conf->name, conf->type,
            ca_kinds());
        return NULL;
    }
    if ((ca = d->open(conf, e)) == NULL)
        return NULL;
    ca->driver = d;
    ca->conf = conf;
    ca->peer = peer_new(conf->name);
    ca->anchors = (struct buf)BUF_INIT(ANCHORS_MAX);
    ca->issuers = (struct buf)BUF_INIT(ANCHORS_MAX);
    if ((ca->io = io_peer_new(&pc, e)) != NULL && read_anchors(ca, l, e) == 0)
        return ca;
    err_wrap(e, "ca \"%s\"", conf->name);
    ca_close(ca);
    return NULL;
}

void ca_close(struct ca *ca)
{
    if (ca == NULL)
        return;
    io_peer_free(ca->io);
    peer_free(ca->peer);
    buf_free(&ca->anchors);
    buf_free(&ca->issuers);
    ca->driver->close(ca);
}

static bool has(const struct buf *list, struct view certificate,
    bool (*is)(const struct cert *a, struct view b))
{
    struct view rest = buf_view(list), der;
    struct cert c;
    struct err e;

    while (chain_next(&rest, &der, &e) == 1)
        if (cert_parse(der, &c, &e) == 0 && is(&c, certificate))
            return true;
    return false;
}

static bool is_issuer_of(const struct cert *a, struct view b)
{
    struct cert c;
    struct err e;

    return cert_parse(b, &c, &e) == 0 && name_equal(a->subject, c.issuer);
}

static bool is_same(const struct cert *a, struct view b)
{
    return view_equal(a->der, b);
}

bool ca_knows_issuer(const struct ca *ca, struct view certificate)
{
    return has(&ca->anchors, certificate, is_issuer_of)
           || has(&ca->issuers, certificate, is_issuer_of);
}

static size_t count_of(const struct buf *list)
{
    struct view rest = buf_view(list), der;
    size_t n = 0;
    struct err e;

    while (chain_next(&rest, &der, &e) == 1)
        n++;
    return n;
}

int ca_learn(struct ca *ca, struct view certificates, struct err *e)
{
    struct view der;
    struct cert c;
    int got;

    while ((got = chain_next(&certificates, &der, e)) == 1) {
        if (cert_parse(der, &c, e) != 0)
            return -1;
        if (c.ca && !has(&ca->issuers, der, is_same) && !has(&ca->anchors, der, is_same)
            && count_of(&ca->issuers) < ISSUERS_MOST)
            buf_add_view(&ca->issuers, der);
    }
    return got < 0 ? -1 : buf_check(&ca->issuers, e);
}

void ca_request(
    struct ca *ca, struct http_req *q, const char *method, const char *url, struct view body)
{
    *q = (struct http_req){ .method = method,
        .url = url,
        .body = body,
        .max_reply = REPLY_MAX,
        .timeout_ms = (unsigned)ca->conf->timeout * 1000 };
}
