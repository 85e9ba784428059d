/* The way out: how a proxy is written, what no_proxy covers, and which way follows from both and the environment. */
#include "test/t.h"
#include <stdlib.h>
#include "agent/conf/proxy.h"

/* ---- how a proxy is written ---- */

static const struct {
    const char *text, *url, *note;
} good[] = {
    { "none", "none", "" },
    { "NONE", "none", "" },
    { "Auto", "auto", "" },
    { "http://proxy.corp.example:3128", "http://proxy.corp.example:3128", "" },
    { "proxy:3128", "http://proxy:3128", "read as http://proxy:3128" },
    { "10.1.2.3:8080", "http://10.1.2.3:8080", "read as http://10.1.2.3:8080" },
    { "HTTP://Proxy.Corp.EXAMPLE:3128/", "http://proxy.corp.example:3128", "" },
    { "http://proxy", "http://proxy:80", "port 80 is assumed" },
    { "https://proxy_1.corp/", "https://proxy_1.corp:443", "port 443 is assumed" },
    { "socks5://proxy", "socks5://proxy:1080", "port 1080 is assumed" },
    { "socks5h://proxy:1", "socks5://proxy:1", "" },
    { "http://[2001:DB8::1]:65535", "http://[2001:db8::1]:65535", "" },
    { "[::1]:3128", "http://[::1]:3128", "read as http://[::1]:3128" },
    { "http://proxy/", "http://proxy:80", "port 80 is assumed" },
};

static void proxies_that_are_meant(void **state)
{
    char url[300], note[100];
    struct err e;

    (void)state;
    for (size_t i = 0; i < sizeof good / sizeof good[0]; i++) {
        T_OK(proxy_normalize(good[i].text, url, sizeof url, note, sizeof note, &e));
        assert_string_equal(url, good[i].url);
        assert_string_equal(note, good[i].note);
        T_OK(proxy_normalize(good[i].url, url, sizeof url, note, sizeof note, &e));
        assert_string_equal(url, good[i].url); /* a normal one stays as it is */
        assert_string_equal(note, "");
    }
}

static const struct {
    const char *text, *says;
} bad[] = {
    { "", "no host name" },
    { "proxy", "which port? as proxy:3128" },
    { "proxy.corp.example", "which port?" },
    { "ftp://proxy:21", "begins with http://, https:// or socks5://" },
    { "socks4://proxy:1080", "begins with" },
    { "socks://proxy:1080", "begins with" },
    { "://proxy:1", "begins with" },
    { "http://", "no host name" },
    { "http://:3128", "no host name" },
    { "http://-proxy:3128", "no host name" },
    { "http://.proxy:3128", "no host name" },
    { "http://a..b:3128", "no host name" },
    { "http://pro xy:3128", "no host name" },
    { "http://pr\xc3\xb6xy:3128", "no host name" },
    { "http://proxy:0", "no port" },
    { "http://proxy:65536", "no port" },
    { "http://proxy:", "no port" },
    { "http://proxy:031280", "no port" },
    { "http://proxy:80x", "no port" },
    { "http://proxy:3128/wpad.dat", "a script (PAC) is not run" },
    { "http://proxy/proxy.PAC", "a script (PAC) is not run" },
    { "http://proxy:3128/path", "a proxy has no path" },
    { "http://proxy:3128?x", "a proxy has no path" },
    { "http://proxy#x", "a proxy has no path" },
    { "proxy/x", "a proxy has no path" },
    { "http://[::1:3128", "no IPv6 address" },
    { "http://[proxy]:3128", "no IPv6 address" },
    { "http://[10.0.0.1]:3128", "no IPv6 address" },
    { "http://[::1]x:3128", "a proxy has no path" },
    { "2001:db8::1:3128", "an IPv6 address stands in brackets" },
    { "http=proxy:3128;https=proxy:3129", "a list" },
    { "proxy:3128;other:3128", "a list" },
};

static void proxies_that_are_not(void **state)
{
    char url[300] = "as it was", note[100], longest[400];
    struct err e;

    (void)state;
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        T_ERR(proxy_normalize(bad[i].text, url, sizeof url, note, sizeof note, &e), ERR_CONFIG);
        if (strstr(e.msg, bad[i].says) == NULL)
            fail_msg("\"%s\": %s", bad[i].text, e.msg);
    }
    memset(longest, 'a', sizeof longest);
    memcpy(longest + 254, ":1", 3);
    T_ERR(proxy_normalize(longest, url, sizeof url, note, sizeof note, &e), ERR_CONFIG);
    memcpy(longest + 253, ":1", 3);
    T_OK(proxy_normalize(longest, url, sizeof url, note, sizeof note, &e));
    T_ERR(proxy_normalize(longest, url, 200, note, sizeof note, &e), ERR_CONFIG);
}

