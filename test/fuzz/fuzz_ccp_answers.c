/* CCP/1: the other answers of a cloud.  The first byte chooses which one the rest is. */
#include "certs/text.h"
#include "proto/ccp.h"
#include <stdlib.h>
#include <string.h>

static void lease(void *arg, const char *id, int64_t expires_at, const char *error_code)
{
    (void)arg;
    if (!guid_ok(id) || (expires_at == 0) != (error_code != NULL))
        abort();
}

static int one_of(uint8_t which, struct view body, struct err *e)
{
    struct ccp_heartbeat_reply beat;
    struct http_reply r = { .status = 400 + which % 128,
        .body = body,
        .content_type = "application/json",
        .location = "",
        .authenticate = "",
        .retry_after_s = -1 };

    switch (which % 4) {
    case 0:
        return ccp_leases_parse(body, lease, NULL, e);
    case 1:
        return ccp_upload_parse(body, "6d0e7c0a-1f2b-4c3d-8e4f-5a6b7c8d9e0f", e);
    case 2:
        return ccp_heartbeat_parse(body, &beat, e);
    default:
        if (ccp_judge(&r, e) == 0)
            abort();
        if (e->number != (uint32_t)r.status)
            abort();
        return -1;
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct err e = { 0 };

    if (size == 0)
        return 0;
    if (one_of(data[0], view_of(data + 1, size - 1), &e) != 0
        && (e.cls == ERR_NONE || text_has_control(view_text(e.msg))))
        abort();
    return 0;
}
