/* service: install, uninstall, start, stop, restart, reload, status. */
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include "agent/base/fs.h"
#include "agent/base/io.h"
#include "agent/cli/cli.h"
#include "agent/conf/conf.h"
#include "agent/service/systemd.h"
#include "agent/service/takeover.h"

enum { RELOAD_WAIT_S = 60, STOP_WAIT_S = 45, LOOK_MS = 200, PATH_LEN = 4096 };

/* Neither the network's fault nor the configuration's: the text of an error class would mislead. */
static int no_service(const struct cli *c, const char *seen, const char *fix)
{
    struct err e;

    (void)err_set(&e, ERR_GONE, "%s", seen);
    return cli_fail_as(c, EXIT_NO_SERVICE, &e, "%s", fix);
}

static int not_booted(const struct cli *c, const char *instead)
{
    return no_service(c, "this system does not run systemd", instead);
}

/* The same for every verb that prints no data of its own. */
static int done(const struct cli *c, const char *what)
{
    if (c->json)
        (void)printf("{\"schema\":\"certferry.service/"
                     "1\",\"ok\":true,\"data\":{\"done\":\"%s\"},\"warnings\":[],"
                     "\"error\":null}\n",
            what);
    else if (!c->quiet)
        (void)printf("%s\n", what);
    return EXIT_OK;
}

/* ---- install, uninstall ------------------------------------------------------------------------------------------- */

static const char *root_of(const struct cli *c)
{
    const char *root = cli_given(c, "--root");

    return root == NULL || strcmp(root, "/") == 0 ? "" : root;
}

/* systemctl with --root if that is meant. */
static int ctl(const struct cli *c, const char *verb, const char *more, struct err *e)
{
    const char *root = root_of(c);
    char option[PATH_LEN];
    const char *words[] = { "--quiet", verb, SYSTEMD_UNIT, more, NULL, NULL };

    (void)snprintf(option, sizeof option, "--root=%s", root);
    if (root[0] != '\0')
        words[more != NULL ? 4 : 3] = option;
    return systemctl(words, NULL, e);
}

/* Its user, and its folders. */
static int make_user(const struct cli *c, struct err *e)
{
    static const char *const users[] = { "certferry.conf", NULL };
    static const char *const folders[] = { "--create", "certferry.conf", NULL };
    static const char *const again[] = { "daemon-reload", NULL };
    int rc;

    if (root_of(c)[0] != '\0')
        return 0; /* when it starts, systemd does */
    if ((rc = systemd_run("systemd-sysusers", users, NULL, e)) < 0
        || (rc == 0 && (rc = systemd_run("systemd-tmpfiles", folders, NULL, e)) < 0)
        || (rc == 0 && (rc = systemctl(again, NULL, e)) < 0))
        return -1;
    return rc == 0 ? 0 : err_set(e, ERR_CONFIG, "systemd refused; what it said stands above");
}

/* Whoever may write the program of the unit is the service, with its keys. */
static int untrusted_program(const struct cli *c)
{
    const char *program = takeover_program();
    struct err e;

    if (program == NULL || fs_trusted_file(program, &e) == 0)
        return 0; /* NULL: systemd_write says so */
    return cli_fail(c, &e,
        "nothing was changed; install it where only root may write (make install: "
        "/usr/local/bin/certferry), or mend what is named");
}

int cmd_service_install(struct cli *c)
{
    char path[PATH_LEN];
    struct err e;
    bool ours;
    int rc;

    takeover_program_find();
    if (root_of(c)[0] == '\0' && !systemd_runs())
        return not_booted(c, "let your service manager run: certferry run");
    if (!systemd_unit(root_of(c), path, sizeof path, &ours) || ours) {
        if ((rc = untrusted_program(c)) != 0)
            return rc;
        if (systemd_write(root_of(c), c->config, &e) != 0)
            return cli_fail(c, &e, "as root: certferry service install");
        (void)systemd_unit(root_of(c), path, sizeof path, &ours);
    }
    if (make_user(c, &e) != 0 || (rc = ctl(c, "enable", NULL, &e)) < 0)
        return cli_fail(c, &e, "as root: certferry service install");
    if (rc != 0)
        return rc;
    (void)snprintf(path + strlen(path), sizeof path - strlen(path), " is enabled");
    return done(c, path);
}

int cmd_service_uninstall(struct cli *c)
{
    char path[PATH_LEN];
    struct err e;
    bool ours;

    if (root_of(c)[0] == '\0' && !systemd_runs())
        return not_booted(c, "certferry service stop");
    if (!systemd_unit(root_of(c), path, sizeof path, &ours))
        return done(c, "it is not installed");
    if (ctl(c, "disable", root_of(c)[0] == '\0' ? "--now" : NULL, &e) < 0
        || systemd_remove(root_of(c), &e) != 0 || make_user(c, &e) != 0)
        return cli_fail(c, &e, "as root: certferry service uninstall");
    return done(c, ours ? "disabled and removed; configuration and store stay"
                        : "disabled; its files belong to a package, which removes them");
}