/* Whatever may be a password is in no message. */
static void passwords_are_not_repeated(void **state)
{
    static const char *const texts[] = { "http://agent:s3cr3t@proxy:3128",
        "agent:s3cr3t@proxy:3128", "http://agent%40corp:s3cr3t@proxy", "agent:s3cr3t",
        "http://agent:s3cr3t/", "ftp://agent:s3cr3t@proxy" };
    char url[300], note[100];
    struct err e;

    (void)state;
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        T_ERR(proxy_normalize(texts[i], url, sizeof url, note, sizeof note, &e), ERR_CONFIG);
        assert_null(strstr(e.msg, "s3cr3t"));
    }
}

/* ---- no_proxy ---- */

static const struct {
    const char *entry, *host;
    unsigned port;
    bool covers;
} no[] = {
    { "*", "anything.example", 443, true },
    { "*", "10.1.1.1", 443, true },
    { "*:8443", "anything.example", 443, false },
    { "*:8443", "anything.example", 8443, true },
    { "corp.example", "corp.example", 443, true },
    { "corp.example", "ca01.corp.example", 443, true },
    { "corp.example", "a.b.corp.example", 443, true },
    { "corp.example", "xcorp.example", 443, false },
    { "corp.example", "corp.example.org", 443, false },
    { "corp.example", "example", 443, false },
    { ".corp.example", "corp.example", 443, true },
    { ".corp.example", "ca01.corp.example", 443, true },
    { ".corp.example", "xcorp.example", 443, false },
    { "CORP.Example", "ca01.corp.example", 443, true },
    { "corp.example.", "ca01.corp.example", 443, true },
    { "corp.example", "ca01.corp.example.", 443, true },
    { "corp.example:443", "ca01.corp.example", 443, true },
    { "corp.example:443", "ca01.corp.example", 8443, false },
    { "localhost", "localhost", 443, true },
    { "ca01", "ca01", 443, true },
    { "10.0.0.1", "10.0.0.1", 443, true },
    { "10.0.0.1", "10.0.0.10", 443, false },
    { "0.0.1", "10.0.0.1", 443, false }, /* an address has nothing below it */
    { "10.0.0.1:443", "10.0.0.1", 444, false },
    { "10.0.0.1:443", "10.0.0.1", 443, true },
    { "10.0.0.0/8", "10.255.0.1", 443, true },
    { "10.0.0.0/8", "11.0.0.1", 443, false },
    { "10.0.0.0/8", "ca01.corp.example", 443, false }, /* nothing is resolved */
    { "10.0.0.0/8:8443", "10.0.0.1", 443, false },
    { "10.0.0.0/8:8443", "10.0.0.1", 8443, true },
    { "0.0.0.0/0", "192.0.2.1", 443, true },
    { "0.0.0.0/0", "2001:db8::1", 443, false },
    { "10.0.0.0/8", "::ffff:10.0.0.1", 443, true },
    { "2001:db8::/32", "2001:db8:1::1", 443, true },
    { "2001:db8::/32", "2001:db9::1", 443, false },
    { "[2001:db8::/32]:443", "2001:db8::1", 443, true },
    { "[2001:db8::/32]:443", "2001:db8::1", 444, false },
    { "[::1]", "::1", 443, true },
    { "::1", "::1", 443, true },
    { "[::1]:443", "::1", 443, true },
};

static void what_no_proxy_covers(void **state)
{
    struct err e;

    (void)state;
    for (size_t i = 0; i < sizeof no / sizeof no[0]; i++) {
        T_OK(proxy_no_check(no[i].entry, &e));
        if (proxy_no(no[i].entry, no[i].host, no[i].port) != no[i].covers)
            fail_msg("%s, %s:%u", no[i].entry, no[i].host, no[i].port);
    }
}

static void what_is_no_entry(void **state)
{
    static const char *const texts[] = { "", "*.corp.example", "ca*.corp.example", "10.*", "a..b",
        "corp.example:", "corp.example:0", "corp.example:99999", "corp.example:x", "10.0.0.1/8",
        "10.0.0.0/33", "10.0.0.0/", "corp.example/8", "[::1", "[]", "[::1]x", "[corp.example]",
        "https://corp.example", "corp example", ".", "..", "2001:db8::zz", "[::1]:0" };
    char longest[400];
    struct err e;

    (void)state;
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        if (proxy_no_check(texts[i], &e) == 0)
            fail_msg("\"%s\" passes", texts[i]);
        T_ERR(proxy_no_check(texts[i], &e), ERR_CONFIG);
        assert_false(proxy_no(texts[i], "corp.example", 443));
        assert_false(proxy_no(texts[i], "::1", 443));
    }
    memset(longest, 'a', sizeof longest - 1);
    longest[sizeof longest - 1] = '\0';
    T_ERR(proxy_no_check(longest, &e), ERR_CONFIG);
}

