/* run, once, check: the commands that open everything. */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "agent/agent.h"
#include "agent/base/clock.h"
#include "agent/base/log.h"
#include "agent/base/metrics.h"
#include "agent/challenge/plugin.h"
#include "agent/cli/cli.h"
#include "agent/control/control.h"
#include "agent/control/control_report.h"
#include "agent/io/io_kept.h"
#include "agent/io/io_local.h"
#include "agent/requests/audit.h"
#include "agent/requests/poll.h"
#include "agent/scep/scepd.h"
#include "agent/service/notify.h"
#include "agent/service/reload.h"
#include "agent/service/takeover.h"
#include "certs/mem.h"

static void open_log(const struct cli *c, const struct conf *conf)
{
    enum log_format f = strcmp(conf->log.format, "json") == 0      ? LOG_JSON
                        : strcmp(conf->log.format, "human") == 0   ? LOG_HUMAN
                        : strcmp(conf->log.format, "journal") == 0 ? LOG_JOURNAL
                                                                   : LOG_AUTO;

    if (f == LOG_AUTO && log_journal_is_stderr(getenv("JOURNAL_STREAM")))
        f = LOG_JOURNAL;
    if (f == LOG_JOURNAL && !log_journal_open(NULL))
        f = LOG_JSON; /* what is written must come somewhere */

    log_open(f, c->quiet ? LOG_LEVEL_ERROR : log_level_named(conf->log.level));
}

/* Only who owns the service, and root, reach the socket; which of them it was is recorded. */
static void on_control(void *arg, struct view request, struct buf *reply)
{
    struct agent *a = arg;

    (void)snprintf(a->actor, sizeof a->actor, "uid %lld", (long long)io_local_peer());
    control_answer(a, request, reply);
    a->actor[0] = '\0';
}

static void on_signal(void *arg, int signum)
{
    struct agent *a = arg;

    if (signum == SIGHUP) {
        (void)reload_begin(a);
    } else if (a->reload.take_over) { /* what is under way is being finished already */
        a->reload.take_over = false;
        notify_stopping("finishing what is under way");
    } else if (a->ending) {
        io_stop(); /* asked twice: now */
    } else {
        agent_drain(a);
    }
}

static enum exit_code daemon_code(const struct err *e)
{
    switch (e->cls) {
    case ERR_CONFLICT:
        return EXIT_TRY_AGAIN; /* another service holds the store */
    case ERR_STORE:
        switch (store_problem(NULL)) {
        case STORE_LOCKED:
        case STORE_FULL:
            return EXIT_TRY_AGAIN;
        default:
            return EXIT_DAEMON_CONFIG;
        }
    case ERR_CONFIG:
    case ERR_CRYPTO:
        return EXIT_DAEMON_CONFIG;
    default:
        return EXIT_TRY_AGAIN;
    }
}

static void print_done(const struct agent *a)
{
    struct buf data = BUF_INIT(4096);
    struct json_out o = { .to = &data };

    json_open(&o, NULL, '{');
    json_put_int(&o, "delivered", (int64_t)a->count.delivered);
    json_put_int(&o, "rejected", (int64_t)a->count.rejected);
    json_close(&o, '}');
    cli_envelope("certferry.once/1", &data, NULL, EXIT_OK);
    buf_free(&data);
}

/* What was here is done as far as it goes; that the cloud was not asked is no success. */
static int unanswered(const struct cli *c, const struct err *why)
{
    return cli_fail(c, why,
        "certferry doctor --only net,tls,cloud,auth; what it has for us waits there until the next "
        "time");
}

