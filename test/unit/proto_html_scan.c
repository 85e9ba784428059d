/* Pages as rows of tags and texts: each row of a table is a page and what is read off it. */
#include "test/t.h"
#include "proto/html_scan.h"

/* "T(text) S(name id=.. href=..) E(name)", with names as written. */
static int scan(struct view page, struct buf *out, struct err *e)
{
    struct html_scan s = { .text = page };
    struct html_token t;
    int more;

    while ((more = html_scan_next(&s, &t, e)) == 1) {
        buf_printf(out, "%c(", " TSE"[t.type]);
        buf_add_view(out, t.type == HTML_TEXT ? t.text : t.name);
        if (t.has_id)
            buf_printf(out, " id=%.*s", (int)t.id.len, (const char *)t.id.p);
        if (t.has_href)
            buf_printf(out, " href=%.*s", (int)t.href.len, (const char *)t.href.p);
        buf_add_byte(out, ')');
    }
    return more;
}

struct row {
    const char *page, *tokens;
};

static void expect(const struct row *rows, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        struct buf out = BUF_INIT(1000);
        struct err e = { 0 };

        if (scan(view_text(rows[i].page), &out, &e) != 0)
            fail_msg("%s: %s", rows[i].page, e.msg);
        if (strcmp(buf_text(&out), rows[i].tokens) != 0)
            fail_msg("%s: %s, not %s", rows[i].page, buf_text(&out), rows[i].tokens);
        buf_free(&out);
    }
}
#define EXPECT(rows) expect((rows), sizeof(rows) / sizeof(rows)[0])

static void tags(void **state)
{
    static const struct row rows[] = {
        { "a<P>b</P>c", "T(a)S(P)T(b)E(P)T(c)" },
        { "<p\nid=a\t href = b >", "S(p id=a href=b)" },
        { "<p ID=a HREF='b>\"' x>", "S(p id=a href=b>\")" },
        { "<p id=\"a='>\" y=\"'\">", "S(p id=a='>)" },
        { "<p id>", "S(p id=)" },
        { "<p id=>x", "S(p id=)T(x)" },
        { "<p id=''href=b>", "S(p id= href=b)" },
        { "<p id=a id=b>", "S(p id=a)" },
        { "<p id id=b>", "S(p id=)" },
        { "<p xid=a id2=b i=c hrefs=d>", "S(p)" },
        { "<p x='id=a' y=id=b>", "S(p)" },
        { "<p x=\"\" \" id=a>", "S(p id=a)" },
        { "<p =id=a>", "S(p)" },
        { "<p = id=a>", "S(p id=a)" },
        { "<a href=b/>", "S(a href=b/)" },
        { "<br/><br /><br/id=a>", "S(br)S(br)S(br id=a)" },
        { "<p/id=a/href=b>", "S(p id=a/href=b)" },
        { "<a href=x?a=1&amp;b>", "S(a href=x?a=1&amp;b)" },
        { "</p id=a>", "E(p id=a)" },
        { "<p<b>", "S(p<b)" },
        { "<p \xc3>", "S(p)" },
        { "<abcdefghijklmnopqrstuvwxyz0123456789>", "S(abcdefghijklmnopqrstuvwxyz012345)" },
        { "", "" },
    };

    (void)state;
    EXPECT(rows);
}

static void texts(void **state)
{
    static const struct row rows[] = {
        { "1 < 2", "T(1 < 2)" },
        { "<<p>", "T(<)S(p)" },
        { "<1><$><", "T(<1><$><)" },
        { "a > b", "T(a > b)" },
        { "a&lt;b", "T(a&lt;b)" },
        { "<<<", "T(<<<)" },
    };

    (void)state;
    EXPECT(rows);
}

static void passed_over(void **state)
{
    static const struct row rows[] = {
        { "a<!-- <p> -->b", "T(a)T(b)" },
        { "<!--><p>", "S(p)" },
        { "<!---><p>", "S(p)" },
        { "<!----><p>", "S(p)" },
        { "<!-----><p>", "S(p)" },
        { "<!-- -- > --!><p>", "S(p)" },
        { "<!--!><p>--><b>", "S(b)" },
        { "<!-- a <!-- b --><p>-->", "S(p)T(-->)" },
        { "<!DOCTYPE html [<!ENTITY a 'b'>]><p>", "T(]>)S(p)" },
        { "<!DOCTYPE \"a>b\"><p>", "T(b\">)S(p)" },
        { "<?xml version='1.0'?><p>", "S(p)" },
        { "<![CDATA[<p>]]>", "T(]]>)" },
        { "<!><p>", "S(p)" },
        { "<!-><p>", "S(p)" },
        { "a</>b</ p>c</1>d", "T(a)T(b)T(c)T(d)" },
    };

    (void)state;
    EXPECT(rows);
}

