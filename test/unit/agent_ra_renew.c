/* When certificates of a registration authority are enrolled, again after a refusal, and when their end is said. */
#include "test/t.h"
#include "agent/scep/job_ra.h"
#include "agent/scep/ra_renew.h"
#include "test/unit/agent_ra.h"

static struct lib *lib;
static struct ra ra; /* in use, for alarms */
static char file[] = "ra.pem";

static int begin(void **state)
{
    struct err e;

    if (ra_begin(state) != 0 || (lib = lib_new(&e)) == NULL)
        return -1;
    ra_endpoint(lib);
    a.sched = sched_open(&a);
    return 0;
}

static int end(void **state)
{
    sched_close(a.sched);
    lib_free(lib);
    return ra_end(state);
}

static const char *look(void)
{
    struct err e = { 0 };

    ra_renew_look(&scepd);
    ids[0] = '\0';
    T_OK(store_list(store, REQUEST_NONE, true, 100, add_id, NULL, &e));
    return ids;
}

/* It ended so many seconds ago. */
static void ended(const char *id, enum request_state as, int64_t ago_s)
{
    struct request r;
    struct err e = { 0 };

    assert_int_equal(store_get(store, id, &r, &e), 1);
    r.state = as;
    r.ended_at = clock_now() - ago_s;
    T_OK(store_update(store, &r, NULL, &e));
}

/* ---- the first ones ---- */

static void there_are_none(void **state)
{
    struct buf blobs[BLOB_COUNT];
    struct ra_item item;
    struct request r;
    struct err e = { 0 };

    (void)state;
    assert_string_equal(look(), "ra-dev-1-e ra-dev-1-s");
    assert_string_equal(look(), "ra-dev-1-e ra-dev-1-s");
    assert_int_equal(store_get(store, "ra-dev-1-s", &r, &e), 1);
    assert_string_equal(r.kind, "raEnrol");
    assert_string_equal(r.step, "key");
    assert_string_equal(r.ca, "ca1");
    assert_string_equal(r.template_name, "Agent");
    assert_int_equal(r.expires_at, 0);
    assert_in_range(r.next_at, clock_now() - 2, clock_now());
    assert_int_equal(store_get(store, "ra-dev-1-e", &r, &e), 1);
    assert_string_equal(r.template_name, "Encryption");
    for (int b = 0; b < BLOB_COUNT; b++)
        blobs[b] = (struct buf)BUF_INIT(10000);
    T_OK(store_get_blobs(store, "ra-dev-1-e", blobs, &e));
    T_OK(ra_item_parse(buf_view(&blobs[BLOB_ITEM]), &item, &e));
    assert_string_equal(item.endpoint, "dev");
    assert_string_equal(item.subject, "CN=RA, O=Contoso");
    assert_int_equal(item.generation, 1);
    assert_int_equal(item.use, 'e');
    for (int b = 0; b < BLOB_COUNT; b++)
        buf_free(&blobs[b]);
}

static void files_are_not_enrolled(void **state)
{
    (void)state;
    section.ra_certificate = file;
    assert_string_equal(look(), "");
}

static void a_service_that_ends_begins_nothing(void **state)
{
    (void)state;
    a.draining = true;
    assert_string_equal(look(), "");
}

/* What one of them brought is not asked for again. */
static void half_is_there(void **state)
{
    struct store_ra s = pair(1, 's', clock_now(), clock_now() + 90 * DAY);

    (void)state;
    (void)look();
    keep(&s);
    ended("ra-dev-1-s", REQUEST_DELIVERED, 100000);
    assert_string_equal(look(), "ra-dev-1-e");
    ended("ra-dev-1-e", REQUEST_REJECTED, 100000);
    assert_string_equal(look(), "ra-dev-1-e-2");
}

/* ---- refused ---- */

