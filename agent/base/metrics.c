/* see metrics.h.  What is kept. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include "agent/base/metrics_inner.h"
#include "certs/mem.h"

static struct metric_family kept[METRIC_COUNT];

const struct metric_family *metrics_kept_of(enum metric m)
{
    return &kept[m];
}

static bool is(const struct metric_series *s, const char *label1, const char *label2)
{
    return strncmp(s->label[0], label1, METRIC_LABEL_MAX - 1) == 0
           && strncmp(s->label[1], label2, METRIC_LABEL_MAX - 1) == 0;
}

static struct metric_series *look(enum metric m, const char *label1, const char *label2)
{
    for (size_t i = 0; i < kept[m].count; i++)
        if (is(&kept[m].at[i], label1, label2))
            return &kept[m].at[i];
    return NULL;
}

/* One that is new takes a place; when there is none left, all that come are one. */
static struct metric_series *find(enum metric m, const char *label1, const char *label2)
{
    struct metric_family *f = &kept[m];
    struct metric_series *s;

    label1 = label1 != NULL ? label1 : "";
    label2 = label2 != NULL ? label2 : "";
    if ((s = look(m, label1, label2)) != NULL)
        return s;
    if (f->count + 1 >= METRIC_SERIES_MAX) {
        label1 = label1[0] != '\0' ? "other" : "";
        label2 = label2[0] != '\0' ? "other" : "";
        if ((s = look(m, label1, label2)) != NULL)
            return s;
    }
    if (f->count == f->room) {
        struct metric_series *more = xcalloc(f->room * 2 + 4, sizeof *more);

        if (f->count > 0)
            memcpy(more, f->at, f->count * sizeof *more);
        free(f->at);
        f->at = more;
        f->room = f->room * 2 + 4;
    }
    s = &f->at[f->count++];
    (void)snprintf(s->label[0], METRIC_LABEL_MAX, "%s", label1);
    (void)snprintf(s->label[1], METRIC_LABEL_MAX, "%s", label2);
    return s;
}

void metric_add(enum metric m, const char *label1, const char *label2)
{
    find(m, label1, label2)->count++;
}

void metric_set(enum metric m, int64_t value, const char *label1)
{
    find(m, label1, NULL)->value = value;
}

void metric_time(enum metric m, uint64_t us, const char *label1, const char *label2)
{
    struct metric_series *s = find(m, label1, label2);
    size_t i = 0;

    while (i < METRIC_BUCKETS && us > metric_bounds[i].us)
        i++;
    s->bucket[i]++;
    s->count++;
    s->sum_us += us;
}

uint64_t metric_now_us(void)
{
    struct timespec t = { 0 };

    (void)clock_gettime(CLOCK_MONOTONIC, &t);
    return (uint64_t)t.tv_sec * 1000000 + (uint64_t)t.tv_nsec / 1000;
}

uint64_t metric_value(enum metric m, const char *label1, const char *label2)
{
    const struct metric_series *s =
        look(m, label1 != NULL ? label1 : "", label2 != NULL ? label2 : "");

    return s != NULL ? s->count : 0;
}

int64_t metric_gauge(enum metric m, const char *label1, int64_t fallback)
{
    const struct metric_series *s = look(m, label1 != NULL ? label1 : "", "");

    return s != NULL ? s->value : fallback;
}

void metrics_forget(void)
{
    for (size_t i = 0; i < METRIC_COUNT; i++) {
        free(kept[i].at);
        kept[i] = (struct metric_family){ 0 };
    }
}
