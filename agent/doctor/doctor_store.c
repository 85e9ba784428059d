/* see doctor.h.  ST-01 to ST-04: what keeps the requests.  What only a running service can know is asked of it. */
#include <stdio.h>
#include "agent/base/clock.h"
#include "agent/base/fs.h"
#include "agent/base/fs_mode.h"
#include "agent/doctor/doctor.h"
#include "agent/doctor/doctor_status.h"
#include "agent/io/io_look.h"
#include "agent/store/store.h"
#include "proto/json.h"

enum { WRITES = 5, SLOW_MS = 100, MIB = 1 << 20, DAY = 86400, BACKUP_DAYS = 8 };

struct seen {
    int64_t free;
    bool writable, full;
    int64_t slowest_ms;
    struct err why;
};

static void try_writes(const char *dir, struct seen *s)
{
    for (int i = 0; i < WRITES; i++) {
        uint64_t from = io_look_ms();
        int64_t ms;

        if (fs_mode_write(dir, &s->full, &s->why) != 0)
            return;
        ms = (int64_t)(io_look_ms() - from);
        s->slowest_ms = ms > s->slowest_ms ? ms : s->slowest_ms;
    }
    s->writable = true;
}

static void say_space(struct doctor *d, const char *about, const struct seen *s)
{
    int64_t least = d->conf->store.min_free_mib;

    if (s->free < 0)
        doctor_skip(d, "ST-02", about, "the file system does not say");
    else if (s->full || s->free / MIB < least)
        doctor_fail(d, "ST-02", about, ERR_STORE,
            "free space there, or give store.dir a larger file system; nothing is lost meanwhile",
            "%lld MiB free, %lld MiB are the least (store.min_free_mib): no new request is taken",
            (long long)(s->free / MIB), (long long)least);
    else if (s->free / MIB < 2 * least)
        doctor_warn(d, "ST-02", about, "free space there", "%lld MiB free, %lld MiB are the least",
            (long long)(s->free / MIB), (long long)least);
    else
        doctor_pass(d, "ST-02", about, "%lld MiB free", (long long)(s->free / MIB));
}

static void say_writes(struct doctor *d, const char *about, const struct seen *s)
{
    if (s->full)
        doctor_skip(d, "ST-03", about, "needs ST-02");
    else if (!s->writable)
        doctor_fail(d, "ST-03", about, ERR_STORE,
            "findmnt --target names the file system: is it mounted read-only, is it whole?", "%s",
            s->why.msg);
    else if (s->slowest_ms > SLOW_MS)
        doctor_warn(d, "ST-03", about, "put the store on a disk of its own, not a network's",
            "a write was on disk after %lld ms", (long long)s->slowest_ms);
    else
        doctor_pass(
            d, "ST-03", about, "a write is on disk after %lld ms", (long long)s->slowest_ms);
}

/* Another process that has the store open keeps it locked: then it has been checked, and works. */
static void say_whole(struct doctor *d, const char *about, const struct seen *s)
{
    struct store *store;
    struct err e;

    if (doctor_running(d)) {
        doctor_pass(
            d, "ST-01", about, "the running service has it open, and checked it at its start");
        return;
    }
    if (doctor_failed(d, "VER-03", NULL) != NULL) {
        doctor_skip(d, "ST-01", about, "needs VER-03");
        return;
    }
    store = store_open(d->conf->store.dir, true, &e);
    if (store != NULL && store_check(store, &e) == 0)
        doctor_pass(d, "ST-01", about, "it is whole");
    else if (store == NULL && store_problem(NULL) == STORE_NEWER)
        doctor_skip(d, "ST-01", about, "needs VER-03");
    else if (store == NULL && store_problem(NULL) == STORE_LOCKED)
        doctor_skip(d, "ST-01", about, "another process has it open");
    else if (!s->writable)
        doctor_skip(d, "ST-01", about, s->full ? "needs ST-02" : "needs ST-03");
    else
        doctor_fail(d, "ST-01", about, ERR_STORE,
            "stop the service, keep the damaged file, restore a backup of the whole folder", "%s",
            e.msg);
    store_close(store);
}

/* 0: none was made, or nobody can say. */
static int64_t backup_at(struct doctor *d)
{
    int64_t at = 0;
    struct store *store;
    struct err e;

    if (doctor_running(d)) {
        if (doctor_status(d) != NULL)
            (void)!json_time(doctor_status(d), "backupAt", false, &at, &e);
        return at;
    }
    store = store_open(d->conf->store.dir, true, &e);
    if (store != NULL)
        (void)!store_meta_get_int(store, "backup_at", &at, &e);
    store_close(store);
    return at;
}

static void say_backup(struct doctor *d, const char *about)
{
    int64_t at = backup_at(d), days = (clock_now() - at) / DAY;
    char when[24];

    time_text(at, when);
    if (at == 0)
        doctor_skip(d, "ST-04", about,
            "certferry store backup has made none; other ways leave no trace here");
    else if (days >= BACKUP_DAYS)
        doctor_warn(d, "ST-04", about, "certferry store backup FILE, daily",
            "the last backup is %lld days old, of %s", (long long)days, when);
    else
        doctor_pass(d, "ST-04", about, "the last backup was made at %s", when);
}

void doctor_store(struct doctor *d)
{
    const char *dir = d->conf->store.dir;
    char file[4096];
    struct fs_mode folder, db;
    struct seen s = { .free = fs_free_bytes(dir) };

    fs_mode(dir, &folder);
    fs_join(file, sizeof file, dir, "certferry.db");
    fs_mode(file, &db);
    if (!folder.there) {
        doctor_skip(d, "ST-", dir, "it is made at the first start");
        return;
    }
    try_writes(dir, &s);
    doctor_begin(d);
    if (db.there)
        say_whole(d, dir, &s);
    else
        doctor_skip(d, "ST-01", dir, "it is made at the first start");
    say_space(d, dir, &s);
    say_writes(d, dir, &s);
    say_backup(d, dir);
}
