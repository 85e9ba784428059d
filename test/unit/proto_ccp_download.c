/* CCP/1: the download: one bad item never harms another. */
#include "test/t.h"
#include "test/journal.h"
#include "proto/ccp.h"

#define ID_A "6d0e7c0a-1f2b-4c3d-8e4f-5a6b7c8d9e0f"
#define ID_B "00000000-1111-2222-3333-444444444444"

struct got {
    size_t count;
    struct ccp_head head[8];
    enum err_class bad[8];
    char says[8][200];
    char json[8][600];
};

static void take(void *arg, const struct ccp_head *head, struct view json, const struct err *bad)
{
    struct got *g = arg;

    assert_true(g->count < 8);
    g->head[g->count] = *head;
    g->bad[g->count] = bad != NULL ? bad->cls : ERR_NONE;
    (void)snprintf(g->says[g->count], sizeof g->says[0], "%s", bad != NULL ? bad->msg : "");
    (void)snprintf(
        g->json[g->count], sizeof g->json[0], "%.*s", (int)json.len, (const char *)json.p);
    g->count++;
}

static void download(const char *body, struct got *g, int64_t *poll_after_s)
{
    struct err e = { 0 };

    *g = (struct got){ 0 };
    T_OK(ccp_download_parse(view_text(body), take, g, poll_after_s, &e));
}

static void writing(void **state)
{
    static const enum ccp_type types[] = { CCP_PKCS_ISSUE, CCP_REVOKE };
    struct buf out = BUF_INIT(1000);

    (void)state;
    ccp_download_write(&out, 100, types, 2, "site \"A\"", 60);
    assert_string_equal(buf_text(&out), "{\"downloadParameters\":{\"maxRequests\":100,"
                                        "\"requestTypes\":[\"pkcsIssue\",\"revokeCertificate\"],"
                                        "\"agentGroup\":\"site \\\"A\\\"\",\"waitSeconds\":60}}");
    journal("/requests/download", "request", 0, buf_view(&out));
    buf_reset(&out);
    ccp_download_write(&out, 1, types, 1, NULL, 0);
    assert_string_equal(buf_text(&out), "{\"downloadParameters\":{\"maxRequests\":1,"
                                        "\"requestTypes\":[\"pkcsIssue\"],\"waitSeconds\":0}}");
    journal("/requests/download", "request", 0, buf_view(&out));
    buf_free(&out);
}

static void heads(void **state)
{
    struct got g;
    int64_t after = 5;

    (void)state;
    download("{\"pollAfterSeconds\":30,\"value\":[{\"requestId\":\"6D0E7C0A-1F2B-4C3D-8E4F-"
             "5A6B7C8D9E0F\","
             "\"requestType\":\"pkcsIssue\",\"leaseId\":\"L1\",\"leaseExpiresDateTime\":\"2026-11-"
             "20T08:10:00Z\","
             "\"attempt\":3,\"createdDateTime\":\"2026-11-20T08:00:00Z\",\"expiresDateTime\":"
             "\"2026-11-21T08:00:00Z\", \"parameters\" : { \"x\" : [ 1 , \"\\u00e9\\/\" ] } },"
             "{\"requestId\":\"" ID_B "\",\"requestType\":\"teleport\"}]}",
        &g, &after);
    assert_int_equal(after, 30);
    assert_int_equal(g.count, 2);
    assert_string_equal(g.head[0].id, ID_A);
    assert_int_equal(g.head[0].type, CCP_PKCS_ISSUE);
    assert_string_equal(g.head[0].type_name, "pkcsIssue");
    assert_string_equal(g.head[0].lease, "L1");
    assert_int_equal(g.head[0].lease_expires_at, 1795162200);
    assert_int_equal(g.head[0].attempt, 3);
    assert_int_equal(g.head[0].created_at, 1795161600);
    assert_int_equal(g.head[0].expires_at, 1795248000);
    assert_int_equal(g.bad[0], ERR_NONE);
    assert_non_null(strstr(g.json[0], "\"parameters\":{\"x\":[1,\"\xc3\xa9/\"]}}"));
    assert_string_equal(g.head[1].id, ID_B);
    assert_int_equal(g.head[1].type, CCP_TYPE_NONE);
    assert_string_equal(g.head[1].type_name, "teleport");
    assert_string_equal(g.head[1].lease, "");
    assert_int_equal(g.head[1].expires_at, 0);
    assert_int_equal(g.bad[1], ERR_NONE);
}

