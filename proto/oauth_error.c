/* see oauth_error.h */
#include "proto/oauth_error.h"
#include "proto/json.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { BODY_MAX = 256 << 10, SENTENCE_MAX = 100 /* bytes of a server's text that are shown */ };

/* ---- reasons ---- */

static const struct {
    const char *name;
    enum err_class cls;
    const char *fact, *fix;
} reasons[OAUTH_REASON_COUNT] = {
    [OAUTH_NO_REASON] = { "none", ERR_NONE, "no reason was given", "" },
#define X(id, name, cls, fact, fix) [id] = { name, cls, fact, fix },
    OAUTH_REASONS(X)
#undef X
};

/* Entra ID: "Microsoft Entra authentication and authorization error codes". */
static const struct {
    uint32_t number;
    enum oauth_reason reason;
} numbers[] = {
    { 16000, OAUTH_ACCOUNT },          /* several accounts, or one of another tenant */
    { 50005, OAUTH_CONDITIONAL },      /* platform not allowed */
    { 50013, OAUTH_ASSERTION },        /* signature, issuer or audience */
    { 50020, OAUTH_ACCOUNT },          /* of an identity provider that this tenant does not know */
    { 50027, OAUTH_ASSERTION },        /* not a token */
    { 50034, OAUTH_ACCOUNT },          /* does not exist here */
    { 50053, OAUTH_ACCOUNT },          /* locked, or a malicious address */
    { 50055, OAUTH_PASSWORD },         /* expired */
    { 50057, OAUTH_ACCOUNT },          /* disabled */
    { 50059, OAUTH_TENANT },           /* none named */
    { 50072, OAUTH_FACTOR },           /* to be enrolled */
    { 50074, OAUTH_FACTOR },           /* strong authentication */
    { 50076, OAUTH_FACTOR },           /* by configuration or place */
    { 50078, OAUTH_FACTOR },           /* it has expired */
    { 50079, OAUTH_FACTOR },           /* to be enrolled */
    { 50089, OAUTH_GRANT },            /* flow token expired */
    { 50097, OAUTH_CONDITIONAL },      /* device authentication */
    { 50105, OAUTH_ROLE },             /* user not assigned to the application */
    { 50126, OAUTH_ACCOUNT },          /* user name or password */
    { 50131, OAUTH_CONDITIONAL },      /* policy errors */
    { 50132, OAUTH_GRANT },            /* session revoked */
    { 50133, OAUTH_PASSWORD },         /* expired or recently changed */
    { 50144, OAUTH_PASSWORD },         /* the directory's */
    { 50158, OAUTH_CONDITIONAL },      /* external challenge */
    { 50173, OAUTH_GRANT },            /* a fresh one is wanted */
    { 50196, OAUTH_THROTTLED },        /* loop detected */
    { 51004, OAUTH_ACCOUNT },          /* not in the directory */
    { 53000, OAUTH_CONDITIONAL },      /* device not compliant */
    { 53001, OAUTH_CONDITIONAL },      /* device not joined */
    { 53002, OAUTH_CONDITIONAL },      /* application not approved */
    { 53003, OAUTH_CONDITIONAL },      /* blocked */
    { 53004, OAUTH_FACTOR },           /* proof-up blocked by risk */
    { 53011, OAUTH_CONDITIONAL },      /* user at risk */
    { 65001, OAUTH_CONSENT },          /* not consented */
    { 65004, OAUTH_CONSENT },          /* consent declined */
    { 65005, OAUTH_SCOPE },            /* the resource is not among the application's */
    { 70000, OAUTH_GRANT },            /* invalid or ended */
    { 70001, OAUTH_CLIENT },           /* application disabled or unknown */
    { 70002, OAUTH_CLIENT },           /* credentials do not fit */
    { 70003, OAUTH_FLOW },             /* grant type */
    { 70007, OAUTH_FLOW },             /* response mode */
    { 70008, OAUTH_GRANT },            /* expired */
    { 70011, OAUTH_SCOPE },            /* invalid */
    { 70016, OAUTH_PENDING },          /* authorization_pending */
    { 70018, OAUTH_CODE_UNKNOWN },     /* bad_verification_code */
    { 70019, OAUTH_CODE_EXPIRED },     /* code_expired */
    { 70020, OAUTH_CODE_EXPIRED },     /* device code */
    { 70043, OAUTH_GRANT },            /* ended by sign-in frequency */
    { 90002, OAUTH_TENANT },           /* not found */
    { 90006, OAUTH_THROTTLED },        /* passing fault */
    { 90019, OAUTH_TENANT },           /* none named */
    { 90033, OAUTH_THROTTLED },        /* passing fault */
    { 90055, OAUTH_THROTTLED },        /* too many requests */
    { 90072, OAUTH_ACCOUNT },          /* not in this tenant */
    { 90094, OAUTH_CONSENT },          /* an administrator's */
    { 90095, OAUTH_CONSENT },          /* an administrator's, asked for */
    { 500011, OAUTH_SCOPE },           /* resource not found in the tenant */
    { 500014, OAUTH_LICENCE },         /* the resource's subscription has lapsed or is off */
    { 500021, OAUTH_CONDITIONAL },     /* tenant restrictions */
    { 500133, OAUTH_CLOCK },           /* assertion outside its time */
    { 500571, OAUTH_ACCOUNT },         /* guest disabled */
    { 501051, OAUTH_ROLE },            /* application not assigned to a role */
    { 530031, OAUTH_CONDITIONAL },     /* policy does not allow tokens */
    { 530032, OAUTH_CONDITIONAL },     /* blocked by security policy */
    { 530035, OAUTH_CONDITIONAL },     /* blocked by security defaults */
    { 650051, OAUTH_LICENCE },         /* the service is not in the tenant */
    { 650052, OAUTH_LICENCE },         /* the organisation has not subscribed to the service */
    { 650057, OAUTH_SCOPE },           /* resource not among the application's permissions */
    { 700016, OAUTH_CLIENT },          /* not found in the directory */
    { 700021, OAUTH_ASSERTION },       /* issuer is not the client */
    { 700023, OAUTH_ASSERTION },       /* audience */
    { 700024, OAUTH_CLOCK },           /* outside its time */
    { 700025, OAUTH_CLIENT },          /* public: no credential may be shown */
    { 700027, OAUTH_CERTIFICATE },     /* no key that fits was found */
    { 700030, OAUTH_CERTIFICATE },     /* subject name not authorized */
    { 700082, OAUTH_GRANT },           /* not used for too long */
    { 700084, OAUTH_GRANT },           /* single page application, a day */
    { 1002012, OAUTH_SCOPE },          /* not /.default */
    { 7000112, OAUTH_CLIENT },         /* application disabled */
    { 7000215, OAUTH_SECRET_WRONG },   /* wrong */
    { 7000216, OAUTH_SECRET_WRONG },   /* missing */
    { 7000218, OAUTH_PUBLIC_CLIENT },  /* a credential is wanted */
    { 7000222, OAUTH_SECRET_EXPIRED }, /* expired */
};

