/* see cloud.h */
#include <stdio.h>
#include <string.h>
#include "agent/base/clock.h"
#include "agent/base/crash.h"
#include "agent/base/log.h"
#include "agent/cloud/cloud.h"
#include "proto/json.h"

/* ---- who we are ------------------------------------------------------------------------------------------------ */

const struct connector *cloud_who(const struct cloud *c)
{
    return c->way != NULL ? cloud_way_who(c->way) : NULL;
}

const char *cloud_agent_id(const struct cloud *c)
{
    const struct connector *who = cloud_who(c);

    return who != NULL ? who->agent_id : c->conf->agent_id;
}

/* With or without a slash at the end it is the same cloud. */
bool cloud_is_mine(const struct connector *who, const char *url)
{
    size_t a = strlen(who->cloud), b = url != NULL ? strlen(url) : 0;

    a -= a > 0 && who->cloud[a - 1] == '/';
    b -= b > 0 && url[b - 1] == '/';
    return a > 0 && a == b && strncmp(who->cloud, url, a) == 0;
}

/* A peer is freed only when curl has its handles back: not now, for now we may be told of an answer by it. */
static void retire(struct cloud *c, struct cloud_way *w)
{
    size_t i = 0;

    while (w != NULL && i < CLOUD_OLD - 1 && c->old[i] != NULL)
        i++;
    if (w != NULL
        && c->old[i]
               == NULL) /* else it stays until the end of the process: eight sign-ins in minutes */
        c->old[i] = w;
}

static void free_old(struct cloud *c, bool all)
{
    for (size_t i = 0; i < CLOUD_OLD; i++)
        if (c->old[i] != NULL && (all || cloud_way_is_idle(c->old[i]))) {
            cloud_way_free(c->old[i]);
            c->old[i] = NULL;
        }
}

static void refused(struct cloud *c, const struct err *why)
{
    c->why = *why;
    if (c->needs_sign_in)
        return;
    c->needs_sign_in = true;
    c->refused_at = clock_now();
    log_event(EV_NEEDS_SIGN_IN, NULL, "cloud",
        "the cloud does not accept this connector's identity: %s; requests wait until somebody "
        "signs in again: certferry sign-in",
        why->msg);
}

static void accepted(struct cloud *c)
{
    if (!c->needs_sign_in)
        return;
    c->needs_sign_in = false;
    c->came_back = true;
    log_event(EV_SIGNED_IN, NULL, "cloud",
        "the connector's identity is accepted again after %lld s",
        (long long)(clock_now() - c->refused_at));
}

void cloud_look(struct cloud *c)
{
    const struct connector *who = cloud_who(c);
    struct err e;
    char end[24];

    free_old(c, false);
    if (who == NULL || clock_now() < who->not_after_at || c->needs_sign_in)
        return;
    time_text(who->not_after_at, end);
    (void)err_set(&e, ERR_AUTH, "the connector's certificate has ended %s", end);
    refused(c, &e);
}

/* The renewed identity has worked: it is kept as the one in use before the old one is let go. */
static void promote(struct cloud *c)
{
    const struct connector *who = cloud_way_who(c->next);
    struct err e;
    char until[24];

    if (connector_keep(c->secrets, CONNECTOR_NOW, who, &e) != 0) {
        log_err(EV_STORE_FAILED, NULL, "cloud", &e); /* the next heartbeat tries again */
        return;
    }
    crash_point(31);
    if (connector_drop(c->secrets, CONNECTOR_NEXT, &e)
        != 0) /* the next start tries it, in vain or not */
        log_err(EV_STORE_FAILED, NULL, "cloud", &e);
    time_text(who->not_after_at, until);
    log_event(EV_IDENTITY_RENEWED, NULL, "cloud",
        "the renewed certificate of the connector has worked and is used; it ends %s", until);
    retire(c, c->way);
    c->way = c->next;
    c->io = cloud_way_peer(c->way);
    c->next = NULL;
    accepted(c);
}

