/* CCP/1: leases, uploads, heartbeat. */
#include "test/t.h"
#include "test/journal.h"
#include "proto/ccp.h"

#define ID_A "6d0e7c0a-1f2b-4c3d-8e4f-5a6b7c8d9e0f"
#define ID_B "00000000-1111-2222-3333-444444444444"

/* ---- leases ---- */

static void leases_write(void **state)
{
    static const struct ccp_lease leases[] = { { ID_A, "L1" }, { ID_B, "L\"2" } };
    struct buf out = BUF_INIT(1000);

    (void)state;
    ccp_leases_write(&out, leases, 2);
    assert_string_equal(buf_text(&out),
        "{\"leases\":[{\"requestId\":\"" ID_A "\",\"leaseId\":\"L1\"},{\"requestId\":\"" ID_B
        "\",\"leaseId\":\"L\\\"2\"}]}");
    journal("/requests/extend", "request", 0, buf_view(&out));
    journal("/requests/release", "request", 0, buf_view(&out));
    buf_free(&out);
}

struct seen {
    char text[400];
};

static void lease_seen(void *arg, const char *id, int64_t at, const char *code)
{
    struct seen *s = arg;
    size_t used = strlen(s->text);

    (void)snprintf(s->text + used, sizeof s->text - used, "%.8s %lld %s|", id, (long long)at,
        code != NULL ? code : "-");
}

static void leases_parse(void **state)
{
    static const char good[] =
        "{\"value\":[{\"requestId\":\"6D0E7C0A-1F2B-4C3D-8E4F-5A6B7C8D9E0F\","
        "\"leaseExpiresDateTime\":\"2026-11-20T08:00:00Z\",\"errorCode\":\"None\"},"
        "{\"requestId\":\"" ID_B "\",\"errorCode\":\"ConflictError\","
        "\"leaseExpiresDateTime\":\"2026-11-20T08:00:00Z\"}]}";
    static const struct {
        const char *body, *says;
    } bad[] = {
        { "{\"value\":[", "JSON" },
        { "[]", "value: missing" },
        { "{}", "value: missing" },
        { "{\"value\":true}", "value: not an array" },
        { "{\"value\":[5]}", "value[0]: requestId: missing" },
        { "{\"value\":[{\"requestId\":\"" ID_A "\"}]}", "value[0]: leaseExpiresDateTime: missing" },
        { "{\"value\":[{\"requestId\":\"x\",\"errorCode\":\"ConflictError\"}]}",
            "value[0]: requestId: \"x\" is not a GUID" },
        { "{\"value\":[{\"requestId\":\"" ID_A
          "\",\"errorCode\":\"ConflictError\"},{\"requestId\":\"" ID_B
          "\",\"leaseExpiresDateTime\":\"soon\"}]}",
            "value[1]: leaseExpiresDateTime" },
    };
    struct seen s = { "" };
    struct err e = { 0 };

    (void)state;
    T_OK(ccp_leases_parse(view_text(good), lease_seen, &s, &e));
    assert_string_equal(s.text, "6d0e7c0a 1795161600 -|00000000 0 ConflictError|");
    journal("/requests/extend", "response", 200, view_text(good));
    s.text[0] = '\0';
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        T_ERR_SAYS(
            ccp_leases_parse(view_text(bad[i].body), lease_seen, &s, &e), ERR_PROTO, bad[i].says);
        assert_string_equal(s.text, "");
    }
}

/* ---- upload ---- */

/* The stored bytes stay as they are, whatever lease they travel under. */
static void upload_write(void **state)
{
    static const char *const none[] = { "", "{}", "[1]", "\"x\"", "{ \"a\":1}" };
    struct view result = view_text("{\"requestId\":\"x\",\"succeeded\":true}");
    struct buf out = BUF_INIT(200);
    struct err e = { 0 };

    (void)state;
    ccp_upload_write(&out, "L\"1", result);
    assert_string_equal(buf_text(&out),
        "{\"results\":[{\"leaseId\":\"L\\\"1\",\"requestId\":\"x\",\"succeeded\":true}]}");
    buf_reset(&out);
    ccp_upload_write(&out, "", result);
    assert_string_equal(buf_text(&out), "{\"results\":[{\"requestId\":\"x\",\"succeeded\":true}]}");
    buf_reset(&out);
    ccp_upload_write(&out, NULL, result);
    assert_string_equal(buf_text(&out), "{\"results\":[{\"requestId\":\"x\",\"succeeded\":true}]}");
    for (size_t i = 0; i < sizeof none / sizeof none[0]; i++) {
        buf_reset(&out);
        ccp_upload_write(&out, "L", view_text(none[i]));
        T_ERR(buf_check(&out, &e), ERR_PROTO);
    }
    buf_free(&out);
}

