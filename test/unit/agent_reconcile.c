/* Is this store the only one, and the newest?  Each state, what leads to the next, and what a restart knows of it. */
#include "test/t.h"
#include "agent/agent.h"
#include "agent/base/clock.h"
#include "agent/base/io.h"
#include "agent/base/log.h"
#include "agent/requests/job.h"
#include "agent/requests/sched.h"
#include "agent/service/reconcile_inner.h"
#include "certs/mem.h"
#include "test/unit/agent_store_rows.h"

enum { DAY_S = 86400, BEAT_S = 60 };

static struct agent a;
static struct conf conf;
static struct reconcile *r;

static void put(const char *key, const char *value)
{
    struct err e = { 0 };

    T_OK(store_meta_put(store, key, value, &e));
}

static void put_number(const char *key, int64_t v)
{
    char text[24];

    (void)snprintf(text, sizeof text, "%lld", (long long)v);
    put(key, text);
}

/* What is stored under that name; "" = nothing. */
static const char *kept(const char *key)
{
    static char text[200];
    struct err e = { 0 };

    text[0] = '\0';
    assert_true(store_meta_get(store, key, text, sizeof text, &e) >= 0);
    return text;
}

static void open_it(void)
{
    struct err e = { 0 };

    a.reconcile = r = reconcile_open(&a, &e);
    assert_non_null(r);
    a.started_at = clock_now();
}

static void restart(void)
{
    reconcile_close(r);
    open_it();
    reconcile_start(r);
}

static int begin(void **state)
{
    static const struct job_kind *const kinds[] = { NULL };
    static const struct jobs_rules rules = { .kinds = kinds };
    static char url[] = "https://cloud.example";
    struct err e;

    clock_start();
    log_open(LOG_JSON, LOG_LEVEL_SILENT);
    if (store_make(state) != 0 || io_open(1, &e) != 0)
        return -1;
    conf = (struct conf){ .cloud.url = url, .cloud.heartbeat = BEAT_S, .store.dir = dir_root };
    a = (struct agent){ .conf = &conf, .store = store, .lock = -1 };
    a.cloud.conf = &conf.cloud;
    a.heartbeat = (struct heartbeat *)&a; /* there is one; nobody looks into it */
    a.jobs = jobs_open(&a, &rules);
    a.sched = sched_open(&a);
    if ((a.lib = lib_new(&e)) == NULL)
        return -1;
    open_it();
    return 0;
}

static int end(void **state)
{
    reconcile_close(r);
    jobs_close(a.jobs);
    sched_close(a.sched);
    io_close();
    lib_free(a.lib);
    return store_remove(state);
}

static void stop(void *arg, const struct result *res)
{
    (void)arg;
    (void)res;
    io_stop();
}

/* No request here has a lease, so that the cloud is not asked. */
static void compared(void)
{
    assert_non_null(io_timer(50, stop, NULL));
    io_run();
}

static void over(void)
{
    r->quiet_until = clock_now() - 1;
}

/* ---- one life ---- */

static void ours_is_the_highest(void **state)
{
    (void)state;
    assert_int_equal(reconcile_state(r), RECONCILE_CHECKING);
    assert_true(reconcile_listens(r));
    assert_int_equal(reconcile_told(r, 7, 7), -1);
    assert_int_equal(reconcile_state(r), RECONCILE_NORMAL);
    assert_false(reconcile_listens(r));
    assert_int_equal(reconcile_told(r, 8, 7), -1);
    assert_int_equal(reconcile_told(r, 9, -1), -1); /* the cloud does not say */
    assert_int_equal(reconcile_state(r), RECONCILE_NORMAL);
}

static void an_older_store(void **state)
{
    char epoch[64];

    (void)state;
    put("epoch", "before");
    assert_int_equal(reconcile_told(r, 7, 90), 1);
    assert_int_equal(reconcile_state(r), RECONCILE_COMPARING);
    assert_string_equal(kept("counter"), "90");
    assert_string_equal(kept("reconcile/state"), "comparing");
    (void)snprintf(epoch, sizeof epoch, "%s", kept("epoch"));
    assert_string_not_equal(epoch, "before");
    compared();
    assert_int_equal(reconcile_state(r), RECONCILE_QUIET);
    assert_int_equal(reconcile_told(r, 130, 130), r->quiet_until - clock_now()); /* we are ahead */
    assert_in_range(r->quiet_until, clock_now() + BEAT_S, clock_now() + 2 * BEAT_S);
    assert_true(reconcile_listens(r));
    over();
    assert_int_equal(reconcile_told(r, 130, 130), -1);
    assert_int_equal(reconcile_state(r), RECONCILE_NORMAL);
    assert_string_equal(kept("reconcile/state"), "");
    assert_string_equal(kept("epoch"), epoch);
    assert_in_range(strtoll(kept("reconcile/ended"), NULL, 10), clock_now() - 2, clock_now());
}

