#ifndef TEST_CCP_ITEM_H
#define TEST_CCP_ITEM_H
#include "test/t.h"
#include "test/ccp_device.h"
#include "test/journal.h"
#include "proto/ccp.h"
#include <stdlib.h>

/*
 * ccp_item.h - a good CCP/1 item for the tests of its parser.
 *
 * Every case is this item with one piece of its text replaced, so that what is tested is that piece and
 * nothing else.
 */
static const char good[] =
    "{\"requestId\":\"6D0E7C0A-1F2B-4C3D-8E4F-5A6B7C8D9E0F\",\"requestContext\":\"ctx-81\\n\","
    "\"requestType\":\"pkcsIssue\",\"tenantId\":\"11111111-2222-3333-4444-55555555aaaa\","
    "\"userId\":\"11111111-2222-3333-4444-66666666BBBB\",\"deviceId\":\"11111111-2222-3333-4444-"
    "777777777777\","
    "\"leaseId\":\"L1\",\"leaseExpiresDateTime\":\"2026-11-20T08:10:00Z\",\"attempt\":1,"
    "\"createdDateTime\":\"2026-11-20T08:00:00Z\",\"expiresDateTime\":\"2026-11-21T08:00:00Z\","
    "\"profile\":{\"id\":\"p-1\",\"version\":4,\"name\":\"Wi-Fi\",\"platform\":"
    "\"windows10AndLater\","
    "\"certificateStore\":\"machine\"},"
    "\"parameters\":{\"certificationAuthority\":\"ca.contoso.example\","
    "\"certificationAuthorityName\":\"adcs\","
    "\"certificateTemplateName\":\"ContosoUser\","
    "\"subject\":[[{\"type\":\"CN\",\"value\":\"Ada Lovelace, \\\"Countess\\\"\"}],"
    "[{\"type\":\"OU\",\"value\":\"R&D\"},{\"type\":\"O\",\"value\":\"Contoso\"}]],"
    "\"subjectAlternativeNames\":[{\"sanType\":\"emailAddress\",\"name\":\"ada@contoso.example\"},"
    "{\"sanType\":\"userPrincipalName\",\"name\":\"ada@contoso.example\"},"
    "{\"sanType\":\"domainNameService\",\"name\":\"ada.contoso.example\"},"
    "{\"sanType\":\"universalResourceIdentifier\",\"name\":\"urn:device:1\"},"
    "{\"sanType\":\"ipAddress\",\"name\":\"192.0.2.1\"}],"
    "\"onPremisesSecurityIdentifier\":\"S-1-5-21-1-2-3-1105\",\"sidEncoding\":\"both\","
    "\"keyUsage\":[\"digitalSignature\",\"keyEncipherment\"],"
    "\"extendedKeyUsages\":[{\"name\":\"Client "
    "Authentication\",\"objectIdentifier\":\"1.3.6.1.5.5.7.3.2\"}],"
    "\"keyAlgorithm\":\"rsa\",\"keySize\":\"size3072\",\"hashAlgorithm\":\"sha384\","
    "\"certificateValidityPeriodValue\":2,\"certificateValidityPeriodScale\":\"months\","
    "\"keyStorageProvider\":\"useTpmKspOtherwiseUseSoftwareKsp\",\"keyExportable\":true,"
    "\"friendlyName\":\"Wi-Fi \xe2\x80\x93 Ada\",\"renewalOf\":{\"serialNumber\":\"4A00ff\"},"
    "\"delivery\":{\"mode\":\"blobToDevice\",\"recipients\":[{\"certificate\":\"" DEVICE "\"},"
    "{\"certificate\":\"" DEVICE
    "\"}],\"contentEncryption\":\"aes256-gcm\",\"keyTransport\":\"rsaPkcs1\","
    "\"pfxProfile\":\"modern\",\"escrow\":false}},\"futureMember\":[1,2,{\"x\":null}]}";

/* The good item with the first `find` replaced; every find must be there. */
static inline char *changed(const char *find, const char *with)
{
    const char *at = strstr(good, find);
    size_t size = sizeof good + strlen(with);
    char *text = malloc(size);

    if (at == NULL || text == NULL)
        fail_msg("\"%s\" is not in the item", find);
    (void)snprintf(text, size, "%.*s%s%s", (int)(at - good), good, with, at + strlen(find));
    return text;
}

static inline void put_journal(struct view item)
{
    struct buf body = BUF_INIT(1 << 20);

    buf_add_text(&body, "{\"value\":[");
    buf_add_view(&body, item);
    buf_add_text(&body, "],\"pollAfterSeconds\":60}");
    journal("/requests/download", "response", 200, buf_view(&body));
    buf_free(&body);
}

static inline void parse_changed(const char *find, const char *with, struct ccp_item *out)
{
    char *text = changed(find, with);
    struct err e = { 0 };

    if (ccp_item_parse(view_text(text), out, &e) != 0)
        fail_msg("%s: %s %s", with, err_name(e.cls), e.msg);
    put_journal(view_text(text));
    free(text);
}

struct bad {
    const char *find, *with;
    enum err_class cls;
    const char *says;
};

static inline void refuse_all(const struct bad *rows, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        char *text = changed(rows[i].find, rows[i].with);
        struct ccp_item item;
        struct err e = { 0 };

        if (ccp_item_parse(view_text(text), &item, &e) == 0)
            fail_msg("%s: was taken", rows[i].with);
        if (e.cls != rows[i].cls || strstr(e.msg, rows[i].says) == NULL)
            fail_msg("%s: %s \"%s\"", rows[i].with, err_name(e.cls), e.msg);
        ccp_item_free(&item);
        free(text);
    }
}
#define REFUSE_ALL(rows) refuse_all(rows, sizeof(rows) / sizeof(rows)[0])
#endif
