#ifndef AGENT_LOG_H
#define AGENT_LOG_H
#include "certs/err.h"

/*
 * log.h - what the service says about its work.
 *
 * Every line is an event with a stable name and number; numbers follow the ranges of Microsoft's
 * connector (1000 PKCS, 2000 import, 3000 revocation, 4000 SCEP), then ours (5000 CA, 6000 cloud,
 * 7000 identity, 8000 store).  Admin events, one for each request's outcome, are marked.  People read lines on a
 * terminal; under systemd the journal gets fields (CC_EVENT=, CC_REQUEST_ID=, MESSAGE_ID= ...); elsewhere it is one
 * JSON object a line.
 *
 * Nothing secret is ever passed here.  Text from outside is cleaned; a line is at most 2 KiB.  A
 * reader that does not keep up loses lines, which are counted; the service never waits for it.
 * The same line again within a minute is counted instead of written.
 */
/*  id                    number  level    admin  name */
#define LOG_EVENTS(X)                                                               \
    X(EV_STARTED, 1, INFO, false, "ServiceStarted")                                 \
    X(EV_STOPPING, 2, INFO, false, "ServiceStopping")                               \
    X(EV_STOPPED, 3, INFO, false, "ServiceStopped")                                 \
    X(EV_RELOADED, 4, INFO, false, "ConfigurationReloaded")                         \
    X(EV_RELOAD_FAILED, 5, ERROR, false, "ConfigurationRefused")                    \
    X(EV_CLOCK_MOVED, 6, WARNING, false, "ClockMoved")                              \
    X(EV_MEMORY_NOT_LOCKED, 8, WARNING, false, "MemoryNotLocked")                   \
    X(EV_WATCHDOG, 9, ERROR, false, "WatchdogStuck")                                \
    X(EV_LOG_DROPPED, 7, WARNING, false, "LogLinesDropped")                         \
    X(EV_METRICS_SERVING, 10, INFO, false, "MetricsServing")                        \
    X(EV_REQUEST_DONE, 1000, INFO, true, "PkcsRequestSuccess")                      \
    X(EV_REQUEST_FAILED, 1001, ERROR, true, "PkcsRequestFailure")                   \
    X(EV_DOWNLOADED, 1002, INFO, false, "PkcsDownloadSuccess")                      \
    X(EV_DOWNLOAD_FAILED, 1003, WARNING, false, "PkcsDownloadFailure")              \
    X(EV_REQUEST, 1020, INFO, false, "PkcsDownloadedRequest")                       \
    X(EV_REQUEST_MALFORMED, 1021, WARNING, false, "PkcsDownloadedRequestMalformed") \
    X(EV_STEP, 1030, DEBUG, false, "PkcsStep")                                      \
    X(EV_PENDING, 1031, INFO, false, "PkcsPendingAtCa")                             \
    X(EV_ISSUED, 1050, INFO, false, "PkcsIssuedSuccess")                            \
    X(EV_ATTEMPT_FAILED, 1051, WARNING, false, "PkcsIssuedFailedAttempt")           \
    X(EV_ISSUE_FAILED, 1052, WARNING, false, "PkcsIssuedFailure")                   \
    X(EV_HELD, 1053, ERROR, false, "PkcsRequestHeld")                               \
    X(EV_RESUBMITTED, 1054, WARNING, false, "PkcsResubmitted")                      \
    X(EV_ORPHAN, 1055, ERROR, false, "PkcsOrphan")                                  \
    X(EV_UPLOADED, 1100, INFO, false, "PkcsUploadSuccess")                          \
    X(EV_UPLOAD_FAILED, 1101, WARNING, false, "PkcsUploadFailure")                  \
    X(EV_SCEP_DONE, 4000, INFO, true, "ScepRequestSuccess")                         \
    X(EV_SCEP_FAILED, 4001, ERROR, true, "ScepIssuedFailure")                       \
    X(EV_SCEP_UNNOTIFIED, 4002, ERROR, true, "ScepUploadFailure")                   \
    X(EV_SCEP_RECEIVED, 4003, INFO, false, "ScepRequestReceived")                   \
    X(EV_SCEP_VERIFIED, 4004, INFO, false, "ScepVerifySuccess")                     \
    X(EV_SCEP_REFUSED, 4005, WARNING, false, "ScepVerifyFailure")                   \
    X(EV_SCEP_ISSUED, 4006, INFO, false, "ScepIssuedSuccess")                       \
    X(EV_SCEP_NOTIFIED, 4008, INFO, false, "ScepNotifySuccess")                     \
    X(EV_SCEP_NOTIFY_FAILED, 4009, WARNING, false, "ScepNotifyAttemptFailed")       \
    X(EV_SCEP_STEP, 4030, DEBUG, false, "ScepStep")                                 \
    X(EV_SCEP_PENDING, 4031, INFO, false, "ScepPendingAtCa")                        \
    X(EV_SCEP_ATTEMPT_FAILED, 4051, WARNING, false, "ScepIssuedFailedAttempt")      \
    X(EV_SCEP_HELD, 4053, ERROR, false, "ScepRequestHeld")                          \
    X(EV_SCEP_RESUBMITTED, 4054, WARNING, false, "ScepResubmitted")                 \
    X(EV_SCEP_ORPHAN, 4055, ERROR, false, "ScepOrphan")                             \
    X(EV_SCEP_SERVING, 4100, INFO, false, "ScepServing")                            \
    X(EV_SCEP_NOT_SERVING, 4101, ERROR, false, "ScepNotServing")                    \
    X(EV_SCEP_CHALLENGE, 4110, INFO, false, "ScepChallengeGenerated")               \
    X(EV_SCEP_ADMIN_REFUSED, 4111, WARNING, false, "ScepAdminRefused")              \
    X(EV_RA_RENEWED, 4120, INFO, true, "RaCertificateEnrolled")                     \
    X(EV_RA_EXPIRES, 4121, WARNING, true, "RaCertificateExpires")                   \
    X(EV_RA_BEGUN, 4122, INFO, false, "RaEnrolmentBegun")                           \
    X(EV_RA_STEP, 4130, DEBUG, false, "RaStep")                                     \
    X(EV_RA_PENDING, 4131, INFO, false, "RaPendingAtCa")                            \
    X(EV_RA_ISSUED, 4132, INFO, false, "RaIssuedSuccess")                           \
    X(EV_RA_ATTEMPT_FAILED, 4133, WARNING, false, "RaIssuedFailedAttempt")          \
    X(EV_RA_HELD, 4134, ERROR, false, "RaRequestHeld")                              \
    X(EV_RA_RESUBMITTED, 4135, WARNING, false, "RaResubmitted")                     \
    X(EV_RA_FAILED, 4136, ERROR, true, "RaIssuedFailure")                           \
    X(EV_RA_ORPHAN, 4137, ERROR, false, "RaOrphan")                                 \
    X(EV_PLUGIN_ERROR, 4901, ERROR, false, "PluginError")                           \
    X(EV_PLUGIN_WARNING, 4902, WARNING, false, "PluginWarning")                     \
    X(EV_PLUGIN_INFO, 4903, INFO, false, "PluginInformation")                       \
    X(EV_PLUGIN_DEBUG, 4904, DEBUG, false, "PluginDebug")                           \
    X(EV_PEER_DOWN, 5001, ERROR, false, "PeerDown")                                 \
    X(EV_PEER_UP, 5002, INFO, false, "PeerUp")                                      \
    X(EV_LEASES_EXTENDED, 6001, DEBUG, false, "LeasesExtended")                     \
    X(EV_LEASE_LOST, 6002, WARNING, false, "LeaseLost")                             \
    X(EV_HEARTBEAT_FAILED, 6003, WARNING, false, "HeartbeatFailed")                 \
    X(EV_COUNTER_BEHIND, 6004, ERROR, false, "CounterBehind")                       \
    X(EV_NEEDS_SIGN_IN, 7001, ERROR, true, "NeedsSignIn")                           \
    X(EV_SIGNED_IN, 7002, INFO, true, "IdentityAccepted")                           \
    X(EV_IDENTITY_RENEWED, 7003, INFO, true, "IdentityRenewed")                     \
    X(EV_IDENTITY_EXPIRES, 7004, WARNING, true, "IdentityExpires")                  \
    X(EV_IDENTITY_REFUSED, 7005, WARNING, false, "RenewedIdentityRefused")          \
    X(EV_IDENTITY_UNRENEWED, 7006, WARNING, false, "IdentityRenewalFailed")         \
    X(EV_RECONCILE, 7010, ERROR, true, "ReconcileBegun")                            \
    X(EV_RECONCILED, 7011, INFO, true, "ReconcileEnded")                            \
    X(EV_CLONE, 7012, ERROR, true, "TwoServicesOneIdentity")                        \
    X(EV_STORE_FAILED, 8001, ERROR, false, "StoreFailed")                           \
    X(EV_STORE_FULL, 8002, ERROR, false, "StoreFull")                               \
    X(EV_OPERATOR, 9001, INFO, false, "OperatorAction")                             \
    X(EV_AUDIT_HEAD, 9002, INFO, false, "AuditHead")

