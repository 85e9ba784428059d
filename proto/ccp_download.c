/* see ccp.h: the download.  What is wrong with one item must not touch its neighbours. */
#include "proto/ccp.h"
#include "proto/ccp_parts.h"
#include <stdio.h>
#include <string.h>

void ccp_download_write(struct buf *out, unsigned max_requests, const enum ccp_type *types,
    size_t type_count, const char *group, unsigned wait_s)
{
    struct json_out o = { .to = out };

    json_open(&o, NULL, '{');
    json_open(&o, "downloadParameters", '{');
    json_put_int(&o, "maxRequests", max_requests);
    json_open(&o, "requestTypes", '[');
    for (size_t i = 0; i < type_count; i++)
        json_put_text(&o, NULL, ccp_type_name(types[i]));
    json_close(&o, ']');
    json_put_text(&o, "agentGroup", group);
    json_put_int(&o, "waitSeconds", wait_s);
    json_close(&o, '}');
    json_close(&o, '}');
}

/* A short text into a fixed field of the head. */
static int head_text(
    const struct json *item, const char *name, bool must, char *out, size_t size, struct err *e)
{
    const char *text = NULL;

    if (part_text(item, name, must, size - 1, &text, e) != 0)
        return -1;
    (void)snprintf(out, size, "%s", text != NULL ? text : "");
    return 0;
}

/* Go on after a fault: a head with an id and a lease can still be answered and given back. */
void part_head(const struct json *item, struct ccp_head *out, struct err *bad)
{
    struct err e = { 0 };

    *out = (struct ccp_head){ 0 };
    *bad = (struct err){ 0 };
#define READ(call)                               \
    do {                                         \
        if ((call) != 0 && bad->cls == ERR_NONE) \
            *bad = e;                            \
    } while (0)
    READ(part_guid(item, "requestId", true, out->id, &e));
    READ(head_text(item, "requestType", true, out->type_name, sizeof out->type_name, &e));
    READ(head_text(item, "leaseId", false, out->lease, sizeof out->lease, &e));
    READ(json_time(item, "leaseExpiresDateTime", false, &out->lease_expires_at, &e));
    READ(json_int(item, "attempt", false, 0, INT32_MAX, &out->attempt, &e));
    READ(json_time(item, "createdDateTime", false, &out->created_at, &e));
    READ(json_time(item, "expiresDateTime", false, &out->expires_at, &e));
#undef READ
    out->type = ccp_type_from_name(out->type_name);
}

/* What is kept of an item that is too large: enough to refuse it under its id. */
static void print_head(const struct ccp_head *head, struct buf *out)
{
    struct json_out o = { .to = out };

    json_open(&o, NULL, '{');
    json_put_text(&o, "requestId", head->id);
    json_put_text(&o, "requestType", head->type_name);
    json_put_text(&o, "leaseId", head->lease);
    json_put_time(&o, "createdDateTime", head->created_at);
    json_put_time(&o, "expiresDateTime", head->expires_at);
    json_close(&o, '}');
}

static int one_item(
    const struct json *item, struct buf *text, ccp_item_fn *each, void *arg, struct err *e)
{
    struct ccp_head head = { 0 };
    struct err bad = { 0 };

    buf_reset(text);
    if (!json_is_object(item)) {
        err_set(&bad, ERR_PROTO, "item: not an object");
        each(arg, &head, buf_view(text), &bad);
        return 0;
    }
    part_head(item, &head, &bad);
    json_print(item, text);
    if (text->bad && text->why == ERR_TOO_LARGE) {
        err_set(&bad, ERR_TOO_LARGE, "item: larger than %d bytes", CCP_ITEM_MAX);
        buf_reset(text);
        print_head(&head, text);
    }
    if (buf_check(text, e) != 0)
        return -1;
    each(arg, &head, buf_view(text), bad.cls != ERR_NONE ? &bad : NULL);
    return 0;
}

int ccp_download_parse(
    struct view body, ccp_item_fn *each, void *arg, int64_t *poll_after_s, struct err *e)
{
    struct json *root = json_parse(body, CCP_BATCH_MAX, e);
    struct buf text = BUF_INIT(CCP_ITEM_MAX);
    const struct json *value = NULL;
    int64_t after_s = -1;
    int rc = -1;

    if (root == NULL)
        goto done;
    if (part_array(root, "value", true, CCP_REQUESTS_MAX, &value, e) != 0
        || part_poll_after(root, &after_s, e) != 0)
        goto done;
    *poll_after_s = after_s;
    for (size_t i = 0; i < json_count(value); i++)
        if (one_item(json_at(value, i), &text, each, arg, e) != 0)
            goto done;
    rc = 0;
done:
    buf_free(&text);
    json_free(root);
    return rc;
}
