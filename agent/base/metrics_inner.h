#ifndef AGENT_METRICS_INNER_H
#define AGENT_METRICS_INNER_H
#include "agent/base/metrics.h"

/* metrics_inner.h - between metrics.c, which counts, and metrics_text.c, which writes. */
enum { METRIC_BUCKETS = 14 };

struct metric_series {
    char label[2][METRIC_LABEL_MAX];
    uint64_t count;                              /* of a counter: its value */
    uint64_t sum_us, bucket[METRIC_BUCKETS + 1]; /* the last: above all bounds */
    int64_t value;                               /* of a gauge */
};
struct metric_family {
    struct metric_series *at;
    size_t count, room;
};

extern const struct metric_bound {
    uint64_t us;
    const char *text; /* the same in seconds, as OpenMetrics writes numbers */
} metric_bounds[METRIC_BUCKETS];

const struct metric_family *metrics_kept_of(enum metric m);
#endif
