/* Where elements end whose end tags were left out, and where they do not. */
#include "test/t.h"
#include "proto/html.h"
#include "proto/html_kind.h"

static void kinds(void **state)
{
    static const struct {
        const char *name;
        enum html_kind kind;
    } rows[] = {
        { "p", HTML_PARAGRAPH },
        { "P", HTML_PARAGRAPH },
        { "pre", HTML_BLOCK },
        { "LocID", HTML_INLINE },
        { "abbr", HTML_INLINE },
        { "var", HTML_INLINE },
        { "A", HTML_LINK },
        { "BR", HTML_VOID },
        { "hr", HTML_RULE },
        { "Script", HTML_RAW },
        { "title", HTML_CHARS },
        { "template", HTML_TEMPLATE },
        { "h6", HTML_HEADING },
        { "dt", HTML_TERM },
        { "dd", HTML_TERM },
        { "HTML", HTML_PAGE },
        { "h7", HTML_OTHER },
        { "htm", HTML_OTHER },
        { "htmls", HTML_OTHER },
        { "dd dt", HTML_OTHER },
        { "", HTML_OTHER },
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        if (html_kind(view_text(rows[i].name)) != rows[i].kind)
            fail_msg("%s: %d", rows[i].name, (int)html_kind(view_text(rows[i].name)));
    assert_int_equal(html_kind(view_of("paragraph", 1)), HTML_PARAGRAPH);
}

struct row {
    const char *page, *text; /* of the element with the id x */
};

static void expect(const struct row *rows, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        struct buf out = BUF_INIT(1000);
        struct err e = { 0 };
        struct html *page = html_parse(view_text(rows[i].page), &e);

        if (page == NULL)
            fail_msg("%s: %s", rows[i].page, e.msg);
        if (html_find(page, "x") == NULL)
            fail_msg("%s: no x", rows[i].page);
        html_text(html_find(page, "x"), &out);
        if (strcmp(buf_text(&out), rows[i].text) != 0)
            fail_msg("%s: \"%s\", not \"%s\"", rows[i].page, buf_text(&out), rows[i].text);
        buf_free(&out);
        html_free(page);
    }
}
#define EXPECT(rows) expect((rows), sizeof(rows) / sizeof(rows)[0])

static void paragraphs(void **state)
{
    static const struct row rows[] = {
        { "<P ID=x>a<P>b", "a" }, { "<P ID=x>a <B>b<P>c", "a b" },
        { "<P ID=x>a <locid>b<font>c</p>d", "a bc" }, { "<p id=x>a<div>b</div>", "a" },
        { "<p id=x>a<address>b</address>", "a" }, { "<p id=x>a<ul><li>b</ul>", "a" },
        { "<p id=x>a<dl><dt>b</dl>", "a" }, { "<p id=x>a<h2>b</h2>", "a" },
        { "<p id=x>a<form>b</form>", "a" }, { "<p id=x>a<pre>b</pre>", "a" },
        { "<p id=x>a<table><tr><td>b</table>c", "a" }, { "<p id=x>a<hr>b", "a" },
        { "<p id=x>a<center>b</center>", "a" }, { "<dl><dt>1<dd><p id=x>a<dt>b</dl>", "a" },
        { "<ul><li><p id=x>a<li>b</ul>", "a" }, { "<table><tr><td><p id=x>a<td>b</table>", "a" },
        { "<p id=x>a<tr>b", "a" }, { "<p id=x>a<td>b", "a" }, { "<p id=x>a<tbody>b", "a" },
        { "<div><p id=x>a</div>b", "a" }, { "<td><p id=x>a</td>b", "a" },
        { "<body><p id=x>a</body>b", "a" }, { "<p id=x>a</html>b", "a" },
        /* not by these */
        { "<p id=x>a<br>b<img alt=''>c<input>d</p>e", "a b c d" },
        { "<p id=x>a</b></font></a></u>b</p>c", "ab" },
        { "<p id=x>a</div></td></table></unknown></img></li>b</p>c", "ab" },
        { "<p id=x>a<unknown>b</unknown>c</p>d", "a b c" },
        { "<p id=x>a<button><p>b</button>c<p>d", "a b c" }, /* a wall */
        { "<p id=x>a<object><div>b<p>c</p></div></object>d", "a b c d" },
        { "<div id=x>a<p>b<div>c</div></p>d</div>e", "a b c d" },
        { "<b id=x>a<p>b</b>c</p>d", "a bc d" }, /* browsers would cut the b in two */
    };

    (void)state;
    EXPECT(rows);
}

