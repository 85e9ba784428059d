/* CCP/1: subject formats, variables, alternative names, the SID, and what a device may say of itself. */
#include "test/ccp_device.h"
#include "test/t.h"
#include "test/journal.h"
#include "proto/ccp.h"

#define EMAIL_ONLY "\"extendedKeyUsages\":[{\"objectIdentifier\":\"1.3.6.1.5.5.7.3.4\"}],"
#define LOGON      "\"extendedKeyUsages\":[{\"objectIdentifier\":\"1.3.6.1.5.5.7.3.2\"}],"
#define LOGON_SECOND                                                       \
    "\"extendedKeyUsages\":[{\"objectIdentifier\":\"1.3.6.1.5.5.7.3.4\"}," \
    "{\"objectIdentifier\":\"1.3.6.1.5.5.7.3.2\"}],"

static int parse(const char *parameters, struct ccp_item *out, struct err *e)
{
    struct buf text = BUF_INIT(CCP_ITEM_MAX * 2), body = BUF_INIT(CCP_ITEM_MAX * 3);
    int rc;

    buf_printf(&text,
        "{\"requestId\":\"6d0e7c0a-1f2b-4c3d-8e4f-5a6b7c8d9e0f\",\"requestType\":\"pkcsIssue\","
        "\"tenantId\":\"11111111-2222-3333-4444-555555555555\","
        "\"deviceId\":\"11111111-2222-3333-4444-777777777777\","
        "\"profile\":{\"id\":\"p\",\"platform\":\"linux\"},"
        "\"parameters\":{%s\"certificationAuthorityName\":\"adcs\",\"certificateTemplateName\":"
        "\"T\","
        "\"delivery\":{\"mode\":\"blobToDevice\",\"recipients\":[{\"certificate\":\"" DEVICE
        "\"}]}}}",
        parameters);
    assert_false(text.bad);
    rc = ccp_item_parse(buf_view(&text), out, e);
    if (rc == 0) {
        buf_printf(&body, "{\"value\":[%s]}", buf_text(&text));
        journal("/requests/download", "response", 200, buf_view(&body));
    }
    buf_free(&text);
    buf_free(&body);
    return rc;
}

/* The subject as "CN=x,E=y|O=z": RDNs by ',', attributes of one by '+'. */
static void expect(const char *parameters, const char *subject, const char *sans)
{
    struct ccp_item item;
    const struct template *t = &item.template;
    struct err e = { 0 };
    char got[1000] = "";

    if (parse(parameters, &item, &e) != 0)
        fail_msg("%s: %s %s", parameters, err_name(e.cls), e.msg);
    for (size_t i = 0; i < t->subject.count; i++)
        for (size_t k = 0; k < t->subject.rdn[i].count; k++)
            (void)snprintf(got + strlen(got), sizeof got - strlen(got), "%s%s=%s",
                k != 0   ? "+"
                : i != 0 ? ","
                         : "",
                t->subject.rdn[i].attr[k].type, t->subject.rdn[i].attr[k].value);
    assert_string_equal(got, subject);
    got[0] = '\0';
    for (size_t i = 0; i < t->san_count; i++)
        (void)snprintf(got + strlen(got), sizeof got - strlen(got), "%s%d:%s", i != 0 ? " " : "",
            (int)t->sans[i].type, t->sans[i].value);
    assert_string_equal(got, sans);
    ccp_item_free(&item);
}

static void refuse(const char *parameters, enum err_class cls, const char *says)
{
    struct ccp_item item;
    struct err e = { 0 };

    if (parse(parameters, &item, &e) == 0)
        fail_msg("%s: was taken", parameters);
    if (e.cls != cls || strstr(e.msg, says) == NULL)
        fail_msg("%s: %s \"%s\"", parameters, err_name(e.cls), e.msg);
    ccp_item_free(&item);
}

