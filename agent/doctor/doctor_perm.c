/*
 * see doctor.h.  PERM-01 to PERM-06: who may read and write what.
 *
 * The service's user is the owner of the store's folder; root and he may own what he uses.
 */
#include <dirent.h>
#include <stdio.h>
#include <string.h>
#include "agent/base/fs.h"
#include "agent/control/control.h"
#include "agent/doctor/doctor_perm.h"
#include "agent/doctor/doctor_status.h"

enum { PATH_LEN = 4096 };

struct
    rule { /* what one row says of many files: the first that is wrong, else how many are right */
    struct doctor *d;
    const char *code, *about;
    unsigned forbidden; /* bits of the mode */
    const char *who;    /* "others may read it" */
    unsigned owner;     /* beside root */
    size_t right, mended;
    char mending[200];
    struct finding wrong; /* GRADE_NONE: nothing */
};

/* As the owner of the folder it is in, who could have put a link to somebody else's file there. */
static int set_mode(const char *path, unsigned bits, struct err *e)
{
    const char *slash = strrchr(path, '/');
    char dir[PATH_LEN];
    struct fs_self self;
    int rc;

    (void)snprintf(dir, sizeof dir, "%.*s", slash != NULL ? (int)(slash + 1 - path) : 1,
        slash != NULL ? path : ".");
    if (fs_as_owner(dir, &self, e) != 0)
        return -1;
    rc = fs_mode_set(path, bits, e);
    fs_as_self(&self);
    return rc;
}

static void mend(struct rule *r, const char *path, unsigned bits)
{
    struct err e;

    if (r->d->dry_run) {
        finding_fix(&r->wrong, "chmod %04o %s: --fix would do it", bits, path);
    } else if (set_mode(path, bits, &e) != 0) {
        finding_fix(&r->wrong, "chmod %04o %s: could not be done: %s", bits, path, e.msg);
    } else {
        r->wrong.grade = GRADE_NONE;
        if (r->mended++ == 0)
            (void)snprintf(r->mending, sizeof r->mending, "mended: chmod %04o %s", bits, path);
    }
}

static void perm_check(struct rule *r, const char *path, bool may_miss)
{
    struct fs_mode m;
    unsigned bits;

    if (r->wrong.grade != GRADE_NONE)
        return;
    fs_mode(path, &m);
    bits = m.bits & ~r->forbidden;
    if (!m.there && may_miss)
        return;
    if (!m.there) {
        finding_set(&r->wrong, GRADE_FAIL, ERR_CONFIG, "%s: %s", path, m.why);
        finding_fix(&r->wrong, "put it there, or correct its name in the configuration");
    } else if (m.uid != 0 && m.uid != r->owner) {
        finding_set(
            &r->wrong, GRADE_FAIL, ERR_CONFIG, "%s belongs to user %s", path, fs_mode_user(m.uid));
        finding_fix(&r->wrong, "chown root %s, or the service's user", path);
    } else if ((m.bits & r->forbidden) != 0) {
        finding_set(&r->wrong, GRADE_FAIL, ERR_CONFIG, "%s: %s (mode %04o)", path, r->who, m.bits);
        finding_fix(&r->wrong, "chmod %04o %s; or certferry doctor --fix", bits, path);
        if (r->d->fix)
            mend(r, path, bits);
    } else if (m.uid == 0 && r->owner != 0 && !fs_owner_reads(r->d->conf->store.dir, path)) {
        finding_set(&r->wrong, GRADE_FAIL, ERR_CONFIG,
            "%s: the service's user %s cannot read it (root's, mode %04o)", path,
            fs_mode_user(r->owner), m.bits);
        finding_fix(&r->wrong, "chown %u %s; the folders above it must let that user in, too",
            r->owner, path);
    } else {
        r->right++;
    }
}