/* Time alone is not enough: a heartbeat has to be the highest first. */
static void quiet_and_never_ahead(void **state)
{
    (void)state;
    (void)reconcile_told(r, 7, 90);
    compared();
    over();
    assert_int_equal(reconcile_told(r, 80, 90), 1);
    assert_int_equal(reconcile_state(r), RECONCILE_QUIET);
}

static void the_cloud_says_nothing(void **state)
{
    struct err e;

    (void)state;
    (void)err_set(&e, ERR_NET, "away");
    assert_int_equal(reconcile_untold(r, &e), 5);
    assert_int_equal(reconcile_state(r), RECONCILE_CHECKING);
    (void)err_set(&e, ERR_UNSUPPORTED, "no heartbeats");
    assert_int_equal(reconcile_untold(r, &e), -1);
    assert_int_equal(reconcile_state(r), RECONCILE_NORMAL);
}

static void nobody_tells(void **state)
{
    (void)state;
    a.heartbeat = NULL;
    reconcile_start(r);
    assert_int_equal(reconcile_state(r), RECONCILE_NORMAL);
}

/* ---- two lives ---- */

static void another_one_speaks(void **state)
{
    (void)state;
    (void)reconcile_told(r, 7, 90);
    (void)reconcile_told(r, 130, 130);
    compared();
    assert_int_equal(reconcile_told(r, 130, 170), -1);
    assert_int_equal(reconcile_state(r), RECONCILE_CLONE);
    (void)reconcile_told(r, 180, 180);
    restart();
    (void)reconcile_told(r, 190, 190);
    assert_int_equal(reconcile_state(r), RECONCILE_CLONE);
    compared();
    assert_int_equal(reconcile_state(r), RECONCILE_CLONE);
}

static void twice_within_a_day(void **state)
{
    (void)state;
    put_number("reconcile/ended", clock_now() - DAY_S + 60);
    (void)reconcile_told(r, 7, 90);
    assert_int_equal(reconcile_state(r), RECONCILE_CLONE);
    assert_string_equal(kept("counter"), "90");
}

static void twice_in_two_days(void **state)
{
    (void)state;
    put_number("reconcile/ended", clock_now() - DAY_S - 60);
    (void)reconcile_told(r, 7, 90);
    assert_int_equal(reconcile_state(r), RECONCILE_COMPARING);
}

static void an_administrator_decides(void **state)
{
    struct err e = { 0 };

    (void)state;
    T_ERR(reconcile_claim(r, &e), ERR_CONFLICT);
    (void)reconcile_told(r, 7, 7);
    T_ERR(reconcile_claim(r, &e), ERR_CONFLICT);
    put_number("reconcile/ended", clock_now());
    (void)reconcile_told(r, 8, 90);
    assert_int_equal(reconcile_state(r), RECONCILE_CLONE);
    a.heartbeat = NULL; /* this one would be sent */
    T_OK(reconcile_claim(r, &e));
    assert_int_equal(reconcile_state(r), RECONCILE_COMPARING);
    compared();
    assert_int_equal(reconcile_state(r), RECONCILE_NORMAL); /* without a pause */
}

static void a_sign_in_decides(void **state)
{
    struct err e = { 0 };

    (void)state;
    put_number("reconcile/ended", clock_now());
    T_OK(reconcile_renewed(r, &e));
    (void)reconcile_told(r, 8, 90); /* the first time, of this identity */
    assert_int_equal(reconcile_state(r), RECONCILE_COMPARING);
    (void)reconcile_told(r, 130, 130);
    (void)reconcile_told(r, 130, 170);
    assert_int_equal(reconcile_state(r), RECONCILE_CLONE);
    T_OK(reconcile_renewed(r, &e));
    compared();
    assert_int_equal(reconcile_state(r), RECONCILE_NORMAL);
}

/* ---- another file ---- */

static void the_store_has_moved(void **state)
{
    struct err e = { 0 };

    (void)state;
    restart();
    assert_int_equal(reconcile_state(r), RECONCILE_CHECKING);
    put("reconcile/mark", "another machine");
    reconcile_close(r);
    open_it();
    T_OK(store_commit(store, &e)); /* killed after the first commit, before it was said */
    assert_string_equal(kept("reconcile/mark"), "another machine");
    restart();
    assert_int_equal(reconcile_state(r), RECONCILE_COMPARING);
    assert_string_not_equal(kept("reconcile/mark"), "another machine");
    restart();
    assert_int_equal(reconcile_state(r), RECONCILE_COMPARING);
    compared();
    restart(); /* quiet is not enough */
    assert_int_equal(reconcile_state(r), RECONCILE_COMPARING);
}

/* ---- what waits ---- */

static struct request received(const char *lease, int64_t at)
{
    struct request q = row("a", "ca", 1);

    (void)snprintf(q.lease, sizeof q.lease, "%s", lease);
    q.received_at = at;
    return q;
}

