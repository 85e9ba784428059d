/* see ccp.h: one pkcsIssue item.  Every member, its limits and its default stand in proto/ccp.md. */
#include "proto/ccp.h"
#include "proto/ccp_parts.h"
#include "certs/mem.h"
#include "certs/text.h"
#include <stdlib.h>
#include <string.h>

enum {
    CONTEXT_MAX = 4096,
    NAME_MAX_BYTES = 255,
    FRIENDLY_MAX = 64, /* characters */
    SERIAL_MAX = 64,   /* hexadecimal digits */
};

/* ---- who, and under which profile ---- */

static int copy_guid(
    const struct json *item, const char *name, bool must, char **out, struct err *e)
{
    char id[CCP_ID_LEN + 1] = "";

    if (part_guid(item, name, must, id, e) != 0)
        return -1;
    if (id[0] != '\0')
        *out = xstrdup(id);
    return 0;
}

/* requestContext is the cloud's own business: any characters, bounded. */
static int copy_context(const struct json *item, struct ccp_item *out, struct err *e)
{
    const char *text = NULL;

    if (json_text(item, "requestContext", false, CONTEXT_MAX, &text, e) != 0)
        return -1;
    out->context = xstrdup(text);
    return 0;
}

static int read_profile(const struct json *item, struct ccp_item *out, struct err *e)
{
    static const char *const platforms[] = { "windows10AndLater", "iOS", "macOS", "android",
        "linux", NULL };
    static const char *const stores[] = { "user", "machine", NULL };
    const struct json *profile = NULL;
    int platform = 0, store = 0;

    if (part_object(item, "profile", true, &profile, e) != 0)
        return -1;
    if (part_copy(profile, "id", true, 64, &out->profile_id, e) != 0
        || part_copy(profile, "name", false, NAME_MAX_BYTES, &out->profile_name, e) != 0
        || json_int(profile, "version", false, 0, INT32_MAX, &out->profile_version, e) != 0
        || part_choice(profile, "platform", true, platforms, &platform, e) != 0
        || part_choice(profile, "certificateStore", false, stores, &store, e) != 0)
        return err_wrap(e, "profile");
    out->platform = xstrdup(platforms[platform]);
    out->machine_store = store == 1;
    return 0;
}

/* ---- what the certificate may be used for ---- */

static int read_key_usage(const struct json *parameters, struct template *t, struct err *e)
{
    static const struct {
        const char *name;
        unsigned bit;
    } usages[] = {
        { "digitalSignature", KU_DIGITAL_SIGNATURE },
        { "nonRepudiation", KU_NON_REPUDIATION },
        { "keyEncipherment", KU_KEY_ENCIPHERMENT },
        { "dataEncipherment", KU_DATA_ENCIPHERMENT },
        { "keyAgreement", KU_KEY_AGREEMENT },
    };
    const struct json *list = NULL;

    if (part_array(parameters, "keyUsage", false, 16, &list, e) != 0)
        return -1;
    for (size_t i = 0; i < json_count(list); i++) {
        const char *name = json_string(json_at(list, i));
        unsigned bit = 0;

        if (name == NULL)
            return err_set(e, ERR_PROTO, "keyUsage[%zu]: not a string", i);
        for (size_t k = 0; k < sizeof usages / sizeof usages[0]; k++)
            if (strcmp(name, usages[k].name) == 0)
                bit = usages[k].bit;
        if (bit == 0)
            return err_set(
                e, ERR_UNSUPPORTED, "keyUsage[%zu]: \"%.60s\" is not supported", i, name);
        t->key_usage |= bit;
    }
    return 0;
}