static void say(struct rule *r, const char *what)
{
    if (r->wrong.grade != GRADE_NONE)
        doctor_say(r->d, r->code, r->about, &r->wrong);
    else if (r->mended > 0)
        doctor_pass(
            r->d, r->code, r->about, "%s%s", r->mending, r->mended > 1 ? ", and others" : "");
    else if (r->right == 0)
        doctor_skip(r->d, r->code, r->about, "there is none yet");
    else
        doctor_pass(r->d, r->code, r->about, "%zu %s", r->right, what);
}

/* ---- configuration, secrets ------------------------------------------------------------------------------------------------ */

static void each_in(struct rule *r, const char *dir, const char *ending)
{
    DIR *open = opendir(dir);
    const struct dirent *one;
    char path[PATH_LEN];

    while (open != NULL && (one = readdir(open)) != NULL) {
        size_t len = strlen(one->d_name), tail = strlen(ending);

        if (one->d_name[0] == '.' || len < tail || strcmp(one->d_name + len - tail, ending) != 0)
            continue;
        fs_join(path, sizeof path, dir, one->d_name);
        perm_check(r, path, true);
    }
    if (open != NULL)
        (void)closedir(open);
}

static void configuration(struct doctor *d, unsigned owner)
{
    struct rule r = { d, "PERM-01", "", 022, "others may write it", owner, 0, 0, "", { 0 } };
    const char *slash = strrchr(d->conf->path, '/');
    char dir[PATH_LEN];

    perm_check(&r, d->conf->path, false);
    (void)snprintf(dir, sizeof dir, "%.*s/conf.d", slash != NULL ? (int)(slash - d->conf->path) : 1,
        slash != NULL ? d->conf->path : ".");
    each_in(&r, dir, ".conf");
    say(&r, "files of the configuration");
}

static void one_secret(void *arg, const char *path)
{
    perm_check(arg, path, false);
}

static void secrets(struct doctor *d, unsigned owner)
{
    struct rule r = { d, "PERM-02", "", 077, "others may read it", owner, 0, 0, "", { 0 } };

    doctor_each_secret(d->conf, one_secret, &r);
    if (r.right == 0 && r.mended == 0 && r.wrong.grade == GRADE_NONE)
        doctor_skip(d, "PERM-02", "", "the configuration names no secret file");
    else
        say(&r, "secrets and keys");
}

/* ---- the store ------------------------------------------------------------------------------------------------------------- */

static void folder_missing(struct doctor *d, const char *dir)
{
    struct err e;

    if (!d->fix || d->dry_run)
        doctor_skip(d, "PERM-03", dir,
            d->fix ? "it is missing; --fix would make it" : "it is made at the first start");
    else if (fs_private_dir(dir, &e) != 0)
        doctor_fail(d, "PERM-03", dir, e.cls, "mkdir -p the folder above it", "%s", e.msg);
    else
        doctor_pass(d, "PERM-03", dir, "mended: the folder is made");
}

static void store(struct doctor *d, unsigned owner)
{
    const char *dir = d->conf->store.dir;
    struct rule r = { d, "PERM-03", dir, 077, "others may enter it", owner, 0, 0, "", { 0 } };
    char path[PATH_LEN];
    struct fs_mode m;

    fs_mode(dir, &m);
    if (!m.there) {
        folder_missing(d, dir);
        return;
    }
    perm_check(&r, dir, false);
    r.who = "others may read it";
    fs_join(path, sizeof path, dir, "certferry.db");
    r.forbidden = 022; /* the folder closes it to readers */
    perm_check(&r, path, true);
    fs_join(path, sizeof path, dir, "secrets");
    r.forbidden = 077;
    perm_check(&r, path, true);
    say(&r, "folders and files, closed to others");
}

static void socket_row(struct doctor *d, unsigned owner)
{
    struct rule r = { d, "PERM-04", "", 077, "others may use it", owner, 0, 0, "", { 0 } };
    char path[PATH_LEN];

    control_path(d->conf->store.dir, path, sizeof path);
    perm_check(&r, path, true);
    say(&r, "socket, closed to others");
}

/* ---- the master key -------------------------------------------------------------------------------------------------------- */