/* ---- the way ---- */

static const char *const variables[] = { "https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY",
    "no_proxy", "NO_PROXY", "http_proxy", "HTTP_PROXY" };

static int no_environment(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof variables / sizeof variables[0]; i++)
        (void)unsetenv(variables[i]);
    return 0;
}

static void expect(
    const struct conf *c, const char *own, const char *host, const char *url, const char *why)
{
    struct proxy_way way;
    struct err e;

    T_OK(proxy_way(c, own, host, 443, &way, &e));
    assert_string_equal(way.url, url);
    assert_string_equal(way.why, why);
}

static void refuses(const struct conf *c, const char *own, const char *says)
{
    struct proxy_way way;
    struct err e;

    T_ERR(proxy_way(c, own, "host.example", 443, &way, &e), ERR_CONFIG);
    if (strstr(e.msg, says) == NULL)
        fail_msg("\"%s\" is not in: %s", says, e.msg);
}

static void one_proxy_and_its_exceptions(void **state)
{
    char *entries[] = { "corp.example", "10.0.0.0/8" }, *wrong[] = { "*.example" };
    struct conf c = { .proxy = { .url = "http://proxy:3128", .no_proxy = { entries, 2 } } };
    struct conf unset = { 0 };

    (void)state;
    (void)setenv("https_proxy", "http://environment:1", 1); /* nobody asked for it */
    expect(&unset, NULL, "host.example", "", "proxy.url");
    expect(&c, NULL, "host.example", "http://proxy:3128", "proxy.url");
    expect(&c, "", "host.example", "http://proxy:3128", "proxy.url");
    expect(&c, NULL, "ca01.corp.example", "", "no_proxy: corp.example");
    expect(&c, NULL, "10.9.8.7", "", "no_proxy: 10.0.0.0/8");
    c.proxy.url = "none";
    expect(&c, NULL, "host.example", "", "proxy.url");
    c.proxy.url = "http://proxy:x";
    refuses(&c, NULL, "proxy.url: ");
    c.proxy = (struct conf_proxy){ .url = "http://proxy:3128", .no_proxy = { wrong, 1 } };
    refuses(&c, NULL, "proxy.no_proxy: \"*.example\": no wildcards");
}

static void sections_with_a_way_of_their_own(void **state)
{
    char *all[] = { "*" };
    struct conf_ca cas[] = { { .name = "one", .proxy = "none" },
        { .name = "two", .proxy = "socks5://other:1080" } };
    struct conf c = { .proxy = { .url = "http://proxy:3128", .no_proxy = { all, 1 } },
        .cloud = { .proxy = "https://cloudproxy:443" },
        .cas = cas,
        .ca_count = 2 };

    (void)state;
    expect(&c, c.cloud.proxy, "host.example", "https://cloudproxy:443", "cloud.proxy");
    expect(&c, cas[0].proxy, "host.example", "", "ca \"one\".proxy");
    expect(&c, cas[1].proxy, "host.example", "socks5://other:1080", "ca \"two\".proxy");
    expect(&c, "x:1", "host.example", "http://x:1", "the section's own proxy");
    refuses(&c, "x:y", "the section's own proxy: ");
}

static void the_environment(void **state)
{
    char *entries[] = { "corp.example" };
    struct conf c = { .proxy = { .url = "auto", .no_proxy = { entries, 1 } } };

    (void)state;
    (void)setenv("http_proxy", "http://never:1", 1);
    (void)setenv("HTTP_PROXY", "http://never:1", 1);
    expect(&c, NULL, "host.example", "", "the environment names no proxy");
    (void)setenv("ALL_PROXY", "socks5://d:4", 1);
    expect(&c, NULL, "host.example", "socks5://d:4", "ALL_PROXY of the environment");
    (void)setenv("all_proxy", "c:3", 1);
    expect(&c, NULL, "host.example", "http://c:3", "all_proxy of the environment");
    (void)setenv("HTTPS_PROXY", "http://b:2/", 1);
    expect(&c, NULL, "host.example", "http://b:2", "HTTPS_PROXY of the environment");
    (void)setenv("https_proxy", "", 1); /* empty: not set */
    expect(&c, NULL, "host.example", "http://b:2", "HTTPS_PROXY of the environment");
    (void)setenv("https_proxy", "http://a:1", 1);
    expect(&c, NULL, "host.example", "http://a:1", "https_proxy of the environment");
    (void)setenv("NO_PROXY", "10.0.0.0/8,\tupper.example,", 1);
    expect(&c, NULL, "x.upper.example", "", "NO_PROXY of the environment: upper.example");
    (void)setenv("no_proxy", " , lower.example", 1);
    expect(&c, NULL, "x.upper.example", "http://a:1", "https_proxy of the environment");
    expect(&c, NULL, "lower.example", "", "no_proxy of the environment: lower.example");
    expect(&c, NULL, "ca.corp.example", "", "no_proxy: corp.example");
    expect(&c, "none", "host.example", "", "the section's own proxy");
    (void)setenv("https_proxy", "none", 1);
    expect(&c, NULL, "host.example", "", "https_proxy of the environment");
    c.proxy.url = "none";
    (void)setenv("https_proxy", "http://a:1", 1);
    expect(&c, "auto", "host.example", "http://a:1", "https_proxy of the environment");
}

