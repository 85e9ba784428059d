/* see http.h: the two headers that carry a time */
#include "proto/http.h"
#include "proto/civil.h"
#include <string.h>

enum { RETRY_MIN_S = 1, RETRY_MAX_S = 3600 };

/* Days in full and, in IMF-fixdate and asctime form, their first three letters. */
static const char *const days[] = { "Monday", "Tuesday", "Wednesday", "Thursday", "Friday",
    "Saturday", "Sunday" };
static const char months[] = "JanFebMarAprMayJunJulAugSepOctNovDec";

/* Each of these takes something off the front of *p, or answers false. */
static bool literal(const char **p, const char *text)
{
    size_t len = strlen(text);

    if (strncmp(*p, text, len) != 0)
        return false;
    *p += len;
    return true;
}

static bool number(const char **p, int count, int *out)
{
    for (*out = 0; count > 0; count--, (*p)++) {
        if (**p < '0' || **p > '9')
            return false;
        *out = *out * 10 + (**p - '0');
    }
    return true;
}

static bool month(const char **p, int *out)
{
    for (*out = 1; *out <= 12; (*out)++)
        if (strncmp(*p, months + 3 * (*out - 1), 3) == 0) {
            *p += 3;
            return true;
        }
    return false;
}

static bool clock_time(const char **p, struct civil *c)
{
    return number(p, 2, &c->hour) && literal(p, ":") && number(p, 2, &c->minute) && literal(p, ":")
           && number(p, 2, &c->second);
}

/* The name of a day, in full or its first three letters; which day it is, is not checked. */
static bool day_name(const char **p, bool *full)
{
    for (size_t i = 0; i < sizeof days / sizeof days[0]; i++) {
        if (strncmp(*p, days[i], 3) != 0)
            continue;
        *full = literal(p, days[i]);
        if (!*full)
            *p += 3;
        return true;
    }
    return false;
}

/* "06 Nov 1994 08:49:37 GMT" */
static bool fixdate(const char *p, struct civil *c)
{
    return number(&p, 2, &c->day) && literal(&p, " ") && month(&p, &c->month) && literal(&p, " ")
           && number(&p, 4, &c->year) && literal(&p, " ") && clock_time(&p, c)
           && literal(&p, " GMT") && *p == '\0';
}

/* "06-Nov-94 08:49:37 GMT".  Without a clock "more than 50 years in the future" cannot be told, so
 * the century is the one POSIX gives two digits. */
static bool rfc850(const char *p, struct civil *c)
{
    if (!number(&p, 2, &c->day) || !literal(&p, "-") || !month(&p, &c->month) || !literal(&p, "-")
        || !number(&p, 2, &c->year) || !literal(&p, " ") || !clock_time(&p, c)
        || !literal(&p, " GMT") || *p != '\0')
        return false;
    c->year += c->year < 69 ? 2000 : 1900;
    return true;
}

/* "Nov  6 08:49:37 1994" */
static bool asctime_form(const char *p, struct civil *c)
{
    if (!month(&p, &c->month) || !literal(&p, " "))
        return false;
    if (literal(&p, " ") ? !number(&p, 1, &c->day) : !number(&p, 2, &c->day))
        return false;
    return literal(&p, " ") && clock_time(&p, c) && literal(&p, " ") && number(&p, 4, &c->year)
           && *p == '\0';
}

int64_t http_date(const char *value)
{
    struct civil c = { 0 };
    const char *p = value;
    int64_t at;
    bool full, ok;

    if (value == NULL || !day_name(&p, &full))
        return 0;
    if (literal(&p, ", "))
        ok = full ? rfc850(p, &c) : fixdate(p, &c);
    else
        ok = !full && literal(&p, " ") && asctime_form(p, &c);
    return ok && civil_seconds(&c, &at) ? at : 0;
}

static int64_t clamp(int64_t wait_s)
{
    return wait_s < RETRY_MIN_S ? RETRY_MIN_S : wait_s > RETRY_MAX_S ? RETRY_MAX_S : wait_s;
}

/* RFC 9110 10.2.3.  The server's own Date is the measure: its clock wrote both, ours may be wrong. */
int64_t http_retry_after(const char *value, int64_t server_date, int64_t now)
{
    int64_t at, wait_s = 0;
    size_t digits;

    if (value == NULL)
        return -1;
    digits = strspn(value, "0123456789");
    if (digits != 0 && value[digits] == '\0') {
        for (; *value != '\0' && wait_s <= RETRY_MAX_S; value++)
            wait_s = wait_s * 10 + (*value - '0');
        return clamp(wait_s);
    }
    at = http_date(value);
    return at != 0 ? clamp(at - (server_date != 0 ? server_date : now)) : -1;
}
