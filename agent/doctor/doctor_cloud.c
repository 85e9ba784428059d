/*
 * see doctor.h.  CLOUD-01 and AUTH-01 to AUTH-04: the cloud as a protocol, and whom it takes us for.
 *
 * It is asked two things: its directory, which needs no identity, and to extend the lease of a request that does not
 * exist, which needs one and changes nothing.
 */
#include <stdio.h>
#include <string.h>
#include "agent/base/clock.h"
#include "agent/cloud/cloud.h"
#include "agent/doctor/doctor_look.h"
#include "agent/secrets/identity.h"
#include "certs/cert.h"

enum { URL_MAX_LEN = 2048, DAY_S = 86400, DAYS_WARN = 30 };

struct asked {
    bool answered;
    struct err why; /* its class is ERR_NONE: well */
    int64_t ms;
};

/* What was found of the cloud, for both groups; a command has one doctor. */
static struct {
    bool done, opened;
    struct err why;       /* if not */
    bool enrolled;        /* we have an identity made here */
    struct err unusable;  /* why it cannot be used; ERR_NONE: it can */
    int64_t not_after_at; /* of its certificate */
    struct asked directory, lease;
} all;

/* ---- questions ---------------------------------------------------------------------------------------------------------- */

static void judge(struct asked *a, const struct result *r)
{
    a->answered = r->err == NULL;
    if (r->err != NULL)
        a->why = *r->err;
    else if (ccp_judge(r->http, &a->why) == 0)
        a->why = (struct err){ 0 };
}

static void on_answer(void *arg, const struct result *r)
{
    judge(arg, r);
    io_stop();
}

static void directory(struct cloud *c, struct asked *a)
{
    struct buf url = BUF_INIT(URL_MAX_LEN);
    struct http_req q = { .method = "GET", .max_reply = 1 << 16, .timeout_ms = DOCTOR_ANSWER_MS };
    struct ccp_headers storage;
    uint64_t from = io_look_ms();

    http_url_join(&url, c->conf->url, ".well-known/ccp");
    q.url = buf_text(&url);
    ccp_headers(&q, "00000000-0000-4000-8000-000000000000", &storage);
    if (buf_check(&url, &a->why) == 0 && io_http(c->io, &q, on_answer, a, &a->why) != NULL)
        io_run();
    a->ms = (int64_t)(io_look_ms() - from);
    buf_free(&url);
}

static void lease(struct doctor *d, struct cloud *c, struct asked *a)
{
    struct buf body = BUF_INIT(1024);
    char id[40], activity[40];
    struct ccp_lease none = { id, "doctor" };
    uint64_t from = io_look_ms();

    if (guid_new(d->lib, id, &a->why) == 0 && guid_new(d->lib, activity, &a->why) == 0) {
        ccp_leases_write(&body, &none, 1);
        if (buf_check(&body, &a->why) == 0
            && cloud_post(c, "requests/extend", activity, buf_view(&body), DOCTOR_ANSWER_MS,
                   on_answer, a, &a->why)
                   != NULL)
            io_run();
    }
    a->ms = (int64_t)(io_look_ms() - from);
    buf_free(&body);
}

/* ---- what the answers mean ------------------------------------------------------------------------------------------------ */

/* Any answer in the protocol's own words will do: a lease that is not known is what was asked for. */
static bool refused(const struct asked *a)
{
    return a->why.cls == ERR_AUTH || a->why.cls == ERR_FORBIDDEN;
}

static bool in_between(const struct asked *a)
{
    return a->why.cls == ERR_INTERCEPTED || (a->answered && a->why.cls == ERR_CONFIG);
}

static void say_protocol(
    struct doctor *d, struct doctor_end *p, const struct asked *dir, const struct asked *ask)
{
    const struct asked *a = dir->why.cls == ERR_GONE || dir->why.cls == ERR_NONE ? ask : dir;
    struct finding f;

