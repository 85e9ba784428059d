/* see expect.h: what the request's JSON asks for */
#include "test/sandbox/expect.h"
#include <arpa/inet.h>
#include <openssl/objects.h>
#include <string.h>
#include <strings.h>

/* ---- variables ---- */

static const char *variable(struct json_object *variables, const char *name, size_t len)
{
    void *it = NULL;
    struct js_member m;

    while (js_each(variables, &it, &m)) {
        const char *value = js_is_object(m.value) ? js_text(m.value, "value") : js_string(m.value);

        if (strlen(m.name) == len && strncasecmp(m.name, name, len) == 0)
            return value == NULL || *value == '\0' ? NULL : value;
    }
    return NULL;
}

bool expect_text(struct json_object *variables, const char *text, struct str *out, struct str *why)
{
    str_add(out, "", 0);
    while (*text != '\0') {
        const char *end, *value;

        if (strncmp(text, "{{", 2) != 0) {
            str_add(out, text++, 1);
            continue;
        }
        end = strstr(text, "}}");
        value = end == NULL ? NULL : variable(variables, text + 2, (size_t)(end - text - 2));
        if (value == NULL) {
            str_f(why, "variable %.40s has no value", text);
            return false;
        }
        str_puts(out, value);
        text = end + 2;
    }
    return true;
}

/* ---- subject ---- */

static int type_nid(const char *type)
{
    static const struct {
        const char *name;
        int nid;
    } types[] = {
        { "CN", NID_commonName },
        { "E", NID_pkcs9_emailAddress },
        { "emailAddress", NID_pkcs9_emailAddress },
        { "O", NID_organizationName },
        { "OU", NID_organizationalUnitName },
        { "C", NID_countryName },
        { "L", NID_localityName },
        { "S", NID_stateOrProvinceName },
        { "ST", NID_stateOrProvinceName },
        { "STREET", NID_streetAddress },
        { "T", NID_title },
        { "G", NID_givenName },
        { "SN", NID_surname },
        { "I", NID_initials },
        { "DC", NID_domainComponent },
        { "UID", NID_userId },
        { "serialNumber", NID_serialNumber },
    };

    for (size_t i = 0; i < sizeof types / sizeof types[0]; i++) {
        if (strcasecmp(types[i].name, type) == 0)
            return types[i].nid;
    }
    return NID_undef;
}

static bool add_attribute(
    X509_NAME *n, const char *type, const char *value, bool joined, struct str *why)
{
    int nid = type_nid(type);
    ASN1_OBJECT *o = nid != NID_undef ? OBJ_nid2obj(nid) : OBJ_txt2obj(type, 1);
    bool ok = o != NULL
              && X509_NAME_add_entry_by_OBJ(
                     n, o, MBSTRING_UTF8, (const unsigned char *)value, -1, -1, joined ? -1 : 0)
                     == 1;

    if (!ok)
        str_f(why, "subject: cannot be made of %s=%s", type, value);
    ASN1_OBJECT_free(o);
    return ok;
}

static bool add_rdn(X509_NAME *n, struct json_object *rdn, struct str *why)
{
    for (size_t i = 0; i < js_count(rdn); i++) {
        const char *type = js_text(js_at(rdn, i), "type"), *value = js_text(js_at(rdn, i), "value");

        if (type == NULL || value == NULL) {
            str_puts(why, "subject: an attribute without type or value");
            return false;
        }
        if (!add_attribute(n, type, value, i > 0, why))
            return false;
    }
    return true;
}

/* One value of a subject format up to an unescaped ',' or '+'; *at is left on it. */
static bool format_value(const char **at, struct str *value)
{
    const char *p = *at;
    bool quoted = *p == '"';

    str_add(value, "", 0);
    for (p += quoted; *p != '\0'; p++) {
        if (quoted ? *p == '"' : *p == ',' || *p == '+')
            break;
        if (*p == '\\' && p[1] != '\0')
            p++;
        str_add(value, p, 1);
    }
    if (quoted && *p++ != '"')
        return false;
    *at = p;
    return *p == '\0' || *p == ',' || *p == '+';
}

