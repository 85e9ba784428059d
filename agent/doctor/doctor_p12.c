/* see doctor.h.  P12-01: a file of each profile, made and read again, over a key and a certificate made on the spot. */
#include "agent/doctor/doctor.h"
#include "agent/probe/scep_enrol.h"
#include "certs/mem.h"
#include "certs/p12.h"

enum { FILE_MAX = 1 << 20 };

static int make(const struct doctor *d, struct scep_enrol *s, enum p12_profile profile, size_t *len,
    struct err *e)
{
    struct buf file = BUF_SECRET(FILE_MAX);
    char password[P12_PASSWORD_LEN + 1];
    struct p12_spec spec = { .profile = profile,
        .iterations = (unsigned)d->conf->pkcs12.iterations,
        .password = password,
        .pkcs8 = key_pkcs8(s->key),
        .chain = buf_view(&s->signer),
        .include_root = true, /* it is its own issuer */
        .friendly_name = "certferry doctor" };
    int rc = -1;

    if (p12_password(d->lib, password, e) == 0 && p12_build(d->lib, &spec, &file, e) == 0)
        rc = p12_check(d->lib, buf_view(&file), password, buf_view(&s->signer), e);
    *len = file.len;
    mem_wipe(password, sizeof password);
    buf_free(&file);
    return rc;
}

void doctor_p12(struct doctor *d)
{
    static const struct {
        enum p12_profile profile;
        const char *about;
    } rows[] = { { P12_MODERN, "pkcs12 modern" }, { P12_COMPAT, "pkcs12 compat" } };
    static const char fix[] = "certferry version; install the distribution's OpenSSL again";
    struct scep_enrol s;
    struct err e;
    size_t len;

    if (scep_enrol_open(&s, d->lib, "CN=certferry-doctor", NULL, &e) != 0) {
        doctor_fail(d, "P12-01", "", e.cls, fix, "a key and a certificate: %s", e.msg);
        return;
    }
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        doctor_begin(d);
        if (make(d, &s, rows[i].profile, &len, &e) != 0)
            doctor_fail(d, "P12-01", rows[i].about, e.cls, fix, "%s", e.msg);
        else
            doctor_pass(d, "P12-01", rows[i].about, "%zu bytes, %lld iterations, read again", len,
                (long long)d->conf->pkcs12.iterations);
    }
    scep_enrol_close(&s);
}
