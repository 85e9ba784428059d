/*
 * sweep [--pairs] [--thin N] [--past K:M] [--only FAULT:K[,FAULT:K]] SCENARIO... - runs each scenario without a fault,
 * with every single fault at every place (--thin: at every Nth, another one for each fault), and with every pair of
 * faults; holds the promises against each history.  Prints TAP.  A failure names the faults; --only repeats that one
 * history alone.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "agent/base/log.h"
#include "test/sim/scenario.h"

/* Scenarios with more requests on the wire get single faults only, and not at every place. */
enum { PAIRS_MOST = 30, PLACES_MOST = 12 };

static size_t runs, failures, thin = 1;

static size_t places(const struct history *base, enum fault f)
{
    return f >= FAULT_CRASH_TURN ? base->turns + 1 : base->calls + 1;
}

static bool one(struct world *w, const char *dir, struct history *h, const char *scenario)
{
    history_run(w, dir, h);
    runs++;
    if (h->wrong[0] == '\0')
        return true;
    failures++;
    if (failures <= 10)
        (void)printf("# %s --past %zu:%zu --only %s:%zu,%s:%zu: %s\n", scenario, h->backup_at,
            h->restore_at, fault_name(h->fault[0]), h->at[0], fault_name(h->fault[1]), h->at[1],
            h->wrong);
    return false;
}

static void sweep(
    struct world *w, const char *dir, const struct history *base, bool pairs, const char *scenario)
{
    /* A long history repeats itself: places far apart are as good as all of them. */
    size_t stride = (base->calls / PLACES_MOST + 1) * thin;

    pairs = pairs && base->calls <= PAIRS_MOST;
    for (int f = FAULT_NONE + 1; f < FAULT_COUNT; f++)
        for (size_t k = 1 + (thin > 1 ? (size_t)f % stride : 0); k <= places(base, (enum fault)f);
             k += stride) {
            struct history h = { .fault = { (enum fault)f, FAULT_NONE }, .at = { k, 0 } };
            size_t calls, turns;

            (void)one(w, dir, &h, scenario);
            calls = h.calls;
            turns = h.turns;
            for (int g = FAULT_NONE + 1; pairs && g < FAULT_COUNT; g++) {
                /* The second fault hits what the first one led to; equal kinds only in order. */
                size_t most = g >= FAULT_CRASH_TURN ? turns : calls;
                bool same = (f >= FAULT_CRASH_TURN) == (g >= FAULT_CRASH_TURN);

                for (size_t m = same ? k + 1 : 1; m <= most; m++) {
                    struct history two = { .fault = { (enum fault)f, (enum fault)g },
                        .at = { k, m } };

                    (void)one(w, dir, &two, scenario);
                }
            }
        }
}

static size_t stride_of(size_t places, size_t most)
{
    return places / most + 1;
}

/* A backup at each place, put back at each later one; then single faults in the second life. */
static void sweep_past(
    struct world *w, const char *dir, const struct history *base, bool pairs, const char *scenario)
{
    size_t stride = (pairs ? 1 : stride_of(base->calls, 5)) * thin;

    for (size_t k = 1; k < base->calls; k += stride)
        for (size_t m = k + 1; m <= base->calls; m += stride) {
            struct history h = { .backup_at = k, .restore_at = m };
            size_t step;

            (void)one(w, dir, &h, scenario);
            if (!pairs && (m - k) % 3 != 1)
                continue;
            for (int f = FAULT_NONE + 1; f < FAULT_COUNT; f++) {
                bool turn = f >= FAULT_CRASH_TURN;
                size_t first = turn ? h.turns_then : m, last = turn ? h.turns : h.calls;

                step = stride_of(last - first, pairs ? 12 : 2);
                for (size_t at = first + 1; at <= last; at += step) {
                    struct history two = {
                        .fault = { (enum fault)f }, .at = { at }, .backup_at = k, .restore_at = m
                    };

                    (void)one(w, dir, &two, scenario);
                }
            }
        }
}

static int only(
    struct world *w, const char *dir, const char *what, const char *past, const char *scenario)
{
    char a[32] = "none", b[32] = "none";
    struct history h = { 0 };