#define USER_VARS                                                                                  \
    "\"variables\":{\"UserName\":\"ada\",\"EmailAddress\":\"ada@contoso.example\",\"IMEINumber\":" \
    "\"490154203237518\",\"SerialNumber\":\"SN-1\",\"AAD_Device_ID\":\"aad-1\",\"DeviceId\":"      \
    "\"dev-1\",\"DurableDeviceId\":\"dur-1\"},"

static void formats(void **state)
{
    (void)state;
    expect(USER_VARS "\"subjectNameFormat\":\"commonName\",", "CN=ada", "");
    expect(USER_VARS "\"subjectNameFormat\":\"commonNameIncludingEmail\",",
        "CN=ada,E=ada@contoso.example", "");
    expect(USER_VARS "\"subjectNameFormat\":\"commonNameAsEmail\",", "CN=ada@contoso.example", "");
    expect(USER_VARS "\"subjectNameFormat\":\"commonNameAsIMEI\",", "CN=490154203237518", "");
    expect(USER_VARS "\"subjectNameFormat\":\"commonNameAsSerialNumber\",", "CN=SN-1", "");
    expect(USER_VARS "\"subjectNameFormat\":\"commonNameAsAadDeviceId\",", "CN=aad-1", "");
    expect(USER_VARS "\"subjectNameFormat\":\"commonNameAsIntuneDeviceId\",", "CN=dev-1", "");
    expect(USER_VARS "\"subjectNameFormat\":\"commonNameAsDurableDeviceId\",", "CN=dur-1", "");
    expect(USER_VARS "\"subjectNameFormat\":\"custom\",\"subjectNameFormatString\":"
                     "\"CN={{UserName}},OU=Mobile,O=Finance Group\",",
        "CN=ada,OU=Mobile,O=Finance Group", "");
    expect(USER_VARS "\"subjectNameFormatString\":\"CN={{username}}+E={{EMAILADDRESS}}\",",
        "CN=ada+E=ada@contoso.example", "");
    /* a standard format does not look at the string, a resolved subject at neither */
    expect(USER_VARS
        "\"subjectNameFormat\":\"commonName\",\"subjectNameFormatString\":\"CN={{Nothing}}\",",
        "CN=ada", "");
    expect("\"subject\":[[{\"type\":\"CN\",\"value\":\"{{Ada}}, "
           "O=Evil\"}]],\"subjectNameFormatString\":"
           "\"CN={{Nothing}}\",",
        "CN={{Ada}}, O=Evil", "");
}

static void format_faults(void **state)
{
    (void)state;
    refuse("", ERR_PROTO, "subject: missing, and no subject name format instead");
    refuse("\"subjectNameFormat\":\"custom\",", ERR_PROTO, "subject: missing");
    refuse("\"subjectNameFormat\":\"commonName\",", ERR_VARIABLE, "UserName");
    refuse("\"variables\":{\"UserName\":\"\"},\"subjectNameFormat\":\"commonName\",", ERR_VARIABLE,
        "UserName");
    refuse("\"variables\":{\"UserName\":null},\"subjectNameFormat\":\"commonName\",", ERR_VARIABLE,
        "UserName");
    refuse("\"variables\":{\"UserName\":{}},\"subjectNameFormat\":\"commonName\",", ERR_VARIABLE,
        "UserName");
    refuse("\"variables\":{\"UserName\":{\"value\":null}},\"subjectNameFormat\":\"commonName\",",
        ERR_VARIABLE, "UserName");
    refuse("\"subjectNameFormatString\":\"CN=\",", ERR_INPUT, "subject");
    refuse("\"subjectNameFormatString\":\"CN=a\\nb\",", ERR_INPUT, "control character");
    refuse("\"subjectNameFormatString\":5,", ERR_PROTO, "subjectNameFormatString: not a string");
    refuse("\"subject\":\"CN=ada\",", ERR_PROTO, "subject: not an array");
    refuse("\"subject\":[],", ERR_INPUT, "subject: empty, and there is no alternative name");
    refuse("\"subjectNameFormatString\":\"\",", ERR_INPUT, "subject: empty");
    refuse("\"subject\":[[]],", ERR_PROTO, "subject[0]: not an array of attributes");
    refuse(
        "\"subject\":[{\"type\":\"CN\",\"value\":\"a\"}],", ERR_PROTO, "subject[0]: not an array");
    refuse("\"subject\":[[{\"type\":\"CN\"}]],", ERR_PROTO, "subject[0][0]: value: missing");
    refuse("\"subject\":[[{\"value\":\"a\"}]],", ERR_PROTO, "subject[0][0]: type: missing");
    refuse("\"subject\":[[{\"type\":\"SHOE\",\"value\":\"44\"}]],", ERR_INPUT, "subject[0][0]");
    refuse("\"subject\":[[{\"type\":\"CN\",\"value\":\"a\\r\\nb\"}]],", ERR_INPUT,
        "control character");
    refuse("\"subject\":[[{\"type\":\"C\",\"value\":\"Germany\"}]],", ERR_INPUT, "subject[0][0]");
}

