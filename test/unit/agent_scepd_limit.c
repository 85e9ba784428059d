/* How many requests of an address were refused: counted by customer, and never for another minute. */
#include "test/t.h"
#include "agent/scep/scepd_inner.h"

enum { NOW = 1800000000 }; /* a minute begins */

static struct scepd_limit *l;

static int make(void **state)
{
    (void)state;
    l = limit_new();
    return 0;
}

static int drop(void **state)
{
    (void)state;
    limit_free(l);
    return 0;
}

static bool over(const char *remote)
{
    return limit_over(l, remote, 2, NOW);
}

static void refuse_twice(const char *remote)
{
    limit_count(l, remote, NOW);
    assert_false(over(remote));
    limit_count(l, remote, NOW);
    assert_true(over(remote));
}

static void an_ipv4_address_is_a_customer(void **state)
{
    (void)state;
    assert_false(over("192.0.2.7"));
    refuse_twice("192.0.2.7");
    assert_false(over("192.0.2.8"));
    assert_true(limit_over(l, "192.0.2.7", 1, NOW)); /* each endpoint has its own number */
    assert_false(limit_over(l, "192.0.2.7", 3, NOW));
    assert_false(limit_over(l, "192.0.2.7", 0, NOW)); /* 0: no limit */
}

/* A host chooses the second half of its IPv6 address itself. */
static void of_ipv6_the_first_half_is(void **state)
{
    (void)state;
    refuse_twice("2001:db8:1:2:3:4:5:6");
    assert_true(over("2001:db8:1:2::6"));
    assert_true(over("2001:db8:1:2:ffff::"));
    assert_false(over("2001:db8:1:3:3:4:5:6"));
    assert_false(over("2001:db8:1::6"));
    refuse_twice("2001:db8::1");
    assert_true(over("2001:db8::7:7:7:7"));
    assert_false(over("2001:db8:0:1::1"));
}

static void the_next_minute_begins_at_nothing(void **state)
{
    (void)state;
    for (int i = 0; i < 5; i++)
        limit_count(l, "192.0.2.7", NOW + 12 * i);
    assert_true(limit_over(l, "192.0.2.7", 5, NOW + 59));
    assert_false(limit_over(l, "192.0.2.7", 1, NOW + 60));
    limit_count(l, "192.0.2.7", NOW + 60);
    assert_true(limit_over(l, "192.0.2.7", 1, NOW + 60));
    assert_false(limit_over(l, "192.0.2.7", 2, NOW + 60)); /* nothing of the five is left */
    assert_false(limit_over(l, "192.0.2.7", 1, NOW));      /* nor if the clock was set back */
}

/* A table of fixed size: others may share a place, but nearly nobody does, and whoever does is told sooner. */
static void a_flood_is_bounded(void **state)
{
    char address[64];
    int shared = 0;

    (void)state;
    refuse_twice("192.0.2.7");
    for (int i = 0; i < 1000; i++) {
        (void)snprintf(address, sizeof address, "10.0.%d.%d", i / 250, i % 250);
        shared += over(address) ? 1 : 0;
    }
    assert_in_range(shared, 0, 4);
    for (int i = 0; i < 200000; i++) {
        (void)snprintf(address, sizeof address, "2001:db8:%x:%x::1", i / 50000, i % 50000);
        limit_count(l, address, NOW);
    }
    assert_true(over("198.51.100.7")); /* stricter, never laxer */
    assert_false(limit_over(l, "198.51.100.7", 200, NOW));
}

/* Whose place is whose depends on a number that nobody outside knows. */
static void places_are_not_known_beforehand(void **state)
{
    char address[64];
    int again = 0;

    (void)state;
    for (int round = 0; round < 4; round++) {
        struct scepd_limit *here = limit_new(), *there = limit_new();
        int i = 0;

        limit_count(here, "192.0.2.7", NOW);
        limit_count(there, "192.0.2.7", NOW);
        do { /* who shares its place here ... */
            assert_in_range(i, 0, (1 << 24) - 1);
            (void)snprintf(address, sizeof address, "10.%d.%d.%d", i >> 16, i >> 8 & 255, i & 255);
            i++;
        } while (!limit_over(here, address, 1, NOW));
        again += limit_over(there, address, 1, NOW) ? 1 : 0; /* ... does not in another service */
        limit_free(here);
        limit_free(there);
    }
    assert_in_range(again, 0, 1);
}

#define TEST(fn) cmocka_unit_test_setup_teardown(fn, make, drop)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(an_ipv4_address_is_a_customer),
        TEST(of_ipv6_the_first_half_is),
        TEST(the_next_minute_begins_at_nothing),
        TEST(a_flood_is_bounded),
        TEST(places_are_not_known_beforehand),
    };

    return cmocka_run_group_tests_name("agent_scepd_limit", tests, NULL, NULL);
}