    if (past != NULL && sscanf(past, "%zu:%zu", &h.backup_at, &h.restore_at) != 2)
        return 2;
    if (sscanf(what, "%31[^:]:%zu,%31[^:]:%zu", a, &h.at[0], b, &h.at[1]) < 2)
        return 2;
    for (int f = 0; f < FAULT_COUNT; f++) {
        if (strcmp(fault_name((enum fault)f), a) == 0)
            h.fault[0] = (enum fault)f;
        if (strcmp(fault_name((enum fault)f), b) == 0)
            h.fault[1] = (enum fault)f;
    }
    log_open(LOG_HUMAN, LOG_LEVEL_DEBUG);
    (void)one(w, dir, &h, scenario);
    (void)printf("calls %zu, turns %zu, starts %zu, orphans %zu: %s\n", h.calls, h.turns, h.starts,
        h.orphans, h.wrong[0] != '\0' ? h.wrong : "kept");
    return h.wrong[0] != '\0';
}

int main(int argc, char **argv)
{
    char dir[300];
    static struct world w;
    bool pairs = false;
    const char *repeat = NULL, *past = NULL;
    int n = 0, bad = 0;
    struct err e;

    if (realpath(argv[0], history_plugin) == NULL)
        return 1;
    *strrchr(history_plugin, '/') = '\0'; /* ../plugins beside us */
    *strrchr(history_plugin, '/') = '\0';
    (void)strncat(history_plugin, "/plugins/ccp.so", 32);
    /* Memory is faster than a disk, and power cuts are not what is simulated here. */
    (void)snprintf(dir, sizeof dir, "%s/certferry-sim.XXXXXX",
        access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp");
    if (mkdtemp(dir) == NULL || world_open(dir, &e) != 0 || history_prepare(dir, &e) != 0) {
        (void)fprintf(stderr, "cannot prepare %s\n", dir);
        return 1;
    }
    for (int i = 1; i < argc; i++) {
        char about[120] = "";
        struct history base = { 0 };
        size_t before = runs;

        if (strcmp(argv[i], "--pairs") == 0) {
            pairs = true;
            continue;
        }
        if (strcmp(argv[i], "--thin") == 0 && i + 1 < argc) {
            thin = strtoul(argv[++i], NULL, 10);
            continue;
        }
        if (strcmp(argv[i], "--only") == 0) {
            repeat = argv[++i];
            continue;
        }
        if (strcmp(argv[i], "--past") == 0) {
            past = argv[++i];
            continue;
        }
        failures = 0;
        if (scenario_read(argv[i], &w, about) != 0) {
            bad++;
            continue;
        }
        if (repeat != NULL) {
            bad += only(&w, dir, repeat, past, argv[i]) != 0;
            continue;
        }
        if (one(&w, dir, &base, argv[i]) && w.plain)
            failures += base.orphans > 0;
        else if (base.wrong[0] == '\0' && base.orphans == 0 && w.restores)
            sweep_past(&w, dir, &base, pairs, argv[i]);
        else if (base.wrong[0] == '\0' && base.orphans == 0)
            sweep(&w, dir, &base, pairs, argv[i]);
        else if (base.wrong[0] == '\0' && w.mood < CA_WRONG_KEY)
            failures++, (void)printf("# %s: an orphan without a fault\n", argv[i]);
        else if (base.wrong[0] == '\0')
            sweep(&w, dir, &base, pairs, argv[i]);
        bad += failures > 0;
        (void)printf("%s %d - %s (%zu histories, %zu kept)\n", failures > 0 ? "not ok" : "ok", ++n,
            about, runs - before, runs - before - failures);
        (void)fflush(stdout);
    }
    if (repeat == NULL)
        (void)printf("# %zu histories with up to %d faults\n1..%d\n", runs, pairs ? 2 : 1, n);
    world_reset(&w);
    world_close();
    sim_close();
    {
        static const char *const files[] = { "state/certferry.db", "state/certferry.db-wal",
            "state/certferry.db-shm", "state/lock", "state", "root.pem", "master.key",
            "certferry.conf", "conf.d/scep.conf", "conf.d/heartbeat.conf", "conf.d", "backup.db",
            "backup.db-wal", "backup.db-shm", "ra.pem", "ra.key" };
        char path[400];

        for (size_t i = 0; i < sizeof files / sizeof files[0]; i++) {
            (void)snprintf(path, sizeof path, "%s/%s", dir, files[i]);
            (void)remove(path);
        }
        (void)rmdir(dir);
    }
    return bad > 0;
}
