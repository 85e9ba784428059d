#ifndef SANDBOX_STORY_H
#define SANDBOX_STORY_H
#include "test/sandbox/dir.h"
#include "test/sandbox/map.h"

/* story.h - what ledger.jsonl tells, read back without asking anybody else. */
struct story_request {
    char *id, *cn, *ca, *template, *key, *platform, *mode;
    char *verdict, *error_code, *serial, *profile; /* of the accepted final result; or NULL */
    char *first_digest;
    bool final, succeeded;
    unsigned digests; /* different ones among accepted final results */
    unsigned
        lost; /* times the connector heard that its lease is void: it may begin anew, with another key */
    int64_t ms;
};
struct story_cert {
    char *serial, *cn, *spki;
    bool delivered;
};
struct story_key { /* a common name and the keys it was seen with */
    char *cn, *first_spki;
    unsigned spkis, csrs, certs;
    unsigned fit; /* certificates as they were asked for */
};

struct story {
    struct story_request **request;
    struct story_cert **cert;
    struct story_key **key;
    size_t requests, certs, keys;
    struct map by_id, by_serial, by_cn;
    int64_t open_every;
    size_t lines, conflicts, refused, faults, handed_out;
};
bool story_read(const char *dir, struct story *s, char why[DIR_WHY]);
void story_done(struct story *s);

struct story_key *story_key(const struct story *s, const char *cn); /* NULL: never at the CA */

enum story_end {
    ENDED_DELIVERED,
    ENDED_DENIED,
    ENDED_FAILED,
    ENDED_UNFIT,
    ENDED_OPEN,
    ENDED_LOST,
    STORY_ENDS
};
/* A request that the CA issued for and that ended without it is lost, whatever it was reported as; unfit, if the CA issued
 * nothing but what must be refused. */
enum story_end story_end(const struct story *s, const struct story_request *r);
#endif