static void who_waits(void **state)
{
    struct request old = received("l", clock_now() - 5), device = received("", clock_now() - 5),
                   fresh = received("l", clock_now() + 5);

    (void)state;
    insert(&old);
    restart();
    assert_true(reconcile_holds(r, &old));
    assert_false(reconcile_holds(r, &device));
    assert_false(reconcile_holds(r, &fresh));
    (void)reconcile_told(r, 7, 90);
    for (int i = 0; i < 2; i++) { /* comparing, quiet */
        assert_true(reconcile_holds(r, &old));
        assert_true(reconcile_holds(r, &device));
        assert_false(reconcile_holds(r, &fresh));
        compared();
    }
    (void)reconcile_told(r, 130, 130);
    (void)reconcile_told(r, 130, 170);
    assert_int_equal(reconcile_state(r), RECONCILE_CLONE);
    assert_true(reconcile_holds(r, &old));
    assert_false(reconcile_holds(r, &fresh));
    r->state = RECONCILE_NORMAL;
    assert_false(reconcile_holds(r, &old));
}

/* What was there when the store was opened is from before, in the second of the start, too; what came then is not, if
 * nothing of that second was there. */
static void in_the_second_of_the_start(void **state)
{
    struct request then = received("l", clock_now()), before = received("l", clock_now() - 1);

    (void)state;
    insert(&before);
    put("reconcile/mark", "another machine");
    restart();
    assert_int_equal(reconcile_state(r), RECONCILE_COMPARING);
    assert_true(reconcile_holds(r, &before));
    assert_false(reconcile_holds(r, &then));
    (void)snprintf(then.id, sizeof then.id, "b");
    insert(&then);
    restart();
    assert_true(reconcile_holds(r, &then));
    put("reconcile/state", "");
    restart();
    assert_int_equal(reconcile_state(r), RECONCILE_CHECKING);
    assert_true(reconcile_holds(r, &then));
}

static void add_row(const char *id, const char *step, int64_t submits)
{
    struct request q = row(id, "ca", 1);

    (void)snprintf(q.step, sizeof q.step, "%s", step);
    q.submits = submits;
    insert(&q);
}

static void row_is(const char *id, const char *step, int64_t submits)
{
    struct request q;
    struct err e = { 0 };

    assert_int_equal(store_get(store, id, &q, &e), 1);
    assert_string_equal(q.step, step);
    assert_int_equal(q.submits, submits);
}

/* The other life may have sent what this one remembers as not sent. */
static void what_may_have_been_submitted(void **state)
{
    (void)state;
    add_row("new", "key", 0);
    add_row("ready", "submit", 0);
    add_row("find", "find", 0);
    add_row("sent", "submit", 2);
    add_row("told", "report", 0);
    (void)reconcile_told(r, 7, 90);
    compared();
    assert_int_equal(reconcile_state(r), RECONCILE_QUIET);
    row_is("new", "key", 0);
    row_is("ready", "find", 1);
    row_is("find", "find", 1);
    row_is("sent", "submit", 2);
    row_is("told", "report", 0);
}

/* ---- memory ---- */

static bool told_at(unsigned long n)
{
    bool over;

    r->state = RECONCILE_NORMAL;
    put("counter", "7");
    put("reconcile/state", "");
    mem_fail_after(n);
    (void)reconcile_told(r, 7, 90);
    over = mem_count() < n;
    mem_fail_after(0);
    reconcile_compare_stop(r);
    assert_int_equal(reconcile_state(r), RECONCILE_COMPARING);
    assert_string_equal(kept("reconcile/state"), "comparing");
    assert_string_equal(kept("counter"), "90");
    return over;
}

/* Opened, or not: never a machine that is another one for want of memory. */
static bool opened_at(unsigned long n)
{
    struct err e = { 0 };
    struct reconcile *now;
    bool over;

    mem_fail_after(n);
    now = reconcile_open(&a, &e);
    over = mem_count() < n;
    mem_fail_after(0);
    assert_true(now != NULL ? !now->moved : e.cls == ERR_NOMEM && !over);
    reconcile_close(now);
    return over;
}

static void memory_runs_out(void **state)
{
    unsigned long n = 1;

    (void)state;
    while (!opened_at(n))
        n++;
    assert_true(n > 1);
    for (n = 1; !told_at(n); n++)
        ;
    assert_true(n > 1);
}

#define TEST(fn) cmocka_unit_test_setup_teardown(fn, begin, end)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(ours_is_the_highest),
        TEST(an_older_store),
        TEST(quiet_and_never_ahead),
        TEST(the_cloud_says_nothing),
        TEST(nobody_tells),
        TEST(another_one_speaks),
        TEST(twice_within_a_day),
        TEST(twice_in_two_days),
        TEST(an_administrator_decides),
        TEST(a_sign_in_decides),
        TEST(the_store_has_moved),
        TEST(who_waits),
        TEST(in_the_second_of_the_start),
        TEST(what_may_have_been_submitted),
        TEST(memory_runs_out),
    };

    mem_torture_openssl();

    return cmocka_run_group_tests_name("agent_reconcile", tests, NULL, NULL);
}