/* A value stays one value, whatever it holds. */
static void injection(void **state)
{
    (void)state;
    expect("\"variables\":{\"X\":\"a,O=Evil+C=DE\"},\"subjectNameFormatString\":\"CN={{X}}\",",
        "CN=a,O=Evil+C=DE", "");
    expect("\"variables\":{\"X\":\"{{Y}}\",\"Y\":\"secret\"},\"subjectNameFormatString\":\"CN={{X}}"
           "\",",
        "CN={{Y}}", "");
    refuse("\"variables\":{\"X\":\"a\\u0000\"},\"subjectNameFormatString\":\"CN={{X}}\",",
        ERR_PROTO, "NUL");
    refuse("\"variables\":{\"X\":\"a\\nb\"},\"subjectNameFormatString\":\"CN={{X}}\",", ERR_INPUT,
        "variables: X: longer than 2048 bytes or with a control character");
}

static void variable_faults(void **state)
{
    struct buf many = BUF_INIT(10000);

    (void)state;
    refuse("\"variables\":[],\"subject\":[],", ERR_PROTO, "variables: not an object");
    refuse("\"variables\":{\"a b\":\"x\"},\"subject\":[],", ERR_INPUT,
        "\"a b\" is not a variable's name");
    refuse(
        "\"variables\":{\"\":\"x\"},\"subject\":[],", ERR_INPUT, "\"\" is not a variable's name");
    refuse("\"variables\":{\"X\":5},\"subject\":[],", ERR_PROTO,
        "variables: X: neither a string nor an object");
    refuse("\"variables\":{\"X\":{\"value\":5}},\"subject\":[],", ERR_PROTO,
        "variables: X: value: not a string");
    refuse("\"variables\":{\"X\":{\"value\":\"a\",\"deviceAsserted\":1}},\"subject\":[],",
        ERR_PROTO, "variables: X: deviceAsserted: not true or false");
    refuse("\"variables\":{\"X\":\"a\",\"x\":\"b\"},\"subject\":[],", ERR_INPUT,
        "variables: x: there are two, upper and lower case aside");
    buf_add_text(&many, "\"variables\":{");
    for (int i = 0; i < 65; i++)
        buf_printf(&many, "%s\"V%d\":\"x\"", i != 0 ? "," : "", i);
    buf_add_text(&many, "},\"subject\":[],");
    refuse(buf_text(&many), ERR_INPUT, "variables: more than 64");
    buf_free(&many);
}