    if (in_between(a)) {
        finding_set(&f, GRADE_FAIL, ERR_INTERCEPTED, "%s", a->why.msg);
        finding_fix(&f,
            "a portal or a proxy answers in the cloud's place: sign in there, or have "
            "%s let through; certferry proxy show",
            p->host);
        doctor_say_ms(d, "NET-06", "cloud", &f, a->ms);
        doctor_broken(p, "NET-06", "the cloud");
        doctor_skip(d, "CLOUD-01", "cloud", p->broken);
    } else if (a->answered
               && (a->why.cls == ERR_NONE || refused(a) || a->why.cls == ERR_CONFLICT
                   || a->why.cls == ERR_INPUT)) {
        finding_set(&f, GRADE_PASS, ERR_NONE, "it answers as CCP/1");
        doctor_say_ms(d, "CLOUD-01", "cloud", &f, a->ms);
    } else {
        finding_set(&f, GRADE_FAIL, a->why.cls, "%s", a->why.msg);
        finding_fix(&f, a->why.cls == ERR_GONE || a->why.cls == ERR_PROTO
                            ? "is cloud.url the base of the CCP/1 interface?"
                            : "wait a little, then ask whoever runs the cloud");
        doctor_say_ms(d, "CLOUD-01", "cloud", &f, a->ms);
        doctor_broken(p, "CLOUD-01", "the cloud");
    }
}

/* ---- the group ------------------------------------------------------------------------------------------------------------ */

static void see_identity(struct cloud *c)
{
    const struct connector *who;

    cloud_look(c); /* has its certificate ended? */
    who = cloud_who(c);
    all.enrolled = who != NULL || c->needs_sign_in;
    all.not_after_at = who != NULL ? who->not_after_at : 0;
    if (c->needs_sign_in)
        all.unusable = c->why;
}

static void ask_all(struct doctor *d, struct doctor_end *p)
{
    struct cloud c = { 0 };

    all.done = true;
    all.opened = cloud_open(&c, &d->conf->cloud, d->secrets, d->lib, &all.why) == 0;
    if (all.opened)
        see_identity(&c);
    if (all.opened && c.io != NULL && p != NULL && p->broken[0] == '\0') {
        if (d->on_wait != NULL)
            d->on_wait(d->arg, "asking the cloud", 1);
        directory(&c, &all.directory);
        if (all.directory.answered)
            lease(d, &c, &all.lease);
    }
    cloud_close(&c);
}

static struct doctor_end *cloud_end(struct doctor *d)
{
    return doctor_end(d, d->conf->cloud.url, d->conf->cloud.trust);
}

void doctor_cloud(struct doctor *d)
{
    struct doctor_end *p;

    if (d->conf->cloud.url == NULL) {
        doctor_skip(d, "CLOUD-01", "cloud", "no cloud is configured");
        return;
    }
    doctor_looks(d);
    p = cloud_end(d);
    ask_all(d, p);
    if (!all.opened)
        doctor_skip(d, "CLOUD-01", "cloud", "needs AUTH-01");
    else if (p->broken[0] != '\0')
        doctor_skip(d, "CLOUD-01", "cloud", p->broken);
    else if (all.unusable.cls != ERR_NONE && !all.directory.answered)
        doctor_skip(d, "CLOUD-01", "cloud", "needs AUTH-01");
    else
        say_protocol(d, p, &all.directory, all.directory.answered ? &all.lease : &all.directory);
}

/* ---- who we are ----------------------------------------------------------------------------------------------------------- */

static bool say_identity(struct doctor *d)
{
    const struct conf_cloud *c = &d->conf->cloud;
    const struct doctor_row *secret = doctor_failed(d, "PERM-02", NULL);

    if (!all.opened && secret != NULL)
        doctor_needs(d, "AUTH-01", "cloud", secret);
    else if (!all.opened)
        doctor_fail(d, "AUTH-01", "cloud", all.why.cls, "mend section cloud, or: certferry sign-in",
            "%s", all.why.msg);
    else if (all.unusable.cls != ERR_NONE)
        doctor_fail(d, "AUTH-01", "cloud", ERR_AUTH, "certferry sign-in", "%s", all.unusable.msg);
    else if (all.enrolled)
        doctor_pass(d, "AUTH-01", "cloud", "signed in; the identity was made here");
    else if (c->token_file == NULL && c->client_certificate == NULL)
        doctor_fail(d, "AUTH-01", "cloud", ERR_AUTH, "certferry sign-in",
            "not signed in: neither a certificate nor a token");
    else
        doctor_pass(d, "AUTH-01", "cloud", "%s",
            c->token_file != NULL ? "the token of cloud.token_file"
                                  : "the certificate of cloud.client_certificate");
    return all.opened && all.unusable.cls == ERR_NONE
           && (all.enrolled || c->token_file != NULL || c->client_certificate != NULL);
}

