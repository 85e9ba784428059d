#ifndef AGENT_METRICS_H
#define AGENT_METRICS_H
#include "certs/buf.h"

/*
 * metrics.h - numbers for monitoring: one table of what there is, counters kept where things happen, and the text
 * form of OpenMetrics 1.0.
 *
 * A counter belongs to the process, as the log does: any part of the service raises it with one call, and nobody who
 * does so needs to know whether somebody reads it.  What is a state and no event (requests that are open, days a
 * certificate has left) is not kept here: metrics_report.h looks it up when it is asked for.
 *
 * No label ever holds a device, a user, a serial number, or anything else from outside: names of sections, of steps
 * and of error classes only.  METRIC_SERIES_MAX bounds each family all the same; what comes after is "other".
 *
 * Threads: the loop's.
 */
enum { METRIC_SERIES_MAX = 200, METRIC_LABEL_MAX = 64 };

/* id, type, name of the family, labels, what it says; rows of one family never stand apart in the text */
#define METRICS(X)                                                                               \
    X(METRIC_BUILD, INFO, "certferry_build", "version", "", "Which program answers.")            \
    X(METRIC_START_TIME, GAUGE, "certferry_start_time_seconds", "", "",                          \
        "When the service was started, seconds since 1970.")                                     \
    X(METRIC_REQUESTS, COUNTER, "certferry_requests", "kind", "outcome",                         \
        "Requests that have ended, by how.")                                                     \
    X(METRIC_STAGE, HISTOGRAM, "certferry_request_stage_duration_seconds", "stage", "",          \
        "How long one attempt of a step took.")                                                  \
    X(METRIC_OPEN, GAUGE, "certferry_requests_open", "state", "", "Requests that are open now.") \
    X(METRIC_OLDEST, GAUGE, "certferry_request_oldest_age_seconds", "state", "",                 \
        "Since when the oldest open request of this state is here.")                             \
    X(METRIC_STUCK, GAUGE, "certferry_requests_stuck", "", "",                                   \
        "Open requests that need somebody: held, failing for an hour, or overdue for ten "       \
        "minutes.")                                                                              \
    X(METRIC_ORPHANS, GAUGE, "certferry_orphans", "certain", "",                                 \
        "Certificates that were (true) or may have been (false) issued and reached nobody.")     \
    X(METRIC_DUPLICATES, COUNTER, "certferry_duplicates", "", "",                                \
        "The same CSR sent again because the outcome of the last submission was unknown.")       \
    X(METRIC_PEER_UP, GAUGE, "certferry_peer_up", "peer", "",                                    \
        "Does it answer?  0: its last answers were failures.")                                   \
    X(METRIC_PEER_LAST, GAUGE, "certferry_peer_last_success_timestamp_seconds", "peer", "",      \
        "When it last answered as it should, seconds since 1970.")                               \
    X(METRIC_HTTP, HISTOGRAM, "certferry_http_request_duration_seconds", "peer", "code_class",   \
        "How long an answer took; class of its status, or none.")                                \
    X(METRIC_RETRIES, COUNTER, "certferry_retries", "peer", "class",                             \
        "Attempts that failed and are made again, by class of error.")                           \
    X(METRIC_INTERCEPTED, COUNTER, "certferry_intercepted", "", "",                              \
        "Answers that came from something on the way, not from the peer.")                       \
    X(METRIC_SCEP, COUNTER, "certferry_scep_requests", "operation", "result",                    \
        "SCEP requests answered, by what devices asked for and what they were told.")            \
    X(METRIC_CHALLENGE, COUNTER, "certferry_scep_challenge_failures", "", "",                    \
        "SCEP requests whose challenge was refused.")                                            \
    X(METRIC_NOT_AFTER, GAUGE, "certferry_certificate_not_after_timestamp_seconds", "purpose",   \
        "name", "When a certificate of the service's own ends, seconds since 1970.")             \
    X(METRIC_CLOCK, GAUGE, "certferry_clock_offset_seconds", "peer", "",                         \
        "How far the peer's clock is ahead of ours, by the date of its last answer.")            \
    X(METRIC_SIGNED_IN, GAUGE, "certferry_signed_in", "", "",                                    \
        "0: no identity, or one that the cloud refuses; an administrator must sign in.")         \
    X(METRIC_STORE_FREE, GAUGE, "certferry_store_free_bytes", "", "",                            \
        "Free space on the file system of the store.")                                           \
    X(METRIC_COMMIT, HISTOGRAM, "certferry_store_commit_duration_seconds", "", "",               \
        "How long it took until a commit was durable.")                                          \
    X(METRIC_PLUGIN_UP, GAUGE, "certferry_plugin_up", "plugin", "",                              \
        "Can the challenge plugin judge?")                                                       \
    X(METRIC_SCEP_SERVING, GAUGE, "certferry_scep_serving", "endpoint", "",                      \
        "Can devices enrol at this endpoint?")                                                   \
    X(METRIC_LAG, HISTOGRAM, "certferry_event_loop_lag_seconds", "", "",                         \
        "How much later than it should the loop came to a timer, once a second.")                \
    X(METRIC_RELOAD, GAUGE, "certferry_config_last_reload_successful", "", "",                   \
        "0: the last reload was refused, and the configuration before it is in use.")            \
    X(METRIC_LOG_DROPPED, COUNTER, "certferry_log_dropped", "", "",                              \
        "Lines of the log that were lost or repeated too often.")

enum metric_type { METRIC_INFO, METRIC_GAUGE, METRIC_COUNTER, METRIC_HISTOGRAM };
enum metric {
#define X(id, type, name, label1, label2, help) id,
    METRICS(X)
#undef X
        METRIC_COUNT
};

/* ---- where things happen; labels NULL where the table has none ---- */
void metric_add(enum metric m, const char *label1, const char *label2); /* counters: by one */
void metric_set(enum metric m, int64_t value, const char *label1);      /* gauges kept here */
void metric_time(enum metric m, uint64_t us, const char *label1, const char *label2);
uint64_t metric_now_us(void); /* of a clock that never stands still, for metric_time */
uint64_t metric_value(enum metric m, const char *label1, const char *label2); /* 0: not yet */
int64_t metric_gauge(enum metric m, const char *label1, int64_t fallback); /* as it was set last */
void metrics_forget(void); /* all of them, for tests */

/* ---- writing: a family, then its samples; metrics_kept does both for what is kept here ---- */
void metrics_family(struct buf *to, enum metric m);
void metrics_sample(
    struct buf *to, enum metric m, const char *label1, const char *label2, int64_t value);
void metrics_kept(struct buf *to, enum metric m);
void metrics_end(struct buf *to);

const char *metric_name(enum metric m); /* of the family */
const char *metric_help(enum metric m);
enum metric_type metric_type(enum metric m);
const char *metric_label(enum metric m, int which); /* 0, 1; "" = none */
#endif