static void alternative_names(void **state)
{
    struct buf many = BUF_INIT(100000);

    (void)state;
    expect(USER_VARS
        "\"subject\":[],\"subjectAlternativeNames\":["
        "{\"sanType\":\"emailAddress\",\"name\":\"{{EmailAddress}}\"},"
        "{\"sanType\":\"userPrincipalName\",\"name\":\"{{UserName}}@contoso.example\"},"
        "{\"sanType\":\"universalResourceIdentifier\",\"name\":\"urn:{x}:\\\\y\"}],",
        "", "1:ada@contoso.example 5:ada@contoso.example 3:urn:{x}:\\y");
    refuse("\"subject\":[],\"subjectAlternativeNames\":[{\"sanType\":\"emailAddress\",\"name\":\"{{"
           "Mail}}\"}],",
        ERR_VARIABLE, "subjectAlternativeNames[0]");
    refuse("\"subject\":[],\"subjectAlternativeNames\":[{\"sanType\":\"ipAddress\",\"name\":"
           "\"localhost\"}],",
        ERR_INPUT, "subjectAlternativeNames[0]");
    refuse("\"subject\":[],\"subjectAlternativeNames\":[{\"sanType\":\"ipAddress\"}],", ERR_PROTO,
        "subjectAlternativeNames[0]: name: missing");
    refuse("\"subject\":[],\"subjectAlternativeNames\":[{\"name\":\"x\"}],", ERR_PROTO,
        "subjectAlternativeNames[0]: sanType: missing");
    refuse(
        "\"subject\":[],\"subjectAlternativeNames\":[5],", ERR_PROTO, "subjectAlternativeNames[0]");
    refuse("\"subject\":[],\"subjectAlternativeNames\":{},", ERR_PROTO,
        "subjectAlternativeNames: not an array");
    buf_add_text(&many, "\"subject\":[],\"subjectAlternativeNames\":[0");
    for (int i = 0; i < 500; i++)
        buf_add_text(&many, ",0");
    buf_add_text(&many, "],");
    refuse(buf_text(&many), ERR_PROTO, "subjectAlternativeNames: 501 elements, at most 500");
    buf_free(&many);
}

static void sid(void **state)
{
    static const struct {
        const char *parameters;
        enum sid_encoding how;
    } rows[] = {
        { "\"onPremisesSecurityIdentifier\":\"S-1-5-21-1-2-3-4\",", SID_URI },
        { "\"onPremisesSecurityIdentifier\":\"S-1-5-21-1-2-3-4\",\"sidEncoding\":\"uri\",",
            SID_URI },
        { "\"onPremisesSecurityIdentifier\":\"S-1-5-21-1-2-3-4\",\"sidEncoding\":\"extension\",",
            SID_EXTENSION },
        { "\"onPremisesSecurityIdentifier\":\"S-1-5-21-1-2-3-4\",\"sidEncoding\":\"both\",",
            SID_BOTH },
        { "\"onPremisesSecurityIdentifier\":\"S-1-5-21-1-2-3-4\",\"sidEncoding\":\"none\",",
            SID_NONE },
        { "\"sidEncoding\":\"none\",", SID_NONE },
        { "\"onPremisesSecurityIdentifier\":null,\"sidEncoding\":null,", SID_NONE },
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct ccp_item item;
        struct err e = { 0 };
        char text[300];

        (void)snprintf(text, sizeof text, "%s\"subject\":[[{\"type\":\"CN\",\"value\":\"a\"}]],",
            rows[i].parameters);
        T_OK(parse(text, &item, &e));
        assert_int_equal(item.template.sid_encoding, rows[i].how);
        assert_int_equal(item.template.sid != NULL, rows[i].how != SID_NONE);
        ccp_item_free(&item);
    }
    refuse("\"subject\":[[{\"type\":\"CN\",\"value\":\"a\"}]],\"sidEncoding\":\"uri\",", ERR_INPUT,
        "sidEncoding: \"uri\" without onPremisesSecurityIdentifier");
    refuse("\"subject\":[[{\"type\":\"CN\",\"value\":\"a\"}]],\"onPremisesSecurityIdentifier\":\"S-"
           "1-5-x\",",
        ERR_INPUT, "onPremisesSecurityIdentifier");
}

/* ---- what only the device asserts ---- */