static void empty(void **state)
{
    static const char none[] = "{\"value\":[],\"pollAfterSeconds\":60}";
    struct got g;
    int64_t after = 5;

    (void)state;
    download(none, &g, &after);
    assert_int_equal(g.count, 0);
    assert_int_equal(after, 60);
    journal("/requests/download", "response", 200, view_text(none));
    download("{\"value\":[]}", &g, &after);
    assert_int_equal(after, -1);
    download("{\"value\":[],\"pollAfterSeconds\":99999999999}", &g, &after);
    assert_int_equal(after, 86400);
}

/* Each fault by itself, between two good neighbours. */
static void one_bad_item(void **state)
{
    static const struct {
        const char *item;
        enum err_class cls;
        const char *says, *id, *lease;
    } rows[] = {
        { "5", ERR_PROTO, "item: not an object", "", "" },
        { "null", ERR_PROTO, "item: not an object", "", "" },
        { "[]", ERR_PROTO, "item: not an object", "", "" },
        { "{}", ERR_PROTO, "requestId: missing", "", "" },
        { "{\"requestId\":\"x\",\"requestType\":\"pkcsIssue\",\"leaseId\":\"L\"}", ERR_PROTO,
            "requestId: \"x\" is not a GUID", "", "L" },
        { "{\"requestId\":\"" ID_B "\\r\\n\",\"requestType\":\"pkcsIssue\"}", ERR_INPUT,
            "requestId: \"" ID_B "??\" has a control character", "", "" },
        { "{\"requestId\":\"" ID_B "\",\"leaseId\":\"L\"}", ERR_PROTO, "requestType: missing", ID_B,
            "L" },
        { "{\"requestId\":\"" ID_B "\",\"requestType\":7,\"leaseId\":\"L\"}", ERR_PROTO,
            "requestType: not a string", ID_B, "L" },
        { "{\"requestId\":\"" ID_B
          "\",\"requestType\":\"0123456789012345678901234567890123456789\"}",
            ERR_PROTO, "requestType: 40 bytes, at most 39", ID_B, "" },
        { "{\"requestId\":\"" ID_B "\",\"requestType\":\"pkcsIssue\",\"leaseId\":\"L\\u0007\"}",
            ERR_INPUT, "leaseId: \"L?\" has a control character", ID_B, "" },
        { "{\"requestId\":\"" ID_B "\",\"requestType\":\"pkcsIssue\",\"leaseExpiresDateTime\":5,"
          "\"leaseId\":\"L\"}",
            ERR_PROTO, "leaseExpiresDateTime: not a string", ID_B, "L" },
        { "{\"requestId\":\"" ID_B "\",\"requestType\":\"pkcsIssue\",\"attempt\":-1}", ERR_PROTO,
            "attempt: -1", ID_B, "" },
        { "{\"requestId\":\"" ID_B
          "\",\"requestType\":\"pkcsIssue\",\"createdDateTime\":\"yesterday\"}",
            ERR_PROTO, "createdDateTime: \"yesterday\"", ID_B, "" },
        { "{\"requestId\":\"" ID_B
          "\",\"requestType\":\"pkcsIssue\",\"expiresDateTime\":\"2026-13-01T00:00:00Z"
          "\"}",
            ERR_PROTO, "expiresDateTime", ID_B, "" },
    };
    const char *good =
        "{\"requestId\":\"" ID_A "\",\"requestType\":\"pkcsIssue\",\"leaseId\":\"G\"}";

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        char body[2000];
        struct got g;
        int64_t after;

        (void)snprintf(body, sizeof body, "{\"value\":[%s,%s,%s]}", good, rows[i].item, good);
        download(body, &g, &after);
        assert_int_equal(g.count, 3);
        assert_int_equal(g.bad[0], ERR_NONE);
        assert_int_equal(g.bad[2], ERR_NONE);
        assert_string_equal(g.head[2].id, ID_A);
        if (g.bad[1] != rows[i].cls || strncmp(g.says[1], rows[i].says, strlen(rows[i].says)) != 0)
            fail_msg("%s: %s, %s", rows[i].item, err_name(g.bad[1]), g.says[1]);
        assert_string_equal(g.head[1].id, rows[i].id);
        assert_string_equal(g.head[1].lease, rows[i].lease);
    }
}

