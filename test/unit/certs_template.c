/* template.h: what is accepted, what is refused and with which words, and the bytes of the SANs. */
#include "test/t.h"
#include <arpa/inet.h>
#include <stdlib.h>
#include "certs/mem.h"
#include "certs/template.h"
#include "certs/text.h"

static struct template t;
static struct err e;

static int setup(void **state)
{
    (void)state;
    t = (struct template){ 0 };
    e = (struct err){ 0 };
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    template_free(&t);
    return 0;
}

static void assert_sans(const char *hex)
{
    struct buf got = BUF_INIT(1 << 20), text = BUF_INIT(2 << 20);

    T_OK(template_write_sans(&t, &got, &e));
    hex_add(&text, buf_view(&got));
    assert_string_equal(buf_text(&text), hex);
    buf_free(&got);
    buf_free(&text);
}

static void writes_upn_and_sid(void **state)
{
    (void)state;
    T_OK(template_add_san(&t, SAN_UPN, "alice@contoso.example", &e));
    T_OK(template_set_sid(&t, "S-1-5-21-1004336348-1177238915-682003330-1105", SID_URI, &e));
    assert_sans(
        "3077A025060A2B060104018237140203A0170C15616C69636540636F6E746F736F2E6578616D706C65"
        "864E7461673A6D6963726F736F66742E636F6D2C323032322D30392D31343A7369643A532D312D352D3231"
        "2D313030343333363334382D313137373233383931352D3638323030333333302D31313035");
}

static void writes_each_type(void **state)
{
    (void)state;
    T_OK(template_add_san(&t, SAN_EMAIL, "a@b.example", &e));
    T_OK(template_add_san(&t, SAN_DNS, "*.b_1.example", &e));
    T_OK(template_add_san(&t, SAN_URI, "urn:x", &e));
    T_OK(template_add_san(&t, SAN_IP, "192.0.2.255", &e));
    T_OK(template_add_san(&t, SAN_IP, "2001:DB8::1", &e));
    assert_sans("303B"
                "810B6140622E6578616D706C65"
                "820D2A2E625F312E6578616D706C65"
                "860575726E3A78"
                "8704C00002FF"
                "871020010DB8000000000000000000000001");
}

static void writes_nothing_without_sans(void **state)
{
    (void)state;
    T_OK(template_set_sid(&t, "S-1-5-18", SID_EXTENSION, &e));
    assert_sans("");
    T_OK(template_set_sid(&t, "S-1-5-18", SID_NONE, &e));
    assert_sans("");
}

static void keeps_out_on_failure(void **state)
{
    struct buf out = BUF_INIT(8);
    struct err seen = { 0 };

    (void)state;
    buf_add_text(&out, "x");
    T_OK(template_add_san(&t, SAN_DNS, "long.contoso.example", &e));
    assert_int_equal(template_write_sans(&t, &out, &seen), -1);
    assert_int_equal(seen.cls, ERR_TOO_LARGE);
    assert_int_equal(out.len, 1);
    buf_free(&out);
}

/* The struct can be filled by hand, past template_add_san. */
static void checks_again_when_writing(void **state)
{
    struct buf out = BUF_INIT(100);

    (void)state;
    T_OK(template_add_san(&t, SAN_IP, "192.0.2.1", &e));
    t.sans[0].value[0] = 'x';
    T_ERR_SAYS(template_write_sans(&t, &out, &e), ERR_INPUT, "x92.0.2.1");
    assert_int_equal(out.len, 0);
    buf_free(&out);
}

static void same_twice_is_once(void **state)
{
    (void)state;
    T_OK(template_add_san(&t, SAN_DNS, "a.example", &e));
    T_OK(template_add_san(&t, SAN_DNS, "a.example", &e));
    assert_int_equal(t.san_count, 1);
    T_OK(template_add_san(&t, SAN_UPN, "a.example", &e));
    assert_int_equal(t.san_count, 2);
    T_OK(template_add_eku(&t, "1.3.6.1.5.5.7.3.2", &e));
    T_OK(template_add_eku(&t, "1.3.6.1.5.5.7.3.2", &e));
    assert_int_equal(t.eku_count, 1);
}