static int read_extended_usage(const struct json *parameters, struct template *t, struct err *e)
{
    const struct json *list = NULL;

    if (part_array(parameters, "extendedKeyUsages", false, TEMPLATE_EKU_MAX, &list, e) != 0)
        return -1;
    for (size_t i = 0; i < json_count(list); i++) {
        const struct json *usage = json_at(list, i);
        const char *name = NULL, *oid = NULL;

        if (part_text(usage, "name", false, NAME_MAX_BYTES, &name, e) != 0
            || part_text(usage, "objectIdentifier", true, 128, &oid, e) != 0
            || template_add_eku(t, oid, e) != 0)
            return err_wrap(e, "extendedKeyUsages[%zu]", i);
    }
    return 0;
}

/* ---- key, signature, validity ---- */

static int read_key(const struct json *parameters, struct template *t, struct err *e)
{
    static const char *const algorithms[] = { "rsa", "ecP256", "ecP384", "ecP521", "ed25519",
        NULL };
    static const char *const sizes[] = { "size2048", "size3072", "size4096", NULL };
    static const char *const hashes[] = { "sha256", "sha384", "sha512", NULL };
    static const enum key_type rsa[] = { KEY_RSA2048, KEY_RSA3072, KEY_RSA4096 };
    static const enum key_type other[] = { KEY_NONE, KEY_P256, KEY_P384, KEY_P521, KEY_ED25519 };
    int algorithm = 0, size = -1, hash = 0;

    if (part_choice(parameters, "keyAlgorithm", false, algorithms, &algorithm, e) != 0
        || part_choice(parameters, "keySize", false, sizes, &size, e) != 0
        || part_choice(parameters, "hashAlgorithm", false, hashes, &hash, e) != 0)
        return -1;
    if (algorithm != 0 && size >= 0)
        return err_set(e, ERR_UNSUPPORTED,
            "keySize: \"%s\" with keyAlgorithm \"%s\", only with rsa", sizes[size],
            algorithms[algorithm]);
    t->key = algorithm != 0 ? other[algorithm] : rsa[size >= 0 ? size : 0];
    t->hash = (enum hash)(HASH_SHA256 + hash);
    return 0;
}

/* A month and a year are their mean length in the Gregorian calendar. */
static int read_validity(const struct json *parameters, struct template *t, struct err *e)
{
    static const char *const scales[] = { "days", "months", "years", NULL };
    static const int64_t seconds[] = { 86400, 2629746, 31556952 };
    static const int64_t most[] = { 10957, 360, 30 }; /* thirty years */
    int scale = -1;
    int64_t value = 0;

    if (part_choice(parameters, "certificateValidityPeriodScale", false, scales, &scale, e) != 0
        || json_int(
               parameters, "certificateValidityPeriodValue", scale >= 0, 1, INT32_MAX, &value, e)
               != 0)
        return -1;
    if (value == 0)
        return 0;
    if (scale < 0)
        return err_set(e, ERR_PROTO, "certificateValidityPeriodScale: missing");
    if (value > most[scale])
        return err_set(e, ERR_INPUT,
            "certificateValidityPeriodValue: %lld %s, at most %lld are taken", (long long)value,
            scales[scale], (long long)most[scale]);
    t->validity_s = value * seconds[scale];
    return 0;
}

/* ---- what the device gets besides ---- */

static int read_provider(const struct json *parameters, struct ccp_item *out, struct err *e)
{
    static const char *const providers[] = { "useTpmKspOtherwiseUseSoftwareKsp",
        "useTpmKspOtherwiseFail", "usePassportForWorkKspOtherwiseFail", "useSoftwareKsp", NULL };
    int provider = -1;

    if (part_choice(parameters, "keyStorageProvider", false, providers, &provider, e) != 0)
        return -1;
    if (provider >= 0)
        out->key_storage_provider = xstrdup(providers[provider]);
    return json_bool(parameters, "keyExportable", false, &out->key_exportable, e);
}

static int read_friendly_name(const struct json *parameters, struct ccp_item *out, struct err *e)
{
    if (part_copy(parameters, "friendlyName", false, 4 * FRIENDLY_MAX, &out->friendly_name, e) != 0)
        return -1;
    if (out->friendly_name != NULL && utf8_length(view_text(out->friendly_name)) > FRIENDLY_MAX)
        return err_set(e, ERR_INPUT, "friendlyName: more than %d characters", FRIENDLY_MAX);
    return 0;
}

