/* see clock.h */
#include "test/sandbox/clock.h"
#include <openssl/rand.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

static int64_t read_ms(clockid_t which)
{
    struct timespec t;

    clock_gettime(which, &t);
    return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

int64_t clock_ms(void)
{
    return read_ms(CLOCK_MONOTONIC);
}

int64_t wall_ms(void)
{
    return read_ms(CLOCK_REALTIME);
}

int64_t wall_s(void)
{
    return wall_ms() / 1000;
}

/* Days since 1970 of a date in the Gregorian calendar, counted in years that begin in March. */
static int64_t days_of(int64_t y, int64_t m, int64_t d)
{
    int64_t year = m <= 2 ? y - 1 : y, month = (m + 9) % 12;

    return year * 365 + year / 4 - year / 100 + year / 400 + (month * 153 + 2) / 5 + d - 1 - 719468;
}

void time_write(int64_t at_s, char out[TIME_TEXT])
{
    int64_t days = at_s / 86400, rest = at_s % 86400, y = 1970 + days / 366, m = 12;

    while (days_of(y + 1, 1, 1) <= days)
        y++;
    while (days_of(y, m, 1) > days)
        m--;
    snprintf(out, TIME_TEXT, "%04u-%02u-%02uT%02u:%02u:%02uZ", (unsigned)y % 10000u,
        (unsigned)m % 100u, (unsigned)(days - days_of(y, m, 1) + 1) % 100u,
        (unsigned)(rest / 3600) % 100u, (unsigned)(rest / 60 % 60), (unsigned)(rest % 60));
}

bool time_read(const char *text, int64_t *at_s)
{
    unsigned y, mo, d, h, mi, s, oh = 0, om = 0;
    char sign = 'Z';
    int n = 0;
    int64_t t;

    if (sscanf(text, "%4u-%2u-%2uT%2u:%2u:%2u%n", &y, &mo, &d, &h, &mi, &s, &n) != 6 || n != 19)
        return false;
    text += n;
    if (*text == '.')
        text += 1 + strspn(text + 1, "0123456789");
    if (strcmp(text, "Z") != 0
        && (sscanf(text, "%c%2u:%2u", &sign, &oh, &om) != 3 || (sign != '+' && sign != '-')))
        return false;
    if (mo < 1 || mo > 12 || d < 1 || d > 31 || h > 23 || mi > 59 || s > 60)
        return false;
    t = days_of(y, mo, d) * 86400 + h * 3600 + mi * 60 + s;
    *at_s = t + (sign == '-' ? 1 : sign == '+' ? -1 : 0) * (int64_t)(oh * 3600 + om * 60);
    return true;
}

/* splitmix64 */
uint64_t prng_next(struct prng *r)
{
    uint64_t z = r->state += 0x9e3779b97f4a7c15u;

    z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9u;
    z = (z ^ z >> 27) * 0x94d049bb133111ebu;
    return z ^ z >> 31;
}

double prng_unit(struct prng *r)
{
    return (double)(prng_next(r) >> 11) * 0x1p-53;
}

static void guid_write(uint64_t a, uint64_t b, char out[GUID_TEXT])
{
    snprintf(out, GUID_TEXT, "%08x-%04x-4%03x-%04x-%012llx", (unsigned)(a >> 32),
        (unsigned)(a >> 16 & 0xffff), (unsigned)(a & 0xfff),
        (unsigned)(0x8000 | (b >> 48 & 0x3fff)), (unsigned long long)(b & 0xffffffffffffu));
}

void guid_from(struct prng *r, char out[GUID_TEXT])
{
    uint64_t a = prng_next(r), b = prng_next(r);

    guid_write(a, b, out);
}

void guid_new(char out[GUID_TEXT])
{
    uint64_t r[2];

    if (RAND_bytes((unsigned char *)r, sizeof r) != 1) {
        fputs("certferry-sandbox: no random numbers\n", stderr);
        exit(71);
    }
    guid_write(r[0], r[1], out);
}

bool guid_ok(const char *text)
{
    for (int i = 0; i < GUID_TEXT - 1; i++) {
        bool dash = i == 8 || i == 13 || i == 18 || i == 23;

        if (dash ? text[i] != '-'
                 : text[i] == '\0' || strchr("0123456789abcdefABCDEF", text[i]) == NULL)
            return false;
    }
    return text[GUID_TEXT - 1] == '\0';
}
