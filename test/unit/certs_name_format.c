/* name.h: subject formats, variables, and what a value must never be able to do. */
#include "test/t.h"
#include "certs/name.h"
#include "certs/text.h"

static struct err e;
static struct name n;
static struct buf out = BUF_INIT(1 << 18);

static const struct name_var vars[] = {
    { "UserName", "Ada Lovelace" },
    { "UserPrincipalName", "ada@contoso.com" },
    { "Evil", "a,O=Evil" },
    { "Worse", "x\",CN=\"y+C=DE\\,{{UserName}};" },
    { "Padded", "  both ends  " },
    { "Umlaut", "J\xc3\xbcrgen" },
    { "Newline", "a\nb" },
    { "Latin1", "J\xfcrgen" },
    { "Empty", "" },
    { "Unset", NULL },
    { "AAD_Device.ID-1", "guid" },
};

enum { VARS = sizeof vars / sizeof vars[0] };

static int clear(void **state)
{
    (void)state;
    name_free(&n);
    buf_free(&out);
    return 0;
}

/* The parsed name in brackets: [CN|value][O|value+C|value]. */
static const char *shown(void)
{
    buf_reset(&out);
    for (size_t i = 0; i < n.count; i++) {
        buf_add_byte(&out, '[');
        for (size_t j = 0; j < n.rdn[i].count; j++)
            buf_printf(
                &out, "%s%s|%s", j != 0 ? "+" : "", n.rdn[i].attr[j].type, n.rdn[i].attr[j].value);
        buf_add_byte(&out, ']');
    }
    return buf_text(&out);
}

static void formats(void **state)
{
    static const struct {
        const char *format, *name;
    } rows[] = {
        { "", "" },
        { "  ", "" },
        { "CN=x", "[CN|x]" },
        { "CN={{UserName}},OU=\"R&D, Berlin\",O=Contoso+C=DE",
            "[CN|Ada Lovelace][OU|R&D, Berlin][O|Contoso+C|DE]" },
        { " cn = x y , ou =z ", "[CN|x y][OU|z]" },
        { "CN=a\\,b\\+c\\\"d\\\\e\\;f\\=g\\{h\\}", "[CN|a,b+c\"d\\e;f=g{h}]" },
        { "CN=\"a,b+c\\\"d\\\\e;f=g\\{h\\}\"", "[CN|a,b+c\"d\\e;f=g{h}]" },
        { "CN=\" kept \"  , O=x", "[CN| kept ][O|x]" },
        { "CN=\"a\\,b\"", "[CN|a,b]" },
        { "CN={{UserName}} ({{userprincipalname}})", "[CN|Ada Lovelace (ada@contoso.com)]" },
        { "CN=\"{{UserName}}, {{Umlaut}}\"", "[CN|Ada Lovelace, J\xc3\xbcrgen]" },
        { "CN={{AAD_Device.ID-1}}", "[CN|guid]" },
        { "CN={{Padded}} ", "[CN|  both ends  ]" },
        { "CN=\\{\\{UserName\\}\\}", "[CN|{{UserName}}]" },
        { "DC=contoso,DC=com", "[DC|contoso][DC|com]" },
        { "1.2.3.4=x,2.5.4.3=y", "[1.2.3.4|x][CN|y]" },
        { "CN=#1 <a> 'b'", "[CN|#1 <a> 'b']" },
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        T_OK(name_parse(&n, rows[i].format, vars, VARS, &e));
        assert_string_equal(shown(), rows[i].name);
    }
}

/* A value is one value, whatever it is made of. */
static void a_value_cannot_break_out(void **state)
{
    struct buf der = BUF_INIT(1000);

    (void)state;
    T_OK(name_parse(&n, "CN={{Evil}},O=Contoso", vars, VARS, &e));
    assert_string_equal(shown(), "[CN|a,O=Evil][O|Contoso]");
    T_OK(name_write(&n, &der, &e));
    buf_reset(&out);
    name_text(buf_view(&der), &out);
    assert_string_equal(buf_text(&out), "CN=a\\,O\\=Evil, O=Contoso");
    buf_free(&der);

    T_OK(name_parse(&n, "CN={{Worse}}", vars, VARS, &e));
    assert_string_equal(shown(), "[CN|x\",CN=\"y+C=DE\\,{{UserName}};]");
    T_OK(name_parse(&n, "CN=\"{{Worse}}\"", vars, VARS, &e));
    assert_string_equal(shown(), "[CN|x\",CN=\"y+C=DE\\,{{UserName}};]");
    T_ERR(name_parse(&n, "CN={{Newline}}", vars, VARS, &e), ERR_INPUT);
    T_ERR(name_parse(&n, "CN={{Latin1}}", vars, VARS, &e), ERR_INPUT);
}

static void variables_without_a_value(void **state)
{
    (void)state;
    T_ERR_SAYS(name_parse(&n, "CN={{Nobody}}", vars, VARS, &e), ERR_VARIABLE,
        "{{Nobody}} is not a known variable");
    T_ERR_SAYS(
        name_parse(&n, "CN=x {{Empty}}", vars, VARS, &e), ERR_VARIABLE, "{{Empty}} has no value");
    T_ERR_SAYS(
        name_parse(&n, "CN={{unset}}", vars, VARS, &e), ERR_VARIABLE, "{{unset}} has no value");
    T_ERR(name_parse(&n, "CN={{UserNam}}", vars, VARS, &e), ERR_VARIABLE);
    T_ERR(name_parse(&n, "CN={{UserNames}}", vars, VARS, &e), ERR_VARIABLE);
    T_ERR(name_parse(&n, "CN={{UserName}}", NULL, 0, &e), ERR_VARIABLE);
}

