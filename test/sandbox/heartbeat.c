/* see cloud.h: agents/heartbeat: counters, epochs, the head of the audit log */
#include "test/sandbox/cloud.h"
#include "test/sandbox/sandbox.h"
#include "test/sandbox/signin.h"
#include "test/sandbox/wire.h"
#include <inttypes.h>
#include <string.h>

static bool audit_ok(struct json_object *audit, int64_t *count)
{
    const char *head = js_text(audit, "head");

    return js_int(audit, "count", count) && *count >= 0 && head != NULL && strlen(head) == 64
           && strspn(head, "0123456789abcdef") == 64;
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
static int64_t highest(struct exchange *x, int64_t counter, int64_t audit, const char *epoch)
{
    struct agent *a = x->agent;
    int64_t *seen = a != NULL ? &a->highest_counter : &x->sandbox->highest_counter;

    if (counter > *seen)
        *seen = counter;
    if (a != NULL) {
        a->audit_count = audit;
        note_epoch(x, a, epoch);
    }
    return *seen;
}

/* An identity that was put in place by hand has no agentId. */
static bool heartbeat_ok(
    struct exchange *x, struct json_object *body, int64_t *counter, int64_t *audit)
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
    int64_t counter, audit = 0, seen;

    if (!heartbeat_ok(x, body, &counter, &audit)
        || wire_before(x, AT_HEARTBEAT, id == NULL ? "" : id))
        return;
    seen = highest(x, counter, audit, js_text(body, "epoch"));
    ledger_begin(s->ledger, "heartbeat");
    ledger_text(s->ledger, "agentId", id);
    ledger_text(s->ledger, "state", js_text(body, "state"));
    ledger_text(s->ledger, "epoch", js_text(body, "epoch"));
    ledger_int(s->ledger, "counter", counter);
    ledger_int(s->ledger, "highestCounter", seen);
    ledger_int(s->ledger, "auditCount", audit);
    ledger_end(s->ledger);
    json_answer(x, 200);
    str_f(&x->reply.body, "{\"highestCounter\":%" PRId64 ",\"directives\":[]}", seen);
}