static void a_pause_after_each_refusal(void **state)
{
    static const struct {
        int64_t pause_s;
    } refusals[] = { { 900 }, { 1800 }, { 3600 }, { 7200 }, { 14400 }, { 28800 }, { 57600 },
        { 86400 }, { 86400 } };
    char id[40], next[40];

    (void)state;
    (void)look();
    for (size_t i = 0; i < sizeof refusals / sizeof refusals[0]; i++) {
        ra_stock_id("dev", 1, 's', (int)i + 1, id);
        ra_stock_id("dev", 1, 's', (int)i + 2, next);
        ended(id, REQUEST_REJECTED, refusals[i].pause_s - 5);
        assert_string_equal(look(), "ra-dev-1-e");
        ended(id, REQUEST_REJECTED, refusals[i].pause_s);
        assert_non_null(strstr(look(), next));
    }
}

static void a_wish_does_not_wait(void **state)
{
    struct err e = { 0 };

    (void)state;
    (void)look();
    ended("ra-dev-1-s", REQUEST_CANCELLED, 0);
    assert_string_equal(look(), "ra-dev-1-e");
    T_OK(ra_renew_wish(store, "dev", &e));
    assert_int_equal(ra_renew_wished(store, "dev", &e), 1);
    assert_string_equal(look(), "ra-dev-1-s-2 ra-dev-1-e");
    assert_int_equal(ra_renew_wished(store, "dev", &e), 0);
}

static void another_template_does_not_wait(void **state)
{
    static char other[] = "AgentV2", ca[] = "ca2";

    (void)state;
    (void)look();
    ended("ra-dev-1-s", REQUEST_REJECTED, 0);
    ended("ra-dev-1-e", REQUEST_REJECTED, 0);
    assert_string_equal(look(), "");
    section.ra_signing_template = other;
    assert_string_equal(look(), "ra-dev-1-s-2");
    section.ca = ca;
    assert_string_equal(look(), "ra-dev-1-e-2 ra-dev-1-s-2");
}

/* ---- the next ones ---- */

static void not_before_two_thirds(void **state)
{
    int64_t now = clock_now();

    (void)state;
    keep_both(1, now - 59 * DAY, now + 31 * DAY);
    assert_string_equal(look(), "");
}

static void after_two_thirds(void **state)
{
    int64_t now = clock_now();

    (void)state;
    keep_both(1, now - 60 * DAY, now + 30 * DAY);
    assert_string_equal(look(), "ra-dev-2-e ra-dev-2-s");
}

static void the_sooner_one_counts(void **state)
{
    int64_t now = clock_now();
    struct store_ra s = pair(1, 's', now - 10 * DAY, now + 5 * DAY),
                    x = pair(1, 'e', now - 10 * DAY, now + 80 * DAY);

    (void)state;
    keep(&s);
    keep(&x);
    assert_string_equal(look(), "ra-dev-2-e ra-dev-2-s");
}

static void a_wish_is_a_reason(void **state)
{
    struct err e = { 0 };

    (void)state;
    keep_both(4, clock_now(), clock_now() + 90 * DAY);
    T_OK(ra_renew_wish(store, "dev", &e));
    assert_string_equal(look(), "ra-dev-5-e ra-dev-5-s");
    ended("ra-dev-5-s", REQUEST_REJECTED, 900); /* the wish is gone, what it began goes on */
    assert_string_equal(look(), "ra-dev-5-s-2 ra-dev-5-e");
}

static void what_is_over_is_forgotten(void **state)
{
    struct err e = { 0 };
    int64_t now = clock_now();

    (void)state;
    for (int g = 1; g <= 11; g++)
        keep_both(g, now, now + 90 * DAY);
    (void)look();
    assert_string_equal(all_pairs(), "11s 11e 10e- 9e- 8e- 7e- 6e- 5e- 4e- 3e-");
    T_OK(store_commit(store, &e));
}

/* ---- alarms ---- */

static void in_use(int64_t from, int64_t until)
{
    ra.signing = ra.encryption = (struct ra_pair){ .not_before_at = from, .not_after_at = until };
    endpoint.ra = &ra;
}

