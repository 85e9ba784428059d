/* The list of templates on the page of an advanced request. */
#include "test/t.h"
#include "proto/adcs.h"

static char found[400];

static void on_name(void *arg, struct view name)
{
    size_t at = strlen(found);

    (void)arg;
    (void)snprintf(found + at, sizeof found - at, "%s%.*s", at > 0 ? "," : "", (int)name.len,
        (const char *)name.p);
}

static void is_list(const char *page, bool has, const char *names)
{
    found[0] = '\0';
    if (adcs_templates(view_text(page), on_name, NULL) != has)
        fail_msg("%s: %s a list", page, has ? "not" : "");
    assert_string_equal(found, names);
}

static void pages(void **state)
{
    (void)state;
    is_list("<Select Name=lbCertTemplate ID=x><Option Value=\"E;User;1;2;\">User\r\n"
            "<OPTION VALUE='O;Web Server;0'>Web</SELECT><option value=\"O;Other;\">",
        true, "User,Web Server");
    is_list("<select name=\"lbCertTemplate\"><option selected value=\"E;A;\">A<option>B</select>",
        true, "A");
    is_list("<select name=lbCertTemplate></select>", true, ""); /* nothing may be enrolled for */
    is_list("<select name=lbCertTemplate><option value=\"E;Last\">", true, "Last");
    is_list("<html><title>Welcome</title></html>", false, "");
    is_list("", false, "");
}

static void broken(void **state)
{
    static const char *const cut[] = { "<select name=lbCertTemplate><option",
        "<select name=lbCertTemplate><option value=",
        "<select name=lbCertTemplate><option value=\"",
        "<select name=lbCertTemplate><option value=\"E;User", "lbCertTemplate",
        "<select name=lbCertTemplate><option value=E;User;1>",
        "<select name=lbCertTemplate><option value=\"User\">",
        "<select name=lbCertTemplate><option value=\"E;;1\">" };

    (void)state;
    for (size_t i = 0; i < sizeof cut / sizeof cut[0]; i++)
        is_list(cut[i], true, "");
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(pages), cmocka_unit_test(broken) };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