static void an_environment_that_cannot_be_meant(void **state)
{
    struct conf c = { .proxy = { .url = "auto" } };
    char many[500];

    (void)state;
    (void)setenv("https_proxy", "http://agent:s3cr3t@proxy:1", 1);
    refuses(&c, NULL, "https_proxy of the environment: a user or password is in it");
    (void)setenv("https_proxy", "auto", 1);
    refuses(&c, NULL, "\"auto\" is no proxy");
    (void)setenv("https_proxy", "http://proxy:1", 1);
    (void)setenv("no_proxy", "a,*.b", 1);
    refuses(&c, NULL, "no_proxy of the environment: \"*.b\": no wildcards");
    memset(many, 'x', sizeof many - 1);
    many[sizeof many - 1] = '\0';
    (void)setenv("no_proxy", many, 1);
    refuses(&c, NULL, "no_proxy of the environment: an entry of 499 bytes");
}

static void variables_that_differ(void **state)
{
    (void)state;
    assert_null(proxy_conflict());
    (void)setenv("no_proxy", "a", 1);
    (void)setenv("NO_PROXY", "a", 1);
    assert_null(proxy_conflict());
    (void)setenv("NO_PROXY", "b", 1);
    assert_non_null(strstr(proxy_conflict(), "NO_PROXY"));
    (void)setenv("all_proxy", "a", 1);
    (void)setenv("ALL_PROXY", "b", 1);
    assert_non_null(strstr(proxy_conflict(), "ALL_PROXY"));
    (void)setenv("https_proxy", "a", 1);
    (void)setenv("HTTPS_PROXY", "b", 1);
    assert_non_null(strstr(proxy_conflict(), "HTTPS_PROXY"));
}

/* ---- whose credential ---- */

static void takes(
    const struct conf *c, const char *own, const char *own_credential, const char *what)
{
    struct proxy_way way;
    struct err e;
    const char *got;

    T_OK(proxy_way(c, own, "host.example", 443, &way, &e));
    got = proxy_credential(c, own, own_credential, &way);
    assert_string_equal(got != NULL ? got : "", what);
}

static void credentials_belong_to_one_proxy(void **state)
{
    struct conf c = { .proxy = { .url = "http://proxy:3128", .credential = "secret:proxy" } };

    (void)state;
    takes(&c, NULL, NULL, "secret:proxy");
    takes(&c, "none", NULL, "");
    takes(&c, "http://other:3128", NULL, "");
    takes(&c, "http://other:3128", "secret:other", "secret:other");
    takes(&c, "proxy:3128", NULL, "secret:proxy");
    takes(&c, "https://proxy:3128", NULL, ""); /* not the same: this one is asked over TLS */
    takes(&c, "http://proxy:3129", NULL, "");
    c.proxy.url = "none";
    takes(&c, NULL, NULL, "");
    takes(&c, "http://proxy:3128", NULL, "");
    c.proxy.url = "auto";
    takes(&c, "http://proxy:3128", NULL, "");
    (void)setenv("https_proxy", "http://proxy:3128", 1);
    takes(&c, NULL, NULL, "secret:proxy");
    takes(&c, "http://proxy:3128", NULL, "secret:proxy");
    (void)setenv("https_proxy", "http://x@proxy:3128", 1);
    takes(&c, "http://proxy:3128", NULL, "");
}

#define TEST(fn) cmocka_unit_test_setup_teardown(fn, no_environment, no_environment)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(proxies_that_are_meant),
        TEST(proxies_that_are_not),
        TEST(passwords_are_not_repeated),
        TEST(what_no_proxy_covers),
        TEST(what_is_no_entry),
        TEST(one_proxy_and_its_exceptions),
        TEST(sections_with_a_way_of_their_own),
        TEST(the_environment),
        TEST(an_environment_that_cannot_be_meant),
        TEST(variables_that_differ),
        TEST(credentials_belong_to_one_proxy),
    };

    return cmocka_run_group_tests_name("agent_proxy", tests, NULL, NULL);
}
