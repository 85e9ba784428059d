/* see oauth_metadata.h */
#include "proto/oauth_metadata.h"
#include "certs/key_jws.h"
#include "proto/http.h"
#include <stdio.h>
#include <string.h>

enum { BODY_MAX = 256 << 10, LIST_MAX = 64, NAME_MAX_LEN = 128 };

/* ---- where ---- */

/* Scheme, host and port; what is left is the path, "" or from its '/' on. */
static size_t origin_len(const char *url)
{
    return strlen("https://") + strcspn(url + strlen("https://"), "/");
}

/* RFC 8414 2: "The issuer identifier is a URL that uses the "https" scheme and has no query or fragment
 * components." */
static int check_issuer(const char *issuer, struct err *e)
{
    if (http_url_check(issuer, false, OAUTH_URL_MAX, e) != 0) {
        e->cls = ERR_CONFIG;
        return err_wrap(e, "issuer");
    }
    if (strchr(issuer, '?') != NULL)
        return err_set(e, ERR_CONFIG, "issuer: a query (?) in it is not allowed");
    return 0;
}

/* RFC 8414 3.1: "any terminating "/" MUST be removed before inserting "/.well-known/" and the well-known URI suffix
 * between the host component and the path component." */
int oauth_metadata_url(const char *issuer, unsigned which, struct buf *out, struct err *e)
{
    size_t len, origin, start = out->len;

    if (check_issuer(issuer, e) != 0)
        return -1;
    if (which > 1)
        return 0;
    len = strlen(issuer);
    origin = origin_len(issuer);
    while (len > origin && issuer[len - 1] == '/')
        len--;
    buf_add(out, issuer, which == 0 ? origin : len);
    buf_add_text(out, which == 0 ? "/.well-known/oauth-authorization-server"
                                 : "/.well-known/openid-configuration");
    if (which == 0)
        buf_add(out, issuer + origin, len - origin);
    return buf_finish(out, start, e) == 0 ? 1 : -1;
}

/* ---- what ---- */

static int read_url(
    const struct json *root, const char *name, char out[OAUTH_URL_MAX + 1], struct err *e)
{
    const char *url = NULL;

    if (json_text(root, name, false, OAUTH_URL_MAX, &url, e) != 0)
        return -1;
    if (url == NULL)
        return 0;
    if (http_url_check(url, false, OAUTH_URL_MAX, e) != 0) {
        e->cls = ERR_PROTO;
        return err_wrap(e, "%s", name);
    }
    (void)snprintf(out, OAUTH_URL_MAX + 1, "%s", url);
    return 0;
}

struct name {
    const char *text;
    bool *flag;
};

/* Which of the names are in the list; returns 1, 0: there is no list. */
static int read_list(
    const struct json *root, const char *name, const struct name *names, struct err *e)
{
    const struct json *list = json_get(root, name);

    if (list == NULL)
        return 0;
    if (!json_is_array(list) || json_count(list) > LIST_MAX)
        return err_set(e, ERR_PROTO, "%s: not an array of at most %d", name, LIST_MAX);
    for (size_t i = 0; i < json_count(list); i++) {
        const char *text = json_string(json_at(list, i));

        if (text == NULL)
            return err_set(e, ERR_PROTO, "%s[%zu]: not a string", name, i);
        for (const struct name *n = names; n->text != NULL; n++)
            if (strcmp(n->text, text) == 0)
                *n->flag = true;
    }
    return 1;
}

/* RFC 8414 2: "If omitted, the default is "client_secret_basic"". */
static int read_methods(const struct json *root, struct oauth_metadata *m, struct err *e)
{
    const struct name methods[] = { { "client_secret_basic", &m->basic },
        { "client_secret_post", &m->post }, { "private_key_jwt", &m->key }, { "none", &m->none },
        { NULL, NULL } };
    const struct name algorithms[] = { { "PS256", &m->ps256 }, { "RS256", &m->rs256 },
        { "ES256", &m->es256 }, { "ES384", &m->es384 }, { "ES512", &m->es512 }, { NULL, NULL } };
    int found = read_list(root, "token_endpoint_auth_methods_supported", methods, e);

    if (found == 0)
        m->basic = true;
    return found < 0
                   || read_list(
                          root, "token_endpoint_auth_signing_alg_values_supported", algorithms, e)
                          < 0
               ? -1
               : 0;
}

