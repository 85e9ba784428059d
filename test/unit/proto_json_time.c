/* RFC 3339 times, and the calendar below them. */
#include "test/t.h"
#include "proto/json.h"

static void times(void **state)
{
    static const struct {
        const char *text;
        int64_t at;
    } good[] = {
        { "1970-01-01T00:00:00Z", 0 },
        { "2026-11-20T08:00:00Z", 1795161600 },
        { "2026-11-20T09:30:00+01:30", 1795161600 },
        { "2026-11-20T00:00:00-08:00", 1795161600 },
        { "2026-11-20T08:00:00.1234567Z", 1795161600 },
        { "2026-11-20t08:00:00z", 1795161600 },
        { "2024-02-29T23:59:60Z", 1709251200 },
        { "2000-02-29T00:00:00-00:00", 951782400 },
        { "9999-12-31T23:59:59Z", 253402300799 },
    };
    static const char *const bad[] = { "", "2026-11-20", "2026-11-20T08:00:00",
        "2026-11-20 08:00:00Z", "2026-13-01T00:00:00Z", "2026-00-01T00:00:00Z",
        "2026-02-29T00:00:00Z", "2100-02-29T00:00:00Z", "2026-04-31T00:00:00Z",
        "2026-11-20T24:00:00Z", "2026-11-20T08:60:00Z", "2026-11-20T08:00:61Z",
        "2026-11-20T08:00:00.Z", "2026-11-20T08:00:00+0100", "2026-11-20T08:00:00+24:00",
        "2026-11-20T08:00:00Zx", "0001-01-01T00:00:00Z", "1969-12-31T23:59:59Z",
        "1970-01-01T00:59:59+01:00", "+026-11-20T08:00:00Z", "2026-11-20T08:00:00+01:60",
        "20261120T080000Z", "2026-11-2xT08:00:00Z" };
    char text[24];
    int64_t at;

    (void)state;
    for (size_t i = 0; i < sizeof good / sizeof good[0]; i++) {
        if (!time_parse(good[i].text, &at) || at != good[i].at)
            fail_msg("%s: %lld", good[i].text, (long long)at);
    }
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        at = 5;
        if (time_parse(bad[i], &at) || at != 5)
            fail_msg("%s: was taken as %lld", bad[i], (long long)at);
    }
    time_text(1795161600, text);
    assert_string_equal(text, "2026-11-20T08:00:00Z");
    time_text(-1, text);
    assert_string_equal(text, "1970-01-01T00:00:00Z");
    time_text(INT64_MAX, text);
    assert_string_equal(text, "9999-12-31T23:59:59Z");
}

/* Every day of eight centuries there and back. */
static void times_round(void **state)
{
    (void)state;
    for (int64_t day = 0; day < 292194; day++) {
        int64_t at = day * 86400 + day % 86400, back = -1;
        char text[24];

        time_text(at, text);
        if (!time_parse(text, &back) || back != at)
            fail_msg("%s is %lld, not %lld", text, (long long)back, (long long)at);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(times),
        cmocka_unit_test(times_round),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
