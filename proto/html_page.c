/*
 * see html.h (html_parse, html_free) and html_page.h
 *
 * One loop over the tokens.  Elements whose end has not come yet stand on a stack; an element gets its
 * number of inner nodes when it leaves the stack, by its own end tag or by a tag that ends it.
 */
#include "proto/html.h"
#include "proto/html_page.h"
#include "proto/html_scan.h"
#include "certs/mem.h"
#include "certs/text.h"
#include <stdlib.h>
#include <string.h>
#include <strings.h>

struct open {
    size_t node; /* index */
    enum html_kind kind;
};

struct build {
    struct html *page;
    size_t count; /* nodes */
    struct open open[HTML_DEPTH_MAX];
    size_t depth;     /* elements that are open; never 0: html is the first */
    size_t templates; /* templates that are open: nothing in them is shown */
    bool utf8;
    bool gap;    /* words part before the next text */
    bool tagged; /* there was a tag */
};

static struct html_node *node_at(const struct build *b, size_t index)
{
    return (struct html_node *)(void *)b->page->nodes.p + index;
}

/* NULL: no memory. */
static struct html_node *add(struct build *b, enum html_node_type type, struct view what)
{
    struct html_node *n = (void *)buf_extend(&b->page->nodes, sizeof *n);

    if (n == NULL)
        return NULL;
    n->type = type;
    n->utf8 = b->utf8;
    n->what = what;
    b->count++;
    return n;
}

/* ---- which elements are open ---- */

static bool in(enum html_kind kind, uint32_t set)
{
    return (set & 1u << kind) != 0;
}

/* Only so many elements stay open: the others end here. */
static void leave(struct build *b, size_t depth)
{
    while (b->depth > depth) {
        size_t index = b->open[--b->depth].node;

        node_at(b, index)->inside = (uint32_t)(b->count - 1 - index);
    }
}

/* End tags may be left out: end what an element of this kind cannot stand in. */
static void end_implied(struct build *b, enum html_kind kind)
{
    const struct html_rule *rule = html_kind_rule(kind);
    size_t keep = b->depth;

    if (rule->ends == 0)
        return;
    for (size_t i = b->depth; i > 1 && !in(b->open[i - 1].kind, rule->walls); i--)
        if (in(b->open[i - 1].kind, rule->ends))
            keep = i - 1;
    leave(b, keep);
}

static bool same_name(struct view a, struct view b)
{
    return a.len == b.len && strncasecmp((const char *)a.p, (const char *)b.p, a.len) == 0;
}

/* false: there is no element to end. */
static bool end(struct build *b, const struct html_token *t)
{
    uint32_t walls = html_kind_rule(t->kind)->end_walls;

    for (size_t i = b->depth; i > 0; i--) {
        const struct open *o = &b->open[i - 1];

        if (o->kind == t->kind && same_name(node_at(b, o->node)->what, t->name)) {
            leave(b, i > 1 ? i - 1 : 1);
            return true;
        }
        if (in(o->kind, walls))
            return false;
    }
    return false;
}

/* An end tag that ends nothing is passed over, but </p> and </br> are read as <p></p> and <br>. */
static void end_tag(struct build *b, const struct html_token *t)
{
    if (end(b, t) || t->kind == HTML_PARAGRAPH || same_name(t->name, view_text("br")))
        b->gap = b->gap || html_kind_parts(t->kind);
}

/* ---- tokens ---- */

/* The html that was written is the one that is always there. */
static void page_tag(struct build *b, const struct html_token *t)
{
    struct html_node *root = node_at(b, 0);

    if (root->id.len == 0)
        root->id = t->id;
}

static int start(struct build *b, const struct html_token *t, struct err *e)
{
    struct html_node *n;

    b->gap = b->gap || html_kind_parts(t->kind);
    end_implied(b, t->kind);
    if (t->kind == HTML_PAGE) {
        page_tag(b, t);
        return 0;
    }
    n = add(b, HTML_NODE_ELEMENT, t->name);
    if (n == NULL)
        return buf_check(&b->page->nodes, e);
    n->id = t->id;
    n->href = t->href;
    n->has_href = t->has_href;
    if (html_kind_empty(t->kind))
        return 0;
    if (b->depth == HTML_DEPTH_MAX)
        return err_set(e, ERR_TOO_LARGE, "page: nested deeper than %d", HTML_DEPTH_MAX);
    b->open[b->depth++] = (struct open){ b->count - 1, t->kind };
    return 0;
}

