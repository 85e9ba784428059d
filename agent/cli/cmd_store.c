/* store backup, store restore: the store in one file, and a store made of it again. */
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include "agent/base/clock.h"
#include "agent/base/fs.h"
#include "agent/cli/cli.h"
#include "agent/conf/conf.h"
#include "agent/secrets/vault.h"
#include "agent/service/backup.h"
#include "certs/text.h"

enum { PATH_LEN = 4200, LOOK_MS = 100 };

/* ---- backup --------------------------------------------------------------------------------------------------------- */

static void progress(const struct cli *c, int64_t percent, bool over)
{
    if (c->quiet || c->json || isatty(STDERR_FILENO) != 1)
        return;
    if (over)
        (void)fprintf(stderr, "\r%10s\r", "");
    else
        (void)fprintf(stderr, "\r%3lld %%", (long long)percent);
}

/* Until it is made, or is not: 0, or the exit code of what was said. */
static int wait_for(struct cli *c, struct json **answer)
{
    const struct json *d = json_get(*answer, "data");
    struct err e;
    int code = 0;

    while (d != NULL && strcmp(cli_text(d, "state"), "running") == 0) {
        progress(c, cli_number(d, "percent"), false);
        (void)poll(NULL, 0, LOOK_MS);
        json_free(*answer);
        *answer = NULL;
        code = cli_ask(c, "{\"command\":\"store.backup-state\"}", false, answer);
        if (code == EXIT_NO_SERVICE) {
            (void)err_set(&e, ERR_BUSY, "the service ended before the backup was made");
            code = cli_fail_as(c, EXIT_TRY_AGAIN, &e, "certferry store backup FILE, again");
        }
        if (code != 0)
            return code;
        d = json_get(*answer, "data");
    }
    progress(c, 100, true);
    if (d == NULL || strcmp(cli_text(d, "state"), "done") == 0)
        return 0;
    (void)err_set(&e, ERR_STORE, "the backup was not made: %s", cli_text(d, "message"));
    return cli_fail(
        c, &e, "look at the store's folder and its disk: is there room for another one?");
}

static int make(struct cli *c)
{
    struct json *answer = NULL;
    int code;

    c->answer_hidden = true;
    code = cli_ask(c, "{\"command\":\"store.backup\"}", true, &answer);
    if (code == EXIT_NO_SERVICE)
        code = 0;
    if (code == 0)
        code = wait_for(c, &answer);
    c->answer_hidden = false;
    json_free(answer);
    return code;
}

/* It is the service's file, read with the service's rights; the new one is ours. */
static int take(const struct conf *conf, const char *file, struct err *e)
{
    char path[PATH_LEN];
    struct fs_self self;
    struct err none;
    int fd, rc;

    backup_path(conf, path);
    if (fs_as_owner(conf->store.dir, &self, e) != 0)
        return -1;
    fd = fs_open_file(path, e);
    fs_as_self(&self);
    if (fd < 0)
        return -1;
    rc = fs_create_secret_from(file, fd, e);
    (void)close(fd);
    if (fs_as_owner(conf->store.dir, &self, &none) == 0) {
        (void)!fs_remove(path, &none);
        fs_as_self(&self);
    }
    return rc;
}

static void say_made(const struct cli *c, const struct conf *conf, const char *file)
{
    enum vault_place place;
    char key[PATH_LEN];
    struct stat st;
    long long size = stat(file, &st) == 0 ? (long long)st.st_size : 0;

    place = vault_place(conf->store.dir, conf->store.master_key, key, sizeof key);
    if (c->json) {
        struct buf data = BUF_INIT(16384);
        struct json_out o = { .to = &data };

        json_open(&o, NULL, '{');
        json_put_text(&o, "file", file);
        json_put_int(&o, "size", size);
        json_put_text(&o, "masterKey", vault_place_name(place));
        json_close(&o, '}');
        cli_envelope("certferry.backup/1", &data, NULL, EXIT_OK);
        buf_free(&data);
        return;
    }
    (void)printf("%s: the store as it is now, %lld KiB\n", file, size / 1024);
    if (!c->quiet)
        (void)fprintf(stderr,
            "note: nobody can open it without the master key, which is not in it: keep a copy of "
            "%s "
            "in another place, and the configuration\n",
            place == VAULT_CREDENTIAL ? "the credential certferry.master" : key);
}

