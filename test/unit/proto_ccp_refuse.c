/* CCP/1: items that are refused, each with its class and its reason. */
#include "test/ccp_item.h"

static void unsupported(void **state)
{
    static const struct bad rows[] = {
        { "\"pkcsIssue\"", "\"revokeCertificate\"", ERR_UNSUPPORTED,
            "requestType: \"revokeCertificate\" is not supported, only pkcsIssue" },
        { "\"pkcsIssue\"", "\"pkcsIssue2\"", ERR_UNSUPPORTED, "\"pkcsIssue2\"" },
        { "windows10AndLater", "windowsPhone", ERR_UNSUPPORTED,
            "profile: platform: \"windowsPhone\" is not supported, only windows10AndLater, iOS, "
            "macOS, android, "
            "linux" },
        { "\"machine\"", "\"service\"", ERR_UNSUPPORTED, "certificateStore: \"service\"" },
        { "\"emailAddress\"", "\"customAzureADAttribute\"", ERR_UNSUPPORTED,
            "subjectAlternativeNames[0]: sanType: \"customAzureADAttribute\" is not supported" },
        { "\"emailAddress\"", "\"none\"", ERR_UNSUPPORTED, "sanType: \"none\"" },
        { "\"both\"", "\"altSecurityIdentities\"", ERR_UNSUPPORTED, "sidEncoding" },
        { "\"keyEncipherment\"", "\"keyCertSign\"", ERR_UNSUPPORTED,
            "keyUsage[1]: \"keyCertSign\"" },
        { "\"rsa\"", "\"dsa\"", ERR_UNSUPPORTED, "keyAlgorithm: \"dsa\"" },
        { "\"rsa\"", "\"ecP256\"", ERR_UNSUPPORTED,
            "keySize: \"size3072\" with keyAlgorithm \"ecP256\"" },
        { "size3072", "size1024", ERR_UNSUPPORTED, "keySize: \"size1024\"" },
        { "\"sha384\"", "\"sha1\"", ERR_UNSUPPORTED, "hashAlgorithm: \"sha1\"" },
        { "useTpmKspOtherwiseUseSoftwareKsp", "useSmartCard", ERR_UNSUPPORTED,
            "keyStorageProvider" },
        { "blobToDevice", "mail", ERR_UNSUPPORTED, "delivery: mode: \"mail\"" },
        { "aes256-gcm", "rc2", ERR_UNSUPPORTED, "contentEncryption: \"rc2\"" },
        { "rsaPkcs1", "rsaOaepSha1", ERR_UNSUPPORTED, "keyTransport: \"rsaOaepSha1\"" },
        { "\"modern\"", "\"oldest\"", ERR_UNSUPPORTED, "pfxProfile: \"oldest\"" },
        { "\"sidEncoding\"", "\"subjectNameFormat\":\"commonNameAsShoeSize\",\"sidEncoding\"",
            ERR_UNSUPPORTED, "subjectNameFormat: \"commonNameAsShoeSize\"" },
    };

    (void)state;
    REFUSE_ALL(rows);
}

