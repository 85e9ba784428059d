/* The policy cloud of the simulated world: leases with fencing, downloads, results. */
#include <json-c/json.h>
#include <openssl/evp.h>
#include <openssl/x509.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "test/sim/world.h"

static const char *text(struct json_object *o, const char *name)
{
    struct json_object *v;

    return json_object_object_get_ex(o, name, &v) && json_object_is_type(v, json_type_string)
               ? json_object_get_string(v)
               : "";
}

static struct world_request *find(struct world *w, const char *id)
{
    for (size_t i = 0; i < w->request_count; i++)
        if (strcmp(w->requests[i].id, id) == 0)
            return &w->requests[i];
    return NULL;
}

static void time_of(int64_t at, char out[32])
{
    time_t t = (time_t)at;
    struct tm tm;

    (void)gmtime_r(&t, &tm);
    (void)strftime(out, 32, "%Y-%m-%dT%H:%M:%SZ", &tm);
}

static char *base64(struct view v)
{
    char *out = calloc(1, v.len * 2 + 8);

    (void)EVP_EncodeBlock((unsigned char *)out, v.p, (int)v.len);
    return out;
}

static struct buf unbase64(const char *s)
{
    struct buf b = BUF_INIT(4 << 20);
    size_t len = strlen(s), pad = 0;
    unsigned char *out = calloc(1, len + 4);
    int n = EVP_DecodeBlock(out, (const unsigned char *)s, (int)len);

    while (pad < len && s[len - 1 - pad] == '=')
        pad++;
    if (n > 0)
        buf_add(&b, out, (size_t)n - pad);
    free(out);
    return b;
}

/* ---- download -------------------------------------------------------------------------------------------------------- */

static void item(struct world *w, struct world_request *r, struct buf *out)
{
    char *device = base64(world_device_certificate());
    char lease_end[32], created[32], expires[32];

    r->handed_out = true;
    r->leases++;
    r->lease_expires_at = sim_world_s() + w->lease_s;
    (void)snprintf(r->lease, sizeof r->lease, "lease-%d", r->leases);
    time_of(r->lease_expires_at, lease_end);
    time_of(sim_world_s() - 10, created);
    time_of(sim_world_s() + 60 * 86400, expires);
    buf_printf(out,
        "{\"requestId\":\"%s\",\"requestContext\":\"ctx-%s\",\"requestType\":\"pkcsIssue\","
        "\"tenantId\":\"00000000-0000-4000-8000-000000000001\",\"deviceId\":\"00000000-0000-4000-"
        "8000-000000000002\","
        "\"leaseId\":\"%s\",\"leaseExpiresDateTime\":\"%s\",\"attempt\":%d,\"createdDateTime\":\"%"
        "s\","
        "\"expiresDateTime\":\"%s\",\"profile\":{\"id\":\"p1\",\"version\":1,\"name\":\"Wi-Fi\","
        "\"platform\":\"linux\",\"certificateStore\":\"user\"},\"parameters\":{"
        "\"certificationAuthority\":\"ca.sim\","
        "\"certificationAuthorityName\":\"%s\",\"certificateTemplateName\":\"%s\","
        "\"subject\":[[{\"type\":\"CN\",\"value\":%s%s%s}]],"
        "\"subjectAlternativeNames\":[{\"sanType\":\"emailAddress\",\"name\":\"%s@contoso."
        "example\"}],"
        "\"keyUsage\":[\"digitalSignature\"],\"extendedKeyUsages\":[{\"name\":\"Client\","
        "\"objectIdentifier\":"
        "\"1.3.6.1.5.5.7.3.2\"}],\"keyAlgorithm\":\"%s\",%s\"hashAlgorithm\":\"sha256\","
        "\"certificateValidityPeriodValue\":1,\"certificateValidityPeriodScale\":\"years\","
        "\"keyExportable\":true,\"friendlyName\":\"Wi-Fi\",\"delivery\":{\"mode\":"
        "\"passwordToDevice\","
        "\"recipients\":[{\"certificate\":\"%s\"}],\"contentEncryption\":\"aes256-gcm\","
        "\"keyTransport\":\"rsaOaepSha256\","
        "\"pfxProfile\":\"modern\",\"escrow\":false}}}",
        r->id, r->id, r->lease, lease_end, r->leases, created, expires, r->ca, r->template_name,
        r->malformed ? "" : "\"", r->malformed ? "17" : r->name, r->malformed ? "" : "\"", r->name,
        r->key, strcmp(r->key, "rsa") == 0 ? "\"keySize\":\"size2048\"," : "", device);
    free(device);
}