/* Where systemd keeps credentials that a service is given at its start. */
static const char *credential(void)
{
    static const char *const places[] = { "/etc/credstore.encrypted/certferry.master",
        "/etc/credstore/certferry.master", "/run/credstore.encrypted/certferry.master",
        "/run/credstore/certferry.master" };
    struct fs_mode m;

    for (size_t i = 0; i < sizeof places / sizeof places[0]; i++) {
        fs_mode(places[i], &m);
        if (m.there)
            return places[i];
    }
    return NULL;
}

static void key_is_there(struct doctor *d, const char *path, bool beside)
{
    struct vault v;
    struct err e;

    if (vault_open(&v, d->lib, d->conf->store.dir, path, false, &e) != 0) {
        doctor_fail(d, "PERM-05", "", e.cls, "restore it from a backup, closed to others (0600)",
            "%s", e.msg);
        return;
    }
    vault_close(&v);
    if (beside)
        doctor_warn(d, "PERM-05", "",
            "systemd-creds encrypt --name=certferry.master, and LoadCredentialEncrypted= in the "
            "unit",
            "%s: whoever reads the store's folder has the key, too", path);
    else
        doctor_pass(d, "PERM-05", "", "%s, apart from the store", path);
}

static void master_key(struct doctor *d)
{
    const char *dir = d->conf->store.dir;
    bool named = d->conf->store.master_key != NULL;
    char path[PATH_LEN], db[PATH_LEN];
    struct fs_mode m, store_file;

    fs_join(db, sizeof db, dir, "certferry.db");
    fs_mode(db, &store_file);
    if (named)
        (void)snprintf(path, sizeof path, "%s", d->conf->store.master_key);
    else
        fs_join(path, sizeof path, dir, "master.key");
    fs_mode(path, &m);
    if (m.there)
        key_is_there(d, path, !named);
    else if (!named && (doctor_running(d) || credential() != NULL))
        doctor_pass(d, "PERM-05", "", "a credential of the service manager");
    else if (!named && !store_file.there)
        doctor_skip(d, "PERM-05", "", "it is made at the first start");
    else
        doctor_fail(d, "PERM-05", "", ERR_CONFIG,
            "restore it from a backup; a new one would make all that is sealed unreadable",
            "%s: %s; the store is sealed with it", path, m.why);
}

/* ---- plugins --------------------------------------------------------------------------------------------------------------- */

static void trusted(struct doctor *d, const char *about, const char *path)
{
    struct fs_mode m;
    struct err e;

    doctor_begin(d);
    fs_mode(path, &m);
    if (!m.there)
        doctor_skip(d, "PERM-06", about, "it is not there; see PLG-01");
    else if (fs_trusted_file(path, &e) != 0)
        doctor_fail(
            d, "PERM-06", about, e.cls, "chown root, chmod go-w what is named", "%s", e.msg);
    else
        doctor_pass(d, "PERM-06", about, "%s", path);
}

static void plugins(struct doctor *d)
{
    for (size_t i = 0; i < d->conf->plugin_count; i++) {
        const struct conf_plugin *p = &d->conf->plugins[i];
        char about[100], path[PATH_LEN];
        struct err e;

        (void)snprintf(about, sizeof about, "plugin \"%s\"", p->name);
        if (plugin_file(p, path, sizeof path, &e) != 0)
            doctor_skip(d, "PERM-06", about, "see PLG-01");
        else
            trusted(d, about, path);
        if (p->program != NULL && doctor_failed(d, "PERM-06", about) == NULL)
            trusted(d, about, p->program);
    }
}

void doctor_perm(struct doctor *d)
{
    struct fs_mode m;
    unsigned owner;

    fs_mode(d->conf->store.dir, &m);
    owner = m.there ? m.uid : fs_mode_self();
    doctor_begin(d);
    configuration(d, owner);
    secrets(d, owner);
    store(d, owner);
    socket_row(d, owner);
    master_key(d);
    if (d->conf->plugin_count == 0)
        doctor_skip(d, "PERM-06", "", "no plugin is configured");
    plugins(d);
}
