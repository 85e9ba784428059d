/* CCP/1: results.  Their bytes are stored and posted again and again, so they are compared as bytes. */
#include "test/t.h"
#include "test/journal.h"
#include "certs/text.h"
#include "proto/ccp.h"

#define ID       "6d0e7c0a-1f2b-4c3d-8e4f-5a6b7c8d9e0f"
#define ACTIVITY "2c0b4cc1-5d9e-4a39-9d35-0b6b3f1f6f10"

static const struct ccp_head head = {
    .id = ID, .type_name = "pkcsIssue", .type = CCP_PKCS_ISSUE, .lease = "L1"
};

static void write_result(const struct ccp_result *r, struct buf *out)
{
    struct buf body = BUF_INIT(1 << 20);
    struct err e = { 0 };
    struct json *root;

    buf_reset(out);
    ccp_result_write(out, r);
    assert_false(out->bad);
    root = json_parse(buf_view(out), 1 << 20, &e);
    if (root == NULL)
        fail_msg("%s: %s", buf_text(out), e.msg);
    json_free(root);
    ccp_upload_write(&body, "L1", buf_view(out));
    journal("/results/upload", "request", 0, buf_view(&body));
    buf_free(&body);
}

static void issued(void **state)
{
    /* three certificates as far as their length goes: SEQUENCE { INTEGER n } */
    struct ccp_result r = { .head = &head,
        .context = "ctx-81",
        .issuance_state = "issued",
        .activity_id = ACTIVITY,
        .chain = view_of("\x30\x03\x02\x01\x01\x30\x03\x02\x01\x02\x30\x03\x02\x01\x03", 15),
        .thumbprint = "A1B2C3D4E5F60718293A4B5C6D7E8F9001122334",
        .serial = "4A00000012C7",
        .not_after_at = 1795161600,
        .ca = "adcs",
        .issuing_ca = "CN=Contoso Issuing CA 1, O=Contoso",
        .pfx = view_of("\x30\x01\x02", 3),
        .pfx_password = view_of("\x30\x03", 2),
        .recipient_thumbprint = "77B2C3D4E5F60718293A4B5C6D7E8F9001122334",
        .profile = "modern" };
    struct buf out = BUF_INIT(10000), again = BUF_INIT(10000);

    (void)state;
    write_result(&r, &out);
    assert_string_equal(buf_text(&out),
        "{\"requestId\":\"" ID "\",\"requestContext\":\"ctx-81\",\"requestType\":\"pkcsIssue\","
        "\"succeeded\":true,\"errorCode\":\"None\",\"hResult\":0,\"certificateIssuanceState\":"
        "\"issued\","
        "\"certificateThumbprint\":\"A1B2C3D4E5F60718293A4B5C6D7E8F9001122334\","
        "\"certificateSerialNumber\":\"4A00000012C7\",\"certificateExpirationDateUtc\":\"2026-11-"
        "20T08:00:00Z\","
        "\"issuingCertificateAuthority\":\"CN=Contoso Issuing CA 1, "
        "O=Contoso\",\"certificateAuthority\":\"adcs\","
        "\"caConfiguration\":\"adcs\",\"certificate\":\"MAMCAQE=\",\"chain\":[\"MAMCAQI=\","
        "\"MAMCAQM=\"],"
        "\"pfx\":{\"encryptedPfxBlob\":\"MAEC\",\"encryptedPfxPassword\":\"MAM=\","
        "\"recipientThumbprint\":\"77B2C3D4E5F60718293A4B5C6D7E8F9001122334\",\"profile\":"
        "\"modern\"},"
        "\"activityId\":\"" ACTIVITY "\"}");
    write_result(&r, &again);
    assert_true(view_equal(buf_view(&out), buf_view(&again)));
    /* the blob alone, a leaf alone */
    r.pfx_password = (struct view){ 0 };
    r.chain.len = 5;
    write_result(&r, &out);
    assert_non_null(strstr(buf_text(&out),
        "\"certificate\":\"MAMCAQE=\",\"chain\":[],\"pfx\":{\"encryptedPfxBlob\":"
        "\"MAEC\",\"recipientThumbprint\""));
    buf_free(&out);
    buf_free(&again);
}

static void failed(void **state)
{
    struct err why = { 0 };
    struct ccp_result r = { .head = &head,
        .issuance_state = "issueFailed",
        .activity_id = ACTIVITY,
        .why = &why,
        .ca = "adcs" };
    struct ccp_head bare = head;
    struct buf out = BUF_INIT(10000);

    (void)state;
    err_set(&why, ERR_DENIED, "CA request 85: \"no\"\r\nsecond line");
    why.number = 0x80094800;
    write_result(&r, &out);
    assert_string_equal(buf_text(&out),
        "{\"requestId\":\"" ID "\",\"requestType\":\"pkcsIssue\",\"succeeded\":false,"
        "\"errorCode\":\"DeniedByCA\",\"hResult\":2148091904,"
        "\"errorMessage\":\"CA request 85: \\\"no\\\"??second "
        "line\",\"certificateIssuanceState\":\"issueFailed\","
        "\"certificateAuthority\":\"adcs\",\"caConfiguration\":\"adcs\",\"activityId\":\"" ACTIVITY
        "\"}");
    /* an HTTP status is no HRESULT; a request of a type we do not know is named as it came */
    err_set(&why, ERR_UNSUPPORTED, "no");
    why.number = 403;
    memcpy(bare.type_name, "teleport", 9);
    r.head = &bare;
    r.ca = NULL;
    write_result(&r, &out);
    assert_string_equal(buf_text(&out),
        "{\"requestId\":\"" ID "\",\"requestType\":\"teleport\",\"succeeded\":false,\"errorCode\":"
        "\"NotSupportedError\",\"hResult\":0,\"errorMessage\":\"no\",\"certificateIssuanceState\":"
        "\"issueFailed\","
        "\"activityId\":\"" ACTIVITY "\"}");
    buf_free(&out);
}

static void pending(void **state)
{
    struct ccp_result r = {
        .head = &head, .issuance_state = "issuePending", .activity_id = ACTIVITY, .ca = "adcs"
    };
    struct buf out = BUF_INIT(10000);

    (void)state;
    write_result(&r, &out);
    assert_non_null(strstr(buf_text(&out),
        "\"succeeded\":false,\"errorCode\":\"IssuancePending\",\"hResult\":0,"
        "\"certificateIssuanceState\":\"issuePending\""));
    assert_null(strstr(buf_text(&out), "errorMessage"));
    assert_null(strstr(buf_text(&out), "pfx"));
    buf_free(&out);
}

/* A stored chain that is none turns the buffer bad: nothing is posted. */
static void bad_chain(void **state)
{
    struct ccp_result r = { .head = &head, .issuance_state = "issued", .activity_id = ACTIVITY };
    struct buf out = BUF_INIT(10000), small = BUF_INIT(40);
    struct err e = { 0 };

    (void)state;
    r.chain = view_of("\x30\x03\x02\x01\x01\x30\x09\x02", 8);
    ccp_result_write(&out, &r);
    T_ERR(buf_check(&out, &e), ERR_PROTO);
    buf_reset(&out);
    r.chain = view_of("\xff", 1);
    ccp_result_write(&out, &r);
    T_ERR(buf_check(&out, &e), ERR_PROTO);
    r.chain = (struct view){ 0 };
    ccp_result_write(&small, &r);
    T_ERR(buf_check(&small, &e), ERR_TOO_LARGE);
    buf_free(&out);
    buf_free(&small);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(issued),
        cmocka_unit_test(failed),
        cmocka_unit_test(pending),
        cmocka_unit_test(bad_chain),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
