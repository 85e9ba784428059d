/*
 * see scepd_inner.h.  How many requests of an address were refused in the last minute.
 *
 * An address is all of IPv4's, and the first half of IPv6's, whose other half a host chooses.
 * A table of fixed size: addresses that share a place share its count, which can only make the limit
 * stricter, and no stranger makes us remember more.  The place depends on a random number, so nobody
 * can choose whose it is.
 */
#include <stdlib.h>
#include "agent/io/peer.h"
#include "agent/scep/scepd_inner.h"
#include "certs/mem.h"

enum { PLACES = 8192, WINDOW_S = 60 };

struct scepd_limit {
    uint64_t salt;
    struct {
        int64_t window;
        int64_t count;
    } place[PLACES];
};

struct scepd_limit *limit_new(void)
{
    struct scepd_limit *l = xcalloc(1, sizeof *l);

    l->salt = jitter(UINT64_MAX);
    return l;
}

void limit_free(struct scepd_limit *l)
{
    free(l);
}

static size_t place_of(const struct scepd_limit *l, const char *remote)
{
    uint64_t h = 14695981039346656037u ^ l->salt;
    unsigned colons = 0;

    for (; *remote != '\0'; remote++) {
        if (*remote == ':' && (remote[1] == ':' || ++colons == 4))
            break; /* what is left of IPv6's first half is zero, or the host's to choose */
        h = (h ^ (unsigned char)*remote) * 1099511628211u;
    }
    return (h ^ (h >> 32)) % PLACES;
}

bool limit_over(struct scepd_limit *l, const char *remote, int64_t most, int64_t now)
{
    size_t i = place_of(l, remote);

    return most > 0 && l->place[i].window == now / WINDOW_S && l->place[i].count >= most;
}

void limit_count(struct scepd_limit *l, const char *remote, int64_t now)
{
    size_t i = place_of(l, remote);

    if (l->place[i].window != now / WINDOW_S) {
        l->place[i].window = now / WINDOW_S;
        l->place[i].count = 0;
    }
    l->place[i].count++;
}
