/*
 * Memory runs out while the audit log is written and checked, and while metrics are put together: a record is whole or not
 * there, a log that is whole is never called broken, and half a page of metrics is none.
 */
#include "test/t.h"
#include "agent/base/metrics.h"
#include "agent/control/metrics_report.h"
#include "agent/requests/audit.h"
#include "certs/mem.h"
#include "test/unit/agent_control_ask.h"

static struct audit_verdict verdict;
static struct buf page = BUF_INIT(1 << 20);

static int add(struct err *e)
{
    return audit_add(&a, AUDIT_SECRET_SET, "uid 7", "proxy", "detail", e);
}

static int verify(struct err *e)
{
    verdict = (struct audit_verdict){ 0 };
    return audit_verify(&a, &verdict, e);
}

static int metrics(struct err *e)
{
    return metrics_write(&a, &page, e);
}

/* true: no allocation was left to fail */
static bool fails_at(int (*what)(struct err *e), unsigned long n, int *rc)
{
    struct err e = { 0 };
    bool over;

    mem_fail_after(n);
    *rc = what(&e);
    over = mem_count() < n;
    mem_fail_after(0);
    if (*rc != 0 && (over || e.cls != ERR_NOMEM))
        fail_msg("allocation %lu: %s %s (%s)", n, err_name(e.cls), e.msg, e.where);
    return over;
}

static void records(void **state)
{
    struct err e = { 0 };
    int64_t added = 0;
    bool over = false;
    int rc;

    (void)state;
    for (unsigned long n = 1; !over; n++) {
        over = fails_at(add, n, &rc);
        added += rc == 0;
        T_OK(verify(&e));
        assert_int_equal(verdict.records, added);
        assert_int_equal(verdict.broken_at, 0);
    }
    assert_true(added > 0);
}

static void checking(void **state)
{
    struct err e = { 0 };
    bool over = false;
    int rc;

    (void)state;
    for (int i = 0; i < 3; i++)
        T_OK(add(&e));
    commit();
    for (unsigned long n = 1; !over; n++) {
        over = fails_at(verify, n, &rc);
        assert_int_equal(verdict.broken_at, 0);
        if (rc == 0)
            assert_int_equal(verdict.records, 3);
    }
}

static void a_page(void **state)
{
    struct request r = row("a", "ca", 1);
    bool over = false;
    int rc;

    (void)state;
    insert(&r);
    for (unsigned long n = 1; !over; n++) {
        buf_free(&page);
        page = (struct buf)BUF_INIT(1 << 20);
        over = fails_at(metrics, n, &rc);
        if (rc == 0)
            assert_non_null(strstr(buf_text(&page), "# EOF\n"));
        else
            assert_int_equal(page.len, 0);
    }
    buf_free(&page);
}

static int open_all(void **state)
{
    struct err e;

    return begin(state) == 0 && (a.lib = lib_new(&e)) != NULL ? 0 : -1;
}

static int close_all(void **state)
{
    lib_free(a.lib);
    return end(state);
}

#define WITH_LIB(fn) cmocka_unit_test_setup_teardown(fn, open_all, close_all)

int main(void)
{
    const struct CMUnitTest tests[] = {
        WITH_LIB(records),
        WITH_LIB(checking),
        WITH_LIB(a_page),
    };

    mem_torture_openssl();
    return cmocka_run_group_tests_name("agent_watch_torture", tests, NULL, NULL);
}
