/* Facts out of pages: ids, texts, links, whatever the markup looks like. */
#include "test/t.h"
#include "certs/mem.h"
#include "proto/html.h"
#include <stdlib.h>

static struct html *parse(const char *text)
{
    struct err e = { 0 };
    struct html *page = html_parse(view_text(text), &e);

    if (page == NULL)
        fail_msg("%s: %s", text, e.msg);
    return page;
}

static void expect_text(const struct html_node *node, const char *text)
{
    struct buf out = BUF_INIT(4096);

    assert_non_null(node);
    html_text(node, &out);
    assert_string_equal(buf_text(&out), text);
    buf_free(&out);
}

static void finding(void **state)
{
    struct html *page = parse("<HTML><HEAD><TITLE>Title\n here</TITLE></HEAD><Body>"
                              "<!-- <p id=one>comment</p> -->"
                              "<script>document.write('<p id=one>script</p>');</script>"
                              "<style>p#one { color: red }</style>"
                              "<template><p id=one>template</p></template>"
                              "<P ID=One>first <B>bold</B>,\r\n\t second</P><p id='two'>Zwei</p>"
                              "<p Id=\"three\"></p><p id=one>again</p></Body></HTML>");

    (void)state;
    expect_text(html_find(page, "one"), "first bold, second");
    expect_text(html_find(page, "ONE"), "first bold, second");
    expect_text(html_find(page, "two"), "Zwei");
    expect_text(html_find(page, "three"), "");
    expect_text(html_tag(page, "title"), "Title here");
    assert_null(html_find(page, "four"));
    assert_null(html_find(page, "on"));
    assert_null(html_tag(page, "h1"));
    html_free(page);
}

static void words(void **state)
{
    struct html *page = parse("<div id=a>one<br>two<div>three</div>four<span>five</span>&nbsp;six"
                              "<ul><li>x<li>y</ul>z &lt;p&gt; &amp; &quot;q&quot; &#8364;</div>"
                              "<table id=t><tr><td>a</td><td>b</td></tr></table>");

    (void)state;
    expect_text(html_find(page, "a"), "one two three fourfive six x y z <p> & \"q\" \xe2\x82\xac");
    expect_text(html_find(page, "t"), "a b");
    html_free(page);
}

static void definitions(void **state)
{
    struct html *page = parse("<dl><DT ID=a>Label:<DD>\n\t\tvalue <i>one</i>\n<DT id=b>None"
                              "<dt id=c>Label<dd>two</dd></dl><p>three");

    (void)state;
    expect_text(html_definition(html_find(page, "a")), "value one");
    assert_null(html_definition(html_find(page, "b")));
    expect_text(html_definition(html_find(page, "c")), "two");
    html_free(page);
}

static void links(void **state)
{
    struct html *page = parse("<a name=x>none</a><A HREF=one.asp?a=1&amp;b=2>1</A><link href=no>"
                              "<!-- <a href=comment> --><script>'<a href=script>'</script>"
                              "<p><a href=\"two\"><b>2</b></a><a href=''>3</a>");
    const struct html_node *at = NULL;
    struct buf all = BUF_INIT(1000);

    (void)state;
    while (html_next_link(page, &at, &all))
        buf_add_byte(&all, '|');
    assert_string_equal(buf_text(&all), "one.asp?a=1&b=2|two||");
    buf_free(&all);
    html_free(page);
}

static void encodings(void **state)
{
    struct html *page = parse("<p id=a>Gr\xc3\xbc\xc3\x9f"
                              "e \xe6\x9d\xb1</p>");

    (void)state;
    expect_text(html_find(page, "a"), "Gr\xc3\xbc\xc3\x9f"
                                      "e \xe6\x9d\xb1");
    html_free(page);
    page = parse("<p id=a>Gr\xfc\xdf"
                 "e</p>");
    expect_text(html_find(page, "a"), "Gr\xc3\xbc\xc3\x9f"
                                      "e");
    html_free(page);
    page = parse("<meta charset=utf-16><p id=a>plain</p>");
    expect_text(html_find(page, "a"), "plain");
    html_free(page);
}

static void broken(void **state)
{
    static const char *const pages[] = { "<", "<p", "<p id=", "<p id=\"x", "</p>",
        "<a href=", "<!--", "<script>", "<p id=x", "<dl><dt", "<table><p id=x>",
        "<p id=x><p id=x><p id=x>", "<html><html><head><body><head>", "<p \xc3>", "<p id=x id=y>",
        "<![CDATA[<p>]]><p>" };

    (void)state;
    for (size_t i = 0; i < sizeof pages / sizeof pages[0]; i++) {
        struct err e = { 0 };
        struct html *page = html_parse(view_text(pages[i]), &e);
        struct buf out = BUF_INIT(1000);
        const struct html_node *at = NULL;

        if (page == NULL) {
            assert_true(e.cls == ERR_PROTO || e.cls == ERR_NET);
            continue;
        }
        (void)html_find(page, "x");
        while (html_next_link(page, &at, &out))
            ;
        html_text(html_tag(page, "html"), &out);
        buf_free(&out);
        html_free(page);
    }
}

