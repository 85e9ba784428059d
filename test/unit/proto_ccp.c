/* CCP/1: error codes, judging answers, headers. */
#include "test/t.h"
#include "test/journal.h"
#include "proto/ccp.h"

#define ID_A "6d0e7c0a-1f2b-4c3d-8e4f-5a6b7c8d9e0f"

/* ---- codes ---- */

static void every_class_has_a_code(void **state)
{
    static const struct {
        enum err_class cls;
        const char *name;
        int number;
    } rows[] = {
        { ERR_NONE, "None", 0 },
        { ERR_NOMEM, "RetryableServiceException", 4100 },
        { ERR_NET, "CAUnreachable", 4104 },
        { ERR_BUSY, "ServiceTooBusyException", 4102 },
        { ERR_INTERCEPTED, "CAUnreachable", 4104 },
        { ERR_STORE, "RetryableServiceException", 4100 },
        { ERR_TRUST, "ServiceUnavailableException", 4101 },
        { ERR_AUTH, "AuthenticationException", 4103 },
        { ERR_FORBIDDEN, "AuthenticationException", 4103 },
        { ERR_PROXY, "CAUnreachable", 4104 },
        { ERR_PROXY_DOWN, "CAUnreachable", 4104 },
        { ERR_CONFIG, "ServiceUnavailableException", 4101 },
        { ERR_OPERATOR, "ServiceUnavailableException", 4101 },
        { ERR_INPUT, "ParameterDataInvalidError", 4002 },
        { ERR_VARIABLE, "VariableMissing", 4011 },
        { ERR_UNSUPPORTED, "NotSupportedError", 4006 },
        { ERR_TOO_LARGE, "PayloadTooLargeError", 4007 },
        { ERR_PROTO, "DataSerializationError", 4001 },
        { ERR_DENIED, "DeniedByCA", 4009 },
        { ERR_TEMPLATE, "TemplateNotFound", 4010 },
        { ERR_CHALLENGE, "DeniedByCA", 4009 },
        { ERR_MISMATCH, "PolicyMismatch", 4012 },
        { ERR_EXPIRED, "NonRetryableServiceException", 4000 },
        { ERR_GONE, "CertificateNotFoundError", 4004 },
        { ERR_CONFLICT, "ConflictError", 4005 },
        { ERR_CRYPTO, "CryptographyError", 4003 },
        { (enum err_class)999, "NonRetryableServiceException", 4000 },
    };
    int number = -1;

    (void)state;
    assert_int_equal(sizeof rows / sizeof rows[0], ERR_CLASS_COUNT + 1);
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct err e = { .cls = rows[i].cls };

        assert_string_equal(ccp_error_code(&e, &number), rows[i].name);
        assert_int_equal(number, rows[i].number);
    }
    assert_string_equal(ccp_error_code(NULL, &number), "None");
    assert_int_equal(number, 0);
    assert_string_equal(ccp_error_code(NULL, NULL), "None");
}

static void codes_from_peers(void **state)
{
    (void)state;
    assert_int_equal(ccp_code_class("ConflictError"), ERR_CONFLICT);
    assert_int_equal(ccp_code_class("4005"), ERR_CONFLICT);
    assert_int_equal(ccp_code_class("CertificateNotFoundError"), ERR_GONE);
    assert_int_equal(ccp_code_class("ServiceTooBusyException"), ERR_BUSY);
    assert_int_equal(ccp_code_class("4104"), ERR_NET);
    assert_int_equal(ccp_code_class("DataSerializationError"), ERR_INPUT);
    assert_int_equal(ccp_code_class("None"), ERR_NONE);
    assert_int_equal(ccp_code_class("0"), ERR_NONE);
    assert_int_equal(ccp_code_class("conflicterror"), ERR_NONE);
    assert_int_equal(ccp_code_class(""), ERR_NONE);
}

