/*
 * Memory runs out: every row is run again and again while the first, the second ... allocation of our
 * own fails, until a run needs fewer.  Each run either succeeds in full or fails with ERR_NOMEM.
 * The libraries' allocations are left alone (json-c crashes when one fails), and so are those of fixed
 * size, which end the process by design.
 */
#include "test/ccp_item.h"
#include "certs/mem.h"
#include "proto/adcs.h"
#include "proto/ccp_identity.h"
#include "proto/est.h"
#include "proto/oauth_device.h"
#include "proto/oauth_metadata.h"

static struct buf page = BUF_INIT(1 << 20), error = BUF_INIT(1 << 20);
static const struct ccp_head head = { .id = "6d0e7c0a-1f2b-4c3d-8e4f-5a6b7c8d9e0f",
    .type_name = "pkcsIssue" };

static void load(const char *path, struct buf *out)
{
    char block[4096];
    size_t n;
    FILE *f = fopen(path, "rb");

    assert_non_null(f);
    while ((n = fread(block, 1, sizeof block, f)) > 0)
        buf_add(out, block, n);
    (void)fclose(f);
}

/* ---- rows: each does one thing and appends what it makes to `out` ---- */

static int json(struct buf *out, struct err *e)
{
    struct json *root = json_parse(view_text("{\"\\u0061\":[1,{\"b\":\"x\"}],\"c\":{}}"), 1000, e);

    if (root != NULL)
        json_print(root, out);
    json_free(root);
    return root != NULL ? buf_check(out, e) : -1;
}

static int result(struct buf *out, struct err *e)
{
    struct ccp_result r = { .head = &head,
        .issuance_state = "issued",
        .activity_id = head.id,
        .chain = view_of("\x30\x03\x02\x01\x01\x30\x03\x02\x01\x02", 10),
        .pfx = view_of("\x30\x01\x02", 3) };

    ccp_result_write(out, &r);
    return buf_check(out, e);
}

static int messages(struct buf *out, struct err *e)
{
    static const enum ccp_type types[] = { CCP_PKCS_ISSUE };
    struct ccp_lease lease = { head.id, "L1" };
    struct ccp_heartbeat beat = { .state = "running", .version = "1", .epoch = "x" };

    ccp_download_write(out, 1, types, 1, "group", 5);
    ccp_leases_write(out, &lease, 1);
    ccp_heartbeat_write(out, &beat);
    ccp_upload_write(out, "L1", view_text("{\"a\":1}"));
    return buf_check(out, e);
}

static int denied(struct buf *out, struct err *e)
{
    struct adcs_answer a = { 0 };

    if (adcs_submit_parse(buf_view(&page), &a, e) != 0)
        return -1;
    assert_int_equal(a.outcome, ADCS_DENIED);
    assert_int_equal(a.hresult, 0x80094800);
    assert_string_equal(a.id, "85");
    buf_add_text(out, a.message);
    return buf_check(out, e);
}

static int error_page(struct buf *out, struct err *e)
{
    struct adcs_answer a = { 0 };

    if (adcs_submit_parse(buf_view(&error), &a, e) != 0)
        return -1;
    assert_int_equal(a.outcome, ADCS_DENIED);
    assert_int_equal(a.hresult, 0x80094014);
    buf_add_text(out, a.message);
    return buf_check(out, e);
}

static int form(struct buf *out, struct err *e)
{
    if (adcs_attributes("ContosoUser", 86400, out, e) != 0)
        return -1;
    adcs_submit_body(view_text("not looked into"), view_text("a:b"), out);
    return buf_check(out, e);
}

static int est(struct buf *out, struct err *e)
{
    struct http_reply r = { .status = 200,
        .body = view_text("MAMCAQU=\n"),
        .content_type = "application/pkcs7-mime",
        .location = "",
        .authenticate = "" };

    if (est_url("https://ca.example", "label", "cacerts", out, e) != 0)
        return -1;
    return est_cacerts_judge(&r, out, e);
}

static void each(void *arg, const struct ccp_head *h, struct view text, const struct err *bad)
{
    struct buf *out = arg;

    assert_null(bad); /* a lack of memory of ours is no fault of an item */
    buf_add_text(out, h->id);
    buf_add_view(out, text);
}

static int download(struct buf *out, struct err *e)
{
    int64_t after;

    if (ccp_download_parse(
            view_text("{\"value\":[{\"requestId\":\"6d0e7c0a-1f2b-4c3d-8e4f-5a6b7c8d9e0f\","
                      "\"requestType\":\"pkcsIssue\"}]}"),
            each, out, &after, e)
        != 0)
        return -1;
    return buf_check(out, e);
}

/* ---- signing in ---- */

