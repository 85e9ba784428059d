#ifndef PROTO_CCP_H
#define PROTO_CCP_H
#include "certs/cms.h"
#include "certs/p12.h"
#include "certs/template.h"
#include "proto/http.h"
#include "proto/json.h"

/*
 * ccp.h - CCP/1, the Certificate Connector Protocol: messages between connector and policy cloud.
 * The protocol is proto/ccp.md; its OpenAPI description is proto/ccp.openapi.yaml.
 *
 * One function a message: ccp_*_write makes a request's body, ccp_*_parse reads an answer.
 * Threads: pure.
 */
enum {
    CCP_BATCH_MAX = 4 << 20,  /* bytes of one answer */
    CCP_ITEM_MAX = 256 << 10, /* bytes of one item */
    CCP_REQUESTS_MAX = 100,   /* items in one download */
    CCP_WAIT_MAX_S = 60,      /* longest long poll */
    CCP_ID_LEN = 36           /* a GUID as text */
};

enum ccp_type {
    CCP_TYPE_NONE,
    CCP_PKCS_ISSUE,
    CCP_PKCS_RECRYPT,
    CCP_PFX_IMPORT_RECRYPT,
    CCP_REVOKE
};

const char *ccp_type_name(enum ccp_type t); /* "pkcsIssue"; "unknown" for CCP_TYPE_NONE */
enum ccp_type ccp_type_from_name(const char *name);

/* What every item has, enough to store it, lease it and refuse it. */
struct ccp_head {
    char id[CCP_ID_LEN + 1];  /* requestId, lower case */
    char type_name[40];       /* as sent */
    enum ccp_type type;       /* CCP_TYPE_NONE: unknown to us */
    char lease[64];           /* leaseId, "" if the cloud has none */
    int64_t lease_expires_at; /* 0 = none */
    int64_t attempt;
    int64_t created_at, expires_at; /* UTC seconds; expires 0 = never */
};

struct ccp_item {
    struct ccp_head head;
    char *context; /* requestContext, echoed */
    char *tenant_id, *user_id, *device_id;
    char *profile_id, *profile_name, *platform;
    int64_t profile_version;
    bool machine_store; /* certificateStore = machine */

    /* parameters of pkcsIssue */
    char *ca_host; /* certificationAuthority */
    char *ca_name; /* certificationAuthorityName */
    struct template template;
    char *key_storage_provider; /* as named by CCP, NULL if absent */
    bool key_exportable;
    char *friendly_name;
    char *renewal_of_serial;

    /* delivery */
    bool blob_to_device;   /* else passwordToDevice */
    struct buf recipients; /* DER certificates, one behind the other, 1..10 */
    size_t recipient_count;
    enum cms_content content;
    enum cms_transport transport;
    char pfx_profile[16]; /* "auto", "modern", "compat" */
    bool escrow;
};

/*
 * ccp_download_write - body of POST requests/download.
 * types    request types asked for; group may be NULL
 */
void ccp_download_write(struct buf *out, unsigned max_requests, const enum ccp_type *types,
    size_t type_count, const char *group, unsigned wait_s);

/*
 * ccp_download_parse - the answer, item by item.
 *
 * each     called once for every element of `value`, in order, with its head and its own JSON text.
 *          A malformed element still calls: `head` has what could be read and `bad` says what is
 *          wrong; without a usable requestId head->id is "" and only a log line can come of it.  Of an
 *          element over CCP_ITEM_MAX (ERR_TOO_LARGE) the JSON text is that of its head alone.  A request
 *          type we do not know is not malformed: ccp_item_parse refuses it.
 * poll_after_s  pollAfterSeconds, at most a day; -1 if absent
 * fails    ERR_PROTO, ERR_TOO_LARGE the answer as a whole is not one; `each` was then never called
 *          ERR_NOMEM memory ran out in the middle: what `each` was not called for comes again when its
 *          lease ends
 */
typedef void ccp_item_fn(
    void *arg, const struct ccp_head *head, struct view json, const struct err *bad);
int ccp_download_parse(
    struct view body, ccp_item_fn *each, void *arg, int64_t *poll_after_s, struct err *e) MUST;

/*
 * ccp_item_parse - one pkcsIssue item in full, from the JSON text that download gave.
 *
 * out      empty before; the caller frees it with ccp_item_free, after a failure too: the head and
 *          what was understood stay in it, for the report
 * fails    ERR_UNSUPPORTED an enum value or a request type we do not know; the message names the member, the
 *                          value and what is supported
 *          ERR_INPUT       a value that template.h refuses, a control character, no recipient, a name that
 *                          only the device asserts in a certificate that can log on ...
 *          ERR_VARIABLE    a subject or SAN variable has no value
 *          ERR_PROTO       missing member, wrong type, too long
 *          ERR_TOO_LARGE   over CCP_ITEM_MAX
 */
