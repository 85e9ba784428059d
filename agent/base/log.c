/* see log.h */
#include <poll.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>
#include "agent/base/clock.h"
#include "agent/base/io.h"
#include "agent/base/log.h"
#include "agent/base/log_journal.h"
#include "certs/text.h"
#include "proto/json.h"

/* A text of this length makes no longer line, even if each of its characters has to be escaped. */
enum { LINE_MAX_BYTES = 2048, TEXT_MAX_BYTES = 800, REPEAT_SLOTS = 32, REPEAT_S = 60 };

static const struct {
    const char *name;
    int number;
    enum log_level level;
    bool admin;
} events[] = {
#define X(id, number, level, admin, name) [id] = { name, number, LOG_LEVEL_##level, admin },
    LOG_EVENTS(X)
#undef X
};
static const char *const levels[] = { "silent", "error", "warning", "info", "debug" };

static enum log_level least = LOG_LEVEL_INFO;
static bool json, journal;
static uint64_t dropped, dropped_told;

/* Lines seen lately, by hash, so that a fault that repeats does not bury the rest. */
static struct {
    uint64_t hash;
    int64_t first_at;
    unsigned count;
} seen[REPEAT_SLOTS];

void log_open(enum log_format f, enum log_level level)
{
    journal = f == LOG_JOURNAL;
    json = f == LOG_JSON || (f == LOG_AUTO && isatty(STDERR_FILENO) == 0);
    least = level;
}

enum log_level log_level_named(const char *name)
{
    for (size_t i = 0; i < sizeof levels / sizeof levels[0]; i++)
        if (strcmp(levels[i], name) == 0)
            return (enum log_level)i;
    return LOG_LEVEL_INFO;
}

bool log_level_find(const char *name, enum log_level *out)
{
    for (size_t i = LOG_LEVEL_ERROR; i < sizeof levels / sizeof levels[0]; i++)
        if (strcmp(levels[i], name) == 0) {
            *out = (enum log_level)i;
            return true;
        }
    return false;
}

const char *log_level_name(enum log_level level)
{
    return levels[level];
}

enum log_level log_level_now(void)
{
    return least;
}

void log_set_level(enum log_level level)
{
    least = level;
}

const char *log_event_name(enum log_event ev)
{
    return events[ev].name;
}

uint64_t log_dropped(void)
{
    return dropped;
}

/* A pipe that says it is writable takes a whole line of this size without blocking (pipe(7)). */
static bool put_line(const char *line, size_t len)
{
    struct pollfd p = { .fd = STDERR_FILENO, .events = POLLOUT };

    return poll(&p, 1, 0) == 1 && (p.revents & POLLOUT) != 0
           && write(STDERR_FILENO, line, len) >= 0;
}

static bool write_human(enum log_event ev, const char *request, const char *peer, const char *text)
{
    char line[LINE_MAX_BYTES], at[24];
    size_t len;

    time_text(clock_now(), at);
    (void)snprintf(line, sizeof line - 1, "%s %-7s %s%s%s%s%s%s%s%s", at, levels[events[ev].level],
        events[ev].name, request != NULL ? " " : "", request != NULL ? request : "",
        peer != NULL ? " [" : "", peer != NULL ? peer : "", peer != NULL ? "]" : "",
        text[0] != '\0' ? ": " : "", text);
    err_clean(line);
    len = strlen(line);
    line[len++] = '\n';
    return put_line(line, len);
}

static bool write_json(enum log_event ev, const char *request, const char *peer, const char *text,
    const struct err *why)
{
    struct buf line = BUF_INIT(LINE_MAX_BYTES * 2);
    struct json_out o = { .to = &line };
    bool written;

    json_open(&o, NULL, '{');
    json_put_time(&o, "time", clock_now());
    json_put_text(&o, "level", levels[events[ev].level]);
    json_put_text(&o, "event", events[ev].name);
    json_put_int(&o, "id", events[ev].number);
    if (events[ev].admin)
        json_put_bool(&o, "admin", true);
    json_put_text(&o, "request", request);
    json_put_text(&o, "peer", peer);
    json_put_text(&o, "message", text);
    if (why != NULL) {
        json_put_text(&o, "class", err_name(why->cls));
        if (why->number != 0)
            json_put_int(&o, "number", why->number);
        json_put_text(&o, "at", why->where);
    }
    json_close(&o, '}');
    buf_add_byte(&line, '\n');
    written = !line.bad && put_line((const char *)line.p, line.len);
    buf_free(&line);
    return written;
}

static bool put(enum log_event ev, const char *request, const char *peer, const char *text,
    const struct err *why)
{
    if (journal)
        return log_journal_put(ev, request, peer, text, why);
    return json ? write_json(ev, request, peer, text, why) : write_human(ev, request, peer, text);
}

/* Has the very same line been written within the last minute?  Says how many once it is over. */
static bool is_repeat(enum log_event ev, const char *request, const char *peer, const char *text)
{
    uint64_t h = text_hash(text_hash(text_hash(TEXT_HASH + (uint64_t)ev, request), peer), text);
    size_t slot = h % REPEAT_SLOTS;

    if (seen[slot].hash == h && clock_now() - seen[slot].first_at < REPEAT_S) {
        seen[slot].count++;
        return true;
    }
    if (seen[slot].count > 0) {
        uint64_t count = seen[slot].count;

        seen[slot].count = 0;
        dropped += count;
    }
    seen[slot].hash = h;
    seen[slot].first_at = clock_now();
    return false;
}

static void emit(enum log_event ev, const char *request, const char *peer, const char *text,
    const struct err *why)
{
    if (events[ev].level > least || is_repeat(ev, request, peer, text))
        return;
    if (dropped != dropped_told) {
        char note[80];

        (void)snprintf(note, sizeof note, "%llu lines repeated or lost since the last line",
            (unsigned long long)(dropped - dropped_told));
        if (put(EV_LOG_DROPPED, NULL, NULL, note, NULL))
            dropped_told = dropped;
    }
    if (!put(ev, request, peer, text, why))
        dropped++;
}

void log_event(enum log_event ev, const char *request, const char *peer, const char *fmt, ...)
{
    char text[TEXT_MAX_BYTES];
    va_list ap;

    va_start(ap, fmt);
    (void)vsnprintf(text, sizeof text, fmt, ap);
    va_end(ap);
    err_clean(text);
    emit(ev, request, peer, text, NULL);
}

void log_err(enum log_event ev, const char *request, const char *peer, const struct err *why)
{
    char text[sizeof why->msg + 80];

    (void)snprintf(text, sizeof text, "%s (%s)", why->msg, err_text(why->cls));
    err_clean(text);
    emit(ev, request, peer, text, why);
}

/* Nothing of the loop's: not its clock, not the table of lines seen. */
void log_alarm(enum log_event ev, const char *text)
{
    struct buf line = BUF_INIT(LINE_MAX_BYTES);
    struct json_out o = { .to = &line };
    char at[24];

    if (events[ev].level > least)
        return;
    time_text(io_wall_s(), at);
    if (json) {
        json_open(&o, NULL, '{');
        json_put_text(&o, "time", at);
        json_put_text(&o, "level", levels[events[ev].level]);
        json_put_text(&o, "event", events[ev].name);
        json_put_int(&o, "id", events[ev].number);
        json_put_text(&o, "message", text);
        json_close(&o, '}');
    } else {
        buf_printf(&line, "%s %-7s %s: %s", at, levels[events[ev].level], events[ev].name, text);
    }
    buf_add_byte(&line, '\n');
    if (!line.bad)
        (void)put_line((const char *)line.p, line.len);
    buf_free(&line);
}
