/* see item.h */
#include "test/sandbox/item.h"
#include "test/sandbox/demo.h"
#include "test/sandbox/expect.h"
#include "test/sandbox/queue.h"
#include <stdlib.h>
#include <string.h>

#define TENANT "7c1f0a52-6f0e-4b7e-9d2a-51a4d1c0f3aa"

static const struct {
    const char *name, *algorithm, *size;
} keys[] = {
    { "rsa2048", "rsa", "size2048" },
    { "rsa3072", "rsa", "size3072" },
    { "rsa4096", "rsa", "size4096" },
    { "ecP256", "ecP256", NULL },
    { "ecP384", "ecP384", NULL },
    { "ecP521", "ecP521", NULL },
    { "ed25519", "ed25519", NULL },
};

static size_t key_index(const char *name)
{
    size_t i = 0;

    while (i < sizeof keys / sizeof keys[0] && strcmp(keys[i].name, name) != 0)
        i++;
    return i;
}

bool item_key_ok(const char *key)
{
    return key_index(key) < sizeof keys / sizeof keys[0];
}

static void member(struct str *o, const char *name, const char *value)
{
    if (value == NULL)
        return;
    str_f(o, "%s\"%s\":", o->p[o->len - 1] == '{' ? "" : ",", name);
    str_json(o, value);
}

static void time_member(struct str *o, const char *name, int64_t at)
{
    char text[TIME_TEXT];

    time_write(at, text);
    member(o, name, text);
}

static void rdn(struct str *o, const char *type, const char *value)
{
    if (value == NULL)
        return;
    str_f(o, "%s[{\"type\":\"%s\",\"value\":", o->p[o->len - 1] == '[' ? "" : ",", type);
    str_json(o, value);
    str_puts(o, "}]");
}

static void san(struct str *o, const char *type, const char *value)
{
    if (value == NULL)
        return;
    str_f(o, "%s{\"sanType\":\"%s\",\"name\":", o->p[o->len - 1] == '[' ? "" : ",", type);
    str_json(o, value);
    str_puts(o, "}");
}

static void write_names(struct str *o, const struct item *i)
{
    str_puts(o, ",\"subject\":[");
    rdn(o, "C", i->country);
    rdn(o, "O", i->organisation);
    rdn(o, "OU", i->unit);
    rdn(o, "CN", i->cn);
    str_puts(o, "],\"subjectAlternativeNames\":[");
    san(o, "userPrincipalName", i->upn);
    san(o, "emailAddress", i->email);
    san(o, "domainNameService", i->dns);
    san(o, "universalResourceIdentifier", i->uri);
    san(o, "ipAddress", i->ip);
    str_puts(o, "]");
    member(o, "onPremisesSecurityIdentifier", i->sid);
    member(o, "sidEncoding", i->sid == NULL ? NULL : i->sid_encoding);
}

static void write_key(struct str *o, const struct item *i)
{
    size_t k = key_index(i->key == NULL ? "rsa2048" : i->key);
    bool rsa = keys[k].size != NULL;

    str_f(o, ",\"keyUsage\":[\"digitalSignature\"%s]", rsa ? ",\"keyEncipherment\"" : "");
    str_puts(o, ",\"extendedKeyUsages\":[{\"name\":\"Client Authentication\","
                "\"objectIdentifier\":\"1.3.6.1.5.5.7.3.2\"}");
    if (i->for_mail)
        str_puts(o, ",{\"name\":\"Secure Email\",\"objectIdentifier\":\"1.3.6.1.5.5.7.3.4\"}");
    str_puts(o, "]");
    member(o, "keyAlgorithm", keys[k].algorithm);
    member(o, "keySize", keys[k].size);
    member(o, "hashAlgorithm", "sha256");
    if (i->validity_days > 0)
        str_f(o,
            ",\"certificateValidityPeriodValue\":%d,\"certificateValidityPeriodScale\":\"days\"",
            i->validity_days);
    member(o, "keyStorageProvider", "useSoftwareKsp");
    str_puts(o, ",\"keyExportable\":true");
    member(o, "friendlyName", i->friendly_name);
}

static void write_delivery(struct str *o, const struct item *i, const struct setup *s)
{
    str_f(o, ",\"delivery\":{\"mode\":\"%s\",\"recipients\":[{\"certificate\":\"",
        i->blob ? "blobToDevice" : "passwordToDevice");
    str_add(o, s->device_b64[i->device].p, s->device_b64[i->device].len);
    str_f(o,
        "\"}],\"contentEncryption\":\"%s\",\"keyTransport\":\"%s\",\"pfxProfile\":\"auto\","
        "\"escrow\":false}",
        i->content == NULL ? "aes256-gcm" : i->content,
        i->transport == NULL ? "rsaOaepSha256" : i->transport);
}

void item_write(struct str *o, const struct item *i, const struct setup *s)
{
    str_puts(o, "{");
    member(o, "requestId", i->id);
    str_f(o, ",\"requestContext\":\"ctx-%.8s\"", i->id);
    member(o, "requestType", "pkcsIssue");
    member(o, "tenantId", TENANT);
    member(o, "userId", i->user);
    member(o, "deviceId", i->device_id);
    time_member(o, "createdDateTime", i->created_at);
    time_member(o, "expiresDateTime", i->created_at + 86400);
    str_f(o,
        ",\"profile\":{\"id\":\"%s\",\"version\":4,\"name\":\"Sandbox profile\","
        "\"platform\":\"%s\",\"certificateStore\":\"%s\"}",
        "3f0c2f4e-52c0-4a4e-a9a5-0d1b3c8a7e11",
        i->platform == NULL ? "windows10AndLater" : i->platform, i->machine ? "machine" : "user");
    str_puts(o, ",\"parameters\":{");
    member(o, "certificationAuthority", "ca01.contoso.example");
    member(o, "certificationAuthorityName", i->ca);
    member(o, "certificateTemplateName", i->template);
    write_names(o, i);
    write_key(o, i);
    write_delivery(o, i, s);
    str_puts(o, "}}");
}

