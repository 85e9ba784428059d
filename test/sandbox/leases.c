/* see cloud.h: requests/extend and requests/release */
#include "test/sandbox/cloud.h"
#include "test/sandbox/sandbox.h"
#include "test/sandbox/park.h"
#include "test/sandbox/wire.h"
#include <string.h>

enum { LEASES_MAX = 100 };

static struct json_object *lease_list(struct exchange *x, struct json_object *body)
{
    struct json_object *list = js_get(body, "leases");

    if (js_count(list) > 0 && js_count(list) <= LEASES_MAX)
        return list;
    cloud_refuse(x, 400, "ParameterDataInvalidError", "leases: 1 to 100");
    return NULL;
}

static void subjects(struct json_object *list, struct str *out)
{
    str_add(out, "", 0);
    for (size_t i = 0; i < js_count(list); i++) {
        const char *id = js_text(js_at(list, i), "requestId");

        str_f(out, "%s ", id == NULL ? "" : id);
    }
}

/* The request whose lease this is, or NULL and the code that says why not. */
static struct request *holder(
    struct exchange *x, struct json_object *lease, const char **id, const char **code)
{
    struct sandbox *s = x->sandbox;
    struct request *r;

    *id = js_text(lease, "requestId");
    r = *id == NULL ? NULL : queue_find(s->queue, *id);
    if (r != NULL && hit_has(&x->hit, FAULT_STALE_LEASE))
        queue_void(s->queue, r);
    if (r != NULL && queue_holds(r, js_text(lease, "leaseId")))
        return r;
    *code = r == NULL ? "CertificateNotFoundError" : "ConflictError";
    if (r != NULL) { /* the connector hears that it is another's */
        ledger_begin(s->ledger, "lease-refused");
        ledger_text(s->ledger, "requestId", r->id);
        ledger_end(s->ledger);
    }
    return NULL;
}

static bool begin(struct exchange *x, struct json_object *list, unsigned at)
{
    struct str subject = { 0 };
    bool done;

    queue_expire(x->sandbox->queue, false);
    subjects(list, &subject);
    done = wire_before(x, at, subject.p);
    str_free(&subject);
    return !done;
}

static void put_lease(
    struct str *out, size_t i, const char *id, const char *member, const char *value)
{
    str_f(out, "%s{\"requestId\":", i > 0 ? "," : "");
    str_json(out, id == NULL ? "" : id);
    if (member != NULL)
        str_f(out, ",\"%s\":\"%s\"", member, value);
    str_puts(out, "}");
}

void cloud_extend(struct exchange *x, struct json_object *body)
{
    struct json_object *list = lease_list(x, body);

    if (list == NULL || !begin(x, list, AT_EXTEND))
        return;
    json_answer(x, 200);
    str_puts(&x->reply.body, "{\"value\":[");
    for (size_t i = 0; i < js_count(list); i++) {
        const char *id, *code = NULL;
        struct request *r = holder(x, js_at(list, i), &id, &code);
        char until[TIME_TEXT];

        if (r == NULL) {
            put_lease(&x->reply.body, i, id, "errorCode", code);
            continue;
        }
        queue_extend(x->sandbox->queue, r);
        time_write(wall_s() + x->sandbox->opt.lease_s, until);
        put_lease(&x->reply.body, i, id, "leaseExpiresDateTime", until);
    }
    str_puts(&x->reply.body, "]}");
}

void cloud_release(struct exchange *x, struct json_object *body)
{
    struct json_object *list = lease_list(x, body);

    if (list == NULL || !begin(x, list, AT_RELEASE))
        return;
    json_answer(x, 200);
    str_puts(&x->reply.body, "{\"value\":[");
    for (size_t i = 0; i < js_count(list); i++) {
        const char *id, *code = NULL;
        struct request *r = holder(x, js_at(list, i), &id, &code);

        if (r != NULL)
            queue_release(x->sandbox->queue, r);
        put_lease(&x->reply.body, i, id, r == NULL ? "errorCode" : NULL, code);
    }
    str_puts(&x->reply.body, "]}");
    park_wake_all(x->sandbox->park);
}
