/*
 * see ccp_parts.h: subject, alternative names, SID
 *
 * A device can be renamed by whoever holds it.  If such a name gets into a certificate that logs
 * somebody on, its holder chooses who that is.  So the cloud marks what only the device says, and
 * here it is refused for every certificate that can be used to log on.
 */
#include "proto/ccp_parts.h"
#include "certs/text.h"
#include <string.h>
#include <strings.h>

enum {
    VAR_MAX = 64,
    VAR_NAME_MAX = 64,
    VALUE_MAX = 2048, /* bytes of a variable, an attribute or an alternative name */
    FORMAT_MAX = 2048,
    SID_MAX = 184
};

struct names {
    struct name_var var[VAR_MAX];
    bool asserted[VAR_MAX]; /* by the device alone */
    size_t var_count;
    const struct json *rdns; /* the subject in parts, or */
    const char *format;      /* as a format with variables */
    const struct json *sans;
};

/* ---- variables ---- */

static bool var_name_ok(const char *name)
{
    size_t len = strspn(name, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_.-");

    return len >= 1 && len <= VAR_NAME_MAX && name[len] == '\0';
}

/* "name": "value", or "name": {"value": "...", "deviceAsserted": true}; null is a variable without value. */
static int read_variable(const char *name, const struct json *v, struct names *n, struct err *e)
{
    const char *value = json_string(v);
    bool asserted = false;

    if (!var_name_ok(name))
        return err_set(e, ERR_INPUT, "\"%.60s\" is not a variable's name", name);
    for (size_t i = 0; i < n->var_count; i++)
        if (strcasecmp(name, n->var[i].name) == 0)
            return err_set(e, ERR_INPUT, "%s: there are two, upper and lower case aside", name);
    if (n->var_count == VAR_MAX)
        return err_set(e, ERR_INPUT, "more than %d of them", VAR_MAX);
    if (json_is_object(v)) {
        if (json_text(v, "value", false, VALUE_MAX, &value, e) != 0
            || json_bool(v, "deviceAsserted", false, &asserted, e) != 0)
            return err_wrap(e, "%s", name);
    } else if (v != NULL && value == NULL) {
        return err_set(e, ERR_PROTO, "%s: neither a string nor an object", name);
    }
    if (value != NULL && (strlen(value) > VALUE_MAX || text_has_control(view_text(value))))
        return err_set(
            e, ERR_INPUT, "%s: longer than %d bytes or with a control character", name, VALUE_MAX);
    n->asserted[n->var_count] = asserted;
    n->var[n->var_count++] = (struct name_var){ name, value };
    return 0;
}

static int read_variables(const struct json *parameters, struct names *n, struct err *e)
{
    const struct json *all = NULL, *v;
    const char *name;
    size_t state = 0;

    if (part_object(parameters, "variables", false, &all, e) != 0)
        return -1;
    while (json_next_member(all, &state, &name, &v))
        if (read_variable(name, v, n, e) != 0)
            return err_wrap(e, "variables");
    return 0;
}

/* ---- where the subject comes from ---- */

static const char *const format_names[] = { "custom", "commonName", "commonNameIncludingEmail",
    "commonNameAsEmail", "commonNameAsIMEI", "commonNameAsSerialNumber", "commonNameAsAadDeviceId",
    "commonNameAsIntuneDeviceId", "commonNameAsDurableDeviceId", NULL };
static const char *const formats[] = { NULL, "CN={{UserName}}",
    "CN={{UserName}},E={{EmailAddress}}", "CN={{EmailAddress}}", "CN={{IMEINumber}}",
    "CN={{SerialNumber}}", "CN={{AAD_Device_ID}}", "CN={{DeviceId}}", "CN={{DurableDeviceId}}" };
_Static_assert(
    sizeof format_names / sizeof format_names[0] == sizeof formats / sizeof formats[0] + 1,
    "a subject name format has no text");

/* `subject` wins: it is what the cloud resolved, the format then only tells where it came from. */
static int find_subject(const struct json *parameters, struct names *n, struct err *e)
{
    int format = 0;

    if (part_array(parameters, "subject", false, NAME_RDN_MAX, &n->rdns, e) != 0
        || part_choice(parameters, "subjectNameFormat", false, format_names, &format, e) != 0
        || part_text(parameters, "subjectNameFormatString", false, FORMAT_MAX, &n->format, e) != 0)
        return -1;
    if (n->rdns != NULL) {
        n->format = NULL;
        return 0;
    }
    if (format != 0)
        n->format = formats[format];
    if (n->format == NULL)
        return err_set(e, ERR_PROTO, "subject: missing, and no subject name format instead");
    return 0;
}

static int add_rdns(const struct json *rdns, struct name *subject, struct err *e)
{
    for (size_t i = 0; i < json_count(rdns); i++) {
        const struct json *rdn = json_at(rdns, i);

        if (!json_is_array(rdn) || json_count(rdn) == 0)
            return err_set(e, ERR_PROTO, "subject[%zu]: not an array of attributes", i);
        for (size_t k = 0; k < json_count(rdn); k++) {
            const char *type = NULL, *value = NULL;

            if (part_text(json_at(rdn, k), "type", true, 128, &type, e) != 0
                || part_text(json_at(rdn, k), "value", true, VALUE_MAX, &value, e) != 0
                || name_add(subject, type, value, k != 0, e) != 0)
                return err_wrap(e, "subject[%zu][%zu]", i, k);
        }
    }
    return 0;
}

/* ---- alternative names ---- */

static const char *const san_names[] = { "emailAddress", "userPrincipalName", "domainNameService",
    "universalResourceIdentifier", "ipAddress", NULL };
static const enum san_type san_types[] = { SAN_EMAIL, SAN_UPN, SAN_DNS, SAN_URI, SAN_IP };

/* A name without variables is taken as it stands: a backslash in it is a backslash. */
static int add_san(const struct names *n, const struct json *san, struct template *t, struct err *e)
{
    struct buf value = BUF_INIT(2 * VALUE_MAX);
    const char *name = NULL;
    int type = 0, rc = -1;

    if (part_choice(san, "sanType", true, san_names, &type, e) != 0
        || part_text(san, "name", true, VALUE_MAX, &name, e) != 0)
        goto done;
    if (strstr(name, "{{") == NULL)
        buf_add_text(&value, name);
    else if (name_expand(name, n->var, n->var_count, &value, e) != 0)
        goto done;
    if (buf_check(&value, e) != 0)
        goto done;
    rc = template_add_san(t, san_types[type], buf_text(&value), e);
done:
    buf_free(&value);
    return rc;
}

/* Subject and alternative names of one template. */
static int resolve(const struct names *n, struct template *t, struct err *e)
{
    if (n->format != NULL) {
        if (name_parse(&t->subject, n->format, n->var, n->var_count, e) != 0)
            return err_wrap(e, "subject");
    } else if (add_rdns(n->rdns, &t->subject, e) != 0) {
        return -1;
    }
    for (size_t i = 0; i < json_count(n->sans); i++)
        if (add_san(n, json_at(n->sans, i), t, e) != 0)
            return err_wrap(e, "subjectAlternativeNames[%zu]", i);
    return 0;
}

/* ---- what a device may assert ---- */

/* Without a list the CA's template decides, which may allow logging on. */
static bool can_log_on(const struct template *t)
{
    static const char *const oids[] = { "1.3.6.1.5.5.7.3.2" /* client authentication */,
        "1.3.6.1.4.1.311.20.2.2" /* smart card logon */, "1.3.6.1.5.2.3.4" /* PKINIT client */,
        "2.5.29.37.0" /* any */ };

    for (size_t i = 0; i < t->eku_count; i++)
        for (size_t k = 0; k < sizeof oids / sizeof oids[0]; k++)
            if (strcmp(t->ekus[i], oids[k]) == 0)
                return true;
    return t->eku_count == 0;
}

/* Is variable i used?  Then without it the names cannot be made. */
static bool used(struct names *n, size_t i)
{
    struct template probe = { 0 };
    const char *value = n->var[i].value;
    struct err e = { 0 };
    int rc;

    n->var[i].value = NULL;
    rc = resolve(n, &probe, &e);
    n->var[i].value = value;
    template_free(&probe);
    return rc != 0;
}

/* The same mark on a resolved attribute or name. */
static int marked(const struct json *list, const char *what, struct err *e)
{
    for (size_t i = 0; i < json_count(list); i++) {
        const struct json *v = json_at(list, i);
        bool asserted = false;

        if (json_is_array(v)) {
            if (marked(v, what, e) != 0)
                return -1;
            continue;
        }
        if (json_bool(v, "deviceAsserted", false, &asserted, e) != 0)
            return err_wrap(e, "%s", what);
        if (asserted)
            return err_set(e, ERR_INPUT,
                "%s: a value that only the device asserts, in a certificate that can log on", what);
    }
    return 0;
}

static int check_asserted(struct names *n, struct err *e)
{
    if (marked(n->rdns, "subject", e) != 0 || marked(n->sans, "subjectAlternativeNames", e) != 0)
        return -1;
    for (size_t i = 0; i < n->var_count; i++)
        if (n->asserted[i] && used(n, i))
            return err_set(e, ERR_INPUT,
                "variable %s: only the device asserts it, and the certificate can log on; allow it "
                "with "
                "allowDeviceAssertedNames",
                n->var[i].name);
    return 0;
}

/* ---- SID ---- */

static int read_sid(const struct json *parameters, struct template *t, struct err *e)
{
    static const char *const encodings[] = { "none", "uri", "extension", "both", NULL };
    const char *sid = NULL;
    int how = -1;

    if (part_text(parameters, "onPremisesSecurityIdentifier", false, SID_MAX, &sid, e) != 0
        || part_choice(parameters, "sidEncoding", false, encodings, &how, e) != 0)
        return -1;
    if (sid == NULL || sid[0] == '\0') {
        if (how > 0)
            return err_set(e, ERR_INPUT, "sidEncoding: \"%s\" without onPremisesSecurityIdentifier",
                encodings[how]);
        return 0;
    }
    if (how < 0)
        how = SID_URI;
    if (how == SID_NONE)
        return 0;
    if (template_set_sid(t, sid, (enum sid_encoding)how, e) != 0)
        return err_wrap(e, "onPremisesSecurityIdentifier");
    return 0;
}

int part_names(const struct json *parameters, struct ccp_item *out, struct err *e)
{
    struct names n = { 0 };
    bool allowed = false;

    if (read_variables(parameters, &n, e) != 0 || find_subject(parameters, &n, e) != 0
        || part_array(parameters, "subjectAlternativeNames", false, TEMPLATE_SAN_MAX, &n.sans, e)
               != 0
        || json_bool(parameters, "allowDeviceAssertedNames", false, &allowed, e) != 0)
        return -1;
    if (resolve(&n, &out->template, e) != 0 || read_sid(parameters, &out->template, e) != 0)
        return -1;
    if (!allowed && can_log_on(&out->template) && check_asserted(&n, e) != 0)
        return -1;
    if (out->template.subject.count == 0 && out->template.san_count == 0)
        return err_set(e, ERR_INPUT, "subject: empty, and there is no alternative name");
    return 0;
}
