/* see doctor.h.  NET-01 to NET-06: from here to each peer, or to the proxy before it. */
#include <stdio.h>
#include <string.h>
#include <strings.h>
#include "agent/doctor/doctor_look.h"
#include "certs/chain.h"
#include "certs/name.h"

/* ---- names and connections ---------------------------------------------------------------------------------------------- */

static void addresses(const struct io_look *k, bool ok, char *out, size_t size)
{
    size_t at = 0;

    out[0] = '\0';
    for (size_t i = 0; i < k->count && at < size; i++)
        if (k->address[i].ok == ok) {
            int n = snprintf(out + at, size - at, "%s%s%s%s%s", at > 0 ? ", " : "",
                k->address[i].text, ok ? "" : " (", ok ? "" : k->address[i].why, ok ? "" : ")");

            at += n > 0 ? (size_t)n : 0;
        }
}

static bool literal(const struct io_look *k, const char *host)
{
    return k->count == 1 && strcmp(k->address[0].text, host) == 0;
}

static void say_name(struct doctor *d, struct doctor_end *p)
{
    const struct io_look *k = &p->look;
    const char *host = p->way.url[0] != '\0' ? p->proxy_host : p->host;
    struct finding f;
    char all[300] = "";
    size_t at = 0;

    for (size_t i = 0; i < k->count && at < sizeof all; i++)
        at += (size_t)snprintf(
            all + at, sizeof all - at, "%s%s", i > 0 ? ", " : "", k->address[i].text);
    if (k->dns_why[0] == '\0') {
        finding_set(&f, GRADE_PASS, ERR_NONE, literal(k, host) ? "%s is an address" : "%s is %s",
            host, all);
    } else {
        finding_set(&f, GRADE_FAIL, ERR_NET, "%s: %s", host, k->dns_why);
        if (k->dns_silent)
            finding_fix(&f, "cat /etc/resolv.conf; resolvectl status: no name server answers");
        else
            finding_fix(&f, "getent hosts %s; is the name in the configuration right?", host);
    }
    doctor_say_ms(d, "NET-01", p->target, &f, k->dns_ms);
}

static void say_connection(struct doctor *d, struct doctor_end *p)
{
    const struct io_look *k = &p->look;
    bool proxied = p->way.url[0] != '\0';
    char some[300];
    struct finding f;
    int64_t ms = 0;

    for (size_t i = 0; i < k->count; i++)
        ms = k->address[i].ms > ms ? k->address[i].ms : ms;
    addresses(k, k->connects, some, sizeof some);
    if (k->connects) {
        finding_set(&f, GRADE_PASS, ERR_NONE, "connected to %s", some);
    } else {
        finding_set(&f, GRADE_FAIL, proxied ? ERR_PROXY : ERR_NET, "no connection: %s", some);
        finding_fix(&f,
            proxied ? "is the proxy running, is its port right? certferry proxy set URL"
                    : "is it running, is the port right, does a firewall stand between? "
                      "nc -vz %s %u",
            p->host, p->port);
    }
    doctor_say_ms(d, "NET-02", p->target, &f, ms);
}

/* Two families of which one is dead: every connection waits for it first, now and then. */
static void say_families(struct doctor *d, const struct doctor_end *p)
{
    const struct io_look *k = &p->look;
    size_t count[2] = { 0, 0 }, ok[2] = { 0, 0 };
    char dead[300];

    for (size_t i = 0; i < k->count; i++) {
        count[k->address[i].v6]++;
        ok[k->address[i].v6] += k->address[i].ok;
    }
    addresses(k, false, dead, sizeof dead);
    if (count[0] == 0 || count[1] == 0)
        doctor_skip(d, "NET-03", p->target, count[0] > 0 ? "it has IPv4 only" : "it has IPv6 only");
    else if (ok[0] > 0 && ok[1] > 0)
        doctor_pass(d, "NET-03", p->target, "both answer");
    else
        doctor_warn(d, "NET-03", p->target, "repair the route, or take the address out of the name",
            "%s does not answer: %s", ok[0] > 0 ? "IPv6" : "IPv4", dead);
}