static void upload_parse(void **state)
{
    static const char *const good[] = { "{\"value\":true}", "{\"value\":true,\"rejected\":[]}",
        "{\"value\":\"true\",\"rejected\":null}",
        "{\"value\":true,\"rejected\":[{\"requestId\":\"" ID_B
        "\",\"errorCode\":\"ConflictError\"}]}" };
    static const struct {
        const char *body;
        enum err_class cls;
        const char *says;
    } bad[] = {
        { "{\"value\":true,\"rejected\":[{\"requestId\":\"" ID_A
          "\",\"errorCode\":\"ConflictError\"}]}",
            ERR_CONFLICT, "the cloud refuses the result: ConflictError" },
        { "{\"value\":true,\"rejected\":[{\"requestId\":\"" ID_A "\",\"errorCode\":\"4005\"}]}",
            ERR_CONFLICT, "4005" },
        { "{\"value\":true,\"rejected\":[{\"requestId\":\"6D0E7C0A-1F2B-4C3D-8E4F-5A6B7C8D9E0F\","
          "\"errorCode\":\"CertificateNotFoundError\"}]}",
            ERR_GONE, "CertificateNotFoundError" },
        { "{\"value\":true,\"rejected\":[{\"requestId\":\"" ID_A
          "\",\"errorCode\":\"ParameterDataInvalidError\"}]}",
            ERR_INPUT, "ParameterDataInvalidError" },
        { "{\"value\":true,\"rejected\":[{\"requestId\":\"" ID_A
          "\",\"errorCode\":\"Brand New\"}]}",
            ERR_INPUT, "Brand New" },
        { "{\"value\":true,\"rejected\":[{\"requestId\":\"" ID_A
          "\",\"errorCode\":\"ServiceTooBusyException\"}]}",
            ERR_BUSY, "TooBusy" },
        { "{\"value\":false,\"rejected\":[{\"requestId\":\"" ID_A
          "\",\"errorCode\":\"ConflictError\"}]}",
            ERR_CONFLICT, "ConflictError" },
        { "{\"value\":false}", ERR_NET, "did not record" },
        { "{\"value\":\"yes\"}", ERR_NET, "did not record" },
        { "{\"value\":1}", ERR_NET, "did not record" },
        { "{}", ERR_NET, "did not record" },
        { "[]", ERR_NET, "did not record" },
        { "{\"value\":true,\"rejected\":5}", ERR_PROTO, "rejected: not an array" },
        { "{\"value\":true,\"rejected\":[5]}", ERR_PROTO, "rejected[0]: requestId: missing" },
        { "{\"value\":true,\"rejected\":[{\"requestId\":\"" ID_A "\"}]}", ERR_PROTO,
            "rejected[0]: errorCode: missing" },
        { "{\"value\":true", ERR_PROTO, "JSON" },
        { "", ERR_PROTO, "JSON" },
        { "{\"value\":true,\"value\":true}", ERR_PROTO, "a second time" },
    };
    struct err e = { 0 };

    (void)state;
    for (size_t i = 0; i < sizeof good / sizeof good[0]; i++)
        T_OK(ccp_upload_parse(view_text(good[i]), ID_A, &e));
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        T_ERR_SAYS(ccp_upload_parse(view_text(bad[i].body), ID_A, &e), bad[i].cls, bad[i].says);
    journal("/results/upload", "response", 200, view_text(good[1]));
    journal("/results/upload", "response", 200, view_text(bad[0].body));
}

/* ---- heartbeat ---- */

