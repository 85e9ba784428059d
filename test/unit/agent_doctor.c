/* doctor: which rows are wanted, one cause is one FAIL, and what is said of peers that were seen in one way or another. */
#include "test/t.h"
#include <stdlib.h>
#include "agent/base/clock.h"
#include "agent/doctor/doctor_look.h"
#include "certs/mem.h"

static struct doctor with(const char *only)
{
    return (struct doctor){ .only = only };
}

static void wanted_rows(void **state)
{
    static const struct {
        const char *only, *code;
        bool wants;
    } cases[] = {
        { NULL, "NET-01", true },
        { "NET-01", "NET-01", true },
        { "net", "NET-01", true },
        { "net,ca", "CA-02", true },
        { "net ca", "CA-02", true },
        { "net,ca", "SCEP-02", false },
        { "NET-01", "NET-02", false },
        { "NET-01", "NET-", true }, /* the group has to run */
        { "NET-01", "NE", false },
        { "SCEP-0", "SCEP-04", true },
        { "ca", "SCEP-01", false },
        { "NET-011", "NET-01", false },
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        const struct doctor d = with(cases[i].only);

        if (doctor_wants(&d, cases[i].code) != cases[i].wants)
            fail_msg("--only %s: %s", cases[i].only, cases[i].code);
    }
}

static void every_code_has_a_text(void **state)
{
    (void)state;
    for (const struct doctor_code *k = doctor_codes; k->code != NULL; k++) {
        assert_true(strlen(k->text) > 10);
        assert_ptr_equal(doctor_text(k->code), k->text); /* no code stands twice */
    }
    assert_string_equal(doctor_text("NONE-01"), "");
}

static void one_cause(void **state)
{
    struct doctor d = with(NULL);

    (void)state;
    doctor_pass(&d, "CA-01", "ca \"a\"", "it answers");
    assert_null(doctor_worst(&d));
    doctor_warn(&d, "CA-01", "ca \"b\"", "do this", "%d days", 7);
    doctor_fail(&d, "NET-02", "a:1", ERR_NET, "do that", "no connection");
    doctor_fail(&d, "NET-02", "b:1", ERR_NET, "do that", "no connection");
    assert_string_equal(doctor_worst(&d)->about, "a:1");
    assert_string_equal(doctor_failed(&d, "NET-", "b:1")->about, "b:1");
    assert_null(doctor_failed(&d, "NET-01", NULL));
    assert_null(doctor_failed(&d, "CA-", NULL));
    doctor_needs(&d, "SCEP-01", "scep", doctor_worst(&d));
    assert_string_equal(d.rows[4].found.fact, "needs NET-02 of a:1");
    doctor_skip(&d, "TIME-", "", "why");
    assert_string_equal(d.rows[5].code, "TIME-01");
    assert_int_equal(d.grades[GRADE_SKIP], 2);
    assert_int_equal(d.grades[GRADE_FAIL], 2);
    assert_string_equal(d.rows[1].found.fact, "7 days");
    assert_string_equal(d.rows[1].found.fix, "do this");
    doctor_free(&d);
}

/* What was not asked for is said only where it keeps what was asked for from being said. */
static void needed_groups(void **state)
{
    struct doctor d = with("ca");

    (void)state;
    doctor_fail(&d, "NET-02", "a:1", ERR_NET, "", "no connection");
    assert_int_equal(d.count, 0);
    d.needed = true;
    doctor_pass(&d, "NET-01", "a:1", "it resolves");
    assert_int_equal(d.count, 0);
    doctor_fail(&d, "NET-02", "a:1", ERR_NET, "", "no connection");
    assert_int_equal(d.count, 1);
    doctor_free(&d);
}

static void bounded(void **state)
{
    struct doctor d = with(NULL);

    (void)state;
    for (int i = 0; i < DOCTOR_ROWS_MAX + 10; i++)
        doctor_pass(&d, "CA-01", "ca", "it answers");
    assert_int_equal(d.count, DOCTOR_ROWS_MAX);
    doctor_free(&d);
}

