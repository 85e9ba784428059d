/*
 * see doctor.h.  RA-01: certificates of registration authorities that stand in files.  Those that are enrolled are in the
 * store of the service, which renews them: devices see them, and so does SCEP-02.
 */
#include <stdio.h>
#include "agent/base/clock.h"
#include "agent/doctor/doctor.h"
#include "agent/secrets/identity.h"
#include "certs/cert.h"

enum { DAY_S = 86400, DAYS_WARN = 30 };

static void look(struct doctor *d, const char *about, const char *what, const char *file)
{
    struct buf der = BUF_INIT(1 << 18);
    int64_t now = clock_now(), left;
    struct cert c;
    struct err e;
    char fix[300];

    doctor_begin(d);
    (void)snprintf(
        fix, sizeof fix, "put a new certificate into %s, then: certferry service reload", file);
    if (identity_certificate(d->lib, file, &der, &e) != 0
        || cert_parse(buf_view(&der), &c, &e) != 0) {
        doctor_fail(d, "RA-01", about, ERR_CONFIG, fix, "%s certificate: %s", what, e.msg);
    } else {
        left = (c.not_after_at - now) / DAY_S;
        if (c.not_after_at < now)
            doctor_fail(d, "RA-01", about, ERR_CONFIG, fix,
                "the %s certificate ended %lld days ago", what,
                (long long)((now - c.not_after_at) / DAY_S));
        else if (c.not_before_at > now)
            doctor_fail(
                d, "RA-01", about, ERR_CONFIG, fix, "the %s certificate is not valid yet", what);
        else if (left < DAYS_WARN)
            doctor_warn(
                d, "RA-01", about, fix, "%s certificate: %lld days left", what, (long long)left);
        else
            doctor_pass(d, "RA-01", about, "%s certificate: %lld days left", what, (long long)left);
    }
    buf_free(&der);
}

void doctor_ra(struct doctor *d)
{
    char about[100];

    if (d->conf->scep_count == 0)
        doctor_skip(d, "RA-01", "", "there is no section scep");
    for (size_t i = 0; i < d->conf->scep_count; i++) {
        const struct conf_scep *s = &d->conf->sceps[i];

        (void)snprintf(about, sizeof about, "scep \"%s\"", s->name);
        if (s->ra_certificate == NULL && s->ra_encryption_certificate == NULL)
            doctor_skip(d, "RA-01", about, "the service enrols its own; see SCEP-02 and ra show");
        if (s->ra_certificate != NULL)
            look(d, about, "signing", s->ra_certificate);
        if (s->ra_encryption_certificate != NULL)
            look(d, about, "encryption", s->ra_encryption_certificate);
    }
}
