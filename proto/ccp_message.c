/* see ccp.h: leases, uploads, heartbeat */
#include "proto/ccp.h"
#include "proto/ccp_parts.h"
#include <stdio.h>
#include <string.h>
#include <strings.h>

/* ---- extend, release ---- */

void ccp_leases_write(struct buf *out, const struct ccp_lease *leases, size_t count)
{
    struct json_out o = { .to = out };

    json_open(&o, NULL, '{');
    json_open(&o, "leases", '[');
    for (size_t i = 0; i < count; i++) {
        json_open(&o, NULL, '{');
        json_put_text(&o, "requestId", leases[i].id);
        json_put_text(&o, "leaseId", leases[i].lease);
        json_close(&o, '}');
    }
    json_close(&o, ']');
    json_close(&o, '}');
}

struct lease_answer {
    char id[CCP_ID_LEN + 1];
    int64_t expires_at;
    const char *error_code;
};

static int lease_answer(const struct json *v, struct lease_answer *out, struct err *e)
{
    *out = (struct lease_answer){ 0 };
    if (part_guid(v, "requestId", true, out->id, e) != 0
        || part_text(v, "errorCode", false, CCP_CODE_MAX, &out->error_code, e) != 0
        || json_time(v, "leaseExpiresDateTime", false, &out->expires_at, e) != 0)
        return -1;
    if (out->error_code != NULL && strcmp(out->error_code, "None") == 0)
        out->error_code = NULL;
    if (out->error_code == NULL && out->expires_at == 0)
        return err_set(e, ERR_PROTO, "leaseExpiresDateTime: missing");
    if (out->error_code != NULL)
        out->expires_at = 0;
    return 0;
}

/* Read twice, so that a fault in the last one keeps the first from being believed. */
int ccp_leases_parse(struct view body, ccp_lease_fn *each, void *arg, struct err *e)
{
    struct json *root = json_parse(body, CCP_BATCH_MAX, e);
    const struct json *value = NULL;
    struct lease_answer a;
    int rc = -1;

    if (root == NULL)
        goto done;
    value = json_get(root, "value");
    if (!json_is_array(value)) {
        err_set(e, ERR_PROTO, "value: %s", value == NULL ? "missing" : "not an array");
        goto done;
    }
    for (size_t i = 0; i < json_count(value); i++)
        if (lease_answer(json_at(value, i), &a, e) != 0) {
            err_wrap(e, "value[%zu]", i);
            goto done;
        }
    for (size_t i = 0; i < json_count(value); i++)
        if (lease_answer(json_at(value, i), &a, e) == 0)
            each(arg, a.id, a.expires_at, a.error_code);
    rc = 0;
done:
    json_free(root);
    return rc;
}

/* ---- upload ---- */

/* The lease becomes the first member of the stored object; the rest of its bytes stay as they are. */
void ccp_upload_write(struct buf *out, const char *lease, struct view result)
{
    struct json_out o = { .to = out };

    if (result.len < 3 || result.p[0] != '{' || result.p[1] != '"') {
        buf_spoil(out, ERR_PROTO);
        return;
    }
    json_open(&o, NULL, '{');
    json_open(&o, "results", '[');
    json_open(&o, NULL, '{');
    json_put_text(&o, "leaseId", lease != NULL && lease[0] != '\0' ? lease : NULL);
    if (o.comma)
        buf_add_byte(out, ',');
    buf_add(out, result.p + 1, result.len - 1);
    json_close(&o, ']');
    json_close(&o, '}');
}

/* `value` is true, or the text "true" as Intune's own clients allow for. */
static bool is_true(const struct json *root)
{
    const struct json *v = json_get(root, "value");
    const char *text = json_string(v);
    struct err ignored;
    bool yes = false;

    if (text != NULL)
        return strcasecmp(text, "true") == 0;
    return json_bool(root, "value", true, &yes, &ignored) == 0 && yes;
}

/* Is our result among the rejected ones?  0: no. */
static int rejected(const struct json *list, const char *id, struct err *e)
{
    for (size_t i = 0; i < json_count(list); i++) {
        char whose[CCP_ID_LEN + 1];
        const char *code = NULL;
        enum err_class cls;

        if (part_guid(json_at(list, i), "requestId", true, whose, e) != 0
            || part_text(json_at(list, i), "errorCode", true, CCP_CODE_MAX, &code, e) != 0)
            return err_wrap(e, "rejected[%zu]", i);
        if (strcasecmp(whose, id) != 0)
            continue;
        cls = ccp_code_class(code);
        return err_set(
            e, cls != ERR_NONE ? cls : ERR_INPUT, "the cloud refuses the result: %.60s", code);
    }
    return 0;
}

