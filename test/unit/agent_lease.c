/* What becomes of a request when the cloud says something about its lease. */
#include "test/t.h"
#include "agent/agent.h"
#include "agent/base/clock.h"
#include "agent/base/log.h"
#include "agent/requests/job.h"
#include "agent/requests/lease.h"
#include "agent/requests/sched.h"
#include "test/unit/agent_store_rows.h"
#include "test/unit/issue.h"

static struct agent a;
static struct conf conf;

static int begin(void **state)
{
    static const struct job_kind *const kinds[] = { NULL };
    static const struct jobs_rules rules = { .kinds = kinds };
    struct err e;

    log_open(LOG_JSON, LOG_LEVEL_SILENT);
    if (store_make(state) != 0 || io_open(1, &e) != 0)
        return -1;
    clock_start();
    conf = (struct conf){ .store.dir = dir_root };
    a = (struct agent){ .conf = &conf, .store = store, .lock = -1 };
    a.cloud.peer = peer_new("cloud");
    a.jobs = jobs_open(&a, &rules);
    a.sched = sched_open(&a);
    a.lease = lease_open(&a);
    return (a.lib = lib_new(&e)) == NULL ? -1 : 0;
}

static int end(void **state)
{
    lease_close(a.lease);
    jobs_close(a.jobs);
    sched_close(a.sched);
    peer_free(a.cloud.peer);
    io_close();
    lib_free(a.lib);
    return store_remove(state);
}

/* Waits for an hour, under the lease L1, which has five minutes left. */
static struct request lent(const char *id)
{
    struct request r = row(id, "ca1", clock_now() + 3600);

    (void)snprintf(r.lease, sizeof r.lease, "L1");
    r.lease_expires_at = clock_now() + 300;
    r.state = REQUEST_RETRYING;
    return r;
}

static struct request now(const char *id)
{
    struct request r;
    struct err e = { 0 };

    assert_int_equal(store_get(store, id, &r, &e), 1);
    return r;
}

static void on_orphan(void *arg, const struct orphan *o)
{
    *(struct orphan *)arg = *o;
}

/* The only one there is; serial "-": there is none. */
static struct orphan orphan(void)
{
    struct orphan o = { .serial = "-" };
    struct err e = { 0 };

    T_OK(store_orphans(store, true, on_orphan, &o, &e));
    return o;
}

static bool lost(const char *id)
{
    return lease_told(a.lease, id, "L1", 0, "ConflictError");
}

/* ---- extended ---- */

static void extended(void **state)
{
    struct request r = lent("r");

    (void)state;
    insert(&r);
    assert_true(lease_told(a.lease, "r", "L1", clock_now() + 600, NULL));
    assert_int_equal(now("r").lease_expires_at, clock_now() + 600);
    assert_int_equal(now("r").next_at, r.next_at);
}

static void of_another_lease(void **state)
{
    struct request r = lent("r");

    (void)state;
    insert(&r);
    assert_false(lease_told(a.lease, "r", "L0", 0, "ConflictError"));
    assert_false(lease_told(a.lease, "r", "L2", clock_now() + 600, NULL));
    assert_int_equal(now("r").state, REQUEST_RETRYING);
    assert_int_equal(now("r").lease_expires_at, r.lease_expires_at);
}

/* What our clock said when it was lent is worth nothing: every lease is asked for again. */
static void our_clock_was_stepped(void **state)
{
    struct request r = lent("r"), none = lent("none");

    (void)state;
    none.lease_expires_at = 0;
    insert(&r);
    insert(&none);
    lease_doubt(a.lease);
    assert_in_range(now("r").lease_expires_at, 1, clock_now());
    assert_int_equal(now("none").lease_expires_at, 0); /* has no end */
    assert_int_equal(now("r").next_at, r.next_at);
}

/* ---- lost ---- */

static void before_the_ca_saw_it(void **state)
{
    struct request r = lent("r");

    (void)state;
    insert(&r);
    assert_true(lost("r"));
    assert_int_equal(now("r").state, REQUEST_SUPERSEDED);
    assert_string_equal(orphan().serial, "-");
    assert_false(lost("r")); /* an end is an end */
}

static void after_the_ca_saw_it(void **state)
{
    struct request r = lent("r");

    (void)state;
    r.submits = 1;
    insert(&r);
    assert_true(lost("r"));
    assert_int_equal(now("r").state, REQUEST_SUPERSEDED);
    assert_string_equal(orphan().serial, "");
    assert_string_equal(orphan().request_id, "r");
}

/* With EST nothing counts as submitted while it pends; the CA may issue it nevertheless. */
static void while_it_pends(void **state)
{
    struct request r = lent("r");

    (void)state;
    r.state = REQUEST_PENDING;
    (void)snprintf(r.reference, sizeof r.reference, "by its CSR");
    insert(&r);
    assert_true(lost("r"));
    assert_string_equal(orphan().request_id, "r");
}