/* What the C library takes for an address and what we do, over good ones and their mutations. */
static void addresses_as_libc(void **state)
{
    static const char *const seeds[] = { "::", "::1", "1::", "1:2:3:4:5:6:7:8",
        "1:2:3:4:5:6:7::", "::2:3:4:5:6:7:8", "fe80::aBcD:0ff", "::ffff:192.0.2.1",
        "1:2:3:4:5:6:1.2.3.4", "1::2::3", "1:2:3", ":1:2:3:4:5:6:7",
        "1:2:3:4:5:6:7:", "12345::", "1:2:3:4:5:6:7:8:9", "192.0.2.1", "255.255.255.255",
        "256.1.1.1", "1.2.3", "1.2.3.4.5", "01.2.3.4", "1.2.3.4 ", "::1.2.3",
        "1:2:3:4:5:6:7:1.2.3.4", "1:2:3:4:5:6:7::8", "::1.2.3.4:5" };
    static const char letters[] = ":.01fG29";
    unsigned agreed = 0, good = 0;

    (void)state;
    srand(1);
    for (int round = 0; round < 40000; round++) {
        char text[64];
        uint8_t libc[16];
        size_t len;
        bool v4, v6;

        snprintf(text, sizeof text, "%s", seeds[(size_t)round % (sizeof seeds / sizeof *seeds)]);
        len = strlen(text);
        for (int i = 0; i < round / 26 % 4; i++)
            text[(size_t)rand() % len] = letters[(size_t)rand() % (sizeof letters - 1)];
        v4 = inet_pton(AF_INET, text, libc) == 1;
        v6 = !v4 && inet_pton(AF_INET6, text, libc) == 1;
        if (v4 || v6) {
            struct buf out = BUF_INIT(64);

            T_OK(template_add_san(&t, SAN_IP, text, &e));
            T_OK(template_write_sans(&t, &out, &e));
            assert_int_equal(out.len, v4 ? 8 : 20);
            assert_memory_equal(out.p + 4, libc, v4 ? 4 : 16);
            buf_free(&out);
            template_free(&t);
            good++;
        } else {
            T_ERR(template_add_san(&t, SAN_IP, text, &e), ERR_INPUT);
        }
        agreed++;
    }
    assert_int_equal(agreed, 40000);
    assert_true(good > 4000);
}

static void refuses_sans(void **state)
{
    char label64[80] = "", long_dns[300] = "", long_uri[2100] = "u:";
    struct {
        enum san_type type;
        const char *value, *says;
    } rows[] = {
        { SAN_EMAIL, "", "empty" },
        { SAN_EMAIL, NULL, "empty" },
        { SAN_NONE, "x", "type 0 is unknown" },
        { SAN_TYPE_COUNT, "x", "unknown" },
        { (enum san_type) - 1, "x", "unknown" },
        { SAN_EMAIL, "alice", "SAN EMAIL \"alice\" is not name@domain" },
        { SAN_EMAIL, "@b", "name@domain" },
        { SAN_EMAIL, "a@", "name@domain" },
        { SAN_EMAIL, "a@b@c", "name@domain" },
        { SAN_EMAIL, "\xc3\xa4@b.example", "not ASCII" },
        { SAN_EMAIL, "a b@c.example", "blank" },
        { SAN_EMAIL, "a@b.example\n", "control" },
        { SAN_DNS, "a..b", "empty label" },
        { SAN_DNS, ".a", "empty label" },
        { SAN_DNS, "a.", "empty label" },
        { SAN_DNS, "a b", "host names" },
        { SAN_DNS, "a/b", "host names" },
        { SAN_DNS,
            "stra\xc3\x9f"
            "e.example",
            "host names" },
        { SAN_DNS, label64, "63" },
        { SAN_DNS, long_dns, "253" },
        { SAN_URI, "/relative", "absolute" },
        { SAN_URI, "relative", "absolute" },
        { SAN_URI, "http:", "absolute" },
        { SAN_URI, ":x", "absolute" },
        { SAN_URI, "http://a/ b", "blank" },
        { SAN_URI, long_uri, "2099 bytes" },
        { SAN_IP, "1.2.3", "IPv4" },
        { SAN_IP, "host.example", "IPv4" },
        { SAN_UPN, "a\x7f", "control" },
        { SAN_UPN, "a\xff", "UTF-8" },
    };

    (void)state;
    memset(label64, 'a', 64);
    for (size_t i = 0; i < 254; i++)
        long_dns[i] = i % 10 == 9 ? '.' : 'a';
    memset(long_uri + 2, 'a', sizeof long_uri - 3);
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        T_ERR_SAYS(template_add_san(&t, rows[i].type, rows[i].value, &e), ERR_INPUT, rows[i].says);
    assert_int_equal(t.san_count, 0);
    label64[63] = '\0';
    T_OK(template_add_san(&t, SAN_DNS, label64, &e));
    T_OK(template_add_san(&t, SAN_UPN, "\xc3\xa4@b", &e));
}