static int text(struct build *b, const struct html_token *t, struct err *e)
{
    struct html_node *n = add(b, HTML_NODE_TEXT, t->text);

    if (n == NULL)
        return buf_check(&b->page->nodes, e);
    n->gap = b->gap;
    b->gap = false;
    return 0;
}

static int token(struct build *b, const struct html_token *t, struct err *e)
{
    bool shown = b->templates == 0;

    b->tagged = b->tagged || t->type == HTML_START;
    if (t->kind == HTML_TEMPLATE && t->type == HTML_START)
        b->templates++;
    else if (t->kind == HTML_TEMPLATE && !shown)
        b->templates--;
    if (!shown)
        return 0;
    if (t->type == HTML_TEXT)
        return text(b, t, e);
    if (t->type == HTML_START)
        return start(b, t, e);
    end_tag(b, t);
    return 0;
}

static int build(struct build *b, struct err *e)
{
    struct html_scan scan = { .text = buf_view(&b->page->text) };
    struct html_token t;
    size_t tokens = 0;
    int more;

    if (add(b, HTML_NODE_ELEMENT, view_text("html")) == NULL)
        return buf_check(&b->page->nodes, e);
    b->open[b->depth++] = (struct open){ 0, HTML_PAGE };
    while ((more = html_scan_next(&scan, &t, e)) == 1) {
        if (++tokens > HTML_TOKENS_MAX)
            return err_set(e, ERR_TOO_LARGE, "page: more than %d tags and texts", HTML_TOKENS_MAX);
        if (token(b, &t, e) != 0)
            return -1;
    }
    if (more < 0)
        return -1;
    if (!b->tagged)
        return err_set(e, ERR_PROTO, "page: not HTML, it has no tag");
    leave(b, 0);
    (void)add(b, HTML_NODE_LAST, view_of(NULL, 0));
    return buf_check(&b->page->nodes, e);
}

/* ---- the page ---- */

static int acceptable(struct view text, struct err *e)
{
    if (text.len > HTML_MAX)
        return err_set(
            e, ERR_TOO_LARGE, "page: %zu bytes, at most %d are read", text.len, HTML_MAX);
    if (text.len == 0)
        return err_set(e, ERR_PROTO, "page: empty");
    if (memchr(text.p, '\0', text.len) != NULL)
        return err_set(e, ERR_PROTO, "page: not text, it has NUL bytes");
    return 0;
}

/* A byte order mark is no text. */
static struct view without_mark(struct view text)
{
    static const struct view mark = { (const uint8_t *)"\xef\xbb\xbf", 3 };

    if (text.len >= mark.len && view_equal(view_of(text.p, mark.len), mark))
        return view_of(text.p + mark.len, text.len - mark.len);
    return text;
}

struct html *html_parse(struct view text, struct err *e)
{
    struct build b = { 0 };
    struct html *page = NULL;

    if (acceptable(text, e) != 0)
        return NULL;
    page = mem_try(1, sizeof *page);
    if (page == NULL) {
        err_set(e, ERR_NOMEM, "no memory for a page");
        return NULL;
    }
    page->text.max = HTML_MAX;
    page->nodes.max = (HTML_TOKENS_MAX + 2) * sizeof(struct html_node);
    buf_add_view(&page->text, without_mark(text));
    b.page = page;
    b.utf8 = utf8_valid(text);
    if (buf_check(&page->text, e) != 0 || build(&b, e) != 0) {
        html_free(page);
        return NULL;
    }
    return page;
}

void html_free(struct html *page)
{
    if (page == NULL)
        return;
    buf_free(&page->nodes);
    buf_free(&page->text);
    free(page);
}