static int read_renewal(const struct json *parameters, struct ccp_item *out, struct err *e)
{
    const struct json *renewal = NULL;
    const char *serial;

    if (part_object(parameters, "renewalOf", false, &renewal, e) != 0)
        return -1;
    if (renewal == NULL)
        return 0;
    if (part_copy(renewal, "serialNumber", true, SERIAL_MAX, &out->renewal_of_serial, e) != 0)
        return err_wrap(e, "renewalOf");
    serial = out->renewal_of_serial;
    if (serial[strspn(serial, "0123456789abcdefABCDEF")] != '\0')
        return err_set(
            e, ERR_PROTO, "renewalOf: serialNumber: \"%.60s\" is not hexadecimal", serial);
    return 0;
}

static int read_parameters(const struct json *item, struct ccp_item *out, struct err *e)
{
    struct template *t = &out->template;
    const struct json *p = NULL, *delivery = NULL;

    if (part_object(item, "parameters", true, &p, e) != 0)
        return -1;
    if (part_copy(p, "certificationAuthority", false, NAME_MAX_BYTES, &out->ca_host, e) != 0
        || part_copy(p, "certificationAuthorityName", true, NAME_MAX_BYTES, &out->ca_name, e) != 0
        || part_copy(p, "certificateTemplateName", true, NAME_MAX_BYTES, &t->name, e) != 0
        || read_key_usage(p, t, e) != 0 || read_extended_usage(p, t, e) != 0
        || part_names(p, out, e) != 0 || read_key(p, t, e) != 0 || read_validity(p, t, e) != 0
        || read_provider(p, out, e) != 0 || read_friendly_name(p, out, e) != 0
        || read_renewal(p, out, e) != 0 || part_object(p, "delivery", true, &delivery, e) != 0)
        return err_wrap(e, "parameters");
    if (part_delivery(delivery, out, e) != 0)
        return err_wrap(e, "parameters: delivery");
    return 0;
}

int ccp_item_parse(struct view json, struct ccp_item *out, struct err *e)
{
    struct json *root = json_parse(json, CCP_ITEM_MAX, e);
    struct err bad;
    int rc = -1;

    *out = (struct ccp_item){ .recipients = BUF_INIT(CCP_ITEM_MAX) };
    if (root == NULL)
        goto done;
    part_head(root, &out->head, &bad);
    if (bad.cls != ERR_NONE) {
        *e = bad;
        goto done;
    }
    if (copy_context(root, out, e) != 0)
        goto done;
    if (out->head.type != CCP_PKCS_ISSUE) {
        err_set(e, ERR_UNSUPPORTED, "requestType: \"%s\" is not supported, only %s",
            out->head.type_name, ccp_type_name(CCP_PKCS_ISSUE));
        goto done;
    }
    if (copy_guid(root, "tenantId", true, &out->tenant_id, e) != 0
        || copy_guid(root, "userId", false, &out->user_id, e) != 0
        || copy_guid(root, "deviceId", true, &out->device_id, e) != 0
        || read_profile(root, out, e) != 0 || read_parameters(root, out, e) != 0)
        goto done;
    rc = 0;
done:
    json_free(root);
    return rc;
}

void ccp_item_free(struct ccp_item *item)
{
    free(item->context);
    free(item->tenant_id);
    free(item->user_id);
    free(item->device_id);
    free(item->profile_id);
    free(item->profile_name);
    free(item->platform);
    free(item->ca_host);
    free(item->ca_name);
    free(item->key_storage_provider);
    free(item->friendly_name);
    free(item->renewal_of_serial);
    template_free(&item->template);
    buf_free(&item->recipients);
    *item = (struct ccp_item){ 0 };
}
