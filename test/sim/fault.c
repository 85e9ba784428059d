/* see scenario.h: what a fault on the wire does to a request and its answer. */
#include <string.h>
#include "test/sim/scenario.h"

static const char *const names[FAULT_COUNT] = { [FAULT_NONE] = "none",
    [FAULT_CRASH_BEFORE] = "crash-before",
    [FAULT_CRASH_AFTER] = "crash-after",
    [FAULT_LOST_REQUEST] = "lost-request",
    [FAULT_LOST_ANSWER] = "lost-answer",
    [FAULT_HTTP_503] = "http-503",
    [FAULT_HTTP_500] = "http-500",
    [FAULT_HTTP_403] = "http-403",
    [FAULT_PAGE] = "page",
    [FAULT_HTTP_404] = "http-404",
    [FAULT_GARBAGE] = "garbage",
    [FAULT_LEASE_LOST] = "lease-lost",
    [FAULT_CRASH_TURN] = "crash-turn",
    [FAULT_STORE_FULL] = "store-full" };

const char *fault_name(enum fault f)
{
    return names[f];
}

/* Nobody else has taken them yet: the next download brings them again. */
static void take_leases_back(struct world *w)
{
    for (size_t i = 0; i < w->request_count; i++) {
        struct world_request *r = &w->requests[i];

        if (!r->handed_out || r->done || r->lease[0] == '\0')
            continue;
        r->lease[0] = '\0';
        r->lease_expires_at = sim_world_s();
        r->leases_lost++;
    }
}

bool fault_instead(enum fault f, struct world *w, const char *url, struct sim_answer *out)
{
    switch (f) {
    case FAULT_CRASH_BEFORE:
        sim_crash();
        return true;
    case FAULT_LOST_REQUEST:
        return out->lost = true;
    case FAULT_HTTP_503:
        world_page(out, 503, "text/html", "busy");
        return true;
    case FAULT_HTTP_403:
        world_page(out, 403, "text/html", "forbidden");
        return true;
    case FAULT_HTTP_404:
        if (strstr(url, "/.well-known/est/") != NULL)
            return false; /* there it is an answer: no such label */
        world_page(out, 404, "text/html", "default backend - 404");
        return true;
    case FAULT_PAGE:
        world_page(out, 200, "text/html",
            "<html><head><title>Hotel Wi-Fi</title></head><body>Welcome</body></html>");
        return true;
    case FAULT_LEASE_LOST:
        take_leases_back(w);
        return false;
    default:
        return false;
    }
}

void fault_after(enum fault f, const char *url, struct sim_answer *out)
{
    if (f == FAULT_CRASH_AFTER)
        sim_crash();
    if (f == FAULT_LOST_ANSWER)
        out->lost = out->sent = true;
    if (f == FAULT_HTTP_500)
        world_page(out, 500, "text/html", "error");
    /* A judge of challenges whom nobody understands has not said yes: the device is refused, and nothing was issued. */
    if (f == FAULT_GARBAGE && strstr(url, "/validateRequest") == NULL)
        world_page(out, out->status, out->type, "\x01\xfe\x83 noise \xff");
}
