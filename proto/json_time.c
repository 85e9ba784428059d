/* see json.h: RFC 3339 times */
#include "proto/json.h"
#include "proto/civil.h"
#include <stdio.h>

void time_text(int64_t at_s, char out[24])
{
    struct civil c;

    civil_split(at_s, &c);
    (void)snprintf(out, 24, "%04u-%02u-%02uT%02u:%02u:%02uZ", (unsigned)c.year % 10000,
        (unsigned)c.month % 100, (unsigned)c.day % 100, (unsigned)c.hour % 100,
        (unsigned)c.minute % 100, (unsigned)c.second % 100);
}

/* Exactly `count` digits, then `end` (0: nothing is asked). */
static bool number(const char **p, int count, char end, int *out)
{
    *out = 0;
    for (; count > 0; count--, (*p)++) {
        if (**p < '0' || **p > '9')
            return false;
        *out = *out * 10 + (**p - '0');
    }
    if (end == '\0')
        return true;
    return *(*p)++ == end;
}

/* "Z", "z", "+hh:mm" or "-hh:mm"; "-00:00" is UTC too (RFC 3339 4.3). */
static bool offset(const char **p, int *offset_s)
{
    char sign = *(*p)++;
    int hours, minutes;

    *offset_s = 0;
    if (sign == 'Z' || sign == 'z')
        return true;
    if (sign != '+' && sign != '-')
        return false;
    if (!number(p, 2, ':', &hours) || !number(p, 2, '\0', &minutes) || hours > 23 || minutes > 59)
        return false;
    *offset_s = (hours * 60 + minutes) * (sign == '-' ? -60 : 60);
    return true;
}

bool time_parse(const char *text, int64_t *at_s)
{
    const char *p = text;
    struct civil c;
    int64_t seconds;
    int offset_s;

    if (!number(&p, 4, '-', &c.year) || !number(&p, 2, '-', &c.month)
        || !number(&p, 2, '\0', &c.day))
        return false;
    if (*p != 'T' && *p != 't')
        return false;
    p++;
    if (!number(&p, 2, ':', &c.hour) || !number(&p, 2, ':', &c.minute)
        || !number(&p, 2, '\0', &c.second))
        return false;
    if (*p == '.') {
        if (p[1] < '0' || p[1] > '9')
            return false;
        for (p++; *p >= '0' && *p <= '9'; p++)
            ;
    }
    if (!offset(&p, &offset_s) || *p != '\0' || !civil_seconds(&c, &seconds))
        return false;
    if (seconds < offset_s) /* before 1970 */
        return false;
    *at_s = seconds - offset_s;
    return true;
}