static void says_where_it_is_wrong(void **state)
{
    static const struct {
        const char *format, *says;
    } rows[] = {
        { "CN", "column 3: no = after CN" },
        { "=x", "column 1: no attribute type" },
        { "CN=x,", "column 6: nothing after" },
        { "CN=x, ", "nothing after" },
        { "CN=x+", "nothing after" },
        { "CN=x,,O=y", "column 6: no attribute type" },
        { ",CN=x", "column 1: no attribute type" },
        { "CN=x;O=y", "column 5: put \\ before ;" },
        { "CN=x=y", "column 5: put \\ before =" },
        { "CN=x\"y", "column 5: put \\ before \"" },
        { "CN=x{y", "column 5: put \\ before {" },
        { "CN=x}y", "column 5: put \\ before }" },
        { "CN=\"x}y\"", "column 6: put \\ before }" },
        { "CN=\"x{y\"", "column 6: put \\ before {" },
        { "CN={{UserName}", "column 4: {{ without" },
        { "CN={{ UserName }}", "column 4: {{ without" },
        { "CN={{}}", "column 4: {{ without" },
        { "CN={{User{{Name}}}}", "column 4: {{ without" },
        { "CN=\xc3\xbc\xc3\xbc{{", "column 6: {{ without" },
        { "CN=x\\", "column 5: \\ stands only" },
        { "CN=x\\n", "column 5: \\ stands only" },
        { "CN=\"x", "column 4: the quote is not closed" },
        { "CN=\"x\\\"", "column 4: the quote is not closed" },
        { "CN=\"x\" y", "column 8: text after the quote" },
        { "CN=\"x\"\"y\"", "column 7: text after the quote" },
        { "CN=", "CN: 0 characters" },
        { "CN=\"\"", "CN: 0 characters" },
        { "CN=,O=x", "CN: 0 characters" },
        { "FOO=x", "\"FOO\" is no attribute type" },
        { "C=Germany", "C: 7 characters" },
        { "CN=x+CN=y", "CN: joined to another CN" },
        { "CN=J\xfcrgen", "not UTF-8" },
        { "CN=a\tb", "U+0009" },
    };

    (void)state;
    T_OK(name_parse(&n, "O=before", vars, VARS, &e));
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        T_ERR_SAYS(name_parse(&n, rows[i].format, vars, VARS, &e), ERR_INPUT, rows[i].says);
        assert_string_equal(shown(), "[O|before]");
    }
}

/* Nothing of any length, in the format or in a value, does more than fail. */
static void lengths_are_bounded(void **state)
{
    static char huge[300000], format[100];
    const struct name_var var = { "Huge", huge };

    (void)state;
    memset(huge, 'a', sizeof huge - 1);
    T_ERR_SAYS(name_parse(&n, "CN={{Huge}}", &var, 1, &e), ERR_INPUT, "CN: the value is too long");
    memcpy(huge, "CN=", 3);
    T_ERR_SAYS(name_parse(&n, huge, NULL, 0, &e), ERR_INPUT, "too long");
    memset(huge, '1', sizeof huge - 1);
    T_ERR_SAYS(name_parse(&n, huge, NULL, 0, &e), ERR_INPUT, "no attribute type");
    for (size_t i = 0; i + 3 < 100; i += 5)
        memcpy(format + i, "DC=x,", 5);
    format[99] = '\0';
    T_OK(name_parse(&n, format, NULL, 0, &e));
    assert_int_equal(n.count, 20);
}

static void expands_one_value(void **state)
{
    static const struct {
        const char *format, *value;
    } rows[] = {
        { "{{UserPrincipalName}}", "ada@contoso.com" },
        { "https://x/{{AAD_Device.ID-1}}?u={{UserName}}", "https://x/guid?u=Ada Lovelace" },
        { "DOMAIN\\user, \"x\" {single} }", "DOMAIN\\user, \"x\" {single} }" },
        { "", "" },
        { "{{Worse}}", "x\",CN=\"y+C=DE\\,{{UserName}};" },
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        buf_reset(&out);
        T_OK(name_expand(rows[i].format, vars, VARS, &out, &e));
        assert_string_equal(buf_text(&out), rows[i].value);
    }
    buf_reset(&out);
    buf_add_text(&out, "kept");
    T_ERR(name_expand("x{{Nobody}}", vars, VARS, &out, &e), ERR_VARIABLE);
    T_ERR(name_expand("x{{Empty}}", vars, VARS, &out, &e), ERR_VARIABLE);
    T_ERR_SAYS(name_expand("x{{UserName", vars, VARS, &out, &e), ERR_INPUT, "column 2");
    T_ERR_SAYS(name_expand("xUserName}}", vars, VARS, &out, &e), ERR_INPUT, "}} without {{");
    assert_string_equal(buf_text(&out), "kept");
    {
        struct buf small = BUF_INIT(5);

        T_ERR(name_expand("{{UserName}}", vars, VARS, &small, &e), ERR_TOO_LARGE);
        assert_int_equal(small.len, 0);
        buf_free(&small);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_teardown(formats, clear),
        cmocka_unit_test_teardown(a_value_cannot_break_out, clear),
        cmocka_unit_test_teardown(variables_without_a_value, clear),
        cmocka_unit_test_teardown(says_where_it_is_wrong, clear),
        cmocka_unit_test_teardown(lengths_are_bounded, clear),
        cmocka_unit_test_teardown(expands_one_value, clear),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
