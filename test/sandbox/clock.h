#ifndef SANDBOX_CLOCK_H
#define SANDBOX_CLOCK_H
#include <stdbool.h>
#include <stdint.h>

/* clock.h - time in its forms, random numbers that a seed repeats, GUIDs. */

int64_t clock_ms(void); /* monotonic */
int64_t wall_ms(void);  /* since 1970 */
int64_t wall_s(void);

enum { TIME_TEXT = 24 };
void time_write(int64_t at_s, char out[TIME_TEXT]); /* 2026-11-20T08:00:00Z */
bool time_read(const char *text, int64_t *at_s);    /* the same, fraction and offset allowed */

/* For everything that a run with the same --seed must do alike; not for keys. */
struct prng {
    uint64_t state;
};
uint64_t prng_next(struct prng *r);
double prng_unit(struct prng *r); /* 0 <= x < 1 */

enum { GUID_TEXT = 37 };
void guid_from(struct prng *r, char out[GUID_TEXT]); /* repeatable */
void guid_new(char out[GUID_TEXT]);                  /* not */
bool guid_ok(const char *text);
#endif
