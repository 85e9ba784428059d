/* see cli.h.  Who answers a question: the running service, or the store. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "agent/agent.h"
#include "agent/base/clock.h"
#include "agent/base/fs.h"
#include "agent/cli/cli.h"

enum how { READS, CHANGES, KEYS, NOTES };

/* Root may have become the store's owner for a moment; the real user is who did it. */
static void note_actor(struct agent *a)
{
    (void)snprintf(a->actor, sizeof a->actor, "uid %lld", (long long)getuid());
}

static int ask_keys(struct conf *conf, struct view request, struct buf *reply, struct err *e)
{
    struct agent a = { .conf = conf, .lock = -1 };
    int rc = -1;

    note_actor(&a);
    if ((a.lib = lib_new(e)) != NULL && agent_open_store(&a, e) == 0) {
        control_answer(&a, request, reply);
        rc = 0;
    }
    agent_close_store(&a);
    lib_free(a.lib);
    return rc;
}

/* Before the first start: that is no fault of the store. */
static bool is_new(const char *dir)
{
    char path[4096];

    fs_join(path, sizeof path, dir, "certferry.db");
    return access(path, F_OK) != 0 && errno == ENOENT;
}

/* A store is made by who opens its keys, too: without them no service would take it afterwards. */
static int ask_rows(
    struct conf *conf, struct view request, bool changes, struct buf *reply, struct err *e)
{
    struct agent a = { .conf = conf, .lock = -1 };
    char path[4096];
    int rc = -1;

    if (is_new(conf->store.dir))
        return err_set(e, ERR_GONE, "there is no store in %s", conf->store.dir);
    if (changes) { /* nobody else may begin while we write */
        fs_join(path, sizeof path, conf->store.dir, "lock");
        if ((a.lock = fs_lock(path, e)) < 0)
            return -1;
    }
    if ((a.store = store_open(conf->store.dir, !changes, e)) != NULL) {
        note_actor(&a);
        control_answer(&a, request, reply);
        rc = 0;
    }
    store_close(a.store);
    fs_unlock(a.lock);
    return rc;
}

/* Nobody runs: we are the service for a moment, with its rights (see fs_as_owner). */
static int ask_store(
    struct conf *conf, struct view request, enum how how, struct buf *reply, struct err *e)
{
    struct fs_self self;
    int rc;

    clock_start();
    if (fs_as_owner(conf->store.dir, &self, e) != 0)
        return -1;
    rc = how == KEYS ? ask_keys(conf, request, reply, e)
                     : ask_rows(conf, request, how != READS, reply, e);
    fs_as_self(&self);
    return rc;
}

static enum err_class class_named(const char *name)
{
    int cls = ERR_NONE + 1;

    while (cls < ERR_CLASS_COUNT && strcmp(err_name((enum err_class)cls), name) != 0)
        cls++;
    return cls < ERR_CLASS_COUNT ? (enum err_class)cls : ERR_PROTO; /* another version's */
}

static int finish(struct cli *c, struct buf *reply, bool from_store, struct json **answer)
{
    struct err e = { 0 };
    struct json *j = json_parse(buf_view(reply), (size_t)64 << 20, &e);
    const struct json *error;
    const char *message = "", *name = "", *fix = "";
    int64_t code = EXIT_FAILED;
    bool ok = false;

    if (j == NULL || json_bool(j, "ok", true, &ok, &e) != 0) {
        json_free(j);
        return cli_fail(c, &e, "the service may be of another version; restart it");
    }
    if (c->json && !(ok && c->answer_hidden))
        (void)printf("%.*s\n", (int)strcspn(buf_text(reply), "\n"), buf_text(reply));
    if (ok) {
        *answer = j;
        return from_store ? EXIT_NO_SERVICE : EXIT_OK;
    }
    if ((error = json_get(j, "error")) != NULL) {
        (void)!json_text(error, "message", false, 400, &message, &e);
        (void)!json_text(error, "code", false, 40, &name, &e);
        (void)!json_text(error, "fix", false, 400, &fix, &e);
        (void)!json_int(error, "exit", false, 0, 255, &code, &e);
    }
    if (!c->json) { /* in the same three lines as every other error */
        (void)err_set(&e, class_named(name), "%s", message);
        (void)cli_fail_as(c, (int)code, &e, "%s", fix);
    }
    json_free(j);
    return (int)code;
}

