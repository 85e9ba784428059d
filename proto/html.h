#ifndef PROTO_HTML_H
#define PROTO_HTML_H
#include "certs/buf.h"

/*
 * html.h - an HTML page read for a few facts.
 *
 * For pages that were written for people.  Elements are found by their id, whatever the language and
 * the case of the tags; what stands in comments, scripts, styles and templates is never seen.  Nothing
 * is fetched, no references but those of html_char.h are replaced, nothing is printed.
 *
 * Broken markup is read as browsers read it, as far as where an element ends: by its end tag, by the
 * end of the element around it, or by a tag that cannot stand in it (html_kind.h).  What browsers move
 * to another place stays where it is.
 *
 * Limits: 1 MiB of text; 256 levels of nesting; 256 attributes to a tag; 16384 tags and texts.  Time and
 * memory grow with the length of the page, whatever stands in it.
 * Threads: a page belongs to one thread at a time.
 */
enum { HTML_MAX = 1 << 20, HTML_DEPTH_MAX = 256, HTML_TOKENS_MAX = 1 << 14 };

struct html;      /* a page */
struct html_node; /* an element; borrowed from its page */

/*
 * html_parse - UTF-8, or else ISO 8859-1; a byte order mark is passed over.  The text is copied.
 * fails    ERR_PROTO     empty, has a NUL byte (UTF-16 has), no tag in it
 *          ERR_NET       ends inside a comment or a tag: it was cut
 *          ERR_TOO_LARGE over one of the limits
 *          ERR_NOMEM
 */
struct html *html_parse(struct view text, struct err *e) MUST;
void html_free(struct html *page);

/* html_find - the first element with this id (ASCII case aside) in document order; NULL: none. */
const struct html_node *html_find(const struct html *page, const char *id);

/* html_tag - the first element of this name, "title"; NULL: none.  "html" is always there. */
const struct html_node *html_tag(const struct html *page, const char *name);

/* html_definition - the <dd> that belongs to this <dt>: before the next <dt>; NULL: none. */
const struct html_node *html_definition(const struct html_node *dt);

/* html_text - append the text inside, each run of white space one space, none at the ends. */
void html_text(const struct html_node *node, struct buf *out);

/*
 * html_next_link - iterate the <a href>: *state starts as NULL.  href is appended to out, which the
 * caller resets; false at the end.
 */
bool html_next_link(const struct html *page, const struct html_node **state, struct buf *href);
#endif
