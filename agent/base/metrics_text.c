/* see metrics.h.  The table, and OpenMetrics 1.0 as text. */
#include <string.h>
#include "agent/base/metrics_inner.h"

const struct metric_bound metric_bounds[METRIC_BUCKETS] = {
    { 1000, "0.001" },
    { 5000, "0.005" },
    { 10000, "0.01" },
    { 25000, "0.025" },
    { 50000, "0.05" },
    { 100000, "0.1" },
    { 250000, "0.25" },
    { 500000, "0.5" },
    { 1000000, "1.0" },
    { 2500000, "2.5" },
    { 5000000, "5.0" },
    { 10000000, "10.0" },
    { 30000000, "30.0" },
    { 120000000, "120.0" },
};

static const struct {
    enum metric_type type;
    const char *name, *label[2], *help;
} table[METRIC_COUNT] = {
#define X(id, type, name, label1, label2, help) \
    [id] = { METRIC_##type, name, { label1, label2 }, help },
    METRICS(X)
#undef X
};

const char *metric_name(enum metric m)
{
    return table[m].name;
}

const char *metric_help(enum metric m)
{
    return table[m].help;
}

enum metric_type metric_type(enum metric m)
{
    return table[m].type;
}

const char *metric_label(enum metric m, int which)
{
    return table[m].label[which];
}

/* ---- text ------------------------------------------------------------------------------------------------------- */

/* Names of sections are what an administrator typed: anything but a line's end, a quote and a backslash stands. */
static void add_escaped(struct buf *to, const char *text)
{
    for (; *text != '\0'; text++) {
        if (*text == '\n')
            buf_add_text(to, "\\n");
        else if (*text == '"' || *text == '\\')
            buf_printf(to, "\\%c", *text);
        else
            buf_add_byte(to, (uint8_t)*text);
    }
}

static void add_labels(
    struct buf *to, enum metric m, const char *label1, const char *label2, const char *le)
{
    const char *const values[] = { label1, label2 };
    const char *between = "{";

    for (int i = 0; i < 2; i++)
        if (table[m].label[i][0] != '\0') {
            buf_printf(to, "%s%s=\"", between, table[m].label[i]);
            add_escaped(to, values[i] != NULL ? values[i] : "");
            buf_add_text(to, "\"");
            between = ",";
        }
    if (le != NULL) {
        buf_printf(to, "%sle=\"%s\"", between, le);
        between = ",";
    }
    if (between[0] == ',')
        buf_add_text(to, "}");
}

static bool ends(const char *text, const char *with)
{
    size_t len = strlen(text), tail = strlen(with);

    return len > tail && strcmp(text + len - tail, with) == 0;
}

void metrics_family(struct buf *to, enum metric m)
{
    static const char *const types[] = { [METRIC_INFO] = "info",
        [METRIC_GAUGE] = "gauge",
        [METRIC_COUNTER] = "counter",
        [METRIC_HISTOGRAM] = "histogram" };

    buf_printf(to, "# TYPE %s %s\n", table[m].name, types[table[m].type]);
    if (ends(table[m].name, "_seconds"))
        buf_printf(to, "# UNIT %s seconds\n", table[m].name);
    if (ends(table[m].name, "_bytes"))
        buf_printf(to, "# UNIT %s bytes\n", table[m].name);
    buf_printf(to, "# HELP %s ", table[m].name);
    add_escaped(to, table[m].help);
    buf_add_text(to, "\n");
}

void metrics_sample(
    struct buf *to, enum metric m, const char *label1, const char *label2, int64_t value)
{
    buf_printf(to, "%s%s", table[m].name,
        table[m].type == METRIC_COUNTER ? "_total"
        : table[m].type == METRIC_INFO  ? "_info"
                                        : "");
    add_labels(to, m, label1, label2, NULL);
    buf_printf(to, " %lld\n", (long long)value);
}

static void add_histogram(struct buf *to, enum metric m, const struct metric_series *s)
{
    uint64_t below = 0;

    for (size_t i = 0; i <= METRIC_BUCKETS; i++) {
        below += s->bucket[i];
        buf_printf(to, "%s_bucket", table[m].name);
        add_labels(
            to, m, s->label[0], s->label[1], i < METRIC_BUCKETS ? metric_bounds[i].text : "+Inf");
        buf_printf(to, " %llu\n", (unsigned long long)below);
    }
    buf_printf(to, "%s_count", table[m].name);
    add_labels(to, m, s->label[0], s->label[1], NULL);
    buf_printf(to, " %llu\n%s_sum", (unsigned long long)s->count, table[m].name);
    add_labels(to, m, s->label[0], s->label[1], NULL);
    buf_printf(to, " %llu.%06llu\n", (unsigned long long)(s->sum_us / 1000000),
        (unsigned long long)(s->sum_us % 1000000));
}

/* A counter without labels is there from the start; one with labels when the first of its kind has happened. */
void metrics_kept(struct buf *to, enum metric m)
{
    const struct metric_family *f = metrics_kept_of(m);

    metrics_family(to, m);
    if (f->count == 0 && table[m].label[0][0] == '\0' && table[m].type == METRIC_COUNTER)
        metrics_sample(to, m, NULL, NULL, 0);
    for (size_t i = 0; i < f->count; i++) {
        const struct metric_series *s = &f->at[i];

        if (table[m].type == METRIC_HISTOGRAM)
            add_histogram(to, m, s);
        else
            metrics_sample(to, m, s->label[0], s->label[1],
                table[m].type == METRIC_GAUGE ? s->value : (int64_t)s->count);
    }
}

void metrics_end(struct buf *to)
{
    buf_add_text(to, "# EOF\n");
}
