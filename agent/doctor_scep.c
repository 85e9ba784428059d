/*
 * see doctor.h.  SCEP-01 to SCEP-04: every endpoint, through every listener or at the public name.
 *
 * A listener with TLS is asked under the name in its certificate, at its own address, and with that certificate's file as
 * trust: the handshake is a whole one, verified, without a public name that need not lead here from inside.
 */
#include <stdio.h>
#include <string.h>
#include "agent/doctor_look.h"
#include "agent/doctor_status.h"
#include "agent/identity.h"
#include "agent/scep_probe.h"
#include "certs/der.h"
#include "certs/san.h"
#include "proto/scep_query.h"

enum { URL_MAX = 1024, STAGES = SCEP_LOOK | SCEP_ENROL };

struct target {
    char about[200], url[URL_MAX], address[128];
    const char *trust;
    const struct conf_listen *listen; /* NULL: at --url */
    bool reachable;                   /* else `why` says why it cannot be asked */
    char why[DOCTOR_PEER_ABOUT];
};

/* ---- from a listener to a URL ------------------------------------------------------------------------------------ */

/* A DNS name of the server's certificate; a wildcard stands for any. */
static bool name_in(struct view san, char *out, size_t size)
{
    struct view rest = san, value;
    struct der names, one;
    struct err e;

    if (der_expect(&rest, DER_SEQUENCE, "names", &names, &e) != 0)
        return false;
    while (names.content.len != 0 && der_next(&names.content, &one, &e) == 0)
        if (san_read(one, &value) == SAN_DNS && value.len + 8 < size) {
            bool any = value.len > 2 && value.p[0] == '*';

            (void)snprintf(out, size, "%s%.*s", any ? "certferry" : "",
                (int)(any ? value.len - 1 : value.len), (const char *)value.p + (any ? 1 : 0));
            return true;
        }
    return false;
}

static bool server_name(struct doctor *d, const struct conf_listen *l, char *out, size_t size,
    char *why, size_t why_size)
{
    struct buf der = BUF_INIT(1 << 20);
    struct cert c;
    struct err e;
    bool ok = false;

    if (identity_certificate(d->lib, l->certificate, &der, &e) == 0
        && cert_parse(buf_view(&der), &c, &e) == 0)
        ok = name_in(c.san, out, size);
    else
        (void)snprintf(why, why_size, "%s", e.msg);
    if (!ok && why[0] == '\0')
        (void)snprintf(
            why, why_size, "%s has no DNS name; give the public one with --url", l->certificate);
    buf_free(&der);
    return ok;
}

/* "0.0.0.0:80" and "[::]:80" are every address: this machine's own is one of them. */
static bool own_address(const char *listen, char *out, size_t size)
{
    const char *port = strrchr(listen, ':');

    if (port == NULL || strncmp(listen, "systemd:", 8) == 0 || strcmp(port, ":0") == 0)
        return false;
    if (strncmp(listen, "0.0.0.0:", 8) == 0)
        (void)snprintf(out, size, "127.0.0.1%s", port);
    else if (strncmp(listen, "[::]:", 5) == 0)
        (void)snprintf(out, size, "[::1]%s", port);
    else
        (void)snprintf(out, size, "%s", listen);
    return true;
}

static void through_listener(
    struct doctor *d, const struct conf_scep *s, const struct conf_listen *l, struct target *t)
{
    char name[300] = "";

    *t = (struct target){ .listen = l, .reachable = true };
    (void)snprintf(t->about, sizeof t->about, "scep \"%s\" at listen \"%s\"", s->name, l->name);
    if (!own_address(l->address, t->address, sizeof t->address)) {
        t->reachable = false;
        (void)snprintf(t->why, sizeof t->why,
            "listen \"%s\" does not say its port; give the address with --url", l->name);
    } else if (l->certificate == NULL) {
        (void)snprintf(t->url, sizeof t->url, "http://%s%s", t->address, s->paths.at[0]);
    } else {
        t->trust = d->trust != NULL ? d->trust : l->certificate;
        t->reachable = server_name(d, l, name, sizeof name, t->why, sizeof t->why);
        (void)snprintf(t->url, sizeof t->url, "https://%s%s", name, s->paths.at[0]);
    }
}

