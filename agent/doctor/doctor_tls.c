/* see doctor.h.  TLS-01 to TLS-03: what peers show us, and what our own listeners show. */
#include <stdio.h>
#include <string.h>
#include "agent/base/clock.h"
#include "agent/doctor/doctor_look.h"
#include "agent/secrets/identity.h"
#include "certs/chain.h"
#include "certs/der.h"
#include "certs/name.h"
#include "certs/san.h"

enum { DAY_S = 86400, DAYS_WARN = 30 };

static bool leaf_of(const struct doctor_end *p, struct cert *c)
{
    struct view rest = buf_view(&p->look.chain), der;
    struct err e;

    return chain_next(&rest, &der, &e) == 1 && cert_parse(der, c, &e) == 0;
}

/* "ca.contoso.example, *.contoso.example" */
static void names_of(const struct cert *c, struct buf *out)
{
    struct view rest = c->san;
    struct der list, one;
    struct err e;

    buf_add_text(out, "");
    if (c->san.len == 0 || der_expect(&rest, DER_SEQUENCE, "names", &list, &e) != 0) {
        buf_add_text(out, "none");
        return;
    }
    while (list.content.len != 0 && der_next(&list.content, &one, &e) == 0) {
        if (out->len > 0)
            buf_add_text(out, ", ");
        san_text(one, out);
    }
}

static void days_row(
    struct doctor *d, const char *about, const struct cert *c, bool ours, const char *file)
{
    int64_t now = clock_now(), left = (c->not_after_at - now) / DAY_S;
    char fix[300];

    if (ours)
        (void)snprintf(
            fix, sizeof fix, "put a new certificate into %s, then: certferry service reload", file);
    else
        (void)snprintf(fix, sizeof fix, "have the certificate of this server renewed");
    if (c->not_after_at < now)
        doctor_fail(d, "TLS-03", about, ERR_TRUST, fix, "the certificate ended %lld days ago",
            (long long)((now - c->not_after_at) / DAY_S));
    else if (c->not_before_at > now)
        doctor_fail(d, "TLS-03", about, ERR_TRUST, fix,
            "the certificate is not valid yet; it begins in %lld s",
            (long long)(c->not_before_at - now));
    else if (left < DAYS_WARN)
        doctor_warn(d, "TLS-03", about, fix, "%lld days left", (long long)left);
    else
        doctor_pass(d, "TLS-03", about, "%lld days left", (long long)left);
}

/* ---- peers -------------------------------------------------------------------------------------------------------------- */

static void say_version(struct doctor *d, struct doctor_end *p)
{
    const struct io_look *k = &p->look;
    struct finding f;

    if (k->verdict == IO_TLS_NO_TLS) {
        finding_set(&f, GRADE_FAIL, ERR_TRUST, "no handshake: %s", k->http_why);
        finding_fix(&f, "does this port speak TLS 1.2 or newer? openssl s_client -connect %s:%u",
            p->host, p->port);
        doctor_broken(p, "TLS-01", p->about);
    } else {
        finding_set(&f, GRADE_PASS, ERR_NONE, "%s",
            k->version[0] != '\0' ? k->version : "TLS 1.2 or newer");
    }
    doctor_say_ms(d, "TLS-01", p->about, &f, k->tls_ms);
}

static void say_name(struct doctor *d, struct doctor_end *p)
{
    struct buf names = BUF_INIT(300);
    struct cert c;

    if (leaf_of(p, &c))
        names_of(&c, &names);
    doctor_fail(d, "TLS-02", p->about, ERR_TRUST,
        "use the name of the certificate in the URL, or get the server one for this name",
        "the certificate is not for %s; it is for: %s", p->host, buf_text(&names));
    doctor_broken(p, "TLS-02", p->about);
    buf_free(&names);
}

static void say_issuer(struct doctor *d, struct doctor_end *p)
{
    struct buf issuer = BUF_INIT(500);
    struct cert c;
    char fix[300];

    buf_add_text(&issuer, "");
    if (leaf_of(p, &c))
        name_text(c.issuer, &issuer);
    (void)snprintf(fix, sizeof fix,
        "put the root of this server into %s; if it has another issuer elsewhere, TLS is opened on "
        "the way",
        p->setting);
    doctor_fail(d, "TLS-02", p->about, ERR_TRUST, fix, "no path from \"%s\" to a root in %s",
        buf_text(&issuer), p->trust != NULL ? p->trust : "the system's store");
    doctor_broken(p, "TLS-02", p->about);
    buf_free(&issuer);
}

