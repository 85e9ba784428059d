/* OAuth: every answer of an authorization server.  The first byte chooses which one the rest is, the second its
 * status. */
#include "certs/text.h"
#include "proto/oauth_device.h"
#include "proto/oauth_error.h"
#include "proto/oauth_metadata.h"
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define ISSUER "https://login.example/t"

static bool is_visible(const char *text)
{
    for (const char *p = text; *p != '\0'; p++)
        if (*p <= 0x20 || *p >= 0x7f)
            return false;
    return true;
}

static int metadata(struct view body, struct err *e)
{
    struct oauth_metadata m;

    if (oauth_metadata_parse(body, ISSUER, &m, e) != 0)
        return -1;
    if (strcmp(m.issuer, ISSUER) != 0 || strncasecmp(m.token_url, "https://", 8) != 0
        || (m.device_url[0] != '\0' && strncasecmp(m.device_url, "https://", 8) != 0))
        abort();
    return 0;
}

static int device(int status, struct view body, struct err *e)
{
    struct oauth_device d = OAUTH_DEVICE_INIT;

    if (oauth_device_parse(status, body, &d, e) != 0)
        return -1;
    if (d.code.len == 0 || d.user_code[0] == '\0' || !is_visible(d.user_code)
        || strncasecmp(d.url, "https://", 8) != 0 || text_has_control(view_text(d.message))
        || d.interval_s < 1 || d.interval_s > OAUTH_INTERVAL_MAX_S || d.expires_in_s < 1)
        abort();
    oauth_device_free(&d);
    return 0;
}

static int poll_answer(int status, struct view body, struct err *e)
{
    struct oauth_device d = OAUTH_DEVICE_INIT;
    struct oauth_token t = { 0 };
    int rc;

    d.interval_s = OAUTH_INTERVAL_S;
    buf_add_text(&d.code, "c");
    rc = oauth_device_answer(&d, status, body, &t, e);
    if ((rc == 1) != (t.access.len > 0) || (rc == 1 && (d.code.len != 0 || status >= 300))
        || d.interval_s < OAUTH_INTERVAL_S || d.interval_s > OAUTH_INTERVAL_S + 5)
        abort();
    buf_free(&t.access);
    oauth_device_free(&d);
    return rc < 0 ? -1 : 0;
}

static int token(int status, struct view body, struct err *e)
{
    struct oauth_token t = { 0 };

    if (oauth_token_parse(status, body, &t, e) != 0)
        return e->cls == ERR_DENIED || e->cls == ERR_EXPIRED ? (abort(), -1) : -1;
    if (!is_visible(buf_text(&t.access)))
        abort();
    buf_free(&t.access);
    return 0;
}

static int reason(struct view body, struct err *e)
{
    struct oauth_error o;

    if (!oauth_error_read(body, &o)) {
        if (o.reason != OAUTH_NO_REASON)
            abort();
        return 0;
    }
    if (o.reason == OAUTH_NO_REASON || text_has_control(view_text(o.code))
        || text_has_control(view_text(o.said)))
        abort();
    return oauth_error_set(&o, 400, e);
}

static int one_of(uint8_t which, int status, struct view body, struct err *e)
{
    switch (which % 5) {
    case 0:
        return metadata(body, e);
    case 1:
        return device(status, body, e);
    case 2:
        return poll_answer(status, body, e);
    case 3:
        return token(status, body, e);
    default:
        return reason(body, e);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const int statuses[] = { 200, 400, 401, 403, 429, 503, 302, 407 };
    struct err e = { 0 };

    if (size < 2)
        return 0;
    if (one_of(data[0], statuses[data[1] % 8], view_of(data + 2, size - 2), &e) != 0
        && (e.cls == ERR_NONE || text_has_control(view_text(e.msg))))
        abort();
    return 0;
}
