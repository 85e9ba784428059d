/* Characters of pages: references, encodings, comparison. */
#include "test/t.h"
#include "proto/html_char.h"

static void expect(struct html_raw raw, const char *text)
{
    struct buf out = BUF_INIT(1000);

    html_char_add_all(&out, raw);
    if (strcmp(buf_text(&out), text) != 0)
        fail_msg("%.*s: \"%s\"", (int)raw.text.len, (const char *)raw.text.p, buf_text(&out));
    buf_free(&out);
}

static void references(void **state)
{
    static const char *const rows[][2] = {
        { "a &lt;b&gt; &amp;amp; &quot;c&quot; &apos;", "a <b> &amp; \"c\" '" },
        { "1&nbsp;2", "1\xc2\xa0"
                      "2" },
        { "&#65;&#x41;&#X4a;&#x4A;&#0065;", "AAJJA" }, { "&#10;&#x9;&#13;", "\n\t\r" },
        { "&#223;&#8364;&#x20ac;&#128512;", "\xc3\x9f\xe2\x82\xac\xe2\x82\xac\xf0\x9f\x98\x80" },
        { "&#x7ff;&#x800;&#xffff;&#x10000;&#x10ffff;",
            "\xdf\xbf\xe0\xa0\x80\xef\xbf\xbf\xf0\x90\x80\x80\xf4\x8f\xbf\xbf" },
        { "&#65 &#65b &#x41g &#65", "A Ab Ag A" }, /* no semicolon */
        { "&#38;lt;", "&lt;" },                    /* not read twice */
        /* as written */
        { "a & b &amp", "a & b &amp" }, { "?a=1&lt=2&nbspx;&Enc=bin", "?a=1&lt=2&nbspx;&Enc=bin" },
        { "&LT;&Amp;&eacute;&x;&;&", "&LT;&Amp;&eacute;&x;&;&" },
        { "&#;&#x;&#xg;&#-1;&# 1;&#", "&#;&#x;&#xg;&#-1;&# 1;&#" },
        { "&#0;&#27;&#x1b;&#127;&#128;&#x9f;", "&#0;&#27;&#x1b;&#127;&#128;&#x9f;" },
        { "&#xd800;&#xdfff;&#x110000;", "&#xd800;&#xdfff;&#x110000;" },
        { "&#4294967361;&#x100000041;&#99999999999999999999999;",
            "&#4294967361;&#x100000041;&#99999999999999999999999;" }, /* no 65 by overflow */
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        for (int utf8 = 0; utf8 < 2; utf8++)
            expect((struct html_raw){ view_text(rows[i][0]), utf8 != 0 }, rows[i][1]);
    expect((struct html_raw){ view_of("&#65;", 4), true }, "A"); /* the ';' is out of bounds */
    expect((struct html_raw){ view_of("&amp;", 4), true }, "&amp");
    expect((struct html_raw){ view_of("&#65;", 2), true }, "&#");
}

static void encodings(void **state)
{
    struct view umlaut = view_text("\xc3\xbc");

    (void)state;
    expect((struct html_raw){ umlaut, true }, "\xc3\xbc");
    expect((struct html_raw){ umlaut, false }, "\xc3\x83\xc2\xbc");
    expect((struct html_raw){ view_text("\xfc\x80\xff"), false }, "\xc3\xbc\xc2\x80\xc3\xbf");
    expect((struct html_raw){ view_of(NULL, 0), true }, "");
}

static void blanks(void **state)
{
    (void)state;
    for (uint32_t c = 0; c < 0x100; c++)
        assert_int_equal(html_char_blank(c), c == ' ' || (c >= '\t' && c <= '\r') || c == 0xa0);
}

static void comparison(void **state)
{
    struct html_raw id = { view_text("loc&#68;enied"), true };

    (void)state;
    assert_true(html_char_equal(id, "locDenied"));
    assert_true(html_char_equal(id, "LOCdENIED"));
    assert_false(html_char_equal(id, "locDenie"));
    assert_false(html_char_equal(id, "locDenied2"));
    assert_false(html_char_equal(id, ""));
    assert_true(html_char_equal((struct html_raw){ view_of(NULL, 0), true }, ""));
    assert_false(html_char_equal((struct html_raw){ view_text("[{\x7f"), true }, "{[\x5f"));
    assert_false(html_char_equal((struct html_raw){ view_text("\xdc"), false }, "\xdc"
                                                                                "x"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(references),
        cmocka_unit_test(encodings),
        cmocka_unit_test(blanks),
        cmocka_unit_test(comparison),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
