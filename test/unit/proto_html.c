/* Facts out of pages: ids, texts, links, whatever the markup looks like. */
#include "test/t.h"
#include "certs/mem.h"
#include "proto/html.h"
#include <stdlib.h>
#include <time.h>

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
    page = parse("\xef\xbb\xbf<p id=a>&#xfeff;marked</p>");
    expect_text(html_find(page, "a"), "\xef\xbb\xbfmarked");
    expect_text(html_tag(page, "html"), "\xef\xbb\xbfmarked");
    html_free(page);
    page = parse("<meta charset=utf-16><p id=a>plain</p>");
    expect_text(html_find(page, "a"), "plain");
    html_free(page);
}

/* Each is a page, and whatever is asked of it has an answer; those that are cut are not. */
static void broken(void **state)
{
    static const struct {
        const char *page;
        enum err_class cls;
        const char *text; /* of the element with the id x; NULL: there is none */
    } rows[] = {
        { "<", ERR_PROTO, NULL },
        { "</p>", ERR_PROTO, NULL },
        { "<!DOCTYPE html>text", ERR_PROTO, NULL },
        { "<p", ERR_NET, NULL },
        { "<p id=", ERR_NET, NULL },
        { "<p id=\"x", ERR_NET, NULL },
        { "<p id=x", ERR_NET, NULL },
        { "<a href=", ERR_NET, NULL },
        { "<!--", ERR_NET, NULL },
        { "<dl><dt", ERR_NET, NULL },
        { "<p id=x>a<!DOCTYPE", ERR_NET, NULL },
        { "<script>", ERR_NONE, NULL },
        { "<table><p id=x>a", ERR_NONE, "a" },
        { "<p id=x>a<p id=x>b<p id=x>c", ERR_NONE, "a" },
        { "<html><html><head><body id=x>a<head>", ERR_NONE, "a" },
        { "<p \xc3>", ERR_NONE, NULL },
        { "<p id=x id=y>a", ERR_NONE, "a" },
        { "<![CDATA[<p id=x>]]><p>", ERR_NONE, NULL },
        { "<template><template><p id=x></template><p id=x></template>", ERR_NONE, NULL },
        { "<template></template><p id=x>a</template>b", ERR_NONE, "ab" },
        { "<template><p id=x>", ERR_NONE, NULL },
        { "<template id=x>a</template>", ERR_NONE, "" },
        { "<script id=x>a</script>", ERR_NONE, "" },
        { "<title>a<p id=x>b</title>", ERR_NONE, NULL },
        { "<p id=x>a<!-- b -->c<script>d</script>e", ERR_NONE, "ac e" },
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct err e = { 0 };
        struct html *page = html_parse(view_text(rows[i].page), &e);
        struct buf out = BUF_INIT(1000);
        const struct html_node *at = NULL;

        if (e.cls != rows[i].cls || (page == NULL) != (rows[i].cls != ERR_NONE))
            fail_msg("%s: %s", rows[i].page, err_name(e.cls));
        if (page == NULL)
            continue;
        assert_int_equal(html_find(page, "x") != NULL, rows[i].text != NULL);
        if (rows[i].text != NULL)
            expect_text(html_find(page, "x"), rows[i].text);
        assert_false(html_next_link(page, &at, &out));
        html_text(html_tag(page, "html"), &out);
        (void)html_definition(html_tag(page, "html"));
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

/* ---- limits ---- */

/* Words in a value, a script or a style are no attributes. */
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
        buf_add_text(&text, "<html><p id=x ");
        for (int i = 0; i < 300; i++)
            buf_printf(&text,
                quoted == 0   ? " a%d=\"x\""
                : quoted == 1 ? "\na%d"
                : quoted == 2 ? " a%d='>'"
                              : "a%d=\"<\"",
                i);
        buf_add_text(&text, ">text");
        REFUSED(buf_view(&text), ERR_TOO_LARGE, "more than 256 attributes");
    }
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

static void repeat(struct buf *out, const char *text, int count)
{
    while (count-- > 0)
        buf_add_text(out, text);
}

/* As deep as a page may be, and one deeper. */
static void deep(void **state)
{
    struct buf text = BUF_INIT(HTML_MAX);
    struct err e = { 0 };
    struct html *page;

    (void)state;
    repeat(&text, "<div>", HTML_DEPTH_MAX - 3); /* html stands around them, p and b in them */
    buf_add_text(&text, "<p id=x>the<b> end<br></b></p>");
    page = html_parse(buf_view(&text), &e);
    assert_non_null(page);
    expect_text(html_find(page, "x"), "the end");
    html_free(page);
    buf_add_text(&text, "<p><b><i>");
    REFUSED(buf_view(&text), ERR_TOO_LARGE, "nested deeper than 256");

    /* however many there are one after the other */
    buf_reset(&text);
    repeat(&text, "<p><b>a", HTML_TOKENS_MAX / 3);
    page = html_parse(buf_view(&text), &e);
    assert_non_null(page);
    html_free(page);
    buf_free(&text);
}

static void many_tags(void **state)
{
    struct buf text = BUF_INIT(HTML_MAX);
    struct err e = { 0 };
    struct html *page;

    (void)state;
    repeat(&text, "<br>a", HTML_TOKENS_MAX / 2 - 1);
    buf_add_text(&text, "<p id=x>end");
    page = html_parse(buf_view(&text), &e);
    assert_non_null(page);
    expect_text(html_find(page, "x"), "end");
    html_free(page);
    buf_add_text(&text, "</p>"); /* tags that make no element cost time as well */
    REFUSED(buf_view(&text), ERR_TOO_LARGE, "more than 16384 tags and texts");
    buf_free(&text);
}

/* A mebibyte of the worst takes no longer than one of anything else.  What took the square of its length
 * would take hours. */
static void linear(void **state)
{
    static const struct {
        const char *first;
        int times;
        const char *then; /* as often as it fits */
    } worst[] = {
        { "", 0, "<a " },
        { "", 0, "<" },
        { "", 0, "<!--" },
        { "<!--", 1, "--" },
        { "<!--", 1, "<!-- --!" },
        { "", 0, "<!" },
        { "", 0, "</" },
        { "", 0, "<a>" },
        { "", 0, "<p>" },
        { "", 0, "</p>" },
        { "", 0, "<b" },
        { "<p a=\"", 1, "<p a='" },
        { "<p ", 1, "a='" },
        { "<p ", 1, "/ " },
        { "<p a", 1, "=" },
        { "<a href='", 1, "&" },
        { "<title>", 1, "&lt;" },
        { "<title>", 1, "&am" },
        { "<title>", 1, "&" },
        { "<title>", 1, "&#" },
        { "<title>&#", 1, "0" },
        { "<title>&#", 1, "9" },
        { "<title>", 1, "&#9" },
        { "<title>", 1, "</title" },
        { "<title>", 1, "- " },
        { "<title>", 1, "\xc3\xbc" },
        { "<title>", 1, "\xfc" },
        { "<script>", 1, "</script" },
        { "<script><!--", 1, "<script" },
        { "<script><!--", 1, "<script></script>" },
        { "<template>", 1, "<template>" },
        { "<b>", HTML_DEPTH_MAX - 2, "</x>" },
        { "<b>", HTML_DEPTH_MAX - 2, "<p>" },
        { "<abcdefghijklmnopqrstuvwxyz0>", HTML_DEPTH_MAX - 2, "</abcdefghijklmnopqrstuvwxyz1>" },
        { "<div><b>", HTML_DEPTH_MAX / 2 - 1, "</ul>" },
        { "<li><ul>", HTML_DEPTH_MAX / 2 - 1, "<li>" },
    };
#if defined __SANITIZE_ADDRESS__ || !defined __OPTIMIZE__
    const double limit_ms = 2000;
#else
    const double limit_ms = 50;
#endif
    struct buf text = BUF_INIT(HTML_MAX), out = BUF_INIT(4 * HTML_MAX);

    (void)state;
    for (size_t i = 0; i < sizeof worst / sizeof worst[0]; i++) {
        const struct html_node *at = NULL;
        struct err e = { 0 };
        struct html *page;
        clock_t start;
        double ms;

        buf_reset(&text);
        buf_reset(&out);
        repeat(&text, worst[i].first, worst[i].times);
        while (text.len + strlen(worst[i].then) <= HTML_MAX)
            buf_add_text(&text, worst[i].then);
        start = clock();
        page = html_parse(buf_view(&text), &e);
        if (page != NULL) {
            assert_null(html_find(page, "x"));
            html_text(html_tag(page, "html"), &out);
            while (html_next_link(page, &at, &out))
                ;
            assert_false(out.bad);
            html_free(page);
        }
        ms = (double)(clock() - start) * 1000 / CLOCKS_PER_SEC;
        if (ms > limit_ms)
            fail_msg("%s %s: %.0f ms", worst[i].first, worst[i].then, ms);
    }
    buf_free(&text);
    buf_free(&out);
}

/* Every allocation fails once. */
static void no_memory(void **state)
{
    struct buf text = BUF_INIT(HTML_MAX);
    struct html *page = NULL;
    unsigned long n = 0;

    (void)state;
    repeat(&text, "<p id=x>text", 1000);
    while (page == NULL) {
        struct err e = { 0 };

        mem_fail_after(++n);
        page = html_parse(buf_view(&text), &e);
        mem_fail_after(0);
        assert_int_equal(e.cls, page == NULL ? ERR_NOMEM : ERR_NONE);
    }
    assert_true(n > 5);
    html_free(page);
    html_free(NULL);
    buf_free(&text);
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
        cmocka_unit_test(many_tags),
        cmocka_unit_test(linear),
        cmocka_unit_test(no_memory),
        cmocka_unit_test(nothing_fetched),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