#define DEVICE_VARS                                                                             \
    "\"variables\":{\"UserName\":\"ada\",\"DeviceName\":{\"value\":\"ada\",\"deviceAsserted\":" \
    "true},"                                                                                    \
    "\"Serial\":{\"value\":\"SN-1\",\"deviceAsserted\":false}},"

static void asserted(void **state)
{
    static const char *const logon[] = { LOGON, LOGON_SECOND,
        "\"extendedKeyUsages\":[{\"objectIdentifier\":\"1.3.6.1.4.1.311.20.2.2\"}],",
        "\"extendedKeyUsages\":[{\"objectIdentifier\":\"1.3.6.1.5.2.3.4\"}],",
        "\"extendedKeyUsages\":[{\"objectIdentifier\":\"2.5.29.37.0\"}],",
        "" /* then the CA's template decides, and may allow it */ };
    char text[1000];

    (void)state;
    for (size_t i = 0; i < sizeof logon / sizeof logon[0]; i++) {
        (void)snprintf(text, sizeof text,
            "%s" DEVICE_VARS "\"subjectNameFormatString\":\"CN={{devicename}}\",", logon[i]);
        refuse(text, ERR_INPUT, "variable DeviceName: only the device asserts it");
        (void)snprintf(text, sizeof text,
            "%s" DEVICE_VARS
            "\"subjectNameFormatString\":\"CN={{UserName}}\",\"subjectAlternativeNames\":["
            "{\"sanType\":\"userPrincipalName\",\"name\":\"{{DeviceName}}@contoso.example\"}],",
            logon[i]);
        refuse(text, ERR_INPUT, "variable DeviceName: only the device asserts it");
        (void)snprintf(text, sizeof text,
            "%s\"subject\":[[{\"type\":\"CN\",\"value\":\"ada\",\"deviceAsserted\":true}]],",
            logon[i]);
        refuse(text, ERR_INPUT, "subject: a value that only the device asserts");
        (void)snprintf(text, sizeof text,
            "%s\"subject\":[],\"subjectAlternativeNames\":[{\"sanType\":\"emailAddress\",\"name\":"
            "\"ada@contoso.example\",\"deviceAsserted\":true}],",
            logon[i]);
        refuse(text, ERR_INPUT, "subjectAlternativeNames: a value that only the device asserts");
        /* not used, or not asserted, or allowed by the profile */
        (void)snprintf(text, sizeof text,
            "%s" DEVICE_VARS "\"subjectNameFormatString\":\"CN={{UserName}} {{Serial}} "
            "\\\\{\\\\{DeviceName\\\\}\\\\}\",",
            logon[i]);
        expect(text, "CN=ada SN-1 {{DeviceName}}", "");
        (void)snprintf(text, sizeof text,
            "%s" DEVICE_VARS
            "\"allowDeviceAssertedNames\":true,\"subjectNameFormatString\":\"CN={{DeviceName}}\",",
            logon[i]);
        expect(text, "CN=ada", "");
    }
    expect(
        EMAIL_ONLY DEVICE_VARS "\"subjectNameFormatString\":\"CN={{DeviceName}}\",", "CN=ada", "");
    expect(EMAIL_ONLY
        "\"subject\":[[{\"type\":\"CN\",\"value\":\"ada\",\"deviceAsserted\":true}]],",
        "CN=ada", "");
    refuse(LOGON "\"subject\":[[{\"type\":\"CN\",\"value\":\"ada\",\"deviceAsserted\":\"yes\"}]],",
        ERR_PROTO, "subject: deviceAsserted: not true or false");
    refuse(LOGON DEVICE_VARS
        "\"allowDeviceAssertedNames\":\"yes\",\"subjectNameFormatString\":\"CN={{UserName}}\",",
        ERR_PROTO, "allowDeviceAssertedNames: not true or false");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(formats),
        cmocka_unit_test(format_faults),
        cmocka_unit_test(injection),
        cmocka_unit_test(variable_faults),
        cmocka_unit_test(alternative_names),
        cmocka_unit_test(sid),
        cmocka_unit_test(asserted),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
