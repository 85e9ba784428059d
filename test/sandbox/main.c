/*
 * certferry-sandbox: start, wait, stop.  See DESIGN.md.
 *
 * Signals come in through a descriptor: they are blocked before the serving thread is made, so that
 * only this thread ever sees one.
 */
#include "test/sandbox/commands.h"
#include "test/sandbox/conf.h"
#include "test/sandbox/control.h"
#include "test/sandbox/demo.h"
#include "test/sandbox/intune.h"
#include "test/sandbox/journal.h"
#include "test/sandbox/options.h"
#include "test/sandbox/park.h"
#include "test/sandbox/queue.h"
#include "test/sandbox/signin.h"
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/signalfd.h>
#include <unistd.h>

enum { FLUSH_MS = 100 };

static bool open_parts(struct sandbox *s, char why[DIR_WHY])
{
    s->prng.state = (uint64_t)s->opt.seed;
    s->started_at = wall_s();
    s->highest_counter = -1;
    if (!dir_make(s->opt.dir, why))
        return false;
    dir_remove(s->opt.dir, "ready");
    if (!setup_open(s->opt.dir, s->opt.ca_rsa, &s->setup, why))
        return false;
    if (s->opt.scep && !setup_scep(s->opt.dir, &s->setup, why))
        return false;
    if (s->opt.sign_in != SIGN_IN_NONE
        && (!setup_signin(s->opt.dir, &s->setup, why)
            || (s->signin = signin_new(&s->opt, s->setup.bootstrap.p, why, DIR_WHY)) == NULL))
        return false;
    s->ledger = ledger_open(s->opt.dir, why, DIR_WHY);
    if (s->ledger == NULL)
        return false;
    if (s->opt.journal != NULL) {
        s->journal = journal_open(s->opt.journal, why, DIR_WHY);
        if (s->journal == NULL)
            return false;
    }
    s->faults = faults_new(s->ledger, &s->prng);
    s->intune = s->opt.scep ? intune_new() : NULL;
    s->queue = queue_new(s->ledger, s->opt.lease_s);
    ca_open(&s->ca, &s->setup, s->ledger, s->opt.manual_polls);
    s->park = park_new(http_wake);
    if (s->park == NULL)
        snprintf(why, DIR_WHY, "timer: %s", strerror(errno));
    return s->park != NULL;
}

static void close_parts(struct sandbox *s)
{
    park_free(s->park);
    if (s->queue != NULL)
        ca_done(&s->ca);
    queue_free(s->queue);
    intune_free(s->intune);
    signin_free(s->signin);
    faults_free(s->faults);
    journal_close(s->journal);
    ledger_close(s->ledger);
    setup_done(&s->setup);
}

/* Everything that the serving thread reads is there before it starts. */
static bool prepare(struct sandbox *s, unsigned port, char why[DIR_WHY])
{
    struct str reason = { 0 };
    bool ok;

    snprintf(s->base, sizeof s->base, "https://127.0.0.1:%u", port);
    ledger_begin(s->ledger, "start");
    ledger_text(s->ledger, "base", s->base);
    ledger_int(s->ledger, "openEvery", s->opt.open_every);
    ledger_int(s->ledger, "seed", s->opt.seed);
    ledger_end(s->ledger);
    ok = conf_write(s->opt.dir, port, s->signin == NULL, why)
         && (!s->opt.scep || conf_write_scep(s->opt.dir, port, s->opt.scep_port, why));
    if (ok && !demo_add(s, s->opt.demo, &reason)) {
        copy_n(why, DIR_WHY, str_text(&reason));
        ok = false;
    }
    str_free(&reason);
    return ok;
}

static bool announce(struct sandbox *s, char why[DIR_WHY])
{
    struct str ready = { 0 };
    bool ok;

    str_f(&ready, "%s\n", s->base);
    ok = dir_write(s->opt.dir, "ready", &ready, 0644, why);
    str_free(&ready);
    if (ok && !s->opt.quiet)
        fprintf(stderr, "certferry-sandbox: %s, files in %s\n", s->base, s->opt.dir);
    return ok;
}

static void wait_for_signal(struct sandbox *s, int signals)
{
    struct pollfd fds[2] = { { .fd = signals, .events = POLLIN },
        { .fd = park_fd(s->park), .events = POLLIN } };

    while ((fds[0].revents & POLLIN) == 0 && (s->stop_at_ms == 0 || clock_ms() < s->stop_at_ms)) {
        if (poll(fds, 2, FLUSH_MS) < 0)
            continue;
        if ((fds[1].revents & POLLIN) != 0)
            park_due(s->park);
        ledger_flush(s->ledger);
        journal_flush(s->journal);
    }
}

static int serve(struct sandbox *s, int signals)
{
    char why[DIR_WHY] = "";
    struct http *h = NULL;
    unsigned port = s->opt.port;
    int fd = -1, rc = 1;

    if (!open_parts(s, why) || (fd = http_listen(&port, why, sizeof why)) < 0
        || !prepare(s, port, why) || (h = http_start(s, route, fd, why, sizeof why)) == NULL
        || !announce(s, why)) {
        fprintf(stderr, "certferry-sandbox: %s\n", why);
    } else {
        wait_for_signal(s, signals);
        rc = 0;
    }
    if (h == NULL && fd >= 0)
        close(fd);
    http_stop(h);
    if (rc == 0) {
        dir_remove(s->opt.dir, "ready");
        ledger_begin(s->ledger, "stop");
        ledger_end(s->ledger);
    }
    close_parts(s);
    return rc;
}

static int run(int argc, char **argv)
{
    static struct sandbox s;
    sigset_t set;
    int signals, rc;

    if (!options_read(argc, argv, &s.opt))
        return 2;
    sigemptyset(&set);
    sigaddset(&set, SIGTERM);
    sigaddset(&set, SIGINT);
    sigprocmask(SIG_BLOCK, &set, NULL);
    signal(SIGPIPE, SIG_IGN);
    signals = signalfd(-1, &set, SFD_CLOEXEC);
    if (signals < 0) {
        perror("certferry-sandbox: signalfd");
        return 1;
    }
    rc = serve(&s, signals);
    close(signals);
    return rc;
}

int main(int argc, char **argv)
{
    static const struct {
        const char *name;
        int (*run)(int argc, char **argv);
    } commands[] = { { "ctl", cmd_ctl }, { "check", cmd_check }, { "table", cmd_table } };

    for (size_t i = 0; argc >= 2 && i < sizeof commands / sizeof commands[0]; i++) {
        if (strcmp(argv[1], commands[i].name) != 0)
            continue;
        if (argc >= 3)
            return commands[i].run(argc - 2, argv + 2);
        usage();
        return 2;
    }
    return run(argc, argv);
}
