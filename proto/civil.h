#ifndef PROTO_CIVIL_H
#define PROTO_CIVIL_H
#include <stdbool.h>
#include <stdint.h>

/*
 * civil.h - calendar date and time of day (UTC, Gregorian) to and from seconds since 1970.
 *
 * Our own: what the C library offers is not portable or not safe in threads.  Years 1970 to 9999: no
 * message of ours carries an earlier time, and a later one does not fit RFC 3339.
 * Threads: pure.
 */
struct civil {
    int year, month, day, hour, minute, second; /* month and day count from 1 */
};

/* civil_seconds - false: there is no such day or time.  A leap second (60) counts as the next one. */
bool civil_seconds(const struct civil *c, int64_t *at_s);

/* civil_split - at_s outside the years above is moved to the nearest second inside. */
void civil_split(int64_t at_s, struct civil *out);
#endif