static void malformed(void **state)
{
    static const struct bad rows[] = {
        { "6D0E7C0A-1F2B-4C3D-8E4F-5A6B7C8D9E0F", "81", ERR_PROTO,
            "requestId: \"81\" is not a GUID" },
        { "\"tenantId\"", "\"xtenantId\"", ERR_PROTO, "tenantId: missing" },
        { "\"deviceId\"", "\"xdeviceId\"", ERR_PROTO, "deviceId: missing" },
        { "11111111-2222-3333-4444-66666666BBBB", "ada", ERR_PROTO,
            "userId: \"ada\" is not a GUID" },
        { "\"profile\"", "\"xprofile\"", ERR_PROTO, "profile: missing" },
        { "\"id\":\"p-1\"", "\"id\":\"\"", ERR_PROTO, "profile: id: empty" },
        { "\"version\":4", "\"version\":\"4\"", ERR_PROTO, "profile: version: not an integer" },
        { "\"platform\"", "\"xplatform\"", ERR_PROTO, "profile: platform: missing" },
        { "\"parameters\"", "\"xparameters\"", ERR_PROTO, "parameters: missing" },
        { "\"certificationAuthorityName\"", "\"x\"", ERR_PROTO,
            "certificationAuthorityName: missing" },
        { "\"certificateTemplateName\"", "\"x\"", ERR_PROTO, "certificateTemplateName: missing" },
        { "\"ContosoUser\"", "\"\"", ERR_PROTO, "certificateTemplateName: empty" },
        { "\"ContosoUser\"", "\"a\\r\\nSAN:upn=x\"", ERR_INPUT, "has a control character" },
        { "\"adcs\"", "\"ad\\u0000cs\"", ERR_PROTO, "NUL" },
        { "\"adcs\"", "\"ad\\ncs\"", ERR_INPUT,
            "certificationAuthorityName: \"ad?cs\" has a control" },
        { "\"keyUsage\":[", "\"keyUsage\":[7,", ERR_PROTO, "keyUsage[0]: not a string" },
        { "\"keyUsage\":[\"digitalSignature\",\"keyEncipherment\"]", "\"keyUsage\":{}", ERR_PROTO,
            "keyUsage: not an array" },
        { "\"objectIdentifier\"", "\"oid\"", ERR_PROTO,
            "extendedKeyUsages[0]: objectIdentifier: missing" },
        { "1.3.6.1.5.5.7.3.2", "clientAuth", ERR_INPUT, "extendedKeyUsages[0]" },
        { "\"keyExportable\":true", "\"keyExportable\":1", ERR_PROTO,
            "keyExportable: not true or false" },
        { "Wi-Fi \xe2\x80\x93 Ada",
            "0123456789012345678901234567890123456789012345678901234567890123x", ERR_INPUT,
            "friendlyName: more than 64 characters" },
        { "Wi-Fi \xe2\x80\x93 Ada", "a\\tb", ERR_INPUT,
            "friendlyName: \"a?b\" has a control character" },
        { "\"4A00ff\"", "\"4A00fg\"", ERR_PROTO,
            "renewalOf: serialNumber: \"4A00fg\" is not hexadecimal" },
        { "{\"serialNumber\":\"4A00ff\"}", "{}", ERR_PROTO, "renewalOf: serialNumber: missing" },
        { "{\"serialNumber\":\"4A00ff\"}", "7", ERR_PROTO, "renewalOf: not an object" },
        { "\"delivery\"", "\"xdelivery\"", ERR_PROTO, "delivery: missing" },
        { "\"mode\"", "\"xmode\"", ERR_PROTO, "delivery: mode: missing" },
        { "\"recipients\"", "\"x\"", ERR_PROTO, "recipients: missing" },
        { "\"recipients\":[{\"certificate\":\"" DEVICE "\"},{\"certificate\":\"" DEVICE "\"}]",
            "\"recipients\":[]", ERR_INPUT, "recipients: none" },
        { "\"recipients\":[{\"certificate\":\"" DEVICE "\"",
            "\"recipients\":[{\"certificate\":\"AAAA\"", ERR_INPUT, "recipients[0]: certificate" },
        { "\"recipients\":[{\"certificate\":\"" DEVICE "\"",
            "\"recipients\":[{\"certificate\":\"" DEVICE DEVICE "\"", ERR_INPUT,
            "recipients[0]: certificate" },
        { "\"recipients\":[{\"certificate\":\"" DEVICE "\"",
            "\"recipients\":[{\"certificate\":\"AA A\"", ERR_PROTO,
            "recipients[0]: certificate: base64" },
        { "\"recipients\":[{", "\"recipients\":[{},{", ERR_PROTO,
            "recipients[0]: certificate: missing" },
        { "\"recipients\":[{", "\"recipients\":[{},{},{},{},{},{},{},{},{},{", ERR_PROTO,
            "11 elements" },
        { "\"attempt\":1", "\"attempt\":1,\"attempt\":2", ERR_PROTO, "a second time" },
        { "\"escrow\":false", "\"escrow\":\"no\"", ERR_PROTO, "escrow: not true or false" },
    };
    char big[6000];
    char with[7000];
    struct bad large = { "ctx-81\\n", big, ERR_PROTO, "requestContext: 4097 bytes, at most 4096" };

    (void)state;
    REFUSE_ALL(rows);
    memset(big, 'c', sizeof big);
    big[4097] = '\0';
    refuse_all(&large, 1);
    big[256] = '\0';
    large = (struct bad){ "\"ContosoUser\"", with, ERR_PROTO,
        "certificateTemplateName: 256 bytes, at most 255" };
    (void)snprintf(with, sizeof with, "\"%s\"", big);
    refuse_all(&large, 1);
}

/* The head and what was understood stay, for the report. */
static void head_survives(void **state)
{
    char *text = changed("blobToDevice", "carrierPigeon");
    struct buf big = BUF_INIT(CCP_ITEM_MAX * 2);
    struct ccp_item item;
    struct err e = { 0 };

    (void)state;
    T_ERR(ccp_item_parse(view_text(text), &item, &e), ERR_UNSUPPORTED);
    assert_string_equal(item.head.id, "6d0e7c0a-1f2b-4c3d-8e4f-5a6b7c8d9e0f");
    assert_string_equal(item.head.lease, "L1");
    assert_string_equal(item.context, "ctx-81\n");
    assert_string_equal(item.template.name, "ContosoUser");
    ccp_item_free(&item);
    ccp_item_free(&item);
    free(text);
    T_ERR(ccp_item_parse(view_text("{"), &item, &e), ERR_PROTO);
    ccp_item_free(&item);
    T_ERR(ccp_item_parse(view_text("[]"), &item, &e), ERR_PROTO);
    ccp_item_free(&item);
    for (int i = 0; i <= CCP_ITEM_MAX / 8; i++)
        buf_add_text(&big, "        ");
    T_ERR(ccp_item_parse(buf_view(&big), &item, &e), ERR_TOO_LARGE);
    ccp_item_free(&item);
    buf_free(&big);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(unsupported),
        cmocka_unit_test(malformed),
        cmocka_unit_test(head_survives),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