static void download(struct world *w, struct json_object *q, struct sim_answer *out)
{
    struct json_object *p, *v;
    int64_t most = 0, now = sim_world_s();
    bool first = true;

    if (json_object_object_get_ex(q, "downloadParameters", &p)
        && json_object_object_get_ex(p, "maxRequests", &v))
        most = json_object_get_int64(v);
    out->status = 200;
    out->type = "application/json";
    buf_add_text(&out->body, "{\"value\":[");
    for (size_t i = 0; i < w->request_count && most > 0; i++) {
        struct world_request *r = &w->requests[i];

        if (r->scep || r->done || (r->handed_out && r->lease_expires_at > now))
            continue;
        if (!first)
            buf_add_text(&out->body, ",");
        first = false;
        item(w, r, &out->body);
        most--;
    }
    buf_add_text(&out->body, "],\"pollAfterSeconds\":1200}");
}

/* A lease whose time is over is void, even if nobody else has the request yet. */
static bool holds(struct world_request *r, const char *lease)
{
    if (strcmp(r->lease, lease) != 0)
        return false;
    if (r->lease_expires_at > sim_world_s())
        return true;
    r->lease[0] = '\0';
    r->leases_lost += !r->done;
    return false;
}

/* ---- extend ---------------------------------------------------------------------------------------------------------- */

static void extend(struct world *w, struct json_object *q, struct sim_answer *out)
{
    struct json_object *list;

    out->status = 200;
    out->type = "application/json";
    buf_add_text(&out->body, "{\"value\":[");
    if (!json_object_object_get_ex(q, "leases", &list))
        abort();
    for (size_t i = 0; i < json_object_array_length(list); i++) {
        struct json_object *l = json_object_array_get_idx(list, i);
        struct world_request *r = find(w, text(l, "requestId"));
        char end[32];

        if (i > 0)
            buf_add_text(&out->body, ",");
        if (r == NULL || r->done || !holds(r, text(l, "leaseId"))) {
            buf_printf(&out->body, "{\"requestId\":\"%s\",\"errorCode\":\"ConflictError\"}",
                text(l, "requestId"));
            continue;
        }
        r->lease_expires_at = sim_world_s() + w->lease_s;
        time_of(r->lease_expires_at, end);
        buf_printf(
            &out->body, "{\"requestId\":\"%s\",\"leaseExpiresDateTime\":\"%s\"}", r->id, end);
    }
    buf_add_text(&out->body, "]}");
}

/* ---- heartbeat ------------------------------------------------------------------------------------------------------- */

static void heartbeat(struct world *w, struct json_object *q, struct sim_answer *out)
{
    struct json_object *v;

    if (!json_object_object_get_ex(q, "counter", &v))
        abort();
    if (json_object_get_int64(v) > w->highest)
        w->highest = json_object_get_int64(v);
    world_page(out, 200, "application/json", "{\"highestCounter\":%lld,\"directives\":[]}",
        (long long)w->highest);
}

/* ---- upload ---------------------------------------------------------------------------------------------------------- */

/* The digest of a result without its lease: what must never differ. */
static void digest_of(struct json_object *result, uint8_t out[32])
{
    const char *s;

    json_object_object_del(result, "leaseId");
    s = json_object_to_json_string_ext(result, JSON_C_TO_STRING_PLAIN);
    (void)EVP_Digest(s, strlen(s), out, NULL, EVP_sha256(), NULL);
}

static const char *check_success(
    struct world *w, struct world_request *r, struct json_object *result)
{
    struct json_object *pfx;
    struct buf blob, password;
    const char *wrong;

    if (!json_object_object_get_ex(result, "pfx", &pfx))
        return "no pfx";
    blob = unbase64(text(pfx, "encryptedPfxBlob"));
    password = unbase64(text(pfx, "encryptedPfxPassword"));
    wrong = world_unwrap(w, r, buf_view(&password), buf_view(&blob));
    buf_free(&blob);
    buf_free(&password);
    return wrong;
}

