#ifndef PLUGINS_KIT_H
#define PLUGINS_KIT_H
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "agent/certferry_plugin.h"

/*
 * kit.h - what several of the shipped plugins need: bounded text, settings, verdicts.
 *
 * Nothing but the plugin header and the C library, all of it inline: each plugin stays one file to compile.
 */
#define KIT_COUNT(array) (sizeof(array) / sizeof(array)[0])
#ifdef CERTFERRY_VERSION
#define KIT_VERSION CERTFERRY_VERSION
#else
#define KIT_VERSION "0"
#endif

/* ---- text in a buffer somebody owns ------------------------------------------------------------------ */

/* Once something did not fit, `cut` stays set and nothing is added: whoever sends it checks that first. */
struct kit_text {
    char *p;
    size_t size, n;
    bool cut;
};

static inline struct kit_text kit_text(char *p, size_t size)
{
    p[0] = '\0';
    return (struct kit_text){ .p = p, .size = size };
}

static inline void kit_add(struct kit_text *t, const char *text)
{
    size_t n = strlen(text);

    if (t->cut || n >= t->size - t->n) {
        t->cut = true;
        return;
    }
    memcpy(t->p + t->n, text, n + 1);
    t->n += n;
}

static inline void kit_add_number(struct kit_text *t, long long n)
{
    char digits[24];

    (void)snprintf(digits, sizeof digits, "%lld", n);
    kit_add(t, digits);
}

/* What a function of the host wrote behind the text so far: a length, or less than 0. */
static inline void kit_added(struct kit_text *t, long n)
{
    if (t->cut || n < 0 || (size_t)n >= t->size - t->n) {
        t->cut = true;
        t->p[t->n] = '\0';
        return;
    }
    t->n += (size_t)n;
}

/* kit_forget - overwrite what has a key or a challenge in it; volatile, or the compiler would know better. */
static inline void kit_forget(void *p, size_t n)
{
    volatile unsigned char *at = p;

    while (n-- > 0)
        *at++ = 0;
}

/* kit_asked - a question that has been answered: the host has its copy since long. */
static inline void kit_asked(char *body, const struct certferry_reply *reply)
{
    if (reply != NULL)
        kit_forget(body, strlen(body));
}

/* kit_close - of a self that has no pointers */
static inline void kit_close(void *self, size_t size)
{
    if (self != NULL)
        kit_forget(self, size);
    free(self);
}

/* kit_quote - as a JSON string; NULL is null. */
static inline void kit_quote(struct kit_text *t, const struct certferry_host *h, const char *text)
{
    if (t->cut)
        return;
    if (text == NULL)
        kit_add(t, "null");
    else
        kit_added(t, h->json_quote(h->ctx, text, t->p + t->n, t->size - t->n));
}

/* kit_name - `"name":`, with a comma in front unless it is the first of its object; the value is next */
static inline void kit_name(struct kit_text *t, const struct certferry_host *h, const char *name)
{
    if (t->n > 0 && t->p[t->n - 1] != '{')
        kit_add(t, ",");
    kit_quote(t, h, name);
    kit_add(t, ":");
}

static inline void kit_member(
    struct kit_text *t, const struct certferry_host *h, const char *name, const char *text)
{
    kit_name(t, h, name);
    kit_quote(t, h, text);
}

static inline void kit_member_number(
    struct kit_text *t, const struct certferry_host *h, const char *name, long long n)
{
    kit_name(t, h, name);
    kit_add_number(t, n);
}

/* Base64 needs no escapes. */
static inline void kit_member_base64(struct kit_text *t, const struct certferry_host *h,
    const char *name, struct certferry_bytes bytes)
{
    kit_name(t, h, name);
    kit_add(t, "\"");
    if (!t->cut)
        kit_added(t, h->base64(h->ctx, bytes, t->p + t->n, t->size - t->n));
    kit_add(t, "\"");
}