static void drop_next(struct cloud *c, const struct err *why)
{
    struct err e;

    log_err(EV_IDENTITY_REFUSED, NULL, "cloud", why);
    if (connector_drop(c->secrets, CONNECTOR_NEXT, &e) != 0)
        log_err(EV_STORE_FAILED, NULL, "cloud", &e);
    retire(c, c->next);
    c->next = NULL;
}

/* A 403 of the cloud itself, not of a proxy, says so in its code. */
static bool says_who(const struct http_reply *h)
{
    struct err e;
    struct json *root = json_parse(h->body, CCP_BATCH_MAX, &e);
    const char *code = json_string(json_get(json_get(root, "error"), "code"));
    bool who = code != NULL && ccp_code_class(code) == ERR_AUTH;

    json_free(root);
    return who;
}

/* Of an answer only what says something about who we are: 401, a certificate or connector that the cloud does not
 * know any more, or an access token that is refused us. */
static bool is_refusal(const struct result *r, struct err *e)
{
    if (r->err != NULL) {
        *e = *r->err;
        return e->cls == ERR_AUTH || e->cls == ERR_FORBIDDEN;
    }
    return (r->http->status == 401 || (r->http->status == 403 && says_who(r->http)))
           && ccp_judge(r->http, e) != 0;
}

static void told(void *arg, struct cloud_way *w, const struct result *r)
{
    struct cloud *c = arg;
    bool worked = r->err == NULL && r->http->status / 100 == 2;
    struct err e;

    if (worked && w == c->next)
        promote(c);
    else if (worked && w == c->way)
        accepted(c);
    else if (is_refusal(r, &e) && w == c->next)
        drop_next(c, &e);
    else if (is_refusal(r, &e) && w == c->way)
        refused(c, &e);
}

/* ---- opening ------------------------------------------------------------------------------------------------------ */

static struct cloud_way *new_way(struct cloud *c, const struct connector *who, struct err *e)
{
    const struct cloud_way_conf w = {
        .cloud = c->conf, .secrets = c->secrets, .lib = c->lib, .who = who, .told = told, .arg = c
    };

    return cloud_way_new(&w, e);
}

/* The identity that is kept, if it belongs to this cloud.  An empty one: there is none. */
static int load(struct cloud *c, const char *name, struct connector *who, struct err *e)
{
    int got = c->secrets != NULL ? connector_load(c->secrets, name, who, e) : 0;

    if (got == 1 && !cloud_is_mine(who, c->conf->url)) {
        connector_free(who);
        got = 0;
    }
    return got;
}

/* What to send by now.  *broken: there is an identity, and it cannot be used. */
static struct cloud_way *find_way(struct cloud *c, bool *broken, struct err *e)
{
    struct connector who = { 0 };
    struct cloud_way *w = NULL;
    int got = load(c, CONNECTOR_NOW, &who, e);

    *broken = false;
    if (got == 1)
        w = new_way(c, &who, e);
    else if (got == 0)
        return new_way(c, NULL, e);
    *broken = w == NULL;
    connector_free(&who);
    return w;
}

/* A broken identity is replaced by none at all, which the cloud refuses; but never by the configuration's. */
static int take_way(struct cloud *c, struct err *e)
{
    bool broken;
    struct cloud_way *w = find_way(c, &broken, e);

    if (w == NULL && !broken)
        return -1;
    retire(c, c->way);
    c->way = w;
    c->io = w != NULL ? cloud_way_peer(w) : NULL;
    if (broken)
        refused(c, e);
    return 0;
}

int cloud_open(
    struct cloud *c, const struct conf_cloud *conf, struct secrets *s, struct lib *l, struct err *e)
{
    *c = (struct cloud){ .conf = conf, .secrets = s, .lib = l };
    if (conf->url != NULL && (take_way(c, e) != 0 || cloud_try_next(c, e) < 0)) {
        cloud_close(c);
        return -1;
    }
    c->peer = peer_new("cloud");
    return 0;
}

