/* see doctor.h */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include "agent/base/fs_mode.h"
#include "agent/doctor/doctor.h"
#include "agent/doctor/doctor_look.h"
#include "certs/mem.h"

/* Causes before effects: what is said first is what later rows point to.  A group that others need runs for them too;
 * then only its FAILs are said. */
static const struct {
    const char *prefix;
    void (*say)(struct doctor *d);
    const char *needed_by[4];
    const char *says; /* a row of a group above that only this one can see fail */
} groups[] = {
    { "VER-", doctor_version, { NULL }, NULL },
    { "PERM-", doctor_perm, { NULL }, NULL },
    { "ST-", doctor_store, { NULL }, NULL },
    { "P12-", doctor_p12, { NULL }, NULL },
    { "PLG-", doctor_plugin, { NULL }, NULL },
    { "RA-", doctor_ra, { NULL }, NULL },
    { "SVC-", doctor_service, { NULL }, NULL },
    { "NET-", doctor_net, { "CLOUD-", "AUTH-", "CA-" }, NULL },
    { "TIME-", doctor_time, { "CLOUD-", "AUTH-", "CA-" }, NULL },
    { "TLS-", doctor_tls, { "CLOUD-", "AUTH-", "CA-" }, NULL },
    { "CLOUD-", doctor_cloud, { "AUTH-" }, "NET-06" }, /* a portal shows when it is asked */
    { "AUTH-", doctor_auth, { NULL }, NULL },
    { "CA-", doctor_ca, { NULL }, NULL },
    { "SCEP-", doctor_scep, { NULL }, NULL },
};
enum { GROUPS = sizeof groups / sizeof groups[0] };

const struct doctor_code doctor_codes[] = {
    { "CONF-01", "the configuration can be read" },
    { "VER-01", "OpenSSL is not one with a known hole" },
    { "VER-02", "libcurl is not one with a known hole" },
    { "VER-03", "the store is of a version that this program knows" },
    { "VER-04", "the running service is this program" },
    { "PERM-01", "the service may read the configuration, and nobody else write it" },
    { "PERM-02", "secrets and private keys are closed to others, and open to the service" },
    { "PERM-03", "the store's folder and files are closed to others" },
    { "PERM-04", "the control socket is closed to others" },
    { "PERM-05", "the master key is there, and how it is kept" },
    { "PERM-06", "nobody else may change plugins and programs" },
    { "ST-01", "the store opens and is whole" },
    { "ST-02", "there is free space" },
    { "ST-03", "the store's folder can be written, and how fast a write is on disk" },
    { "ST-04", "age of the last backup" },
    { "P12-01", "PKCS#12 files are made and can be read again" },
    { "PLG-01", "challenge plugins open, and can judge" },
    { "RA-01", "certificates of registration authorities are valid, and for how many days" },
    { "SVC-01", "the service is running and answers" },
    { "SVC-02", "how it has been doing: its health, its last reload; by systemd: restarts, "
                "watchdog, sandbox" },
    { "NET-01", "the name resolves" },
    { "NET-02", "a connection can be made" },
    { "NET-03", "IPv4 and IPv6 both lead there" },
    { "NET-04", "the proxy lets us through" },
    { "NET-05", "the way out: which proxy, and why" },
    { "NET-06", "nobody stands in between: no portal, no opened TLS" },
    { "TIME-01", "the clock agrees with those of the peers" },
    { "TLS-01", "TLS 1.2 or newer" },
    { "TLS-02", "the certificate leads to a trusted root and is for this name" },
    { "TLS-03", "the certificate is valid, and for how many days" },
    { "CLOUD-01", "the cloud answers as CCP/1" },
    { "AUTH-01", "there is an identity to show the cloud" },
    { "AUTH-02", "the cloud accepts it" },
    { "AUTH-03", "life left in our client certificates" },
    { "AUTH-04", "the cloud lets this connector work" },
    { "CA-01", "the CA answers, and its certificates lead to the anchors" },
    { "CA-02", "the CA knows the templates" },
    { "CA-03", "our account may enrol" },
    { "SCEP-01", "the bare URL answers as monitoring expects" },
    { "SCEP-02", "GetCACaps and GetCACert are well formed, the certificates good" },
    { "SCEP-03", "a URL of 30 KB passes" },
    { "SCEP-04", "a request with a challenge that is made up is refused, and properly" },
    { NULL, NULL },
};