static void lists_have_an_end(void **state)
{
    char value[40];

    (void)state;
    for (int i = 0; i < TEMPLATE_SAN_MAX; i++) {
        snprintf(value, sizeof value, "host-%d.example", i);
        T_OK(template_add_san(&t, SAN_DNS, value, &e));
        snprintf(value, sizeof value, "1.2.3.%d", i);
        T_OK(template_add_eku(&t, value, &e));
    }
    T_ERR_SAYS(template_add_san(&t, SAN_DNS, "one.more", &e), ERR_INPUT, "more than 500");
    T_ERR_SAYS(template_add_eku(&t, "1.2.4", &e), ERR_INPUT, "more than 500");
    assert_int_equal(t.san_count, TEMPLATE_SAN_MAX);
    assert_string_equal(t.sans[499].value, "host-499.example");
    assert_string_equal(t.ekus[0], "1.2.3.0");
}

static void refuses_ekus(void **state)
{
    static const char *const bad[] = { "", "1", "3.1.1", "1.3.", "1.40.1", "01.2.3", "1.2.x",
        "clientAuth", "1.2.99999999999999999999" };

    (void)state;
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        T_ERR_SAYS(template_add_eku(&t, bad[i], &e), ERR_INPUT, "extended key usage");
    T_ERR(template_add_eku(&t, NULL, &e), ERR_INPUT);
    assert_int_equal(t.eku_count, 0);
}

static void sids(void **state)
{
    static const char *const good[] = { "S-1-5-18", "S-1-0-0", "S-1-281474976710655-4294967295",
        "S-1-5-1-2-3-4-5-6-7-8-9-10-11-12-13-14-15" };
    static const char *const bad[] = { "", "S-1-5", "S-1-", "S-2-5-18", "s-1-5-18", "S-1-5-",
        "S-1--5", "S-1-5-18 ", " S-1-5-18", "S-1-5-018", "S-1-5-4294967296",
        "S-1-281474976710656-1", "S-1-5-99999999999999999999",
        "S-1-5-1-2-3-4-5-6-7-8-9-10-11-12-13-14-15-16", "S-1-5-18\n", "S-1-5-x" };

    (void)state;
    for (size_t i = 0; i < sizeof good / sizeof *good; i++) {
        T_OK(template_set_sid(&t, good[i], SID_BOTH, &e));
        assert_string_equal(t.sid, good[i]);
        assert_int_equal(t.sid_encoding, SID_BOTH);
    }
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        T_ERR_SAYS(template_set_sid(&t, bad[i], SID_URI, &e), ERR_INPUT, "is not a SID");
    T_ERR(template_set_sid(&t, NULL, SID_URI, &e), ERR_INPUT);
    T_ERR_SAYS(template_set_sid(&t, "S-1-5-18", (enum sid_encoding)4, &e), ERR_INPUT, "encoding 4");
    assert_string_equal(t.sid, good[3]); /* as it was */
}

static void out_of_memory(void **state)
{
    (void)state;
    mem_fail_after(1);
    T_ERR(template_add_san(&t, SAN_DNS, "a.example", &e), ERR_NOMEM);
    mem_fail_after(2);
    T_ERR(template_add_san(&t, SAN_DNS, "a.example", &e), ERR_NOMEM);
    mem_fail_after(1);
    T_ERR(template_set_sid(&t, "S-1-5-18", SID_URI, &e), ERR_NOMEM);
    mem_fail_after(0);
    assert_int_equal(t.san_count, 0);
    assert_null(t.sid);
}

static void free_leaves_it_empty(void **state)
{
    static const struct template empty;

    (void)state;
    t.name = xstrdup("ContosoUser");
    t.in_csr_oid = xstrdup("1.2.3");
    T_OK(name_add(&t.subject, "CN", "Ada", false, &e));
    T_OK(template_add_san(&t, SAN_DNS, "a.example", &e));
    T_OK(template_add_eku(&t, "1.2.3", &e));
    T_OK(template_set_sid(&t, "S-1-5-18", SID_URI, &e));
    template_free(&t);
    assert_null(t.name);
    assert_null(t.sans);
    assert_null(t.ekus);
    assert_null(t.sid);
    assert_null(t.in_csr_oid);
    assert_int_equal(t.subject.count, empty.subject.count);
    assert_int_equal(t.san_count + t.eku_count, 0);
    template_free(&t);
}

int main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
    static const struct CMUnitTest tests[] = {
        T(writes_upn_and_sid),
        T(writes_each_type),
        T(writes_nothing_without_sans),
        T(keeps_out_on_failure),
        T(checks_again_when_writing),
        T(same_twice_is_once),
        T(addresses_as_libc),
        T(refuses_sans),
        T(lists_have_an_end),
        T(refuses_ekus),
        T(sids),
        T(out_of_memory),
        T(free_leaves_it_empty),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