int ccp_upload_parse(struct view body, const char *id, struct err *e)
{
    struct json *root = json_parse(body, CCP_BATCH_MAX, e);
    const struct json *list;
    int rc = -1;

    if (root == NULL)
        goto done;
    list = json_get(root, "rejected");
    if (list != NULL && !json_is_array(list)) {
        err_set(e, ERR_PROTO, "rejected: not an array");
        goto done;
    }
    if (rejected(list, id, e) != 0)
        goto done;
    if (!is_true(root)) {
        err_set(e, ERR_NET, "the cloud did not record the result: value is not true");
        goto done;
    }
    rc = 0;
done:
    json_free(root);
    return rc;
}

/* ---- heartbeat ---- */

static void put_metrics(struct json_out *o, const struct ccp_heartbeat *h)
{
    json_open(o, "metrics", '[');
    for (size_t i = 0; i < h->metric_count; i++) {
        json_open(o, NULL, '{');
        json_put_text(o, "name", h->metrics[i].name);
        json_put_int(o, "successCount", h->metrics[i].success);
        json_put_int(o, "failureCount", h->metrics[i].failure);
        json_close(o, '}');
    }
    json_close(o, ']');
}

static void put_certificates(struct json_out *o, const struct ccp_heartbeat *h)
{
    json_open(o, "certificates", '[');
    for (size_t i = 0; i < h->certificate_count; i++) {
        json_open(o, NULL, '{');
        json_put_text(o, "purpose", h->certificates[i].purpose);
        json_put_time(o, "notAfter", h->certificates[i].not_after_at);
        json_close(o, '}');
    }
    json_close(o, ']');
}

/* What the cloud keeps of it cannot be taken back by whoever edits the log on the machine. */
static void put_audit(struct json_out *o, const struct ccp_heartbeat *h)
{
    char head[65];
    size_t n = 0;

    if (h->audit_head == NULL)
        return;
    for (; n < sizeof head - 1 && h->audit_head[n] != '\0'; n++)
        head[n] = (char)(h->audit_head[n] | 0x20); /* digits stay, letters become small */
    head[n] = '\0';
    json_open(o, "audit", '{');
    json_put_int(o, "count", h->audit_count);
    json_put_text(o, "head", head);
    json_close(o, '}');
}

void ccp_heartbeat_write(struct buf *out, const struct ccp_heartbeat *h)
{
    static const enum ccp_type least = CCP_PKCS_ISSUE;
    struct json_out o = { .to = out };

    json_open(&o, NULL, '{');
    json_put_text(&o, "agentId", h->agent_id);
    json_put_text(&o, "state", h->state);
    json_put_text(&o, "version", h->version);
    if (h->features == NULL)
        part_put_features(&o, &least, 1);
    else
        part_put_features(&o, h->features, h->feature_count);
    json_put_text(&o, "epoch", h->epoch);
    json_put_int(&o, "counter", h->counter);
    put_certificates(&o, h);
    put_audit(&o, h);
    put_metrics(&o, h);
    json_close(&o, '}');
}

int ccp_heartbeat_parse(struct view body, struct ccp_heartbeat_reply *out, struct err *e)
{
    struct json *root = json_parse(body, CCP_BATCH_MAX, e);
    struct ccp_heartbeat_reply r = { .poll_after_s = -1, .highest_counter = -1 };
    const char *version = "";
    int rc = -1;

    if (root == NULL)
        goto done;
    if (!json_is_object(root)) {
        err_set(e, ERR_PROTO, "heartbeat: the answer is not an object");
        goto done;
    }
    if (part_poll_after(root, &r.poll_after_s, e) != 0
        || json_int(root, "highestCounter", false, 0, INT64_MAX, &r.highest_counter, e) != 0
        || part_text(root, "minVersion", false, sizeof r.min_version - 1, &version, e) != 0)
        goto done;
    (void)snprintf(r.min_version, sizeof r.min_version, "%s", version);
    *out = r;
    rc = 0;
done:
    json_free(root);
    return rc;
}
