/* see ledger.h; the lock is held from begin to end, so that a flush never sees half a line */
#include "test/sandbox/ledger.h"
#include "test/sandbox/clock.h"
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { FLUSH_AT = 256 << 10 };

struct ledger {
    pthread_mutex_t lock;
    struct str buffer;
    char *path;
    int fd;
};

static bool keep_old(const char *dir, const char *path, char *why, size_t why_room)
{
    struct str to = { 0 };
    bool ok = access(path, F_OK) != 0;

    for (unsigned n = 1; !ok; n++) {
        str_cut(&to, 0);
        str_f(&to, "%s/ledger-%u.jsonl", dir, n);
        if (access(to.p, F_OK) == 0)
            continue;
        ok = rename(path, to.p) == 0;
        if (!ok) {
            snprintf(why, why_room, "%s: %s", to.p, strerror(errno));
            break;
        }
    }
    str_free(&to);
    return ok;
}

struct ledger *ledger_open(const char *dir, char *why, size_t why_room)
{
    struct ledger *l = need(calloc(1, sizeof *l));
    struct str path = { 0 };

    str_f(&path, "%s/ledger.jsonl", dir);
    l->path = path.p;
    l->fd = -1;
    pthread_mutex_init(&l->lock, NULL);
    if (!keep_old(dir, l->path, why, why_room)) {
        ledger_close(l);
        return NULL;
    }
    l->fd = open(l->path, O_WRONLY | O_CREAT | O_EXCL | O_APPEND | O_CLOEXEC, 0600);
    if (l->fd < 0) {
        snprintf(why, why_room, "%s: %s", l->path, strerror(errno));
        ledger_close(l);
        return NULL;
    }
    return l;
}

/* Called with the lock held.  A ledger that cannot be written is worth nothing: say so and end. */
static void write_out(struct ledger *l)
{
    size_t done = 0;

    while (done < l->buffer.len) {
        ssize_t n = write(l->fd, l->buffer.p + done, l->buffer.len - done);

        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0) {
            fprintf(stderr, "certferry-sandbox: %s: %s\n", l->path, strerror(errno));
            exit(1);
        }
        done += (size_t)n;
    }
    str_cut(&l->buffer, 0);
}

void ledger_flush(struct ledger *l)
{
    pthread_mutex_lock(&l->lock);
    write_out(l);
    pthread_mutex_unlock(&l->lock);
}

void ledger_close(struct ledger *l)
{
    if (l == NULL)
        return;
    if (l->fd >= 0) {
        ledger_flush(l);
        close(l->fd);
    }
    pthread_mutex_destroy(&l->lock);
    str_free(&l->buffer);
    free(l->path);
    free(l);
}

void ledger_begin(struct ledger *l, const char *event)
{
    pthread_mutex_lock(&l->lock);
    str_f(&l->buffer, "{\"t\":%" PRId64 ",\"event\":\"%s\"", wall_ms(), event);
}

static void name_of(struct ledger *l, const char *name)
{
    str_add(&l->buffer, ",\"", 2);
    str_puts(&l->buffer, name);
    str_add(&l->buffer, "\":", 2);
}

void ledger_text(struct ledger *l, const char *name, const char *value)
{
    if (value == NULL)
        return;
    name_of(l, name);
    str_json(&l->buffer, value);
}

void ledger_int(struct ledger *l, const char *name, int64_t value)
{
    name_of(l, name);
    str_f(&l->buffer, "%" PRId64, value);
}

void ledger_bool(struct ledger *l, const char *name, bool value)
{
    name_of(l, name);
    str_puts(&l->buffer, value ? "true" : "false");
}

void ledger_hex(struct ledger *l, const char *name, const void *bytes, size_t len, bool upper)
{
    name_of(l, name);
    str_add(&l->buffer, "\"", 1);
    str_hex(&l->buffer, bytes, len, upper);
    str_add(&l->buffer, "\"", 1);
}

void ledger_end(struct ledger *l)
{
    str_add(&l->buffer, "}\n", 2);
    if (l->buffer.len >= FLUSH_AT)
        write_out(l);
    pthread_mutex_unlock(&l->lock);
}

const char *ledger_path(const struct ledger *l)
{
    return l->path;
}