/* "2026-05-01T10:20:30.000Z": days to a date by counting 400-year cycles from 1 March 0000 */
static inline void kit_time(int64_t at, char *out, size_t size)
{
    int64_t days = at / 86400, second = at % 86400, cycle, day, year, month;

    if (second < 0) {
        days--;
        second += 86400;
    }
    days += 719468; /* 1 January 1970 */
    cycle = (days >= 0 ? days : days - 146096) / 146097;
    day = days - cycle * 146097;
    year = (day - day / 1460 + day / 36524 - day / 146096) / 365;
    day -= 365 * year + year / 4 - year / 100;
    month = (5 * day + 2) / 153; /* 0 = March */
    day -= (153 * month + 2) / 5;
    year += cycle * 400 + (month >= 10);
    (void)snprintf(out, size, "%04lld-%02lld-%02lldT%02lld:%02lld:%02lld.000Z", (long long)year,
        (long long)(month < 10 ? month + 3 : month - 9), (long long)day + 1,
        (long long)(second / 3600), (long long)(second / 60 % 60), (long long)(second % 60));
}

/* ---- verdicts ------------------------------------------------------------------------------------------ */

/* What others wrote may hold anything: one line of whole characters is left of it. */
static inline void kit_clean(char *text, size_t size)
{
    size_t n = strnlen(text, size);

    if (n == size) { /* cut: not in the middle of a character */
        n = size - 1;
        while (n > 0 && ((unsigned char)text[n] & 0xc0) == 0x80)
            n--;
        text[n] = '\0';
    }
    for (size_t i = 0; i < n; i++)
        if ((unsigned char)text[i] < 0x20 || text[i] == 0x7f)
            text[i] = ' ';
}

static inline void kit_why(struct certferry_verdict *v, const char *a, const char *b)
{
    char text[sizeof v->why + 1];
    struct kit_text whole = kit_text(text, sizeof text);
    const char *part[2] = { a, b };

    for (size_t i = 0; i < 2; i++) /* as much as fits */
        for (const char *p = part[i]; p != NULL && *p != '\0'; p++)
            kit_add(&whole, (const char[2]){ *p, '\0' });
    kit_clean(text, sizeof v->why);
    memcpy(v->why, text, sizeof v->why - 1);
    v->why[sizeof v->why - 1] = '\0';
}

/* kit_deny - why is `a` followed by `b` (may be NULL) */
static inline void kit_deny(struct certferry_verdict *v, const char *a, const char *b)
{
    v->answer = CERTFERRY_DENY;
    v->fail = CERTFERRY_BAD_REQUEST;
    v->hresult = 0;
    v->claims = NULL;
    kit_why(v, a, b);
}

static inline void kit_allow(struct certferry_verdict *v, const char *claims)
{
    v->answer = CERTFERRY_ALLOW;
    v->claims = claims;
}

static inline void kit_later(
    struct certferry_verdict *v, int64_t seconds, const char *a, const char *b)
{
    v->answer = CERTFERRY_LATER;
    v->later_s = (unsigned)(seconds < 1 ? 1 : seconds > 3600 ? 3600 : seconds);
    kit_why(v, a, b);
}

static inline void kit_ask_header(struct certferry_ask *ask, const char *name, const char *value)
{
    if (ask->header_count < CERTFERRY_HEADERS_MAX)
        ask->header[ask->header_count++] = (struct certferry_header){ name, value };
}

/* ---- answers ------------------------------------------------------------------------------------------- */

/* kit_reply_text - the body with a NUL behind it, in `out`; NULL: too large, or no text */
static inline const char *kit_reply_text(
    const struct certferry_reply *reply, char *out, size_t size)
{
    if (reply->body.n >= size || (reply->body.n > 0 && memchr(reply->body.p, 0, reply->body.n)))
        return NULL;
    if (reply->body.n > 0)
        memcpy(out, reply->body.p, reply->body.n);
    out[reply->body.n] = '\0';
    return out;
}

/* kit_claims - the object at `path` into out.  1, 0: there is none, -1: it is no object or does not fit, so that
 * what was meant to restrict would be lost */
static inline int kit_claims(
    const struct certferry_host *h, const char *json, const char *path, char *out, size_t size)
{
    long n = h->json_get(h->ctx, json, path, out, size);

    if (n == -1)
        return 0;
    return n > 0 && out[0] == '{' ? 1 : -1;
}

