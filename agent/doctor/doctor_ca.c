/* see doctor.h.  CA-01 to CA-03: every upstream CA, as far as it can be asked without a request. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "agent/base/clock.h"
#include "agent/doctor/doctor_ca.h"
#include "certs/chain.h"
#include "certs/mem.h"
#include "certs/name.h"

enum { DAY_S = 86400, DAYS_WARN = 30 };

/* ---- CA-01 ------------------------------------------------------------------------------------------------------------------ */

static const char *fix_of(enum err_class cls)
{
    switch (cls) {
    case ERR_AUTH:
        return "put user:password of an account of this CA into credentials_file of its section";
    case ERR_FORBIDDEN:
        return "give our account the right to use the CA's web enrolment";
    case ERR_INTERCEPTED:
        return "a portal or a proxy answers in the CA's place: certferry proxy show";
    case ERR_GONE:
    case ERR_CONFIG:
    case ERR_PROTO:
        return "is url of this section the CA's, is type right?";
    default:
        return "is the CA's web service running? see its event log";
    }
}

/* Is one of its certificates an anchor, or issued by one? */
static bool leads_to_anchor(const struct doctor_ca *x)
{
    struct view rest = buf_view(&x->chain), der;
    struct cert c;
    struct err e;

    while (chain_next(&rest, &der, &e) == 1) {
        struct view anchors = buf_view(&x->ca->anchors), anchor;
        struct cert a;

        if (cert_parse(der, &c, &e) != 0)
            continue;
        while (chain_next(&anchors, &anchor, &e) == 1)
            if (cert_parse(anchor, &a, &e) == 0
                && (view_equal(anchor, der) || name_equal(a.subject, c.issuer)))
                return true;
    }
    return false;
}

static int64_t soonest_end(const struct doctor_ca *x)
{
    struct view rest = buf_view(&x->chain), der;
    int64_t at = INT64_MAX;
    struct cert c;
    struct err e;

    while (chain_next(&rest, &der, &e) == 1)
        if (cert_parse(der, &c, &e) == 0 && c.not_after_at < at)
            at = c.not_after_at;
    return at;
}

static void say_certificates(struct doctor *d, struct doctor_ca *x, const char *about)
{
    int64_t left = (soonest_end(x) - clock_now()) / DAY_S;
    struct finding f;

    if (!leads_to_anchor(x)) {
        finding_set(
            &f, GRADE_FAIL, ERR_TRUST, "its certificates do not lead to %s", x->conf->anchors);
        finding_fix(&f, "put the root of this CA into %s, after comparing its fingerprint",
            x->conf->anchors);
    } else if (left < 0) {
        finding_set(&f, GRADE_FAIL, ERR_TRUST, "a certificate of the CA itself ended %lld days ago",
            (long long)-left);
        finding_fix(&f, "have the CA's certificate renewed");
    } else if (left < DAYS_WARN) {
        finding_set(&f, GRADE_WARN, ERR_NONE, "a certificate of the CA itself ends in %lld days",
            (long long)left);
        finding_fix(&f, "have the CA's certificate renewed");
    } else {
        finding_set(
            &f, GRADE_PASS, ERR_NONE, "it answers; its certificates lead to %s", x->conf->anchors);
    }
    doctor_say_ms(d, "CA-01", about, &f, x->ms);
}

static bool none_known(const struct doctor_ca *x)
{
    for (size_t i = 0; i < x->conf->templates.count; i++)
        if (x->known[i] != DOCTOR_TEMPLATE_NO)
            return false;
    return x->conf->templates.count > 0;
}