static void target_rows(struct doctor *d, struct doctor_end *p)
{
    say_name(d, p);
    if (p->look.dns_why[0] != '\0') {
        doctor_broken(p, "NET-01", p->target);
        doctor_skip(d, "NET-02", p->target, "needs NET-01");
        doctor_skip(d, "NET-03", p->target, "needs NET-01");
        return;
    }
    say_connection(d, p);
    if (!p->look.connects) {
        doctor_broken(p, "NET-02", p->target);
        doctor_skip(d, "NET-03", p->target, "needs NET-02");
        return;
    }
    say_families(d, p);
}

/* The same place under another trust, or the same proxy: once is enough. */
static const struct doctor_end *before(const struct doctor *d, const struct doctor_end *p)
{
    for (const struct doctor_end *o = d->ends; o < p; o++)
        if (strcmp(o->target, p->target) == 0)
            return o;
    return NULL;
}

/* ---- the proxy ---------------------------------------------------------------------------------------------------------- */

/* tinyproxy says 401 to a wrong password. */
static bool wants_login(const struct io_look *k)
{
    return k->proxy_status == 407 || k->proxy_status == 401;
}

static void say_refusal(struct doctor *d, struct doctor_end *p)
{
    const struct io_look *k = &p->look;
    bool sent = k->proxy_credential != NULL;

    if (wants_login(k))
        doctor_fail(d, "NET-04", p->about, ERR_PROXY,
            sent ? "certferry secret set NAME, with user:password; then proxy.credential = "
                   "secret:NAME"
                 : "certferry proxy set URL --credentials-file FILE",
            "the proxy wants another login: HTTP %ld to CONNECT %s:%u; sent: %s; it offers: %s",
            k->proxy_status, p->host, p->port, sent ? "the login of proxy.credential" : "no login",
            k->proxy_offers[0] != '\0' ? k->proxy_offers : "nothing");
    else if (k->proxy_status >= 500)
        doctor_fail(d, "NET-04", p->about, ERR_NET,
            "is it running, is its port right, may the proxy go there?",
            "the proxy cannot reach it: HTTP %ld to CONNECT %s:%u", k->proxy_status, p->host,
            p->port);
    else if (k->proxy_status >= 400)
        doctor_fail(d, "NET-04", p->about, ERR_PROXY,
            "ask whoever runs the proxy to allow CONNECT to this host and port",
            "the proxy does not allow it: HTTP %ld to CONNECT %s:%u", k->proxy_status, p->host,
            p->port);
    else
        doctor_fail(d, "NET-04", p->about, ERR_PROXY,
            "is it a proxy of this kind, is proxy.trust right? certferry proxy test", "%s",
            k->http_why);
    doctor_broken(p, "NET-04", p->about);
}

static void say_proxy(struct doctor *d, struct doctor_end *p)
{
    const struct doctor_row *same = doctor_failed(d, "NET-04", NULL);

    if (p->way.url[0] == '\0') {
        doctor_skip(d, "NET-04", p->about, "no proxy on the way");
    } else if (p->broken[0] != '\0') {
        doctor_skip(d, "NET-04", p->about, p->broken);
    } else if (p->look.proxy_failed && same != NULL && wants_login(&p->look)) {
        doctor_skip(d, "NET-04", p->about, "refused as before; see the first NET-04");
        doctor_broken(p, "NET-04", same->about);
    } else if (p->look.proxy_failed) {
        say_refusal(d, p);
    } else {
        doctor_pass(d, "NET-04", p->about, "through %s", p->way.url);
    }
}