/* RFC 6749 5.2, RFC 8628 3.5, RFC 8707 2, OpenID Connect Core 3.1.2.6; and Entra ID's own. */
static const struct {
    const char *code;
    enum oauth_reason reason;
} codes[] = {
    { "authorization_pending", OAUTH_PENDING },
    { "slow_down", OAUTH_SLOW_DOWN },
    { "access_denied", OAUTH_DECLINED },
    { "authorization_declined", OAUTH_DECLINED },
    { "expired_token", OAUTH_CODE_EXPIRED },
    { "code_expired", OAUTH_CODE_EXPIRED },
    { "bad_verification_code", OAUTH_CODE_UNKNOWN },
    { "invalid_grant", OAUTH_GRANT },
    { "invalid_client", OAUTH_CLIENT },
    { "unauthorized_client", OAUTH_FLOW },
    { "unsupported_grant_type", OAUTH_FLOW },
    { "invalid_scope", OAUTH_SCOPE },
    { "invalid_target", OAUTH_SCOPE },
    { "invalid_resource", OAUTH_SCOPE },
    { "consent_required", OAUTH_CONSENT },
    { "interaction_required", OAUTH_FACTOR },
    { "login_required", OAUTH_GRANT },
    { "temporarily_unavailable", OAUTH_THROTTLED },
    { "server_error", OAUTH_THROTTLED },
};