/* The table of ccp.md, section 7.2, and the one of ccp.c have the same rows. */
static void codes_as_published(void **state)
{
    FILE *f = fopen("proto/ccp.md", "rb");
    char line[1024];
    size_t rows = 0;

    (void)state;
    assert_non_null(f);
    while (fgets(line, sizeof line, f) != NULL) {
        char number[8], name[64];

        if (sscanf(line, "| %7[0-9] | `%63[A-Za-z]` |", number, name) != 2)
            continue;
        if (ccp_code_class(name) != ccp_code_class(number))
            fail_msg("%s is not %s", name, number);
        if (strcmp(name, "None") != 0 && ccp_code_class(name) == ERR_NONE)
            fail_msg("%s: unknown to ccp.c", name);
        rows++;
    }
    (void)fclose(f);
    assert_int_equal(rows, 19);
}

static void type_names(void **state)
{
    (void)state;
    for (enum ccp_type t = CCP_PKCS_ISSUE; t <= CCP_REVOKE; t++)
        assert_int_equal(ccp_type_from_name(ccp_type_name(t)), t);
    assert_string_equal(ccp_type_name(CCP_PKCS_ISSUE), "pkcsIssue");
    assert_string_equal(ccp_type_name(CCP_PFX_IMPORT_RECRYPT), "pfxImportRecrypt");
    assert_string_equal(ccp_type_name(CCP_REVOKE), "revokeCertificate");
    assert_int_equal(ccp_type_from_name("unknown"), CCP_TYPE_NONE);
    assert_int_equal(ccp_type_from_name("PkcsIssue"), CCP_TYPE_NONE);
    assert_string_equal(ccp_type_name(CCP_TYPE_NONE), "unknown");
    assert_string_equal(ccp_type_name((enum ccp_type)99), "unknown");
}

static void guids(void **state)
{
    (void)state;
    assert_true(guid_ok(ID_A));
    assert_true(guid_ok("6D0E7C0A-1F2B-4C3D-8E4F-5A6B7C8D9E0F"));
    assert_false(guid_ok(""));
    assert_false(guid_ok("6d0e7c0a1f2b4c3d8e4f5a6b7c8d9e0f"));
    assert_false(guid_ok("{6d0e7c0a-1f2b-4c3d-8e4f-5a6b7c8d9e0f}"));
    assert_false(guid_ok(ID_A "0"));
    assert_false(guid_ok("6d0e7c0a-1f2b-4c3d-8e4f-5a6b7c8d9e0"));
    assert_false(guid_ok("6d0e7c0a-1f2b-4c3d-8e4f-5a6b7c8d9e0g"));
    assert_false(guid_ok("6d0e7c0a-1f2b-4c3d-8e4f-5a6b7c8d9e0\n"));
}

/* ---- answers ---- */

static struct http_reply reply(int status, const char *type, const char *body)
{
    return (struct http_reply){ .status = status,
        .body = view_text(body),
        .content_type = type,
        .location = "",
        .authenticate = "",
        .retry_after_s = -1 };
}

static const char json_type[] = "application/json; charset=utf-8";