void cloud_close(struct cloud *c)
{
    cloud_way_free(c->way);
    cloud_way_free(c->next);
    free_old(c, true);
    peer_free(c->peer);
    c->way = c->next = NULL;
    c->io = NULL;
    c->peer = NULL;
}

int cloud_try_next(struct cloud *c, struct err *e)
{
    struct connector who = { 0 };
    struct cloud_way *w = NULL;
    int got = load(c, CONNECTOR_NEXT, &who, e);

    if (got == 1 && (w = new_way(c, &who, e)) == NULL)
        got = -1;
    connector_free(&who);
    if (got < 0) { /* of no use: another one will be asked for */
        log_err(EV_IDENTITY_REFUSED, NULL, "cloud", e);
        return connector_drop(c->secrets, CONNECTOR_NEXT, e) == 0 ? 0 : -1;
    }
    retire(c, c->next);
    c->next = w;
    return got;
}

int cloud_reload(struct cloud *c, struct err *e)
{
    if (c->conf->url == NULL)
        return 0;
    if (take_way(c, e) != 0 || cloud_try_next(c, e) < 0)
        return -1;
    if (c->way != NULL && c->needs_sign_in) { /* if it still is, the next message says so */
        c->needs_sign_in = false;
        c->came_back = true;
    }
    return 0;
}

/* ---- messages ------------------------------------------------------------------------------------------------------ */

static void url_of(struct cloud *c, struct cloud_way *w, const char *path, struct buf *url)
{
    const struct connector *who = cloud_way_who(w);
    bool elsewhere = who != NULL && who->agents[0] != '\0' && strncmp(path, "agents/", 7) == 0;

    http_url_join(url, elsewhere ? who->agents : c->conf->url, path);
}

struct op *cloud_post(struct cloud *c, const char *path, const char *activity, struct view body,
    unsigned timeout_ms, io_fn *fn, void *arg, struct err *e)
{
    bool proves = c->next != NULL && strcmp(path, "agents/heartbeat") == 0;
    struct cloud_way *w = proves ? c->next : c->way;
    struct buf url = BUF_INIT(4096);
    struct op *op = NULL;

    if (w == NULL) {
        if (c->needs_sign_in)
            *e = c->why;
        else
            (void)err_set(e, ERR_CONFIG, "no cloud is configured any more");
        return NULL;
    }
    url_of(c, w, path, &url);
    if (buf_check(&url, e) == 0)
        op = cloud_way_post(w, buf_text(&url), activity, body, timeout_ms, fn, arg, e);
    buf_free(&url);
    return op;
}

int cloud_judge(struct cloud *c, const struct result *r, struct err *e)
{
    int64_t after = -1;
    int rc;

    if (r->err != NULL) {
        *e = *r->err;
        rc = -1;
    } else {
        rc = ccp_judge(r->http, e);
        after = r->http->retry_after_s;
    }
    if (rc == 0)
        peer_ok(c->peer);
    else
        peer_failed(c->peer, e, e->cls == ERR_BUSY ? after : -1);
    return rc;
}

int64_t cloud_time(const struct result *r, int64_t at)
{
    if (at == 0 || r->err != NULL || r->http->date == 0)
        return at;
    return at + (clock_now() - r->http->date);
}

int guid_new(struct lib *l, char out[40], struct err *e)
{
    uint8_t b[16];

    if (lib_random(l, b, sizeof b, e) != 0)
        return -1;
    b[6] = (uint8_t)((b[6] & 0x0f) | 0x40); /* RFC 9562 5.4: version 4 */
    b[8] = (uint8_t)((b[8] & 0x3f) | 0x80);
    (void)snprintf(out, 40, "%02x%02x%02x%02x-%02x%02x-%02x%02x-%02x%02x-%02x%02x%02x%02x%02x%02x",
        b[0], b[1], b[2], b[3], b[4], b[5], b[6], b[7], b[8], b[9], b[10], b[11], b[12], b[13],
        b[14], b[15]);
    return 0;
}