enum oauth_reason oauth_reason_of(uint32_t aadsts)
{
    for (size_t i = 0; i < sizeof numbers / sizeof numbers[0]; i++)
        if (numbers[i].number == aadsts)
            return numbers[i].reason;
    return OAUTH_NO_REASON;
}

static enum oauth_reason reason_of_code(const char *code)
{
    for (size_t i = 0; i < sizeof codes / sizeof codes[0]; i++)
        if (strcmp(codes[i].code, code) == 0)
            return codes[i].reason;
    return OAUTH_REFUSED;
}

static enum oauth_reason known(enum oauth_reason r)
{
    return (unsigned)r < OAUTH_REASON_COUNT ? r : OAUTH_NO_REASON;
}

const char *oauth_reason_name(enum oauth_reason r)
{
    return reasons[known(r)].name;
}

const char *oauth_reason_fact(enum oauth_reason r)
{
    return reasons[known(r)].fact;
}

const char *oauth_reason_fix(enum oauth_reason r)
{
    return reasons[known(r)].fix;
}

/* ---- reading ---- */

/* "AADSTS7000215: Invalid client secret provided." and not the trace numbers behind it. */
static int sentence_len(const char *text)
{
    int len = 0;

    while (len < SENTENCE_MAX && text[len] != '\0' && text[len] != '\r' && text[len] != '\n') {
        len++;
        if (text[len - 1] == '.' && (text[len] == ' ' || text[len] == '\0'))
            break;
    }
    return len;
}

/* The number behind "AADSTS", which people search for, or the first of error_codes; 0: none. */
static uint32_t number_in(const struct json *answer, const char *text)
{
    const char *at = strstr(text, "AADSTS");
    const struct json *list = json_get(answer, "error_codes");
    struct buf first = BUF_INIT(32);
    unsigned long n = at != NULL ? strtoul(at + 6, NULL, 10) : 0;

    if (n == 0 && json_count(list) > 0) {
        json_print(json_at(list, 0), &first);
        n = strtoul(buf_text(&first), NULL, 10);
    }
    buf_free(&first);
    return n <= UINT32_MAX ? (uint32_t)n : 0;
}

/* What is written may be a secret of ours that the server quotes: oauth.h's users look (see token.c). */
static void fill(
    const struct json *answer, const char *code, const char *said, struct oauth_error *out)
{
    enum oauth_reason by_number;

    out->aadsts = number_in(answer, said);
    by_number = oauth_reason_of(out->aadsts);
    out->reason = by_number != OAUTH_NO_REASON ? by_number : reason_of_code(code);
    (void)snprintf(out->code, sizeof out->code, "%.40s", code);
    (void)snprintf(out->said, sizeof out->said, "%.*s", sentence_len(said), said);
    err_clean(out->code);
    err_clean(out->said);
}

int oauth_error_parse(struct view body, struct oauth_error *out, struct err *e)
{
    struct json *answer;
    const char *code, *said;

    *out = (struct oauth_error){ 0 };
    if ((answer = json_parse(body, BODY_MAX, e)) == NULL)
        return -1;
    code = json_string(json_get(answer, "error"));
    said = json_string(json_get(answer, "error_description"));
    if (code != NULL)
        fill(answer, code, said != NULL ? said : "", out);
    json_free(answer);
    return code != NULL ? 1 : 0;
}

bool oauth_error_read(struct view body, struct oauth_error *out)
{
    struct err ignored;

    return oauth_error_parse(body, out, &ignored) == 1;
}

int oauth_error_set(const struct oauth_error *o, int status, struct err *e)
{
    err_set(e, reasons[known(o->reason)].cls, "%s%s%s", o->code, o->said[0] != '\0' ? ": " : "",
        o->said);
    e->number = o->aadsts != 0 ? o->aadsts : (uint32_t)status;
    return -1;
}