static int metadata(struct buf *out, struct err *e)
{
    struct oauth_metadata m;

    if (oauth_metadata_url("https://a.example/t", 0, out, e) != 1
        || oauth_metadata_parse(
               view_text(
                   "{\"issuer\":\"https://a.example/t\",\"token_endpoint\":\"https://a.example/\","
                   "\"token_endpoint_auth_methods_supported\":[\"none\"]}"),
               "https://a.example/t", &m, e)
               != 0)
        return -1;
    buf_add_text(out, m.token_url);
    return buf_check(out, e);
}

static int device(struct buf *out, struct err *e)
{
    struct oauth_device d = OAUTH_DEVICE_INIT;
    struct oauth_client c = { .id = "x" };
    int rc = oauth_device_parse(200,
        view_text("{\"device_code\":\"c\",\"user_code\":\"u\",\"verification_uri\":"
                  "\"https://a.example/d\",\"expires_in\":\"9\"}"),
        &d, e);

    if (rc == 0)
        rc = oauth_device_poll_form(NULL, &c, "https://a.example/", &d, 1, out, e);
    oauth_device_free(&d);
    return rc;
}

static int granted(struct buf *out, struct err *e)
{
    struct oauth_device d = OAUTH_DEVICE_INIT;
    struct oauth_token t = { 0 };
    int rc = oauth_device_answer(
        &d, 200, view_text("{\"token_type\":\"Bearer\",\"access_token\":\"at\"}"), &t, e);

    if (rc == 1)
        buf_add_view(out, buf_view(&t.access));
    buf_free(&t.access);
    return rc == 1 ? buf_check(out, e) : -1;
}

/* What a lack of memory must not turn into: an answer that is none of OAuth's. */
static int refused(struct buf *out, struct err *e)
{
    struct oauth_token t = { 0 };
    struct err why;

    if (oauth_token_parse(400, view_text("{\"error\":\"invalid_grant\"}"), &t, &why) == 0)
        return 0;
    if (why.cls == ERR_NOMEM) {
        *e = why;
        return -1;
    }
    buf_add_text(out, err_name(why.cls));
    return buf_check(out, e);
}

static int discovery(struct buf *out, struct err *e)
{
    struct ccp_discovery d;

    if (ccp_discovery_url("https://a.example/ccp", 1, out, e) != 1
        || ccp_discovery_parse(
               view_text("{\"value\":[{\"providerName\":\"CcpAgentService\",\"uri\":"
                         "\"https://a.example/x/\"}],\"issuer\":\"https://b.example\"}"),
               &d, e)
               != 0)
        return -1;
    buf_add_text(out, d.agents);
    buf_add_text(out, d.issuer);
    return buf_check(out, e);
}

static int enroll(struct buf *out, struct err *e)
{
    static const enum ccp_type all[] = { CCP_PKCS_ISSUE };
    const struct ccp_agent_key key = { "1", "escrow", view_of("x", 1) };

    ccp_enroll_write(out, &(struct ccp_enroll){ .csr = view_of("abc", 3),
                              .agent_name = "a",
                              .features = all,
                              .feature_count = 1,
                              .keys = &key,
                              .key_count = 1 });
    ccp_renew_write(out, view_of("abc", 3));
    return buf_check(out, e);
}

/* ---- the loop ---- */

static const struct {
    const char *name;
    int (*run)(struct buf *out, struct err *e);
} rows[] = {
    { "json", json },
    { "result", result },
    { "messages", messages },
    { "denied page", denied },
    { "error page", error_page },
    { "form", form },
    { "est", est },
    { "download", download },
    { "metadata", metadata },
    { "device code", device },
    { "granted", granted },
    { "refused", refused },
    { "discovery", discovery },
    { "enroll", enroll },
};

static void every_allocation(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct buf whole = BUF_INIT(1 << 20);
        struct err e = { 0 };
        unsigned long n = 0, needed;

        T_OK(rows[i].run(&whole, &e));
        do {
            struct buf out = BUF_INIT(1 << 20);
            int rc;

            e = (struct err){ 0 };
            mem_fail_after(++n);
            rc = rows[i].run(&out, &e);
            needed = mem_count();
            mem_fail_after(0);
            if (rc != 0 && e.cls != ERR_NOMEM)
                fail_msg("%s, allocation %lu: %s %s", rows[i].name, n, err_name(e.cls), e.msg);
            if (rc == 0 && !view_equal(buf_view(&out), buf_view(&whole)))
                fail_msg("%s, allocation %lu: another output", rows[i].name, n);
            buf_free(&out);
        } while (n <= needed && n < 1000);
        if (n < 2 || n >= 1000)
            fail_msg("%s: %lu allocations", rows[i].name, n);
        buf_free(&whole);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(every_allocation) };
    int failed;

    load("test/data/adcs/denied_en.html", &page);
    load("test/data/adcs/error_denied.html", &error);
    failed = cmocka_run_group_tests(tests, NULL, NULL);
    buf_free(&page);
    buf_free(&error);
    return failed;
}