static void say_way(struct doctor *d, struct doctor_end *p)
{
    if (p->way_why.cls != ERR_NONE) {
        doctor_fail(
            d, "NET-05", p->about, p->way_why.cls, "certferry proxy show", "%s", p->way_why.msg);
        doctor_broken(p, "NET-05", p->about);
    } else {
        doctor_pass(d, "NET-05", p->about, "%s (%s)",
            p->way.url[0] != '\0' ? p->way.url : "straight", p->way.why);
    }
}

/* ---- somebody in between ------------------------------------------------------------------------------------------------ */

/* Words in the names of roots that products which open TLS bring along. */
static bool opens_tls(const char *issuer)
{
    static const char *const words[] = { "zscaler", "fortinet", "fortigate", "palo alto",
        "blue coat", "bluecoat", "netskope", "sophos", "umbrella", "squid", "mitmproxy",
        "forcepoint", "websense", "mcafee", "kaspersky", "barracuda", "check point", "watchguard",
        "sonicwall", "bitdefender", "avast", "eset ssl", "proxy", "inspection", "interception",
        "firewall" };

    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++)
        if (strcasestr(issuer, words[i]) != NULL)
            return true;
    return false;
}

/* The issuer of the last certificate that was shown. */
static void last_issuer(const struct doctor_end *p, struct buf *out)
{
    struct view rest = buf_view(&p->look.chain), der;
    struct cert c;
    struct err e;

    buf_add_text(out, "");
    while (chain_next(&rest, &der, &e) == 1)
        if (cert_parse(der, &c, &e) == 0) {
            buf_reset(out);
            name_text(c.issuer, out);
        }
}

/* An issuer nobody knows, where the system's roots are trusted or the name tells: TLS is opened on the way.  With a
 * trust file of one's own that file may as well be wrong; then it is TLS-02. */
static void say_between(struct doctor *d, struct doctor_end *p)
{
    struct buf issuer = BUF_INIT(1024);

    last_issuer(p, &issuer);
    if (!p->look.tls) {
        doctor_skip(d, "NET-06", p->about, "not https");
    } else if (p->broken[0] != '\0') {
        doctor_skip(d, "NET-06", p->about, p->broken);
    } else if (p->look.verdict == IO_TLS_ISSUER
               && (p->trust == NULL || opens_tls(buf_text(&issuer)))) {
        char fix[200];

        (void)snprintf(fix, sizeof fix,
            "have %s left alone by whatever opens TLS on the way; or put its root into %s", p->host,
            p->setting);
        doctor_fail(d, "NET-06", p->about, ERR_TRUST, fix,
            "TLS is opened on the way: the certificate comes from \"%s\", which is not a trusted "
            "root",
            buf_text(&issuer));
        doctor_broken(p, "NET-06", p->about);
    } else if (p->look.verdict == IO_TLS_OK) {
        doctor_pass(d, "NET-06", p->about, "the certificate comes from \"%s\"", buf_text(&issuer));
    } else {
        doctor_skip(d, "NET-06", p->about, "see TLS-01 to TLS-03");
    }
    buf_free(&issuer);
}

void doctor_net(struct doctor *d)
{
    doctor_looks(d);
    if (d->end_count == 0)
        doctor_skip(d, "NET-", "", "neither a cloud nor a CA is configured");
    for (size_t i = 0; i < d->end_count; i++) {
        struct doctor_end *p = &d->ends[i];
        const struct doctor_end *other = before(d, p);

        doctor_begin(d);
        if (p->way_why.cls != ERR_NONE)
            doctor_skip(d, "NET-01", p->about, "needs NET-05");
        else if (other == NULL)
            target_rows(d, p);
        else if (strncmp(other->broken, "needs NET-01", 12) == 0
                 || strncmp(other->broken, "needs NET-02", 12) == 0)
            (void)snprintf(p->broken, sizeof p->broken, "%s", other->broken);
        say_way(d, p);
        say_proxy(d, p);
        say_between(d, p);
    }
}
