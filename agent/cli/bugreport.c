/* see bugreport.h.  Files, manifest, and what may be copied. */
#include "agent/cli/bugreport.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "certs/lib.h"
#include "certs/text.h"

struct buf *bugreport_file(struct bugreport *r, const char *name, const char *why)
{
    struct bugreport_file *f =
        &r->files[r->count < BUGREPORT_FILES_MAX - 1 ? r->count++ : r->count];

    f->name = name;
    f->why = why;
    f->content = (struct buf)BUF_INIT(BUGREPORT_FILE_MAX);
    return &f->content;
}

void bugreport_free(struct bugreport *r)
{
    for (size_t i = 0; i < BUGREPORT_FILES_MAX; i++)
        buf_free(&r->files[i].content);
    r->count = 0;
}

int bugreport_manifest(const struct bugreport *r, struct buf *out, struct err *e)
{
    struct json_out o = { .to = out };

    json_open(&o, NULL, '{');
    json_put_text(&o, "schema", "certferry.bugreport/1");
    json_put_time(&o, "time", r->at);
    json_open(&o, "files", '[');
    for (size_t i = 0; i < r->count; i++) {
        const struct bugreport_file *f = &r->files[i];
        struct buf hex = BUF_INIT(72);
        uint8_t hash[32];

        if (buf_check(&f->content, e) != 0
            || lib_sha256(r->lib, buf_view(&f->content), hash, e) != 0)
            return -1;
        hex_add(&hex, view_of(hash, sizeof hash));
        json_open(&o, NULL, '{');
        json_put_text(&o, "file", f->name);
        json_put_int(&o, "bytes", (int64_t)f->content.len);
        json_put_text(&o, "sha256", buf_text(&hex));
        json_put_text(&o, "why", f->why);
        json_close(&o, '}');
        buf_free(&hex);
    }
    json_close(&o, ']');
    json_close(&o, '}');
    buf_add_byte(out, '\n');
    return buf_check(out, e);
}

/* ---- what must not be recognised ------------------------------------------------------------------------------------ */

void bugreport_hash(const struct bugreport *r, const char *id, char out[20])
{
    struct buf b = BUF_INIT(256), hex = BUF_INIT(72);
    uint8_t hash[32];
    struct err e;

    buf_printf(&b, "%s%.100s", r->salt, id);
    (void)snprintf(out, 20, "request");
    if (lib_sha256(r->lib, buf_view(&b), hash, &e) == 0) {
        hex_add(&hex, view_of(hash, 6));
        (void)snprintf(out, 20, "r-%s", buf_text(&hex));
    }
    buf_free(&b);
    buf_free(&hex);
}

void bugreport_url(const char *url, char *out, size_t size)
{
    const char *host = strstr(url, "://"), *end, *at = NULL;

    out[0] = '\0';
    if (host == NULL || size == 0)
        return;
    host += 3;
    end = host + strcspn(host, "?#");
    for (const char *p = host; p < end && *p != '/'; p++)
        if (*p == '@')
            at = p;
    if (at == NULL && memchr(host, '@', (size_t)(end - host)) != NULL)
        return; /* somewhere it does not belong: nobody knows what is before it */
    (void)snprintf(out, size, "%.*s%.*s", (int)(host - url), url,
        (int)(end - (at != NULL ? at + 1 : host)), at != NULL ? at + 1 : host);
}

/* ---- what may be copied ----------------------------------------------------------------------------------------------- */

/* Numbers, times, words of ours, names of sections.  Not: subject, serialNumber, message and reason (a peer's or a device's
 * words), activity, caReference, store (a path may name somebody). */
static const char *const allowed[] = { "answers", "attempts", "backupAt", "bytes", "ca", "causes",
    "certain", "certificateExpiresAt", "certificates", "class", "clockOffset_s", "commits",
    "connections", "count", "created", "data", "daysLeft", "delivered", "duplicatesPossible",
    "ended", "endpoint", "event", "expires", "failingSince", "failures", "accepted", "cancelled",
    "health", "held", "history", "issued", "lastDay", "lastOk", "lastPoll", "level", "listeners",
    "log", "configured", "until", "logLinesDropped", "metricsPort", "name", "next", "nextDue",
    "nextTry", "notAfter", "number", "oldest", "oldestOpen", "orphans", "outcomes", "part", "peers",
    "pending", "pid", "plugin", "port", "purpose", "queue", "raExpiresAt", "ready", "received",
    "records", "refused", "rejected", "reloadRefused", "replayed", "request", "requests",
    "resubmitted", "retrying", "scep", "schema", "serving", "since", "sinceStart", "state", "step",
    "stops", "storeFree", "stuck", "submissions", "superseded", "template", "time", "tls", "type",
    "uptime_s", "version", "waitsFor", "whole", "brokenAt", "head", "working" };

static bool is_allowed(const char *name)
{
    for (size_t i = 0; i < sizeof allowed / sizeof allowed[0]; i++)
        if (strcmp(allowed[i], name) == 0)
            return true;
    return false;
}

static void copy_value(
    const struct bugreport *r, const char *name, const struct json *v, struct json_out *o);

static void copy_members(const struct bugreport *r, const struct json *v, struct json_out *o)
{
    const struct json *member;
    const char *name;
    size_t at = 0;

    while (json_next_member(v, &at, &name, &member)) {
        const char *text = member != NULL ? json_string(member) : NULL;
        char other[600];

        if (text != NULL && (strcmp(name, "id") == 0 || strcmp(name, "request") == 0)) {
            bugreport_hash(r, text, other);
            json_put_text(o, name, other);
        } else if (text != NULL && strcmp(name, "url") == 0) {
            bugreport_url(text, other, sizeof other);
            json_put_text(o, name, other);
        } else if (member != NULL && is_allowed(name)) {
            copy_value(r, name, member, o);
        }
    }
}

static void copy_value(
    const struct bugreport *r, const char *name, const struct json *v, struct json_out *o)
{
    struct buf b = BUF_INIT(8192);

    if (json_is_object(v)) {
        json_open(o, name, '{');
        copy_members(r, v, o);
        json_close(o, '}');
    } else if (json_is_array(v)) {
        json_open(o, name, '[');
        for (size_t i = 0; i < json_count(v); i++)
            copy_value(r, NULL, json_at(v, i), o);
        json_close(o, ']');
    } else {
        json_print(v, &b);
        if (!b.bad)
            json_put_raw(o, name, buf_view(&b));
    }
    buf_free(&b);
}

void bugreport_copy(const struct bugreport *r, const struct json *v, struct json_out *o)
{
    copy_value(r, NULL, v, o);
}