static void judging(void **state)
{
    static const struct {
        int status;
        const char *body;
        enum err_class cls;
        const char *says;
    } rows[] = {
        { 409,
            "{\"error\":{\"code\":\"ConflictError\",\"message\":\"stale "
            "lease\",\"requestId\":\"" ID_A "\"}}",
            ERR_CONFLICT, "HTTP 409: ConflictError: stale lease" },
        { 400, "{\"error\":{\"code\":\"NotSupportedError\",\"message\":\"no\"}}", ERR_UNSUPPORTED,
            "HTTP 400: NotSupportedError: no" },
        { 400, "{\"error\":{\"code\":\"CertificateNotFoundError\"}}", ERR_GONE,
            "HTTP 400: CertificateNotFoundError" },
        { 503, "{\"error\":{\"code\":\"ServiceUnavailableException\",\"message\":\"maintenance\"}}",
            ERR_NET, "maintenance" },
        { 500, "{\"error\":{\"code\":\"InternalError\",\"message\":\"oops\"}}", ERR_NET,
            "HTTP 500: InternalError: oops" },
        { 401, "{\"error\":{\"code\":\"NonRetryableServiceException\",\"message\":\"go away\"}}",
            ERR_AUTH, "HTTP 401: NonRetryableServiceException: go away" },
        { 403, "{\"error\":{\"code\":\"ConflictError\"}}", ERR_FORBIDDEN,
            "HTTP 403: ConflictError" },
        { 407, "{\"error\":{\"code\":\"ConflictError\"}}", ERR_PROXY, "HTTP 407" },
        { 404, "{\"error\":\"text\"}", ERR_GONE, "HTTP 404: not found" },
        { 404, "{\"error\":{\"code\":5}}", ERR_GONE, "HTTP 404: not found" },
        { 404, "{\"error\":{\"code\":\"a\",\"code\":\"b\"}}", ERR_GONE, "HTTP 404: not found" },
        { 404, "not json", ERR_GONE, "HTTP 404: not found" },
        { 404, "", ERR_GONE, "HTTP 404: not found" },
        { 400, "{\"error\":{\"code\":\"x\",\"message\":\"line\\r\\n\\u001b[2Jtwo\\u202e\"}}",
            ERR_INPUT, "HTTP 400: x: line???[2Jtwo?" },
    };
    struct http_reply r = reply(200, json_type, "{\"value\":[]}");
    struct err e = { 0 };

    (void)state;
    T_OK(ccp_judge(&r, &e));
    r = reply(200, "text/html", "<html>sign in</html>");
    T_ERR(ccp_judge(&r, &e), ERR_INTERCEPTED);
    r = reply(302, json_type, "{\"error\":{\"code\":\"ConflictError\"}}");
    T_ERR(ccp_judge(&r, &e), ERR_CONFIG);
    r = reply(409, "text/html", "{\"error\":{\"code\":\"NotSupportedError\"}}");
    T_ERR_SAYS(ccp_judge(&r, &e), ERR_CONFLICT, "HTTP 409: conflict");
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        r = reply(rows[i].status, json_type, rows[i].body);
        T_ERR_SAYS(ccp_judge(&r, &e), rows[i].cls, rows[i].says);
        assert_int_equal(e.number, rows[i].status);
    }
    journal("/requests/download", "response", 409, view_text(rows[0].body));
}

static const char *header(const struct http_req *q, const char *name)
{
    for (size_t i = 0; i < q->header_count; i++)
        if (strcmp(q->header[i].name, name) == 0)
            return q->header[i].value;
    return NULL;
}

static void headers(void **state)
{
    struct http_req q = { .header = { { "Authorization", "Bearer x" } }, .header_count = 1 };
    struct ccp_headers storage;

    (void)state;
    ccp_headers(&q, "6D0E7c0a-1f2b-4c3d-8e4f-5a6b7c8d9e0f", &storage);
    assert_string_equal(header(&q, "Authorization"), "Bearer x");
    assert_string_equal(header(&q, "content-type"), "application/json; charset=utf-8");
    assert_string_equal(header(&q, "accept"), "application/json");
    assert_string_equal(header(&q, "ccp-version"), "1");
    assert_string_equal(header(&q, "client-request-id"), "6D0E7c0a-1f2b-4c3d-8e4f-5a6b7c8d9e0f");
    assert_string_equal(
        header(&q, "traceparent"), "00-6d0e7c0a1f2b4c3d8e4f5a6b7c8d9e0f-8e4f5a6b7c8d9e0f-01");
    for (size_t i = 0; i < q.header_count; i++)
        assert_true(http_header_ok(q.header[i].value));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_class_has_a_code),
        cmocka_unit_test(codes_from_peers),
        cmocka_unit_test(codes_as_published),
        cmocka_unit_test(type_names),
        cmocka_unit_test(guids),
        cmocka_unit_test(judging),
        cmocka_unit_test(headers),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