int ccp_item_parse(struct view json, struct ccp_item *out, struct err *e) MUST;
void ccp_item_free(struct ccp_item *item);

/* A lease operation on several requests: POST requests/extend, requests/release. */
struct ccp_lease {
    const char *id, *lease;
};
void ccp_leases_write(struct buf *out, const struct ccp_lease *leases, size_t count);

/* ccp_leases_parse - the answer to extend: for each request its new expiry (0: it is lost, and error_code
 * says why; else error_code is NULL).  On failure nothing was called. */
typedef void ccp_lease_fn(
    void *arg, const char *id, int64_t lease_expires_at, const char *error_code);
int ccp_leases_parse(struct view body, ccp_lease_fn *each, void *arg, struct err *e) MUST;

/* The result of one request. */
struct ccp_result {
    const struct ccp_head *head; /* id and type_name; the lease comes with the upload */
    const char *context;         /* echoed; NULL = none */
    const char *issuance_state; /* "issued", "issuePending", "issueFailed", "requestSubmitFailed" */
    const char *activity_id;    /* GUID of this job, for both sides' logs */
    const struct err *why;      /* NULL = succeeded, or still pending */

    /* after issuance */
    struct view chain; /* DER, leaf first */
    const char *thumbprint, *serial;
    int64_t not_after_at;
    const char *ca;           /* certificateAuthority: the name in our configuration */
    const char *issuing_ca;   /* the issuer's name as text */
    struct view pfx;          /* the PKCS#12, or with blobToDevice the CMS around it */
    struct view pfx_password; /* CMS with the password; empty with blobToDevice */
    const char *recipient_thumbprint, *profile;
};

/*
 * ccp_result_write - one element of `results`: the bytes that are stored and posted unchanged.  The
 * leaseId is not among them: it may be another one when they are posted again.  A chain that is no list
 * of DER values turns out bad (ERR_PROTO).
 */
void ccp_result_write(struct buf *out, const struct ccp_result *r);

/* ccp_upload_write - body of POST results/upload: one stored result under the lease held now ("" or
 * NULL: none).  A result that ccp_result_write did not make turns out bad (ERR_PROTO). */
void ccp_upload_write(struct buf *out, const char *lease, struct view result);

/*
 * ccp_upload_parse - the answer.  0: recorded.
 *
 * fails    the class of the errorCode the result was rejected with: ERR_CONFLICT (stale lease), ERR_GONE ...,
 *          ERR_INPUT for a code we do not know; the message has the code
 *          ERR_NET   not recorded (`value` is not true): post again
 *          ERR_PROTO not an answer
 */
int ccp_upload_parse(struct view body, const char *id, struct err *e) MUST;

struct ccp_metric {
    const char *name;
    int64_t success, failure;
};
struct ccp_own_certificate {
    const char *purpose; /* "cloud", "ca", "scepRa" */
    int64_t not_after_at;
};
struct ccp_heartbeat {
    const char *agent_id, *state, *version, *epoch;
    int64_t counter;
    const enum ccp_type *features; /* NULL: pkcsIssue alone */
    size_t feature_count;
    const struct ccp_own_certificate *certificates;
    size_t certificate_count;
    const struct ccp_metric *metrics;
    size_t metric_count;
    const char *
        audit_head; /* SHA-256 of the last record of the audit log, 64 hexadecimal digits, large or small; NULL: none */
    int64_t audit_count; /* records in it */
};
struct ccp_heartbeat_reply {
    int64_t poll_after_s;    /* -1 = not said */
    int64_t highest_counter; /* -1 = not said */
    char min_version[32];    /* "" = not said */
};
void ccp_heartbeat_write(struct buf *out, const struct ccp_heartbeat *h);
int ccp_heartbeat_parse(struct view body, struct ccp_heartbeat_reply *out, struct err *e) MUST;

/*
 * ccp_judge - http_judge for a CCP answer: JSON only, and for an error status the code and message
 * of its {"error": ...} body, if it has one, in *e, with the class the code stands for.
 */
int ccp_judge(const struct http_reply *r, struct err *e) MUST;

/*
 * ccp_headers - the headers of every request: content type, ccp-version, client-request-id and
 * traceparent, both from activity_id (a GUID).
 * storage  filled; the header values point into it
 */
struct ccp_headers {
    char traceparent[64];
};
void ccp_headers(struct http_req *q, const char *activity_id, struct ccp_headers *storage);

/* ccp_error_code - the name CCP gives a failure: "PolicyMismatch"; number (may be NULL) 4012.
 * e == NULL is "None", 0. */
const char *ccp_error_code(const struct err *e, int *number);

/* ccp_code_class - the class of a code that a peer sent, by name or by number as text; ERR_NONE: a
 * code we do not know. */
enum err_class ccp_code_class(const char *code);

bool guid_ok(const char *text); /* 8-4-4-4-12 hexadecimal digits */
#endif
