/* see ccp.h: names, errors, headers */
#include "proto/ccp.h"
#include <assert.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

/* ---- names ---- */

const char *ccp_type_name(enum ccp_type t)
{
    static const char *const names[] = {
        [CCP_TYPE_NONE] = "unknown",
        [CCP_PKCS_ISSUE] = "pkcsIssue",
        [CCP_PKCS_RECRYPT] = "pkcsRecrypt",
        [CCP_PFX_IMPORT_RECRYPT] = "pfxImportRecrypt",
        [CCP_REVOKE] = "revokeCertificate",
    };

    return (size_t)t < sizeof names / sizeof names[0] ? names[t] : names[CCP_TYPE_NONE];
}

enum ccp_type ccp_type_from_name(const char *name)
{
    for (enum ccp_type t = CCP_PKCS_ISSUE; t <= CCP_REVOKE; t++)
        if (strcmp(name, ccp_type_name(t)) == 0)
            return t;
    return CCP_TYPE_NONE;
}

bool guid_ok(const char *text)
{
    static const char hex[] = "0123456789abcdefABCDEF";

    for (size_t i = 0; i < CCP_ID_LEN; i++) {
        bool dash = i == 8 || i == 13 || i == 18 || i == 23;

        if (text[i] == '\0' || (dash ? text[i] != '-' : strchr(hex, text[i]) == NULL))
            return false;
    }
    return text[CCP_ID_LEN] == '\0';
}

/* ---- errors ---- */

/*
 * Every code of CCP/1: its number, its name, and the class a peer's use of it has for us.  Below the
 * classes of err.h with the code each of them is reported as.
 */
#define CCP_CODES(X)                                 \
    X(0, None, ERR_NONE)                             \
    X(4000, NonRetryableServiceException, ERR_INPUT) \
    X(4001, DataSerializationError, ERR_INPUT)       \
    X(4002, ParameterDataInvalidError, ERR_INPUT)    \
    X(4003, CryptographyError, ERR_INPUT)            \
    X(4004, CertificateNotFoundError, ERR_GONE)      \
    X(4005, ConflictError, ERR_CONFLICT)             \
    X(4006, NotSupportedError, ERR_UNSUPPORTED)      \
    X(4007, PayloadTooLargeError, ERR_TOO_LARGE)     \
    X(4008, IssuancePending, ERR_INPUT)              \
    X(4009, DeniedByCA, ERR_DENIED)                  \
    X(4010, TemplateNotFound, ERR_TEMPLATE)          \
    X(4011, VariableMissing, ERR_VARIABLE)           \
    X(4012, PolicyMismatch, ERR_MISMATCH)            \
    X(4100, RetryableServiceException, ERR_NET)      \
    X(4101, ServiceUnavailableException, ERR_NET)    \
    X(4102, ServiceTooBusyException, ERR_BUSY)       \
    X(4103, AuthenticationException, ERR_AUTH)       \
    X(4104, CAUnreachable, ERR_NET)

#define CCP_CLASSES(X)                           \
    X(ERR_NONE, None)                            \
    X(ERR_NOMEM, RetryableServiceException)      \
    X(ERR_NET, CAUnreachable)                    \
    X(ERR_BUSY, ServiceTooBusyException)         \
    X(ERR_INTERCEPTED, CAUnreachable)            \
    X(ERR_STORE, RetryableServiceException)      \
    X(ERR_TRUST, ServiceUnavailableException)    \
    X(ERR_AUTH, AuthenticationException)         \
    X(ERR_FORBIDDEN, AuthenticationException)    \
    X(ERR_PROXY, CAUnreachable)                  \
    X(ERR_PROXY_DOWN, CAUnreachable)             \
    X(ERR_CONFIG, ServiceUnavailableException)   \
    X(ERR_OPERATOR, ServiceUnavailableException) \
    X(ERR_INPUT, ParameterDataInvalidError)      \
    X(ERR_VARIABLE, VariableMissing)             \
    X(ERR_UNSUPPORTED, NotSupportedError)        \
    X(ERR_TOO_LARGE, PayloadTooLargeError)       \
    X(ERR_PROTO, DataSerializationError)         \
    X(ERR_DENIED, DeniedByCA)                    \
    X(ERR_TEMPLATE, TemplateNotFound)            \
    X(ERR_CHALLENGE, DeniedByCA)                 \
    X(ERR_MISMATCH, PolicyMismatch)              \
    X(ERR_EXPIRED, NonRetryableServiceException) \
    X(ERR_GONE, CertificateNotFoundError)        \
    X(ERR_CONFLICT, ConflictError)               \
    X(ERR_CRYPTO, CryptographyError)

