/* see oauth.h */
#include "proto/oauth.h"
#include "certs/text.h"
#include "proto/http.h"
#include "proto/oauth_error.h"
#include "proto/oauth_jwt.h"
#include "proto/oauth_part.h"
#include <stdlib.h>
#include <string.h>
#include <strings.h>

enum {
    ASSERTION_MAX = 32 << 10,
    BASIC_MAX = 16 << 10,
    ANSWER_MAX = 256 << 10,
    TOKEN_MAX = 64 << 10,
    LIFE_UNSAID_S = 300, /* expires_in is only RECOMMENDED (RFC 6749 5.1) */
    LIFE_MAX_S = 86400,
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

int oauth_add_client(struct lib *l, const struct oauth_client *c, const char *audience, int64_t now,
    struct buf *out, struct err *e)
{
    if (c->id == NULL || c->id[0] == '\0')
        return err_set(e, ERR_CONFIG, "OAuth: no client id");
    if (c->key == NULL && c->basic && c->secret.len > 0)
        return 0;
    http_add_form(out, "client_id", view_text(c->id));
    if (c->key != NULL)
        return add_assertion(l, c, audience, now, out, e);
    if (c->secret.len > 0)
        http_add_form(out, "client_secret", c->secret);
    return 0;
}

int oauth_token_form(struct lib *l, const struct oauth_client *c, const char *audience,
    const char *scope, int64_t now, struct buf *out, struct err *e)
{
    size_t start = out->len;

    if (c->key == NULL && c->secret.len == 0)
        return err_set(e, ERR_CONFIG, "OAuth: neither a secret nor a key for client %s", c->id);
    http_add_form(out, "grant_type", view_text("client_credentials"));
    if (scope[0] != '\0')
        http_add_form(out, "scope", view_text(scope));
    if (oauth_add_client(l, c, audience, now, out, e) != 0) {
        buf_truncate(out, start);
        return -1;
    }
    return buf_finish(out, start, e);
}

/* Both parts are encoded as in a form before base64 (RFC 6749 2.3.1), so neither has a ":" of its own. */
int oauth_basic(const struct oauth_client *c, struct buf *out, struct err *e)
{
    struct buf pair = BUF_SECRET(BASIC_MAX);
    size_t start = out->len;
    int rc;

    http_add_encoded(&pair, view_text(c->id));
    buf_add_byte(&pair, ':');
    http_add_encoded(&pair, c->secret);
    if ((rc = buf_check(&pair, e)) == 0) {
        buf_add_text(out, "Basic ");
        base64_add(out, buf_view(&pair));
        rc = buf_finish(out, start, e);
    }
    buf_free(&pair);
    return rc;
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

int oauth_seconds(
    const struct json *answer, const char *name, int64_t max, int64_t *out, struct err *e)
{
    const char *text = json_string(json_get(answer, name));
    int64_t said = *out;
    char *end;

    if (text == NULL) {
        if (json_int(answer, name, false, 0, INT64_MAX, &said, e) != 0)
            return -1;
    } else {
        said = strtoll(text, &end, 10);
        if (end == text || *end != '\0' || said < 0)
            return err_set(e, ERR_PROTO, "%s: not a number of seconds", name);
    }
    *out = said < max ? said : max;
    return 0;
}

int oauth_read_token(const struct json *answer, struct oauth_token *t, struct err *e)
{
    const char *type = NULL, *access = NULL;
    struct buf copy = BUF_SECRET(TOKEN_MAX);
    int64_t life_s = LIFE_UNSAID_S;

    if (json_text(answer, "token_type", true, 64, &type, e) != 0
        || json_text(answer, "access_token", true, TOKEN_MAX, &access, e) != 0
        || oauth_seconds(answer, "expires_in", LIFE_MAX_S, &life_s, e) != 0)
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

/* ---- the answer ---- */

static bool looks_like_object(struct view body)
{
    size_t at = 0;

    while (at < body.len && strchr(" \t\r\n", body.p[at]) != NULL && body.p[at] != '\0')
        at++;
    return at < body.len && body.p[at] == '{';
}

/* What has no JSON in it: the status alone counts. */
static void without_json(int status, const char *what, struct err *e)
{
    if (status >= 200 && status < 300)
        err_set(e, ERR_INTERCEPTED,
            "HTTP %d without an answer of the %s: a portal or proxy may have answered", status,
            what);
    else if (status == 429 || status == 503)
        err_set(e, ERR_BUSY, "HTTP %d from the %s", status, what);
    else if (status == 407)
        err_set(e, ERR_PROXY, "HTTP 407: the proxy wants credentials");
    else if (status >= 500 && status < 600)
        err_set(e, ERR_NET, "HTTP %d from the %s", status, what);
    else if (status >= 300 && status < 500)
        err_set(e, ERR_CONFIG, "HTTP %d without an OAuth error: is this the %s?", status, what);
    else
        err_set(e, ERR_PROTO, "HTTP %d is no answer", status);
    e->number = (uint32_t)status;
}

struct json *oauth_answer(int status, struct view body, const char *what, struct err *e)
{
    struct oauth_error why;
    int found;

    if (status < 200 || status == 407 || status == 429 || status >= 500
        || (status >= 300 && status < 400) || !looks_like_object(body)) {
        without_json(status, what, e);
        return NULL;
    }
    if (status < 300)
        return json_parse(body, ANSWER_MAX, e);
    if ((found = oauth_error_parse(body, &why, e)) == 1)
        oauth_error_set(&why, status, e);
    else if (found == 0)
        without_json(status, what, e);
    return NULL;
}

/* What a person has done to a sign-in is nothing that could end a request for good here. */
static enum err_class without_person(enum err_class cls)
{
    return cls == ERR_DENIED || cls == ERR_EXPIRED ? ERR_AUTH : cls;
}

int oauth_token_parse(int status, struct view body, struct oauth_token *t, struct err *e)
{
    struct json *answer = oauth_answer(status, body, "token endpoint", e);
    int rc = -1;

    if (answer == NULL)
        e->cls = without_person(e->cls);
    else
        rc = oauth_read_token(answer, t, e);
    json_free(answer);
    return rc;
}