static void unread(void **state)
{
    struct doctor d = with(NULL);
    struct err e;

    (void)state;
    (void)err_set(&e, ERR_CONFIG, "file:3: cloud.urll: no such option");
    doctor_unread(&d, &e);
    assert_int_equal(d.grades[GRADE_FAIL], 1);
    assert_string_equal(doctor_worst(&d)->code, "CONF-01");
    assert_int_equal(d.grades[GRADE_SKIP], d.count - 1);
    doctor_free(&d);
}

static void versions(void **state)
{
    static const struct {
        bool ssl;
        const char *version;
        bool bad;
    } cases[] = {
        { true, "3.0.19 27 Jan 2026", true },
        { true, "3.0.20", true },
        { true, "3.0.21", false },
        { true, "3.0.22", false },
        { true, "3.1.4", true },
        { true, "3.5.1", false },
        { true, "4.0.0-dev", false },
        { false, "7.88.1", false },
        { false, "7.74.0", true },
        { false, "8.11.1", true },
        { false, "8.11.0", false },
        { false, "8.12.0", false },
        { false, "", false },
    };
    const char *good;

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
        if ((doctor_known_bad(cases[i].ssl, cases[i].version, &good) != NULL) != cases[i].bad)
            fail_msg("%s", cases[i].version);
    assert_non_null(strstr(doctor_known_bad(true, "3.0.19", &good), "45447"));
    assert_string_equal(good, "3.0.21");
}

static void places(void **state)
{
    static const struct {
        const char *url, *host;
        unsigned port;
        bool tls;
    } cases[] = {
        { "https://Cloud.Example/ccp", "cloud.example", 443, true },
        { "HTTPS://H/", "h", 443, true },
        { "http://p:3128", "p", 3128, false },
        { "https://[2001:db8::7]:8443/x:y", "2001:db8::7", 8443, true },
        { "https://[2001:db8::7]", "2001:db8::7", 443, true },
        { "https://h?x=a:1", "h", 443, true },
        { "socks5://h:1080", "h", 1080, false },
    };
    static const char *const bad[] = { "", "host", "https://", "https://h:0", "https://h:70000",
        "https://[::1" };
    char host[256];
    unsigned port;
    bool tls;

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        assert_true(doctor_place(cases[i].url, host, sizeof host, &port, &tls));
        assert_string_equal(host, cases[i].host);
        assert_int_equal(port, cases[i].port);
        assert_int_equal(tls, cases[i].tls);
    }
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        if (doctor_place(bad[i], host, sizeof host, &port, &tls))
            fail_msg("%s", bad[i]);
}

/* ---- peers that were seen in one way or another -------------------------------------------------------------------------- */

static struct doctor_end *seen(struct doctor *d, const char *host)
{
    struct doctor_end *p;

    if (d->ends == NULL)
        d->ends = xcalloc(4, sizeof *d->ends);
    p = &d->ends[d->end_count++];
    *p = (struct doctor_end){ .port = 443, .setting = "cloud.trust" };
    (void)snprintf(p->host, sizeof p->host, "%s", host);
    (void)snprintf(p->about, sizeof p->about, "%s:443 (cloud)", host);
    (void)snprintf(p->target, sizeof p->target, "%s:443", host);
    p->look = (struct io_look){ .tls = true, .connects = true, .count = 1, .verdict = IO_TLS_OK };
    p->look.address[0].ok = true;
    (void)snprintf(p->look.address[0].text, sizeof p->look.address[0].text, "192.0.2.7");
    return p;
}

static void is_row(const struct doctor *d, const char *code, enum grade g)
{
    for (size_t i = 0; i < d->count; i++)
        if (strcmp(d->rows[i].code, code) == 0) {
            if (d->rows[i].found.grade != g)
                fail_msg("%s is %s: %s", code, grade_name(d->rows[i].found.grade),
                    d->rows[i].found.fact);
            return;
        }
    fail_msg("no row %s", code);
}

