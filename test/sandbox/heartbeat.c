/* see cloud.h: agents/heartbeat: counters, epochs, the head of the audit log */
#include "test/sandbox/cloud.h"
#include "test/sandbox/sandbox.h"
#include "test/sandbox/signin.h"
#include "test/sandbox/wire.h"
#include <inttypes.h>
#include <string.h>

struct told { /* what a heartbeat says of the audit log; head NULL: nothing */
    int64_t count;
    const char *head;
};

static bool audit_ok(struct json_object *audit, struct told *t)
{
    t->head = js_text(audit, "head");
    return js_int(audit, "count", &t->count) && t->count > 0 && t->head != NULL
           && strlen(t->head) == 64 && strspn(t->head, "0123456789abcdef") == 64;
}

static bool certificates_ok(struct json_object *list)
{
    static const char *const purposes[] = { "cloud", "ca", "scepRa" };
    bool ok = js_is_array(list);

    for (size_t i = 0; ok && i < js_count(list); i++) {
        const char *purpose = js_text(js_at(list, i), "purpose");
        const char *end = js_text(js_at(list, i), "notAfter");
        bool known = false;
        int64_t at;

        for (size_t n = 0; purpose != NULL && n < 3; n++)
            known = known || strcmp(purposes[n], purpose) == 0;
        ok = known && end != NULL && time_read(end, &at);
    }
    return ok;
}

/* A log that has grown shorter, or another record in the place of the last one, is not the log of before. */
static void note_audit(struct exchange *x, struct agent *a, const struct told *t)
{
    bool changed = t->count < a->audit_count
                   || (t->count == a->audit_count && strcmp(t->head, a->audit_head) != 0);

    if (changed) {
        ledger_begin(x->sandbox->ledger, "audit-changed");
        ledger_text(x->sandbox->ledger, "agentId", a->id);
        ledger_int(x->sandbox->ledger, "from", a->audit_count);
        ledger_int(x->sandbox->ledger, "to", t->count);
        ledger_end(x->sandbox->ledger);
    }
    a->audit_count = t->count;
    copy_n(a->audit_head, sizeof a->audit_head, t->head);
}

static bool known_epoch(const struct agent *a, const char *epoch)
{
    for (size_t i = 0; i < a->epoch_count; i++) {
        if (strcmp(a->epoch[i], epoch) == 0)
            return true;
    }
    return false;
}

/* A new epoch is a store that was made or restored; one that comes back is a clone's. */
static void note_epoch(struct exchange *x, struct agent *a, const char *epoch)
{
    bool known = known_epoch(a, epoch);
    char now[sizeof a->epoch[0]];

    copy_n(now, sizeof now, epoch);
    if (a->epoch_count > 0 && strcmp(a->epoch[a->epoch_count - 1], now) == 0)
        return;
    if (a->epoch_count == AGENT_EPOCHS)
        memmove(a->epoch, a->epoch + 1, --a->epoch_count * sizeof a->epoch[0]);
    memcpy(a->epoch[a->epoch_count++], now, sizeof now);
    ledger_begin(x->sandbox->ledger, known ? "clone" : "epoch");
    ledger_text(x->sandbox->ledger, "agentId", a->id);
    ledger_text(x->sandbox->ledger, "epoch", now);
    ledger_end(x->sandbox->ledger);
}

/* Counted for each connector, or for all that were put in place by hand together. */
static int64_t highest(
    struct exchange *x, int64_t counter, const struct told *audit, const char *epoch)
{
    struct agent *a = x->agent;
    int64_t *seen = a != NULL ? &a->highest_counter : &x->sandbox->highest_counter;

    if (counter > *seen)
        *seen = counter;
    if (a != NULL) {
        if (audit->head != NULL)
            note_audit(x, a, audit);
        note_epoch(x, a, epoch);
    }
    return *seen;
}

/* An identity that was put in place by hand has no agentId. */
static bool heartbeat_ok(
    struct exchange *x, struct json_object *body, int64_t *counter, struct told *audit)
{
    static const char *const texts[] = { "state", "version", "epoch" };
    static const char *const arrays[] = { "features", "certificates", "metrics" };
    const char *id = js_text(body, "agentId"), *wrong = NULL;
    struct str why = { 0 };

    for (size_t i = 0; i < 3; i++) {
        if (js_text(body, texts[i]) == NULL)
            wrong = texts[i];
        if (!js_is_array(js_get(body, arrays[i])))
            wrong = arrays[i];
    }
    if (!js_int(body, "counter", counter) || *counter < 0)
        wrong = "counter";
    if (!certificates_ok(js_get(body, "certificates")))
        wrong = "certificates";
    if (js_get(body, "agentId") != NULL && (id == NULL || !guid_ok(id)))
        wrong = "agentId";
    if (x->agent != NULL && (id == NULL || strcmp(id, x->agent->id) != 0))
        wrong = "agentId";
    if (js_has(body, "audit") && !audit_ok(js_get(body, "audit"), audit))
        wrong = "audit";
    if (wrong == NULL)
        return true;
    str_f(&why, "%s: missing or of another type", wrong);
    cloud_refuse(x, 400, "ParameterDataInvalidError", why.p);
    str_free(&why);
    return false;
}

void cloud_heartbeat(struct exchange *x, struct json_object *body)
{
    struct sandbox *s = x->sandbox;
    const char *id = js_text(body, "agentId");
    struct told audit = { 0 };
    int64_t counter, seen;

    if (!heartbeat_ok(x, body, &counter, &audit)
        || wire_before(x, AT_HEARTBEAT, id == NULL ? "" : id))
        return;
    seen = highest(x, counter, &audit, js_text(body, "epoch"));
    ledger_begin(s->ledger, "heartbeat");
    ledger_text(s->ledger, "agentId", id);
    ledger_text(s->ledger, "state", js_text(body, "state"));
    ledger_text(s->ledger, "epoch", js_text(body, "epoch"));
    ledger_int(s->ledger, "counter", counter);
    ledger_int(s->ledger, "highestCounter", seen);
    ledger_int(s->ledger, "auditCount", audit.count);
    ledger_text(s->ledger, "auditHead", audit.head);
    ledger_int(s->ledger, "certificates", (int64_t)js_count(js_get(body, "certificates")));
    ledger_end(s->ledger);
    json_answer(x, 200);
    str_f(&x->reply.body, "{\"highestCounter\":%" PRId64 ",\"directives\":[]}", seen);
}
