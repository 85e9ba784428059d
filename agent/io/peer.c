/* see peer.h */
#include <stdlib.h>
#include <string.h>
#include "agent/base/clock.h"
#include "agent/base/log.h"
#include "agent/io/peer.h"
#include "certs/mem.h"

enum { BASE_S = 2, CAP_S = 900, PROBE_S = 180 };

struct peer {
    char *name;
    int64_t last_ok_at, failing_since, open_until;
    int64_t probe_at; /* when the probe under way was let through; 0 = none */
    unsigned in_a_row, openings;
    uint64_t ok, failed;
    struct err why;
};

static uint64_t state = 88172645463325252u;

void jitter_seed(uint64_t seed)
{
    state = seed != 0 ? seed : 1;
}

/* xorshift64: spreading retries needs no secrecy */
uint64_t jitter(uint64_t n)
{
    state ^= state << 13;
    state ^= state >> 7;
    state ^= state << 17;
    return n > 0 ? state % n : 0;
}

int64_t back_off_s(int64_t tries, int64_t base_s, int64_t cap_s)
{
    int64_t most = base_s;

    for (int64_t i = 0; i < tries && most < cap_s; i++)
        most *= 2;
    if (most > cap_s)
        most = cap_s;
    return 1 + (int64_t)jitter((uint64_t)most);
}

struct peer *peer_new(const char *name)
{
    struct peer *p = xcalloc(1, sizeof *p);

    p->name = xstrdup(name);
    return p;
}

void peer_free(struct peer *p)
{
    if (p == NULL)
        return;
    free(p->name);
    free(p);
}

const char *peer_name(const struct peer *p)
{
    return p->name;
}

int64_t peer_wait_s(struct peer *p)
{
    int64_t now = clock_now();

    if (p->openings == 0)
        return 0;
    if (now < p->open_until)
        return p->open_until - now;
    if (p->probe_at != 0 && now - p->probe_at < PROBE_S)
        return BASE_S; /* somebody else is finding out */
    p->probe_at = now;
    return 0;
}

void peer_unasked(struct peer *p)
{
    p->probe_at = 0;
}

void peer_ok(struct peer *p)
{
    if (p->openings > 0)
        log_event(EV_PEER_UP, NULL, p->name, "answers again after %lld s",
            (long long)(clock_now() - p->failing_since));
    p->ok++;
    p->last_ok_at = clock_now();
    p->failing_since = p->open_until = 0;
    p->in_a_row = p->openings = 0;
    p->probe_at = 0;
}

/* Failures that tell about the peer or the way to it, not about one request. */
static bool counts(enum err_class cls)
{
    return cls == ERR_NET || cls == ERR_BUSY || cls == ERR_INTERCEPTED || cls == ERR_TRUST
           || cls == ERR_AUTH || cls == ERR_FORBIDDEN || cls == ERR_PROXY || cls == ERR_PROXY_DOWN
           || cls == ERR_CONFIG;
}

void peer_failed(struct peer *p, const struct err *why, int64_t retry_after_s)
{
    bool under_way = p->openings > 0 && p->probe_at == 0; /* sent before the breaker opened */
    int64_t until;

    if (!counts(why->cls))
        return;
    p->failed++;
    p->why = *why;
    if (p->failing_since == 0)
        p->failing_since = clock_now();
    p->in_a_row++;
    if (retry_after_s < 0 && (under_way || (p->probe_at == 0 && p->in_a_row < PEER_TRIP)))
        return;
    if (p->openings == 0)
        log_err(EV_PEER_DOWN, NULL, p->name, why);
    p->probe_at = 0;
    /* What the peer asked for is never cut short: the second that has begun does not count. */
    until =
        clock_now()
        + (retry_after_s >= 0 ? retry_after_s + 1 + (int64_t)jitter((uint64_t)retry_after_s / 4 + 1)
                              : back_off_s(p->openings, BASE_S, CAP_S));
    if (until > p->open_until)
        p->open_until = until;
    if (!under_way)
        p->openings++;
}

void peer_state(const struct peer *p, struct peer_state *out)
{
    *out = (struct peer_state){ .name = p->name,
        .up = p->openings == 0 && p->in_a_row == 0 && p->ok > 0,
        .last_ok_at = p->last_ok_at,
        .failing_since = p->failing_since,
        .next_try_at = p->open_until,
        .ok = p->ok,
        .failed = p->failed,
        .why = p->why };
}