/* --url: the service's address, to which the path belongs; one with a path is for the endpoint of that path. */
static bool at_url(struct doctor *d, const struct conf_scep *s, struct target *t)
{
    const char *host = strstr(d->url, "://"), *path = host != NULL ? strchr(host + 3, '/') : NULL;
    bool whole = path != NULL && path[1] != '\0', ours = !whole;

    *t = (struct target){ .trust = d->trust, .reachable = true };
    (void)snprintf(t->about, sizeof t->about, "scep \"%s\" at %s", s->name, d->url);
    for (size_t i = 0; whole && i < s->paths.count; i++)
        ours = ours || scep_path_same(view_text(path), s->paths.at[i]);
    if (whole)
        (void)snprintf(t->url, sizeof t->url, "%s", d->url);
    else
        (void)snprintf(t->url, sizeof t->url, "%.*s%s",
            (int)(path != NULL ? (size_t)(path - d->url) : strlen(d->url)), d->url, s->paths.at[0]);
    return ours || d->conf->scep_count == 1; /* a proxy may have given it another path */
}

/* ---- the rows ------------------------------------------------------------------------------------------------------ */

static bool open_to_all(const struct conf_scep *s)
{
    return strcmp(s->challenge, "none") == 0;
}

static unsigned stages_wanted(const struct doctor *d, const struct conf_scep *s)
{
    unsigned stages = 1u << SCEP_STAGE_BARE | 1u << SCEP_STAGE_CAPS;

    if (doctor_wants(d, "SCEP-02") || doctor_wants(d, "SCEP-04"))
        stages |= 1u << SCEP_STAGE_CERTS;
    if (doctor_wants(d, "SCEP-02"))
        stages |= 1u << SCEP_STAGE_NEXT_CA;
    if (doctor_wants(d, "SCEP-03"))
        stages |= 1u << SCEP_STAGE_LONG;
    if (doctor_wants(d, "SCEP-04") && !open_to_all(s))
        stages |= SCEP_ENROL;
    return stages;
}

/* What keeps this endpoint from serving, if a row has named it already: its plugin, its CA. */
static bool named_already(struct doctor *d, const struct conf_scep *s, char *why, size_t size)
{
    const struct conf_ca *ca = conf_ca(d->conf, s->ca);
    const struct doctor_row *r = NULL;
    struct doctor_end *end;
    char about[100];

    (void)snprintf(about, sizeof about, "ca \"%s\"", s->ca);
    r = doctor_failed(d, "CA-", about);
    (void)snprintf(about, sizeof about, "plugin \"%s\"", s->plugin != NULL ? s->plugin : "");
    if (r == NULL)
        r = doctor_failed(d, "P", about); /* PERM-06, PLG-01 */
    if (r != NULL)
        (void)snprintf(why, size, "needs %s of %s", r->code, r->about);
    else if (ca != NULL && d->ends != NULL && (end = doctor_end(d, ca->url, ca->trust)) != NULL
             && end->broken[0] != '\0')
        (void)snprintf(why, size, "%s", end->broken);
    else
        return false;
    return true;
}

/* Where nobody judges requests, 200 is what the configuration says. */
static void say_bare(
    struct doctor *d, const struct conf_scep *s, struct scep_probe *p, const char *about)
{
    struct finding f = p->found[SCEP_STAGE_BARE];
    char why[DOCTOR_PEER_ABOUT];

    if (p->bare_status == 503 && named_already(d, s, why, sizeof why))
        finding_set(&f, GRADE_SKIP, ERR_NONE, "%s", why);
    else if (open_to_all(s) && p->bare_status == 200)
        finding_set(&f, GRADE_PASS, ERR_NONE, "HTTP 200: serving, with challenge = none");
    else if (p->bare_status == 200 || (open_to_all(s) && p->bare_status == 403)) {
        f.grade = GRADE_FAIL;
        f.cls = ERR_CONFIG;
        finding_fix(&f, "restart the service: it runs with another configuration, or another "
                        "program answers at this address");
    } else if (p->bare_status == 503)
        finding_fix(&f, "certferry status says why; then certferry plugin list");
    else if (p->bare_status == 0)
        finding_fix(&f, "start the service: certferry run; is the address that of section listen?");
    doctor_say(d, "SCEP-01", about, &f);
}

