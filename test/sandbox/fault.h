#ifndef SANDBOX_FAULT_H
#define SANDBOX_FAULT_H
#include "test/sandbox/clock.h"
#include "test/sandbox/js.h"
#include "test/sandbox/ledger.h"

/*
 * fault.h - faults by command: what goes wrong, where, how often.
 *
 * Columns: identifier, name, where it makes sense, its argument, the argument's default.
 */
enum {
    AT_SUBMIT = 1,
    AT_FETCH = 2,
    AT_EST = 4,
    AT_EST_CACERTS = 8,
    AT_DOWNLOAD = 16,
    AT_UPLOAD = 32,
    AT_EXTEND = 64,
    AT_RELEASE = 128,
    AT_HEARTBEAT = 256,
    AT_TOKEN = 512,
    AT_DISCOVERY = 1024,
    AT_VALIDATE = 2048,
    AT_NOTIFY_SUCCESS = 4096,
    AT_NOTIFY_FAILURE = 8192,
    AT_CCP_DISCOVERY = 1 << 14,
    AT_ENROLL = 1 << 15,
    AT_RENEW = 1 << 16,
    AT_METADATA = 1 << 17,
    AT_DEVICE_CODE = 1 << 18,
    AT_POLL = 1 << 19,  /* of a device code */
    AT_LOGIN = 1 << 20, /* client credentials */
    AT_ISSUE = AT_SUBMIT | AT_EST,
    AT_ADCS = AT_SUBMIT | AT_FETCH,
    AT_LEASED = AT_DOWNLOAD | AT_UPLOAD | AT_EXTEND,
    AT_CLOUD = AT_DOWNLOAD | AT_UPLOAD | AT_EXTEND | AT_RELEASE | AT_HEARTBEAT | AT_CCP_DISCOVERY
               | AT_ENROLL | AT_RENEW,
    AT_GRANT = AT_POLL | AT_LOGIN,
    AT_SIGN_IN = AT_METADATA | AT_DEVICE_CODE | AT_GRANT,
    AT_IDENTITY = AT_ENROLL | AT_RENEW,
    AT_SCEP = AT_VALIDATE | AT_NOTIFY_SUCCESS | AT_NOTIFY_FAILURE,
    AT_INTUNE = AT_TOKEN | AT_DISCOVERY | AT_SCEP,
    AT_JSON = AT_CLOUD | AT_INTUNE | AT_SIGN_IN,
    AT_ALL = AT_ADCS | AT_EST | AT_EST_CACERTS | AT_CLOUD | AT_INTUNE | AT_SIGN_IN
};