static void raw(void **state)
{
    static const struct row rows[] = {
        { "<script>'<p>'</script>a", "S(script)E(script)T(a)" },
        { "<SCRIPT>'<p>'</Script >a", "S(SCRIPT)E(Script)T(a)" },
        { "<script></scripts></script/>a", "S(script)E(script)T(a)" },
        { "<script><!-- '<script></script>' --></script>a", "S(script)E(script)T(a)" },
        { "<script><!-- <script> --></script>a", "S(script)E(script)T(a)" },
        { "<script><!-- <scripts></script>a", "S(script)E(script)T(a)" },
        { "<script><!--><script></script>a", "S(script)E(script)T(a)" },
        { "<script>'<script>'</script>a", "S(script)E(script)T(a)" },
        { "<style><!-- <style> </style>a", "S(style)E(style)T(a)" },
        { "<style>/* </script> <!-- */</style>a", "S(style)E(style)T(a)" },
        { "<script src=x />a</script>b", "S(script)E(script)T(b)" },
        { "<script>x = '<p>", "S(script)" },
        { "<script></script", "S(script)" },
        { "<iframe><p></iframe><xmp><p></xmp>", "S(iframe)E(iframe)S(xmp)E(xmp)" },
        { "<title>a<b>&lt;<!-- c --></title>d", "S(title)T(a<b>&lt;<!-- c -->)E(title)T(d)" },
        { "<title></title>a", "S(title)E(title)T(a)" },
        { "<title>a</titles>", "S(title)T(a</titles>)" },
        { "<textarea><p></textarea>", "S(textarea)T(<p>)E(textarea)" },
        { "</script><p>", "E(script)S(p)" },
        { "<script>", "S(script)" },
    };

    (void)state;
    EXPECT(rows);
}

static void cut(void **state)
{
    static const char *const rows[][2] = {
        { "<p", "tag" }, { "<p ", "tag" }, { "<p id", "tag" }, { "<p id=", "tag" },
        { "<p id=a", "tag" }, { "<p id=\"a>", "tag" }, { "<p id='a\">", "tag" }, { "a</p", "tag" },
        { "a</", "declaration" }, { "<!", "declaration" }, { "<!DOCTYPE html", "declaration" },
        { "<?", "declaration" }, { "<!--", "comment" }, { "<!-- -- >", "comment" },
        { "<!--!>", "comment" }, { "<!---!>", "comment" },
        { "<title>a</title", NULL }, /* it might be text */
    };
    struct err e = { 0 };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct buf out = BUF_INIT(1000);

        if (rows[i][1] == NULL)
            T_OK(scan(view_text(rows[i][0]), &out, &e));
        else
            T_ERR_SAYS(scan(view_text(rows[i][0]), &out, &e), ERR_NET, rows[i][1]);
        buf_free(&out);
    }
}

static void many_attributes(void **state)
{
    struct buf page = BUF_INIT(10000), out = BUF_INIT(100);
    struct err e = { 0 };

    (void)state;
    buf_add_text(&page, "<p");
    for (int i = 0; i < HTML_ATTRIBUTES_MAX - 1; i++)
        buf_printf(&page, " a%d='b c d'", i);
    buf_add_text(&page, " id=x>");
    T_OK(scan(buf_view(&page), &out, &e));
    assert_string_equal(buf_text(&out), "S(p id=x)");
    buf_truncate(&page, page.len - 1);
    buf_add_text(&page, " y>");
    T_ERR_SAYS(scan(buf_view(&page), &out, &e), ERR_TOO_LARGE, "more than 256 attributes");
    buf_free(&page);
    buf_free(&out);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(tags),
        cmocka_unit_test(texts),
        cmocka_unit_test(passed_over),
        cmocka_unit_test(raw),
        cmocka_unit_test(cut),
        cmocka_unit_test(many_attributes),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