static void large_item(void **state)
{
    struct buf body = BUF_INIT(CCP_BATCH_MAX);
    struct err e = { 0 };
    struct got g = { 0 };
    int64_t after;

    (void)state;
    buf_add_text(
        &body, "{\"value\":[{\"requestId\":\"" ID_A "\",\"requestType\":\"pkcsIssue\",\"fill\":\"");
    for (int i = 0; i < CCP_ITEM_MAX / 8; i++)
        buf_add_text(&body, "xxxxxxxx");
    buf_add_text(&body, "\"},{\"requestId\":\"" ID_B "\",\"requestType\":\"pkcsIssue\"}]}");
    T_OK(ccp_download_parse(buf_view(&body), take, &g, &after, &e));
    assert_int_equal(g.count, 2);
    assert_int_equal(g.bad[0], ERR_TOO_LARGE);
    assert_string_equal(g.head[0].id, ID_A);
    assert_string_equal(
        g.json[0], "{\"requestId\":\"" ID_A "\",\"requestType\":\"pkcsIssue\",\"leaseId\":\"\"}");
    assert_int_equal(g.bad[1], ERR_NONE);
    assert_string_equal(g.head[1].id, ID_B);
    buf_free(&body);
}

static void never(void *arg, const struct ccp_head *head, struct view json, const struct err *bad)
{
    (void)arg;
    (void)head;
    (void)json;
    (void)bad;
    fail_msg("called for a batch that is none");
}

static void whole_answer_bad(void **state)
{
    static const struct {
        const char *body, *says;
    } rows[] = {
        { "", "JSON" },
        { "{\"value\":[", "JSON" },
        { "[]", "value: missing" },
        { "{}", "value: missing" },
        { "{\"value\":null}", "value: missing" },
        { "{\"value\":{}}", "value: not an array" },
        { "{\"value\":[{\"requestId\":\"" ID_A "\",\"requestId\":\"" ID_B "\"}]}",
            "a second time" },
        { "{\"value\":[{\"requestId\":\"" ID_A "\"}],\"pollAfterSeconds\":-5}",
            "pollAfterSeconds" },
        { "{\"value\":[{\"requestId\":\"" ID_A "\"}],\"pollAfterSeconds\":\"5\"}",
            "pollAfterSeconds" },
    };
    struct buf many = BUF_INIT(CCP_BATCH_MAX * 2);
    struct err e = { 0 };
    int64_t after = 77;

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        T_ERR_SAYS(ccp_download_parse(view_text(rows[i].body), never, NULL, &after, &e), ERR_PROTO,
            rows[i].says);
    buf_add_text(&many, "{\"value\":[0");
    for (int i = 0; i < CCP_REQUESTS_MAX; i++)
        buf_add_text(&many, ",0");
    buf_add_text(&many, "]}");
    T_ERR_SAYS(
        ccp_download_parse(buf_view(&many), never, NULL, &after, &e), ERR_PROTO, "101 elements");
    while (many.len <= CCP_BATCH_MAX)
        buf_add_text(&many, "                                ");
    T_ERR(ccp_download_parse(buf_view(&many), never, NULL, &after, &e), ERR_TOO_LARGE);
    assert_int_equal(after, 77);
    buf_free(&many);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(writing),
        cmocka_unit_test(heads),
        cmocka_unit_test(empty),
        cmocka_unit_test(one_bad_item),
        cmocka_unit_test(large_item),
        cmocka_unit_test(whole_answer_bad),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
