/* see queue.h; `leased` is in order of hand-out or extension, which is the order of expiry */
#include "test/sandbox/queue.h"
#include <ctype.h>
#include <stdlib.h>
#include <string.h>

struct queue *queue_new(struct ledger *l, int64_t lease_s)
{
    struct queue *q = need(calloc(1, sizeof *q));

    q->ledger = l;
    q->lease_ms = lease_s * 1000;
    return q;
}

void queue_free(struct queue *q)
{
    if (q == NULL)
        return;
    for (size_t i = 0; i < q->count; i++) {
        free(q->all[i]->cn);
        free(q->all[i]->item);
        free(q->all[i]->verdict);
        free(q->all[i]);
    }
    free(q->all);
    map_done(&q->by_id);
    map_done(&q->by_cn);
    free(q);
}

static void append(struct request_list *l, struct request *r)
{
    r->next = NULL;
    r->prev = l->last;
    *(l->last == NULL ? &l->first : &l->last->next) = r;
    l->last = r;
    l->count++;
}

static void take_out(struct request_list *l, struct request *r)
{
    *(r->prev == NULL ? &l->first : &r->prev->next) = r->next;
    *(r->next == NULL ? &l->last : &r->next->prev) = r->prev;
    r->next = r->prev = NULL;
    l->count--;
}

static void lower(char *out, size_t room, const char *id)
{
    size_t i = 0;

    for (; id[i] != '\0' && i + 1 < room; i++)
        out[i] = (char)tolower((unsigned char)id[i]);
    out[i] = '\0';
}

struct request *queue_add(struct queue *q, const char *id, char *cn, char *item, int64_t expires_at)
{
    struct request *r;
    char key[sizeof r->id];

    lower(key, sizeof key, id);
    if (map_get_text(&q->by_id, key) != NULL) {
        free(cn);
        free(item);
        return NULL;
    }
    r = need(calloc(1, sizeof *r));
    copy_n(r->id, sizeof r->id, key);
    r->cn = cn;
    r->item = item;
    r->expires_at = expires_at;
    r->state = READY;
    if (q->count == q->cap) {
        q->cap = q->cap == 0 ? 256 : 2 * q->cap;
        q->all = need(realloc(q->all, q->cap * sizeof(*q->all)));
    }
    q->all[q->count++] = r;
    map_put_text(&q->by_id, r->id, r);
    map_put_text(&q->by_cn, r->cn, r);
    append(&q->ready, r);
    return r;
}

struct request *queue_find(const struct queue *q, const char *id)
{
    char key[64];

    lower(key, sizeof key, id);
    return map_get_text(&q->by_id, key);
}

struct request *queue_by_cn(const struct queue *q, const char *cn)
{
    return map_get_text(&q->by_cn, cn);
}

static void note(struct queue *q, const char *event, const struct request *r, bool attempt)
{
    ledger_begin(q->ledger, event);
    ledger_text(q->ledger, "requestId", r->id);
    ledger_text(q->ledger, "leaseId", r->lease);
    if (attempt)
        ledger_int(q->ledger, "attempt", r->attempt);
    ledger_end(q->ledger);
}

static void give_back(struct queue *q, struct request *r, const char *event)
{
    note(q, event, r, false);
    take_out(&q->leased, r);
    append(&q->ready, r);
    r->state = READY;
    r->lease[0] = '\0';
}

void queue_expire(struct queue *q, bool force)
{
    int64_t now_ms = clock_ms();

    while (q->leased.first != NULL && (force || q->leased.first->lease_until_ms <= now_ms))
        give_back(q, q->leased.first, "expired");
}

struct request *queue_peek(const struct queue *q, size_t n)
{
    int64_t now = wall_s();
    struct request *r = q->ready.first;

    for (;; r = r->next) {
        while (r != NULL && r->expires_at <= now)
            r = r->next;
        if (r == NULL || n == 0)
            return r;
        n--;
    }
}

struct request *queue_lease(struct queue *q)
{
    struct request *r = queue_peek(q, 0);

    if (r == NULL)
        return NULL;
    take_out(&q->ready, r);
    append(&q->leased, r);
    r->state = LEASED;
    r->attempt++;
    r->lease_until_ms = clock_ms() + q->lease_ms;
    guid_new(r->lease);
    if (r->handed_at_ms == 0)
        r->handed_at_ms = clock_ms();
    note(q, "handed-out", r, true);
    return r;
}

bool queue_holds(const struct request *r, const char *lease)
{
    return r->state == LEASED && r->lease[0] != '\0' && lease != NULL
           && strcmp(r->lease, lease) == 0 && clock_ms() < r->lease_until_ms;
}

void queue_extend(struct queue *q, struct request *r)
{
    r->lease_until_ms = clock_ms() + q->lease_ms;
    take_out(&q->leased, r);
    append(&q->leased, r);
    note(q, "extended", r, false);
}

void queue_release(struct queue *q, struct request *r)
{
    give_back(q, r, "released");
}

void queue_void(struct queue *q, struct request *r)
{
    (void)q;
    if (r->state == LEASED)
        guid_new(r->lease);
}

void queue_close(struct queue *q, struct request *r, enum outcome outcome)
{
    if (r->state != CLOSED)
        take_out(r->state == LEASED ? &q->leased : &q->ready, r);
    r->state = CLOSED;
    r->outcome = outcome;
    r->lease[0] = '\0';
}
