/* see ccp_identity.h */
#include "proto/ccp_identity.h"
#include "certs/cert.h"
#include "certs/text.h"
#include "proto/ccp_parts.h"
#include <stdio.h>
#include <string.h>
#include <strings.h>

enum { SERVICES_MAX = 64, SERVICE_NAME_MAX = 128, SKEW_S = 300 };

/* An https URL that a later request goes to. */
static int read_url(
    const struct json *object, const char *name, bool must, const char **out, struct err *e)
{
    const char *url = NULL;

    if (part_text(object, name, must, CCP_URL_MAX, &url, e) != 0)
        return -1;
    if (url == NULL)
        return 0;
    if (http_url_check(url, false, CCP_URL_MAX, e) != 0) {
        e->cls = ERR_PROTO;
        return err_wrap(e, "%s", name);
    }
    *out = url;
    return 0;
}

/* ---- discovery ---- */

int ccp_discovery_url(const char *cloud, unsigned which, struct buf *out, struct err *e)
{
    size_t start = out->len;

    if (http_url_check(cloud, false, CCP_URL_MAX, e) != 0) {
        e->cls = ERR_CONFIG;
        return err_wrap(e, "cloud.url");
    }
    if (which > 1)
        return 0;
    if (which == 0)
        http_url_join(out, cloud, "/.well-known/ccp");
    else {
        buf_add(out, cloud, strlen("https://") + strcspn(cloud + strlen("https://"), "/?"));
        buf_add_text(out, "/.well-known/ccp");
    }
    return buf_finish(out, start, e) == 0 ? 1 : -1;
}

static void keep_url(const char *url, char out[CCP_URL_MAX + 1])
{
    size_t len = strlen(url);

    while (len > 0 && url[len - 1] == '/')
        len--;
    (void)snprintf(out, CCP_URL_MAX + 1, "%.*s", (int)len, url);
}

/* A service we do not use may be described in any way. */
static int read_service(const struct json *v, struct ccp_discovery *d, struct err *e)
{
    const struct {
        const char *name;
        char *url;
    } ours[] = {
        { "CcpAgentService", d->agents },
        { "CcpRequestService", d->requests },
        { "ScepRequestValidationFEService", d->scep },
    };
    const char *name = NULL, *url = NULL;

    if (part_text(v, "providerName", false, SERVICE_NAME_MAX, &name, e) != 0)
        return -1;
    for (size_t i = 0; name != NULL && i < sizeof ours / sizeof ours[0]; i++)
        if (strcasecmp(name, ours[i].name) == 0) {
            if (read_url(v, "uri", true, &url, e) != 0)
                return err_wrap(e, "%s", ours[i].name);
            keep_url(url, ours[i].url);
        }
    return 0;
}

static int read_discovery(const struct json *root, struct ccp_discovery *d, struct err *e)
{
    const struct json *value = NULL;
    const char *issuer = NULL;

    if (part_array(root, "value", true, SERVICES_MAX, &value, e) != 0
        || read_url(root, "issuer", false, &issuer, e) != 0)
        return -1;
    for (size_t i = 0; i < json_count(value); i++) {
        if (!json_is_object(json_at(value, i)))
            return err_set(e, ERR_PROTO, "value[%zu]: not an object", i);
        if (read_service(json_at(value, i), d, e) != 0)
            return err_wrap(e, "value[%zu]", i);
    }
    if (issuer != NULL)
        (void)snprintf(d->issuer, sizeof d->issuer, "%s", issuer);
    return 0;
}

int ccp_discovery_parse(struct view body, struct ccp_discovery *out, struct err *e)
{
    struct json *root = json_parse(body, CCP_BATCH_MAX, e);
    struct ccp_discovery d = { .agents = "" };
    int rc = -1;

    if (root != NULL && (rc = read_discovery(root, &d, e)) == 0)
        *out = d;
    json_free(root);
    return rc;
}

/* ---- enroll, renew: the request ---- */

void ccp_enroll_write(struct buf *out, const struct ccp_enroll *q)
{
    struct json_out o = { .to = out };

    json_open(&o, NULL, '{');
    json_put_base64(&o, "csr", q->csr);
    json_put_text(&o, "agentName", q->agent_name);
    json_put_text(&o, "machineName", q->machine_name);
    json_put_text(&o, "agentVersion", q->version);
    part_put_features(&o, q->features, q->feature_count);
    json_open(&o, "encryptionKeys", '[');
    for (size_t i = 0; i < q->key_count; i++) {
        json_open(&o, NULL, '{');
        json_put_text(&o, "keyId", q->keys[i].id);
        json_put_base64(&o, "spki", q->keys[i].spki);
        json_put_text(&o, "use", q->keys[i].use);
        json_close(&o, '}');
    }
    json_close(&o, ']');
    json_close(&o, '}');
}

void ccp_renew_write(struct buf *out, struct view csr)
{
    struct json_out o = { .to = out };

    json_open(&o, NULL, '{');
    json_put_base64(&o, "csr", csr);
    json_close(&o, '}');
}