/* The first of some stages that is worse than the rest speaks for the row. */
static void say_worst(struct doctor *d, const char *code, const char *about, struct scep_probe *p,
    const enum scep_stage *of, size_t count)
{
    static const int rank[GRADE_COUNT] = {
        [GRADE_PASS] = 1, [GRADE_WARN] = 2, [GRADE_SKIP] = 3, [GRADE_FAIL] = 4
    };
    const struct finding *worst = &p->found[of[0]];

    for (size_t i = 1; i < count; i++)
        if (rank[p->found[of[i]].grade] > rank[worst->grade]
            || (rank[p->found[of[i]].grade] == rank[worst->grade] && worst->grade == GRADE_PASS))
            worst = &p->found[of[i]];
    doctor_say(d, code, about, worst);
}

static void say(
    struct doctor *d, const struct conf_scep *s, struct scep_probe *p, const char *about)
{
    static const enum scep_stage second[] = { SCEP_STAGE_NEXT_CA, SCEP_STAGE_CAPS,
        SCEP_STAGE_CERTS };
    static const enum scep_stage third[] = { SCEP_STAGE_LONG };
    static const enum scep_stage fourth[] = { SCEP_STAGE_REQUEST, SCEP_STAGE_SEND, SCEP_STAGE_REPLY,
        SCEP_STAGE_VERDICT };
    char name[100];

    say_bare(d, s, p, about);
    (void)snprintf(name, sizeof name, "scep \"%s\"", s->name);
    if (doctor_failed(d, "RA-01", name) != NULL)
        doctor_needs(d, "SCEP-02", about, doctor_failed(d, "RA-01", name));
    else
        say_worst(d, "SCEP-02", about, p, second, sizeof second / sizeof second[0]);
    say_worst(d, "SCEP-03", about, p, third, 1);
    if (open_to_all(s))
        doctor_skip(d, "SCEP-04", about,
            "challenge = none: every request is issued, so a rehearsal would be one");
    else
        say_worst(d, "SCEP-04", about, p, fourth, sizeof fourth / sizeof fourth[0]);
}

/* What an earlier row has found makes this one pointless. */
static void known_to_fail(struct doctor *d, struct target *t)
{
    const struct doctor_row *r = NULL;
    struct doctor_end *end =
        d->url != NULL && d->ends != NULL ? doctor_end(d, d->url, d->trust) : NULL;
    char about[160];

    if (t->listen != NULL) {
        (void)snprintf(about, sizeof about, "listen \"%s\"", t->listen->name);
        r = doctor_failed(d, "TLS-03", about);
        if (r == NULL && !doctor_running(d))
            r = doctor_failed(d, "SVC-01", NULL);
        if (r == NULL && !doctor_running(d))
            r = doctor_start_blocked(d);
    }
    if (r != NULL)
        (void)snprintf(t->why, sizeof t->why, "needs %s%s%s", r->code,
            r->about[0] != '\0' ? " of " : "", r->about);
    else if (t->listen == NULL && end != NULL && end->broken[0] != '\0')
        (void)snprintf(t->why, sizeof t->why, "%s", end->broken);
    t->reachable = t->reachable && t->why[0] == '\0';
}

static void probe(struct doctor *d, const struct conf_scep *s, struct target *t)
{
    struct scep_probe p = { .stages = stages_wanted(d, s),
        .to = { t->url, t->trust, t->address[0] != '\0' ? t->address : NULL },
        .subject = "CN=certferry-doctor" };
    struct err e;

    doctor_begin(d);
    known_to_fail(d, t);
    if (!t->reachable)
        doctor_skip(d, "SCEP-", t->about, t->why);
    else if (scep_probe_run(&p, d->lib, &e) != 0)
        doctor_skip(d, "SCEP-", t->about, e.msg);
    else
        say(d, s, &p, t->about);
    scep_probe_end(&p);
}

void doctor_scep(struct doctor *d)
{
    struct target t;

    if (d->conf->scep_count == 0)
        doctor_skip(d, "SCEP-", "", "there is no section scep");
    for (size_t i = 0; i < d->conf->scep_count; i++) {
        const struct conf_scep *s = &d->conf->sceps[i];

        if (d->url != NULL) {
            if (at_url(d, s, &t))
                probe(d, s, &t);
            continue;
        }
        for (size_t n = 0; n < d->conf->listen_count; n++) {
            through_listener(d, s, &d->conf->listens[n], &t);
            probe(d, s, &t);
        }
    }
}