/* May more be said of this CA? */
static bool say_reachable(struct doctor *d, struct doctor_ca *x, const char *about)
{
    const struct doctor_row *secret = doctor_failed(d, "PERM-02", NULL);

    if (x->ca == NULL && secret != NULL) {
        doctor_needs(d, "CA-01", about, secret);
    } else if (x->ca == NULL) {
        doctor_fail(d, "CA-01", about, x->why.cls, "mend its section ca, then: certferry check",
            "%s", x->why.msg);
    } else if (x->end == NULL || x->end->broken[0] != '\0') {
        doctor_skip(d, "CA-01", about, x->end != NULL ? x->end->broken : "its url cannot be read");
        doctor_skip(d, "CA-02", about, x->end != NULL ? x->end->broken : "needs CA-01");
        doctor_skip(d, "CA-03", about, x->end != NULL ? x->end->broken : "needs CA-01");
        return false;
    } else if (x->why.cls != ERR_NONE) {
        struct finding f;

        finding_set(&f, GRADE_FAIL, x->why.cls, "%s", x->why.msg);
        finding_fix(&f, "%s", fix_of(x->why.cls));
        doctor_say_ms(d, "CA-01", about, &f, x->ms);
    } else if (none_known(x) && x->chain.len == 0) {
        doctor_skip(d, "CA-01", about, "needs CA-02");
        return true;
    } else {
        say_certificates(d, x, about);
        return true;
    }
    doctor_skip(d, "CA-02", about, "needs CA-01");
    doctor_skip(d, "CA-03", about, "needs CA-01");
    return false;
}

/* ---- CA-02, CA-03 ------------------------------------------------------------------------------------------------------------ */

static void list_unknown(const struct doctor_ca *x, struct buf *out)
{
    buf_add_text(out, "");
    for (size_t i = 0; i < x->conf->templates.count; i++)
        if (x->known[i] == DOCTOR_TEMPLATE_NO)
            buf_printf(out, "%s%s", out->len > 0 ? ", " : "", x->conf->templates.at[i]);
}

static void say_templates(struct doctor *d, const struct doctor_ca *x, const char *about)
{
    bool est = strcmp(x->conf->type, "est") == 0;
    struct buf unknown = BUF_INIT(300);

    list_unknown(x, &unknown);
    if (!x->listed) {
        doctor_skip(d, "CA-02", about,
            x->asked_why[0] != '\0'
                ? x->asked_why
                : "this server's URL does not name a template; a request would");
        doctor_skip(d, "CA-03", about, "the protocol does not say it before a request");
    } else if (unknown.len > 0) {
        doctor_fail(d, "CA-02", about, ERR_TEMPLATE,
            est ? "correct templates in its section ca, or have the label made at the server"
                : "publish the template at the CA, give our account Enroll; or correct templates "
                  "in "
                  "its section ca",
            est ? "no label of this name at the server: %s" : "not offered to our account: %s",
            buf_text(&unknown));
        doctor_skip(d, "CA-03", about, "needs CA-02");
    } else {
        doctor_pass(d, "CA-02", about,
            est ? "the server answers under each label: %zu"
                : "each template is offered to us: %zu",
            x->conf->templates.count);
        if (est)
            doctor_skip(
                d, "CA-03", about, "EST does not say it before a request; certferry try pkcs");
        else
            doctor_pass(d, "CA-03", about, "the CA lists only what our account may enrol for");
    }
    buf_free(&unknown);
}

/* ---- the group ---------------------------------------------------------------------------------------------------------------- */

static void open_one(struct doctor *d, struct doctor_ca *x, const struct conf_ca *conf)
{
    *x = (struct doctor_ca){ .conf = conf, .lib = d->lib, .chain = BUF_INIT(1 << 20) };
    x->end = doctor_end(d, conf->url, conf->trust);
    x->ca = ca_open(conf, d->lib, d->secrets, &x->why);
}

void doctor_ca(struct doctor *d)
{
    size_t count = d->conf->ca_count;
    struct doctor_ca *cas = xcalloc(count + 1, sizeof *cas);
    char about[100];

    doctor_looks(d);
    for (size_t i = 0; i < count; i++)
        open_one(d, &cas[i], &d->conf->cas[i]);
    doctor_ca_ask(d, cas, count);
    doctor_begin(d);
    if (count == 0)
        doctor_skip(d, "CA-", "", "no CA is configured");
    for (size_t i = 0; i < count; i++) {
        (void)snprintf(about, sizeof about, "ca \"%s\"", cas[i].conf->name);
        if (say_reachable(d, &cas[i], about))
            say_templates(d, &cas[i], about);
        ca_close(cas[i].ca);
        buf_free(&cas[i].chain);
    }
    free(cas);
}