/* The service is up: whoever asked for this reload hears so. */
static void began(struct agent *a, const struct takeover *t)
{
    char status[160];

    if (t->taken) {
        a->reload.asked = a->reload.done = t->number;
        a->reload.at = clock_now();
        a->reload.ok = true;
        (void)snprintf(a->reload.message, sizeof a->reload.message,
            "the configuration as it is now is in use");
        log_event(EV_RELOADED, NULL, NULL, "%s", a->reload.message);
        metric_set(METRIC_RELOAD, true, NULL);
        audit_note(a, AUDIT_CONFIG_RELOADED, "reload", a->conf->path, NULL);
    }
    (void)snprintf(
        status, sizeof status, "%zu CAs, %zu SCEP endpoints", a->ca_count, a->conf->scep_count);
    notify_ready(status);
}

/* Our own next life; it keeps the listening sockets and the lock. */
static void go_on_anew(const struct agent *a, struct takeover *t)
{
    takeover_hold();
    t->number = a->reload.asked;
    t->at = a->reload.at;
    t->lock_fd = takeover_keep_lock(a->lock);
    if (!io_kept_text(t->sockets, sizeof t->sockets))
        t->sockets[0] = '\0'; /* they are bound again, then */
}

static int serve(struct cli *c, bool once)
{
    struct takeover t;
    bool again;
    struct conf *conf;
    struct agent a;
    char path[4096];
    struct err e = { 0 }, why = { 0 };
    int code;

    takeover_open(&t);
    takeover_hold(); /* until somebody listens to them */
    notify_open();
    if ((conf = conf_load(c->config, &e)) == NULL)
        return cli_fail_as(c, t.taken ? EXIT_TRY_AGAIN : EXIT_DAEMON_CONFIG, &e,
            "mend the line, then: certferry check --config %s", c->config);
    open_log(c, conf);
    io_kept_left(t.sockets);
    if (agent_open(&a, conf, &e) != 0) {
        code = cli_fail_as(c, (int)daemon_code(&e), &e, "certferry check --config %s", c->config);
        conf_free(conf);
        return t.taken ? EXIT_TRY_AGAIN : code;
    }
    a.once = once;
    a.patience_s = cli_seconds(c, "--wait", 10);
    control_path(conf->store.dir, path, sizeof path);
    if (io_local_open(path, on_control, &a, &e) != 0)
        log_err(EV_STORE_FAILED, NULL, NULL, &e); /* it still does its work */
    io_on_signal(on_signal, &a);
    takeover_go();
    if (!once && agent_listen(&a, &e) != 0) {
        code = cli_fail_as(c, (int)daemon_code(&e), &e,
            "free the address, or change it in section listen of %s", c->config);
        io_local_close();
        agent_close(&a);
        return t.taken ? EXIT_TRY_AGAIN : code;
    }
    io_kept_close();
    agent_start(&a);
    audit_note(&a, AUDIT_STARTED, "service", CERTFERRY_VERSION, once ? "once" : NULL);
    began(&a, &t);
    if (!c->memory_locked)
        log_event(EV_MEMORY_NOT_LOCKED, NULL, NULL,
            "secrets may be swapped out; raise RLIMIT_MEMLOCK to 1 MiB");
    io_run();
    if (!a.fatal) {
        audit_note(&a, AUDIT_STOPPED, "service", CERTFERRY_VERSION, NULL);
        audit_tell_head(&a);
        report_keep(&a);
    }
    log_event(EV_STOPPED, NULL, NULL, "%llu delivered, %llu rejected",
        (unsigned long long)a.count.delivered, (unsigned long long)a.count.rejected);
    code = a.fatal ? EXIT_DAEMON_CONFIG : EXIT_OK;
    if (once && code == EXIT_OK && poll_drained(a.poll, &why) && why.cls != ERR_NONE)
        code = unanswered(c, &why);
    else if (once && c->json && code == EXIT_OK)
        print_done(&a);
    if ((again = a.reload.take_over && code == EXIT_OK))
        go_on_anew(&a, &t);
    io_local_close();
    agent_close(&a);
    if (again) {
        takeover(&t, c->config, c->quiet);
        return EXIT_TRY_AGAIN; /* the program is not there any more; the service manager starts what is */
    }
    return code;
}