static const char *said(void)
{
    static char value[64];
    struct err e = { 0 };

    ra_renew_look(&scepd);
    return store_meta_get(store, "ra/dev/alarm", value, sizeof value, &e) == 1
               ? strchr(value, ' ') + 1
               : "";
}

static void alarms_at_each_step(void **state)
{
    static const struct {
        int64_t left_s;
        const char *says;
    } rows[] = { { 31 * DAY, "" }, { 30 * DAY - 5, "30" }, { 15 * DAY, "30" },
        { 14 * DAY - 5, "14" }, { 8 * DAY, "14" }, { 7 * DAY - 5, "7" }, { 2 * DAY, "7" },
        { DAY - 5, "1" }, { 60, "1" }, { -60, "1" } };

    (void)state;
    section.ra_certificate = file;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        in_use(clock_now() - 300 * DAY, clock_now() + rows[i].left_s);
        assert_string_equal(said(), rows[i].says);
    }
}

/* How often the log has it. */
static size_t alarms_of(int looks)
{
    struct buf text = BUF_INIT(100000);
    int kept = dup(2), fd = open(dir_path("log"), O_WRONLY | O_CREAT | O_TRUNC, 0600);
    size_t n = 0;

    assert_true(kept >= 0 && fd >= 0 && dup2(fd, 2) == 2);
    log_open(LOG_JSON, LOG_LEVEL_INFO);
    for (int i = 0; i < looks; i++)
        (void)said();
    log_open(LOG_JSON, LOG_LEVEL_SILENT);
    assert_true(dup2(kept, 2) == 2);
    (void)close(kept);
    (void)close(fd);
    dir_read("log", &text);
    for (const char *p = buf_text(&text); (p = strstr(p, "RaCertificateExpires")) != NULL; p++)
        n++;
    buf_free(&text);
    return n;
}

static void each_alarm_once(void **state)
{
    (void)state;
    section.ra_certificate = file;
    in_use(clock_now() - 300 * DAY, clock_now() + 20 * DAY);
    assert_int_equal(alarms_of(3), 1);
    commit();
    reopen(); /* nor after a restart */
    a.store = store;
    assert_int_equal(alarms_of(2), 0);
    in_use(clock_now() - 300 * DAY, clock_now() + 20 * DAY + 60); /* other ones */
    assert_int_equal(alarms_of(2), 1);
}

/* A certificate that lives a month is no news on its first day. */
static void short_lives(void **state)
{
    (void)state;
    section.ra_certificate = file;
    in_use(clock_now() - 10 * DAY, clock_now() + 11 * DAY);
    assert_string_equal(said(), "");
    in_use(clock_now() - 11 * DAY, clock_now() + 10 * DAY);
    assert_string_equal(said(), "14");
}

static void enrolled_ones_not_before_their_renewal(void **state)
{
    int64_t now = clock_now();

    (void)state;
    keep_both(1, now - 30 * DAY, now + 29 * DAY);
    in_use(now - 30 * DAY, now + 29 * DAY);
    assert_string_equal(said(), "");
    in_use(now - 30 * DAY, now + 14 * DAY);
    assert_string_equal(said(), "14");
}

#define TEST(fn) cmocka_unit_test_setup_teardown(fn, begin, end)

int main(void)
{
    static const struct CMUnitTest tests[] = {
        TEST(there_are_none),
        TEST(files_are_not_enrolled),
        TEST(a_service_that_ends_begins_nothing),
        TEST(half_is_there),
        TEST(a_pause_after_each_refusal),
        TEST(a_wish_does_not_wait),
        TEST(another_template_does_not_wait),
        TEST(not_before_two_thirds),
        TEST(after_two_thirds),
        TEST(the_sooner_one_counts),
        TEST(a_wish_is_a_reason),
        TEST(what_is_over_is_forgotten),
        TEST(alarms_at_each_step),
        TEST(each_alarm_once),
        TEST(short_lives),
        TEST(enrolled_ones_not_before_their_renewal),
    };

    return cmocka_run_group_tests_name("agent_ra_renew", tests, NULL, NULL);
}