static void heartbeat(void **state)
{
    static const struct ccp_metric metrics[] = { { "pkcsIssue", 24, 1 }, { "upload", 0, 0 } };
    static const struct ccp_own_certificate own[] = { { "cloud", 1795161600 },
        { "ca", 1795161601 } };
    static const enum ccp_type all[] = { CCP_PKCS_ISSUE, CCP_REVOKE };
    struct ccp_heartbeat h = { .agent_id = ID_A,
        .state = "running",
        .version = "0.1.0",
        .epoch = "8f1214c9c9cab8dc",
        .counter = 7,
        .metrics = metrics,
        .metric_count = 2,
        .features = all,
        .feature_count = 2,
        .certificates = own,
        .certificate_count = 2,
        .audit_head = "0123456789ABCDEF0123456789abcdef0123456789abcdef0123456789abcdef",
        .audit_count = 31 };
    struct buf out = BUF_INIT(2000);

    (void)state;
    ccp_heartbeat_write(&out, &h);
    assert_string_equal(buf_text(&out),
        "{\"agentId\":\"" ID_A
        "\",\"state\":\"running\",\"version\":\"0.1.0\",\"features\":[\"pkcsIssue\","
        "\"revokeCertificate\"],"
        "\"epoch\":\"8f1214c9c9cab8dc\",\"counter\":7,\"certificates\":[{\"purpose\":\"cloud\","
        "\"notAfter\":\"2026-11-20T08:00:00Z\"},{\"purpose\":\"ca\",\"notAfter\":"
        "\"2026-11-20T08:00:01Z\"}],\"audit\":{\"count\":31,\"head\":"
        "\"0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef\"},"
        "\"metrics\":[{\"name\":\"pkcsIssue\","
        "\"successCount\":24,"
        "\"failureCount\":1},{\"name\":\"upload\",\"successCount\":0,\"failureCount\":0}]}");
    journal("/agents/heartbeat", "request", 0, buf_view(&out));
    buf_reset(&out);
    h.agent_id = NULL;
    h.features = NULL;
    h.certificate_count = 0;
    h.audit_head = NULL;
    h.metric_count = 0;
    ccp_heartbeat_write(&out, &h);
    assert_string_equal(buf_text(&out),
        "{\"state\":\"running\",\"version\":\"0.1.0\",\"features\":[\"pkcsIssue\"],"
        "\"epoch\":\"8f1214c9c9cab8dc\",\"counter\":7,\"certificates\":[],\"metrics\":[]}");
    buf_free(&out);
}

static void heartbeat_answer(void **state)
{
    static const char full[] =
        "{\"pollAfterSeconds\":30,\"minVersion\":\"0.2.0\",\"highestCounter\":7,"
        "\"directives\":[\"reconcile\"],\"future\":{\"x\":1}}";
    static const struct {
        const char *body;
        enum err_class cls;
        const char *says;
    } bad[] = {
        { "[]", ERR_PROTO, "not an object" },
        { "{\"pollAfterSeconds\":-1}", ERR_PROTO, "pollAfterSeconds" },
        { "{\"pollAfterSeconds\":\"5\"}", ERR_PROTO, "pollAfterSeconds: not an integer" },
        { "{\"highestCounter\":-1}", ERR_PROTO, "highestCounter" },
        { "{\"minVersion\":5}", ERR_PROTO, "minVersion: not a string" },
        { "{\"minVersion\":\"0123456789012345678901234567890123\"}", ERR_PROTO,
            "minVersion: 34 bytes" },
        { "{\"minVersion\":\"1\\n2\"}", ERR_INPUT, "control character" },
        { "x", ERR_PROTO, "JSON" },
    };
    struct ccp_heartbeat_reply r = { 0 };
    struct err e = { 0 };

    (void)state;
    T_OK(ccp_heartbeat_parse(view_text(full), &r, &e));
    assert_int_equal(r.poll_after_s, 30);
    assert_int_equal(r.highest_counter, 7);
    assert_string_equal(r.min_version, "0.2.0");
    journal("/agents/heartbeat", "response", 200, view_text(full));
    T_OK(ccp_heartbeat_parse(view_text("{}"), &r, &e));
    assert_int_equal(r.poll_after_s, -1);
    assert_int_equal(r.highest_counter, -1);
    assert_string_equal(r.min_version, "");
    T_OK(ccp_heartbeat_parse(view_text("{\"pollAfterSeconds\":9000000000}"), &r, &e));
    assert_int_equal(r.poll_after_s, 86400);
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        T_ERR_SAYS(ccp_heartbeat_parse(view_text(bad[i].body), &r, &e), bad[i].cls, bad[i].says);
    assert_int_equal(r.poll_after_s, 86400);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(leases_write),
        cmocka_unit_test(leases_parse),
        cmocka_unit_test(upload_write),
        cmocka_unit_test(upload_parse),
        cmocka_unit_test(heartbeat),
        cmocka_unit_test(heartbeat_answer),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