/* ---- start, stop, restart ------------------------------------------------------------------------------------------- */

static bool is_active(void)
{
    const char *words[] = { "--quiet", "is-active", SYSTEMD_UNIT, NULL };
    struct err e;

    return systemctl(words, NULL, &e) == 0;
}

static int by_systemd(const struct cli *c, const char *verb, const char *what)
{
    const char *words[] = { verb, SYSTEMD_UNIT, NULL };
    char path[PATH_LEN];
    struct err e;
    bool ours;
    int rc;

    if (!systemd_unit("", path, sizeof path, &ours))
        return no_service(c, "there is no " SYSTEMD_UNIT, "certferry service install");
    if ((rc = systemctl(words, NULL, &e)) < 0)
        return cli_fail(c, &e, "install systemd, or start: certferry run");
    if (rc == 0 && strcmp(verb, "stop") != 0
        && !is_active()) /* a condition of the unit: no failure for systemd */
        return no_service(c, "systemd did not start it: a condition of its unit is not met",
            "systemctl status certferry; is the configuration there?");
    if (rc == 0)
        return done(c, what);
    (void)err_set(&e, ERR_CONFIG, "systemctl %s " SYSTEMD_UNIT " ended with %d", verb, rc);
    return cli_fail(c, &e, "journalctl -u certferry -n 20; certferry check --config %s", c->config);
}

int cmd_service_start(struct cli *c)
{
    return systemd_runs() ? by_systemd(c, "start", "started")
                          : not_booted(c, "let your service manager run: certferry run");
}

int cmd_service_restart(struct cli *c)
{
    return systemd_runs() ? by_systemd(c, "restart", "restarted")
                          : not_booted(c, "certferry service stop, then start: certferry run");
}

/* ---- asking the running one ------------------------------------------------------------------------------------------ */

/* The running service's answer; 0, or the class of what failed: ERR_GONE, none runs. */
static enum err_class ask(
    const struct cli *c, const char *request, struct json **answer, struct err *e)
{
    struct buf reply = BUF_INIT(1 << 20);
    char dir[PATH_LEN];
    bool ok = false;
    const struct json *error;
    const char *message = "it refuses";

    *answer = NULL;
    e->cls = ERR_NONE;
    conf_store_dir(c->config, dir, sizeof dir);
    if (control_ask(dir, view_text(request), &reply, e) == 0
        && (*answer = json_parse(buf_view(&reply), reply.max, e)) != NULL
        && json_bool(*answer, "ok", true, &ok, e) == 0 && !ok) {
        struct err none;

        if ((error = json_get(*answer, "error")) != NULL)
            (void)!json_text(error, "message", true, 400, &message, &none);
        (void)err_set(e, ERR_CONFLICT, "%s", message);
    }
    buf_free(&reply);
    return e->cls;
}

static bool ask_status(const struct cli *c, struct json **answer)
{
    struct err e;

    return ask(c, "{\"command\":\"status\"}", answer, &e) == ERR_NONE;
}

static int ask_failed(const struct cli *c, const struct err *e)
{
    if (e->cls == ERR_GONE)
        return no_service(c, "no service runs with this configuration", "certferry service start");
    return cli_fail(c, e, "certferry service status --config %s", c->config);
}

static void pause_ms(int ms)
{
    (void)poll(NULL, 0, ms);
}

int cmd_service_stop(struct cli *c)
{
    struct json *answer = NULL;
    struct err e;
    bool gone;

    if (systemd_runs() && is_active()) /* or it would be started again */
        return by_systemd(c, "stop", "stopped");
    (void)ask(c, "{\"command\":\"stop\"}", &answer, &e);
    json_free(answer);
    if (e.cls != ERR_NONE)
        return ask_failed(c, &e);
    for (int i = 0; i < STOP_WAIT_S * 1000 / LOOK_MS; i++) {
        gone = !ask_status(c, &answer);
        json_free(answer);
        if (gone)
            return done(c, "stopped");
        pause_ms(LOOK_MS);
    }
    return done(c, "it is still finishing what is under way");
}

/* The outcome of this reload.  returns true: *ok and message are it */
static bool outcome(const struct json *status, int64_t number, bool *ok, const char **message)
{
    const struct json *data = json_get(status, "data");
    const struct json *config = data != NULL ? json_get(data, "config") : NULL;
    const struct json *last = config != NULL ? json_get(config, "last_reload") : NULL;
    int64_t n = 0;
    struct err e;

    return last != NULL && json_int(last, "number", true, 0, INT64_MAX, &n, &e) == 0 && n >= number
           && json_bool(last, "ok", true, ok, &e) == 0
           && json_text(last, "message", true, 400, message, &e) == 0;
}

