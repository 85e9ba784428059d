/* see log.h.  What each event means, and what to do. */
#include <stdlib.h>
#include <strings.h>
#include "agent/base/log.h"

#define NOTHING "Nothing."

static const struct {
    const char *means, *todo;
} texts[LOG_EVENT_COUNT] = {
    [EV_STARTED] = { "The service is up: configuration, store and keys were opened.", NOTHING },
    [EV_STOPPING] = { "It was asked to stop; requests finish the step they are in.", NOTHING },
    [EV_STOPPED] = { "It has ended; nothing is lost, the store has every request.", NOTHING },
    [EV_RELOADED] = { "The configuration was read again and is in use as far as the text says.",
        NOTHING },
    [EV_RELOAD_FAILED] = { "The configuration on disk is not valid. The one before it is in use.",
        "Mend the line it names: certferry check." },
    [EV_CLOCK_MOVED] = { "The system's clock was set; the schedule moved along, so nothing ended "
                         "or waits longer by it.",
        "If it happens again, look at time synchronisation." },
    [EV_MEMORY_NOT_LOCKED] = { "Secrets in memory may be written to swap.",
        "Raise RLIMIT_MEMLOCK to 1 MiB (LimitMEMLOCK= of the unit)." },
    [EV_LOG_DROPPED] = { "Lines were not written: the same one again within a minute, or the "
                         "reader of the log did not keep up.",
        "Look at the line that repeats, or at what reads the log." },
    [EV_METRICS_SERVING] = { "/metrics, /ready and /healthz can be reached at this address.",
        NOTHING },
    [EV_REQUEST_DONE] = { "A PKCS request is done: the cloud has the device's file.", NOTHING },
    [EV_REQUEST_FAILED] = { "A PKCS request has ended without a certificate on the device; the "
                            "reason is the line's.",
        "certferry requests show ID: who refused, and why." },
    [EV_DOWNLOADED] = { "The cloud was asked for work and answered.", NOTHING },
    [EV_DOWNLOAD_FAILED] = { "The cloud was asked for work and did not answer as it should. It is "
                             "asked again, less and less often.",
        "If it lasts: certferry doctor." },
    [EV_REQUEST] = { "A request was taken and is in the store.", NOTHING },
    [EV_REQUEST_MALFORMED] = { "The cloud sent a request that cannot be understood; it was refused "
                               "there.",
        "Compare the profile in the cloud with what the message names." },
    [EV_STEP] = { "A step of a PKCS request begins.", NOTHING },
    [EV_PENDING] = { "The CA has the request and wants somebody to decide.",
        "Approve or deny it at the CA; the service asks again by itself." },
    [EV_ISSUED] = { "The CA has issued the certificate.", NOTHING },
    [EV_ATTEMPT_FAILED] = { "An attempt failed in a way that may not last. It is made again.",
        "If it lasts: certferry status says which peer." },
    [EV_ISSUE_FAILED] = { "The request failed for good; the reason is being reported to the cloud.",
        "certferry requests show ID." },
    [EV_HELD] = { "The request needs an administrator: credentials, trust, permissions or the "
                  "configuration. It is tried again every 15 to 30 minutes.",
        "Mend what the message names, then certferry requests retry ID." },
    [EV_RESUBMITTED] = { "The outcome of a submission is unknown and the CA cannot be asked: the "
                         "same CSR was sent again.",
        "If it repeats, look at the way to the CA; certferry orphans list." },
    [EV_ORPHAN] = { "A certificate of a PKCS request was issued, or may have been, and reached "
                    "nobody.",
        "Look for it at the CA, revoke it, then certferry orphans adopt REQUEST." },
    [EV_UPLOADED] = { "The cloud took a result: a certificate or a reason.", NOTHING },
    [EV_UPLOAD_FAILED] = { "The cloud did not take a result. The same bytes go again.",
        "If it lasts: certferry doctor." },
    [EV_SCEP_DONE] = { "A SCEP request is done: issued, and its plugin was told.", NOTHING },
    [EV_SCEP_FAILED] = { "A SCEP request that was allowed was not issued; the plugin was told.",
        "certferry requests show ID." },
    [EV_SCEP_UNNOTIFIED] = { "A certificate was issued and the plugin did not take the news: the "
                             "device was refused, the certificate is an orphan.",
        "certferry orphans show ID; look at what the plugin asks." },
    [EV_SCEP_RECEIVED] = { "A device's request was opened: its signature and shape are right.",
        NOTHING },
    [EV_SCEP_VERIFIED] = { "The challenge was accepted, and the request is within the endpoint's "
                           "limits.",
        NOTHING },
    [EV_SCEP_REFUSED] = { "A device was refused: its message, its challenge or what it asked for. "
                          "The reason is here, not in its answer.",
        "If devices you know are refused: compare profile and endpoint; certferry doctor --only "
        "SCEP." },
    [EV_SCEP_ISSUED] = { "The CA has issued the certificate of a SCEP request.", NOTHING },
    [EV_SCEP_NOTIFIED] = { "The plugin has taken how the request ended.", NOTHING },
    [EV_SCEP_NOTIFY_FAILED] = { "The plugin could not take how the request ended; it is told "
                                "again.",
        "If it lasts, look at what the plugin asks." },
    [EV_SCEP_STEP] = { "A step of a SCEP request begins.", NOTHING },
    [EV_SCEP_PENDING] = { "The CA wants somebody to decide about a SCEP request; the device polls.",
        "Approve or deny it at the CA." },
    [EV_SCEP_ATTEMPT_FAILED] = { "An attempt for a SCEP request failed in a way that may not last. "
                                 "It is made again.",
        "If it lasts: certferry status says which peer." },
    [EV_SCEP_HELD] = { "A SCEP request needs an administrator.",
        "Mend what the message names, then certferry requests retry ID." },
    [EV_SCEP_RESUBMITTED] = { "The CSR of a SCEP request was sent again because the outcome of the "
                              "last submission is unknown.",
        "If it repeats, look at the way to the CA." },
    [EV_SCEP_ORPHAN] = { "A certificate of a SCEP request was issued, or may have been, and "
                         "reached nobody.",
        "Look for it at the CA, revoke it, then certferry orphans adopt REQUEST." },
    [EV_SCEP_SERVING] = { "A listener is open, or an endpoint can serve again.", NOTHING },
    [EV_SCEP_NOT_SERVING] = { "An endpoint cannot serve; its health URL says 503. The reason is "
                              "the line's.",
        "certferry doctor --only SCEP." },
    [EV_SCEP_CHALLENGE] = { "mscep_admin handed out a challenge, or refused to.", NOTHING },
    [EV_SCEP_ADMIN_REFUSED] = { "Somebody gave mscep_admin a wrong password.",
        "If it was not you, close the page to that address." },
    [EV_RA_RENEWED] = { "A registration authority has a new certificate.", NOTHING },
    [EV_RA_EXPIRES] = { "A certificate of a registration authority ends soon and was not renewed.",
        "certferry ra show; replace its files, or certferry ra renew ENDPOINT." },
    [EV_RA_BEGUN] = { "New certificates of a registration authority are being enrolled.", NOTHING },
    [EV_RA_STEP] = { "A step of the enrolment of a registration authority begins.", NOTHING },
    [EV_RA_PENDING] = { "The CA wants somebody to decide about a registration authority's "
                        "certificate.",
        "Approve it at the CA." },
    [EV_RA_ISSUED] = { "The CA has issued a certificate of a registration authority.", NOTHING },
    [EV_RA_ATTEMPT_FAILED] = { "An attempt to enrol a registration authority's certificate failed. "
                               "It is made again.",
        "If it lasts: certferry ra show." },
    [EV_RA_HELD] = { "The enrolment of a registration authority's certificate needs an "
                     "administrator.",
        "Mend what the message names, then certferry requests retry ID." },
    [EV_RA_RESUBMITTED] = { "The CSR of a registration authority was sent again because the "
                            "outcome of the last submission is unknown.",
        "If it repeats, look at the way to the CA." },
    [EV_RA_FAILED] = { "A registration authority's certificate was not issued. The one it has is "
                       "used until it ends.",
        "certferry ra show; the message says what the CA refused." },
    [EV_RA_ORPHAN] = { "A certificate of a registration authority was issued, or may have been, "
                       "and is not used.",
        "Look for it at the CA, revoke it, then certferry orphans adopt REQUEST." },
    [EV_PLUGIN_ERROR] = { "A challenge plugin reports an error, or broke the rules for plugins.",
        "The message is the plugin's; its own documentation has more." },
    [EV_PLUGIN_WARNING] = { "A challenge plugin warns.", "The message is the plugin's." },
    [EV_PLUGIN_INFO] = { "A challenge plugin says something.", NOTHING },
    [EV_PLUGIN_DEBUG] = { "A challenge plugin says something that helps to find faults.", NOTHING },
    [EV_PEER_DOWN] = { "Five answers in a row failed. Nobody asks this peer but a probe now and "
                       "then; requests wait.",
        "certferry doctor finds the cause; the message has the last one." },
    [EV_PEER_UP] = { "The peer answers again; the requests go on.", NOTHING },
    [EV_LEASES_EXTENDED] = { "The cloud lets us keep the requests under way for longer.", NOTHING },
    [EV_LEASE_LOST] = { "Another connector has taken a request that was ours; this one has ended "
                        "here.",
        "If it happens often: is this connector too slow, or is there a clone of it?" },
    [EV_HEARTBEAT_FAILED] = { "The cloud did not take the message that we are here.",
        "If it lasts: certferry doctor." },
    [EV_COUNTER_BEHIND] = { "The cloud knows a later state of this store: a backup was restored, "
                            "or this is a clone.",
        "Stop one of two clones. After a restore read what certferry status says." },
    [EV_WATCHDOG] = { "A part of the service has stood still for a while. If it goes on, the "
                      "service "
                      "manager starts the service anew; nothing is lost.",
        "Report it, with the line's fact: which part, and for how long." },
    [EV_NEEDS_SIGN_IN] = { "The cloud refuses who we say we are, or there is nobody to be. "
                           "Requests wait; "
                           "nothing is lost.",
        "certferry sign-in" },
    [EV_SIGNED_IN] = { "The cloud accepts this connector's identity; what waited goes on.",
        NOTHING },
    [EV_IDENTITY_RENEWED] = { "The cloud has issued the connector's next certificate, and it "
                              "worked.",
        NOTHING },
    [EV_IDENTITY_EXPIRES] = { "The connector's certificate ends soon and has not been renewed.",
        "certferry whoami has the reason; certferry sign-in makes a new identity." },
    [EV_IDENTITY_REFUSED] = { "The renewed certificate did not work; the one before is used and "
                              "another one asked "
                              "for.",
        NOTHING },
    [EV_IDENTITY_UNRENEWED] = { "A renewal of the connector's certificate failed; it is tried "
                                "again.",
        "If it lasts: certferry doctor --only AUTH" },
    [EV_RECONCILE] = { "The cloud knows more than this store: a backup was restored, or this is a "
                       "clone. Nothing is "
                       "submitted to a CA until every open request has been compared.",
        "Nothing after a restore. Stop the other service if this is a clone." },
    [EV_RECONCILED] = { "Every open request has been compared; work goes on.", NOTHING },
    [EV_CLONE] = { "Two services use one identity, and both live. This one submits nothing.",
        "Stop one of them; on the other one: certferry sign-in" },
    [EV_STORE_FAILED] = { "The store did not take something. What moved goes back one step and is "
                          "done again.",
        "Look at the disk and the folder it names." },
    [EV_STORE_FULL] = { "Too little free space: nothing new is taken, the rest goes on.",
        "Free some space." },
    [EV_OPERATOR] = { "An administrator changed something by a command.", NOTHING },
    [EV_AUDIT_HEAD] = { "How many records the audit log has, and the hash of the last one. Kept "
                        "elsewhere, it shows later whether the end was cut off.",
        "Nothing; to compare: certferry audit verify HASH." },
};