enum log_level {
    LOG_LEVEL_SILENT,
    LOG_LEVEL_ERROR,
    LOG_LEVEL_WARNING,
    LOG_LEVEL_INFO,
    LOG_LEVEL_DEBUG
};
enum log_event {
#define X(id, number, level, admin, name) id,
    LOG_EVENTS(X)
#undef X
        LOG_EVENT_COUNT
};
enum log_format { LOG_AUTO, LOG_HUMAN, LOG_JSON, LOG_JOURNAL };

/* log_open - writes to standard error; LOG_JOURNAL, once log_journal_open has succeeded: to the journal. */
void log_open(enum log_format f, enum log_level least);
/* log_journal_open - the journal's socket, NULL = where systemd has it.  false: there is none */
bool log_journal_open(const char *path);
/* log_journal_is_stderr - is JOURNAL_STREAM (systemd.exec(5)) what standard error is?  Then whoever started us reads
 * it there.  NULL: no. */
bool log_journal_is_stderr(const char *stream);
/* log_set_level - from now on; log_level_now says what it is.  log_level_find - false: there is no such level */
void log_set_level(enum log_level level);
enum log_level log_level_now(void);
bool log_level_find(const char *name, enum log_level *out);
const char *log_level_name(enum log_level level);
enum log_level log_level_named(const char *name); /* "error", "warning", "info", "debug" */

/*
 * log_event - one line.  request: a request id or NULL; peer: "cloud", a CA's name or NULL.
 */
void log_event(enum log_event ev, const char *request, const char *peer, const char *fmt, ...)
    __attribute__((format(printf, 4, 5)));

/* log_err - the same with an error's class, number, message and place. */
void log_err(enum log_event ev, const char *request, const char *peer, const struct err *why);

/* log_alarm - from any thread, while the loop stands still: clean text, no peer, never counted as a repeat. */
void log_alarm(enum log_event ev, const char *text);

uint64_t log_dropped(void); /* lines lost since the start */
const char *log_event_name(enum log_event ev);

/* What an event is and what to do about it: certferry-events(7) and `explain` are made of this.  event_help.c */
struct event_help {
    const char *name;
    int number;
    const char *level; /* "error" ... */
    bool admin;        /* else operational */
    const char *means, *todo;
};
void event_help_at(enum log_event ev, struct event_help *out);
/* event_help - by name or number, as typed; false: there is no such event */
bool event_help(const char *name_or_number, struct event_help *out);
#endif