const char *doctor_text(const char *code)
{
    for (const struct doctor_code *k = doctor_codes; k->code != NULL; k++)
        if (strcmp(k->code, code) == 0)
            return k->text;
    return "";
}

/* ---- which rows -------------------------------------------------------------------------------------------------- */

/* "net,ca,SCEP-03": does one of the words begin this code, or does this prefix begin the word? */
bool doctor_wants(const struct doctor *d, const char *code)
{
    const char *word = d->only;
    size_t whole = strlen(code);

    while (word != NULL) {
        size_t len = strcspn(word, ", "), both = len < whole ? len : whole;

        if (len > 0 && strncasecmp(word, code, both) == 0
            && (len <= whole || code[whole - 1] == '-'))
            return true;
        word = word[len] != '\0' ? word + len + 1 : NULL;
    }
    return d->only == NULL;
}

/* Every word of --only has to name a row: a code that is mistyped must not look like a good result. */
static bool only_is_known(const struct doctor *d)
{
    const char *word = d->only;

    while (word != NULL) {
        size_t len = strcspn(word, ", ");
        bool any = len == 0;

        for (const struct doctor_code *k = doctor_codes; !any && k->code != NULL; k++)
            any = strncasecmp(word, k->code, len) == 0;
        if (!any)
            return false;
        word = word[len] != '\0' ? word + len + 1 : NULL;
    }
    return d->only == NULL || strspn(d->only, ", ") < strlen(d->only);
}

/* ---- saying ------------------------------------------------------------------------------------------------------- */

void doctor_begin(struct doctor *d)
{
    d->since_ms = io_look_ms();
}

void doctor_say_ms(
    struct doctor *d, const char *code, const char *about, const struct finding *f, int64_t ms)
{
    struct doctor_row *r;

    bool wanted = doctor_wants(d, code) || (d->needed && f->grade == GRADE_FAIL);

    if (!wanted || d->count == DOCTOR_ROWS_MAX)
        return;
    if (d->rows == NULL)
        d->rows = xcalloc(DOCTOR_ROWS_MAX, sizeof *d->rows);
    r = &d->rows[d->count++];
    *r = (struct doctor_row){ code, xstrdup(about), *f, ms };
    d->grades[f->grade]++;
    if (d->on_row != NULL)
        d->on_row(d->arg, r);
}

void doctor_say(struct doctor *d, const char *code, const char *about, const struct finding *f)
{
    int64_t ms = f->grade == GRADE_SKIP ? 0 : (int64_t)(io_look_ms() - d->since_ms);

    doctor_say_ms(d, code, about, f, ms);
    doctor_begin(d);
}

void doctor_skip(struct doctor *d, const char *prefix, const char *about, const char *why)
{
    struct finding f;

    finding_set(&f, GRADE_SKIP, ERR_NONE, "%s", why);
    for (const struct doctor_code *k = doctor_codes; k->code != NULL; k++)
        if (strncmp(k->code, prefix, strlen(prefix)) == 0)
            doctor_say(d, k->code, about, &f);
}

__attribute__((format(printf, 7, 0))) static void one_line(struct doctor *d, const char *code,
    const char *about, enum grade g, enum err_class cls, const char *fix, const char *fact,
    va_list ap)
{
    struct finding f;
    char text[sizeof f.fact];

    (void)vsnprintf(text, sizeof text, fact, ap);
    finding_set(&f, g, cls, "%s", text);
    finding_fix(&f, "%s", fix);
    doctor_say(d, code, about, &f);
}

void doctor_pass(struct doctor *d, const char *code, const char *about, const char *fact, ...)
{
    va_list ap;

    va_start(ap, fact);
    one_line(d, code, about, GRADE_PASS, ERR_NONE, "", fact, ap);
    va_end(ap);
}