static void say_chain(struct doctor *d, struct doctor_end *p)
{
    switch (p->look.verdict) {
    case IO_TLS_OK:
        doctor_pass(d, "TLS-02", p->about, "it leads to a root of %s, and is for %s",
            p->trust != NULL ? p->trust : "the system's store", p->host);
        break;
    case IO_TLS_EXPIRED:
    case IO_TLS_NOT_YET:
        doctor_skip(d, "TLS-02", p->about, "needs TLS-03");
        break;
    case IO_TLS_NAME:
        say_name(d, p);
        break;
    case IO_TLS_ISSUER:
        say_issuer(d, p);
        break;
    default:
        doctor_fail(d, "TLS-02", p->about, ERR_TRUST, "openssl s_client -connect shows more", "%s",
            p->look.http_why);
        doctor_broken(p, "TLS-02", p->about);
    }
}

static bool out_of_time(const struct cert *c)
{
    return c->not_after_at < clock_now() || c->not_before_at > clock_now();
}

static void say_days(struct doctor *d, struct doctor_end *p)
{
    bool late = p->look.verdict == IO_TLS_EXPIRED || p->look.verdict == IO_TLS_NOT_YET;
    struct cert c;

    if (late && doctor_failed(d, "TIME-01", NULL) != NULL) {
        doctor_skip(d, "TLS-03", p->about, "needs TIME-01");
        doctor_broken(p, "TIME-01", "this machine");
    } else if (!leaf_of(p, &c)) {
        doctor_skip(d, "TLS-03", p->about, "the certificate was not shown");
    } else if (late && !out_of_time(&c)) {
        doctor_fail(d, "TLS-03", p->about, ERR_TRUST,
            "have the server send a current intermediate; check the roots in the trust file",
            "a certificate above the server's is out of its time: %s", p->look.http_why);
        doctor_broken(p, "TLS-03", p->about);
    } else {
        days_row(d, p->about, &c, false, NULL);
        if (late)
            doctor_broken(p, "TLS-03", p->about);
    }
}

/* ---- our own ------------------------------------------------------------------------------------------------------------ */

static void listener(struct doctor *d, const struct conf_listen *l, const char *file)
{
    struct buf der = BUF_INIT(1 << 18);
    char about[160];
    struct cert c;
    struct err e;

    (void)snprintf(about, sizeof about, "listen \"%s\"", l->name);
    doctor_begin(d);
    if (identity_certificate(d->lib, file, &der, &e) != 0
        || cert_parse(buf_view(&der), &c, &e) != 0)
        doctor_fail(
            d, "TLS-03", about, ERR_CONFIG, "put the server's certificate there", "%s", e.msg);
    else
        days_row(d, about, &c, true, file);
    buf_free(&der);
}

void doctor_tls_peers(struct doctor *d)
{
    for (size_t i = 0; i < d->end_count; i++) {
        struct doctor_end *p = &d->ends[i];

        doctor_begin(d);
        if (!p->look.tls) {
            doctor_skip(d, "TLS-", p->about, "not https");
        } else if (p->broken[0] != '\0') {
            doctor_skip(d, "TLS-", p->about, p->broken);
        } else {
            say_version(d, p);
            if (p->broken[0] != '\0') {
                doctor_skip(d, "TLS-02", p->about, "needs TLS-01");
                doctor_skip(d, "TLS-03", p->about, "needs TLS-01");
                continue;
            }
            say_chain(d, p);
            say_days(d, p);
        }
    }
}

void doctor_tls(struct doctor *d)
{
    doctor_looks(d);
    doctor_tls_peers(d);
    for (size_t i = 0; i < d->conf->listen_count; i++) {
        const struct conf_listen *l = &d->conf->listens[i];

        if (l->certificate != NULL)
            listener(d, l, l->certificate);
        if (l->certificate2 != NULL)
            listener(d, l, l->certificate2);
    }
}
