/*
 * see control.h
 *
 * Every request is in exactly one of delivered, denied, failed, open, lost.  Lost is what nobody may
 * accept: the CA issued and the request still ended without it, or ran out of time.
 */
#include "test/sandbox/control.h"
#include "test/sandbox/queue.h"
#include "test/sandbox/sandbox.h"
#include <string.h>

struct counts {
    size_t delivered, denied, failed, open, lost, conflicts;
    size_t issued, duplicates, orphans;
};

/* How many certificates a common name has: the map's value is a number in a pointer's clothes. */
static size_t issued_to(const struct map *m, const char *cn)
{
    return (size_t)(uintptr_t)map_get_text(m, cn);
}

static void count_issued(struct sandbox *s, struct map *by_cn, struct counts *c)
{
    for (size_t i = 0; i < s->ca.count; i++) {
        const struct ca_entry *e = s->ca.entry[i];
        size_t n;

        if (e->state != CA_ISSUED)
            continue;
        n = issued_to(by_cn, e->cn) + 1;
        map_put_text(by_cn, e->cn, (void *)(uintptr_t)n);
        c->issued++;
        c->duplicates += n > 1;
        c->orphans += !e->delivered;
    }
}

static void count_request(const struct request *r, const struct map *by_cn, struct counts *c)
{
    bool issued = issued_to(by_cn, r->cn) > 0;

    c->conflicts += r->conflicts;
    if (r->outcome == DELIVERED)
        c->delivered++;
    else if (r->outcome != OUTCOME_NONE && issued)
        c->lost++;
    else if (r->outcome == DENIED)
        c->denied++;
    else if (r->outcome == FAILED)
        c->failed++;
    else if (r->expires_at <= wall_s())
        c->lost++;
    else
        c->open++;
}

static void bad_verdicts(struct queue *q, struct str *out)
{
    const char *comma = "";

    str_puts(out, ",\"verdicts\":[");
    for (size_t i = 0; i < q->count; i++) {
        const struct request *r = q->all[i];

        if (r->verdict == NULL || strcmp(r->verdict, "ok") == 0
            || strcmp(r->verdict, "sealed") == 0)
            continue;
        str_f(out, "%s{\"requestId\":\"%s\",\"cn\":", comma, r->id);
        str_json(out, r->cn);
        str_puts(out, ",\"verdict\":");
        str_json(out, r->verdict);
        str_puts(out, "}");
        comma = ",";
    }
    str_puts(out, "]");
}

void summary_write(struct sandbox *s, struct str *out)
{
    struct counts c = { 0 };
    struct map by_cn = { 0 };
    size_t later = s->opt.load - s->load_given; /* requests of --load that nobody has asked for */

    count_issued(s, &by_cn, &c);
    for (size_t i = 0; i < s->queue->count; i++)
        count_request(s->queue->all[i], &by_cn, &c);
    map_done(&by_cn);
    str_f(out,
        "{\"requested\":%zu,\"delivered\":%zu,\"denied\":%zu,\"failed\":%zu,\"open\":%zu,\"lost\":%"
        "zu,"
        "\"submitted\":%zu,\"issued\":%zu,\"duplicates\":%zu,\"orphans\":%zu,\"conflicts\":%zu,"
        "\"leased\":%zu",
        s->queue->count + later, c.delivered, c.denied, c.failed, c.open + later, c.lost,
        s->ca.count, c.issued, c.duplicates, c.orphans, c.conflicts, s->queue->leased.count);
    bad_verdicts(s->queue, out);
    str_puts(out, "}");
}
