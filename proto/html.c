/*
 * see html.h
 *
 * struct html is libxml2's xmlDoc and struct html_node its xmlNode under our names.  Trees are walked
 * by their links, never by recursion: how deep a page is, is up to whoever wrote it.
 */
#include "proto/html.h"
#include "proto/html_scan.h"
#include "certs/text.h"
#include <libxml/HTMLparser.h>
#include <string.h>

static const struct html_node *ours(const xmlNode *n)
{
    return (const struct html_node *)n;
}

static const xmlNode *node_of(const struct html_node *n)
{
    return (const xmlNode *)n;
}

static const xmlNode *root(const struct html *page)
{
    return xmlDocGetRootElement((const xmlDoc *)page);
}

struct html *html_parse(struct view text, struct err *e)
{
    htmlParserCtxtPtr parser = NULL;
    xmlDocPtr doc = NULL;

    if (html_scan(text, e) != 0)
        return NULL;
    parser = htmlNewParserCtxt();
    if (parser == NULL) {
        err_set(e, ERR_NOMEM, "page: no memory for a parser");
        return NULL;
    }
    doc = htmlCtxtReadMemory(parser, (const char *)text.p, (int)text.len, NULL,
        utf8_valid(text) ? "UTF-8" : "ISO-8859-1",
        HTML_PARSE_RECOVER | HTML_PARSE_NOERROR | HTML_PARSE_NOWARNING | HTML_PARSE_NONET);
    htmlFreeParserCtxt(parser);
    if (doc == NULL || xmlDocGetRootElement(doc) == NULL) {
        err_set(e, ERR_PROTO, "page: no element in it");
        xmlFreeDoc(doc);
        return NULL;
    }
    return (struct html *)doc;
}

void html_free(struct html *page)
{
    xmlFreeDoc((xmlDoc *)page);
}

static bool named(const xmlNode *n, const char *name)
{
    return n->type == XML_ELEMENT_NODE && xmlStrcasecmp(n->name, (const xmlChar *)name) == 0;
}

/* Its content is no text for people, and nothing in it is an element. */
static bool hidden(const xmlNode *n)
{
    return named(n, "script") || named(n, "style") || named(n, "template");
}

/* The node behind n, its children left out; NULL at the end of `top`'s subtree (NULL: of the page). */
static const xmlNode *past(const xmlNode *n, const xmlNode *top)
{
    for (; n != NULL && n != top; n = n->parent)
        if (n->next != NULL)
            return n->next;
    return NULL;
}

/* The node behind n in document order. */
static const xmlNode *next(const xmlNode *n, const xmlNode *top)
{
    if (n->type == XML_ELEMENT_NODE && n->children != NULL && !hidden(n))
        return n->children;
    return past(n, top);
}

static const xmlAttr *attribute(const xmlNode *n, const char *name)
{
    if (n->type != XML_ELEMENT_NODE)
        return NULL;
    for (const xmlAttr *a = n->properties; a != NULL; a = a->next)
        if (xmlStrcasecmp(a->name, (const xmlChar *)name) == 0)
            return a;
    return NULL;
}

static void attribute_value(const xmlAttr *a, struct buf *out)
{
    for (const xmlNode *n = a->children; n != NULL; n = n->next)
        if (n->content != NULL)
            buf_add_text(out, (const char *)n->content);
}

static bool attribute_is(const xmlAttr *a, const char *value)
{
    return a != NULL && a->children != NULL && a->children->next == NULL
           && a->children->content != NULL
           && xmlStrcasecmp(a->children->content, (const xmlChar *)value) == 0;
}

const struct html_node *html_find(const struct html *page, const char *id)
{
    for (const xmlNode *n = root(page); n != NULL; n = next(n, NULL))
        if (attribute_is(attribute(n, "id"), id))
            return ours(n);
    return NULL;
}

const struct html_node *html_tag(const struct html *page, const char *name)
{
    for (const xmlNode *n = root(page); n != NULL; n = next(n, NULL))
        if (named(n, name))
            return ours(n);
    return NULL;
}

const struct html_node *html_definition(const struct html_node *dt)
{
    for (const xmlNode *n = next(node_of(dt), NULL); n != NULL; n = next(n, NULL)) {
        if (named(n, "dd"))
            return ours(n);
        if (named(n, "dt"))
            return NULL;
    }
    return NULL;
}

static bool is_space(uint8_t c)
{
    return c == ' ' || (c >= '\t' && c <= '\r');
}

/* Append words; *gap says that white space is due before the next one. */
static void add_words(struct buf *out, const xmlChar *text, size_t start, bool *gap)
{
    for (; *text != '\0'; text++) {
        if (is_space(*text) || (text[0] == 0xc2 && text[1] == 0xa0)) {
            *gap = true;
            text += *text == 0xc2; /* a no-break space has two bytes */
            continue;
        }
        if (*gap && out->len > start)
            buf_add_byte(out, ' ');
        *gap = false;
        buf_add_byte(out, *text);
    }
}

/* Elements that run in a line; every other one parts the words on its two sides. */
static bool parts_words(const xmlNode *n)
{
    static const char *const names[] = { "a", "abbr", "b", "big", "code", "em", "font", "i", "kbd",
        "label", "locid", "mark", "q", "small", "span", "strong", "sub", "sup", "tt", "u" };

    if (n == NULL || n->type != XML_ELEMENT_NODE)
        return false;
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
        if (named(n, names[i]))
            return false;
    return true;
}

void html_text(const struct html_node *node, struct buf *out)
{
    const xmlNode *top = node_of(node);
    size_t start = out->len;
    bool gap = false;

    for (const xmlNode *n = top->children; n != NULL; n = next(n, top)) {
        gap = gap || parts_words(n) || parts_words(n->prev);
        if (n->type == XML_TEXT_NODE && n->content != NULL)
            add_words(out, n->content, start, &gap);
    }
}

bool html_next_link(const struct html *page, const struct html_node **state, struct buf *href)
{
    const xmlNode *n = *state != NULL ? next(node_of(*state), NULL) : root(page);

    for (; n != NULL; n = next(n, NULL)) {
        const xmlAttr *a = named(n, "a") ? attribute(n, "href") : NULL;

        if (a == NULL)
            continue;
        attribute_value(a, href);
        *state = ours(n);
        return true;
    }
    return false;
}