int cmd_store_backup(struct cli *c)
{
    const char *file = c->args[0];
    struct conf *conf;
    struct err e = { 0 };
    struct stat st;
    int code;

    if (lstat(file, &st) == 0) {
        (void)err_set(&e, ERR_CONFLICT, "%s exists", file);
        return cli_fail(c, &e, "another name, as certferry-$(date +%%F).backup");
    }
    if ((conf = conf_load(c->config, &e)) == NULL)
        return cli_fail(c, &e, "certferry check --config %s", c->config);
    code = make(c);
    if (code == 0 && take(conf, file, &e) != 0)
        code = cli_fail(c, &e, "is there such a folder, with room, and may you write there?");
    if (code == 0)
        say_made(c, conf, file);
    conf_free(conf);
    return code;
}

/* ---- restore -------------------------------------------------------------------------------------------------------- */

/* With the rights of the store's owner, and nobody else at it. */
static int put_in(const struct conf *conf, int fd, struct restored *out, struct err *e)
{
    char path[PATH_LEN];
    int lock, rc = -1;

    if (fs_private_dir(conf->store.dir, e) != 0)
        return -1;
    fs_join(path, sizeof path, conf->store.dir, "lock");
    if ((lock = fs_lock(path, e)) < 0)
        return -1;
    if (restore_place(conf, path, e) == 0 && fs_create_secret_from(path, fd, e) == 0)
        rc = restore(conf, out, e);
    if (rc != 0)
        restore_give_up(conf);
    fs_unlock(lock);
    return rc;
}

static void say_restored(
    const struct cli *c, const struct conf *conf, const char *file, const struct restored *r)
{
    char at[24];

    time_text(r->at, at);
    if (c->json) {
        struct buf data = BUF_INIT(32768);
        struct json_out o = { .to = &data };

        json_open(&o, NULL, '{');
        json_put_text(&o, "file", file);
        json_put_time(&o, "madeAt", r->at);
        json_put_int(&o, "open", r->open);
        json_put_int(&o, "secrets", (int64_t)r->secrets);
        json_put_bool(&o, "masterKeyFits", r->proven);
        json_put_text(&o, "before", r->kept);
        json_close(&o, '}');
        cli_envelope("certferry.restored/1", &data, NULL, EXIT_OK);
        buf_free(&data);
        return;
    }
    (void)printf("%s is as it was at %s, with %lld open requests\n", conf->store.dir, at,
        (long long)r->open);
    (void)printf("what was there before is in %s; remove it when all is well\n", r->kept);
    if (!c->quiet)
        (void)fprintf(stderr, "next: certferry service start; before it asks a CA for anything it "
                              "compares with the cloud, see certferry reconcile\n");
}

static const char *fix_of(const struct conf *conf, enum err_class cls)
{
    struct err e;

    if (cls != ERR_CONFLICT && restore_unfinished(conf, &e) != 0)
        return "files of the store have been exchanged in part: restore a good backup before the "
               "service starts; what was there is in the store's folders before-restore-TIME";
    switch (cls) {
    case ERR_CONFLICT:
        return "certferry service stop, then again";
    case ERR_CONFIG:
        return "bring the master key of that time back first; certferry(1), KEYS";
    case ERR_INPUT:
        return "name a file that certferry store backup has made";
    default:
        return "the store is as it was; another backup, or more room";
    }
}

int cmd_store_restore(struct cli *c)
{
    const char *file = c->args[0];
    struct conf *conf = NULL;
    struct err e = { 0 }, missing;
    struct restored r;
    struct fs_self self;
    char at[24];
    int fd, rc = -1;

    if ((conf = conf_load_incomplete(c->config, &missing, &e)) == NULL)
        return cli_fail(c, &e, "certferry check --config %s", c->config);
    if ((fd = fs_open_file(file, &e)) < 0) {
        conf_free(conf);
        return cli_fail(c, &e, "name a file that certferry store backup has made");
    }
    if (!cli_sure(c)) {
        (void)close(fd);
        conf_free(conf);
        return EXIT_FAILED;
    }
    clock_start();
    if (fs_as_owner(conf->store.dir, &self, &e) == 0) {
        rc = put_in(conf, fd, &r, &e);
        fs_as_self(&self);
    }
    (void)close(fd);
    if (rc != 0) {
        if (e.cls == ERR_INPUT)
            err_wrap(&e, "%s", file);
        rc = cli_fail(c, &e, "%s", fix_of(conf, e.cls));
        conf_free(conf);
        return rc;
    }
    time_text(r.at, at);
    if (!r.proven)
        cli_warn(c, "CONFIG", "certferry(1), KEYS",
            "whether the master key fits is seen when the service starts: %s", r.why);
    cli_audit(c, conf, "store.restored", NULL, at);
    say_restored(c, conf, file, &r);
    conf_free(conf);
    return EXIT_OK;
}
