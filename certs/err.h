#ifndef CERTS_ERR_H
#define CERTS_ERR_H
#include <stdbool.h>
#include <stdint.h>

/*
 * err.h - how a function says why it failed.
 *
 * A function that can fail returns 0 or -1 and takes `struct err *e` last, never NULL.  On -1, *e is
 * filled once, where the fault was first seen, and every out-parameter is as it was before the call.
 * On 0, *e is untouched.  The class, never the text, decides what the caller does next.
 *
 * Columns: identifier, text for people, what to do about it:
 *   AGAIN   the same attempt may succeed later: back off and retry
 *   HOLD    it will not mend itself soon: say so loudly, retry rarely, never give the request up
 *   FAIL    this request can never succeed: report the failure
 */
#define ERR_CLASSES(X)                                                                           \
    X(ERR_NOMEM, "out of memory", AGAIN)                                                         \
    X(ERR_NET, "no usable answer", AGAIN)       /* connect, DNS, timeout, cut, HTTP 5xx     */   \
    X(ERR_BUSY, "peer asked us to wait", AGAIN) /* HTTP 429, 503                            */   \
    X(ERR_INTERCEPTED, "answer came from something in between",                                  \
        AGAIN) /* portal, proxy page     */                                                      \
    X(ERR_STORE, "local store failed", AGAIN)                                                    \
    X(ERR_TRUST, "peer's certificate is not trusted", HOLD)                                      \
    X(ERR_AUTH, "our credentials were refused", HOLD)     /* HTTP 401                         */ \
    X(ERR_FORBIDDEN, "peer does not allow us this", HOLD) /* HTTP 403                         */ \
    X(ERR_PROXY, "the proxy refused", HOLD)               /* HTTP 407 or CONNECT failed       */ \
    X(ERR_PROXY_DOWN, "the proxy does not answer", AGAIN) /* closed port, no answer, restart  */ \
    X(ERR_CONFIG, "the configuration does not fit", HOLD) /* redirect, wrong URL            */   \
    X(ERR_OPERATOR, "needs an administrator's decision", HOLD)                                   \
    X(ERR_INPUT, "request is not valid", FAIL)                                                   \
    X(ERR_VARIABLE, "a variable of the subject has no value", FAIL)                              \
    X(ERR_UNSUPPORTED, "not supported", FAIL)                                                    \
    X(ERR_TOO_LARGE, "too large", FAIL) /* HTTP 413, 414, 431               */                   \
    X(ERR_PROTO, "peer broke the protocol", FAIL)                                                \
    X(ERR_DENIED, "the CA refused the request", FAIL)                                            \
    X(ERR_TEMPLATE, "the CA does not offer the template", FAIL)                                  \
    X(ERR_CHALLENGE, "the challenge was refused", FAIL)                                          \
    X(ERR_MISMATCH, "certificate is not what was asked for", FAIL)                               \
    X(ERR_EXPIRED, "the request's time is over", FAIL)                                           \
    X(ERR_GONE, "the peer no longer knows the request",                                          \
        FAIL) /* HTTP 404, 410                   */                                              \
    X(ERR_CONFLICT, "another connector holds the request",                                       \
        FAIL) /* HTTP 409                     */                                                 \
    X(ERR_CRYPTO, "cryptographic library failed", FAIL)

enum err_class {
    ERR_NONE,
#define X(id, text, action) id,
    ERR_CLASSES(X)
#undef X
        ERR_CLASS_COUNT
};

enum err_action { ERR_DO_NOTHING, ERR_DO_AGAIN, ERR_DO_HOLD, ERR_DO_FAIL };

struct err {
    enum err_class cls;
    uint32_t
        number; /* the number the origin gave: HTTP status, HRESULT, errno of a file; 0 = none */
    const char *where; /* "file.c:123", static */
    char msg[200];     /* UTF-8 for people; no secrets, no control characters, no newline */
};

#define MUST __attribute__((warn_unused_result))

/* err_set - fill *e and return -1, so that `return err_set(e, ...)` is a whole error path. */
#define err_set(e, cls, ...) err_set_at((e), (cls), __FILE__ ":" ERR_STR(__LINE__), __VA_ARGS__)
int err_set_at(struct err *e, enum err_class cls, const char *where, const char *fmt, ...)
    __attribute__((format(printf, 4, 5)));

/* err_hresult - the number, if it is an HRESULT of a failure; an HTTP status, an errno, NULL: 0 */
uint32_t err_hresult(const struct err *e);

/* err_wrap - put "prefix: " before the message of *e; class, number and place stay.  Returns -1. */
int err_wrap(struct err *e, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

enum err_action err_action(enum err_class cls); /* what its row in the table says */
const char *err_name(enum err_class cls);       /* "ERR_NET"; never NULL */
const char *err_text(enum err_class cls);       /* "no usable answer"; never NULL */

/*
 * err_clean - make `text` fit for a log or a terminal: control characters, C1 controls, direction
 * overrides and bytes that are not UTF-8 become '?'.  In place.  Everything in err.msg passed it.
 */
void err_clean(char *text);

#define ERR_STR(x)  ERR_STR_(x)
#define ERR_STR_(x) #x
#endif