static void network_is_well(void **state)
{
    struct doctor d = with(NULL);

    (void)state;
    (void)seen(&d, "cloud.example");
    doctor_net(&d);
    is_row(&d, "NET-01", GRADE_PASS);
    is_row(&d, "NET-02", GRADE_PASS);
    is_row(&d, "NET-03", GRADE_SKIP);
    is_row(&d, "NET-04", GRADE_SKIP);
    is_row(&d, "NET-05", GRADE_PASS);
    is_row(&d, "NET-06", GRADE_PASS);
    assert_string_equal(d.ends[0].broken, "");
    doctor_free(&d);
}

static void no_name(void **state)
{
    struct doctor d = with(NULL);
    struct doctor_end *p = seen(&d, "cloud.example");

    (void)state;
    p->look = (struct io_look){ .tls = true, .dns_why = "Name or service not known" };
    doctor_net(&d);
    doctor_tls_peers(&d);
    is_row(&d, "NET-01", GRADE_FAIL);
    is_row(&d, "NET-02", GRADE_SKIP);
    is_row(&d, "TLS-01", GRADE_SKIP);
    assert_int_equal(d.grades[GRADE_FAIL], 1);
    assert_string_equal(p->broken, "needs NET-01 of cloud.example:443");
    doctor_free(&d);
}

static void one_family_is_dead(void **state)
{
    struct doctor d = with(NULL);
    struct doctor_end *p = seen(&d, "cloud.example");

    (void)state;
    p->look.count = 2;
    p->look.address[1] = (struct io_look_address){ .text = "2001:db8::7", .v6 = true };
    doctor_net(&d);
    is_row(&d, "NET-02", GRADE_PASS);
    is_row(&d, "NET-03", GRADE_WARN);
    doctor_free(&d);
}

static void proxied(struct doctor_end *p, long status)
{
    (void)snprintf(p->way.url, sizeof p->way.url, "http://p:3128");
    (void)snprintf(p->proxy_host, sizeof p->proxy_host, "p");
    (void)snprintf(p->target, sizeof p->target, "proxy http://p:3128");
    p->look.proxy_failed = status != 0;
    p->look.proxy_status = status;
    p->look.verdict = status != 0 ? IO_TLS_NONE : IO_TLS_OK;
}

/* Two peers behind one proxy that wants a login: one FAIL. */
static void proxy_wants_a_login(void **state)
{
    struct doctor d = with(NULL);

    (void)state;
    proxied(seen(&d, "cloud.example"), 407);
    proxied(seen(&d, "ca.example"), 407);
    doctor_net(&d);
    is_row(&d, "NET-04", GRADE_FAIL);
    assert_int_equal(d.grades[GRADE_FAIL], 1);
    assert_true(d.ends[0].broken[0] != '\0' && d.ends[1].broken[0] != '\0');
    doctor_free(&d);
}

/* The proxy is there and willing; what is behind it does not answer. */
static void proxy_reaches_nobody(void **state)
{
    struct doctor d = with(NULL);

    (void)state;
    proxied(seen(&d, "cloud.example"), 0);
    proxied(seen(&d, "ca.example"), 502);
    doctor_net(&d);
    assert_int_equal(d.grades[GRADE_FAIL], 1);
    assert_int_equal(doctor_worst(&d)->found.cls, ERR_NET);
    assert_non_null(strstr(doctor_worst(&d)->found.fact, "the proxy cannot reach it: HTTP 502"));
    assert_null(strstr(doctor_worst(&d)->found.fix, "allow"));
    doctor_free(&d);
}

/* tinyproxy's word for a wrong password. */
static void proxy_says_401(void **state)
{
    struct doctor d = with(NULL);

    (void)state;
    proxied(seen(&d, "cloud.example"), 401);
    proxied(seen(&d, "ca.example"), 401);
    doctor_net(&d);
    assert_int_equal(d.grades[GRADE_FAIL], 1);
    assert_non_null(strstr(doctor_worst(&d)->found.fact, "wants another login: HTTP 401"));
    doctor_free(&d);
}

