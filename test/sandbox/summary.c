/*
 * see control.h
 *
 * Every request is in exactly one of delivered, denied, failed, unfit, expired, open, lost.  Lost is what nobody
 * may accept: the CA issued what was asked for, and the request still ended without it.  Unfit is one for which it
 * issued nothing but certificates that must be refused; expired, one whose time was over before anything ended it.
 */
#include "test/sandbox/control.h"
#include "test/sandbox/queue.h"
#include "test/sandbox/sandbox.h"
#include <string.h>

struct counts {
    size_t delivered, denied, failed, unfit, expired, open, lost, conflicts;
    size_t issued, duplicates, orphans;
};

/* The certificates of each common name: the maps' values are numbers in a pointer's clothes. */
struct issued {
    struct map all, fit;
};

static size_t in(const struct map *m, const char *cn)
{
    return (size_t)(uintptr_t)map_get_text(m, cn);
}

static size_t one_more(struct map *m, const char *cn)
{
    size_t n = in(m, cn) + 1;

    map_put_text(m, cn, (void *)(uintptr_t)n);
    return n;
}

static void count_issued(struct sandbox *s, struct issued *by_cn, struct counts *c)
{
    for (size_t i = 0; i < s->ca.count; i++) {
        const struct ca_entry *e = s->ca.entry[i];

        if (e->state != CA_ISSUED)
            continue;
        if (ca_fit(e))
            (void)one_more(&by_cn->fit, e->cn);
        c->issued++;
        c->duplicates += one_more(&by_cn->all, e->cn) > 1;
        c->orphans += !e->delivered;
    }
}

static void count_request(const struct request *r, const struct issued *by_cn, struct counts *c)
{
    bool over = r->outcome != OUTCOME_NONE || r->expires_at <= wall_s();

    c->conflicts += r->conflicts;
    if (r->outcome == DELIVERED)
        c->delivered++;
    else if (!over)
        c->open++;
    else if (in(&by_cn->fit, r->cn) > 0)
        c->lost++;
    else if (in(&by_cn->all, r->cn) > 0)
        c->unfit++;
    else if (r->outcome == DENIED)
        c->denied++;
    else if (r->outcome == FAILED)
        c->failed++;
    else
        c->expired++;
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
    struct issued by_cn = { 0 };
    size_t later = s->opt.load - s->load_given; /* requests of --load that nobody has asked for */

    count_issued(s, &by_cn, &c);
    for (size_t i = 0; i < s->queue->count; i++)
        count_request(s->queue->all[i], &by_cn, &c);
    map_done(&by_cn.all);
    map_done(&by_cn.fit);
    str_f(out, "{\"requested\":%zu,\"delivered\":%zu,\"denied\":%zu,\"failed\":%zu",
        s->queue->count + later, c.delivered, c.denied, c.failed);
    str_f(out, ",\"unfit\":%zu,\"expired\":%zu,\"open\":%zu,\"lost\":%zu", c.unfit, c.expired,
        c.open + later, c.lost);
    str_f(out, ",\"submitted\":%zu,\"issued\":%zu,\"duplicates\":%zu,\"orphans\":%zu", s->ca.count,
        c.issued, c.duplicates, c.orphans);
    str_f(out, ",\"conflicts\":%zu,\"leased\":%zu", c.conflicts, s->queue->leased.count);
    bad_verdicts(s->queue, out);
    str_puts(out, "}");
}
