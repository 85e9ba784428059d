#ifndef PROTO_HTML_PAGE_H
#define PROTO_HTML_PAGE_H
#include "proto/html_char.h"
#include "proto/html_kind.h"

/*
 * html_page.h - what html.c reads and html_page.c makes (private to them): a page as one row of nodes.
 *
 * Nodes stand in document order: an element, then the `inside` nodes that stand in it, then what
 * follows it.  The first is the element html, whether it was written or not; the last has the type
 * HTML_NODE_LAST and is no element.  So a walk is a loop, however deep a page is.
 */
enum html_node_type { HTML_NODE_LAST, HTML_NODE_ELEMENT, HTML_NODE_TEXT };

struct html_node {
    enum html_node_type type;
    bool utf8;        /* how what, id and href are to be read */
    bool gap;         /* of a text: words part before it */
    bool has_href;    /* of an element; href may be empty */
    uint32_t inside;  /* nodes in it */
    struct view what; /* an element's name, a text's text; into the page's copy, as all here */
    struct view id, href;
};

struct html {
    struct buf text;  /* our copy of the page */
    struct buf nodes; /* of struct html_node */
};

static inline const struct html_node *html_page_first(const struct html *page)
{
    return (const struct html_node *)(const void *)page->nodes.p;
}
#endif