/* ---- enroll, renew: the answer ---- */

void ccp_identity_free(struct ccp_identity *i)
{
    buf_free(&i->certificate);
    buf_free(&i->chain);
}

/* Ours: for our key, and good now. */
static int judge_certificate(struct ccp_identity *i, struct view spki, int64_t now, struct err *e)
{
    char end[24];
    struct cert c;

    if (cert_parse(buf_view(&i->certificate), &c, e) != 0)
        return -1;
    if (!view_equal(c.spki, spki))
        return err_set(e, ERR_MISMATCH, "not for the key that was sent");
    i->not_before_at = c.not_before_at;
    i->not_after_at = c.not_after_at;
    time_text(c.not_after_at <= now ? c.not_after_at : c.not_before_at, end);
    if (c.not_after_at <= now)
        return err_set(e, ERR_EXPIRED, "it ended %s: is this machine's clock right?", end);
    if (c.not_before_at > now + SKEW_S)
        return err_set(e, ERR_EXPIRED, "it begins %s: is this machine's clock right?", end);
    return 0;
}

/* Base64 of exactly one certificate, appended. */
static int add_certificate(const struct json *v, struct buf *out, struct err *e)
{
    const char *text = json_string(v);
    struct buf der = BUF_INIT(CCP_CERTIFICATE_MAX);
    struct cert c;
    int rc = -1;

    if (text == NULL)
        err_set(e, ERR_PROTO, "not a string");
    else if (base64_parse(view_text(text), &der, e) == 0
             && cert_parse(buf_view(&der), &c, e) == 0) {
        buf_add_view(out, buf_view(&der));
        rc = buf_check(out, e);
    }
    buf_free(&der);
    return rc;
}

static int read_chain(const struct json *root, struct ccp_identity *i, struct err *e)
{
    const struct json *chain = NULL;

    if (part_array(root, "caChain", false, CCP_ISSUERS_MAX, &chain, e) != 0)
        return -1;
    for (; i->chain_count < json_count(chain); i->chain_count++)
        if (add_certificate(json_at(chain, i->chain_count), &i->chain, e) != 0)
            return err_wrap(e, "caChain[%zu]", i->chain_count);
    return 0;
}

static int read_authentication(const struct json *root, struct ccp_identity *i, struct err *e)
{
    static const char *const methods[] = { "mtls", "private_key_jwt", NULL };
    const struct json *object = NULL;
    const char *url = "", *client = i->agent_id, *scope = "";
    int method = 0;

    if (part_object(root, "authentication", true, &object, e) != 0
        || part_choice(object, "method", true, methods, &method, e) != 0
        || read_url(object, "tokenEndpoint", method != 0, &url, e) != 0
        || part_text(object, "clientId", false, sizeof i->client_id - 1, &client, e) != 0
        || part_text(object, "scope", false, sizeof i->scope - 1, &scope, e) != 0)
        return -1;
    i->method = (enum ccp_method)method;
    if (i->method == CCP_MTLS)
        return 0;
    (void)snprintf(i->token_url, sizeof i->token_url, "%s", url);
    (void)snprintf(i->client_id, sizeof i->client_id, "%s", client);
    (void)snprintf(i->scope, sizeof i->scope, "%s", scope);
    return 0;
}

static int read_identity(
    const struct json *root, const char *agent, struct ccp_identity *i, struct err *e)
{
    if (!json_is_object(root))
        return err_set(e, ERR_PROTO, "the answer is not an object");
    if (part_guid(root, "agentId", true, i->agent_id, e) != 0)
        return -1;
    if (json_get(root, "certificate") == NULL)
        return err_set(e, ERR_PROTO, "certificate: missing");
    if (agent != NULL && strcasecmp(agent, i->agent_id) != 0)
        return err_set(e, ERR_MISMATCH, "agentId: %s, but we are %.40s", i->agent_id, agent);
    if (add_certificate(json_get(root, "certificate"), &i->certificate, e) != 0)
        return err_wrap(e, "certificate");
    return read_chain(root, i, e) != 0 || read_authentication(root, i, e) != 0
                   || part_poll_after(root, &i->poll_after_s, e) != 0
               ? -1
               : 0;
}

int ccp_identity_parse(struct view body, struct view spki, const char *agent, int64_t now,
    struct ccp_identity *out, struct err *e)
{
    struct json *root = json_parse(body, CCP_BATCH_MAX, e);
    struct ccp_identity i = CCP_IDENTITY_INIT;
    int rc = -1;

    i.poll_after_s = -1;
    if (root != NULL && read_identity(root, agent, &i, e) == 0) {
        if ((rc = judge_certificate(&i, spki, now, e)) != 0)
            err_wrap(e, "certificate");
    }
    json_free(root);
    if (rc == 0) {
        ccp_identity_free(out);
        *out = i;
    } else {
        ccp_identity_free(&i);
    }
    return rc;
}