static void lists(void **state)
{
    static const struct row rows[] = {
        { "<ul><li id=x>a<li>b</ul>", "a" },
        { "<ul><li id=x>a<ul><li>b<li>c</ul>d<li>e</ul>", "a b c d" },
        { "<ul><li id=x>a<ol><li>b</li></ol></li>c</ul>", "a b" },
        { "<ul><li id=x>a<div>b<li>c</ul>", "a b" },
        { "<ul><li id=x>a<form><li>b</form>c</ul>d", "a b c" },
        { "<ul><li id=x>a<ul>b</li>c</ul>d</ul>e", "a bc d" }, /* </li> does not leave a list */
        { "<ul id=x><li>a<li>b</ul>c", "a b" },
        { "<dl><dt id=x>a<dd>b<dt>c</dl>", "a" },
        { "<dl><dt>a<dd id=x>b<dt>c</dl>", "b" },
        { "<dl><dt>a<dd id=x>b<dd>c</dl>", "b" },
        { "<dl><dt>a<dd id=x>b<dl><dt>c<dd>d</dl>e<dt>f</dl>", "b c d e" },
        { "<dl><dt>a<dd id=x>b<p>c<b>d<dt>e</dl>", "b cd" },
        { "<dl><dt>a<dd id=x>b</dl>c", "b" },
        { "<dl><dt>a<dd id=x>b</dt>c</dd>d", "bc" },
        { "<select><option id=x>a<option>b</select>", "a" },
        { "<p id=x>a<noscript>b</p>c", "a b" },
        { "<head id=x><p>a</head>b", "a" },
        { "<select id=x><option>a<option>b</select>c", "a b" },
    };

    (void)state;
    EXPECT(rows);
}

static void tables(void **state)
{
    static const struct row rows[] = {
        { "<table><tr><td id=x>a<td>b</table>", "a" },
        { "<table><tr><td id=x>a<th>b</table>", "a" },
        { "<table><tr><td id=x>a<tr><td>b</table>", "a" },
        { "<table><tr><td id=x>a<tbody><tr><td>b</table>", "a" },
        { "<table><tr><td id=x>a</table>b", "a" },
        { "<table><tr id=x><td>a<td>b<tr><td>c</table>", "a b" },
        { "<table><tr id=x><td>a<div>b<tr><td>c</table>", "a b" },
        { "<table><tbody id=x><tr><td>a<tbody><tr><td>c</table>", "a" },
        { "<table><caption id=x>a<tr><td>b</table>", "a" },
        { "<table><tr><td id=x>a<table><tr><td>b<tr><td>c</table>d<td>e</table>", "a b c d" },
        { "<table id=x><tr><td>a</td></tr></div></p>b</table>c", "a b" },
        { "<table><tr><td id=x>a</tr>b</table>", "a" },
        { "<table><tr><td id=x><p>a</div></li></p>b</td>c</table>", "a b" },
    };

    (void)state;
    EXPECT(rows);
}

static void others(void **state)
{
    static const struct row rows[] = {
        { "<h1 id=x>a<h2>b", "a" },
        { "<h1 id=x>a<b>b<p>c</h1>d", "ab c" },
        { "<a id=x>a<a>b", "a" },
        { "<a id=x>a<div>b<a>c</a></div></a>d", "a bc" },
        { "<br id=x>a</br>b", "" },
        { "<img id=x>a</img>b", "" },
        { "<hr id=x>a", "" },
        { "<span id=x />a</span>b", "a" }, /* the slash has no meaning */
        { "<div id=x>a<b>b</div>c", "ab" },
        { "<b id=x>a<i>b</b>c</i>", "ab" },
        { "<UNKNOWN id=x>a</unknown>b", "a" },
        { "<unknown id=x>a</unknowns>b</unknown>c", "ab" },
        { "<p id=x>a</br>b</unknown>", "a b" },
        { "<div id=x>a</p>b</div>", "a b" },
        { "<html ID=x><p>a</p></html>b", "a b" },
        { "<p>a<html id=x><p>b", "a b" },
        { "<html id=x><html id=y>a", "a" },
        /* only the first 32 bytes of a name count */
        { "<abcdefghijklmnopqrstuvwxyz-----1 id=x>a</abcdefghijklmnopqrstuvwxyz-----2>b", "ab" },
        { "<abcdefghijklmnopqrstuvwxyz------1 id=x>a</abcdefghijklmnopqrstuvwxyz------2>b", "a" },
    };

    (void)state;
    EXPECT(rows);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(kinds),
        cmocka_unit_test(paragraphs),
        cmocka_unit_test(lists),
        cmocka_unit_test(tables),
        cmocka_unit_test(others),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