/* ---- settings: all -1 with the reason in why --------------------------------------------------------------- */

static inline int kit_refuse(char *why, size_t why_size, const char *name, const char *text)
{
    (void)snprintf(why, why_size, "%s: %s", name, text);
    return -1;
}

static inline bool kit_listed(const char *name, const char *const list[])
{
    for (size_t i = 0; list[i] != NULL; i++)
        if (strcmp(name, list[i]) == 0)
            return true;
    return false;
}

/* kit_known - our host, and no name but those of the two lists, which end with NULL */
static inline int kit_known(const struct certferry_host *h, const char *const settings[],
    const char *const secrets[], char *why, size_t why_size)
{
    const char *name;

    if (h->abi != CERTFERRY_PLUGIN_ABI || h->size < sizeof *h)
        return kit_refuse(why, why_size, "certferry", "is older than this plugin");
    for (size_t i = 0; (name = h->setting_name(h->ctx, i)) != NULL; i++)
        if (!kit_listed(name, settings))
            return kit_refuse(why, why_size, name, "there is no such setting");
    for (size_t i = 0; (name = h->secret_name(h->ctx, i)) != NULL; i++)
        if (!kit_listed(name, secrets))
            return kit_refuse(why, why_size, name, "there is no such secret");
    return 0;
}

/* kit_setting - one line of text; fallback "" = may be absent or empty, NULL = must be there */
static inline int kit_setting(const struct certferry_host *h, const char *name,
    const char *fallback, char *out, size_t size, char *why, size_t why_size)
{
    const char *value = h->setting(h->ctx, name);
    size_t n;

    if (value == NULL && (value = fallback) == NULL)
        return kit_refuse(why, why_size, name, "is needed");
    if (value[0] == '\0' && (fallback == NULL || fallback[0] != '\0'))
        return kit_refuse(why, why_size, name, "is empty");
    if ((n = strlen(value)) >= size)
        return kit_refuse(why, why_size, name, "is too long");
    for (size_t i = 0; i < n; i++)
        if ((unsigned char)value[i] < 0x20 || value[i] == 0x7f)
            return kit_refuse(why, why_size, name, "has a control character");
    memcpy(out, value, n + 1);
    return 0;
}

static inline bool kit_is_url(const char *text)
{
    if (strncmp(text, "https://", 8) != 0 || text[8] == '\0' || text[8] == '/')
        return false;
    for (const char *p = text; *p != '\0'; p++)
        if ((unsigned char)*p <= 0x20 || (unsigned char)*p >= 0x7f)
            return false;
    return true;
}

/* kit_setting_url - https only; a '/' at the end is dropped */
static inline int kit_setting_url(const struct certferry_host *h, const char *name,
    const char *fallback, char *out, size_t size, char *why, size_t why_size)
{
    size_t n;

    if (kit_setting(h, name, fallback, out, size, why, why_size) != 0)
        return -1;
    if (out[0] == '\0')
        return 0;
    if (!kit_is_url(out))
        return kit_refuse(why, why_size, name, "must be https://...");
    for (n = strlen(out); n > 9 && out[n - 1] == '/'; n--)
        out[n - 1] = '\0';
    return 0;
}

static inline int kit_setting_number(const struct certferry_host *h, const char *name, long *n,
    long min, long max, char *why, size_t why_size)
{
    const char *value = h->setting(h->ctx, name);
    char *end, text[64];

    if (value == NULL)
        return 0;
    *n = strtol(value, &end, 10);
    (void)snprintf(text, sizeof text, "must be %ld to %ld", min, max);
    if (value[0] < '0' || value[0] > '9' || *end != '\0' || *n < min || *n > max)
        return kit_refuse(why, why_size, name, text);
    return 0;
}

static inline int kit_setting_yes(
    const struct certferry_host *h, const char *name, bool *yes, char *why, size_t why_size)
{
    const char *value = h->setting(h->ctx, name);

    if (value == NULL)
        return 0;
    *yes = strcmp(value, "yes") == 0;
    if (!*yes && strcmp(value, "no") != 0)
        return kit_refuse(why, why_size, name, "must be yes or no");
    return 0;
}
#endif