/* RFC 8414 3.3: "The "issuer" value returned MUST be identical to the authorization server's issuer identifier value
 * into which the well-known URI string was inserted [...] If these values are not identical, the data contained in
 * the response MUST NOT be used." */
static int same_issuer(const struct json *root, const char *issuer, struct err *e)
{
    const char *said = NULL;

    if (json_text(root, "issuer", true, OAUTH_URL_MAX, &said, e) != 0)
        return -1;
    if (strcmp(said, issuer) == 0)
        return 0;
    if (strchr(said, '{') != NULL)
        return err_set(e, ERR_CONFIG,
            "issuer: the server is %.80s: name the tenant instead of common or organizations",
            said);
    return err_set(e, ERR_CONFIG, "issuer: asked for %.70s, the server is %.70s", issuer, said);
}

static int read_all(
    const struct json *root, const char *issuer, struct oauth_metadata *m, struct err *e)
{
    if (!json_is_object(root))
        return err_set(e, ERR_PROTO, "metadata: not an object");
    if (same_issuer(root, issuer, e) != 0 || read_url(root, "token_endpoint", m->token_url, e) != 0
        || read_url(root, "device_authorization_endpoint", m->device_url, e) != 0
        || read_methods(root, m, e) != 0)
        return -1;
    if (m->token_url[0] == '\0')
        return err_set(e, ERR_CONFIG, "token_endpoint: missing, %.100s gives no tokens", issuer);
    (void)snprintf(m->issuer, sizeof m->issuer, "%s", issuer);
    return 0;
}

int oauth_metadata_parse(
    struct view body, const char *issuer, struct oauth_metadata *out, struct err *e)
{
    struct oauth_metadata m = { 0 };
    struct json *root;
    int rc;

    if (check_issuer(issuer, e) != 0 || (root = json_parse(body, BODY_MAX, e)) == NULL)
        return -1;
    if ((rc = read_all(root, issuer, &m, e)) == 0)
        *out = m;
    json_free(root);
    return rc;
}

/* ---- how ---- */

static int takes_not(const struct oauth_metadata *m, const char *way, struct err *e)
{
    return err_set(e, ERR_CONFIG, "the authorization server takes%s%s%s%s, not %s",
        m->basic ? " client_secret_basic" : "", m->post ? " client_secret_post" : "",
        m->key ? " private_key_jwt" : "", m->basic || m->post || m->key ? "" : " public clients",
        way);
}

static bool signs(const struct oauth_metadata *m, enum key_type t)
{
    switch (t) {
    case KEY_P256:
        return m->es256;
    case KEY_P384:
        return m->es384;
    case KEY_P521:
        return m->es512;
    default:
        return key_type_is_rsa(t) && (m->ps256 || m->rs256);
    }
}

static int fit_key(const struct oauth_metadata *m, struct oauth_client *c, struct err *e)
{
    bool says = m->ps256 || m->rs256 || m->es256 || m->es384 || m->es512;

    if (!m->key)
        return takes_not(m, "private_key_jwt", e);
    if (says && !signs(m, key_type(c->key)))
        return err_set(e, ERR_CONFIG, "the authorization server takes no assertion signed with %s",
            key_type_name(key_type(c->key)));
    c->rs256 = says && key_type_is_rsa(key_type(c->key)) && !m->ps256;
    return 0;
}

/* A public client always fits: Entra ID lists no "none" and takes it. */
int oauth_metadata_fit(const struct oauth_metadata *m, struct oauth_client *c, struct err *e)
{
    if (c->key != NULL)
        return fit_key(m, c, e);
    if (c->secret.len == 0)
        return 0;
    if (!m->post && !m->basic)
        return takes_not(m, "a client secret", e);
    c->basic = !m->post;
    return 0;
}
