/* see der.h, der_time.  The calendar is our own: timegm is not portable and gmtime is not ours to call. */
#include "certs/der.h"

static bool leap(int year)
{
    return (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
}

static int month_days(int year, int month)
{
    static const int days[] = { 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31 };

    return days[month - 1] + (month == 2 && leap(year));
}

/* Days from 1970-01-01 to the first of January of `year`, which may lie before. */
static int64_t days_before_year(int year)
{
    int64_t y = year - 1;

    return y * 365 + y / 4 - y / 100 + y / 400 - 719162;
}

static int two(const uint8_t *p)
{
    return (p[0] - '0') * 10 + (p[1] - '0');
}

/* MMDDHHMMSS behind the year. */
static int after_year(int year, const uint8_t *p, int64_t *at_s, struct err *e)
{
    int month = two(p), day = two(p + 2), hour = two(p + 4), minute = two(p + 6),
        second = two(p + 8);
    int64_t days;

    if (month < 1 || month > 12 || day < 1 || day > month_days(year, month))
        return err_set(e, ERR_PROTO, "time: there is no day %04d-%02d-%02d", year, month, day);
    if (hour > 23 || minute > 59 || second > 59)
        return err_set(e, ERR_PROTO, "time: there is no %02d:%02d:%02d", hour, minute, second);
    days = days_before_year(year) + day - 1;
    for (int m = 1; m < month; m++)
        days += month_days(year, m);
    *at_s = days * 86400 + hour * 3600 + minute * 60 + second;
    return 0;
}

/*
 * RFC 5280 4.1.2.5: "CAs conforming to this profile MUST always encode certificate validity dates
 * through the year 2049 as UTCTime; certificate validity dates in 2050 or later MUST be encoded as
 * GeneralizedTime."
 */
int der_time(struct der tlv, int64_t *at_s, struct err *e)
{
    const uint8_t *p = tlv.content.p;
    size_t len = tlv.content.len, digits = tlv.tag == DER_UTC_TIME ? 12 : 14;
    int year;

    if (tlv.tag != DER_UTC_TIME && tlv.tag != DER_GENERAL_TIME)
        return err_set(e, ERR_PROTO, "time: tag 0x%02x", tlv.tag);
    if (len != digits + 1 || p[digits] != 'Z')
        return err_set(e, ERR_PROTO, "time: not %zu digits and Z", digits);
    for (size_t i = 0; i < digits; i++)
        if (p[i] < '0' || p[i] > '9')
            return err_set(e, ERR_PROTO, "time: not %zu digits and Z", digits);
    if (tlv.tag == DER_UTC_TIME) {
        year = two(p) + (two(p) >= 50 ? 1900 : 2000);
        return after_year(year, p + 2, at_s, e);
    }
    year = two(p) * 100 + two(p + 2);
    if (year < 2050)
        return err_set(e, ERR_PROTO, "time: GeneralizedTime for the year %d", year);
    return after_year(year, p + 4, at_s, e);
}
