/* see oauth.h */
#include "proto/oauth_jwt.h"
#include "proto/http.h"
#include <stdlib.h>
#include <string.h>
#include <strings.h>

enum {
    ASSERTION_MAX = 32 << 10,
    ANSWER_MAX = 256 << 10,
    TOKEN_MAX = 64 << 10,
    LIFE_UNSAID_S = 300, /* expires_in is only RECOMMENDED (RFC 6749 5.1) */
    LIFE_MAX_S = 86400,
    SENTENCE_MAX = 100, /* bytes of a server's text that are shown */
};

#define ASSERTION_TYPE "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"

/* ---- asking ---- */

static int add_assertion(struct lib *l, const struct oauth_client *c, const char *audience,
    int64_t now, struct buf *out, struct err *e)
{
    struct buf jwt = BUF_SECRET(ASSERTION_MAX);
    int rc = oauth_jwt_add(l, c, audience, now, &jwt, e);

    if (rc == 0) {
        http_add_form(out, "client_assertion_type", view_text(ASSERTION_TYPE));
        http_add_form(out, "client_assertion", buf_view(&jwt));
    }
    buf_free(&jwt);
    return rc;
}

int oauth_token_form(struct lib *l, const struct oauth_client *c, const char *audience,
    const char *scope, int64_t now, struct buf *out, struct err *e)
{
    size_t start = out->len;

    if (c->key == NULL && c->secret.len == 0)
        return err_set(e, ERR_CONFIG, "OAuth: neither a secret nor a key for client %s", c->id);
    http_add_form(out, "grant_type", view_text("client_credentials"));
    http_add_form(out, "client_id", view_text(c->id));
    http_add_form(out, "scope", view_text(scope));
    if (c->key == NULL) {
        http_add_form(out, "client_secret", c->secret);
    } else if (add_assertion(l, c, audience, now, out, e) != 0) {
        buf_truncate(out, start);
        return -1;
    }
    return buf_finish(out, start, e);
}

/* ---- a token ---- */

/* It will stand in a header: visible ASCII (RFC 6750 2.1), or what follows is another header. */
static bool is_token(const char *text)
{
    for (const char *p = text; *p != '\0'; p++)
        if (*p <= 0x20 || *p >= 0x7f)
            return false;
    return *text != '\0';
}

/* A number; Entra ID's older endpoints write it as a text. */
static int read_life(const struct json *answer, int64_t *life_s, struct err *e)
{
    const char *text = json_string(json_get(answer, "expires_in"));
    char *end;

    *life_s = LIFE_UNSAID_S;
    if (text == NULL) {
        if (json_int(answer, "expires_in", false, 0, INT64_MAX, life_s, e) != 0)
            return -1;
    } else {
        *life_s = strtoll(text, &end, 10);
        if (end == text || *end != '\0' || *life_s < 0)
            return err_set(e, ERR_PROTO, "expires_in: not a number of seconds");
    }
    if (*life_s > LIFE_MAX_S)
        *life_s = LIFE_MAX_S;
    return 0;
}

static int read_token(const struct json *answer, struct oauth_token *t, struct err *e)
{
    const char *type = NULL, *access = NULL;
    struct buf copy = BUF_SECRET(TOKEN_MAX);
    int64_t life_s;

    if (json_text(answer, "token_type", true, 64, &type, e) != 0
        || json_text(answer, "access_token", true, TOKEN_MAX, &access, e) != 0
        || read_life(answer, &life_s, e) != 0)
        return -1;
    if (strcasecmp(type, "Bearer") != 0)
        return err_set(e, ERR_PROTO, "token_type: \"%.40s\", only Bearer is used", type);
    if (!is_token(access))
        return err_set(e, ERR_PROTO, "access_token: not a token");
    buf_add_text(&copy, access);
    if (buf_check(&copy, e) != 0) {
        buf_free(&copy);
        return -1;
    }
    buf_take(&t->access, &copy);
    t->expires_in_s = life_s;
    return 0;
}

/* ---- a refusal ---- */

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

/* The number behind "AADSTS", which people search for; 0: none. */
static uint32_t aadsts(const char *text)
{
    const char *at = strstr(text, "AADSTS");

    return at != NULL ? (uint32_t)strtoul(at + 6, NULL, 10) : 0;
}

static bool is_passing(const char *error)
{
    return strcmp(error, "temporarily_unavailable") == 0 || strcmp(error, "server_error") == 0
           || strcmp(error, "slow_down") == 0;
}

static int refused(int status, const struct json *answer, struct err *e)
{
    const char *error = json_string(json_get(answer, "error"));
    const char *said = json_string(json_get(answer, "error_description"));
    uint32_t number;

    if (error == NULL)
        return err_set(
            e, ERR_CONFIG, "HTTP %d without an OAuth error: is this the token endpoint?", status);
    if (said == NULL)
        said = "";
    number = aadsts(said);
    err_set(e, is_passing(error) ? ERR_BUSY : ERR_AUTH, "%.40s%s%.*s", error,
        said[0] != '\0' ? ": " : "", sentence_len(said), said);
    e->number = number != 0 ? number : (uint32_t)status;
    return -1;
}

/* ---- the answer ---- */

static bool looks_like_object(struct view body)
{
    size_t at = 0;

    while (at < body.len && strchr(" \t\r\n", body.p[at]) != NULL && body.p[at] != '\0')
        at++;
    return at < body.len && body.p[at] == '{';
}

/* What has no JSON in it: the status alone counts. */
static int without_json(int status, struct err *e)
{
    if (status >= 200 && status < 300)
        err_set(e, ERR_INTERCEPTED, "HTTP %d without a token: a portal or proxy may have answered",
            status);
    else if (status == 429 || status == 503)
        err_set(e, ERR_BUSY, "HTTP %d from the token endpoint", status);
    else if (status == 407)
        err_set(e, ERR_PROXY, "HTTP 407: the proxy wants credentials");
    else if (status >= 500 && status < 600)
        err_set(e, ERR_NET, "HTTP %d from the token endpoint", status);
    else if (status >= 300 && status < 500)
        err_set(
            e, ERR_CONFIG, "HTTP %d without an OAuth error: is this the token endpoint?", status);
    else
        err_set(e, ERR_PROTO, "HTTP %d is no answer", status);
    e->number = (uint32_t)status;
    return -1;
}

int oauth_token_parse(int status, struct view body, struct oauth_token *t, struct err *e)
{
    struct json *answer;
    int rc;

    if (status < 200 || status == 407 || status == 429 || status >= 500
        || (status >= 300 && status < 400) || !looks_like_object(body))
        return without_json(status, e);
    if ((answer = json_parse(body, ANSWER_MAX, e)) == NULL)
        return -1;
    rc = status < 300 ? read_token(answer, t, e) : refused(status, answer, e);
    json_free(answer);
    return rc;
}