static const struct {
    const char *name;
    int number;
    enum log_level level;
    bool admin;
} events[] = {
#define X(id, number, level, admin, name) [id] = { name, number, LOG_LEVEL_##level, admin },
    LOG_EVENTS(X)
#undef X
};

void event_help_at(enum log_event ev, struct event_help *out)
{
    static const char *const levels[] = { [LOG_LEVEL_SILENT] = "silent",
        [LOG_LEVEL_ERROR] = "error",
        [LOG_LEVEL_WARNING] = "warning",
        [LOG_LEVEL_INFO] = "info",
        [LOG_LEVEL_DEBUG] = "debug" };

    *out = (struct event_help){ .name = events[ev].name,
        .number = events[ev].number,
        .level = levels[events[ev].level],
        .admin = events[ev].admin,
        .means = texts[ev].means,
        .todo = texts[ev].todo };
}

bool event_help(const char *name_or_number, struct event_help *out)
{
    char *end;
    long number = strtol(name_or_number, &end, 10);
    bool is_number = end != name_or_number && *end == '\0';

    for (int i = 0; i < LOG_EVENT_COUNT; i++)
        if (is_number ? events[i].number == number
                      : strcasecmp(events[i].name, name_or_number) == 0) {
            event_help_at((enum log_event)i, out);
            return true;
        }
    return false;
}