/* ---- into the queue ---- */

static const char *device_of(struct sandbox *s, struct json_object *delivery)
{
    const char *cert = js_text(js_at(js_get(delivery, "recipients"), 0), "certificate");

    for (int d = 0; cert != NULL && d < DEVICES; d++) {
        if (strcmp(cert, s->setup.device_b64[d].p) == 0)
            return d == DEVICE_RSA ? "rsa" : "ec";
    }
    return "unknown";
}

void item_note(struct sandbox *s, const char *cn, struct json_object *item)
{
    struct json_object *p = js_get(item, "parameters"), *d = js_get(p, "delivery");
    const char *size = js_text(p, "keySize"), *algorithm = js_text(p, "keyAlgorithm");
    struct str key = { 0 };

    str_f(&key, "%s%s", algorithm == NULL ? "rsa" : algorithm, size == NULL ? "" : size + 4);
    ledger_begin(s->ledger, "requested");
    ledger_text(s->ledger, "requestId", js_text(item, "requestId"));
    ledger_text(s->ledger, "cn", cn);
    ledger_text(s->ledger, "ca", js_text(p, "certificationAuthorityName"));
    ledger_text(s->ledger, "template", js_text(p, "certificateTemplateName"));
    ledger_text(s->ledger, "key", key.p);
    ledger_text(s->ledger, "platform", js_text(js_get(item, "profile"), "platform"));
    ledger_text(s->ledger, "mode", js_text(d, "mode"));
    ledger_text(s->ledger, "device", device_of(s, d));
    ledger_end(s->ledger);
    str_free(&key);
}

/* The common name the CA will see; a request without a subject goes by its id. */
static char *cn_of(struct json_object *item)
{
    struct str why = { 0 };
    X509_NAME *n = expect_subject(js_get(item, "parameters"), &why);
    char cn[256] = "";

    if (n != NULL)
        name_cn(n, cn, sizeof cn);
    X509_NAME_free(n);
    str_free(&why);
    return need_copy(cn[0] != '\0' ? cn : js_text(item, "requestId"));
}

bool item_add(struct sandbox *s, char *text, struct str *why)
{
    char reason[128] = "";
    struct json_object *item = js_parse(text, strlen(text), reason, sizeof reason);
    const char *id = js_text(item, "requestId"), *expires = js_text(item, "expiresDateTime");
    struct request *r = NULL;
    int64_t expires_at = 0;

    if (id == NULL || strlen(id) > 60) {
        str_f(why, "an item without requestId %s", reason);
        free(text);
    } else if (expires == NULL || !time_read(expires, &expires_at)) {
        str_f(why, "%s: expiresDateTime is no time", id);
        free(text);
    } else {
        r = queue_add(s->queue, id, cn_of(item), text, expires_at);
        if (r == NULL)
            str_f(why, "%s: there already", id);
        else
            item_note(s, r->cn, item);
    }
    js_free(item);
    return r != NULL;
}

/* "device-rsa" and "device-ec" stand for the certificates of our devices. */
static void name_devices(struct sandbox *s, struct str *text)
{
    static const char *const names[DEVICES] = { "\"device-rsa\"", "\"device-ec\"" };

    for (int d = 0; d < DEVICES; d++) {
        char *at;

        while ((at = strstr(text->p, names[d])) != NULL) {
            struct str out = { 0 };

            str_add(&out, text->p, (size_t)(at - text->p));
            str_f(&out, "\"%s\"", s->setup.device_b64[d].p);
            str_puts(&out, at + strlen(names[d]));
            str_free(text);
            *text = out;
        }
    }
}

char *item_from(struct sandbox *s, struct json_object *partial)
{
    struct item base = { .ca = "adcs", .template = "ContosoUser", .created_at = wall_s() };
    const char *id = js_text(partial, "requestId");
    struct str text = { 0 };
    struct json_object *all;
    char cn[64], why[64];

    guid_from(&s->prng, base.id);
    guid_from(&s->prng, base.user);
    guid_from(&s->prng, base.device_id);
    copy_n(cn, sizeof cn, "device-");
    copy_n(cn + 7, sizeof cn - 7, id == NULL ? base.id : id);
    base.cn = cn;
    item_write(&text, &base, &s->setup);
    all = need(js_parse(text.p, text.len, why, sizeof why));
    js_merge(all, partial);
    js_remove(all, "leaseId");
    js_remove(all, "leaseExpiresDateTime");
    js_remove(all, "attempt");
    str_cut(&text, 0);
    js_print(all, &text);
    js_free(all);
    name_devices(s, &text);
    return text.p;
}

char *item_text(struct sandbox *s, const struct request *r)
{
    struct str text = { 0 };

    if (r->item != NULL)
        return need_copy(r->item);
    load_write(s, r->load_number, &text);
    return text.p;
}
