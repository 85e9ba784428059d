/* see doctor.h.  SCEP-01 to SCEP-04: every endpoint, through every listener or at the public name. */
#include <stdio.h>
#include <string.h>
#include "agent/doctor/doctor_look.h"
#include "agent/doctor/doctor_status.h"
#include "agent/probe/scep_own.h"
#include "agent/probe/scep_probe.h"
#include "proto/scep_query.h"

enum { URL_MAX = 1024, STAGES = SCEP_LOOK | SCEP_ENROL };

struct target {
    char about[200], url[URL_MAX], address[128];
    const char *trust;
    const struct conf_listen *listen; /* NULL: at --url */
    bool reachable;                   /* else `why` says why it cannot be asked */
    char why[DOCTOR_PEER_ABOUT];
};

static void through_listener(
    struct doctor *d, const struct conf_scep *s, const struct conf_listen *l, struct target *t)
{
    struct scep_own own;
    struct err e;

    *t = (struct target){ .listen = l };
    (void)snprintf(t->about, sizeof t->about, "scep \"%s\" at listen \"%s\"", s->name, l->name);
    t->reachable = scep_own(d->lib, s, l, &own, &e) == 0;
    if (!t->reachable) {
        (void)snprintf(t->why, sizeof t->why, "%s", e.msg);
        return;
    }
    (void)snprintf(t->url, sizeof t->url, "%s", own.url);
    (void)snprintf(t->address, sizeof t->address, "%s", own.address);
    t->trust = d->trust != NULL ? d->trust : own.trust;
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
    else if (t->listen != NULL && (d->silent >> (t->listen - d->conf->listens) & 1) != 0)
        (void)snprintf(t->why, sizeof t->why, "this listener does not answer; see SCEP-01");
    t->reachable = t->reachable && t->why[0] == '\0';
}

/* Other endpoints need not wait there as well. */
static void note_silent(struct doctor *d, const struct target *t)
{
    struct doctor_end *end =
        d->url != NULL && d->ends != NULL ? doctor_end(d, d->url, d->trust) : NULL;

    if (t->listen != NULL)
        d->silent |= 1u << (t->listen - d->conf->listens);
    else if (end != NULL)
        doctor_broken(end, "SCEP-01", t->about);
}

static void probe(struct doctor *d, const struct conf_scep *s, struct target *t)
{
    struct scep_probe p = { .stages = stages_wanted(d, s),
        .to = { t->url, t->trust, t->address[0] != '\0' ? t->address : NULL, DOCTOR_ANSWER_MS },
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
    if (t->reachable && p.bare_status == 0)
        note_silent(d, t);
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
