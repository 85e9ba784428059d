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
        cmocka_unit_test(as_long_as_said),
    };

    return cmocka_run_group_tests_name("http_url", tests, NULL, NULL);
}