#define REFUSED(view, class, says)             \
    do {                                       \
        struct err e_ = { 0 };                 \
        assert_null(html_parse(view, &e_));    \
        assert_int_equal(e_.cls, class);       \
        assert_non_null(strstr(e_.msg, says)); \
    } while (0)

static void refused(void **state)
{
    char *large = calloc(1, HTML_MAX + 1);

    (void)state;
    assert_non_null(large);
    memset(large, 'x', HTML_MAX + 1);
    memcpy(large, "<p>", 3);
    REFUSED(view_of(large, HTML_MAX + 1), ERR_TOO_LARGE, "at most 1048576");
    REFUSED(view_text(""), ERR_PROTO, "empty");
    REFUSED(view_of("<p>\0</p>", 8), ERR_PROTO, "NUL");
    REFUSED(view_of("\xff\xfe<\0p\0>\0", 8), ERR_PROTO, "NUL");
    REFUSED(view_text("plain text, 1 < 2"), ERR_PROTO, "no tag");
    REFUSED(view_text("{\"value\":[]}"), ERR_PROTO, "no tag");
    REFUSED(view_text("<p>a</p><!-- one --> <!-- <p>b</p>"), ERR_NET, "middle of a comment");
    free(large);
}

/* The library's cost is the square of a tag's attributes: so many are refused before it sees them. */
static void attributes(void **state)
{
    static const char *const fine[] = { "<p a=1 b='>' c=\"x > y\" id=x>", "<p a = '\"' id=x>",
        "<script>for (i=0;i<n;i++) x = '", "<style>p<a", "<p \" id=x>" };
    struct buf text = BUF_INIT(HTML_MAX);
    struct err e = { 0 };
    struct html *page;

    (void)state;
    for (int quoted = 0; quoted < 4; quoted++) {
        buf_reset(&text);
        buf_add_text(&text, "<html><p id=x");
        for (int i = 0; i < 300; i++)
            buf_printf(&text,
                quoted == 0   ? " a%d=\"x\""
                : quoted == 1 ? "\na%d"
                : quoted == 2 ? " a%d='>'"
                              : "a%d=\"<\"",
                i);
        buf_add_text(&text, ">text");
        assert_null(html_parse(buf_view(&text), &e));
        assert_int_equal(e.cls, ERR_TOO_LARGE);
        assert_non_null(strstr(e.msg, "more than 256 attributes"));
    }
    /* words in a value, a script or a style are no attributes */
    for (size_t i = 0; i < sizeof fine / sizeof fine[0]; i++) {
        buf_reset(&text);
        buf_add_text(&text, "<img alt='");
        for (int k = 0; k < 1000; k++)
            buf_add_text(&text, "word ");
        buf_printf(&text, "'>%s", fine[i]);
        for (int k = 0; k < (fine[i][1] != 'p') * 1000; k++)
            buf_add_text(&text, "word ");
        page = html_parse(buf_view(&text), &e);
        if (page == NULL)
            fail_msg("%s: %s", fine[i], e.msg);
        assert_int_equal(html_find(page, "x") != NULL, fine[i][1] == 'p');
        html_free(page);
    }
    buf_free(&text);
}

/* As deep and as long as a page may be: bounded, and no recursion of ours. */
static void deep(void **state)
{
    struct buf text = BUF_INIT(HTML_MAX), out = BUF_INIT(HTML_MAX);
    struct err e = { 0 };
    struct html *page;

    (void)state;
    for (int i = 0; i < 20000; i++)
        buf_add_text(&text, "<div><b>");
    buf_add_text(&text, "<p id=x>end");
    assert_false(text.bad);
    page = html_parse(buf_view(&text), &e);
    if (page != NULL) {
        (void)html_find(page, "x");
        html_text(html_tag(page, "html"), &out);
        html_free(page);
    } else {
        assert_int_equal(e.cls, ERR_PROTO);
    }
    buf_free(&text);
    buf_free(&out);
}

/* External entities and subsets are not read: the file named here exists. */
static void nothing_fetched(void **state)
{
    struct html *page = parse("<!DOCTYPE html [<!ENTITY x SYSTEM \"file:///etc/hostname\">]>"
                              "<p id=a>[&x;]</p>");
    struct buf out = BUF_INIT(100);

    (void)state;
    html_text(html_find(page, "a"), &out);
    assert_string_equal(buf_text(&out), "[&x;]");
    buf_free(&out);
    html_free(page);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(finding),
        cmocka_unit_test(words),
        cmocka_unit_test(definitions),
        cmocka_unit_test(links),
        cmocka_unit_test(encodings),
        cmocka_unit_test(broken),
        cmocka_unit_test(refused),
        cmocka_unit_test(attributes),
        cmocka_unit_test(deep),
        cmocka_unit_test(nothing_fetched),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
