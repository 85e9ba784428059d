/* see doctor.h.  VER-01 to VER-04: releases with holes that concern what we do with them, and versions that do not fit. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "agent/base/fs.h"
#include "agent/base/fs_mode.h"
#include "agent/doctor/doctor.h"
#include "agent/doctor/doctor_status.h"
#include "agent/io/io_look.h"
#include "agent/store/store.h"
#include "certs/lib.h"

/* First of a branch that is bad, first that is good again, what is wrong.  A distribution may have mended an old
 * number; Debian raises OpenSSL's, but not curl's. */
struct known_bad {
    const char *from, *good, *what;
};
static const struct known_bad openssl[] = {
    { "3.0.0", "3.0.21", "CVE-2026-45447" },
    { "3.1.0", "3.2.0", "a branch that gets no more corrections" },
    { NULL, NULL, NULL },
};
static const struct known_bad curl[] = {
    { "7.0.0", "7.85.0", "too old for certferry" },
    { "8.11.1", "8.12.0", "CVE-2025-0665" },
    { NULL, NULL, NULL },
};

/* "3.0.19" as 3 000 019; letters end it. */
static long number_of(const char *text)
{
    long all = 0;

    for (int i = 0; i < 3; i++) {
        char *end;
        long part = strtol(text, &end, 10);

        all = all * 1000 + (part < 0 || part > 999 ? 999 : part);
        text = *end == '.' ? end + 1 : "0";
    }
    return all;
}

const char *doctor_known_bad(bool ssl, const char *version, const char **good)
{
    long n = number_of(version);

    for (const struct known_bad *b = ssl ? openssl : curl; b->from != NULL; b++)
        if (n >= number_of(b->from) && n < number_of(b->good)) {
            *good = b->good;
            return b->what;
        }
    return NULL;
}

static void say_library(
    struct doctor *d, const char *code, bool ssl, const char *name, const char *version)
{
    const char *good, *what = doctor_known_bad(ssl, version, &good);
    char fix[160];

    (void)snprintf(fix, sizeof fix, "apt upgrade, then restart the service: %s is without it",
        what != NULL ? good : "");
    if (what != NULL)
        doctor_warn(d, code, "", fix, "%s %.40s has a known hole: %s", name, version, what);
    else
        doctor_pass(d, code, "", "%s %.40s", name, version);
}

static void say_store(struct doctor *d)
{
    char file[4096];
    struct fs_mode m;
    struct store *s;
    struct err e;

    fs_join(file, sizeof file, d->conf->store.dir, "certferry.db");
    fs_mode(file, &m);
    if (!m.there) {
        doctor_skip(d, "VER-03", "", "there is no store yet");
    } else if (doctor_running(d)) {
        doctor_pass(d, "VER-03", "", "the running service uses it");
    } else if ((s = store_open(d->conf->store.dir, true, &e)) != NULL) {
        doctor_pass(d, "VER-03", "", "its schema is the one of this program");
        store_close(s);
    } else if (store_problem(NULL) == STORE_NEWER) {
        doctor_fail(d, "VER-03", "", ERR_STORE,
            "install the version of certferry that made it; an older one does not touch it", "%s",
            e.msg);
    } else {
        doctor_skip(d, "VER-03", "", "it does not open; see ST-01");
    }
}

static void say_service(struct doctor *d)
{
    const char *theirs = doctor_status_text(d, "version");

    if (!doctor_running(d))
        doctor_skip(d, "VER-04", "", "no service is running");
    else if (strcmp(theirs, CERTFERRY_VERSION) == 0)
        doctor_pass(d, "VER-04", "", "both are %s", CERTFERRY_VERSION);
    else
        doctor_warn(d, "VER-04", "", "systemctl restart certferry",
            "the service is %.40s, this program %s", theirs, CERTFERRY_VERSION);
}

void doctor_version(struct doctor *d)
{
    const char *version = lib_version();

    version += strcspn(version, "0123456789");
    say_library(d, "VER-01", true, "OpenSSL", version);
    say_library(d, "VER-02", false, "libcurl", io_look_curl());
    say_store(d);
    say_service(d);
}
