/* see audit.h.  What commands ask of it. */
#include <string.h>
#include "agent/control/control.h"
#include "agent/requests/audit.h"
#include "proto/json.h"

enum { EXPORT_MAX = 100000 };

int control_audit_verify(struct agent *a, const struct json *q, struct json_out *o, struct err *e)
{
    struct audit_verdict v = { 0 };

    if (json_text(q, "head", false, AUDIT_HASH_LEN, &v.look_for, e) != 0)
        return -1;
    if (audit_verify(a, &v, e) != 0)
        return -1;
    json_open(o, NULL, '{');
    json_put_bool(o, "whole", v.broken_at == 0);
    json_put_int(o, "records", v.records);
    json_put_text(o, "head", v.head[0] != '\0' ? v.head : NULL);
    if (v.look_for != NULL) {
        json_put_bool(o, "headFound", v.found_at != 0);
        json_put_int(o, "headAt", v.found_at);
    }
    if (v.broken_at != 0) {
        json_put_int(o, "brokenAt", v.broken_at);
        json_put_text(o, "why", v.why);
    }
    json_close(o, '}');
    return 0;
}

struct export
{
    struct json_out *o;
    int64_t since, left, last;
};

static bool on_record(void *arg, const struct store_audit *r)
{
    struct export *x = arg;

    if (r->at < x->since)
        return true;
    if (x->left-- == 0)
        return false;
    json_open(x->o, NULL, '{');
    json_put_int(x->o, "n", r->n);
    json_put_time(x->o, "time", r->at);
    json_put_text(x->o, "event", r->event);
    json_put_text(x->o, "actor", r->actor);
    json_put_text(x->o, "subject", r->subject[0] != '\0' ? r->subject : NULL);
    json_put_text(x->o, "detail", r->detail[0] != '\0' ? r->detail : NULL);
    json_put_text(x->o, "hash", r->hash);
    json_close(x->o, '}');
    x->last = r->n;
    return true;
}

/* At most so many at once; "next" says where to go on. */
int control_audit_export(struct agent *a, const struct json *q, struct json_out *o, struct err *e)
{
    struct export x = { .o = o, .left = EXPORT_MAX };
    int64_t from = 1;

    if (json_int(q, "from", false, 1, INT64_MAX, &from, e) != 0
        || json_int(q, "since", false, 0, INT64_MAX, &x.since, e) != 0)
        return -1;
    json_open(o, NULL, '{');
    json_open(o, "records", '[');
    if (store_audit_list(a->store, from, on_record, &x, e) != 0)
        return -1;
    json_close(o, ']');
    if (x.left < 0)
        json_put_int(o, "next", x.last + 1);
    json_close(o, '}');
    return 0;
}

/* What a command did on disk, beside the store: only such events may be told. */
int control_audit_add(struct agent *a, const struct json *q, struct json_out *o, struct err *e)
{
    const char *name = NULL, *subject = NULL, *detail = NULL;
    int64_t n;
    char hash[AUDIT_HASH_LEN + 1];
    int ev = AUDIT_CONFIG_CHANGED;

    if (json_text(q, "event", true, 40, &name, e) != 0
        || json_text(q, "subject", false, 200, &subject, e) != 0
        || json_text(q, "detail", false, 300, &detail, e) != 0)
        return -1;
    while (ev < AUDIT_EVENT_COUNT && strcmp(audit_event_name((enum audit_event)ev), name) != 0)
        ev++;
    if (ev == AUDIT_EVENT_COUNT)
        return err_set(e, ERR_INPUT, "\"%s\" is no event a command may record", name);
    if (audit_add(a, (enum audit_event)ev, a->actor, subject, detail, e) != 0
        || store_commit(a->store, e) != 0 || audit_head(a, &n, hash, e) != 0)
        return -1;
    json_open(o, NULL, '{');
    json_put_int(o, "n", n);
    json_put_text(o, "hash", hash);
    json_close(o, '}');
    return 0;
}
