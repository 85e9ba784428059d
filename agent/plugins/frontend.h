#ifndef PLUGINS_FRONTEND_H
#define PLUGINS_FRONTEND_H
#include <strings.h>
#include "agent/plugins/kit.h"

/*
 * frontend.h - the messages of ScepRequestValidationFEService, which Intune and CCP clouds share.
 *
 *   validate  {"request":{transactionId, certificateRequest, callerInfo}}
 *   success   {"notification":{those, certificateThumbprint, certificateSerialNumber,
 *             certificateExpirationDateUtc, issuingCertificateAuthority, caConfiguration, certificateAuthority}}
 *   failure   {"notification":{those, hResult, errorDescription}}
 *   answer    {"code", "errorDescription"}: anything but "Success" is a refusal
 */
enum { FRONTEND_BODY = 128 << 10, FRONTEND_ANSWER = 32 << 10 };

struct frontend_self {            /* what a message says of us */
    const char *caller;           /* product and version */
    const char *ca_configuration; /* "" = the title of the ca section */
};

/* ---- codes ------------------------------------------------------------------------------------------------ */

enum { /* HRESULTs that Windows turns into words; ADMIN_DENIED is "denied by the policy" */
    FRONTEND_ADMIN_DENIED = 0x80094014,
    FRONTEND_NO_CHALLENGE = 0x80096004,
    FRONTEND_NOT_FOUND = 0x80070490,
    FRONTEND_BAD_SUBJECT = 0x80094001,
    FRONTEND_KEY_LENGTH = 0x80094811,
    FRONTEND_FAILED = 0x80004005,
};

static inline void frontend_refusal(const char *code, struct certferry_verdict *v)
{
    static const struct {
        const char *code;
        enum certferry_fail fail;
        uint32_t hresult;
    } rows[] = { /* every other one, also one that we do not know, is the default below */
        { "CertificateRequestDecodingFailed", CERTFERRY_BAD_MESSAGE_CHECK, FRONTEND_ADMIN_DENIED },
        { "SignatureValidationFailed", CERTFERRY_BAD_MESSAGE_CHECK, FRONTEND_ADMIN_DENIED },
        { "ChallengePasswordMissing", CERTFERRY_BAD_REQUEST, FRONTEND_NO_CHALLENGE },
        { "ChallengeInvalidTimestamp", CERTFERRY_BAD_TIME, FRONTEND_ADMIN_DENIED },
        { "ChallengeExpired", CERTFERRY_BAD_TIME, FRONTEND_NOT_FOUND },
        { "SubjectNameMissing", CERTFERRY_BAD_REQUEST, FRONTEND_BAD_SUBJECT },
        { "SubjectNameMismatch", CERTFERRY_BAD_REQUEST, FRONTEND_BAD_SUBJECT },
        { "KeyLengthMismatch", CERTFERRY_BAD_ALG, FRONTEND_KEY_LENGTH }
    };

    v->fail = CERTFERRY_BAD_REQUEST;
    v->hresult = FRONTEND_ADMIN_DENIED;
    for (size_t i = 0; i < KIT_COUNT(rows); i++)
        if (strcmp(code, rows[i].code) == 0) {
            v->fail = rows[i].fail;
            v->hresult = rows[i].hresult;
        }
}

/* frontend_judge - a 200's body.  1: it says Success.  0: another code, v is DENY with it.  -1: none, DENY as well */
static inline int frontend_judge(
    const struct certferry_host *h, const char *json, struct certferry_verdict *v)
{
    char code[80], text[300], why[400];

    if (json == NULL || h->json_get(h->ctx, json, "code", code, sizeof code) <= 0) {
        kit_deny(v, "the answer has no code", NULL);
        return -1;
    }
    if (strcmp(code, "Success") == 0)
        return 1;
    if (h->json_get(h->ctx, json, "errorDescription", text, sizeof text) <= 0)
        text[0] = '\0';
    (void)snprintf(why, sizeof why, "%s%s%s", code, text[0] != '\0' ? ": " : "", text);
    kit_deny(v, why, NULL);
    frontend_refusal(code, v);
    return 0;
}

/* ---- what a status means ---------------------------------------------------------------------------------------- */

enum frontend_answer {
    FRONTEND_OK,        /* 200 */
    FRONTEND_TOKEN,     /* 401: the host has dropped the token */
    FRONTEND_FORBIDDEN, /* 403: somebody has to grant something */
    FRONTEND_GONE,      /* no answer, or nobody there: the service may have moved */
    FRONTEND_BUSY,      /* later */
    FRONTEND_NEVER,     /* the same again would be answered the same */
};