#define FAULTS(X)                                                        \
    X(HTTP_500, "http-500", AT_ALL, NULL, 0)                             \
    X(HTTP_503, "http-503", AT_ALL, "retryAfter", -1)                    \
    X(HTTP_429, "http-429", AT_ALL, "retryAfter", -1)                    \
    X(HTTP_401, "http-401", AT_ALL, NULL, 0)                             \
    X(HTTP_403, "http-403", AT_ALL, NULL, 0)                             \
    X(HTML, "html", AT_ALL, NULL, 0)                                     \
    X(REDIRECT, "redirect", AT_ALL, NULL, 0)                             \
    X(DROP_BEFORE, "drop-before", AT_ALL, NULL, 0)                       \
    X(DROP_AFTER, "drop-after", AT_ALL, NULL, 0)                         \
    X(LOST_TWICE, "lost-answer-twice", AT_ALL, NULL, 0)                  \
    X(TRUNCATE, "truncate", AT_ALL, "bytes", 10)                         \
    X(GARBAGE, "garbage", AT_ALL, NULL, 0)                               \
    X(DELAY, "delay", AT_ALL, "ms", 1000)                                \
    X(BAD_JSON, "bad-json", AT_JSON, NULL, 0)                            \
    X(DUPLICATE, "duplicate-member", AT_JSON, NULL, 0)                   \
    X(STALE_LEASE, "stale-lease", AT_LEASED, NULL, 0)                    \
    X(WRONG_KEY, "wrong-key", AT_ISSUE | AT_IDENTITY, NULL, 0)           \
    X(WRONG_SUBJECT, "wrong-subject", AT_ISSUE, NULL, 0)                 \
    X(WRONG_SAN, "wrong-san", AT_ISSUE, NULL, 0)                         \
    X(NO_SAN, "no-san", AT_ISSUE, NULL, 0)                               \
    X(EXTRA_EKU, "extra-eku", AT_ISSUE, NULL, 0)                         \
    X(CA_TRUE, "ca-true", AT_ISSUE, NULL, 0)                             \
    X(LONG_VALIDITY, "long-validity", AT_ISSUE, NULL, 0)                 \
    X(EXPIRED, "expired", AT_ISSUE | AT_IDENTITY, NULL, 0)               \
    X(OTHER_ISSUER, "other-issuer", AT_ISSUE | AT_METADATA, NULL, 0)     \
    X(PENDING, "pending", AT_ISSUE, "polls", 2)                          \
    X(DENY, "deny", AT_ISSUE, "hresult", 0x80094012)                     \
    X(LIE_FAILURE, "lie-failure", AT_ISSUE, NULL, 0)                     \
    X(FORGET, "forget", AT_FETCH | AT_EST, NULL, 0)                      \
    X(GERMAN, "german", AT_ADCS, NULL, 0)                                \
    X(INTUNE_CODE, "intune-code", AT_SCEP, "code", 1)                    \
    X(MOVED, "moved", AT_SCEP, NULL, 0)                                  \
    X(TOKEN_EXPIRED, "token-expired", AT_SCEP, NULL, 0)                  \
    X(TOKEN_SHORT, "token-short", AT_TOKEN, "seconds", 1)                \
    X(CLIENT_UNKNOWN, "client-unknown", AT_TOKEN, NULL, 0)               \
    X(SERVICE_TWICE, "service-twice", AT_DISCOVERY, "first", 0)          \
    X(SERVICE_NAME, "service-name", AT_DISCOVERY, NULL, 0)               \
    X(NO_SERVICE, "no-service", AT_DISCOVERY, NULL, 0)                   \
    X(NOT_FOUND, "not-found", AT_METADATA | AT_CCP_DISCOVERY, NULL, 0)   \
    X(NO_ISSUER, "no-issuer", AT_CCP_DISCOVERY, NULL, 0)                 \
    X(PLAIN_HTTP, "plain-http", AT_METADATA | AT_CCP_DISCOVERY, NULL, 0) \
    X(NO_DEVICE, "no-device-flow", AT_METADATA, NULL, 0)                 \
    X(ONLY_BASIC, "only-basic", AT_METADATA, NULL, 0)                    \
    X(ONLY_RS256, "only-rs256", AT_METADATA, NULL, 0)                    \
    X(ENTRA, "entra", AT_DEVICE_CODE, NULL, 0)                           \
    X(NO_INTERVAL, "no-interval", AT_DEVICE_CODE, NULL, 0)               \
    X(INTERVAL, "interval", AT_DEVICE_CODE, "seconds", 5)                \
    X(CODE_LIFE, "code-life", AT_DEVICE_CODE, "seconds", 3)              \
    X(APPROVED, "approved", AT_DEVICE_CODE, "polls", 1)                  \
    X(AUTH_PENDING, "authorization-pending", AT_POLL, NULL, 0)           \
    X(SLOW_DOWN, "slow-down", AT_POLL, NULL, 0)                          \
    X(ACCESS_DENIED, "access-denied", AT_GRANT, NULL, 0)                 \
    X(DECLINED, "authorization-declined", AT_POLL, NULL, 0)              \
    X(EXPIRED_TOKEN, "expired-token", AT_POLL, NULL, 0)                  \
    X(BAD_CODE, "bad-verification-code", AT_POLL, NULL, 0)               \
    X(INVALID_GRANT, "invalid-grant", AT_GRANT, NULL, 0)                 \
    X(AADSTS, "aadsts", AT_DEVICE_CODE | AT_GRANT, "code", 53003)        \
    X(SHORT_TOKEN, "short-token", AT_GRANT, "seconds", 1)                \
    X(NO_LICENCE, "no-licence", AT_ENROLL, NULL, 0)                      \
    X(OTHER_AGENT, "other-agent", AT_RENEW, NULL, 0)                     \
    X(ODD_METHOD, "odd-method", AT_IDENTITY, NULL, 0)                    \
    X(DATE, "date", AT_ALL, "seconds", 3600)

enum fault_what {
#define X(id, name, at, arg, value) FAULT_##id,
    FAULTS(X)
#undef X
        FAULT_COUNT
};
_Static_assert(FAULT_COUNT <= 64, "struct hit is one bit for each");

/* What hits one call: a set of faults, each with its argument. */
struct hit {
    uint64_t set;
    int64_t argument[FAULT_COUNT];
};
bool hit_has(const struct hit *h, enum fault_what what);

struct faults;
/* faults_standing - is this one armed, wherever?  It is not counted down: for what every answer has. */
bool faults_standing(const struct faults *f, enum fault_what what, int64_t *argument);
struct faults *faults_new(struct ledger *l, struct prng *r);
void faults_free(struct faults *f);

/* faults_add - from the command's JSON.  false: `why` lists what there is; nothing was added */
bool faults_add(struct faults *f, struct json_object *command, struct str *why);
void faults_clear(struct faults *f);
void faults_list(const struct faults *f, struct str *json);
bool faults_any(const struct faults *f, unsigned at); /* is one armed there at all? */

/*
 * faults_take - which faults hit a call at `at` (one AT_ bit)?  Counts them down, writes them to the
 * ledger.  subject: common names and request ids of the call, for `match`; "" if it has none.
 */
void faults_take(struct faults *f, unsigned at, const char *subject, struct hit *h);
#endif