static bool from_format(
    X509_NAME *n, const char *format, struct json_object *variables, struct str *why)
{
    bool joined = false, ok = true;

    while (ok && *format != '\0') {
        struct str value = { 0 }, full = { 0 };
        size_t len = strcspn(format, "=");
        char type[64];

        ok = len > 0 && len < sizeof type && format[len] == '=';
        if (ok) {
            memcpy(type, format, len);
            type[len] = '\0';
            format += len + 1;
            ok = format_value(&format, &value);
        }
        if (!ok)
            str_puts(why, "subjectNameFormatString: not understood");
        ok = ok && expect_text(variables, value.p, &full, why)
             && add_attribute(n, type + strspn(type, " "), full.p, joined, why);
        joined = *format == '+';
        format += *format != '\0';
        str_free(&value);
        str_free(&full);
    }
    return ok;
}

static const char *standard_format(const char *name)
{
    static const char *const formats[][2] = {
        { "commonName", "CN={{UserName}}" },
        { "commonNameIncludingEmail", "CN={{UserName}},E={{EmailAddress}}" },
        { "commonNameAsEmail", "CN={{EmailAddress}}" },
        { "commonNameAsIMEI", "CN={{IMEINumber}}" },
        { "commonNameAsSerialNumber", "CN={{SerialNumber}}" },
        { "commonNameAsAadDeviceId", "CN={{AAD_Device_ID}}" },
        { "commonNameAsIntuneDeviceId", "CN={{DeviceId}}" },
        { "commonNameAsDurableDeviceId", "CN={{DurableDeviceId}}" },
    };

    for (size_t i = 0; name != NULL && i < sizeof formats / sizeof formats[0]; i++) {
        if (strcmp(formats[i][0], name) == 0)
            return formats[i][1];
    }
    return NULL;
}

X509_NAME *expect_subject(struct json_object *parameters, struct str *why)
{
    X509_NAME *n = need(X509_NAME_new());
    struct json_object *rdns = js_get(parameters, "subject");
    const char *format = standard_format(js_text(parameters, "subjectNameFormat"));
    bool ok = true;

    if (format == NULL)
        format = js_text(parameters, "subjectNameFormatString");
    if (rdns == NULL && format == NULL) {
        str_puts(why, "subject: the request has none");
        ok = false;
    } else if (rdns == NULL) {
        ok = from_format(n, format, js_get(parameters, "variables"), why);
    }
    for (size_t i = 0; ok && i < js_count(rdns); i++)
        ok = add_rdn(n, js_at(rdns, i), why);
    if (ok)
        return n;
    X509_NAME_free(n);
    return NULL;
}

/* ---- alternative names ---- */

static bool add_ip(const char *text, struct str *lines)
{
    unsigned char ip[16];

    str_puts(lines, "ip:");
    if (inet_pton(AF_INET, text, ip) == 1)
        str_hex(lines, ip, 4, false);
    else if (inet_pton(AF_INET6, text, ip) == 1)
        str_hex(lines, ip, 16, false);
    else
        return false;
    return true;
}

static bool add_name(
    struct json_object *parameters, struct json_object *san, struct str *lines, struct str *why)
{
    static const char *const types[][2] = {
        { "emailAddress", "email:" },
        { "userPrincipalName", "upn:" },
        { "domainNameService", "dns:" },
        { "universalResourceIdentifier", "uri:" },
        { "ipAddress", "" },
    };
    const char *type = js_text(san, "sanType"), *name = js_text(san, "name");
    struct str full = { 0 };
    bool ok = false;

    for (size_t i = 0; type != NULL && name != NULL && i < 5; i++) {
        if (strcmp(types[i][0], type) != 0)
            continue;
        ok = expect_text(js_get(parameters, "variables"), name, &full, why);
        if (ok && types[i][1][0] != '\0')
            str_f(lines, "%s%s", types[i][1], full.p);
        else
            ok = ok && add_ip(full.p, lines);
        str_puts(lines, "\n");
    }
    if (!ok && why->len == 0)
        str_f(why, "names: the request's %s is not understood", type == NULL ? "name" : type);
    str_free(&full);
    return ok;
}

bool expect_names(struct json_object *parameters, struct str *lines, struct str *why)
{
    struct json_object *sans = js_get(parameters, "subjectAlternativeNames");
    const char *sid = js_text(parameters, "onPremisesSecurityIdentifier");
    const char *how = js_text(parameters, "sidEncoding");

    str_add(lines, "", 0);
    for (size_t i = 0; i < js_count(sans); i++) {
        if (!add_name(parameters, js_at(sans, i), lines, why))
            return false;
    }
    if (sid != NULL && (how == NULL || strcmp(how, "uri") == 0 || strcmp(how, "both") == 0))
        str_f(lines, "uri:tag:microsoft.com,2022-09-14:sid:%s\n", sid);
    lines_sort(lines);
    return true;
}
