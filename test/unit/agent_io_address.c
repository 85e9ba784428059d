/* Addresses, ranges of them, and whom a proxy speaks for. */
#include "test/t.h"
#include <arpa/inet.h>
#include "agent/base/io_address.h"

static struct io_address address(const char *text)
{
    struct io_address a;

    if (!io_address_parse(&a, view_text(text)))
        fail_msg("%s: no address", text);
    return a;
}

static void is_text(struct io_address a, const char *expected)
{
    char text[IO_ADDRESS_TEXT];

    io_address_text(&a, text);
    assert_string_equal(text, expected);
}

static void text_and_back(void **state)
{
    static const char *const cases[][2] = {
        { "192.0.2.7", "192.0.2.7" },
        { "192.0.2.7:8080", "192.0.2.7" },
        { "::ffff:192.0.2.7", "192.0.2.7" },
        { "2001:DB8:0::7", "2001:db8::7" },
        { "[2001:db8::7]", "2001:db8::7" },
        { "[2001:db8::7]:443", "2001:db8::7" },
        { "::", "::" },
        { "0.0.0.0", "0.0.0.0" },
    };
    static const char *const bad[] = { "", "unknown", "_hidden", "192.0.2", "192.0.2.7.1",
        "192.0.2.256", "2001:db8::7::1", "[2001:db8::7", "fe80::1%eth0", " 192.0.2.7", "[]", ":80",
        "1111:2222:3333:4444:5555:6666:7777:8888:9999:1111:2222:3333" };
    struct io_address a = address("192.0.2.1");

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
        is_text(address(cases[i][0]), cases[i][1]);
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        if (io_address_parse(&a, view_text(bad[i])))
            fail_msg("\"%s\" was taken for an address", bad[i]);
    assert_false(io_address_parse(&a, view_of("192.0.2.7\0", 10)));
    is_text(a, "192.0.2.1"); /* untouched */
}

static void from_sockets(void **state)
{
    struct sockaddr_in four = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(0xc0000207) };
    struct sockaddr_in6 six = { .sin6_family = AF_INET6 };
    struct sockaddr local = { .sa_family = AF_UNIX };
    struct io_address a, b;

    (void)state;
    assert_true(io_address_of(&a, (struct sockaddr *)&four));
    is_text(a, "192.0.2.7");
    assert_int_equal(inet_pton(AF_INET6, "::ffff:192.0.2.7", &six.sin6_addr), 1);
    assert_true(io_address_of(&b, (struct sockaddr *)&six));
    assert_true(io_address_equal(&a, &b));
    assert_false(io_address_of(&a, &local));
}

static void groups(void **state)
{
    struct io_address a = address("2001:db8:1:2:aaaa::1"), g = io_address_group(&a);

    (void)state;
    is_text(g, "2001:db8:1:2::");
    a = address("192.0.2.7");
    g = io_address_group(&a);
    is_text(g, "192.0.2.7");
}

static void ranges(void **state)
{
    static const struct {
        const char *range, *address;
        bool has;
    } cases[] = {
        { "10.0.0.0/8", "10.255.0.1", true },
        { "10.0.0.0/8", "11.0.0.1", false },
        { "10.0.0.0/8", "2001:db8::a00:1", false },
        { "192.0.2.128/25", "192.0.2.127", false },
        { "192.0.2.128/25", "192.0.2.128", true },
        { "192.0.2.4/31", "192.0.2.5", true },
        { "192.0.2.4/31", "192.0.2.6", false },
        { "192.0.2.7", "192.0.2.7", true },
        { "192.0.2.7", "192.0.2.6", false },
        { "0.0.0.0/0", "192.0.2.7", true },
        { "0.0.0.0/0", "::1", false },
        { "::/0", "192.0.2.7", true },
        { "::1", "::1", true },
        { "2001:db8::/33", "2001:db8:7fff::1", true },
        { "2001:db8::/33", "2001:db8:8000::1", false },
    };
    static const char *const bad[] = { "", "/", "10.0.0.0/", "10.0.0.0/33", "10.0.0.0/-1",
        "10.0.0.0/8x", "10.0.0.0/0008", "::/129", "10.0.0.1/8", "2001:db8::1/32", "[::1]",
        "10.0.0.0:80", "proxy.example" };
    struct io_range r;
    struct err e;

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct io_address a = address(cases[i].address);

        T_OK(io_range_parse(&r, cases[i].range, &e));
        if (io_range_has(&r, 1, &a) != cases[i].has)
            fail_msg("%s in %s?", cases[i].address, cases[i].range);
        assert_false(io_range_has(&r, 0, &a));
    }
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        T_ERR_SAYS(io_range_parse(&r, bad[i], &e), ERR_CONFIG, bad[i]);
}

static void whom_a_proxy_speaks_for(void **state)
{
    static const struct {
        const char *peer, *header, *client;
    } cases[] = {
        { "10.0.0.1", "", "10.0.0.1" }, { "10.0.0.1", "192.0.2.7", "192.0.2.7" },
        { "10.0.0.1", "  192.0.2.7\t", "192.0.2.7" },
        { "10.0.0.1", "6.6.6.6, 192.0.2.7", "192.0.2.7" }, /* what he wrote before does not count */
        { "10.0.0.1", "6.6.6.6,192.0.2.7,10.0.0.9", "192.0.2.7" },
        { "10.0.0.1", "6.6.6.6, 192.0.2.7:4711, [::1]:99", "192.0.2.7" },
        { "10.0.0.1", "10.0.0.3, 10.0.0.2", "10.0.0.3" }, /* nobody but ours */
        { "10.0.0.1", "192.0.2.7, unknown", "10.0.0.1" },
        { "10.0.0.1", "192.0.2.7, unknown, 10.0.0.2", "10.0.0.2" }, { "10.0.0.1", ",", "10.0.0.1" },
        { "10.0.0.1", "192.0.2.7,", "10.0.0.1" }, { "10.0.0.1", ",,192.0.2.7", "192.0.2.7" },
        { "10.0.0.1", "\"2001:db8::7\"", "2001:db8::7" },
        { "::1", "::ffff:192.0.2.7", "192.0.2.7" },
        { "192.0.2.66", "192.0.2.7", "192.0.2.66" }, /* not one of ours */
    };
    struct io_range ours[2];
    struct err e;

    (void)state;
    T_OK(io_range_parse(&ours[0], "10.0.0.0/8", &e));
    T_OK(io_range_parse(&ours[1], "::1", &e));
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct io_address a = address(cases[i].peer);

        io_address_forwarded(&a, cases[i].header, ours, 2);
        is_text(a, cases[i].client);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(text_and_back),
        cmocka_unit_test(from_sockets),
        cmocka_unit_test(groups),
        cmocka_unit_test(ranges),
        cmocka_unit_test(whom_a_proxy_speaks_for),
    };

    return cmocka_run_group_tests_name("agent_io_address", tests, NULL, NULL);
}
