/* see civil.h */
#include "proto/civil.h"

enum { FIRST_YEAR = 1970, LAST_YEAR = 9999, DAY_S = 86400 };

static bool leap(int year)
{
    return (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
}

static int month_days(int year, int month)
{
    static const int days[] = { 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31 };

    return days[month - 1] + (month == 2 && leap(year) ? 1 : 0);
}

/* Days from 1970-01-01 to the first of January of `year`. */
static int64_t days_before(int year)
{
    int64_t y = year - 1;

    return y * 365 + y / 4 - y / 100 + y / 400 - 719162;
}

bool civil_seconds(const struct civil *c, int64_t *at_s)
{
    int64_t days;

    if (c->year < FIRST_YEAR || c->year > LAST_YEAR || c->month < 1 || c->month > 12)
        return false;
    if (c->day < 1 || c->day > month_days(c->year, c->month))
        return false;
    if (c->hour < 0 || c->hour > 23 || c->minute < 0 || c->minute > 59 || c->second < 0
        || c->second > 60)
        return false;
    days = days_before(c->year) + c->day - 1;
    for (int m = 1; m < c->month; m++)
        days += month_days(c->year, m);
    *at_s = days * DAY_S + c->hour * 3600 + c->minute * 60 + c->second;
    return true;
}

void civil_split(int64_t at_s, struct civil *out)
{
    const int64_t last = days_before(LAST_YEAR + 1) * DAY_S - 1;
    int64_t days, rest;
    int year, month = 1;

    at_s = at_s < 0 ? 0 : at_s > last ? last : at_s;
    days = at_s / DAY_S;
    rest = at_s % DAY_S;
    year = FIRST_YEAR + (int)(days / 366); /* never too late, at most six years too early */
    while (year < LAST_YEAR && days_before(year + 1) <= days)
        year++;
    days -= days_before(year);
    while (days >= month_days(year, month))
        days -= month_days(year, month++);
    *out = (struct civil){ .year = year,
        .month = month,
        .day = (int)days + 1,
        .hour = (int)(rest / 3600),
        .minute = (int)(rest / 60 % 60),
        .second = (int)(rest % 60) };
}
