/* What is counted, and the text that monitoring reads. */
#include "test/t.h"
#include "agent/base/metrics.h"

static int begin(void **state)
{
    (void)state;
    metrics_forget();
    return 0;
}

static const char *family(enum metric m)
{
    static struct buf b = BUF_INIT(1 << 20);

    buf_reset(&b);
    metrics_kept(&b, m);
    return buf_text(&b);
}

static void counters(void **state)
{
    (void)state;
    metric_add(METRIC_REQUESTS, "scep", "delivered");
    metric_add(METRIC_REQUESTS, "scep", "rejected");
    metric_add(METRIC_REQUESTS, "scep", "delivered");
    assert_string_equal(family(METRIC_REQUESTS),
        "# TYPE certferry_requests counter\n"
        "# HELP certferry_requests Requests that have ended, by how.\n"
        "certferry_requests_total{kind=\"scep\",outcome=\"delivered\"} 2\n"
        "certferry_requests_total{kind=\"scep\",outcome=\"rejected\"} 1\n");
    assert_int_equal(metric_value(METRIC_REQUESTS, "scep", "delivered"), 2);
    assert_int_equal(metric_value(METRIC_REQUESTS, "scep", "cancelled"), 0);
}

/* increase() of a counter that appears with its first event would miss that event. */
static void one_without_labels_is_there_at_once(void **state)
{
    (void)state;
    assert_string_equal(family(METRIC_DUPLICATES),
        "# TYPE certferry_duplicates counter\n"
        "# HELP certferry_duplicates The same CSR sent again because the outcome of the last "
        "submission was unknown.\n"
        "certferry_duplicates_total 0\n");
}

static void gauges_and_units(void **state)
{
    (void)state;
    metric_set(METRIC_CLOCK, -3, "cloud");
    metric_set(METRIC_CLOCK, 5, "ca \"1\"\\\n");
    metric_set(METRIC_CLOCK, 7, "cloud");
    assert_string_equal(family(METRIC_CLOCK),
        "# TYPE certferry_clock_offset_seconds gauge\n"
        "# UNIT certferry_clock_offset_seconds seconds\n"
        "# HELP certferry_clock_offset_seconds How far the peer's clock is ahead of ours, by the "
        "date of its last answer.\n"
        "certferry_clock_offset_seconds{peer=\"cloud\"} 7\n"
        "certferry_clock_offset_seconds{peer=\"ca \\\"1\\\"\\\\\\n\"} 5\n");
}

/* Buckets are cumulative, a value on a bound belongs below it, and the last has everything. */
static void histograms(void **state)
{
    const char *t;

    (void)state;
    metric_time(METRIC_HTTP, 1000, "ca1", "2xx");
    metric_time(METRIC_HTTP, 1001, "ca1", "2xx");
    metric_time(METRIC_HTTP, 3600000000, "ca1", "2xx");
    t = family(METRIC_HTTP);
    assert_non_null(strstr(t, "\ncertferry_http_request_duration_seconds_bucket{peer=\"ca1\",code_"
                              "class=\"2xx\",le=\"0.001\"} "
                              "1\n"));
    assert_non_null(strstr(t, "le=\"0.005\"} 2\n"));
    assert_non_null(strstr(t, "le=\"120.0\"} 2\n"));
    assert_non_null(strstr(t, "le=\"+Inf\"} 3\n"));
    assert_non_null(strstr(t, "_count{peer=\"ca1\",code_class=\"2xx\"} 3\n"));
    assert_non_null(strstr(t, "_sum{peer=\"ca1\",code_class=\"2xx\"} 3600.002001\n"));
}

/* However many names come, a family has its bound, and nothing is lost of the sum. */
static void series_are_bounded(void **state)
{
    size_t lines = 0;

    (void)state;
    for (int i = 0; i < 1000; i++) {
        char name[100];

        (void)snprintf(name, sizeof name, "peer-%d", i);
        metric_add(METRIC_RETRIES, name, "ERR_NET");
    }
    for (const char *p = family(METRIC_RETRIES); *p != '\0'; p++)
        lines += *p == '\n';
    assert_int_equal(lines, METRIC_SERIES_MAX + 2);
    assert_int_equal(
        metric_value(METRIC_RETRIES, "other", "other"), 1000 - (METRIC_SERIES_MAX - 1));
}

static void a_long_name_is_one_series(void **state)
{
    char name[200];

    (void)state;
    memset(name, 'n', sizeof name);
    name[sizeof name - 1] = '\0';
    metric_add(METRIC_RETRIES, name, "ERR_NET");
    metric_add(METRIC_RETRIES, name, "ERR_NET");
    assert_int_equal(metric_value(METRIC_RETRIES, name, "ERR_NET"), 2);
}

/* OpenMetrics: a counter's family has no _total, a unit is the end of the name, help ends as a sentence. */
static void the_table_keeps_to_the_rules(void **state)
{
    (void)state;
    for (int a = 0; a < METRIC_COUNT; a++) {
        const char *name = metric_name((enum metric)a);
        size_t len = strlen(name), help = strlen(metric_help((enum metric)a));

        assert_true(strncmp(name, "certferry_", 10) == 0);
        assert_string_not_equal(name + len - 6, "_total");
        assert_int_equal(metric_help((enum metric)a)[help - 1] == '.'
                             || metric_help((enum metric)a)[help - 1] == '?',
            true);
        if (metric_type((enum metric)a) == METRIC_HISTOGRAM)
            assert_string_equal(name + len - 8, "_seconds");
        for (int b = 0; b < a; b++)
            assert_string_not_equal(name, metric_name((enum metric)b));
    }
}

#define TEST(fn) cmocka_unit_test_setup(fn, begin)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(counters),
        TEST(one_without_labels_is_there_at_once),
        TEST(gauges_and_units),
        TEST(histograms),
        TEST(series_are_bounded),
        TEST(a_long_name_is_one_series),
        TEST(the_table_keeps_to_the_rules),
    };

    return cmocka_run_group_tests_name("agent_metrics", tests, NULL, NULL);
}
