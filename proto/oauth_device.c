/* see oauth_device.h */
#include "proto/oauth_device.h"
#include "proto/http.h"
#include "proto/oauth_error.h"
#include "proto/oauth_part.h"
#include <stdio.h>
#include <string.h>

enum { CODE_MAX = 4096, SLOWER_S = 5 };

#define GRANT_TYPE "urn:ietf:params:oauth:grant-type:device_code"

void oauth_device_free(struct oauth_device *d)
{
    buf_free(&d->code);
}

/* ---- asking for a code ---- */

int oauth_device_form(struct lib *l, const struct oauth_client *c, const char *audience,
    const char *scope, int64_t now, struct buf *out, struct err *e)
{
    size_t start = out->len;

    if (oauth_add_client(l, c, audience, now, out, e) != 0) {
        buf_truncate(out, start);
        return -1;
    }
    if (scope[0] != '\0')
        http_add_form(out, "scope", view_text(scope));
    return buf_finish(out, start, e);
}

/* What a person reads off and types: no spaces, nothing that moves a terminal's cursor. */
static int read_visible(
    const struct json *root, const char *name, size_t max, const char **out, struct err *e)
{
    if (json_text(root, name, true, max, out, e) != 0)
        return -1;
    if (**out == '\0')
        return err_set(e, ERR_PROTO, "%s: empty", name);
    for (const char *p = *out; *p != '\0'; p++)
        if (*p <= 0x20 || *p >= 0x7f)
            return err_set(e, ERR_PROTO, "%s: only visible ASCII is taken", name);
    return 0;
}

/* An address that a person opens, or none. */
static int read_address(
    const struct json *root, const char *name, char *out, size_t size, struct err *e)
{
    const char *url = NULL;

    if (json_text(root, name, false, size - 1, &url, e) != 0)
        return -1;
    if (url == NULL)
        return 0;
    if (http_url_check(url, false, size - 1, e) != 0) {
        e->cls = ERR_PROTO;
        return err_wrap(e, "%s", name);
    }
    (void)snprintf(out, size, "%s", url);
    return 0;
}

static int read_times(const struct json *root, struct oauth_device *d, struct err *e)
{
    d->expires_in_s = 0;
    d->interval_s = OAUTH_INTERVAL_S;
    if (oauth_seconds(root, "expires_in", OAUTH_DEVICE_LIFE_MAX_S, &d->expires_in_s, e) != 0
        || oauth_seconds(root, "interval", OAUTH_INTERVAL_MAX_S, &d->interval_s, e) != 0)
        return -1;
    if (d->expires_in_s == 0)
        return err_set(e, ERR_PROTO, "expires_in: missing or 0");
    if (d->interval_s < 1)
        d->interval_s = 1;
    return 0;
}

static int read_device(const struct json *root, struct oauth_device *d, struct err *e)
{
    const char *code = NULL, *user_code = NULL, *message = json_string(json_get(root, "message"));

    if (read_visible(root, "device_code", CODE_MAX, &code, e) != 0
        || read_visible(root, "user_code", sizeof d->user_code - 1, &user_code, e) != 0
        || read_address(root, "verification_url", d->url, sizeof d->url, e) != 0
        || read_address(root, "verification_uri", d->url, sizeof d->url, e) != 0
        || read_address(
               root, "verification_uri_complete", d->url_complete, sizeof d->url_complete, e)
               != 0
        || read_times(root, d, e) != 0)
        return -1;
    if (d->url[0] == '\0')
        return err_set(e, ERR_PROTO, "verification_uri: missing");
    (void)snprintf(d->user_code, sizeof d->user_code, "%s", user_code);
    (void)snprintf(d->message, sizeof d->message, "%s", message != NULL ? message : "");
    err_clean(d->message);
    buf_add_text(&d->code, code);
    return buf_check(&d->code, e);
}

int oauth_device_parse(int status, struct view body, struct oauth_device *d, struct err *e)
{
    struct json *root = oauth_answer(status, body, "device endpoint", e);
    struct oauth_device got = OAUTH_DEVICE_INIT;
    int rc = -1;

    if (root != NULL)
        rc = read_device(root, &got, e);
    if (rc == 0) {
        oauth_device_free(d);
        *d = got;
    } else {
        oauth_device_free(&got);
    }
    json_free(root);
    return rc;
}

/* ---- polling ---- */

int oauth_device_poll_form(struct lib *l, const struct oauth_client *c, const char *audience,
    const struct oauth_device *d, int64_t now, struct buf *out, struct err *e)
{
    size_t start = out->len;

    if (d->code.len == 0)
        return err_set(e, ERR_CONFIG, "device code: it was used already");
    http_add_form(out, "grant_type", view_text(GRANT_TYPE));
    http_add_form(out, "device_code", buf_view(&d->code));
    if (oauth_add_client(l, c, audience, now, out, e) != 0) {
        buf_truncate(out, start);
        return -1;
    }
    return buf_finish(out, start, e);
}

static void wait_longer(struct oauth_device *d, int64_t by_s)
{
    d->interval_s += by_s;
    if (d->interval_s > OAUTH_INTERVAL_MAX_S)
        d->interval_s = OAUTH_INTERVAL_MAX_S;
}

void oauth_device_slower(struct oauth_device *d)
{
    wait_longer(d, d->interval_s);
}

/* RFC 8628 3.5: slow_down: "the interval MUST be increased by 5 seconds for this and all subsequent requests." */
static bool is_not_yet(struct oauth_device *d, const struct oauth_error *why)
{
    if (why->reason == OAUTH_SLOW_DOWN)
        wait_longer(d, SLOWER_S);
    return why->reason == OAUTH_SLOW_DOWN || why->reason == OAUTH_PENDING;
}

/* The code is wiped with the first success, so that no second poll can come of it. */
int oauth_device_answer(
    struct oauth_device *d, int status, struct view body, struct oauth_token *t, struct err *e)
{
    struct json *root = oauth_answer(status, body, "token endpoint", e);
    struct oauth_error why;
    int rc = -1;

    if (root == NULL)
        return status >= 400 && status < 500 && status != 407 && status != 429
                       && oauth_error_read(body, &why) && is_not_yet(d, &why)
                   ? 0
                   : -1;
    if (oauth_read_token(root, t, e) == 0) {
        oauth_device_free(d);
        rc = 1;
    }
    json_free(root);
    return rc;
}
