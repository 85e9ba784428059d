/*
 * see backup.h.  A store made of a backup again.
 *
 * <store>/restore.new holds all of it until every check has passed; then it is exchanged with what is there.  That
 * takes some renames: a power cut between them leaves restore.new/exchanging, and with that the store is not opened, so that
 * no service begins with half of it, or with a new one.
 */
#include <stdio.h>
#include <string.h>
#include "agent/base/clock.h"
#include "agent/base/fs.h"
#include "agent/secrets/secret.h"
#include "agent/service/backup.h"
#include "agent/store/store_copy.h"
#include "certs/mem.h"
#include "certs/text.h"

enum { PATH_LEN = 4200 };

static void new_path(const struct conf *c, const char *name, char *out)
{
    (void)snprintf(
        out, PATH_LEN, "%s/restore.new%s%s", c->store.dir, name[0] != '\0' ? "/" : "", name);
}

/* ---- what was cut short --------------------------------------------------------------------------------------------- */

int restore_unfinished(const struct conf *c, struct err *e)
{
    char path[PATH_LEN];

    new_path(c, "exchanging", path);
    if (fs_changed_at(path) == 0)
        return 0;
    return err_set(e, ERR_STORE,
        "%s: a restore was cut short while files were exchanged; finish it: certferry store "
        "restore FILE, with the same backup",
        c->store.dir);
}

static int clear(const struct conf *c, struct err *e)
{
    char path[PATH_LEN];

    new_path(c, "secrets", path);
    if (fs_remove_folder(path, e) != 0)
        return -1;
    new_path(c, "", path);
    return fs_remove_folder(path, e);
}

void restore_give_up(const struct conf *c)
{
    struct err e;

    if (restore_unfinished(c, &e) == 0)
        (void)!clear(c, &e);
}

/* One that was cut short keeps its mark until it is done again. */
static int clear_for_another(const struct conf *c, struct err *e)
{
    char path[PATH_LEN];
    struct err none;

    if (restore_unfinished(c, &none) == 0)
        return clear(c, e);
    new_path(c, "secrets", path);
    if (fs_remove_folder(path, e) != 0)
        return -1;
    new_path(c, "certferry.db", path);
    return fs_remove(path, e) == 0 || e->cls == ERR_GONE ? 0 : -1;
}

int restore_place(const struct conf *c, char *out, struct err *e)
{
    char path[PATH_LEN];

    if (strlen(c->store.dir) > 3900)
        return err_set(e, ERR_CONFIG, "the path of the store is too long");
    if (fs_private_dir(c->store.dir, e) != 0 || clear_for_another(c, e) != 0)
        return -1;
    new_path(c, "", path);
    new_path(c, "certferry.db", out);
    return fs_private_dir(path, e);
}

/* ---- checking --------------------------------------------------------------------------------------------------------- */

static int keep_secret(void *arg, const char *name, struct view sealed, struct err *e)
{
    const char *dir = arg;
    char path[PATH_LEN];

    if (!secret_name_ok(name))
        return err_set(e, ERR_INPUT, "a file in it has a name that no secret has");
    (void)snprintf(path, sizeof path, "%.3900s/%s", dir, name);
    return fs_replace(path, sealed, 0600, e);
}

/* returns 1 the key that is here opens the secrets, 0 none can be read here, -1 it does not */
static int prove(const struct conf *c, struct restored *out, struct err *e)
{
    struct vault v = { .has_other = false };
    struct secrets *s = NULL;
    struct lib *l = lib_new(e);
    char path[PATH_LEN];
    int rc = -1;

    new_path(c, "", path);
    if (l == NULL)
        return -1;
    if (vault_open(&v, l, c->store.dir, c->store.master_key, false, e) != 0)
        rc =
            e->cls == ERR_CONFIG ? 0 : -1; /* it may be a credential, which only the service gets */
    else if ((s = secrets_open(path, &v, l, e)) != NULL && secrets_prove(s, e) == 0)
        rc = 1;
    else if (e->cls == ERR_CONFIG)
        (void)err_set(e, ERR_CONFIG,
            "the backup is sealed with another master key than the one that is here");
    if (rc == 0)
        (void)snprintf(out->why, sizeof out->why, "%s", e->msg);
    secrets_close(s);
    vault_close(&v);
    lib_free(l);
    return rc;
}

/* ---- exchanging ------------------------------------------------------------------------------------------------------- */

static int move_away(const struct conf *c, const char *name, struct restored *out, struct err *e)
{
    char from[PATH_LEN], to[PATH_LEN + 64];

    (void)snprintf(from, sizeof from, "%s/%s", c->store.dir, name);
    (void)snprintf(to, sizeof to, "%s/%s", out->kept, name);
    return fs_move(from, to, e) == 0 || e->cls == ERR_GONE ? 0 : -1;
}

static int move_in(const struct conf *c, const char *name, struct err *e)
{
    char from[PATH_LEN], to[PATH_LEN];

    new_path(c, name, from);
    (void)snprintf(to, sizeof to, "%s/%s", c->store.dir, name);
    return fs_move(from, to, e);
}

static int exchange(const struct conf *c, struct restored *out, struct err *e)
{
    static const char *const old[] = { "certferry.db-wal", "certferry.db-shm", "certferry.db",
        "secrets" };
    char at[24], mark[PATH_LEN];

    time_text(clock_now(), at);
    (void)snprintf(out->kept, sizeof out->kept, "%s/before-restore-%s", c->store.dir, at);
    new_path(c, "exchanging", mark);
    if (fs_private_dir(out->kept, e) != 0 || fs_touch_private(mark, e) != 0)
        return -1;
    for (size_t i = 0; i < sizeof old / sizeof old[0]; i++)
        if (move_away(c, old[i], out, e) != 0)
            return -1;
    if (move_in(c, "secrets", e) != 0 || move_in(c, "certferry.db", e) != 0)
        return -1;
    return clear(c, e);
}

int restore(const struct conf *c, struct restored *out, struct err *e)
{
    char db[PATH_LEN], secrets[PATH_LEN];
    struct store_copy_facts f;
    int proven;

    *out = (struct restored){ 0 };
    new_path(c, "certferry.db", db);
    new_path(c, "secrets", secrets);
    if (fs_private_dir(secrets, e) != 0 || store_copy_unpack(db, &f, keep_secret, secrets, e) != 0
        || (proven = prove(c, out, e)) < 0)
        return -1;
    out->at = f.at;
    out->open = f.open;
    out->secrets = f.files;
    out->proven = proven == 1;
    return exchange(c, out, e);
}
