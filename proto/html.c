/* see html.h; how a page is read: html_page.c */
#include "proto/html.h"
#include "proto/html_page.h"

static struct html_raw raw(const struct html_node *n, struct view text)
{
    return (struct html_raw){ text, n->utf8 };
}

static bool named(const struct html_node *n, const char *name)
{
    return n->type == HTML_NODE_ELEMENT && html_char_equal(raw(n, n->what), name);
}

const struct html_node *html_find(const struct html *page, const char *id)
{
    for (const struct html_node *n = html_page_first(page); n->type != HTML_NODE_LAST; n++)
        if (n->id.len != 0 && html_char_equal(raw(n, n->id), id))
            return n;
    return NULL;
}

const struct html_node *html_tag(const struct html *page, const char *name)
{
    for (const struct html_node *n = html_page_first(page); n->type != HTML_NODE_LAST; n++)
        if (named(n, name))
            return n;
    return NULL;
}

const struct html_node *html_definition(const struct html_node *dt)
{
    for (const struct html_node *n = dt + 1; n->type != HTML_NODE_LAST; n++) {
        if (named(n, "dd"))
            return n;
        if (named(n, "dt"))
            return NULL;
    }
    return NULL;
}

/* Append words; *gap says that white space is due before the next one. */
static void add_words(struct buf *out, struct html_raw text, size_t start, bool *gap)
{
    uint32_t c;

    while (html_char_next(&text, &c)) {
        if (html_char_blank(c)) {
            *gap = true;
            continue;
        }
        if (*gap && out->len > start)
            buf_add_byte(out, ' ');
        *gap = false;
        html_char_add(out, c);
    }
}

void html_text(const struct html_node *node, struct buf *out)
{
    size_t start = out->len;
    bool gap = false;

    for (const struct html_node *n = node + 1; n <= node + node->inside; n++) {
        gap = gap || n->gap;
        if (n->type == HTML_NODE_TEXT)
            add_words(out, raw(n, n->what), start, &gap);
    }
}

bool html_next_link(const struct html *page, const struct html_node **state, struct buf *href)
{
    const struct html_node *n = *state != NULL ? *state + 1 : html_page_first(page);

    for (; n->type != HTML_NODE_LAST; n++) {
        if (!n->has_href || !named(n, "a"))
            continue;
        html_char_add_all(href, raw(n, n->href));
        *state = n;
        return true;
    }
    return false;
}