enum code {
#define X(number, name, cls) CODE_##name,
    CCP_CODES(X)
#undef X
        CODE_COUNT
};
enum {
#define X(cls, name) ROW_##cls,
    CCP_CLASSES(X)
#undef X
        ROW_COUNT
};
_Static_assert((int)ROW_COUNT == (int)ERR_CLASS_COUNT, "a class of err.h has no CCP code");

static const struct {
    int number;
    const char *name;
    enum err_class cls;
} codes[CODE_COUNT] = {
#define X(number, name, cls) [CODE_##name] = { number, #name, cls },
    CCP_CODES(X)
#undef X
};

static const enum code code_of[ERR_CLASS_COUNT] = {
#define X(cls, name) [cls] = CODE_##name,
    CCP_CLASSES(X)
#undef X
};

const char *ccp_error_code(const struct err *e, int *number)
{
    enum code c = CODE_None;

    if (e != NULL)
        c = (unsigned)e->cls < ERR_CLASS_COUNT ? code_of[e->cls]
                                               : CODE_NonRetryableServiceException;
    if (number != NULL)
        *number = codes[c].number;
    return codes[c].name;
}

/* By name, or by number as text, which some implementations of the same interface send. */
enum err_class ccp_code_class(const char *code)
{
    char number[8];

    for (size_t i = 1; i < CODE_COUNT; i++) {
        (void)snprintf(number, sizeof number, "%d", codes[i].number);
        if (strcmp(code, codes[i].name) == 0 || strcmp(code, number) == 0)
            return codes[i].cls;
    }
    return ERR_NONE;
}

/* ---- answers ---- */

enum { ERROR_BODY_MAX = 64 << 10, SHOWN = 100 };

/* The code may narrow what the status says, but a refused login stays one, whatever else is said. */
static bool status_decides(int status)
{
    return status < 400 || status == 401 || status == 403 || status == 407;
}

/* What the body of an error status adds; without a usable one *e stays as it was. */
static void add_error_body(const struct http_reply *r, struct err *e)
{
    struct err ignored;
    struct json *root = json_parse(r->body, ERROR_BODY_MAX, &ignored);
    const struct json *error = root != NULL ? json_get(root, "error") : NULL;
    const char *code = error != NULL ? json_string(json_get(error, "code")) : NULL;
    const char *message = error != NULL ? json_string(json_get(error, "message")) : NULL;
    enum err_class cls;

    if (code != NULL) {
        cls = status_decides(r->status) ? ERR_NONE : ccp_code_class(code);
        err_set(e, cls != ERR_NONE ? cls : e->cls, "HTTP %d: %.60s%s%.*s", r->status, code,
            message != NULL ? ": " : "", SHOWN, message != NULL ? message : "");
        e->number = (uint32_t)r->status;
    }
    json_free(root);
}

int ccp_judge(const struct http_reply *r, struct err *e)
{
    static const char *const json[] = { "application/json", NULL };

    if (http_judge(r, json, e) == 0)
        return 0;
    if (r->status >= 400 && r->content_type != NULL && http_type_is(r->content_type, json[0]))
        add_error_body(r, e);
    return -1;
}

/* ---- headers ---- */

static void add_header(struct http_req *q, const char *name, const char *value)
{
    assert(q->header_count < HTTP_HEADER_MAX);
    q->header[q->header_count++] = (struct http_header){ name, value };
}

/*
 * traceparent is 00-<trace id: 32 digits>-<parent id: 16 digits>-<flags>.  Both ids come from the GUID,
 * so that either header finds the request in either side's logs.  W3C forbids an id of zeros; a
 * random GUID (version 4) has none.
 */
void ccp_headers(struct http_req *q, const char *activity_id, struct ccp_headers *storage)
{
    char digits[33];
    size_t count = 0;

    assert(guid_ok(activity_id));
    for (const char *p = activity_id; *p != '\0'; p++)
        if (*p != '-')
            digits[count++] = (char)(*p >= 'A' && *p <= 'F' ? *p | 0x20 : *p);
    digits[count] = '\0';
    (void)snprintf(
        storage->traceparent, sizeof storage->traceparent, "00-%s-%s-01", digits, digits + 16);
    add_header(q, "content-type", "application/json; charset=utf-8");
    add_header(q, "accept", "application/json");
    add_header(q, "ccp-version", "1");
    add_header(q, "client-request-id", activity_id);
    add_header(q, "traceparent", storage->traceparent);
}