void doctor_warn(
    struct doctor *d, const char *code, const char *about, const char *fix, const char *fact, ...)
{
    va_list ap;

    va_start(ap, fact);
    one_line(d, code, about, GRADE_WARN, ERR_NONE, fix, fact, ap);
    va_end(ap);
}

void doctor_fail(struct doctor *d, const char *code, const char *about, enum err_class cls,
    const char *fix, const char *fact, ...)
{
    va_list ap;

    va_start(ap, fact);
    one_line(d, code, about, GRADE_FAIL, cls, fix, fact, ap);
    va_end(ap);
}

/* ---- causes ------------------------------------------------------------------------------------------------------- */

const struct doctor_row *doctor_failed(
    const struct doctor *d, const char *prefix, const char *about)
{
    for (size_t i = 0; i < d->count; i++)
        if (d->rows[i].found.grade == GRADE_FAIL
            && strncmp(d->rows[i].code, prefix, strlen(prefix)) == 0
            && (about == NULL || strcmp(d->rows[i].about, about) == 0))
            return &d->rows[i];
    return NULL;
}

void doctor_needs(
    struct doctor *d, const char *code, const char *about, const struct doctor_row *of)
{
    char why[200];

    (void)snprintf(
        why, sizeof why, "needs %s%s%s", of->code, of->about[0] != '\0' ? " of " : "", of->about);
    doctor_skip(d, code, about, why);
}

const struct doctor_row *doctor_worst(const struct doctor *d)
{
    return doctor_failed(d, "", NULL);
}

/* ---- running ------------------------------------------------------------------------------------------------------ */

/* Somebody else would see a hundred things that only he may not see. */
static bool is_stranger(struct doctor *d)
{
    struct fs_mode m;
    char fix[200];

    fs_mode(d->conf->store.dir, &m);
    if (fs_mode_self() == 0 || !m.there || m.uid == fs_mode_self())
        return false;
    (void)snprintf(fix, sizeof fix, "sudo certferry doctor; or as user %s", fs_mode_user(m.uid));
    doctor_fail(d, "PERM-01", "", ERR_CONFIG, fix,
        "neither root nor the owner of %s: what has to be looked at is closed to this user",
        d->conf->store.dir);
    for (size_t i = 0; i < GROUPS; i++)
        if (strcmp(groups[i].prefix, "PERM-") != 0)
            doctor_skip(d, groups[i].prefix, "", "needs PERM-01");
    return true;
}

bool doctor_run(struct doctor *d)
{
    if (!only_is_known(d))
        return false;
    doctor_begin(d);
    doctor_pass(d, "CONF-01", "", "%s", d->conf->path);
    d->needed = true; /* whatever is wanted */
    if (is_stranger(d))
        return true;
    for (size_t i = 0; i < GROUPS; i++) {
        d->needed = false;
        for (size_t k = 0; k < 4 && groups[i].needed_by[k] != NULL; k++)
            d->needed = d->needed || doctor_wants(d, groups[i].needed_by[k]);
        doctor_begin(d);
        if (d->needed || doctor_wants(d, groups[i].prefix)
            || (groups[i].says != NULL && doctor_wants(d, groups[i].says)))
            groups[i].say(d);
    }
    return true;
}

void doctor_unread(struct doctor *d, const struct err *why)
{
    bool closed = fs_mode_self() != 0 && (why->number == EACCES || why->number == EPERM);

    doctor_begin(d);
    doctor_fail(d, "CONF-01", "", why->cls,
        closed ? "sudo certferry doctor" : "mend what is named, then: certferry check", "%s",
        why->msg);
    for (size_t i = 0; i < GROUPS; i++)
        doctor_skip(d, groups[i].prefix, "", "needs CONF-01");
}

void doctor_free(struct doctor *d)
{
    for (size_t i = 0; i < d->count; i++)
        free(d->rows[i].about);
    free(d->rows);
    doctor_looks_free(d);
    json_free(d->status);
    d->status = NULL;
    d->rows = NULL;
    d->count = 0;
}