static const char *take(struct world *w, struct json_object *result)
{
    struct world_request *r = find(w, text(result, "requestId"));
    bool fenced = r == NULL || !holds(r, text(result, "leaseId"));
    const char *wrong = NULL;
    struct json_object *v;
    uint8_t digest[32];
    bool ok;

    if (r == NULL)
        return "CertificateNotFoundError";
    if (strcmp(text(result, "certificateIssuanceState"), "issuePending") == 0)
        return fenced && !r->done ? "ConflictError" : NULL;
    digest_of(result, digest);
    for (size_t i = 0; i < r->post_count; i++)
        if (memcmp(r->posts[i], digest, 32) == 0) {
            memset(digest, 0, 32);
            break;
        }
    if (r->post_count < WORLD_POSTS && memcmp(digest, (uint8_t[32]){ 0 }, 32) != 0)
        memcpy(r->posts[r->post_count++], digest, 32);
    if (r->done)
        return r->post_count == 1 ? NULL : "ConflictError";
    if (fenced)
        return "ConflictError";
    ok = json_object_object_get_ex(result, "succeeded", &v) && json_object_get_boolean(v);
    if (ok && (wrong = check_success(w, r, result)) != NULL) {
        (void)fprintf(stderr, "device of %s: %s\n", r->name, wrong);
        return "CryptographyError";
    }
    r->done = true;
    r->succeeded = ok;
    r->accepted++;
    (void)snprintf(r->code, sizeof r->code, "%s", text(result, "errorCode"));
    return NULL;
}

static void upload(struct world *w, struct json_object *q, struct sim_answer *out)
{
    struct json_object *list;
    bool first = true;

    out->status = 200;
    out->type = "application/json";
    buf_add_text(&out->body, "{\"value\":true,\"rejected\":[");
    if (!json_object_object_get_ex(q, "results", &list))
        abort();
    for (size_t i = 0; i < json_object_array_length(list); i++) {
        struct json_object *result = json_object_array_get_idx(list, i);
        const char *code = take(w, result);

        if (code == NULL)
            continue;
        buf_printf(&out->body, "%s{\"requestId\":\"%s\",\"errorCode\":\"%s\"}", first ? "" : ",",
            text(result, "requestId"), code);
        first = false;
    }
    buf_add_text(&out->body, "]}");
}

/* ---- SCEP: may it, and how did it end? ---------------------------------------------------------------------------------- */

static struct world_request *by_csr(struct world *w, struct json_object *m)
{
    struct buf der = unbase64(text(m, "certificateRequest"));
    const unsigned char *in = der.p;
    X509_REQ *csr = d2i_X509_REQ(NULL, &in, (long)der.len);
    char cn[64] = "";
    struct world_request *found = NULL;

    if (csr != NULL)
        (void)X509_NAME_get_text_by_NID(
            X509_REQ_get_subject_name(csr), NID_commonName, cn, sizeof cn);
    for (size_t i = 0; i < w->request_count; i++)
        if (w->requests[i].scep && strcmp(w->requests[i].name, cn) == 0)
            found = &w->requests[i];
    X509_REQ_free(csr);
    buf_free(&der);
    return found;
}

/* Right if it is "good..."; that it is used once only is for the agent to see to. */
static void scep_answer(
    struct world *w, const char *what, struct json_object *q, struct sim_answer *out)
{
    bool validate = strcmp(what, "validateRequest") == 0;
    struct json_object *m;
    struct world_request *r = NULL;
    const char *code = "Success";

    if (json_object_object_get_ex(q, validate ? "request" : "notification", &m))
        r = by_csr(w, m);
    if (r == NULL)
        code = "CertificateRequestDecodingFailed";
    else if (validate && strncmp(r->challenge, "good", 4) != 0)
        code = "ChallengeDecryptionError";
    else if (strcmp(what, "successNotification") == 0)
        (void)snprintf(r->noted, sizeof r->noted, "%s", text(m, "certificateSerialNumber"));
    world_page(out, 200, "application/json", "{\"code\":\"%s\",\"errorDescription\":\"\"}", code);
}

bool world_cloud(struct world *w, const char *path, struct view body, struct sim_answer *out)
{
    struct json_tokener *t = json_tokener_new();
    struct json_object *q = json_tokener_parse_ex(t, (const char *)body.p, (int)body.len);
    bool known = true;

    json_tokener_free(t);
    if (q == NULL)
        abort(); /* the agent has sent something that is not JSON */
    if (strcmp(path, "/ccp/requests/download") == 0)
        download(w, q, out);
    else if (strcmp(path, "/ccp/requests/extend") == 0)
        extend(w, q, out);
    else if (strcmp(path, "/ccp/results/upload") == 0)
        upload(w, q, out);
    else if (strcmp(path, "/ccp/agents/heartbeat") == 0)
        heartbeat(w, q, out);
    else if (strncmp(path, "/ccp/scep/", 10) == 0)
        scep_answer(w, path + 10, q, out);
    else
        known = false;
    json_object_put(q);
    return known;
}
