/* http.h: URLs where plain HTTP is allowed, and limits of one's own. */
#include "test/t.h"
#include "proto/http.h"

static struct err e;

static void plain_where_it_is_allowed(void **state)
{
    (void)state;
    T_OK(http_url_check("http://scep.contoso.example/certsrv/mscep/mscep.dll", true, 2048, &e));
    T_OK(http_url_check("HTTP://[::1]:8080/", true, 2048, &e));
    T_OK(http_url_check("https://scep.contoso.example/", true, 2048, &e));
    T_ERR_SAYS(
        http_url_check("http://scep.contoso.example/", false, 2048, &e), ERR_INPUT, "https://");
    T_ERR(http_url_ok("http://scep.contoso.example/", &e), ERR_INPUT);
    T_ERR_SAYS(http_url_check("ftp://h/", true, 2048, &e), ERR_INPUT, "or http://");
    T_ERR(http_url_check("http:/h/", true, 2048, &e), ERR_INPUT);
    T_ERR(http_url_check("http://", true, 2048, &e), ERR_INPUT);
    T_ERR_SAYS(http_url_check("http://u:p@h/", true, 2048, &e), ERR_INPUT, "user name");
    T_ERR(http_url_check("http://h:0/", true, 2048, &e), ERR_INPUT);
    T_ERR(http_url_check("http://h/#x", true, 2048, &e), ERR_INPUT);
    T_ERR(http_url_check(NULL, true, 2048, &e), ERR_INPUT);
}

/* A slash or a question mark in the password ends the authority before the '@'. */
static void no_part_of_a_password_is_repeated(void **state)
{
    static const char *const urls[] = { "https://admin:hunter2/x@h/", "https://admin:hunter2?x@h/",
        "https://admin:hunter2/x@h:443/ccp", "https://ad%6din:hunter2/@h/" };

    (void)state;
    for (size_t i = 0; i < sizeof urls / sizeof urls[0]; i++) {
        T_ERR_SAYS(http_url_ok(urls[i], &e), ERR_INPUT, "a user name or password");
        assert_null(strstr(e.msg, "hunter2"));
    }
    T_ERR_SAYS(http_url_ok("https://h:port/", &e), ERR_INPUT, "h:port");
    T_OK(http_url_ok("https://h/users/me@contoso.example", &e));
}

/* curl, the resolver and a list of exceptions would each read these in its own way. */
static void an_address_has_one_spelling(void **state)
{
    static const char *const odd[] = { "https://2130706433/", "https://127.1/",
        "https://0x7f000001:8443/", "https://0X7F.0.0.1/", "https://127.0.0.0x1/",
        "https://010.0.0.1/", "https://127.0.0.1./", "https://127.0.0.256/", "https://1.2.3.4.5/",
        "https://1.2.3/x", "https://h.1/", "https://1..1/" };
    static const char *const good[] = { "https://127.0.0.1/", "https://0.0.0.0:1",
        "https://10.20.30.255?x", "https://[::1]:443/", "https://[::ffff:127.0.0.1]/",
        "https://h1/", "https://1h/", "https://4.contoso.example./", "https://0x.example/",
        "https://0xh/", "https://host.0xyz" };

    (void)state;
    for (size_t i = 0; i < sizeof odd / sizeof odd[0]; i++)
        T_ERR_SAYS(http_url_ok(odd[i], &e), ERR_INPUT, "four numbers");
    for (size_t i = 0; i < sizeof good / sizeof good[0]; i++)
        T_OK(http_url_ok(good[i], &e));
}

static void as_long_as_said(void **state)
{
    static char url[65535];

    (void)state;
    memset(url, 'a', sizeof url - 1);
    memcpy(url, "https://h/", 10);
    T_OK(http_url_check(url, false, 65534, &e));
    T_ERR_SAYS(http_url_check(url, false, 65533, &e), ERR_INPUT, "longer than 65533");
    T_ERR_SAYS(http_url_ok(url, &e), ERR_INPUT, "longer than 2048");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(plain_where_it_is_allowed),
        cmocka_unit_test(no_part_of_a_password_is_repeated),
        cmocka_unit_test(an_address_has_one_spelling),
        cmocka_unit_test(as_long_as_said),
    };

    return cmocka_run_group_tests_name("http_url", tests, NULL, NULL);
}