int cmd_run(struct cli *c)
{
    return serve(c, false);
}

int cmd_once(struct cli *c)
{
    const char *wait = cli_given(c, "--wait");
    int64_t s;

    if (wait != NULL && cli_duration(wait, &s) != 0)
        return cli_usage(c, "once --wait takes a time, as 30 or 5min");
    return serve(c, true);
}

static void print_checked(const struct conf *conf)
{
    struct buf data = BUF_INIT(8192);
    struct json_out o = { .to = &data };

    json_open(&o, NULL, '{');
    json_put_text(&o, "file", conf->path);
    json_put_int(&o, "cas", (int64_t)conf->ca_count);
    json_put_int(&o, "listeners", (int64_t)conf->listen_count);
    json_put_int(&o, "endpoints", (int64_t)conf->scep_count);
    json_put_int(&o, "plugins", (int64_t)conf->plugin_count);
    json_close(&o, '}');
    cli_envelope("certferry.check/1", &data, NULL, EXIT_OK);
    buf_free(&data);
}

/* Open what opens without a network and without touching the store. */
int cmd_check(struct cli *c)
{
    struct err e = { 0 };
    struct conf *conf = conf_load(c->config, &e);
    struct lib *l = NULL;
    struct vault v = { 0 };
    struct secrets *secrets = NULL;
    struct cloud cloud = { 0 };
    struct agent all = { .conf = conf, .lock = -1 };
    int code = EXIT_OK;

    if (conf == NULL)
        return cli_fail(c, &e, "mend the line; certferry.conf(5) has every option");
    all.cas = xcalloc(conf->ca_count + 1, sizeof(struct ca *));
    if ((l = lib_new(&e)) != NULL)
        secrets = cli_secrets(c, conf, l, &v);
    if (l != NULL && cli_check_secrets(conf, secrets, &e) != 0)
        code = cli_fail(c, &e,
            "do what is said there, then: certferry check --config %s; certferry secret list has "
            "the secrets of the store",
            c->config);
    else if (l == NULL || cloud_open(&cloud, &conf->cloud, secrets, l, &e) != 0)
        code = cli_fail(c, &e, "mend section cloud of %s", c->config);
    else
        cloud_close(&cloud);
    for (size_t i = 0; code == EXIT_OK && i < conf->ca_count; i++) {
        struct ca *ca = ca_open(&conf->cas[i], l, secrets, &e);

        if (ca == NULL)
            code = cli_fail(c, &e, "mend section ca \"%s\" of %s", conf->cas[i].name, c->config);
        else
            all.cas[all.ca_count++] = ca;
    }
    for (size_t i = 0; code == EXIT_OK && i < conf->plugin_count; i++) {
        struct agent a = { .conf = conf, .lib = l, .secrets = secrets, .lock = -1 };
        struct plugin *p = plugin_open(&a, &conf->plugins[i], &e);

        if (p == NULL)
            code = cli_fail(
                c, &e, "mend section plugin \"%s\" of %s", conf->plugins[i].name, c->config);
        plugin_close(p);
    }
    all.lib = l;
    if (code == EXIT_OK && conf->scep_count > 0 && scepd_check(&all, &e) != 0)
        code = cli_fail(c, &e, "mend what the message names in %s", c->config);
    for (size_t i = 0; i < all.ca_count; i++)
        ca_close(all.cas[i]);
    free(all.cas);
    if (code == EXIT_OK && !c->quiet && !c->json)
        (void)printf("%s: valid; %zu CA%s; store %s\n", c->config, conf->ca_count,
            conf->ca_count == 1 ? "" : "s", conf->store.dir);
    if (code == EXIT_OK && c->json)
        print_checked(conf);
    secrets_close(secrets);
    vault_close(&v);
    lib_free(l);
    conf_free(conf);
    return code;
}