static void say_accepted(struct doctor *d, const struct doctor_end *p)
{
    const struct asked *a = &all.lease;
    struct finding f;

    if (p->broken[0] != '\0') {
        doctor_skip(d, "AUTH-02", "cloud", p->broken);
        doctor_skip(d, "AUTH-04", "cloud", p->broken);
        return;
    }
    if (a->why.cls == ERR_AUTH) {
        finding_set(&f, GRADE_FAIL, ERR_AUTH, "the cloud does not accept it: %s", a->why.msg);
        if (!all.enrolled && d->conf->cloud.token_file != NULL)
            finding_fix(&f, "put a current token into %s", d->conf->cloud.token_file);
        else
            finding_fix(&f, "certferry sign-in");
        doctor_say_ms(d, "AUTH-02", "cloud", &f, a->ms);
        doctor_skip(d, "AUTH-04", "cloud", "needs AUTH-02");
        return;
    }
    finding_set(&f, GRADE_PASS, ERR_NONE, "accepted");
    doctor_say_ms(d, "AUTH-02", "cloud", &f, a->ms);
    if (a->why.cls == ERR_FORBIDDEN)
        doctor_fail(d, "AUTH-04", "cloud", ERR_FORBIDDEN,
            "have the cloud's administrator give this connector its role, and its licence",
            "known, but not allowed to work: %s", a->why.msg);
    else
        doctor_pass(d, "AUTH-04", "cloud", "it may work");
}

static void say_left(struct doctor *d, const char *about, int64_t not_after_at)
{
    int64_t left = not_after_at - clock_now();

    if (left < 0)
        doctor_fail(d, "AUTH-03", about, ERR_AUTH, "get a new one: certferry sign-in",
            "our certificate ended %lld days ago", (long long)(-left / DAY_S));
    else if (left < DAYS_WARN * (int64_t)DAY_S)
        doctor_warn(d, "AUTH-03", about, "get a new one in time; certferry whoami",
            "%lld days left", (long long)(left / DAY_S));
    else
        doctor_pass(d, "AUTH-03", about, "%lld days left", (long long)(left / DAY_S));
}

static void life(struct doctor *d, const char *about, const char *file)
{
    struct buf der = BUF_INIT(1 << 18);
    struct cert c;
    struct err e;

    if (identity_certificate(d->lib, file, &der, &e) != 0
        || cert_parse(buf_view(&der), &c, &e) != 0)
        doctor_fail(d, "AUTH-03", about, ERR_CONFIG, "put the certificate there", "%s", e.msg);
    else
        say_left(d, about, c.not_after_at);
    buf_free(&der);
}

static void lives(struct doctor *d)
{
    const struct conf *c = d->conf;
    bool any = all.enrolled || c->cloud.client_certificate != NULL;
    char about[100];

    if (all.enrolled && all.not_after_at != 0 && doctor_failed(d, "AUTH-01", NULL) == NULL)
        say_left(d, "cloud", all.not_after_at);
    else if (all.enrolled)
        doctor_skip(d, "AUTH-03", "cloud", "needs AUTH-01");
    else if (any)
        life(d, "cloud", c->cloud.client_certificate);
    for (size_t i = 0; i < c->ca_count; i++)
        if (c->cas[i].client_certificate != NULL) {
            any = true;
            (void)snprintf(about, sizeof about, "ca \"%s\"", c->cas[i].name);
            life(d, about, c->cas[i].client_certificate);
        }
    if (!any)
        doctor_skip(d, "AUTH-03", "", "no client certificate is configured");
}

void doctor_auth(struct doctor *d)
{
    if (d->conf->cloud.url == NULL) {
        doctor_skip(d, "AUTH-01", "cloud", "no cloud is configured");
        doctor_skip(d, "AUTH-02", "cloud", "no cloud is configured");
        lives(d);
        doctor_skip(d, "AUTH-04", "cloud", "no cloud is configured");
        return;
    }
    if (say_identity(d)) {
        say_accepted(d, cloud_end(d));
    } else {
        doctor_skip(d, "AUTH-02", "cloud", "needs AUTH-01");
        doctor_skip(d, "AUTH-04", "cloud", "needs AUTH-01");
    }
    lives(d);
}