static inline enum frontend_answer frontend_status(int status)
{
    switch (status) {
    case 200:
        return FRONTEND_OK;
    case 401:
        return FRONTEND_TOKEN;
    case 403:
        return FRONTEND_FORBIDDEN;
    case -1:
    case 404:
    case 421:
        return FRONTEND_GONE;
    case 408:
    case 429:
        return FRONTEND_BUSY;
    default:
        if (status >= 300
            && status < 400) /* a redirection is an address that is not right any more */
            return FRONTEND_GONE;
        return status >= 500 ? FRONTEND_BUSY : FRONTEND_NEVER;
    }
}

/* frontend_page - a 200 that is no JSON: somebody in between has answered, and says nothing about the request. */
static inline bool frontend_page(const struct certferry_reply *reply)
{
    return strncasecmp(reply->content_type, "application/json", 16) != 0;
}

/* frontend_told - Retry-After, else the RetryAfter inside error.message, which is JSON in a string; -1: neither */
static inline int64_t frontend_told(
    const struct certferry_host *h, const struct certferry_reply *reply, const char *json)
{
    char inner[4096], number[24], *end;
    long n;

    if (reply->retry_after_s >= 0)
        return reply->retry_after_s;
    if (json == NULL || h->json_get(h->ctx, json, "error.message", inner, sizeof inner) <= 0
        || h->json_get(h->ctx, inner, "RetryAfter", number, sizeof number) <= 0)
        return -1;
    n = strtol(number, &end, 10);
    return *end == '\0' && n > 0 ? n : -1;
}

static inline int64_t frontend_wait(
    const struct certferry_host *h, const struct certferry_reply *reply, const char *json)
{
    int64_t told_s = frontend_told(h, reply, json);

    return told_s >= 0 ? told_s : 30;
}

/* "HTTP 503", or what hindered an answer */
static inline const char *frontend_says(const struct certferry_reply *reply, char *out, size_t size)
{
    if (reply->status < 0)
        (void)snprintf(out, size, "no answer: %s", reply->error);
    else
        (void)snprintf(out, size, "HTTP %d", reply->status);
    return out;
}

/* ---- bodies: kit_text.cut tells whether it fitted ------------------------------------------------------------------ */

static inline void frontend_begin(struct kit_text *t, const struct certferry_host *h,
    const char *name, const struct certferry_request *r, const struct frontend_self *self)
{
    kit_add(t, "{");
    kit_quote(t, h, name);
    kit_add(t, ":{");
    kit_member(t, h, "transactionId", r->transaction_id);
    kit_member_base64(t, h, "certificateRequest", r->pkcs10);
    kit_member(t, h, "callerInfo", self->caller);
}

static inline void frontend_validate(struct kit_text *t, const struct certferry_host *h,
    const struct certferry_request *r, const struct frontend_self *self)
{
    frontend_begin(t, h, "request", r, self);
    kit_add(t, "}}");
}

/* Cut between characters: the other side counts, and refuses what is longer. */
static inline void frontend_short(struct kit_text *t, const struct certferry_host *h,
    const char *name, const char *value, size_t max)
{
    char text[512];

    (void)snprintf(text, max + 2 < sizeof text ? max + 2 : sizeof text, "%s", value);
    kit_clean(text, max + 1);
    kit_member(t, h, name, text);
}

static inline void frontend_notification(struct kit_text *t, const struct certferry_host *h,
    const struct certferry_request *r, const struct certferry_outcome *o,
    const struct frontend_self *self)
{
    char at[40];
    bool ours = self->ca_configuration[0] == '\0';

    frontend_begin(t, h, "notification", r, self);
    if (o->disposition == CERTFERRY_ISSUED) {
        kit_time(o->not_after_at, at, sizeof at);
        kit_member(t, h, "certificateThumbprint", o->thumbprint);
        kit_member(t, h, "certificateSerialNumber", o->serial);
        kit_member(t, h, "certificateExpirationDateUtc", at);
        frontend_short(t, h, "issuingCertificateAuthority", o->issuer, 256);
        kit_member(t, h, "caConfiguration", ours ? r->ca : self->ca_configuration);
        kit_member(t, h, "certificateAuthority", r->ca);
    } else {
        kit_member_number(
            t, h, "hResult", o->hresult != 0 ? o->hresult : (uint32_t)FRONTEND_FAILED);
        frontend_short(t, h, "errorDescription",
            o->description != NULL && o->description[0] != '\0'
                ? o->description
                : "The certificate could not be issued.",
            255);
    }
    kit_add(t, "}}");
}
#endif