static void with_its_certificate(void **state)
{
    struct request r = lent("r");
    EVP_PKEY *key = issue_key("P-256");
    X509 *x = issue_ca("CN=Root", key, NULL, NULL);
    struct buf der = BUF_INIT(8192);
    struct err e = { 0 };

    (void)state;
    r.submits = 1;
    issue_der(x, &der);
    insert(&r);
    T_OK(store_put_blob(store, "r", BLOB_CHAIN, buf_view(&der), &e));
    assert_true(lost("r"));
    assert_string_equal(orphan().serial, "1");
    buf_free(&der);
    X509_free(x);
    EVP_PKEY_free(key);
}

/* The cloud may have it: then its lease is over for that reason.  The answer to the result tells. */
static void with_its_result(void **state)
{
    struct request r = lent("r");

    (void)state;
    r.submits = 1;
    (void)snprintf(r.step, sizeof r.step, "report");
    (void)snprintf(r.digest, sizeof r.digest, "D1");
    (void)snprintf(r.serial, sizeof r.serial, "0A");
    insert(&r);
    assert_false(lost("r"));
    assert_int_equal(now("r").state, REQUEST_READY);
    assert_in_range(now("r").next_at, 1, clock_now());
    assert_int_equal(now("r").lease_expires_at, 0); /* nobody asks for it again */
    assert_string_equal(now("r").lease, "L1");
    assert_string_equal(orphan().serial, "-");
}

static void with_the_reason_it_failed_for(void **state)
{
    struct request r = lent("r");

    (void)state;
    r.failed = true;
    insert(&r);
    assert_false(lost("r"));
    assert_int_equal(now("r").state, REQUEST_READY);
}

/* An administrator's word counts: it is posted when it is released. */
static void with_its_result_and_held(void **state)
{
    struct request r = lent("r");

    (void)state;
    r.state = REQUEST_HELD;
    (void)snprintf(r.digest, sizeof r.digest, "D1");
    insert(&r);
    assert_false(lost("r"));
    assert_int_equal(now("r").state, REQUEST_HELD);
    assert_int_equal(now("r").next_at, r.next_at);
    assert_int_equal(now("r").lease_expires_at, 0);
}

/* ---- the answer as a whole ---- */

static void count(void *arg, const char *id, int64_t expires_at, const char *code)
{
    (void)id;
    (void)expires_at;
    (void)code;
    ++*(size_t *)arg;
}

static int judge(int status, const char *body, size_t *each, bool *all, struct err *e)
{
    struct http_reply h = { .status = status,
        .content_type = "application/json",
        .retry_after_s = -1,
        .body = view_text(body) };
    struct result r = { .http = &h };

    *each = 0;
    *e = (struct err){ 0 };
    return lease_judge(&a, &r, count, each, all, e);
}

static void judged(void **state)
{
    size_t each;
    bool all;
    struct err e;

    (void)state;
    T_OK(judge(200,
        "{\"value\":[{\"requestId\":\"00000000-0000-4000-8000-000000000001\",\"errorCode\":"
        "\"ConflictError\"}]}",
        &each, &all, &e));
    assert_int_equal(each, 1);
    assert_false(all);
    T_OK(judge(409, "{\"error\":{\"code\":\"ConflictError\",\"message\":\"\"}}", &each, &all, &e));
    assert_int_equal(each, 0);
    assert_true(all);
    T_ERR(judge(500, "{}", &each, &all, &e), ERR_NET);
    assert_false(all);
    T_ERR(judge(404, "{}", &each, &all, &e), ERR_GONE); /* of no request in particular */
    assert_false(all);
}

/* ---- whose clock ---- */

static void by_our_clock(void **state)
{
    struct http_reply h = { .status = 200 };
    struct result r = { .http = &h };

    (void)state;
    assert_int_equal(cloud_time(&r, 5000), 5000); /* it does not say what time it is there */
    h.date = clock_now() + 240;
    assert_int_equal(cloud_time(&r, h.date + 120), clock_now() + 120);
    h.date = clock_now() - 240;
    assert_int_equal(cloud_time(&r, h.date + 120), clock_now() + 120);
    assert_int_equal(cloud_time(&r, 0), 0); /* no end */
}

int main(void)
{
#define TEST(fn) cmocka_unit_test_setup_teardown(fn, begin, end)
    const struct CMUnitTest tests[] = {
        TEST(extended),
        TEST(of_another_lease),
        TEST(our_clock_was_stepped),
        TEST(before_the_ca_saw_it),
        TEST(after_the_ca_saw_it),
        TEST(while_it_pends),
        TEST(with_its_certificate),
        TEST(with_its_result),
        TEST(with_the_reason_it_failed_for),
        TEST(with_its_result_and_held),
        TEST(judged),
        TEST(by_our_clock),
    };

    return cmocka_run_group_tests_name("agent_lease", tests, NULL, NULL);
}