static int wait_for(struct cli *c, int64_t number)
{
    struct err e;

    for (int i = 0; i < RELOAD_WAIT_S * 1000 / LOOK_MS; i++) {
        struct json *status = NULL;
        const char *message = "";
        bool ok = false;
        int code;

        if (ask_status(c, &status) && outcome(status, number, &ok, &message)) {
            (void)err_set(&e, ERR_CONFIG, "%s", message);
            code = ok ? done(c, e.msg)
                      : cli_fail(c, &e, "mend it; the configuration before it is still in use");
            json_free(status);
            return code;
        }
        json_free(status);
        pause_ms(LOOK_MS);
    }
    (void)err_set(&e, ERR_BUSY, "no outcome within %d s", RELOAD_WAIT_S);
    return cli_fail_as(c, EXIT_TIMEOUT, &e, "certferry status");
}

int cmd_service_reload(struct cli *c)
{
    struct json *answer = NULL;
    const struct json *data;
    int64_t number = 0;
    struct err e;

    if (ask(c, "{\"command\":\"reload\"}", &answer, &e) == ERR_NONE
        && (data = json_get(answer, "data")) != NULL)
        (void)!json_int(data, "number", true, 1, INT64_MAX, &number, &e);
    json_free(answer);
    return e.cls == ERR_NONE ? wait_for(c, number) : ask_failed(c, &e);
}

/* ---- status ------------------------------------------------------------------------------------------------------------ */

/* One word of systemctl's. */
static void word_of(const char *verb, char *out, size_t size)
{
    const char *words[] = { verb, SYSTEMD_UNIT, NULL };
    struct buf text = BUF_INIT(4096);
    struct err e;

    (void)snprintf(out, size, "unknown");
    if (systemctl(words, &text, &e) >= 0 && text.len > 0 && !text.bad)
        (void)snprintf(out, size, "%.*s", (int)strcspn(buf_text(&text), "\n"), buf_text(&text));
    buf_free(&text);
}

static void print_running(const struct json *status)
{
    const struct json *data = json_get(status, "data");
    const struct json *config = data != NULL ? json_get(data, "config") : NULL;
    const struct json *last = config != NULL ? json_get(config, "last_reload") : NULL;
    const char *health = "", *message = "", *at = "";
    int64_t pid = 0;
    bool ok = true;
    struct err e;

    if (data == NULL || json_int(data, "pid", true, 0, INT64_MAX, &pid, &e) != 0
        || json_text(data, "health", true, 40, &health, &e) != 0)
        return;
    (void)printf("running:   pid %lld, health %s\n", (long long)pid, health);
    if (last != NULL && json_text(last, "message", true, 400, &message, &e) == 0
        && json_text(last, "at", true, 40, &at, &e) == 0
        && json_bool(last, "ok", true, &ok, &e) == 0)
        (void)printf("reload:    %s at %s: %s\n", ok ? "ok" : "REFUSED", at, message);
}

int cmd_service_status(struct cli *c)
{
    char path[PATH_LEN], enabled[80] = "no systemd", active[80] = "no systemd";
    struct json *status = NULL;
    struct buf data = BUF_INIT(16384);
    struct json_out o = { .to = &data };
    bool ours, there = systemd_unit("", path, sizeof path, &ours);
    struct err e;
    bool running = ask(c, "{\"command\":\"status\"}", &status, &e) == ERR_NONE;

    if (!running && cli_may_not(c, &e)) { /* it may well run */
        json_free(status);
        return cli_fail(c, &e, "certferry status");
    }

    if (there && systemd_runs()) {
        word_of("is-enabled", enabled, sizeof enabled);
        word_of("is-active", active, sizeof active);
    }
    if (c->json) {
        json_open(&o, NULL, '{');
        json_put_text(&o, "unit", there ? path : NULL);
        json_put_bool(&o, "systemd", systemd_runs());
        json_put_text(&o, "enabled", enabled);
        json_put_text(&o, "active", active);
        json_put_bool(&o, "running", running);
        json_close(&o, '}');
        cli_envelope("certferry.service/1", &data, NULL, EXIT_OK);
    } else {
        (void)printf("unit:      %s\nenabled:   %s\nactive:    %s\n",
            there ? path : "not installed", enabled, active);
        if (running)
            print_running(status);
        else
            (void)printf("running:   no\n");
    }
    json_free(status);
    buf_free(&data);
    return running ? EXIT_OK : EXIT_NO_SERVICE;
}