/* Two peers, of which the proxy allows one. */
static void proxy_allows_one(void **state)
{
    struct doctor d = with(NULL);

    (void)state;
    proxied(seen(&d, "cloud.example"), 0);
    proxied(seen(&d, "ca.example"), 403);
    doctor_net(&d);
    assert_int_equal(d.grades[GRADE_FAIL], 1);
    assert_string_equal(doctor_worst(&d)->about, "ca.example:443 (cloud)");
    assert_string_equal(d.ends[0].broken, "");
    doctor_free(&d);
}

/* Without a trust file nobody but an interceptor has an issuer that is not known; with one the file may be wrong. */
static void unknown_issuer(void **state)
{
    struct doctor d = with(NULL);
    struct doctor_end *p = seen(&d, "cloud.example");

    (void)state;
    p->look.verdict = IO_TLS_ISSUER;
    doctor_net(&d);
    doctor_tls_peers(&d);
    is_row(&d, "NET-06", GRADE_FAIL);
    is_row(&d, "TLS-02", GRADE_SKIP);
    doctor_free(&d);

    d = with(NULL);
    p = seen(&d, "cloud.example");
    p->look.verdict = IO_TLS_ISSUER;
    p->trust = "/etc/certferry/root.pem";
    doctor_net(&d);
    doctor_tls_peers(&d);
    is_row(&d, "NET-06", GRADE_SKIP);
    is_row(&d, "TLS-02", GRADE_FAIL);
    assert_int_equal(d.grades[GRADE_FAIL], 1);
    doctor_free(&d);
}

static void clocks(void **state)
{
    static const struct {
        int64_t skew[3];
        enum grade grade;
    } cases[] = {
        { { 0, 1, -2 }, GRADE_PASS }, { { 90, 90, 90 }, GRADE_WARN },
        { { 4000, 4000, 4000 }, GRADE_FAIL }, { { -4000, -4000, 1 }, GRADE_FAIL },
        { { 0, 0, 4000 }, GRADE_WARN }, /* theirs */
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct doctor d = with(NULL);

        for (size_t k = 0; k < 3; k++) {
            struct doctor_end *p = seen(&d, "peer.example");

            p->look.date = 1000000;
            p->look.date_seen_at = 1000000 + cases[i].skew[k];
        }
        doctor_time(&d);
        is_row(&d, "TIME-01", cases[i].grade);
        doctor_free(&d);
    }
}

/* A certificate that seems to have ended while our clock is wrong: the clock is the cause. */
static void clock_before_certificate(void **state)
{
    struct doctor d = with(NULL);
    struct doctor_end *p = seen(&d, "cloud.example");

    (void)state;
    p->look.verdict = IO_TLS_EXPIRED;
    p->look.date = 1000000;
    p->look.date_seen_at = 2000000;
    doctor_net(&d);
    doctor_time(&d);
    doctor_tls_peers(&d);
    is_row(&d, "TIME-01", GRADE_FAIL);
    is_row(&d, "TLS-03", GRADE_SKIP);
    assert_string_equal(p->broken, "needs TIME-01 of this machine");
    assert_int_equal(d.grades[GRADE_FAIL], 1);
    doctor_free(&d);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(wanted_rows),
        cmocka_unit_test(every_code_has_a_text),
        cmocka_unit_test(one_cause),
        cmocka_unit_test(needed_groups),
        cmocka_unit_test(bounded),
        cmocka_unit_test(unread),
        cmocka_unit_test(versions),
        cmocka_unit_test(places),
        cmocka_unit_test(network_is_well),
        cmocka_unit_test(no_name),
        cmocka_unit_test(one_family_is_dead),
        cmocka_unit_test(proxy_wants_a_login),
        cmocka_unit_test(proxy_allows_one),
        cmocka_unit_test(proxy_reaches_nobody),
        cmocka_unit_test(proxy_says_401),
        cmocka_unit_test(unknown_issuer),
        cmocka_unit_test(clocks),
        cmocka_unit_test(clock_before_certificate),
    };

    clock_start();
    return cmocka_run_group_tests(tests, NULL, NULL);
}