/* The configuration does not load: the service that runs with the one before it can be asked even so. */
static int ask_without(struct cli *c, struct view q, const struct err *why, struct json **answer)
{
    struct buf reply = BUF_INIT((size_t)64 << 20);
    char dir[4096];
    struct err e;
    int code;

    conf_store_dir(c->config, dir, sizeof dir);
    if (control_ask(dir, q, &reply, &e) == 0) {
        cli_warn(c, "CONFIG", "certferry check", "%s", why->msg);
        code = finish(c, &reply, false, answer);
    } else {
        code = cli_fail(c, why, "certferry check --config %s", c->config);
    }
    buf_free(&reply);
    return code;
}

static int fail_new(struct cli *c, const struct conf *conf)
{
    struct err e;

    (void)err_set(&e, ERR_GONE, "no service has run yet: there is no store in %s", conf->store.dir);
    return cli_fail(c, &e,
        "certferry check, then certferry service start; or is store.dir in %s right?", c->config);
}

static int ask(struct cli *c, struct view q, enum how how, struct json **answer)
{
    struct buf reply = BUF_INIT((size_t)64 << 20);
    bool from_store = false;
    struct conf *conf;
    struct err e = { 0 }, missing;
    int code;

    *answer = NULL;
    /* Secrets and the identity may come before the CAs do. */
    conf = how == KEYS || how == NOTES ? conf_load_incomplete(c->config, &missing, &e)
                                       : conf_load(c->config, &e);
    if (conf == NULL)
        return ask_without(c, q, &e, answer);
    code = control_ask(conf->store.dir, q, &reply, &e);
    if (code != 0 && e.cls == ERR_GONE) {
        from_store = true;
        code = ask_store(conf, q, how, &reply, &e);
    }
    if (code != 0 && from_store && how != KEYS && is_new(conf->store.dir))
        code = fail_new(c, conf);
    else if (code != 0)
        code = cli_fail(c, &e, "is store.dir in %s right, and may this user read it?", c->config);
    else
        code = finish(c, &reply, from_store, answer);
    buf_free(&reply);
    conf_free(conf);
    return code;
}

int cli_ask(struct cli *c, const char *request, bool changes, struct json **answer)
{
    return ask(c, view_text(request), changes ? CHANGES : READS, answer);
}

bool cli_has_store(const struct conf *conf)
{
    char path[4400];

    fs_join(path, sizeof path, conf->store.dir, "certferry.db");
    return access(path, F_OK) == 0;
}

void cli_audit(struct cli *c, const struct conf *conf, const char *event, const char *subject,
    const char *detail)
{
    struct buf q = BUF_INIT(4096);
    struct json_out o = { .to = &q };
    struct cli quiet = *c;
    struct json *answer;

    if (!cli_has_store(conf))
        return;
    json_open(&o, NULL, '{');
    json_put_text(&o, "command", "audit.add");
    json_put_text(&o, "event", event);
    json_put_text(&o, "subject", subject);
    json_put_text(&o, "detail", detail);
    json_close(&o, '}');
    quiet.json = false; /* its answer is not the command's */
    (void)ask(&quiet, buf_view(&q), NOTES, &answer);
    buf_free(&q);
    json_free(answer);
}

int cli_ask_keys(struct cli *c, struct view request, struct json **answer)
{
    int code = ask(c, request, KEYS, answer);

    return code == EXIT_NO_SERVICE && *answer != NULL ? EXIT_OK : code;
}

/* ---- reading the answer ---------------------------------------------------------------------------------------- */

const char *cli_text(const struct json *o, const char *name)
{
    const char *v = "";
    struct err e;

    (void)!json_text(o, name, false, 4096, &v, &e);
    return v;
}

int64_t cli_number(const struct json *o, const char *name)
{
    int64_t v = 0;
    struct err e;

    (void)!json_int(o, name, false, INT64_MIN, INT64_MAX, &v, &e);
    return v;
}

int64_t cli_time(const struct json *o, const char *name)
{
    int64_t v = 0;
    struct err e;

    (void)!json_time(o, name, false, &v, &e);
    return v;
}

bool cli_true(const struct json *o, const char *name)
{
    bool v = false;
    struct err e;

    (void)!json_bool(o, name, false, &v, &e);
    return v;
}

/* ---- asking others --------------------------------------------------------------------------------------------- */

int cli_io(const struct cli *c, struct lib **l)
{
    struct err e;

    if ((*l = lib_new(&e)) != NULL && io_open(1, &e) == 0) {
        clock_start();
        return 0;
    }
    lib_free(*l);
    *l = NULL;
    return cli_fail(c, &e, "free some memory, then try again");
}

void cli_io_end(struct lib *l)
{
    if (l != NULL)
        io_close();
    lib_free(l);
}
